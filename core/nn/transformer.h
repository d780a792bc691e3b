// The Transformer encoder–decoder, Vaswani et al. 2017: one layer, one stack, set by TransformerOptions.
// Letters: B batch, S source length, T target length, W width. Submodules bear the names of BART and Marian
// checkpoints.
#pragma once

#include "core/nn/attention.h"
#include "core/nn/positions.h"
#include "core/nn/sequence_to_sequence.h"

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/normalization.h>

#include <memory>
#include <vector>

namespace headlight {

/// Self-attention, attention to the encoder where there is one, and the position-wise feed-forward network (3.3).
class TransformerLayer : public torch::nn::Module {
public:
    TransformerLayer(const TransformerOptions& options, BlockKind kind, int layer);

    /// Keys and values of the encoder's states for this layer.
    MultiHeadAttention::KeyValue projectMemory(const torch::Tensor& memory);

    /// What the layer attends to. In stepwise decoding `past` holds the keys and values of earlier steps and grows.
    struct Inputs {
        torch::Tensor selfMask;              ///< over [B, H, T, T], or undefined
        MultiHeadAttention::KeyValue memory; ///< of the encoder; undefined in an encoder
        torch::Tensor memoryMask;            ///< over [B, H, T, S], or undefined
        MultiHeadAttention::KeyValue* past = nullptr;
    };
    /// [B, T, W] -> [B, T, W]
    torch::Tensor forward(const torch::Tensor& states, const Inputs& inputs, const Context& context);

private:
    template <class Sublayer>
    torch::Tensor residual(const torch::Tensor& states, torch::nn::LayerNorm& norm, const Sublayer& sublayer);

    TransformerOptions m_options;
    BlockKind m_kind;
    int m_layer;
    std::shared_ptr<MultiHeadAttention> m_selfAttention;
    torch::nn::LayerNorm m_selfNorm{nullptr};
    std::shared_ptr<MultiHeadAttention> m_crossAttention; ///< null in an encoder
    torch::nn::LayerNorm m_crossNorm{nullptr};
    torch::nn::Linear m_expand{nullptr};
    torch::nn::Linear m_contract{nullptr};
    torch::nn::LayerNorm m_finalNorm{nullptr};
};

/// Layers over embedded tokens.
class TransformerStack : public torch::nn::Module {
public:
    TransformerStack(const TransformerOptions& options, BlockKind kind);

    /// Token vectors plus positions: [B, T, W] -> [B, T, W]
    torch::Tensor embed(torch::Tensor tokens, std::int64_t first, const Context& context);
    /// After the last layer: the closing norm of a pre-norm stack.
    torch::Tensor finish(const torch::Tensor& states);
    const std::vector<std::shared_ptr<TransformerLayer>>& layers() const { return m_layers; }

private:
    TransformerOptions m_options;
    std::shared_ptr<Positions> m_positions;
    torch::nn::LayerNorm m_embeddingNorm{nullptr};
    std::vector<std::shared_ptr<TransformerLayer>> m_layers;
    torch::nn::LayerNorm m_norm{nullptr};
};

/// One embedding for source, target and output layer (3.4).
class Transformer : public SequenceToSequence {
public:
    explicit Transformer(const TransformerOptions& options);

    Memory encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) override;
    torch::Tensor decode(const torch::Tensor& target, const Memory& memory, const Context& context) override;
    torch::Tensor logits(const torch::Tensor& decoded) override;
    DecoderState start(const Memory& memory) override;
    torch::Tensor step(const torch::Tensor& last, DecoderState& state, const Memory& memory) override;

private:
    torch::Tensor tokenVectors(const torch::Tensor& ids);

    TransformerOptions m_options;
    torch::nn::Embedding m_embedding{nullptr};
    torch::Tensor m_outputBias; ///< [1, V]
    std::shared_ptr<TransformerStack> m_encoder;
    std::shared_ptr<TransformerStack> m_decoder;
};

} // namespace headlight
