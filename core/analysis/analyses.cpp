#include "core/analysis/analyses.h"

#include "core/files/json.h"
#include "core/files/safetensors.h"
#include "core/files/whole_file.h"
#include "core/trace/trace_description.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace headlight {

namespace {

struct Named {
    Analysis analysis;
    std::string_view name;
    std::string_view formula;
};

constexpr std::array<Named, allAnalyses.size()> table{{
    {Analysis::Norms, "norms",
     "value_norms: length of a_ij (x_j W_V + b_V) W_O, without b_O; residual_norms: of the sum over heads, x_i added "
     "where i = j, behind the norm with the run's variance (post-norm); mixing_ratio: length of what comes from other "
     "tokens over that and the length of the token's own (Kobayashi et al. 2020, 2021)"},
    {Analysis::Alti, "alti",
     "max(0, |y_i| - |y_i - T_ij|) in L1, over the row's sum; T_ij: token j's part of the block's output y_i; "
     "alti_rollout: the layers' product, of a decoder's two sides as in ALTI+ (Ferrando et al. 2022)"},
    {Analysis::Rollout, "rollout",
     "product of the layers' 0.5 mean_h A + 0.5 I, the lowest first (Abnar & Zuidema 2020); decoder_to_source and "
     "decoder_to_target: half of each cross block's row comes from the source"},
    {Analysis::Flow, "flow",
     "maximum flow from a query of the top layer to a token, capacities 0.5 mean_h A + 0.5 I, every pair alone (Abnar "
     "& Zuidema 2020)"},
    {Analysis::Lens, "lens",
     "log softmax of the model's own last norm and output layer, applied to the stream before the first layer and "
     "behind each (nostalgebraist 2020); final_rank: how many tokens a layer finds more probable than the one that the "
     "model says in the end"},
    {Analysis::Direct, "direct",
     "each part of the stream at the position through all later norms with the run's own variance, times the output "
     "row of the token; the parts' sum is its logit (Elhage et al. 2021)"},
    {Analysis::Gradient, "gradient",
     "L: logit of the token at the position; attention: A dL/dA; l2: |dL/de|, input_l2: |e dL/de| in L2, input_dot: "
     "sum of e dL/de, e: the word's vector as looked up; relevance: R = I, then R + mean_h max(0, A dL/dA) R (Chefer "
     "et al. 2021)"},
    {Analysis::Integrated, "integrated",
     "e times the mean of dL/de at t e for 32 midpoints t, the vectors of all words scaled together from 0, positions "
     "and segments kept; its sum should be at_input - at_baseline (Sundararajan et al. 2017)"},
    {Analysis::Importance, "importance",
     "|sum of context dNLL/dcontext| of a head, NLL = -log p(token), not scaled within a layer (Michel et al. 2019)"},
    {Analysis::Patterns, "patterns",
     "mean weight on the token before, behind, the first and itself; repeat: on a text that says ids by chance again, "
     "induction on the token behind the same one before, prefix_matching on all of those (Olsson et al. 2022)"},
    {Analysis::Circuits, "circuits",
     "copying: sum of Re(l) over sum of |l|, l the eigenvalues of W_V W_O (ov) or of W_E W_V W_O W_U (full); "
     "composition: Frobenius norm of OV1 QK2 (q), OV1 QK2^T (k), OV1 OV2 (v) over the product of both norms; folded: "
     "the norms' weights and their centring multiplied in (Elhage et al. 2021)"},
    {Analysis::Patching, "patching",
     "(d - d_corrupted) / (d_clean - d_corrupted), d: difference of two logits at the position; stream: what a layer "
     "reads at one token taken from the clean run; heads: what one head read, everywhere (Meng et al. 2022)"},
    {Analysis::Ablation, "ablation",
     "logits at the position with a head's context 0, or its mean over this run's positions; kl: KL(full || ablated) "
     "in nats, over the whole vocabulary"},
}};

const Named& entryOf(Analysis analysis) {
    return *std::find_if(table.begin(), table.end(), [&](const Named& one) { return one.analysis == analysis; });
}

std::string descriptionOf(const Analyses& analyses) {
    using nlohmann::ordered_json;
    ordered_json inputs = ordered_json::object(), formulas = ordered_json::object(), errors = ordered_json::object(),
                 arrays = ordered_json::object();
    const bool encoder = !analyses.source.empty();
    inputs["input_ids"] = encoder ? analyses.source : analyses.target;
    if (!analyses.segments.empty())
        inputs["token_type_ids"] = analyses.segments;
    if (encoder && !analyses.target.empty())
        inputs["decoder_input_ids"] = analyses.target;
    if (!analyses.against.empty())
        inputs["against_ids"] = analyses.against;
    for (const auto analysis : analyses.done)
        formulas[std::string(analysisName(analysis))] = formulaOf(analysis);
    for (const auto& [name, of, error] : analyses.identityErrors)
        errors[name] = {{"error", std::isfinite(error) ? ordered_json(error) : ordered_json(nullptr)}, {"of", of}};
    for (const auto& array : analyses.arrays)
        arrays[array.name] = array.shape;
    ordered_json all{{"model", label(analyses.model)},
                     {"family", label(analyses.family)},
                     {"inputs", std::move(inputs)},
                     {"position", analyses.position},
                     {"token", analyses.token ? ordered_json(*analyses.token) : ordered_json(nullptr)}};
    if (!analyses.lensPositions.empty())
        all["lens_positions"] = analyses.lensPositions;
    if (analyses.pair)
        all["pair"] = {analyses.pair->first, analyses.pair->second};
    if (!analyses.repeated.empty())
        all["repeat"] = {{"ids", analyses.repeated}, {"start_tokens", analyses.repeatStart}};
    all["formulas"] = std::move(formulas);
    all["identity_errors"] = std::move(errors);
    all["left_out"] = analyses.leftOut;
    all["arrays"] = std::move(arrays);
    return all.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

} // namespace

std::string_view analysisName(Analysis analysis) {
    return entryOf(analysis).name;
}

std::optional<Analysis> analysisNamed(std::string_view name) {
    for (const auto& one : table)
        if (one.name == name)
            return one.analysis;
    return std::nullopt;
}

std::string_view formulaOf(Analysis analysis) {
    return entryOf(analysis).formula;
}

const NamedArray* Analyses::find(std::string_view name) const {
    const auto found =
        std::find_if(arrays.begin(), arrays.end(), [&](const NamedArray& array) { return array.name == name; });
    return found == arrays.end() ? nullptr : &*found;
}

void writeAnalyses(const Analyses& analyses, const std::filesystem::path& folder) {
    makeFolders(folder);
    std::vector<TensorView> tensors;
    for (const auto& array : analyses.arrays)
        tensors.push_back({array.name, DType::F32, array.shape, std::as_bytes(std::span(array.values))});
    const auto description = descriptionOf(analyses);
    const auto bytes = serializeSafetensors(tensors);
    const std::array<FileToWrite, 2> files{
        {{folder / "analysis.safetensors", bytes}, {folder / "analysis.json", std::as_bytes(std::span(description))}}};
    writeFilesAtomically(files);
}

} // namespace headlight
