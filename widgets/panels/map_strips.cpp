// The bars beside a map's cells, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/map_parts.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

constexpr double stripSize = 34; ///< of the longest bar
constexpr double stripGap = 5;

struct Words {
    Q_DECLARE_TR_FUNCTIONS(headlight::MapArt)
};

} // namespace

MapStrips::MapStrips(const MapPanel& panel, const Appearance& appearance, const MapCells& cells)
    : m_panel(panel), m_appearance(appearance), m_cells(cells) {}

double MapStrips::widthBeside() const {
    return m_panel.rowStrip ? stripSize + stripGap : 0;
}

double MapStrips::heightBelow() const {
    return m_panel.columnStrip ? stripSize + stripGap : 0;
}

double MapStrips::heightOfWords() const {
    return m_panel.rowStrip || m_panel.columnStrip ? captionHeight : 0;
}

QRectF MapStrips::ofRows() const {
    const auto& cells = m_cells.place();
    return {cells.right() + 1, cells.top(), stripGap + stripSize, cells.height()};
}

QRectF MapStrips::ofColumns() const {
    const auto& cells = m_cells.place();
    return {cells.left(), cells.bottom() + 1, cells.width(), stripGap + stripSize};
}

void MapStrips::draw(QCPPainter& painter) const {
    drawStrips(painter, m_panel.rowStrip, m_panel.columnStrip, {}, false);
    drawStripWords(painter, m_panel.rowStrip, m_panel.columnStrip);
}

void MapStrips::drawLit(QCPPainter& painter, const Lit& lit) const {
    auto rows = m_panel.rowStrip, columns = m_panel.columnStrip;
    QRectF filtered;
    if (columns && lit.row >= 0 && lit.column < 0) {
        const auto weights = m_panel.map.row(lit.row);
        columns = MapPanel::Strip{(m_panel.differs ? Words::tr("what “%1” gives each column more or less")
                                                   : Words::tr("what “%1” gives each column"))
                                      .arg(m_panel.rows.value(lit.row)),
                                  {weights.begin(), weights.end()},
                                  m_panel.high};
        filtered = ofColumns();
    } else if (rows && lit.column >= 0 && lit.row < 0) {
        rows = MapPanel::Strip{(m_panel.differs ? Words::tr("what each row gives “%1” more or less")
                                                : Words::tr("what each row gives “%1”"))
                                   .arg(m_panel.columns.value(lit.column)),
                               {},
                               m_panel.high};
        for (int row = 0; row < m_panel.map.rows; ++row)
            rows->values.push_back(m_panel.map.at(row, lit.column));
        filtered = ofRows();
    }
    if (filtered.isEmpty())
        return drawStrips(painter, rows, columns, lit, true);
    for (const auto& area : {filtered, m_words})
        painter.fillRect(area.adjusted(0, 0, 2, 2), m_appearance.window);
    drawStrips(painter, rows, columns, lit, false);
    drawStripWords(painter, rows, columns);
}

void MapStrips::drawStrips(QCPPainter& painter, const AnyStrip& rows, const AnyStrip& columns, const Lit& lit,
                           bool onlyLit) const {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing, false);
    const auto draw = [&](const MapPanel::Strip& strip, const QRectF& area, bool ofRows, int litPlace) {
        painter.setClipRect(area.adjusted(0, 0, 1, 1));
        const auto [first, last] =
            MapCells::visible(ofRows ? m_cells.y() : m_cells.x(), static_cast<int>(strip.values.size()));
        for (int place = first; place < last; ++place) {
            const float share = strip.values[static_cast<std::size_t>(place)] / strip.high;
            if (!std::isfinite(share) || (onlyLit && place != litPlace))
                continue;
            const double length = std::max(1.0, std::round(std::min(1.0, std::abs(double(share))) * stripSize));
            auto bar = ofRows ? m_cells.at(place, 0) : m_cells.at(0, place);
            const double gap = (ofRows ? bar.height() : bar.width()) >= 8 ? 1 : 0;
            bar = ofRows ? QRectF(area.left() + stripGap, bar.top() + gap, length, bar.height() - gap)
                         : QRectF(bar.left() + gap, area.top() + stripGap, bar.width() - gap, length);
            // Of signed values the bar says how much, its colour in which direction.
            painter.fillRect(bar, place == litPlace ? m_appearance.accent
                                  : m_panel.differs ? QColor(m_appearance.signedColor(share < 0 ? -0.7F : 0.7F))
                                                    : m_appearance.accentSoft);
        }
    };
    if (rows)
        draw(*rows, ofRows(), true, lit.row);
    if (columns)
        draw(*columns, ofColumns(), false, lit.column);
    painter.restore();
}

void MapStrips::drawStripWords(QCPPainter& painter, const AnyStrip& rows, const AnyStrip& columns) const {
    QStringList said;
    const auto range = [](const MapPanel::Strip& strip) { return QString::number(double(strip.high), 'g', 3); };
    if (rows)
        said << Words::tr("right: %1, up to %2").arg(rows->meaning, range(*rows));
    if (columns)
        said << Words::tr("below: %1, up to %2").arg(columns->meaning, range(*columns));
    if (said.isEmpty())
        return;
    const auto font = sized(m_appearance, 0.85);
    drawText(painter, m_words, Qt::AlignLeft | Qt::AlignVCenter,
             elided(font, said.join(QStringLiteral("; ")), m_words.width()), font, m_appearance.muted);
}

} // namespace headlight
