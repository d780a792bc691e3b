#include "core/nn/unrolled.h"

#include "core/nn/layers.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>

#include <limits>

namespace headlight {

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// a b in the type of b, the result in float32.
Tensor product(const Tensor& a, const Tensor& b) {
    return affine(a.to(b.scalar_type()), b.t(), {}).to(torch::kFloat32);
}

/// The same with a bias, [N].
Tensor product(const Tensor& a, const Tensor& b, const Tensor& bias) {
    return b.scalar_type() == torch::kFloat32 ? affine(a, b.t(), bias) : product(a, b).add_(bias);
}

/// aᵀ b over all steps: [T, B, M], [T, B, N] -> [M, N].
Tensor summedProduct(const Tensor& a, const Tensor& b, torch::ScalarType type) {
    return product(a.flatten(0, 1).t(), b.flatten(0, 1).to(type));
}

/// [B, T, …] -> [T, B, …]. A copy even where there is one row or step: it is written to.
Tensor stepsFirst(const Tensor& values) {
    return values.transpose(0, 1).to(torch::kFloat32, false, true, at::MemoryFormat::Contiguous);
}

/// [T, B, …] -> [B, T, …]. A copy even where there is one row or step: a result that shares its memory with what is
/// saved for the gradient is refused.
Tensor rowsFirst(const Tensor& values) {
    return values.transpose(0, 1).clone(at::MemoryFormat::Contiguous);
}

/// The elementwise part of a GRU for all steps, kept for the way back.
class Gates {
public:
    /// @param inputs W x + b, [T, B, 3 N]; overwritten by the open gates
    Gates(Tensor inputs, const Tensor& initial)
        : m_size(initial.size(1)), m_gates(std::move(inputs)),
          m_hiddenNew(torch::empty({m_gates.size(0), initial.size(0), m_size}, initial.options())),
          m_states(torch::empty({m_gates.size(0) + 1, initial.size(0), m_size}, initial.options())) {
        m_states[0].copy_(initial);
    }
    Gates(Tensor gates, Tensor hiddenNew, Tensor states)
        : m_size(hiddenNew.size(2)), m_gates(std::move(gates)), m_hiddenNew(std::move(hiddenNew)),
          m_states(std::move(states)) {}

    std::int64_t steps() const { return m_gates.size(0); }
    Tensor last(std::int64_t step) const { return m_states[step]; }      ///< the state before it, [B, N]
    Tensor states() const { return m_states.narrow(0, 1, steps()); }     ///< [T, B, N]
    Tensor lastStates() const { return m_states.narrow(0, 0, steps()); } ///< [T, B, N]
    variable_list saved() const { return {m_gates, m_hiddenNew, m_states}; }
    void addInput(std::int64_t step, const Tensor& part) { m_gates[step].add_(part); }

    /// @param hidden U s + b, [B, 3 N]
    void advance(std::int64_t step, const Tensor& hidden) {
        const auto gates = m_gates[step];
        gates.narrow(1, 0, 2 * m_size).add_(hidden.narrow(1, 0, 2 * m_size)).sigmoid_();
        m_hiddenNew[step].copy_(hidden.narrow(1, 2 * m_size, m_size));
        const auto candidate = gates.narrow(1, 2 * m_size, m_size);
        candidate.addcmul_(gates.narrow(1, 0, m_size), m_hiddenNew[step]).tanh_();
        auto next = m_states[step + 1];
        torch::lerp_out(next, candidate, m_states[step], gates.narrow(1, m_size, m_size));
    }

    /// Gradients of one step: from that of its state, [B, N], to those of W x + b and U s + b, each [B, 3 N].
    /// Returns the part of the last state's gradient that does not pass through U.
    Tensor retreat(std::int64_t step, const Tensor& state, Tensor inputs, Tensor hidden) const {
        const auto reset = m_gates[step].narrow(1, 0, m_size);
        const auto update = m_gates[step].narrow(1, m_size, m_size);
        const auto candidate = m_gates[step].narrow(1, 2 * m_size, m_size);
        const auto kept = state * update;
        const auto ofCandidate = inputs.narrow(1, 2 * m_size, m_size);
        ofCandidate.copy_(at::tanh_backward(state - kept, candidate));
        inputs.narrow(1, m_size, m_size).copy_(at::sigmoid_backward(state * (m_states[step] - candidate), update));
        inputs.narrow(1, 0, m_size).copy_(at::sigmoid_backward(ofCandidate * m_hiddenNew[step], reset));
        hidden.narrow(1, 0, 2 * m_size).copy_(inputs.narrow(1, 0, 2 * m_size));
        auto hiddenCandidate = hidden.narrow(1, 2 * m_size, m_size);
        torch::mul_out(hiddenCandidate, ofCandidate, reset);
        return kept;
    }

private:
    std::int64_t m_size;
    Tensor m_gates;     ///< reset, update, new; [T, B, 3 N]
    Tensor m_hiddenNew; ///< U s + b of the new gate, [T, B, N]
    Tensor m_states;    ///< s_0 and all that follow, [T + 1, B, N]
};

/// The steps of one GRU among those that take turns: [T, B, …] -> [T / turns, B, …].
Tensor ofTurn(const Tensor& steps, std::int64_t turn, std::int64_t turns) {
    return steps.unflatten(0, {steps.size(0) / turns, turns}).select(1, turn);
}

/// Gradients of all GRUs' weights and biases, [G, 3 N, N] and [G, 3 N].
std::pair<Tensor, Tensor> recurrenceGradients(const Tensor& hidden, const Tensor& lastStates, std::int64_t turns,
                                              torch::ScalarType type) {
    std::vector<Tensor> weights;
    for (std::int64_t turn = 0; turn < turns; ++turn)
        weights.push_back(summedProduct(ofTurn(hidden, turn, turns), ofTurn(lastStates, turn, turns), type));
    return {torch::stack(weights), hidden.sum(1).unflatten(0, {-1, turns}).sum(0)};
}

struct Gru : torch::autograd::Function<Gru> {
    static Tensor forward(AutogradContext* graph, const Tensor& inputGates, const Tensor& initial,
                          const Tensor& weights, const Tensor& biases, const Context* context) {
        const auto typed = weights.to(inputGates.scalar_type());
        const auto turns = weights.size(0);
        Gates gates(stepsFirst(inputGates), initial.to(torch::kFloat32));
        for (std::int64_t step = 0; step < gates.steps(); ++step) {
            context->checkStop();
            gates.advance(step, product(gates.last(step), typed[step % turns].t(), biases[step % turns]));
        }
        auto saved = gates.saved();
        saved.push_back(typed);
        graph->save_for_backward(saved);
        return rowsFirst(gates.states());
    }

    static variable_list backward(AutogradContext* graph, variable_list gradients) {
        const auto saved = graph->get_saved_variables();
        const Gates gates(saved[0], saved[1], saved[2]);
        const auto& typed = saved[3];
        const auto outer = stepsFirst(gradients[0]);
        const auto inputs = torch::empty_like(saved[0]), hidden = torch::empty_like(saved[0]);
        auto state = torch::zeros_like(outer[0]);
        for (std::int64_t step = gates.steps() - 1; step >= 0; --step) {
            state.add_(outer[step]);
            state = gates.retreat(step, state, inputs[step], hidden[step]);
            state.add_(product(hidden[step], typed[step % typed.size(0)]));
        }
        const auto [ofWeights, ofBiases] =
            recurrenceGradients(hidden, gates.lastStates(), typed.size(0), typed.scalar_type());
        return {inputs.transpose(0, 1), state, ofWeights, ofBiases, Tensor()};
    }
};

struct Additive : torch::autograd::Function<Additive> {
    static variable_list forward(AutogradContext* graph, const Tensor& tokenGates, const Tensor& initial,
                                 const Tensor& recurrent, const Tensor& biases, const Tensor& queryWeight,
                                 const Tensor& v, const Tensor& contextWeight, const Tensor& keys, const Tensor& values,
                                 const Tensor* mask, const Context* context) {
        const auto type = tokenGates.scalar_type();
        const auto typed = recurrent.to(type), typedQuery = queryWeight.to(type), typedContext = contextWeight.to(type);
        const auto keyPart = keys.to(torch::kFloat32), annotations = values.to(torch::kFloat32);
        Gates gates(stepsFirst(tokenGates), initial.to(torch::kFloat32));
        const auto turns = typed.size(0); // the GRU that takes in the context is the last of a step
        const auto steps = gates.steps() / turns, batch = keyPart.size(0), length = keyPart.size(1);
        const auto make = [&](c10::IntArrayRef sizes) { return torch::empty(sizes, keyPart.options()); };
        const auto queries = make({steps, batch, keyPart.size(2)});
        const auto hidden = make({steps, batch, length, keyPart.size(2)}); // tanh(W s + U h)
        const auto energies = make({steps, batch, length}), weights = make({steps, batch, length});
        const auto contexts = make({steps, batch, annotations.size(2)});
        for (std::int64_t step = 0; step < steps; ++step) {
            context->checkStop();
            const auto own = turns * (step + 1) - 1; // of that GRU
            for (auto before = turns * step; before < own; ++before)
                gates.advance(before, product(gates.last(before), typed[0].t(), biases[0]));
            const auto asked = gates.last(own).to(type);
            queries[step].copy_(product(asked, typedQuery.t()));
            auto inner = hidden[step];
            torch::add_out(inner, keyPart, queries[step].unsqueeze(1)).tanh_();
            energies[step].copy_(torch::matmul(inner, v));
            if (mask->defined())
                energies[step].masked_fill_(mask->logical_not(), -std::numeric_limits<float>::infinity());
            weights[step].copy_(torch::softmax(energies[step], -1));
            contexts[step].copy_(torch::bmm(weights[step].unsqueeze(1), annotations).squeeze(1));
            gates.addInput(own, product(contexts[step], typedContext.t()));
            gates.advance(own, product(asked, typed[turns - 1].t(), biases[turns - 1]));
        }
        auto saved = gates.saved();
        saved.insert(saved.end(), {typed, typedQuery, typedContext, v, annotations, hidden, weights, contexts});
        graph->save_for_backward(saved);
        variable_list results;
        for (const auto& sequence : {ofTurn(gates.states(), turns - 1, turns), contexts, weights, energies, queries})
            results.push_back(rowsFirst(sequence));
        graph->mark_non_differentiable({results[2], results[3], results[4]});
        return results;
    }

    static variable_list backward(AutogradContext* graph, variable_list gradients) {
        const auto saved = graph->get_saved_variables();
        const Gates gates(saved[0], saved[1], saved[2]);
        const auto &typed = saved[3], &typedQuery = saved[4], &typedContext = saved[5], &v = saved[6];
        const auto &annotations = saved[7], &hidden = saved[8], &weights = saved[9], &contexts = saved[10];
        const auto type = typed.scalar_type();
        const auto turns = typed.size(0);
        const auto outerStates = stepsFirst(gradients[0]), outerContexts = stepsFirst(gradients[1]);

        const auto ofInputs = torch::empty_like(saved[0]), ofHidden = torch::empty_like(saved[0]);
        const auto ofContexts = torch::empty_like(contexts), ofEnergies = torch::empty_like(weights);
        const auto ofQueries = torch::empty({hidden.size(0), hidden.size(1), hidden.size(3)}, hidden.options());
        const auto ofKeyPart = torch::zeros_like(hidden[0]);
        auto state = torch::zeros_like(outerStates[0]);
        for (std::int64_t step = gates.steps() / turns - 1; step >= 0; --step) {
            const auto own = turns * (step + 1) - 1;
            state.add_(outerStates[step]);
            state = gates.retreat(own, state, ofInputs[own], ofHidden[own]);
            ofContexts[step].copy_(product(ofInputs[own], typedContext).add_(outerContexts[step]));
            const auto ofWeights = torch::bmm(annotations, ofContexts[step].unsqueeze(2)).squeeze(2); // [B, S]
            const auto shared = (ofWeights * weights[step]).sum(1, true);
            ofEnergies[step].copy_((ofWeights - shared) * weights[step]);
            const auto ofInner = at::tanh_backward(ofEnergies[step].unsqueeze(2) * v, hidden[step]); // [B, S, A]
            ofKeyPart.add_(ofInner);
            ofQueries[step].copy_(ofInner.sum(1));
            state.add_(product(ofHidden[own], typed[turns - 1])).add_(product(ofQueries[step], typedQuery));
            for (auto before = own - 1; before >= turns * step; --before) {
                state = gates.retreat(before, state, ofInputs[before], ofHidden[before]);
                state.add_(product(ofHidden[before], typed[0]));
            }
        }
        const auto [ofRecurrent, ofBiases] = recurrenceGradients(ofHidden, gates.lastStates(), turns, type);
        return {ofInputs.transpose(0, 1),
                state,
                ofRecurrent,
                ofBiases,
                summedProduct(ofQueries, ofTurn(gates.lastStates(), turns - 1, turns), type),
                torch::mv(hidden.flatten(0, 2).t(), ofEnergies.flatten()),
                summedProduct(ofTurn(ofInputs, turns - 1, turns), contexts, type),
                ofKeyPart,
                torch::bmm(weights.permute({1, 2, 0}), ofContexts.transpose(0, 1)), // [B, S, T] [B, T, C]
                Tensor(),
                Tensor()};
    }
};

} // namespace

torch::Tensor unrolledGru(const torch::Tensor& inputGates, const torch::Tensor& initial,
                          const GruRecurrence& recurrence, const Context& context) {
    return Gru::apply(inputGates, initial, recurrence.weights, recurrence.biases, &context);
}

AdditiveRun unrolledAdditive(const torch::Tensor& tokenGates, const torch::Tensor& initial,
                             const GruRecurrence& recurrence, const AdditiveMemory& memory, const Context& context) {
    const auto results =
        Additive::apply(tokenGates, initial, recurrence.weights, recurrence.biases, memory.queryWeight, memory.v,
                        memory.contextWeight, memory.keyPart, memory.annotations, &memory.mask, &context);
    return {results[0], results[1], results[2], results[3], results[4]};
}

} // namespace headlight
