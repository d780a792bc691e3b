// Where a token stands, as a vector that is added to it: computed (sinusoidal) or learned.
#pragma once

#include "core/nn/options.h"
#include "core/nn/watch.h"

#include <torch/nn/module.h>

namespace headlight {

/// PE(pos, 2i) = sin(pos / 10000^(2i/width)), PE(pos, 2i+1) = cos(…), Vaswani et al. 2017, 3.5; with `halves` the
/// sines come first, then the cosines. @returns [positions, width]
torch::Tensor sinusoidalPositions(std::int64_t positions, std::int64_t width, bool halves);

/// Adds position vectors to token vectors.
class Positions : public torch::nn::Module {
public:
    explicit Positions(const TransformerOptions& options);

    /// @param tokens [B, T, width], the first of them at position `first`
    torch::Tensor forward(const torch::Tensor& tokens, std::int64_t first, const Context& context);

private:
    /// Makes the table's first `positions` ready on that device.
    void reach(std::int64_t positions, const torch::Device& device);

    PositionKind m_kind;
    std::int64_t m_offset;
    std::int64_t m_most;
    std::int64_t m_width;
    torch::Tensor m_table; ///< [positions, width]
};

} // namespace headlight
