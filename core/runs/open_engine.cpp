// Opens a model folder: its config chooses the family, its files the tokenizer, its network the way it is run.
#include "core/engine_module.h"
#include "core/families/family.h"
#include "core/runs/open_model.h"
#include "core/text/tokenizer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace headlight {

namespace {

/// Null when the folder has no tokenizer at all, or one of a kind that is not read, which is told: ids can still be
/// run. A broken one throws.
std::unique_ptr<Tokenizer> tokenizerIfAny(const std::filesystem::path& folder, std::vector<std::string>& notices) {
    try {
        return openTokenizer(folder);
    } catch (const Error& error) {
        if (error.kind() == Error::Kind::Unsupported)
            notices.push_back(error.what());
        else if (error.kind() != Error::Kind::NotFound)
            throw;
        return nullptr;
    }
}

/// The first few of them, and how many more there are.
std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t shown = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(shown, names.size()); ++i)
        text += (i > 0 ? ", " : "") + names[i];
    if (names.size() > shown)
        text += " and " + std::to_string(names.size() - shown) + " others";
    return text;
}

constexpr auto closeOthers = "close other models or programs, or choose a smaller model";

/// A system that has run out of memory does not say so: it ends programs.
void requireMemory(std::int64_t needed, const std::filesystem::path& folder) {
    const auto left = freeMemory();
    if (left && needed > *left)
        throw Error(Error::Kind::Invalid, folder.string(),
                    "its weights take " + memoryInWords(needed) + " of memory, " + memoryInWords(*left) + " are free",
                    closeOthers);
}

} // namespace

Engine* headlight_open(const std::filesystem::path& folder) {
    try {
        const auto config = ModelConfig::open(folder);
        if (!config.modelType().empty())
            findFamily(config); // an unknown family is said before missing weights are
        refuseQuantised(config, nullptr);
        constexpr std::int64_t widest = sizeof(double), ours = sizeof(float);
        // Before they are read: at least this much, whatever the type of the numbers.
        requireMemory(static_cast<std::int64_t>(Weights::bytesOnDisk(folder)) / widest * ours, folder);
        const auto weights = Weights::open(folder);
        requireMemory(weights.parameterCount() * ours, folder);
        LoadedModel loaded{.folder = folder,
                           .network = openNetwork(config, weights),
                           .tokenizer = nullptr,
                           .parameters = weights.parameterCount(),
                           .notices = {}};
        if (loaded.network.sourceVocabulary > 0)
            loaded.notices.push_back("source and target have vocabularies of their own, and a tokenizer is of one: "
                                     "it runs from token ids");
        else
            loaded.tokenizer = tokenizerIfAny(folder, loaded.notices);
        if (const auto& broken = loaded.network.notFinite; !broken.empty())
            loaded.notices.push_back("weights that are not finite numbers: " + listed(broken));
        for (const auto& notice : loaded.network.notices)
            loaded.notices.push_back(notice);
        if (const auto& left = loaded.network.leftOut; !left.empty())
            loaded.notices.push_back("left out, for attention does not need it: " + listed(left));
        if (loaded.network.encoder)
            return encoderEngine(std::move(loaded)).release();
        if (loaded.network.causal)
            return causalEngine(std::move(loaded)).release();
        return translationEngine(std::move(loaded)).release();
    } catch (...) {
        throwAsError(folder, "the model does not fit into memory", closeOthers);
    }
}

void headlight_require_family(const ModelConfig& config) {
    if (!config.modelType().empty()) // else the weights will tell
        findFamily(config);
    refuseQuantised(config, nullptr);
}

void headlight_set_threads(int threads) {
    OpenModel::setThreads(threads);
}

int headlight_used_threads() {
    return OpenModel::usedThreads();
}

} // namespace headlight
