// The lines above the views: what went wrong, and what is not as usual.
#pragma once

#include "app/workbench.h"

#include <QFrame>

class QLabel;
class QPushButton;

namespace headlight {

/// A line for what went wrong, above what is still right. What the user closed stays closed until it happens anew, or
/// something else is to be said.
class Banner : public QFrame {
    Q_OBJECT
public:
    explicit Banner(QWidget* parent = nullptr);

    void tell(const Workbench::Message& message);
    /// A problem that has just occurred.
    void tellProblem(const QString& text) { tell({.text = text, .problem = true, .anew = true}); }

Q_SIGNALS:
    void remedyWanted(headlight::Workbench::Message::Remedy remedy);
    /// The user has read it.
    void closed();

private:
    QLabel* m_text;
    QPushButton* m_remedy;
    Workbench::Message m_told;
};

/// A line for what is not as usual, with the way back.
class Notice : public QFrame {
    Q_OBJECT
public:
    explicit Notice(QWidget* parent = nullptr);

    void tell(const Workbench::Changes& changes);

Q_SIGNALS:
    void backWanted();

private:
    QLabel* m_text;
    QPushButton* m_back;
};

} // namespace headlight
