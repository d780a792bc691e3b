#include "core/nn/layers.h"

#include <torch/nn/init.h>

#include <algorithm>
#include <array>
#include <string>

namespace headlight {

namespace {

/// Up to so many rows a product with each row is faster than one with all, which first packs the whole weight (3072 x
/// 768: one row 0.15 and 0.89 ms, two 0.38 and 0.76, three 0.59 and 1.14, four 0.73 and 0.71).
constexpr std::int64_t fewRows = 3;

/// Vectors that lie one behind the other, or matrices side by side, as one; undefined where they do not, or one of them
/// is undefined. @param all of so many dimensions, the last ones of one stride
torch::Tensor asOne(const std::vector<torch::Tensor>& all) {
    std::int64_t outputs = 0;
    for (const auto& part : all) {
        const auto& first = all.front();
        if (!part.defined() || part.scalar_type() != first.scalar_type() || part.strides() != first.strides()
            || !part.is_alias_of(first) || part.stride(0) != 1
            || part.storage_offset() != first.storage_offset() + outputs)
            return {};
        outputs += part.size(0);
    }
    auto sizes = all.front().sizes().vec();
    sizes[0] = outputs;
    return all.front().as_strided(sizes, all.front().strides());
}

/// The same type and shape, laid as [inputs, outputs] in memory.
torch::Tensor laid(const torch::Tensor& weight) {
    return torch::empty({weight.size(1), weight.size(0)}, weight.options().requires_grad(false)).t();
}

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
    const auto rows = x.numel() / std::max<std::int64_t>(weight.size(1), 1);
    if (rows < 1 || rows > fewRows || torch::GradMode::is_enabled() || x.scalar_type() != weight.scalar_type())
        return torch::linear(x, weight, bias);
    auto shape = x.sizes().vec();
    shape.back() = weight.size(0);
    const auto inputs = x.reshape({rows, weight.size(1)});
    if (rows == 1)
        return (bias.defined() ? torch::addmv(bias, weight, inputs[0]) : torch::mv(weight, inputs[0])).view(shape);
    const auto products = torch::empty({rows, weight.size(0)}, x.options());
    for (std::int64_t row = 0; row < rows; ++row) {
        auto product = products[row];
        if (bias.defined())
            torch::addmv_out(product, bias, weight, inputs[row]);
        else
            torch::mv_out(product, weight, inputs[row]);
    }
    return products.view(shape);
}

void layForProducts(torch::nn::Module& network) {
    torch::NoGradGuard noGradients;
    // Tables that are only looked up stay as they are: a row of theirs is read, not multiplied.
    constexpr std::array tables{"embed_positions.weight", "token_types.weight"};
    for (auto& parameter : network.named_parameters()) {
        const auto isTable = [&](const std::string& ending) { return parameter.key().ends_with(ending); };
        if (parameter.value().dim() == 2 && std::none_of(tables.begin(), tables.end(), isTable))
            parameter.value().set_data(laid(parameter.value()));
    }
    for (const auto& module : network.modules()) {
        std::vector<std::shared_ptr<torch::nn::Module>> joint;
        for (const auto& child : module->named_children())
            if (child.key() == "q_proj" || child.key() == "k_proj" || child.key() == "v_proj")
                joint.push_back(child.value());
        for (const char* name : {"weight", "bias"}) {
            std::vector<torch::Tensor> parts;
            std::int64_t outputs = 0;
            for (const auto& child : joint) {
                const auto own = child->named_parameters(false);
                if (const auto* part = own.find(name))
                    outputs += parts.emplace_back(*part).size(0);
            }
            if (parts.size() < 2)
                continue;
            auto sizes = parts.front().sizes().vec();
            sizes[0] = outputs;
            const auto options = parts.front().options().requires_grad(false);
            const auto whole = sizes.size() == 2 ? laid(torch::empty(sizes, options)) : torch::zeros(sizes, options);
            std::int64_t first = 0;
            for (auto& part : parts) {
                part.set_data(whole.narrow(0, first, part.size(0)));
                first += part.size(0);
            }
        }
    }
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

std::vector<torch::Tensor> Linear::forwardAll(const torch::Tensor& x,
                                              std::initializer_list<std::shared_ptr<Linear>> all) {
    std::vector<torch::Tensor> weights, biases, results;
    std::vector<std::int64_t> outputs;
    for (const auto& linear : all) {
        weights.push_back(linear->m_weight);
        biases.push_back(linear->m_bias);
        outputs.push_back(linear->m_weight.size(0));
    }
    const auto weight = torch::GradMode::is_enabled() ? torch::Tensor() : asOne(weights);
    const auto bias = weight.defined() ? asOne(biases) : torch::Tensor();
    const bool noBias =
        std::none_of(biases.begin(), biases.end(), [](const torch::Tensor& one) { return one.defined(); });
    if (weight.defined() && (bias.defined() || noBias))
        return affine(x, weight, bias).split_with_sizes(outputs, -1);
    for (const auto& linear : all)
        results.push_back(linear->forward(x));
    return results;
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
    return scale() * (x * torch::rsqrt(x.square().mean(-1, true) + m_epsilon));
}

torch::Tensor Norm::scale() const {
    return m_kind == NormKind::RmsNormFromOne ? 1 + m_weight : m_weight;
}

torch::Tensor Norm::frozen(const torch::Tensor& part, const torch::Tensor& x) const {
    if (m_kind == NormKind::LayerNorm)
        return scale() * (part - part.mean(-1, true)) * torch::rsqrt(x.var(-1, false, true) + m_epsilon);
    return scale() * part * torch::rsqrt(x.square().mean(-1, true) + m_epsilon);
}

} // namespace headlight
