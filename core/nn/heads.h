// What stands on a Transformer and says something of its input: a dense layer, an activation, a norm, an output layer.
// Letters: B batch, T tokens, W width, L outputs.
#pragma once

#include "core/nn/layers.h"

#include <memory>

namespace headlight {

class OutputHead : public torch::nn::Module {
public:
    /// @param tied the output layer is the embedding
    OutputHead(const TransformerOptions& options, const EncoderHeadOptions& head, bool tied);

    /// What it bears as a part of a network: its kind's name, such as `masked`.
    static const char* nameOf(EncoderHead kind);

    EncoderHead kind() const { return m_options.kind; }
    /// Says it of each row. @param embedding the output layer, where it is tied
    /// [..., W] -> [..., L]
    torch::Tensor forward(const torch::Tensor& states, const torch::Tensor& embedding);
    /// The row of all [B, T, W] where it says what it says of all: [B, W]. Each row, [B, T, W], of a head that says
    /// something of each token.
    torch::Tensor read(const torch::Tensor& states) const;

private:
    EncoderHeadOptions m_options;
    std::shared_ptr<Linear> m_dense;  ///< may be null
    std::shared_ptr<Norm> m_norm;     ///< may be null
    std::shared_ptr<Linear> m_output; ///< null where it is the embedding
    torch::Tensor m_bias;             ///< [L], of a masked language model's output
};

} // namespace headlight
