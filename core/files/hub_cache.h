// Writes the hub's cache as huggingface_hub does, so that each of the two finds what the other fetched: bytes under the
// name of their checksum, snapshots that are links to them, references last of all, an flock while bytes are written.
#pragma once

#include "core/error.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace headlight {

/// One model's folder in a cache. Nothing is made before it is asked for.
class HubRepository {
public:
    /// @param name `org/name` or `name`, of letters that a file's name may have
    HubRepository(const std::filesystem::path& cache, const std::string& name);

    const std::filesystem::path& folder() const { return m_folder; }
    std::filesystem::path blob(const std::string& etag) const { return m_folder / "blobs" / etag; }
    /// What there is of a blob so far.
    std::filesystem::path part(const std::string& etag) const { return m_folder / "blobs" / (etag + ".incomplete"); }
    std::filesystem::path snapshot(const std::string& commit) const { return m_folder / "snapshots" / commit; }
    /// The file that is locked while a blob is written.
    std::filesystem::path lock(const std::string& etag) const { return m_locks / (etag + ".lock"); }

    /// True when the bytes are there, and as many as there should be.
    bool hasBlob(const std::string& etag, std::uintmax_t size) const;
    bool hasFile(const std::string& commit, const std::string& file, std::uintmax_t size) const;
    std::uintmax_t partBytes(const std::string& etag) const;
    /// What refs says of a branch or tag.
    std::optional<std::string> commitOf(const std::string& revision) const;

    /// Puts a blob into a snapshot under its name: as a link, or where links cannot be had, by moving it there.
    /// @throws Error
    void putFile(const std::string& commit, const std::string& file, const std::string& etag) const;
    /// @throws Error
    void putReference(const std::string& revision, const std::string& commit) const;

private:
    std::filesystem::path m_folder;
    std::filesystem::path m_locks;
};

/// Keeps other programs from writing the same blob while it lives.
class BlobLock {
public:
    /// Nothing when another program has it. Where the file system knows no locks there is none to wait for.
    /// @throws Error when the cache cannot be written to
    static std::optional<BlobLock> attempt(const HubRepository& repository, const std::string& etag);

    BlobLock(BlobLock&& other) noexcept;
    BlobLock& operator=(BlobLock&& other) noexcept;
    ~BlobLock();

private:
    explicit BlobLock(int descriptor) : m_descriptor(descriptor) {}
    int m_descriptor;
};

/// A blob that is being written. What is there stays when the program ends, however it ends.
class PartFile {
public:
    /// @throws Error, as all of it does when the disk is full or broken
    PartFile(const HubRepository& repository, const std::string& etag);
    ~PartFile();
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;

    std::uintmax_t size() const { return m_size; }
    /// Reads from `begin` on; returns how many bytes there were.
    std::size_t read(std::uintmax_t begin, std::span<std::byte> bytes) const;
    void append(std::span<const std::byte> bytes);
    void clear();
    /// Removes what is there.
    void discard();
    /// Safe on the disk, then a blob.
    void publish();

private:
    [[noreturn]] void fail() const;

    std::filesystem::path m_blob;
    std::filesystem::path m_path;
    int m_descriptor = -1;
    std::uintmax_t m_size = 0;
};

/// Bytes that may be written below a folder, which need not be there yet; empty where the system does not say.
std::optional<std::uintmax_t> freeSpace(const std::filesystem::path& folder);

/// One revision of a model in a cache, or what there is of one that was never fetched to its end.
struct HubRevision {
    std::string name;                    ///< `org/name`
    std::string commit;                  ///< empty: parts alone
    std::vector<std::string> references; ///< branches and tags that mean it
    std::filesystem::path folder;        ///< its snapshot; without one, the model's folder
    std::uintmax_t bytes = 0;            ///< of its files
    bool complete = false;               ///< it can be opened: a configuration, and weights in one of their forms
};

/// What a cache holds, by name, for whoever wants to know where the disk's room went.
std::vector<HubRevision> hubRevisions(const std::filesystem::path& cache);
/// Removes a revision: what refers to it and the blobs that no other one needs; with the last revision the model's
/// folder.
/// @returns the bytes that are free now
/// @throws Error when it is being fetched, or cannot be removed
std::uintmax_t removeRevision(const std::filesystem::path& cache, const HubRevision& revision);

} // namespace headlight
