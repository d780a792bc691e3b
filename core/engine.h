// The only door to the models: open a folder, run. No LibTorch type passes through it.
#pragma once

#include "core/analysis/analyses.h"
#include "core/error.h"
#include "core/request.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

namespace headlight {

/// Versions and the state of the machine's linear algebra, for `--version` and the status bar.
struct ComputeInfo {
    std::string libtorch; ///< version
    std::string blas;     ///< file of the library found, with OpenBLAS's kernels: `libopenblasp-r0.3.21.so (Haswell)`
    bool slowBlas =
        false;       ///< the reference BLAS, or kernels of old processors: models run many times slower than they could
    int threads = 1; ///< of the last run, or of the next
};

/// Most bytes that an open model keeps of the texts of its last runs, so that a small edit costs little.
inline constexpr std::int64_t mostKeptBytes = std::int64_t{256} << 20;

/// One open model. Not for use from two threads at once.
class Engine {
public:
    /// The first call loads LibTorch, which takes most of a second.
    /// @param folder config.json, model.safetensors and the tokenizer's files
    /// @throws Error naming the file and what is wrong with it; nothing is half open
    static std::unique_ptr<Engine> open(const std::filesystem::path& folder);

    /// Loads the BLAS, and no more. Call it once before there is a second thread: see core/blas.h.
    static ComputeInfo compute();
    /// For all runs from now on.
    /// With how many threads models run; 0: as many as each runs fastest with, measured for some tenths of a second
    /// when the first of its size runs on this machine, and remembered.
    static void setThreads(int threads);

    virtual ~Engine() = default;
    virtual const ModelInfo& info() const = 0;

    /// Runs the model and records what was asked for. Empty text is fine.
    /// @returns null when `stop` was requested, which is tested between layers and decoding steps
    /// @throws Error for ids out of the vocabulary and the like
    virtual TracePointer run(const Request& request, std::stop_token stop = {}) = 0;

    /// Finds out more of a run that this model made. What it takes is estimated first.
    /// @returns null when `stop` was requested, which is tested between layers and batches
    /// @throws Error for what does not apply to the model, naming it and why, and for what takes too much memory
    virtual AnalysesPointer analyse(const Trace&, const AnalysisRequest&, std::stop_token = {}) { return nullptr; }

    /// Drops what is kept of earlier texts: the next run computes everything anew.
    virtual void forget() {}
};

} // namespace headlight
