// headlight_bench [--model DIR …] [--threads N] [--benchmark_filter=… and the like]
#include "tests/bench/bench.h"

#include <QApplication>

#include <charconv>
#include <iostream>
#include <string_view>
#include <system_error>
#include <vector>

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    int threads = 1;
    std::vector<std::filesystem::path> folders;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
        if (word == "--model" && !value.empty()) {
            folders.emplace_back(value);
        } else if (word != "--threads"
                   || std::from_chars(value.data(), value.data() + value.size(), threads).ec != std::errc{}
                   || threads < 1) {
            std::cerr << "headlight_bench: what is \"" << word << "\"? There are --model DIR, --threads N and "
                      << "--benchmark_filter=REGEX\n";
            return 2;
        }
        ++i;
    }
    if (folders.empty())
        for (const char* name : {"en-fr-recurrent", "en-fr-additive", "en-fr-transformer", "en-zh-additive",
                                 "en-zh-transformer", "en-masked", "en-causal"})
            folders.push_back(std::filesystem::path(HEADLIGHT_MODELS) / name);
    headlight::Engine::setThreads(threads);
    const auto compute = headlight::Engine::compute();
    std::cerr << "LibTorch " << compute.libtorch << ", " << compute.blas << ", " << compute.threads << " threads\n";
    try {
        for (const auto& folder : folders) {
            headlight::addModel(folder);
            headlight::addWindow(folder);
        }
        headlight::addViews();
    } catch (const headlight::Error& error) {
        std::cerr << "headlight_bench: " << error.what() << '\n';
        return 1;
    }
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
        qputenv("QT_QPA_PLATFORM", "offscreen");
    const QApplication application(argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
