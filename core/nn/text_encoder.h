// What every network of an encoder alone can do, BERT and its kin: read a text at once, say something of it.
// Letters: B batch, T tokens, W width, V vocabulary.
#pragma once

#include "core/nn/options.h"
#include "core/nn/watch.h"

#include <torch/nn/module.h>

namespace headlight {

class TextEncoder : public torch::nn::Module {
public:
    /// Announces attention of kind Encoder.
    /// @param ids      [B, T]
    /// @param segments [B, T], which of the texts a token is of; undefined: all of the first
    /// @param mask     [B, T] bool, true where there is a token; undefined when none is padding
    /// @returns the last layer's output, [B, T, W]
    virtual torch::Tensor encode(const torch::Tensor& ids, const torch::Tensor& segments, const torch::Tensor& mask,
                                 const Context& context) = 0;

    virtual EncoderHead head() const = 0;
    /// Not with EncoderHead::None. @param hidden what encode() returned
    /// @returns [B, T, V] of a masked language model, [B, labels] of a classification, [B, T, labels] of one of tokens,
    /// [B, T, 2] of answers, beginning and end, [B, 2] of next sentences, [B, 1] of a choice, [B, T, 1] of replaced
    /// tokens
    virtual torch::Tensor logits(const torch::Tensor& hidden) = 0;
    /// What a second head says of the next sentence, [B, 2]; undefined without one.
    virtual torch::Tensor relationship(const torch::Tensor& hidden) = 0;
};

} // namespace headlight
