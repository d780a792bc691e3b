// What can be taken out of the program: the picture on show, and its numbers.
#pragma once

#include <QMenu>
#include <QString>

#include <functional>

class QDialog;

namespace headlight {

class TraceView;

/// The entries of the Export button and of the File menu. It shows no messages; it says what came of it.
class ExportMenu : public QMenu {
    Q_OBJECT
public:
    /// What is to be saved when an entry is chosen.
    struct Subject {
        TraceView* view = nullptr;
        QString title; ///< for the file's metadata
    };

    ExportMenu(std::function<Subject()> subject, QWidget* parent);

    /// Save picture, save numbers, copy picture; the first is what the button itself does.
    QList<QAction*> deeds() const { return actions().mid(0, 3); }
    /// Where the dialog begins, and ended last.
    const QString& folder() const { return m_folder; }
    void setFolder(const QString& folder) { m_folder = folder; }

Q_SIGNALS:
    /// A dialog to be shown; it needs no further care.
    void asks(QDialog* dialog);
    void done(const QString& message);
    void failed(const QString& why);

private:
    void ask(bool numbers);
    void save(const QString& file);
    void copy();

    std::function<Subject()> m_subject;
    QString m_folder;
    double m_scale = 2; ///< of a PNG
};

} // namespace headlight
