// The Transformer, Vaswani et al. 2017, whole and by halves: one layer, one stack, set by TransformerOptions; an
// encoder–decoder, an encoder alone (Devlin et al. 2019), a decoder alone (Radford et al. 2019).
// Letters: B batch, S source length, T target length, W width. Submodules bear the names of BART and Marian
// checkpoints.
#pragma once

#include "core/nn/attention.h"
#include "core/nn/causal_decoder.h"
#include "core/nn/layers.h"
#include "core/nn/positions.h"
#include "core/nn/sequence_to_sequence.h"
#include "core/nn/text_encoder.h"

#include <torch/nn/modules/embedding.h>

#include <memory>
#include <vector>

namespace headlight {

/// Self-attention, attention to the encoder where there is one, and the position-wise feed-forward network (3.3).
class TransformerLayer : public torch::nn::Module {
public:
    /// @param kind of its self-attention
    TransformerLayer(const TransformerOptions& options, BlockKind kind, bool cross, int layer);

    /// Keys and values of the encoder's states for this layer.
    MultiHeadAttention::KeyValue projectMemory(const torch::Tensor& memory);

    /// What the layer attends to. In stepwise decoding `past` holds the keys and values of earlier steps and grows.
    struct Inputs {
        MultiHeadAttention::Scoring self;    ///< over [B, H, T, keys so far]
        MultiHeadAttention::KeyValue memory; ///< of the encoder; undefined without attention to one
        torch::Tensor memoryMask;            ///< over [B, H, T, S], or undefined
        MultiHeadAttention::KeyValue* past = nullptr;
        std::int64_t first = 0; ///< how many tokens were before these
    };
    /// [B, T, W] -> [B, T, W]
    torch::Tensor forward(const torch::Tensor& states, const Inputs& inputs, const Context& context);

private:
    template <class Sublayer>
    torch::Tensor residual(const torch::Tensor& states, Norm& norm, const Sublayer& sublayer);
    torch::Tensor feedForward(const torch::Tensor& states);

    TransformerOptions m_options;
    BlockKind m_kind;
    int m_layer;
    std::shared_ptr<MultiHeadAttention> m_selfAttention;
    std::shared_ptr<Norm> m_selfNorm;
    std::shared_ptr<MultiHeadAttention> m_crossAttention; ///< may be null
    std::shared_ptr<Norm> m_crossNorm;
    std::shared_ptr<Linear> m_expand;
    std::shared_ptr<Linear> m_contract;
    std::shared_ptr<Linear> m_gate; ///< null unless gated
    std::shared_ptr<Norm> m_finalNorm;
};

/// Positions, layers and the norms before and after them.
class TransformerStack : public torch::nn::Module {
public:
    /// @param kind Encoder: each token sees all; Decoder: those up to itself
    TransformerStack(const TransformerOptions& options, BlockKind kind, bool cross);

    /// Keys and values of the encoder's states for all layers, each [B, H, S, D], by turns.
    std::vector<torch::Tensor> projectMemory(const torch::Tensor& states);

    struct Inputs {
        torch::Tensor mask;             ///< of an encoder's tokens, [B, T]; undefined when none is padding
        torch::Tensor rows;             ///< [B, T], see Positions::place
        torch::Tensor segments;         ///< vectors that are added, [B, T, W]; may be undefined
        const Memory* memory = nullptr; ///< the encoder's, for attention to it
        DecoderState* state = nullptr;  ///< of the tokens before these, which moves on; null: these are the first
    };
    /// Token vectors [B, T, W] -> [B, T, W]
    torch::Tensor forward(const torch::Tensor& tokens, const Inputs& inputs, const Context& context);

private:
    torch::Tensor causalMask(std::int64_t queries, std::int64_t keys, const torch::Device& device) const;

    TransformerOptions m_options;
    BlockKind m_kind;
    std::shared_ptr<Positions> m_positions;
    std::shared_ptr<Norm> m_embeddingNorm; ///< may be null
    std::vector<std::shared_ptr<TransformerLayer>> m_layers;
    std::shared_ptr<Norm> m_norm; ///< of a pre-norm stack, null otherwise
};

/// Encoder and decoder; one embedding for source, target and, if tied, the output layer (3.4).
class Transformer : public SequenceToSequence {
public:
    explicit Transformer(const TransformerOptions& options);

    Memory encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) override;
    torch::Tensor decode(const torch::Tensor& target, const Memory& memory, const Context& context) override;
    torch::Tensor logits(const torch::Tensor& decoded) override;
    DecoderState start(const Memory& memory) override;
    torch::Tensor step(const torch::Tensor& last, DecoderState& state, const Memory& memory,
                       const Context& context) override;

private:
    TransformerOptions m_options;
    torch::nn::Embedding m_embedding{nullptr};
    std::shared_ptr<Linear> m_untied; ///< the output layer, if it is not the embedding
    torch::Tensor m_outputBias;       ///< [1, V]; may be undefined
    std::shared_ptr<TransformerStack> m_encoder;
    std::shared_ptr<TransformerStack> m_decoder;
};

/// The encoder alone, with segments and a head.
class TransformerEncoder : public TextEncoder {
public:
    TransformerEncoder(const TransformerOptions& options, const EncoderHeadOptions& head);

    torch::Tensor encode(const torch::Tensor& ids, const torch::Tensor& segments, const torch::Tensor& mask,
                         const Context& context) override;
    EncoderHead head() const override { return m_head.kind; }
    torch::Tensor logits(const torch::Tensor& hidden) override;

private:
    TransformerOptions m_options;
    EncoderHeadOptions m_head;
    torch::nn::Embedding m_embedding{nullptr};
    torch::nn::Embedding m_segments{nullptr}; ///< null without token types
    std::shared_ptr<TransformerStack> m_encoder;
    std::shared_ptr<Linear> m_dense;  ///< of the head
    std::shared_ptr<Norm> m_norm;     ///< of a masked language model's head
    std::shared_ptr<Linear> m_output; ///< the head's last layer; null where that is the embedding
    torch::Tensor m_outputBias;       ///< [V], of a masked language model
};

/// The decoder alone.
class TransformerDecoder : public CausalDecoder {
public:
    explicit TransformerDecoder(const TransformerOptions& options);

    torch::Tensor decode(const torch::Tensor& ids, DecoderState& state, const Context& context) override;
    torch::Tensor logits(const torch::Tensor& decoded) override;

private:
    TransformerOptions m_options;
    torch::nn::Embedding m_embedding{nullptr};
    std::shared_ptr<Linear> m_untied; ///< the output layer, if it is not the embedding
    std::shared_ptr<TransformerStack> m_decoder;
};

} // namespace headlight
