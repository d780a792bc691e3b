// Reads the layout that huggingface_hub gives its cache: models--ORG--NAME/{refs/main, snapshots/REVISION/, blobs/},
// where a snapshot's files are links to blobs. Nothing here follows folders downwards, so links may go in circles.
#include "core/files/hub.h"

#include "core/files/model_config.h"
#include "core/files/whole_file.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>

namespace headlight {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view repositoryPrefix = "models--";
constexpr std::uintmax_t largestIndex = 64U << 20;
constexpr auto chooseAnother = "choose the folder that holds config.json and the weights";

bool isFolder(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

bool hasConfig(const fs::path& folder) {
    std::error_code ignored;
    return fs::is_regular_file(folder / "config.json", ignored);
}

bool isRepository(const fs::path& folder) {
    return folder.filename().string().starts_with(repositoryPrefix);
}

/// What lies directly in a folder; nothing when it cannot be read.
std::vector<fs::path> contentsOf(const fs::path& folder) {
    std::vector<fs::path> contents;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error))
        contents.push_back(entry->path());
    return contents;
}

/// The revision that refs/main names, when it is there.
std::optional<fs::path> mainSnapshot(const fs::path& repository) {
    constexpr std::uintmax_t longestRevision = 256;
    try {
        const auto text = readWholeFile(repository / "refs" / "main", longestRevision);
        const fs::path revision = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
        // A revision is a name, and must not lead out of the snapshots.
        if (revision.empty() || revision != revision.filename() || revision == "." || revision == "..")
            return {};
        const auto snapshot = repository / "snapshots" / revision;
        return hasConfig(snapshot) ? std::optional(snapshot) : std::nullopt;
    } catch (const Error&) { // a cache without refs is fine: the newest snapshot is as good
        return {};
    }
}

std::optional<fs::path> snapshotOf(const fs::path& repository) {
    if (const auto snapshot = mainSnapshot(repository))
        return snapshot;
    std::optional<fs::path> newest;
    fs::file_time_type newestTime;
    for (const auto& snapshot : contentsOf(repository / "snapshots")) {
        std::error_code error;
        const auto time = fs::last_write_time(snapshot, error);
        if (!error && hasConfig(snapshot) && (!newest || time > newestTime)) {
            newest = snapshot;
            newestTime = time;
        }
    }
    return newest;
}

/// `models--org--name` becomes `org/name`.
std::string repositoryName(const fs::path& repository) {
    const auto name = repository.filename().string().substr(repositoryPrefix.size());
    const auto separator = name.find("--");
    return separator == std::string::npos ? name : name.substr(0, separator) + '/' + name.substr(separator + 2);
}

std::uintmax_t bytesIn(const fs::path& folder) {
    std::uintmax_t bytes = 0;
    for (const auto& file : contentsOf(folder)) {
        std::error_code error;
        const auto size = fs::is_regular_file(file, error) ? fs::file_size(file, error) : 0;
        bytes += error ? 0 : size;
    }
    return bytes;
}

/// The value of an environment variable as a path, with ~ for the home folder; empty when it is not set.
fs::path fromEnvironment(const char* name) {
    const char* value = std::getenv(name);
    if (!value || !*value)
        return {};
    const std::string_view text = value;
    const char* home = std::getenv("HOME");
    if (home && (text == "~" || text.starts_with("~/")))
        return fs::path(home) / text.substr(std::min<std::size_t>(2, text.size()));
    return text;
}

} // namespace

fs::path modelFolder(const fs::path& chosen) {
    const auto fail = [&](Error::Kind kind, const std::string& detail, const char* remedy) {
        return Error(kind, chosen.string(), detail, remedy);
    };
    std::error_code error;
    const auto type = fs::status(chosen, error).type();
    if (type == fs::file_type::not_found)
        throw fail(Error::Kind::NotFound, "there is no such file or folder", chooseAnother);
    if (error)
        throw fail(Error::Kind::Unreadable, error.message(), chooseAnother);
    // Its name is looked at, which "." and a slash at the end hide.
    auto folder = fs::absolute(chosen, error).lexically_normal();
    if (!folder.has_filename())
        folder = folder.parent_path();
    if (type != fs::file_type::directory) {
        folder = folder.parent_path();
        if (!hasConfig(folder))
            throw fail(Error::Kind::Invalid, "this is not a file of a model: there is no config.json beside it",
                       chooseAnother);
        return folder;
    }
    if (hasConfig(folder))
        return folder;
    if (folder.filename() == "snapshots")
        folder = folder.parent_path();
    if (isFolder(folder / "snapshots")) {
        if (const auto snapshot = snapshotOf(folder))
            return *snapshot;
        throw fail(Error::Kind::NotFound, "no snapshot of this model has a config.json", "download the model again");
    }
    const auto contents = contentsOf(folder);
    const auto models = std::count_if(contents.begin(), contents.end(), isRepository);
    if (models > 0)
        throw fail(Error::Kind::Invalid,
                   "this is a cache with " + std::to_string(models) + (models == 1 ? " model" : " models"),
                   "choose one of its folders");
    return folder;
}

bool isWholeModel(const fs::path& folder) {
    if (!hasConfig(folder))
        return false;
    std::error_code ignored;
    const auto has = [&](const std::string& name) { return fs::is_regular_file(folder / name, ignored); };
    for (const char* name : {"model.safetensors", "pytorch_model.bin"}) {
        if (has(name))
            return true;
        const auto index = folder / (std::string(name) + ".index.json");
        if (!has(index.filename().string()))
            continue;
        try {
            const auto shards = shardsOf(readWholeFile(index, largestIndex), index.string());
            if (std::all_of(shards.begin(), shards.end(), has))
                return true;
        } catch (const Error&) { // whoever opens it is told what is wrong with it
            return true;
        }
    }
    return false;
}

std::vector<std::string> shardsOf(std::string_view index, const std::string& place) {
    const auto map = JsonPart(parseJson(index, place), place).at("weight_map");
    map.requireObject();
    std::set<std::string> shards;
    for (const auto& entry : map.value())
        if (entry.is_string())
            shards.insert(entry.get<std::string>());
    return {shards.begin(), shards.end()};
}

std::string modelName(const fs::path& folder) {
    const auto repository = folder.parent_path().parent_path();
    if (folder.parent_path().filename() == "snapshots" && isRepository(repository))
        return repositoryName(repository);
    return folder.filename().string();
}

fs::path hubCache() {
    for (const char* variable : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
        if (const auto cache = fromEnvironment(variable); !cache.empty())
            return cache;
    }
    if (const auto home = fromEnvironment("HF_HOME"); !home.empty())
        return home / "hub";
    if (const auto caches = fromEnvironment("XDG_CACHE_HOME"); !caches.empty())
        return caches / "huggingface" / "hub";
    return fromEnvironment("HOME") / ".cache" / "huggingface" / "hub";
}

std::vector<fs::path> hubRepositories(const fs::path& cache) {
    auto contents = contentsOf(cache);
    std::erase_if(contents, [](const fs::path& folder) { return !isRepository(folder); });
    return contents;
}

std::vector<HubModel> hubModels(const fs::path& cache) {
    std::vector<HubModel> models;
    for (const auto& repository : hubRepositories(cache)) {
        try {
            const auto snapshot = snapshotOf(repository);
            if (!snapshot)
                continue;
            const auto blobs = repository / "blobs";
            models.push_back({.name = repositoryName(repository),
                              .folder = *snapshot,
                              .modelType = ModelConfig::open(*snapshot).modelType(),
                              .bytes = bytesIn(isFolder(blobs) ? blobs : *snapshot),
                              .whole = isWholeModel(*snapshot)});
        } catch (const std::exception&) { // a listing leaves out what is broken; opening it says why
        }
    }
    std::sort(models.begin(), models.end(),
              [](const HubModel& left, const HubModel& right) { return left.name < right.name; });
    return models;
}

} // namespace headlight
