// Marian: the Transformer of Vaswani et al. 2017 as OPUS-MT models have it (post-norm, sinusoidal positions with the
// sines first, one shared embedding, start token = padding). Also the bundled en-fr-transformer.
// Tensor names as HuggingFace's MarianMTModel saves them.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return {.canonical = {},
            .source =
                [](const std::string& ours) {
                    return Weights::Source{.name = ours == "final_logits_bias" ? ours : "model." + ours};
                },
            // Copies of the shared embedding, and the table of sines that we compute.
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "lm_head.weight"
                           || endsWithAny(theirs, {"coder.embed_tokens.weight", "coder.embed_positions.weight"});
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
    options.position = PositionKind::SinusoidalHalves;
    options.activation = readActivation(config, "activation_function", "gelu");
    options.dropout = config.numberOr("dropout", 0, 0, 1);
    options.scaleEmbedding = config.flagOr("scale_embedding", false);
    options.initialise = weights == nullptr;
    requireHeads(config, "d_model", options.width, "encoder_attention_heads", options.heads);
    requireEqualStacks(config, options);
    if (options.width % 2 != 0)
        config.fail(Error::Kind::Corrupt, "d_model " + std::to_string(options.width)
                                              + " is odd: a position's vector "
                                                "has as many sines as cosines");
    if (!config.flagOr("share_encoder_decoder_embeddings", true))
        config.fail(Error::Kind::Unsupported, "separate embeddings of source and target are not supported");

    const auto last = options.vocabulary - 1;
    return makeTranslator(config, weights, naming(), options,
                          {.start = config.integer("decoder_start_token_id", 0, last),
                           .end = config.integer("eos_token_id", 0, last),
                           .pad = config.integer("pad_token_id", 0, last)});
}

} // namespace

Family marianFamily() {
    return {.modelType = "marian", .build = build, .naming = naming()};
}

} // namespace headlight
