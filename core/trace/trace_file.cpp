// A Trace's description and its tensors in one file, and the description once more beside it.
#include "core/trace/trace_file.h"

#include "core/door.h"
#include "core/files/json.h"
#include "core/files/safetensors.h"
#include "core/files/whole_file.h"
#include "core/trace/token_texts.h"
#include "core/trace/trace_description.h"
#include "core/trace/trace_tensors.h"

#include <array>
#include <exception>
#include <span>
#include <system_error>
#include <utility>

namespace headlight {

namespace {

constexpr std::size_t mostTokens = 1 << 14; // whose map of one head takes a gigabyte
constexpr std::uintmax_t largestDescription = 64U << 20;

void checkCounts(const Trace& trace, const SafetensorsFile& file) {
    for (const auto* tokens : {&trace.source, &trace.target, &trace.emitted})
        if (tokens->size() > mostTokens)
            throw Error(Error::Kind::Unsupported, file.place(),
                        "names " + std::to_string(tokens->size()) + " tokens; at most " + std::to_string(mostTokens)
                            + " can be shown",
                        "export a shorter text");
    if (trace.emitted.size() != trace.target.size())
        throw Error(Error::Kind::Mismatch, file.place(),
                    "names " + std::to_string(trace.target.size()) + " target tokens, but "
                        + std::to_string(trace.emitted.size()) + " emitted ones",
                    "export the trace again");
}

/// What of trace.json does not fit the file that it lies beside; empty when all does, or it is not there.
std::string noticeOfDescription(const std::filesystem::path& path, const SafetensorsFile& file) {
    const auto beside = path.parent_path() / "trace.json";
    const auto description = file.metadata().find("trace");
    std::error_code ignored;
    if (path.filename() != "trace.safetensors" || description == file.metadata().end()
        || !std::filesystem::is_regular_file(beside, ignored))
        return {};
    try {
        if (readWholeFile(beside, largestDescription) == description->second)
            return {};
    } catch (const Error& error) {
        return error.what();
    }
    const bool older =
        std::filesystem::last_write_time(beside, ignored) < std::filesystem::last_write_time(path, ignored);
    return std::string("trace.json beside this file is of another run, and ") + (older ? "older" : "newer")
           + ": what is shown is this file's";
}

} // namespace

std::vector<std::byte> serializeTrace(const Trace& trace) {
    return serializeSafetensors(tensorsOf(trace), {{"tokens", tokenTextsJson(trace)}, {"trace", traceJson(trace)}});
}

void writeTrace(const Trace& trace, const std::filesystem::path& folder) {
    makeFolders(folder);
    const auto tensors = serializeTrace(trace);
    const auto description = traceJson(trace);
    const std::array<FileToWrite, 2> files{
        {{folder / "trace.safetensors", tensors}, {folder / "trace.json", std::as_bytes(std::span(description))}}};
    writeFilesAtomically(files);
}

bool isTraceFile(const std::filesystem::path& path) {
    std::error_code ignored; // a file that cannot be looked at is opened as what it seems, and that says why
    if (path.extension() != ".safetensors" || !std::filesystem::is_regular_file(path, ignored))
        return false;
    if (!std::filesystem::exists(path.parent_path() / "config.json", ignored))
        return true;
    try {
        const auto file = SafetensorsFile::open(path);
        return file.metadata().contains("trace") || file.metadata().contains("tokens");
    } catch (const std::exception&) { // whoever opens it as what it is will say why
        return false;
    }
}

Trace readTrace(const std::filesystem::path& path) {
    return atDoor(path.string(), [&] {
        const auto file = SafetensorsFile::open(path);
        auto trace = readTrace(file);
        if (auto notice = noticeOfDescription(path, file); !notice.empty())
            trace.notices.push_back(std::move(notice));
        return trace;
    });
}

Trace readTrace(const SafetensorsFile& file) {
    const auto description = file.metadata().find("trace");
    const auto place = file.place() + ", metadata 'trace'";
    auto trace = description == file.metadata().end()
                     ? traceOfTokenTexts(file)
                     : readTraceJson(JsonPart(parseJson(description->second, place), place));
    checkCounts(trace, file);
    readTensors(file, trace);
    return trace;
}

} // namespace headlight
