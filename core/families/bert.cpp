// BERT, Devlin et al. 2019: an encoder with learned positions and segments, a norm after the embedding, post-norm
// layers; its masked language model reads the output through one more dense layer, its classifier the first token's
// through the pooler.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return bertNaming("bert.",
                      {{"head_dense.", "cls.predictions.transform.dense."},
                       {"head_layer_norm.", "cls.predictions.transform.LayerNorm."},
                       {"head_output.", "cls.predictions.decoder."},
                       {"head_bias", "cls.predictions.bias"},
                       {"pooler.", "bert.pooler.dense."}},
                      {"cls.", "classifier.", "qa_outputs."});
}

Network build(const ModelConfig& config, const Weights* weights) {
    const auto options = readBertOptions(config, weights);
    const auto head = readEncoderHead(config, weights, "cls.predictions.transform.dense.weight");
    return makeEncoder(
        config, weights, naming(), options,
        {.kind = head, .activation = head == EncoderHead::Classification ? Activation::Tanh : options.activation});
}

} // namespace

Family bertFamily() {
    return {.modelType = "bert", .build = build, .naming = naming()};
}

} // namespace headlight
