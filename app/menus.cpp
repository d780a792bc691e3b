#include "app/menus.h"

#include "app/answer_panel.h"
#include "app/document.h"
#include "app/doors.h"
#include "app/help_text.h"
#include "app/text_panel.h"
#include "app/top_bar.h"
#include "widgets/plain_text.h"

#include <QActionGroup>
#include <QDir>
#include <QFile>
#include <QMenu>
#include <QMenuBar>
#include <QPointer>

#include <utility>

namespace headlight {

Menus::Menus(QMenuBar& bar, const Parts& parts, const Colors& colors, QObject* parent)
    : QObject(parent), m_parts(parts), m_colors(colors) {
    buildFile(bar);
    buildEdit(bar);
    buildView(bar);
    buildModel(bar);
    buildHelp(bar);
}

void Menus::buildFile(QMenuBar& bar) {
    auto* menu = bar.addMenu(tr("&File"));
    menu->addAction(tr("&New session"), QKeySequence::New, this, &Menus::newWanted);
    menu->addAction(tr("&Open session…"), QKeySequence::Open, this, &Menus::sessionWanted);
    auto* recent = menu->addMenu(tr("Open &recent"));
    connect(recent, &QMenu::aboutToShow, this, [this, recent] { fillRecent(*recent); });
    menu->addAction(tr("&Save session"), QKeySequence::Save, this, &Menus::saveWanted);
    menu->addAction(tr("Save session &as…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S), this,
                    &Menus::saveAsWanted);
    menu->addSeparator();
    menu->addAction(tr("Open &model folder…"), QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key_O), this,
                    [this] { Q_EMIT folderWanted(true); });
    menu->addAction(tr("Open &trace…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O), this, &Menus::traceWanted);
    menu->addAction(tr("Open &gold alignments…"), this, &Menus::goldWanted);
    menu->addSeparator();
    menu->addAction(tr("&Export…"), QKeySequence(Qt::CTRL | Qt::Key_E), this, &Menus::exportWanted);
    menu->addAction(tr("&Copy picture"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C), this, &Menus::copyWanted);
    menu->addAction(tr("Save t&race…"), this, &Menus::traceSaveWanted);
    menu->addSeparator();
    menu->addAction(tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), this, &Menus::quitWanted);
}

void Menus::fillRecent(QMenu& menu) {
    menu.clear();
    for (const auto& file : m_parts.recentSessions)
        menu.addAction(withoutAccelerators(brief(QDir::toNativeSeparators(file), mostOfName)), this,
                       [this, file] { Q_EMIT fileWanted(file); });
    if (menu.isEmpty())
        menu.addAction(tr("none"))->setEnabled(false);
}

void Menus::buildEdit(QMenuBar& bar) {
    auto* menu = bar.addMenu(tr("&Edit"));
    auto* texts = &m_parts.texts;
    auto* undo = menu->addAction(tr("&Undo"), QKeySequence::Undo, this, &Menus::undoWanted);
    auto* redo = menu->addAction(tr("&Redo"), this, &Menus::redoWanted);
    redo->setShortcuts({QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), QKeySequence(Qt::CTRL | Qt::Key_Y)});
    const auto follow = [this, undo, redo] {
        const auto& steps = m_parts.document.steps();
        undo->setEnabled(steps.canUndo());
        redo->setEnabled(steps.canRedo());
        undo->setText(steps.canUndo() ? tr("&Undo: %1").arg(steps.undoText()) : tr("&Undo"));
        redo->setText(steps.canRedo() ? tr("&Redo: %1").arg(steps.redoText()) : tr("&Redo"));
    };
    connect(&m_parts.document, &Document::stateChanged, this, follow);
    follow();
    menu->addSeparator();
    menu->addAction(tr("&Find a token…"), QKeySequence::Find, this, &Menus::findWanted);
    menu->addAction(tr("&Notes…"), QKeySequence(Qt::CTRL | Qt::Key_J), this, &Menus::notesWanted);
    menu->addSeparator();
    menu->addAction(tr("Go to the &source"), QKeySequence(Qt::CTRL | Qt::Key_L), texts, &TextPanel::focusSource);
    menu->addAction(tr("Use A's &own translation"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_L), texts,
                    &TextPanel::useOwnTranslation);
    menu->addSeparator();
    menu->addAction(tr("Insert the &mask token"), QKeySequence(Qt::CTRL | Qt::Key_M), texts, &TextPanel::insertMask);
    menu->addAction(tr("&Accept the next token"), QKeySequence(Qt::CTRL | Qt::Key_Return), &texts->answers(),
                    &AnswerPanel::accept);
    menu->addAction(tr("&Continue, or stop"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Return), &texts->answers(),
                    &AnswerPanel::toggleContinuing);
}

void Menus::buildView(QMenuBar& bar) {
    auto* menu = bar.addMenu(tr("&View"));
    for (int i = 0; i < static_cast<int>(m_parts.views.size()); ++i) {
        menu->addAction(m_parts.views[i], QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + i)), this,
                        [this, i] { Q_EMIT viewWanted(i); });
    }
    menu->addSeparator();
    auto* topBar = &m_parts.topBar;
    menu->addAction(tr("Layer before"), QKeySequence(Qt::ALT | Qt::Key_Up), topBar,
                    [topBar] { topBar->stepLayer(-1); });
    menu->addAction(tr("Layer after"), QKeySequence(Qt::ALT | Qt::Key_Down), topBar,
                    [topBar] { topBar->stepLayer(1); });
    menu->addAction(tr("Head before"), QKeySequence(Qt::ALT | Qt::Key_Left), topBar,
                    [topBar] { topBar->stepHead(-1); });
    menu->addAction(tr("Head after"), QKeySequence(Qt::ALT | Qt::Key_Right), topBar, [topBar] { topBar->stepHead(1); });
    menu->addAction(tr("&Free the locked pair, or go back"), QKeySequence(Qt::Key_Escape), this, &Menus::escapeWanted);
    menu->addSeparator();
    addColors(menu);
    menu->addSeparator();
    auto* larger = menu->addAction(tr("&Larger text"), this, [this] { Q_EMIT textSizeWanted(1); });
    larger->setShortcuts({QKeySequence(Qt::CTRL | Qt::Key_Plus), QKeySequence(Qt::CTRL | Qt::Key_Equal)});
    menu->addAction(tr("&Smaller text"), QKeySequence(Qt::CTRL | Qt::Key_Minus), this,
                    [this] { Q_EMIT textSizeWanted(-1); });
    menu->addAction(tr("&Usual size of text"), QKeySequence(Qt::CTRL | Qt::Key_0), this,
                    [this] { Q_EMIT textSizeWanted(0); });
    menu->addSeparator();
    auto* panels = menu->addAction(tr("Side &panels"), QKeySequence(Qt::Key_F9), this, &Menus::panelsWanted);
    panels->setCheckable(true);
    panels->setChecked(true);
    menu->addAction(tr("Full s&creen"), QKeySequence(Qt::Key_F11), this, &Menus::fullScreenWanted)->setCheckable(true);
}

void Menus::addColors(QMenu* menu) {
    const auto addChoice = [this](QMenu* choices, QActionGroup* group, const QString& name, bool checked, auto choose) {
        auto* action = choices->addAction(name, this, [this, choose] {
            choose();
            Q_EMIT colorsChosen(m_colors);
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
        addChoice(themes, themeGroup, name, theme == m_colors.theme,
                  [this, chosen = theme] { m_colors.theme = chosen; });

    auto* maps = menu->addMenu(tr("&Colour map"));
    auto* mapGroup = new QActionGroup(this);
    addChoice(maps, mapGroup, tr("As the theme"), !m_colors.map, [this] { m_colors.map.reset(); });
    const auto mapNames = colorMapNames();
    for (int i = 0; i < mapNames.size(); ++i) {
        const auto map = static_cast<ColorMap>(i);
        addChoice(maps, mapGroup, mapNames[i], map == m_colors.map, [this, map] { m_colors.map = map; });
    }
}

void Menus::buildModel(QMenuBar& bar) {
    auto* menu = bar.addMenu(tr("&Model"));
    for (const bool first : {true, false}) {
        auto* models = menu->addMenu(first ? tr("Model &A") : tr("Model &B"));
        connect(models, &QMenu::aboutToShow, this, [this, models, first] { fillModels(models, first); });
    }
    menu->addAction(tr("&Swap A and B"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_X), this, &Menus::swapWanted);
    menu->addSeparator();
    menu->addAction(tr("&Get a model…"), QKeySequence(Qt::CTRL | Qt::Key_G), this, &Menus::hubWanted);
    menu->addAction(tr("&Manage models…"), this, &Menus::managementWanted);
}

void Menus::fillModels(QMenu* menu, bool first) {
    menu->clear();
    qDeleteAll(menu->findChildren<QMenu*>(Qt::FindDirectChildrenOnly)); // which clear() leaves
    const auto& models = m_parts.topBar.models();
    const auto add = [&](const QString& name, const QString& model) {
        auto* action = menu->addAction(name, this, [this, first, model] { Q_EMIT modelChosen(model, first); });
        action->setToolTip(toolTipOf({model})); // else its text, in which Qt may see markup
        action->setCheckable(true);
        action->setChecked(model == (first ? models.a : models.b));
    };
    if (!first)
        add(tr("none"), {});
    for (const auto& model : m_parts.topBar.knownModels())
        add(withoutAccelerators(brief(modelTitle(model), mostOfName)), model);
    menu->addSeparator();
    menu->addAction(tr("Open a folder…"), this, [this, first] { Q_EMIT folderWanted(first); });
    auto* cache = menu->addMenu(tr("In the HuggingFace cache"));
    cache->addAction(tr("Looking…"))->setEnabled(false);
    // Anew each time, for the cache grows beside the program; in another thread, for its disk may be slow.
    m_scans.start([this, first, cache = QPointer(cache)] {
        QList<CatalogEntry> entries;
        const auto problem = Doors::attempt({}, [&entries] { entries = ModelCatalog::cached(); });
        QMetaObject::invokeMethod(
            this,
            [this, first, cache, entries, problem] {
                if (cache) // the menu was not filled anew meanwhile
                    listCached(*cache, entries, first);
                if (!problem.isEmpty())
                    Q_EMIT failed(tr("The HuggingFace cache could not be read: %1").arg(problem));
            },
            Qt::QueuedConnection);
    });
}

void Menus::listCached(QMenu& menu, const QList<CatalogEntry>& entries, bool first) {
    menu.clear();
    for (const auto& entry : entries) {
        const auto folder = QFile::decodeName(entry.folder.c_str());
        const auto title = tr("%1  (%2)").arg(brief(entry.name, mostOfName), brief(entry.family, mostOfName));
        menu.addAction(withoutAccelerators(title), this, [this, folder, first] { Q_EMIT modelChosen(folder, first); });
    }
    if (entries.isEmpty())
        menu.addAction(tr("no model"))->setEnabled(false);
}

void Menus::buildHelp(QMenuBar& bar) {
    auto* menu = bar.addMenu(tr("&Help"));
    menu->addAction(tr("&What am I looking at?"), QKeySequence::HelpContents, this,
                    [this] { Q_EMIT pageWanted(tr("What am I looking at?"), lookingAtText()); });
    menu->addAction(tr("&About Headlight"), this, [this] { Q_EMIT pageWanted(tr("About Headlight"), aboutText()); });
}

} // namespace headlight
