// What the model does with a token because of where it stands.
#pragma once

#include "widgets/figure_view.h"

#include <optional>
#include <utility>
#include <vector>

class QLabel;
class QLineEdit;

namespace headlight {

class ComboBox;
class RunBox;
struct ShownInput;

/// Four pages of one subject: the table of positions with chosen dimensions as curves; how alike positions are; what a
/// token's vector and its position's vector make together; and which query may look at which key at all. A model
/// without positions is said to have none.
class PositionsView : public FigureView {
    Q_OBJECT
public:
    enum class Page { Table, Similarity, Input, Pattern };

    explicit PositionsView(QWidget* parent = nullptr);

    void setTrace(TracePointer trace, TracePointer other) override;
    void setSelection(Selection* selection) override;
    void setPage(Page page);

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;
    bool clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers modifiers) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    const TracePointer& run() const;
    /// Whose positions are on show: the encoder's where its attention is chosen, or where there are no others.
    BlockKind stack() const;
    const PositionTable* table() const;
    /// The model, and the stack where both have a table.
    QString ownerText() const;
    std::optional<ShownInput> shownInput() const;
    /// Those that were asked for and that the table has; otherwise six from the fastest wave to the slowest.
    std::vector<int> dimensions() const;
    void setDimensions(std::vector<int> dimensions);
    void fillControls();
    void goTo(Query row);

    std::vector<Panel> tablePage() const;
    std::vector<Panel> similarityPage() const;
    std::vector<Panel> inputPage();
    std::vector<Panel> patternPage() const;

    ComboBox* m_pages;
    QLineEdit* m_dimensions;
    ComboBox* m_similarity;
    ComboBox* m_tokens;
    RunBox* m_run;
    QLabel* m_keys;           ///< what they do on the page of the input
    std::vector<int> m_asked; ///< dimensions; empty: none were
    Selection::Pair m_last;   ///< the last that had a query
    /// Whether of the other run, and the stack, that the second panel on show is of, on the page of the input: it stays
    /// whichever token is pointed at.
    std::optional<std::pair<bool, BlockKind>> m_allOf;
    std::optional<std::pair<BlockKind, Query>> m_own; ///< chosen where pairs count other tokens
};

} // namespace headlight
