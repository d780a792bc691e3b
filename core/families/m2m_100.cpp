// M2M-100, Fan et al. 2021, and NLLB-200 (2022): mBART's encoder–decoder with sinusoidal positions, which stretch a
// little farther than those of the paper; a code at the beginning of a text says its language.
#include "core/families/parts.h"

namespace headlight {

namespace {

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBartOptions(config, weights);
    const auto last = options.vocabulary - 1;
    const auto pad = config.integerOr("pad_token_id", 1, 0, last);
    options.activation = readActivation(config, "activation_function", "relu");
    options.scaleEmbedding = config.flagOr("scale_embedding", true);
    options.position = PositionKind::SinusoidalStretched;
    options.positionOffset = pad + 1;
    options.uncounted = pad;
    options.norm = NormPlacement::Pre;
    options.dropout = config.numberOr("dropout", 0.1, 0, 1);
    const auto end = config.integerOr("eos_token_id", 2, 0, last);
    return makeTranslator(config, weights, bartNaming(), options,
                          {.start = config.integerOr("decoder_start_token_id", end, 0, last), .end = end, .pad = pad});
}

} // namespace

Family m2m100Family() {
    return {.modelType = "m2m_100", .build = build, .naming = [](const ModelConfig&) { return bartNaming(); }};
}

} // namespace headlight
