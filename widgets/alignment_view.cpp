#include "widgets/alignment_view.h"

#include "widgets/map_panel.h"
#include "widgets/names.h"
#include "widgets/reading_controls.h"

#include <QCheckBox>

#include <algorithm>

namespace headlight {

namespace {

/// More bars than these have no room for their names.
constexpr std::size_t mostRanked = 20;

std::optional<RowTokens> rowsOf(Reading reading) {
    if (reading == Reading::Automatic)
        return std::nullopt;
    return reading == Reading::Emitted ? RowTokens::Emitted : RowTokens::TakenIn;
}

} // namespace

void AlignmentView::setSelection(Selection* selection) {
    addControl(makeWordsBox(*selection));
    addControl(makeSpecialsBox(*selection));
    addControl(makeRangeBox(*selection));
    addControl(m_change = makeChangeBox(*selection));
    m_rank = new QCheckBox(tr("rank heads"));
    m_rank->setToolTip(tr("The heads that align best, by their errors against the links of people where those are "
                          "known, otherwise by how sharp their rows are and how many words they reach"));
    connect(m_rank, &QCheckBox::toggled, this, &AlignmentView::rebuild);
    addControl(m_rank);
    FigureView::setSelection(selection);
}

std::vector<Panel> AlignmentView::build() {
    const auto* full = fullRunOf(trace());
    m_change->setVisible(full && full->cross);
    auto shown = selection()->shown(*trace(), BlockKind::Cross);
    m_rank->setEnabled(shown && trace()->cross->layers * trace()->cross->heads > 1);
    if (!shown)
        return {};
    const auto gold = selection()->gold() ? placedGold(*selection()->gold(), *trace()) : std::nullopt;
    if (gold)
        shown->name = tr("%1 · alignment error rate %2")
                          .arg(shown->name)
                          .arg(errorRate(*gold, *trace(), shown->map, shown->rows), 0, 'f', 2);
    auto panel = mapPanelOf(*trace(), *shown, *selection(), BlockKind::Cross);
    if (panel.map.values.empty())
        return {};
    panel.marks = hardAlignment(panel.map);
    panel.legend = true;
    if (full)
        showFull(panel, *full, *shown);
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
    m_ranked = rankedHeads(*trace(), rowsOf(selection()->reading()), gold ? &*gold : nullptr);
    return {{QRectF(0, 0, 0.7, 1), std::move(panel)}, {QRectF(0.73, 0, 0.27, 1), rankingPanel(shown->place)}};
}

void AlignmentView::showFull(MapPanel& panel, const Trace& full, const ShownMap& shown) const {
    const auto whole = fullMapOf(full, *trace(), shown, panel, *selection(), BlockKind::Cross);
    if (whole.map.values.empty()) {
        panel.subtitle = tr("%1 · %2").arg(panel.subtitle, whole.problem);
        return;
    }
    const auto before = hardAlignment(whole.map);
    for (std::size_t row = 0; row < before.size(); ++row)
        if (before[row] >= 0 && before[row] != panel.marks[row])
            panel.outlines.push_back({.row = static_cast<int>(row), .column = before[row], .dashed = true});
    if (!panel.outlines.empty())
        panel.dashedOutline = tr("strongest in full");
    if (selection()->change())
        showChange(panel, whole.map);
}

BarPanel AlignmentView::rankingPanel(const std::optional<HeadPlace>& shown) const {
    BarPanel bars;
    bars.kind = BlockKind::Cross;
    bars.pointsAtQueries = false;
    const bool byErrors = m_ranked.front().errorRate.has_value();
    bars.title = byErrors ? tr("Heads by error rate") : tr("Heads by how they align");
    bars.note = byErrors ? tr("0 is best; click to open") : tr("1 is best; click to open");
    for (std::size_t i = 0; i < std::min(m_ranked.size(), mostRanked); ++i) {
        const auto& head = m_ranked[i];
        if (head.place == shown)
            bars.chosen = static_cast<int>(i);
        bars.labels << headName(head.place);
        bars.values.push_back(static_cast<float>(byErrors ? *head.errorRate : head.score));
    }
    return bars;
}

bool AlignmentView::clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers) {
    if (!std::holds_alternative<BarPanel>(panel.content))
        return false;
    const auto head = m_ranked[static_cast<std::size_t>(place.row)].place; // the list goes when the selection changes
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
    return tr("%1 has no attention from a target to a source. Heads and Matrix show what it attends to.")
        .arg(shownModel(*trace()));
}

} // namespace headlight
