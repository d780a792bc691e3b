// RoBERTa, Liu et al. 2019, and its kin in other languages, XLM-R (Conneau et al. 2020) and CamemBERT: BERT's encoder,
// with positions that count from the row after the padding token's id and leave padding out.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return robertaNaming("roberta.");
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBertOptions(config, weights);
    setCountedPositions(config, options);
    auto heads = bertHeads(options);
    changeHead(heads, EncoderHead::MaskedLanguage, [](auto& head) { head.activation = Activation::Gelu; });
    return makeEncoderOrDecoder(config, weights, naming(), options, heads);
}

} // namespace

Family robertaFamily(const std::string& modelType) {
    return {.modelType = modelType,
            .build = build,
            .naming = [](const ModelConfig& config) { return encoderOrDecoderNaming(config, naming()); },
            .sameAs = modelType == "roberta" ? "" : "roberta"};
}

} // namespace headlight
