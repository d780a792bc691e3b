// Attention read as an alignment: one map out of a block, and which key each query looks at most.
#pragma once

#include "core/trace/trace.h"

#include <cassert>
#include <cstddef>
#include <span>
#include <vector>

namespace headlight {

/// A table of weights, row-major: rows are queries, columns are keys.
struct Map {
    int rows = 0;
    int columns = 0;
    std::vector<float> values; ///< [rows, columns]

    std::span<const float> row(int index) const {
        assert(index >= 0 && index < rows);
        const auto width = static_cast<std::size_t>(columns);
        return {values.data() + static_cast<std::size_t>(index) * width, width};
    }
    float at(int rowIndex, int column) const { return row(rowIndex)[static_cast<std::size_t>(column)]; }
};

/// Which tokens a decoder's rows are read as. The numbers are the same, only the labels differ. A recurrent decoder
/// looks for the word that it will emit; many a head of a Transformer aligns the word that it has taken in (Chen et al.
/// 2020, "Accurate Word Alignment Induction from Neural Machine Translation").
enum class RowTokens {
    TakenIn, ///< what the decoder takes in at that step; the only choice for an encoder
    Emitted, ///< what it gives out at that step, as in Fig. 3 of Bahdanau et al. 2015
};

/// The tokens of the block's rows, read as asked for.
const std::vector<Token>& rowTokens(const Trace& trace, BlockKind kind, RowTokens rows);

/// A head by its place.
struct HeadPlace {
    Layer layer;
    Head head;
    friend bool operator==(const HeadPlace&, const HeadPlace&) = default;
};

Map headMap(const AttentionBlock& block, Layer layer, Head head);
/// Mean over all heads of one layer.
Map meanOverHeads(const AttentionBlock& block, Layer layer);
/// Mean over all heads of all layers.
Map meanOverBlock(const AttentionBlock& block);

/// For each row the column of its largest weight, the first of equals; -1 for a row without a finite number.
std::vector<int> hardAlignment(const Map& map);

/// How well a map can be read as a word alignment, 0 to 1, with no alignment to compare with: the mean over rows of
/// their largest share, times the mean over columns of theirs. The first is high when each query makes up its mind,
/// the second when together they reach all keys, so a one-to-one map scores 1 and a map that always looks at one of
/// n keys 1/n. Columns of special tokens do not count: a head that rests on `</s>` scores 0.
/// @param keys the tokens of the columns; when none of them is ordinary, all count
double alignmentScore(const Map& map, std::span<const Token> keys);

/// The head with the highest alignmentScore, the first of equals.
/// @param off heads that are left out, unless all of the block are
HeadPlace bestAligningHead(const AttentionBlock& block, std::span<const Token> keys,
                           std::span<const Intervention::HeadOff> off = {});

/// The reading of the rows of a cross map that suits it better, judged by where only one of them has an ordinary word.
/// The first row takes in the start token, the last emits the end token: such a row should rest on special keys, and
/// not on a word; and a last row that takes in the target's last word should look at the source's, or the rows between
/// should lag by one. It is a hint, and one text may hint otherwise than another.
RowTokens likelyRowTokens(const Map& map, std::span<const Token> keys);

} // namespace headlight
