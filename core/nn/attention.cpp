#include "core/nn/attention.h"

#include "core/nn/dropout.h"

#include <torch/torch.h>

#include <cmath>
#include <limits>

namespace headlight {

MultiHeadAttention::MultiHeadAttention(std::int64_t width, std::int64_t heads, double dropout)
    : m_heads(heads), m_dropout(dropout), m_query(register_module("q_proj", torch::nn::Linear(width, width))),
      m_key(register_module("k_proj", torch::nn::Linear(width, width))),
      m_value(register_module("v_proj", torch::nn::Linear(width, width))),
      m_output(register_module("out_proj", torch::nn::Linear(width, width))) {
    for (auto& projection : {m_query, m_key, m_value, m_output}) {
        torch::nn::init::xavier_uniform_(projection->weight);
        torch::nn::init::zeros_(projection->bias);
    }
}

torch::Tensor MultiHeadAttention::split(const torch::Tensor& projected) const {
    return projected.view({projected.size(0), projected.size(1), m_heads, -1}).transpose(1, 2); // [B, H, ·, D]
}

MultiHeadAttention::KeyValue MultiHeadAttention::project(const torch::Tensor& states) {
    return {split(m_key(states)), split(m_value(states))};
}

torch::Tensor MultiHeadAttention::forward(const torch::Tensor& states, const KeyValue& memory,
                                          const torch::Tensor& mask, Place place, const Context& context) {
    const auto query = split(m_query(states)); // [B, H, Q, D]
    const double scale = 1.0 / std::sqrt(static_cast<double>(query.size(3)));

    auto scores = torch::matmul(query * scale, memory.key.transpose(2, 3)); // [B, H, Q, K]
    if (mask.defined())
        scores = scores.masked_fill(mask.logical_not(), -std::numeric_limits<float>::infinity());
    const auto weights = torch::softmax(scores, -1); // [B, H, Q, K]
    if (context.watch)
        context.watch->attention(place.kind, place.layer, {weights, scores, query, memory.key});

    auto joined = torch::matmul(withDropout(weights, m_dropout, is_training()), memory.value); // [B, H, Q, D]
    joined = joined.transpose(1, 2).reshape({states.size(0), states.size(1), -1});             // [B, Q, H D]
    return m_output(joined);
}

AdditiveAttention::AdditiveAttention(std::int64_t querySize, std::int64_t keySize, std::int64_t size)
    : m_w(register_module("w", torch::nn::Linear(torch::nn::LinearOptions(querySize, size).bias(false)))),
      m_u(register_module("u", torch::nn::Linear(torch::nn::LinearOptions(keySize, size).bias(true)))),
      m_v(register_parameter("v", torch::empty({size}))) {
    const double bound = 1.0 / std::sqrt(static_cast<double>(size));
    torch::nn::init::uniform_(m_v, -bound, bound);
}

torch::Tensor AdditiveAttention::keyPart(const torch::Tensor& states) {
    return m_u(states);
}

torch::Tensor AdditiveAttention::queryPart(const torch::Tensor& states) {
    return m_w(states);
}

AdditiveAttention::Result AdditiveAttention::forward(const torch::Tensor& queryPart, const torch::Tensor& keyPart,
                                                     const torch::Tensor& states, const torch::Tensor& mask) {
    const auto hidden = torch::tanh(queryPart.unsqueeze(1) + keyPart); // [B, K, size]
    auto energies = torch::matmul(hidden, m_v);                        // [B, K]
    if (mask.defined())
        energies = energies.masked_fill(mask.logical_not(), -std::numeric_limits<float>::infinity());
    const auto weights = torch::softmax(energies, -1);                        // [B, K]
    const auto context = torch::bmm(weights.unsqueeze(1), states).squeeze(1); // [B, keySize]
    return {energies, weights, context};
}

} // namespace headlight
