// One head, large.
#pragma once

#include "widgets/figure_view.h"

namespace headlight {

/// Of two runs of the one that has more heads. Queries down, keys across; the wheel zooms, dragging pans, a double
/// click shows the whole map again.
class MatrixView : public FigureView {
    Q_OBJECT
public:
    using FigureView::FigureView;

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;
};

} // namespace headlight
