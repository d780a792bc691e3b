// What the model adds to a token because of where it stands.
#pragma once

#include "widgets/figure_view.h"

namespace headlight {

/// Position by dimension, and single dimensions as curves. A model without positions is said to have none.
class PositionsView : public FigureView {
    Q_OBJECT
public:
    using FigureView::FigureView;

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;
};

} // namespace headlight
