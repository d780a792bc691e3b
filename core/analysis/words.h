// From tokens to words, and to maps without special tokens. A word receives the sum of the attention to its tokens and
// gives the mean of theirs, as in Clark et al. 2019, "What Does BERT Look At?", section 4.1: so a row still sums to 1.
#pragma once

#include "core/analysis/alignment.h"
#include "core/text/token.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

/// Neighbouring tokens of one word; a special token, or one that belongs to no word, stands alone.
struct Word {
    std::string text; ///< as typed where that is known, otherwise its tokens' letters
    ByteRange bytes;  ///< from its first token's begin to its last one's end; empty when not typed
    int firstToken = 0;
    int tokenCount = 0;
    bool special = false;

    friend bool operator==(const Word&, const Word&) = default;
};

/// @param text what the tokens' byte ranges point into, @param second those of a second text's; may be empty
std::vector<Word> wordsOf(std::span<const Token> tokens, std::string_view text = {}, std::string_view second = {});

/// Each token as a word of its own, its text the token's letters.
std::vector<Word> singleWords(std::span<const Token> tokens);
/// For each of so many tokens the place of the word that it is part of, -1 where that was left out.
std::vector<int> placesOf(const std::vector<Word>& words, int tokens);

/// A map whose rows and columns are words.
struct WordMap {
    Map map;
    std::vector<Word> rows;
    std::vector<Word> columns;
};

/// The words must cover the map's rows and columns, as wordsOf makes them.
WordMap wordMap(const Map& tokenMap, std::vector<Word> rows, std::vector<Word> columns);
/// The map of a block of this trace by words, rows read as asked for.
WordMap wordMap(const Trace& trace, BlockKind kind, RowTokens rows, const Map& tokenMap);

WordMap withoutSpecialRows(WordMap words);
/// Each row is scaled to sum to 1 again; one with nothing on ordinary words is not a number.
WordMap withoutSpecialColumns(WordMap words);

/// How much of a map is shown.
struct Detail {
    bool byWords = false; ///< tokens of one word are one row or column; otherwise each stands alone
    bool specials = true; ///< false: rows and columns of special tokens are left out
};

/// The map of a block of this trace in this detail, rows read as asked for. `placesOf` tells where a token is in it.
WordMap reduced(const Trace& trace, BlockKind kind, RowTokens rows, const Map& tokenMap, const Detail& detail);

} // namespace headlight
