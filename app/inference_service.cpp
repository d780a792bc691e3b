#include "app/inference_service.h"

#include <QMetaObject>
#include <QThread>

#include <algorithm>
#include <compare>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <future>
#include <list>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace headlight {

namespace {

using namespace std::chrono_literals;

constexpr auto usuallyQuick = 60ms;      ///< that B may take until A's run is shown without it
constexpr auto worthWaitingFor = 250ms;  ///< the same where both make the picture
constexpr auto longEnoughForAnyRun = 2s; ///< that a run of the text before may take, unless others took as long

/// What tells a model's files from others in their place.
struct Stamp {
    std::string name;
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type time;
    friend auto operator<=>(const Stamp&, const Stamp&) = default;
};

/// Of the files directly in a folder; what cannot be looked at is left out.
std::vector<Stamp> stampsOf(const std::filesystem::path& folder) {
    std::vector<Stamp> stamps;
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator(folder, error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
        std::error_code unseen;
        if (!entry->is_regular_file(unseen))
            continue;
        Stamp stamp{entry->path().filename().string(), entry->file_size(unseen), {}};
        stamp.time = entry->last_write_time(unseen);
        if (!unseen)
            stamps.push_back(std::move(stamp));
    }
    std::sort(stamps.begin(), stamps.end());
    return stamps;
}

template <class Models>
auto find(Models& models, const std::filesystem::path& folder) {
    return std::find_if(models.begin(), models.end(), [&](const auto& model) { return model.folder == folder; });
}

/// Open models, the one used last first.
class OpenModels {
public:
    using Open = std::function<std::unique_ptr<Engine>(const std::filesystem::path&)>;

    explicit OpenModels(Open open) : m_open(std::move(open)) {}

    /// @param reread opens it anew where its files have changed; the one that is open stays when that fails
    Engine& open(const std::filesystem::path& folder, bool reread) {
        auto found = find(m_models, folder);
        if (found == m_models.end()) {
            std::list<Coming> came;
            if (const auto coming = find(m_coming, folder); coming != m_coming.end())
                came.splice(came.begin(), m_coming, coming);
            else
                makeRoom();
            auto stamps = came.empty() ? stampsOf(folder) : std::move(came.front().stamps);
            auto engine = came.empty() ? m_open(folder) : came.front().engine.get();
            m_models.push_front({folder, std::move(stamps), std::move(engine)});
            return *m_models.front().engine;
        }
        m_models.splice(m_models.begin(), m_models, found);
        if (auto stamps = reread ? stampsOf(folder) : found->stamps; stamps != found->stamps) {
            found->engine = m_open(folder);
            found->stamps = std::move(stamps);
        }
        return *found->engine;
    }
    bool changed(const std::filesystem::path& folder) const {
        return std::any_of(m_models.begin(), m_models.end(), [&folder](const auto& model) {
            return model.folder == folder && model.stamps != stampsOf(folder);
        });
    }

    /// Opens a model beside what the thread does meanwhile: then open() does not wait.
    /// @param done is called in another thread
    void prepare(const std::filesystem::path& folder, std::function<void()> done) {
        // Those that nobody waits for any more go when they have come.
        m_coming.remove_if([&](const Coming& coming) { return coming.folder != folder && coming.here(); });
        if (find(m_coming, folder) != m_coming.end())
            return;
        makeRoom();
        std::promise<std::unique_ptr<Engine>> engine;
        Coming coming{folder, stampsOf(folder), engine.get_future(), {}};
        coming.thread =
            std::jthread([open = m_open, folder, done = std::move(done), engine = std::move(engine)]() mutable {
                try {
                    engine.set_value(open(folder));
                } catch (...) { // whoever waits for it throws it
                    engine.set_exception(std::current_exception());
                }
                done();
            });
        m_coming.push_back(std::move(coming));
    }
    /// True when open() does not wait.
    bool here(const std::filesystem::path& folder) {
        const auto coming = find(m_coming, folder);
        return find(m_models, folder) != m_models.end() || (coming != m_coming.end() && coming->here());
    }

private:
    struct Model {
        std::filesystem::path folder;
        std::vector<Stamp> stamps; ///< of before it was opened, so that a change meanwhile is seen
        std::unique_ptr<Engine> engine;
    };
    struct Coming {
        std::filesystem::path folder;
        std::vector<Stamp> stamps;
        std::future<std::unique_ptr<Engine>> engine;
        std::jthread thread;
        bool here() const { return engine.wait_for(0s) == std::future_status::ready; }
    };
    static constexpr std::size_t most = 3;

    /// Two large models and the one that goes need not be in memory together.
    void makeRoom() {
        if (m_models.size() >= most)
            m_models.pop_back();
    }

    Open m_open;
    std::list<Model> m_models;
    std::list<Coming> m_coming;
};

} // namespace

/// The thread, and the one job that waits for it.
class InferenceService::Worker {
public:
    using Deliver = std::function<void(InferenceResult)>;
    /// What of the running job is let finish although another waits.
    enum class Spared { Nothing, First, Both };

    Worker(OpenModels::Open open, Deliver deliver)
        : m_deliver(std::move(deliver)), m_models(std::move(open)),
          m_thread([this](const std::stop_token& quit) { work(quit); }) {}

    ~Worker() {
        m_thread.request_stop();
        const std::lock_guard lock(m_mutex);
        m_running.stop(Spared::Nothing);
    }

    void submit(InferenceJob job, quint64 generation, Spared spared) {
        {
            const std::lock_guard lock(m_mutex);
            // Of another model nobody wants to see anything any more.
            m_running.stop(job.first != m_running.firstFolder                          ? Spared::Nothing
                           : job.second != m_running.secondFolder || m_running.opening ? std::min(spared, Spared::First)
                                                                                       : spared);
            m_waiting = Numbered{std::move(job), generation};
        }
        m_wake.notify_one();
    }

    void cancel() {
        const std::lock_guard lock(m_mutex);
        m_waiting.reset();
        m_running.stop(Spared::Nothing);
    }

    /// Stops the running job where a newer one waits.
    void stopForTheWaiting() {
        const std::lock_guard lock(m_mutex);
        if (m_waiting)
            m_running.stop(Spared::Nothing);
    }

private:
    struct Numbered {
        InferenceJob job;
        quint64 generation = 0;
    };
    struct Running {
        std::filesystem::path firstFolder;
        std::filesystem::path secondFolder;
        std::stop_source first;
        std::stop_source rest; ///< what follows A's run
        bool opening = false;  ///< B is being opened, which a newer job does not wait for
        void stop(Spared spared) {
            if (spared == Spared::Nothing)
                first.request_stop();
            if (spared != Spared::Both)
                rest.request_stop();
        }
    };

    void work(const std::stop_token& quit) {
        while (true) {
            Numbered next;
            std::stop_token first;
            std::stop_token rest;
            {
                std::unique_lock lock(m_mutex);
                m_wake.wait(lock, quit, [this] { return m_waiting.has_value(); });
                if (quit.stop_requested())
                    return;
                next = *std::exchange(m_waiting, std::nullopt);
                m_running = {next.job.first, next.job.second, {}, {}, false};
                first = m_running.first.get_token();
                rest = m_running.rest.get_token();
            }
            run(std::move(next), first, rest);
        }
    }

    void run(Numbered next, const std::stop_token& stopFirst, const std::stop_token& stopRest) {
        InferenceResult result;
        result.generation = next.generation;
        result.job = std::move(next.job);
        const auto& job = result.job;
        auto begin = Clock::now();
        const auto open = [&](const std::filesystem::path& folder) -> Engine& {
            auto& engine = m_models.open(folder, job.reread);
            begin = Clock::now();
            return engine;
        };
        const auto attempt = [&result](const auto& deed) {
            try {
                deed();
            } catch (const std::exception& error) {
                result.problem = QString::fromUtf8(error.what());
            }
        };
        attempt([&] { runFirst(job, open, result, stopFirst); });
        result.spent = Clock::now() - begin;
        if (stopFirst.stop_requested())
            return;
        const bool changed = !job.request.intervention.empty() || !job.request.beginIds.empty();
        result.whole = !result.first || (job.second.empty() && !changed);
        noteChanges(result);
        m_deliver(result);
        if (result.whole || !awaitSecond(job, stopRest))
            return;
        attempt([&] { runBeside(job, open, result, stopRest); });
        if (stopRest.stop_requested())
            return;
        result.whole = true;
        noteChanges(result);
        m_deliver(std::move(result));
    }

    /// Model B is opened while this thread stays free for A's newer runs. False: a newer job came first.
    bool awaitSecond(const InferenceJob& job, const std::stop_token& stop) {
        std::unique_lock lock(m_mutex);
        if (job.second.empty() || m_models.here(job.second))
            return !stop.stop_requested();
        m_running.opening = true;
        lock.unlock(); // which the model's thread takes when it is done
        m_models.prepare(job.second, [this] {
            const std::lock_guard done(m_mutex);
            m_wake.notify_all();
        });
        lock.lock();
        if (m_waiting) // what came before it was known that this one opens
            m_running.stop(Spared::First);
        m_wake.wait(lock, stop, [&] { return m_models.here(job.second); });
        m_running.opening = false;
        return !stop.stop_requested();
    }

    void noteChanges(InferenceResult& result) const {
        result.changedFolders.clear();
        for (const auto& folder : {result.job.first, result.job.second})
            if (m_models.changed(folder))
                result.changedFolders << QString::fromStdString(folder.string());
        result.changedFolders.removeDuplicates();
    }

    Deliver m_deliver;
    std::mutex m_mutex;
    std::condition_variable_any m_wake;
    OpenModels m_models; ///< of the thread alone; it ends before what those that come wake
    std::optional<Numbered> m_waiting;
    Running m_running;
    std::jthread m_thread; ///< last, so that it ends before what it uses
};

InferenceService::InferenceService(QObject* parent) : InferenceService(Means{}, parent) {}

InferenceService::InferenceService(Means means, QObject* parent) : QObject(parent), m_now(std::move(means.now)) {
    m_halfTimer.setSingleShot(true);
    connect(&m_halfTimer, &QTimer::timeout, this, [this] {
        if (m_half)
            show(*std::exchange(m_half, std::nullopt));
    });
    m_overdue.setSingleShot(true);
    connect(&m_overdue, &QTimer::timeout, this, [this] { m_worker->stopForTheWaiting(); });
    m_worker = std::make_unique<Worker>(std::move(means.open), [this](InferenceResult result) {
        QMetaObject::invokeMethod(
            this, [this, result = std::move(result)]() mutable { deliver(std::move(result)); }, Qt::QueuedConnection);
    });
}

InferenceService::~InferenceService() = default;

quint64 InferenceService::submit(InferenceJob job) {
    const auto old = [this](const std::optional<Clock::time_point>& shown) {
        return !shown || m_now() - *shown >= freshFor;
    };
    const auto spared = job.pair && old(m_pairShown) ? Worker::Spared::Both
                        : old(m_firstShown)          ? Worker::Spared::First
                                                     : Worker::Spared::Nothing;
    if (!m_overdue.isActive() && spared != Worker::Spared::Nothing)
        m_overdue.start(std::chrono::ceil<std::chrono::milliseconds>(
            std::max<Clock::duration>(longEnoughForAnyRun, 4 * m_lastRun)));
    if (m_half) // its other half does not come any more
        m_halfTimer.start(0ms);
    m_worker->submit(std::move(job), ++m_generation, spared);
    return m_generation;
}

void InferenceService::cancel() {
    m_worker->cancel();
    m_half.reset();
    m_overdue.stop();
    m_delivered = m_dropped = m_generation; // what is already on its way is not delivered
}

bool InferenceService::busy() const {
    return m_delivered != m_generation;
}

void InferenceService::deliver(InferenceResult result) {
    Q_ASSERT(QThread::currentThread() == thread());
    if (result.generation <= m_dropped)
        return;
    m_half.reset();
    if (result.whole)
        return show(std::move(result));
    m_halfTimer.start(result.generation != m_generation ? 0ms : result.job.pair ? worthWaitingFor : usuallyQuick);
    m_half = std::move(result);
}

void InferenceService::show(InferenceResult result) {
    result.newest = result.generation == m_generation;
    if (!result.newest && !result.first)
        return; // the newest has a problem of its own, or none
    m_overdue.stop();
    if (result.first) {
        m_firstShown = m_now();
        m_lastRun = result.spent;
    }
    if (result.whole) {
        m_pairShown = m_firstShown;
        m_delivered = result.generation;
    }
    Q_EMIT finished(result);
}

} // namespace headlight
