// Gemma, its three versions (2024, 2024, 2025): Llama's layers with a wider head, norms that learn how far they are
// from 1, and, since the second, a norm before and after each sublayer, windows in most layers, and caps on scores.
#include "core/families/parts.h"

#include <cmath>

namespace headlight {

namespace {

/// Files of models that also see images have the text's part, and name its tensors, within others.
ModelConfig ofText(const ModelConfig& config) {
    const auto within = config.object("text_config");
    return within ? *within : config;
}

Weights::Naming naming(const ModelConfig& config) {
    const bool first = config.modelType() == "gemma";
    auto naming = first ? llamaNaming()
                        : llamaNaming({{".self_attn_after_norm.", ".post_attention_layernorm."},
                                       {".final_layer_norm.", ".pre_feedforward_layernorm."},
                                       {".final_after_norm.", ".post_feedforward_layernorm."}});
    const auto usual = naming.canonical;
    naming.canonical = [usual](const std::string& theirs) {
        static const Renames within{{"language_model.model.", "model."}, {"model.language_model.", "model."}};
        if (theirs == "language_model.lm_head.weight")
            return std::string("lm_head.weight");
        return usual(startsWithAny(theirs, {within[0].first, within[1].first}) ? renamed(theirs, within) : theirs);
    };
    if (config.has("text_config"))
        naming.body = {"model.layers.", "model.norm.", "model.embed_tokens."}; // others are of images
    return naming;
}

Network build(const ModelConfig& given, const Weights* weights) {
    const auto config = ofText(given);
    const auto type = given.modelType();
    const bool third = type.starts_with("gemma3");
    TransformerOptions options;
    options.vocabulary = config.integerOr("vocab_size", third ? 262208 : 256000, 2, 10'000'000);
    options.width = config.integer("hidden_size", 2, 65536);
    options.heads = config.integerOr("num_attention_heads", third ? 8 : 16, 1, 1024);
    options.keyValueHeads = config.integerOr("num_key_value_heads", third ? 4 : options.heads, 1, 1024);
    options.headSize = config.integerOr("head_dim", 256, 1, 65536);
    options.feedForward = config.integer("intermediate_size", 1, 1 << 20);
    options.decoderLayers = static_cast<int>(config.integer("num_hidden_layers", 1, 256));
    options.maxPositions = config.integerOr("max_position_embeddings", third ? 131072 : 8192, 1, 1 << 24);
    options.scaleEmbedding = true;
    options.norm = NormPlacement::Pre;
    options.normKind = NormKind::RmsNormFromOne;
    options.normEpsilon = config.numberOr("rms_norm_eps", 1e-6, 0, 1);
    options.gated = true;
    options.activation = readActivation(config, "hidden_activation", "gelu_pytorch_tanh");
    options.projectionBias = options.joiningBias = config.flagOr("attention_bias", false);
    options.feedForwardBias = false;
    options.tiedOutput = readTied(config, weights, "lm_head.weight", true);
    options.dropout = config.numberOr("attention_dropout", 0, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "num_attention_heads", options.heads, "num_key_value_heads", options.keyValueHeads);
    setRotary(config, options, {.otherwise = third ? 1e6 : 1e4, .layers = "full_attention"});
    if (type != "gemma") {
        options.sublayerNorms = true;
        options.attentionScale = 1 / std::sqrt(config.numberOr("query_pre_attn_scalar", 256, 1e-6, 1e9));
        options.scoreCap = config.numberOr("attn_logit_softcapping", 0, 0, 1e9);
        options.outputCap = config.numberOr("final_logit_softcapping", 0, 0, 1e9);
        const auto window = config.integerOr("sliding_window", 4096, 0, 1 << 24);
        const auto pattern = config.integerOr(
            "sliding_window_pattern", config.integerOr("_sliding_window_pattern", third ? 6 : 2, 1, 256), 1, 256);
        setWindows(config, options, window, [pattern](std::int64_t layer) { return (layer + 1) % pattern != 0; });
    }
    if (third) {
        options.headNorm = true;
        options.windowRotary = readRotary(
            config, options, {.base = "rope_local_base_freq", .layers = "sliding_attention", .scaled = false});
    }
    return makeCausal(given, weights, naming(given), options);
}

} // namespace

Family gemmaFamily(const std::string& modelType) {
    return {.modelType = modelType, .build = build, .naming = naming};
}

} // namespace headlight
