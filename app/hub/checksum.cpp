// By OpenSSL, which Qt's TLS needs anyway: Qt's own SHA-256 is slower than a fast network by far.
#include "app/hub/checksum.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <new>

namespace headlight {

namespace {

constexpr qsizetype sha256Letters = 64;
constexpr qsizetype sha1Letters = 40;

struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

} // namespace

struct Checksum::State {
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

bool Checksum::knows(const QString& etag) {
    return (etag.size() == sha256Letters || etag.size() == sha1Letters)
           && std::all_of(etag.begin(), etag.end(),
                          [](QChar letter) { return QStringLiteral("0123456789abcdef").contains(letter); });
}

Checksum::Checksum(const QString& etag, qint64 size) : m_state(std::make_unique<State>()) {
    const bool ofGit = etag.size() == sha1Letters;
    if (!m_state->context || EVP_DigestInit_ex(m_state->context.get(), ofGit ? EVP_sha1() : EVP_sha256(), nullptr) != 1)
        throw std::bad_alloc();
    if (ofGit) {
        const auto head = "blob " + QByteArray::number(size) + '\0';
        add(std::as_bytes(std::span(head.constData(), static_cast<std::size_t>(head.size()))));
    }
}

Checksum::~Checksum() = default;

void Checksum::add(std::span<const std::byte> bytes) {
    EVP_DigestUpdate(m_state->context.get(), bytes.data(), bytes.size());
}

QString Checksum::result() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(m_state->context.get(), digest.data(), &length);
    return QString::fromLatin1(
        QByteArray(reinterpret_cast<const char*>(digest.data()), static_cast<qsizetype>(length)).toHex());
}

} // namespace headlight
