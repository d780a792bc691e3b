// OPT, Zhang et al. 2022: a decoder alone with learned positions, pre-norm but for the model of 350 million, whose
// embedding is narrower than its layers.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    static const Renames names{
        {"shared.", "decoder.embed_tokens."},
        {"decoder.layer_norm.", "decoder.final_layer_norm."},
        {"decoder.projection.", "decoder.project_in."},
        {"decoder.projection_back.", "decoder.project_out."},
    };
    return {.canonical = [](const std::string& theirs) { return withPrefix(theirs, "model.", {"decoder."}); },
            .source =
                [](const std::string& ours) {
                    if (ours.starts_with("lm_head."))
                        return Weights::Source{.name = ours};
                    static const Renames heads{{"classification.output.", "score."}, {"tokens.output.", "classifier."}};
                    if (const auto head = renamed(ours, heads); head != ours)
                        return Weights::Source{.name = head};
                    return Weights::Source{.name = "model." + renamed(ours, names)};
                },
            .ignorable = [](const std::string& theirs) { return theirs == "lm_head.weight"; },
            .tied = {{"model.decoder.embed_tokens.weight", "lm_head.weight"}},
            .body = {"model."}};
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("hidden_size", 2, 65536);
    options.heads = config.integer("num_attention_heads", 1, 1024);
    options.feedForward = config.integer("ffn_dim", 1, 1 << 20);
    options.decoderLayers = static_cast<int>(config.integer("num_hidden_layers", 1, 256));
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 20);
    options.position = PositionKind::Learned;
    options.positionOffset = 2;
    options.scaleEmbedding = false;
    options.embeddingWidth = config.integerOr("word_embed_proj_dim", options.width, 1, 65536);
    options.projectsTokens = true;
    options.norm = config.flagOr("do_layer_norm_before", true) ? NormPlacement::Pre : NormPlacement::Post;
    options.finalNorm = !config.flagOr("_remove_final_layer_norm", false);
    options.projectionBias = options.joiningBias = options.feedForwardBias = config.flagOr("enable_bias", true);
    options.activation = readActivation(config, "activation_function", "relu");
    options.tiedOutput = readTied(config, weights, "lm_head.weight", true);
    options.dropout = config.numberOr("dropout", 0.1, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "hidden_size", options.width, "num_attention_heads", options.heads);
    return makeCausal(config, weights, naming(), options);
}

} // namespace

Family optFamily() {
    return {.modelType = "opt", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
