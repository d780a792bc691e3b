// The cells of a map, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/map_parts.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace headlight {

MapCells::MapCells(const MapPanel& panel, const Appearance& appearance, QCPAxisRect* rect)
    : m_panel(panel), m_appearance(appearance), m_rect(rect) {
    x().setRange(0, std::max(1, m_panel.map.columns));
    y().setRange(0, std::max(1, m_panel.map.rows));
    y().setRangeReversed(true);
    for (auto* axis : m_rect->axes())
        axis->setVisible(false);
    m_rect->setRangeDrag(m_panel.zooms ? Qt::Horizontal | Qt::Vertical : Qt::Orientations());
    m_rect->setRangeZoom(m_panel.zooms ? Qt::Horizontal | Qt::Vertical : Qt::Orientations());
}

void MapCells::setPlace(const QRectF& place) {
    m_place = place;
    m_rect->setOuterRect(place.toRect());
}

QRectF MapCells::at(int row, int column, int rows, int columns) const {
    const double left = std::round(x().coordToPixel(column)), top = std::round(y().coordToPixel(row));
    return {left, top, std::round(x().coordToPixel(column + columns)) - left,
            std::round(y().coordToPixel(row + rows)) - top};
}

std::pair<int, int> MapCells::visible(const QCPAxis& axis, int count) {
    return {std::clamp(static_cast<int>(std::floor(axis.range().lower)), 0, count),
            std::clamp(static_cast<int>(std::ceil(axis.range().upper)), 0, count)};
}

QRgb MapCells::color(float value) const {
    if (m_panel.masked && std::isinf(value))
        return m_appearance.missing.rgb();
    const float range = m_panel.high - m_panel.low;
    return m_panel.differs ? m_appearance.signedColor(value / m_panel.high)
                           : m_appearance.color((value - m_panel.low) / range);
}

void MapCells::draw(QCPPainter& painter) const {
    painter.save();
    painter.setClipRect(m_place.adjusted(0, 0, 1, 1));
    drawCells(painter);
    drawOutlines(painter);
    drawMarks(painter);
    painter.restore();
}

QColor MapCells::gapColor() const {
    const QColor nothing(color(m_panel.differs ? 0 : m_panel.low));
    const auto mixed = [&](int (QColor::*channel)() const) {
        return ((nothing.*channel)() * 86 + (m_appearance.muted.*channel)() * 14) / 100;
    };
    return {mixed(&QColor::red), mixed(&QColor::green), mixed(&QColor::blue)};
}

void MapCells::drawCells(QCPPainter& painter) const {
    const auto [firstRow, lastRow] = visible(y(), m_panel.map.rows);
    const auto [firstColumn, lastColumn] = visible(x(), m_panel.map.columns);
    const auto one = at(firstRow, firstColumn);
    const bool gaps = one.width() >= 8 && one.height() >= 8;
    const int count = (lastRow - firstRow) * (lastColumn - firstColumn);
    painter.setRenderHint(QPainter::Antialiasing, false);
    if ((!gaps && !onPaper(painter)) || count > mostVectorCells) {
        const int rows = lastRow - firstRow, columns = lastColumn - firstColumn;
        // What is masked is weaker than any score that shares its pixel.
        constexpr float weakest = std::numeric_limits<float>::denorm_min();
        std::vector<float> seen;
        seen.reserve(static_cast<std::size_t>(count));
        for (int row = firstRow; row < lastRow; ++row)
            for (const float value :
                 m_panel.map.row(row).subspan(static_cast<std::size_t>(firstColumn), static_cast<std::size_t>(columns)))
                seen.push_back(m_panel.masked && std::isinf(value) ? weakest : value);
        if (count > 0)
            drawPooled(painter, at(firstRow, firstColumn, rows, columns), seen, rows, columns, [this](float value) {
                return m_panel.masked && value == weakest ? m_appearance.missing.rgb() : color(value);
            });
        return;
    }
    if (gaps)
        painter.fillRect(m_place.adjusted(0, 0, 1, 1), gapColor());
    const auto font = sized(m_appearance, 0.8);
    const bool written = (m_panel.valuesInCells || m_panel.texts)
                         && one.width() >= textWidth(font, QStringLiteral("0.00")) + 4
                         && one.height() >= QFontMetricsF(font).height();
    for (int row = firstRow; row < lastRow; ++row) {
        const auto values = m_panel.map.row(row);
        for (int column = firstColumn; column < lastColumn; ++column) {
            auto place = at(row, column);
            if (gaps)
                place.adjust(1, 1, 0, 0);
            const auto value = values[static_cast<std::size_t>(column)];
            const auto fill = color(value);
            painter.fillRect(place, QColor(fill));
            if (written) {
                const bool dark = qGray(fill) < 140;
                drawText(painter, place, Qt::AlignCenter,
                         m_panel.texts          ? elided(font, m_panel.texts(row, column), place.width() - 3)
                         : std::isfinite(value) ? numberText(value)
                                                : QStringLiteral("–"),
                         font, dark ? QColor(Qt::white) : QColor(0x16181d));
            }
        }
    }
}

void MapCells::drawFrame(QCPPainter& painter, const QRectF& place, bool dashed, double width) const {
    painter.setBrush(Qt::NoBrush);
    QPen pen(m_appearance.window, 2 * width);
    pen.setJoinStyle(Qt::MiterJoin);
    painter.setPen(pen);
    painter.drawRect(place);
    pen.setColor(m_appearance.text);
    pen.setWidthF(width);
    pen.setCapStyle(Qt::FlatCap);
    if (dashed)
        pen.setDashPattern({3.5 / width, 3 / width});
    painter.setPen(pen);
    painter.drawRect(place);
}

void MapCells::drawOutlines(QCPPainter& painter) const {
    painter.setRenderHint(QPainter::Antialiasing, true);
    const auto one = at(0, 0);
    const double width = std::clamp(std::min(one.width(), one.height()) / 14, 1.0, 2.0);
    for (const auto& outline : m_panel.outlines)
        drawFrame(painter,
                  at(outline.row, outline.column, outline.rows, outline.columns)
                      .adjusted(width + 1, width + 1, -width, -width),
                  outline.dashed, width);
}

void MapCells::drawMarks(QCPPainter& painter) const {
    painter.setRenderHint(QPainter::Antialiasing, true);
    painter.setPen(Qt::NoPen);
    for (std::size_t i = 0; i < m_panel.marks.size(); ++i) {
        const int column = m_panel.marks[i];
        if (column < 0)
            continue;
        const auto row = static_cast<int>(i);
        const auto place = at(row, column);
        const double radius = std::min({place.width(), place.height(), 28.0}) * 0.11;
        if (radius < 0.7)
            return;
        const bool dark = qGray(color(m_panel.map.at(row, column))) < 150;
        painter.setBrush(dark ? QColor(Qt::white) : QColor(0x16181d));
        painter.drawEllipse(place.center() + QPointF(0.5, 0.5), radius, radius);
    }
}

void MapCells::drawCurveTicks(QCPPainter& painter, double top) const {
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::size_t i = 0; i < m_panel.curves.size(); ++i) {
        const auto place = at(0, m_panel.curves[i]);
        const double width = std::max(3.0, std::min(place.width() - 1, 12.0));
        painter.fillRect(QRectF(place.center().x() - width / 2, top, width, 5),
                         m_appearance.category(static_cast<int>(i)));
    }
}

} // namespace headlight
