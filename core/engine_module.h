// What the module that runs models offers to the door: functions that are found by their names once it is loaded.
#pragma once

#include "core/engine.h"

namespace headlight {

extern "C" {
/// Engine::open. Whoever calls owns what it returns.
Engine* headlight_open(const std::filesystem::path& folder);
/// Engine::setThreads.
void headlight_set_threads(int threads);
}

} // namespace headlight
