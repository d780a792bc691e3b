// What can be found out about a run beside its weights, as plain data: what is asked, the numbers that come of it, and
// their file. Which formulas they are is told by formulaOf(), with the papers'.
#pragma once

#include "core/trace/trace.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headlight {

enum class Analysis {
    Norms,      ///< how long what a weight brings is (Kobayashi et al. 2020, 2021)
    Alti,       ///< what each token adds to what a block gives out (Ferrando et al. 2022)
    Rollout,    ///< weights followed down through all layers (Abnar & Zuidema 2020)
    Flow,       ///< the most that could flow through them (the same)
    Lens,       ///< what each layer would say (nostalgebraist 2020)
    Direct,     ///< what each part adds to the logit of a token (Elhage et al. 2021)
    Gradient,   ///< of that logit, by weights and by words, and relevance (Chefer et al. 2021)
    Integrated, ///< that gradient on the way from no words to these (Sundararajan et al. 2017)
    Importance, ///< what the loss would lose with a head (Michel et al. 2019)
    Patterns,   ///< previous, first, the same again (Olsson et al. 2022)
    Circuits,   ///< what the weights of heads alone copy and pass on (Elhage et al. 2021)
    Patching,   ///< activations of one text in another (Meng et al. 2022)
    Ablation,   ///< logits without a head, or with its mean
};
inline constexpr std::array allAnalyses{
    Analysis::Norms,    Analysis::Alti,     Analysis::Rollout,    Analysis::Flow,       Analysis::Lens,
    Analysis::Direct,   Analysis::Gradient, Analysis::Integrated, Analysis::Importance, Analysis::Patterns,
    Analysis::Circuits, Analysis::Patching, Analysis::Ablation};

/// One lower-case word.
std::string_view analysisName(Analysis analysis);
std::optional<Analysis> analysisNamed(std::string_view name);
/// How its numbers are computed, in one line.
std::string_view formulaOf(Analysis analysis);

struct AnalysisRequest {
    std::vector<Analysis> what;
    bool leaveOut = false; ///< what does not apply to the model is left out and told; else it is refused
    /// Row whose output is looked at; without it a masked word's, or the last.
    std::optional<int> position = std::nullopt;
    std::optional<std::int64_t> token = std::nullopt; ///< id of what is said there; without it the most probable
    TracePointer against = nullptr;                   ///< of Patching: a run of another text as long as this
    /// Of Patching: whose logits' difference is looked at; without it those that rise and fall most.
    std::optional<std::pair<std::int64_t, std::int64_t>> pair = std::nullopt;
    std::vector<std::int64_t> repeated = {}; ///< of Patterns: ids that are said again and again; empty: some by chance
    std::int64_t memory = 0;                 ///< bytes that it may take; 0: a quarter of what is free
    std::function<void(double)> progress = {}; ///< is told the part that is done, 0 to 1; called where it is computed
};

struct NamedArray {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// How far a sum that must come out misses what it must come out as.
struct IdentityError {
    std::string name;
    std::string of;
    double error = 0;
};

/// Arrays are named by analysis, part and block, such as `value_norms.encoder`.
struct Analyses {
    std::string model;
    std::string family;
    std::vector<Analysis> done;
    std::vector<std::int64_t> source;   ///< ids that the encoder read; empty where there is none
    std::vector<std::int64_t> segments; ///< of those; empty where the model tells none apart
    std::vector<std::int64_t> target;   ///< ids that the decoder took in; empty where there is none
    std::vector<std::int64_t> against;  ///< ids of the other text; empty where there is none
    int position = 0;
    std::optional<std::int64_t> token;       ///< absent where the model says nothing
    std::vector<std::int64_t> lensPositions; ///< rows whose log probabilities are told whole
    std::optional<std::pair<std::int64_t, std::int64_t>> pair;
    std::vector<std::int64_t> repeated; ///< ids that were said again and again
    int repeatStart = 0;                ///< tokens before those
    std::vector<NamedArray> arrays;
    std::vector<IdentityError> identityErrors;
    std::vector<std::string> leftOut; ///< what does not apply, and why

    /// Null when there is none of that name.
    const NamedArray* find(std::string_view name) const;
};

using AnalysesPointer = std::shared_ptr<const Analyses>;

/// Writes analysis.safetensors and analysis.json into the folder, which is made if need be: both or neither.
/// @throws Error Unreadable with the system's reason
void writeAnalyses(const Analyses& analyses, const std::filesystem::path& folder);

} // namespace headlight
