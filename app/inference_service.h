// The one thread that owns the models: the newest text wins, the window never waits.
#pragma once

#include "core/engine.h"
#include "core/runs/side_by_side.h"

#include <QObject>
#include <QString>

#include <memory>

namespace headlight {

/// What to run: one text through one or two models. B is forced to A's target, so that both have one text.
using InferenceJob = SideBySide;

/// What came of it. `first` is null only when there is a problem with A; with a problem of B alone, A's run is
/// there.
struct InferenceResult : Runs {
    quint64 generation = 0; ///< as submit() returned it
    InferenceJob job;
    QString problem; ///< what could not be done, where, and the remedy; empty when all was done
};

/// submit() raises the generation, replaces the waiting job and asks the running one to stop (tested between layers
/// and decoding steps); delivery, in the thread that this object lives in, checks the generation again. Models are
/// opened in the thread when first asked for, and the last few are kept.
class InferenceService : public QObject {
    Q_OBJECT
public:
    explicit InferenceService(QObject* parent = nullptr);
    /// Asks the running job to stop and waits for the thread.
    ~InferenceService() override;

    /// Never blocks. Returns the job's generation.
    quint64 submit(InferenceJob job);
    /// Drops the running job and the waiting one: nothing is delivered of them.
    void cancel();
    /// True from submit() until the newest job is delivered.
    bool busy() const;

Q_SIGNALS:
    /// Only for the newest job.
    void finished(const headlight::InferenceResult& result);

private:
    class Worker;
    void deliver(const InferenceResult& result);

    quint64 m_generation = 0;
    quint64 m_delivered = 0;
    std::unique_ptr<Worker> m_worker;
};

} // namespace headlight
