// What the arts of all panels share; QCustomPlot's header is written with Qt's keywords.
#pragma once

#include "widgets/panel.h"

#include <qcustomplot.h>

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace headlight {

inline constexpr double titleHeight = 26;
inline constexpr double captionHeight = 18;
inline constexpr double spacing = 8;
/// More cells than this are drawn as one image even on paper: a file with each of them would be of no use.
inline constexpr int mostVectorCells = 60000;

double textWidth(const QFont& font, const QString& text);
QString elided(const QFont& font, const QString& text, double width);

inline bool onPaper(const QCPPainter& painter) {
    return painter.modes().testFlag(QCPPainter::pmVectorized);
}

void drawText(QCPPainter& painter, const QRectF& place, Qt::Alignment alignment, const QString& words,
              const QFont& font, const QColor& color);
/// A bar of colours from that of 0 to that of 1, with a line around it unless that has no colour.
void drawColorBar(QCPPainter& painter, const QRectF& place, const QColor& line,
                  const std::function<QColor(float)>& color);
/// A map as one image: cells smaller than a pixel show the strongest of it, larger ones stay sharp.
/// @param values [rows, columns]
void drawPooled(QCPPainter& painter, const QRectF& place, std::span<const float> values, int rows, int columns,
                const std::function<QRgb(float)>& color);

/// Row or column of the panel that stands for a query or key; -1 when none does.
int placeOf(const std::vector<int>& places, int count, int token);
/// The first query or key of a row or column, given the rows of queries or columns of keys.
int tokenAt(const std::vector<int>& places, int place);

/// The pair that a row and a column stand for, or one of them alone.
Selection::Pair pairOf(BlockKind kind, const std::vector<int>& queryRows, const std::vector<int>& keyColumns,
                       const Lit& lit);

/// What all arts write with.
class TitledArt : public PanelArt {
protected:
    using PanelArt::PanelArt;

    /// Title and subtitle on one line, elided to the width; returns what is left below.
    QRectF drawnTitle(QCPPainter& painter, const QRectF& area, const QString& title, const QString& subtitle) const;
    /// A row of ViewNumbers as FigureView names its columns; @param column -1: none
    static QStringList numbersRow(const QString& panel, int row, const QString& rowName, int column,
                                  const QString& columnName, float value);
    static void addMap(ViewNumbers& numbers, const QString& name, const Map& map, const QStringList& rows,
                       const QStringList& columns);
};

std::unique_ptr<PanelArt> makeMapArt(const MapPanel& panel, const Appearance& appearance, QCPAxisRect* rect);
std::unique_ptr<PanelArt> makeBarArt(const BarPanel& panel, const Appearance& appearance);
std::unique_ptr<PanelArt> makeCurveArt(const CurvePanel& panel, const Appearance& appearance, QCPAxisRect* rect);
std::unique_ptr<PanelArt> makeLinesArt(const LinesPanel& panel, const Appearance& appearance);
std::unique_ptr<PanelArt> makeStripArt(const StripPanel& panel, const Appearance& appearance, QCPAxisRect* rect);
std::unique_ptr<PanelArt> makeTileArt(const TilePanel& panel, const Appearance& appearance);
std::unique_ptr<PanelArt> makeStepArt(const StepPanel& panel, const Appearance& appearance);
std::unique_ptr<PanelArt> makeTreeArt(const TreePanel& panel, const Appearance& appearance);
std::unique_ptr<PanelArt> makeFiguresArt(const FiguresPanel& panel, const Appearance& appearance);

} // namespace headlight
