// The choice among tokenizers by a folder's files, and the tokenizers that are built on SentencePiece.
//
// Marian (OPUS-MT, and our own models): source.spm, perhaps target.spm, and vocab.json, which gives both sides' pieces
// their ids; as MarianTokenizer of HuggingFace transformers. T5: spiece.model, whose order gives the ids.
#include "core/text/tokenizer.h"

#include "core/checkpoint/whole_file.h"
#include "core/error.h"
#include "core/text/characters.h"
#include "core/text/sentencepiece.h"
#include "core/text/word_breaks.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace headlight {

namespace {

constexpr auto unknownName = "<unk>";
constexpr std::int64_t largestId =
    1 << 22; // far above any vocabulary in use; keeps a lying file from taking the memory
constexpr std::uintmax_t largestVocabularyFile = 64U << 20;

/// Pieces by id and ids by piece.
class Vocabulary {
public:
    void add(const std::string& piece, std::int64_t id, bool special) {
        const auto index = static_cast<std::size_t>(id);
        if (index >= m_entries.size())
            m_entries.resize(index + 1);
        m_entries[index] = {piece, special};
        if (!special)
            m_ids.emplace(piece, id); // so that `</s>` in a text stays text
    }
    void setUnknown(std::int64_t id) { m_unknown = id; }

    std::int64_t unknown() const { return m_unknown; } ///< -1 when there is none
    std::int64_t size() const { return static_cast<std::int64_t>(m_entries.size()); }
    std::int64_t id(const std::string& piece) const {
        const auto found = m_ids.find(piece);
        return found != m_ids.end() ? found->second : m_unknown;
    }
    Token token(std::int64_t id) const {
        Token token;
        token.id = id;
        const bool inRange = id >= 0 && id < size();
        const Entry entry = inRange ? m_entries[static_cast<std::size_t>(id)] : Entry{};
        token.text = entry.piece.empty() ? '[' + std::to_string(id) + ']' : entry.piece;
        token.special = entry.special;
        return token;
    }

private:
    struct Entry {
        std::string piece; ///< empty where vocab.json leaves an id out
        bool special = false;
    };
    std::vector<Entry> m_entries;
    std::unordered_map<std::string, std::int64_t> m_ids;
    std::int64_t m_unknown = -1;
};

class SentencePieceTokenizer : public Tokenizer {
public:
    SentencePieceTokenizer(std::shared_ptr<const SentencePiece> source, std::shared_ptr<const SentencePiece> target,
                           Vocabulary vocabulary)
        : m_source(std::move(source)), m_target(std::move(target)), m_vocabulary(std::move(vocabulary)) {}

    std::vector<Token> encode(std::string_view text) const override { return encodeWith(*m_source, text); }
    std::vector<Token> encodeTarget(std::string_view text) const override { return encodeWith(*m_target, text); }
    Token token(std::int64_t id) const override { return m_vocabulary.token(id); }
    std::int64_t size() const override { return m_vocabulary.size(); }
    std::string decode(std::span<const std::int64_t> ids) const override;

private:
    std::vector<Token> encodeWith(const SentencePiece& pieces, std::string_view text) const;
    std::size_t languageCodeLength(std::string_view text) const;

    std::shared_ptr<const SentencePiece> m_source;
    std::shared_ptr<const SentencePiece> m_target;
    Vocabulary m_vocabulary;
    WordBreaker m_wordBreaker;
};

std::vector<Token> SentencePieceTokenizer::encodeWith(const SentencePiece& pieces, std::string_view text) const {
    std::vector<Token> tokens;
    const std::size_t codeLength = languageCodeLength(text);
    if (codeLength > 0)
        tokens.push_back({m_vocabulary.id(std::string(text.substr(0, codeLength))),
                          std::string(text.substr(0, codeLength)),
                          {0, codeLength}});
    for (SentencePiece::Segment& segment : pieces.encode(text.substr(codeLength))) {
        Token token;
        token.id = m_vocabulary.id(segment.text);
        token.text = std::move(segment.text);
        token.bytes = {segment.bytes.begin + codeLength, segment.bytes.end + codeLength};
        tokens.push_back(std::move(token));
    }

    std::vector<ByteRange> words = m_wordBreaker.words(text.substr(codeLength));
    for (ByteRange& word : words)
        word = {word.begin + codeLength, word.end + codeLength};
    if (codeLength > 0)
        words.insert(words.begin(), {0, codeLength});
    numberWords(tokens, words);
    return tokens;
}

/// Models with several target languages are told the language by a first token such as `>>fra<<`.
std::size_t SentencePieceTokenizer::languageCodeLength(std::string_view text) const {
    if (!text.starts_with(">>"))
        return 0;
    const std::size_t end = text.find("<<");
    if (end == std::string_view::npos)
        return 0;
    const std::size_t length = end + 2;
    return m_vocabulary.id(std::string(text.substr(0, length))) != m_vocabulary.unknown() ? length : 0;
}

std::string SentencePieceTokenizer::decode(std::span<const std::int64_t> ids) const {
    std::string text;
    for (const std::int64_t id : ids) {
        const Token piece = token(id);
        if (piece.special || id < 0 || id >= size())
            continue;
        if (const auto byte = byteOfPiece(piece.text)) {
            text += static_cast<char>(*byte);
            continue;
        }
        std::string_view rest = piece.text;
        for (auto mark = rest.find(spaceMark); mark != std::string_view::npos; mark = rest.find(spaceMark)) {
            text.append(rest.substr(0, mark)) += ' ';
            rest.remove_prefix(mark + spaceMark.size());
        }
        text += rest;
    }
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string::npos)
        return {};
    return withReplacementCharacters(std::string_view(text).substr(begin, text.find_last_not_of(' ') + 1 - begin));
}

Vocabulary readVocabulary(const std::filesystem::path& file) {
    const std::string place = file.string();
    const auto corrupt = [&](const std::string& detail) {
        return Error(Error::Kind::Corrupt, place, detail,
                     "the file is damaged or incomplete; fetch or export it again");
    };
    const std::string bytes = readWholeFile(file, largestVocabularyFile);
    const nlohmann::json values = nlohmann::json::parse(bytes, nullptr, false);
    if (!values.is_object() || values.empty())
        throw corrupt("this is not a JSON object with an id for each piece");
    constexpr std::array specials{"</s>", "<s>", "<pad>", unknownName};
    Vocabulary vocabulary;
    for (const auto& [piece, id] : values.items()) {
        if (!id.is_number_integer() || id < 0 || id > largestId)
            throw corrupt("'" + piece + "' has the id "
                          + (id.is_structured() ? id.type_name() : id.dump()) // lists may be nested without end
                          + ", which is not a whole number from 0 to " + std::to_string(largestId));
        vocabulary.add(piece, id.get<std::int64_t>(),
                       std::find(specials.begin(), specials.end(), piece) != specials.end());
        if (piece == unknownName)
            vocabulary.setUnknown(id.get<std::int64_t>());
    }
    if (vocabulary.unknown() < 0)
        throw Error(Error::Kind::Mismatch, place, std::string("the vocabulary has no ") + unknownName);
    return vocabulary;
}

std::unique_ptr<Tokenizer> openMarian(const std::filesystem::path& folder) {
    auto source = std::make_shared<const SentencePiece>(SentencePiece::open(folder / "source.spm"));
    auto target = source;
    if (std::filesystem::exists(folder / "target.spm"))
        target = std::make_shared<const SentencePiece>(SentencePiece::open(folder / "target.spm"));
    return std::make_unique<SentencePieceTokenizer>(source, target, readVocabulary(folder / "vocab.json"));
}

std::unique_ptr<Tokenizer> openT5(const std::filesystem::path& folder) {
    auto model = std::make_shared<const SentencePiece>(SentencePiece::open(folder / "spiece.model"));
    Vocabulary vocabulary;
    std::int64_t id = 0;
    for (const SentencePiece::Piece& piece : model->pieces())
        vocabulary.add(piece.text, id++,
                       piece.type == SentencePiece::Type::Control || piece.type == SentencePiece::Type::Unknown);
    vocabulary.setUnknown(model->unknownId());
    return std::make_unique<SentencePieceTokenizer>(model, model, std::move(vocabulary));
}

} // namespace

std::unique_ptr<Tokenizer> openTokenizer(const std::filesystem::path& folder) {
    if (!std::filesystem::is_directory(folder))
        throw Error(Error::Kind::NotFound, folder.string(), "there is no such folder");
    const auto has = [&](const char* file) { return std::filesystem::exists(folder / file); };
    if (has("target_vocab.json"))
        throw Error(Error::Kind::Unsupported, folder.string(),
                    "source and target have vocabularies of their own (target_vocab.json)",
                    "use a model with one vocabulary for both");
    if (has("source.spm") && has("vocab.json"))
        return openMarian(folder);
    if (has("spiece.model"))
        return openT5(folder);
    throw Error(Error::Kind::NotFound, folder.string(),
                "no tokenizer that we know: looked for source.spm with vocab.json (Marian) and for spiece.model (T5)");
}

} // namespace headlight
