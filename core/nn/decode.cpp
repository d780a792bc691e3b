#include "core/nn/decode.h"

#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace headlight {

namespace {

/// A translation on its way: rows of one batch.
struct Hypothesis {
    std::vector<std::int64_t> ids;
    double logProbability = -std::numeric_limits<double>::infinity();
    int node = -1; ///< in the tree, if there is one

    double score(double lengthPenalty) const {
        return logProbability / std::pow(static_cast<double>(std::max<std::size_t>(ids.size(), 1)), lengthPenalty);
    }
};

/// One source's beam: the living hypotheses, as many as the beam is wide, and the best of those that have ended.
struct Beam {
    std::vector<Hypothesis> living;
    std::vector<Hypothesis> finished; ///< best first, no more than the beam is wide
    bool done = false;

    void finish(Hypothesis ended, double lengthPenalty) {
        const auto better = [lengthPenalty](const Hypothesis& left, const Hypothesis& right) {
            return left.score(lengthPenalty) > right.score(lengthPenalty);
        };
        finished.insert(std::upper_bound(finished.begin(), finished.end(), ended, better), std::move(ended));
        if (finished.size() > living.size())
            finished.pop_back();
    }
};

} // namespace

std::vector<std::vector<std::int64_t>> decodeBest(SequenceToSequence& model, const Memory& memory,
                                                  const DecodeOptions& options, const Context& context) {
    torch::NoGradGuard noGradients;
    const auto sources = memory.states.size(0);
    const std::int64_t width = std::max(options.beam, 1);
    const auto idOptions = torch::TensorOptions().dtype(torch::kInt64).device(memory.states.device());

    // Row i * width + k is hypothesis k of source waiting[i]; at first all but k = 0 are impossible, for they are the
    // same.
    const auto rows = torch::arange(sources, idOptions).repeat_interleave(width);
    Memory spread = width == 1 ? memory : memory.select(rows);
    DecoderState state = model.start(spread);
    auto last = torch::full({sources * width}, options.ids.start, idOptions);
    const auto banned = torch::tensor(options.banned, idOptions);
    std::vector<Beam> beams(static_cast<std::size_t>(sources));
    std::vector<std::size_t> waiting(beams.size());
    std::iota(waiting.begin(), waiting.end(), std::size_t{0});
    for (auto& beam : beams) {
        beam.living.resize(static_cast<std::size_t>(width));
        beam.living.front().logProbability = 0;
    }

    if (options.begun)
        state = *options.begun;
    for (const auto id : options.begin) {
        if (!options.begun)
            model.step(last, state, spread, context);
        last = torch::full_like(last, id);
        for (auto& beam : beams)
            beam.living.front().ids.push_back(id);
    }

    const auto begun = static_cast<std::int64_t>(options.begin.size());
    for (std::int64_t length = begun + 1; length <= options.maxLength; ++length) {
        context.checkStop();
        auto logProbabilities =
            torch::log_softmax(model.logits(model.step(last, state, spread, context)), -1); // [rows, V]
        logProbabilities.index_fill_(1, banned, -std::numeric_limits<float>::infinity());
        const auto [values, ids] = logProbabilities.topk(std::min<std::int64_t>(width + 1, logProbabilities.size(1)));
        const auto candidates = values.size(1);
        const auto valuesHere = values.to(torch::kCPU, torch::kFloat32).contiguous();
        const auto idsHere = ids.to(torch::kCPU).contiguous();
        const float* value = valuesHere.data_ptr<float>();
        const std::int64_t* id = idsHere.data_ptr<std::int64_t>();

        if (options.leastLead && candidates > 1) {
            const double lead = value[0] - value[1];
            *options.leastLead =
                std::isnan(lead) ? -std::numeric_limits<double>::infinity() : std::min(*options.leastLead, lead);
        }

        std::vector<std::int64_t> parents, next;
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            auto& beam = beams[waiting[i]];
            const auto firstRow = static_cast<std::int64_t>(i) * width;
            struct Choice {
                std::int64_t parent;
                std::int64_t id;
                double logProbability;
            };
            std::vector<Choice> choices;
            for (std::int64_t k = 0; k < width && !beam.done; ++k) {
                for (std::int64_t c = 0; c < candidates; ++c) {
                    const auto cell = (firstRow + k) * candidates + c;
                    const double total = beam.living[static_cast<std::size_t>(k)].logProbability + value[cell];
                    if (std::isfinite(total))
                        choices.push_back({k, id[cell], total});
                }
            }
            std::stable_sort(choices.begin(), choices.end(), [](const Choice& left, const Choice& right) {
                return left.logProbability > right.logProbability;
            });
            std::vector<Hypothesis> living;
            for (const auto& choice : choices) {
                if (static_cast<std::int64_t>(living.size()) == width)
                    break;
                Hypothesis grown = beam.living[static_cast<std::size_t>(choice.parent)];
                if (options.tree) {
                    const auto& parent = beam.living[static_cast<std::size_t>(choice.parent)];
                    options.tree->push_back(
                        {.parent = parent.node,
                         .step = static_cast<int>(length) - 1,
                         .token = {choice.id,
                                   {},
                                   static_cast<float>(std::exp(choice.logProbability - parent.logProbability))},
                         .logProbability = choice.logProbability,
                         .finished = choice.id == options.ids.end});
                    grown.node = static_cast<int>(options.tree->size()) - 1;
                }
                grown.ids.push_back(choice.id);
                grown.logProbability = choice.logProbability;
                if (choice.id == options.ids.end) {
                    beam.finish(std::move(grown), options.lengthPenalty);
                    if (width == 1)
                        break;
                    continue;
                }
                living.push_back(std::move(grown));
                parents.push_back(firstRow + choice.parent);
                next.push_back(choice.id);
            }
            // A full set of ended hypotheses, none worse than the best living one is by now, closes the beam.
            beam.done = beam.done || living.empty()
                        || (static_cast<std::int64_t>(beam.finished.size()) == width
                            && beam.finished.back().score(options.lengthPenalty)
                                   >= living.front().score(options.lengthPenalty));
            const auto alive = static_cast<std::int64_t>(living.size());
            if (!living.empty())
                beam.living = std::move(living);
            beam.living.resize(static_cast<std::size_t>(width));
            for (std::int64_t k = alive; k < width; ++k) { // rows that keep the batch whole
                parents.push_back(firstRow);
                next.push_back(options.ids.end);
                if (alive > 0)
                    beam.living[static_cast<std::size_t>(k)] = Hypothesis{};
            }
        }
        const auto tensorOf = [&](const std::vector<std::int64_t>& chosen) {
            return torch::tensor(chosen, torch::kInt64).to(idOptions.device());
        };
        const auto isDone = [&](std::size_t source) { return beams[source].done; };
        const auto done = static_cast<std::size_t>(std::count_if(waiting.begin(), waiting.end(), isDone));
        if (done == waiting.size())
            break;
        // One that finds no end would keep all others at work: what is done leaves, a quarter of them at a time.
        const bool leave = 4 * done >= waiting.size();
        if (leave) {
            std::vector<std::int64_t> kept, keptParents, keptNext;
            for (std::size_t row = 0; row < parents.size(); ++row) {
                if (isDone(waiting[row / static_cast<std::size_t>(width)]))
                    continue;
                kept.push_back(static_cast<std::int64_t>(row));
                keptParents.push_back(parents[row]);
                keptNext.push_back(next[row]);
            }
            spread = spread.select(tensorOf(kept));
            parents = std::move(keptParents);
            next = std::move(keptNext);
            waiting.erase(std::remove_if(waiting.begin(), waiting.end(), isDone), waiting.end());
        }
        last = tensorOf(next);
        if (width > 1 || leave)
            state = state.select(tensorOf(parents));
    }

    std::vector<std::vector<std::int64_t>> best;
    for (const auto& beam : beams) {
        const auto& chosen = beam.finished.empty() ? beam.living.front() : beam.finished.front();
        best.push_back(chosen.ids);
        for (int node = chosen.node; node >= 0; node = (*options.tree)[static_cast<std::size_t>(node)].parent)
            (*options.tree)[static_cast<std::size_t>(node)].chosen = true;
    }
    return best;
}

} // namespace headlight
