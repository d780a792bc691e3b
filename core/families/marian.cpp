// Marian: the Transformer of Vaswani et al. 2017 as OPUS-MT models have it (post-norm, sinusoidal positions with the
// sines first, one shared embedding, start token = padding). Also the bundled en-fr-transformer.
// Tensor names as HuggingFace's MarianMTModel saves them.
#include "core/families/parts.h"

namespace headlight {

namespace {

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBartOptions(config, weights);
    options.position = PositionKind::SinusoidalHalves;
    options.dropout = config.numberOr("dropout", 0, 0, 1);
    if (options.width % 2 != 0)
        config.fail(Error::Kind::Corrupt, "d_model " + std::to_string(options.width)
                                              + " is odd: a position's vector "
                                                "has as many sines as cosines");
    if (!config.flagOr("share_encoder_decoder_embeddings", true))
        config.fail(Error::Kind::Unsupported, "separate embeddings of source and target are not supported");

    const auto last = options.vocabulary - 1;
    return makeTranslator(config, weights, bartNaming(), options,
                          {.start = config.integer("decoder_start_token_id", 0, last),
                           .end = config.integer("eos_token_id", 0, last),
                           .pad = config.integer("pad_token_id", 0, last)});
}

} // namespace

Family marianFamily() {
    return {.modelType = "marian", .build = build, .naming = [](const ModelConfig&) { return bartNaming(); }};
}

} // namespace headlight
