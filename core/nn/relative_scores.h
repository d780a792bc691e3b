// What distance adds to a score by vectors: those that queries and keys are multiplied with (Shaw et al. 2018, Huang et
// al. 2020), and DeBERTa's, which the projections of queries and keys turn into more of them (He et al. 2021).
// Letters: B batch, H heads, Q queries, K keys, N vectors of distances, D size of a head, W width.
#pragma once

#include "core/nn/layers.h"

#include <torch/nn/module.h>

#include <memory>

namespace headlight {

/// products[b, h, q, index[q, k]]. @param products [B, H, Q, N] @param index [Q, K] @returns [B, H, Q, K]
torch::Tensor byIndex(const torch::Tensor& products, const torch::Tensor& index);

/// q · e(query - key) and, where they meet keys too, k · e(query - key), the queries being the last of the keys.
/// @param query [B, H, Q, D] @param key [B, H, K, D] @param table [2 P - 1, D], the middle row of distance 0
/// @returns [B, H, Q, K], not scaled
torch::Tensor distanceScores(const torch::Tensor& query, const torch::Tensor& key, const torch::Tensor& table,
                             DistanceVectors kind);

/// The vectors of distances that all layers of a DeBERTa share.
class DisentangledPositions : public torch::nn::Module {
public:
    explicit DisentangledPositions(const TransformerOptions& options);

    /// [2 span, W], as layers read them
    torch::Tensor vectors();
    /// Which of them is that of each query and key of a text. [T, T]
    torch::Tensor index(std::int64_t tokens) const;

private:
    DisentangledOptions m_options;
    torch::Tensor m_weight;       ///< [2 span, W]
    std::shared_ptr<Norm> m_norm; ///< may be null
};

} // namespace headlight
