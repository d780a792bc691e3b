// What the views of a Trace are made of: a figure of panels, drawn with QCustomPlot on the screen as on paper.
#pragma once

#include "core/analysis/alignment.h"
#include "widgets/appearance.h"
#include "widgets/selection.h"
#include "widgets/trace_view.h"

#include <QPointer>
#include <QRectF>

#include <memory>
#include <variant>
#include <vector>

namespace headlight {

/// A table of numbers as coloured cells, rows from the top, with their names around it.
struct MapPanel {
    QString title;    ///< "A · additive"
    QString subtitle; ///< beside it, in a muted colour
    Map map;
    QStringList rows; ///< names, one each; empty: none are drawn
    QStringList columns;
    QString rowAxis; ///< what the rows are: "Target (looks)"
    QString columnAxis;
    std::vector<int> marks;            ///< for each row the column to mark with a dot, -1 for none; may be empty
    std::vector<int> queryRows;        ///< the row of each query, -1 for none; empty: query i has row i
    std::vector<int> keyColumns;       ///< the column of each key, likewise
    BlockKind kind = BlockKind::Cross; ///< of the pair that hovering points at
    float low = 0;                     ///< value of the first colour
    float high = 1;                    ///< value of the last colour
    bool differs = false;              ///< signed values around 0: drawn in two hues
    bool pointsAtTokens = true;        ///< cells are a query and a key; otherwise only their value is shown
    bool zooms = false;                ///< wheel and drag change what part is seen
    bool valuesInCells = false;        ///< numbers are written where cells have room for them
    bool legend = false;               ///< a colour bar with its range
    bool square = true;                ///< cells keep a pleasant shape; otherwise they fill the panel
};

/// A horizontal bar for each row, with its number.
struct BarPanel {
    QString title;
    QString note; ///< below, what the number means
    QStringList labels;
    std::vector<float> values;
    std::vector<int> queryRows; ///< as in MapPanel
    BlockKind kind = BlockKind::Cross;
    float high = 1; ///< value of the longest bar
};

/// Curves over a common axis.
struct CurvePanel {
    QString title;
    QString note;
    QString xAxis;
    struct Curve {
        QString name;
        std::vector<float> values; ///< at x = 0, 1, 2 …
    };
    std::vector<Curve> curves;
};

/// Many small maps in a grid: every head of a block.
struct TilePanel {
    QString title;
    QString subtitle;
    struct Tile {
        Map map;
        Layer layer;
        Head head;
        QString name;    ///< "L3 H5"
        QString caption; ///< below the map
        bool chosen = false;
    };
    std::vector<Tile> tiles; ///< row by row
    int columns = 1;
    QStringList rowNames; ///< "layer 0" …; empty when tiles are not in that order
    QStringList columnNames;
    BlockKind kind = BlockKind::Encoder;
};

/// One part of a figure and where it stands.
struct Panel {
    QRectF place; ///< in fractions of the figure
    std::variant<MapPanel, BarPanel, CurvePanel, TilePanel> content;
};

/// A TraceView whose picture is a list of panels. A view says what they hold; drawing, hovering, zooming, numbers
/// and words are the same for all.
class FigureView : public TraceView {
    Q_OBJECT
public:
    explicit FigureView(QWidget* parent = nullptr);
    ~FigureView() override;

    void setTrace(TracePointer trace, TracePointer other) override;
    void setSelection(Selection* selection) override;
    void setAppearance(const Appearance& appearance) override;
    void figure(QPaintDevice& device, const QSize& size) override;
    QStringList describe() const override;
    ViewNumbers numbers() const override;
    double drawMilliseconds() const override;

    QSize sizeHint() const override;

protected:
    /// What to draw of `trace()` and `other()`; called when one of them, the head on show or the colours change.
    virtual std::vector<Panel> build() = 0;
    /// What to say where there is nothing to draw, in one or two sentences.
    virtual QString emptyText() const = 0;

    const Trace* trace() const { return m_trace.get(); }
    const Trace* other() const { return m_other.get(); }
    const Selection* selection() const { return m_selection; }
    /// build() again, then draw.
    void rebuild();

    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    /// A cell, bar or tile of the figure.
    struct Spot {
        int panel = -1;
        int row = -1;
        int column = -1;
        bool operator==(const Spot&) const = default;
    };
    class Canvas;
    void refresh();
    /// False for what other panels had, before the text or the model changed.
    bool has(const Spot& spot) const;
    Selection::Pair pairAt(const Spot& spot) const;
    /// What a tool tip says of it.
    QString wordsAt(const Spot& spot) const;
    void point(const Spot& spot);
    void click(const Spot& spot);
    void openTile(const TilePanel& panel, int tile);

    TracePointer m_trace;
    TracePointer m_other;
    QPointer<Selection> m_selection;
    Appearance m_appearance;
    std::vector<Panel> m_panels;
    bool m_stale = true;
    double m_drawMilliseconds = 0;
    Canvas* m_canvas;
};

} // namespace headlight
