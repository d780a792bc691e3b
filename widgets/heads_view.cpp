#include "widgets/heads_view.h"

#include "core/analysis/comparison.h"
#include "core/analysis/thinning.h"
#include "widgets/controls.h"
#include "widgets/map_panel.h"
#include "widgets/names.h"
#include "widgets/reading_controls.h"

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

/// Cells that all maps together may have: more than screens have pixels.
constexpr double mostCells = 6e6;

QString measureName(HeadMeasure measure) {
    switch (measure) {
    case HeadMeasure::Entropy:
        return HeadsView::tr("entropy");
    case HeadMeasure::Distance:
        return HeadsView::tr("mean distance");
    case HeadMeasure::Confidence:
        return HeadsView::tr("confidence");
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
    : FigureView(parent), m_sorting(new ComboBox), m_backwards(new QToolButton), m_filter(new ComboBox),
      m_off(new QToolButton) {
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
    connect(m_filter, &ComboBox::opening, this, [this] {
        if (!m_heads || m_counted)
            return;
        m_counted = true;
        rebuild();
    });
    connect(m_off->menu(), &QMenu::aboutToShow, this, [this] { fillMenu(*m_off->menu()); });
}

void HeadsView::setTrace(TracePointer trace, TracePointer other) {
    m_heads.reset();
    m_counted = false;
    m_first = trace;
    m_second = other;
    FigureView::setTrace(std::move(trace), std::move(other));
}

void HeadsView::setSelection(Selection* selection) {
    addControl(m_change = makeChangeBox(*selection));
    addControl(makeRangeBox(*selection));
    FigureView::setSelection(selection);
    connect(selection, &Selection::offChanged, this, &HeadsView::rebuild);
}

const HeadMetrics& HeadsView::Heads::metricsOf(int head) const {
    auto& kept = metrics[static_cast<std::size_t>(head)];
    if (!kept) {
        const auto& block = *run->block(kind);
        kept = headMetrics(block, Layer(head / block.heads), Head(head % block.heads), run->keyTokens(kind));
    }
    return *kept;
}

std::shared_ptr<const HeadsView::Heads> HeadsView::headsOf(const TracePointer& run, BlockKind kind, const Trace* full) {
    if (m_heads && m_heads->run == run && m_heads->kind == kind && m_heads->change == (full != nullptr))
        return m_heads;
    const auto& block = *run->block(kind);
    const auto& keys = run->keyTokens(kind);
    const int count = block.layers * block.heads;
    const int side = std::max(24, static_cast<int>(std::sqrt(mostCells / count)));
    const auto made = std::make_shared<Heads>();
    auto& heads = *made;
    heads.run = run;
    heads.kind = kind;
    heads.change = full != nullptr;
    heads.metrics.resize(static_cast<std::size_t>(count));
    const auto pooled = [&](std::span<const float> values) {
        return std::make_shared<const Map>(pooledMap(values, block.queries, block.keys, side, side));
    };
    for (int i = 0; i < count; ++i) {
        const HeadPlace place{Layer(i / block.heads), Head(i % block.heads)};
        if (full) {
            const auto now = headMap(block, place.layer, place.head);
            const auto before = headMap(*full->block(kind), place.layer, place.head);
            heads.maps.push_back(pooled(differenceOf(now, before).values));
            heads.changes.push_back(headChange(block, *full->block(kind), place.layer, place.head));
        } else {
            heads.maps.push_back(pooled(block.map(place.layer, place.head)));
        }
        if (kind == BlockKind::Cross)
            heads.alignments.push_back(
                static_cast<float>(alignmentScore(headMap(block, place.layer, place.head), keys)));
    }
    m_heads = made;
    return made;
}

void HeadsView::followControls(const Heads& heads, const Trace& run) {
    std::vector<std::pair<QString, int>> entries{{tr("layer, head"), byPlace}};
    for (int measure = 0; measure <= lastMeasure; ++measure)
        if (heads.metrics.empty() || measured(heads.metricsOf(0), HeadMeasure(measure)))
            entries.emplace_back(measureName(HeadMeasure(measure)), measure);
    if (!heads.alignments.empty())
        entries.emplace_back(tr("how well it aligns"), byAlignment);
    if (heads.change)
        entries.emplace_back(tr("change against the full run"), byChange);
    offer(*m_sorting, entries);
    m_backwards->setEnabled(m_sorting->currentData().toInt() != byPlace);

    // To know what each head does takes as long as to draw them all: who does not look need not wait for it.
    const int shown = m_filter->count() > 0 ? m_filter->currentData().toInt() : showAll;
    const bool counted = m_counted || (shown >= 0 && shown <= lastKind);
    entries = {{tr("all heads"), showAll}};
    for (int kind = 0; kind <= lastKind; ++kind)
        if (heads.kind != BlockKind::Cross || HeadKind(kind) > HeadKind::Self) {
            int many = 0;
            for (int i = 0; counted && i < static_cast<int>(heads.metrics.size()); ++i)
                many += heads.metricsOf(i).kind == HeadKind(kind);
            const auto name = kindName(HeadKind(kind));
            entries.emplace_back(counted ? tr("%1 (%2)").arg(name).arg(many) : name, kind);
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
        return heads.alignments[at];
    if (sorting == byChange)
        return heads.changes[at];
    return measured(heads.metricsOf(head), HeadMeasure(sorting)).value_or(0);
}

std::vector<int> HeadsView::listed(const Heads& heads, const Trace& run) const {
    const int perLayer = run.block(heads.kind)->heads;
    const int filter = m_filter->currentData().toInt(), sorting = m_sorting->currentData().toInt();
    const auto& collected = selection()->collected();
    std::vector<int> list;
    for (int i = 0; i < static_cast<int>(heads.maps.size()); ++i) {
        const HeadPlace place{Layer(i / perLayer), Head(i % perLayer)};
        const bool passes = filter == showAll ? true
                            : filter == showCollected
                                ? std::find(collected.begin(), collected.end(), place) != collected.end()
                            : filter == showOff ? isIn(run.intervention.off, heads.kind, place)
                                                : heads.metricsOf(i).kind == HeadKind(filter);
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
    if (sorting != byPlace) {
        const auto value = numberText(valueOf(heads, head, sorting));
        if (sorting == byAlignment)
            return tr("aligns %1").arg(value);
        if (sorting == byChange || sorting == static_cast<int>(HeadMeasure::Entropy))
            return tr("%1 bit").arg(value);
        return sorting == static_cast<int>(HeadMeasure::Distance) ? tr("%1 tokens").arg(value) : value;
    }
    if (heads.change)
        return tr("changed by %1 bit").arg(numberText(heads.changes[static_cast<std::size_t>(head)]));
    // What there is to know of a cross head is how well it aligns; its kinds are those of self-attention.
    const auto& metrics = heads.metricsOf(head);
    const auto known = heads.alignments.empty()
                           ? kindName(metrics.kind)
                           : tr("aligns %1").arg(numberText(heads.alignments[static_cast<std::size_t>(head)]));
    return tr("%1, %2 bit").arg(known, numberText(metrics.entropy, 1));
}

QString HeadsView::noteOf(const Trace& run, BlockKind kind) const {
    if (&run != trace())
        return onlyOfA();
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
    const auto* run = runWithHeads(trace(), other(), kind);
    const auto* full = fullRunOf(run);
    m_change->setVisible(full);
    if (!run)
        return {};
    const auto* block = run->block(kind);
    const bool same = full && readTheSame(*full, *run, kind);
    const bool change = same && selection()->change();
    const auto kept = headsOf(run == trace() ? m_first : m_second, kind, change ? full : nullptr);
    const auto& heads = *kept;
    followControls(heads, *run);
    const auto chosen = selection()->shown(*run, kind)->place;
    const auto list = listed(heads, *run);
    const int sorting = m_sorting->currentData().toInt();
    const bool inPlace = sorting == byPlace && m_filter->currentData().toInt() == showAll;

    TilePanel panel;
    panel.kind = kind;
    panel.switches = canSwitch(kind);
    panel.title = shownModel(*run);
    QStringList said{tr("%1 attention, %2 × %3 heads").arg(kindName(kind)).arg(block->layers).arg(block->heads)};
    if (!inPlace)
        said << tr("%1 of them", nullptr, static_cast<int>(list.size())).arg(list.size());
    said << (change                    ? tr("this run minus the full one")
             : selection()->ownRange() ? tr("each in a range of its own")
                                       : tr("colours from 0 to 1"));
    if (!heads.maps.empty() && (heads.maps.front()->columns < block->keys || heads.maps.front()->rows < block->queries))
        said << tr("each cell the strongest of its weights");
    panel.subtitle = said.join(QStringLiteral(", "));
    QStringList notes{noteOf(*run, kind)};
    if (list.empty())
        notes << (m_filter->currentData().toInt() == showCollected ? tr("No head was collected; “Show” has all.")
                  : m_filter->currentData().toInt() == showOff     ? tr("No head is switched off; “Show” has all.")
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
        for (const auto& map : heads.maps)
            panel.high = largestOf(map->values, panel.high);
    }
    panel.ownRanges = !change && selection()->ownRange();
    if (!heads.maps.empty()) {
        const auto rows = selection()->shown(*run, kind)->rows;
        panel.cellRows = sharedNames(shownTexts(rowTokens(*run, kind, rows)), heads.maps.front()->rows);
        panel.cellColumns = sharedNames(shownTexts(run->keyTokens(kind)), heads.maps.front()->columns);
    }
    const auto& collected = selection()->collected();
    for (const int i : list) {
        const HeadPlace place{Layer(i / block->heads), Head(i % block->heads)};
        const auto found = std::find(collected.begin(), collected.end(), place);
        const bool off = isIn(run->intervention.off, kind, place);
        panel.tiles.push_back(
            {.map = heads.maps[static_cast<std::size_t>(i)],
             .layer = place.layer,
             .head = place.head,
             .name = headName(place),
             .caption = [kept, i, sorting] { return captionOf(*kept, i, sorting); },
             .chosen = chosen == place,
             .off = off,
             .pending = panel.switches && off != isIn(selection()->off(), kind, place),
             .collected = found == collected.end() ? -1 : static_cast<int>(found - collected.begin())});
    }
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

bool HeadsView::canSwitch(BlockKind kind) const {
    return trace() && kind == selection()->kind() && runWithHeads(trace(), other(), kind) == trace();
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
    const auto* run = runWithHeads(trace(), other(), kind);
    if (!run)
        return std::nullopt;
    // A mean has no place: then it is the head that was chosen before.
    const auto& block = *run->block(kind);
    return selection()
        ->shown(*run, kind)
        ->place.value_or(HeadPlace{Layer(std::clamp(selection()->layer().value, 0, block.layers - 1)),
                                   Head(std::clamp(selection()->head().value, 0, block.heads - 1))});
}

void HeadsView::fillMenu(QMenu& menu) {
    menu.clear();
    menu.setToolTipsVisible(true);
    const auto kind = selection()->kind();
    const auto* run = runWithHeads(trace(), other(), kind);
    const auto head = run ? target() : std::nullopt;
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

        std::vector<HeadPlace> layer, others;
        for (int l = 0; l < run->block(kind)->layers; ++l)
            for (int h = 0; h < run->block(kind)->heads; ++h) {
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
    Q_EMIT headOpened();
    return true;
}

void HeadsView::keyPressEvent(QKeyEvent* event) {
    const bool plain = event->modifiers() == Qt::NoModifier && selection();
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
    return trace() ? missingText(*trace(), selection() ? selection()->kind() : BlockKind::Encoder)
                   : tr("Type a sentence to see what attends to what.");
}

} // namespace headlight
