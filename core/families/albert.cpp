// ALBERT, Lan et al. 2020: BERT's encoder with one set of weights that all layers, or groups of neighbouring ones,
// share, and an embedding that is narrower than they are.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    const auto usual = bertNaming("albert.", {{"masked.dense.", "predictions.dense."},
                                              {"masked.norm.", "predictions.LayerNorm."},
                                              {"masked.output.", "predictions.decoder."},
                                              {"masked.bias", "predictions.bias"},
                                              {"encoder.projection.", "albert.encoder.embedding_hidden_mapping_in."},
                                              {"classification.dense.", "albert.pooler."},
                                              {"classification.output.", "classifier."},
                                              {"relationship.output.", "sop_classifier.classifier."}});
    return changed(usual, [](const std::string& ours, Weights::Source source) {
        static const Renames pooled{{".pooler.dense.", ".pooler."}};
        static const Renames inLayer{
            {".attention.self.", ".attention."},   {".attention.output.dense.", ".attention.dense."},
            {".attention.output.", ".attention."}, {".intermediate.dense.", ".ffn."},
            {".output.dense.", ".ffn_output."},    {".output.LayerNorm.", ".full_layer_layer_norm."},
        };
        if (!ours.starts_with("encoder.layers.")) {
            source.name = renamed(source.name, pooled);
            return source;
        }
        // albert.encoder.layer.0.attention… -> albert.encoder.albert_layer_groups.0.albert_layers.0.attention…
        static const std::string stack = "albert.encoder.layer.";
        const auto behind = source.name.find('.', stack.size());
        source.name = "albert.encoder.albert_layer_groups." + source.name.substr(stack.size(), behind - stack.size())
                      + ".albert_layers.0" + renamed(source.name.substr(behind), inLayer);
        return source;
    });
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBertOptions(config, weights);
    options.activation = readActivation(config, "hidden_act", "gelu_new");
    options.embeddingWidth = config.integerOr("embedding_size", 128, 2, 65536);
    options.differentLayers = static_cast<int>(config.integerOr("num_hidden_groups", 1, 1, options.encoderLayers));
    if (config.integerOr("inner_group_num", 1, 1, 256) != 1)
        config.fail(Error::Kind::Unsupported, "an \"inner_group_num\" above 1 is not supported");
    return makeEncoder(config, weights, naming(), options, bertHeads(options));
}

} // namespace

Family albertFamily() {
    return {.modelType = "albert", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
