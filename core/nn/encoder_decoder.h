// An encoder and a decoder that stood alone before they were trained together (Rothe et al. 2020), such as BERT beside
// GPT-2: the decoder attends to the encoder's states, of another width perhaps.
#pragma once

#include "core/nn/causal_decoder.h"
#include "core/nn/layers.h"
#include "core/nn/text_encoder.h"

namespace headlight {

class EncoderDecoder : public SequenceToSequence {
public:
    /// @param decoder    one that attends to an encoder
    /// @param projection of the encoder's states to the decoder's width; without inputs: none
    EncoderDecoder(std::shared_ptr<TextEncoder> encoder, std::shared_ptr<CausalDecoder> decoder,
                   const LinearOptions& projection);

    Memory encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) override;
    torch::Tensor decode(const torch::Tensor& target, const Memory& memory, const Context& context,
                         DecoderState* all) override;
    DecoderState rewound(const DecoderState& all, std::int64_t steps) const override { return all.before(steps); }
    torch::Tensor logits(const torch::Tensor& decoded) override { return m_decoder->logits(decoded); }
    DecoderState start(const Memory&) override { return {}; }
    torch::Tensor step(const torch::Tensor& last, DecoderState& state, const Memory& memory,
                       const Context& context) override;

private:
    std::shared_ptr<TextEncoder> m_encoder;
    std::shared_ptr<CausalDecoder> m_decoder;
    std::shared_ptr<Linear> m_projection; ///< may be null
};

} // namespace headlight
