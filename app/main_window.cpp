#include "app/main_window.h"

#include "app/answer_panel.h"
#include "app/export_menu.h"
#include "app/gold_list.h"
#include "app/help_text.h"
#include "app/model_catalog.h"
#include "app/text_panel.h"
#include "app/top_bar.h"
#include "app/views.h"
#include "core/trace/trace_file.h"
#include "widgets/inspector.h"
#include "widgets/playback_view.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QDialog>
#include <QDialogButtonBox>
#include <QDir>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QMimeData>
#include <QPushButton>
#include <QScreen>
#include <QScrollArea>
#include <QSplitter>
#include <QStatusBar>
#include <QTabBar>
#include <QTabWidget>
#include <QTextBrowser>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace headlight {

namespace {

using namespace std::chrono_literals;

constexpr auto worthAWord = 150ms;
constexpr auto quietBeforeSaving = 1s;
constexpr int longEnough = 8000; ///< milliseconds to read a line in
constexpr qsizetype mostRecentFolders = 8;

QString milliseconds(double time) {
    return MainWindow::tr("%1 ms").arg(time, 0, 'f', 1);
}

/// The file or folder that was dropped; empty when it is nothing on this disk.
QString droppedPath(const QMimeData& data) {
    const auto urls = data.urls();
    if (urls.size() != 1 || !urls.front().isLocalFile())
        return {};
    const QFileInfo dropped(urls.front().toLocalFile());
    return dropped.exists() ? dropped.absoluteFilePath() : QString();
}

QString blasName(const ComputeInfo& compute) {
    const auto file = QString::fromStdString(compute.blas);
    // Debian's libblas.so.3 may be any; only OpenBLAS says which kernels it took.
    if (file.contains(QLatin1String("openblas"), Qt::CaseInsensitive) || file.endsWith(QLatin1Char(')')))
        return QStringLiteral("OpenBLAS");
    if (file.contains(QLatin1String("mkl"), Qt::CaseInsensitive))
        return QStringLiteral("MKL");
    return file.isEmpty() ? MainWindow::tr("no BLAS found") : file;
}

} // namespace

/// A line for what went wrong, above what is still right. What the user closed stays closed until it says something
/// else.
class MainWindow::Banner : public QFrame {
public:
    Banner() : m_text(new QLabel) {
        setProperty("banner", true);
        m_text->setTextFormat(Qt::PlainText);
        m_text->setWordWrap(true);
        m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
        m_text->setAccessibleName(MainWindow::tr("Problem"));
        m_text->setObjectName(QStringLiteral("problem"));
        auto* close = new QPushButton(QStringLiteral("✕"));
        close->setProperty("flat", true);
        close->setAccessibleName(MainWindow::tr("Close the message"));
        close->setToolTip(close->accessibleName());
        auto* row = new QHBoxLayout(this);
        row->setContentsMargins(14, 4, 10, 4);
        row->addWidget(m_text, 1, Qt::AlignVCenter);
        row->addWidget(close, 0, Qt::AlignTop);
        connect(close, &QPushButton::clicked, this, &QWidget::hide);
        hide();
    }

    void tell(QString text) {
        constexpr qsizetype most = 600; // a path can be of any length, the window cannot
        if (text.size() > most)
            text = text.left(most) + QStringLiteral("…");
        if (text == m_text->text() && !text.isEmpty())
            return;
        m_text->setText(text);
        setVisible(!text.isEmpty());
    }
    QString told() const { return m_text->text(); }

private:
    QLabel* m_text;
};

/// A line for what is not as usual, with the way back.
class MainWindow::Notice : public QFrame {
public:
    explicit Notice(MainWindow* window) : m_text(new QLabel), m_back(new QPushButton) {
        setProperty("banner", true);
        setObjectName(QStringLiteral("changes"));
        m_text->setTextFormat(Qt::PlainText);
        m_text->setWordWrap(true);
        m_text->setAccessibleName(MainWindow::tr("What was changed"));
        auto* row = new QHBoxLayout(this);
        row->setContentsMargins(14, 4, 10, 4);
        row->addWidget(m_text, 1, Qt::AlignVCenter);
        row->addWidget(m_back, 0, Qt::AlignTop);
        connect(m_back, &QPushButton::clicked, window, &MainWindow::undoChanges);
        hide();
    }
    /// Empty text: nothing to say.
    void tell(const QString& text, const QString& back) {
        m_text->setText(text);
        m_back->setText(back);
        setVisible(!text.isEmpty());
    }

private:
    QLabel* m_text;
    QPushButton* m_back;
};

MainWindow::MainWindow(Settings settings, const Opening& opening, QWidget* parent)
    : QMainWindow(parent), m_settings(std::move(settings)), m_selection(new Selection(this)),
      m_service(std::make_unique<InferenceService>()) {
    // Without this a window with a style sheet keeps its palette from what is in it.
    QCoreApplication::setAttribute(Qt::AA_UseStyleSheetPropagationInWidgetStyles);
    setWindowTitle(tr("Headlight"));
    setAcceptDrops(true);
    buildLayout();
    buildExport();
    buildMenus();
    applyAppearance();
    if (!restoreGeometry(m_settings.geometry))
        resize(QSize(1280, 800).boundedTo(screen()->availableSize()));

    m_saveSoon.setSingleShot(true);
    m_saveSoon.setInterval(quietBeforeSaving);
    connect(&m_saveSoon, &QTimer::timeout, this, &MainWindow::saveSettings);
    m_tellSlow.setSingleShot(true);
    m_tellSlow.setInterval(worthAWord);
    connect(&m_tellSlow, &QTimer::timeout, this, &MainWindow::updateStatus);
    connect(m_service.get(), &InferenceService::finished, this, &MainWindow::display);
    connect(m_texts, &TextPanel::textEdited, this, [this] {
        m_saveSoon.start();
        m_whatIf.clear(); // which was of the text before
        leaveTrace();
        request();
    });
    connect(m_selection, &Selection::offChanged, this, [this] {
        if (!m_traceFile.isEmpty() && !m_selection->off().empty())
            m_selection->setOff({}); // after which this is called again
        else if (m_traceFile.isEmpty())
            request();
        else
            sayTraceStays();
    });
    connect(m_topBar, &TopBar::modelsChosen, this, &MainWindow::runChosenModels);
    connect(m_topBar, &TopBar::folderWanted, this, &MainWindow::askForFolder);
    const auto followView = [this] {
        m_topBar->setCrossOnly(needs().cross);
        if (lacksRecord())
            request();
    };
    connect(m_tabs, &QTabWidget::currentChanged, this, followView);
    followView();
    // Queued: a view draws first, and then there is a time to tell.
    connect(m_selection, &Selection::headChanged, this, &MainWindow::updateStatus, Qt::QueuedConnection);
    connect(m_tabs, &QTabWidget::currentChanged, this, &MainWindow::updateStatus, Qt::QueuedConnection);
    openWith(opening);
}

MainWindow::~MainWindow() {
    m_service.reset();
    delete takeCentralWidget(); // the views, before the Selection that they share
}

void MainWindow::buildLayout() {
    m_topBar = new TopBar(m_selection);
    m_banner = new Banner;
    m_notice = new Notice(this);
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

    auto* side = new QScrollArea;
    side->setWidget(m_inspector);
    side->setWidgetResizable(true);
    side->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    side->setFocusPolicy(Qt::NoFocus);

    m_splitter = new QSplitter;
    m_splitter->setHandleWidth(1);
    m_splitter->setChildrenCollapsible(false);
    m_splitter->addWidget(m_texts);
    m_splitter->addWidget(m_tabs);
    m_splitter->addWidget(side);
    m_splitter->setStretchFactor(1, 1);
    m_texts->setMinimumWidth(200);
    m_tabs->setMinimumWidth(320);
    side->setMinimumWidth(180);
    connect(m_splitter, &QSplitter::splitterMoved, this, [this] { m_sidesMoved = true; });

    auto* middle = new QWidget;
    auto* column = new QVBoxLayout(middle);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_topBar);
    column->addWidget(m_banner);
    column->addWidget(m_notice);
    column->addWidget(m_splitter, 1);
    setCentralWidget(middle);

    m_timings = new QLabel;
    m_timings->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred); // never what makes the window wide
    m_timings->setAccessibleName(tr("Timings"));
    m_machine = new QLabel;
    const auto compute = Engine::compute();
    QStringList machine{tr("CPU"), compute.threads == 1 ? tr("1 thread") : tr("%1 threads").arg(compute.threads),
                        blasName(compute)};
    m_machine->setToolTip(QString::fromStdString(compute.blas));
    if (compute.slowBlas) {
        machine << tr("⚠ slow");
        m_machine->setToolTip(tr("%1: models run many times slower than with OpenBLAS (package libopenblas0-openmp)")
                                  .arg(QString::fromStdString(compute.blas)));
    }
    m_machine->setText(machine.join(QStringLiteral(" · ")));
    statusBar()->setSizeGripEnabled(false);
    statusBar()->setContentsMargins(10, 0, 10, 0);
    statusBar()->addWidget(m_timings, 1);
    statusBar()->addPermanentWidget(m_machine);
}

void MainWindow::buildViews() {
    for (const auto& type : viewTypes()) {
        auto* made = type.make().release(); // the tabs own it
        made->setObjectName(QLatin1String(type.name));
        made->setAccessibleName(titleOf(type));
        made->setSelection(m_selection);
        connect(made, &TraceView::headOpened, this, [this] { showView(QStringLiteral("matrix")); });
        m_tabs->addTab(made, titleOf(type));
        m_views.append(made);
    }
    auto* playback = findChild<PlaybackView*>();
    if (!playback) // the tabs have no window yet
        playback = m_tabs->findChild<PlaybackView*>();
    connect(playback, &PlaybackView::candidateChosen, this, [this](int step, qint64 id) {
        changeRun([&] {
            if (m_texts->target()) { // one that was typed leaves nothing to choose; undo brings it back
                const auto before = m_whatIf;
                m_texts->useOwnTranslation(); // forgets what was chosen, as every other text does
                m_whatIf = before;
            }
            m_whatIf.chooseCandidate(*m_first, step, id);
        });
    });
    connect(playback, &PlaybackView::attentionForced, this,
            [this](int step, int key) { changeRun([&] { m_whatIf.forceAttention(*m_first, step, key); }); });
    connect(playback, &PlaybackView::hypothesisChosen, this, [this](const QList<qint64>& emitted, bool finished) {
        changeRun([&] { m_whatIf.chooseHypothesis(*m_first, {emitted.begin(), emitted.end()}, finished); });
    });
    connect(playback, &PlaybackView::ownRunWanted, this, [this] {
        if (m_texts->target())
            m_texts->useOwnTranslation();
        undoChanges();
    });
}

void MainWindow::buildExport() {
    m_exportMenu = new ExportMenu(
        [this]() -> ExportMenu::Subject {
            return {view(), m_first ? QString::fromStdString(m_first->model + ": " + m_first->sourceText).left(200)
                                    : windowTitle()};
        },
        this);
    m_exportMenu->setFolder(m_settings.exportFolder);
    connect(m_exportMenu, &ExportMenu::asks, this, &MainWindow::present);
    connect(m_exportMenu, &ExportMenu::failed, this, [this](const QString& why) {
        m_banner->tell({}); // the same failure once more is to be seen once more
        m_banner->tell(why);
    });
    connect(m_exportMenu, &ExportMenu::done, this, [this](const QString& message) {
        statusBar()->showMessage(message, longEnough);
        m_saveSoon.start();
    });
    auto* save = m_exportMenu->deeds().front();
    auto* button = new QToolButton;
    button->setText(tr("Export…"));
    button->setAccessibleName(tr("Export what is on show"));
    button->setToolTip(tr("Save what is on show as PNG, SVG, PDF or CSV (%1)").arg(save->shortcut().toString()));
    button->setProperty("primary", true);
    button->setPopupMode(QToolButton::MenuButtonPopup);
    button->setFocusPolicy(Qt::TabFocus);
    button->setMenu(m_exportMenu);
    connect(button, &QToolButton::clicked, save, &QAction::trigger);
    m_topBar->addAtEnd(button);
}

void MainWindow::buildMenus() {
    auto* file = menuBar()->addMenu(tr("&File"));
    file->addAction(tr("&Open model folder…"), QKeySequence::Open, this, [this] { askForFolder(true); });
    file->addAction(tr("Open &trace…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O), this, &MainWindow::askForTrace);
    file->addAction(tr("Open &gold alignments…"), this, &MainWindow::askForGold);
    file->addSeparator();
    file->addActions(m_exportMenu->deeds());
    file->addSeparator();
    file->addAction(tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), this, &QWidget::close);

    auto* edit = menuBar()->addMenu(tr("&Edit"));
    edit->addAction(tr("Go to the &source"), QKeySequence(Qt::CTRL | Qt::Key_L), m_texts, &TextPanel::focusSource);
    edit->addAction(tr("Use A's &own translation"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_L), m_texts,
                    &TextPanel::useOwnTranslation);
    edit->addSeparator();
    edit->addAction(tr("Insert the &mask token"), QKeySequence(Qt::CTRL | Qt::Key_M), m_texts, &TextPanel::insertMask);
    edit->addAction(tr("&Accept the next token"), QKeySequence(Qt::CTRL | Qt::Key_Return), &m_texts->answers(),
                    &AnswerPanel::accept);
    edit->addAction(tr("&Continue, or stop"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Return), &m_texts->answers(),
                    &AnswerPanel::toggleContinuing);

    buildViewMenu();

    auto* model = menuBar()->addMenu(tr("&Model"));
    auto* first = model->addMenu(tr("Model &A"));
    auto* second = model->addMenu(tr("Model &B"));
    connect(first, &QMenu::aboutToShow, this, [this, first] { fillModelMenu(first, true); });
    connect(second, &QMenu::aboutToShow, this, [this, second] { fillModelMenu(second, false); });
    model->addAction(tr("&Swap A and B"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_X), this,
                     &MainWindow::swapModels);

    auto* help = menuBar()->addMenu(tr("&Help"));
    help->addAction(tr("&What am I looking at?"), QKeySequence::HelpContents, this,
                    [this] { showPage(tr("What am I looking at?"), lookingAtText()); });
    help->addAction(tr("&About Headlight"), this, [this] { showPage(tr("About Headlight"), aboutText()); });
}

void MainWindow::buildViewMenu() {
    auto* menu = menuBar()->addMenu(tr("&View"));
    for (int i = 0; i < m_tabs->count(); ++i) {
        menu->addAction(m_tabs->tabText(i), QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + i)), this,
                        [this, i] { m_tabs->setCurrentIndex(i); });
    }
    menu->addSeparator();
    menu->addAction(tr("Layer before"), QKeySequence(Qt::ALT | Qt::Key_Up), this, [this] { m_topBar->stepLayer(-1); });
    menu->addAction(tr("Layer after"), QKeySequence(Qt::ALT | Qt::Key_Down), this, [this] { m_topBar->stepLayer(1); });
    menu->addAction(tr("Head before"), QKeySequence(Qt::ALT | Qt::Key_Left), this, [this] { m_topBar->stepHead(-1); });
    menu->addAction(tr("Head after"), QKeySequence(Qt::ALT | Qt::Key_Right), this, [this] { m_topBar->stepHead(1); });
    menu->addAction(tr("&Free the locked pair"), QKeySequence(Qt::Key_Escape), m_selection, &Selection::freeLock);
    menu->addSeparator();

    const auto addChoice = [this](QMenu* choices, QActionGroup* group, const QString& name, bool checked, auto choose) {
        auto* action = choices->addAction(name, this, [this, choose] {
            choose();
            applyAppearance();
            m_saveSoon.start();
        });
        action->setCheckable(true);
        action->setChecked(checked);
        group->addAction(action);
    };
    auto* themes = menu->addMenu(tr("&Theme"));
    auto* themeGroup = new QActionGroup(this);
    const std::pair<QString, std::optional<Theme>> themeNames[] = {
        {tr("As the desktop"), std::nullopt}, {tr("Light"), Theme::Light}, {tr("Dark"), Theme::Dark}};
    for (const auto& [name, theme] : themeNames)
        addChoice(themes, themeGroup, name, theme == m_settings.theme,
                  [this, chosen = theme] { m_settings.theme = chosen; });

    auto* maps = menu->addMenu(tr("&Colour map"));
    auto* mapGroup = new QActionGroup(this);
    addChoice(maps, mapGroup, tr("As the theme"), !m_settings.map, [this] { m_settings.map.reset(); });
    const auto mapNames = colorMapNames();
    for (int i = 0; i < mapNames.size(); ++i) {
        const auto map = static_cast<ColorMap>(i);
        addChoice(maps, mapGroup, mapNames[i], map == m_settings.map, [this, map] { m_settings.map = map; });
    }
}

void MainWindow::openWith(const Opening& opening) {
    QStringList known;
    for (const auto& entry : ModelCatalog::bundled())
        known << entry.name;
    const auto bundled = known;
    known << m_settings.recentFolders;
    m_topBar->setKnownModels(known);

    const auto firstOf = [](std::initializer_list<QString> wishes) {
        const auto wish =
            std::find_if(wishes.begin(), wishes.end(), [](const QString& text) { return !text.isEmpty(); });
        return wish == wishes.end() ? QString() : *wish;
    };
    // Two mechanisms side by side are what the program is for.
    const auto usual = [&bundled](const QString& name, qsizetype otherwise) {
        return bundled.contains(name) ? name : bundled.value(otherwise);
    };
    TopBar::Models models{firstOf({opening.modelA, m_settings.modelA, usual(QStringLiteral("en-fr-additive"), 0)}),
                          firstOf({opening.modelB, m_settings.modelB})};
    if (models.b.isEmpty() && m_settings.fresh && opening.modelA.isEmpty())
        models.b = usual(QStringLiteral("en-fr-transformer"), 1);
    m_topBar->setModels(models);
    findModels();
    if (m_firstFolder.empty() && opening.modelA.isEmpty() && !bundled.isEmpty()) {
        // What was remembered is gone since: say so, and open with what is there.
        const auto gone = m_modelProblem;
        m_topBar->setModels({bundled.front(), models.b});
        findModels();
        m_modelProblem = gone;
    }

    m_texts->setBeam(opening.beam);
    const auto target = firstOf({opening.target, opening.source.isEmpty() ? m_settings.targetText : QString()});
    m_texts->setTexts(firstOf({opening.source, m_settings.sourceText, TextPanel::examples().value(0).text}),
                      target.isEmpty() ? std::nullopt : std::optional(target),
                      opening.source.isEmpty() ? m_settings.secondText : QString());
    showView(opening.view.isEmpty() ? QStringLiteral("alignment") : opening.view);
    m_texts->focusSource();
    if (opening.trace.isEmpty())
        return request();
    openTrace(opening.trace);
    if (m_traceFile.isEmpty()) { // no window is without a picture
        m_modelProblem = m_banner->told();
        request();
    }
}

TraceView* MainWindow::view() const {
    return m_views.value(m_tabs->currentIndex());
}

const ViewNeeds& MainWindow::needs() const {
    return viewTypes()[static_cast<std::size_t>(m_tabs->currentIndex())].needs;
}

void MainWindow::showView(const QString& name) {
    for (auto* candidate : std::as_const(m_views)) {
        if (candidate->objectName() == name)
            m_tabs->setCurrentWidget(candidate);
    }
}

void MainWindow::request() {
    if (m_firstFolder.empty()) {
        m_banner->tell(m_modelProblem);
        return;
    }
    if (!m_traceFile.isEmpty())
        return; // the run on show is no model's of ours
    InferenceJob job;
    job.first = m_firstFolder;
    job.second = m_secondFolder;
    job.request = m_texts->request();
    m_whatIf.apply(job.request);
    job.request.intervention.off = m_selection->off();
    if (!job.request.intervention.empty())
        job.second = m_firstFolder; // what a change does is seen beside the model as it is
    const bool transformer = m_first && (m_first->encoder || m_first->decoder);
    job.request.record.scores = needs().scores;
    job.request.record.vectors = needs().vectors || !transformer; // of what A becomes, lacksRecord() knows more
    m_service->submit(std::move(job));
    if (!m_tellSlow.isActive())
        m_tellSlow.start();
}

void MainWindow::display(const InferenceResult& result) {
    m_tellSlow.stop();
    QStringList problems;
    if (!m_modelProblem.isEmpty())
        problems << m_modelProblem;
    if (!result.problem.isEmpty())
        problems << result.problem;
    for (const auto& trace : {result.first, result.second}) {
        if (!trace)
            continue;
        for (const auto& notice : trace->notices)
            problems << tr("%1: %2").arg(QString::fromStdString(trace->model), QString::fromStdString(notice));
    }
    problems.removeDuplicates(); // of a model beside itself in full
    m_banner->tell(problems.join(QLatin1Char('\n')));

    if (result.firstModel)
        m_texts->setModel(*result.firstModel);
    if (result.first && !m_firstFolder.empty()) { // otherwise the last picture stays
        const bool another = !m_first || m_first->model != result.first->model;
        const auto aligns = [](const TracePointer& trace) { return trace && trace->cross; };
        const bool attendsElsewhere = result.first->encoder || result.first->decoder;
        if (another && needs().onlyCross && !aligns(result.first) && !aligns(result.second) && attendsElsewhere)
            showView(QStringLiteral("heads"));
        m_settings.modelA = m_topBar->models().a; // one that cannot run would leave the next start without a picture
        m_record = result.job.request.record;
        showRun(result.first, result.second);
        tellChanges(result.full);
        Q_EMIT shown();
        if (lacksRecord()) // the view, or the model, is another than when this was asked for
            request();
    } else if (m_first) { // what was changed may be why, and is to be undone
        tellChanges(nullptr);
    }
    updateStatus();
}

void MainWindow::showRun(TracePointer first, TracePointer second) {
    m_first = std::move(first);
    m_second = std::move(second);
    m_topBar->setTrace(m_first, m_second);
    m_texts->setTrace(m_first);
    m_inspector->setTrace(m_first, m_second);
    for (auto* shownView : std::as_const(m_views))
        shownView->setTrace(m_first, m_second);
}

bool MainWindow::lacksRecord() const {
    if (!m_first || !m_traceFile.isEmpty())
        return false;
    const bool additive = m_first->cross && !m_first->encoder && !m_first->decoder; // the inspector tells its energies
    return ((needs().vectors || additive) && !m_record.vectors) || (needs().scores && !m_record.scores);
}

void MainWindow::changeRun(const std::function<void()>& change) {
    if (!m_traceFile.isEmpty())
        return sayTraceStays();
    if (waiting()) // what is on show is of another text, or changed otherwise
        return;
    change();
    request();
}

void MainWindow::sayTraceStays() {
    statusBar()->showMessage(tr("A run from a file stays as it is."), longEnough);
}

void MainWindow::leaveTrace() {
    m_traceFile.clear();
    m_topBar->showFile({});
    m_typed.reset();
}

void MainWindow::undoChanges() {
    m_whatIf.clear();
    if (m_typed)
        m_texts->putBack(*m_typed);
    leaveTrace();
    const bool heads = !m_selection->off().empty();
    m_selection->setOff({}); // which asks for a run where there were any
    if (!heads)
        request();
}

void MainWindow::tellChanges(const TracePointer& full) {
    if (!m_traceFile.isEmpty())
        return m_notice->tell(tr("On show is %1, a run from a file. Views that need what it lacks say so.")
                                  .arg(QFileInfo(m_traceFile).fileName()),
                              tr("Back to the models"));
    QStringList parts;
    if (const auto heads = static_cast<int>(m_selection->off().size()); heads > 0)
        parts << tr("%n head(s) switched off", nullptr, heads);
    if (!m_whatIf.empty())
        parts << m_whatIf.words();
    if (parts.isEmpty())
        return m_notice->tell({}, {});
    auto text = tr("A runs changed: %1.").arg(parts.join(QStringLiteral("; ")));
    if (m_first && m_second && !m_first->intervention.empty())
        text += tr(" B is A in full, for comparison.");
    if (full)
        text += full->targetText == m_first->targetText
                    ? tr(" Its translation stays the same.")
                    : tr(" In full it says: %1").arg(QString::fromStdString(full->targetText));
    m_notice->tell(text, tr("Back to A in full"));
}

void MainWindow::openTrace(const QString& file) {
    try {
        auto trace = std::make_shared<const Trace>(readTrace(QFile::encodeName(file).toStdString()));
        m_whatIf.clear();
        m_selection->setOff({});
        m_service->cancel(); // a run that is on its way would take this one's place
        m_tellSlow.stop();
        if (m_traceFile.isEmpty())
            m_typed = m_texts->texts();
        m_traceFile = file;
        m_topBar->showFile(QFileInfo(file).fileName());
        QStringList notices;
        for (const auto& notice : trace->notices)
            notices << QString::fromStdString(notice);
        m_banner->tell(notices.join(QLatin1Char('\n')));
        m_texts->setShownTexts(*trace);
        if (!trace->cross && needs().onlyCross)
            showView(QStringLiteral("heads"));
        showRun(std::move(trace), nullptr);
        tellChanges(nullptr);
        Q_EMIT shown();
        updateStatus();
    } catch (const Error& error) { // what is on show stays
        m_banner->tell({});
        m_banner->tell(QString::fromUtf8(error.what()));
    }
}

void MainWindow::openGold(const QString& file) {
    try {
        auto sentences = readGoldAlignments(QFile::encodeName(file).toStdString());
        if (auto* before = findChild<GoldList*>())
            before->close();
        auto* list = new GoldList(std::move(sentences), QFileInfo(file).fileName(), this);
        connect(list, &GoldList::chosen, this, [this](const std::shared_ptr<const GoldAlignment>& sentence) {
            m_selection->setGold(sentence);
            m_texts->forceTexts(QString::fromStdString(writtenSource(*sentence).text),
                                QString::fromStdString(writtenTarget(*sentence).text));
        });
        if (m_first && !m_first->cross)
            m_banner->tell(tr("%1 does not translate: choose a model A that does, to align these sentences.")
                               .arg(QString::fromStdString(m_first->model)));
        if (!needs().cross)
            showView(QStringLiteral("alignment"));
        present(list);
    } catch (const Error& error) { // what is on show stays
        m_banner->tell({});
        m_banner->tell(QString::fromUtf8(error.what()));
    }
}

void MainWindow::askForGold() {
    auto* dialog = new QFileDialog(this, tr("Open gold alignments"), m_settings.exportFolder,
                                   tr("Gold alignments (*.tsv *.txt);;All files (*)"));
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::openGold);
    present(dialog);
}

void MainWindow::askForTrace() {
    auto* dialog =
        new QFileDialog(this, tr("Open a trace"), m_settings.exportFolder, tr("Traces (*.safetensors);;All files (*)"));
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::openTrace);
    present(dialog);
}

void MainWindow::updateStatus() {
    if (m_service->busy() && !m_tellSlow.isActive()) {
        m_timings->setText(m_first ? tr("running…  (the picture is of the text before)") : tr("opening the models…"));
        return;
    }
    if (!m_first)
        return m_timings->clear();
    if (!m_traceFile.isEmpty())
        return m_timings->setText(tr("from a file  ·  draw %1").arg(milliseconds(view()->drawMilliseconds())));
    const auto rows = m_first->emitted.size();
    QStringList parts{rows == 0 || m_first->source.empty()
                          ? tr("%1 tokens").arg(std::max(m_first->source.size(), rows))
                          : tr("%1 source · %2 target tokens").arg(m_first->source.size()).arg(rows),
                      tr("tokenize %1").arg(milliseconds(m_first->timings.tokenize)),
                      tr("A %1").arg(milliseconds(m_first->timings.model))};
    if (m_second)
        parts << tr("B %1").arg(milliseconds(m_second->timings.model));
    parts << tr("draw %1").arg(milliseconds(view()->drawMilliseconds()));
    m_timings->setText(parts.join(QStringLiteral("  ·  ")));
}

void MainWindow::findModels() {
    m_modelProblem.clear();
    const auto find = [this](const QString& model) -> std::filesystem::path {
        try {
            return ModelCatalog::resolve(model);
        } catch (const Error& error) {
            m_modelProblem = QString::fromUtf8(error.what());
            return {};
        }
    };
    const auto& models = m_topBar->models();
    m_secondFolder = models.b.isEmpty() ? std::filesystem::path() : find(models.b);
    m_firstFolder = find(models.a);
}

void MainWindow::runChosenModels() {
    m_saveSoon.start();
    if (m_typed)
        m_texts->putBack(*m_typed);
    leaveTrace();
    const auto before = m_firstFolder;
    findModels();
    if (m_firstFolder != before) { // whose heads and tokens those were
        m_whatIf.clear();
        m_selection->setOff({});
    }
    request();
}

void MainWindow::askForFolder(bool first) {
    auto* dialog =
        new QFileDialog(this, tr("Open a model folder"), m_settings.recentFolders.value(0, QDir::homePath()));
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this, first](const QString& folder) { openPath(folder, first); });
    dialog->setWindowModality(Qt::WindowModal);
    present(dialog);
}

void MainWindow::openPath(const QString& path, bool first) {
    if (isTraceFile(QFile::encodeName(path).toStdString()))
        return openTrace(path);
    for (const auto* ending : {".tsv", ".txt"})
        if (path.endsWith(QLatin1String(ending), Qt::CaseInsensitive))
            return openGold(path);
    QString folder;
    try {
        folder = QFile::decodeName(ModelCatalog::resolve(path).c_str());
    } catch (const Error& error) { // what is open stays open
        m_banner->tell({});
        return m_banner->tell(QString::fromUtf8(error.what()));
    }
    m_settings.recentFolders.removeAll(folder);
    m_settings.recentFolders.prepend(folder);
    m_settings.recentFolders = m_settings.recentFolders.mid(0, mostRecentFolders);
    const auto models = m_topBar->models();
    m_topBar->setModels(first ? TopBar::Models{folder, models.b} : TopBar::Models{models.a, folder});
    runChosenModels();
}

void MainWindow::swapModels() {
    const auto models = m_topBar->models();
    if (models.b.isEmpty())
        return;
    m_topBar->setModels({models.b, models.a});
    runChosenModels();
}

void MainWindow::fillModelMenu(QMenu* menu, bool first) {
    menu->clear();
    qDeleteAll(menu->findChildren<QMenu*>(Qt::FindDirectChildrenOnly)); // which clear() leaves
    const auto models = m_topBar->models();
    const auto add = [&](const QString& name, const QString& model) {
        auto* action = menu->addAction(name, this, [this, first, model, models] {
            m_topBar->setModels(first ? TopBar::Models{model, models.b} : TopBar::Models{models.a, model});
            runChosenModels();
        });
        action->setCheckable(true);
        action->setChecked(model == (first ? models.a : models.b));
    };
    if (!first)
        add(tr("none"), {});
    for (const auto& model : m_topBar->knownModels())
        add(modelTitle(model), model);
    menu->addSeparator();
    menu->addAction(tr("Open a folder…"), this, [this, first] { askForFolder(first); });
    const auto cached = ModelCatalog::cached(); // read anew each time: the cache grows beside the program
    auto* cache = menu->addMenu(tr("In the HuggingFace cache"));
    cache->setEnabled(!cached.isEmpty());
    for (const auto& entry : cached) {
        const auto folder = QFile::decodeName(entry.folder.c_str());
        cache->addAction(tr("%1  (%2)").arg(entry.name, entry.family), this,
                         [this, folder, first] { openPath(folder, first); });
    }
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
    for (auto* shownView : std::as_const(m_views))
        shownView->setAppearance(m_appearance);
}

void MainWindow::fitSides() {
    if (m_sidesMoved)
        return;
    const int left = std::clamp(width() * 24 / 100, 240, 380);
    const int right = std::clamp(width() * 22 / 100, 220, 340);
    m_splitter->setSizes({left, width() - left - right, right});
}

void MainWindow::showPage(const QString& title, const QString& richText) {
    auto* dialog = new QDialog(this);
    dialog->setWindowTitle(title);
    auto* page = new QTextBrowser;
    page->setFrameShape(QFrame::NoFrame);
    page->setAccessibleName(title);
    page->setHtml(richText);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::close);
    auto* column = new QVBoxLayout(dialog);
    column->addWidget(page);
    column->addWidget(buttons);
    dialog->resize(QSize(620, 640).boundedTo(size()));
    present(dialog);
}

void MainWindow::present(QDialog* dialog) {
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setStyleSheet(QStringLiteral("QToolButton { padding: 3px; }")); // a file dialog's are icons
    dialog->show();
    dialog->setPalette(palette()); // which a window of its own does not inherit, nor keep before it is styled
}

void MainWindow::saveSettings() {
    m_settings.modelB = m_topBar->models().b;
    const auto typed = m_typed.value_or(m_texts->texts());
    m_settings.sourceText = typed.source;
    m_settings.secondText = typed.second;
    m_settings.targetText = typed.target.value_or(QString());
    m_settings.exportFolder = m_exportMenu->folder();
    m_settings.geometry = saveGeometry();
    m_settings.fresh = false;
    m_settings.save();
}

bool MainWindow::event(QEvent* event) {
    const auto type = event->type();
    if (type == QEvent::ThemeChange || type == QEvent::ApplicationPaletteChange
        || type == QEvent::ApplicationFontChange)
        applyAppearance();
    return QMainWindow::event(event);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    m_saveSoon.stop();
    saveSettings();
    QMainWindow::closeEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (!droppedPath(*event->mimeData()).isEmpty())
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    const auto path = droppedPath(*event->mimeData());
    if (path.isEmpty())
        return;
    event->acceptProposedAction();
    openPath(path, true);
}

void MainWindow::resizeEvent(QResizeEvent* event) {
    QMainWindow::resizeEvent(event);
    fitSides();
}

void MainWindow::showEvent(QShowEvent* event) {
    QMainWindow::showEvent(event);
    fitSides();
}

} // namespace headlight
