#include "core/runs/thread_choice.h"

#include "core/error.h"
#include "core/files/json.h"
#include "core/files/whole_file.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <fstream>
#include <span>
#include <string>
#include <thread>

namespace headlight {

namespace {

constexpr std::uintmax_t largestFile = 1 << 20;

int cores() {
    return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// The processor and how many of its cores there are.
std::string machine() {
    std::string model = "unknown";
    std::ifstream lines("/proc/cpuinfo");
    for (std::string line; std::getline(lines, line);) {
        const auto at = line.find(": ");
        if (line.starts_with("model name") && at != std::string::npos) {
            model = line.substr(at + 2);
            break;
        }
    }
    return model + ", " + std::to_string(cores()) + " cores";
}

nlohmann::json readFile(const std::filesystem::path& file) {
    try {
        auto read = parseJson(readWholeFile(file, largestFile), file.string());
        return read.is_object() ? read : nlohmann::json::object();
    } catch (const Error&) { // measured and written anew
        return nlohmann::json::object();
    }
}

} // namespace

std::filesystem::path threadsFile() {
    const auto folder = [](const char* variable) {
        const char* const value = std::getenv(variable);
        return std::filesystem::path(value ? value : "");
    };
    if (const auto cache = folder("XDG_CACHE_HOME"); cache.is_absolute())
        return cache / "headlight" / "threads.json";
    const auto home = folder("HOME");
    return home.is_absolute() ? home / ".cache" / "headlight" / "threads.json" : std::filesystem::path();
}

int rememberedThreads(const std::filesystem::path& file, std::int64_t parameters, const std::function<int()>& measure) {
    if (cores() == 1)
        return 1;
    const auto size = "2^" + std::to_string(std::bit_width(static_cast<std::uint64_t>(parameters)));
    const auto here = machine();
    auto known = file.empty() ? nlohmann::json::object() : readFile(file);
    auto& sizes = known[here];
    if (sizes.is_object() && sizes.contains(size) && sizes[size].is_number_integer()) {
        const auto threads = sizes[size].get<std::int64_t>();
        if (threads >= 1 && threads <= cores())
            return static_cast<int>(threads);
    }
    const int threads = measure();
    if (!sizes.is_object())
        sizes = nlohmann::json::object();
    sizes[size] = threads;
    if (file.empty())
        return threads;
    try {
        const auto text = known.dump(1) + "\n";
        makeFolders(file.parent_path());
        writeFileAtomically(file, std::as_bytes(std::span(text)));
    } catch (const Error&) { // measured again next time
    }
    return threads;
}

} // namespace headlight
