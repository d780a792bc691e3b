// What is chosen and what came of it: the models, the request, the runs on show, what was changed in them.
#pragma once

#include "app/inference_service.h"
#include "app/model_catalog.h"
#include "app/session.h"
#include "app/view_needs.h"
#include "app/what_if.h"
#include "widgets/selection.h"

#include <QList>
#include <QObject>
#include <QString>
#include <QTimer>

#include <filesystem>
#include <functional>

namespace headlight {

/// Takes what is typed to the InferenceService and what comes back to those who show it. It draws nothing and has no
/// widget.
class Workbench : public QObject {
    Q_OBJECT
public:
    /// A line for the user.
    struct Message {
        /// What can be done about it beside reading it.
        enum class Remedy { None, ChooseFirst, ChooseSecond, Reload };
        QString text = {};    ///< empty: there is nothing to say
        bool problem = false; ///< something was not done; else a remark on what was
        bool anew = false;    ///< has just occurred, maybe once more; else it may have been read before
        Remedy remedy = Remedy::None;
    };
    /// What of the run on show was changed.
    struct Changes {
        QString text; ///< empty: nothing
        QString back; ///< what to call the way back
    };

    /// @param selection must outlive it
    /// @param usual what to run where nothing that is chosen can be opened
    /// @param means see InferenceService
    Workbench(Selection& selection, const Models& usual, InferenceService::Means means = {}, QObject* parent = nullptr);
    ~Workbench() override;

    const Models& models() const { return m_chosen.models; }
    const WhatIf& whatIf() const { return m_whatIf; }
    /// What to go on with: the session's models, changes and selection, and `typed`, what of it a request is made of.
    /// Where a model is not there, that is told and the rest is taken. Nothing runs until run().
    void start(const Session& session, const Request& typed);
    void run() { submit(); }
    /// Runs these models from now on. One that cannot be opened leaves the one before.
    void choose(const Models& models);
    void swapModels();
    /// Opens models whose files have changed anew.
    void reload();
    /// A model's problem was read, and need not be said again.
    void forgetProblem() { m_standing = {}; }
    /// What the view on show asks of a run; runs again where the one on show lacks it.
    void setNeeds(const ViewNeeds& needs);

    /// Another text: what was changed in the run before is forgotten, and a file's run is left.
    void request(const Request& typed);

    /// Changes model A's run by what was chosen in it, see WhatIf, and runs it anew. Where what is on show is of
    /// before, or from a file, it says so and does nothing.
    void chooseCandidate(int step, qint64 id);
    void forceAttention(int step, int key);
    void chooseHypothesis(const QList<qint64>& emitted, bool finished);
    /// Everything as model A does it: heads on, nothing forced; no file on show.
    void undoChanges();
    const Changes& changes() const { return m_changes; }

    /// Shows a run that a file holds, until another text or model is chosen.
    /// @throws Error when it is none; what is on show stays
    void openTrace(const QString& file);
    /// The file on show; empty: model A's run is.
    const QString& traceFile() const { return m_traceFile; }

    const TracePointer& first() const { return m_first; }
    const TracePointer& second() const { return m_second; }
    /// True while a run that came is put on show: what changes then, no user has changed.
    bool displaying() const { return m_displaying; }
    /// True from a request until all that it asked for is on show.
    bool busy() const { return m_service.busy(); }
    /// True while what is on show is of a text or of models before those that are chosen, for so long that it is worth
    /// a word, or because the run failed.
    bool stale() const { return m_stale; }
    /// True while A's run is on show and that of B, or of A in full, is on its way.
    bool secondPending() const { return m_secondPending && busy(); }
    /// True when the run of what is chosen failed, and nothing else is on its way.
    bool failed() const { return m_failed && !busy(); }

Q_SIGNALS:
    /// What A is, before its run is shown.
    void modelKnown(const headlight::ModelInfo& model);
    /// These runs are to be on show. `second` is of the text of `first`, or null while it is not there.
    void shown(headlight::TracePointer first, headlight::TracePointer second);
    void staleChanged(bool stale);
    /// A file's run is about to be shown.
    void traceOpened(const headlight::Trace& trace);
    /// Other models were chosen, or those before again because the choice failed.
    void modelsChanged();
    /// These models have run.
    void modelsRan();
    /// This one, by name or folder, could not be opened.
    void modelFailed(const QString& model);
    /// The target that is typed leaves nothing to choose.
    void ownTranslationWanted();
    /// The file whose run was on show is left; `typed`: what was typed before is run again.
    void traceLeft(bool typed);
    /// The view on show has nothing of what is now to be shown.
    void viewWanted(const QString& name);
    void told(const headlight::Workbench::Message& message);
    /// The user has changed what model A does, see WhatIf.
    void changed();
    /// Something was not possible that is soon forgotten.
    void remarked(const QString& text);
    /// What changes() says, or what stands in the line of state.
    void stateChanged();

private:
    struct Folders {
        std::filesystem::path a; ///< empty: there is no such model
        std::filesystem::path b; ///< empty: none
    };
    struct Chosen {
        Models models;
        Folders folders;
    };

    /// False: there is no such model, and what is on show stays.
    /// @param partly true: what there is of them is taken
    bool take(const Models& models, bool partly = false);
    void change(const std::function<void()>& change);
    void submit(bool reread = false);
    void display(const InferenceResult& result);
    void showRun(TracePointer first, TracePointer second);
    void fallBack(const InferenceResult& result);
    void fail();
    void tell(const InferenceResult& result);
    void tellProblem(const QString& text, Message::Remedy remedy);
    void describeChanges();
    void followOff();
    void leaveTrace(bool typed);
    void setStale(bool stale);
    /// True when what is on show is A's run of what is chosen.
    bool current() const;
    /// True when the view on show needs what the run on show did not record.
    bool lacksRecord() const;

    Selection& m_selection;
    Chosen m_chosen;
    Chosen m_ran; ///< what ran last, or is usual
    Request m_typed;
    ViewNeeds m_needs;
    WhatIf m_whatIf; ///< of the text and the model on show
    TracePointer m_first;
    TracePointer m_second;
    TracePointer m_full;                 ///< what A says with nothing changed
    Recording m_record;                  ///< of the run on show
    std::filesystem::path m_firstFolder; ///< of the run on show
    QString m_traceFile;
    Message m_standing; ///< a model's problem, until another is chosen
    Changes m_changes;
    quint64 m_edit = 1; ///< counts the changes of what is to be run, models aside
    quint64 m_shownEdit = 0;
    bool m_starting = false;
    bool m_displaying = false;
    bool m_stale = false;
    bool m_failed = false;
    bool m_secondPending = false;
    QTimer m_slow;              ///< a run that is quicker is not worth a word
    InferenceService m_service; ///< last: its thread ends before anything that it reports to
};

} // namespace headlight
