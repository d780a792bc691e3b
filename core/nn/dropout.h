// Dropout for training on processors: LibTorch's own draws one double per number and costs a Transformer a seventh of
// each step.
#pragma once

#include <torch/types.h>

namespace headlight {

/// Each number is 0 with `probability` (to the nearest 1/256), the others are scaled so that the mean stays.
/// Draws from LibTorch's generator; not training: the values themselves.
torch::Tensor withDropout(const torch::Tensor& values, double probability, bool training);

} // namespace headlight
