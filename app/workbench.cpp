#include "app/workbench.h"

#include "core/files/hub.h"
#include "core/trace/trace_file.h"

#include <QFile>
#include <QFileInfo>
#include <QScopedValueRollback>
#include <QStringList>

#include <memory>
#include <utility>

namespace headlight {

namespace {

using namespace std::chrono_literals;

constexpr auto worthAWord = 150ms;

} // namespace

Workbench::Workbench(Selection& selection, const Models& usual, InferenceService::Means means, QObject* parent)
    : QObject(parent), m_selection(selection), m_ran{usual, {}}, m_service(std::move(means)) {
    try {
        m_ran.folders.a = ModelCatalog::resolve(usual.a);
    } catch (const Error&) { // then there is none, and whatever is chosen says what is wrong
    }
    m_slow.setSingleShot(true);
    m_slow.setInterval(worthAWord);
    connect(&m_slow, &QTimer::timeout, this, [this] {
        setStale(m_first != nullptr);
        Q_EMIT stateChanged();
    });
    connect(&m_service, &InferenceService::finished, this, &Workbench::display);
    connect(&m_selection, &Selection::offChanged, this, &Workbench::followOff);
    connect(&m_selection, &Selection::headChanged, this, [this] {
        if (!m_starting && current() && lacksRecord())
            submit();
    });
}

Workbench::~Workbench() = default;

void Workbench::start(const Session& session, const Request& typed) {
    const QScopedValueRollback starting(m_starting, true);
    m_typed = typed;
    take(session.models, true);
    ++m_edit;
    const bool same = m_chosen.models.a == session.models.a; // heads and tokens are those of a model
    m_whatIf = same ? session.changes : WhatIf();
    auto chosen = session.selection;
    if (!same)
        chosen.off.clear();
    m_selection.setChosen(chosen);
}

void Workbench::choose(const Models& models) {
    if (take(models))
        submit();
}

bool Workbench::take(const Models& models, bool partly) {
    m_standing = {};
    Chosen chosen{models, {}};
    bool found = true;
    const auto find = [&](QString Models::*model, std::filesystem::path Folders::*folder, Message::Remedy remedy) {
        try {
            if (const auto& wanted = models.*model; !wanted.isEmpty())
                chosen.folders.*folder = ModelCatalog::resolve(wanted);
        } catch (const std::exception& error) {
            found = false;
            tellProblem(QString::fromUtf8(error.what()), remedy);
            Q_EMIT modelFailed(models.*model);
            const bool another = m_ran.models.*model != models.*model;
            chosen.models.*model = another ? m_ran.models.*model : QString();
            chosen.folders.*folder = another ? m_ran.folders.*folder : std::filesystem::path();
        }
    };
    find(&Models::a, &Folders::a, Message::Remedy::ChooseFirst);
    find(&Models::b, &Folders::b, Message::Remedy::ChooseSecond);
    if (!found && m_first && !partly) {
        Q_EMIT modelsChanged();
        return false;
    }
    leaveTrace(true);
    const bool another = chosen.folders.a != m_chosen.folders.a;
    m_chosen = std::move(chosen);
    Q_EMIT modelsChanged();
    if (another) { // whose heads and tokens those were
        m_edit += m_whatIf.empty() ? 0 : 1;
        m_whatIf.clear();
        m_selection.setOff({});
    }
    return true;
}

void Workbench::swapModels() {
    if (const auto& models = m_chosen.models; !models.b.isEmpty())
        choose({models.b, models.a});
}

void Workbench::reload() {
    submit(true);
}

void Workbench::setNeeds(const ViewNeeds& needs) {
    m_needs = needs;
    if (lacksRecord())
        submit();
}

void Workbench::request(const Request& typed) {
    const auto same = [&](auto Request::*part) { return typed.*part == m_typed.*part; };
    if (!same(&Request::source) || !same(&Request::second) || !same(&Request::target) || !same(&Request::targetIds)
        || !same(&Request::skip) || !same(&Request::beam) || !same(&Request::sourceLanguage)
        || !same(&Request::targetLanguage) || !same(&Request::prefix))
        m_whatIf.clear(); // which was of the text before
    m_typed = typed;
    leaveTrace(false);
    ++m_edit;
    submit();
}

void Workbench::change(const std::function<void()>& change) {
    if (!m_traceFile.isEmpty()) {
        Q_EMIT remarked(tr("A run from a file stays as it is."));
    } else if (!current()) { // its steps and tokens are those of another text
        Q_EMIT remarked(tr("The picture is of the text before."));
    } else {
        change();
        ++m_edit;
        submit();
        Q_EMIT changed();
    }
}

void Workbench::chooseCandidate(int step, qint64 id) {
    change([&] {
        if (m_typed.target) {
            const auto before = m_whatIf;
            Q_EMIT ownTranslationWanted(); // another text, which forgets what was chosen
            m_whatIf = before;
        }
        m_whatIf.chooseCandidate(*m_first, step, id);
    });
}

void Workbench::forceAttention(int step, int key) {
    change([&] { m_whatIf.forceAttention(*m_first, step, key); });
}

void Workbench::chooseHypothesis(const QList<qint64>& emitted, bool finished) {
    change([&] { m_whatIf.chooseHypothesis(*m_first, {emitted.begin(), emitted.end()}, finished); });
}

void Workbench::undoChanges() {
    m_whatIf.clear();
    leaveTrace(true);
    ++m_edit;
    const bool heads = !m_selection.off().empty();
    m_selection.setOff({}); // which asks for a run where there were any
    if (!heads)
        submit();
    Q_EMIT changed();
}

void Workbench::followOff() {
    if (m_starting)
        return;
    if (m_traceFile.isEmpty()) {
        ++m_edit;
        submit();
    } else if (!m_selection.off().empty()) {
        m_selection.setOff({}); // after which this is called again
    } else {
        Q_EMIT remarked(tr("A run from a file stays as it is."));
    }
}

void Workbench::openTrace(const QString& file) {
    auto trace = std::make_shared<const Trace>(readTrace(QFile::encodeName(file).toStdString()));
    m_whatIf.clear();
    m_selection.setOff({});
    m_service.cancel(); // a run that is on its way would take this one's place
    m_slow.stop();
    m_failed = false;
    m_full = nullptr;
    m_traceFile = file;
    setStale(false);
    QStringList notices;
    for (const auto& notice : trace->notices)
        notices << QString::fromStdString(notice);
    Q_EMIT told({.text = notices.join(QLatin1Char('\n'))});
    Q_EMIT traceOpened(*trace);
    if (!trace->cross && m_needs.onlyCross)
        Q_EMIT viewWanted(QStringLiteral("heads"));
    showRun(std::move(trace), nullptr);
}

void Workbench::leaveTrace(bool typed) {
    if (m_traceFile.isEmpty())
        return;
    m_traceFile.clear();
    ++m_edit;
    Q_EMIT traceLeft(typed);
}

void Workbench::submit(bool reread) {
    if (!m_traceFile.isEmpty())
        return; // the run on show is no model's of ours
    const auto& [firstFolder, secondFolder] = m_chosen.folders;
    if (firstFolder.empty()) {
        fail();
        return tellProblem(m_standing.text.isEmpty() ? tr("There is no model to run.") : m_standing.text,
                           Message::Remedy::ChooseFirst);
    }
    InferenceJob job;
    job.first = firstFolder;
    job.second = secondFolder;
    job.request = m_typed;
    job.pair = m_needs.pair;
    job.reread = reread;
    job.edit = m_edit;
    m_whatIf.apply(job.request);
    job.request.intervention.off = m_selection.off();
    if (!job.request.intervention.empty())
        job.second = firstFolder; // what a change does is seen beside the model as it is
    const bool transformer = m_first && (m_first->encoder || m_first->decoder);
    job.request.record.scores = m_needs.scores;
    job.request.record.vectors = m_needs.vectors || !transformer; // of what A becomes, lacksRecord() knows more
    recordFor(m_selection.choice(), m_needs.lens, job.request.record);
    m_failed = false;
    m_service.submit(std::move(job));
    if (!m_slow.isActive())
        m_slow.start();
}

void Workbench::display(const InferenceResult& result) {
    if (result.job.first != m_chosen.folders.a)
        return; // of a model that is no longer chosen
    const QScopedValueRollback displaying(m_displaying, true);
    if (result.newest)
        m_slow.stop();
    if (!result.first)
        return fallBack(result);
    const bool another = !m_first || m_first->model != result.first->model;
    m_shownEdit = result.job.edit;
    m_firstFolder = result.job.first;
    m_record = result.job.request.record;
    m_full = result.full;
    m_secondPending = !result.whole;
    Q_EMIT modelKnown(*result.firstModel); // which may ask for another run, of what the model before did not read
    setStale(!current());
    const bool attendsElsewhere = result.first->encoder || result.first->decoder;
    if (another && m_needs.onlyCross && !result.first->cross && attendsElsewhere)
        Q_EMIT viewWanted(QStringLiteral("heads"));
    showRun(result.first, result.second);
    if (!result.newest)
        return;
    if (result.whole && !result.secondModel && !result.job.second.empty() && result.job.second != result.job.first)
        return fallBack(result);
    if (result.whole) {
        tell(result);
        m_ran = m_chosen;
        Q_EMIT modelsRan();
    }
    if (current() && lacksRecord()) // the view, or the model, is another than when this was asked for
        submit();
}

void Workbench::showRun(TracePointer first, TracePointer second) {
    m_first = std::move(first);
    m_second = std::move(second);
    describeChanges();
    Q_EMIT shown(m_first, m_second);
    Q_EMIT stateChanged();
}

/// What could not be opened is no longer chosen: the model before goes on. One that was opened and did not run stays.
void Workbench::fallBack(const InferenceResult& result) {
    const bool first = !result.first;
    if (first && result.firstModel) {
        tell(result);
        return fail();
    }
    if (result.job.reread) {
        Q_EMIT told({.text = result.problem, .problem = true, .anew = true, .remedy = Message::Remedy::Reload});
        return submit(); // with what is open
    }
    tellProblem(result.problem, first ? Message::Remedy::ChooseFirst : Message::Remedy::ChooseSecond);
    const auto failed = first ? m_chosen.models.a : m_chosen.models.b;
    Q_EMIT modelFailed(failed);
    auto chosen = m_chosen;
    if (first) {
        if (m_ran.models.a == failed)
            return fail();
        chosen.models.a = m_ran.models.a;
        chosen.folders.a = m_ran.folders.a;
    } else {
        const bool another = m_ran.models.b != failed;
        chosen.models.b = another ? m_ran.models.b : QString();
        chosen.folders.b = another ? m_ran.folders.b : std::filesystem::path();
    }
    m_chosen = chosen;
    if (first && (!m_whatIf.empty() || !m_selection.off().empty())) { // whose heads and tokens those were
        const QScopedValueRollback starting(m_starting, true);
        m_whatIf.clear();
        m_selection.setOff({});
        ++m_edit;
    }
    Q_EMIT modelsChanged();
    if (first && current()) // what is on show is the run of this model and this text
        setStale(false);
    else if (first || !m_chosen.folders.b.empty())
        submit();
    Q_EMIT stateChanged();
}

/// There is no run of what is chosen.
void Workbench::fail() {
    m_slow.stop();
    m_failed = true;
    setStale(m_first != nullptr);
    describeChanges(); // which may be why, and are to be undone
    Q_EMIT stateChanged();
}

bool Workbench::current() const {
    return m_traceFile.isEmpty() && m_shownEdit == m_edit && m_firstFolder == m_chosen.folders.a;
}

bool Workbench::lacksRecord() const {
    if (!m_first || !m_traceFile.isEmpty())
        return false;
    const bool additive = m_first->cross && !m_first->encoder && !m_first->decoder; // the inspector tells its energies
    Recording wanted;
    recordFor(m_selection.choice(), m_needs.lens, wanted);
    return ((m_needs.vectors || additive) && !m_record.vectors) || (m_needs.scores && !m_record.scores)
           || (wanted.norms && !m_record.norms) || (wanted.alti && !m_record.alti) || (wanted.lens && !m_record.lens);
}

void Workbench::setStale(bool stale) {
    if (stale == m_stale)
        return;
    m_stale = stale;
    Q_EMIT staleChanged(stale);
}

void Workbench::tell(const InferenceResult& result) {
    QStringList lines;
    for (const auto& problem : {m_standing.text, result.problem})
        if (!problem.isEmpty())
            lines << problem;
    Message message{.problem = !lines.isEmpty(), .anew = !result.problem.isEmpty(), .remedy = m_standing.remedy};
    for (const auto& trace : {result.first, result.second}) {
        if (!trace)
            continue;
        for (const auto& notice : trace->notices)
            lines << tr("%1: %2").arg(QString::fromStdString(trace->model), QString::fromStdString(notice));
    }
    for (const auto& folder : result.changedFolders) {
        lines << tr("%1: its files have changed since they were read.")
                     .arg(QString::fromStdString(modelName(folder.toStdString())));
        if (message.remedy == Message::Remedy::None)
            message.remedy = Message::Remedy::Reload;
    }
    lines.removeDuplicates(); // of a model beside itself in full
    message.text = lines.join(QLatin1Char('\n'));
    Q_EMIT told(message);
}

void Workbench::tellProblem(const QString& text, Message::Remedy remedy) {
    m_standing = {.text = text, .problem = true, .remedy = remedy};
    auto message = m_standing;
    message.anew = true;
    Q_EMIT told(message);
}

void Workbench::describeChanges() {
    m_changes = {};
    if (!m_traceFile.isEmpty()) {
        m_changes = {tr("On show is %1, a run from a file. Views that need what it lacks say so.")
                         .arg(QFileInfo(m_traceFile).fileName()),
                     tr("Back to the models")};
        return;
    }
    QStringList parts;
    if (const auto heads = static_cast<int>(m_selection.off().size()); heads > 0)
        parts << tr("%n head(s) switched off", nullptr, heads);
    if (!m_whatIf.empty())
        parts << m_whatIf.words();
    if (parts.isEmpty())
        return;
    auto text = tr("A runs changed: %1.").arg(parts.join(QStringLiteral("; ")));
    if (m_first && m_second && !m_first->intervention.empty())
        text += tr(" B is A in full, for comparison.");
    if (m_first && m_full)
        text += m_full->targetText == m_first->targetText
                    ? tr(" Its translation stays the same.")
                    : tr(" In full it says: %1").arg(QString::fromStdString(m_full->targetText));
    m_changes = {text, tr("Back to A in full")};
}

} // namespace headlight
