// BLOOM, Le Scao et al. 2022: a decoder alone whose scores lose the more, the farther away a key is (ALiBi, Press et
// al. 2022), with a norm after the embedding.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming(const ModelConfig& config) {
    static const Renames names{
        {"shared.", "transformer.word_embeddings."},
        {"decoder.layernorm_embedding.", "transformer.word_embeddings_layernorm."},
        {"decoder.layers.", "transformer.h."},
        {"decoder.layer_norm.", "transformer.ln_f."},
        {".self_attn.q_proj.", ".self_attention.query_key_value."},
        {".self_attn.k_proj.", ".self_attention.query_key_value."},
        {".self_attn.v_proj.", ".self_attention.query_key_value."},
        {".self_attn.out_proj.", ".self_attention.dense."},
        {".self_attn_layer_norm.", ".input_layernorm."},
        {".fc1.", ".mlp.dense_h_to_4h."},
        {".fc2.", ".mlp.dense_4h_to_h."},
        {".final_layer_norm.", ".post_attention_layernorm."},
        {"classification.output.", "score."},
        {"tokens.output.", "classifier."},
    };
    const auto heads = config.integerOr("n_head", config.integerOr("num_attention_heads", 8, 1, 1024), 1, 1024);
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "transformer.", {"h.", "word_embeddings", "ln_f."});
                },
            .source = [heads](const std::string& ours) { return joinedByHead(ours, names, heads); },
            .ignorable = [](const std::string& theirs) { return theirs == "lm_head.weight"; },
            .tied = {{"transformer.word_embeddings.weight", "lm_head.weight"}},
            .body = {"transformer."}};
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    const auto either = [&](const char* key, const char* other, std::int64_t least, std::int64_t most) {
        return config.integer(config.has(key) ? key : other, least, most);
    };
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = either("hidden_size", "n_embed", 2, 65536);
    options.heads = either("n_head", "num_attention_heads", 1, 1024);
    options.feedForward = 4 * options.width;
    options.decoderLayers = static_cast<int>(either("n_layer", "num_hidden_layers", 1, 256));
    options.maxPositions = config.integerOr("seq_length", 2048, 1, 1 << 20);
    options.position = PositionKind::Slopes;
    options.scaleEmbedding = false;
    options.embeddingNorm = true;
    options.norm = NormPlacement::Pre;
    options.normEpsilon = config.numberOr("layer_norm_epsilon", 1e-5, 0, 1);
    options.residualOfNorm = config.flagOr("apply_residual_connection_post_layernorm", false);
    options.activation = Activation::GeluTanh;
    options.tiedOutput = readTied(config, weights, "lm_head.weight", true);
    options.dropout = config.numberOr("hidden_dropout", 0, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "hidden_size", options.width, "n_head", options.heads);
    return makeCausal(config, weights, naming(config), options);
}

} // namespace

Family bloomFamily() {
    return {.modelType = "bloom", .build = build, .naming = naming};
}

} // namespace headlight
