// The window: text on the left, views in the middle, the inspector on the right, timings below.
#pragma once

#include "app/inference_service.h"
#include "app/settings.h"
#include "app/text_panel.h"
#include "app/what_if.h"
#include "widgets/appearance.h"
#include "widgets/selection.h"

#include <QList>
#include <QMainWindow>
#include <QTimer>

#include <functional>
#include <memory>
#include <optional>

class QDialog;
class QLabel;
class QMenu;
class QSplitter;
class QTabWidget;

namespace headlight {

class ExportMenu;
class Inspector;
class TopBar;
class TraceView;
struct ViewNeeds;

/// Passes what is typed to the InferenceService and what comes back to the views; knows no model and draws nothing.
class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    /// What to open with; empty parts are as the settings or the first example have them.
    struct Opening {
        QString modelA = {};
        QString modelB = {};
        QString source = {};
        QString target = {};
        QString view = {};  ///< as ViewType::name
        int beam = 1;       ///< hypotheses of the translation
        QString trace = {}; ///< a file with a run to show instead of a model's; empty: none
    };

    MainWindow(Settings settings, const Opening& opening, QWidget* parent = nullptr);
    ~MainWindow() override;

    /// The view on show.
    TraceView* view() const;
    void showView(const QString& name);
    Selection& selection() { return *m_selection; }
    /// The run on show, of model A; null before the first.
    TracePointer trace() const { return m_first; }
    /// True while what is drawn is not yet of the text that is typed.
    bool waiting() const { return m_service->busy(); }

Q_SIGNALS:
    /// A run came back and is on the views.
    void shown();

protected:
    bool event(QEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    class Banner;
    class Notice;

    void buildLayout();
    void buildViews();
    void buildMenus();
    void buildViewMenu();
    void buildExport();
    void openWith(const Opening& opening);

    /// Submits what is typed to the models that are chosen.
    void request();
    void display(const InferenceResult& result);
    void updateStatus();

    /// Shows a run that a file holds, until another text or model is chosen.
    void openTrace(const QString& file);
    void askForTrace();
    /// Lists the sentences of a file of gold alignments, see readGoldAlignments.
    void openGold(const QString& file);
    void askForGold();
    void showRun(TracePointer first, TracePointer second);
    /// Of the view on show.
    const ViewNeeds& needs() const;
    /// True when the view on show needs what the run on show did not record.
    bool lacksRecord() const;
    /// Changes model A's run by what the user chose in it, and runs it anew; not while what is on show is of before, or
    /// from a file.
    void changeRun(const std::function<void()>& change);
    void sayTraceStays();
    /// From now on what is typed runs again; what was typed before the file came is forgotten.
    void leaveTrace();
    /// Everything as model A does it: heads on, nothing forced; what was typed before a file was opened comes back.
    void undoChanges();
    /// Says what was changed in model A, or that a file is on show.
    void tellChanges(const TracePointer& full);

    void findModels();
    void runChosenModels();
    /// Opens the model that a path leads to as model A, or as B.
    void openPath(const QString& path, bool first);
    void askForFolder(bool first);
    void swapModels();
    void fillModelMenu(QMenu* menu, bool first);

    void applyAppearance();
    void fitSides();
    void showPage(const QString& title, const QString& richText);
    /// Shows a dialog in the window's colours; what it brings comes by its signals.
    void present(QDialog* dialog);
    void saveSettings();

    Settings m_settings;
    Appearance m_appearance;
    Selection* m_selection;
    TopBar* m_topBar;
    Banner* m_banner;
    Notice* m_notice;
    TextPanel* m_texts;
    QTabWidget* m_tabs;
    Inspector* m_inspector;
    QSplitter* m_splitter;
    ExportMenu* m_exportMenu;
    QLabel* m_timings;
    QLabel* m_machine;
    QList<TraceView*> m_views;

    TracePointer m_first;
    TracePointer m_second;
    std::filesystem::path m_firstFolder;     ///< empty: there is no such model
    std::filesystem::path m_secondFolder;    ///< empty: none
    WhatIf m_whatIf;                         ///< of the text and the model on show
    Recording m_record;                      ///< of the run on show
    QString m_traceFile;                     ///< the file on show; empty: model A's run is
    std::optional<TextPanel::Texts> m_typed; ///< before that file was opened
    QString m_modelProblem;                  ///< why a chosen model has no folder
    QTimer m_saveSoon;
    QTimer m_tellSlow;                           ///< a run that is quicker is not worth a word
    bool m_sidesMoved = false;                   ///< by the user: then they stay
    std::unique_ptr<InferenceService> m_service; ///< last: its thread ends before anything that it reports to
};

} // namespace headlight
