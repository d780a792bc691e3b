// Every step leaves a cache that is whole: bytes come under their name when they are safe on the disk, a snapshot's
// config.json, by which it is found, comes after its other files, and the reference after that.
#include "core/files/hub_cache.h"

#include "core/files/hub.h"
#include "core/files/system_calls.h"
#include "core/files/whole_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

namespace headlight {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void failWith(int number, const fs::path& path, const char* what) {
    const bool full = number == ENOSPC || number == EDQUOT;
    throw Error(Error::Kind::Unreadable, path.string(), what + std::generic_category().message(number),
                full ? "make room, or choose a cache on another disk with HF_HUB_CACHE; what is there is kept"
                     : "check its permissions, or choose another cache with HF_HUB_CACHE");
}

[[noreturn]] void failToWrite(int number, const fs::path& path) {
    failWith(number, path, "cannot be written: ");
}

bool isFileOf(const fs::path& path, std::uintmax_t size) {
    std::error_code error;
    return fs::is_regular_file(path, error) && fs::file_size(path, error) == size && !error;
}

std::uintmax_t sizeOf(const fs::path& path) {
    std::error_code error;
    const auto size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
    return error ? 0 : size;
}

/// A name beside another that no other process takes.
fs::path nameBeside(const fs::path& folder, const char* what) {
    return folder / (std::string(".headlight-") + what + '-' + std::to_string(::getpid()));
}

/// What lies below a folder, links not followed; folders after what is in them.
void listBelow(const fs::path& folder, std::vector<fs::path>& found, int depth = 0) {
    constexpr int deepest = 16;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        std::error_code ignored;
        if (entry->is_directory(ignored) && !entry->is_symlink(ignored) && depth < deepest)
            listBelow(entry->path(), found, depth + 1);
        else
            found.push_back(entry->path());
    }
}

std::vector<fs::path> filesBelow(const fs::path& folder) {
    std::vector<fs::path> found;
    listBelow(folder, found);
    return found;
}

/// The blobs of the same repository that a snapshot's links lead to.
std::set<fs::path> blobsOf(const fs::path& repository, const fs::path& snapshot) {
    std::set<fs::path> blobs;
    for (const auto& file : filesBelow(snapshot)) {
        std::error_code error;
        if (!fs::is_symlink(file, error))
            continue;
        const auto target = (file.parent_path() / fs::read_symlink(file, error)).lexically_normal();
        if (!error && target.parent_path() == (repository / "blobs").lexically_normal())
            blobs.insert(target);
    }
    return blobs;
}

std::vector<fs::path> referencesOf(const fs::path& repository) {
    return filesBelow(repository / "refs");
}

std::string contentOf(const fs::path& reference) {
    constexpr std::uintmax_t longest = 256;
    try {
        const auto text = readWholeFile(reference, longest);
        return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
    } catch (const Error&) { // one that cannot be read refers to nothing
        return {};
    }
}

void removePath(const fs::path& path) {
    std::error_code error;
    fs::remove(path, error);
    if (error)
        failWith(error.value(), path, "cannot be removed: ");
}

} // namespace

HubRepository::HubRepository(const fs::path& cache, const std::string& name) {
    std::string folder = "models--";
    for (const char letter : name)
        folder += letter == '/' ? std::string("--") : std::string(1, letter);
    m_folder = cache / folder;
    m_locks = cache / ".locks" / folder;
}

bool HubRepository::hasBlob(const std::string& etag, std::uintmax_t size) const {
    return isFileOf(blob(etag), size);
}

bool HubRepository::hasFile(const std::string& commit, const std::string& file, std::uintmax_t size) const {
    return isFileOf(snapshot(commit) / file, size);
}

std::uintmax_t HubRepository::partBytes(const std::string& etag) const {
    return sizeOf(part(etag));
}

std::optional<std::string> HubRepository::commitOf(const std::string& revision) const {
    auto commit = contentOf(m_folder / "refs" / revision);
    return commit.empty() || fs::path(commit) != fs::path(commit).filename() || commit == "." || commit == ".."
               ? std::nullopt
               : std::optional(std::move(commit));
}

void HubRepository::putFile(const std::string& commit, const std::string& file, const std::string& etag) const {
    const auto target = snapshot(commit) / file;
    const auto bytes = blob(etag);
    const auto size = sizeOf(bytes);
    std::error_code error;
    if (!fs::exists(bytes, error))
        return; // it was moved into the snapshot
    const auto folder = target.parent_path();
    makeFolders(folder);
    if (fs::is_symlink(target, error) && fs::equivalent(target, bytes, error))
        return;
    const auto beside = nameBeside(m_folder, "link");
    ::unlink(beside.c_str());
    const auto relative = bytes.lexically_relative(folder);
    if (systemCalls().link(relative.c_str(), beside.c_str()) == 0) {
        // A link beside it that leads to nothing is as good as one in its place.
        if (systemCalls().rename(beside.c_str(), target.c_str()) == 0)
            return;
        const int number = errno;
        ::unlink(beside.c_str());
        failToWrite(number, target);
    }
    const int number = errno;
    if (number == ENOSPC || number == EDQUOT || number == EROFS)
        failToWrite(number, target);
    if (!isFileOf(target, size) && systemCalls().rename(bytes.c_str(), target.c_str()) != 0)
        failToWrite(errno, target);
}

void HubRepository::putReference(const std::string& revision, const std::string& commit) const {
    const auto file = m_folder / "refs" / revision;
    if (contentOf(file) == commit)
        return;
    makeFolders(file.parent_path());
    // Not beside it: whatever lies in refs is a reference.
    const auto beside = nameBeside(m_folder, "ref");
    writeFileAtomically(beside, std::as_bytes(std::span(commit)));
    if (systemCalls().rename(beside.c_str(), file.c_str()) != 0) {
        const int number = errno;
        ::unlink(beside.c_str());
        failToWrite(number, file);
    }
}

std::optional<BlobLock> BlobLock::attempt(const HubRepository& repository, const std::string& etag) {
    const auto file = repository.lock(etag);
    makeFolders(file.parent_path());
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0)
        failToWrite(errno, file);
    BlobLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK || errno == EINTR)
            return std::nullopt;
        return lock;
    }
    struct stat locked {};
    struct stat named {};
    // Who held it before may have removed the file, and the next one would lock another.
    if (::fstat(descriptor, &locked) != 0 || ::stat(file.c_str(), &named) != 0 || locked.st_ino != named.st_ino)
        return std::nullopt;
    return lock;
}

BlobLock::BlobLock(BlobLock&& other) noexcept : m_descriptor(std::exchange(other.m_descriptor, -1)) {}

BlobLock& BlobLock::operator=(BlobLock&& other) noexcept {
    std::swap(m_descriptor, other.m_descriptor);
    return *this;
}

BlobLock::~BlobLock() {
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

PartFile::PartFile(const HubRepository& repository, const std::string& etag)
    : m_blob(repository.blob(etag)), m_path(repository.part(etag)) {
    makeFolders(m_path.parent_path());
    m_descriptor = systemCalls().open(m_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    struct stat status {};
    if (m_descriptor < 0 || ::fstat(m_descriptor, &status) != 0) {
        const int number = errno;
        if (m_descriptor >= 0)
            systemCalls().close(m_descriptor);
        failToWrite(number, m_path);
    }
    m_size = static_cast<std::uintmax_t>(status.st_size);
}

PartFile::~PartFile() {
    if (m_descriptor >= 0)
        systemCalls().close(m_descriptor);
}

void PartFile::fail() const {
    failToWrite(errno, m_path);
}

std::size_t PartFile::read(std::uintmax_t begin, std::span<std::byte> bytes) const {
    ssize_t count = -1;
    do
        count = ::pread(m_descriptor, bytes.data(), bytes.size(), static_cast<off_t>(begin));
    while (count < 0 && errno == EINTR);
    if (count < 0)
        failWith(errno, m_path, "cannot be read: ");
    return static_cast<std::size_t>(count);
}

void PartFile::append(std::span<const std::byte> bytes) {
    if (::lseek(m_descriptor, static_cast<off_t>(m_size), SEEK_SET) < 0)
        fail();
    while (!bytes.empty()) {
        const auto written = systemCalls().write(m_descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            fail();
        m_size += static_cast<std::uintmax_t>(written);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void PartFile::clear() {
    if (::ftruncate(m_descriptor, 0) != 0)
        fail();
    m_size = 0;
}

void PartFile::discard() {
    clear();
    ::unlink(m_path.c_str());
}

void PartFile::publish() {
    if (systemCalls().sync(m_descriptor) != 0)
        fail();
    if (systemCalls().close(std::exchange(m_descriptor, -1)) != 0 && errno != EINTR)
        fail();
    if (systemCalls().rename(m_path.c_str(), m_blob.c_str()) != 0)
        fail();
}

std::optional<std::uintmax_t> freeSpace(const fs::path& folder) {
    std::error_code error;
    auto there = fs::absolute(folder, error);
    while (!fs::exists(there, error) && there.has_relative_path())
        there = there.parent_path();
    const auto bytes = systemCalls().freeBytes(there.c_str());
    return bytes < 0 ? std::nullopt : std::optional(static_cast<std::uintmax_t>(bytes));
}

std::vector<HubRevision> hubRevisions(const fs::path& cache) {
    std::vector<HubRevision> revisions;
    for (const auto& repository : hubRepositories(cache)) {
        const auto name = modelName(repository / "snapshots" / "any");
        std::vector<std::pair<std::string, std::string>> references;
        for (const auto& file : referencesOf(repository))
            references.emplace_back(contentOf(file), file.lexically_relative(repository / "refs").string());
        std::sort(references.begin(), references.end());
        const auto before = revisions.size();
        std::error_code error;
        for (auto entry = fs::directory_iterator(repository / "snapshots", error);
             !error && entry != fs::directory_iterator(); entry.increment(error)) {
            HubRevision revision{.name = name,
                                 .commit = entry->path().filename().string(),
                                 .references = {},
                                 .folder = entry->path(),
                                 .bytes = 0,
                                 .complete = isWholeModel(entry->path())};
            for (const auto& [commit, reference] : references)
                if (commit == revision.commit)
                    revision.references.push_back(reference);
            for (const auto& file : filesBelow(entry->path()))
                revision.bytes += sizeOf(file);
            revisions.push_back(std::move(revision));
        }
        if (revisions.size() == before) {
            HubRevision parts{.name = name, .commit = {}, .references = {}, .folder = repository};
            for (const auto& file : filesBelow(repository / "blobs"))
                parts.bytes += sizeOf(file);
            revisions.push_back(std::move(parts));
        }
    }
    std::sort(revisions.begin(), revisions.end(), [](const HubRevision& left, const HubRevision& right) {
        return std::tie(left.name, left.commit) < std::tie(right.name, right.commit);
    });
    return revisions;
}

std::uintmax_t removeRevision(const fs::path& cache, const HubRevision& revision) {
    const HubRepository repository(cache, revision.name);
    const auto& folder = repository.folder();
    const auto snapshots = folder / "snapshots";
    std::set<fs::path> needed;
    bool last = true;
    std::error_code error;
    for (auto entry = fs::directory_iterator(snapshots, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        if (entry->path().filename() == revision.commit)
            continue;
        last = false;
        needed.merge(blobsOf(folder, entry->path()));
    }
    std::set<fs::path> unneeded;
    if (last) {
        for (const auto& file : filesBelow(folder / "blobs"))
            unneeded.insert(file);
    } else {
        const auto blobs = blobsOf(folder, snapshots / revision.commit);
        std::set_difference(blobs.begin(), blobs.end(), needed.begin(), needed.end(),
                            std::inserter(unneeded, unneeded.end()));
    }
    std::vector<BlobLock> locks;
    for (const auto& blob : unneeded) {
        auto etag = blob.filename().string();
        etag = etag.substr(0, etag.find('.'));
        std::error_code ignored;
        if (!fs::exists(repository.lock(etag), ignored))
            continue;
        auto lock = BlobLock::attempt(repository, etag);
        if (!lock)
            throw Error(Error::Kind::Invalid, revision.name, "is being fetched", "stop that, or wait until it is done");
        locks.push_back(std::move(*lock));
    }
    std::uintmax_t freed = 0;
    if (!revision.commit.empty()) {
        for (const auto& reference : referencesOf(folder))
            if (contentOf(reference) == revision.commit)
                removePath(reference);
        for (const auto& file : filesBelow(snapshots / revision.commit)) {
            freed += fs::is_symlink(file, error) ? 0 : sizeOf(file);
            removePath(file);
        }
        fs::remove_all(snapshots / revision.commit, error);
    }
    for (const auto& blob : unneeded) {
        freed += sizeOf(blob);
        removePath(blob);
    }
    if (last) {
        fs::remove_all(folder, error);
        fs::remove_all(repository.lock("").parent_path(), error);
    }
    return freed;
}

} // namespace headlight
