#include "core/nn/transformer.h"

#include "core/nn/dropout.h"

#include <torch/torch.h>

#include <cmath>
#include <string>

namespace headlight {

namespace {

torch::nn::LayerNorm layerNorm(std::int64_t width) {
    return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-5));
}

torch::Tensor activate(const torch::Tensor& values, Activation activation) {
    switch (activation) {
    case Activation::Gelu:
        return torch::gelu(values);
    case Activation::Silu:
        return torch::silu(values);
    case Activation::Relu:
        break;
    }
    return torch::relu(values);
}

/// A mask over keys, [B, S] -> [B, 1, 1, S]; undefined stays undefined.
torch::Tensor overHeads(const torch::Tensor& mask) {
    return mask.defined() ? mask.unsqueeze(1).unsqueeze(1) : mask;
}

} // namespace

TransformerLayer::TransformerLayer(const TransformerOptions& options, BlockKind kind, int layer)
    : m_options(options), m_kind(kind), m_layer(layer) {
    const auto attention = [&] {
        return std::make_shared<MultiHeadAttention>(options.width, options.heads, options.dropout);
    };
    m_selfAttention = register_module("self_attn", attention());
    m_selfNorm = register_module("self_attn_layer_norm", layerNorm(options.width));
    if (kind == BlockKind::Decoder) {
        m_crossAttention = register_module("encoder_attn", attention());
        m_crossNorm = register_module("encoder_attn_layer_norm", layerNorm(options.width));
    }
    m_expand = register_module("fc1", torch::nn::Linear(options.width, options.feedForward));
    m_contract = register_module("fc2", torch::nn::Linear(options.feedForward, options.width));
    m_finalNorm = register_module("final_layer_norm", layerNorm(options.width));
    for (auto& linear : {m_expand, m_contract}) {
        torch::nn::init::xavier_uniform_(linear->weight);
        torch::nn::init::zeros_(linear->bias);
    }
}

MultiHeadAttention::KeyValue TransformerLayer::projectMemory(const torch::Tensor& memory) {
    return m_crossAttention->project(memory);
}

template <class Sublayer>
torch::Tensor TransformerLayer::residual(const torch::Tensor& states, torch::nn::LayerNorm& norm,
                                         const Sublayer& sublayer) {
    const auto drop = [&](const torch::Tensor& x) { return withDropout(x, m_options.dropout, is_training()); };
    if (m_options.norm == NormPlacement::Pre)
        return states + drop(sublayer(norm(states)));
    return norm(states + drop(sublayer(states)));
}

torch::Tensor TransformerLayer::forward(const torch::Tensor& states, const Inputs& inputs, const Context& context) {
    auto x = residual(states, m_selfNorm, [&](const torch::Tensor& y) {
        auto own = m_selfAttention->project(y);
        if (inputs.past) {
            if (inputs.past->key.defined())
                own = {torch::cat({inputs.past->key, own.key}, 2), torch::cat({inputs.past->value, own.value}, 2)};
            *inputs.past = own;
        }
        return m_selfAttention->forward(y, own, inputs.selfMask, {m_kind, m_layer}, context);
    });
    if (m_crossAttention) {
        x = residual(x, m_crossNorm, [&](const torch::Tensor& y) {
            return m_crossAttention->forward(y, inputs.memory, inputs.memoryMask, {BlockKind::Cross, m_layer}, context);
        });
    }
    return residual(x, m_finalNorm, [&](const torch::Tensor& y) {
        return m_contract(withDropout(activate(m_expand(y), m_options.activation), m_options.dropout, is_training()));
    });
}

TransformerStack::TransformerStack(const TransformerOptions& options, BlockKind kind)
    : m_options(options), m_positions(register_module("embed_positions", std::make_shared<Positions>(options))) {
    if (options.embeddingNorm)
        m_embeddingNorm = register_module("layernorm_embedding", layerNorm(options.width));
    auto list = register_module("layers", std::make_shared<torch::nn::Module>("layers"));
    const int count = kind == BlockKind::Decoder ? options.decoderLayers : options.encoderLayers;
    for (int layer = 0; layer < count; ++layer)
        m_layers.push_back(
            list->register_module(std::to_string(layer), std::make_shared<TransformerLayer>(options, kind, layer)));
    if (options.norm == NormPlacement::Pre)
        m_norm = register_module("layer_norm", layerNorm(options.width));
}

torch::Tensor TransformerStack::embed(torch::Tensor tokens, std::int64_t first, const Context& context) {
    auto x = m_positions->forward(tokens, first, context);
    if (m_embeddingNorm)
        x = m_embeddingNorm(x);
    return withDropout(x, m_options.dropout, is_training());
}

torch::Tensor TransformerStack::finish(const torch::Tensor& states) {
    return m_norm ? m_norm(states) : states;
}

Transformer::Transformer(const TransformerOptions& options)
    : m_options(options),
      m_embedding(register_module("shared", torch::nn::Embedding(options.vocabulary, options.width))),
      m_outputBias(register_buffer("final_logits_bias", torch::zeros({1, options.vocabulary}))),
      m_encoder(register_module("encoder", std::make_shared<TransformerStack>(options, BlockKind::Encoder))),
      m_decoder(register_module("decoder", std::make_shared<TransformerStack>(options, BlockKind::Decoder))) {
    torch::nn::init::normal_(m_embedding->weight, 0, 1.0 / std::sqrt(static_cast<double>(options.width)));
}

torch::Tensor Transformer::tokenVectors(const torch::Tensor& ids) {
    const auto vectors = m_embedding(ids); // [B, T, W]
    return m_options.scaleEmbedding ? vectors * std::sqrt(static_cast<double>(m_options.width)) : vectors;
}

Memory Transformer::encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) {
    auto x = m_encoder->embed(tokenVectors(source), 0, context); // [B, S, W]
    for (const auto& layer : m_encoder->layers()) {
        context.checkStop();
        x = layer->forward(x, {.selfMask = overHeads(mask), .memory = {}, .memoryMask = {}}, context);
    }
    Memory memory{m_encoder->finish(x), mask, {}};
    for (const auto& layer : m_decoder->layers()) {
        const auto projected = layer->projectMemory(memory.states);
        memory.extra.insert(memory.extra.end(), {projected.key, projected.value});
    }
    return memory;
}

torch::Tensor Transformer::decode(const torch::Tensor& target, const Memory& memory, const Context& context) {
    const auto length = target.size(1);
    const auto causal = torch::ones({length, length}, target.options().dtype(torch::kBool)).tril();
    auto x = m_decoder->embed(tokenVectors(target), 0, context); // [B, T, W]
    std::size_t extra = 0;
    for (const auto& layer : m_decoder->layers()) {
        context.checkStop();
        x = layer->forward(x,
                           {.selfMask = causal,
                            .memory = {memory.extra[extra], memory.extra[extra + 1]},
                            .memoryMask = overHeads(memory.mask)},
                           context);
        extra += 2;
    }
    return m_decoder->finish(x);
}

torch::Tensor Transformer::logits(const torch::Tensor& decoded) {
    return torch::nn::functional::linear(decoded, m_embedding->weight) + m_outputBias; // [..., V]
}

DecoderState Transformer::start(const Memory&) {
    return {};
}

torch::Tensor Transformer::step(const torch::Tensor& last, DecoderState& state, const Memory& memory) {
    const Context unwatched;
    auto x = m_decoder->embed(tokenVectors(last.unsqueeze(1)), state.steps, unwatched); // [B, 1, W]
    state.tensors.resize(memory.extra.size());
    std::size_t extra = 0;
    for (const auto& layer : m_decoder->layers()) {
        MultiHeadAttention::KeyValue past{state.tensors[extra], state.tensors[extra + 1]};
        x = layer->forward(x,
                           {.selfMask = {},
                            .memory = {memory.extra[extra], memory.extra[extra + 1]},
                            .memoryMask = overHeads(memory.mask),
                            .past = &past},
                           unwatched);
        state.tensors[extra] = past.key;
        state.tensors[extra + 1] = past.value;
        extra += 2;
    }
    ++state.steps;
    return m_decoder->finish(x).squeeze(1); // [B, W]
}

} // namespace headlight
