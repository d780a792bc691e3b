// The one thread that owns the models: the newest text wins, the window never waits.
#pragma once

#include "core/engine.h"
#include "core/runs/side_by_side.h"

#include <QObject>
#include <QString>

#include <QStringList>
#include <QTimer>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace headlight {

/// What to run: one text through one or two models. B is forced to A's target, so that both have one text.
struct InferenceJob : SideBySide {
    bool pair = false;   ///< both runs make the picture: B's is as worth finishing as A's
    bool reread = false; ///< models whose files have changed are opened anew
    quint64 edit = 0;    ///< for whoever submits: which state of what is typed and chosen this is of
};

/// What came of it. `first` is null only when there is a problem with A; with a problem of B alone, A's run is
/// there. Without `firstModel` A could not be opened, likewise B. `second` is of the text of `first`, never of another.
struct InferenceResult : Runs {
    quint64 generation = 0; ///< as submit() returned it
    InferenceJob job;
    QString problem;            ///< what could not be done, where, and the remedy; empty when all was done
    QStringList changedFolders; ///< whose files are no longer those that were opened
    bool newest = true;         ///< false: another job was submitted since
    bool whole = true;          ///< false: A's run alone; what else was asked for follows, unless a newer job comes
    std::chrono::steady_clock::duration spent{}; ///< on A's run
};

/// submit() raises the generation, replaces the waiting job and asks the running one to stop (tested between layers
/// and decoding steps) unless it is worth finishing: where the picture on show has grown old, a run of the text before
/// is better than none. So pictures come while someone types without a pause, and the newest text waits for one run at
/// most. B's run makes nobody wait: A's is delivered as soon as it is there. Delivery, in the thread that this object
/// lives in, checks the generation again. Models are opened in the thread when first asked for, and the last few are
/// kept.
class InferenceService : public QObject {
    Q_OBJECT
public:
    using Clock = std::chrono::steady_clock;
    /// What the service stands on; tests put others in its place.
    struct Means {
        std::function<std::unique_ptr<Engine>(const std::filesystem::path&)> open = Engine::open;
        std::function<Clock::time_point()> now = Clock::now;
    };

    /// A picture that has been on show for so long is old.
    static constexpr auto freshFor = std::chrono::milliseconds(100);

    explicit InferenceService(QObject* parent = nullptr);
    explicit InferenceService(Means means, QObject* parent = nullptr);
    /// Asks the running job to stop and waits for the thread.
    ~InferenceService() override;

    /// Never blocks. Returns the job's generation.
    quint64 submit(InferenceJob job);
    /// Drops the running job and the waiting one: nothing is delivered of them.
    void cancel();
    /// True from submit() until all of the newest job is delivered.
    bool busy() const;

Q_SIGNALS:
    /// For the newest job, and for those before it that were let finish, in the order of their generations.
    void finished(const headlight::InferenceResult& result);

private:
    class Worker;
    void deliver(InferenceResult result);
    void show(InferenceResult result);

    std::function<Clock::time_point()> m_now;
    quint64 m_generation = 0;
    quint64 m_delivered = 0; ///< the newest that is whole
    quint64 m_dropped = 0;   ///< those up to this one are not delivered
    std::optional<Clock::time_point> m_firstShown;
    std::optional<Clock::time_point> m_pairShown;
    Clock::duration m_lastRun{};           ///< of A
    std::optional<InferenceResult> m_half; ///< A's run, held back for a moment
    QTimer m_halfTimer;
    QTimer m_overdue;
    std::unique_ptr<Worker> m_worker;
};

} // namespace headlight
