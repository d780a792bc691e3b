// What an analysis sees of a Transformer on its way, and may change: token vectors, the residual stream before each
// layer, what heads read, what each sublayer adds. Nothing of it is kept or computed for a run that nobody probes.
// Letters: B batch, T tokens, Q queries, K keys, H heads, G heads of keys, D size of a head, W width.
#pragma once

#include "core/trace/trace.h"

#include <torch/types.h>

namespace headlight {

class Linear;
class MultiHeadAttention;
class Norm;

/// What one of these functions returns goes on through the network in place of what it was given; with more rows of a
/// batch than came in, all that follows is computed for each of them.
class Probe {
public:
    virtual ~Probe() = default;

    /// Token vectors as they were looked up, before anything is done with them, [B, T, W].
    virtual torch::Tensor embedded(BlockKind, const torch::Tensor& vectors) { return vectors; }

    /// What a stack takes in at its bottom, [B, T, W] each.
    struct Input {
        BlockKind stack;
        const torch::Tensor& tokens;
        const torch::Tensor& positions; ///< undefined where none are added
        const torch::Tensor& sums;
        const Norm* norm; ///< of the sums; null: none
    };
    virtual void input(const Input&) {}

    /// The residual stream that a layer reads; behind the last layer, with their number, what the stack's end reads.
    struct Stream {
        BlockKind stack;
        int layer;
        const torch::Tensor& states; ///< [B, T, W]
        const Norm* norm;            ///< the stack's last; null: none
        const Linear* projection;    ///< and what is behind that; null: nothing
    };
    virtual torch::Tensor stream(const Stream& stream) { return stream.states; }

    /// What the heads of a layer read.
    struct Attended {
        BlockKind kind;
        int layer;
        const torch::Tensor& weights; ///< [B, H, Q, K]
        const torch::Tensor& values;  ///< [B, G, K, D]; each serves H / G heads in a row
        const torch::Tensor& context; ///< weights times values, [B, H, Q, D]
        const MultiHeadAttention& module;
    };
    virtual torch::Tensor attended(const Attended& attended) { return attended.context; }

    /// What a sublayer did to the stream, each [B, T, W]: Norm(residual + given), or residual + After(given).
    struct Sublayer {
        BlockKind kind;
        int layer;
        bool feedForward;
        const torch::Tensor& states;   ///< the stream before
        const torch::Tensor& residual; ///< what is added to: that, or its norm
        const torch::Tensor& given;
        const torch::Tensor& output; ///< the stream behind
        const torch::Tensor& bias;   ///< in `given`, of its last product, [W]; may be undefined
        const Norm* norm;            ///< of the sum; null where the stream has none (pre-norm)
        const Norm* before;          ///< of what the sublayer reads; null where it reads the stream
        const Norm* after;           ///< of what is given alone; null: none
    };
    virtual void sublayer(const Sublayer&) {}
};

} // namespace headlight
