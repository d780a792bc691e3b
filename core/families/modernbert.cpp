// ModernBERT, Warner et al. 2024: an encoder with rotary positions, pre-norm layers without biases, a gated layer, and
// windows in all layers but every third one.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    static const Renames names{
        {"shared.", "model.embeddings.tok_embeddings."},
        {"encoder.layernorm_embedding.", "model.embeddings.norm."},
        {"encoder.layers.", "model.layers."},
        {"encoder.layer_norm.", "model.final_norm."},
        {".self_attn.q_proj.", ".attn.Wqkv."},
        {".self_attn.k_proj.", ".attn.Wqkv."},
        {".self_attn.v_proj.", ".attn.Wqkv."},
        {".self_attn.out_proj.", ".attn.Wo."},
        {".self_attn_layer_norm.", ".attn_norm."},
        {".fc1.", ".mlp.Wi."},
        {".fc3.", ".mlp.Wi."},
        {".fc2.", ".mlp.Wo."},
        {".final_layer_norm.", ".mlp_norm."},
        {"masked.output.", "decoder."},
        {"masked.bias", "decoder.bias"},
        {"masked.", "head."},
        {"classification.output.", "classifier."},
        {"classification.", "head."},
        {"tokens.output.", "classifier."},
        {"tokens.", "head."},
        {"answer.output.", "classifier."},
        {"answer.", "head."},
        {"choice.output.", "classifier."},
        {"choice.", "head."},
    };
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "model.", {"embeddings.", "layers.", "final_norm."});
                },
            .source =
                [](const std::string& ours) {
                    Weights::Source source{.name = renamed(ours, names)};
                    const auto slice = [&](const char* part, int which, int all) {
                        if (ours.find(part) == std::string::npos)
                            return;
                        source.part = which;
                        source.parts = all;
                    };
                    slice(".q_proj.", 0, 3);
                    slice(".k_proj.", 1, 3);
                    slice(".v_proj.", 2, 3);
                    slice(".fc1.", 0, 2);
                    slice(".fc3.", 1, 2);
                    return source;
                },
            .ignorable = {},
            .tied = {{"model.embeddings.tok_embeddings.weight", "decoder.weight"}},
            .body = {"model."}};
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("hidden_size", 2, 65536);
    options.heads = config.integer("num_attention_heads", 1, 1024);
    options.feedForward = config.integer("intermediate_size", 1, 1 << 20);
    options.encoderLayers = static_cast<int>(config.integer("num_hidden_layers", 1, 256));
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 20);
    options.scaleEmbedding = false;
    options.embeddingNorm = true;
    options.norm = NormPlacement::Pre;
    options.normEpsilon = config.numberOr("norm_eps", 1e-5, 0, 1);
    options.normBias = config.flagOr("norm_bias", false);
    options.firstNorm = false; // the embedding's is just before
    options.projectionBias = options.joiningBias = config.flagOr("attention_bias", false);
    options.feedForwardBias = config.flagOr("mlp_bias", false);
    options.activation = readActivation(config, "hidden_activation", "gelu");
    options.gated = true;
    options.dropout = config.numberOr("mlp_dropout", 0, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "hidden_size", options.width, "num_attention_heads", options.heads);
    setRotary(config, options,
              {.base = "global_rope_theta", .otherwise = 160000, .layers = "full_attention", .scaled = false});
    options.windowRotary =
        readRotary(config, options,
                   {.base = config.has("local_rope_theta") ? "local_rope_theta" : "global_rope_theta",
                    .otherwise = config.has("global_rope_theta") ? 160000.0 : 10000.0,
                    .layers = "sliding_attention",
                    .scaled = false});
    const auto every = config.integerOr("global_attn_every_n_layers", 3, 1, 256);
    setWindows(config, options, config.integerOr("local_attention", 128, 2, 1 << 20) / 2,
               [every](std::int64_t layer) { return layer % every != 0; });

    auto heads = bertHeads(options);
    for (auto& head : heads) {
        head.dense = head.norm = true;
        head.denseBias = config.flagOr("classifier_bias", false);
        head.activation = readActivation(config, "classifier_activation", "gelu");
        head.mean = config.textOr("classifier_pooling", "cls") == "mean";
        if (head.kind == EncoderHead::MaskedLanguage)
            head.bias = config.flagOr("decoder_bias", true);
    }
    return makeEncoder(config, weights, naming(), options, heads);
}

} // namespace

Family modernbertFamily() {
    return {.modelType = "modernbert", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
