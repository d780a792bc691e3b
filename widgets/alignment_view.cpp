#include "widgets/alignment_view.h"

#include "widgets/controls.h"
#include "widgets/derived.h"
#include "widgets/map_panel.h"
#include "widgets/names.h"
#include "widgets/reading_controls.h"

#include <QCheckBox>

#include <algorithm>

namespace headlight {

namespace {

/// More bars than these have no room for their names.
constexpr std::size_t mostRanked = 20;

} // namespace

void AlignmentView::setSelection(Selection* selection) {
    addControl(makeCellsChoice(*selection), tr("What a cell shows"));
    addControl(makeWordsBox(*selection));
    addControl(makeSpecialsBox(*selection));
    addControl(makeRangeBox(*selection));
    addControl(m_change = makeChangeBox(*selection));
    m_rank = new QCheckBox(tr("rank heads"));
    m_rank->setToolTip(tr("The heads that align best, by their errors against the links of people where those are "
                          "known, otherwise by how sharp their rows are and how many words they reach"));
    connect(m_rank, &QCheckBox::toggled, this, &AlignmentView::rebuild);
    addControl(m_rank);
    keepChoice(QStringLiteral("rank"), m_rank);
    FigureView::setSelection(selection);
}

std::vector<Panel> AlignmentView::build() {
    const auto full = fullRunOf(trace());
    m_change->setVisible(full && full->cross);
    const bool attends = hasHeads(*trace(), BlockKind::Cross);
    m_rank->setEnabled(attends && trace()->cross->layers * trace()->cross->heads > 1);
    const auto shown = attends ? this->shown(trace(), BlockKind::Cross) : nullptr;
    if (!shown)
        return {};
    const auto gold = selection()->gold() ? placedGold(*selection()->gold(), *trace()) : std::nullopt;
    auto panel = mapPanelOf(*trace(), *shown, *selection(), BlockKind::Cross);
    panel.title = titleOf(*trace());
    if (gold)
        panel.subtitle = tr("%1 · alignment error rate %2")
                             .arg(panel.subtitle)
                             .arg(errorRate(*gold, *trace(), shown->map, shown->rows), 0, 'f', 2);
    if (panel.map.values.empty())
        return {};
    panel.marks = hardAlignment(panel.map);
    panel.legend = true;
    if (full)
        showFull(panel, full, *shown);
    if (gold) {
        const auto& rows = rowTokens(*trace(), BlockKind::Cross, shown->rows);
        panel.outlines.clear(); // people's links are framed likewise
        for (const auto& cells : linkCells(*gold, rows, trace()->source, panel.queryRows, panel.keyColumns))
            panel.outlines.push_back({cells.row, cells.column, cells.rows, cells.columns, !cells.sure});
        panel.solidOutline = tr("sure link");
        panel.dashedOutline = tr("possible link");
    }
    if (!m_rank->isChecked() || !m_rank->isEnabled())
        return {{QRectF(0, 0, 1, 1), std::move(panel)}};
    m_ranked = wanted(Derived::instance().ranking(trace(), selection()->reading(), selection()->gold()));
    return {{QRectF(0, 0, 0.7, 1), std::move(panel)},
            {QRectF(0.73, 0, 0.27, 1), rankingPanel(m_ranked.get(), shown->place)}};
}

void AlignmentView::showFull(MapPanel& panel, const TracePointer& full, const ShownMap& shown) const {
    const auto whole = needed(fullMapOf(full, *trace(), shown, panel, *selection(), BlockKind::Cross));
    if (!whole)
        return;
    if (whole->map.values.empty()) {
        panel.subtitle = tr("%1 · %2").arg(panel.subtitle, whole->problem);
        return;
    }
    if (const auto most = wanted(Derived::instance().mostChanged(trace(), full)); most && *most)
        panel.subtitle = tr("%1 · changed most: %2 %3, by %4 bit")
                             .arg(panel.subtitle, kindName((*most)->kind), headName({(*most)->layer, (*most)->head}),
                                  numberText((*most)->bits));
    const auto before = hardAlignment(whole->map);
    for (std::size_t row = 0; row < before.size(); ++row)
        if (before[row] >= 0 && before[row] != panel.marks[row])
            panel.outlines.push_back({.row = static_cast<int>(row), .column = before[row], .dashed = true});
    if (!panel.outlines.empty())
        panel.dashedOutline = tr("strongest in full");
    if (selection()->change())
        showChange(panel, whole->map);
}

BarPanel AlignmentView::rankingPanel(const std::vector<RankedHead>* ranked, const std::optional<HeadPlace>& shown) {
    BarPanel bars;
    bars.kind = BlockKind::Cross;
    bars.pointsAtQueries = false;
    const bool byErrors = ranked && ranked->front().errorRate;
    bars.title = byErrors ? tr("Heads by error rate") : tr("Heads by how they align");
    bars.note = !ranked    ? tr("being worked out…")
                : byErrors ? tr("0 is best; click to open")
                           : tr("1 is best; click to open");
    for (std::size_t i = 0; ranked && i < std::min(ranked->size(), mostRanked); ++i) {
        const auto& head = (*ranked)[i];
        if (head.place == shown)
            bars.chosen = static_cast<int>(i);
        bars.labels << (head.off ? tr("%1 off").arg(headName(head.place)) : headName(head.place));
        bars.values.push_back(static_cast<float>(byErrors ? *head.errorRate : head.score));
    }
    return bars;
}

bool AlignmentView::clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers) {
    if (!std::holds_alternative<BarPanel>(panel.content))
        return false;
    const auto head =
        (*m_ranked)[static_cast<std::size_t>(place.row)].place; // the list goes when the selection changes
    selection()->setHead(BlockKind::Cross, head.layer, head.head);
    return true;
}

QString AlignmentView::emptyText() const {
    if (!trace())
        return tr("Type a sentence to see what attends to what.");
    if (trace()->cross && !selection()->specials())
        return tr("Without special tokens there is nothing to show.");
    if (!trace()->fixedContext.empty())
        return missingText(*trace(), BlockKind::Cross);
    const auto missing = tr("%1 has no attention from a target to a source. Heads and Matrix show what it attends to.")
                             .arg(shownModel(*trace()));
    return other() && other()->cross ? tr("%1 %2 has: swap the models (Ctrl+Shift+X) to see its alignment.")
                                           .arg(missing, shownModel(*other()))
                                     : missing;
}

} // namespace headlight
