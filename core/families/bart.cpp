// BART, Lewis et al. 2020, and mBART (Liu et al. 2020), which has pre-norm layers: an encoder–decoder with learned
// positions, whose tables begin with two rows that nobody uses, and a norm after the embedding. Our names are BART's.
#include "core/families/parts.h"

namespace headlight {

namespace {

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBartOptions(config, weights);
    options.position = PositionKind::Learned;
    options.positionOffset = 2;
    options.embeddingNorm = true;
    options.norm = config.modelType() == "mbart" ? NormPlacement::Pre : NormPlacement::Post;
    options.dropout = config.numberOr("dropout", 0.1, 0, 1);

    const auto last = options.vocabulary - 1;
    const auto end = config.integerOr("eos_token_id", 2, 0, last);
    return makeTranslator(config, weights, bartNaming(), options,
                          {.start = config.integerOr("decoder_start_token_id", end, 0, last),
                           .end = end,
                           .pad = config.integerOr("pad_token_id", 1, 0, last)});
}

} // namespace

Family bartFamily(const std::string& modelType) {
    return {.modelType = modelType, .build = build, .naming = [](const ModelConfig&) { return bartNaming(); }};
}

} // namespace headlight
