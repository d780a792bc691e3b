// PEGASUS, Zhang et al. 2020: BART's encoder–decoder with pre-norm layers and sinusoidal positions, which its files
// hold and which are computed here.
#include "core/families/parts.h"

namespace headlight {

namespace {

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBartOptions(config, weights);
    options.position = PositionKind::SinusoidalHalves;
    options.norm = NormPlacement::Pre;
    options.dropout = config.numberOr("dropout", 0.1, 0, 1);

    const auto last = options.vocabulary - 1;
    const auto pad = config.integerOr("pad_token_id", 0, 0, last);
    return makeTranslator(config, weights, bartNaming(), options,
                          {.start = config.integerOr("decoder_start_token_id", pad, 0, last),
                           .end = config.integerOr("eos_token_id", 1, 0, last),
                           .pad = pad});
}

} // namespace

Family pegasusFamily() {
    return {.modelType = "pegasus", .build = build, .naming = [](const ModelConfig&) { return bartNaming(); }};
}

} // namespace headlight
