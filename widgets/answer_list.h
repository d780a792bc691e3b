// What a model says, most probable first: words for each hidden word, the next token, or labels of the whole text.
#pragma once

#include "core/trace/trace.h"
#include "widgets/appearance.h"

#include <QListWidget>

namespace headlight {

/// A list of candidates with a bar for each probability. Return or a double click chooses one.
class AnswerList : public QListWidget {
    Q_OBJECT
public:
    explicit AnswerList(QWidget* parent = nullptr);

    /// @param mask text of the token whose word a masked language model guesses; empty for other models
    void setTrace(TracePointer trace, const QString& mask);
    void setAppearance(const Appearance& appearance);
    /// Line by line: for tests and screen readers.
    QStringList describe() const;
    /// Chooses the candidate that the keyboard is at, else the first.
    void chooseCurrent();

    QSize sizeHint() const override;

Q_SIGNALS:
    /// @param position row that predicts; -1 for a label
    void chosen(int position, const headlight::Candidate& candidate);

private:
    class Delegate;
    void addAnswers();
    void addHeading(const QString& text);
    void addCandidates(int position, const std::vector<Candidate>& candidates);
    const Candidate* candidateOf(const QListWidgetItem* item) const;
    void choose(const QListWidgetItem* item);

    TracePointer m_trace;
    Appearance m_appearance;
};

} // namespace headlight
