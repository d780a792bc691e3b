// The panel on the left: what is typed, as which tokens the model reads it, and sentences to try.
#pragma once

#include "core/trace/trace.h"
#include "widgets/appearance.h"

#include <QList>
#include <QString>
#include <QWidget>

#include <optional>

class QLabel;
class QListWidget;
class QPlainTextEdit;
class QPushButton;

namespace headlight {

class Selection;
class TokenStrip;

/// Two texts. The target is model A's own translation, until the user edits it: from then on it is forced.
class TextPanel : public QWidget {
    Q_OBJECT
public:
    struct Example {
        QString text;
        QString look; ///< what there is to see in it
    };
    /// Those that come with the program.
    static QList<Example> examples();

    explicit TextPanel(QWidget* parent = nullptr);

    QString source() const;
    /// What the user typed; absent: the model is to translate by itself.
    std::optional<QString> target() const;
    /// Texts to start with; they cannot be undone and are not said to be edited.
    void setTexts(const QString& source, const std::optional<QString>& target);
    void focusSource();
    void useOwnTranslation();

    void setSelection(Selection* selection);
    void setAppearance(const Appearance& appearance);
    void setTrace(TracePointer trace);

Q_SIGNALS:
    /// The user changed one of the two, by whatever way.
    void textEdited();

private:
    void sourceEdited();
    void targetEdited();
    /// Writes model A's translation into the target, unless the target is the user's.
    void showTranslation();
    void setForced(bool forced);
    void chooseExample(int index);
    void showLook();

    QList<Example> m_examples;
    QPlainTextEdit* m_source;
    QPlainTextEdit* m_target;
    TokenStrip* m_sourceTokens;
    TokenStrip* m_targetTokens;
    QLabel* m_targetNote;
    QPushButton* m_ownTranslation;
    QLabel* m_invitation;
    QListWidget* m_try;
    QLabel* m_look;
    TracePointer m_trace;
    QString m_lastSource;
    QString m_lastTarget;
    bool m_forced = false;
    bool m_typedTarget = false;      ///< ever, so that undo has something to go back to
    bool m_translationOnTop = false; ///< the target's newest undo step is one that showTranslation() wrote
};

} // namespace headlight
