// From tokens to words. A word receives the sum of the attention to its tokens and gives the mean of theirs, as in
// Clark et al. 2019, "What Does BERT Look At?", section 4.1: so a row still sums to 1.
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
    std::string text; ///< as typed where that is known, otherwise its pieces without their space marks
    ByteRange bytes;  ///< from its first token's begin to its last one's end; empty when not typed
    int firstToken = 0;
    int tokenCount = 0;
    bool special = false;

    friend bool operator==(const Word&, const Word&) = default;
};

/// @param text what the tokens' byte ranges point into; may be empty
std::vector<Word> wordsOf(std::span<const Token> tokens, std::string_view text = {});

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

} // namespace headlight
