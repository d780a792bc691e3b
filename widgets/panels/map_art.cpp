// A table of numbers with the names of its rows and columns, drawn with QCustomPlot, whose header is written with Qt's
// keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/map_parts.h"
#include "widgets/plain_text.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace headlight {

namespace {

constexpr double largestCell = 150;

class MapArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::MapArt)
public:
    MapArt(const MapPanel& panel, const Appearance& appearance, QCPAxisRect* rect)
        : TitledArt(appearance), m_panel(panel), m_cells(panel, appearance, rect), m_strips(panel, appearance, m_cells),
          m_legend(panel, appearance, m_cells) {}

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
        m_legend.arrange(area);
        inner.setBottom(inner.bottom() - m_legend.heightBelow() - m_strips.heightBelow() - m_strips.heightOfWords());
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
        width -= std::max(m_strips.widthBeside(), overhang);
        const double height = inner.height() - top;
        double cellWidth = std::max(1.0, width) / columns, cellHeight = std::max(1.0, height) / rows;
        if (m_panel.square) {
            cellWidth = std::min({cellWidth, largestCell, cellHeight * 1.7});
            cellHeight = std::min({cellHeight, largestCell, cellWidth * 1.15});
            if (cellWidth > 4)
                cellWidth = std::floor(cellWidth);
            if (cellHeight > 4)
                cellHeight = std::floor(cellHeight);
        }
        m_cells.setPlace(
            {std::round(inner.left() + left), std::round(inner.top() + top), cellWidth * columns, cellHeight * rows});
        const auto& cells = m_cells.place();
        const double words = cells.bottom() + m_strips.heightBelow() + std::max(8.0, m_legend.heightBelow());
        m_strips.setPlaceOfWords({cells.left(), words, area.right() - cells.left(), captionHeight});
    }

    void drawStill(QCPPainter& painter) override {
        auto below =
            drawnTitle(painter, m_area.adjusted(0, 0, -m_legend.widthBeside(), 0), m_panel.title, m_panel.subtitle);
        below.setRight(m_area.right());
        if (!m_panel.rowAxis.isEmpty()) {
            const auto font = sized(m_appearance, 0.93);
            drawText(
                painter, QRectF(below.left(), below.top(), below.width(), captionHeight),
                Qt::AlignLeft | Qt::AlignVCenter,
                elided(font, QStringLiteral("↓ %1   → %2").arg(m_panel.rowAxis, m_panel.columnAxis), below.width()),
                font, m_appearance.muted);
        }
        const double bottom = m_cells.place().bottom() + m_strips.heightBelow();
        m_cells.draw(painter);
        m_strips.draw(painter);
        m_cells.drawCurveTicks(painter, bottom + 3);
        m_legend.draw(painter, bottom);
    }

    void drawLive(QCPPainter& painter, const Lit& lit) override {
        drawLabels(painter, lit);
        if (lit != Lit{})
            m_strips.drawLit(painter, lit);
        painter.save();
        painter.setClipRect(m_cells.place().adjusted(-2, -2, 2, 2));
        painter.setBrush(Qt::NoBrush);
        painter.setRenderHint(QPainter::Antialiasing, false);
        if (lit.column >= 0) {
            painter.setPen(QPen(m_appearance.accent, 1));
            painter.drawRect(m_cells.at(0, lit.column, m_panel.map.rows, 1));
        }
        if (lit.row >= 0) {
            painter.setPen(QPen(m_appearance.accent, 2));
            painter.drawRect(m_cells.at(lit.row, 0, 1, m_panel.map.columns));
        }
        painter.restore();
    }

    Lit at(const QPointF& position) const override {
        if (m_panel.map.rows < 1 || m_panel.map.columns < 1)
            return {};
        const int row = static_cast<int>(std::floor(m_cells.y().pixelToCoord(position.y())));
        const int column = static_cast<int>(std::floor(m_cells.x().pixelToCoord(position.x())));
        Lit lit;
        if (m_cells.place().contains(position))
            lit = {row, column};
        else if (m_panel.rowStrip && m_strips.ofRows().contains(position))
            lit = {row, -1};
        else if (m_panel.columnStrip && m_strips.ofColumns().contains(position))
            lit = {-1, column};
        return has(lit) ? lit : Lit{};
    }

    Lit litBy(const Selection::Pair& pair) const override {
        if (!m_panel.pointsAtTokens || !m_panel.linked || pair.kind != m_panel.kind)
            return {};
        return {placeOf(m_panel.queryRows, m_panel.map.rows, pair.query ? pair.query->value : -1),
                placeOf(m_panel.keyColumns, m_panel.map.columns, pair.key ? pair.key->value : -1)};
    }
    Selection::Pair pairAt(const Lit& lit) const override {
        return m_panel.pointsAtTokens && m_panel.linked && has(lit)
                   ? pairOf(m_panel.kind, m_panel.queryRows, m_panel.keyColumns, lit)
                   : Selection::Pair{};
    }
    QStringList wordsAt(const Lit& lit) const override {
        if (!has(lit))
            return {};
        const auto row = m_panel.rows.value(lit.row, QString::number(lit.row));
        const auto column = m_panel.columns.value(lit.column, QString::number(lit.column));
        const auto ofStrip = [&](const MapPanel::Strip& strip, const QString& name, int place) {
            return QStringList{name, strip.meaning, numberText(strip.values[static_cast<std::size_t>(place)], 4),
                               tr("Click: keep it lit.")};
        };
        if (lit.column < 0)
            return ofStrip(*m_panel.rowStrip, row, lit.row);
        if (lit.row < 0)
            return ofStrip(*m_panel.columnStrip, column, lit.column);
        if (m_panel.words)
            return m_panel.words(lit.row, lit.column);
        return {tr("%1 → %2").arg(inLine(row), inLine(column)), valueText(m_panel.map.at(lit.row, lit.column), 4)};
    }
    bool has(const Lit& lit) const override {
        return lit != Lit{} && lit.row < m_panel.map.rows && lit.column < m_panel.map.columns
               && (lit.row >= 0 || m_panel.columnStrip) && (lit.column >= 0 || m_panel.rowStrip);
    }
    Lit moved(const Lit& from, int down, int right) const override {
        if (m_panel.map.rows < 1 || m_panel.map.columns < 1)
            return {};
        if (!has(from))
            return {0, 0};
        // The strips are beyond the last row and the last column.
        const int rows = m_panel.map.rows, columns = m_panel.map.columns;
        const int row = std::max(0, (from.row < 0 ? rows : from.row) + down);
        const int column = std::max(0, (from.column < 0 ? columns : from.column) + right);
        if (row >= rows && m_panel.columnStrip && from.column >= 0)
            return {-1, std::min(column, columns - 1)};
        if (column >= columns && m_panel.rowStrip && from.row >= 0)
            return {std::min(row, rows - 1), -1};
        return {std::min(row, rows - 1), std::min(column, columns - 1)};
    }
    bool reveal(const Lit& lit) override {
        const auto moved = [](QCPAxis& axis, int place) {
            const auto range = axis.range();
            const double by = place < 0                 ? 0
                              : place < range.lower     ? place - range.lower
                              : place + 1 > range.upper ? place + 1 - range.upper
                                                        : 0;
            if (by != 0)
                axis.setRange(range.lower + by, range.upper + by);
            return by != 0;
        };
        const bool down = moved(m_cells.y(), lit.row), across = moved(m_cells.x(), lit.column);
        return down || across;
    }

    QStringList describe() const override {
        QStringList lines{name()};
        const auto& all = m_panel.map.values;
        for (int i = 0; i < m_panel.levels.size(); ++i)
            lines << tr("%1: %n cell(s)", nullptr,
                        static_cast<int>(std::count(all.begin(), all.end(), static_cast<float>(i))))
                         .arg(m_panel.levels[i]);
        if (!m_panel.levels.isEmpty())
            return lines;
        for (const auto& outline : m_panel.outlines)
            lines << tr("%1: %2 → %3")
                         .arg(meaningOf(outline), namesOf(m_panel.rows, outline.row, outline.rows),
                              namesOf(m_panel.columns, outline.column, outline.columns));
        for (int row = 0; row < m_panel.map.rows && row < m_panel.rows.size(); ++row) {
            if (m_panel.texts) {
                QStringList texts;
                for (int column = 0; column < m_panel.map.columns; ++column)
                    texts << m_panel.texts(row, column);
                lines << tr("%1: %2").arg(m_panel.rows[row], texts.join(QStringLiteral(" | ")));
                continue;
            }
            const auto values = m_panel.map.row(row);
            const auto largest = std::max_element(values.begin(), values.end(), [this](float a, float b) {
                return std::isnan(a) || (m_panel.masked ? a < b : std::abs(a) < std::abs(b));
            });
            if (largest != values.end())
                lines << tr("%1 → %2: %3")
                             .arg(m_panel.rows[row], m_panel.columns.value(static_cast<int>(largest - values.begin())),
                                  valueText(*largest, 2));
        }
        const auto say = [&](const MapPanel::Strip& strip, const QStringList& names) {
            QStringList values;
            for (int place = 0; place < names.size() && place < static_cast<int>(strip.values.size()); ++place)
                values << tr("%1 %2").arg(names[place], numberText(strip.values[static_cast<std::size_t>(place)]));
            lines << tr("%1: %2").arg(strip.meaning, values.join(QStringLiteral(", ")));
        };
        if (m_panel.rowStrip)
            say(*m_panel.rowStrip, m_panel.rows);
        if (m_panel.columnStrip)
            say(*m_panel.columnStrip, m_panel.columns);
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        if (m_panel.texts)
            for (int row = 0; row < m_panel.map.rows; ++row)
                for (int column = 0; column < m_panel.map.columns; ++column)
                    numbers.rows << numbersRow(m_panel.texts(row, column), row, m_panel.rows.value(row), column,
                                               m_panel.columns.value(column), m_panel.map.at(row, column));
        else
            addMap(numbers, name(), m_panel.map, m_panel.rows, m_panel.columns);
        for (const auto& outline : m_panel.outlines)
            for (int row = outline.row; row < outline.row + outline.rows; ++row)
                for (int column = outline.column; column < outline.column + outline.columns; ++column)
                    numbers.rows << numbersRow(meaningOf(outline), row, m_panel.rows.value(row), column,
                                               m_panel.columns.value(column), 1);
        const auto write = [](float value) { return QString::number(static_cast<double>(value), 'g', 9); };
        if (const auto& strip = m_panel.rowStrip)
            for (std::size_t row = 0; row < strip->values.size(); ++row)
                numbers.rows << QStringList{
                    strip->meaning,           QString::number(row), m_panel.rows.value(static_cast<int>(row)), {}, {},
                    write(strip->values[row])};
        if (const auto& strip = m_panel.columnStrip)
            for (std::size_t column = 0; column < strip->values.size(); ++column)
                numbers.rows << QStringList{strip->meaning,
                                            {},
                                            {},
                                            QString::number(column),
                                            m_panel.columns.value(static_cast<int>(column)),
                                            write(strip->values[column])};
    }

private:
    QString name() const { return QStringList{m_panel.title, m_panel.subtitle}.join(QLatin1Char(' ')).trimmed(); }
    const QString& meaningOf(const MapPanel::Outline& outline) const {
        return outline.dashed ? m_panel.dashedOutline : m_panel.solidOutline;
    }
    static QString namesOf(const QStringList& names, int first, int count) {
        return names.mid(first, count).join(QLatin1Char(' '));
    }
    QString valueText(float value, int digits) const {
        if (!m_panel.levels.isEmpty())
            return m_panel.levels.value(static_cast<int>(std::lround(value)));
        return m_panel.masked && std::isinf(value) ? tr("masked") : numberText(value, digits);
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

    void drawLabels(QCPPainter& painter, const Lit& lit) {
        painter.setRenderHint(QPainter::Antialiasing, true);
        const double line = QFontMetricsF(m_font).height();
        const auto [firstRow, lastRow] = MapCells::visible(m_cells.y(), static_cast<int>(m_panel.rows.size()));
        const double cellHeight = m_cells.place().height() / std::max(1e-9, m_cells.y().range().size());
        const int rowStep = step(line * 0.8 / cellHeight);
        for (int row = firstRow; row < lastRow; ++row) {
            const bool isLit = row == lit.row;
            // Where not every row has room for its name, the lit one is written and its neighbours keep clear of it.
            if (!isLit
                && ((row - m_panel.origin) % rowStep != 0
                    || (rowStep > 1 && lit.row >= 0 && std::abs(row - lit.row) < rowStep)))
                continue;
            const auto place = m_cells.at(row, 0);
            const auto middle = place.center().y();
            if (middle < m_cells.place().top() || middle > m_cells.place().bottom() + 1)
                continue;
            const auto& font = isLit ? m_bold : m_font;
            drawText(painter,
                     QRectF(m_cells.place().left() - spacing - m_rowLabel, middle - line / 2, m_rowLabel, line),
                     Qt::AlignRight | Qt::AlignVCenter, elided(font, m_panel.rows[row], m_rowLabel + 1), font,
                     m_appearance.text);
        }
        const auto [firstColumn, lastColumn] = MapCells::visible(m_cells.x(), static_cast<int>(m_panel.columns.size()));
        const double cellWidth = m_cells.place().width() / std::max(1e-9, m_cells.x().range().size());
        // Slanted ones are nearer to each other than their cells, by the root of a half.
        const double room = m_slanted ? line * 1.15 : m_panel.pointsAtTokens ? line * 0.8 : m_columnLabel + 10;
        const int columnStep = step(room / cellWidth);
        for (int column = firstColumn; column < lastColumn; ++column) {
            const bool isLit = column == lit.column;
            if (!isLit
                && (column % columnStep != 0
                    || (columnStep > 1 && lit.column >= 0 && std::abs(column - lit.column) < columnStep)))
                continue;
            const auto middle = m_cells.at(0, column).center().x();
            if (middle < m_cells.place().left() || middle > m_cells.place().right() + 1)
                continue;
            const auto& font = isLit ? m_bold : m_font;
            const auto label = elided(font, m_panel.columns[column], m_columnLabel + 1);
            if (!m_slanted) {
                drawText(painter,
                         QRectF(middle - m_columnLabel, m_cells.place().top() - line - 4, 2 * m_columnLabel, line),
                         Qt::AlignCenter, label, font, m_appearance.text);
                continue;
            }
            painter.save();
            painter.translate(middle + 2, m_cells.place().top() - 4);
            painter.rotate(-45);
            drawText(painter, QRectF(0, -line / 2 - 2, m_columnLabel, line), Qt::AlignLeft | Qt::AlignVCenter, label,
                     font, m_appearance.text);
            painter.restore();
        }
    }

    const MapPanel& m_panel;
    MapCells m_cells;
    MapStrips m_strips;
    MapLegend m_legend;
    QFont m_font;
    QFont m_bold;
    QRectF m_area;
    double m_rowLabel = 0;
    double m_columnLabel = 0;
    bool m_slanted = false;
};

} // namespace

std::unique_ptr<PanelArt> makeMapArt(const MapPanel& panel, const Appearance& appearance, QCPAxisRect* rect) {
    return std::make_unique<MapArt>(panel, appearance, rect);
}

} // namespace headlight
