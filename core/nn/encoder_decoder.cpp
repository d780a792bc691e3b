#include "core/nn/encoder_decoder.h"

#include <utility>

namespace headlight {

EncoderDecoder::EncoderDecoder(std::shared_ptr<TextEncoder> encoder, std::shared_ptr<CausalDecoder> decoder,
                               const LinearOptions& projection)
    : m_encoder(register_module("encoder", std::move(encoder))),
      m_decoder(register_module("decoder", std::move(decoder))) {
    if (projection.inputs > 0)
        m_projection = register_module("enc_to_dec_proj", std::make_shared<Linear>(projection));
}

Memory EncoderDecoder::encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) {
    auto states = m_encoder->encode(source, {}, mask, context);
    if (m_projection)
        states = m_projection->forward(states);
    return {states, mask, m_decoder->projectMemory(states)};
}

torch::Tensor EncoderDecoder::decode(const torch::Tensor& target, const Memory& memory, const Context& context,
                                     DecoderState* all) {
    DecoderState own;
    return m_decoder->decode(target, all ? *all : own, context, &memory); // [B, T, W]
}

torch::Tensor EncoderDecoder::step(const torch::Tensor& last, DecoderState& state, const Memory& memory,
                                   const Context& context) {
    return m_decoder->decode(last.unsqueeze(1), state, context, &memory).squeeze(1); // [B, W]
}

} // namespace headlight
