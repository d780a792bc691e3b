// Layers' maps one behind the other, down to the tokens at the bottom: rollout and flow (Abnar & Zuidema 2020,
// "Quantifying Attention Flow in Transformers"), ALTI+ (Ferrando et al. 2022, "Towards Opening the Black Box of Neural
// Machine Translation"), relevance (Chefer et al. 2021, "Generic Attention-model Explainability").
// All of it tests `stop` between layers; asked to stop, it returns something of no use.
#pragma once

#include "core/analysis/alignment.h"
#include "core/trace/trace.h"

#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace headlight {

/// Of a stack's self-attention, [queries, queries]: the product over the layers, the lowest first, of 0.5 A + 0.5 I, A
/// being the mean over a layer's heads and I the residual connection. Rows sum to 1. The block has as many keys as
/// queries.
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

/// Each layer's 0.5 A + 0.5 I, A being the mean over its heads.
std::vector<Map> mixedWithResidual(const AttentionBlock& self);

/// The product of the layers' maps, the lowest, which is the first, on the right: [queries, tokens].
Map rolledDown(std::span<const Map> layers, const std::stop_token& stop = {});

/// Where the rows of a decoder's layer come from: of their own stack, then of the source and of what was there.
struct DecoderMixing {
    Map self;                    ///< [rows, rows]
    Map cross;                   ///< [rows, source]
    std::vector<float> residual; ///< what stays the row's own beside `cross`, [rows]
};
/// A decoder's rows on the tokens of both sides.
struct TwoSided {
    Map source; ///< [rows, source]
    Map target; ///< [rows, rows]
};
/// ALTI+: (source, target) begin as (0, I); a layer takes both to S times themselves, S being `self`, then the target
/// to r times itself and the source to X E + r times itself, X being `cross`, r the residual, E the encoder's map.
TwoSided rolledDown(std::span<const DecoderMixing> layers, const Map& encoder, const std::stop_token& stop = {});

/// The same of plain attention, r being 1/2, X half the mean over heads. Arguments are those of rollout().
TwoSided rolloutOfBoth(const AttentionBlock& cross, const AttentionBlock* decoder, const AttentionBlock* encoder,
                       const std::stop_token& stop = {});

/// Each row divided by its sum; a row of sum 0 stays.
Map rowsOfOne(Map map);

/// The largest flow from each query of the top layer to each token, every pair alone, the layers' maps being the
/// capacities between their tokens and those of the layer below (section 3.2). Rows sum to more than 1.
Map attentionFlow(std::span<const Map> layers, const std::stop_token& stop = {});

/// Chefer et al., rules 5 and 6: R begins as I and becomes R + A R, A being a layer's mean of weight times gradient,
/// where positive, the lowest layer first. No row is scaled.
Map relevance(std::span<const Map> layers, const std::stop_token& stop = {});

/// Of a decoder's rows.
struct DecoderRelevance {
    Map target;       ///< [rows, rows]
    Map source;       ///< rule 10, which transposes the decoder's part, [rows, source]
    Map untransposed; ///< the same without that
};
/// Rules 5 to 10. Each row of R - I is divided by its sum where it is taken to the other side; one of sum 0 stays.
/// @param encoder relevance() of the encoder's layers
DecoderRelevance relevance(std::span<const Map> self, std::span<const Map> cross, const Map& encoder,
                           const std::stop_token& stop = {});

} // namespace headlight
