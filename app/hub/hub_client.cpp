#include "app/hub/hub_client.h"

#include "app/hub/needed_files.h"
#include "core/error.h"
#include "core/files/hub.h"
#include "core/files/whole_file.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QJsonValue>
#include <QUrlQuery>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace headlight {

namespace {

using Kind = HubProblem::Kind;

constexpr qint64 largestConfig = 16 << 20;
constexpr qint64 largestIndex = 64 << 20;
constexpr qsizetype mostShards = 4096;
constexpr qint64 between = 100;          ///< milliseconds from one progress to the next
constexpr qint64 speedWindow = 5000;     ///< milliseconds that the speed is a mean of
constexpr qint64 roomToSpare = 32 << 20; ///< bytes of the disk that a fetch leaves free
constexpr int mostChanges = 3;

bool isCommit(const QString& text) {
    return text.size() == 40 && Checksum::knows(text);
}

QString nameOfPath(const std::filesystem::path& path) {
    return QString::fromStdString(path.string());
}

} // namespace

bool HubPlan::has(const QString& file) const {
    return std::any_of(files.begin(), files.end(), [&](const HubFile& one) { return one.name == file; });
}

QString bytesInWords(qint64 bytes) {
    constexpr std::array units{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    auto number = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; number >= 999.5 && unit + 1 < units.size(); ++unit)
        number /= 1000;
    return QStringLiteral("%1 %2").arg(QString::number(number, 'f', unit > 0 && number < 9.95 ? 1 : 0),
                                       QLatin1String(units[unit]));
}

/// What is known so far of the model that is planned or fetched.
struct HubClient::Job {
    HubPlan plan;
    std::optional<HubRepository> repository;
    Check check;
    bool fetch = false;
    NeededFiles needed;
    QHash<QString, HubFile> heads;
    QStringList order;
    qsizetype headsLeft = 0;
    QHash<QString, QByteArray> contents; ///< of small files that were read to plan
    int changes = 0;                     ///< of the revision, while it was planned or fetched

    qsizetype next = 0; ///< of the plan's files
    qint64 before = 0;  ///< bytes of those that are done
    qint64 current = 0; ///< of the one that is being fetched
    QElapsedTimer clock;
    qint64 lastTold = -between;
    std::deque<std::pair<qint64, qint64>> came; ///< milliseconds, bytes
};

HubClient::HubClient(HubSettings settings, const HubPatience& patience, QObject* parent)
    : QObject(parent), m_connection(std::move(settings), patience) {
    m_connection.network.setParent(this); // so that it goes with this into another thread
}

HubClient::~HubClient() {
    for (const auto& running : std::exchange(m_running, {}))
        delete running.data(); // before the connection that they use
    m_connection.network.setParent(nullptr);
}

void HubClient::stop() {
    for (const auto& running : std::exchange(m_running, {})) {
        if (!running)
            continue;
        running->disconnect(this);
        running->deleteLater(); // it may be one of these that says so
    }
    m_job.reset();
}

QUrl HubClient::address(const QString& path) const {
    // The path is quoted already, and a slash within a part must stay so.
    return QUrl::fromEncoded(m_connection.settings.endpoint.toEncoded() + path.toLatin1());
}

QUrl HubClient::addressOf(const QString& file) const {
    return address(
        QStringLiteral("/%1/resolve/%2/%3")
            .arg(m_job->plan.name.id, m_job->plan.commit, QString::fromLatin1(QUrl::toPercentEncoding(file))));
}

HubRequest* HubClient::request(HubRequest::Question question, std::function<void(const HubAnswer&)> then) {
    auto* made = new HubRequest(m_connection, std::move(question), this);
    m_running.append(made);
    connect(made, &HubRequest::answered, this, [this, made, then = std::move(then)](const HubAnswer& answer) {
        m_running.removeOne(made);
        made->deleteLater();
        attempt([&] { then(answer); });
    });
    connect(made, &HubRequest::failed, this, &HubClient::fail);
    connect(made, &HubRequest::waits, this, &HubClient::waits);
    return made;
}

void HubClient::attempt(const std::function<void()>& step) {
    try {
        step();
    } catch (const HubFailure& failure) {
        fail(failure.problem());
    } catch (const Error& error) {
        fail({Kind::Disk, QString::fromUtf8(error.what()), {}});
    }
}

void HubClient::fail(const HubProblem& problem) {
    // Without a network, what the cache has is what there is.
    if (m_job && problem.kind == Kind::NoNetwork && m_job->plan.files.isEmpty()) {
        const auto& name = m_job->plan.name;
        const auto commit = isCommit(name.revision) ? name.revision.toStdString()
                                                    : m_job->repository->commitOf(name.revision.toStdString());
        if (commit && isWholeModel(m_job->repository->snapshot(*commit)))
            return planFromCache(QString::fromStdString(*commit),
                                 HubText::tr("%1 This is what the cache has of %2.").arg(problem.text, name.text()));
    }
    stop();
    Q_EMIT failed(problem);
}

void HubClient::search(const QString& words) {
    stop();
    m_connection.what = words;
    if (m_connection.settings.offline)
        return fail({Kind::Offline,
                     HubText::tr("The hub is not asked: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE says so. Unset it to "
                                 "search."),
                     {}});
    constexpr int most = 30;
    auto place = address(QStringLiteral("/api/models"));
    QUrlQuery query;
    query.addQueryItem(QStringLiteral("search"), QString::fromLatin1(QUrl::toPercentEncoding(words.simplified())));
    query.addQueryItem(QStringLiteral("sort"), QStringLiteral("downloads"));
    query.addQueryItem(QStringLiteral("limit"), QString::number(most));
    place.setQuery(query);
    request({.address = place}, [this](const HubAnswer& answer) {
        const auto json = QJsonDocument::fromJson(answer.body);
        if (!json.isArray())
            throw HubFailure(notTheHub(answer.address.host()));
        QList<HubListing> models;
        for (const auto& value : json.array()) {
            const auto model = value.toObject();
            const auto name = HubName::parse(model[QLatin1String("id")].toString());
            const auto gated = model[QLatin1String("gated")];
            if (name && models.size() < most)
                models.append({.id = name->id,
                               .task = model[QLatin1String("pipeline_tag")].toString().left(60),
                               .downloads = std::max<qint64>(0, model[QLatin1String("downloads")].toInteger()),
                               .gated = gated.isString() || gated.toBool()});
        }
        stop();
        Q_EMIT found(models);
    });
}

void HubClient::plan(const HubName& name) {
    stop();
    m_job = std::make_unique<Job>();
    begin(name);
}

void HubClient::fetch(const HubName& name, const Check& check) {
    stop();
    m_job = std::make_unique<Job>();
    m_job->fetch = true;
    m_job->check = check;
    begin(name);
}

void HubClient::begin(const HubName& name) {
    const auto& settings = m_connection.settings;
    m_job->plan.name = name;
    m_job->repository.emplace(settings.cache, name.id.toStdString());
    m_connection.what = name.text();
    m_connection.page = address(QStringLiteral("/") + name.id);
    attempt([&] {
        // A commit never changes: what is there is all of it.
        if (isCommit(name.revision) && isWholeModel(m_job->repository->snapshot(name.revision.toStdString())))
            return planFromCache(name.revision, {});
        if (!settings.offline)
            return askRevision();
        const auto commit = isCommit(name.revision) ? name.revision.toStdString()
                                                    : m_job->repository->commitOf(name.revision.toStdString());
        if (commit && isWholeModel(m_job->repository->snapshot(*commit)))
            return planFromCache(QString::fromStdString(*commit), {});
        throw HubFailure({Kind::Offline,
                          HubText::tr("%1 is not in the cache, and the hub is not asked: HF_HUB_OFFLINE or "
                                      "TRANSFORMERS_OFFLINE says so. Unset it to fetch the model.")
                              .arg(name.text()),
                          {}});
    });
}

void HubClient::planFromCache(const QString& commit, const QString& remark) {
    auto& plan = m_job->plan;
    plan.commit = commit;
    plan.remark = remark;
    plan.folder = m_job->repository->snapshot(commit.toStdString());
    attempt([&] {
        plan.config = QByteArray::fromStdString(
            readWholeFile(plan.folder / "config.json", static_cast<std::uintmax_t>(largestConfig)));
        std::error_code ignored;
        for (auto entry = std::filesystem::directory_iterator(plan.folder, ignored);
             !ignored && entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
            std::error_code problem;
            const auto size = entry->is_regular_file(problem) ? entry->file_size(problem) : 0;
            const auto name = nameOfPath(entry->path().filename());
            plan.files.append({name, {}, static_cast<qint64>(problem ? 0 : size)});
            plan.bytes += plan.files.back().size;
            if (name.endsWith(QLatin1String(".safetensors")) || name.endsWith(QLatin1String(".bin")))
                plan.weightBytes += plan.files.back().size;
        }
        std::sort(plan.files.begin(), plan.files.end(),
                  [](const HubFile& left, const HubFile& right) { return left.name < right.name; });
        const auto done = plan;
        const bool fetch = m_job->fetch;
        stop();
        Q_EMIT planned(done);
        if (fetch)
            Q_EMIT fetched(nameOfPath(done.folder));
    });
}

void HubClient::askRevision() {
    const auto& name = m_job->plan.name;
    const auto revision = QString::fromLatin1(QUrl::toPercentEncoding(name.revision));
    request({.address = address(QStringLiteral("/api/models/%1/revision/%2").arg(name.id, revision))},
            [this](const HubAnswer& answer) {
                if (answer.isPage())
                    throw HubFailure(notTheHub(answer.address.host()));
                chooseFiles(answer.body);
            });
}

void HubClient::chooseFiles(const QByteArray& answer) {
    const auto json = QJsonDocument::fromJson(answer).object();
    auto& plan = m_job->plan;
    plan.commit = json[QLatin1String("sha")].toString();
    if (!isCommit(plan.commit))
        throw HubFailure(notTheHub(m_connection.settings.endpoint.host()));
    plan.folder = m_job->repository->snapshot(plan.commit.toStdString());
    QStringList files;
    for (const auto& sibling : json[QLatin1String("siblings")].toArray())
        files << sibling.toObject()[QLatin1String("rfilename")].toString();
    m_job->needed = neededFiles(files);
    const auto& needed = m_job->needed;
    if (needed.config.isEmpty())
        throw HubFailure({Kind::NotAModel,
                          HubText::tr("%1 has no config.json, so it is no model that Headlight opens: see %2.")
                              .arg(plan.name.text(), m_connection.page.toString()),
                          m_connection.page});
    if (needed.weights.isEmpty())
        throw HubFailure(
            {Kind::NotAModel,
             needed.unread.isEmpty()
                 ? HubText::tr("%1 has no weights: no model.safetensors and no pytorch_model.bin; see %2.")
                       .arg(plan.name.text(), m_connection.page.toString())
                 : HubText::tr("%1 has its weights only for %2, and Headlight reads model.safetensors and "
                               "pytorch_model.bin; see %3.")
                       .arg(plan.name.text(), needed.unread.join(QStringLiteral(", ")), m_connection.page.toString()),
             m_connection.page});
    if (needed.weights.startsWith(QLatin1String("model.safetensors")))
        plan.parameters = json[QLatin1String("safetensors")][QLatin1String("total")].toInteger();
    m_job->order = QStringList{needed.config} + needed.small + QStringList{needed.weights};
    m_job->headsLeft = 1;
    askForHead(needed.config, [this](const HubFile& config) {
        if (config.size > largestConfig)
            throw HubFailure({Kind::NotAModel,
                              HubText::tr("config.json of %1 has %2, which no configuration has.")
                                  .arg(m_job->plan.name.text(), bytesInWords(config.size)),
                              {}});
        readSmallFile(config.name, [this](const QByteArray& bytes) {
            m_job->plan.config = bytes;
            readIndex();
        });
    });
}

void HubClient::readIndex() {
    const auto& needed = m_job->needed;
    if (!needed.index) {
        m_job->headsLeft = needed.small.size() + 1;
        for (const auto& file : needed.small + QStringList{needed.weights})
            askForHead(file, [this](const HubFile&) { headsDone(); });
        return;
    }
    askForHead(needed.weights, [this](const HubFile& index) {
        if (index.size > largestIndex)
            throw HubFailure({Kind::NotAModel,
                              HubText::tr("%1 has %2, which no index has.").arg(index.name, bytesInWords(index.size)),
                              {}});
        readSmallFile(index.name, [this](const QByteArray& bytes) {
            QStringList shards;
            for (const auto& shard : shardsOf(bytes.toStdString(), m_job->needed.weights.toStdString()))
                shards << QString::fromStdString(shard);
            for (const auto& shard : std::as_const(shards))
                if (!isPlainFileName(shard))
                    throw HubFailure({Kind::NotAModel,
                                      HubText::tr("%1 names a file of weights that lies elsewhere: \"%2\".")
                                          .arg(m_job->needed.weights, shard.left(200)),
                                      {}});
            if (shards.isEmpty() || shards.size() > mostShards)
                throw HubFailure(
                    {Kind::NotAModel, HubText::tr("%1 names no files of weights.").arg(m_job->needed.weights), {}});
            m_job->order << shards;
            m_job->headsLeft = m_job->needed.small.size() + shards.size();
            for (const auto& file : m_job->needed.small + shards)
                askForHead(file, [this](const HubFile&) { headsDone(); });
        });
    });
}

void HubClient::askForHead(const QString& file, std::function<void(const HubFile&)> then) {
    request({.address = addressOf(file), .head = true}, [this, file, then = std::move(then)](const HubAnswer& answer) {
        const auto commit = QString::fromLatin1(answer.header("X-Repo-Commit"));
        auto etag = answer.header("X-Linked-Etag");
        if (etag.isEmpty())
            etag = answer.header("ETag");
        if (etag.startsWith("W/"))
            etag = etag.mid(2);
        etag.replace('"', "");
        auto length = answer.header("X-Linked-Size");
        if (length.isEmpty())
            length = answer.header("Content-Length");
        bool isNumber = false;
        const auto size = length.toLongLong(&isNumber);
        if (commit.isEmpty() || etag.isEmpty() || !isNumber || size < 0)
            throw HubFailure(
                answer.isPage() || commit.isEmpty()
                    ? notTheHub(answer.address.host())
                    : HubProblem{Kind::NotTheHub,
                                 HubText::tr("%1 says neither how large %2 is nor what its checksum is, so "
                                             "it cannot be fetched from there. Try another hub.")
                                     .arg(answer.address.host(), file),
                                 {}});
        if (!Checksum::knows(QString::fromLatin1(etag)))
            throw HubFailure({Kind::NotTheHub,
                              HubText::tr("%1 gives no checksum of %2 that can be checked, so it is not fetched from "
                                          "there. Try another hub.")
                                  .arg(answer.address.host(), file),
                              {}});
        if (commit != m_job->plan.commit) {
            // It changed while it was asked for: what was planned is of before.
            if (++m_job->changes > mostChanges)
                throw HubFailure({Kind::Busy,
                                  HubText::tr("%1 changes while it is asked for, again and again. Try again later, or "
                                              "name a commit: %2@COMMIT.")
                                      .arg(m_job->plan.name.text(), m_job->plan.name.id),
                                  {}});
            auto job = std::move(m_job);
            stop();
            m_job = std::make_unique<Job>();
            m_job->fetch = job->fetch;
            m_job->check = job->check;
            m_job->changes = job->changes;
            return begin(job->plan.name);
        }
        const HubFile found{file, QString::fromLatin1(etag), size};
        m_job->heads.insert(file, found);
        then(found);
    });
}

void HubClient::readSmallFile(const QString& file, std::function<void(const QByteArray&)> then) {
    const auto head = m_job->heads.value(file);
    const auto checked = [this, head, then = std::move(then)](const QByteArray& bytes) {
        Checksum checksum(head.etag, head.size);
        checksum.add(std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
        if (bytes.size() != head.size || checksum.result() != head.etag)
            return false;
        m_job->contents.insert(head.name, bytes);
        then(bytes);
        return true;
    };
    const auto& repository = *m_job->repository;
    for (const auto& place : {repository.blob(head.etag.toStdString()),
                              repository.snapshot(m_job->plan.commit.toStdString()) / head.name.toStdString()}) {
        try {
            const auto bytes = readWholeFile(place, static_cast<std::uintmax_t>(head.size));
            if (checked(QByteArray::fromStdString(bytes)))
                return;
        } catch (const Error&) { // not there: the hub has it
        }
    }
    request({.address = addressOf(file), .mostBytes = head.size}, [file, checked](const HubAnswer& answer) {
        if (checked(answer.body))
            return;
        if (answer.isPage())
            throw HubFailure(notTheHub(answer.address.host()));
        throw HubFailure(
            {Kind::WrongBytes,
             HubText::tr("The bytes of %1 are wrong: their checksum is not the one that was announced. Try "
                         "again later, or another hub.")
                 .arg(file),
             {}});
    });
}

void HubClient::headsDone() {
    if (--m_job->headsLeft > 0)
        return;
    auto& plan = m_job->plan;
    const auto firstWeights = 1 + m_job->needed.small.size();
    for (qsizetype i = 0; i < m_job->order.size(); ++i) {
        const auto file = m_job->heads.value(m_job->order[i]);
        const auto etag = file.etag.toStdString();
        const auto size = static_cast<std::uintmax_t>(file.size);
        constexpr qint64 mostOfAll = qint64(1) << 50;
        if (file.size > mostOfAll - plan.bytes)
            throw HubFailure({Kind::WrongBytes,
                              HubText::tr("%1 is announced with sizes that no disk has.").arg(plan.name.text()),
                              {}});
        plan.files.append(file);
        plan.bytes += file.size;
        if (i >= firstWeights)
            plan.weightBytes += file.size;
        if (!m_job->repository->hasBlob(etag, size)
            && !m_job->repository->hasFile(plan.commit.toStdString(), file.name.toStdString(), size))
            plan.missing += std::max<qint64>(0, file.size - static_cast<qint64>(m_job->repository->partBytes(etag)));
    }
    plannedAll();
}

void HubClient::plannedAll() {
    const auto plan = m_job->plan;
    const bool fetch = m_job->fetch;
    if (!fetch)
        stop();
    Q_EMIT planned(plan);
    if (!fetch || !m_job) // who heard of it may have stopped this
        return;
    if (m_job->check)
        if (const auto problem = m_job->check(plan))
            throw HubFailure(*problem);
    const auto& cache = m_connection.settings.cache;
    const auto free = freeSpace(cache);
    if (free && plan.missing > 0 && static_cast<std::uintmax_t>(plan.missing + roomToSpare) > *free)
        throw HubFailure(
            {Kind::Disk,
             HubText::tr("%1 needs %2 on the disk, and only %3 are free at %4: make room, or name a cache on "
                         "another disk in HF_HUB_CACHE.")
                 .arg(plan.name.text(), bytesInWords(plan.missing), bytesInWords(static_cast<qint64>(*free)),
                      nameOfPath(cache)),
             {}});
    m_job->clock.start();
    fetchNext();
}

void HubClient::fetchNext() {
    const auto& plan = m_job->plan;
    const auto& repository = *m_job->repository;
    while (m_job->next < plan.files.size()) {
        const auto& file = plan.files[m_job->next];
        const auto size = static_cast<std::uintmax_t>(file.size);
        if (!repository.hasFile(plan.commit.toStdString(), file.name.toStdString(), size)
            && !repository.hasBlob(file.etag.toStdString(), size))
            break;
        m_job->before += file.size;
        ++m_job->next;
        Q_EMIT fileDone(file, true);
        if (!m_job)
            return;
    }
    if (m_job->next == plan.files.size())
        return putInPlace();
    const auto& file = plan.files[m_job->next];
    m_job->current = 0;
    auto* download = new Download(m_connection, repository, file, addressOf(file.name), this);
    m_running.append(download);
    connect(download, &Download::progressed, this, [this](qint64 bytes, qint64 fresh) {
        m_job->current = bytes;
        tellProgress(fresh);
    });
    connect(download, &Download::waits, this, &HubClient::waits);
    connect(download, &Download::remarked, this, &HubClient::remarked);
    connect(download, &Download::failed, this, &HubClient::fail);
    connect(download, &Download::finished, this, [this, download, file] {
        m_running.removeOne(download);
        download->deleteLater();
        m_job->before += file.size;
        m_job->current = 0;
        ++m_job->next;
        m_job->lastTold = -between;
        tellProgress(0);
        Q_EMIT fileDone(file, false);
        if (m_job)
            attempt([this] { fetchNext(); });
    });
}

void HubClient::putInPlace() {
    const auto& plan = m_job->plan;
    // The configuration last: by it a model is found.
    for (auto file = plan.files.rbegin(); file != plan.files.rend(); ++file)
        if (!m_job->repository->hasFile(plan.commit.toStdString(), file->name.toStdString(),
                                        static_cast<std::uintmax_t>(file->size)))
            m_job->repository->putFile(plan.commit.toStdString(), file->name.toStdString(), file->etag.toStdString());
    if (!isCommit(plan.name.revision))
        m_job->repository->putReference(plan.name.revision.toStdString(), plan.commit.toStdString());
    const auto folder = nameOfPath(plan.folder);
    stop();
    Q_EMIT fetched(folder);
}

void HubClient::tellProgress(qint64 fresh) {
    auto& job = *m_job;
    const auto now = job.clock.elapsed();
    if (fresh > 0) {
        if (!job.came.empty() && job.came.back().first == now)
            job.came.back().second += fresh;
        else
            job.came.emplace_back(now, fresh);
    }
    if (now - job.lastTold < between)
        return;
    job.lastTold = now;
    while (!job.came.empty() && now - job.came.front().first > speedWindow)
        job.came.pop_front();
    HubProgress progress{.file = job.plan.files.value(std::min(job.next, job.plan.files.size() - 1)).name,
                         .done = job.before + job.current,
                         .total = job.plan.bytes};
    constexpr qint64 leastForSpeed = 300; // milliseconds: before, it would jump
    if (!job.came.empty() && now - job.came.front().first >= leastForSpeed) {
        qint64 bytes = 0;
        for (const auto& [when, count] : job.came)
            bytes += count;
        progress.bytesPerSecond = static_cast<double>(bytes) * 1000 / static_cast<double>(now - job.came.front().first);
        if (progress.bytesPerSecond > 1)
            progress.secondsLeft =
                static_cast<qint64>(static_cast<double>(progress.total - progress.done) / progress.bytesPerSecond);
    }
    Q_EMIT progressed(progress);
}

} // namespace headlight
