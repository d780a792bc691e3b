// One door for files, so that each is checked in the same way before its bytes take memory.
#include "core/files/whole_file.h"

#include "core/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace headlight {

std::string readWholeFile(const std::filesystem::path& file, std::uintmax_t mostBytes) {
    const std::string place = file.string();
    std::error_code problem;
    const std::filesystem::file_status status = std::filesystem::status(file, problem);
    if (status.type() == std::filesystem::file_type::not_found)
        throw Error(Error::Kind::NotFound, place, "there is no such file");
    if (problem)
        throw Error(Error::Kind::Unreadable, place, problem.message());
    if (status.type() != std::filesystem::file_type::regular)
        throw Error(Error::Kind::Unreadable, place,
                    status.type() == std::filesystem::file_type::directory ? "this is a folder, not a file"
                                                                           : "this is not a regular file");
    const std::uintmax_t size = std::filesystem::file_size(file, problem);
    if (!problem && size > mostBytes)
        throw Error(Error::Kind::Unsupported, place,
                    "the file has " + std::to_string(size) + " bytes; at most " + std::to_string(mostBytes)
                        + " are read from a file of this kind");
    std::ifstream stream(file, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    if (problem || !stream)
        throw Error(Error::Kind::Unreadable, place, "the file cannot be read", "check its permissions");
    return bytes;
}

MappedFile mapWholeFile(const std::filesystem::path& file) {
    const auto fail = [&](int number) -> Error {
        const bool absent = number == ENOENT || number == ENOTDIR;
        return Error(absent ? Error::Kind::NotFound : Error::Kind::Unreadable, file.string(),
                     std::generic_category().message(number));
    };
    // Not blocking, because opening a named pipe would otherwise wait for its writer.
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        throw fail(errno);
    struct stat status {};
    const int trouble = ::fstat(descriptor, &status) == 0 ? 0 : errno;
    const bool mappable = trouble == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    const auto size = static_cast<std::size_t>(mappable ? status.st_size : 0);
    void* const memory = mappable ? ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0) : nullptr;
    const int notMapped = memory == MAP_FAILED ? errno : 0;
    ::close(descriptor);
    if (trouble != 0 || notMapped != 0)
        throw fail(trouble != 0 ? trouble : notMapped);
    if (!S_ISREG(status.st_mode))
        throw Error(Error::Kind::Unreadable, file.string(), "this is not a file", "choose a file of weights");
    if (!memory)
        return {};
    return {{memory, [size](void* mapped) { ::munmap(mapped, size); }}, {static_cast<const std::byte*>(memory), size}};
}

} // namespace headlight
