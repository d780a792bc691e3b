// The window: text on the left, views in the middle, the inspector on the right, timings below.
#pragma once

#include "app/document.h"
#include "app/exported_view.h"
#include "app/settings.h"
#include "app/text_panel.h"
#include "app/workbench.h"
#include "widgets/appearance.h"
#include "widgets/selection.h"

#include <QList>
#include <QMainWindow>
#include <QPointer>
#include <QTimer>

#include <memory>
#include <optional>
#include <vector>

class QLineEdit;
class QSplitter;
class QTabWidget;

namespace headlight {

class Banner;
class Doors;
class ExportDialog;
class HubDoors;
class Inspector;
class Notice;
class StatusLine;
class TopBar;
class TraceView;
class Veil;

/// Holds the parts together: what is typed goes to the Workbench, what comes back to the views. What the user does to
/// them becomes the next Session of the Document, and each of its sessions can be shown again. It asks for files, and
/// remembers what is to be remembered.
class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    /// What to open with; empty parts are as the session is that was on show last, or the first example.
    struct Opening {
        QString modelA = {};
        QString modelB = {};
        QString source = {};
        QString target = {};
        QString view = {};  ///< as ViewType::name
        int beam = 1;       ///< hypotheses of the translation
        QString trace = {}; ///< a file with a run to show instead of a model's; empty: none
        /// Another session, with nothing kept for the next start; the rest of this is then passed over.
        std::optional<Session> session = {};
        QString file = {}; ///< a session's; empty: none
    };

    MainWindow(Settings settings, const Opening& opening, QWidget* parent = nullptr);
    ~MainWindow() override;

    /// The view on show.
    TraceView* view() const;
    void showView(const QString& name);
    Selection& selection() { return *m_selection; }
    /// The run on show, of model A; null before the first.
    TracePointer trace() const { return m_workbench->first(); }
    /// True while what is drawn is not yet of the text that is typed.
    bool waiting() const { return m_workbench->busy(); }
    const Workbench& workbench() const { return *m_workbench; }
    const Document& document() const { return m_document; }
    /// What is on show now.
    Session session() const;

Q_SIGNALS:
    /// A run came back and is on the views.
    void shown();

protected:
    bool event(QEvent* event) override;
    void closeEvent(QCloseEvent* event) override;

private:
    void buildLayout();
    void buildViews();
    void buildMenus();
    void connectWorkbench();
    void openWith(const Opening& opening);

    /// Puts a session on show, as far as it is another than the one that is.
    void showSession(const Session& session);
    void showChoices(const Session& session);
    /// Once what a session asked for has run.
    void finishShowing();
    /// Something of session() has changed, or may have.
    void note();
    void takeNote();
    void undo();
    void redo();
    void beginAnew();
    void openSession(const Session& session, const QString& file);
    void save();
    void askWhereToSave();
    void saveAs(const QString& file);
    void nameWindow();
    void editNotes();
    void escape();
    void setTextSize(int percent);
    void find();
    void showFound(int step);
    void showExport();
    void copyPicture();
    void askWhereToSaveTrace();
    OnShow onShow() const;

    void showRun(const TracePointer& first, const TracePointer& second);
    void tell(const Workbench::Message& message);
    void tellState();
    /// Of the view on show.
    const ViewNeeds& needs() const;
    void followView();
    void listGold(const std::vector<GoldAlignment>& sentences, const QString& file);
    void askForFolder(bool first);
    void listModels();

    void applyAppearance();
    void fitSides();
    void saveSoon();
    void saveState();

    Settings m_settings;
    Document m_document;
    Appearance m_appearance;
    Selection* m_selection;
    std::unique_ptr<Workbench> m_workbench;
    Doors* m_doors;
    HubDoors* m_hubDoors;
    TopBar* m_topBar;
    Banner* m_banner;
    Notice* m_notice;
    StatusLine* m_status;
    TextPanel* m_texts;
    QTabWidget* m_tabs;
    Inspector* m_inspector;
    QSplitter* m_splitter;
    QPointer<ExportDialog> m_export;
    QList<TraceView*> m_views;
    Veil* m_sideVeil;

    std::optional<Session::Typed> m_typed; ///< before the file on show was opened
    std::optional<Session> m_toShow;       ///< until what it asked for has run
    bool m_showing = false;                ///< a session is put on show: no user changes anything
    bool m_byUser = false;                 ///< what is noted was not changed by a run that came
    QTimer m_noted;
    Workbench::Message m_message; ///< of the workbench
    QString m_notOpened;          ///< the file that the window was to open with, and why
    QString m_notSaved;           ///< why settings are not kept
    QLineEdit* m_find;            ///< a token; shown while one is looked for
    QString m_openedFrom;         ///< the view whose head was opened; empty: none was
    bool m_keeps = true;          ///< for the next start
    QTimer m_saveSoon;
    bool m_sidesMoved = false; ///< by the user: then they stay
};

} // namespace headlight
