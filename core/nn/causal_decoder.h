// What every network of a decoder alone can do, GPT-2 and its kin: say what comes next. Some can look at an encoder's
// states as well, and are one half of an EncoderDecoder then.
// Letters: B batch, S source length, T tokens, W width, V vocabulary.
#pragma once

#include "core/nn/sequence_to_sequence.h"

namespace headlight {

class CausalDecoder : public torch::nn::Module {
public:
    /// Takes in the next tokens of a text; row t sees no later ones. Announces attention of kind Decoder, so a watched
    /// call takes in the whole text, with a new state.
    /// @param ids    [B, T]
    /// @param state  of the tokens before these: new for a text's first, moved on for its next
    /// @param memory the encoder's, with what projectMemory() made of its states; null: it reads its own text alone
    /// @returns the last layer's output, [B, T, W]
    virtual torch::Tensor decode(const torch::Tensor& ids, DecoderState& state, const Context& context,
                                 const Memory* memory = nullptr) = 0;
    /// What it can compute once of an encoder's states, [B, S, W]. Only of one that attends to an encoder.
    virtual std::vector<torch::Tensor> projectMemory(const torch::Tensor& states) = 0;

    /// None: it says what comes next. Else it was taught to say something else, and logits() is of that.
    virtual EncoderHead head() const = 0;
    /// [..., W] -> [..., V], or [..., labels] by the head
    virtual torch::Tensor logits(const torch::Tensor& decoded) = 0;
};

} // namespace headlight
