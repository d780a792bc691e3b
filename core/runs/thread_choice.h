// How many threads a model runs fastest with: measured once for each machine and size of model, and remembered.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace headlight {

/// headlight/threads.json in the user's folder for caches; empty where there is none.
std::filesystem::path threadsFile();

/// What `file` says for this machine and a model of about so many parameters; where it says nothing, what `measure`
/// finds, which is then written there. A file that cannot be read or written is done without.
int rememberedThreads(const std::filesystem::path& file, std::int64_t parameters, const std::function<int()>& measure);

} // namespace headlight
