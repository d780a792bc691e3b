// One head, large.
#pragma once

#include "widgets/figure_view.h"

class QCheckBox;
class QComboBox;

namespace headlight {

class RunBox;

/// Queries down, keys across; the wheel zooms, dragging pans, a double
/// click shows the whole map again. Bars beside it say how broadly each query looks and how much each key receives; a
/// query alone, as its bar points at it, filters the keys' bars to what it gives them, and a key alone the queries'.
/// Instead of weights it can show the scores before the softmax, where the run kept them, or, for a run with something
/// changed beside the same in full, what that changed.
class MatrixView : public FigureView {
    Q_OBJECT
public:
    explicit MatrixView(QWidget* parent = nullptr);

    void setSelection(Selection* selection) override;

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;

private:
    /// Makes a panel of weights one of their change against those in full, with what that sums up to beside it.
    static void showChangeOf(MapPanel& panel, const Map& full);

    RunBox* m_run;
    QComboBox* m_values;
    QCheckBox* m_change = nullptr;
};

} // namespace headlight
