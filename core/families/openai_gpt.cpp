// OpenAI's first GPT, Radford et al. 2018: GPT-2 with the norms after the sublayers, as in Vaswani et al. 2017, none at
// the end, and tables of other names.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return gptNaming({{"shared.", "tokens_embed."}, {"decoder.embed_positions.", "positions_embed."}},
                     {"position_ids"});
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readGptOptions(config, weights);
    options.norm = NormPlacement::Post;
    const auto activation = config.textOr("afn", "gelu");
    options.activation = activationNamed(config, "afn", activation == "gelu" ? "gelu_new" : activation);
    return makeCausal(config, weights, naming(), options);
}

} // namespace

Family openaiGptFamily() {
    return {.modelType = "openai-gpt", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
