// GPT-Neo, Black et al. 2021: GPT-2 with matrices as they are elsewhere, scores that are not scaled, and a window in
// every second layer.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    const auto usual =
        gptNaming({{"shared.", "wte."}, {"decoder.embed_positions.", "wpe."}, {"decoder.layer_norm.", "ln_f."}},
                  {".attn.attention.masked_bias", ".attn.attention.bias"});
    return changed(usual, [](const std::string& ours, Weights::Source source) {
        source.transposed = false;
        if (ours.find(".self_attn.") == std::string::npos)
            return source;
        source.part = 0;
        source.parts = 1;
        static const Renames joined{{".attn.c_proj.", ".attn.attention.out_proj."}};
        source.name = renamed(source.name, joined);
        for (const std::string part : {".q_proj.", ".k_proj.", ".v_proj."})
            if (ours.find(part) != std::string::npos)
                source.name = renamed(source.name, {{".attn.c_attn.", ".attn.attention" + part}});
        return source;
    });
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("hidden_size", 2, 65536);
    options.heads = config.integer("num_heads", 1, 1024);
    options.feedForward = config.integerOr("intermediate_size", 4 * options.width, 1, 1 << 20);
    options.decoderLayers = static_cast<int>(config.integer("num_layers", 1, 256));
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 20);
    options.position = PositionKind::Learned;
    options.scaleEmbedding = false;
    options.norm = NormPlacement::Pre;
    options.normEpsilon = config.numberOr("layer_norm_epsilon", 1e-5, 0, 1);
    options.activation = readActivation(config, "activation_function", "gelu_new");
    options.attentionScale = 1;
    options.projectionBias = false;
    options.tiedOutput = readTied(config, weights, "lm_head.weight", true);
    options.dropout = config.numberOr("resid_dropout", 0, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "hidden_size", options.width, "num_heads", options.heads);

    // Such as [[["global", "local"], 12]]: the pattern, and how often it comes.
    const auto window = config.integerOr("window_size", 256, 1, 1 << 24);
    for (const auto& kind : config.repeated("attention_types", 256)) {
        if (kind != "global" && kind != "local")
            config.fail(Error::Kind::Unsupported, "attention of the type \"" + kind + "\" is not known",
                        "known are: global, local");
        options.windows.push_back(kind == "local" ? window : 0);
    }
    if (options.windows.empty()) // as the class has it by default
        for (int layer = 0; layer < options.decoderLayers; ++layer)
            options.windows.push_back(layer % 2 == 1 ? window : 0);
    if (options.windows.size() != static_cast<std::size_t>(options.decoderLayers))
        config.fail(Error::Kind::Corrupt, "\"attention_types\" is of " + std::to_string(options.windows.size())
                                              + " layers, \"num_layers\" " + std::to_string(options.decoderLayers));
    return makeCausal(config, weights, naming(), options);
}

} // namespace

Family gptNeoFamily() {
    return {.modelType = "gpt_neo", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
