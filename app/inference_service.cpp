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

QString problemWith(const std::filesystem::path& folder, const std::exception& error) {
    if (dynamic_cast<const Error*>(&error))
        return QString::fromUtf8(error.what());
    // LibTorch appends where in its own source it happened; the first line says what.
    const auto firstLine = QString::fromUtf8(error.what()).section(QLatin1Char('\n'), 0, 0);
    return InferenceService::tr("%1: the model could not be run: %2")
        .arg(QString::fromStdString(folder.string()), firstLine);
}

/// The changed model's own request with nothing changed: what it said by itself is given token by token, for words
/// might be cut into other tokens than it chose.
Request requestInFull(Request full, const Trace& changed, bool answers) {
    if (answers) {
        if (full.target || !full.targetIds.empty())
            return full;
        full.beam = 1;
        for (const auto& token : changed.emitted)
            full.beginIds.push_back(token.id);
        full.maxLength = static_cast<int>(full.beginIds.size());
    } else if (!changed.target.empty()) { // a decoder alone; an encoder's tokens are all in the text
        full.targetIds.clear();
        for (auto token = changed.target.begin() + changed.prompt; token != changed.target.end(); ++token)
            full.targetIds.push_back(token->id);
        full.maxLength = 0;
    }
    return full;
}

} // namespace

Request requestForSecond(const Request& request, const Trace& first, const ModelInfo& firstModel,
                         const ModelInfo& secondModel) {
    Request second = request;
    second.intervention = {};
    second.beginIds.clear();
    const auto answers = [](const ModelInfo& model) { return model.hasEncoder && model.hasDecoder; };
    if (!secondModel.readsPairs)
        second.second.reset();
    if (!firstModel.mask.empty() && !secondModel.mask.empty()) { // each family has a name of its own for it
        const auto replaceMask = [&](std::string& text) {
            for (auto at = text.find(firstModel.mask); at != std::string::npos;
                 at = text.find(firstModel.mask, at + secondModel.mask.size()))
                text.replace(at, firstModel.mask.size(), secondModel.mask);
        };
        replaceMask(second.source);
        if (second.second)
            replaceMask(*second.second);
    }
    if (!request.intervention.empty() && firstModel.name == secondModel.name
        && firstModel.parameters == secondModel.parameters)
        return requestInFull(std::move(second), first, answers(firstModel));
    if (!answers(firstModel) || !answers(secondModel)) {
        // Only a text of words says the same to both: what A added to it is a part of it for B.
        second.target.reset();
        second.targetIds.clear();
        second.maxLength = 0;
        second.skip.reset();
        if (request.sourceIds.empty() && first.source.empty() && !first.window)
            second.source = first.targetText;
        return second;
    }
    if (request.sourceIds.empty()) { // words say the same to both, ids only where both have one vocabulary
        second.targetIds.clear();
        second.target = first.targetText;
    } else {
        second.target.reset();
        second.targetIds.clear();
        for (const auto& token : first.target)
            second.targetIds.push_back(token.id);
    }
    return second;
}

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
        const auto& job = result.job;
        const auto attempt = [&](const std::filesystem::path& folder, const auto& run) -> TracePointer {
            try {
                return run(m_models.open(folder));
            } catch (const std::exception& error) {
                result.problem = problemWith(folder, error);
                return nullptr;
            }
        };
        result.first = attempt(job.first, [&](Engine& engine) {
            result.firstModel = engine.info();
            return engine.run(job.request, stop);
        });
        const auto& request = job.request;
        const bool changed = !request.intervention.empty() || !request.beginIds.empty();
        if (result.first && changed && result.first->cross && !request.target && request.targetIds.empty())
            result.full = attempt(job.first, [&](Engine& engine) {
                auto own = request;
                own.intervention = {};
                own.beginIds.clear();
                return engine.run(own, stop);
            });
        if (result.first && !job.second.empty())
            result.second = attempt(job.second, [&](Engine& engine) {
                result.secondModel = engine.info();
                return engine.run(requestForSecond(job.request, *result.first, *result.firstModel, engine.info()),
                                  stop);
            });
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
