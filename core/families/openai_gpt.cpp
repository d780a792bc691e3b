// OpenAI's first GPT, Radford et al. 2018: GPT-2 with the norms after the sublayers, as in Vaswani et al. 2017, none at
// the end, and tables of other names.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Source source(const std::string& ours) {
    static const Renames renames{
        {"shared.", "transformer.tokens_embed."},
        {"decoder.embed_positions.", "transformer.positions_embed."},
        {"decoder.layers.", "transformer.h."},
        {".self_attn.q_proj.", ".attn.c_attn."},
        {".self_attn.k_proj.", ".attn.c_attn."},
        {".self_attn.v_proj.", ".attn.c_attn."},
        {".self_attn.out_proj.", ".attn.c_proj."},
        {".self_attn_layer_norm.", ".ln_1."},
        {".fc1.", ".mlp.c_fc."},
        {".fc2.", ".mlp.c_proj."},
        {".final_layer_norm.", ".ln_2."},
    };
    const auto name = renamed(ours, renames);
    return {.name = name,
            .transposed = name.starts_with("transformer.h."),
            .part = thirdOf(ours),
            .parts = name.find(".c_attn.") != std::string::npos ? 3 : 1};
}

Weights::Naming naming() {
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "transformer.", {"h.", "tokens_embed.", "positions_embed."});
                },
            .source = source,
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "lm_head.weight" || theirs == "transformer.position_ids"
                           || theirs == "position_ids" || theirs.ends_with(".attn.bias");
                },
            .tied = {{"transformer.tokens_embed.weight", "lm_head.weight"}}};
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("n_embd", 2, 65536);
    options.heads = config.integer("n_head", 1, 1024);
    options.feedForward = 4 * options.width;
    options.decoderLayers = static_cast<int>(config.integer("n_layer", 1, 256));
    options.maxPositions = config.integer("n_positions", 1, 1 << 20);
    options.position = PositionKind::Learned;
    options.scaleEmbedding = false;
    options.norm = NormPlacement::Post;
    options.normEpsilon = config.numberOr("layer_norm_epsilon", 1e-5, 0, 1);
    const auto activation = config.textOr("afn", "gelu");
    options.activation = activationNamed(config, "afn", activation == "gelu" ? "gelu_new" : activation);
    options.tiedOutput = config.flagOr("tie_word_embeddings", true);
    options.dropout = config.numberOr("resid_pdrop", 0.1, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "n_embd", options.width, "n_head", options.heads);
    return makeCausal(config, weights, naming(), options);
}

} // namespace

Family openaiGptFamily() {
    return {.modelType = "openai-gpt", .build = build, .naming = naming()};
}

} // namespace headlight
