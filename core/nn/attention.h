// The two attentions, side by side: additive (Bahdanau, Cho & Bengio 2015) and scaled dot-product with several heads
// (Vaswani et al. 2017). Both announce to the Watch what they computed; no fused kernel hides the weights.
// Letters: B batch, Q queries, K keys, T either, H heads, D size of a head.
#pragma once

#include "core/nn/block_sparse.h"
#include "core/nn/layers.h"
#include "core/nn/watch.h"

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <memory>
#include <optional>

namespace headlight {

/// MultiHead(Q, K, V), Vaswani et al. 2017, 3.2.2: heads of softmax(q kᵀ / sqrt(D)) v, joined and projected. With
/// fewer heads of keys than of queries, each of the former serves as many of the latter (Ainslie et al. 2023).
class MultiHeadAttention : public torch::nn::Module {
public:
    explicit MultiHeadAttention(const TransformerOptions& options);

    /// The turn of queries or keys by their positions, [T, D] each; undefined: none.
    struct Rotation {
        torch::Tensor cosines;
        torch::Tensor sines;
    };

    /// Keys and values of a sequence, projected once: [B, G, K, D] each, G heads of keys.
    struct KeyValue {
        torch::Tensor key;
        torch::Tensor value;
    };
    KeyValue project(const torch::Tensor& states, const Rotation& rotation = {});

    /// What a sequence asks, answers with and gives, for attention to itself: as one product.
    struct Projected {
        torch::Tensor query; ///< [B, Q, H D], for forward()
        KeyValue own;
    };
    Projected projectAll(const torch::Tensor& states, const Rotation& rotation);

    /// What else than queries and keys decides a score.
    struct Scoring {
        torch::Tensor mask;      ///< bool, true where a key may be looked at, over [B, H, Q, K]; undefined: everywhere
        torch::Tensor distances; ///< added to the scores, over [B, H, Q, K]; may be undefined
        Rotation rotation;       ///< of the queries
        const BlockSparsePattern* blocks = nullptr; ///< which blocks see which; the mask is [B, 1, 1, K] then
        torch::Tensor distanceVectors = {};         ///< DeBERTa's, [N, width]; undefined: none
        torch::Tensor distanceIndex = {};           ///< which of them is that of a query and a key, [Q, K]
        torch::Tensor global = {};                  ///< indices of the queries that see all, [·]; undefined: none
        torch::Tensor padding = {}; ///< the mask without windows, [B, 1, 1, K], for them; may be undefined
    };
    /// Where this attention stands in the model, for whoever watches or intervenes.
    struct Place {
        BlockKind kind;
        int layer;
        std::int64_t firstQuery = 0; ///< which step of the decoder the first query is
    };
    /// @param states    what asks, [B, Q, width]
    /// @param projected its queries, if they are there already, [B, Q, H D]
    /// @returns [B, Q, width]
    torch::Tensor forward(const torch::Tensor& states, const KeyValue& memory, const Scoring& scoring, Place place,
                          const Context& context, const torch::Tensor& projected = {});

    const Linear& queries() const { return *m_query; }
    const Linear& keys() const { return *m_key; }
    const Linear& values() const { return *m_value; }
    const Linear& output() const { return *m_output; } ///< what joins the heads, those of head h D to (h + 1) D

private:
    torch::Tensor split(const torch::Tensor& projected, std::int64_t heads) const;
    KeyValue keysAndValues(const torch::Tensor& keys, const torch::Tensor& values, const Rotation& rotation) const;
    /// What DeBERTa's scores have beside those of contents, not scaled. [B, H, Q, K]
    torch::Tensor disentangled(const torch::Tensor& query, const torch::Tensor& key, const Scoring& scoring);

    std::int64_t m_heads;
    std::int64_t m_keyHeads;
    double m_scale;
    double m_scoreCap;
    bool m_scaleByLayer;
    double m_dropout;
    DistanceVectors m_distanceKind;
    DisentangledOptions m_disentangled;
    std::shared_ptr<Linear> m_query;
    std::shared_ptr<Linear> m_key;
    std::shared_ptr<Linear> m_value;
    std::shared_ptr<Linear> m_output;
    std::shared_ptr<Norm> m_queryNorm; ///< of each head; null without
    std::shared_ptr<Norm> m_keyNorm;
    torch::Tensor m_distances;             ///< [2 maxPositions - 1, D]; undefined without distance vectors
    std::shared_ptr<Linear> m_distanceKey; ///< null where distances take the projections of contents
    std::shared_ptr<Linear> m_distanceQuery;
    std::shared_ptr<Linear> m_globalQuery; ///< of tokens that see all; null without
    std::shared_ptr<Linear> m_globalKey;
    std::shared_ptr<Linear> m_globalValue;
};

/// The alignment model a(s, h) = vᵀ tanh(W s + U h), Bahdanau et al. 2015, A.1.2, and its softmax (Eq. 6).
class AdditiveAttention : public torch::nn::Module {
public:
    AdditiveAttention(std::int64_t querySize, std::int64_t keySize, std::int64_t size);

    /// U h: does not depend on the step, so it is computed once per source. [B, K, keySize] -> [B, K, size]
    torch::Tensor keyPart(const torch::Tensor& states);
    /// W s. [..., querySize] -> [..., size]
    torch::Tensor queryPart(const torch::Tensor& states);

    struct Result {
        torch::Tensor energies; ///< [B, K]
        torch::Tensor weights;  ///< [B, K]
        torch::Tensor context;  ///< [B, keySize], the expected annotation (Eq. 5)
    };
    /// One step: @param queryPart [B, size]; @param states the annotations [B, K, keySize]; @param mask [B, K] or
    /// undefined; @param forcedKey the one key that all weight is put on, whatever the energies say
    Result forward(const torch::Tensor& queryPart, const torch::Tensor& keyPart, const torch::Tensor& states,
                   const torch::Tensor& mask, std::optional<std::int64_t> forcedKey = std::nullopt);

    const torch::Tensor& w() const { return m_w->weight; } ///< [size, querySize]
    const torch::Tensor& v() const { return m_v; }         ///< [size]

private:
    torch::nn::Linear m_w{nullptr};
    torch::nn::Linear m_u{nullptr};
    torch::Tensor m_v; ///< [size]
};

} // namespace headlight
