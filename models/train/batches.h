// Batches of pairs that are alike in length, so that little is computed on padding.
// Letters: B batch, S source length, T target length.
#pragma once

#include "core/nn/options.h"
#include "models/train/corpus.h"

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace headlight {

/// Pairs of one source length: the source needs no mask. Targets are padded at their end.
struct Batch {
    torch::Tensor source;    ///< [B, S] ids
    torch::Tensor targetIn;  ///< [B, T] ids, the start token first
    torch::Tensor targetOut; ///< [B, T] ids, the end token last, then padding
    std::int64_t tokens = 0; ///< of all targets, padding not counted
};

/// Which pairs go together, in which order: indices into the corpus, one list for each batch. The same seed gives the
/// same plan.
/// @param tokens most output tokens of one batch, padding counted; a single longer pair is a batch of its own
std::vector<std::vector<std::size_t>> planBatches(const std::vector<IdPair>& pairs, std::int64_t tokens,
                                                  std::uint64_t seed);

Batch makeBatch(const std::vector<IdPair>& pairs, const std::vector<std::size_t>& indices, const SpecialIds& ids,
                torch::Device device);

/// Rows of one length, [B, S] ids.
torch::Tensor makeRows(const std::vector<IdPair>& rows, const std::vector<std::size_t>& indices);

} // namespace headlight
