#include "widgets/matrix_view.h"

#include "core/analysis/comparison.h"
#include "core/analysis/thinning.h"
#include "widgets/controls.h"
#include "widgets/map_panel.h"
#include "widgets/names.h"
#include "widgets/reading_controls.h"
#include "widgets/run_box.h"

#include <QCheckBox>
#include <QStandardItemModel>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

/// What the softmax took in: absent when the run did not keep it, or of a map that is not one head's.
std::optional<Map> scoresOf(const Trace& run, BlockKind kind, const ShownMap& shown) {
    const auto& block = *run.block(kind);
    const auto size = static_cast<std::size_t>(block.queries) * static_cast<std::size_t>(block.keys);
    if (!shown.place)
        return std::nullopt;
    if (block.scores.size() == block.weights.size() && !block.scores.empty()) {
        const auto begin =
            block.scores.begin()
            + static_cast<std::ptrdiff_t>(block.rowOffset(shown.place->layer, shown.place->head, Query(0)));
        return Map{block.queries, block.keys, {begin, begin + static_cast<std::ptrdiff_t>(size)}};
    }
    if (kind == BlockKind::Cross && run.additive && run.additive->energies.size() == size && size > 0)
        return Map{block.queries, block.keys, run.additive->energies};
    return std::nullopt;
}

} // namespace

MatrixView::MatrixView(QWidget* parent) : FigureView(parent), m_run(new RunBox), m_values(new ComboBox) {
    addControl(m_run);
    connect(m_run, &QComboBox::activated, this, &MatrixView::rebuild);
    m_values->addItems({tr("weights"), tr("scores before softmax")});
    addControl(m_values, tr("Cells"));
    connect(m_values, &QComboBox::currentIndexChanged, this, &MatrixView::rebuild);
    keepChoice(QStringLiteral("run"), m_run);
    keepChoice(QStringLiteral("values"), m_values);
}

void MatrixView::setSelection(Selection* selection) {
    addControl(makeCellsChoice(*selection), tr("of"));
    addControl(m_change = makeChangeBox(*selection));
    addControl(makeWordsBox(*selection));
    addControl(makeSpecialsBox(*selection));
    addControl(makeRangeBox(*selection));
    FigureView::setSelection(selection);
}

std::vector<Panel> MatrixView::build() {
    const auto kind = selection()->kind();
    m_run->offer(trace(), other());
    const auto& run = m_run->chosen(trace(), other());
    const auto full = fullRunOf(run);
    m_change->setVisible(full != nullptr);
    const auto shown = hasHeads(*run, kind) ? this->shown(run, kind) : nullptr;
    if (!shown)
        return {};

    auto scores = scoresOf(*run, kind, *shown);
    const auto why = scores ? tr("Weights are what the softmax makes of the scores of a row; scores are of single "
                                 "tokens")
                     : shown->place ? tr("This run did not keep its scores, so there are only weights")
                                    : tr("Scores are of one head: choose one, not a mean or a rollout");
    m_values->setToolTip(why);
    if (auto* items = qobject_cast<QStandardItemModel*>(m_values->model()))
        items->item(1)->setEnabled(scores.has_value());
    const bool asked = m_values->currentIndex() == 1;
    m_change->setEnabled(!scores || !asked); // it is of weights

    auto panel = mapPanelOf(*run, *shown, *selection(), kind);
    panel.title = titleOf(*run);
    panel.linked = sharesTokens(*run, kind);
    if (panel.map.values.empty() && !selection()->specials())
        return {};
    panel.subtitle = tr("%1 · %2").arg(kindName(kind), panel.subtitle);
    if (asked && !scores)
        panel.subtitle = tr("%1 · weights: %2").arg(panel.subtitle, why);
    if (scores && asked) {
        // A sum of scores over the tokens of a word means nothing.
        panel.subtitle = tr("%1 · %2 · scores before softmax, by tokens").arg(kindName(kind), mapName(*shown));
        panel.rows = shownTexts(rowTokens(*run, kind, shown->rows));
        panel.columns = shownTexts(run->keyTokens(kind));
        panel.queryRows.clear();
        panel.keyColumns.clear();
        panel.map = std::move(*scores);
        panel.masked = panel.differs = true;
        panel.high = std::max(1e-6F, largestOf(panel.map.values));
    } else if (const auto whole = full && selection()->change()
                                      ? needed(fullMapOf(full, *run, *shown, panel, *selection(), kind))
                                      : FullMap();
               !whole) {
        return {};
    } else if (!whole->map.values.empty()) {
        showChangeOf(panel, whole->map);
    } else {
        if (!whole->problem.isEmpty())
            panel.subtitle = tr("%1 · %2").arg(panel.subtitle, whole->problem);
        MapPanel::Strip entropy{tr("entropy of each row in bits"), {}, 1};
        for (int row = 0; row < panel.map.rows; ++row)
            entropy.values.push_back(entropyBits(panel.map.row(row)));
        entropy.high = std::max(1.0F, std::log2(static_cast<float>(std::max(1, panel.map.columns))));
        panel.rowStrip = std::move(entropy);
        auto received = columnSums(panel.map);
        const float most = std::max(1.0F, largestOf(received));
        panel.columnStrip = {tr("what each column receives of all rows"), std::move(received), most};
    }
    panel.zooms = true;
    panel.valuesInCells = true;
    panel.legend = true;
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

void MatrixView::showChangeOf(MapPanel& panel, const Map& full) {
    MapPanel::Strip divergence{tr("divergence of each row in bits (Jensen–Shannon)"), {}, leastChange};
    for (int row = 0; row < panel.map.rows; ++row)
        divergence.values.push_back(jensenShannon(panel.map.row(row), full.row(row)));
    divergence.high = largestOf(divergence.values, leastChange);
    panel.rowStrip = std::move(divergence);
    showChange(panel, full);
    auto received = columnSums(panel.map);
    const float most = largestOf(received, leastChange);
    panel.columnStrip = {tr("what each column receives more or less"), std::move(received), most};
}

QString MatrixView::emptyText() const {
    if (!trace())
        return tr("Type a sentence to see what attends to what.");
    if (selection() && !selection()->specials() && hasHeads(*m_run->chosen(trace(), other()), selection()->kind()))
        return tr("Without special tokens there is nothing to show.");
    return missingText(*m_run->chosen(trace(), other()), selection() ? selection()->kind() : BlockKind::Encoder,
                       m_run->unchosen(trace(), other()).get());
}

} // namespace headlight
