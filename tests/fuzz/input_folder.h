// A folder of files out of one input: each begins behind a line `=== NAME`, or is a link, `=== NAME -> TARGET`.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headlight {

/// The folder is in the machine's memory, made anew for each input and gone at the end of the program.
class InputFolder {
public:
    InputFolder() : m_path(root() / ("headlight-fuzz-" + std::to_string(::getpid()))) {}
    ~InputFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(m_path, ignored);
    }
    InputFolder(const InputFolder&) = delete;
    InputFolder& operator=(const InputFolder&) = delete;

    const std::filesystem::path& path() const { return m_path; }

    void clear() {
        std::filesystem::remove_all(m_path);
        std::filesystem::create_directories(m_path);
    }

    /// Bytes before the first of those lines belong to no file.
    void fill(const std::uint8_t* data, std::size_t size) {
        clear();
        constexpr std::string_view line = "=== ";
        std::string_view rest(reinterpret_cast<const char*>(data), size);
        std::vector<std::pair<std::filesystem::path, std::string>> links;
        std::size_t begin = rest.starts_with(line) ? 0 : rest.find("\n=== ");
        for (int files = 0; begin != rest.npos && files < mostFiles; ++files) {
            rest.remove_prefix(begin + line.size() + (rest[begin] == '\n' ? 1 : 0));
            const auto nameEnd = std::min(rest.find('\n'), rest.size());
            const auto title = rest.substr(0, nameEnd);
            rest.remove_prefix(std::min(nameEnd + 1, rest.size()));
            begin = rest.find("\n=== ");
            const auto arrow = title.find(" -> ");
            const std::filesystem::path name = title.substr(0, arrow);
            if (!isInside(name))
                continue;
            if (arrow != title.npos)
                links.emplace_back(name, title.substr(arrow + 4));
            else
                write(name, rest.substr(0, begin));
        }
        std::error_code ignored; // a name that is taken, a target that is too long: then there is no such link
        for (const auto& [name, target] : links) {
            std::filesystem::create_directories((m_path / name).parent_path(), ignored);
            if (target.find('\0') == target.npos)
                std::filesystem::create_symlink(target, m_path / name, ignored);
        }
    }

    void write(const std::filesystem::path& name, std::string_view bytes) const {
        std::error_code ignored;
        std::filesystem::create_directories((m_path / name).parent_path(), ignored);
        std::ofstream(m_path / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }

private:
    static constexpr int mostFiles = 8, mostParts = 5;
    static constexpr std::size_t longestPart = 60;

    static std::filesystem::path root() {
        const std::filesystem::path memory = "/dev/shm";
        return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    }
    /// Links are made when all files are there, so that nothing is ever written through one.
    static bool isInside(const std::filesystem::path& name) {
        return name.is_relative() && !name.empty() && std::distance(name.begin(), name.end()) <= mostParts
               && std::all_of(name.begin(), name.end(), [](const std::filesystem::path& part) {
                      const auto& text = part.native();
                      return !text.empty() && text != "." && text != ".." && text.size() <= longestPart
                             && text.find('\0') == text.npos;
                  });
    }

    std::filesystem::path m_path;
};

} // namespace headlight
