// The parts that figures are made of: what each holds, and how it is drawn and pointed at.
#pragma once

#include "core/analysis/alignment.h"
#include "core/analysis/thinning.h"
#include "widgets/appearance.h"
#include "widgets/selection.h"
#include "widgets/trace_view.h"

#include <QFont>
#include <QRectF>
#include <QString>
#include <QStringList>

#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

class QCPAxisRect;
class QCPPainter;

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
    /// A frame around cells.
    struct Outline {
        int row = 0;
        int column = 0;
        int rows = 1;
        int columns = 1;
        bool dashed = false;
    };
    std::vector<Outline> outlines;
    QString solidOutline;              ///< what such a frame means: "sure link"
    QString dashedOutline;             ///< likewise
    std::vector<int> marks;            ///< for each row the column to mark with a dot, -1 for none; may be empty
    std::vector<int> queryRows;        ///< the row of each query, -1 for none; empty: query i has row i
    std::vector<int> keyColumns;       ///< the column of each key, likewise
    BlockKind kind = BlockKind::Cross; ///< of the pair that hovering points at
    float low = 0;                     ///< value of the first colour
    float high = 1;                    ///< value of the last colour
    bool differs = false;              ///< signed values around 0: drawn in two hues
    bool pointsAtTokens = true;        ///< cells are a query and a key; otherwise only their value is shown
    bool linked = true;                ///< they are those that the shared pair counts; otherwise only seen here
    bool zooms = false;                ///< wheel and drag change what part is seen
    bool valuesInCells = false;        ///< numbers are written where cells have room for them
    bool legend = false;               ///< a colour bar with its range
    QStringList levels;                ///< what the values 0, 1, 2 … are called; empty: they are numbers
    std::vector<int> curves;           ///< columns that are drawn as the curves of these numbers, in their colours
    int origin = 0;                    ///< the row that is named first where not all names have room
    bool square = true;                ///< cells keep a pleasant shape; otherwise they fill the panel
    /// What stands in cells that have room for it, instead of numbers; null: nothing.
    std::function<QString(int row, int column)> texts = {};
    /// What there is to say of a cell; null: its names and its number.
    std::function<QStringList(int row, int column)> words = {};
    bool masked = false; ///< -∞ is a key that may not be looked at: drawn as what is missing
    /// A bar for each row, or for each column, beside the cells; it points at that row or column alone.
    struct Strip {
        QString meaning; ///< "entropy of each row, in bits"
        std::vector<float> values;
        float high = 1; ///< value of the longest bar
    };
    std::optional<Strip> rowStrip;    ///< to the right
    std::optional<Strip> columnStrip; ///< below
};

/// A horizontal bar for each row, with its number.
struct BarPanel {
    QString title;
    QString note; ///< below, what the number means
    QStringList labels;
    std::vector<float> values;
    std::vector<float> before;  ///< what each was before a change, marked beside it; may be empty
    std::vector<int> queryRows; ///< as in MapPanel
    BlockKind kind = BlockKind::Cross;
    float high = 1;              ///< value of the longest bar
    bool pointsAtQueries = true; ///< a bar is a query; otherwise only what a click makes of it
    int chosen = -1;             ///< the bar of what is on show
};

/// Curves over a common axis.
struct CurvePanel {
    QString title;
    QString note; ///< behind the title, or below it where there is no room
    QString xAxis;
    QString yAxis;
    double first = 0; ///< x of the first value
    double step = 1;  ///< from each value to the next
    struct Curve {
        QString name;
        std::vector<float> values;
        QString about = {}; ///< behind the name, in a muted colour
    };
    std::vector<Curve> curves;
    float period = 0;    ///< values are the same after so much, and no line is drawn over such a step; 0: they are not
    bool points = false; ///< a dot at each value: what is between them was not measured
};

/// Many small maps in a grid: every head of a block.
struct TilePanel {
    QString title;
    QString subtitle;
    QString note; ///< below, beside the legend
    struct Tile {
        std::shared_ptr<const Map> map;
        Layer layer;
        Head head;
        QString name;                     ///< "L3 H5"
        std::function<QString()> caption; ///< below the map, where there is room; made when it is asked for
        bool chosen = false;
        bool off = false;     ///< in this run: drawn pale and struck through
        bool pending = false; ///< asked to be otherwise, by a run that is yet to come
        int collected = -1;   ///< place among those that were collected, marked in the colour of that category
    };
    std::vector<Tile> tiles; ///< row by row
    int columns = 1;         ///< 0: as many as leave the tiles largest
    QStringList rowNames;    ///< "layer 0" …; empty when tiles are not in that order
    QStringList columnNames;
    QStringList shortColumnNames; ///< instead, where those have no room
    QStringList cellRows;         ///< names of each map's rows
    QStringList cellColumns;
    float high = 1;         ///< value of the last colour
    bool ownRanges = false; ///< the last colour is what is strong in each map instead
    bool differs = false;   ///< as in MapPanel
    bool switches = true;   ///< these heads can be switched off
    BlockKind kind = BlockKind::Encoder;
};

/// One step of a decoder: what it has given out, and what it looks at while it gives out the next.
struct StepPanel {
    QString title;
    QString subtitle;
    QStringList source;
    QStringList target;              ///< given out up to this step, whose token is the last
    std::vector<float> weights;      ///< over the source; empty without attention
    std::vector<float> before;       ///< the same of the run in full, to see what a change did; empty: there is none
    std::vector<float> fixedContext; ///< of a decoder without attention: the one vector that it sees
    int step = 0;                    ///< the query
    int forced = -1;                 ///< the key that this step's attention is forced on; -1: none
    BlockKind kind = BlockKind::Cross;
};

/// The hypotheses of a beam search: a column for each step, a line from each hypothesis to what it goes on from.
struct TreePanel {
    QString title;
    QString note;
    struct Node {
        int parent = -1; ///< index of the node; -1: the first token
        int step = 0;
        QString text;
        float probability = 0;
        bool chosen = false;
        bool finished = false;
    };
    std::vector<Node> nodes; ///< parents first
    int step = 0;            ///< the one on show
};

/// Tokens left and right and lines between them for weights, a colour for each head.
struct LinesPanel {
    QString title;
    QString subtitle;
    QString note;       ///< below, which weights have lines
    QString leftTitle;  ///< of the tokens that look
    QString rightTitle; ///< of those that are looked at
    QStringList left;   ///< rows of the maps
    QStringList right;  ///< columns of the maps
    struct HeadLines {
        QString name;                ///< "H5"
        Map map;                     ///< [left, right]
        std::vector<WeightAt> lines; ///< what of it is drawn
        bool shown = true;           ///< otherwise only named
    };
    std::vector<HeadLines> heads; ///< coloured by their place here
    std::vector<int> queryRows;   ///< as in MapPanel
    std::vector<int> keyColumns;
    bool linked = true;   ///< as in MapPanel
    bool differs = false; ///< weights are changes: a line that is less than it was is dashed
    float high = 1;       ///< the weight of the most opaque line
    BlockKind kind = BlockKind::Encoder;
};

/// Vectors as strips of coloured cells and single numbers beside them: how numbers come out of each other, row by row.
struct StripPanel {
    QString title;
    QString subtitle;
    QString formula; ///< below them
    QString note;    ///< below the table, what the reader should know of these numbers
    struct Column {
        QString name;                         ///< "q ∘ k"
        QString meaning;                      ///< below it, in a muted colour
        int size = 1;                         ///< numbers in each row; a single one is written
        int space = 0;                        ///< strips of one space have the same dimensions, which are lit together
        bool differs = true;                  ///< signed values around 0, drawn in two hues; otherwise from 0
        float high = 1;                       ///< value of the strongest colour
        float highAbove = 0;                  ///< likewise in the rows above; 0: the same
        std::vector<std::vector<float>> rows; ///< for each row `size` numbers, or none
    };
    std::vector<Column> columns;
    QStringList rows;           ///< names
    int above = 0;              ///< rows that stand apart at the top
    int below = 0;              ///< rows that stand apart at the bottom
    std::optional<Query> query; ///< whose keys the rows between are; absent when they are none
    bool rowsLook = false;      ///< the rows between are queries themselves
    bool linked = true;         ///< as in MapPanel
    BlockKind kind = BlockKind::Cross;
    /// What there is to say of a cell, with all that it was computed from; column and place are -1 for a whole row.
    std::function<QStringList(int row, int column, int place)> words;
};

/// Numbers with their names, side by side.
struct FiguresPanel {
    struct Figure {
        QString name;
        QString value;    ///< as written, with its unit
        float number = 0; ///< as it is, for whoever takes the numbers along
    };
    std::vector<Figure> figures;
};

/// One part of a figure and where it stands.
struct Panel {
    QRectF place; ///< in fractions of the figure
    std::variant<MapPanel, BarPanel, CurvePanel, TilePanel, StepPanel, TreePanel, LinesPanel, StripPanel, FiguresPanel>
        content;
};

/// A place in a panel; -1 for nothing. A bar and a tile are rows; a token may be a row or a column alone; the numbers
/// of a row of strips are counted through.
struct Lit {
    int row = -1;
    int column = -1;
    int item = -1; ///< something else to point at, such as a head's name
    friend bool operator==(const Lit&, const Lit&) = default;
};

/// One panel, drawn: what stays, and what follows the pointer; what can be pointed at, and what there is to say of it.
class PanelArt {
public:
    /// @param rect, unless null, becomes the art's place for cells or curves; the panel and the appearance must outlive
    /// the art
    static std::unique_ptr<PanelArt> make(const Panel& panel, const Appearance& appearance, QCPAxisRect* rect);
    /// True for a panel that needs a rect.
    static bool hasAxes(const Panel& panel);

    virtual ~PanelArt() = default;
    PanelArt(const PanelArt&) = delete;
    PanelArt& operator=(const PanelArt&) = delete;

    virtual void arrange(const QRectF& area) = 0;
    virtual void drawStill(QCPPainter& painter) = 0;
    virtual void drawLive(QCPPainter& painter, const Lit& lit) = 0;

    /// What is under the pointer there.
    virtual Lit at(const QPointF& position) const = 0;
    /// What the shared pair lights.
    virtual Lit litBy(const Selection::Pair&) const { return {}; }
    /// The query and key that a place stands for.
    virtual Selection::Pair pairAt(const Lit&) const { return {}; }
    /// What a tool tip says of a place.
    virtual QStringList wordsAt(const Lit&) const { return {}; }
    /// False for a place that another panel had here, before the text or the model changed.
    virtual bool has(const Lit&) const { return false; }
    /// The neighbour, by arrow keys; the first place from nowhere. Nowhere when there is nothing to walk over.
    virtual Lit moved(const Lit&, int /*down*/, int /*right*/) const { return {}; }
    /// How many places to the right, or left for -1, the next part of a row begins, such as another strip.
    virtual int toNextPart(const Lit&, int right) const { return right; }
    /// Brings a place into view that zooming has put out of it; true when that changed what is seen.
    virtual bool reveal(const Lit&) { return false; }
    /// True when a click does more than to lock a pair.
    virtual bool opens() const { return false; }

    virtual QStringList describe() const = 0;
    virtual void addNumbers(ViewNumbers& numbers) const = 0;

protected:
    explicit PanelArt(const Appearance& appearance) : m_appearance(appearance) {}

    const Appearance& m_appearance;
};

/// A weight with so many digits behind the point.
QString numberText(float value, int digits = 2);
/// The largest absolute value of those that are finite.
float largestOf(const std::vector<float>& values, float atLeast = 0);

} // namespace headlight
