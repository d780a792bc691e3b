// One door for files, so that each is checked in the same way before its bytes take memory, and written in the same
// way whatever it holds.
#include "core/files/whole_file.h"

#include "core/error.h"
#include "core/files/system_calls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace headlight {

namespace {

constexpr std::size_t chunkBytes = 256U << 10;
const auto pageBytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));

std::string systemReason(int number) {
    return std::generic_category().message(number);
}

/// A call that a signal may interrupt, until it is done.
template <class Call>
auto uninterrupted(const Call& call) {
    auto result = call();
    while (result < 0 && errno == EINTR)
        result = call();
    return result;
}

/// An open file that closes itself.
class Descriptor {
public:
    Descriptor(const std::filesystem::path& file, int flags, mode_t mode = 0)
        : m_number(uninterrupted([&] { return systemCalls().open(file.c_str(), flags | O_CLOEXEC, mode); })) {}
    ~Descriptor() {
        if (m_number >= 0)
            systemCalls().close(m_number);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int number() const { return m_number; }
    /// Up to `count` bytes; 0 at the end of the file, negative when they cannot be read.
    ssize_t read(void* bytes, std::size_t count) const {
        return uninterrupted([&] { return systemCalls().read(m_number, bytes, count); });
    }
    /// False when not all could be written, with the reason in errno.
    bool write(std::span<const std::byte> bytes) const {
        while (!bytes.empty()) {
            const auto written =
                uninterrupted([&] { return systemCalls().write(m_number, bytes.data(), bytes.size()); });
            if (written < 0)
                return false;
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        return true;
    }
    bool sync() const {
        return uninterrupted([&] { return systemCalls().sync(m_number); }) == 0;
    }
    /// Closes now and says whether that went well: a full disk may show only here.
    bool close() { return systemCalls().close(std::exchange(m_number, -1)) == 0 || errno == EINTR; }

private:
    int m_number;
};

// ---- reading ----

class FileToRead {
public:
    /// @throws Error when there is none
    explicit FileToRead(const std::filesystem::path& file)
        : m_path(file), m_input(file, O_RDONLY | O_NONBLOCK) { // a named pipe would be waited for
        struct stat status {};
        if (m_input.number() < 0 || ::fstat(m_input.number(), &status) != 0)
            fail();
        if (!S_ISREG(status.st_mode))
            throw Error(Error::Kind::Unreadable, file.string(),
                        S_ISDIR(status.st_mode) ? "this is a folder, not a file" : "this is not a regular file");
        m_size = static_cast<std::uintmax_t>(status.st_size);
    }

    int number() const { return m_input.number(); }
    /// As it was when it was opened.
    std::uintmax_t size() const { return m_size; }
    /// Goes through all of the bytes, of which `take` gets one chunk after another.
    template <class Take>
    void read(const Take& take) const {
        std::vector<char> chunk(chunkBytes);
        while (const auto count = m_input.read(chunk.data(), chunk.size())) {
            if (count < 0)
                fail();
            take(std::string_view(chunk.data(), static_cast<std::size_t>(count)));
        }
    }
    /// With the reason that is in errno.
    [[noreturn]] void fail() const {
        const int number = errno;
        if (number == ENOENT || number == ENOTDIR)
            throw Error(Error::Kind::NotFound, m_path.string(), "there is no such file");
        throw Error(Error::Kind::Unreadable, m_path.string(), "cannot be read: " + systemReason(number),
                    number == EACCES ? "check its permissions" : "");
    }

private:
    std::filesystem::path m_path;
    Descriptor m_input;
    std::uintmax_t m_size = 0;
};

// ---- what is mapped ----

/// Where a map lies. The system ends a program that looks at a page which the file has no longer, or which the disk
/// does not give; between begin and end there are zeros instead, and the map is torn. Places are used again, never
/// freed: the signal may come at any time.
struct WatchedPlace {
    std::atomic<std::uintptr_t> begin = 0, end = 0; ///< free where it ends at 0
    std::atomic<bool> torn = false;
    std::filesystem::path file;
    WatchedPlace* next = nullptr;

    static inline std::atomic<WatchedPlace*> first = nullptr;

    static WatchedPlace* around(const void* address) {
        const auto wanted = reinterpret_cast<std::uintptr_t>(address);
        for (auto* place = first.load(); place; place = place->next)
            if (place->begin <= wanted && wanted < place->end)
                return place;
        return nullptr;
    }
    /// A free one.
    static WatchedPlace& take(std::uintptr_t begin, std::uintptr_t end, const std::filesystem::path& file) {
        static std::mutex taking;
        const std::lock_guard guard(taking);
        watchOnce();
        auto* place = first.load();
        while (place && place->end != 0)
            place = place->next;
        const bool isNew = place == nullptr;
        if (isNew)
            place = new WatchedPlace;
        place->file = file;
        place->torn = false;
        place->begin = begin;
        place->end = end; // from here on it is found
        if (isNew) {
            place->next = first;
            first = place;
        }
        return *place;
    }

private:
    static void watchOnce() {
        static const bool watched [[maybe_unused]] = [] {
            struct sigaction action {};
            action.sa_sigaction = putZeros;
            action.sa_flags = SA_SIGINFO;
            return ::sigaction(SIGBUS, &action, &before) == 0;
        }();
    }
    static void putZeros(int, siginfo_t* info, void*) {
        auto* const place = around(info->si_addr);
        const auto at = reinterpret_cast<std::uintptr_t>(info->si_addr) / pageBytes * pageBytes;
        if (place
            && ::mmap(reinterpret_cast<void*>(at), pageBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
                   != MAP_FAILED)
            place->torn = true;
        else
            ::sigaction(SIGBUS, &before, nullptr); // another's: it comes again, and ends as it would have
    }

    static inline struct sigaction before {};
};

class Map {
public:
    Map(void* memory, std::size_t size, const std::filesystem::path& file)
        : m_bytes(static_cast<const std::byte*>(memory), size),
          m_place(WatchedPlace::take(reinterpret_cast<std::uintptr_t>(memory),
                                     reinterpret_cast<std::uintptr_t>(memory) + size, file)) {}
    ~Map() {
        m_place.end = 0;
        ::munmap(const_cast<std::byte*>(m_bytes.data()), m_bytes.size());
    }
    Map(const Map&) = delete;
    Map& operator=(const Map&) = delete;

    std::span<const std::byte> bytes() const { return m_bytes; }

private:
    const std::span<const std::byte> m_bytes;
    WatchedPlace& m_place;
};

// ---- writing ----

[[noreturn]] void failToWrite(const std::filesystem::path& file, int number) {
    throw Error(Error::Kind::Unreadable, file.string(), "cannot be written: " + systemReason(number),
                "choose another folder, or make room");
}

constexpr std::string_view leftoverBegin = ".headlight-";
constexpr std::string_view leftoverEnd = ".part";

/// A name in a folder that no other file of this program has, with the number of the process that writes it.
std::filesystem::path nameBeside(const std::filesystem::path& file) {
    static std::atomic<unsigned> count = 0;
    std::string name(leftoverBegin);
    name += std::to_string(::getpid()) + "-" + std::to_string(++count);
    return file.parent_path() / name.append(leftoverEnd);
}

/// The process that such a name tells of.
std::optional<pid_t> writerOf(std::string_view name) {
    if (!name.starts_with(leftoverBegin) || !name.ends_with(leftoverEnd))
        return std::nullopt;
    name.remove_prefix(leftoverBegin.size());
    pid_t process = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), process);
    return problem == std::errc{} && process > 0 && *end == '-' ? std::optional(process) : std::nullopt;
}

/// What processes that are no more left half written. That it stays where it cannot be removed harms nobody.
void removeLeftovers(const std::filesystem::path& folder) {
    std::error_code ignored;
    for (auto entry = std::filesystem::directory_iterator(folder.empty() ? "." : folder, ignored);
         !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
        const auto writer = writerOf(entry->path().filename().string());
        if (writer && ::kill(*writer, 0) != 0 && errno == ESRCH)
            ::unlink(entry->path().c_str());
    }
}

/// The file that a link leads to, there or not yet; anything else as it is.
std::filesystem::path behindLinks(const std::filesystem::path& file) {
    constexpr int mostLinks = 40;
    auto found = file;
    std::error_code problem;
    for (int i = 0; i < mostLinks && std::filesystem::is_symlink(found, problem); ++i) {
        const auto next = std::filesystem::read_symlink(found, problem);
        if (problem)
            return file;
        found = found.parent_path() / next; // which an absolute one replaces
    }
    return found;
}

/// While it lives, writing to a pipe that nobody reads any more fails, instead of ending the program.
class BrokenPipeIsAnError {
public:
    BrokenPipeIsAnError() {
        ::sigemptyset(&m_brokenPipe);
        ::sigaddset(&m_brokenPipe, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &m_brokenPipe, &m_before);
    }
    ~BrokenPipeIsAnError() {
        const timespec now{};
        ::sigtimedwait(&m_brokenPipe, nullptr, &now);
        ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
    }
    BrokenPipeIsAnError(const BrokenPipeIsAnError&) = delete;
    BrokenPipeIsAnError& operator=(const BrokenPipeIsAnError&) = delete;

private:
    sigset_t m_brokenPipe{};
    sigset_t m_before{};
};

/// The bytes of a file to be, in a file beside it. What is not put in place is removed.
class StagedFile {
public:
    explicit StagedFile(const FileToWrite& file) : m_file(file) {
        struct stat status {};
        const bool exists = ::stat(file.path.c_str(), &status) == 0;
        if (!exists && errno != ENOENT)
            failToWrite(file.path, errno);
        if (exists && S_ISDIR(status.st_mode))
            failToWrite(file.path, EISDIR); // which would show only when other files are in place already
        m_target = behindLinks(file.path);
        struct stat target {};
        if (exists
            && (!S_ISREG(status.st_mode) || ::stat(m_target.c_str(), &target) != 0 || target.st_ino != status.st_ino
                || target.st_dev != status.st_dev))
            return; // written to where it is
        if (exists && ::access(m_target.c_str(), W_OK) != 0)
            failToWrite(file.path, errno);
        removeLeftovers(m_target.parent_path());
        const auto beside = nameBeside(m_target);
        Descriptor output(beside, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (output.number() < 0)
            failToWrite(file.path, errno);
        if (exists)
            ::fchmod(output.number(), status.st_mode & 07777U); // else it has the umask's
        if (!output.write(file.bytes) || !output.sync() || !output.close()) {
            const int number = errno;
            ::unlink(beside.c_str());
            failToWrite(file.path, number);
        }
        m_beside = beside;
    }
    ~StagedFile() {
        if (!m_beside.empty())
            ::unlink(m_beside.c_str());
    }
    StagedFile(const StagedFile&) = delete;
    StagedFile& operator=(const StagedFile&) = delete;

    void putInPlace() {
        if (m_beside.empty())
            return writeThrough();
        if (uninterrupted([&] { return systemCalls().rename(m_beside.c_str(), m_target.c_str()); }) != 0)
            failToWrite(m_file.path, errno);
        m_beside.clear();
    }

private:
    /// To a device or a pipe, which has no content that could be kept.
    void writeThrough() const {
        // Not blocking, because opening a named pipe would otherwise wait for its reader.
        Descriptor output(m_file.path, O_WRONLY | O_NONBLOCK | O_NOCTTY);
        if (output.number() < 0 || ::fcntl(output.number(), F_SETFL, O_WRONLY) != 0)
            failToWrite(m_file.path, errno);
        const BrokenPipeIsAnError guard;
        if (!output.write(m_file.bytes) || !output.close())
            failToWrite(m_file.path, errno);
    }

    const FileToWrite m_file;
    std::filesystem::path m_target;
    std::filesystem::path m_beside; ///< empty when there is nothing to put in place
};

} // namespace

SystemCalls& systemCalls() {
    static SystemCalls calls{
        .open = [](const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); },
        .read = ::read,
        .write = ::write,
        .sync = ::fsync,
        .close = ::close,
        .rename = [](const char* from, const char* to) { return ::rename(from, to); },
        .map = [](std::size_t length,
                  int descriptor) { return ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE, descriptor, 0); },
        .link = [](const char* target, const char* link) { return ::symlink(target, link); },
        .freeBytes = [](const char* folder) -> std::int64_t {
            struct statvfs status {};
            return ::statvfs(folder, &status) == 0
                       ? static_cast<std::int64_t>(status.f_bavail) * static_cast<std::int64_t>(status.f_frsize)
                       : -1;
        },
    };
    return calls;
}

std::string readWholeFile(const std::filesystem::path& path, std::uintmax_t mostBytes) {
    const FileToRead file(path);
    const auto checkSize = [&](std::uintmax_t size) {
        if (size > mostBytes)
            throw Error(Error::Kind::Unsupported, path.string(),
                        "the file has " + std::to_string(size) + " bytes; at most " + std::to_string(mostBytes)
                            + " are read from a file of this kind");
    };
    checkSize(file.size());
    std::string bytes;
    bytes.reserve(file.size());
    file.read([&](std::string_view chunk) {
        checkSize(bytes.size() + chunk.size()); // it grows, or is one that the system makes up
        bytes += chunk;
    });
    if (bytes.size() < file.size())
        throw Error(Error::Kind::Unreadable, path.string(),
                    "has " + std::to_string(bytes.size()) + " bytes and not the " + std::to_string(file.size())
                        + " that it had a moment ago",
                    "wait until it is written");
    if (bytes.starts_with("version https://git-lfs.github.com/spec/"))
        throw Error(Error::Kind::Corrupt, path.string(), "this is a Git LFS pointer, not the file itself",
                    "run `git lfs pull` in its folder");
    return bytes;
}

MappedFile mapWholeFile(const std::filesystem::path& path) {
    const FileToRead file(path);
    const auto size = static_cast<std::size_t>(file.size());
    if (size == 0)
        return {};
    void* const memory = systemCalls().map(size, file.number());
    if (memory == MAP_FAILED)
        file.fail();
    const auto map = std::make_shared<const Map>(memory, size, path);
    return {map, map->bytes()};
}

void requireRead(std::span<const std::byte> bytes) {
    if (const auto* place = WatchedPlace::around(bytes.data()); place && place->torn)
        throw Error(Error::Kind::Unreadable, place->file.string(), "changed or could not be read while it was open",
                    "wait until it is written, or fetch it again");
}

void letGo(std::span<const std::byte> bytes) {
    if (!WatchedPlace::around(bytes.data()))
        return;
    const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
    const auto first = (begin + pageBytes - 1) / pageBytes * pageBytes;
    const auto last = (begin + bytes.size()) / pageBytes * pageBytes;
    if (first < last) // pages that hold others' bytes stay
        ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

void makeFolders(const std::filesystem::path& folder) {
    std::error_code problem;
    std::filesystem::create_directories(folder, problem);
    if (problem)
        throw Error(Error::Kind::Unreadable, folder.string(), "the folder cannot be made: " + problem.message(),
                    "choose another folder");
}

void writeFilesAtomically(std::span<const FileToWrite> files) {
    std::deque<StagedFile> staged;
    for (const auto& file : files)
        staged.emplace_back(file);
    for (auto& file : staged)
        file.putInPlace();
}

void writeFileAtomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    const FileToWrite file{path, bytes};
    writeFilesAtomically({&file, 1});
}

} // namespace headlight
