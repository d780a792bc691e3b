#include "core/nn/attention.h"

#include "core/nn/dropout.h"
#include "core/nn/probe.h"
#include "core/nn/relative_scores.h"

#include <torch/nn/init.h>

#include <cmath>
#include <limits>

namespace headlight {

namespace {

/// Turns each pair of dimensions i and i + R/2 of the first R, as many as the rotation has (Su et al. 2021, 3.4.2).
/// [B, ·, T, D] -> [B, ·, T, D]
torch::Tensor turned(const torch::Tensor& vectors, const MultiHeadAttention::Rotation& rotation) {
    if (!rotation.cosines.defined())
        return vectors;
    if (const auto part = rotation.cosines.size(-1), all = vectors.size(-1); part < all)
        return torch::cat({turned(vectors.narrow(-1, 0, part), rotation), vectors.narrow(-1, part, all - part)}, -1);
    const auto halves = vectors.chunk(2, -1);
    return vectors * rotation.cosines + torch::cat({-halves[1], halves[0]}, -1) * rotation.sines;
}

} // namespace

MultiHeadAttention::MultiHeadAttention(const TransformerOptions& options)
    : m_heads(options.heads), m_keyHeads(options.headsOfKeys()), m_scoreCap(options.scoreCap),
      m_scaleByLayer(options.scaleByLayer), m_dropout(options.dropout), m_distanceKind(options.distanceVectors),
      m_disentangled(options.disentangled.value_or(DisentangledOptions{})) {
    const auto size = options.sizeOfHead();
    m_scale = options.attentionScale > 0 ? options.attentionScale : 1.0 / std::sqrt(static_cast<double>(size));
    const auto projection = [&](const char* name, std::int64_t heads) {
        return register_module(name, std::make_shared<Linear>(LinearOptions{.inputs = options.width,
                                                                            .outputs = heads * size,
                                                                            .bias = options.projectionBias,
                                                                            .initialise = options.initialise}));
    };
    m_query = projection("q_proj", m_heads);
    m_key = projection("k_proj", m_keyHeads);
    m_value = projection("v_proj", m_keyHeads);
    m_output = register_module("out_proj", std::make_shared<Linear>(LinearOptions{.inputs = m_heads * size,
                                                                                  .outputs = options.width,
                                                                                  .bias = options.joiningBias,
                                                                                  .initialise = options.initialise}));
    if (options.headNorm) {
        m_queryNorm = register_module("q_norm", std::make_shared<Norm>(options, size));
        m_keyNorm = register_module("k_norm", std::make_shared<Norm>(options, size));
    }
    if (m_distanceKind != DistanceVectors::None) {
        m_distances = register_parameter("distances", torch::empty({2 * options.maxPositions - 1, size}));
        if (options.initialise)
            torch::nn::init::normal_(m_distances, 0, 0.02);
    }
    if (m_disentangled.ownProjections && m_disentangled.queryToPosition)
        m_distanceKey = projection("distance_k_proj", m_heads);
    if (m_disentangled.ownProjections && m_disentangled.positionToKey)
        m_distanceQuery = projection("distance_q_proj", m_heads);
    if (options.globalProjections) {
        m_globalQuery = projection("global_q_proj", m_heads);
        m_globalKey = projection("global_k_proj", m_heads);
        m_globalValue = projection("global_v_proj", m_heads);
    }
}

torch::Tensor MultiHeadAttention::split(const torch::Tensor& projected, std::int64_t heads) const {
    return projected.view({projected.size(0), projected.size(1), heads, -1}).transpose(1, 2); // [B, heads, ·, D]
}

MultiHeadAttention::KeyValue MultiHeadAttention::project(const torch::Tensor& states, const Rotation& rotation) {
    const auto parts = Linear::forwardAll(states, {m_key, m_value});
    return keysAndValues(parts[0], parts[1], rotation);
}

MultiHeadAttention::KeyValue MultiHeadAttention::keysAndValues(const torch::Tensor& keys, const torch::Tensor& values,
                                                               const Rotation& rotation) const {
    auto key = split(keys, m_keyHeads);
    if (m_keyNorm)
        key = m_keyNorm->forward(key);
    return {turned(key, rotation), split(values, m_keyHeads)};
}

MultiHeadAttention::Projected MultiHeadAttention::projectAll(const torch::Tensor& states, const Rotation& rotation) {
    const auto parts = Linear::forwardAll(states, {m_query, m_key, m_value});
    return {parts[0], keysAndValues(parts[1], parts[2], rotation)};
}

torch::Tensor MultiHeadAttention::disentangled(const torch::Tensor& query, const torch::Tensor& key,
                                               const Scoring& scoring) {
    const auto vectors = scoring.distanceVectors.unsqueeze(0); // [1, N, width]
    const auto projected = [&](Linear& projection) {
        return split(projection.forward(vectors), m_heads).transpose(2, 3); // [1, H, D, N]
    };
    torch::Tensor scores;
    if (m_disentangled.queryToPosition) {
        const auto keys = projected(m_distanceKey ? *m_distanceKey : *m_key);
        scores = byIndex(torch::matmul(query, keys), scoring.distanceIndex);
    }
    if (m_disentangled.positionToKey) {
        const auto queries = projected(m_distanceQuery ? *m_distanceQuery : *m_query);
        const auto ofKeys = byIndex(torch::matmul(key, queries), scoring.distanceIndex.t()).transpose(2, 3);
        scores = scores.defined() ? scores + ofKeys : ofKeys;
    }
    return scores.defined() ? scores : torch::zeros({}, query.options());
}

torch::Tensor MultiHeadAttention::forward(const torch::Tensor& states, const KeyValue& memory, const Scoring& scoring,
                                          Place place, const Context& context, const torch::Tensor& projected) {
    const auto batch = states.size(0), queries = states.size(1), keys = memory.key.size(2);
    auto query = split(projected.defined() ? projected : m_query->forward(states), m_heads); // [B, H, Q, D]
    if (m_queryNorm)
        query = m_queryNorm->forward(query);
    query = turned(query, scoring.rotation);
    // The query heads of one key head are rows of one product; with as many of both, this changes nothing.
    const auto byKeyHead = [&](const torch::Tensor& heads) {
        return heads.reshape({batch, m_keyHeads, m_heads / m_keyHeads * queries, heads.size(3)});
    };
    const double scale = m_scaleByLayer ? m_scale / (place.layer + 1) : m_scale;

    torch::Tensor scores, weights; // [B, H, Q, K]
    torch::Tensor read;            // [B, H, Q, D]
    if (scoring.blocks) {
        const auto tokens = scoring.mask.defined() ? scoring.mask.flatten(1) : scoring.mask; // [B, K]
        const auto sparse = blockSparseAttention(query, memory.key, memory.value, tokens, *scoring.blocks);
        scores = sparse.scores;
        weights = sparse.weights;
        read = sparse.context;
    } else {
        scores = torch::matmul(byKeyHead(query * scale), memory.key.transpose(2, 3)); // [B, G, H/G Q, K]
        scores = scores.view({batch, m_heads, queries, keys});                        // [B, H, Q, K]
        if (scoring.distances.defined())
            scores = scores + scoring.distances;
        if (m_distances.defined())
            scores = scores + scale * distanceScores(query, memory.key, m_distances, m_distanceKind);
        if (scoring.distanceVectors.defined())
            scores = scores + scale * disentangled(query, memory.key, scoring);
        if (m_scoreCap > 0)
            scores = m_scoreCap * torch::tanh(scores / m_scoreCap);
        if (scoring.mask.defined())
            scores.masked_fill_(scoring.mask.logical_not(), -std::numeric_limits<float>::infinity());
        torch::Tensor globalValue;
        if (scoring.global.defined() && m_globalQuery) {
            const auto asking = split(m_globalQuery->forward(states.index_select(1, scoring.global)), m_heads);
            auto all = torch::matmul(asking * scale, split(m_globalKey->forward(states), m_heads).transpose(2, 3));
            if (scoring.padding.defined())
                all = all.masked_fill(scoring.padding.logical_not(), -std::numeric_limits<float>::infinity());
            scores = scores.index_copy(2, scoring.global, all);
            query = query.index_copy(2, scoring.global, asking);
            globalValue = split(m_globalValue->forward(states), m_heads);
        }
        if (context.watch && !scores.requires_grad()) { // straight to where they are kept
            weights = context.watch->roomForWeights(place.kind, place.layer, scores);
            at::_softmax_out(weights, scores, -1, false);
        } else {
            weights = torch::softmax(scores, -1);
        }
        if (context.intervention && place.kind == BlockKind::Cross) {
            if (weights.requires_grad()) // softmax's own are not to change
                weights = weights.clone();
            for (std::int64_t row = 0; row < queries; ++row)
                if (const auto key = context.forcedKey(place.firstQuery + row))
                    weights.select(2, row).zero_().select(2, *key).fill_(1);
        }
        const auto kept = withDropout(weights, m_dropout, is_training());
        read = torch::matmul(byKeyHead(kept), memory.value).view({batch, m_heads, queries, -1}); // [B, H, Q, D]
        if (globalValue.defined())
            read = read.index_copy(2, scoring.global, torch::matmul(kept.index_select(2, scoring.global), globalValue));
    }
    if (context.watch)
        context.watch->attention(place.kind, place.layer, {weights, scores, query, memory.key, memory.value, scale});
    // As the head masks of Michel et al. 2019: what the head read counts as nothing.
    if (context.intervention)
        for (const auto head : context.headsOff(place.kind, place.layer))
            read = read.index_fill(1, torch::tensor({head}, read.options().dtype(torch::kInt64)), 0);
    if (context.probe)
        read = context.probe->attended({place.kind, place.layer, weights, memory.value, read, *this});
    return m_output->forward(read.transpose(1, 2).reshape({read.size(0), queries, -1})); // [B, Q, H D] -> [B, Q, width]
}

AdditiveAttention::AdditiveAttention(std::int64_t querySize, std::int64_t keySize, std::int64_t size)
    : m_w(register_module("w", torch::nn::Linear(torch::nn::LinearOptions(querySize, size).bias(false)))),
      m_u(register_module("u", torch::nn::Linear(torch::nn::LinearOptions(keySize, size).bias(true)))),
      m_v(register_parameter("v", torch::empty({size}))) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(size));
    torch::nn::init::uniform_(m_v, -bound, bound);
}

torch::Tensor AdditiveAttention::keyPart(const torch::Tensor& states) {
    return affine(states, m_u->weight, m_u->bias);
}

torch::Tensor AdditiveAttention::queryPart(const torch::Tensor& states) {
    return affine(states, m_w->weight, m_w->bias);
}

AdditiveAttention::Result AdditiveAttention::forward(const torch::Tensor& queryPart, const torch::Tensor& keyPart,
                                                     const torch::Tensor& states, const torch::Tensor& mask,
                                                     std::optional<std::int64_t> forcedKey) {
    const auto hidden = torch::tanh(queryPart.unsqueeze(1) + keyPart); // [B, K, size]
    auto energies = torch::matmul(hidden, m_v);                        // [B, K]
    if (mask.defined())
        energies = energies.masked_fill(mask.logical_not(), -std::numeric_limits<float>::infinity());
    auto weights = torch::softmax(energies, -1); // [B, K]
    if (forcedKey)
        weights = torch::zeros_like(weights).index_fill(
            1, torch::tensor({*forcedKey}, weights.options().dtype(torch::kInt64)), 1);
    const auto context = torch::bmm(weights.unsqueeze(1), states).squeeze(1); // [B, keySize]
    return {energies, weights, context};
}

} // namespace headlight
