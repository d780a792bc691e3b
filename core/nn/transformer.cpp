#include "core/nn/transformer.h"

#include "core/nn/dropout.h"
#include "core/nn/probe.h"

#include <torch/nn/init.h>

#include <cmath>
#include <map>
#include <string>

namespace headlight {

namespace {

/// A mask over keys, [B, S] -> [B, 1, 1, S]; undefined stays undefined.
torch::Tensor overHeads(const torch::Tensor& mask) {
    return mask.defined() ? mask.unsqueeze(1).unsqueeze(1) : mask;
}

torch::nn::Embedding embedding(std::int64_t rows, const TransformerOptions& options) {
    const auto width = options.widthOfEmbedding();
    auto weight = torch::empty({rows, width});
    if (options.initialise)
        torch::nn::init::normal_(weight, 0, 1.0 / std::sqrt(static_cast<double>(width)));
    return torch::nn::Embedding(torch::nn::EmbeddingOptions(rows, width)._weight(weight));
}

std::shared_ptr<Linear> linear(std::int64_t inputs, std::int64_t outputs, bool bias,
                               const TransformerOptions& options) {
    return std::make_shared<Linear>(
        LinearOptions{.inputs = inputs, .outputs = outputs, .bias = bias, .initialise = options.initialise});
}

/// [B, T] -> [B, T, W]
torch::Tensor tokenVectors(torch::nn::Embedding& vectors, const torch::Tensor& ids, const TransformerOptions& options,
                           BlockKind stack, const Context& context) {
    auto found = vectors(ids);
    if (context.probe)
        found = context.probe->embedded(stack, found);
    return options.scaleEmbedding ? found * std::sqrt(static_cast<double>(options.width)) : found;
}

/// What the output layer says, [..., W] -> [..., V]. @param bias [V], may be undefined
torch::Tensor outputs(const torch::Tensor& decoded, const std::shared_ptr<Linear>& untied,
                      const torch::nn::Embedding& tied, const torch::Tensor& bias, const TransformerOptions& options) {
    const auto read = options.outputScale == 1 ? decoded : decoded * options.outputScale;
    auto values = untied ? untied->forward(read) : affine(read, tied->weight, bias);
    if (untied && bias.defined())
        values = values + bias;
    return options.outputCap > 0 ? options.outputCap * torch::tanh(values / options.outputCap) : values;
}

/// RoBERTa's positions: which row of the table is each token's, [B, T]; undefined where they just count.
/// @param before tokens before these
torch::Tensor countedRows(const torch::Tensor& ids, std::int64_t before, const TransformerOptions& options) {
    if (options.uncounted < 0)
        return {};
    const auto counted = ids.ne(options.uncounted).to(torch::kInt64);
    return (torch::cumsum(counted, 1) + before) * counted + options.uncounted;
}

/// Options of attention to an encoder: nothing of distances, for the texts are two.
TransformerOptions ofCross(TransformerOptions options) {
    options.distanceVectors = DistanceVectors::None;
    options.disentangled.reset();
    options.globalProjections = false;
    return options;
}

} // namespace

TransformerLayer::TransformerLayer(const TransformerOptions& options, BlockKind kind, bool cross, bool first)
    : m_options(options), m_kind(kind) {
    const auto norm = [&] { return std::make_shared<Norm>(options); };
    m_selfAttention = register_module("self_attn", std::make_shared<MultiHeadAttention>(options));
    if (options.firstNorm || !first)
        m_selfNorm = register_module("self_attn_layer_norm", norm());
    if (options.sublayerNorms) {
        m_afterAttention = register_module("self_attn_after_norm", norm());
        m_afterFeedForward = register_module("final_after_norm", norm());
    }
    if (cross) {
        m_crossAttention = register_module("encoder_attn", std::make_shared<MultiHeadAttention>(ofCross(options)));
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
torch::Tensor TransformerLayer::residual(const torch::Tensor& states, const Around& around, const Context& context,
                                         const Sublayer& sublayer) {
    const auto drop = [&](const torch::Tensor& x) { return withDropout(x, m_options.dropout, is_training()); };
    const auto normed = [](Norm* by, const torch::Tensor& x) { return by ? by->forward(x) : x; };
    const bool post = m_options.norm == NormPlacement::Post;
    const auto read = post ? states : normed(around.norm, states);
    const auto& kept = m_options.residualOfNorm && !post ? read : states;
    const auto given = sublayer(read);
    const auto output = post ? normed(around.norm, states + drop(given)) : kept + drop(normed(around.after, given));
    if (context.probe)
        context.probe->sublayer({around.kind, around.layer, around.feedForward, states, kept, given, output,
                                 around.last.bias(), post ? around.norm : nullptr, post ? nullptr : around.norm,
                                 around.after});
    return output;
}

torch::Tensor TransformerLayer::attendToSelf(const torch::Tensor& states, const Inputs& inputs,
                                             const Context& context) {
    auto [query, own] = m_selfAttention->projectAll(states, inputs.self.rotation);
    if (inputs.past) {
        if (inputs.past->key.defined())
            own = {torch::cat({inputs.past->key, own.key}, 2), torch::cat({inputs.past->value, own.value}, 2)};
        *inputs.past = own;
    }
    return m_selfAttention->forward(states, own, inputs.self, {m_kind, inputs.layer, inputs.first}, context, query);
}

torch::Tensor TransformerLayer::feedForward(const torch::Tensor& states) {
    auto inner = activate(m_expand->forward(states), m_options.activation); // [B, T, d_ff]
    if (m_gate)
        inner = inner * m_gate->forward(states);
    return m_contract->forward(withDropout(inner, m_options.dropout, is_training()));
}

torch::Tensor TransformerLayer::forward(const torch::Tensor& states, const Inputs& inputs, const Context& context) {
    const auto attend = [&](const torch::Tensor& y) { return attendToSelf(y, inputs, context); };
    const auto feed = [&](const torch::Tensor& y) { return feedForward(y); };
    auto x = residual(
        states, {m_selfNorm.get(), m_afterAttention.get(), m_selfAttention->output(), m_kind, false, inputs.layer},
        context, attend);
    const Around fed{m_finalNorm.get(), m_afterFeedForward.get(), *m_contract, m_kind, true, inputs.layer};
    if (m_options.parallelSublayers) { // x is the states and what attention gives
        const auto given = feed(m_finalNorm->forward(states));
        const auto output = x + withDropout(given, m_options.dropout, is_training());
        if (context.probe)
            context.probe->sublayer(
                {fed.kind, fed.layer, true, x, x, given, output, fed.last.bias(), nullptr, fed.norm, nullptr});
        return output;
    }
    if (m_crossAttention && inputs.memory.key.defined()) {
        const Around around{m_crossNorm.get(), nullptr, m_crossAttention->output(),
                            BlockKind::Cross,  false,   inputs.layer};
        x = residual(x, around, context, [&](const torch::Tensor& y) {
            const MultiHeadAttention::Scoring scoring{.mask = inputs.memoryMask, .distances = {}, .rotation = {}};
            return m_crossAttention->forward(y, inputs.memory, scoring, {BlockKind::Cross, inputs.layer, inputs.first},
                                             context);
        });
    }
    return residual(x, fed, context, feed);
}

NeighbourLayer::NeighbourLayer(const TransformerOptions& options)
    : m_options(options.neighbours.value()),
      m_weight(register_parameter("weight",
                                  torch::empty({options.width, options.width / m_options.groups, m_options.size}))),
      m_bias(register_parameter("bias", torch::zeros({options.width}))),
      m_norm(register_module("norm", std::make_shared<Norm>(options))) {
    if (options.initialise)
        torch::nn::init::xavier_uniform_(m_weight);
}

torch::Tensor NeighbourLayer::forward(const torch::Tensor& before, const torch::Tensor& after) {
    const auto read =
        torch::conv1d(before.transpose(1, 2), m_weight, m_bias, 1, (m_options.size - 1) / 2, 1, m_options.groups)
            .transpose(1, 2); // [B, T, W]
    return m_norm->forward(after + activate(read, m_options.activation));
}

TransformerStack::TransformerStack(const TransformerOptions& options, BlockKind kind, bool cross)
    : m_options(kind == BlockKind::Decoder ? options.ofDecoder() : options), m_kind(kind),
      m_positions(register_module("embed_positions", std::make_shared<Positions>(m_options, kind))) {
    if (options.windowRotary) {
        auto ofWindows = m_options;
        ofWindows.rotary = *options.windowRotary;
        m_windowPositions = std::make_shared<Positions>(ofWindows, kind); // computed: nothing to register
    }
    if (options.relativeToo) {
        auto relative = m_options;
        relative.position = PositionKind::Relative;
        m_relative = register_module("relative_positions", std::make_shared<Positions>(relative, kind));
    }
    if (options.disentangled)
        m_disentangled = register_module("distances", std::make_shared<DisentangledPositions>(options));
    const auto embedded = options.widthOfEmbedding();
    if (options.embeddingNorm)
        m_embeddingNorm = register_module(
            "layernorm_embedding", std::make_shared<Norm>(options, options.projectsTokens ? options.width : embedded));
    if (embedded != options.width) {
        m_projection = register_module("projection", linear(embedded, options.width, !options.projectsTokens, options));
        if (options.projectsTokens)
            m_projectionBack = register_module("projection_back", linear(options.width, embedded, false, options));
    }
    auto list = register_module("layers", std::make_shared<torch::nn::Module>("layers"));
    const int count = kind == BlockKind::Decoder ? options.decoderLayers : options.encoderLayers;
    const int different = options.differentLayers > 0 ? options.differentLayers : count;
    for (int layer = 0; layer < count; ++layer) {
        const int group = layer * different / count;
        if (layer == 0 || group != (layer - 1) * different / count)
            m_layers.push_back(list->register_module(
                std::to_string(group), std::make_shared<TransformerLayer>(m_options, kind, cross, layer == 0)));
        else
            m_layers.push_back(m_layers.back());
    }
    if (options.neighbours)
        m_neighbours = register_module("neighbours", std::make_shared<NeighbourLayer>(options));
    if (options.norm == NormPlacement::Pre && options.finalNorm)
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
torch::Tensor TransformerStack::causalMask(std::int64_t queries, std::int64_t keys, std::int64_t window,
                                           const torch::Device& device) const {
    const bool narrow = window > 0 && keys > window;
    if (queries == 1 && !narrow)
        return {};
    const auto before =
        torch::ones({queries, keys}, torch::TensorOptions(torch::kBool).device(device)).tril(keys - queries);
    return narrow ? before.triu(keys - queries - window + 1) : before;
}

torch::Tensor TransformerStack::windowMask(std::int64_t tokens, std::int64_t window, const torch::Tensor& global,
                                           const torch::Device& device) const {
    if (window <= 0 || tokens <= window + 1)
        return {};
    auto seen =
        torch::ones({tokens, tokens}, torch::TensorOptions(torch::kBool).device(device)).triu(-window).tril(window);
    return global.defined() ? seen.index_fill_(0, global, 1).index_fill_(1, global, 1) : seen;
}

torch::Tensor TransformerStack::maskOf(std::size_t layer, const torch::Tensor& padding, std::int64_t queries,
                                       std::int64_t keys, const torch::Tensor& global,
                                       const torch::Device& device) const {
    const auto window = m_options.windowOf(layer);
    if (m_kind == BlockKind::Decoder)
        return causalMask(queries, keys, window, device);
    const auto seen = windowMask(keys, window, global, device);
    return !seen.defined() ? padding : padding.defined() ? padding.logical_and(seen) : seen;
}

torch::Tensor TransformerStack::forward(const torch::Tensor& tokens, const Inputs& inputs, const Context& context) {
    const auto first = inputs.state ? inputs.state->steps : 0;
    const auto vectors = m_projection && m_options.projectsTokens ? m_projection->forward(tokens) : tokens;
    const auto placed = m_positions->place(vectors, first, inputs.rows, context);
    const Context unwatched{};
    const auto ofWindows = m_windowPositions ? m_windowPositions->place(vectors, first, {}, unwatched) : placed;
    auto x = placed.vectors.defined() ? vectors + placed.vectors : vectors;
    if (inputs.segments.defined())
        x = x + inputs.segments;
    if (context.watch)
        context.watch->input(m_kind, vectors, placed.vectors, x);
    if (context.probe)
        context.probe->input({m_kind, vectors, placed.vectors, x, m_embeddingNorm.get()});
    if (m_embeddingNorm)
        x = m_embeddingNorm->forward(x);
    if (m_projection && !m_options.projectsTokens)
        x = m_projection->forward(x);
    x = withDropout(x, m_options.dropout, is_training());

    const auto count = tokens.size(1);
    TransformerLayer::Inputs attended;
    attended.self.padding = overHeads(inputs.mask);
    attended.self.distances =
        m_relative ? m_relative->place(vectors, first, {}, unwatched).distances : placed.distances;
    if (m_disentangled) {
        attended.self.distanceVectors = m_disentangled->vectors();
        attended.self.distanceIndex = m_disentangled->index(count);
    }
    if (context.global && !context.global->empty())
        attended.self.global =
            torch::tensor(*context.global, torch::TensorOptions(torch::kInt64).device(tokens.device()));
    attended.first = first;
    std::map<std::int64_t, torch::Tensor> masks; // by windows
    if (inputs.memory)
        attended.memoryMask = overHeads(inputs.memory->mask);
    if (inputs.state)
        inputs.state->tensors.resize(2 * m_layers.size());
    const bool sparse = m_options.blocks && usesBlockSparse(tokens.size(1), *m_options.blocks);
    for (std::size_t layer = 0; layer < m_layers.size(); ++layer) {
        context.checkStop();
        const auto window = m_options.windowOf(layer);
        const auto [mask, isNew] = masks.try_emplace(window);
        if (isNew)
            mask->second =
                maskOf(layer, attended.self.padding, count, first + count, attended.self.global, tokens.device());
        attended.self.mask = mask->second;
        const auto& turn = window > 0 ? ofWindows : placed;
        attended.self.rotation = m_options.turns(layer) ? MultiHeadAttention::Rotation{turn.cosines, turn.sines}
                                                        : MultiHeadAttention::Rotation{};
        attended.layer = static_cast<int>(layer);
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
        if (context.probe)
            x = context.probe->stream({m_kind, attended.layer, x, m_norm.get(), m_projectionBack.get()});
        const auto before = x;
        x = m_layers[layer]->forward(x, attended, context);
        if (layer == 0 && m_neighbours)
            x = m_neighbours->forward(before, x);
        if (inputs.state) {
            inputs.state->tensors[key] = past.key;
            inputs.state->tensors[value] = past.value;
        }
    }
    if (inputs.state)
        inputs.state->steps += count;
    if (context.probe)
        x = context.probe->stream({m_kind, static_cast<int>(m_layers.size()), x, m_norm.get(), m_projectionBack.get()});
    if (m_norm)
        x = m_norm->forward(x);
    return m_projectionBack ? m_projectionBack->forward(x) : x;
}

Transformer::Transformer(const TransformerOptions& options, const EncoderHeadOptions& head)
    : m_options(options), m_embedding(register_module("shared", embedding(options.vocabulary, options))),
      m_targetEmbedding(m_embedding) {
    if (options.targetVocabulary > 0)
        m_targetEmbedding = register_module("target_shared", embedding(options.targetVocabulary, options));
    if (options.outputBias)
        m_outputBias = register_buffer("final_logits_bias", torch::zeros({1, options.wordsOfTarget()}));
    m_encoder = register_module("encoder", std::make_shared<TransformerStack>(options, BlockKind::Encoder, false));
    m_decoder = register_module("decoder", std::make_shared<TransformerStack>(options, BlockKind::Decoder, true));
    if (!options.tiedOutput)
        m_untied = register_module("lm_head", linear(options.width, options.wordsOfTarget(), false, options));
    if (head.kind != EncoderHead::None)
        m_head = register_module(OutputHead::nameOf(head.kind), std::make_shared<OutputHead>(options, head, false));
}

Memory Transformer::encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) {
    const auto states = m_encoder->forward(tokenVectors(m_embedding, source, m_options, BlockKind::Encoder, context),
                                           {.mask = mask, .rows = {}, .segments = {}}, context);
    return {states, mask, m_decoder->projectMemory(states)};
}

torch::Tensor Transformer::decode(const torch::Tensor& target, const Memory& memory, const Context& context,
                                  DecoderState* all) {
    return m_decoder->forward(tokenVectors(m_targetEmbedding, target, m_options, BlockKind::Decoder, context),
                              {.mask = {}, .rows = {}, .segments = {}, .memory = &memory, .state = all},
                              context); // [B, T, W]
}

DecoderState Transformer::rewound(const DecoderState& all, std::int64_t steps) const {
    return all.before(steps);
}

torch::Tensor Transformer::logits(const torch::Tensor& decoded) {
    const auto bias = m_outputBias.defined() ? m_outputBias.flatten() : m_outputBias;
    return outputs(decoded, m_untied, m_targetEmbedding, bias, m_options); // [..., V]
}

torch::Tensor Transformer::labels(const torch::Tensor& decoded) {
    return m_head ? m_head->forward(decoded, {}) : torch::Tensor();
}

DecoderState Transformer::start(const Memory&) {
    return {};
}

torch::Tensor Transformer::step(const torch::Tensor& last, DecoderState& state, const Memory& memory,
                                const Context& context) {
    return m_decoder
        ->forward(tokenVectors(m_targetEmbedding, last.unsqueeze(1), m_options, BlockKind::Decoder, context),
                  {.mask = {}, .rows = {}, .segments = {}, .memory = &memory, .state = &state}, context)
        .squeeze(1); // [B, W]
}

TransformerEncoder::TransformerEncoder(const TransformerOptions& options, const EncoderHeadOptions& head,
                                       const EncoderHeadOptions* second)
    : m_options(options), m_embedding(register_module("shared", embedding(options.vocabulary, options))) {
    if (options.tokenTypes > 0)
        m_segments = register_module("token_types", embedding(options.tokenTypes, options));
    m_encoder = register_module("encoder", std::make_shared<TransformerStack>(options, BlockKind::Encoder, false));
    const auto registered = [&](const EncoderHeadOptions& one) {
        const bool tied = one.kind == EncoderHead::MaskedLanguage && options.tiedOutput;
        return register_module(OutputHead::nameOf(one.kind), std::make_shared<OutputHead>(options, one, tied));
    };
    if (head.kind != EncoderHead::None)
        m_head = registered(head);
    if (second)
        m_second = registered(*second);
}

torch::Tensor TransformerEncoder::encode(const torch::Tensor& ids, const torch::Tensor& segments,
                                         const torch::Tensor& mask, const Context& context) {
    torch::Tensor segmentVectors; // [B, T, W]
    if (m_segments)
        segmentVectors = m_segments(segments.defined() ? segments : torch::zeros_like(ids));
    return m_encoder->forward(tokenVectors(m_embedding, ids, m_options, BlockKind::Encoder, context),
                              {.mask = mask, .rows = countedRows(ids, 0, m_options), .segments = segmentVectors},
                              context);
}

torch::Tensor TransformerEncoder::logits(const torch::Tensor& hidden) {
    TORCH_INTERNAL_ASSERT(m_head, "this encoder has no head");
    return m_head->forward(m_head->read(hidden), m_embedding->weight);
}

torch::Tensor TransformerEncoder::relationship(const torch::Tensor& hidden) {
    return m_second ? m_second->forward(m_second->read(hidden), {}) : torch::Tensor();
}

TransformerDecoder::TransformerDecoder(const TransformerOptions& options, const EncoderHeadOptions& head)
    : m_options(options), m_embedding(register_module("shared", embedding(options.vocabulary, options))) {
    if (options.tokenTypes > 0)
        m_segments = register_module("token_types", embedding(options.tokenTypes, options));
    m_decoder =
        register_module("decoder", std::make_shared<TransformerStack>(options, BlockKind::Decoder, options.cross));
    const bool tied = head.kind == EncoderHead::MaskedLanguage && options.tiedOutput;
    if (head.kind != EncoderHead::None)
        m_head = register_module(OutputHead::nameOf(head.kind), std::make_shared<OutputHead>(options, head, tied));
    else if (!options.tiedOutput)
        m_untied = register_module("lm_head", linear(options.widthOfEmbedding(), options.vocabulary, false, options));
}

torch::Tensor TransformerDecoder::decode(const torch::Tensor& ids, DecoderState& state, const Context& context,
                                         const Memory* memory) {
    torch::Tensor segments; // [B, T, W]
    if (m_segments)
        segments = m_segments(torch::zeros_like(ids));
    return m_decoder->forward(tokenVectors(m_embedding, ids, m_options, BlockKind::Decoder, context),
                              {.mask = {},
                               .rows = countedRows(ids, state.steps, m_options),
                               .segments = segments,
                               .memory = memory,
                               .state = &state},
                              context); // [B, T, W]
}

std::vector<torch::Tensor> TransformerDecoder::projectMemory(const torch::Tensor& states) {
    return m_decoder->projectMemory(states);
}

EncoderHead TransformerDecoder::head() const {
    return m_head && m_head->kind() != EncoderHead::MaskedLanguage ? m_head->kind() : EncoderHead::None;
}

torch::Tensor TransformerDecoder::logits(const torch::Tensor& decoded) {
    if (m_head)
        return m_head->forward(decoded, m_embedding->weight);
    return outputs(decoded, m_untied, m_embedding, {}, m_options); // [..., V]
}

} // namespace headlight
