#include "core/nn/relative_scores.h"

#include <torch/nn/init.h>

#include <cmath>

namespace headlight {

torch::Tensor byIndex(const torch::Tensor& products, const torch::Tensor& index) {
    return products.gather(3, index.expand({products.size(0), products.size(1), -1, -1}));
}

torch::Tensor distanceScores(const torch::Tensor& query, const torch::Tensor& key, const torch::Tensor& table,
                             DistanceVectors kind) {
    const auto queries = query.size(2), keys = key.size(2), first = keys - queries;
    const auto integers = torch::TensorOptions(torch::kInt64).device(table.device());
    const auto apart = torch::arange(first, keys, integers).unsqueeze(1) - torch::arange(keys, integers); // [Q, K]
    const auto index = apart + (table.size(0) - 1) / 2;
    const auto vectors = table.t(); // [D, 2 P - 1]
    auto scores = byIndex(torch::matmul(query, vectors), index);
    if (kind == DistanceVectors::QueriesAndKeys)
        scores = scores + byIndex(torch::matmul(key, vectors), index.t()).transpose(2, 3);
    return scores;
}

DisentangledPositions::DisentangledPositions(const TransformerOptions& options)
    : m_options(options.disentangled.value()),
      m_weight(register_parameter("weight", torch::empty({2 * m_options.span, options.width}))) {
    if (options.initialise)
        torch::nn::init::normal_(m_weight, 0, 0.02);
    if (m_options.norm)
        m_norm = register_module("norm", std::make_shared<Norm>(options));
}

torch::Tensor DisentangledPositions::vectors() {
    return m_norm ? m_norm->forward(m_weight) : m_weight;
}

torch::Tensor DisentangledPositions::index(std::int64_t tokens) const {
    const auto place = torch::arange(tokens, torch::TensorOptions(torch::kInt64).device(m_weight.device()));
    auto apart = place.unsqueeze(1) - place; // [T, T]
    if (m_options.buckets > 0) {
        // Near distances have a bucket each, far ones share some in steps of a logarithm.
        const auto middle = m_options.buckets / 2;
        const auto near = static_cast<double>(middle);
        const auto length = apart.abs();
        const auto steps = torch::log(length.clamp_min(1).to(torch::kFloat32) / near)
                           / std::log(static_cast<double>(m_options.farthest - 1) / near) * (near - 1);
        const auto shared = (torch::ceil(steps) + near).to(torch::kInt64) * apart.sign();
        apart = torch::where(length <= middle, apart, shared);
    }
    return (apart + m_options.span).clamp(0, 2 * m_options.span - 1);
}

} // namespace headlight
