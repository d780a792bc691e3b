// Ids for SentencePiece's segments, and each family's way with specials, as the tokenizers of HuggingFace transformers
// have them.
#include "core/text/sentencepiece_tokenizer.h"

#include "core/error.h"
#include "core/text/characters.h"
#include "core/text/sentencepiece.h"
#include "core/text/word_breaks.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace headlight {

namespace {

using Part = TokenTemplate::Part;

/// All that differs from family to family.
struct Family {
    std::shared_ptr<const SentencePiece> source;
    std::shared_ptr<const SentencePiece> target;
    Vocabulary vocabulary;
    Roles roles;
    std::set<std::int64_t> specials;
    std::vector<AddedToken> typed; ///< found in a text before it is cut
    TokenTemplate specialsAround;
    bool languageCode = false; ///< a text may begin with `>>fra<<`
};

std::vector<std::string> contentsOf(const std::vector<AddedToken>& tokens) {
    std::vector<std::string> contents;
    for (const AddedToken& token : tokens)
        contents.push_back(token.content);
    return contents;
}

std::vector<AddedToken> ordinaryOf(std::vector<AddedToken> tokens) {
    std::erase_if(tokens, [](const AddedToken& token) { return token.special; });
    return tokens;
}

class SentencePieceTokenizer : public Tokenizer {
public:
    explicit SentencePieceTokenizer(Family&& family)
        : m_family(std::move(family)), m_finder(m_family.typed, contentsOf(m_family.typed)),
          m_ordinary(ordinaryOf(m_family.typed), contentsOf(ordinaryOf(m_family.typed))) {}

    std::vector<Token> encode(std::string_view text) const override {
        return encodeWith(*m_family.source, m_finder, text);
    }
    std::vector<Token> encodePlain(std::string_view text) const override {
        return encodeWith(*m_family.source, m_ordinary, text);
    }
    std::vector<Token> encodeTarget(std::string_view text) const override {
        return encodeWith(*m_family.target, m_finder, text);
    }
    std::vector<Token> assemble(std::vector<Token> first, std::optional<std::vector<Token>> second) const override {
        return m_family.specialsAround.fill(std::move(first), std::move(second));
    }
    Token token(std::int64_t id) const override;
    std::string decode(std::span<const std::int64_t> ids) const override;
    std::int64_t size() const override { return m_family.vocabulary.size(); }
    Roles roles() const override { return m_family.roles; }

private:
    std::vector<Token> encodeWith(const SentencePiece& pieces, const AddedTokenFinder& added,
                                  std::string_view text) const;
    void encodeSection(const SentencePiece& pieces, std::string_view text, std::size_t begin,
                       std::vector<Token>& tokens) const;
    std::size_t languageCodeLength(std::string_view text) const;
    std::int64_t idOf(const std::string& piece) const;

    Family m_family;
    AddedTokenFinder m_finder;
    AddedTokenFinder m_ordinary; ///< without those that are special
    WordBreaker m_wordBreaker;
};

std::int64_t SentencePieceTokenizer::idOf(const std::string& piece) const {
    const auto id = m_family.vocabulary.find(piece);
    const bool ordinary = id && !m_family.specials.contains(*id); // so that `</s>` in a text stays text
    return ordinary ? *id : m_family.roles.unknown.value_or(0);
}

std::vector<Token> SentencePieceTokenizer::encodeWith(const SentencePiece& pieces, const AddedTokenFinder& added,
                                                      std::string_view text) const {
    std::vector<Token> tokens;
    std::vector<ByteRange> words;
    const auto addWord = [&](std::int64_t id, ByteRange bytes, bool special) {
        Token token;
        token.id = id;
        token.text = token.letters = m_family.vocabulary.shown(id);
        token.bytes = bytes;
        token.special = special;
        tokens.push_back(std::move(token));
        words.push_back(bytes);
    };
    const auto addText = [&](std::size_t begin, std::size_t end) {
        const std::string_view section = text.substr(begin, end - begin);
        encodeSection(pieces, section, begin, tokens);
        for (const ByteRange& word : m_wordBreaker.words(section))
            words.push_back({word.begin + begin, word.end + begin});
    };
    const std::size_t codeLength = languageCodeLength(text);
    if (codeLength > 0)
        addWord(idOf(std::string(text.substr(0, codeLength))), {0, codeLength}, false);
    for (const auto& section : added.sections(text.substr(codeLength))) {
        const ByteRange bytes{section.bytes.begin + codeLength, section.bytes.end + codeLength};
        if (section.token)
            addWord(*section.token->id, bytes, section.token->special);
        else
            addText(bytes.begin, bytes.end);
    }
    numberWords(tokens, words);
    return tokens;
}

void SentencePieceTokenizer::encodeSection(const SentencePiece& pieces, std::string_view text, std::size_t begin,
                                           std::vector<Token>& tokens) const {
    for (SentencePiece::Segment& segment : pieces.encode(text)) {
        Token token;
        token.id = idOf(segment.text);
        const auto bytes = bytesOfPiece(segment.text);
        token.letters = readableBytes(bytes);
        if (token.letters != bytes) // one of a letter's bytes
            token.letters =
                withReplacementCharacters(text.substr(segment.bytes.begin, segment.bytes.end - segment.bytes.begin));
        token.text = std::move(segment.text);
        token.bytes = {segment.bytes.begin + begin, segment.bytes.end + begin};
        tokens.push_back(std::move(token));
    }
}

/// Models with several target languages are told the language by a first token such as `>>fra<<`.
std::size_t SentencePieceTokenizer::languageCodeLength(std::string_view text) const {
    if (!m_family.languageCode || !text.starts_with(">>"))
        return 0;
    const std::size_t end = text.find("<<");
    if (end == std::string_view::npos)
        return 0;
    const std::size_t length = end + 2;
    return m_family.vocabulary.find(text.substr(0, length)) ? length : 0;
}

Token SentencePieceTokenizer::token(std::int64_t id) const {
    Token token;
    token.id = id;
    token.text = m_family.vocabulary.shown(id);
    token.special = m_family.specials.contains(id);
    token.letters = token.special ? token.text : readableBytes(bytesOfPiece(token.text));
    return token;
}

std::string SentencePieceTokenizer::decode(std::span<const std::int64_t> ids) const {
    std::string text;
    for (const std::int64_t id : ids) {
        if (!m_family.vocabulary.has(id) || m_family.specials.contains(id))
            continue;
        text += bytesOfPiece(m_family.vocabulary.piece(id));
    }
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string::npos)
        return {};
    return withReplacementCharacters(std::string_view(text).substr(begin, text.find_last_not_of(' ') + 1 - begin));
}

Part specialPart(const Family& family, std::int64_t id, int segment = 0) {
    return TokenTemplate::special(id, family.vocabulary.shown(id), segment);
}

/// What the pieces say and what the folder's files add to it.
Family readFamily(const std::filesystem::path& file) {
    Family family;
    family.source = std::make_shared<const SentencePiece>(SentencePiece::open(file));
    family.target = family.source;
    return family;
}

void addPieces(Family& family, std::int64_t offset) {
    std::int64_t id = offset;
    for (const SentencePiece::Piece& piece : family.source->pieces()) {
        family.vocabulary.add(piece.text, id);
        if (piece.type == SentencePiece::Type::Control || piece.type == SentencePiece::Type::Unknown)
            family.specials.insert(id);
        ++id;
    }
}

/// Roles, and what can be typed: the tokens with a role and those that the folder's files add.
void finishFamily(Family& family, const FolderSettings& settings, std::int64_t unknown) {
    for (AddedToken token : settings.addedTokens) {
        const auto known = family.vocabulary.find(token.content);
        if (!known && !token.id)
            continue; // transformers would grow the vocabulary here; the model has no row for it
        if (!known)
            family.vocabulary.add(token.content, *token.id);
        token.id = family.vocabulary.find(token.content);
        if (token.special)
            family.specials.insert(*token.id);
        family.typed.push_back(std::move(token));
    }
    family.roles = findRoles(settings, family.vocabulary);
    family.roles.unknown = unknown;
    for (const std::int64_t id : idsOf(family.roles)) {
        family.specials.insert(id);
        AddedToken token;
        token.content = family.vocabulary.piece(id);
        token.id = id;
        token.special = true;
        token.stripLeft = id == family.roles.mask; // the space before a mask belongs to what will stand there
        const auto same = [&](const AddedToken& other) { return other.content == token.content; };
        if (std::none_of(family.typed.begin(), family.typed.end(), same))
            family.typed.push_back(std::move(token));
    }
}

std::int64_t need(const std::optional<std::int64_t>& id, const std::filesystem::path& file, const char* name) {
    if (!id)
        throw Error(Error::Kind::Mismatch, file.string(), std::string("the vocabulary has no ") + name);
    return *id;
}

/// A then B, each between the given tokens; -1: none.
TokenTemplate around(const Family& family, std::int64_t before, std::int64_t after) {
    const auto build = [&](bool pair) {
        std::vector<Part> parts;
        for (int text = 0; text <= (pair ? 1 : 0); ++text) {
            if (before >= 0)
                parts.push_back(specialPart(family, before, text));
            parts.push_back(TokenTemplate::sequence(text));
            if (after >= 0)
                parts.push_back(specialPart(family, after, text));
        }
        return parts;
    };
    return {build(false), build(true)};
}

/// mBART has the first 25, mBART-50 all of them.
constexpr std::array mbartLanguages{"ar_AR", "cs_CZ", "de_DE", "en_XX", "es_XX", "et_EE", "fi_FI", "fr_XX", "gu_IN",
                                    "hi_IN", "it_IT", "ja_XX", "kk_KZ", "ko_KR", "lt_LT", "lv_LV", "my_MM", "ne_NP",
                                    "nl_XX", "ro_RO", "ru_RU", "si_LK", "tr_TR", "vi_VN", "zh_CN", "af_ZA", "az_AZ",
                                    "bn_IN", "fa_IR", "he_IL", "hr_HR", "id_ID", "ka_GE", "km_KH", "mk_MK", "ml_IN",
                                    "mn_MN", "mr_IN", "pl_PL", "ps_AF", "pt_XX", "sv_SE", "sw_KE", "ta_IN", "te_IN",
                                    "th_TH", "tl_XX", "uk_UA", "ur_PK", "xh_ZA", "gl_ES", "sl_SI"};
constexpr std::array m2m100Languages{
    "af", "am", "ar", "ast", "az", "ba",  "be", "bg", "bn", "br", "bs", "ca", "ceb", "cs", "cy", "da", "de",
    "el", "en", "es", "et",  "fa", "ff",  "fi", "fr", "fy", "ga", "gd", "gl", "gu",  "ha", "he", "hi", "hr",
    "ht", "hu", "hy", "id",  "ig", "ilo", "is", "it", "ja", "jv", "ka", "kk", "km",  "kn", "ko", "lb", "lg",
    "ln", "lo", "lt", "lv",  "mg", "mk",  "ml", "mn", "mr", "ms", "my", "ne", "nl",  "no", "ns", "oc", "or",
    "pa", "pl", "ps", "pt",  "ro", "ru",  "sd", "si", "sk", "sl", "so", "sq", "sr",  "ss", "su", "sv", "sw",
    "ta", "th", "tl", "tn",  "tr", "uk",  "ur", "uz", "vi", "wo", "xh", "yi", "yo",  "zh", "zu"};

/// Gives codes the ids behind all others. Returns the first's.
std::int64_t addLanguages(Family& family, const std::vector<std::string>& codes) {
    const auto first = family.vocabulary.size();
    for (const auto& code : codes) {
        if (!family.vocabulary.find(code))
            family.vocabulary.add(code, family.vocabulary.size());
        family.specials.insert(*family.vocabulary.find(code));
    }
    return first;
}

std::optional<std::int64_t> languageOf(const Family& family, const std::string& code, const char* otherwise) {
    const auto found = family.vocabulary.find(code);
    return found ? found : family.vocabulary.find(otherwise);
}

/// A, then B, with tokens before the first and behind the last.
TokenTemplate betweenTexts(const Family& family, const std::vector<std::int64_t>& before,
                           const std::vector<std::int64_t>& behind) {
    std::vector<Part> single, pair;
    for (auto* parts : {&single, &pair}) {
        for (const auto id : before)
            parts->push_back(specialPart(family, id));
        parts->push_back(TokenTemplate::sequence(0));
        if (parts == &pair)
            parts->push_back(TokenTemplate::sequence(1));
        for (const auto id : behind)
            parts->push_back(specialPart(family, id));
    }
    return {single, pair};
}

} // namespace

std::unique_ptr<Tokenizer> openMarian(const std::filesystem::path& folder, const FolderSettings& settings) {
    Family family = readFamily(folder / "source.spm");
    if (std::filesystem::exists(folder / "target.spm"))
        family.target = std::make_shared<const SentencePiece>(SentencePiece::open(folder / "target.spm"));
    const auto file = folder / "vocab.json";
    family.vocabulary = readVocabulary(file);
    family.languageCode = true;
    family.roles = findRoles(settings, family.vocabulary);
    need(family.vocabulary.find("<unk>"), file, "<unk>");
    for (const char* name : {"</s>", "<s>", "<pad>", "<unk>"}) {
        if (const auto id = family.vocabulary.find(name))
            family.specials.insert(*id);
    }
    family.specialsAround = around(family, -1, family.roles.end.value_or(-1));
    return std::make_unique<SentencePieceTokenizer>(std::move(family));
}

std::unique_ptr<Tokenizer> openT5(const std::filesystem::path& file, const FolderSettings& settings) {
    constexpr std::int64_t usualSentinels = 100;
    Family family = readFamily(file);
    addPieces(family, 0);
    const auto classify = family.vocabulary.find("[CLS]");
    const auto separator = family.vocabulary.find("[SEP]");
    const bool likeBert = classify && separator;
    if (settings.isOf("deberta") && !family.vocabulary.find("[MASK]"))
        family.vocabulary.add("[MASK]", family.vocabulary.size());
    if (!likeBert && !family.vocabulary.find("<extra_id_0>")) {
        // The first sentinel has the last id. Where the model's embedding has no rows for them there are none.
        const std::int64_t count = settings.extraIds.value_or(usualSentinels);
        const std::int64_t size = family.vocabulary.size() + count;
        if (size <= std::min(settings.vocabularySize.value_or(size), largestId)) {
            for (std::int64_t i = count - 1; i >= 0; --i) {
                AddedToken token;
                token.content = "<extra_id_" + std::to_string(i) + '>';
                token.id = size - 1 - i;
                token.special = true;
                family.vocabulary.add(token.content, *token.id);
                family.specials.insert(*token.id);
                family.typed.push_back(std::move(token));
            }
        }
    }
    finishFamily(family, settings, family.source->unknownId());
    if (likeBert)
        family.specialsAround = {
            {specialPart(family, *classify), TokenTemplate::sequence(0), specialPart(family, *separator)},
            {specialPart(family, *classify), TokenTemplate::sequence(0), specialPart(family, *separator),
             TokenTemplate::sequence(1), specialPart(family, *separator, 1)}};
    else
        family.specialsAround = around(family, -1, family.roles.end.value_or(-1));
    return std::make_unique<SentencePieceTokenizer>(std::move(family));
}

std::unique_ptr<Tokenizer> openPegasus(const std::filesystem::path& folder, const FolderSettings& settings) {
    constexpr std::int64_t offset = 103, ownNames = 2; // <pad> and </s> stand where they stand in the file
    Family family = readFamily(folder / "spiece.model");
    const auto& pieces = family.source->pieces();
    std::vector<std::string> names{"<pad>", "</s>", "<mask_1>", "<mask_2>"};
    for (std::int64_t i = 2; i < offset; ++i)
        names.push_back("<unk_" + std::to_string(i) + ">");
    for (std::size_t i = 0; i < names.size(); ++i) {
        family.vocabulary.add(names[i], static_cast<std::int64_t>(i));
        family.specials.insert(static_cast<std::int64_t>(i));
    }
    for (std::size_t i = ownNames; i < pieces.size(); ++i)
        family.vocabulary.add(pieces[i].text, static_cast<std::int64_t>(i) + offset);
    finishFamily(family, settings, family.source->unknownId() + offset);
    family.specialsAround = around(family, -1, 1);
    return std::make_unique<SentencePieceTokenizer>(std::move(family));
}

std::unique_ptr<Tokenizer> openM2m100(const std::filesystem::path& folder, const FolderSettings& settings) {
    const auto file = folder / "vocab.json";
    Family family = readFamily(folder / "sentencepiece.bpe.model");
    family.vocabulary = readVocabulary(file);
    std::vector<std::string> codes = settings.additional;
    if (codes.empty())
        for (const auto* code : m2m100Languages)
            codes.push_back("__" + std::string(code) + "__");
    const auto first = addLanguages(family, codes);
    for (const char* name : {"<s>", "<pad>", "</s>", "<unk>"})
        family.specials.insert(need(family.vocabulary.find(name), file, name));
    finishFamily(family, settings, *family.vocabulary.find("<unk>"));
    const auto code = languageOf(family, "__" + settings.sourceLanguage + "__", "__en__").value_or(first);
    family.specialsAround = betweenTexts(family, {code}, {*family.vocabulary.find("</s>")});
    return std::make_unique<SentencePieceTokenizer>(std::move(family));
}

std::unique_ptr<Tokenizer> openXlmRoberta(const std::filesystem::path& folder, const FolderSettings& settings) {
    // fairseq's first four, of which the model file has three in another order; all its others lie one further on.
    constexpr std::array names{"<s>", "<pad>", "</s>", "<unk>"};
    constexpr std::size_t inFile = 3;
    const auto file = folder / "sentencepiece.bpe.model";
    Family family = readFamily(file);
    for (std::size_t i = 0; i < names.size(); ++i)
        family.vocabulary.add(names[i], static_cast<std::int64_t>(i));
    const auto& pieces = family.source->pieces();
    for (std::size_t i = inFile; i < pieces.size(); ++i) {
        const auto id = static_cast<std::int64_t>(i + 1);
        family.vocabulary.add(pieces[i].text, id);
        if (pieces[i].type == SentencePiece::Type::Control)
            family.specials.insert(id);
    }
    // Behind the pieces: codes of languages, where there are any, then the mask.
    const bool mbart50 = settings.isOf("mbart50"), mbart = settings.isOf("mbart"), nllb = settings.isOf("nllb");
    std::optional<std::int64_t> language;
    if (mbart || nllb) {
        std::vector<std::string> codes = settings.additional;
        if (codes.empty() && mbart)
            codes.assign(mbartLanguages.begin(), mbart50 ? mbartLanguages.end() : mbartLanguages.begin() + 25);
        if (codes.empty())
            throw Error(Error::Kind::NotFound, file.string(),
                        "which languages stand behind its pieces is said by no file",
                        "fetch special_tokens_map.json or tokenizer.json as well");
        const auto first = addLanguages(family, codes);
        language = languageOf(family, settings.sourceLanguage, mbart ? "en_XX" : "eng_Latn").value_or(first);
    }
    if (!family.vocabulary.find("<mask>"))
        family.vocabulary.add("<mask>", family.vocabulary.size());
    const std::int64_t unknown = *family.vocabulary.find("<unk>");
    finishFamily(family, settings, unknown);
    if (language) {
        const bool before = mbart50 || nllb; // the first mBART has it behind the text
        family.specialsAround =
            before ? betweenTexts(family, {*language}, {2}) : betweenTexts(family, {}, {2, *language});
        return std::make_unique<SentencePieceTokenizer>(std::move(family));
    }
    const Part begin = specialPart(family, 0);
    const Part end = specialPart(family, 2);
    family.specialsAround = {{begin, TokenTemplate::sequence(0), end},
                             {begin, TokenTemplate::sequence(0), end, end, TokenTemplate::sequence(1), end}};
    return std::make_unique<SentencePieceTokenizer>(std::move(family));
}

std::unique_ptr<Tokenizer> openLlama(const std::filesystem::path& folder, const FolderSettings& settings) {
    const auto file = folder / "tokenizer.model";
    Family family = readFamily(file);
    addPieces(family, 0);
    finishFamily(family, settings, family.source->unknownId());
    const bool addBegin = settings.addBegin.value_or(true);
    const bool addEnd = settings.addEnd.value_or(false);
    family.specialsAround = around(family, addBegin ? need(family.roles.begin, file, "<s>") : -1,
                                   addEnd ? need(family.roles.end, file, "</s>") : -1);
    return std::make_unique<SentencePieceTokenizer>(std::move(family));
}

} // namespace headlight
