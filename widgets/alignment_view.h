// The alignment of target and source, as in Fig. 3 of Bahdanau et al. 2015.
#pragma once

#include "core/analysis/head_ranking.h"
#include "widgets/figure_view.h"

#include <memory>
#include <vector>

class QCheckBox;

namespace headlight {

/// Target down the side, source along the top, one map of cross-attention; each row's largest weight has a dot. Links
/// that people made are framed where they are known; otherwise, of a run with something changed, where a row's largest
/// weight is in full; then the head that changed most is named. Beside it, when asked for, the heads by how well they
/// align, of which a click opens one.
class AlignmentView : public FigureView {
    Q_OBJECT
public:
    using FigureView::FigureView;

    void setSelection(Selection* selection) override;

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;
    bool clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers modifiers) override;

private:
    /// Of a changed run, says what changed against the run in full.
    void showFull(MapPanel& panel, const TracePointer& full, const ShownMap& shown) const;
    /// @param ranked null while they are worked out
    static BarPanel rankingPanel(const std::vector<RankedHead>* ranked, const std::optional<HeadPlace>& shown);

    QCheckBox* m_change = nullptr;
    QCheckBox* m_rank = nullptr;
    std::shared_ptr<const std::vector<RankedHead>> m_ranked; ///< as the bars stand
};

} // namespace headlight
