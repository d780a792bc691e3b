#include "core/nn/recurrent.h"

#include "core/nn/dropout.h"
#include "core/nn/unrolled.h"

#include <torch/nn/functional/linear.h>
#include <torch/nn/init.h>
#include <torch/nn/utils/rnn.h>

#include <cmath>
#include <vector>

namespace headlight {

Recurrent::Recurrent(const RecurrentOptions& options)
    : m_options(options),
      m_embedding(register_module("embedding", torch::nn::Embedding(options.vocabulary, options.embedding))),
      m_encoder(register_module(
          "encoder",
          torch::nn::GRU(
              torch::nn::GRUOptions(options.embedding, options.hidden).batch_first(true).bidirectional(true)))),
      m_initial(register_module("initial", torch::nn::Linear(options.hidden, options.hidden))),
      m_decoder(register_module("decoder", torch::nn::GRUCell(options.embedding + 2 * options.hidden, options.hidden))),
      m_readout(register_module("readout", torch::nn::Linear(options.hidden + options.embedding + 2 * options.hidden,
                                                             2 * options.embedding))),
      m_outputBias(register_parameter("output_bias", torch::zeros({options.vocabulary}))) {
    if (options.attention == RecurrentAttention::Additive)
        m_attention = register_module(
            "attention", std::make_shared<AdditiveAttention>(options.hidden, 2 * options.hidden, options.alignment));
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
            const auto gates = torch::nn::functional::linear(inputs, all[first], all[first + 2]);
            const auto initial = torch::zeros({inputs.size(0), m_options.hidden}, all[first].options());
            return unrolledGru(gates, initial, {all[first + 1], all[first + 3]}, context);
        };
        states = torch::cat({direction(embedded, 0), direction(embedded.flip(1), 4).flip(1)}, 2);
    }
    // The backward state of the first word has read the whole sentence (A.2.2: s_0 = tanh(W_s h_1)).
    const auto backward = states.select(1, 0).narrow(1, m_options.hidden, m_options.hidden); // [B, N]
    Memory memory{states, mask, {torch::tanh(m_initial(backward))}};
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
    if (m_attention) {
        step.queryPart = m_attention->queryPart(state);
        step.attention = m_attention->forward(step.queryPart, memory.extra[1], memory.states, memory.mask,
                                              context.forcedKey(number));
        step.context = step.attention.context;
        if (!context.headsOff(BlockKind::Cross, 0).empty())
            step.context = torch::zeros_like(step.context);
    } else {
        step.context = memory.extra[1];
    }
    step.state = m_decoder(torch::cat({token, step.context}, 1), state);
    return step;
}

torch::Tensor Recurrent::readout(const torch::Tensor& states, const torch::Tensor& tokens,
                                 const torch::Tensor& contexts) {
    auto sizes = states.sizes().vec();
    sizes.back() = m_options.embedding;
    sizes.push_back(2);
    const auto pairs = m_readout(torch::cat({states, tokens, contexts}, -1)).view(sizes); // [..., E, 2]
    return withDropout(std::get<0>(pairs.max(-1)), m_options.dropout, is_training());     // [..., E]
}

torch::Tensor Recurrent::decode(const torch::Tensor& target, const Memory& memory, const Context& context) {
    const auto tokens = withDropout(m_embedding(target), m_options.dropout, is_training()); // [B, T, E]
    if (context.intervention && !context.intervention->empty())
        return decodeChanged(tokens, memory, context);
    // The gates' weights have columns for the token and columns for the context.
    const auto weights = m_decoder->weight_ih.split_with_sizes({m_options.embedding, 2 * m_options.hidden}, 1);
    const auto& initial = memory.extra[0];
    const GruRecurrence recurrence{m_decoder->weight_hh, m_decoder->bias_hh};
    auto gates = torch::nn::functional::linear(tokens, weights[0], m_decoder->bias_ih); // [B, T, 3 N]
    if (!m_attention) {
        const auto& fixed = memory.extra[1];
        if (context.watch)
            context.watch->fixedContext(fixed);
        gates = gates + torch::nn::functional::linear(fixed, weights[1]).unsqueeze(1);
        const auto states = unrolledGru(gates, initial, recurrence, context);
        return readout(states, tokens, fixed.unsqueeze(1).expand({-1, states.size(1), -1}));
    }
    const auto run = unrolledAdditive(
        gates, initial, recurrence,
        {m_attention->w(), m_attention->v(), weights[1], memory.extra[1], memory.states, memory.mask}, context);
    if (context.watch)
        context.watch->additive(
            {run.weights, run.energies, run.queryPart, memory.extra[1], m_attention->v(), memory.states});
    return readout(run.states, tokens, run.contexts); // [B, T, E]
}

torch::Tensor Recurrent::decodeChanged(const torch::Tensor& tokens, const Memory& memory, const Context& context) {
    std::vector<torch::Tensor> states, contexts, weights, energies, queryParts;
    auto state = memory.extra[0];
    for (std::int64_t number = 0; number < tokens.size(1); ++number) {
        context.checkStop();
        const auto step = advance(tokens.select(1, number), state, memory, number, context);
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
                                 memory.extra[1], m_attention->v(), memory.states});
    return readout(torch::stack(states, 1), tokens, torch::stack(contexts, 1)); // [B, T, E]
}

torch::Tensor Recurrent::logits(const torch::Tensor& decoded) {
    return torch::nn::functional::linear(decoded, m_embedding->weight, m_outputBias); // [..., V]
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
