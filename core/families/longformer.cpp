// Longformer, Beltagy et al. 2020: RoBERTa's encoder, each token of which looks at those within a window, and at a few
// global tokens, which see all.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return robertaNaming("longformer.", {{".self_attn.global_q_proj.", ".attention.self.query_global."},
                                         {".self_attn.global_k_proj.", ".attention.self.key_global."},
                                         {".self_attn.global_v_proj.", ".attention.self.value_global."}});
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBertOptions(config, weights);
    setCountedPositions(config, options);
    options.globalProjections = true;
    auto windows = config.integers("attention_window", 2, 1 << 20); // to both sides together
    if (windows.empty())
        windows = {512};
    if (windows.size() == 1)
        windows.resize(static_cast<std::size_t>(options.encoderLayers), windows.front());
    if (windows.size() != static_cast<std::size_t>(options.encoderLayers))
        config.fail(Error::Kind::Corrupt, "\"attention_window\" has " + std::to_string(windows.size()) + " numbers for "
                                              + std::to_string(options.encoderLayers) + " layers");
    for (const auto window : windows)
        options.windows.push_back(window / 2);
    auto heads = bertHeads(options);
    changeHead(heads, EncoderHead::MaskedLanguage, [](auto& head) { head.activation = Activation::Gelu; });
    auto network = makeEncoder(config, weights, naming(), options, heads);
    network.takesGlobalTokens = true;
    return network;
}

} // namespace

Family longformerFamily() {
    return {.modelType = "longformer", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
