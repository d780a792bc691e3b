// The checksums by which the hub names bytes.
#pragma once

#include <QByteArray>
#include <QString>

#include <cstddef>
#include <memory>
#include <span>

namespace headlight {

/// What an etag is of: the SHA-256 of the bytes, or git's SHA-1 of them as a blob, which has their number in front.
class Checksum {
public:
    /// True for an etag that bytes can be checked against.
    static bool knows(const QString& etag);
    /// @param etag of the file that will be added @param size of it, in bytes
    Checksum(const QString& etag, qint64 size);
    ~Checksum();
    Checksum(const Checksum&) = delete;
    Checksum& operator=(const Checksum&) = delete;

    void add(std::span<const std::byte> bytes);
    /// As an etag is written. Nothing can be added after it.
    QString result();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace headlight
