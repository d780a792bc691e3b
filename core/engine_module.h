// What the module that runs models offers to the door: functions that are found by their names once it is loaded.
#pragma once

#include "core/engine.h"
#include "core/files/model_config.h"

namespace headlight {

extern "C" {
/// Engine::open. Whoever calls owns what it returns.
Engine* headlight_open(const std::filesystem::path& folder);
/// requireFamily.
void headlight_require_family(const ModelConfig& config);
/// Engine::setThreads.
void headlight_set_threads(int threads);
/// With how many threads the last run ran.
int headlight_used_threads();
}

} // namespace headlight
