#include "app/document.h"

#include <QFile>

#include <utility>

namespace headlight {

namespace {

constexpr int mostSteps = 500;

} // namespace

Document::Document(std::chrono::milliseconds pause, QObject* parent) : QObject(parent), m_states(1), m_pause(pause) {
    m_steps.setUndoLimit(mostSteps);
}

void Document::start(const Session& session) {
    start(session, {}, session);
}

void Document::start(const Session& session, const QString& file, const Session& saved) {
    m_steps.clear();
    m_states = {{session, file}};
    m_saved = {{file, saved}};
    Q_EMIT stateChanged();
}

void Document::push(State state, const QString& text) {
    m_states.resize(static_cast<std::size_t>(m_steps.index()) + 1);
    m_states.push_back(std::move(state));
    m_steps.push(new QUndoCommand(text));
    while (m_states.size()
           > static_cast<std::size_t>(m_steps.count()) + 1) // the stack forgets what is beyond its limit
        m_states.erase(m_states.begin());
    Q_EMIT stateChanged();
}

void Document::take(const Session& session) {
    const auto what = session.differenceFrom(this->session());
    if (what.isEmpty())
        return;
    const bool goesOn = m_steps.index() > 0 && m_steps.index() == m_steps.count() && m_steps.undoText() == what
                        && m_sinceTaken.isValid() && m_sinceTaken.elapsed() < m_pause.count()
                        && session.flowsFrom(this->session());
    m_sinceTaken.start();
    if (goesOn)
        return replaceNow(session);
    push({session, file()}, what);
}

void Document::replaceNow(const Session& session) {
    if (session == this->session())
        return;
    now().session = session;
    Q_EMIT stateChanged();
}

void Document::amend(const Session& session) {
    if (!changed() && session != this->session()) // who did nothing has nothing to save
        m_saved[file()] = session;
    replaceNow(session);
}

void Document::open(const Session& session, const QString& file) {
    m_saved[file] = session;
    push({session, file}, file.isEmpty() ? tr("new") : tr("open"));
    m_sinceTaken.invalidate();
}

void Document::save(const QString& file) {
    session().save(QFile::encodeName(file).toStdString());
    now().file = file;
    m_saved[file] = session();
    Q_EMIT stateChanged();
}

const Session& Document::undo() {
    m_sinceTaken.invalidate();
    m_steps.undo();
    Q_EMIT stateChanged();
    return session();
}

const Session& Document::redo() {
    m_sinceTaken.invalidate();
    m_steps.redo();
    Q_EMIT stateChanged();
    return session();
}

} // namespace headlight
