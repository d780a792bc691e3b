// The components in the order of their work: added tokens, normalizer, pre-tokenizer, model, post-processor; and back
// by the decoder.
#include "core/text/tokenizer_json.h"

#include "core/files/whole_file.h"
#include "core/text/characters.h"
#include "core/text/decoders.h"
#include "core/text/normalization_steps.h"
#include "core/text/pre_tokenizers.h"
#include "core/text/sentencepiece.h"
#include "core/text/subword_models.h"
#include "core/text/word_breaks.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace headlight {

namespace {

using nlohmann::json;
using Part = TokenTemplate::Part;
constexpr const char* letter = "a"; // any would do

// Post-processors

void readTemplatePart(const JsonPart& part, const JsonPart& specials, std::vector<Part>& parts) {
    const auto segmentOf = [](const JsonPart& piece) {
        const std::int64_t segment = piece.has("type_id") ? idIn(piece.at("type_id")) : 0;
        if (segment > 1)
            piece.at("type_id").failUnknown("a token type beyond 1");
        return static_cast<int>(segment);
    };
    if (part.has("Sequence")) {
        const JsonPart sequence = part.at("Sequence");
        const std::string id = sequence.at("id").text();
        if (id != "A" && id != "B")
            sequence.failUnknown("the sequence '" + id + "' is neither A nor B");
        segmentOf(sequence);
        parts.push_back(TokenTemplate::sequence(id == "A" ? 0 : 1));
        return;
    }
    const JsonPart special = part.at("SpecialToken");
    const std::string name = special.at("id").text();
    if (!specials.has(name.c_str()))
        special.fail("\"special_tokens\" has no '" + name + "'");
    const JsonPart token = specials.at(name.c_str());
    const auto ids = token.at("ids").elements();
    const auto tokens = token.has("tokens") ? token.at("tokens").elements() : std::vector<JsonPart>{};
    for (std::size_t i = 0; i < ids.size(); ++i)
        parts.push_back(
            TokenTemplate::special(idIn(ids[i]), i < tokens.size() ? tokens[i].text() : name, segmentOf(special)));
}

TokenTemplate readTemplate(const JsonPart& part) {
    constexpr std::size_t mostParts = 256;
    const auto read = [&](const char* key) {
        std::vector<Part> parts;
        for (const JsonPart& element : part.at(key).elements())
            readTemplatePart(element, part.has("special_tokens") ? part.at("special_tokens") : part, parts);
        if (parts.size() > mostParts)
            part.at(key).failUnknown(std::to_string(parts.size()) + " tokens around a text are too many");
        return parts;
    };
    const auto single = read("single");
    const auto namesSecond = [](const Part& entry) { return entry.text == 1; };
    if (std::any_of(single.begin(), single.end(), namesSecond))
        part.at("single").fail("names a second text where there is one");
    return {single,
            part.has("pair") ? read("pair") : std::vector{TokenTemplate::sequence(0), TokenTemplate::sequence(1)}};
}

/// ["[SEP]", 102]
Part readNamedId(const JsonPart& part, int segment = 0) {
    const auto pair = part.elements();
    if (pair.size() != 2)
        part.fail("a token and its id must stand here");
    return TokenTemplate::special(idIn(pair[1]), pair[0].text(), segment);
}

TokenTemplate readAround(const JsonPart& part, bool likeRoberta) {
    const Part begin = readNamedId(part.at("cls"));
    const Part end = readNamedId(part.at("sep"));
    const Part secondEnd = readNamedId(part.at("sep"), likeRoberta ? 0 : 1);
    std::vector<Part> pair{begin, TokenTemplate::sequence(0), end};
    if (likeRoberta)
        pair.push_back(end);
    pair.push_back(TokenTemplate::sequence(1));
    pair.push_back(secondEnd);
    return {{begin, TokenTemplate::sequence(0), end}, pair};
}

/// Nothing for one that adds no tokens.
std::optional<TokenTemplate> readPostProcessor(const JsonPart& part) {
    const std::string type = part.at("type").text();
    if (type == "TemplateProcessing")
        return readTemplate(part);
    if (type == "BertProcessing")
        return readAround(part, false);
    if (type == "RobertaProcessing")
        return readAround(part, true);
    if (type == "ByteLevel") // cuts spaces off offsets; ours keep them
        return std::nullopt;
    if (type != "Sequence")
        part.failUnknown("the post-processor '" + type + "' is not known");
    std::optional<TokenTemplate> only;
    for (const JsonPart& element : part.at("processors").elements()) {
        auto read = readPostProcessor(element);
        if (read && only)
            element.failUnknown("a second post-processor that adds tokens");
        if (read)
            only = std::move(read);
    }
    return only;
}

// What a folder's settings change

json* memberOfType(json& document, const char* key, const char* type) {
    const auto found = document.find(key);
    const bool same =
        found != document.end() && found->is_object() && found->contains("type") && (*found)["type"] == type;
    return same ? &*found : nullptr;
}

void applySettings(json& document, const FolderSettings& settings) {
    const bool setsNothing = settings.isOf("pretrained"); // PreTrainedTokenizerFast takes the file as it is
    json* bert = memberOfType(document, "normalizer", "BertNormalizer");
    if (bert && !setsNothing) {
        if (settings.lowerCase)
            (*bert)["lowercase"] = *settings.lowerCase;
        if (settings.stripAccents)
            (*bert)["strip_accents"] = *settings.stripAccents;
        if (settings.splitChinese)
            (*bert)["handle_chinese_chars"] = *settings.splitChinese;
    }
    json* byteLevel = memberOfType(document, "pre_tokenizer", "ByteLevel");
    if (byteLevel && settings.addPrefixSpace && !setsNothing)
        (*byteLevel)["add_prefix_space"] = *settings.addPrefixSpace;
}

/// Llama's tokenizer makes its template by what the settings say about `<s>` and `</s>`.
TokenTemplate templateOfSettings(const FolderSettings& settings, const Roles& roles, const Vocabulary& vocabulary) {
    const bool begins = settings.addBegin.value_or(true) && roles.begin;
    const bool ends = settings.addEnd.value_or(false) && roles.end;
    const auto build = [&](int texts) {
        std::vector<Part> parts;
        for (int text = 0; text < texts; ++text) {
            if (begins)
                parts.push_back(TokenTemplate::special(*roles.begin, vocabulary.piece(*roles.begin), text));
            parts.push_back(TokenTemplate::sequence(text));
            if (ends)
                parts.push_back(TokenTemplate::special(*roles.end, vocabulary.piece(*roles.end), text));
        }
        return parts;
    };
    return {build(1), build(2)};
}

// The tokenizer

class PipelineTokenizer : public Tokenizer {
public:
    PipelineTokenizer(const JsonPart& file, const FolderSettings& settings);

    std::vector<Token> encode(std::string_view text) const override { return encodeWith(*m_asTyped, text); }
    std::vector<Token> encodePlain(std::string_view text) const override { return encodeWith(*m_ordinary, text); }
    std::vector<Token> assemble(std::vector<Token> first, std::optional<std::vector<Token>> second) const override {
        return m_template.fill(std::move(first), std::move(second));
    }
    Token token(std::int64_t id) const override;
    std::string decode(std::span<const std::int64_t> ids) const override;
    std::int64_t size() const override { return m_vocabulary.size(); }
    Roles roles() const override { return m_roles; }

private:
    struct Encoding;
    std::vector<Token> encodeWith(const AddedTokenFinder& finder, std::string_view text) const;
    void readAddedTokens(const JsonPart& file, const FolderSettings& settings);
    void indexAddedTokens();
    NormalizedText normalized(NormalizedText text) const;
    void encodeSection(NormalizedText section, Encoding& encoding) const;
    void encodeOrdinary(NormalizedText text, Encoding& encoding) const;
    void addAddedToken(const AddedToken& token, ByteRange bytes, Encoding& encoding) const;
    std::string decoded(std::vector<std::string> pieces) const;
    std::string addedBytes(const std::string& piece) const;

    std::unique_ptr<SubwordModel> m_model;
    NormalizationStep m_normalize;     ///< may be empty
    PreTokenizationStep m_preTokenize; ///< may be empty
    DecodingStep m_decode;
    std::string m_behind; ///< the decoder's letter behind another: " a" where words stand apart
    TokenTemplate m_template;
    Vocabulary m_vocabulary; ///< the model's pieces and the added tokens
    Roles m_roles;
    std::set<std::int64_t> m_specials;
    std::vector<AddedToken> m_added;
    std::optional<AddedTokenFinder> m_ordinary;   ///< as the next one, without those that are special
    std::optional<AddedTokenFinder> m_asTyped;    ///< finds those that are looked for before normalization
    std::optional<AddedTokenFinder> m_normalized; ///< and those after
    WordBreaker m_wordBreaker;
};

PipelineTokenizer::PipelineTokenizer(const JsonPart& file, const FolderSettings& settings)
    : m_model(readSubwordModel(file.at("model"))), m_decode(spacesBetween()), m_vocabulary(m_model->vocabulary()) {
    if (file.has("normalizer"))
        m_normalize = readNormalizer(file.at("normalizer"));
    if (file.has("pre_tokenizer"))
        m_preTokenize = readPreTokenizer(file.at("pre_tokenizer"));
    if (file.has("decoder"))
        m_decode = readDecoder(file.at("decoder"));
    m_behind = decoded({letter, letter}).substr(1);
    readAddedTokens(file, settings);
    m_roles = findRoles(settings, m_vocabulary);
    indexAddedTokens();
    if (settings.isOf("llamatokenizer") && (settings.addBegin || settings.addEnd))
        m_template = templateOfSettings(settings, m_roles, m_vocabulary);
    else if (file.has("post_processor"))
        m_template = readPostProcessor(file.at("post_processor")).value_or(TokenTemplate());
    if (m_template.largestId() >= size())
        file.at("post_processor")
            .fail("adds the token " + std::to_string(m_template.largestId()) + ", but the vocabulary has only "
                  + std::to_string(size()));
}

void PipelineTokenizer::readAddedTokens(const JsonPart& file, const FolderSettings& settings) {
    if (file.has("added_tokens")) {
        requireFewAddedTokens(file.at("added_tokens"));
        for (const JsonPart& part : file.at("added_tokens").elements())
            m_added.push_back(readAddedToken(part));
    }
    std::set<std::string> contents;
    for (const AddedToken& token : m_added)
        contents.insert(token.content);
    for (const AddedToken& token : settings.addedTokens) {
        if (contents.insert(token.content).second)
            m_added.push_back(token);
    }
    std::erase_if(m_added, [&](AddedToken& token) {
        if (const auto known = m_vocabulary.find(token.content))
            token.id = *known;
        else if (token.id && !token.content.empty())
            m_vocabulary.add(token.content, *token.id);
        else
            return true; // transformers would grow the vocabulary here; the model has no row for it
        return false;
    });
}

void PipelineTokenizer::indexAddedTokens() {
    for (const std::int64_t id : idsOf(m_roles)) {
        const auto same = [&](const AddedToken& token) { return token.id == id; };
        if (std::any_of(m_added.begin(), m_added.end(), same))
            continue;
        AddedToken token;
        token.content = m_vocabulary.piece(id);
        token.id = id;
        token.special = true;
        m_added.push_back(std::move(token));
    }
    std::vector<AddedToken> asTyped;
    std::vector<AddedToken> ordinary;
    std::vector<AddedToken> afterwards;
    std::vector<std::string> contentsAsTyped;
    std::vector<std::string> contentsOrdinary;
    std::vector<std::string> contentsAfterwards;
    for (const AddedToken& token : m_added) {
        if (token.special)
            m_specials.insert(*token.id);
        (token.normalized ? afterwards : asTyped).push_back(token);
        if (token.normalized)
            contentsAfterwards.push_back(normalized(headlight::asTyped(token.content)).text);
        else
            contentsAsTyped.push_back(token.content);
        if (!token.normalized && !token.special) {
            ordinary.push_back(token);
            contentsOrdinary.push_back(token.content);
        }
    }
    m_ordinary.emplace(std::move(ordinary), contentsOrdinary);
    m_asTyped.emplace(std::move(asTyped), contentsAsTyped);
    m_normalized.emplace(std::move(afterwards), contentsAfterwards);
}

NormalizedText PipelineTokenizer::normalized(NormalizedText text) const {
    return m_normalize && !text.text.empty() ? m_normalize(std::move(text)) : text;
}

/// What grows while a text is read.
struct PipelineTokenizer::Encoding {
    std::vector<Token> tokens;
    std::vector<ByteRange> added;                        ///< where added tokens stand
    std::vector<std::size_t> parted;                     ///< tokens of some of a letter's bytes
    std::unordered_map<std::string, std::string> pieces; ///< what each adds to a text
    std::size_t normalizedBytes = 0;
    std::unordered_map<std::string, std::vector<SubwordModel::Piece>> known; ///< words that were cut before
};

std::vector<Token> PipelineTokenizer::encodeWith(const AddedTokenFinder& finder, std::string_view text) const {
    checkTyped(text.size());
    Encoding encoding;
    const NormalizedText typed = asTyped(text);
    for (const auto& section : finder.sections(typed.text)) {
        if (section.token)
            addAddedToken(*section.token, typed.originOf(section.bytes), encoding);
        else
            encodeSection(typed.part(section.bytes), encoding);
    }

    // An added token is a word by itself; between them words are as Unicode has them.
    std::vector<ByteRange> words;
    std::size_t done = 0;
    const auto addWordsUntil = [&](std::size_t end) {
        for (const ByteRange& word : m_wordBreaker.words(text.substr(done, end - done)))
            words.push_back({word.begin + done, word.end + done});
    };
    for (const ByteRange& added : encoding.added) {
        addWordsUntil(std::max(done, added.begin));
        words.push_back(added);
        done = std::max(done, added.end);
    }
    addWordsUntil(text.size());
    numberWords(encoding.tokens, words);
    for (const auto parted : encoding.parted) {
        auto& token = encoding.tokens[parted];
        token.letters = withReplacementCharacters(text.substr(token.bytes.begin, token.bytes.end - token.bytes.begin));
    }
    return std::move(encoding.tokens);
}

void PipelineTokenizer::encodeSection(NormalizedText section, Encoding& encoding) const {
    const NormalizedText text = normalized(std::move(section));
    encoding.normalizedBytes += text.text.size();
    checkNormalized(encoding.normalizedBytes);
    for (const auto& part : m_normalized->sections(text.text)) {
        if (part.token)
            addAddedToken(*part.token, text.originOf(part.bytes), encoding);
        else
            encodeOrdinary(text.part(part.bytes), encoding);
    }
}

void PipelineTokenizer::encodeOrdinary(NormalizedText text, Encoding& encoding) const {
    constexpr std::size_t longestKnown = 64;
    std::vector<NormalizedText> words;
    if (m_preTokenize)
        m_preTokenize(std::move(text), words);
    else
        words.push_back(std::move(text));
    std::vector<SubwordModel::Piece> pieces;
    for (const NormalizedText& word : words) {
        pieces.clear();
        const auto known = word.text.size() <= longestKnown ? encoding.known.find(word.text) : encoding.known.end();
        if (known != encoding.known.end()) {
            pieces = known->second;
        } else {
            m_model->cut(word.text, pieces);
            if (word.text.size() <= longestKnown)
                encoding.known.emplace(word.text, pieces);
        }
        for (const SubwordModel::Piece& piece : pieces) {
            Token token;
            token.id = piece.id;
            token.text =
                piece.asWritten ? word.text.substr(piece.begin, piece.end - piece.begin) : m_vocabulary.shown(piece.id);
            token.bytes = word.originOf({piece.begin, piece.end});
            auto [bytes, fresh] = encoding.pieces.try_emplace(token.text);
            if (fresh)
                bytes->second = addedBytes(token.text);
            token.letters = readableBytes(bytes->second);
            if (token.letters != bytes->second) // some of a letter's bytes
                encoding.parted.push_back(encoding.tokens.size());
            encoding.tokens.push_back(std::move(token));
        }
    }
}

void PipelineTokenizer::addAddedToken(const AddedToken& added, ByteRange bytes, Encoding& encoding) const {
    Token token;
    token.id = *added.id;
    token.text = token.letters = added.content;
    token.bytes = bytes;
    token.special = added.special;
    encoding.tokens.push_back(std::move(token));
    encoding.added.push_back(bytes);
}

Token PipelineTokenizer::token(std::int64_t id) const {
    Token token;
    token.id = id;
    token.text = m_vocabulary.shown(id);
    token.special = m_specials.contains(id);
    token.letters = token.special || !m_vocabulary.has(id) ? token.text : readableBytes(addedBytes(token.text));
    return token;
}

std::string PipelineTokenizer::decoded(std::vector<std::string> pieces) const {
    std::string text;
    for (const std::string& part : m_decode(std::move(pieces)))
        text += part;
    return text;
}

/// What a piece adds to a text, in bytes: it is decoded between two letters, for at the ends decoders drop spaces.
std::string PipelineTokenizer::addedBytes(const std::string& piece) const {
    constexpr std::string_view replacementCharacter = "\uFFFD";
    std::string text = decoded({letter, piece, letter});
    if (text.size() < 2 || !text.starts_with(letter) || !text.ends_with(letter))
        return piece;
    text.erase(0, 1);
    text.resize(text.size() - (text.ends_with(m_behind) ? m_behind.size() : 1));
    if (text.find(replacementCharacter) != std::string::npos) { // of bytes that are no letter
        if (const auto byte = byteOfPiece(piece))
            return {static_cast<char>(*byte)};
        return bytesOfLetters(piece).value_or(text);
    }
    // Words that stand apart need no space before what is a word wherever it stands.
    if (m_behind != letter && text.size() > 1 && text.front() == ' ') {
        const auto code = firstCharacter(std::string_view(text).substr(1)).code;
        if (isPunctuation(code) || isChinese(code))
            text.erase(0, 1);
    }
    return text;
}

std::string PipelineTokenizer::decode(std::span<const std::int64_t> ids) const {
    std::vector<std::string> pieces;
    for (const std::int64_t id : ids) {
        if (m_vocabulary.has(id) && !m_specials.contains(id))
            pieces.push_back(m_vocabulary.piece(id));
    }
    return decoded(std::move(pieces));
}

} // namespace

std::unique_ptr<Tokenizer> openTokenizerJson(const std::filesystem::path& file, const FolderSettings& settings) {
    const auto place = file.string();
    return makeTokenizer(parseJson(readWholeFile(file, largestVocabularyFile), place), place, settings);
}

std::unique_ptr<Tokenizer> makeTokenizer(json document, std::string place, const FolderSettings& settings) {
    applySettings(document, settings);
    return std::make_unique<PipelineTokenizer>(JsonPart(std::move(document), std::move(place)), settings);
}

} // namespace headlight
