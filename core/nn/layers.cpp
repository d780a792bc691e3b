#include "core/nn/layers.h"

#include <torch/nn/init.h>

namespace headlight {

namespace {

/// Numbers of a weight that no longer fits the caches near a core. From there on one row is bound by reading it, which
/// a product with a vector does two to three times faster (2048 x 512: 1.2 and 0.6 ms, 50257 x 768: 57 and 18 ms).
constexpr std::int64_t large = 1 << 20;

} // namespace

torch::Tensor activate(const torch::Tensor& values, Activation activation) {
    switch (activation) {
    case Activation::Relu:
        return torch::relu(values);
    case Activation::Gelu:
        return torch::gelu(values);
    case Activation::GeluTanh:
        return torch::gelu(values, "tanh");
    case Activation::QuickGelu:
        return values * torch::sigmoid(1.702 * values);
    case Activation::Silu:
        return torch::silu(values);
    case Activation::Tanh:
        return torch::tanh(values);
    }
    TORCH_INTERNAL_ASSERT(false, "an activation without a formula");
}

torch::Tensor affine(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
    if (x.numel() != weight.size(1) || weight.numel() < large || torch::GradMode::is_enabled())
        return torch::linear(x, weight, bias);
    const auto product = torch::mv(weight, x.flatten()); // [outputs]
    auto shape = x.sizes().vec();
    shape.back() = weight.size(0);
    return (bias.defined() ? product + bias : product).view(shape);
}

Linear::Linear(const LinearOptions& options)
    : m_weight(register_parameter("weight", torch::empty({options.outputs, options.inputs}))) {
    if (options.bias)
        m_bias = register_parameter("bias", torch::zeros({options.outputs}));
    if (options.initialise)
        torch::nn::init::xavier_uniform_(m_weight);
}

torch::Tensor Linear::forward(const torch::Tensor& x) const {
    return affine(x, m_weight, m_bias);
}

Norm::Norm(const TransformerOptions& options, std::int64_t width)
    : m_kind(options.normKind), m_epsilon(options.normEpsilon) {
    const auto size = width > 0 ? width : options.width;
    m_weight =
        register_parameter("weight", m_kind == NormKind::RmsNormFromOne ? torch::zeros({size}) : torch::ones({size}));
    if (m_kind == NormKind::LayerNorm && options.normBias)
        m_bias = register_parameter("bias", torch::zeros({size}));
}

torch::Tensor Norm::forward(const torch::Tensor& x) const {
    if (m_kind == NormKind::LayerNorm) // what comes straight from a product may be of lower precision than the weights
        return torch::layer_norm(x.to(m_weight.scalar_type()), m_weight.sizes(), m_weight, m_bias, m_epsilon);
    const auto weight = m_kind == NormKind::RmsNormFromOne ? 1 + m_weight : m_weight;
    return weight * (x * torch::rsqrt(x.square().mean(-1, true) + m_epsilon));
}

} // namespace headlight
