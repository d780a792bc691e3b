// Phi-3, Abdin et al. 2024: Llama's layers with the matrices of queries, keys and values in one, the two of the gated
// layer in another, and turns whose pairs each have a factor of their own in longer texts (LongRoPE, Ding et al. 2024).
#include "core/families/parts.h"

#include <array>

namespace headlight {

namespace {

Weights::Naming naming(const ModelConfig& config) {
    const auto heads = config.integer("num_attention_heads", 1, 1024);
    const auto keyHeads = config.integerOr("num_key_value_heads", heads, 1, 1024);
    const auto size = config.integerOr("head_dim", config.integer("hidden_size", 2, 65536) / heads, 1, 65536);
    const auto usual = llamaNaming({{".self_attn.q_proj.", ".self_attn.qkv_proj."},
                                    {".self_attn.k_proj.", ".self_attn.qkv_proj."},
                                    {".self_attn.v_proj.", ".self_attn.qkv_proj."},
                                    {".fc1.", ".mlp.gate_up_proj."},
                                    {".fc3.", ".mlp.gate_up_proj."}});
    return changed(usual, [=](const std::string& ours, Weights::Source source) {
        const auto isOf = [&](const char* part) { return ours.find(part) != std::string::npos; };
        if (isOf(".fc1.") || isOf(".fc3."))
            source.parts = 2;
        if (isOf(".fc3."))
            source.part = 1;
        for (int part = 0; part < 3; ++part) {
            if (!isOf(std::array{".q_proj.", ".k_proj.", ".v_proj."}[static_cast<std::size_t>(part)]))
                continue;
            source.part = part;
            source.parts = 3;
            source.from = part == 0 ? 0 : (heads + (part - 1) * keyHeads) * size;
            source.rows = (heads + 2 * keyHeads) * size;
        }
        return source;
    });
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readLlamaOptions(config, weights);
    options.normEpsilon = config.numberOr("rms_norm_eps", 1e-5, 0, 1);
    options.projectionBias = options.joiningBias = options.feedForwardBias = false;
    setWindows(config, options, config.integerOr("sliding_window", 0, 0, 1 << 24), [](std::int64_t) { return true; });
    return makeCausal(config, weights, naming(config), options);
}

} // namespace

Family phi3Family() {
    return {.modelType = "phi3", .build = build, .naming = naming};
}

} // namespace headlight
