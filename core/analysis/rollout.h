// Attention rollout: attention followed down through all layers to the tokens at the bottom. Abnar & Zuidema 2020,
// "Quantifying Attention Flow in Transformers", section 3.
#pragma once

#include "core/analysis/alignment.h"
#include "core/trace/trace.h"

#include <optional>
#include <stop_token>

namespace headlight {

/// Of a stack's self-attention, [queries, queries]: the product over the layers, the lowest first, of 0.5 A + 0.5 I, A
/// being the mean over a layer's heads and I the residual connection. Rows sum to 1. The block has as many keys as
/// queries. Asked to stop, it returns something of no use.
Map rollout(const AttentionBlock& self, const std::stop_token& stop = {});

/// From a decoder's rows to the source, [queries, keys of `cross`]; the paper has no decoder, so this is its extension.
/// Each row's mass rests on tokens of the target, D, and of the source, S; at the bottom D = I and S = 0. A layer's
/// self-attention A takes both to (A + I) / 2 times themselves, its cross-attention C to D / 2 and (S + C R) / 2, R
/// being the encoder's rollout. What rests on the source in the end is scaled to rows of sum 1.
/// @param decoder null: no self-attention, as in a recurrent decoder; otherwise of as many layers as `cross`
/// @param encoder null: R = I
Map rollout(const AttentionBlock& cross, const AttentionBlock* decoder, const AttentionBlock* encoder,
            const std::stop_token& stop = {});

/// The rollout of this kind of attention. Absent when the trace has no such block, or blocks that do not fit each
/// other. For a model with one cross map alone, such as an additive one, it is that map.
std::optional<Map> rollout(const Trace& trace, BlockKind kind, const std::stop_token& stop = {});

} // namespace headlight
