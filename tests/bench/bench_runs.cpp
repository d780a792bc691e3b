// What a run costs while someone types, beside the same run computed anew.
#include "core/text/tokenizer.h"
#include "tests/bench/bench.h"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace headlight {

namespace {

/// English that no model was made for; models of other languages read it as well.
constexpr auto paragraph = "The committee agreed that the new rules would help small farms. Nobody expected the "
                           "ministers to answer so soon, but they did.";

/// One token typed at the end of 64 beside a run of all of them.
void append(benchmark::State& state, const std::filesystem::path& folder) {
    const auto engine = Engine::open(folder);
    Request before, after;
    for (std::int64_t id = 0; id < 65; ++id)
        after.sourceIds.push_back(100 + 37 * id % 200);
    before.sourceIds.assign(after.sourceIds.begin(), after.sourceIds.end() - 1);
    const auto typed = [&] { engine->run(after); };
    measureBoth(
        state,
        [&] {
            engine->forget();
            engine->run(before);
        },
        typed,
        [&] {
            engine->forget();
            typed();
        });
}

/// A paragraph typed character by character, each key press beside the same run anew.
void keystroke(benchmark::State& state, const std::filesystem::path& folder) {
    const auto engine = Engine::open(folder), anew = Engine::open(folder);
    const std::string all = paragraph;
    std::vector<double> typed, whole, ratios;
    Request request;
    for (auto _ : state) {
        engine->forget();
        double sum = 0;
        for (std::size_t length = 1; length <= all.size(); ++length) {
            request.source = all.substr(0, length);
            typed.push_back(processorMilliseconds([&] { engine->run(request); }));
            anew->forget();
            whole.push_back(processorMilliseconds([&] { anew->run(request); }));
            sum += typed.back();
        }
        state.SetIterationTime(sum / 1000);
    }
    for (const auto& [name, share] : {std::pair("p50", 0.5), {"p95", 0.95}, {"p99", 0.99}}) {
        state.counters[std::string(name) + "_ms"] = quantile(typed, share);
        state.counters[std::string(name) + "_anew_ms"] = quantile(whole, share);
    }
    state.counters["ratio"] = quantile(typed, 0.5) / quantile(whole, 0.5);
    state.counters["ratio_p95"] = quantile(typed, 0.95) / quantile(whole, 0.95);
}

void load(benchmark::State& state, const std::filesystem::path& folder) {
    for (auto _ : state)
        benchmark::DoNotOptimize(Engine::open(folder));
}

void tokenize(benchmark::State& state, const std::filesystem::path& folder) {
    const auto tokenizer = openTokenizer(folder);
    for (auto _ : state)
        benchmark::DoNotOptimize(tokenizer->encode(paragraph));
}

} // namespace

void addModel(const std::filesystem::path& folder) {
    const auto info = Engine::open(folder)->info();
    addProducts(folder, info);
    const auto add = [&](const char* kind, auto measured) {
        return benchmark::RegisterBenchmark((std::string(kind) + '/' + info.name).c_str(), measured, folder)
            ->Unit(benchmark::kMillisecond);
    };
    if (!info.hasEncoder && info.maxPositions > 64)
        add("append", append)->UseManualTime();
    if (info.hasTokenizer) {
        add("keystroke", keystroke)->UseManualTime()->Iterations(1);
        add("tokenize", tokenize);
    }
    add("load", load)->MeasureProcessCPUTime();
}

} // namespace headlight
