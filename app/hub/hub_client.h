// The hub, for the window and the command line alike: what is there, what of it is needed, and getting it.
#pragma once

#include "app/hub/download.h"
#include "app/hub/hub_name.h"
#include "app/hub/hub_request.h"

#include <QElapsedTimer>
#include <QHash>
#include <QList>
#include <QObject>

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace headlight {

/// A model that a search found.
struct HubListing {
    QString id;
    QString task; ///< such as fill-mask; may be empty
    qint64 downloads = 0;
    bool gated = false;
};

/// What must be fetched for a model, and what it is, before any of it is.
struct HubPlan {
    HubName name;
    QString commit;
    QList<HubFile> files; ///< the configuration first, the weights last
    QByteArray config;    ///< config.json's bytes
    qint64 bytes = 0;     ///< of all files
    qint64 weightBytes = 0;
    qint64 parameters = 0;        ///< numbers in safetensors as the hub counted them; 0: it did not
    qint64 missing = 0;           ///< bytes that are not in the cache yet
    std::filesystem::path folder; ///< where it will be
    QString remark;               ///< why this is what the cache has, and not what the hub has; mostly empty

    bool has(const QString& file) const;
};

/// How far a fetch is.
struct HubProgress {
    QString file;
    qint64 done = 0; ///< bytes of all files that are there
    qint64 total = 0;
    double bytesPerSecond = 0; ///< 0: not known yet
    qint64 secondsLeft = -1;   ///< -1: not known
};

/// One deed at a time; another client does another. It may live in a thread of its own: what it is asked for comes
/// then by QMetaObject::invokeMethod. After `failed`, fetching again goes on with what is there.
class HubClient : public QObject {
    Q_OBJECT
public:
    /// Looks at a plan before more than the configuration is fetched. What it says keeps the rest from being.
    using Check = std::function<std::optional<HubProblem>(const HubPlan& plan)>;

    explicit HubClient(HubSettings settings, const HubPatience& patience = {}, QObject* parent = nullptr);
    ~HubClient() override;

    /// Leads to found() or failed().
    void search(const QString& words);
    /// Leads to planned() or failed(). Writes nothing.
    void plan(const HubName& name);
    /// Leads to planned(), progressed() and fetched(), or failed().
    void fetch(const HubName& name, const Check& check = {});
    /// Drops what it is at, without a further signal. What was fetched stays in the cache.
    void stop();

Q_SIGNALS:
    void found(const QList<headlight::HubListing>& models);
    void planned(const headlight::HubPlan& plan);
    void progressed(const headlight::HubProgress& progress);
    /// A file is there, with all of its bytes; it may have been before.
    void fileDone(const headlight::HubFile& file, bool wasThere);
    /// The hub is asked again in so many seconds; 0: it is not known when, or now.
    void waits(const QString& why, int seconds);
    void remarked(const QString& text);
    void fetched(const QString& folder);
    void failed(const headlight::HubProblem& problem);

private:
    struct Job;
    void begin(const HubName& name);
    void askRevision();
    void chooseFiles(const QByteArray& answer);
    void readSmallFile(const QString& file, std::function<void(const QByteArray&)> then);
    void readIndex();
    void askForHead(const QString& file, std::function<void(const HubFile&)> then);
    void headsDone();
    void planFromCache(const QString& commit, const QString& remark);
    void plannedAll();
    void fetchNext();
    void putInPlace();
    void tellProgress(qint64 fresh);
    HubRequest* request(HubRequest::Question question, std::function<void(const HubAnswer&)> then);
    void attempt(const std::function<void()>& step);
    void fail(const HubProblem& problem);
    QUrl address(const QString& path) const;
    QUrl addressOf(const QString& file) const;

    HubConnection m_connection;
    std::unique_ptr<Job> m_job;
    QList<QPointer<QObject>> m_running;
};

} // namespace headlight
