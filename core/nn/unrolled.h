// The recurrent loops over a whole sequence, each one node of the autograd graph with its gradient worked out by hand.
// Step by step, every step would add to the gradient of each weight: three quarters of a training went there. Here the
// steps leave their parts in one tensor, and each weight's gradient is one product at the end.
// Letters: B batch, T steps, S source length, N hidden, A alignment, C size of an annotation.
#pragma once

#include "core/nn/watch.h"

#include <torch/types.h>

namespace headlight {

/// What a GRU multiplies with its last state; gates in torch::nn::GRU's order: reset, update, new. Where there are
/// several, they take turns: G of them.
struct GruRecurrence {
    torch::Tensor weights; ///< [G, 3 N, N]
    torch::Tensor biases;  ///< [G, 3 N]
};

/// A GRU over a sequence, or several that take turns: states [B, T, N].
/// @param inputGates W x + b of every step, [B, T, 3 N]; in bfloat16, products with the state are taken in it, too
/// @param initial    [B, N]
torch::Tensor unrolledGru(const torch::Tensor& inputGates, const torch::Tensor& initial,
                          const GruRecurrence& recurrence, const Context& context);

/// What a decoder with additive attention looks at, and with what.
struct AdditiveMemory {
    const torch::Tensor& queryWeight;   ///< W of the alignment model, [A, N]
    const torch::Tensor& v;             ///< [A]
    const torch::Tensor& contextWeight; ///< of the gates that take in the context, [3 N, C]
    const torch::Tensor& keyPart;       ///< U h, [B, S, A]
    const torch::Tensor& annotations;   ///< h, [B, S, C]
    const torch::Tensor& mask;          ///< [B, S] bool, or undefined
};

/// The states and what additive attention found on the way to them; only states and contexts have a gradient.
struct AdditiveRun {
    torch::Tensor states;    ///< s_i, [B, T, N]
    torch::Tensor contexts;  ///< c_i, [B, T, C]
    torch::Tensor weights;   ///< alpha_ij, [B, T, S]
    torch::Tensor energies;  ///< e_ij, [B, T, S]
    torch::Tensor queryPart; ///< W s of the state that was asked, [B, T, A]
};

/// The decoder over a given target. With one GRU, at each step a context by additive attention, which asks the last
/// state, then the GRU; with two, the first GRU, the context, for which attention asks that GRU's state, then the
/// second.
/// @param tokenGates the tokens' part of the gates, biases included, [B, T, 3 N]; its type as in unrolledGru(). With
/// two
///                   GRUs [B, 2 T, 3 N], each token's followed by what the second one adds to the context's part
AdditiveRun unrolledAdditive(const torch::Tensor& tokenGates, const torch::Tensor& initial,
                             const GruRecurrence& recurrence, const AdditiveMemory& memory, const Context& context);

} // namespace headlight
