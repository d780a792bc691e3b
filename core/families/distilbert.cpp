// DistilBERT, Sanh et al. 2019: BERT's encoder without segments and pooler, under names of its own; its classifier
// reads the first token through a rectified layer.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "distilbert.", {"embeddings.", "transformer."});
                },
            .source = namedBy({
                {"shared.", "distilbert.embeddings.word_embeddings."},
                {"encoder.embed_positions.", "distilbert.embeddings.position_embeddings."},
                {"encoder.layernorm_embedding.", "distilbert.embeddings.LayerNorm."},
                {"encoder.layers.", "distilbert.transformer.layer."},
                {".self_attn.q_proj.", ".attention.q_lin."},
                {".self_attn.k_proj.", ".attention.k_lin."},
                {".self_attn.v_proj.", ".attention.v_lin."},
                {".self_attn.out_proj.", ".attention.out_lin."},
                {".self_attn_layer_norm.", ".sa_layer_norm."},
                {".fc1.", ".ffn.lin1."},
                {".fc2.", ".ffn.lin2."},
                {".final_layer_norm.", ".output_layer_norm."},
                {"masked.dense.", "vocab_transform."},
                {"masked.norm.", "vocab_layer_norm."},
                {"masked.output.", "vocab_projector."},
                {"masked.bias", "vocab_projector.bias"},
                {"classification.dense.", "pre_classifier."},
                {"classification.output.", "classifier."},
                {"tokens.output.", "classifier."},
                {"answer.output.", "qa_outputs."},
                {"choice.dense.", "pre_classifier."},
                {"choice.output.", "classifier."},
            }),
            .ignorable = [](const std::string& theirs) { return theirs.ends_with("embeddings.position_ids"); },
            .tied = {{"distilbert.embeddings.word_embeddings.weight", "vocab_projector.weight"}},
            .body = {"distilbert."}};
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("dim", 2, 65536);
    options.heads = config.integer("n_heads", 1, 1024);
    options.feedForward = config.integer("hidden_dim", 1, 1 << 20);
    options.encoderLayers = static_cast<int>(config.integer("n_layers", 1, 256));
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 20);
    options.position = PositionKind::Learned; // sinusoidal ones are stored, too
    options.scaleEmbedding = false;
    options.embeddingNorm = true;
    options.normEpsilon = 1e-12;
    options.activation = readActivation(config, "activation", "gelu");
    options.tiedOutput = config.flagOr("tie_word_embeddings", true);
    options.dropout = config.numberOr("dropout", 0.1, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "dim", options.width, "n_heads", options.heads);
    auto heads = bertHeads(options);
    changeHead(heads, EncoderHead::Classification, [](auto& head) { head.activation = Activation::Relu; });
    changeHead(heads, EncoderHead::Choice, [](auto& head) { head.activation = Activation::Relu; });
    return makeEncoder(config, weights, naming(), options, heads);
}

} // namespace

Family distilbertFamily() {
    return {.modelType = "distilbert", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
