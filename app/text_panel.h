// The panel on the left: what is typed, as which tokens the model reads it, and sentences to try.
#pragma once

#include "app/session.h"
#include "core/request.h"
#include "widgets/appearance.h"

#include <QString>
#include <QWidget>

#include <optional>

class QLabel;
class QPushButton;
class QSpinBox;

namespace headlight {

class AnswerPanel;
class Editor;
class ExampleList;
class LanguageBox;
class Selection;
class TokenStrip;

/// What model A reads, and what stands below follows from what it is. With encoder and decoder that is a target, the
/// model's own translation until the user edits it: from then on it is forced. An encoder alone may have a second text
/// and a word to guess, a decoder alone goes on with the text: see AnswerPanel.
class TextPanel : public QWidget {
    Q_OBJECT
public:
    explicit TextPanel(QWidget* parent = nullptr);

    QString source() const { return m_lastSource; }
    /// All that is typed and set here, as a request.
    Request request() const;
    /// What model A is, once it is known: as long as it is not, it is taken for a translation. Where this one reads
    /// more of what is typed than the one before, or less, that counts as an edit.
    void setModel(const ModelInfo& model);
    /// What the user typed and set. Showing it says nothing of it to others.
    Session::Typed typed() const;
    void show(const Session::Typed& typed);
    /// Shows the texts of a run that is no model's on show.
    void setShownTexts(const Trace& trace);
    /// Types both texts for the user, the target forced.
    void forceTexts(const QString& source, const QString& target);
    void focusSource();
    void useOwnTranslation();
    /// Puts the token in whose place the model is to guess a word where the cursor is.
    void insertMask();
    AnswerPanel& answers() { return *m_answers; }

    void setSelection(Selection* selection);
    void setAppearance(const Appearance& appearance);
    /// @param newest false: of a text before, from which nothing goes on
    void setTrace(TracePointer trace, bool newest);

Q_SIGNALS:
    /// What request() gives was changed, by whatever way.
    void textEdited(const headlight::Request& request);

private:
    void tellEdited();
    void takeModel(const ModelInfo& model);
    void sourceEdited();
    void targetEdited();
    /// Writes model A's translation into the target, unless the target is the user's.
    void showTranslation();
    void setForced(bool forced);
    void chooseExample(const QString& text);
    void showWindow();
    void moveWindow(int direction);
    void putWord(int position, const QString& letters);

    ModelInfo m_model;
    Editor* m_source;
    Editor* m_second;
    QWidget* m_secondGroup;
    QWidget* m_targetGroup;
    AnswerPanel* m_answers;
    QPushButton* m_mask;
    LanguageBox* m_task;
    LanguageBox* m_sourceLanguage;
    LanguageBox* m_targetLanguage;
    QWidget* m_window; ///< which part of a text that is too long is on show
    QLabel* m_windowText;
    std::optional<int> m_skip;
    Editor* m_target;
    TokenStrip* m_sourceTokens;
    TokenStrip* m_targetTokens;
    QLabel* m_targetNote;
    QPushButton* m_ownTranslation;
    QSpinBox* m_beam;
    QLabel* m_invitation;
    ExampleList* m_examples;
    TracePointer m_trace;
    QString m_lastSource;
    QString m_lastSecond;
    QString m_lastTarget;
    bool m_forced = false;
};

} // namespace headlight
