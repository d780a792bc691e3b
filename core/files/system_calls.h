// What the reader and the writer of files ask of the system. Tests put faults in its place: a full disk, a bad sector,
// a signal, a call that does half of its work.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace headlight {

/// Each as POSIX has it: a negative result, or MAP_FAILED, leaves the reason in errno.
struct SystemCalls {
    std::function<int(const char* path, int flags, mode_t mode)> open;
    std::function<ssize_t(int descriptor, void* bytes, std::size_t count)> read;
    std::function<ssize_t(int descriptor, const void* bytes, std::size_t count)> write;
    std::function<int(int descriptor)> sync;
    std::function<int(int descriptor)> close;
    std::function<int(const char* from, const char* to)> rename;
    std::function<void*(std::size_t length, int descriptor)> map;
    std::function<int(const char* target, const char* link)> link; ///< a symbolic one
    std::function<std::int64_t(const char* folder)> freeBytes;     ///< for whoever is not root
};

/// The system's own; whoever replaces one puts it back.
SystemCalls& systemCalls();

} // namespace headlight
