// Two models on the same source and target.
#pragma once

#include "widgets/figure_view.h"

namespace headlight {

/// Both maps, their signed difference, and how far apart each row is. Without a second run it says how to get one.
class CompareView : public FigureView {
    Q_OBJECT
public:
    using FigureView::FigureView;

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;

private:
    QString m_reason; ///< why the two runs cannot be compared
};

} // namespace headlight
