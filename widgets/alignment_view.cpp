#include "widgets/alignment_view.h"

#include "widgets/map_panel.h"
#include "widgets/reading_controls.h"

#include <QCheckBox>
#include <QComboBox>

namespace headlight {

void AlignmentView::setSelection(Selection* selection) {
    addControl(makeReadingChoice(*selection), tr("Rows:"));
    addControl(makeWordsBox(*selection));
    addControl(makeSpecialsBox(*selection));
    FigureView::setSelection(selection);
}

std::vector<Panel> AlignmentView::build() {
    const auto shown = selection()->shown(*trace(), BlockKind::Cross);
    if (!shown)
        return {};
    auto panel = mapPanelOf(*trace(), *shown, *selection(), BlockKind::Cross);
    if (panel.map.values.empty())
        return {};
    panel.marks = hardAlignment(panel.map);
    panel.legend = true;
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

QString AlignmentView::emptyText() const {
    if (!trace())
        return tr("Type a sentence to see what attends to what.");
    if (trace()->cross && !selection()->specials())
        return tr("Without special tokens there is nothing to show.");
    return tr("%1 has no attention from a target to a source. Heads and Matrix show what it attends to.")
        .arg(QString::fromStdString(trace()->model));
}

} // namespace headlight
