// One door for small files, so that each is checked in the same way before its bytes take memory.
#include "core/checkpoint/whole_file.h"

#include "core/error.h"

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

} // namespace headlight
