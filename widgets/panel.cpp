// Cells, bars, curves and tiles, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panel.h"

#include <qcustomplot.h>

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

constexpr double titleHeight = 26;
constexpr double captionHeight = 18;
constexpr double spacing = 8;
constexpr double legendHeight = 34;
constexpr double largestCell = 150;
/// More cells than this are drawn as one image even on paper: a file with each of them would be of no use.
constexpr int mostVectorCells = 60000;

double textWidth(const QFont& font, const QString& text) {
    return QFontMetricsF(font).horizontalAdvance(text);
}

QString elided(const QFont& font, const QString& text, double width) {
    return QFontMetricsF(font).elidedText(text, Qt::ElideRight, width);
}

bool onPaper(const QCPPainter& painter) {
    return painter.modes().testFlag(QCPPainter::pmVectorized);
}

/// Row or column of the panel that stands for a query or key; -1 when none does.
int placeOf(const std::vector<int>& places, int count, int token) {
    if (token < 0)
        return -1;
    if (places.empty())
        return token < count ? token : -1;
    return static_cast<std::size_t>(token) < places.size() ? places[static_cast<std::size_t>(token)] : -1;
}

/// What all arts write with.
class TitledArt : public PanelArt {
protected:
    using PanelArt::PanelArt;

    /// Title and subtitle on one line, elided to the width; returns what is left below.
    QRectF drawnTitle(QCPPainter& painter, const QRectF& area, const QString& title, const QString& subtitle) const {
        if (title.isEmpty())
            return area;
        const auto font = sized(m_appearance, 1, QFont::DemiBold);
        const auto shown = elided(font, title, area.width());
        const QRectF line(area.left(), area.top(), area.width(), titleHeight - spacing);
        text(painter, line, Qt::AlignLeft | Qt::AlignVCenter, shown, font, m_appearance.text);
        const double used = textWidth(font, shown) + spacing;
        if (area.width() - used > 60) {
            const auto plain = sized(m_appearance, 1);
            text(painter, line.adjusted(used, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                 elided(plain, subtitle, area.width() - used), plain, m_appearance.muted);
        }
        return area.adjusted(0, titleHeight, 0, 0);
    }
    void text(QCPPainter& painter, const QRectF& place, Qt::Alignment alignment, const QString& words,
              const QFont& font, const QColor& color) const {
        painter.setFont(font);
        painter.setPen(color);
        painter.drawText(place, static_cast<int>(alignment) | Qt::TextDontClip, words);
    }
};

class MapArt final : public TitledArt {
public:
    MapArt(const MapPanel& panel, const Appearance& appearance, QCPAxisRect* rect)
        : TitledArt(appearance), m_panel(panel), m_rect(rect) {
        x().setRange(0, std::max(1, m_panel.map.columns));
        y().setRange(0, std::max(1, m_panel.map.rows));
        y().setRangeReversed(true);
        for (auto* axis : m_rect->axes())
            axis->setVisible(false);
        m_rect->setRangeDrag(m_panel.zooms ? Qt::Horizontal | Qt::Vertical : Qt::Orientations());
        m_rect->setRangeZoom(m_panel.zooms ? Qt::Horizontal | Qt::Vertical : Qt::Orientations());
    }

    void arrange(const QRectF& area) override {
        m_area = area;
        // A large panel is looked at from farther away.
        const double factor = 0.93 * std::clamp(std::min(area.width(), area.height() * 1.3) / 800, 1.0, 1.5);
        m_font = sized(m_appearance, factor);
        m_bold = sized(m_appearance, factor, QFont::Bold);
        QRectF inner = area;
        if (!m_panel.title.isEmpty())
            inner.setTop(inner.top() + titleHeight);
        if (!m_panel.rowAxis.isEmpty())
            inner.setTop(inner.top() + captionHeight + 2);
        if (m_panel.legend)
            inner.setBottom(inner.bottom() - legendHeight);
        const double columns = std::max(1, m_panel.map.columns), rows = std::max(1, m_panel.map.rows);

        const double line = QFontMetricsF(m_bold).height();
        double rowLabel = 0, columnLabel = 0;
        for (const auto& label : m_panel.rows)
            rowLabel = std::max(rowLabel, textWidth(m_bold, label));
        for (const auto& label : m_panel.columns)
            columnLabel = std::max(columnLabel, textWidth(m_bold, label));
        m_rowLabel = std::min(rowLabel, std::min(170.0, inner.width() * 0.3));
        const double left = m_panel.rows.isEmpty() ? 0 : m_rowLabel + spacing;
        double width = inner.width() - left;
        m_slanted = m_panel.pointsAtTokens && !m_panel.columns.isEmpty()
                    && columnLabel + 6 > std::min(width / columns, largestCell);
        m_columnLabel = m_slanted ? std::min(columnLabel, std::min(130.0, inner.height() * 0.32)) : columnLabel;
        const double slope = std::sqrt(0.5);
        const double overhang = m_slanted ? m_columnLabel * slope + line * slope / 2 : 0;
        const double top = m_panel.columns.isEmpty() ? 0 : m_slanted ? (m_columnLabel + line) * slope + 2 : line + 6;
        // The last slanted label leans over the right edge: by what it is longer than half of its cell.
        width -= std::max(0.0, overhang);
        double height = inner.height() - top;
        m_cellWidth = std::max(1.0, width) / columns;
        m_cellHeight = std::max(1.0, height) / rows;
        if (m_panel.square) {
            m_cellWidth = std::min({m_cellWidth, largestCell, m_cellHeight * 1.7});
            m_cellHeight = std::min({m_cellHeight, largestCell, m_cellWidth * 1.15});
            if (m_cellWidth > 4)
                m_cellWidth = std::floor(m_cellWidth);
            if (m_cellHeight > 4)
                m_cellHeight = std::floor(m_cellHeight);
        }
        m_plot = QRectF(std::round(inner.left() + left), std::round(inner.top() + top), m_cellWidth * columns,
                        m_cellHeight * rows);
        m_rect->setOuterRect(m_plot.toRect());
    }

    void drawStill(QCPPainter& painter) override {
        const auto below = drawnTitle(painter, m_area, m_panel.title, m_panel.subtitle);
        if (!m_panel.rowAxis.isEmpty()) {
            const auto font = sized(m_appearance, 0.93);
            text(painter, QRectF(below.left(), below.top(), below.width(), captionHeight),
                 Qt::AlignLeft | Qt::AlignVCenter,
                 elided(font, QStringLiteral("↓ %1   → %2").arg(m_panel.rowAxis, m_panel.columnAxis), below.width()),
                 font, m_appearance.muted);
        }
        painter.save();
        painter.setClipRect(m_plot.adjusted(0, 0, 1, 1));
        drawCells(painter);
        drawMarks(painter);
        painter.restore();
        if (m_panel.legend)
            drawLegend(painter);
    }

    void drawLive(QCPPainter& painter, const Lit& lit) override {
        drawLabels(painter, lit);
        painter.save();
        painter.setClipRect(m_plot.adjusted(-2, -2, 2, 2));
        painter.setBrush(Qt::NoBrush);
        painter.setRenderHint(QPainter::Antialiasing, false);
        if (lit.column >= 0) {
            painter.setPen(QPen(m_appearance.accent, 1));
            painter.drawRect(cells(0, lit.column, m_panel.map.rows, 1));
        }
        if (lit.row >= 0) {
            painter.setPen(QPen(m_appearance.accent, 2));
            painter.drawRect(cells(lit.row, 0, 1, m_panel.map.columns));
        }
        painter.restore();
    }

    Lit at(const QPointF& position) const override {
        if (!m_plot.contains(position) || m_panel.map.rows < 1 || m_panel.map.columns < 1)
            return {};
        const int row = static_cast<int>(std::floor(y().pixelToCoord(position.y())));
        const int column = static_cast<int>(std::floor(x().pixelToCoord(position.x())));
        if (row < 0 || column < 0 || row >= m_panel.map.rows || column >= m_panel.map.columns)
            return {};
        return {row, column};
    }

    Lit litBy(const Selection::Pair& pair) const override {
        if (!m_panel.pointsAtTokens || pair.kind != m_panel.kind)
            return {};
        return {placeOf(m_panel.queryRows, m_panel.map.rows, pair.query ? pair.query->value : -1),
                placeOf(m_panel.keyColumns, m_panel.map.columns, pair.key ? pair.key->value : -1)};
    }

private:
    QCPAxis& x() const { return *m_rect->axis(QCPAxis::atBottom); }
    QCPAxis& y() const { return *m_rect->axis(QCPAxis::atLeft); }

    QRectF cells(int row, int column, int rows, int columns) const {
        const double left = std::round(x().coordToPixel(column)), top = std::round(y().coordToPixel(row));
        return {left, top, std::round(x().coordToPixel(column + columns)) - left,
                std::round(y().coordToPixel(row + rows)) - top};
    }
    QRgb color(float value) const {
        const float range = m_panel.high - m_panel.low;
        return m_panel.differs ? m_appearance.signedColor(value / m_panel.high)
                               : m_appearance.color((value - m_panel.low) / range);
    }
    /// Between cells: a little off the colour of nothing, which is white in one map and black in another.
    QColor gapColor() const {
        const QColor nothing(color(m_panel.differs ? 0 : m_panel.low));
        const auto mixed = [&](int (QColor::*channel)() const) {
            return ((nothing.*channel)() * 86 + (m_appearance.muted.*channel)() * 14) / 100;
        };
        return {mixed(&QColor::red), mixed(&QColor::green), mixed(&QColor::blue)};
    }
    /// Of how many names one can be written, when there is room for one in every `least`: numbers step by 1, 2, 5, 10 …
    int step(double least) const {
        const int needed = std::max(1, static_cast<int>(std::ceil(least)));
        if (m_panel.pointsAtTokens)
            return needed;
        for (int ten = 1;; ten *= 10)
            for (const int factor : {1, 2, 5})
                if (ten * factor >= needed)
                    return ten * factor;
    }
    /// Rows and columns that can be seen, [first, last).
    std::pair<int, int> visible(const QCPAxis& axis, int count) const {
        return {std::clamp(static_cast<int>(std::floor(axis.range().lower)), 0, count),
                std::clamp(static_cast<int>(std::ceil(axis.range().upper)), 0, count)};
    }

    void drawCells(QCPPainter& painter) {
        const auto [firstRow, lastRow] = visible(y(), m_panel.map.rows);
        const auto [firstColumn, lastColumn] = visible(x(), m_panel.map.columns);
        const auto one = cells(firstRow, firstColumn, 1, 1);
        const bool gaps = one.width() >= 8 && one.height() >= 8;
        const int count = (lastRow - firstRow) * (lastColumn - firstColumn);
        painter.setRenderHint(QPainter::Antialiasing, false);
        if ((!gaps && !onPaper(painter)) || count > mostVectorCells) {
            QImage image(std::max(1, m_panel.map.columns), std::max(1, m_panel.map.rows), QImage::Format_RGB32);
            for (int row = 0; row < m_panel.map.rows; ++row) {
                auto* line = reinterpret_cast<QRgb*>(image.scanLine(row));
                const auto values = m_panel.map.row(row);
                std::transform(values.begin(), values.end(), line, [this](float value) { return color(value); });
            }
            painter.drawImage(cells(0, 0, m_panel.map.rows, m_panel.map.columns), image);
            return;
        }
        if (gaps)
            painter.fillRect(m_plot.adjusted(0, 0, 1, 1), gapColor());
        const auto font = sized(m_appearance, 0.8);
        const bool written = m_panel.valuesInCells && one.width() >= textWidth(font, QStringLiteral("0.00")) + 4
                             && one.height() >= QFontMetricsF(font).height();
        for (int row = firstRow; row < lastRow; ++row) {
            const auto values = m_panel.map.row(row);
            for (int column = firstColumn; column < lastColumn; ++column) {
                auto place = cells(row, column, 1, 1);
                if (gaps)
                    place.adjust(1, 1, 0, 0);
                const auto value = values[static_cast<std::size_t>(column)];
                const auto fill = color(value);
                painter.fillRect(place, QColor(fill));
                if (written) {
                    const bool dark = qGray(fill) < 140;
                    text(painter, place, Qt::AlignCenter, std::isnan(value) ? QStringLiteral("–") : numberText(value),
                         font, dark ? QColor(Qt::white) : QColor(0x16181d));
                }
            }
        }
    }

    /// A dot on each marked cell that is seen against its colour; numbers in the cells say it better than dots.
    void drawMarks(QCPPainter& painter) {
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setPen(Qt::NoPen);
        for (std::size_t i = 0; i < m_panel.marks.size(); ++i) {
            const int column = m_panel.marks[i];
            if (column < 0)
                continue;
            const auto row = static_cast<int>(i);
            const auto place = cells(row, column, 1, 1);
            const double radius = std::min({place.width(), place.height(), 28.0}) * 0.11;
            if (radius < 0.7)
                return;
            const bool dark = qGray(color(m_panel.map.at(row, column))) < 150;
            painter.setBrush(dark ? QColor(Qt::white) : QColor(0x16181d));
            painter.drawEllipse(place.center() + QPointF(0.5, 0.5), radius, radius);
        }
    }

    void drawLabels(QCPPainter& painter, const Lit& lit) {
        painter.setRenderHint(QPainter::Antialiasing, true);
        const double line = QFontMetricsF(m_font).height();
        const auto [firstRow, lastRow] = visible(y(), static_cast<int>(m_panel.rows.size()));
        const double cellHeight = m_plot.height() / std::max(1e-9, y().range().size());
        const int rowStep = step(line * 0.8 / cellHeight);
        for (int row = firstRow; row < lastRow; ++row) {
            const bool isLit = row == lit.row;
            // Where not every row has room for its name, the lit one is written and its neighbours keep clear of it.
            if (!isLit && (row % rowStep != 0 || (rowStep > 1 && lit.row >= 0 && std::abs(row - lit.row) < rowStep)))
                continue;
            const auto place = cells(row, 0, 1, 1);
            const auto middle = place.center().y();
            if (middle < m_plot.top() || middle > m_plot.bottom() + 1)
                continue;
            const auto& font = isLit ? m_bold : m_font;
            text(painter, QRectF(m_plot.left() - spacing - m_rowLabel, middle - line / 2, m_rowLabel, line),
                 Qt::AlignRight | Qt::AlignVCenter, elided(font, m_panel.rows[row], m_rowLabel + 1), font,
                 m_appearance.text);
        }
        const auto [firstColumn, lastColumn] = visible(x(), static_cast<int>(m_panel.columns.size()));
        const double cellWidth = m_plot.width() / std::max(1e-9, x().range().size());
        const double room = m_slanted || m_panel.pointsAtTokens ? line * 0.8 : m_columnLabel + 10;
        const int columnStep = step(room / cellWidth);
        for (int column = firstColumn; column < lastColumn; ++column) {
            const bool isLit = column == lit.column;
            if (!isLit
                && (column % columnStep != 0
                    || (columnStep > 1 && lit.column >= 0 && std::abs(column - lit.column) < columnStep)))
                continue;
            const auto middle = cells(0, column, 1, 1).center().x();
            if (middle < m_plot.left() || middle > m_plot.right() + 1)
                continue;
            const auto& font = isLit ? m_bold : m_font;
            const auto label = elided(font, m_panel.columns[column], m_columnLabel + 1);
            if (!m_slanted) {
                text(painter, QRectF(middle - m_columnLabel, m_plot.top() - line - 4, 2 * m_columnLabel, line),
                     Qt::AlignCenter, label, font, m_appearance.text);
                continue;
            }
            painter.save();
            painter.translate(middle + 2, m_plot.top() - 4);
            painter.rotate(-45);
            text(painter, QRectF(0, -line / 2 - 2, m_columnLabel, line), Qt::AlignLeft | Qt::AlignVCenter, label, font,
                 m_appearance.text);
            painter.restore();
        }
    }

    void drawLegend(QCPPainter& painter) {
        const double width = std::min(160.0, m_area.width() / 2);
        const double left = m_plot.left(), top = m_plot.bottom() + 14;
        painter.setRenderHint(QPainter::Antialiasing, false);
        const auto low = m_panel.differs ? -m_panel.high : m_panel.low;
        const auto font = sized(m_appearance, 0.85);
        const auto lowText = QString::number(static_cast<double>(low), 'g', 3);
        const auto highText = QString::number(static_cast<double>(m_panel.high), 'g', 3);
        const double bar = left + textWidth(font, lowText) + spacing;
        constexpr int steps = 64;
        for (int i = 0; i < steps; ++i) {
            const float value = low + (m_panel.high - low) * (static_cast<float>(i) + 0.5f) / steps;
            const double from = std::round(bar + width * i / steps), to = std::round(bar + width * (i + 1) / steps);
            painter.fillRect(QRectF(from, top, to - from, 8), QColor(color(value)));
        }
        painter.setPen(m_appearance.line);
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(bar - 1, top - 1, width + 1, 9));
        const auto around = Qt::AlignLeft | Qt::AlignVCenter;
        text(painter, QRectF(left, top - 4, 40, 16), around, lowText, font, m_appearance.muted);
        text(painter, QRectF(bar + width + spacing, top - 4, 40, 16), around, highText, font, m_appearance.muted);
    }

    const MapPanel& m_panel;
    QCPAxisRect* m_rect;
    QFont m_font;
    QFont m_bold;
    QRectF m_area;
    QRectF m_plot;
    double m_rowLabel = 0;
    double m_columnLabel = 0;
    double m_cellWidth = 1;
    double m_cellHeight = 1;
    bool m_slanted = false;
};

class BarArt final : public TitledArt {
public:
    BarArt(const BarPanel& panel, const Appearance& appearance)
        : TitledArt(appearance), m_panel(panel), m_font(sized(appearance, 0.93)),
          m_bold(sized(appearance, 0.93, QFont::Bold)) {}

    void arrange(const QRectF& area) override {
        m_area = area;
        const double rows = static_cast<double>(std::max<std::size_t>(1, m_panel.values.size()));
        m_rowHeight = std::min(26.0, (area.height() - titleHeight - captionHeight - spacing) / rows);
        m_label = 0;
        for (const auto& label : m_panel.labels)
            m_label = std::max(m_label, textWidth(m_bold, label));
        m_label = std::min(m_label, std::min(170.0, area.width() * 0.3));
    }
    void drawStill(QCPPainter& painter) override {
        drawnTitle(painter, m_area, m_panel.title, {});
        const double bottom = m_area.top() + titleHeight + m_rowHeight * static_cast<double>(m_panel.values.size());
        text(painter, QRectF(m_area.left(), bottom + spacing / 2, m_area.width(), captionHeight),
             Qt::AlignLeft | Qt::AlignVCenter, elided(m_font, m_panel.note, m_area.width()), m_font,
             m_appearance.muted);
    }
    void drawLive(QCPPainter& painter, const Lit& lit) override {
        const double line = QFontMetricsF(m_font).height();
        const int step = std::max(1, static_cast<int>(std::ceil(line * 0.8 / m_rowHeight)));
        const double left = m_area.left() + m_label + spacing;
        const double number = textWidth(m_bold, QStringLiteral("0.00")) + spacing;
        const double longest = std::max(10.0, std::min(260.0, m_area.right() - left - number));
        painter.setRenderHint(QPainter::Antialiasing, true);
        for (std::size_t i = 0; i < m_panel.values.size(); ++i) {
            const auto row = static_cast<int>(i);
            const bool isLit = row == lit.row;
            const double top = m_area.top() + titleHeight + m_rowHeight * row;
            const auto& font = isLit ? m_bold : m_font;
            const bool named =
                isLit || (row % step == 0 && (step == 1 || lit.row < 0 || std::abs(row - lit.row) >= step));
            const float share = m_panel.values[i] / m_panel.high;
            if (std::isfinite(share)) {
                const double height = std::max(1.0, m_rowHeight * 0.38);
                painter.setPen(Qt::NoPen);
                painter.setBrush(isLit ? m_appearance.accent : m_appearance.accentSoft);
                painter.drawRoundedRect(
                    QRectF(left, top + (m_rowHeight - height) / 2,
                           std::max(2.0, longest * std::clamp(static_cast<double>(share), 0.0, 1.0)), height),
                    2, 2);
            }
            if (!named)
                continue;
            const double middle = top + m_rowHeight / 2 - line / 2;
            text(painter, QRectF(m_area.left(), middle, m_label, line), Qt::AlignRight | Qt::AlignVCenter,
                 elided(font, m_panel.labels.value(row), m_label + 1), font, m_appearance.text);
            text(painter, QRectF(left + longest + spacing, middle, number, line), Qt::AlignLeft | Qt::AlignVCenter,
                 numberText(m_panel.values[i]), font, isLit ? m_appearance.text : m_appearance.muted);
        }
    }
    Lit at(const QPointF& position) const override {
        const double row = (position.y() - m_area.top() - titleHeight) / m_rowHeight;
        if (!m_area.contains(position) || row < 0 || row >= static_cast<double>(m_panel.values.size()))
            return {};
        return {static_cast<int>(row), -1};
    }
    Lit litBy(const Selection::Pair& pair) const override {
        if (pair.kind != m_panel.kind)
            return {};
        return {
            placeOf(m_panel.queryRows, static_cast<int>(m_panel.values.size()), pair.query ? pair.query->value : -1),
            -1};
    }

private:
    const BarPanel& m_panel;
    QFont m_font;
    QFont m_bold;
    QRectF m_area;
    double m_rowHeight = 20;
    double m_label = 0;
};

/// QCustomPlot's own axes and graphs; here only the words around them.
class CurveArt final : public TitledArt {
public:
    CurveArt(const CurvePanel& panel, const Appearance& appearance, QCPAxisRect* rect)
        : TitledArt(appearance), m_panel(panel), m_rect(rect), m_font(sized(appearance, 0.85)) {
        auto* x = rect->axis(QCPAxis::atBottom);
        auto* y = rect->axis(QCPAxis::atLeft);
        float low = 0, high = 0;
        std::size_t longest = 2;
        for (std::size_t i = 0; i < panel.curves.size(); ++i) {
            const auto& values = panel.curves[i].values;
            QVector<double> places, heights;
            for (std::size_t place = 0; place < values.size(); ++place) {
                places.push_back(panel.first + static_cast<double>(place) * panel.step);
                heights.push_back(static_cast<double>(values[place]));
                if (std::isfinite(values[place])) {
                    low = std::min(low, values[place]);
                    high = std::max(high, values[place]);
                }
            }
            longest = std::max(longest, values.size());
            auto* graph = rect->parentPlot()->addGraph(x, y);
            graph->setData(places, heights, true);
            graph->setPen(QPen(color(i), 1.8));
            graph->setAntialiased(true);
            if (panel.points)
                graph->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, 6));
        }
        const double end = panel.first + static_cast<double>(longest - 1) * panel.step;
        const double besides = panel.points ? panel.step * 0.2 : 0; // room for whole dots
        x->setRange(panel.first - besides, end + besides);
        const double margin = std::max(1e-6, static_cast<double>(high - low) * 0.06);
        y->setRange(static_cast<double>(low) - margin, static_cast<double>(high) + margin);
        x->setLabel(panel.xAxis);
        y->setLabel(panel.yAxis);
        for (auto* axis : {x, y}) {
            axis->setTickLabelFont(m_font);
            axis->setLabelFont(m_font);
            axis->setTickLabelColor(appearance.muted);
            axis->setLabelColor(appearance.muted);
            for (const auto& set : {&QCPAxis::setBasePen, &QCPAxis::setTickPen, &QCPAxis::setSubTickPen})
                (axis->*set)(QPen(appearance.line));
            axis->grid()->setPen(QPen(appearance.line));
            axis->grid()->setZeroLinePen(QPen(appearance.line));
            axis->setSubTicks(false);
            axis->setTickLength(0, 3);
        }
        rect->setRangeDrag({});
        rect->setRangeZoom({});
    }

    void arrange(const QRectF& area) override {
        m_area = area;
        const double left = m_panel.yAxis.isEmpty() ? 44 : 58;
        m_rect->setOuterRect(area.adjusted(left, titleHeight + captionHeight + 4, -10, -44).toRect());
    }
    void drawStill(QCPPainter& painter) override {
        const auto below = drawnTitle(painter, m_area, m_panel.title, m_panel.note);
        double left = below.left();
        painter.setRenderHint(QPainter::Antialiasing, true);
        for (std::size_t i = 0; i < m_panel.curves.size(); ++i) {
            const auto& name = m_panel.curves[i].name;
            const double width = textWidth(m_font, name) + 16;
            if (left + width > below.right())
                break;
            painter.setPen(QPen(color(i), 2));
            painter.drawLine(QPointF(left, below.top() + captionHeight / 2),
                             QPointF(left + 12, below.top() + captionHeight / 2));
            text(painter, QRectF(left + 16, below.top(), width, captionHeight), Qt::AlignLeft | Qt::AlignVCenter, name,
                 m_font, m_appearance.text);
            left += width + 14;
        }
    }
    void drawLive(QCPPainter&, const Lit&) override {}
    Lit at(const QPointF&) const override { return {}; }
    Lit litBy(const Selection::Pair&) const override { return {}; }

private:
    /// Okabe and Ito's colours, which stay apart for colour-blind readers; no curve means more than another.
    QColor color(std::size_t curve) const {
        static constexpr QRgb colors[] = {0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0x56b4e9, 0xd55e00};
        return QColor(colors[curve % std::size(colors)]);
    }

    const CurvePanel& m_panel;
    QCPAxisRect* m_rect;
    QFont m_font;
    QRectF m_area;
};

class TileArt final : public TitledArt {
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
    Lit litBy(const Selection::Pair&) const override { return {}; }

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

QString numberText(float value, int digits) {
    return std::isnan(value) ? QCoreApplication::translate("headlight::PanelArt", "not a number")
                             : QString::number(static_cast<double>(value), 'f', digits);
}

int tokenAt(const std::vector<int>& places, int place) {
    return places.empty() ? place : static_cast<int>(std::find(places.begin(), places.end(), place) - places.begin());
}

bool PanelArt::hasAxes(const Panel& panel) {
    return std::holds_alternative<MapPanel>(panel.content) || std::holds_alternative<CurvePanel>(panel.content);
}

std::unique_ptr<PanelArt> PanelArt::make(const Panel& panel, const Appearance& appearance, QCPAxisRect* rect) {
    if (const auto* map = std::get_if<MapPanel>(&panel.content))
        return std::make_unique<MapArt>(*map, appearance, rect);
    if (const auto* curves = std::get_if<CurvePanel>(&panel.content))
        return std::make_unique<CurveArt>(*curves, appearance, rect);
    if (const auto* bars = std::get_if<BarPanel>(&panel.content))
        return std::make_unique<BarArt>(*bars, appearance);
    return std::make_unique<TileArt>(std::get<TilePanel>(panel.content), appearance);
}

} // namespace headlight
