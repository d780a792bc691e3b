// BART, Lewis et al. 2020, and mBART (Liu et al. 2020), which has pre-norm layers: an encoder–decoder with learned
// positions, whose tables begin with two rows that nobody uses, and a norm after the embedding. Our names are BART's.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "model.", {"shared.", "encoder.", "decoder."});
                },
            .source =
                [](const std::string& ours) {
                    const bool outside = startsWithAny(ours, {"final_logits_bias", "lm_head."});
                    return Weights::Source{.name = outside ? ours : "model." + ours};
                },
            // Copies of the shared embedding, and marks of the first conversions.
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "lm_head.weight"
                           || endsWithAny(theirs, {"coder.embed_tokens.weight", "coder.version"});
                },
            .tied = {{"model.shared.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight",
                      "lm_head.weight"}}};
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("d_model", 2, 65536);
    options.heads = config.integer("encoder_attention_heads", 1, 1024);
    options.feedForward = config.integer("encoder_ffn_dim", 1, 1 << 20);
    options.encoderLayers = static_cast<int>(config.integer("encoder_layers", 1, 256));
    options.decoderLayers = static_cast<int>(config.integer("decoder_layers", 1, 256));
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 20);
    options.position = PositionKind::Learned;
    options.positionOffset = 2;
    options.embeddingNorm = true;
    options.norm = config.modelType() == "mbart" ? NormPlacement::Pre : NormPlacement::Post;
    options.activation = readActivation(config, "activation_function", "gelu");
    options.scaleEmbedding = config.flagOr("scale_embedding", false);
    options.tiedOutput = config.flagOr("tie_word_embeddings", true);
    options.outputBias = !weights || weights->has("final_logits_bias"); // the bare model has none
    options.dropout = config.numberOr("dropout", 0.1, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "d_model", options.width, "encoder_attention_heads", options.heads);
    requireEqualStacks(config, options);

    const auto last = options.vocabulary - 1;
    const auto end = config.integerOr("eos_token_id", 2, 0, last);
    return makeTranslator(config, weights, naming(), options,
                          {.start = config.integerOr("decoder_start_token_id", end, 0, last),
                           .end = end,
                           .pad = config.integerOr("pad_token_id", 1, 0, last)});
}

} // namespace

Family bartFamily(const std::string& modelType) {
    return {.modelType = modelType, .build = build, .naming = naming()};
}

} // namespace headlight
