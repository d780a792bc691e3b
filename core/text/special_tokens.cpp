// Reads the folder's small files, finds tokens by their names, and fills templates.
#include "core/text/special_tokens.h"

#include "core/text/characters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <set>
#include <utility>

namespace headlight {

namespace {

constexpr std::array roleKeys{"mask_token", "bos_token", "eos_token", "sep_token",
                              "cls_token",  "pad_token", "unk_token"};

std::optional<bool> optionalFlag(const JsonPart& part, const char* key) {
    return part.has(key) ? std::optional(part.at(key).flag()) : std::nullopt;
}

/// A token is written as its name alone, or as an object.
AddedToken readNamedToken(const JsonPart& part) {
    if (!part.isText())
        return readAddedToken(part);
    AddedToken token;
    token.content = part.text();
    token.special = true;
    return token;
}

void readRoleNames(const JsonPart& file, FolderSettings& settings) {
    for (const char* key : roleKeys) {
        if (!file.has(key))
            continue;
        AddedToken token = readNamedToken(file.at(key));
        token.special = true;
        settings.roleNames[key] = token.content;
        if (!file.at(key).isText())
            settings.addedTokens.push_back(std::move(token));
    }
    if (file.has("additional_special_tokens")) {
        requireFewAddedTokens(file.at("additional_special_tokens"));
        settings.additional.clear(); // of two files' the same
        for (const JsonPart& part : file.at("additional_special_tokens").elements()) {
            settings.addedTokens.push_back(readNamedToken(part));
            settings.addedTokens.back().special = true;
            settings.additional.push_back(settings.addedTokens.back().content);
        }
    }
}

void readTokenizerConfig(const JsonPart& file, FolderSettings& settings) {
    settings.tokenizerClass = file.text("tokenizer_class", "");
    settings.wordTokenizer = file.text("word_tokenizer_type", "");
    settings.sourceLanguage = file.text("src_lang", "");
    settings.lowerCase = optionalFlag(file, "do_lower_case");
    settings.stripAccents = optionalFlag(file, "strip_accents");
    settings.splitChinese = optionalFlag(file, "tokenize_chinese_chars");
    settings.addPrefixSpace = optionalFlag(file, "add_prefix_space");
    settings.addBegin = optionalFlag(file, "add_bos_token");
    settings.addEnd = optionalFlag(file, "add_eos_token");
    if (file.has("extra_ids"))
        settings.extraIds = idIn(file.at("extra_ids"));
    if (file.has("added_tokens_decoder")) {
        const JsonPart decoder = file.at("added_tokens_decoder");
        if (!decoder.isObject())
            decoder.fail("no object with a token for each id");
        requireFewAddedTokens(decoder);
        for (const auto& [key, value] : decoder.value().items()) {
            AddedToken token = readAddedToken(decoder.at(key.c_str()));
            std::int64_t id = -1;
            const auto [end, problem] = std::from_chars(key.data(), key.data() + key.size(), id);
            if (problem != std::errc{} || end != key.data() + key.size() || id < 0 || id > largestId)
                decoder.fail("'" + key + "' is no id");
            token.id = id;
            settings.addedTokens.push_back(std::move(token));
        }
    }
    readRoleNames(file, settings);
}

/// The last character of a text that may be malformed; U+FFFD where it is, or where there is none.
Character lastCharacter(std::string_view text) {
    std::size_t begin = text.size();
    while (begin > 0 && (static_cast<unsigned char>(text[--begin]) & 0xC0) == 0x80) {
    }
    const std::string_view last = text.substr(begin);
    return !last.empty() && characterLength(last) == last.size() ? firstCharacter(last) : Character{0xFFFD, 1};
}

/// Spaces that `text` ends with, in bytes.
std::size_t spacesAtEnd(std::string_view text) {
    std::size_t spaces = 0;
    while (spaces < text.size()) {
        const Character last = lastCharacter(text.substr(0, text.size() - spaces));
        if (!isSpace(last.code))
            break;
        spaces += last.length;
    }
    return spaces;
}

std::size_t spacesAtBegin(std::string_view text) {
    std::size_t spaces = 0;
    while (characterLength(text.substr(spaces)) > 0) {
        const Character next = firstCharacter(text.substr(spaces));
        if (!isSpace(next.code))
            break;
        spaces += next.length;
    }
    return spaces;
}

bool endsInWord(std::string_view text) {
    return isWordLetter(lastCharacter(text).code);
}

bool beginsInWord(std::string_view text) {
    return characterLength(text) > 0 && isWordLetter(firstCharacter(text).code);
}

std::string lettersAndDigits(std::string_view text) {
    std::string kept;
    for (const char letter : text) {
        if (letter >= 'A' && letter <= 'Z')
            kept += static_cast<char>(letter - 'A' + 'a');
        else if ((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'))
            kept += letter;
    }
    return kept;
}

PieceTrie trieOf(const std::vector<std::string>& contents) {
    std::map<std::string_view, int> pieces; // the first of equal ones
    for (std::size_t i = 0; i < contents.size(); ++i) {
        if (!contents[i].empty())
            pieces.emplace(contents[i], static_cast<int>(i));
    }
    return PieceTrie(std::vector<std::pair<std::string_view, int>>(pieces.begin(), pieces.end()));
}

} // namespace

AddedToken readAddedToken(const JsonPart& part) {
    AddedToken token;
    token.content = part.at("content").text();
    if (part.has("id"))
        token.id = idIn(part.at("id"));
    token.special = part.flag("special", false);
    token.singleWord = part.flag("single_word", false);
    token.stripLeft = part.flag("lstrip", false);
    token.stripRight = part.flag("rstrip", false);
    token.normalized = part.flag("normalized", !token.special);
    return token;
}

void requireFewAddedTokens(const JsonPart& list) {
    constexpr std::size_t most = 1U << 16;
    if (list.value().size() > most)
        list.failUnknown(std::to_string(list.value().size()) + " tokens beside the vocabulary, of which at most "
                         + std::to_string(most) + " are read");
}

bool FolderSettings::isOf(std::string_view family) const {
    return lettersAndDigits(tokenizerClass).find(family) != std::string::npos
           || (tokenizerClass.empty() && lettersAndDigits(modelType).find(family) != std::string::npos);
}

FolderSettings readFolderSettings(const std::filesystem::path& folder) {
    constexpr std::uintmax_t largestSettings = 16U << 20;
    FolderSettings settings;
    const auto read = [&](const char* name, auto&& reader) {
        if (std::filesystem::exists(folder / name))
            reader(readJsonFile(folder / name, largestSettings));
    };
    read("tokenizer_config.json", [&](const JsonPart& file) { readTokenizerConfig(file, settings); });
    read("special_tokens_map.json", [&](const JsonPart& file) { readRoleNames(file, settings); });
    read("added_tokens.json", [&](const JsonPart& file) {
        if (file.value().empty())
            return;
        requireFewAddedTokens(file);
        const Vocabulary added = vocabularyIn(file);
        for (std::int64_t id = 0; id < added.size(); ++id) {
            if (!added.has(id))
                continue;
            AddedToken token;
            token.content = added.piece(id);
            token.id = id;
            token.normalized = true;
            settings.addedTokens.push_back(std::move(token));
        }
    });
    read("config.json", [&](const JsonPart& file) {
        // What is wrong with config.json is said where the model is read.
        if (file.has("model_type") && file.at("model_type").isText())
            settings.modelType = file.at("model_type").text();
        if (file.has("vocab_size") && file.at("vocab_size").value().is_number_unsigned())
            settings.vocabularySize = file.at("vocab_size").value().get<std::int64_t>();
    });
    return settings;
}

Roles findRoles(const FolderSettings& settings, const Vocabulary& vocabulary) {
    const auto find = [&](const char* key, std::initializer_list<const char*> usual) -> std::optional<std::int64_t> {
        if (const auto named = settings.roleNames.find(key); named != settings.roleNames.end()) {
            if (const auto id = vocabulary.find(named->second))
                return id;
        }
        for (const char* name : usual) {
            if (const auto id = vocabulary.find(name))
                return id;
        }
        return std::nullopt;
    };
    Roles roles;
    roles.mask = find("mask_token", {"[MASK]", "<mask>"});
    roles.begin = find("bos_token", {"<s>", "<bos>", "[BOS]", "<|begin_of_text|>", "<|startoftext|>", "<|endoftext|>"});
    roles.end = find("eos_token", {"</s>", "<eos>", "[EOS]", "<|end_of_text|>", "<|endoftext|>"});
    roles.pad = find("pad_token", {"[PAD]", "<pad>"});
    roles.unknown = find("unk_token", {"[UNK]", "<unk>", "<|endoftext|>"});
    // RoBERTa and those after it put <s> and </s> where BERT has [CLS] and [SEP]; T5 and Llama, which have no mask,
    // not.
    if (roles.mask && !vocabulary.find("[CLS]")) {
        roles.separator = find("sep_token", {"[SEP]", "</s>"});
        roles.classify = find("cls_token", {"[CLS]", "<s>"});
    } else {
        roles.separator = find("sep_token", {"[SEP]"});
        roles.classify = find("cls_token", {"[CLS]"});
    }
    return roles;
}

std::vector<std::int64_t> idsOf(const Roles& roles) {
    std::set<std::int64_t> ids;
    for (const auto& role :
         {roles.mask, roles.begin, roles.end, roles.separator, roles.classify, roles.pad, roles.unknown}) {
        if (role)
            ids.insert(*role);
    }
    return {ids.begin(), ids.end()};
}

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens, const std::vector<std::string>& contents)
    : m_tokens(std::move(tokens)), m_trie(trieOf(contents)) {}

std::vector<AddedTokenFinder::Section> AddedTokenFinder::sections(std::string_view text) const {
    std::vector<Section> found;
    std::size_t done = 0; // all before it is in a section
    for (std::size_t i = 0; i < text.size();) {
        const auto [length, index] = m_trie.longestMatch(text.substr(i));
        if (length == 0) {
            ++i;
            continue;
        }
        const AddedToken& token = m_tokens[static_cast<std::size_t>(index)];
        ByteRange bytes{i, i + length};
        i = bytes.end;
        if (token.singleWord && (endsInWord(text.substr(0, bytes.begin)) || beginsInWord(text.substr(bytes.end))))
            continue;
        if (token.stripLeft)
            bytes.begin -= spacesAtEnd(text.substr(done, bytes.begin - done));
        if (token.stripRight)
            bytes.end += spacesAtBegin(text.substr(bytes.end));
        if (done < bytes.begin)
            found.push_back({{done, bytes.begin}, nullptr});
        found.push_back({bytes, &token});
        done = i = bytes.end;
    }
    if (done < text.size())
        found.push_back({{done, text.size()}, nullptr});
    return found;
}

TokenTemplate::Part TokenTemplate::special(std::int64_t id, std::string name, int segment) {
    return {-1, id, std::move(name), segment};
}

TokenTemplate::Part TokenTemplate::sequence(int text) {
    return {text, 0, {}, text};
}

TokenTemplate::TokenTemplate() : TokenTemplate({sequence(0)}, {sequence(0), sequence(1)}) {}

TokenTemplate::TokenTemplate(std::vector<Part> single, std::vector<Part> pair)
    : m_single(std::move(single)), m_pair(std::move(pair)) {}

std::int64_t TokenTemplate::largestId() const {
    std::int64_t largest = -1;
    for (const auto* parts : {&m_single, &m_pair}) {
        for (const Part& part : *parts)
            largest = std::max(largest, part.text < 0 ? part.id : -1);
    }
    return largest;
}

std::vector<Token> TokenTemplate::fill(std::vector<Token> first, std::optional<std::vector<Token>> second) const {
    std::vector<Token> filled;
    for (const Part& part : second ? m_pair : m_single) {
        if (part.text < 0) {
            Token token;
            token.id = part.id;
            token.text = token.letters = part.name;
            token.special = true;
            token.segment = part.segment;
            filled.push_back(std::move(token));
            continue;
        }
        for (const Token& token : part.text == 0 ? first : *second) {
            filled.push_back(token);
            filled.back().segment = part.text;
        }
    }
    return filled;
}

} // namespace headlight
