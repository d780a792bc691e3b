// Reads the model file field by field, each checked, and finds the best segmentation of a text.
#include "core/text/sentencepiece.h"

#include "core/error.h"
#include "core/files/whole_file.h"
#include "core/text/characters.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <queue>
#include <system_error>
#include <utility>

namespace headlight {

namespace {

constexpr std::uintmax_t largestFile = 64U << 20; // ten times the largest vocabularies in use
constexpr std::size_t longestPieceAllowed = 4096;
constexpr float unknownPenalty = 10; // below the worst piece, as SentencePiece has it
constexpr int noSymbol = -1;
constexpr auto fetchAgain = "the file is damaged or incomplete; fetch or export it again";

[[noreturn]] void failCorrupt(const std::string& place, const std::string& detail) {
    throw Error(Error::Kind::Corrupt, place, detail, fetchAgain);
}

/// Goes through the fields of one protocol buffer message.
class WireReader {
public:
    WireReader(std::string_view message, std::string place) : m_rest(message), m_place(std::move(place)) {}

    /// Steps to the next field; false at the end.
    bool next() {
        if (m_rest.empty())
            return false;
        const std::uint64_t key = readVarint();
        m_field = key >> 3;
        m_wireType = key & 7;
        if (m_field == 0)
            failCorrupt(m_place, "this is not a SentencePiece model: field number 0");
        switch (m_wireType) {
        case 0:
            m_number = readVarint();
            break;
        case 1:
            m_payload = take(8);
            break;
        case 2:
            m_payload = take(readVarint());
            break;
        case 5:
            m_payload = take(4);
            break;
        default:
            failCorrupt(m_place, "this is not a SentencePiece model: field " + std::to_string(m_field)
                                     + " has wire type " + std::to_string(m_wireType));
        }
        return true;
    }

    std::uint64_t field() const { return m_field; }
    std::uint64_t number() const { return expect(0), m_number; }
    bool flag() const { return number() != 0; }
    std::string_view bytes() const { return expect(2), m_payload; }
    float real() const {
        expect(5);
        std::uint32_t bits = 0;
        for (std::size_t i = 4; i-- > 0;)
            bits = bits << 8 | static_cast<unsigned char>(m_payload[i]);
        return std::bit_cast<float>(bits);
    }

private:
    void expect(std::uint64_t wireType) const {
        if (m_wireType != wireType)
            failCorrupt(m_place, "field " + std::to_string(m_field) + " has wire type " + std::to_string(m_wireType)
                                     + " instead of " + std::to_string(wireType));
    }
    std::string_view take(std::uint64_t count) {
        if (count > m_rest.size())
            failCorrupt(m_place, "a field of " + std::to_string(count) + " bytes where only "
                                     + std::to_string(m_rest.size()) + " are left");
        const std::string_view taken = m_rest.substr(0, count);
        m_rest.remove_prefix(count);
        return taken;
    }
    std::uint64_t readVarint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const auto byte = static_cast<unsigned char>(take(1)[0]);
            value |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80)
                return value;
        }
        failCorrupt(m_place, "a number of more than 64 bits");
    }

    std::string_view m_rest;
    std::string m_place;
    std::uint64_t m_field = 0;
    std::uint64_t m_wireType = 0;
    std::uint64_t m_number = 0;
    std::string_view m_payload;
};

SentencePiece::Piece readPiece(std::string_view message, const std::string& place, std::size_t index) {
    const std::string name = "piece " + std::to_string(index);
    SentencePiece::Piece piece;
    WireReader reader(message, place);
    while (reader.next()) {
        switch (reader.field()) {
        case 1:
            piece.text = reader.bytes();
            break;
        case 2:
            piece.score = reader.real();
            break;
        case 3:
            if (reader.number() < 1 || reader.number() > 6)
                failCorrupt(place, name + " is of the unknown type " + std::to_string(reader.number()));
            piece.type = static_cast<SentencePiece::Type>(reader.number());
            break;
        default:
            break;
        }
    }
    if (piece.text.empty())
        failCorrupt(place, name + " is empty");
    if (piece.text.size() > longestPieceAllowed)
        throw Error(Error::Kind::Unsupported, place,
                    name + " has " + std::to_string(piece.text.size()) + " bytes; at most "
                        + std::to_string(longestPieceAllowed) + " are supported");
    if (withReplacementCharacters(piece.text) != piece.text)
        failCorrupt(place, name + " is not UTF-8 text");
    if (!std::isfinite(piece.score))
        failCorrupt(place, name + " ('" + piece.text + "') has a score that is not a finite number");
    return piece;
}

bool isFoundInText(SentencePiece::Type type) {
    using enum SentencePiece::Type;
    return type == Normal || type == UserDefined || type == Unused;
}

} // namespace

std::string bytesOfPiece(std::string_view piece) {
    if (const auto byte = byteOfPiece(piece))
        return {static_cast<char>(*byte)};
    std::string text;
    for (auto mark = piece.find(spaceMark); mark != std::string_view::npos; mark = piece.find(spaceMark)) {
        text.append(piece.substr(0, mark)) += ' ';
        piece.remove_prefix(mark + spaceMark.size());
    }
    return text.append(piece);
}

std::optional<unsigned char> byteOfPiece(std::string_view piece) {
    if (piece.size() != 6 || !piece.starts_with("<0x") || piece.back() != '>')
        return std::nullopt;
    unsigned char byte = 0;
    const auto [end, problem] = std::from_chars(piece.data() + 3, piece.data() + 5, byte, 16);
    if (problem != std::errc{} || end != piece.data() + 5)
        return std::nullopt;
    return byte;
}

/// What the file says, before any of it is brought into the form that searching needs.
struct SentencePiece::ModelFile {
    Algorithm algorithm = Algorithm::Unigram;
    bool byteFallback = false;
    std::vector<Piece> pieces;
    NormalizerOptions normalizer;
};

SentencePiece SentencePiece::open(const std::filesystem::path& file) {
    return SentencePiece(readWholeFile(file, largestFile), file.string());
}

SentencePiece::SentencePiece(std::string_view file, const std::string& place)
    : SentencePiece(read(file, place), place) {}

SentencePiece::ModelFile SentencePiece::read(std::string_view file, const std::string& place) {
    if (file.empty())
        failCorrupt(place, "the file is empty");
    ModelFile model;
    WireReader reader(file, place);
    while (reader.next()) {
        if (reader.field() == 1) {
            model.pieces.push_back(readPiece(reader.bytes(), place, model.pieces.size()));
        } else if (reader.field() == 2) { // trainer_spec
            WireReader trainer(reader.bytes(), place);
            while (trainer.next()) {
                if (trainer.field() == 3) {
                    if (trainer.number() != 1 && trainer.number() != 2)
                        throw Error(Error::Kind::Unsupported, place,
                                    "the model is of type " + std::to_string(trainer.number())
                                        + "; unigram (1) and byte pairs (2) are supported");
                    model.algorithm = static_cast<Algorithm>(trainer.number());
                } else if (trainer.field() == 24) {
                    model.normalizer.dummyPrefixAtEnd = trainer.flag();
                } else if (trainer.field() == 35) {
                    model.byteFallback = trainer.flag();
                }
            }
        } else if (reader.field() == 3) { // normalizer_spec
            WireReader normalizer(reader.bytes(), place);
            while (normalizer.next()) {
                if (normalizer.field() == 2)
                    model.normalizer.characterMap = normalizer.bytes();
                else if (normalizer.field() == 3)
                    model.normalizer.addDummyPrefix = normalizer.flag();
                else if (normalizer.field() == 4)
                    model.normalizer.removeExtraSpaces = normalizer.flag();
                else if (normalizer.field() == 5)
                    model.normalizer.markSpaces = normalizer.flag();
            }
        }
    }
    return model;
}

SentencePiece::SentencePiece(ModelFile&& file, const std::string& place)
    : m_algorithm(file.algorithm), m_byteFallback(file.byteFallback), m_pieces(std::move(file.pieces)),
      m_normalizer(file.normalizer, place) {
    indexPieces(place);
}

void SentencePiece::indexPieces(const std::string& place) {
    m_byteIds.fill(-1);
    float smallestScore = std::numeric_limits<float>::max();
    m_largestScore = std::numeric_limits<float>::min();
    std::vector<std::pair<std::string_view, int>> found;
    std::vector<std::pair<std::string_view, int>> userDefined;
    m_ids.reserve(m_pieces.size());
    for (std::size_t i = 0; i < m_pieces.size(); ++i) {
        const Piece& piece = m_pieces[i];
        const int id = static_cast<int>(i);
        const std::string name = "piece " + std::to_string(i) + " ('" + piece.text + "')";
        if (isFoundInText(piece.type)) {
            if (const auto [other, added] = m_ids.emplace(piece.text, id); !added)
                failCorrupt(place, name + " is there already as piece " + std::to_string(other->second));
            found.emplace_back(piece.text, id);
            m_longestPiece = std::max(m_longestPiece, piece.text.size());
        }
        if (piece.type == Type::UserDefined)
            userDefined.emplace_back(piece.text, id);
        if (piece.type == Type::Normal) {
            smallestScore = std::min(smallestScore, piece.score);
            m_largestScore = std::max(m_largestScore, piece.score);
        }
        if (piece.type == Type::Unknown) {
            if (m_unknownId >= 0)
                failCorrupt(place, name + " is a second unknown piece after piece " + std::to_string(m_unknownId));
            m_unknownId = id;
        }
        if (piece.type == Type::Byte) {
            const auto byte = byteOfPiece(piece.text);
            if (!byte)
                failCorrupt(place, name + " stands for no byte");
            m_byteIds[*byte] = id;
        }
    }
    if (m_unknownId < 0)
        failCorrupt(place, "there is no piece for unknown characters among " + std::to_string(m_pieces.size()));
    if (m_byteFallback && std::find(m_byteIds.begin(), m_byteIds.end(), -1) != m_byteIds.end())
        failCorrupt(place, "unknown characters are to be written as bytes, but not each byte has its piece");
    m_unknownScore = smallestScore - unknownPenalty;
    m_userDefined = PieceTrie(std::move(userDefined));
    if (m_algorithm == Algorithm::Unigram) {
        m_trie = PieceTrie(std::move(found));
        m_ids.clear();
    }
}

std::vector<SentencePiece::Segment> SentencePiece::encode(std::string_view typed) const {
    checkTyped(typed.size());
    const NormalizedText normalized = m_normalizer.normalize(typed, m_userDefined);
    const auto cuts = m_algorithm == Algorithm::Unigram ? cutByScore(normalized.text) : cutByMerges(normalized.text);

    std::vector<Segment> segments;
    segments.reserve(cuts.size());
    bool afterUnknown = false;
    for (const auto& [begin, end, id] : cuts) {
        const std::string_view text = std::string_view(normalized.text).substr(begin, end - begin);
        const ByteRange bytes{normalized.origin[begin].begin, normalized.origin[end - 1].end};
        const bool unknown = id == m_unknownId;
        if (unknown && m_byteFallback) {
            for (const char letter : text) {
                const int byteId = m_byteIds[static_cast<unsigned char>(letter)];
                segments.push_back({byteId, m_pieces[static_cast<std::size_t>(byteId)].text, bytes});
            }
        } else if (unknown && afterUnknown) {
            segments.back().text += text;
            segments.back().bytes.end = bytes.end;
        } else {
            segments.push_back({id, std::string(text), bytes});
        }
        afterUnknown = unknown;
    }
    return segments;
}

std::size_t SentencePiece::characterAt(std::string_view text, std::size_t position) const {
    return std::max<std::size_t>(characterLength(text.substr(position)), 1);
}

/// Viterbi over the byte positions. Sums are kept in single precision, as SentencePiece does: so equal or nearly equal
/// segmentations of a long text fall out the same way.
std::vector<SentencePiece::Cut> SentencePiece::cutByScore(std::string_view text) const {
    struct Best {
        float score = 0;
        int id = -1;
        std::size_t begin = 0; ///< of the last piece on the best way to here
    };
    std::vector<Best> bestUntil(text.size() + 1);
    const auto offer = [&](std::size_t begin, std::size_t end, int id, double score) {
        Best& best = bestUntil[end];
        const double sum = score + static_cast<double>(bestUntil[begin].score);
        if (best.id < 0 || sum > static_cast<double>(best.score))
            best = {static_cast<float>(sum), id, begin};
    };

    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t characterEnd = begin + characterAt(text, begin);
        bool characterKnown = false;
        std::uint32_t node = PieceTrie::root;
        for (std::size_t end = begin; end < text.size();) {
            node = m_trie.child(node, text[end]);
            if (node == PieceTrie::nowhere)
                break;
            ++end;
            const int id = m_trie.id(node);
            if (id < 0)
                continue;
            const Piece& piece = m_pieces[static_cast<std::size_t>(id)];
            if (piece.type == Type::Unused)
                continue;
            const auto length = static_cast<float>(end - begin);
            const double score = piece.type == Type::UserDefined // better than any way through its letters
                                     ? static_cast<double>(length * m_largestScore) - 0.1
                                     : static_cast<double>(piece.score);
            offer(begin, end, id, score);
            characterKnown = characterKnown || end == characterEnd;
        }
        if (!characterKnown)
            offer(begin, characterEnd, m_unknownId, static_cast<double>(m_unknownScore));
        begin = characterEnd;
    }

    std::vector<Cut> cuts;
    for (std::size_t end = text.size(); end > 0; end = cuts.back().begin)
        cuts.push_back({bestUntil[end].begin, end, bestUntil[end].id});
    std::reverse(cuts.begin(), cuts.end());
    return cuts;
}

/// Merges neighbours while any two make a piece; the piece of the highest score first, the leftmost among equals.
std::vector<SentencePiece::Cut> SentencePiece::cutByMerges(std::string_view text) const {
    struct Symbol {
        std::size_t begin;
        std::size_t end; ///< equal to begin: merged into a symbol to the left
        int previous;
        int next;
        bool whole; ///< user-defined: takes part in no merge
    };
    struct Merge {
        float score;
        int left;
        int right;
        std::size_t length; ///< of both when this was noted; another length now: out of date

        bool operator<(const Merge& other) const {
            return score != other.score ? score < other.score : left > other.left;
        }
    };
    std::vector<Symbol> symbols;
    const auto symbol = [&](int index) -> Symbol& { return symbols[static_cast<std::size_t>(index)]; };
    const auto pieceId = [&](std::size_t begin, std::size_t end) {
        const auto found = end - begin <= m_longestPiece ? m_ids.find(text.substr(begin, end - begin)) : m_ids.end();
        return found != m_ids.end() ? found->second : -1;
    };
    const auto typeOf = [&](int id) { return m_pieces[static_cast<std::size_t>(id)].type; };

    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t userDefined = m_userDefined.longestPrefix(text.substr(begin));
        const std::size_t end = begin + (userDefined > 0 ? userDefined : characterAt(text, begin));
        const int index = static_cast<int>(symbols.size());
        symbols.push_back({begin, end, index - 1, end < text.size() ? index + 1 : noSymbol, userDefined > 0});
        begin = end;
    }

    std::priority_queue<Merge> merges;
    // Pieces that serve only as steps on the way to longer ones are taken apart again where they are left over.
    std::unordered_map<std::string_view, std::size_t> stepSplits; // piece -> length of its left part
    const auto note = [&](int left, int right) {
        if (left == noSymbol || right == noSymbol || symbol(left).whole || symbol(right).whole)
            return;
        const std::size_t begin = symbol(left).begin;
        const std::size_t end = symbol(right).end;
        const int id = pieceId(begin, end);
        if (id < 0)
            return;
        merges.push({m_pieces[static_cast<std::size_t>(id)].score, left, right, end - begin});
        if (typeOf(id) == Type::Unused)
            stepSplits[text.substr(begin, end - begin)] = symbol(left).end - begin;
    };
    for (int i = 1; i < static_cast<int>(symbols.size()); ++i)
        note(i - 1, i);

    while (!merges.empty()) {
        const Merge merge = merges.top();
        merges.pop();
        Symbol& left = symbol(merge.left);
        Symbol& right = symbol(merge.right);
        const bool gone = left.begin == left.end || right.begin == right.end;
        if (gone || right.end - left.begin != merge.length)
            continue;
        left.end = right.end;
        right.begin = right.end;
        left.next = right.next;
        if (right.next != noSymbol)
            symbol(right.next).previous = merge.left;
        note(left.previous, merge.left);
        note(merge.left, left.next);
    }

    std::vector<Cut> cuts;
    std::vector<std::pair<std::size_t, std::size_t>> open; // runs still to be taken apart, the leftmost last
    for (int i = symbols.empty() ? noSymbol : 0; i != noSymbol; i = symbol(i).next) {
        open.emplace_back(symbol(i).begin, symbol(i).end);
        while (!open.empty()) {
            const auto [begin, end] = open.back();
            open.pop_back();
            const int id = pieceId(begin, end);
            const auto split = id >= 0 && typeOf(id) == Type::Unused ? stepSplits.find(text.substr(begin, end - begin))
                                                                     : stepSplits.end();
            if (split != stepSplits.end()) {
                open.emplace_back(begin + split->second, end);
                open.emplace_back(begin, begin + split->second);
            } else {
                cuts.push_back({begin, end, id >= 0 ? id : m_unknownId});
            }
        }
    }
    return cuts;
}

} // namespace headlight
