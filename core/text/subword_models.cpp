// Each model as HuggingFace's tokenizers library has it, down to how ties fall.
#include "core/text/subword_models.h"

#include "core/error.h"
#include "core/text/characters.h"
#include "core/text/piece_trie.h"
#include "core/text/sentencepiece.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>

namespace headlight {

namespace {

constexpr std::size_t longestPiece = 4096;
constexpr std::size_t longestVocabulary = 16U << 20;

std::string named(const std::string& piece) {
    constexpr std::size_t longestShown = 60;
    return '\'' + (piece.size() > longestShown ? withReplacementCharacters(piece.substr(0, longestShown)) + "…" : piece)
           + '\'';
}

void checkLengths(const JsonPart& part, const Vocabulary& vocabulary) {
    std::size_t all = 0;
    for (std::int64_t id = 0; id < vocabulary.size(); ++id) {
        const std::string& piece = vocabulary.piece(id);
        if (piece.size() > longestPiece)
            part.failUnknown(named(piece) + " has " + std::to_string(piece.size()) + " bytes; at most "
                             + std::to_string(longestPiece) + " are supported");
        all += piece.size();
    }
    if (all > longestVocabulary)
        part.failUnknown("the pieces have " + std::to_string(all) + " bytes together; at most "
                         + std::to_string(longestVocabulary) + " are supported");
}

Vocabulary readPieces(const JsonPart& part) {
    Vocabulary vocabulary = vocabularyIn(part);
    checkLengths(part, vocabulary);
    return vocabulary;
}

/// The ids of `<0x00>` … `<0xFF>`; nothing unless all are there.
std::optional<std::array<std::int64_t, 256>> byteIds(const Vocabulary& vocabulary) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::array<std::int64_t, 256> ids{};
    for (std::size_t byte = 0; byte < ids.size(); ++byte) {
        const auto id = vocabulary.find(std::string("<0x") + digits[byte / 16] + digits[byte % 16] + '>');
        if (!id)
            return std::nullopt;
        ids[byte] = *id;
    }
    return ids;
}

// WordPiece

class WordPiece : public SubwordModel {
public:
    explicit WordPiece(const JsonPart& part);
    void cut(std::string_view word, std::vector<Piece>& pieces) const override;

private:
    std::int64_t m_unknown = 0;
    std::size_t m_mostLetters = 100;
    PieceTrie m_atBegin;
    PieceTrie m_inside; ///< without the prefix that marks them
};

WordPiece::WordPiece(const JsonPart& part) : SubwordModel(readPieces(part.at("vocab"))) {
    const std::string prefix = part.text("continuing_subword_prefix", "##");
    const std::string unknown = part.text("unk_token", "[UNK]");
    const auto id = vocabulary().find(unknown);
    if (!id)
        part.fail("the vocabulary has no " + named(unknown) + ", which stands for unknown words");
    m_unknown = *id;
    if (part.has("max_input_chars_per_word")) {
        const double most = part.at("max_input_chars_per_word").number();
        if (!(most >= 0 && most <= std::numeric_limits<std::int32_t>::max()))
            part.at("max_input_chars_per_word").fail("is no count of letters");
        m_mostLetters = static_cast<std::size_t>(most);
    }
    std::vector<std::pair<std::string_view, int>> atBegin;
    std::vector<std::pair<std::string_view, int>> inside;
    for (std::int64_t piece = 0; piece < vocabulary().size(); ++piece) {
        const std::string& text = vocabulary().piece(piece);
        if (vocabulary().find(text) != piece)
            continue; // a line of vocab.txt that comes again further down
        if (!text.empty())
            atBegin.emplace_back(text, static_cast<int>(piece));
        if (text.size() > prefix.size() && text.starts_with(prefix))
            inside.emplace_back(std::string_view(text).substr(prefix.size()), static_cast<int>(piece));
    }
    m_atBegin = PieceTrie(std::move(atBegin));
    m_inside = PieceTrie(std::move(inside));
}

void WordPiece::cut(std::string_view word, std::vector<Piece>& pieces) const {
    const std::size_t before = pieces.size();
    std::size_t letters = 0;
    for (const char byte : word)
        letters += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
    bool known = letters <= m_mostLetters;
    for (std::size_t begin = 0; known && begin < word.size();) {
        const auto [length, id] = (begin == 0 ? m_atBegin : m_inside).longestMatch(word.substr(begin));
        known = length > 0;
        pieces.push_back({id, begin, begin + length, false});
        begin += length;
    }
    if (!known) {
        pieces.resize(before);
        pieces.push_back({m_unknown, 0, word.size(), false});
    }
}

// Byte-pair encoding

class BytePairs : public SubwordModel {
public:
    explicit BytePairs(const JsonPart& part);
    void cut(std::string_view word, std::vector<Piece>& pieces) const override;

private:
    struct Merge {
        std::int64_t rank;
        std::int64_t merged;
    };
    void readMerge(const JsonPart& part, std::int64_t rank);
    void addLetters(std::string_view word, std::vector<Piece>& pieces) const;
    void mergeAll(std::vector<Piece>& pieces) const;
    const Merge* find(std::int64_t left, std::int64_t right) const;
    static std::uint64_t pairOf(std::int64_t left, std::int64_t right) {
        return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint64_t>(right);
    }

    std::unordered_map<std::uint64_t, Merge> m_merges;
    std::string m_prefix; ///< of pieces inside of a word
    std::string m_suffix; ///< of pieces at the end of a word
    std::optional<std::int64_t> m_unknown;
    std::optional<std::array<std::int64_t, 256>> m_byteIds;
    bool m_fuseUnknown = false;
    bool m_wholeWordsFirst = false;
};

BytePairs::BytePairs(const JsonPart& part) : SubwordModel(readPieces(part.at("vocab"))) {
    m_prefix = part.text("continuing_subword_prefix", "");
    m_suffix = part.text("end_of_word_suffix", "");
    if (part.has("unk_token")) // some files name one that is not there: where each byte has its piece nobody misses it
        m_unknown = vocabulary().find(part.at("unk_token").text());
    m_fuseUnknown = part.flag("fuse_unk", false);
    m_wholeWordsFirst = part.flag("ignore_merges", false);
    if (part.flag("byte_fallback", false))
        m_byteIds = byteIds(vocabulary());
    const JsonPart merges = part.at("merges");
    if (!merges.isList())
        merges.fail("is no list of merges");
    m_merges.reserve(merges.value().size());
    for (std::size_t i = 0; i < merges.value().size(); ++i)
        readMerge(merges.element(i), static_cast<std::int64_t>(i));
}

/// "a b", or in newer files ["a", "b"], which allows for spaces in a piece.
void BytePairs::readMerge(const JsonPart& part, std::int64_t rank) {
    std::string left;
    std::string right;
    if (part.isText()) {
        const std::string both = part.text();
        const auto space = both.find(' ');
        if (space == std::string::npos || both.find(' ', space + 1) != std::string::npos)
            part.fail(named(both) + " are not two pieces with a space between them");
        left = both.substr(0, space);
        right = both.substr(space + 1);
    } else {
        const auto both = part.elements();
        if (both.size() != 2)
            part.fail("a merge is of two pieces");
        left = both[0].text();
        right = both[1].text();
    }
    const auto need = [&](const std::string& piece) {
        const auto id = vocabulary().find(piece);
        if (!id)
            part.fail("the vocabulary has no " + named(piece));
        return *id;
    };
    const std::int64_t leftId = need(left);
    const std::int64_t rightId = need(right);
    const std::size_t marked = right.starts_with(m_prefix) ? m_prefix.size() : 0;
    m_merges.insert_or_assign(pairOf(leftId, rightId), Merge{rank, need(left + right.substr(marked))});
}

const BytePairs::Merge* BytePairs::find(std::int64_t left, std::int64_t right) const {
    const auto found = m_merges.find(pairOf(left, right));
    return found != m_merges.end() ? &found->second : nullptr;
}

void BytePairs::cut(std::string_view word, std::vector<Piece>& pieces) const {
    if (m_wholeWordsFirst) {
        if (const auto id = vocabulary().find(word)) {
            pieces.push_back({*id, 0, word.size(), false});
            return;
        }
    }
    std::vector<Piece> own;
    addLetters(word, own);
    mergeAll(own);
    pieces.insert(pieces.end(), own.begin(), own.end());
}

void BytePairs::addLetters(std::string_view word, std::vector<Piece>& pieces) const {
    bool afterUnknown = false;
    for (std::size_t begin = 0; begin < word.size();) {
        const std::size_t end = begin + firstCharacter(word.substr(begin)).length;
        std::string letter(word.substr(begin, end - begin));
        if (begin > 0)
            letter.insert(0, m_prefix);
        if (end == word.size())
            letter += m_suffix;
        const auto id = vocabulary().find(letter);
        if (id) {
            pieces.push_back({*id, begin, end, false});
        } else if (m_byteIds) {
            for (std::size_t i = begin; i < end; ++i)
                pieces.push_back({(*m_byteIds)[static_cast<unsigned char>(word[i])], i, i + 1, false});
        } else if (m_unknown && m_fuseUnknown && afterUnknown) {
            pieces.back().end = end;
        } else if (m_unknown) {
            pieces.push_back({*m_unknown, begin, end, false});
        } // else the letter is lost, as it is to the model
        afterUnknown = !id && !m_byteIds;
        begin = end;
    }
}

/// The earliest learned merge first, the leftmost among equals. Pieces that went into their left neighbour stay in the
/// list, empty, until the end.
void BytePairs::mergeAll(std::vector<Piece>& pieces) const {
    struct Candidate {
        std::int64_t rank;
        std::int64_t merged;
        std::size_t left;
        bool operator<(const Candidate& other) const { // the queue gives the largest first
            return rank != other.rank ? rank > other.rank : left > other.left;
        }
    };
    const std::size_t none = pieces.size();
    std::vector<std::size_t> next(none);
    std::vector<std::size_t> previous(none);
    std::vector<bool> gone(none);
    std::priority_queue<Candidate> queue;
    const auto note = [&](std::size_t left, std::size_t right) {
        if (left == none || right == none)
            return;
        if (const Merge* merge = find(pieces[left].id, pieces[right].id))
            queue.push({merge->rank, merge->merged, left});
    };
    for (std::size_t i = 0; i < none; ++i) {
        next[i] = i + 1;
        previous[i] = i > 0 ? i - 1 : none;
        if (i > 0)
            note(i - 1, i);
    }
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        if (gone[best.left] || next[best.left] == none)
            continue;
        const std::size_t right = next[best.left];
        const Merge* merge = find(pieces[best.left].id, pieces[right].id);
        if (!merge || merge->merged != best.merged)
            continue; // one of the two has changed since
        pieces[best.left].id = best.merged;
        pieces[best.left].end = pieces[right].end;
        gone[right] = true;
        next[best.left] = next[right];
        if (next[right] != none)
            previous[next[right]] = best.left;
        note(previous[best.left], best.left);
        note(best.left, next[best.left]);
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < none; ++i) {
        if (!gone[i])
            pieces[kept++] = pieces[i];
    }
    pieces.resize(kept);
}

// Unigram

struct ScoredPieces {
    Vocabulary vocabulary;
    std::vector<double> scores;
};

class Unigram : public SubwordModel {
public:
    explicit Unigram(const JsonPart& part) : Unigram(part, readScored(part.at("vocab"))) {}
    void cut(std::string_view word, std::vector<Piece>& pieces) const override;

private:
    Unigram(const JsonPart& part, ScoredPieces&& scored);
    static ScoredPieces readScored(const JsonPart& part);
    void addUnknown(std::string_view word, std::size_t begin, std::size_t end, std::vector<Piece>& pieces) const;

    std::string m_place;
    std::vector<double> m_scores;
    double m_unknownScore = 0;
    std::optional<std::int64_t> m_unknown;
    std::optional<std::array<std::int64_t, 256>> m_byteIds;
    PieceTrie m_trie;
};

ScoredPieces Unigram::readScored(const JsonPart& part) {
    ScoredPieces scored;
    const std::size_t count = part.isList() ? part.value().size() : 0;
    if (count == 0)
        part.fail("the vocabulary has no pieces");
    if (count > static_cast<std::size_t>(largestId))
        part.fail(std::to_string(count) + " pieces are too many");
    for (std::size_t i = 0; i < count; ++i) {
        const JsonPart entry = part.element(i);
        const auto pair = entry.elements();
        if (pair.size() != 2)
            entry.fail("a piece and its score must stand here");
        const std::string piece = pair[0].text();
        const double score = pair[1].number();
        if (!std::isfinite(score))
            pair[1].fail("the score is no finite number");
        scored.vocabulary.add(piece, static_cast<std::int64_t>(scored.scores.size()));
        scored.scores.push_back(score);
    }
    checkLengths(part, scored.vocabulary);
    return scored;
}

Unigram::Unigram(const JsonPart& part, ScoredPieces&& scored)
    : SubwordModel(std::move(scored.vocabulary)), m_place(part.place()), m_scores(std::move(scored.scores)) {
    constexpr double unknownPenalty = 10;
    m_unknownScore = *std::min_element(m_scores.begin(), m_scores.end()) - unknownPenalty;
    if (part.has("unk_id")) {
        m_unknown = idIn(part.at("unk_id"));
        if (*m_unknown >= vocabulary().size())
            part.at("unk_id").fail(std::to_string(*m_unknown) + " is beyond the vocabulary of "
                                   + std::to_string(vocabulary().size()));
    }
    if (part.flag("byte_fallback", false))
        m_byteIds = byteIds(vocabulary());
    std::vector<std::pair<std::string_view, int>> found;
    for (std::int64_t id = 0; id < vocabulary().size(); ++id) {
        const std::string& piece = vocabulary().piece(id);
        if (!piece.empty() && vocabulary().find(piece) == id)
            found.emplace_back(piece, static_cast<int>(id));
    }
    m_trie = PieceTrie(std::move(found));
}

void Unigram::cut(std::string_view word, std::vector<Piece>& pieces) const {
    struct Best {
        double score = 0;
        std::int64_t id = -1; ///< of the last piece on the best way to here; -1: none reached it yet
        std::size_t begin = 0;
    };
    constexpr std::int64_t unknown = std::numeric_limits<std::int64_t>::max();
    std::vector<Best> bestUntil(word.size() + 1);
    const auto offer = [&](std::size_t begin, std::size_t end, std::int64_t id, double score) {
        const double sum = score + bestUntil[begin].score;
        if (bestUntil[end].id < 0 || sum > bestUntil[end].score)
            bestUntil[end] = {sum, id, begin};
    };
    for (std::size_t begin = 0; begin < word.size();) {
        const std::size_t characterEnd = begin + firstCharacter(word.substr(begin)).length;
        bool characterKnown = false;
        std::uint32_t node = PieceTrie::root;
        for (std::size_t end = begin; end < word.size();) {
            node = m_trie.child(node, word[end]);
            if (node == PieceTrie::nowhere)
                break;
            ++end;
            if (const int id = m_trie.id(node); id >= 0) {
                offer(begin, end, id, m_scores[static_cast<std::size_t>(id)]);
                characterKnown = characterKnown || end == characterEnd;
            }
        }
        if (!characterKnown)
            offer(begin, characterEnd, unknown, m_unknownScore);
        begin = characterEnd;
    }

    struct Run {
        std::size_t begin, end;
        bool unknown;
    };
    std::vector<Run> runs; // from the end; neighbouring unknown ones are one
    for (std::size_t end = word.size(); end > 0;) {
        const Best& best = bestUntil[end];
        const bool isUnknown = best.id == unknown || best.id == m_unknown;
        if (isUnknown && !runs.empty() && runs.back().unknown)
            runs.back().begin = best.begin;
        else
            runs.push_back({best.begin, end, isUnknown});
        end = best.begin;
    }
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
        if (const auto id = vocabulary().find(word.substr(run->begin, run->end - run->begin)))
            pieces.push_back({*id, run->begin, run->end, false});
        else
            addUnknown(word, run->begin, run->end, pieces);
    }
}

void Unigram::addUnknown(std::string_view word, std::size_t begin, std::size_t end, std::vector<Piece>& pieces) const {
    if (m_byteIds) {
        for (std::size_t i = begin; i < end; ++i)
            pieces.push_back({(*m_byteIds)[static_cast<unsigned char>(word[i])], i, i + 1, false});
        return;
    }
    if (!m_unknown)
        throw Error(Error::Kind::Mismatch, m_place,
                    "the vocabulary has no piece for " + named(std::string(word.substr(begin, end - begin)))
                        + " and none for unknown letters (\"unk_id\")",
                    "leave these letters out");
    pieces.push_back({*m_unknown, begin, end, true});
}

// Whole words

class WordLevel : public SubwordModel {
public:
    explicit WordLevel(const JsonPart& part) : SubwordModel(readPieces(part.at("vocab"))), m_place(part.place()) {
        m_unknownName = part.text("unk_token", "<unk>");
        m_unknown = vocabulary().find(m_unknownName);
    }
    void cut(std::string_view word, std::vector<Piece>& pieces) const override {
        const auto id = vocabulary().find(word);
        if (!id && !m_unknown)
            throw Error(Error::Kind::Mismatch, m_place,
                        "the vocabulary has neither " + named(std::string(word)) + " nor " + named(m_unknownName)
                            + " for unknown words",
                        "leave this word out");
        pieces.push_back({id ? *id : *m_unknown, 0, word.size(), false});
    }

private:
    std::string m_place;
    std::string m_unknownName;
    std::optional<std::int64_t> m_unknown;
};

/// Older files do not say; their members do.
std::string typeOf(const JsonPart& part) {
    if (part.has("type"))
        return part.at("type").text();
    if (part.has("merges"))
        return "BPE";
    if (part.at("vocab").isList())
        return "Unigram";
    return part.has("max_input_chars_per_word") || part.has("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
}

} // namespace

std::unique_ptr<SubwordModel> readSubwordModel(const JsonPart& part) {
    const std::string type = typeOf(part);
    if (type == "WordPiece")
        return std::make_unique<WordPiece>(part);
    if (type == "BPE")
        return std::make_unique<BytePairs>(part);
    if (type == "Unigram")
        return std::make_unique<Unigram>(part);
    if (type == "WordLevel")
        return std::make_unique<WordLevel>(part);
    part.failUnknown("the model '" + type + "' is not known");
}

} // namespace headlight
