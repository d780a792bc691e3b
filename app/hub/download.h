// One file of a model on its way into the cache: it goes on where an earlier attempt ended, and is only there once its
// bytes are the right ones.
#pragma once

#include "app/hub/checksum.h"
#include "app/hub/hub_request.h"
#include "core/files/hub_cache.h"

#include <QObject>
#include <QTimer>

#include <memory>
#include <optional>

namespace headlight {

/// A file as the hub announces it.
struct HubFile {
    QString name;
    QString etag;
    qint64 size = 0;
};

class Download : public QObject {
    Q_OBJECT
public:
    /// Begins by itself. @param address where the hub has the file
    Download(HubConnection& connection, const HubRepository& repository, HubFile file, QUrl address, QObject* parent);
    ~Download() override;

Q_SIGNALS:
    /// So many bytes are there; `fresh` of them just came, the others were there.
    void progressed(qint64 bytes, qint64 fresh);
    void waits(const QString& why, int seconds);
    /// Something is as it should not be, and was mended.
    void remarked(const QString& text);
    void finished();
    void failed(const headlight::HubProblem& problem);

private:
    void begin();
    void readWhatIsThere();
    void ask();
    void opened(const HubAnswer& answer);
    void take(QByteArrayView bytes);
    void beginAnew();
    void verify();
    void attempt(const std::function<void()>& step);

    HubConnection& m_connection;
    const HubRepository m_repository;
    const HubFile m_file;
    const QUrl m_address;
    std::optional<BlobLock> m_lock;
    std::unique_ptr<PartFile> m_part;
    std::unique_ptr<Checksum> m_checksum;
    std::unique_ptr<HubRequest> m_request;
    qint64 m_checked = 0; ///< bytes of the part that are in the checksum
    bool m_wrongBefore = false;
    bool m_told = false; ///< that another program is at it
    QTimer m_soon;
};

} // namespace headlight
