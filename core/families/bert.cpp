// BERT, Devlin et al. 2019: an encoder with learned positions and segments, a norm after the embedding, post-norm
// layers; its masked language model reads the output through one more dense layer, its classifier the first token's
// through the pooler.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return bertNaming("bert.", {{"masked.dense.", "cls.predictions.transform.dense."},
                                {"masked.norm.", "cls.predictions.transform.LayerNorm."},
                                {"masked.output.", "cls.predictions.decoder."},
                                {"masked.bias", "cls.predictions.bias"},
                                {"relationship.output.", "cls.seq_relationship."},
                                {"classification.dense.", "bert.pooler.dense."},
                                {"classification.output.", "classifier."}});
}

Network build(const ModelConfig& config, const Weights* weights) {
    const auto options = readBertOptions(config, weights);
    return makeEncoderOrDecoder(config, weights, naming(), options, bertHeads(options));
}

} // namespace

Family bertFamily() {
    return {.modelType = "bert", .build = build, .naming = [](const ModelConfig& config) {
                return encoderOrDecoderNaming(config, naming());
            }};
}

} // namespace headlight
