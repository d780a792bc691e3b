// What a model folder says about tokens of its own: names, roles, how they are found in typed text, where they are put.
//
// tokenizer_config.json and special_tokens_map.json as HuggingFace transformers writes them; the search as the
// AddedVocabulary of its tokenizers library does it, the patterns as its TemplateProcessing.
#pragma once

#include "core/files/json.h"
#include "core/text/piece_trie.h"
#include "core/text/token.h"
#include "core/text/tokenizer.h"
#include "core/text/vocabulary.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

/// A token that is looked for in a text before anything else is.
struct AddedToken {
    std::string content;
    std::optional<std::int64_t> id; ///< none: the vocabulary knows it
    bool special = false;
    bool singleWord = false; ///< only between letters that make no word
    bool stripLeft = false;  ///< takes the spaces before it along
    bool stripRight = false;
    bool normalized = false; ///< is looked for in the normalized text
};

/// "added_tokens" of tokenizer.json, an entry of "added_tokens_decoder".
AddedToken readAddedToken(const JsonPart& part);
/// @throws Error for more of them than any tokenizer in use has
void requireFewAddedTokens(const JsonPart& list);

/// What tokenizer_config.json, special_tokens_map.json, added_tokens.json and config.json say; each may be missing.
struct FolderSettings {
    std::string tokenizerClass; ///< "BertTokenizer"; empty where no file says
    std::string modelType;      ///< "bert"
    std::optional<std::int64_t> vocabularySize;
    std::optional<bool> lowerCase, stripAccents, splitChinese, addPrefixSpace, addBegin, addEnd;
    std::optional<std::int64_t> extraIds;         ///< T5's sentinels
    std::string wordTokenizer;                    ///< "mecab", of Japanese BERTs
    std::string sourceLanguage;                   ///< "en_XX", of translators that know several
    std::vector<std::string> additional;          ///< names of further specials in their order, such as languages'
    std::map<std::string, std::string> roleNames; ///< "mask_token" -> "<mask>"
    std::vector<AddedToken> addedTokens;

    /// Either file calls the tokenizer or the model so, whatever the case: "roberta".
    bool isOf(std::string_view family) const;
};

/// @throws Error when a file is there and broken
FolderSettings readFolderSettings(const std::filesystem::path& folder);

/// By the names in the files, else by those that are usual.
Roles findRoles(const FolderSettings& settings, const Vocabulary& vocabulary);
/// Each id once.
std::vector<std::int64_t> idsOf(const Roles& roles);

/// Finds tokens in a text: at each place the longest.
class AddedTokenFinder {
public:
    /// @param contents what to look for in place of each token's own content
    AddedTokenFinder(std::vector<AddedToken> tokens, const std::vector<std::string>& contents);

    struct Section {
        ByteRange bytes;
        const AddedToken* token = nullptr; ///< null: ordinary text
    };
    /// The whole text in order, no section empty.
    std::vector<Section> sections(std::string_view text) const;

private:
    std::vector<AddedToken> m_tokens;
    PieceTrie m_trie;
};

/// Where a model wants its specials: around one text, around two.
class TokenTemplate {
public:
    struct Part {
        int text = -1; ///< 0 or 1: all tokens of this text; -1: a special
        std::int64_t id = 0;
        std::string name;
        int segment = 0;
    };
    static Part special(std::int64_t id, std::string name, int segment = 0);
    static Part sequence(int text);

    /// The texts as they are.
    TokenTemplate();
    TokenTemplate(std::vector<Part> single, std::vector<Part> pair);

    /// Of the specials; -1 when there are none.
    std::int64_t largestId() const;
    std::vector<Token> fill(std::vector<Token> first, std::optional<std::vector<Token>> second) const;

private:
    std::vector<Part> m_single;
    std::vector<Part> m_pair;
};

} // namespace headlight
