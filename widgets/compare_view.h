// Two maps over the same source and target: of two models, or of one.
#pragma once

#include "core/analysis/comparison.h"
#include "widgets/figure_view.h"

#include <memory>
#include <optional>
#include <vector>

class QComboBox;

namespace headlight {

/// Both maps, their signed difference, how far apart each row is, and the figures of the whole. What stands left and
/// right is chosen above: the head on show, a mean, the best aligning head, rollout or any head, of model A or B. Cross
/// attention where both models have it, otherwise the Selection's kind or another that both have, or else two maps of
/// A.
class CompareView : public FigureView {
    Q_OBJECT
public:
    using FigureView::FigureView;

    void setSelection(Selection* selection) override;

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;

private:
    /// One map of one of the two runs.
    struct Choice {
        bool ofB = false;
        std::optional<HeadMode> mode; ///< absent: as the Selection says
        HeadPlace place;              ///< for One and MeanOfLayer
        bool weights = false;         ///< whatever the Selection says of cells
        friend bool operator==(const Choice&, const Choice&) = default;
    };
    struct Named {
        Choice choice;
        QString name;
        friend bool operator==(const Named&, const Named&) = default;
    };
    struct Side {
        Choice choice;
        TracePointer run;
        std::shared_ptr<const ShownMap> shown; ///< null while it is worked out
    };

    /// "A" and "B"; of a run that something was changed in and the same in full "now" and "in full".
    QString letterOf(bool ofB) const;
    BlockKind kind() const;
    const TracePointer& run(bool ofB) const { return ofB ? other() : trace(); }
    const AttentionBlock* block(bool ofB) const;
    bool showsNorms(bool ofB) const;
    /// What is drawn is not what one would think: why.
    QString noteOf(const Side& left, const Side& right) const;
    /// All maps that can be chosen, those of A first.
    std::vector<Named> listed() const;
    /// What is compared unless the user chose: A's map on show with B's, or within one model with its mean.
    std::optional<Choice> defaultChoice(bool left) const;
    /// Lists the choices, and picks the one on show.
    void fill(QComboBox& control, const std::optional<Choice>& chosen);
    /// @param reading of its rows
    std::optional<Side> side(const std::optional<Choice>& choice, Reading reading) const;
    MapPanel mapOf(const Side& side, const MapPanel& common, Map map, std::vector<int> marks) const;

    QComboBox* m_leftControl = nullptr;
    QComboBox* m_rightControl = nullptr;
    std::vector<Named> m_listed;
    std::optional<Choice> m_left; ///< absent: the default
    std::optional<Choice> m_right;
    QString m_reason; ///< why nothing can be compared
};

} // namespace headlight
