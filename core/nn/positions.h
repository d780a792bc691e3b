// How a Transformer knows where a token stands: a vector added to it (sinusoidal, learned), a turn of queries and keys
// (rotary), or a number added to scores by distance (relative, slopes).
// Letters: B batch, T tokens, H heads, Q queries, K keys, W width, D size of a head.
#pragma once

#include "core/nn/options.h"
#include "core/nn/watch.h"

#include <torch/nn/module.h>

namespace headlight {

/// PE(pos, 2i) = sin(pos / 10000^(2i/width)), PE(pos, 2i+1) = cos(…), Vaswani et al. 2017, 3.5; with `halves` the
/// sines come first, then the cosines. @returns [positions, width]
torch::Tensor sinusoidalPositions(std::int64_t positions, std::int64_t width, bool halves);
/// The same by halves, wavelengths going from 2π to 10000 · 2π, both included, as fairseq has it.
torch::Tensor stretchedPositions(std::int64_t positions, std::int64_t width);

/// What each head's score loses for each token of distance, ALiBi (Press et al. 2022). @returns [heads]
torch::Tensor slopesOfHeads(std::int64_t heads);

/// What a token's position does to it; undefined where this kind of positions does nothing.
struct Placed {
    torch::Tensor vectors;   ///< over [B, T, W], added to the tokens'
    torch::Tensor cosines;   ///< [T, D], of the angles by which queries and keys are turned, their first dimensions
    torch::Tensor sines;     ///< [T, D]
    torch::Tensor distances; ///< [1, H, T, K], added to scores
};

/// The positions of one stack.
class Positions : public torch::nn::Module {
public:
    /// @param kind of the stack; of a Decoder distances are told apart to the left only
    Positions(const TransformerOptions& options, BlockKind kind);

    /// @param tokens [B, T, W], the first of them at position `first`; keys are all positions up to the last
    /// @param rows   [B, T] or [1, T], where tokens do not stand in a row: the rows of the table of learned positions
    Placed place(const torch::Tensor& tokens, std::int64_t first, const torch::Tensor& rows, const Context& context);

private:
    /// Makes a computed table's first `positions` ready on that device. @param used tokens of the text so far
    void reach(std::int64_t positions, std::int64_t used, const torch::Device& device);
    torch::Tensor turns(std::int64_t used) const;
    torch::Tensor angles(std::int64_t positions, std::int64_t used) const;
    torch::Tensor buckets(std::int64_t farthest) const;
    torch::Tensor byDistance(std::int64_t farthest) const;
    void announce(std::int64_t shown, const Context& context) const;

    TransformerOptions m_options;
    BlockKind m_kind;
    torch::Tensor m_table;      ///< [positions, width]; Rotary: angles [positions, D]; Relative: [buckets, H]
    std::int64_t m_turnsOf = 0; ///< how long a text the angles are for, where that matters
};

} // namespace headlight
