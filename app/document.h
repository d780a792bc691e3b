// The session on show, all those before it that undo goes back to, and the file that it is kept in.
#pragma once

#include "app/session.h"

#include <QElapsedTimer>
#include <QHash>
#include <QObject>
#include <QString>
#include <QUndoStack>

#include <chrono>
#include <vector>

namespace headlight {

/// Holds sessions and shows none. Opening another file is a step like any other: undo brings back what was there.
class Document : public QObject {
    Q_OBJECT
public:
    /// @param pause what follows a change of its kind within this time belongs to the same step
    explicit Document(std::chrono::milliseconds pause = std::chrono::seconds(1), QObject* parent = nullptr);

    const Session& session() const { return now().session; }
    /// Empty: none yet.
    const QString& file() const { return now().file; }
    /// True when the session is another than the file holds.
    bool changed() const { return session() != m_saved.value(file()); }

    /// What there is at first, with nothing to undo.
    void start(const Session& session);
    /// The same of a file, which holds `saved`.
    void start(const Session& session, const QString& file, const Session& saved);
    /// The user has changed what is on show.
    void take(const Session& session);
    /// The program has: that is no step.
    void amend(const Session& session);
    /// Another document in this one's place: that of a file, or with none a new one.
    void open(const Session& session, const QString& file);
    /// @throws Error when the file cannot be written; then all is as before
    void save(const QString& file);

    /// What undo and redo are called, and whether there are any. The window does them, for it knows what is on show.
    const QUndoStack& steps() const { return m_steps; }
    /// The session before, or behind; to be shown.
    const Session& undo();
    const Session& redo();

Q_SIGNALS:
    /// Another session, file, or one that is saved.
    void stateChanged();

private:
    struct State {
        Session session;
        QString file = {};
    };
    const State& now() const { return m_states[static_cast<std::size_t>(m_steps.index())]; }
    State& now() { return m_states[static_cast<std::size_t>(m_steps.index())]; }
    void push(State state, const QString& text);
    void replaceNow(const Session& session);

    QUndoStack m_steps;              ///< names only
    std::vector<State> m_states;     ///< before the first step, and behind each
    QHash<QString, Session> m_saved; ///< what the files hold
    std::chrono::milliseconds m_pause;
    QElapsedTimer m_sinceTaken;
};

} // namespace headlight
