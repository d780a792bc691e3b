#include "core/runs/side_by_side.h"

#include "core/analysis/head_metrics.h"
#include "core/engine.h"
#include "core/runs/budget.h"

#include <algorithm>
#include <string>
#include <utility>

namespace headlight {

namespace {

/// The changed model's own request with nothing changed: what it said by itself is given token by token, for words
/// might be cut into other tokens than it chose.
Request requestInFull(Request full, const Trace& changed, bool answers) {
    full.record.asked = candidatesOf(changed);
    if (answers) {
        if (full.target || !full.targetIds.empty())
            return full;
        full.beam = 1;
        for (const auto& token : changed.emitted)
            full.beginIds.push_back(token.id);
        full.maxLength = static_cast<int>(full.beginIds.size());
    } else if (!changed.target.empty()) { // a decoder alone; an encoder's tokens are all in the text
        full.targetIds.clear();
        for (auto token = changed.target.begin() + changed.prompt; token != changed.target.end(); ++token)
            full.targetIds.push_back(token->id);
        full.maxLength = 0;
    }
    return full;
}

/// Something is changed in what a model with encoder and decoder says by itself.
bool changesOwnTranslation(const Request& request) {
    const bool changed = !request.intervention.empty() || !request.beginIds.empty();
    return changed && !request.target && request.targetIds.empty();
}

Request withNothingChanged(Request request, const Trace& changed) {
    request.intervention = {};
    request.beginIds.clear();
    request.record.asked = candidatesOf(changed);
    return request;
}

/// How many runs are kept together.
int runsOf(const SideBySide& what) {
    return 1 + (what.second.empty() ? 0 : 1) + (what.full && changesOwnTranslation(what.request) ? 1 : 0);
}

} // namespace

void runFirst(const SideBySide& what, const OpenEngine& open, Runs& runs, const std::stop_token& stop) {
    auto& engine = open(what.first);
    runs.firstModel = engine.info();
    auto request = what.request;
    if (request.memory <= 0)
        request.memory = usualRunMemory() / runsOf(what);
    runs.memory = request.memory;
    runs.first = engine.run(request, stop);
}

void runBeside(const SideBySide& what, const OpenEngine& open, Runs& runs, const std::stop_token& stop) {
    if (!runs.first)
        return;
    auto request = what.request;
    request.memory = runs.memory; // so that a text which was cut for A is cut alike
    if (what.full && runs.first->cross && changesOwnTranslation(request))
        runs.full = open(what.first).run(withNothingChanged(request, *runs.first), stop);
    if (what.second.empty() || stop.stop_requested())
        return;
    auto& engine = open(what.second);
    runs.secondModel = engine.info();
    runs.second = engine.run(requestForSecond(request, *runs.first, *runs.firstModel, engine.info()), stop);
}

Request requestForSecond(const Request& request, const Trace& first, const ModelInfo& firstModel,
                         const ModelInfo& secondModel) {
    Request second = request;
    second.intervention = {};
    second.beginIds.clear();
    // Each has languages and tasks of its own, by names of its own.
    const auto keepKnown = [](std::string& code, const std::vector<std::string>& codes) {
        if (std::find(codes.begin(), codes.end(), code) == codes.end())
            code.clear();
    };
    keepKnown(second.sourceLanguage, secondModel.sourceLanguages);
    keepKnown(second.targetLanguage, secondModel.targetLanguages);
    const auto& tasks = secondModel.tasks;
    if (std::none_of(tasks.begin(), tasks.end(), [&](const Task& task) { return task.prefix == second.prefix; }))
        second.prefix.clear();
    if (!secondModel.takesGlobalTokens)
        second.globalTokens.clear();
    const auto answers = [](const ModelInfo& model) { return model.hasEncoder && model.hasDecoder; };
    if (!secondModel.readsPairs)
        second.second.reset();
    if (!firstModel.mask.empty() && !secondModel.mask.empty()) { // each family has a name of its own for it
        const auto replaceMask = [&](std::string& text) {
            for (auto at = text.find(firstModel.mask); at != std::string::npos;
                 at = text.find(firstModel.mask, at + secondModel.mask.size()))
                text.replace(at, firstModel.mask.size(), secondModel.mask);
        };
        replaceMask(second.source);
        if (second.second)
            replaceMask(*second.second);
    }
    if (!request.intervention.empty() && firstModel.name == secondModel.name
        && firstModel.parameters == secondModel.parameters)
        return requestInFull(std::move(second), first, answers(firstModel));
    if (!answers(firstModel) || !answers(secondModel)) {
        // Only a text of words says the same to both: what A added to it is a part of it for B.
        second.target.reset();
        second.targetIds.clear();
        second.maxLength = 0;
        second.skip.reset();
        if (request.sourceIds.empty() && first.source.empty() && !first.window)
            second.source = first.targetText;
        return second;
    }
    if (request.sourceIds.empty()) { // words say the same to both, ids only where both have one vocabulary
        second.targetIds.clear();
        second.target = first.targetText;
    } else {
        second.target.reset();
        second.targetIds.clear();
        for (const auto& token : first.target)
            second.targetIds.push_back(token.id);
    }
    return second;
}

} // namespace headlight
