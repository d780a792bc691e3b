#include "app/main_window.h"

#include "app/banners.h"
#include "app/doors.h"
#include "app/editors.h"
#include "app/examples.h"
#include "app/export_dialog.h"
#include "app/gold_list.h"
#include "app/hub_doors.h"
#include "app/menus.h"
#include "app/model_catalog.h"
#include "app/status_line.h"
#include "app/top_bar.h"
#include "app/views.h"
#include "core/trace/trace_file.h"
#include "widgets/inspector.h"
#include "widgets/plain_text.h"
#include "widgets/playback_view.h"
#include "widgets/veil.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDialog>
#include <QDir>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QLineEdit>
#include <QMenuBar>
#include <QScopedValueRollback>
#include <QScreen>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSplitter>
#include <QTabBar>
#include <QTabWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace headlight {

namespace {

using namespace std::chrono_literals;

constexpr auto untilSaved = 500ms; ///< of what is typed no more than this is lost, however the program ends

QString firstOf(std::initializer_list<QString> wishes) {
    const auto* wish = std::find_if(wishes.begin(), wishes.end(), [](const QString& text) { return !text.isEmpty(); });
    return wish == wishes.end() ? QString() : *wish;
}

/// A pair that was locked in a longer text.
bool isBeyond(const Selection::Pair& pair, const Trace& trace) {
    const auto* block = trace.block(pair.kind);
    const int queries = block ? block->queries : 0, keys = block ? block->keys : 0;
    return (pair.query && pair.query->value >= queries) || (pair.key && pair.key->value >= keys);
}

} // namespace

MainWindow::MainWindow(Settings settings, const Opening& opening, QWidget* parent)
    : QMainWindow(parent), m_settings(std::move(settings)), m_selection(new Selection(this)),
      m_workbench(std::make_unique<Workbench>(*m_selection, Models{ModelCatalog::usual().a, {}})),
      m_doors(new Doors(*this, *m_workbench)), m_hubDoors(new HubDoors(*this)) {
    // Without this a window with a style sheet keeps its palette from what is in it.
    QCoreApplication::setAttribute(Qt::AA_UseStyleSheetPropagationInWidgetStyles);
    buildLayout();
    connect(m_doors, &Doors::failed, m_banner, &Banner::tellProblem);
    connect(m_doors, &Doors::goldOpened, this, &MainWindow::listGold);
    connect(m_doors, &Doors::sessionOpened, this, &MainWindow::openSession);
    buildMenus();
    applyAppearance();
    if (const int size = std::exchange(m_settings.textSize, 100); size != 100)
        setTextSize(size);
    if (!restoreGeometry(m_settings.geometry))
        resize(QSize(1280, 800).boundedTo(screen()->availableSize()));

    m_saveSoon.setSingleShot(true);
    m_saveSoon.setInterval(untilSaved);
    connect(&m_saveSoon, &QTimer::timeout, this, &MainWindow::saveState);
    m_noted.setSingleShot(true); // all that one deed changes is one step
    connect(&m_noted, &QTimer::timeout, this, &MainWindow::takeNote);
    connect(&m_document, &Document::stateChanged, this, &MainWindow::nameWindow);
    connect(&m_document, &Document::stateChanged, this, &MainWindow::saveSoon);
    connectWorkbench();
    openWith(opening);
}

MainWindow::~MainWindow() {
    m_workbench.reset();
    delete takeCentralWidget(); // the views, before the Selection that they share
}

void MainWindow::buildLayout() {
    m_topBar = new TopBar(m_selection);
    m_banner = new Banner;
    m_notice = new Notice;
    m_texts = new TextPanel;
    m_texts->setSelection(m_selection);
    m_inspector = new Inspector;
    m_inspector->setSelection(m_selection);
    m_inspector->setAccessibleName(tr("Inspector"));

    m_tabs = new QTabWidget;
    m_tabs->setDocumentMode(true);
    m_tabs->tabBar()->setAccessibleName(tr("Views"));
    m_tabs->tabBar()->setDrawBase(false);
    m_tabs->tabBar()->setExpanding(false);
    m_tabs->setObjectName(QStringLiteral("middle"));
    buildViews();

    auto* side = makeScrolled(m_inspector);
    m_sideVeil = new Veil(side, [side] { return side->rect(); });

    m_splitter = new QSplitter;
    m_splitter->setHandleWidth(1);
    m_splitter->setChildrenCollapsible(false);
    auto* left = makeScrolled(m_texts);
    m_splitter->addWidget(left);
    m_splitter->addWidget(m_tabs);
    m_splitter->addWidget(side);
    m_splitter->setStretchFactor(1, 1);
    // Together no wider than half of a common screen, which is what a scale of 2 leaves.
    left->setMinimumWidth(236);
    m_tabs->setMinimumSize(230, 160);
    side->setMinimumWidth(170);
    connect(m_splitter, &QSplitter::splitterMoved, this, [this] { m_sidesMoved = true; });

    auto* middle = new QWidget;
    auto* column = new QVBoxLayout(middle);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_topBar);
    column->addWidget(m_banner);
    column->addWidget(m_notice);
    column->addWidget(m_splitter, 1);
    m_find = new QLineEdit;
    m_find->setObjectName(QStringLiteral("find"));
    m_find->setPlaceholderText(tr("Letters of a token; Return goes to the next, Shift+Return to the one before"));
    m_find->setAccessibleName(tr("Find a token"));
    m_find->hide();
    column->addWidget(m_find);
    connect(m_find, &QLineEdit::textEdited, this, [this] { showFound(0); });
    connect(m_find, &QLineEdit::returnPressed, this,
            [this] { showFound(QApplication::keyboardModifiers().testFlag(Qt::ShiftModifier) ? -1 : 1); });
    setCentralWidget(middle);
    m_status = new StatusLine(*m_workbench, this);
    setStatusBar(m_status);
}

void MainWindow::buildViews() {
    for (const auto& type : viewTypes()) {
        auto* made = type.make().release(); // the tabs own it
        made->setObjectName(QLatin1String(type.name));
        made->setAccessibleName(titleOf(type));
        made->setSelection(m_selection);
        connect(made, &TraceView::headOpened, this, [this, made] {
            showView(QStringLiteral("matrix"));
            m_openedFrom = made->objectName();
        });
        connect(made, &TraceView::chosen, this, &MainWindow::note);
        m_tabs->addTab(made, titleOf(type));
        m_views.append(made);
    }
    const auto* playback = m_tabs->findChild<PlaybackView*>();
    connect(playback, &PlaybackView::candidateChosen, m_workbench.get(), &Workbench::chooseCandidate);
    connect(playback, &PlaybackView::attentionForced, m_workbench.get(), &Workbench::forceAttention);
    connect(playback, &PlaybackView::hypothesisChosen, m_workbench.get(), &Workbench::chooseHypothesis);
    connect(playback, &PlaybackView::ownRunWanted, this, [this] {
        m_texts->useOwnTranslation();
        m_workbench->undoChanges();
    });
    connect(m_workbench.get(), &Workbench::changed, this, &MainWindow::note);
}

void MainWindow::buildMenus() {
    QStringList views;
    for (int i = 0; i < m_tabs->count(); ++i)
        views << m_tabs->tabText(i);
    auto* menus =
        new Menus(*menuBar(), {*m_texts, *m_topBar, *m_selection, m_document, m_settings.recentSessions, views},
                  {m_settings.theme, m_settings.map}, this);
    connect(menus, &Menus::newWanted, this, &MainWindow::beginAnew);
    connect(menus, &Menus::sessionWanted, this, [this] {
        m_doors->askForSession(QFileInfo(m_settings.recentSessions.value(0, QDir::homePath() + u'/')).path());
    });
    connect(menus, &Menus::fileWanted, this, [this](const QString& file) { m_doors->open(file, true); });
    connect(menus, &Menus::saveWanted, this, &MainWindow::save);
    connect(menus, &Menus::saveAsWanted, this, &MainWindow::askWhereToSave);
    connect(menus, &Menus::undoWanted, this, &MainWindow::undo);
    connect(menus, &Menus::redoWanted, this, &MainWindow::redo);
    connect(menus, &Menus::notesWanted, this, &MainWindow::editNotes);
    connect(menus, &Menus::findWanted, this, &MainWindow::find);
    connect(menus, &Menus::escapeWanted, this, &MainWindow::escape);
    connect(menus, &Menus::panelsWanted, this, [this](bool shown) {
        for (const int side : {0, 2})
            m_splitter->widget(side)->setVisible(shown);
    });
    connect(menus, &Menus::fullScreenWanted, this,
            [this](bool full) { setWindowState(windowState().setFlag(Qt::WindowFullScreen, full)); });
    connect(menus, &Menus::textSizeWanted, this, [this](int step) {
        constexpr int stepOfSize = 10;
        setTextSize(step == 0 ? 100 : m_settings.textSize + step * stepOfSize);
        saveSoon();
    });
    connect(menus, &Menus::exportWanted, this, &MainWindow::showExport);
    connect(menus, &Menus::copyWanted, this, &MainWindow::copyPicture);
    connect(menus, &Menus::traceSaveWanted, this, &MainWindow::askWhereToSaveTrace);
    auto* exporting = new QToolButton;
    exporting->setText(tr("Export…"));
    exporting->setAccessibleName(tr("Export what is on show"));
    exporting->setToolTip(tr("Save what is on show as a picture, a page or numbers (Ctrl+E)"));
    exporting->setProperty("primary", true);
    exporting->setFocusPolicy(Qt::TabFocus);
    connect(exporting, &QToolButton::clicked, this, &MainWindow::showExport);
    m_topBar->addAtEnd(exporting);
    connect(menus, &Menus::folderWanted, this, &MainWindow::askForFolder);
    connect(menus, &Menus::traceWanted, this, [this] { m_doors->askForTrace(m_settings.exportFolder); });
    connect(menus, &Menus::goldWanted, this, [this] { m_doors->askForGold(m_settings.exportFolder); });
    connect(menus, &Menus::quitWanted, this, &QWidget::close);
    connect(menus, &Menus::viewWanted, m_tabs, &QTabWidget::setCurrentIndex);
    connect(menus, &Menus::colorsChosen, this, [this](const Menus::Colors& colors) {
        m_settings.theme = colors.theme;
        m_settings.map = colors.map;
        applyAppearance();
        saveSoon();
    });
    connect(menus, &Menus::modelChosen, this, [this](const QString& model, bool first) {
        const auto& models = m_workbench->models();
        m_workbench->choose(first ? Models{model, models.b} : Models{models.a, model});
    });
    connect(menus, &Menus::hubWanted, m_hubDoors, [this] { m_hubDoors->getModel(); });
    connect(menus, &Menus::managementWanted, m_hubDoors, &HubDoors::manageModels);
    connect(m_hubDoors, &HubDoors::modelWanted, m_doors, &Doors::open);
    connect(m_hubDoors, &HubDoors::remarked, m_status, &StatusLine::remark);
    connect(m_hubDoors, &HubDoors::failed, m_banner, &Banner::tellProblem);
    connect(menus, &Menus::swapWanted, m_workbench.get(), &Workbench::swapModels);
    connect(menus, &Menus::pageWanted, this,
            [this](const QString& title, const QString& richText) { presentPage(*this, title, richText); });
    connect(menus, &Menus::failed, m_banner, &Banner::tellProblem);
}

void MainWindow::connectWorkbench() {
    auto* workbench = m_workbench.get();
    connect(m_texts, &TextPanel::textEdited, workbench, &Workbench::request);
    connect(m_texts, &TextPanel::textEdited, this, &MainWindow::note);
    connect(m_topBar, &TopBar::modelsChosen, workbench, &Workbench::choose);
    connect(m_topBar, &TopBar::folderWanted, this, &MainWindow::askForFolder);
    connect(m_notice, &Notice::backWanted, workbench, &Workbench::undoChanges);
    connect(m_banner, &Banner::closed, this, [this] {
        m_notOpened.clear();
        m_settings.problem.clear();
        m_workbench->forgetProblem();
    });
    connect(m_banner, &Banner::remedyWanted, this, [this](Workbench::Message::Remedy remedy) {
        if (remedy == Workbench::Message::Remedy::Reload)
            m_workbench->reload();
        else
            askForFolder(remedy == Workbench::Message::Remedy::ChooseFirst);
    });

    connect(workbench, &Workbench::modelKnown, m_texts, &TextPanel::setModel);
    connect(workbench, &Workbench::shown, this, &MainWindow::showRun);
    for (auto* shownView : std::as_const(m_views)) {
        connect(workbench, &Workbench::shown, shownView, &TraceView::setTrace);
        connect(workbench, &Workbench::staleChanged, shownView, &TraceView::setStale);
    }
    connect(workbench, &Workbench::shown, this, &MainWindow::finishShowing);
    connect(workbench, &Workbench::shown, this, &MainWindow::shown); // last: by then it is on the views
    connect(workbench, &Workbench::staleChanged, m_sideVeil, &Veil::lie);
    connect(workbench, &Workbench::stateChanged, this, &MainWindow::tellState);
    connect(workbench, &Workbench::told, this, &MainWindow::tell);
    connect(workbench, &Workbench::remarked, m_status, &StatusLine::remark);
    connect(workbench, &Workbench::viewWanted, this, &MainWindow::showView);
    connect(workbench, &Workbench::modelsChanged, this, &MainWindow::listModels);
    connect(workbench, &Workbench::modelsChanged, this, &MainWindow::note);
    connect(workbench, &Workbench::modelsRan, this, [this] {
        if (m_settings.remember(m_workbench->models()))
            saveSoon();
    });
    connect(workbench, &Workbench::modelFailed, this, [this](const QString& model) {
        if (m_settings.recentFolders.removeAll(model) > 0)
            saveSoon();
    });
    connect(workbench, &Workbench::ownTranslationWanted, m_texts, &TextPanel::useOwnTranslation);
    connect(workbench, &Workbench::traceOpened, this, [this](const Trace& opened) {
        if (!m_typed)
            m_typed = m_texts->typed();
        m_topBar->showFile(QFileInfo(m_workbench->traceFile()).fileName());
        m_texts->setShownTexts(opened);
        note();
    });
    connect(workbench, &Workbench::traceLeft, this, [this](bool typed) {
        m_topBar->showFile({});
        if (const auto before = std::exchange(m_typed, std::nullopt); typed && before)
            m_texts->show(*before);
        note();
    });

    connect(m_tabs, &QTabWidget::currentChanged, this, &MainWindow::followView);
    connect(m_tabs, &QTabWidget::currentChanged, this, &MainWindow::note);
    connect(m_selection, &Selection::headChanged, this, &MainWindow::note);
    connect(m_selection, &Selection::offChanged, this, &MainWindow::note);
    connect(m_selection, &Selection::pairChanged, this, [this] {
        if (m_selection->chosen().locked != m_document.session().selection.locked)
            note();
    });
    // Queued: a view draws first, and then there is a time to tell.
    connect(m_selection, &Selection::headChanged, this, &MainWindow::tellState, Qt::QueuedConnection);
    connect(m_tabs, &QTabWidget::currentChanged, this, &MainWindow::tellState, Qt::QueuedConnection);
    followView();
}

void MainWindow::openWith(const Opening& opening) {
    m_keeps = !opening.session;
    const auto usual = ModelCatalog::usual();
    auto last = opening.session ? opening.session : m_settings.last;
    auto session = last.value_or(Session());
    if (!last)
        session.models.b = opening.modelA.isEmpty() && opening.modelB.isEmpty() ? usual.b : QString();
    auto file = opening.session ? QString() : m_settings.session;
    std::optional<Session> saved; ///< what the file holds
    const auto read = [&](const QString& path) {
        return Doors::attempt(path, [&] { saved = Session::load(QFile::encodeName(path).toStdString()); });
    };
    if (!opening.file.isEmpty()) {
        m_notOpened = read(opening.file);
        if (saved) {
            session = *saved;
            file = opening.file;
            m_settings.rememberSession(file);
        }
    } else if (!file.isEmpty() && !read(file).isEmpty()) {
        file.clear(); // moved, or gone: what it held is on show
    }
    if (!opening.session && opening.file.isEmpty()) {
        if (!opening.modelA.isEmpty() || !opening.source.isEmpty()) { // whose steps and heads those were
            session.changes.clear();
            session.selection.off.clear();
            session.selection.locked.reset();
        }
        session.view = firstOf({opening.view, session.view});
        session.models.a = firstOf({opening.modelA, session.models.a, usual.a});
        session.models.b = firstOf({opening.modelB, session.models.b});
        session.trace = opening.trace;
        if (!opening.source.isEmpty() || session.typed.source.isEmpty())
            session.typed = {.source = firstOf({opening.source, examples().value(0).text})};
        if (!opening.target.isEmpty())
            session.typed.target = opening.target;
        if (opening.beam > 1)
            session.typed.beam = opening.beam;
    }
    if (file.isEmpty())
        m_document.start(session);
    else
        m_document.start(session, file, *saved);
    m_texts->focusSource();
    showSession(session);
}

Session MainWindow::session() const {
    Session session;
    session.models = m_workbench->models();
    session.typed = m_typed.value_or(m_texts->typed());
    session.changes = m_workbench->whatIf();
    session.selection = m_selection->chosen();
    session.view = view()->objectName();
    for (const auto* shownView : m_views)
        if (const auto choices = shownView->choices(); !choices.isEmpty())
            session.choices.insert(shownView->objectName(), choices);
    session.trace = m_workbench->traceFile();
    session.notes = m_document.session().notes;
    session.exported = m_document.session().exported;
    return session;
}

void MainWindow::showSession(const Session& session) {
    const QScopedValueRollback showing(m_showing, true);
    m_noted.stop();
    m_toShow.reset();
    showView(session.view);
    if (session.runsAs(this->session()) && m_workbench->first())
        return showChoices(session);
    m_typed.reset();
    m_texts->show(session.typed);
    auto first = session;
    first.selection.locked.reset(); // which is of a run that is yet to come
    m_workbench->start(first, m_texts->request());
    showChoices(first);
    m_toShow = session;
    if (!session.trace.isEmpty()) {
        m_notOpened = Doors::attempt(session.trace, [&] { m_workbench->openTrace(session.trace); });
    }
    m_workbench->run(); // no window is without a picture, whatever the file was
}

void MainWindow::showChoices(const Session& session) {
    for (auto* shownView : std::as_const(m_views))
        shownView->setChoices(session.choices.value(shownView->objectName()));
    auto chosen = session.selection;
    chosen.off = m_selection->off(); // which the workbench sees to
    m_selection->setChosen(chosen);
}

void MainWindow::finishShowing() {
    if (!m_toShow)
        return;
    const QScopedValueRollback showing(m_showing, true);
    const auto run = trace();
    auto session = *m_toShow;
    if (const auto& locked = session.selection.locked; !run || (locked && isBeyond(*locked, *run)))
        session.selection.locked.reset();
    if (!run->block(session.selection.kind))
        session.selection.kind = m_selection->kind();
    showChoices(session);
    if (m_workbench->busy())
        return;
    m_toShow.reset();
    m_document.amend(this->session());
}

void MainWindow::note() {
    if (m_showing)
        return;
    m_byUser |= !m_workbench->displaying();
    m_noted.start();
}

void MainWindow::takeNote() {
    m_noted.stop();
    if (std::exchange(m_byUser, false)) {
        m_toShow.reset();
        m_document.take(session());
    } else if (!m_toShow) {
        m_document.amend(session());
    }
}

void MainWindow::undo() {
    if (m_noted.isActive())
        takeNote();
    if (!m_document.steps().canUndo())
        return;
    if (!m_toShow)
        m_document.amend(session()); // what is pointed at and played to, of which there are no steps
    showSession(Session(m_document.undo()));
}

void MainWindow::redo() {
    if (m_noted.isActive())
        takeNote();
    if (m_document.steps().canRedo())
        showSession(Session(m_document.redo()));
}

void MainWindow::beginAnew() {
    takeNote();
    Session session;
    session.models = m_workbench->models();
    session.view = view()->objectName();
    session.exported = m_document.session().exported;
    openSession(session, {});
    m_texts->focusSource();
}

void MainWindow::openSession(const Session& session, const QString& file) {
    if (m_noted.isActive())
        takeNote();
    m_document.open(session, Session::isIn(file) ? file : QString()); // a picture is not to be written over
    if (Session::isIn(file))
        m_settings.rememberSession(file);
    showSession(session);
    m_status->remark(file.isEmpty()
                         ? tr("A new session; undo brings back the one before")
                         : tr("Opened %1; undo brings back what was there before").arg(QDir::toNativeSeparators(file)));
}

void MainWindow::save() {
    if (m_document.file().isEmpty())
        askWhereToSave();
    else
        saveAs(m_document.file());
}

void MainWindow::askWhereToSave() {
    const auto before = m_document.file().isEmpty() ? m_settings.recentSessions.value(0) : m_document.file();
    auto* dialog =
        new QFileDialog(this, tr("Save the session"), before.isEmpty() ? QDir::homePath() : QFileInfo(before).path(),
                        tr("Sessions (*.headlight)"));
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("headlight"));
    dialog->selectFile(m_document.file().isEmpty() ? tr("session") : QFileInfo(m_document.file()).fileName());
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::saveAs);
    present(dialog);
}

void MainWindow::saveAs(const QString& file) {
    if (m_noted.isActive())
        takeNote();
    const auto problem = Doors::attempt(file, [&] { m_document.save(file); });
    if (!problem.isEmpty())
        return m_banner->tellProblem(problem);
    m_settings.rememberSession(file);
    m_status->remark(tr("Saved as %1").arg(QDir::toNativeSeparators(file)));
    saveSoon();
}

void MainWindow::nameWindow() {
    const auto& file = m_document.file();
    setWindowTitle(file.isEmpty() ? tr("Headlight")
                                  : QStringLiteral("%1[*]").arg(brief(QFileInfo(file).fileName(), mostOfName)));
    setWindowModified(!file.isEmpty() && m_document.changed());
}

void MainWindow::editNotes() {
    const auto name = QStringLiteral("notes");
    if (auto* before = findChild<QDialog*>(name))
        return before->activateWindow();
    auto* dialog = new QDialog(this);
    dialog->setObjectName(name);
    dialog->setWindowTitle(tr("Notes"));
    auto* editor = new Editor;
    editor->setAccessibleName(tr("Notes"));
    editor->setPlaceholderText(tr("Notes that are kept with the session"));
    const auto follow = [this, editor] {
        const QSignalBlocker quiet(editor);
        editor->show(m_document.session().notes);
    };
    follow();
    connect(&m_document, &Document::stateChanged, editor, follow);
    connect(editor, &QPlainTextEdit::textChanged, this, [this, editor] {
        auto session = this->session();
        session.notes = editor->toPlainText();
        m_document.take(session);
    });
    auto* column = new QVBoxLayout(dialog);
    column->addWidget(editor);
    dialog->resize(420, 320);
    present(dialog);
    editor->setFocus();
}

TraceView* MainWindow::view() const {
    return m_views.value(m_tabs->currentIndex());
}

void MainWindow::showView(const QString& name) {
    for (auto* candidate : std::as_const(m_views)) {
        if (candidate->objectName() == name)
            m_tabs->setCurrentWidget(candidate);
    }
}

const ViewNeeds& MainWindow::needs() const {
    return viewTypes()[static_cast<std::size_t>(m_tabs->currentIndex())].needs;
}

void MainWindow::followView() {
    m_topBar->setNeeds(needs());
    m_inspector->preferCross(needs().cross);
    m_workbench->setNeeds(needs());
}

void MainWindow::showRun(const TracePointer& first, const TracePointer& second) {
    if (first && isBeyond(m_selection->pair(), *first))
        m_selection->freeLock();
    m_topBar->setTrace(first, second);
    m_texts->setTrace(first, !m_workbench->stale());
    m_inspector->setTrace(first, second);
}

void MainWindow::tellState() {
    m_notice->tell(m_workbench->changes());
    m_status->tell(view()->drawMilliseconds());
}

void MainWindow::tell(const Workbench::Message& message) {
    m_message = message;
    auto all = message;
    QStringList lines{m_notOpened, m_notSaved, m_settings.problem};
    lines.removeAll(QString());
    all.problem = message.problem || !lines.isEmpty();
    lines << message.text;
    lines.removeAll(QString());
    all.text = lines.join(QLatin1Char('\n'));
    m_banner->tell(all);
}

void MainWindow::listGold(const std::vector<GoldAlignment>& sentences, const QString& file) {
    if (auto* before = findChild<GoldList*>())
        before->close();
    auto* list = new GoldList(sentences, QFileInfo(file).fileName(), this);
    connect(list, &GoldList::chosen, this, [this](const std::shared_ptr<const GoldAlignment>& sentence) {
        m_selection->setGold(sentence);
        m_texts->forceTexts(QString::fromStdString(writtenSource(*sentence).text),
                            QString::fromStdString(writtenTarget(*sentence).text));
    });
    if (trace() && !trace()->cross)
        m_banner->tellProblem(tr("%1 does not translate: choose a model A that does, to align these sentences.")
                                  .arg(QString::fromStdString(trace()->model)));
    if (!needs().cross)
        showView(QStringLiteral("alignment"));
    present(list);
}

void MainWindow::askForFolder(bool first) {
    m_doors->askForFolder(first, m_settings.recentFolders.value(0, QDir::homePath()));
}

void MainWindow::listModels() {
    m_notOpened.clear();
    m_topBar->setKnownModels(ModelCatalog::bundledNames() + m_settings.recentFolders);
    m_topBar->setModels(m_workbench->models());
}

void MainWindow::applyAppearance() {
    // The window has a palette of its own, so that the application's stays the desktop's.
    const bool dark = QApplication::palette().color(QPalette::Window).lightness() < 128;
    const auto theme = m_settings.theme.value_or(dark ? Theme::Dark : Theme::Light);
    m_appearance = makeAppearance(theme, m_settings.map.value_or(defaultColorMap(theme)), QApplication::font());
    setStyleSheet(widgetStyleSheet(m_appearance));
    setPalette(widgetPalette(m_appearance));
    m_texts->setAppearance(m_appearance);
    m_inspector->setAppearance(m_appearance);
    m_sideVeil->setColors(m_appearance.panel, m_appearance.muted);
    for (auto* shownView : std::as_const(m_views))
        shownView->setAppearance(m_appearance);
}

void MainWindow::fitSides() {
    if (m_sidesMoved)
        return;
    const int left = std::clamp(width() * 24 / 100, std::min(240, width() * 30 / 100), 380);
    const int right = std::clamp(width() * 22 / 100, std::min(220, width() * 25 / 100), 340);
    m_splitter->setSizes({left, width() - left - right, right});
}

void MainWindow::escape() {
    if (m_find->isVisible()) {
        m_find->hide();
        view()->setFocus(Qt::OtherFocusReason);
    }
    if (m_selection->locked())
        return m_selection->freeLock();
    m_selection->freeLock();
    if (const auto from = std::exchange(m_openedFrom, {}); !from.isEmpty())
        showView(from);
}

void MainWindow::setTextSize(int percent) {
    constexpr int least = 70, most = 300;
    percent = std::clamp(percent, least, most);
    const double factor = percent / static_cast<double>(std::exchange(m_settings.textSize, percent));
    const auto scale = [factor](QFont font) {
        font.setPointSizeF(font.pointSizeF() * factor);
        return font;
    };
    for (auto* part : findChildren<QWidget*>()) // which have sizes of their own
        if (part->testAttribute(Qt::WA_SetFont) && part->font().pointSizeF() > 0)
            part->setFont(scale(part->font()));
    QApplication::setFont(scale(QApplication::font())); // after which the window is drawn anew
}

void MainWindow::find() {
    m_find->show();
    m_find->selectAll();
    m_find->setFocus(Qt::ShortcutFocusReason);
}

/// Locks the key whose token has the letters: the one that is locked, or the next (1) or the one before (-1).
void MainWindow::showFound(int step) {
    const auto run = trace();
    const auto kind = m_selection->kind();
    if (!run || !run->block(kind))
        return;
    const auto& keys = run->keyTokens(kind);
    const int count = static_cast<int>(keys.size());
    const auto& locked = m_selection->chosen().locked;
    const int from = locked && locked->kind == kind && locked->key ? locked->key->value : step < 0 ? count : -1;
    const int direction = step < 0 ? -1 : 1;
    for (int tried = 0; tried < count && !m_find->text().isEmpty(); ++tried) {
        const int begin = step == 0 ? std::max(0, from) : from + direction;
        const int place = ((begin + direction * tried) % count + count) % count;
        if (!QString::fromStdString(keys[static_cast<std::size_t>(place)].text)
                 .contains(m_find->text(), Qt::CaseInsensitive))
            continue;
        if (const Selection::Pair found{kind, {}, Key(place)}; m_selection->chosen().locked != found)
            m_selection->toggleLock(found);
        return;
    }
    m_selection->freeLock();
    if (!m_find->text().isEmpty())
        m_status->remark(tr("No token of the source has these letters."));
}

OnShow MainWindow::onShow() const {
    return {session(), m_workbench->first(), m_workbench->second(), m_appearance, view()->figureArea().size()};
}

void MainWindow::showExport() {
    if (m_export)
        return m_export->activateWindow();
    m_export = new ExportDialog([this] { return onShow(); }, m_settings.exportFolder, this);
    connect(&m_document, &Document::stateChanged, m_export, &ExportDialog::follow);
    connect(m_workbench.get(), &Workbench::shown, m_export, &ExportDialog::follow);
    connect(m_export, &ExportDialog::chosen, this, [this](const ExportChoices& choices) {
        auto session = this->session();
        session.exported = choices;
        m_document.take(session);
    });
    connect(m_export, &ExportDialog::asks, this, present);
    connect(m_export, &ExportDialog::failed, m_banner, &Banner::tellProblem);
    connect(m_export, &ExportDialog::done, this, [this](const QString& message, const QString& folder) {
        m_settings.exportFolder = folder;
        m_status->remark(message);
        saveSoon();
    });
    present(m_export);
}

void MainWindow::copyPicture() {
    const auto problem = Doors::attempt(tr("clipboard"), [this] { ExportDialog::copy(onShow()); });
    if (!problem.isEmpty())
        return m_banner->tellProblem(problem);
    m_status->remark(tr("The picture is on the clipboard"));
}

void MainWindow::askWhereToSaveTrace() {
    const auto run = trace();
    if (!run)
        return m_status->remark(tr("There is no run to save yet."));
    auto* dialog = new QFileDialog(this, tr("Save the trace in"),
                                   m_settings.exportFolder.isEmpty() ? QDir::homePath() : m_settings.exportFolder);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QFileDialog::fileSelected, this, [this, run](const QString& folder) {
        const auto problem = Doors::attempt(folder, [&] { writeTrace(*run, QFile::encodeName(folder).toStdString()); });
        if (!problem.isEmpty())
            return m_banner->tellProblem(problem);
        m_status->remark(tr("Saved trace.safetensors and trace.json in %1").arg(QDir::toNativeSeparators(folder)));
    });
    present(dialog);
}

void MainWindow::saveSoon() {
    if (!m_saveSoon.isActive()) // or who types without a pause would lose it all
        m_saveSoon.start();
}

void MainWindow::saveState() {
    if (!m_keeps)
        return;
    if (m_noted.isActive())
        takeNote();
    m_settings.session = m_document.file();
    m_settings.geometry = saveGeometry();
    m_settings.fresh = false;
    const auto problem = Doors::attempt({}, [this] {
        m_settings.last = m_document.session();
        m_settings.save();
    });
    const auto said =
        problem.isEmpty() ? QString() : tr("What is typed and chosen is not kept for the next start: %1").arg(problem);
    if (std::exchange(m_notSaved, said) != said)
        tell(m_message);
}

bool MainWindow::event(QEvent* event) {
    const auto type = event->type();
    if (type == QEvent::ThemeChange || type == QEvent::ApplicationPaletteChange
        || type == QEvent::ApplicationFontChange)
        applyAppearance();
    const bool done = QMainWindow::event(event);
    if (type == QEvent::Resize || type == QEvent::Show)
        fitSides();
    return done;
}

void MainWindow::closeEvent(QCloseEvent* event) {
    m_saveSoon.stop();
    saveState();
    QMainWindow::closeEvent(event);
}

} // namespace headlight
