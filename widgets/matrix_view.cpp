#include "widgets/matrix_view.h"

namespace headlight {

std::vector<Panel> MatrixView::build() {
    const auto kind = selection()->kind();
    const auto* run = runWithHeads(trace(), other(), kind);
    if (!run)
        return {};
    auto shown = selection()->shown(*run, kind);
    MapPanel panel;
    panel.kind = kind;
    panel.title = QString::fromStdString(run->model);
    panel.subtitle = tr("%1 · %2").arg(kindName(kind), shown->name);
    panel.rowAxis = tr("query (looks)");
    panel.columnAxis = tr("key (is looked at)");
    panel.rows = shownTexts(*run, rowTokens(*run, kind, shown->rows));
    panel.columns = shownTexts(*run, run->keyTokens(kind));
    panel.map = std::move(shown->map);
    panel.zooms = true;
    panel.valuesInCells = true;
    panel.legend = true;
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

QString MatrixView::emptyText() const {
    return trace() ? tr("%1 has no attention of this kind (%2).")
                         .arg(QString::fromStdString(trace()->model),
                              selection() ? kindName(selection()->kind()) : QString())
                   : tr("Type a sentence to see what attends to what.");
}

} // namespace headlight
