// Many small maps in a grid, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

class TileArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::TileArt)
public:
    TileArt(const TilePanel& panel, const Appearance& appearance)
        : TitledArt(appearance), m_panel(panel), m_font(sized(appearance, 0.85)) {}

    void arrange(const QRectF& area) override {
        m_area = area;
        const double columns = std::max(1, m_panel.columns);
        const double rows = std::ceil(static_cast<double>(m_panel.tiles.size()) / columns);
        double names = 0;
        for (const auto& name : m_panel.rowNames)
            names = std::max(names, textWidth(m_font, name));
        m_names = names > 0 ? names + spacing : 0;
        m_gap = columns > 12 ? 4 : 10;
        m_line = QFontMetricsF(m_font).height();
        m_top = m_area.top() + titleHeight + (m_panel.columnNames.isEmpty() ? 0 : m_line + 4);
        const bool captions = std::any_of(m_panel.tiles.begin(), m_panel.tiles.end(),
                                          [](const auto& tile) { return !tile.caption.isEmpty(); });
        const double width = (m_area.width() - m_names + m_gap) / columns - m_gap;
        const double height = (m_area.bottom() - m_top + m_gap) / std::max(1.0, rows) - m_gap;
        m_caption = captions && height > 3.2 * m_line && width > 56 ? m_line + 4 : 0;
        // Maps keep the shape of their cells as far as that is pleasant: long sentences are not squeezed into squares.
        double shape = 1;
        if (!m_panel.tiles.empty() && m_panel.tiles.front().map.rows > 0)
            shape = std::clamp(static_cast<double>(m_panel.tiles.front().map.columns) / m_panel.tiles.front().map.rows,
                               0.75, 1.6);
        m_height = std::max(4.0, std::min(height - m_caption, width / shape));
        m_width = std::max(4.0, std::min(width, m_height * shape));
    }
    void drawStill(QCPPainter& painter) override {
        drawnTitle(painter, m_area, m_panel.title, m_panel.subtitle);
        for (int column = 0; column < m_panel.columnNames.size() && column < m_panel.columns; ++column) {
            const auto place = tile(column);
            text(painter, QRectF(place.left(), m_top - m_line - 4, place.width(), m_line), Qt::AlignCenter,
                 elided(m_font, m_panel.columnNames[column], m_width + m_gap), m_font, m_appearance.muted);
        }
        for (int row = 0; row < m_panel.rowNames.size(); ++row) {
            const auto place = tile(row * m_panel.columns);
            text(painter, QRectF(m_area.left(), place.center().y() - m_line / 2, m_names - spacing, m_line),
                 Qt::AlignLeft | Qt::AlignVCenter, m_panel.rowNames[row], m_font, m_appearance.muted);
        }
        int cells = 0;
        for (const auto& one : m_panel.tiles)
            cells += one.map.rows * one.map.columns;
        for (std::size_t i = 0; i < m_panel.tiles.size(); ++i)
            drawTile(painter, static_cast<int>(i), onPaper(painter) && cells <= mostVectorCells);
    }
    void drawLive(QCPPainter& painter, const Lit& lit) override {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setBrush(Qt::NoBrush);
        for (std::size_t i = 0; i < m_panel.tiles.size(); ++i) {
            const bool pointed = static_cast<int>(i) == lit.row;
            if (!m_panel.tiles[i].chosen && !pointed)
                continue;
            painter.setPen(QPen(m_panel.tiles[i].chosen ? m_appearance.accent : m_appearance.muted, 2));
            painter.drawRect(tile(static_cast<int>(i)).adjusted(-2, -2, 2, 2));
        }
    }
    Lit at(const QPointF& position) const override {
        for (int i = 0; i < static_cast<int>(m_panel.tiles.size()); ++i)
            if (tile(i).adjusted(-m_gap / 2, -m_gap / 2, m_gap / 2, m_gap / 2).contains(position))
                return {i, -1};
        return {};
    }
    QStringList wordsAt(const Lit& lit) const override {
        if (!has(lit))
            return {};
        const auto& one = m_panel.tiles[static_cast<std::size_t>(lit.row)];
        return {one.name, one.caption, tr("Click to open it.")};
    }
    bool has(const Lit& lit) const override {
        return lit.row >= 0 && static_cast<std::size_t>(lit.row) < m_panel.tiles.size();
    }
    Lit moved(const Lit& from, int down, int right) const override {
        if (m_panel.tiles.empty())
            return {};
        const int last = static_cast<int>(m_panel.tiles.size()) - 1;
        return {has(from) ? std::clamp(from.row + right + down * m_panel.columns, 0, last) : 0, -1};
    }
    bool opens() const override { return true; }

    QStringList describe() const override {
        QStringList lines{QStringList{m_panel.title, m_panel.subtitle}.join(QLatin1Char(' ')).trimmed()};
        for (const auto& one : m_panel.tiles)
            lines << QStringList{one.name, one.caption}.join(QStringLiteral(": "));
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (const auto& one : m_panel.tiles)
            addMap(numbers, one.name, one.map, {}, {});
    }

private:
    QRectF tile(int index) const {
        const int row = index / m_panel.columns, column = index % m_panel.columns;
        return {std::round(m_area.left() + m_names + column * (m_width + m_gap)),
                std::round(m_top + row * (m_height + m_caption + m_gap)), std::floor(m_width), std::floor(m_height)};
    }
    void drawTile(QCPPainter& painter, int index, bool vectors) {
        const auto& one = m_panel.tiles[static_cast<std::size_t>(index)];
        const auto place = tile(index);
        painter.setRenderHint(QPainter::Antialiasing, false);
        if (vectors) {
            const double width = place.width() / std::max(1, one.map.columns),
                         height = place.height() / std::max(1, one.map.rows);
            for (int row = 0; row < one.map.rows; ++row)
                for (int column = 0; column < one.map.columns; ++column)
                    painter.fillRect(QRectF(place.left() + column * width, place.top() + row * height, width, height),
                                     QColor(m_appearance.color(one.map.at(row, column))));
        } else if (one.map.rows > 0 && one.map.columns > 0) {
            QImage image(one.map.columns, one.map.rows, QImage::Format_RGB32);
            for (int row = 0; row < one.map.rows; ++row) {
                const auto values = one.map.row(row);
                std::transform(values.begin(), values.end(), reinterpret_cast<QRgb*>(image.scanLine(row)),
                               [this](float value) { return m_appearance.color(value); });
            }
            // A map with more cells than pixels is averaged; one with fewer keeps its cells sharp.
            const bool shrinks = one.map.columns > place.width() || one.map.rows > place.height();
            painter.setRenderHint(QPainter::SmoothPixmapTransform, shrinks);
            painter.drawImage(place, image);
        }
        painter.setPen(m_appearance.line);
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(place.adjusted(-1, -1, 0, 0));
        if (m_caption > 0)
            text(painter, QRectF(place.left(), place.bottom() + 4, place.width(), m_line),
                 Qt::AlignLeft | Qt::AlignVCenter, elided(m_font, one.caption, m_width), m_font, m_appearance.muted);
    }

    const TilePanel& m_panel;
    QFont m_font;
    QRectF m_area;
    double m_names = 0;
    double m_gap = 10;
    double m_line = 12;
    double m_top = 0;
    double m_caption = 0;
    double m_width = 10;
    double m_height = 10;
};

} // namespace

std::unique_ptr<PanelArt> makeTileArt(const TilePanel& panel, const Appearance& appearance) {
    return std::make_unique<TileArt>(panel, appearance);
}

} // namespace headlight
