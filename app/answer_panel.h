// What stands on the left instead of a target when the model is an encoder or a decoder alone: what it says, and for a
// decoder how to go on with the text.
#pragma once

#include "app/session.h"
#include "core/request.h"
#include "widgets/answer_list.h"

#include <QList>
#include <QWidget>

class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSpinBox;

namespace headlight {

class AnswerPanel : public QWidget {
    Q_OBJECT
public:
    explicit AnswerPanel(QWidget* parent = nullptr);

    /// True for a model that has something to say here.
    static bool serves(const ModelInfo& model);
    void setModel(const ModelInfo& model);
    void setTrace(TracePointer trace);
    void setAppearance(const Appearance& appearance);

    /// Adds what of it is set here: tokens already added, and how the next one is chosen.
    void tell(Session::Typed& typed) const;
    /// Says nothing of it to others.
    void show(const Session::Typed& typed);
    /// The text was edited: what was added to it belongs to another.
    void forgetContinuation();

    /// Adds the candidate that is current; of a masked model, puts it in the hidden word's place.
    void accept();
    /// Goes on token by token until stopped, by this again, by an edit or by the text's end.
    void toggleContinuing();
    bool continuing() const { return m_continuing; }

    QStringList describe() const;

Q_SIGNALS:
    /// What tell() adds has changed, or whether it goes on: the model is to run.
    void changed();
    /// What is to stand for the token at this position of the source, as Token::letters.
    void wordChosen(int position, const QString& letters);

private:
    void choose(int position, const Candidate& candidate);
    void stop();
    void showState();

    ModelInfo m_model;
    TracePointer m_trace;
    QList<std::int64_t> m_added;
    bool m_addedByNext = false; ///< that is, by the next model
    bool m_continuing = false;
    QLabel* m_heading;
    QLabel* m_hint;
    QLabel* m_text;
    AnswerList* m_list;
    QWidget* m_controls;
    QPushButton* m_accept;
    QPushButton* m_continue;
    QPushButton* m_clear;
    QDoubleSpinBox* m_temperature;
    QSpinBox* m_topK;
    QPushButton* m_draw;
};

} // namespace headlight
