// GPT-2, Radford et al. 2019: a decoder alone with learned positions and pre-norm layers. Its checkpoints have matrices
// as [in, out], and those of queries, keys and values in one.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return gptNaming({{"shared.", "wte."}, {"decoder.embed_positions.", "wpe."}, {"decoder.layer_norm.", "ln_f."}},
                     {".attn.masked_bias"});
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readGptOptions(config, weights);
    options.feedForward = config.integerOr("n_inner", options.feedForward, 1, 1 << 20);
    options.norm = NormPlacement::Pre;
    options.activation = readActivation(config, "activation_function", "gelu_new");
    options.attentionScale = config.flagOr("scale_attn_weights", true) ? 0 : 1;
    options.scaleByLayer = config.flagOr("scale_attn_by_inverse_layer_idx", false);
    options.tiedOutput = readTied(config, weights, "lm_head.weight", true);
    return makeCausal(config, weights, naming(), options);
}

} // namespace

Family gpt2Family() {
    return {.modelType = "gpt2", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
