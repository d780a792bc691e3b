// RoBERTa, Liu et al. 2019, and its kin in other languages, XLM-R (Conneau et al. 2020) and CamemBERT: BERT's encoder,
// with positions that count from the row after the padding token's id and leave padding out.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return bertNaming("roberta.",
                      {{"head_dense.", "lm_head.dense."},
                       {"head_layer_norm.", "lm_head.layer_norm."},
                       {"head_output.", "lm_head.decoder."},
                       {"head_bias", "lm_head.bias"},
                       {"classifier.", "classifier.out_proj."},
                       {"pooler.", "classifier.dense."}},
                      {"lm_head.", "classifier.", "qa_outputs."});
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBertOptions(config, weights);
    options.uncounted = config.integerOr("pad_token_id", 1, 0, options.vocabulary - 1);
    options.positionOffset = options.uncounted + 1;
    options.maxPositions -= options.positionOffset;
    if (options.maxPositions < 1)
        config.fail(Error::Kind::Corrupt, "\"max_position_embeddings\" "
                                              + std::to_string(options.maxPositions + options.positionOffset)
                                              + " leaves no position after that of the \"pad_token_id\" "
                                              + std::to_string(options.uncounted));
    const auto head = readEncoderHead(config, weights, "lm_head.dense.weight");
    return makeEncoder(
        config, weights, naming(), options,
        {.kind = head, .activation = head == EncoderHead::Classification ? Activation::Tanh : Activation::Gelu});
}

} // namespace

Family robertaFamily(const std::string& modelType) {
    return {.modelType = modelType, .build = build, .naming = naming()};
}

} // namespace headlight
