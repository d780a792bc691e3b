#include "app/inference_service.h"

#include <QMetaObject>
#include <QThread>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace headlight {

namespace {

/// Open models, the one used last first.
class OpenModels {
public:
    Engine& open(const std::filesystem::path& folder) {
        auto found = std::find_if(m_models.begin(), m_models.end(),
                                  [&folder](const auto& model) { return model.folder == folder; });
        if (found == m_models.end()) {
            // Room first: two large models and the one that goes need not be in memory together.
            if (m_models.size() >= most)
                m_models.pop_back();
            m_models.push_front({folder, Engine::open(folder)});
        } else {
            m_models.splice(m_models.begin(), m_models, found);
        }
        return *m_models.front().engine;
    }

private:
    struct Model {
        std::filesystem::path folder;
        std::unique_ptr<Engine> engine;
    };
    static constexpr std::size_t most = 3;
    std::list<Model> m_models;
};

} // namespace

/// The thread, and the one job that waits for it.
class InferenceService::Worker {
public:
    using Deliver = std::function<void(InferenceResult)>;

    explicit Worker(Deliver deliver)
        : m_deliver(std::move(deliver)), m_thread([this](const std::stop_token& quit) { work(quit); }) {}

    ~Worker() {
        m_thread.request_stop();
        const std::lock_guard lock(m_mutex);
        m_running.request_stop();
    }

    void submit(InferenceJob job, quint64 generation) {
        {
            const std::lock_guard lock(m_mutex);
            m_waiting = Numbered{std::move(job), generation};
            m_running.request_stop();
        }
        m_wake.notify_one();
    }

    void cancel() {
        const std::lock_guard lock(m_mutex);
        m_waiting.reset();
        m_running.request_stop();
    }

private:
    struct Numbered {
        InferenceJob job;
        quint64 generation = 0;
    };

    void work(const std::stop_token& quit) {
        // OpenMP keeps the number of threads for each thread that asks; LibTorch passes its own on at the first call.
        Engine::compute();
        while (true) {
            Numbered next;
            std::stop_token stop;
            {
                std::unique_lock lock(m_mutex);
                m_wake.wait(lock, quit, [this] { return m_waiting.has_value(); });
                if (quit.stop_requested())
                    return;
                next = *std::exchange(m_waiting, std::nullopt);
                m_running = std::stop_source();
                stop = m_running.get_token();
            }
            auto result = run(std::move(next), stop);
            if (!stop.stop_requested())
                m_deliver(std::move(result));
        }
    }

    InferenceResult run(Numbered next, const std::stop_token& stop) {
        InferenceResult result;
        result.generation = next.generation;
        result.job = std::move(next.job);
        const auto open = [this](const std::filesystem::path& folder) -> Engine& { return m_models.open(folder); };
        try {
            runFirst(result.job, open, result, stop);
            runBeside(result.job, open, result, stop);
        } catch (const std::exception& error) {
            result.problem = QString::fromUtf8(error.what());
        }
        return result;
    }

    Deliver m_deliver;
    OpenModels m_models; ///< of the thread alone
    std::mutex m_mutex;
    std::condition_variable_any m_wake;
    std::optional<Numbered> m_waiting;
    std::stop_source m_running;
    std::jthread m_thread; ///< last, so that it ends before what it uses
};

InferenceService::InferenceService(QObject* parent) : QObject(parent) {
    m_worker = std::make_unique<Worker>([this](InferenceResult result) {
        QMetaObject::invokeMethod(
            this, [this, result = std::move(result)] { deliver(result); }, Qt::QueuedConnection);
    });
}

InferenceService::~InferenceService() = default;

quint64 InferenceService::submit(InferenceJob job) {
    m_worker->submit(std::move(job), ++m_generation);
    return m_generation;
}

void InferenceService::cancel() {
    m_worker->cancel();
    m_delivered = ++m_generation; // what is already on its way is of an older one
}

bool InferenceService::busy() const {
    return m_delivered != m_generation;
}

void InferenceService::deliver(const InferenceResult& result) {
    Q_ASSERT(QThread::currentThread() == thread());
    if (result.generation != m_generation)
        return;
    m_delivered = result.generation;
    Q_EMIT finished(result);
}

} // namespace headlight
