#include "core/nn/heads.h"

namespace headlight {

OutputHead::OutputHead(const TransformerOptions& options, const EncoderHeadOptions& head, bool tied) : m_options(head) {
    const auto linear = [&](const char* name, std::int64_t inputs, std::int64_t outputs, bool bias) {
        return register_module(
            name, std::make_shared<Linear>(LinearOptions{
                      .inputs = inputs, .outputs = outputs, .bias = bias, .initialise = options.initialise}));
    };
    const auto inner = head.dense && head.width > 0 ? head.width : options.width;
    if (head.dense)
        m_dense = linear("dense", options.width, inner, head.denseBias);
    if (head.norm)
        m_norm = register_module("norm", std::make_shared<Norm>(options, inner));
    const bool masked = head.kind == EncoderHead::MaskedLanguage;
    if (!tied)
        m_output = linear("output", inner, head.labels, head.bias && !masked);
    if (masked && head.bias)
        m_bias = register_parameter("bias", torch::zeros({head.labels}));
}

const char* OutputHead::nameOf(EncoderHead kind) {
    switch (kind) {
    case EncoderHead::MaskedLanguage:
        return "masked";
    case EncoderHead::Classification:
        return "classification";
    case EncoderHead::TokenClassification:
        return "tokens";
    case EncoderHead::QuestionAnswering:
        return "answer";
    case EncoderHead::NextSentence:
        return "relationship";
    case EncoderHead::Choice:
        return "choice";
    case EncoderHead::ReplacedTokens:
        return "replaced";
    case EncoderHead::None:
        break;
    }
    return "none";
}

torch::Tensor OutputHead::forward(const torch::Tensor& states, const torch::Tensor& embedding) {
    auto read = states;
    if (m_dense)
        read = activate(m_dense->forward(read), m_options.activation);
    if (m_norm)
        read = m_norm->forward(read);
    const auto values = m_output ? m_output->forward(read) : affine(read, embedding, {});
    return m_bias.defined() ? values + m_bias : values;
}

torch::Tensor OutputHead::read(const torch::Tensor& states) const {
    switch (m_options.kind) {
    case EncoderHead::Classification:
    case EncoderHead::NextSentence:
    case EncoderHead::Choice:
        return m_options.mean ? states.mean(1) : states.select(1, 0);
    default:
        return states;
    }
}

} // namespace headlight
