#include "widgets/alignment_view.h"

namespace headlight {

std::vector<Panel> AlignmentView::build() {
    auto shown = selection()->shown(*trace(), BlockKind::Cross);
    if (!shown)
        return {};
    MapPanel panel;
    panel.title = QString::fromStdString(trace()->model);
    panel.subtitle = shown->name;
    panel.rowAxis =
        shown->rows == RowTokens::Emitted ? tr("target, word given out (looks)") : tr("target, word taken in (looks)");
    panel.columnAxis = tr("source (is looked at)");
    panel.rows = shownTexts(*trace(), rowTokens(*trace(), BlockKind::Cross, shown->rows));
    panel.columns = shownTexts(*trace(), trace()->source);
    panel.marks = hardAlignment(shown->map);
    panel.map = std::move(shown->map);
    panel.legend = true;
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

QString AlignmentView::emptyText() const {
    return trace() ? tr("%1 has no attention from a target to a source. Heads and Matrix show what it attends to.")
                         .arg(QString::fromStdString(trace()->model))
                   : tr("Type a sentence to see what attends to what.");
}

} // namespace headlight
