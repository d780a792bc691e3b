// How one query came to its weights: its vector, the keys' vectors, and every number between them and the weight.
#pragma once

#include "widgets/figure_view.h"

#include <optional>
#include <utility>

namespace headlight {

class ComboBox;
class RunBox;

/// One query of one head, or one step of additive attention, taken apart: a row for each key. It shows the query that
/// the Selection's pair has; while that has none the last that it had, or else the last ordinary token. Arrow keys:
/// left and right to another query, up and down through the keys, with Shift left and right through the dimensions.
class QueryKeyView : public FigureView {
    Q_OBJECT
public:
    explicit QueryKeyView(QWidget* parent = nullptr);

    void setSelection(Selection* selection) override;

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    /// What is shown: a run's block, one head and one query of it.
    struct Shown {
        TracePointer run;
        BlockKind kind = BlockKind::Cross;
        HeadPlace place;
        QString head; ///< "layer 3, head 5"
        Query query;
        bool linked = true; ///< queries and keys are those that pairs count
        QString how;        ///< why that query, when it was not pointed at; else empty
        QStringList queries;
        QStringList keys;
    };
    std::optional<Shown> shown() const;
    StripPanel dotProduct(const Shown& shown) const;
    StripPanel additive(const Shown& shown) const;
    /// Asks every view for this query, with the key that is pointed at; a locked pair stays locked.
    void goTo(const Shown& from, Query query);
    void fillControls(const Shown& shown);

    RunBox* m_run;
    ComboBox* m_queries;
    std::optional<Query> m_query;                     ///< the last that was pointed at
    BlockKind m_kind = BlockKind::Cross;              ///< whose query that is
    std::optional<std::pair<BlockKind, Query>> m_own; ///< chosen where pairs count other tokens
};

} // namespace headlight
