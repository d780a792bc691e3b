// One text through one model or two, so that what they say of it can be laid side by side: each after the other, for
// the second reads what the first made of the text.
#pragma once

#include "core/request.h"
#include "core/trace/trace.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>

namespace headlight {

class Engine;

/// What to run.
struct SideBySide {
    std::filesystem::path first;  ///< folder of model A
    std::filesystem::path second; ///< of model B; empty: none
    Request request;              ///< of A; B's is what requestForSecond() makes of it
    bool full = true; ///< where something is changed in A's own translation, run A once more with nothing changed
};

/// What came of it, as far as it came.
struct Runs {
    TracePointer first;
    TracePointer second; ///< null without model B
    TracePointer full;   ///< A's own translation where something was changed in it; else null
    std::optional<ModelInfo> firstModel;
    std::optional<ModelInfo> secondModel;
    std::int64_t memory = 0; ///< bytes that each of them may take: all are kept together
};

/// Gives the open model of a folder; it stays open until the next is asked for.
using OpenEngine = std::function<Engine&(const std::filesystem::path& folder)>;

/// Runs A, of which a picture can be drawn before the rest is there. No run is left behind when `stop` is requested.
/// @throws Error when the model cannot be opened or run; `runs` keeps what was known by then
void runFirst(const SideBySide& what, const OpenEngine& open, Runs& runs, const std::stop_token& stop = {});

/// Runs what stands beside A's run: A in full, then B on the text that A's run has; nothing where A has not run.
/// @throws Error as above
void runBeside(const SideBySide& what, const OpenEngine& open, Runs& runs, const std::stop_token& stop = {});

/// Model B's request: A's text as B can read it, and for encoder–decoders what A's run has as target, so that both have
/// one text. B runs as it is, whatever was changed in A.
Request requestForSecond(const Request& request, const Trace& first, const ModelInfo& firstModel,
                         const ModelInfo& secondModel);

} // namespace headlight
