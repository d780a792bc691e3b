// The parts of a drawn map: its cells, the bars beside them, and the legend.
#pragma once

#include "widgets/panels/art.h"

#include <optional>
#include <utility>

namespace headlight {

/// The cells with their frames and dots, and the way from a row and a column to where they are seen.
class MapCells {
public:
    MapCells(const MapPanel& panel, const Appearance& appearance, QCPAxisRect* rect);

    void setPlace(const QRectF& place);
    /// Of all that is seen of the cells.
    const QRectF& place() const { return m_place; }
    QCPAxis& x() const { return *m_rect->axis(QCPAxis::atBottom); }
    QCPAxis& y() const { return *m_rect->axis(QCPAxis::atLeft); }
    QRectF at(int row, int column, int rows = 1, int columns = 1) const;
    /// Rows or columns that can be seen, [first, last).
    static std::pair<int, int> visible(const QCPAxis& axis, int count);

    QRgb color(float value) const;
    void draw(QCPPainter& painter) const;
    /// A line that is seen on any colour: of the text's on a wider one of the paper's.
    void drawFrame(QCPPainter& painter, const QRectF& place, bool dashed, double width) const;
    /// A tick below each column that a curve is drawn of, in the curve's colour.
    void drawCurveTicks(QCPPainter& painter, double top) const;

private:
    /// Between cells: a little off the colour of nothing, which is white in one map and black in another.
    QColor gapColor() const;
    void drawCells(QCPPainter& painter) const;
    void drawOutlines(QCPPainter& painter) const;
    /// A dot on each marked cell that is seen against its colour; numbers in the cells say it better than dots.
    void drawMarks(QCPPainter& painter) const;

    const MapPanel& m_panel;
    const Appearance& m_appearance;
    QCPAxisRect* m_rect;
    QRectF m_place;
};

/// A bar for each row and each column, beside the cells, and the words that say what the bars mean.
class MapStrips {
public:
    MapStrips(const MapPanel& panel, const Appearance& appearance, const MapCells& cells);

    /// Room that the bars take beside the cells and below them, and their words below everything.
    double widthBeside() const;
    double heightBelow() const;
    double heightOfWords() const;
    void setPlaceOfWords(const QRectF& place) { m_words = place; }

    QRectF ofRows() const;
    QRectF ofColumns() const;
    void draw(QCPPainter& painter) const;
    /// A row alone filters what is below to what it gives each column, a column alone what is beside likewise.
    void drawLit(QCPPainter& painter, const Lit& lit) const;

private:
    using AnyStrip = std::optional<MapPanel::Strip>;
    /// @param onlyLit draws no other bars than those of the lit row and column
    void drawStrips(QCPPainter& painter, const AnyStrip& rows, const AnyStrip& columns, const Lit& lit,
                    bool onlyLit) const;
    /// What the bars mean and how long they can be.
    void drawStripWords(QCPPainter& painter, const AnyStrip& rows, const AnyStrip& columns) const;

    const MapPanel& m_panel;
    const Appearance& m_appearance;
    const MapCells& m_cells;
    QRectF m_words;
};

/// What the colours mean: below the cells, or beside the title where there is less room.
class MapLegend {
public:
    MapLegend(const MapPanel& panel, const Appearance& appearance, const MapCells& cells);

    void arrange(const QRectF& area);
    /// Room that it takes below the cells; 0 where it stands elsewhere.
    double heightBelow() const;
    /// Room that it takes beside the title.
    double widthBeside() const { return m_beside ? m_width : 0; }
    /// @param below the cells and their bars
    void draw(QCPPainter& painter, double below) const;

private:
    /// The levels that the map has, by their numbers.
    std::vector<int> levelsThere() const;
    double widthOfLevels() const;
    /// What each colour is called, of those that there are.
    void drawLevels(QCPPainter& painter, const QPointF& begin) const;
    void drawRange(QCPPainter& painter, const QPointF& begin) const;

    const MapPanel& m_panel;
    const Appearance& m_appearance;
    const MapCells& m_cells;
    QRectF m_area;
    bool m_below = false;
    bool m_beside = false; ///< the title, where that leaves room to both
    double m_width = 0;    ///< there
};

} // namespace headlight
