// Every head of the chosen kind of attention as a small map.
#pragma once

#include "widgets/figure_view.h"

namespace headlight {

/// Of two runs the one that has more of them. Layers down, heads across, all on one scale from 0 to 1, so that a pale
/// map is a broad head; a click opens one.
class HeadsView : public FigureView {
    Q_OBJECT
public:
    using FigureView::FigureView;

protected:
    std::vector<Panel> build() override;
    bool clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers modifiers) override;
    QString emptyText() const override;
};

} // namespace headlight
