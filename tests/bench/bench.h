// What the benchmarks share. Times are of the processor, and each is held against another by turns within one
// benchmark, so that a busy machine troubles both alike: `ratio` is what to look at.
#pragma once

#include "core/engine.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <vector>

namespace headlight {

/// Registers all that can be measured of the model in a folder.
void addModel(const std::filesystem::path& folder);
/// Its part that needs the networks themselves.
void addProducts(const std::filesystem::path& folder, const ModelInfo& info);
/// Registers typing into the window; needs a QApplication by the time it runs.
void addWindow(const std::filesystem::path& folder);
/// Registers redraws and exports; needs a QApplication by the time they run.
void addViews();

/// Of all threads of this process.
template <class Work>
double processorMilliseconds(const Work& work) {
    const auto now = [] {
        timespec time{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
    };
    const double start = now();
    work();
    return now() - start;
}

/// @param share 0.5: the median
inline double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// Times `work` and `beside` by turns, `prepare` before each; reports the medians and their ratio.
template <class Prepare, class Work, class Beside>
void measureBoth(benchmark::State& state, const Prepare& prepare, const Work& work, const Beside& beside) {
    std::vector<double> ours, theirs;
    prepare();
    work(); // once for nothing, so that memory is there
    beside();
    for (auto _ : state) {
        prepare();
        ours.push_back(processorMilliseconds(work));
        theirs.push_back(processorMilliseconds(beside));
        state.SetIterationTime(ours.back() / 1000);
    }
    state.counters["median_ms"] = quantile(ours, 0.5);
    state.counters["beside_ms"] = quantile(theirs, 0.5);
    state.counters["ratio"] = quantile(ours, 0.5) / quantile(theirs, 0.5);
}

} // namespace headlight
