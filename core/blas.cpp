#include "core/blas.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace headlight {

namespace {

template <class Function>
Function* symbol(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

/// OPENBLAS_CORETYPE for the widest instructions of this processor; null where there are none that matter.
const char* fittingKernels() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "Haswell";
#endif
    return nullptr;
}

/// The names of the kernels that OpenBLAS falls back on.
bool isFallback(const std::string& kernels) {
    return kernels == "Prescott" || kernels == "Generic" || kernels == "generic";
}

Blas prepare() {
    ::setenv("OMP_WAIT_POLICY", "passive", 0);      // OpenMP reads it when it is loaded, see Engine::setThreads
    dlopen("libblas.so.3", RTLD_NOW | RTLD_GLOBAL); // where LibTorch brings its own, there need be none
    Blas found;
    auto* const product = symbol<void()>("sgemm_");
    Dl_info library{};
    if (!product || !dladdr(reinterpret_cast<void*>(product), &library) || !library.dli_fname)
        return found;
    const auto file = std::filesystem::weakly_canonical(library.dli_fname).string();
    found.library = std::filesystem::path(file).filename().string();

    auto* const coreName = symbol<char*()>("openblas_get_corename");
    if (!coreName) {
        const auto has = [&file](const char* name) { return file.find(name) != std::string::npos; };
        found.slow = !has("openblas") && !has("mkl") && !has("blis") && !has("libtorch");
        return found;
    }
    const char* const fitting = fittingKernels();
    auto* const quit = symbol<void()>("gotoblas_dynamic_quit");
    auto* const init = symbol<void()>("gotoblas_dynamic_init");
    if (fitting && isFallback(coreName()) && quit && init && !std::getenv("OPENBLAS_CORETYPE")) {
        ::setenv("OPENBLAS_CORETYPE", fitting, 0);
        quit();
        init();
    }
    const std::string kernels = coreName();
    found.slow = fitting && isFallback(kernels);
    found.library += " (" + kernels + ")";
    return found;
}

} // namespace

const Blas& blas() {
    static const Blas prepared = prepare();
    return prepared;
}

} // namespace headlight
