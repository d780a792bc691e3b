// GPT-2, Radford et al. 2019: a decoder alone with learned positions and pre-norm layers. Its checkpoints have matrices
// as [in, out], and those of queries, keys and values in one.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Source source(const std::string& ours) {
    static const Renames renames{
        {"shared.", "transformer.wte."},
        {"decoder.embed_positions.", "transformer.wpe."},
        {"decoder.layers.", "transformer.h."},
        {"decoder.layer_norm.", "transformer.ln_f."},
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
                    return withPrefix(theirs, "transformer.", {"h.", "wte.", "wpe.", "ln_f."});
                },
            .source = source,
            // A tied copy, and what draws the causal mask.
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "lm_head.weight" || endsWithAny(theirs, {".attn.bias", ".attn.masked_bias"});
                },
            .tied = {{"transformer.wte.weight", "lm_head.weight"}}};
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("n_embd", 2, 65536);
    options.heads = config.integer("n_head", 1, 1024);
    options.feedForward = config.integerOr("n_inner", 4 * options.width, 1, 1 << 20);
    options.decoderLayers = static_cast<int>(config.integer("n_layer", 1, 256));
    options.maxPositions = config.integer("n_positions", 1, 1 << 20);
    options.position = PositionKind::Learned;
    options.scaleEmbedding = false;
    options.norm = NormPlacement::Pre;
    options.normEpsilon = config.numberOr("layer_norm_epsilon", 1e-5, 0, 1);
    options.activation = readActivation(config, "activation_function", "gelu_new");
    options.attentionScale = config.flagOr("scale_attn_weights", true) ? 0 : 1;
    options.scaleByLayer = config.flagOr("scale_attn_by_inverse_layer_idx", false);
    options.tiedOutput = config.flagOr("tie_word_embeddings", true);
    options.dropout = config.numberOr("resid_pdrop", 0.1, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "n_embd", options.width, "n_head", options.heads);
    if (config.flagOr("add_cross_attention", false))
        config.fail(Error::Kind::Unsupported, "\"add_cross_attention\" is true: a gpt2 that reads an encoder is not "
                                              "supported");
    return makeCausal(config, weights, naming(), options);
}

} // namespace

Family gpt2Family() {
    return {.modelType = "gpt2", .build = build, .naming = naming()};
}

} // namespace headlight
