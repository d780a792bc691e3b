// Where files and folders come in: chosen in a dialog, dropped, or named on the command line.
#pragma once

#include "core/analysis/gold_alignment.h"

#include <QObject>
#include <QString>

#include <functional>
#include <vector>

class QDialog;
class QWidget;

namespace headlight {

struct Session;
class Workbench;

/// Opens whatever a path leads to, and says what is wrong with it: nothing on a disk ends the program.
class Doors : public QObject {
    Q_OBJECT
public:
    /// @param window that the dialogs belong to and that files are dropped on; both must outlive the doors
    Doors(QWidget& window, Workbench& workbench);

    /// Does what may fail. Returns why it did; empty: it did not.
    static QString attempt(const QString& path, const std::function<void()>& deed);

    /// A session, a run, gold alignments, or a model: as model A, or as B.
    void open(const QString& path, bool first);
    /// @param from where the dialog begins
    void askForFolder(bool first, const QString& from);
    void askForSession(const QString& from);
    void askForTrace(const QString& from);
    void askForGold(const QString& from);

Q_SIGNALS:
    void failed(const QString& why);
    void sessionOpened(const headlight::Session& session, const QString& file);
    void goldOpened(const std::vector<headlight::GoldAlignment>& sentences, const QString& file);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void askForFile(const QString& title, const QString& kinds, const QString& from);

    QWidget& m_window;
    Workbench& m_workbench;
};

/// Shows a dialog in its window's colours; what it brings comes by its signals, and it goes when it is closed.
void present(QDialog* dialog);
/// Shows a page of text in a dialog of its own.
void presentPage(QWidget& window, const QString& title, const QString& richText);

} // namespace headlight
