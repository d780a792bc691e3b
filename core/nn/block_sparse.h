// BigBird's block-sparse attention (Zaheer et al. 2020, "Big Bird: Transformers for Longer Sequences", internal
// construction): each block of queries looks at the first and the last block, at its neighbours and at a few random
// ones. Agrees with HuggingFace's BigBird in evaluation mode, its habits included. Computed densely, for clarity: the
// weights are to be looked at, all of them.
// Letters: B batch, H heads, T tokens, N blocks, S size of a block, D size of a head.
#pragma once

#include "core/nn/options.h"

#include <torch/types.h>

#include <cstdint>
#include <random>
#include <span>

namespace headlight {

/// False where a text is so short, up to 5 + 2 randomBlocks blocks, that BigBird looks at everything.
/// @throws Error Invalid when the options make no sense
bool usesBlockSparse(std::int64_t length, const BlockSparseOptions& options);

/// Which block of queries looks at which blocks of keys.
struct BlockSparsePattern {
    std::int64_t blockSize = 0;
    torch::Tensor fixed;  ///< bool [N, N]: first and last row and column, and the neighbours
    torch::Tensor random; ///< int64 [H, N, N]: how often a block is taken in as a random one, besides `fixed`

    /// bool [H, N, N]: where there is any attention at all.
    torch::Tensor attends() const;
};

/// The pattern of one layer, for `length` tokens rounded up to whole blocks.
/// @param layer counted from 0, the seed of the drawn blocks
/// @throws Error Invalid when the text is too short for it (see usesBlockSparse), too long, or the options make no
/// sense
BlockSparsePattern blockSparsePattern(std::int64_t length, std::int64_t heads, std::int64_t layer,
                                      const BlockSparseOptions& options);

struct BlockSparseResult {
    torch::Tensor context; ///< [B, H, T, D]; zero for masked queries
    /// [B, H, T, T], what HuggingFace gives out as `attentions`: one share of each key, so that a row whose block is
    /// taken in several times adds up to less than 1.
    torch::Tensor weights;
    torch::Tensor effective; ///< [B, H, T, T], what the values were multiplied with: all shares of each key
    torch::Tensor scores;    ///< [B, H, T, T], q kᵀ / sqrt(D); minus infinity where nothing is looked at
};

/// Softmax over the keys that the pattern lets each query see, a key of a block that is taken in n times counting n
/// times. Texts that do not fill their last block are padded with masked tokens, and the result is cut again.
/// @param query, key, value [B, H, T, D]
/// @param mask              bool [B, T], true for a token, false for padding; undefined: all are tokens
BlockSparseResult blockSparseAttention(const torch::Tensor& query, const torch::Tensor& key, const torch::Tensor& value,
                                       const torch::Tensor& mask, const BlockSparsePattern& pattern);

/// Shuffles as numpy.random.RandomState(seed).shuffle does when the generator is std::mt19937(seed).
void shuffleLikeNumpy(std::span<std::int64_t> values, std::mt19937& generator);

} // namespace headlight
