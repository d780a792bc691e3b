// What a map's colours mean, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/map_parts.h"

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

constexpr double legendHeight = 34;
constexpr double leastWithLegendBelow = 250; ///< height of the whole
constexpr double widthOfRange = 130;

} // namespace

MapLegend::MapLegend(const MapPanel& panel, const Appearance& appearance, const MapCells& cells)
    : m_panel(panel), m_appearance(appearance), m_cells(cells) {}

void MapLegend::arrange(const QRectF& area) {
    m_area = area;
    m_below = m_panel.legend && area.height() > leastWithLegendBelow;
    m_width = m_panel.levels.isEmpty() ? widthOfRange : widthOfLevels();
    const auto titleFont = sized(m_appearance, 1, QFont::DemiBold);
    m_beside = m_panel.legend && !m_below
               && (m_panel.differs
                   || textWidth(titleFont, m_panel.title + m_panel.subtitle) + 3 * spacing + m_width < area.width());
}

double MapLegend::heightBelow() const {
    return m_below ? legendHeight : 0;
}

void MapLegend::draw(QCPPainter& painter, double below) const {
    if (!m_below && !m_beside)
        return;
    const auto begin = m_beside
                           ? QPointF(m_area.right() - m_width + spacing, m_area.top() + (titleHeight - spacing) / 2)
                           : QPointF(m_cells.place().left(), below + 18);
    m_panel.levels.isEmpty() ? drawRange(painter, begin) : drawLevels(painter, begin);
}

std::vector<int> MapLegend::levelsThere() const {
    std::vector<int> there;
    for (int i = 0; i < m_panel.levels.size(); ++i)
        if (std::find(m_panel.map.values.begin(), m_panel.map.values.end(), static_cast<float>(i))
            != m_panel.map.values.end())
            there.push_back(i);
    return there;
}

double MapLegend::widthOfLevels() const {
    double width = spacing;
    for (const int level : levelsThere())
        width += 18 + textWidth(sized(m_appearance, 0.85), m_panel.levels[level]) + 2 * spacing;
    return width;
}

void MapLegend::drawLevels(QCPPainter& painter, const QPointF& begin) const {
    const auto font = sized(m_appearance, 0.85);
    const double top = begin.y() - 8;
    double left = begin.x();
    for (const int i : levelsThere()) {
        const auto value = static_cast<float>(i);
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setPen(m_appearance.line);
        painter.setBrush(QColor(m_cells.color(value)));
        painter.drawRect(QRectF(left, top + 2, 12, 12));
        const double width = textWidth(font, m_panel.levels[i]);
        drawText(painter, QRectF(left + 18, top, width, 16), Qt::AlignLeft | Qt::AlignVCenter, m_panel.levels[i], font,
                 m_appearance.muted);
        left += 18 + width + 2 * spacing;
    }
}

void MapLegend::drawRange(QCPPainter& painter, const QPointF& begin) const {
    const double left = begin.x(), top = begin.y() - 4;
    const auto low = m_panel.differs ? -m_panel.high : m_panel.low;
    const auto font = sized(m_appearance, 0.85);
    const auto lowText = QString::number(static_cast<double>(low), 'g', 3);
    const bool more = std::any_of(m_panel.map.values.begin(), m_panel.map.values.end(),
                                  [this](float value) { return std::abs(value) > m_panel.high * 1.001F; });
    const auto highText =
        (more ? QStringLiteral("≥ ") : QString()) + QString::number(static_cast<double>(m_panel.high), 'g', 3);
    const double bar = left + textWidth(font, lowText) + spacing;
    const double width = m_beside ? std::max(20.0, m_area.right() - bar - spacing - textWidth(font, highText))
                                  : std::min(160.0, m_area.width() / 2);
    drawColorBar(painter, QRectF(std::round(bar), top, width, 8), m_appearance.line,
                 [&](float share) { return QColor(m_cells.color(low + (m_panel.high - low) * share)); });
    const auto around = Qt::AlignLeft | Qt::AlignVCenter;
    drawText(painter, QRectF(left, top - 4, 40, 16), around, lowText, font, m_appearance.muted);
    drawText(painter, QRectF(bar + width + spacing, top - 4, 40, 16), around, highText, font, m_appearance.muted);
    double key = bar + width + spacing + textWidth(font, highText) + 3 * spacing;
    for (const auto& [meaning, dashed] : {std::pair(m_panel.solidOutline, false), {m_panel.dashedOutline, true}}) {
        if (m_panel.outlines.empty() || meaning.isEmpty() || !m_below)
            continue;
        painter.setRenderHint(QPainter::Antialiasing, true);
        m_cells.drawFrame(painter, QRectF(key, top - 2, 14, 12), dashed, 1.5);
        const double room = m_area.right() - key - 14 - spacing;
        const auto shown = elided(font, meaning, room);
        drawText(painter, QRectF(key + 14 + spacing, top - 4, room, 16), around, shown, font, m_appearance.muted);
        key += 14 + spacing + textWidth(font, shown) + 2 * spacing;
    }
}

} // namespace headlight
