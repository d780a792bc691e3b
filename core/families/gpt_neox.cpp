// GPT-NeoX, Black et al. 2022, and Pythia (Biderman et al. 2023): a decoder alone that turns a part of each head, and
// whose attention and feed-forward layers read the same and are added together.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming(const ModelConfig& config) {
    static const Renames names{
        {"shared.", "gpt_neox.embed_in."},
        {"decoder.layers.", "gpt_neox.layers."},
        {".self_attn.q_proj.", ".attention.query_key_value."},
        {".self_attn.k_proj.", ".attention.query_key_value."},
        {".self_attn.v_proj.", ".attention.query_key_value."},
        {".self_attn.out_proj.", ".attention.dense."},
        {".self_attn_layer_norm.", ".input_layernorm."},
        {".fc1.", ".mlp.dense_h_to_4h."},
        {".fc2.", ".mlp.dense_4h_to_h."},
        {".final_layer_norm.", ".post_attention_layernorm."},
        {"decoder.layer_norm.", "gpt_neox.final_layer_norm."}, // behind the layers' norm of that name
        {"lm_head.", "embed_out."},
        {"classification.output.", "score."},
        {"tokens.output.", "classifier."},
    };
    const auto heads = config.integer("num_attention_heads", 1, 1024);
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "gpt_neox.", {"layers.", "embed_in.", "final_layer_norm."});
                },
            .source = [heads](const std::string& ours) { return joinedByHead(ours, names, heads); },
            // What draws the mask and the turns.
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "embed_out.weight"
                           || endsWithAny(theirs, {".attention.bias", ".attention.masked_bias", ".inv_freq"});
                },
            .tied = {{"gpt_neox.embed_in.weight", "embed_out.weight"}},
            .body = {"gpt_neox."}};
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("hidden_size", 2, 65536);
    options.heads = config.integer("num_attention_heads", 1, 1024);
    options.feedForward = config.integer("intermediate_size", 1, 1 << 20);
    options.decoderLayers = static_cast<int>(config.integer("num_hidden_layers", 1, 256));
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 24);
    options.scaleEmbedding = false;
    options.norm = NormPlacement::Pre;
    options.normEpsilon = config.numberOr("layer_norm_eps", 1e-5, 0, 1);
    options.parallelSublayers = config.flagOr("use_parallel_residual", true);
    options.projectionBias = options.joiningBias = config.flagOr("attention_bias", true);
    options.activation = readActivation(config, "hidden_act", "gelu");
    options.tiedOutput = readTied(config, weights, "embed_out.weight", false);
    options.dropout = config.numberOr("hidden_dropout", 0, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "hidden_size", options.width, "num_attention_heads", options.heads);
    setRotary(config, options,
              {.base = config.has("rotary_emb_base") ? "rotary_emb_base" : "rope_theta", .part = 0.25});
    return makeCausal(config, weights, naming(config), options);
}

} // namespace

Family gptNeoxFamily() {
    return {.modelType = "gpt_neox", .build = build, .naming = naming};
}

} // namespace headlight
