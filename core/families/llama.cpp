// Llama, Touvron et al. 2023, and what its config can also describe, Mistral (Jiang et al. 2023) and Qwen2: a decoder
// alone with RMS norm before the sublayers, rotary positions, fewer heads of keys than of queries and a gated layer.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "model.", {"layers.", "embed_tokens.", "norm."});
                },
            .source = namedBy({
                {"shared.", "model.embed_tokens."},
                {"decoder.layers.", "model.layers."},
                {"decoder.layer_norm.", "model.norm."},
                {".self_attn.out_proj.", ".self_attn.o_proj."},
                {".self_attn_layer_norm.", ".input_layernorm."},
                {".fc1.", ".mlp.gate_proj."},
                {".fc3.", ".mlp.up_proj."},
                {".fc2.", ".mlp.down_proj."},
                {".final_layer_norm.", ".post_attention_layernorm."},
            }),
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "lm_head.weight" || theirs.ends_with(".rotary_emb.inv_freq");
                },
            .tied = {{"model.embed_tokens.weight", "lm_head.weight"}}};
}

/// How the turns are stretched for texts longer than those of training: not at all, evenly, or as Llama 3.1 does.
RotaryOptions readRotary(const ModelConfig& config) {
    // Where newer files put all of it.
    const auto parameters = config.object("rope_parameters");
    const auto& holder = parameters ? *parameters : config;
    RotaryOptions rotary;
    rotary.base = holder.numberOr("rope_theta", config.numberOr("rope_theta", 10000, 1, 1e12), 1, 1e12);
    const auto scaling = parameters ? parameters : config.object("rope_scaling");
    if (!scaling)
        return rotary;
    const auto kind = scaling->textOr("rope_type", scaling->textOr("type", "default"));
    if (kind == "default")
        return rotary;
    if (kind != "linear" && kind != "llama3")
        scaling->fail(Error::Kind::Unsupported, "rotary positions of the type \"" + kind + "\" are not known",
                      "known are: default, linear, llama3");
    rotary.factor = scaling->numberOr("factor", 1, 1e-3, 1e6);
    if (kind == "llama3") {
        rotary.originalPositions = scaling->integer("original_max_position_embeddings", 1, 1 << 20);
        rotary.low = scaling->numberOr("low_freq_factor", 1, 1e-3, 1e6);
        rotary.high = scaling->numberOr("high_freq_factor", 4, 1e-3, 1e6);
        if (rotary.high <= rotary.low)
            scaling->fail(Error::Kind::Corrupt, "\"high_freq_factor\" is not above \"low_freq_factor\"");
    }
    return rotary;
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("hidden_size", 2, 65536);
    options.heads = config.integer("num_attention_heads", 1, 1024);
    options.keyValueHeads = config.integerOr("num_key_value_heads", options.heads, 1, 1024);
    options.feedForward = config.integer("intermediate_size", 1, 1 << 20);
    options.decoderLayers = static_cast<int>(config.integer("num_hidden_layers", 1, 256));
    options.maxPositions = config.integerOr("max_position_embeddings", 2048, 1, 1 << 24);
    options.position = PositionKind::Rotary;
    options.rotary = readRotary(config);
    options.scaleEmbedding = false;
    options.norm = NormPlacement::Pre;
    options.normKind = NormKind::RmsNorm;
    options.normEpsilon = config.numberOr("rms_norm_eps", 1e-6, 0, 1);
    options.activation = readActivation(config, "hidden_act", "silu");
    options.gated = true;
    options.tiedOutput = config.flagOr("tie_word_embeddings", false);
    options.dropout = config.numberOr("attention_dropout", 0, 0, 1);
    options.initialise = weights == nullptr;

    const bool qwen = config.modelType() == "qwen2";
    options.projectionBias = qwen || config.flagOr("attention_bias", false);
    options.joiningBias = !qwen && config.flagOr("attention_bias", false);
    options.feedForwardBias = config.flagOr("mlp_bias", false);
    if (config.modelType() == "mistral" || (qwen && config.flagOr("use_sliding_window", false)))
        options.window = config.integerOr("sliding_window", 0, 1, 1 << 24);
    if (options.window > 0 && qwen && config.integerOr("max_window_layers", 0, 0, 256) > 0)
        config.fail(Error::Kind::Unsupported, "a sliding window in some layers only is not supported",
                    "set \"use_sliding_window\" to false");

    options.headSize = config.integerOr("head_dim", 0, 1, 65536);
    if (options.headSize == 0) {
        requireHeads(config, "hidden_size", options.width, "num_attention_heads", options.heads);
        options.headSize = options.width / options.heads;
    }
    requireHeads(config, "num_attention_heads", options.heads, "num_key_value_heads", options.keyValueHeads);
    if (options.headSize % 2 != 0)
        config.fail(Error::Kind::Corrupt, "heads of " + std::to_string(options.headSize)
                                              + " dimensions have no pairs for rotary positions to turn");
    return makeCausal(config, weights, naming(), options);
}

} // namespace

Family llamaFamily(const std::string& modelType) {
    return {.modelType = modelType, .build = build, .naming = naming()};
}

} // namespace headlight
