// The Transformer, Vaswani et al. 2017, whole and by halves: one layer, one stack, set by TransformerOptions; an
// encoder–decoder, an encoder alone (Devlin et al. 2019), a decoder alone (Radford et al. 2019).
// Letters: B batch, S source length, T target length, W width. Submodules bear the names of BART and Marian
// checkpoints.
#pragma once

#include "core/nn/attention.h"
#include "core/nn/causal_decoder.h"
#include "core/nn/heads.h"
#include "core/nn/layers.h"
#include "core/nn/positions.h"
#include "core/nn/relative_scores.h"
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
    /// @param first of its stack
    TransformerLayer(const TransformerOptions& options, BlockKind kind, bool cross, bool first);

    /// Keys and values of the encoder's states for this layer.
    MultiHeadAttention::KeyValue projectMemory(const torch::Tensor& memory);

    /// What the layer attends to. In stepwise decoding `past` holds the keys and values of earlier steps and grows.
    struct Inputs {
        MultiHeadAttention::Scoring self;    ///< over [B, H, T, keys so far]
        MultiHeadAttention::KeyValue memory; ///< of the encoder; undefined without attention to one
        torch::Tensor memoryMask;            ///< over [B, H, T, S], or undefined
        MultiHeadAttention::KeyValue* past = nullptr;
        std::int64_t first = 0; ///< how many tokens were before these
        int layer = 0;          ///< which layer of the stack this is now
    };
    /// [B, T, W] -> [B, T, W]
    torch::Tensor forward(const torch::Tensor& states, const Inputs& inputs, const Context& context);

private:
    struct Around {
        Norm* norm;         ///< null: none
        Norm* after;        ///< of what the sublayer gives; null: none
        const Linear& last; ///< the sublayer's last product
        BlockKind kind;     ///< and what it is
        bool feedForward;
        int layer;
    };
    template <class Sublayer>
    torch::Tensor residual(const torch::Tensor& states, const Around& around, const Context& context,
                           const Sublayer& sublayer);
    torch::Tensor attendToSelf(const torch::Tensor& states, const Inputs& inputs, const Context& context);
    torch::Tensor feedForward(const torch::Tensor& states);

    TransformerOptions m_options;
    BlockKind m_kind;
    std::shared_ptr<MultiHeadAttention> m_selfAttention;
    std::shared_ptr<Norm> m_selfNorm;                     ///< may be null
    std::shared_ptr<Norm> m_afterAttention;               ///< may be null
    std::shared_ptr<MultiHeadAttention> m_crossAttention; ///< may be null
    std::shared_ptr<Norm> m_crossNorm;
    std::shared_ptr<Linear> m_expand;
    std::shared_ptr<Linear> m_contract;
    std::shared_ptr<Linear> m_gate; ///< null unless gated
    std::shared_ptr<Norm> m_finalNorm;
    std::shared_ptr<Norm> m_afterFeedForward; ///< may be null
};

/// Three or so neighbours of each token, read together (DeBERTa-v2 xlarge, after the first layer).
class NeighbourLayer : public torch::nn::Module {
public:
    explicit NeighbourLayer(const TransformerOptions& options);

    /// @param before the first layer's input @param after its output, [B, T, W] both and the result
    torch::Tensor forward(const torch::Tensor& before, const torch::Tensor& after);

private:
    NeighbourOptions m_options;
    torch::Tensor m_weight; ///< [W, W / groups, size]
    torch::Tensor m_bias;   ///< [W]
    std::shared_ptr<Norm> m_norm;
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
    torch::Tensor causalMask(std::int64_t queries, std::int64_t keys, std::int64_t window,
                             const torch::Device& device) const;
    /// What an encoder's tokens see within a window, [T, T], or undefined.
    torch::Tensor windowMask(std::int64_t tokens, std::int64_t window, const torch::Tensor& global,
                             const torch::Device& device) const;
    /// What a layer's tokens may see, of its mask over padding; may be undefined.
    torch::Tensor maskOf(std::size_t layer, const torch::Tensor& padding, std::int64_t queries, std::int64_t keys,
                         const torch::Tensor& global, const torch::Device& device) const;

    TransformerOptions m_options;
    BlockKind m_kind;
    std::shared_ptr<Positions> m_positions;
    std::shared_ptr<Positions> m_windowPositions;            ///< of layers with windows, where they are others
    std::shared_ptr<Positions> m_relative;                   ///< beside those above; may be null
    std::shared_ptr<DisentangledPositions> m_disentangled;   ///< may be null
    std::shared_ptr<Norm> m_embeddingNorm;                   ///< may be null
    std::shared_ptr<Linear> m_projection;                    ///< of the embedding to the width; may be null
    std::shared_ptr<Linear> m_projectionBack;                ///< and back; may be null
    std::vector<std::shared_ptr<TransformerLayer>> m_layers; ///< each as often as it is gone through
    std::shared_ptr<NeighbourLayer> m_neighbours;            ///< may be null
    std::shared_ptr<Norm> m_norm;                            ///< of a pre-norm stack; may be null
};

/// Encoder and decoder; one embedding for source, target and, if tied, the output layer (3.4), or one for each side.
class Transformer : public SequenceToSequence {
public:
    /// @param head a Classification, read at the decoder's last token; None: it says what comes next alone
    explicit Transformer(const TransformerOptions& options, const EncoderHeadOptions& head = {});

    Memory encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) override;
    torch::Tensor decode(const torch::Tensor& target, const Memory& memory, const Context& context,
                         DecoderState* all) override;
    DecoderState rewound(const DecoderState& all, std::int64_t steps) const override;
    torch::Tensor logits(const torch::Tensor& decoded) override;
    torch::Tensor labels(const torch::Tensor& decoded) override;
    DecoderState start(const Memory& memory) override;
    torch::Tensor step(const torch::Tensor& last, DecoderState& state, const Memory& memory,
                       const Context& context) override;

private:
    TransformerOptions m_options;
    torch::nn::Embedding m_embedding{nullptr};
    torch::nn::Embedding m_targetEmbedding{nullptr}; ///< the same where there is one for both
    std::shared_ptr<Linear> m_untied;                ///< the output layer, if it is not the target's embedding
    torch::Tensor m_outputBias;                      ///< [1, V]; may be undefined
    std::shared_ptr<TransformerStack> m_encoder;
    std::shared_ptr<TransformerStack> m_decoder;
    std::shared_ptr<OutputHead> m_head; ///< may be null
};

/// The encoder alone, with segments and heads.
class TransformerEncoder : public TextEncoder {
public:
    /// @param head    None: none @param second a NextSentence beside it; null: none
    TransformerEncoder(const TransformerOptions& options, const EncoderHeadOptions& head,
                       const EncoderHeadOptions* second = nullptr);

    torch::Tensor encode(const torch::Tensor& ids, const torch::Tensor& segments, const torch::Tensor& mask,
                         const Context& context) override;
    EncoderHead head() const override { return m_head ? m_head->kind() : EncoderHead::None; }
    torch::Tensor logits(const torch::Tensor& hidden) override;
    torch::Tensor relationship(const torch::Tensor& hidden) override;

private:
    TransformerOptions m_options;
    torch::nn::Embedding m_embedding{nullptr};
    torch::nn::Embedding m_segments{nullptr}; ///< null without token types
    std::shared_ptr<TransformerStack> m_encoder;
    std::shared_ptr<OutputHead> m_head;   ///< may be null
    std::shared_ptr<OutputHead> m_second; ///< may be null
};

/// The decoder alone, or beside an encoder of another kind.
class TransformerDecoder : public CausalDecoder {
public:
    /// @param head what it says instead of what comes next, or MaskedLanguage: through what it says that; None: that
    explicit TransformerDecoder(const TransformerOptions& options, const EncoderHeadOptions& head = {});

    torch::Tensor decode(const torch::Tensor& ids, DecoderState& state, const Context& context,
                         const Memory* memory) override;
    std::vector<torch::Tensor> projectMemory(const torch::Tensor& states) override;
    EncoderHead head() const override;
    torch::Tensor logits(const torch::Tensor& decoded) override;

private:
    TransformerOptions m_options;
    torch::nn::Embedding m_embedding{nullptr};
    torch::nn::Embedding m_segments{nullptr}; ///< null without token types; all tokens have the first
    std::shared_ptr<Linear> m_untied;         ///< the output layer, if it is not the embedding
    std::shared_ptr<TransformerStack> m_decoder;
    std::shared_ptr<OutputHead> m_head; ///< may be null
};

} // namespace headlight
