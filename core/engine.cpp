// The door: it loads the module that runs models, and LibTorch with it, when the first is opened. Who runs no model
// does not wait for 287 libraries.
#include "core/engine.h"

#include "core/blas.h"
#include "core/engine_module.h"
#include "core/families/known.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>

namespace headlight {

namespace {

std::atomic<int> wantedThreads = 1;
std::atomic<bool> loaded = false;

struct Module {
    decltype(&headlight_open) open = nullptr;
    decltype(&headlight_require_family) requireFamily = nullptr;
    decltype(&headlight_set_threads) setThreads = nullptr;
    decltype(&headlight_used_threads) usedThreads = nullptr;
};

/// The file beside the library that this function is in.
std::filesystem::path modulePath() {
    Dl_info library{};
    dladdr(reinterpret_cast<const void*>(&modulePath), &library);
    return std::filesystem::weakly_canonical(library.dli_fname).parent_path() / HEADLIGHT_MODULE;
}

/// It stays loaded to the end: LibTorch leaves threads and handlers behind.
Module load() {
    blas(); // before LibTorch finds it as it was
    const auto path = modulePath();
    void* const opened = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    const auto refuse = [&path] {
        const char* const said = dlerror();
        std::string why = said ? said : "does not run models";
        if (const auto name = path.string() + ": "; why.starts_with(name))
            why.erase(0, name.size());
        throw Error(Error::Kind::Unreadable, path.string(), why, "install Headlight anew");
    };
    if (!opened)
        refuse();
    const Module module{
        reinterpret_cast<decltype(&headlight_open)>(dlsym(opened, "headlight_open")),
        reinterpret_cast<decltype(&headlight_require_family)>(dlsym(opened, "headlight_require_family")),
        reinterpret_cast<decltype(&headlight_set_threads)>(dlsym(opened, "headlight_set_threads")),
        reinterpret_cast<decltype(&headlight_used_threads)>(dlsym(opened, "headlight_used_threads"))};
    if (!module.open || !module.requireFamily || !module.setThreads || !module.usedThreads)
        refuse();
    module.setThreads(wantedThreads);
    loaded = true;
    return module;
}

const Module& module() {
    static const Module found = load(); // tried again where it failed
    return found;
}

} // namespace

std::unique_ptr<Engine> Engine::open(const std::filesystem::path& folder) {
    return std::unique_ptr<Engine>(module().open(folder));
}

void requireFamily(const ModelConfig& config) {
    module().requireFamily(config);
}

ComputeInfo Engine::compute() {
    const int threads = wantedThreads > 0 ? wantedThreads.load() : loaded ? module().usedThreads() : 1;
    return {HEADLIGHT_LIBTORCH, blas().library, blas().slow, threads};
}

void Engine::setThreads(int threads) {
    wantedThreads = std::max(threads, 0);
    if (loaded)
        module().setThreads(wantedThreads);
}

} // namespace headlight
