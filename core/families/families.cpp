// The table of families. A new one is a file beside this, a declaration in family.h and a line here.
#include "core/families/family.h"

#include <torch/types.h>

namespace headlight {

namespace {

const std::vector<Family>& families() {
    static const std::vector<Family> table{
        bertFamily(),
        distilbertFamily(),
        robertaFamily("roberta"),
        robertaFamily("xlm-roberta"),
        robertaFamily("camembert"),
        bigbirdFamily(),
        gpt2Family(),
        openaiGptFamily(),
        llamaFamily("llama"),
        llamaFamily("mistral"),
        llamaFamily("qwen2"),
        marianFamily(),
        bartFamily("bart"),
        bartFamily("mbart"),
        t5Family("t5"),
        t5Family("mt5"),
        recurrentFamily(),
    };
    return table;
}

} // namespace

const Family& findFamily(const ModelConfig& config) {
    std::string known;
    for (const auto& family : families()) {
        if (family.modelType == config.modelType())
            return family;
        known += (known.empty() ? "" : ", ") + family.modelType;
    }
    config.fail(Error::Kind::Unsupported, "the model_type \"" + config.modelType() + "\" is not known",
                "known are: " + known);
}

Network openNetwork(const ModelConfig& config, const Weights& weights) {
    const auto& family = findFamily(config);
    const auto named = weights.renamed(family.naming);
    auto network = family.build(config, &named);
    auto& module = network.module();
    network.notFinite = named.loadInto(module, family.naming);
    module.eval();
    for (auto& parameter : module.parameters())
        parameter.requires_grad_(false);
    return network;
}

torch::nn::Module& Network::module() const {
    if (translator)
        return *translator;
    if (encoder)
        return *encoder;
    return *causal;
}

} // namespace headlight
