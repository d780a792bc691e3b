#include "core/nn/transformer.h"

#include "core/nn/dropout.h"

#include <torch/nn/init.h>

#include <cmath>
#include <string>

namespace headlight {

namespace {

/// A mask over keys, [B, S] -> [B, 1, 1, S]; undefined stays undefined.
torch::Tensor overHeads(const torch::Tensor& mask) {
    return mask.defined() ? mask.unsqueeze(1).unsqueeze(1) : mask;
}

torch::nn::Embedding embedding(std::int64_t rows, const TransformerOptions& options) {
    auto weight = torch::empty({rows, options.width});
    if (options.initialise)
        torch::nn::init::normal_(weight, 0, 1.0 / std::sqrt(static_cast<double>(options.width)));
    return torch::nn::Embedding(torch::nn::EmbeddingOptions(rows, options.width)._weight(weight));
}

std::shared_ptr<Linear> linear(std::int64_t inputs, std::int64_t outputs, bool bias,
                               const TransformerOptions& options) {
    return std::make_shared<Linear>(
        LinearOptions{.inputs = inputs, .outputs = outputs, .bias = bias, .initialise = options.initialise});
}

/// [B, T] -> [B, T, W]
torch::Tensor tokenVectors(torch::nn::Embedding& vectors, const torch::Tensor& ids, const TransformerOptions& options) {
    const auto found = vectors(ids);
    return options.scaleEmbedding ? found * std::sqrt(static_cast<double>(options.width)) : found;
}

/// What an output layer without bias says, [..., W] -> [..., V].
torch::Tensor outputs(const torch::Tensor& decoded, const std::shared_ptr<Linear>& untied,
                      const torch::nn::Embedding& tied, const TransformerOptions& options) {
    const auto read = options.outputScale == 1 ? decoded : decoded * options.outputScale;
    return untied ? untied->forward(read) : affine(read, tied->weight, {});
}

} // namespace

TransformerLayer::TransformerLayer(const TransformerOptions& options, BlockKind kind, bool cross, int layer)
    : m_options(options), m_kind(kind), m_layer(layer) {
    const auto norm = [&] { return std::make_shared<Norm>(options); };
    m_selfAttention = register_module("self_attn", std::make_shared<MultiHeadAttention>(options));
    m_selfNorm = register_module("self_attn_layer_norm", norm());
    if (cross) {
        m_crossAttention = register_module("encoder_attn", std::make_shared<MultiHeadAttention>(options));
        m_crossNorm = register_module("encoder_attn_layer_norm", norm());
    }
    m_expand = register_module("fc1", linear(options.width, options.feedForward, options.feedForwardBias, options));
    m_contract = register_module("fc2", linear(options.feedForward, options.width, options.feedForwardBias, options));
    if (options.gated)
        m_gate = register_module("fc3", linear(options.width, options.feedForward, options.feedForwardBias, options));
    m_finalNorm = register_module("final_layer_norm", norm());
}

MultiHeadAttention::KeyValue TransformerLayer::projectMemory(const torch::Tensor& memory) {
    return m_crossAttention->project(memory);
}

template <class Sublayer>
torch::Tensor TransformerLayer::residual(const torch::Tensor& states, Norm& norm, const Sublayer& sublayer) {
    const auto drop = [&](const torch::Tensor& x) { return withDropout(x, m_options.dropout, is_training()); };
    if (m_options.norm == NormPlacement::Pre)
        return states + drop(sublayer(norm.forward(states)));
    return norm.forward(states + drop(sublayer(states)));
}

torch::Tensor TransformerLayer::feedForward(const torch::Tensor& states) {
    auto inner = activate(m_expand->forward(states), m_options.activation); // [B, T, d_ff]
    if (m_gate)
        inner = inner * m_gate->forward(states);
    return m_contract->forward(withDropout(inner, m_options.dropout, is_training()));
}

torch::Tensor TransformerLayer::forward(const torch::Tensor& states, const Inputs& inputs, const Context& context) {
    auto x = residual(states, *m_selfNorm, [&](const torch::Tensor& y) {
        auto own = m_selfAttention->project(y, inputs.self.rotation);
        if (inputs.past) {
            if (inputs.past->key.defined())
                own = {torch::cat({inputs.past->key, own.key}, 2), torch::cat({inputs.past->value, own.value}, 2)};
            *inputs.past = own;
        }
        return m_selfAttention->forward(y, own, inputs.self, {m_kind, m_layer, inputs.first}, context);
    });
    if (m_crossAttention) {
        x = residual(x, *m_crossNorm, [&](const torch::Tensor& y) {
            const MultiHeadAttention::Scoring scoring{.mask = inputs.memoryMask, .distances = {}, .rotation = {}};
            return m_crossAttention->forward(y, inputs.memory, scoring, {BlockKind::Cross, m_layer, inputs.first},
                                             context);
        });
    }
    return residual(x, *m_finalNorm, [&](const torch::Tensor& y) { return feedForward(y); });
}

TransformerStack::TransformerStack(const TransformerOptions& options, BlockKind kind, bool cross)
    : m_options(options), m_kind(kind),
      m_positions(register_module("embed_positions", std::make_shared<Positions>(options, kind))) {
    if (options.embeddingNorm)
        m_embeddingNorm = register_module("layernorm_embedding", std::make_shared<Norm>(options));
    auto list = register_module("layers", std::make_shared<torch::nn::Module>("layers"));
    const int count = kind == BlockKind::Decoder ? options.decoderLayers : options.encoderLayers;
    for (int layer = 0; layer < count; ++layer)
        m_layers.push_back(list->register_module(std::to_string(layer),
                                                 std::make_shared<TransformerLayer>(options, kind, cross, layer)));
    if (options.norm == NormPlacement::Pre)
        m_norm = register_module("layer_norm", std::make_shared<Norm>(options));
}

std::vector<torch::Tensor> TransformerStack::projectMemory(const torch::Tensor& states) {
    std::vector<torch::Tensor> projected;
    for (const auto& layer : m_layers) {
        const auto own = layer->projectMemory(states);
        projected.insert(projected.end(), {own.key, own.value});
    }
    return projected;
}

/// [queries, keys], the queries being the last of the keys; undefined when all may be seen.
torch::Tensor TransformerStack::causalMask(std::int64_t queries, std::int64_t keys, const torch::Device& device) const {
    const bool narrow = m_options.window > 0 && keys > m_options.window;
    if (queries == 1 && !narrow)
        return {};
    const auto before =
        torch::ones({queries, keys}, torch::TensorOptions(torch::kBool).device(device)).tril(keys - queries);
    return narrow ? before.triu(keys - queries - m_options.window + 1) : before;
}

torch::Tensor TransformerStack::forward(const torch::Tensor& tokens, const Inputs& inputs, const Context& context) {
    const auto first = inputs.state ? inputs.state->steps : 0;
    const auto placed = m_positions->place(tokens, first, inputs.rows, context);
    auto x = placed.vectors.defined() ? tokens + placed.vectors : tokens;
    if (inputs.segments.defined())
        x = x + inputs.segments;
    if (context.watch)
        context.watch->input(m_kind, tokens, placed.vectors, x);
    if (m_embeddingNorm)
        x = m_embeddingNorm->forward(x);
    x = withDropout(x, m_options.dropout, is_training());

    TransformerLayer::Inputs attended;
    attended.self = {.mask = m_kind == BlockKind::Decoder
                                 ? causalMask(tokens.size(1), first + tokens.size(1), tokens.device())
                                 : overHeads(inputs.mask),
                     .distances = placed.distances,
                     .rotation = {placed.cosines, placed.sines}};
    attended.first = first;
    if (inputs.memory)
        attended.memoryMask = overHeads(inputs.memory->mask);
    if (inputs.state)
        inputs.state->tensors.resize(2 * m_layers.size());
    const bool sparse = m_options.blocks && usesBlockSparse(tokens.size(1), *m_options.blocks);
    for (std::size_t layer = 0; layer < m_layers.size(); ++layer) {
        context.checkStop();
        BlockSparsePattern blocks;
        if (sparse) {
            blocks = blockSparsePattern(tokens.size(1), m_options.heads, static_cast<std::int64_t>(layer),
                                        *m_options.blocks);
            attended.self.blocks = &blocks;
        }
        const auto key = 2 * layer, value = key + 1;
        if (inputs.memory)
            attended.memory = {inputs.memory->extra[key], inputs.memory->extra[value]};
        MultiHeadAttention::KeyValue past;
        if (inputs.state) {
            past = {inputs.state->tensors[key], inputs.state->tensors[value]};
            attended.past = &past;
        }
        x = m_layers[layer]->forward(x, attended, context);
        if (inputs.state) {
            inputs.state->tensors[key] = past.key;
            inputs.state->tensors[value] = past.value;
        }
    }
    if (inputs.state)
        inputs.state->steps += tokens.size(1);
    return m_norm ? m_norm->forward(x) : x;
}

Transformer::Transformer(const TransformerOptions& options)
    : m_options(options), m_embedding(register_module("shared", embedding(options.vocabulary, options))) {
    if (options.outputBias)
        m_outputBias = register_buffer("final_logits_bias", torch::zeros({1, options.vocabulary}));
    m_encoder = register_module("encoder", std::make_shared<TransformerStack>(options, BlockKind::Encoder, false));
    m_decoder = register_module("decoder", std::make_shared<TransformerStack>(options, BlockKind::Decoder, true));
    if (!options.tiedOutput)
        m_untied = register_module("lm_head", linear(options.width, options.vocabulary, false, options));
}

Memory Transformer::encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) {
    const auto states = m_encoder->forward(tokenVectors(m_embedding, source, m_options),
                                           {.mask = mask, .rows = {}, .segments = {}}, context);
    return {states, mask, m_decoder->projectMemory(states)};
}

torch::Tensor Transformer::decode(const torch::Tensor& target, const Memory& memory, const Context& context) {
    return m_decoder->forward(tokenVectors(m_embedding, target, m_options),
                              {.mask = {}, .rows = {}, .segments = {}, .memory = &memory},
                              context); // [B, T, W]
}

torch::Tensor Transformer::logits(const torch::Tensor& decoded) {
    const auto values = outputs(decoded, m_untied, m_embedding, m_options); // [..., V]
    return m_outputBias.defined() ? values + m_outputBias : values;
}

DecoderState Transformer::start(const Memory&) {
    return {};
}

torch::Tensor Transformer::step(const torch::Tensor& last, DecoderState& state, const Memory& memory,
                                const Context& context) {
    return m_decoder
        ->forward(tokenVectors(m_embedding, last.unsqueeze(1), m_options),
                  {.mask = {}, .rows = {}, .segments = {}, .memory = &memory, .state = &state}, context)
        .squeeze(1); // [B, W]
}

TransformerEncoder::TransformerEncoder(const TransformerOptions& options, const EncoderHeadOptions& head)
    : m_options(options), m_head(head), m_embedding(register_module("shared", embedding(options.vocabulary, options))) {
    if (options.tokenTypes > 0)
        m_segments = register_module("token_types", embedding(options.tokenTypes, options));
    m_encoder = register_module("encoder", std::make_shared<TransformerStack>(options, BlockKind::Encoder, false));
    const auto width = options.width;
    switch (head.kind) {
    case EncoderHead::None:
        break;
    case EncoderHead::MaskedLanguage:
        m_dense = register_module("head_dense", linear(width, width, true, options));
        m_norm = register_module("head_layer_norm", std::make_shared<Norm>(options));
        if (!options.tiedOutput)
            m_output = register_module("head_output", linear(width, options.vocabulary, false, options));
        m_outputBias = register_parameter("head_bias", torch::zeros({options.vocabulary}));
        break;
    case EncoderHead::Classification:
        m_dense = register_module("pooler", linear(width, width, true, options));
        m_output = register_module("classifier", linear(width, head.labels, true, options));
        break;
    }
}

torch::Tensor TransformerEncoder::encode(const torch::Tensor& ids, const torch::Tensor& segments,
                                         const torch::Tensor& mask, const Context& context) {
    torch::Tensor segmentVectors; // [B, T, W]
    if (m_segments)
        segmentVectors = m_segments(segments.defined() ? segments : torch::zeros_like(ids));
    torch::Tensor rows;
    if (m_options.uncounted >= 0) {
        const auto counted = ids.ne(m_options.uncounted).to(torch::kInt64);
        rows = torch::cumsum(counted, 1) * counted + m_options.uncounted; // [B, T]
    }
    return m_encoder->forward(tokenVectors(m_embedding, ids, m_options),
                              {.mask = mask, .rows = rows, .segments = segmentVectors}, context);
}

torch::Tensor TransformerEncoder::logits(const torch::Tensor& hidden) {
    TORCH_INTERNAL_ASSERT(m_dense, "this encoder has no head");
    if (m_head.kind == EncoderHead::Classification)
        return m_output->forward(activate(m_dense->forward(hidden.select(1, 0)), m_head.activation)); // [B, labels]
    const auto read = m_norm->forward(activate(m_dense->forward(hidden), m_head.activation));
    return outputs(read, m_output, m_embedding, m_options) + m_outputBias; // [B, T, V]
}

TransformerDecoder::TransformerDecoder(const TransformerOptions& options)
    : m_options(options), m_embedding(register_module("shared", embedding(options.vocabulary, options))),
      m_decoder(register_module("decoder", std::make_shared<TransformerStack>(options, BlockKind::Decoder, false))) {
    if (!options.tiedOutput)
        m_untied = register_module("lm_head", linear(options.width, options.vocabulary, false, options));
}

torch::Tensor TransformerDecoder::decode(const torch::Tensor& ids, DecoderState& state, const Context& context) {
    return m_decoder->forward(tokenVectors(m_embedding, ids, m_options),
                              {.mask = {}, .rows = {}, .segments = {}, .state = &state},
                              context); // [B, T, W]
}

torch::Tensor TransformerDecoder::logits(const torch::Tensor& decoded) {
    return outputs(decoded, m_untied, m_embedding, m_options); // [..., V]
}

} // namespace headlight
