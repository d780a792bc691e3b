// Where the words of a text are, by Unicode's rules (UAX 29); Chinese, Japanese and Thai by ICU's dictionaries.
#pragma once

#include "core/text/token.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace headlight {

class WordBreaker {
public:
    /// @throws Error when ICU's data cannot be loaded
    WordBreaker();
    ~WordBreaker();
    WordBreaker(const WordBreaker&) = delete;
    WordBreaker& operator=(const WordBreaker&) = delete;

    /// The words in order. Each sign of punctuation is a word by itself; spaces belong to none.
    std::vector<ByteRange> words(std::string_view text) const;

private:
    struct Rules;
    std::unique_ptr<Rules> m_rules;
};

/// Letters as a reader sees them, with all their accents: Unicode's extended grapheme clusters.
class LetterBreaker {
public:
    /// @throws Error when ICU's data cannot be loaded
    LetterBreaker();
    ~LetterBreaker();
    LetterBreaker(const LetterBreaker&) = delete;
    LetterBreaker& operator=(const LetterBreaker&) = delete;

    /// The byte behind each letter, in order.
    std::vector<std::size_t> ends(std::string_view text) const;

private:
    struct Rules;
    std::unique_ptr<Rules> m_rules;
};

/// Numbers each token by the word in which its first letter lies; a token that is only a space goes with the word
/// behind it. Tokens in the order of the text.
void numberWords(std::span<Token> tokens, std::span<const ByteRange> words);

} // namespace headlight
