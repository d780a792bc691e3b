// A folder whose config.json or index of shards is any text, beside the weights of a tiny reference model: either an
// Error, or a model that runs. The weights are those that the file `weights` names; with an index they are
// a.safetensors.
#include "core/engine.h"
#include "core/trace/trace.h"
#include "tests/fuzz/input_folder.h"

#include <array>
#include <cstdlib>

using namespace headlight;

// LibTorch is not built with sanitizers: it hands over vectors that they know nothing of, and keeps memory at the end.
extern "C" const char* __asan_default_options() {
    return "detect_leaks=0:detect_container_overflow=0";
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    Engine::setThreads(1);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static InputFolder folder;
    folder.fill(data, size);
    const auto& path = folder.path();
    std::string name;
    std::getline(std::ifstream(path / "weights"), name);
    constexpr std::array models{"gpt2", "marian", "roberta", "t5"};
    const auto* const known = std::find(models.begin(), models.end(), name);
    const auto weights =
        std::filesystem::path(HEADLIGHT_FIXTURES) / (known == models.end() ? "gpt2" : name) / "model.safetensors";
    const bool shards = std::filesystem::exists(std::filesystem::symlink_status(path / "model.safetensors.index.json"));
    std::error_code taken; // by the input, which then has weights of its own
    std::filesystem::create_symlink(weights, path / (shards ? "a.safetensors" : "model.safetensors"), taken);
    try {
        const auto engine = Engine::open(path);
        Request request;
        request.sourceIds = {3, 5, 7};
        if (engine->info().hasEncoder && engine->info().hasDecoder)
            request.targetIds = {1, 4};
        const auto trace = engine->run(request);
        if (!trace)
            std::abort();
    } catch (const Error& error) { // which is what a folder that does not fit must come to
        if (error.place().empty() || error.detail().empty())
            std::abort();
    }
    return 0;
}
