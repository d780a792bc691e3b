// The alignment of target and source, as in Fig. 3 of Bahdanau et al. 2015.
#pragma once

#include "widgets/figure_view.h"

namespace headlight {

/// Target down the side, source along the top, one map of cross-attention; each row's largest weight has a dot.
class AlignmentView : public FigureView {
    Q_OBJECT
public:
    using FigureView::FigureView;

    void setSelection(Selection* selection) override;

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;
};

} // namespace headlight
