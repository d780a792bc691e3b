#include "widgets/heads_view.h"

#include "core/analysis/comparison.h"
#include "core/analysis/thinning.h"
#include "widgets/controls.h"
#include "widgets/map_panel.h"
#include "widgets/names.h"
#include "widgets/reading_controls.h"
#include "widgets/run_box.h"

#include <QCheckBox>
#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QSignalBlocker>
#include <QToolButton>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

namespace headlight {

namespace {

// What the control of sorting offers besides each HeadMeasure, and that of filtering besides each HeadKind.
constexpr int byPlace = -1;
constexpr int byAlignment = 100;
constexpr int byChange = 101;
constexpr int showAll = -1;
constexpr int showCollected = 100;
constexpr int showOff = 101;

QString measureName(HeadMeasure measure) {
    switch (measure) {
    case HeadMeasure::Entropy:
        return HeadsView::tr("mean entropy");
    case HeadMeasure::Distance:
        return HeadsView::tr("mean distance");
    case HeadMeasure::Confidence:
        return HeadsView::tr("mean largest weight");
    case HeadMeasure::First:
        return HeadsView::tr("share on the first token");
    case HeadMeasure::Previous:
        return HeadsView::tr("share on the previous token");
    case HeadMeasure::Next:
        return HeadsView::tr("share on the next token");
    case HeadMeasure::Self:
        return HeadsView::tr("share on the same token");
    case HeadMeasure::Special:
        return HeadsView::tr("share on special tokens");
    }
    return {};
}

bool isIn(const std::vector<Intervention::HeadOff>& off, BlockKind kind, const HeadPlace& head) {
    return std::find(off.begin(), off.end(), Intervention::HeadOff{kind, head.layer, head.head}) != off.end();
}

QString onlyOfA() {
    return HeadsView::tr("These are B’s heads; only A’s can be switched off: swap the models (Ctrl+Shift+X).");
}

constexpr int lastMeasure = static_cast<int>(HeadMeasure::Special);
constexpr int lastKind = static_cast<int>(HeadKind::Mixed);

/// Names for the rows or columns of a map in which tokens may share them: "cat", or "tokens 20–23".
QStringList sharedNames(const QStringList& tokens, int places) {
    const int count = static_cast<int>(tokens.size());
    if (places >= count)
        return tokens;
    const auto firstOf = [&](int place) { // as pooledMap divides them
        return static_cast<int>((std::int64_t{place} * count + places - 1) / places);
    };
    QStringList names;
    for (int place = 0; place < places; ++place) {
        const int first = firstOf(place), last = firstOf(place + 1) - 1;
        names << (first == last ? HeadsView::tr("token %1").arg(first)
                                : HeadsView::tr("tokens %1–%2").arg(first).arg(last));
    }
    return names;
}

/// Takes these entries, keeping the choice where it still is one.
void offer(QComboBox& box, const std::vector<std::pair<QString, int>>& entries) {
    const QSignalBlocker quiet(box);
    const auto chosen = box.currentData();
    bool same = box.count() == static_cast<int>(entries.size());
    for (int i = 0; same && i < box.count(); ++i)
        same = box.itemData(i).toInt() == entries[static_cast<std::size_t>(i)].second;
    if (!same)
        box.clear();
    for (int i = 0; i < static_cast<int>(entries.size()); ++i) {
        const auto& [name, data] = entries[static_cast<std::size_t>(i)];
        if (same)
            box.setItemText(i, name); // an open list stays open
        else
            box.addItem(name, data);
    }
    if (!same)
        box.setCurrentIndex(std::max(0, box.findData(chosen)));
}

} // namespace

HeadsView::HeadsView(QWidget* parent)
    : FigureView(parent), m_run(new RunBox), m_sorting(new ComboBox), m_backwards(new QToolButton),
      m_filter(new ComboBox), m_off(new QToolButton) {
    m_sorting->setToolTip(tr("By what heads are sorted, the highest first; what the measures mean is in the help."));
    m_backwards->setCheckable(true);
    m_backwards->setText(QStringLiteral("↓"));
    m_backwards->setToolTip(tr("The lowest first"));
    m_backwards->setAccessibleName(tr("Backwards"));
    m_filter->setToolTip(tr("Which heads are shown: those that mostly do one thing on this text, those that were "
                            "collected, or those that are switched off."));
    m_off->setText(tr("Switch off"));
    m_off->setToolTip(
        tr("Take what a head gives out as 0: the model runs again without it. X does so for the head under "
           "the pointer."));
    m_off->setPopupMode(QToolButton::InstantPopup);
    m_off->setMenu(new QMenu(m_off));

    // A list is as wide as what it begins with: the longest of its entries would not leave room for the others.
    for (auto* box : {m_sorting, m_filter}) {
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(10);
    }
    m_sorting->addItem({}, byPlace); // until there is a run, which has more
    m_filter->addItem({}, showAll);
    addControl(m_run);
    connect(m_run, &QComboBox::activated, this, &HeadsView::rebuild);
    addControl(m_sorting, tr("Sort by"));
    addControl(m_backwards);
    addControl(m_filter, tr("Show"));
    addControl(m_off);
    for (auto* box : {m_sorting, m_filter})
        connect(box, &QComboBox::currentIndexChanged, this, &HeadsView::rebuild);
    connect(m_backwards, &QToolButton::toggled, this, [this](bool on) {
        m_backwards->setText(on ? QStringLiteral("↑") : QStringLiteral("↓"));
        rebuild();
    });
    connect(m_off->menu(), &QMenu::aboutToShow, this, [this] { fillMenu(*m_off->menu()); });
    keepChoice(QStringLiteral("run"), m_run);
    keepChoice(QStringLiteral("sorting"), m_sorting);
    keepChoice(QStringLiteral("backwards"), m_backwards);
    keepChoice(QStringLiteral("filter"), m_filter);
}

void HeadsView::setSelection(Selection* selection) {
    addControl(makeCellsChoice(*selection), tr("What a cell shows"));
    addControl(m_change = makeChangeBox(*selection));
    addControl(makeRangeBox(*selection));
    FigureView::setSelection(selection);
    connect(selection, &Selection::offChanged, this, &HeadsView::rebuild);
}

const TracePointer& HeadsView::run() const {
    return m_run->chosen(trace(), other());
}

void HeadsView::followControls(const Heads& heads, const Trace& run) {
    std::vector<std::pair<QString, int>> entries{{tr("layer, head"), byPlace}};
    for (int measure = 0; measure <= lastMeasure; ++measure)
        if (heads.kind != BlockKind::Cross || measured(HeadMetrics(), HeadMeasure(measure)))
            entries.emplace_back(measureName(HeadMeasure(measure)), measure);
    if (heads.kind == BlockKind::Cross)
        entries.emplace_back(tr("how well it aligns"), byAlignment);
    if (heads.change)
        entries.emplace_back(tr("change against the full run"), byChange);
    offer(*m_sorting, entries);
    m_backwards->setEnabled(m_sorting->currentData().toInt() != byPlace);

    entries = {{tr("all heads"), showAll}};
    for (int kind = 0; kind <= lastKind; ++kind)
        if (heads.kind != BlockKind::Cross || HeadKind(kind) > HeadKind::Self) {
            int many = 0;
            for (const auto& metrics : heads.measures ? heads.measures->metrics : std::vector<HeadMetrics>())
                many += metrics.kind == HeadKind(kind);
            const auto name = kindName(HeadKind(kind));
            entries.emplace_back(heads.measures ? tr("%1 (%2)").arg(name).arg(many) : name, kind);
        }
    const auto collected = heads.kind == selection()->kind() ? selection()->collected().size() : 0;
    entries.emplace_back(tr("collected (%1)").arg(collected), showCollected);
    const auto& all = run.intervention.off;
    const auto off = std::count_if(all.begin(), all.end(), [&](const auto& one) { return one.kind == heads.kind; });
    entries.emplace_back(tr("switched off (%1)").arg(off), showOff);
    offer(*m_filter, entries);
}

float HeadsView::valueOf(const Heads& heads, int head, int sorting) {
    const auto at = static_cast<std::size_t>(head);
    if (sorting == byAlignment)
        return heads.measures->alignments[at];
    if (sorting == byChange)
        return heads.tiles->changes[at];
    return measured(heads.measures->metrics[at], HeadMeasure(sorting)).value_or(0);
}

std::vector<int> HeadsView::listed(const Heads& heads, const Trace& run) const {
    const int perLayer = run.block(heads.kind)->heads;
    const int filter = m_filter->currentData().toInt(), sorting = m_sorting->currentData().toInt();
    const auto& collected = selection()->collected();
    std::vector<int> list;
    for (int i = 0; i < static_cast<int>(heads.tiles->maps.size()); ++i) {
        const HeadPlace place{Layer(i / perLayer), Head(i % perLayer)};
        const bool passes =
            filter == showAll         ? true
            : filter == showCollected ? std::find(collected.begin(), collected.end(), place) != collected.end()
            : filter == showOff       ? isIn(run.intervention.off, heads.kind, place)
                                      : heads.measures->metrics[static_cast<std::size_t>(i)].kind == HeadKind(filter);
        if (passes)
            list.push_back(i);
    }
    if (sorting != byPlace)
        std::stable_sort(list.begin(), list.end(), [&](int a, int b) {
            const float left = valueOf(heads, a, sorting), right = valueOf(heads, b, sorting);
            if (std::isnan(left) || std::isnan(right))
                return !std::isnan(left) && std::isnan(right); // to the end
            return m_backwards->isChecked() ? left < right : left > right;
        });
    return list;
}

QString HeadsView::captionOf(const Heads& heads, int head, int sorting) {
    const auto at = static_cast<std::size_t>(head);
    if (heads.change && sorting == byPlace)
        return tr("changed by %1 bit").arg(numberText(heads.tiles->changes[at]));
    if (sorting == byChange)
        return tr("%1 bit").arg(numberText(heads.tiles->changes[at]));
    if (!heads.measures)
        return {};
    if (sorting != byPlace) {
        const auto value = numberText(valueOf(heads, head, sorting));
        if (sorting == byAlignment)
            return tr("aligns %1").arg(value);
        if (sorting == static_cast<int>(HeadMeasure::Entropy))
            return tr("%1 bit").arg(value);
        return sorting == static_cast<int>(HeadMeasure::Distance) ? tr("%1 tokens").arg(value) : value;
    }
    // What there is to know of a cross head is how well it aligns; its kinds are those of self-attention.
    const auto& metrics = heads.measures->metrics[at];
    const auto known = heads.kind != BlockKind::Cross ? kindName(metrics.kind)
                                                      : tr("aligns %1").arg(numberText(heads.measures->alignments[at]));
    return tr("%1, %2 bit").arg(known, numberText(metrics.entropy, 1));
}

QString HeadsView::noteOf(const Trace& run, BlockKind kind) const {
    if (&run != trace().get())
        return isFullRun(run, *trace()) ? tr("This is the run in full.") : onlyOfA();
    const auto& off = run.intervention.off;
    if (off.empty())
        return {};
    constexpr std::size_t mostNamed = 6;
    QStringList names;
    for (std::size_t i = 0; i < off.size() && i < mostNamed; ++i) {
        const auto name = headName({off[i].layer, off[i].head});
        names << (off[i].kind == kind ? name : tr("%1 (%2)").arg(name, kindName(off[i].kind)));
    }
    if (off.size() > mostNamed)
        names << QStringLiteral("…");
    return tr("%n head(s) switched off: %1. X on one, or all at once by “Switch off”, brings them back.", nullptr,
              static_cast<int>(off.size()))
        .arg(names.join(QStringLiteral(", ")));
}

std::vector<Panel> HeadsView::build() {
    const auto kind = selection()->kind();
    m_run->offer(trace(), other());
    const auto& run = this->run();
    const auto full = fullRunOf(run);
    m_change->setVisible(full != nullptr);
    if (!hasHeads(*run, kind))
        return {};
    const auto* block = run->block(kind);
    const bool same = full && readTheSame(*full, *run, kind);
    const bool change = same && selection()->change();
    auto& derived = Derived::instance();
    const auto single = shownHead(run, kind);
    const Heads heads{kind, change, needed(derived.tiles(run, kind, selection()->cells(), change ? full : nullptr)),
                      wanted(derived.measures(run, kind))};
    if (!single || !heads.tiles)
        return {};
    followControls(heads, *run);
    const auto mode = selection()->headMode();
    const bool ofOne = mode == HeadMode::One || mode == HeadMode::BestAligning || block->layers * block->heads == 1;
    const int sorting = m_sorting->currentData().toInt(), filter = m_filter->currentData().toInt();
    const bool measuring = (sorting != byPlace && sorting != byChange) || (filter >= 0 && filter <= lastKind);
    if (measuring && !needed(heads.measures))
        return {};
    const auto list = listed(heads, *run);
    const bool inPlace = sorting == byPlace && filter == showAll;

    TilePanel panel;
    panel.kind = kind;
    panel.switches = canSwitch(kind);
    panel.title = titleOf(*run);
    QStringList said{tr("%1 attention, %2 × %3 heads").arg(kindName(kind)).arg(block->layers).arg(block->heads)};
    if (&shownBlock(*run, kind, selection()->cells()) != block)
        said << tr("norms, as shares of the row");
    if (!inPlace)
        said << tr("%1 of them", nullptr, static_cast<int>(list.size())).arg(list.size());
    said << (change                    ? tr("this run minus the full one")
             : selection()->ownRange() ? tr("each in a range of its own")
                                       : tr("colours from 0 to 1"));
    if (!heads.tiles->maps.empty()
        && (heads.tiles->maps.front()->columns < block->keys || heads.tiles->maps.front()->rows < block->queries))
        said << tr("each cell the strongest of its weights");
    if (!block->distributions)
        said << tr("rows do not sum to 1");
    panel.subtitle = said.join(QStringLiteral(", "));
    QStringList notes{noteOf(*run, kind)};
    if (list.empty())
        notes << (filter == showCollected ? tr("No head was collected; “Show” has all.")
                  : filter == showOff     ? tr("No head is switched off; “Show” has all.")
                                          : tr("No head is of this kind; “Show” has others."));
    if (full && !same)
        notes << tr("The full run read other tokens, so no change can be drawn.");
    notes.removeAll(QString());
    panel.note = notes.join(QLatin1Char(' '));
    if (inPlace) {
        panel.columns = block->heads;
        for (int head = 0; head < block->heads; ++head) {
            panel.columnNames << tr("head %1").arg(head);
            panel.shortColumnNames << QString::number(head);
        }
        for (int layer = 0; layer < block->layers; ++layer)
            panel.rowNames << tr("layer %1").arg(layer);
    } else {
        panel.columns = 0;
    }
    if (change) {
        panel.differs = true;
        panel.high = leastChange;
        for (const auto& map : heads.tiles->maps)
            panel.high = largestOf(map->values, panel.high);
    }
    panel.ownRanges = !change && selection()->ownRange();
    if (!heads.tiles->maps.empty()) {
        panel.cellRows = sharedNames(shownTexts(rowTokens(*run, kind, single->rows)), heads.tiles->maps.front()->rows);
        panel.cellColumns = sharedNames(shownTexts(run->keyTokens(kind)), heads.tiles->maps.front()->columns);
    }
    const auto& collected = selection()->collected();
    for (const int i : list) {
        const HeadPlace place{Layer(i / block->heads), Head(i % block->heads)};
        const auto found = std::find(collected.begin(), collected.end(), place);
        const bool off = isIn(run->intervention.off, kind, place);
        panel.tiles.push_back(
            {.map = heads.tiles->maps[static_cast<std::size_t>(i)],
             .layer = place.layer,
             .head = place.head,
             .name = headName(place),
             .caption = [heads, i, sorting] { return captionOf(heads, i, sorting); },
             .chosen = ofOne && single->place == place,
             .off = off,
             .pending = panel.switches && off != isIn(selection()->off(), kind, place),
             .collected = found == collected.end() ? -1 : static_cast<int>(found - collected.begin())});
    }
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

bool HeadsView::canSwitch(BlockKind kind) const {
    return trace() && kind == selection()->kind() && run() == trace() && hasHeads(*trace(), kind);
}

void HeadsView::switchHeads(BlockKind kind, const std::vector<HeadPlace>& heads, bool off) {
    auto all = selection()->off();
    for (const auto& head : heads) {
        const Intervention::HeadOff one{kind, head.layer, head.head};
        std::erase(all, one);
        if (off)
            all.push_back(one);
    }
    selection()->setOff(std::move(all));
}

std::optional<HeadPlace> HeadsView::target() const {
    if (const auto [panel, place] = pointed(); panel)
        if (const auto* tiles = std::get_if<TilePanel>(&panel->content); tiles && place.row >= 0) {
            const auto& tile = tiles->tiles[static_cast<std::size_t>(place.row)];
            return HeadPlace{tile.layer, tile.head};
        }
    const auto kind = selection()->kind();
    if (!trace() || !hasHeads(*run(), kind))
        return std::nullopt;
    const auto head = shownHead(run(), kind); // of a mean, the one that was chosen before
    return head ? head->place : std::nullopt;
}

void HeadsView::fillMenu(QMenu& menu) {
    menu.clear();
    menu.setToolTipsVisible(true);
    const auto kind = selection()->kind();
    const auto head = target();
    // A menu may be open while another kind comes to be shown.
    const auto add = [this, kind, &menu](const QString& text, std::function<void()> act) {
        return menu.addAction(text, this, [this, kind, act = std::move(act)] {
            if (selection()->kind() == kind)
                act();
        });
    };
    if (head) {
        const auto name = headName(*head);
        const auto& collected = selection()->collected();
        add(tr("Open %1").arg(name), [this, kind, place = *head] {
            selection()->setHead(kind, place.layer, place.head);
            Q_EMIT headOpened();
        });
        const bool isCollected = std::find(collected.begin(), collected.end(), *head) != collected.end();
        add(isCollected ? tr("Take %1 out of those collected").arg(name) : tr("Collect %1").arg(name),
            [this, kind, place = *head] { selection()->toggleCollected(kind, place); });
        menu.addSeparator();

        const auto& block = *run()->block(kind);
        std::vector<HeadPlace> layer, others;
        for (int l = 0; l < block.layers; ++l)
            for (int h = 0; h < block.heads; ++h) {
                const HeadPlace place{Layer(l), Head(h)};
                if (place.layer == head->layer)
                    layer.push_back(place);
                if (place != *head)
                    others.push_back(place);
            }
        const auto isOff = [&](const HeadPlace& one) { return isIn(selection()->off(), kind, one); };
        const auto addSwitch = [&](const QString& text, std::function<void()> act) {
            auto* action = add(text, [this, kind, act = std::move(act)] {
                if (canSwitch(kind))
                    act();
            });
            action->setEnabled(canSwitch(kind));
            if (!canSwitch(kind))
                action->setToolTip(onlyOfA());
        };
        const bool off = canSwitch(kind) && isOff(*head);
        addSwitch(off ? tr("Switch %1 on").arg(name) : tr("Switch %1 off").arg(name),
                  [this, kind, place = *head, off] { switchHeads(kind, {place}, !off); });
        const bool layerOff = canSwitch(kind) && std::all_of(layer.begin(), layer.end(), isOff);
        addSwitch(layerOff ? tr("Switch layer %1 on").arg(head->layer.value)
                           : tr("Switch layer %1 off").arg(head->layer.value),
                  [this, kind, layer, layerOff] { switchHeads(kind, layer, !layerOff); });
        addSwitch(tr("Switch all but %1 off").arg(name), [this, kind, place = *head, others] {
            switchHeads(kind, {place}, false);
            switchHeads(kind, others, true);
        });
    }
    menu.addAction(tr("Switch all on"), this, [this] { selection()->setOff({}); })
        ->setEnabled(!selection()->off().empty());
    menu.addSeparator();
    add(tr("Collect none"), [this, kind] {
        selection()->setCollected(kind, {});
    })->setEnabled(!selection()->collected().empty());
}

bool HeadsView::clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers modifiers) {
    const auto& tiles = std::get<TilePanel>(panel.content);
    const auto& tile = tiles.tiles[static_cast<std::size_t>(place.row)];
    const auto kind = tiles.kind;
    const HeadPlace head{tile.layer, tile.head}; // the tile itself goes when the selection changes
    if (modifiers.testFlag(Qt::ControlModifier)) {
        selection()->toggleCollected(kind, head);
        return true;
    }
    selection()->setHead(kind, head.layer, head.head);
    return true;
}

bool HeadsView::doubleClicked(const Panel&, const Lit&) {
    Q_EMIT headOpened();
    return true;
}

void HeadsView::keyPressEvent(QKeyEvent* event) {
    const bool plain = event->modifiers() == Qt::NoModifier && selection();
    if (plain && (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && pointed().panel) {
        FigureView::keyPressEvent(event); // which chooses it
        Q_EMIT headOpened();
        return;
    }
    const auto head = plain && (event->key() == Qt::Key_C || event->key() == Qt::Key_X) ? target() : std::nullopt;
    if (!head)
        return FigureView::keyPressEvent(event);
    const auto kind = selection()->kind();
    if (event->key() == Qt::Key_C)
        selection()->toggleCollected(kind, *head);
    else if (canSwitch(kind))
        switchHeads(kind, {*head}, !isIn(selection()->off(), kind, *head));
}

void HeadsView::contextMenuEvent(QContextMenuEvent* event) {
    if (!selection() || !target())
        return FigureView::contextMenuEvent(event);
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    fillMenu(*menu);
    menu->popup(event->globalPos());
}

QString HeadsView::emptyText() const {
    return trace() ? missingText(*run(), selection() ? selection()->kind() : BlockKind::Encoder,
                                 m_run->unchosen(trace(), other()).get())
                   : tr("Type a sentence to see what attends to what.");
}

} // namespace headlight
