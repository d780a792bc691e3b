// The table of families. A new one is a file beside this, a declaration in family.h and a line here.
#include "core/families/family.h"
#include "core/nn/layers.h"
#include "core/nn/networks.h"

#include <torch/nn/module.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace headlight {

namespace {

const std::vector<Family>& families() {
    static const std::vector<Family> table{
        bertFamily(),
        distilbertFamily(),
        robertaFamily("roberta"),
        robertaFamily("xlm-roberta"),
        robertaFamily("camembert"),
        electraFamily(),
        albertFamily(),
        mpnetFamily(),
        debertaFamily(),
        modernbertFamily(),
        longformerFamily(),
        bigbirdFamily(),
        gpt2Family(),
        openaiGptFamily(),
        gptNeoFamily(),
        gptNeoxFamily(),
        optFamily(),
        bloomFamily(),
        llamaFamily("llama"),
        llamaFamily("mistral"),
        llamaFamily("qwen2"),
        llamaFamily("qwen3"),
        llamaFamily("smollm3"),
        phi3Family(),
        gemmaFamily("gemma"),
        gemmaFamily("gemma2"),
        gemmaFamily("gemma3"),
        gemmaFamily("gemma3_text"),
        marianFamily(),
        bartFamily("bart"),
        bartFamily("mbart"),
        pegasusFamily(),
        m2m100Family(),
        t5Family("t5"),
        t5Family("mt5"),
        encoderDecoderFamily(),
        recurrentFamily(),
    };
    return table;
}

} // namespace

namespace {

std::string listed(const std::vector<const Family*>& some) {
    std::string names;
    for (const auto* family : some)
        names += (names.empty() ? "" : ", ") + family->modelType;
    return names;
}

std::vector<const Family*> allFamilies() {
    std::vector<const Family*> all;
    for (const auto& family : families())
        all.push_back(&family);
    return all;
}

/// The tensors by their canonical names; tools that train put a name of theirs before all others.
Weights canonical(const Weights& weights, const Weights::Naming& naming) {
    const auto embedding = naming.source("shared.weight").name;
    auto named = weights.renamed(naming);
    auto stripped = weights.withoutCommonPrefix();
    for (int prefixes = 0; prefixes < 4 && stripped && !named.has(embedding); ++prefixes) {
        if (auto renamed = stripped->renamed(naming); renamed.has(embedding))
            return renamed;
        stripped = stripped->withoutCommonPrefix();
    }
    return named;
}

/// Whether the checkpoint's names are the family's, and its config has the keys that set it apart from its kin.
bool fits(const Family& family, const ModelConfig& config, const Weights& weights) {
    const auto lacks = [&](const char* type, std::initializer_list<const char*> keys) {
        return family.modelType == type
               && std::none_of(keys.begin(), keys.end(), [&](const char* key) { return config.has(key); });
    };
    if (!family.sameAs.empty() || lacks("big_bird", {"attention_type", "block_size"})
        || lacks("electra", {"embedding_size"}) || lacks("encoder-decoder", {"encoder"}))
        return false;
    try {
        const auto typed = config.as(family.modelType);
        const auto naming = family.naming(typed);
        const auto named = canonical(weights, naming);
        const auto has = [&](const std::string& ours) { return named.has(naming.source(ours).name); };
        if (!has("shared.weight")
            || (!has("encoder.layers.0.self_attn.q_proj.weight") && !has("decoder.layers.0.self_attn.q_proj.weight")))
            return false;
        family.build(typed, &named);
        return true;
    } catch (const Error&) {
        return false;
    }
}

/// Only small letters, as a class's name and a model_type have in common: bertformaskedlm, bert.
std::string plainLetters(const std::string& text) {
    std::string letters;
    for (const char letter : text)
        if (std::isalnum(static_cast<unsigned char>(letter)))
            letters += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return letters;
}

} // namespace

const Family& findFamily(const ModelConfig& config) {
    for (const auto& family : families())
        if (family.modelType == config.modelType())
            return family;
    config.fail(Error::Kind::Unsupported, "the model_type \"" + config.modelType() + "\" is not known",
                "known are: " + listed(allFamilies()));
}

ModelConfig withModelType(const ModelConfig& config, const Weights& weights) {
    if (!config.modelType().empty())
        return config;
    // The class says it, such as BertForMaskedLM; the longest name that it begins with is meant.
    const Family* named = nullptr;
    if (const auto classes = config.architectures(); !classes.empty())
        for (const auto& family : families())
            if (plainLetters(classes.front()).starts_with(plainLetters(family.modelType))
                && (!named || family.modelType.size() > named->modelType.size()))
                named = &family;
    if (named)
        return config.as(named->modelType);
    std::vector<const Family*> fitting;
    for (const auto& family : families())
        if (fits(family, config, weights))
            fitting.push_back(&family);
    if (fitting.size() == 1)
        return config.as(fitting.front()->modelType);
    config.fail(Error::Kind::Corrupt,
                fitting.empty()
                    ? std::string("\"model_type\" is missing, and the weights are of no family that is known")
                    : "\"model_type\" is missing, and the weights may be of several: " + listed(fitting),
                "write it into config.json, such as \"model_type\": \""
                    + (fitting.empty() ? "bert" : fitting.front()->modelType) + "\"");
}

void refuseQuantised(const ModelConfig& config, const Weights* weights) {
    const auto settings = config.object("quantization_config");
    auto method = settings ? settings->textOr("quant_method", "") : std::string();
    const bool byConfig =
        method.find("fp8") != std::string::npos || method == "compressed-tensors" || method == "mxfp4";
    const auto tensor = weights ? weights->endingWith({".qweight", ".qzeros", ".SCB", ".absmax", ".weight_scale",
                                                       ".weight_scale_inv", ".weight_packed", ".quant_map"})
                                : std::string();
    if (tensor.empty() && (weights || !byConfig))
        return;
    if (method == "gptq" || method == "awq")
        for (auto& letter : method)
            letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    config.fail(Error::Kind::Unsupported,
                "the weights are quantised" + (method.empty() ? method : " by " + method)
                    + (tensor.empty() ? tensor : " (\"" + tensor + "\")") + ", which is not read",
                "fetch the model that these were made from, in 16 or 32 bits");
}

Network openNetwork(const ModelConfig& given, const Weights& weights) {
    const auto config = withModelType(given, weights);
    refuseQuantised(config, &weights);
    const auto& family = findFamily(config);
    const auto naming = family.naming(config);
    const auto named = canonical(weights, naming);
    auto network = family.build(config, &named);
    network.family = family.modelType;
    auto& module = network.module();
    layForProducts(module);
    network.notFinite = named.loadInto(module, naming, &network.leftOut);
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
