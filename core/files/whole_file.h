// A file's bytes all at once: small ones read, large ones mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace headlight {

/// The bytes of a file of at most `mostBytes`.
/// @throws Error when it is not there, is no file (a folder, a device), is larger, or cannot be read
std::string readWholeFile(const std::filesystem::path& file, std::uintmax_t mostBytes);

/// A file in memory, read by the system where it is looked at.
struct MappedFile {
    std::shared_ptr<const void> owner; ///< keeps the bytes; null for a file of none
    std::span<const std::byte> bytes;
};
/// @throws Error when it is not there, is no file, or cannot be mapped
MappedFile mapWholeFile(const std::filesystem::path& file);

} // namespace headlight
