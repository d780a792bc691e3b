// What each layer of a run would say, were it the last: the logit lens.
#pragma once

#include "widgets/figure_view.h"

#include <QCheckBox>

namespace headlight {

class RunBox;

/// Layers from the last down, tokens across; in each cell the token that the layer finds most probable there, coloured
/// by how sure it is, or by how far down it has the one that is said in the end.
class LensView : public FigureView {
    Q_OBJECT
public:
    explicit LensView(QWidget* parent = nullptr);

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;

private:
    RunBox* m_run;
    QCheckBox* m_ranks;
};

} // namespace headlight
