// Marian: the Transformer of Vaswani et al. 2017 as OPUS-MT models have it (post-norm, sinusoidal positions with the
// sines first, one shared embedding or one for each language, start token = padding). Also the bundled
// en-fr-transformer.
// Tensor names as HuggingFace's MarianMTModel saves them.
#include "core/families/parts.h"

namespace headlight {

namespace {

bool sharesEmbedding(const ModelConfig& config) {
    return config.flagOr("share_encoder_decoder_embeddings", true);
}

Weights::Naming naming(const ModelConfig& config) {
    auto names = bartNaming();
    if (sharesEmbedding(config))
        return names;
    const std::string source = "model.encoder.embed_tokens.weight", target = "model.decoder.embed_tokens.weight";
    names.tied = {{source, "model.shared.weight"}, {target, "lm_head.weight"}};
    return changed(std::move(names), [source, target](const std::string& ours, Weights::Source found) {
        if (ours == "shared.weight")
            found.name = source;
        else if (ours == "target_shared.weight")
            found.name = target;
        return found;
    });
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBartOptions(config, weights);
    options.position = PositionKind::SinusoidalHalves;
    options.dropout = config.numberOr("dropout", 0, 0, 1);
    if (options.width % 2 != 0)
        config.fail(Error::Kind::Corrupt, "d_model " + std::to_string(options.width)
                                              + " is odd: a position's vector "
                                                "has as many sines as cosines");
    if (!sharesEmbedding(config))
        options.targetVocabulary = config.integerOr("decoder_vocab_size", options.vocabulary, 2, 10'000'000);

    const auto last = options.wordsOfTarget() - 1;
    return makeTranslator(config, weights, naming(config), options,
                          {.start = config.integer("decoder_start_token_id", 0, last),
                           .end = config.integer("eos_token_id", 0, last),
                           .pad = config.integer("pad_token_id", 0, last)});
}

} // namespace

Family marianFamily() {
    return {.modelType = "marian", .build = build, .naming = naming};
}

} // namespace headlight
