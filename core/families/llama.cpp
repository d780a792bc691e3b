// Llama, Touvron et al. 2023, and what differs from it by a switch: Mistral (Jiang et al. 2023) with a window, Qwen2
// with biases, Qwen3 with norms of queries and keys, SmolLM3 with layers that do not turn.
#include "core/families/parts.h"

namespace headlight {

namespace {

Network build(const ModelConfig& config, const Weights* weights) {
    const auto type = config.modelType();
    const bool qwen = type == "qwen2" || type == "qwen3";
    auto options = readLlamaOptions(config, weights, {.otherwise = type == "smollm3" ? 2e6 : 1e4});
    options.headNorm = type == "qwen3";
    if (type == "qwen2") {
        options.projectionBias = true;
        options.joiningBias = options.feedForwardBias = false;
    }
    const auto layers = options.decoderLayers;
    if (type == "smollm3") {
        options.tiedOutput = readTied(config, weights, "lm_head.weight", true);
        const auto turned = config.integers("no_rope_layers", 0, 1); // 1: it does turn
        const auto every = config.integerOr("no_rope_layer_interval", 4, 1, 256);
        if (!turned.empty() && turned.size() != static_cast<std::size_t>(layers))
            config.fail(Error::Kind::Corrupt, "\"no_rope_layers\" has " + std::to_string(turned.size())
                                                  + " numbers for " + std::to_string(layers) + " layers");
        for (std::int64_t layer = 0; layer < layers; ++layer)
            options.turned.push_back(turned.empty() ? (layer + 1) % every != 0
                                                    : turned[static_cast<std::size_t>(layer)] == 1);
    }
    const bool slides =
        type == "mistral" || ((qwen || type == "smollm3") && config.flagOr("use_sliding_window", false));
    const auto window = slides ? config.integerOr("sliding_window", type == "mistral" ? 0 : 4096, 0, 1 << 24) : 0;
    const auto firstFull = qwen ? config.integerOr("max_window_layers", 28, 0, 1 << 16) : 0;
    setWindows(config, options, window, [&](std::int64_t layer) {
        return layer >= firstFull && (options.turned.empty() || !options.turns(static_cast<std::size_t>(layer)));
    });
    return makeCausal(config, weights, llamaNaming(), options);
}

} // namespace

Family llamaFamily(const std::string& modelType) {
    return {.modelType = modelType, .build = build, .naming = [](const ModelConfig&) { return llamaNaming(); }};
}

} // namespace headlight
