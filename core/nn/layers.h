// What every layer of a Transformer is made of: the affine map, the norm and the activations.
#pragma once

#include "core/nn/options.h"

#include <torch/nn/module.h>

#include <initializer_list>
#include <memory>
#include <vector>

namespace headlight {

torch::Tensor activate(const torch::Tensor& values, Activation activation);

/// x Wᵀ + b, the one product that all layers use: [..., inputs] -> [..., outputs]. The few rows of a decoding step are
/// read at the speed of memory.
/// @param weight [outputs, inputs], in memory as it likes; @param bias [outputs], may be undefined
torch::Tensor affine(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias);

/// Lays every matrix that a product reads, [outputs, inputs] as ever, as [inputs, outputs] in memory, which is read
/// fastest, and those of q_proj, k_proj and v_proj side by side, so that they are one product. What they hold is lost:
/// for a network that is about to be loaded and run, not trained.
void layForProducts(torch::nn::Module& network);

struct LinearOptions {
    std::int64_t inputs = 0;
    std::int64_t outputs = 0;
    bool bias = true;
    bool initialise = true; ///< false: weights are left undefined, which is faster than to draw some that nobody needs
};

/// x Wᵀ + b, with the names and the layout that checkpoints have: `weight` [outputs, inputs] and `bias` [outputs].
class Linear : public torch::nn::Module {
public:
    /// Weights as Glorot & Bengio 2010 draw them, no bias at first.
    explicit Linear(const LinearOptions& options);

    /// [..., inputs] -> [..., outputs]
    torch::Tensor forward(const torch::Tensor& x) const;

    const torch::Tensor& weight() const { return m_weight; } ///< [outputs, inputs]
    const torch::Tensor& bias() const { return m_bias; }     ///< [outputs]; may be undefined

    /// What each of these gives for the same inputs; one product where their weights lie side by side.
    static std::vector<torch::Tensor> forwardAll(const torch::Tensor& x,
                                                 std::initializer_list<std::shared_ptr<Linear>> all);

private:
    torch::Tensor m_weight;
    torch::Tensor m_bias; ///< may be undefined
};

/// Layer norm or RMS norm over the last dimension, with a learned `weight` and, for the former, `bias`.
class Norm : public torch::nn::Module {
public:
    /// @param width 0: the network's
    explicit Norm(const TransformerOptions& options, std::int64_t width = 0);

    /// [..., width] -> [..., width]
    torch::Tensor forward(const torch::Tensor& x) const;
    /// What a part of x is behind the norm, the mean square or variance being that of all x: summed over all parts of
    /// x, and with the bias, it is forward(x). [..., width] both
    torch::Tensor frozen(const torch::Tensor& part, const torch::Tensor& x) const;

    NormKind kind() const { return m_kind; }
    const torch::Tensor& bias() const { return m_bias; } ///< [width]; may be undefined
    torch::Tensor scale() const;                         ///< what x is multiplied by once it is normal, [width]

private:
    NormKind m_kind;
    double m_epsilon;
    torch::Tensor m_weight; ///< [width]
    torch::Tensor m_bias;   ///< [width]; may be undefined
};

} // namespace headlight
