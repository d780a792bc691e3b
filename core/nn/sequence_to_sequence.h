// What every encoder–decoder network can do, whatever it is made of: the trainer, decoding and the engine need no more.
// Letters: B batch, S source length, T target length, V vocabulary, D width of what the output layer reads.
#pragma once

#include "core/nn/options.h"
#include "core/nn/watch.h"

#include <torch/nn/module.h>

#include <memory>
#include <vector>

namespace headlight {

/// The encoder's result, and what the decoder can compute once per source.
struct Memory {
    torch::Tensor states;             ///< [B, S, D']
    torch::Tensor mask;               ///< [B, S] bool, true where there is a token; undefined when all are tokens
    std::vector<torch::Tensor> extra; ///< what the decoder prepared from the states; batch first
    Memory select(const torch::Tensor& rows) const;
};

/// What the decoder carries from one step to the next; batch first.
struct DecoderState {
    std::vector<torch::Tensor> tensors;
    std::int64_t steps = 0; ///< tokens taken in so far
    DecoderState select(const torch::Tensor& rows) const;
    /// What it was after the first `count` tokens, where its tensors are keys and values, [B, heads, T, D].
    DecoderState before(std::int64_t count) const;
};

class SequenceToSequence : public torch::nn::Module {
public:
    /// @param source [B, S] ids
    /// @param mask   [B, S] bool, true where there is a token; undefined when none is padding
    virtual Memory encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) = 0;

    /// All steps at once, the target given: what the output layer reads. Row t sees target[0..t] only.
    /// @param target [B, T] ids, the start token first
    /// @param all    unless null, takes the states between all steps, for rewound(). If steps came before, the state
    ///               after them: the target goes on from there
    /// @returns [B, T, D]
    virtual torch::Tensor decode(const torch::Tensor& target, const Memory& memory, const Context& context,
                                 DecoderState* all = nullptr) = 0;
    /// The state after the first tokens of what decode() took in.
    virtual DecoderState rewound(const DecoderState& all, std::int64_t steps) const = 0;

    /// [..., D] -> [..., V]
    virtual torch::Tensor logits(const torch::Tensor& decoded) = 0;
    /// Of one that was taught to label its source, which its decoder takes in: [..., D] -> [..., labels]. Undefined
    /// for all others.
    virtual torch::Tensor labels(const torch::Tensor&) { return {}; }

    /// The state before the first step.
    virtual DecoderState start(const Memory& memory) = 0;
    /// One step: takes in the last tokens [B], moves the state on. Never watched: decode() is.
    /// @returns [B, D]
    virtual torch::Tensor step(const torch::Tensor& last, DecoderState& state, const Memory& memory,
                               const Context& context) = 0;
};

inline Memory Memory::select(const torch::Tensor& rows) const {
    Memory selected{states.index_select(0, rows), mask.defined() ? mask.index_select(0, rows) : mask, {}};
    for (const auto& tensor : extra)
        selected.extra.push_back(tensor.index_select(0, rows));
    return selected;
}

inline DecoderState DecoderState::select(const torch::Tensor& rows) const {
    DecoderState selected{{}, steps};
    for (const auto& tensor : tensors)
        selected.tensors.push_back(tensor.index_select(0, rows));
    return selected;
}

inline DecoderState DecoderState::before(std::int64_t count) const {
    DecoderState earlier{{}, count};
    for (const auto& tensor : tensors)
        earlier.tensors.push_back(tensor.narrow(2, 0, count));
    return earlier;
}

} // namespace headlight
