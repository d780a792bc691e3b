#include "core/runs/budget.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <limits>
#include <string_view>

namespace headlight {

namespace {

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();

/// Bytes of that many floats; what is too large to count is the largest number.
std::int64_t floats(double count) {
    const double bytes = count * 4;
    return bytes < 9e18 ? static_cast<std::int64_t>(bytes) : unlimited;
}

/// Floats of one map of all heads, times layers.
double maps(int layers, const ModelSizes& model, double queries, double keys) {
    return static_cast<double>(layers) * static_cast<double>(model.heads) * queries * keys;
}

/// Tokens of which the model says something: it has a decoder, or an encoder says it of each.
double rowsOfOutput(const RunLength& length) {
    return static_cast<double>(length.target > 0 ? length.target : length.source);
}

double keptFloats(const ModelSizes& model, const RunLength& length, const Recording& record) {
    const auto source = static_cast<double>(length.source), target = static_cast<double>(length.target);
    const double weights = maps(model.encoderLayers, model, source, source)
                           + maps(model.decoderLayers, model, target, target)
                           + maps(model.crossLayers, model, target, source);
    double kept = (record.scores ? 2 : 1) * weights + (record.norms ? 2 * weights : 0); // once more while it is made
    if (record.alti)
        kept += weights / static_cast<double>(std::max<std::int64_t>(model.heads, 1));
    if (record.vectors) {
        const double rows = 3.0 * model.encoderLayers * source + 3.0 * model.decoderLayers * target
                            + model.crossLayers * (target + 2 * source);
        kept += rows * static_cast<double>(model.heads * model.headSize);
        kept += 3 * (source + target) * static_cast<double>(model.width); // what each stack takes in
    }
    if (record.logits)
        kept += rowsOfOutput(length) * static_cast<double>(model.vocabulary);
    return kept;
}

std::optional<std::int64_t> wholeNumber(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end == text.data())
        return std::nullopt;
    return number;
}

/// The first word after `key` in a file of lines such as "MemAvailable:   1234 kB".
std::optional<std::int64_t> entry(const std::filesystem::path& file, std::string_view key) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key))
            continue;
        const auto value = std::string_view(line).substr(key.size());
        return wholeNumber(value.substr(std::min(value.find_first_not_of(" \t"), value.size())));
    }
    return std::nullopt;
}

/// What a folder of control group leaves of its limit; pages of files that can be dropped do not count.
std::optional<std::int64_t> leftIn(const std::filesystem::path& group, const char* limit, const char* usage,
                                   std::string_view droppable) {
    const auto most = entry(group / limit, ""), used = entry(group / usage, "");
    if (!most || !used)
        return std::nullopt; // "max", or no such group
    return std::max<std::int64_t>(0,
                                  *most - *used + std::min(*used, entry(group / "memory.stat", droppable).value_or(0)));
}

} // namespace

std::int64_t rowsAtOnce(std::int64_t vocabulary) {
    constexpr std::int64_t numbers = 1 << 22, atLeast = 16; // 16 MB, which products with the output layer are fast from
    return std::max(numbers / std::max<std::int64_t>(vocabulary, 1), atLeast);
}

std::int64_t keptBytes(const ModelSizes& model, const RunLength& length, const Recording& record) {
    return floats(keptFloats(model, length, record));
}

std::int64_t runBytes(const ModelSizes& model, const RunLength& length, const Recording& record) {
    const auto source = static_cast<double>(length.source), target = static_cast<double>(length.target);
    // Scores, what is added to them, their softmax; by blocks the same in many pieces.
    const double map = std::max({maps(std::min(model.encoderLayers, 1), model, source, source),
                                 maps(std::min(model.decoderLayers, 1), model, target, target),
                                 maps(std::min(model.crossLayers, 1), model, target, source)})
                       * (model.blockSparse ? 12 : 4);
    const double layer =
        map
        + std::max(source, target)
              * static_cast<double>(3 * model.feedForward + 8 * model.width + 4 * model.heads * model.headSize);
    // Logits, their temperature and softmax.
    const double output = 4 * std::min(rowsOfOutput(length), static_cast<double>(rowsAtOnce(model.vocabulary)))
                          * static_cast<double>(model.vocabulary);
    // Keys and values of all layers, of each hypothesis twice while they are chosen anew.
    const double remembered = 2.0 * static_cast<double>(model.heads * model.headSize)
                              * (model.decoderLayers * target + model.crossLayers * source)
                              * static_cast<double>(length.beam > 1 ? 2 * length.beam : 1);
    return floats(keptFloats(model, length, record) + std::max(layer, output) + remembered);
}

std::optional<std::int64_t> freeMemory(const std::filesystem::path& proc, const std::filesystem::path& groups) {
    std::optional<std::int64_t> left;
    const auto atMost = [&left](std::optional<std::int64_t> bytes) {
        if (bytes && (!left || *bytes < *left))
            left = bytes;
    };
    if (const auto available = entry(proc / "meminfo", "MemAvailable:"))
        atMost(*available * 1024);
    // "0::/user.slice/…" names the group of version 2, "4:memory:/…" that of version 1; those around it have limits,
    // too.
    std::ifstream lines(proc / "self" / "cgroup");
    for (std::string line; std::getline(lines, line);) {
        const auto at = line.find(':'), second = line.find(':', at + 1);
        if (at == std::string::npos || second == std::string::npos)
            continue;
        const auto controllers = line.substr(at + 1, second - at - 1);
        const bool unified = controllers.empty();
        if (!unified && controllers != "memory")
            continue;
        const auto root = unified ? groups : groups / "memory";
        auto group = std::filesystem::path(line.substr(second + 1)).relative_path();
        while (true) {
            atMost(unified ? leftIn(root / group, "memory.max", "memory.current", "inactive_file ")
                           : leftIn(root / group, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                    "total_inactive_file "));
            if (group.empty())
                break;
            group = group.parent_path();
        }
    }
    return left;
}

std::optional<std::int64_t> freeMemory() {
    return freeMemory("/proc", "/sys/fs/cgroup");
}

std::int64_t usualRunMemory() {
    const auto left = freeMemory();
    return left ? *left / 4 : unlimited;
}

std::string memoryInWords(std::int64_t bytes) {
    constexpr std::array units{"bytes", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    auto number = bytes;
    for (; number >= 10'000 && unit + 1 < units.size(); ++unit)
        number = number / 1000 + (number % 1000 >= 500 ? 1 : 0);
    return std::to_string(number) + ' ' + units[unit];
}

} // namespace headlight
