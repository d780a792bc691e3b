// How much memory a run takes, estimated before it, and how much it may: a text is cut or refused rather than the
// machine brought to a halt.
#pragma once

#include "core/request.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace headlight {

/// What of a model decides how much memory a run takes. Layers are those with attention of that kind.
struct ModelSizes {
    int encoderLayers = 0;
    int decoderLayers = 0;
    int crossLayers = 0;
    std::int64_t heads = 0;
    std::int64_t headSize = 0;
    std::int64_t width = 0;
    std::int64_t feedForward = 0;
    std::int64_t vocabulary = 0; ///< 0: it says nothing of each token
    bool blockSparse = false;    ///< its attention is computed by blocks, in many pieces
};

/// How long the texts of a run are, in tokens; 0 where there is none.
struct RunLength {
    std::int64_t source = 0;
    std::int64_t target = 0;
    std::int64_t beam = 1; ///< hypotheses that are decoded together
};

/// Of how many rows the logits are made at once.
std::int64_t rowsAtOnce(std::int64_t vocabulary);

/// Bytes of the numbers that a run's Trace keeps.
std::int64_t keptBytes(const ModelSizes& model, const RunLength& length, const Recording& record);
/// What a run takes at its height: what it keeps, and what one layer or the output is computed with.
std::int64_t runBytes(const ModelSizes& model, const RunLength& length, const Recording& record);

/// Bytes that may still be taken: what the system has available or the limits on this process's group leave, whichever
/// is less. Empty where the system does not say.
std::optional<std::int64_t> freeMemory();
/// The same, read from these folders. @param proc as /proc, @param groups as /sys/fs/cgroup
std::optional<std::int64_t> freeMemory(const std::filesystem::path& proc, const std::filesystem::path& groups);

/// What a run may take where the request does not say: a quarter of what is free, for pictures stay on screen while the
/// next ones are computed.
std::int64_t usualRunMemory();

/// Such as "604 MB".
std::string memoryInWords(std::int64_t bytes);

} // namespace headlight
