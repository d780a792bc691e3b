// A file's bytes all at once, in and out: small ones read, large ones mapped, and none ever half written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace headlight {

/// The bytes of a file of at most `mostBytes`.
/// @throws Error when it is not there, is no file (a folder, a device), is larger, cannot be read, or is what Git LFS
/// leaves in a file's place
std::string readWholeFile(const std::filesystem::path& file, std::uintmax_t mostBytes);

/// A file in memory, read by the system where it is looked at. Bytes that the file has no longer, or that the disk does
/// not give, are zeros: whoever looked at some asks requireRead() before they are of use.
struct MappedFile {
    std::shared_ptr<const void> owner; ///< keeps the bytes; null for a file of none
    std::span<const std::byte> bytes;
};
/// @throws Error when it is not there, is no file, or cannot be mapped
MappedFile mapWholeFile(const std::filesystem::path& file);
/// @throws Error Unreadable when `bytes` are of a mapped file that could not be read wherever it was looked at
void requireRead(std::span<const std::byte> bytes);
/// Gives back the memory of bytes that were looked at and will not be soon. Those of no mapped file stay as they are.
void letGo(std::span<const std::byte> bytes);

/// Makes a folder, and those around it, unless it is there.
/// @throws Error Unreadable with the system's reason
void makeFolders(const std::filesystem::path& folder);

/// A file to be, and what it will hold.
struct FileToWrite {
    std::filesystem::path path;
    std::span<const std::byte> bytes;
};

/// Replaces these files or leaves them all as they were: no reader ever sees half of one, and none is replaced before
/// the bytes of all are safe on the disk. A link stays a link to the file that changes; a device or a pipe is written
/// to. What a killed run left half written in their folders is removed.
/// @throws Error Unreadable with the system's reason
void writeFilesAtomically(std::span<const FileToWrite> files);
/// The same for one file.
void writeFileAtomically(const std::filesystem::path& path, std::span<const std::byte> bytes);

} // namespace headlight
