// Marian: the Transformer of Vaswani et al. 2017 as OPUS-MT models have it (post-norm, sinusoidal positions with the
// sines first, one shared embedding, start token = padding). Also the bundled en-fr-transformer.
// Tensor names as HuggingFace's MarianMTModel saves them.
#include "core/families/family.h"
#include "core/nn/transformer.h"

namespace headlight {

namespace {

Activation activation(const ModelConfig& config) {
    const auto name = config.textOr("activation_function", "gelu");
    if (name == "relu")
        return Activation::Relu;
    if (name == "gelu")
        return Activation::Gelu;
    if (name == "swish" || name == "silu")
        return Activation::Silu;
    config.fail(Error::Kind::Unsupported, "the activation_function \"" + name + "\" is not known",
                "known are: relu, gelu, swish, silu");
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
    options.activation = activation(config);
    options.dropout = config.numberOr("dropout", 0, 0, 1);
    options.scaleEmbedding = config.flagOr("scale_embedding", false);
    if (options.width % options.heads != 0 || options.width % 2 != 0)
        config.fail(Error::Kind::Corrupt, "d_model " + std::to_string(options.width) + " is odd or no multiple of the "
                                              + std::to_string(options.heads) + " heads");
    if (config.integerOr("decoder_attention_heads", options.heads, 1, 1024) != options.heads
        || config.integerOr("decoder_ffn_dim", options.feedForward, 1, 1 << 20) != options.feedForward)
        config.fail(Error::Kind::Unsupported, "encoder and decoder differ in heads or feed-forward size");
    if (!config.flagOr("share_encoder_decoder_embeddings", true))
        config.fail(Error::Kind::Unsupported, "separate embeddings of source and target are not supported");

    if (weights) {
        weights->requireShape("model.shared.weight", {options.vocabulary, options.width});
        const auto requireLayers = [&](const std::string& stack, int layers) {
            for (int layer = 0; layer < layers; ++layer) {
                const auto name = "model." + stack + ".layers." + std::to_string(layer);
                weights->requireShape(name + ".self_attn.q_proj.weight", {options.width, options.width});
                weights->requireShape(name + ".fc1.weight", {options.feedForward, options.width});
            }
        };
        requireLayers("encoder", options.encoderLayers);
        requireLayers("decoder", options.decoderLayers);
    }

    const auto last = options.vocabulary - 1;
    const SpecialIds ids{.start = config.integer("decoder_start_token_id", 0, last),
                         .end = config.integer("eos_token_id", 0, last),
                         .pad = config.integer("pad_token_id", 0, last)};
    return {.translator = std::make_shared<Transformer>(options),
            .ids = ids,
            .banned = config.singleIntegers("bad_words_ids", 0, last),
            .vocabulary = options.vocabulary,
            .maxPositions = options.maxPositions,
            .encoderLayers = options.encoderLayers,
            .decoderLayers = options.decoderLayers,
            .heads = static_cast<int>(options.heads)};
}

Weights::Source source(const std::string& ours) {
    return {.name = ours == "final_logits_bias" ? ours : "model." + ours};
}

/// Copies of the shared embedding, and the table of sines that we compute.
bool ignorable(const std::string& theirs) {
    return theirs == "lm_head.weight" || theirs == "model.encoder.embed_tokens.weight"
           || theirs == "model.decoder.embed_tokens.weight" || theirs == "model.encoder.embed_positions.weight"
           || theirs == "model.decoder.embed_positions.weight";
}

} // namespace

Family marianFamily() {
    return {
        .modelType = "marian", .build = build, .naming = {.canonical = {}, .source = source, .ignorable = ignorable}};
}

} // namespace headlight
