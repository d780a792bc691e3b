// Reads small files of a model folder whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace headlight {

/// The bytes of a file of at most `mostBytes`.
/// @throws Error when it is not there, is no file (a folder, a device), is larger, or cannot be read
std::string readWholeFile(const std::filesystem::path& file, std::uintmax_t mostBytes);

} // namespace headlight
