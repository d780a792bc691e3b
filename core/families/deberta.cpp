// DeBERTa's second and third version, He et al. 2021: an encoder whose scores are those of contents and of contents
// with distances; a token's vector knows nothing of where it stands.
#include "core/families/parts.h"

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

Weights::Naming naming() {
    auto naming = bertNaming("deberta.", {{".attention.self.query.", ".attention.self.query_proj."},
                                          {".attention.self.key.", ".attention.self.key_proj."},
                                          {".attention.self.value.", ".attention.self.value_proj."},
                                          {".self_attn.distance_k_proj.", ".attention.self.pos_key_proj."},
                                          {".self_attn.distance_q_proj.", ".attention.self.pos_query_proj."},
                                          {"encoder.distances.norm.", "deberta.encoder.LayerNorm."},
                                          {"encoder.distances.", "deberta.encoder.rel_embeddings."},
                                          {"encoder.neighbours.norm.", "deberta.encoder.conv.LayerNorm."},
                                          {"encoder.neighbours.", "deberta.encoder.conv.conv."},
                                          {"masked.dense.", "cls.predictions.transform.dense."},
                                          {"masked.norm.", "cls.predictions.transform.LayerNorm."},
                                          {"masked.output.", "cls.predictions.decoder."},
                                          {"masked.bias", "cls.predictions.bias"},
                                          {"classification.dense.", "pooler.dense."},
                                          {"classification.output.", "classifier."}});
    naming.canonical = [](const std::string& theirs) {
        return withPrefix(theirs, "deberta.", {"embeddings.", "encoder."}); // the pooler is outside
    };
    return naming;
}

DisentangledOptions readDistances(const ModelConfig& config, const TransformerOptions& options) {
    DisentangledOptions distances;
    distances.farthest = config.integerOr("max_relative_positions", -1, -1, 1 << 20);
    if (distances.farthest < 1)
        distances.farthest = options.maxPositions;
    distances.buckets = std::max<std::int64_t>(config.integerOr("position_buckets", -1, -1, 65536), 0);
    distances.span = distances.buckets > 0 ? distances.buckets : distances.farthest;
    if (distances.buckets == 1 || (distances.buckets > 0 && distances.farthest - 1 <= distances.buckets / 2))
        config.fail(Error::Kind::Corrupt, "\"position_buckets\" " + std::to_string(distances.buckets)
                                              + " do not fit distances up to " + std::to_string(distances.farthest));
    std::string kinds; // a list, or in old files one text
    for (const auto& kind : config.textOrTexts("pos_att_type"))
        kinds += kind + "|";
    distances.queryToPosition = kinds.find("c2p") != std::string::npos;
    distances.positionToKey = kinds.find("p2c") != std::string::npos;
    distances.ownProjections = !config.flagOr("share_att_key", false);
    distances.norm = config.textOr("norm_rel_ebd", "none").find("layer_norm") != std::string::npos;
    return distances;
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBertOptions(config, weights);
    options.tokenTypes = config.integerOr("type_vocab_size", 0, 0, 65536);
    options.normEpsilon = config.numberOr("layer_norm_eps", 1e-7, 0, 1);
    if (!config.flagOr("position_biased_input", true))
        options.position = PositionKind::None;
    if (config.integerOr("embedding_size", options.width, 1, 65536) != options.width)
        config.fail(Error::Kind::Unsupported, "an \"embedding_size\" other than the \"hidden_size\" is not supported");
    if (config.flagOr("relative_attention", false)) {
        options.disentangled = readDistances(config, options);
        const auto parts = 1.0 + options.disentangled->queryToPosition + options.disentangled->positionToKey;
        options.attentionScale = 1 / std::sqrt(static_cast<double>(options.sizeOfHead()) * parts);
    }
    if (const auto size = config.integerOr("conv_kernel_size", 0, 0, 255); size > 0)
        options.neighbours = {.size = size,
                              .groups = config.integerOr("conv_groups", 1, 1, options.width),
                              .activation = readActivation(config, "conv_act", "tanh")};
    auto heads = bertHeads(options);
    changeHead(heads, EncoderHead::Classification,
               [&](auto& head) { head.activation = readActivation(config, "pooler_hidden_act", "gelu"); });
    return makeEncoder(config, weights, naming(), options, heads);
}

} // namespace

Family debertaFamily() {
    return {.modelType = "deberta-v2", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
