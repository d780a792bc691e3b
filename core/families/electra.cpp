// ELECTRA, Clark et al. 2020: BERT's encoder, whose embedding may be narrower than it. The generator guesses hidden
// words, the discriminator says of each token whether the generator put it there.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return bertNaming("electra.", {{"masked.dense.", "generator_predictions.dense."},
                                   {"masked.norm.", "generator_predictions.LayerNorm."},
                                   {"masked.output.", "generator_lm_head."},
                                   {"masked.bias", "generator_lm_head.bias"},
                                   {"encoder.projection.", "electra.embeddings_project."},
                                   {"replaced.dense.", "discriminator_predictions.dense."},
                                   {"replaced.output.", "discriminator_predictions.dense_prediction."},
                                   {"classification.dense.", "classifier.dense."},
                                   {"classification.output.", "classifier.out_proj."}});
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBertOptions(config, weights);
    options.embeddingWidth = config.integerOr("embedding_size", 128, 2, 65536);
    auto heads = bertHeads(options);
    changeHead(heads, EncoderHead::MaskedLanguage, [](auto& head) { head.activation = Activation::Gelu; });
    changeHead(heads, EncoderHead::Classification, [](auto& head) { head.activation = Activation::Gelu; });
    // A discriminator's architecture is that of BERT with two heads: this one is looked for first.
    heads.insert(heads.begin(), {.kind = EncoderHead::ReplacedTokens, .activation = options.activation, .labels = 1});
    return makeEncoder(config, weights, naming(), options, heads);
}

} // namespace

Family electraFamily() {
    return {.modelType = "electra", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
