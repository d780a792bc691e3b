#include "app/hub/download.h"

#include "core/error.h"

#include <chrono>
#include <utility>
#include <vector>

namespace headlight {

namespace {

using namespace std::chrono_literals;
using Kind = HubProblem::Kind;

constexpr auto untilLockIsTriedAgain = 200ms;
constexpr std::size_t bytesReadAtOnce = 8 << 20; ///< of a part, before other events have their turn

} // namespace

Download::Download(HubConnection& connection, const HubRepository& repository, HubFile file, QUrl address,
                   QObject* parent)
    : QObject(parent), m_connection(connection), m_repository(repository), m_file(std::move(file)),
      m_address(std::move(address)) {
    m_soon.setSingleShot(true);
    connect(&m_soon, &QTimer::timeout, this, [this] {
        attempt([this] {
            if (m_part)
                readWhatIsThere();
            else
                begin();
        });
    });
    m_soon.start(0ms);
}

Download::~Download() = default;

void Download::attempt(const std::function<void()>& step) {
    try {
        step();
    } catch (const HubFailure& failure) {
        Q_EMIT failed(failure.problem());
    } catch (const Error& error) {
        Q_EMIT failed({Kind::Disk, QString::fromUtf8(error.what()), {}});
    }
}

void Download::begin() {
    const auto etag = m_file.etag.toStdString();
    m_lock = BlobLock::attempt(m_repository, etag);
    if (!m_lock) {
        if (!std::exchange(m_told, true))
            Q_EMIT waits(HubText::tr("Another program is fetching %1").arg(m_file.name), 0);
        return m_soon.start(untilLockIsTriedAgain);
    }
    if (m_repository.hasBlob(etag, static_cast<std::uintmax_t>(m_file.size)))
        return Q_EMIT finished();
    m_part = std::make_unique<PartFile>(m_repository, etag);
    m_checksum = std::make_unique<Checksum>(m_file.etag, m_file.size);
    if (static_cast<qint64>(m_part->size()) > m_file.size)
        m_part->clear();
    readWhatIsThere();
}

void Download::readWhatIsThere() {
    const auto there = static_cast<qint64>(m_part->size());
    if (m_checked < there) {
        std::vector<std::byte> bytes(std::min(bytesReadAtOnce, static_cast<std::size_t>(there - m_checked)));
        const auto count = m_part->read(static_cast<std::uintmax_t>(m_checked), bytes);
        if (count == 0)
            throw Error(Error::Kind::Unreadable, m_repository.part(m_file.etag.toStdString()).string(),
                        "has become shorter", "try again");
        m_checksum->add(std::span(bytes).first(count));
        m_checked += static_cast<qint64>(count);
        Q_EMIT progressed(m_checked, 0);
        return m_soon.start(0ms);
    }
    if (there == m_file.size)
        verify();
    else
        ask();
}

void Download::ask() {
    HubRequest::Stream stream{.begin = [this] { return static_cast<qint64>(m_part->size()); },
                              .opened = [this](const HubAnswer& answer) { opened(answer); },
                              .take = [this](QByteArrayView bytes) { take(bytes); },
                              .beginAnew = [this] { beginAnew(); },
                              .complete = [this] { return static_cast<qint64>(m_part->size()) == m_file.size; }};
    if (m_request)
        m_request.release()->deleteLater(); // it may be what this is called by
    m_request = std::make_unique<HubRequest>(
        m_connection, HubRequest::Question{.address = m_address, .stream = std::move(stream)}, nullptr);
    connect(m_request.get(), &HubRequest::answered, this, [this] { attempt([this] { verify(); }); });
    connect(m_request.get(), &HubRequest::failed, this, &Download::failed);
    connect(m_request.get(), &HubRequest::waits, this, &Download::waits);
}

void Download::opened(const HubAnswer& answer) {
    if (answer.status == 200 && m_part->size() > 0)
        beginAnew(); // the hub does not go on in the middle
    const auto begin = static_cast<qint64>(m_part->size());
    if (answer.status == 206
        && !answer.header("Content-Range").startsWith("bytes " + QByteArray::number(begin) + '-')) {
        beginAnew();
        throw HubFailure({Kind::WrongBytes,
                          HubText::tr("%1 does not go on with %2 where it was asked to: try again.")
                              .arg(answer.address.host(), m_file.name),
                          {}});
    }
    const auto length = answer.header("Content-Length");
    if (length.isEmpty() || length.toLongLong() == m_file.size - begin)
        return;
    if (answer.isPage())
        throw HubFailure(notTheHub(answer.address.host()));
    throw HubFailure(
        {Kind::WrongBytes,
         HubText::tr("%1 was announced with %2 bytes, and comes with %3. Nothing of it was kept; try again "
                     "later, or another hub.")
             .arg(m_file.name)
             .arg(m_file.size)
             .arg(begin + length.toLongLong()),
         {}});
}

void Download::take(QByteArrayView bytes) {
    if (static_cast<qint64>(m_part->size()) + bytes.size() > m_file.size) {
        beginAnew();
        throw HubFailure({Kind::WrongBytes,
                          HubText::tr("More bytes came of %1 than the %2 that were announced. Nothing of it was kept; "
                                      "try again later, or another hub.")
                              .arg(m_file.name)
                              .arg(m_file.size),
                          {}});
    }
    const auto span = std::as_bytes(std::span(bytes.data(), static_cast<std::size_t>(bytes.size())));
    m_part->append(span);
    m_checksum->add(span);
    m_checked += bytes.size();
    Q_EMIT progressed(m_checked, bytes.size());
}

void Download::beginAnew() {
    m_part->clear();
    m_checksum = std::make_unique<Checksum>(m_file.etag, m_file.size);
    m_checked = 0;
    Q_EMIT progressed(0, 0);
}

void Download::verify() {
    if (m_checksum->result() == m_file.etag) {
        m_part->publish();
        m_lock.reset();
        return Q_EMIT finished();
    }
    if (m_wrongBefore) {
        m_part->discard();
        throw HubFailure({Kind::WrongBytes,
                          HubText::tr("The bytes of %1 are wrong, twice: their checksum is not the one that was "
                                      "announced. Nothing of it was kept; try again later, or another hub.")
                              .arg(m_file.name),
                          {}});
    }
    beginAnew();
    m_wrongBefore = true;
    Q_EMIT remarked(
        HubText::tr("%1 has a wrong byte: its checksum is not the one that was announced. It is fetched once more.")
            .arg(m_file.name));
    ask();
}

} // namespace headlight
