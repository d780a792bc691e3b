#include "widgets/compare_view.h"

#include "core/analysis/comparison.h"

namespace headlight {

namespace {

QStringList labels(const std::vector<std::string>& texts) {
    QStringList shown;
    for (const auto& text : texts)
        shown << shownText(text);
    return shown;
}

} // namespace

std::vector<Panel> CompareView::build() {
    m_reason.clear();
    if (!other())
        return {};
    const auto first = selection()->shown(*trace(), BlockKind::Cross);
    const auto second = selection()->shown(*other(), BlockKind::Cross);
    if (!first || !second)
        return {};
    auto comparison = compare({*trace(), first->map, first->rows}, {*other(), second->map, second->rows});
    if (!comparison.comparable()) {
        m_reason = QString::fromStdString(comparison.reason);
        return {};
    }

    MapPanel common;
    common.rows = labels(comparison.rows);
    common.columns = labels(comparison.columns);
    common.queryRows = comparison.queryRows;
    common.keyColumns = comparison.keyColumns;

    auto a = common;
    a.title = tr("A · %1").arg(QString::fromStdString(trace()->model));
    a.subtitle = first->name;
    a.marks = comparison.firstAlignment;
    a.map = std::move(comparison.first);
    auto b = common;
    b.title = tr("B · %1").arg(QString::fromStdString(other()->model));
    b.subtitle = second->name;
    b.marks = comparison.secondAlignment;
    b.map = std::move(comparison.second);

    auto difference = common;
    difference.title = tr("A − B");
    QStringList notes;
    if (comparison.byWords)
        notes << tr("by words");
    if (comparison.specialRowsLeftOut || comparison.specialColumnsLeftOut)
        notes << tr("without special tokens");
    difference.subtitle = notes.join(QStringLiteral(", "));
    difference.map = std::move(comparison.difference);
    difference.differs = true;
    difference.legend = true;

    BarPanel bars;
    bars.title = tr("How far apart each row is");
    bars.note = tr("Jensen–Shannon divergence in bits: 0 is the same");
    bars.labels = common.rows;
    bars.queryRows = common.queryRows;
    bars.values = comparison.divergence;

    return {{QRectF(0, 0, 0.48, 0.5), std::move(a)},
            {QRectF(0.52, 0, 0.48, 0.5), std::move(b)},
            {QRectF(0, 0.52, 0.48, 0.48), std::move(difference)},
            {QRectF(0.52, 0.52, 0.48, 0.48), std::move(bars)}};
}

QString CompareView::emptyText() const {
    if (!m_reason.isEmpty())
        return m_reason;
    if (!trace())
        return tr("Type a sentence to see what attends to what.");
    return other() ? tr("One of the two models has no attention from a target to a source.")
                   : tr("Choose a model B above to compare two models on this sentence.");
}

} // namespace headlight
