#include "core/nn/recurrent.h"

#include "core/nn/dropout.h"
#include "core/nn/unrolled.h"

#include <torch/nn/init.h>
#include <torch/nn/utils/rnn.h>

#include <cmath>
#include <vector>

namespace headlight {

namespace {

/// One step of a GRU, [B, inputs] and [B, N] -> [B, N].
torch::Tensor stepped(const torch::nn::GRUCell& cell, const torch::Tensor& input, const torch::Tensor& state) {
    const auto given = affine(input, cell->weight_ih, cell->bias_ih).chunk(3, 1);
    const auto kept = affine(state, cell->weight_hh, cell->bias_hh).chunk(3, 1);
    const auto reset = torch::sigmoid(given[0] + kept[0]), update = torch::sigmoid(given[1] + kept[1]);
    const auto candidate = torch::tanh(torch::addcmul(given[2], reset, kept[2]));
    return torch::lerp(candidate, state, update);
}

} // namespace

Recurrent::Recurrent(const RecurrentOptions& options, RecurrentDecoder decoder)
    : m_options(options), m_decoderKind(decoder),
      m_embedding(register_module("embedding", torch::nn::Embedding(options.vocabulary, options.embedding))),
      m_encoder(register_module(
          "encoder",
          torch::nn::GRU(
              torch::nn::GRUOptions(options.embedding, options.hidden).batch_first(true).bidirectional(true)))),
      m_initial(register_module("initial", torch::nn::Linear(options.hidden, options.hidden))),
      m_decoder(register_module(
          "decoder", torch::nn::GRUCell(options.embedding + (conditional() ? 0 : 2 * options.hidden), options.hidden))),
      m_readout(register_module("readout", torch::nn::Linear(options.hidden + options.embedding + 2 * options.hidden,
                                                             2 * options.embedding))),
      m_outputBias(register_parameter("output_bias", torch::zeros({options.vocabulary}))) {
    if (options.attention == RecurrentAttention::Additive)
        m_attention = register_module(
            "attention", std::make_shared<AdditiveAttention>(options.hidden, 2 * options.hidden, options.alignment));
    if (conditional())
        m_contextDecoder = register_module("context_decoder", torch::nn::GRUCell(2 * options.hidden, options.hidden));
    torch::nn::init::normal_(m_embedding->weight, 0, 1.0 / std::sqrt(static_cast<double>(options.embedding)));
}

Memory Recurrent::encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) {
    context.checkStop();
    const auto embedded = withDropout(m_embedding(source), m_options.dropout, is_training()); // [B, S, E]
    torch::Tensor states; // h_j = [forward; backward], [B, S, 2 N]
    if (mask.defined()) {
        const auto lengths = mask.sum(1).to(torch::kCPU, torch::kInt64);
        const auto packed = torch::nn::utils::rnn::pack_padded_sequence(embedded, lengths, true, false);
        const auto output = std::get<0>(m_encoder->forward_with_packed_input(packed));
        states = std::get<0>(torch::nn::utils::rnn::pad_packed_sequence(output, true, 0.0, source.size(1)));
    } else {
        const auto direction = [&](const torch::Tensor& inputs, std::size_t first) {
            const auto& all = m_encoder->all_weights(); // W, U and their biases, of this direction
            const auto gates = affine(inputs, all[first], all[first + 2]);
            const auto initial = torch::zeros({inputs.size(0), m_options.hidden}, all[first].options());
            return unrolledGru(gates, initial, {all[first + 1].unsqueeze(0), all[first + 3].unsqueeze(0)}, context);
        };
        states = torch::cat({direction(embedded, 0), direction(embedded.flip(1), 4).flip(1)}, 2);
    }
    // The backward state of the first word has read the whole sentence (A.2.2: s_0 = tanh(W_s h_1)).
    const auto backward = states.select(1, 0).narrow(1, m_options.hidden, m_options.hidden); // [B, N]
    Memory memory{states, mask, {torch::tanh(affine(backward, m_initial->weight, m_initial->bias))}};
    if (m_attention) {
        memory.extra.push_back(m_attention->keyPart(states)); // [B, S, A]
        return memory;
    }
    // Without attention the decoder sees one vector at every step: what both directions know at their end.
    torch::Tensor last; // [B, N]
    if (mask.defined()) {
        const auto index = (mask.sum(1) - 1).view({-1, 1, 1}).expand({-1, 1, states.size(2)});
        last = states.gather(1, index).squeeze(1).narrow(1, 0, m_options.hidden);
    } else {
        last = states.select(1, states.size(1) - 1).narrow(1, 0, m_options.hidden);
    }
    memory.extra.push_back(torch::cat({last, backward}, 1)); // [B, 2 N]
    return memory;
}

Recurrent::Step Recurrent::advance(const torch::Tensor& token, const torch::Tensor& state, const Memory& memory,
                                   std::int64_t number, const Context& context) {
    Step step;
    const auto asked = conditional() ? stepped(m_decoder, token, state) : state;
    if (m_attention) {
        step.queryPart = m_attention->queryPart(asked);
        step.attention = m_attention->forward(step.queryPart, memory.extra[1], memory.states, memory.mask,
                                              context.forcedKey(number));
        step.context = step.attention.context;
        if (!context.headsOff(BlockKind::Cross, 0).empty())
            step.context = torch::zeros_like(step.context);
    } else {
        step.context = memory.extra[1];
    }
    step.state = conditional() ? stepped(m_contextDecoder, step.context, asked)
                               : stepped(m_decoder, torch::cat({token, step.context}, 1), state);
    return step;
}

torch::Tensor Recurrent::readout(const torch::Tensor& states, const torch::Tensor& tokens,
                                 const torch::Tensor& contexts) {
    auto sizes = states.sizes().vec();
    sizes.back() = m_options.embedding;
    sizes.push_back(2);
    const auto pairs = affine(torch::cat({states, tokens, contexts}, -1), m_readout->weight, m_readout->bias)
                           .view(sizes);                                              // [..., E, 2]
    return withDropout(std::get<0>(pairs.max(-1)), m_options.dropout, is_training()); // [..., E]
}

torch::Tensor Recurrent::contextWeight() const {
    return conditional() ? m_contextDecoder->weight_ih
                         : m_decoder->weight_ih.narrow(1, m_options.embedding, 2 * m_options.hidden);
}

GruRecurrence Recurrent::recurrence() const {
    if (!conditional())
        return {m_decoder->weight_hh.unsqueeze(0), m_decoder->bias_hh.unsqueeze(0)};
    return {torch::stack({m_decoder->weight_hh, m_contextDecoder->weight_hh}),
            torch::stack({m_decoder->bias_hh, m_contextDecoder->bias_hh})};
}

torch::Tensor Recurrent::decoderGates(const torch::Tensor& tokens, const torch::Tensor& fixed) const {
    const auto ofWords = m_decoder->weight_ih.narrow(1, 0, m_options.embedding);
    const auto words = affine(tokens, ofWords, m_decoder->bias_ih); // [B, T, 3 N]
    if (!conditional())
        return fixed.defined() ? words + affine(fixed, contextWeight(), {}).unsqueeze(1) : words;
    const auto& bias = m_contextDecoder->bias_ih;
    const auto contexts = fixed.defined() ? affine(fixed, contextWeight(), bias) : bias.expand({words.size(0), -1});
    return torch::stack({words, contexts.to(words.scalar_type()).unsqueeze(1).expand_as(words)}, 2).flatten(1, 2);
}

torch::Tensor Recurrent::decode(const torch::Tensor& target, const Memory& memory, const Context& context,
                                DecoderState* all) {
    const auto initial = all && all->steps > 0 ? all->tensors[0] : memory.extra[0];
    const auto keep = [&](const torch::Tensor& states) { // [B, T, N]
        if (all)
            *all = {{initial, states}, all->steps + states.size(1)};
    };
    const auto tokens = withDropout(m_embedding(target), m_options.dropout, is_training()); // [B, T, E]
    if (context.intervention && !context.intervention->empty())
        return decodeChanged(tokens, memory, context, all);
    const auto gates = decoderGates(tokens, m_attention ? torch::Tensor() : memory.extra[1]);
    if (!m_attention) {
        const auto& fixed = memory.extra[1];
        if (context.watch)
            context.watch->fixedContext(fixed);
        auto states = unrolledGru(gates, initial, recurrence(), context);
        if (conditional()) // those of the second GRU
            states = states.unflatten(1, {-1, 2}).select(2, 1);
        keep(states);
        return readout(states, tokens, fixed.unsqueeze(1).expand({-1, states.size(1), -1}));
    }
    const auto run = unrolledAdditive(
        gates, initial, recurrence(),
        {m_attention->w(), m_attention->v(), contextWeight(), memory.extra[1], memory.states, memory.mask}, context);
    keep(run.states);
    if (context.watch)
        context.watch->additive({run.weights, run.energies, run.queryPart, memory.extra[1], m_attention->v(),
                                 memory.states, conditional()});
    return readout(run.states, tokens, run.contexts); // [B, T, E]
}

DecoderState Recurrent::rewound(const DecoderState& all, std::int64_t steps) const {
    return {{steps == 0 ? all.tensors[0] : all.tensors[1].select(1, steps - 1)}, steps};
}

torch::Tensor Recurrent::decodeChanged(const torch::Tensor& tokens, const Memory& memory, const Context& context,
                                       DecoderState* all) {
    std::vector<torch::Tensor> states, contexts, weights, energies, queryParts;
    const auto before = all ? all->steps : 0;
    const auto initial = before > 0 ? all->tensors[0] : memory.extra[0];
    auto state = initial;
    for (std::int64_t number = 0; number < tokens.size(1); ++number) {
        context.checkStop();
        const auto step = advance(tokens.select(1, number), state, memory, before + number, context);
        state = step.state;
        states.push_back(step.state);
        contexts.push_back(step.context);
        if (m_attention) {
            weights.push_back(step.attention.weights);
            energies.push_back(step.attention.energies);
            queryParts.push_back(step.queryPart);
        }
    }
    if (context.watch && !m_attention)
        context.watch->fixedContext(memory.extra[1]);
    if (context.watch && m_attention)
        context.watch->additive({torch::stack(weights, 1), torch::stack(energies, 1), torch::stack(queryParts, 1),
                                 memory.extra[1], m_attention->v(), memory.states, conditional()});
    const auto inOrder = torch::stack(states, 1); // [B, T, N]
    if (all)
        *all = {{initial, inOrder}, before + inOrder.size(1)};
    return readout(inOrder, tokens, torch::stack(contexts, 1)); // [B, T, E]
}

torch::Tensor Recurrent::logits(const torch::Tensor& decoded) {
    return affine(decoded, m_embedding->weight, m_outputBias); // [..., V]
}

DecoderState Recurrent::start(const Memory& memory) {
    return {{memory.extra[0]}, 0};
}

torch::Tensor Recurrent::step(const torch::Tensor& last, DecoderState& state, const Memory& memory,
                              const Context& context) {
    const auto token = m_embedding(last); // [B, E]
    const auto next = advance(token, state.tensors[0], memory, state.steps, context);
    state.tensors[0] = next.state;
    ++state.steps;
    return readout(next.state, token, next.context); // [B, E]
}

} // namespace headlight
