// What one key press costs: its tokens, a run of each bundled model, and what watching adds to a pass over the same
// words. Models that are not there are left out; the fixture of random weights always is there.
#include "core/engine.h"
#include "core/families/family.h"
#include "core/nn/networks.h"
#include "core/text/tokenizer.h"

#include <torch/torch.h>

#include <benchmark/benchmark.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace headlight {

namespace {

constexpr auto sentence = "The agreement on the European Economic Area was signed in August 1992.";

void tokenize(benchmark::State& state, const std::filesystem::path& folder) {
    const auto tokenizer = openTokenizer(folder);
    for (auto _ : state)
        benchmark::DoNotOptimize(tokenizer->encode(sentence));
}

/// A whole run as the window asks for it: decoding, then the watched pass.
void run(benchmark::State& state, const std::filesystem::path& folder) {
    const auto engine = Engine::open(folder);
    Request request;
    request.source = sentence;
    request.beam = static_cast<int>(state.range(0));
    if (!engine->info().hasTokenizer) {
        request.sourceIds = {5, 90, 13, 200, 41, 8, 77, 120, 33, 54, 6, 150, 99, 10, 61, 0};
        request.maxLength = 16;
    }
    std::size_t tokens = 0;
    for (auto _ : state)
        tokens = engine->run(request)->emitted.size();
    state.counters["tokens"] = static_cast<double>(tokens);
}

/// Encoder and decoder over 16 given tokens each, watched and unwatched by turns, so that a busy machine troubles both
/// alike. The time is that of a watched pass; `ratio` is what watching multiplies it by.
void watch(benchmark::State& state, const std::filesystem::path& folder) {
    using Clock = std::chrono::steady_clock;
    torch::NoGradGuard noGradients;
    const auto network = openNetwork(ModelConfig::open(folder), Weights::open(folder));
    const auto ids = torch::arange(1, 17, torch::kInt64).unsqueeze(0);
    const auto pass = [&](const Context& context) {
        const auto start = Clock::now();
        const auto memory = network.translator->encode(ids, {}, context);
        benchmark::DoNotOptimize(network.translator->logits(network.translator->decode(ids, memory, context)));
        return std::chrono::duration<double>(Clock::now() - start).count();
    };
    double watched = 0, unwatched = 0;
    for (auto _ : state) {
        unwatched += pass({});
        Watch watch({});
        const double seconds = pass({&watch, {}});
        watched += seconds;
        state.SetIterationTime(seconds);
    }
    state.counters["ratio"] = watched / unwatched;
}

void addModel(const std::filesystem::path& folder) {
    const auto name = folder.filename().string();
    if (std::filesystem::exists(folder / "source.spm"))
        benchmark::RegisterBenchmark(("tokenize/" + name).c_str(), tokenize, folder);
    benchmark::RegisterBenchmark(("run/" + name).c_str(), run, folder)
        ->ArgName("beam")
        ->Arg(1)
        ->Arg(4)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    benchmark::RegisterBenchmark(("watch/" + name).c_str(), watch, folder)
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
}

} // namespace

} // namespace headlight

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    const auto compute = headlight::Engine::compute();
    std::cerr << "LibTorch " << compute.libtorch << ", " << compute.blas << ", " << compute.threads << " threads\n";
    headlight::addModel(std::filesystem::path(HEADLIGHT_FIXTURES) / "marian");
    for (const char* name : {"en-fr-recurrent", "en-fr-additive", "en-fr-transformer"}) {
        const auto folder = std::filesystem::path(HEADLIGHT_MODELS) / name;
        if (std::filesystem::exists(folder / "model.safetensors"))
            headlight::addModel(folder);
    }
    benchmark::RunSpecifiedBenchmarks();
}
