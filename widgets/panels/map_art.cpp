// Cells of a table, their names and their legend, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace headlight {

namespace {

constexpr double legendHeight = 34;
constexpr double leastWithLegendBelow = 250;
constexpr double besideTitle = 130;
constexpr double largestCell = 150;
constexpr double stripSize = 34; ///< of the longest bar beside the cells
constexpr double stripGap = 5;

class MapArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::MapArt)
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
        m_legendBelow = m_panel.legend && area.height() > leastWithLegendBelow;
        const auto titleFont = sized(m_appearance, 1, QFont::DemiBold);
        m_beside = m_panel.levels.isEmpty() ? besideTitle : widthOfLevels();
        m_legendBeside =
            m_panel.legend && !m_legendBelow
            && (m_panel.differs
                || textWidth(titleFont, m_panel.title + m_panel.subtitle) + 3 * spacing + m_beside < area.width());
        if (m_legendBelow)
            inner.setBottom(inner.bottom() - legendHeight);
        m_below = m_panel.columnStrip ? stripSize + stripGap : 0;
        inner.setBottom(inner.bottom() - m_below - (m_panel.rowStrip || m_panel.columnStrip ? captionHeight : 0));
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
        width -= std::max(m_panel.rowStrip ? stripSize + stripGap : 0.0, overhang);
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
        const double beside = m_legendBeside ? m_beside : 0;
        auto below = drawnTitle(painter, m_area.adjusted(0, 0, -beside, 0), m_panel.title, m_panel.subtitle);
        below.setRight(m_area.right());
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
        drawOutlines(painter);
        drawMarks(painter);
        painter.restore();
        drawStrips(painter, m_panel.rowStrip, m_panel.columnStrip, {}, false);
        drawStripWords(painter, m_panel.rowStrip, m_panel.columnStrip);
        drawCurveTicks(painter);
        if (m_legendBelow || m_legendBeside)
            drawLegend(painter);
    }

    void drawLive(QCPPainter& painter, const Lit& lit) override {
        drawLabels(painter, lit);
        if (lit != Lit{})
            drawLitStrips(painter, lit);
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
        if (m_panel.map.rows < 1 || m_panel.map.columns < 1)
            return {};
        const int row = static_cast<int>(std::floor(y().pixelToCoord(position.y())));
        const int column = static_cast<int>(std::floor(x().pixelToCoord(position.x())));
        Lit lit;
        if (m_plot.contains(position))
            lit = {row, column};
        else if (m_panel.rowStrip && stripOfRows().contains(position))
            lit = {row, -1};
        else if (m_panel.columnStrip && stripOfColumns().contains(position))
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
        if (!m_panel.pointsAtTokens || !m_panel.linked || !has(lit))
            return {};
        Selection::Pair pair{m_panel.kind, {}, {}};
        if (lit.row >= 0)
            pair.query = Query(tokenAt(m_panel.queryRows, lit.row));
        if (lit.column >= 0)
            pair.key = Key(tokenAt(m_panel.keyColumns, lit.column));
        return pair;
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
        return {tr("%1 → %2").arg(row, column), valueText(m_panel.map.at(lit.row, lit.column), 4)};
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
        const bool down = moved(y(), lit.row), across = moved(x(), lit.column);
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
    QCPAxis& x() const { return *m_rect->axis(QCPAxis::atBottom); }
    QCPAxis& y() const { return *m_rect->axis(QCPAxis::atLeft); }

    QRectF cells(int row, int column, int rows, int columns) const {
        const double left = std::round(x().coordToPixel(column)), top = std::round(y().coordToPixel(row));
        return {left, top, std::round(x().coordToPixel(column + columns)) - left,
                std::round(y().coordToPixel(row + rows)) - top};
    }
    QString valueText(float value, int digits) const {
        if (!m_panel.levels.isEmpty())
            return m_panel.levels.value(static_cast<int>(std::lround(value)));
        return m_panel.masked && std::isinf(value) ? tr("masked") : numberText(value, digits);
    }
    QRgb color(float value) const {
        if (m_panel.masked && std::isinf(value))
            return m_appearance.missing.rgb();
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
            const int rows = lastRow - firstRow, columns = lastColumn - firstColumn;
            // What is masked is weaker than any score that shares its pixel.
            constexpr float weakest = std::numeric_limits<float>::denorm_min();
            std::vector<float> seen;
            seen.reserve(static_cast<std::size_t>(count));
            for (int row = firstRow; row < lastRow; ++row)
                for (const float value : m_panel.map.row(row).subspan(static_cast<std::size_t>(firstColumn),
                                                                      static_cast<std::size_t>(columns)))
                    seen.push_back(m_panel.masked && std::isinf(value) ? weakest : value);
            if (count > 0)
                drawPooled(painter, cells(firstRow, firstColumn, rows, columns), seen, rows, columns,
                           [this](float value) {
                               return m_panel.masked && value == weakest ? m_appearance.missing.rgb() : color(value);
                           });
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
                    text(painter, place, Qt::AlignCenter,
                         std::isfinite(value) ? numberText(value) : QStringLiteral("–"), font,
                         dark ? QColor(Qt::white) : QColor(0x16181d));
                }
            }
        }
    }

    /// A line that is seen on any colour: of the text's on a wider one of the paper's.
    void drawFrame(QCPPainter& painter, const QRectF& place, bool dashed, double width) {
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
    void drawOutlines(QCPPainter& painter) {
        painter.setRenderHint(QPainter::Antialiasing, true);
        const auto one = cells(0, 0, 1, 1);
        const double width = std::clamp(std::min(one.width(), one.height()) / 14, 1.0, 2.0);
        for (const auto& outline : m_panel.outlines)
            drawFrame(painter,
                      cells(outline.row, outline.column, outline.rows, outline.columns)
                          .adjusted(width + 1, width + 1, -width, -width),
                      outline.dashed, width);
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
            if (!isLit
                && ((row - m_panel.origin) % rowStep != 0
                    || (rowStep > 1 && lit.row >= 0 && std::abs(row - lit.row) < rowStep)))
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
        // Slanted ones are nearer to each other than their cells, by the root of a half.
        const double room = m_slanted ? line * 1.15 : m_panel.pointsAtTokens ? line * 0.8 : m_columnLabel + 10;
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

    QRectF stripOfRows() const { return {m_plot.right() + 1, m_plot.top(), stripGap + stripSize, m_plot.height()}; }
    QRectF stripOfColumns() const { return {m_plot.left(), m_plot.bottom() + 1, m_plot.width(), stripGap + stripSize}; }
    /// A row alone filters what is below to what it gives each column, a column alone what is beside likewise.
    void drawLitStrips(QCPPainter& painter, const Lit& lit) {
        auto rows = m_panel.rowStrip, columns = m_panel.columnStrip;
        QRectF filtered;
        if (columns && lit.row >= 0 && lit.column < 0) {
            const auto weights = m_panel.map.row(lit.row);
            columns = MapPanel::Strip{
                (m_panel.differs ? tr("what “%1” gives each column more or less") : tr("what “%1” gives each column"))
                    .arg(m_panel.rows.value(lit.row)),
                {weights.begin(), weights.end()},
                m_panel.high};
            filtered = stripOfColumns();
        } else if (rows && lit.column >= 0 && lit.row < 0) {
            rows = MapPanel::Strip{
                (m_panel.differs ? tr("what each row gives “%1” more or less") : tr("what each row gives “%1”"))
                    .arg(m_panel.columns.value(lit.column)),
                {},
                m_panel.high};
            for (int row = 0; row < m_panel.map.rows; ++row)
                rows->values.push_back(m_panel.map.at(row, lit.column));
            filtered = stripOfRows();
        }
        if (filtered.isEmpty())
            return drawStrips(painter, rows, columns, lit, true);
        for (const auto& area : {filtered, placeOfStripWords()})
            painter.fillRect(area.adjusted(0, 0, 2, 2), m_appearance.window);
        drawStrips(painter, rows, columns, lit, false);
        drawStripWords(painter, rows, columns);
    }
    using AnyStrip = std::optional<MapPanel::Strip>;
    /// @param onlyLit draws no other bars than those of the lit row and column
    void drawStrips(QCPPainter& painter, const AnyStrip& rows, const AnyStrip& columns, const Lit& lit, bool onlyLit) {
        painter.save();
        painter.setRenderHint(QPainter::Antialiasing, false);
        const auto draw = [&](const MapPanel::Strip& strip, const QRectF& area, bool ofRows, int litPlace) {
            painter.setClipRect(area.adjusted(0, 0, 1, 1));
            const auto [first, last] = visible(ofRows ? y() : x(), static_cast<int>(strip.values.size()));
            for (int place = first; place < last; ++place) {
                const float share = strip.values[static_cast<std::size_t>(place)] / strip.high;
                if (!std::isfinite(share) || (onlyLit && place != litPlace))
                    continue;
                const double length = std::max(1.0, std::round(std::min(1.0, std::abs(double(share))) * stripSize));
                auto bar = ofRows ? cells(place, 0, 1, 1) : cells(0, place, 1, 1);
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
            draw(*rows, stripOfRows(), true, lit.row);
        if (columns)
            draw(*columns, stripOfColumns(), false, lit.column);
        painter.restore();
    }
    QRectF placeOfStripWords() const {
        return {m_plot.left(), m_plot.bottom() + m_below + (m_legendBelow ? legendHeight : 8),
                m_area.right() - m_plot.left(), captionHeight};
    }
    /// Below everything, what the bars mean and how long they can be.
    void drawStripWords(QCPPainter& painter, const AnyStrip& rows, const AnyStrip& columns) {
        QStringList said;
        const auto range = [](const MapPanel::Strip& strip) { return QString::number(double(strip.high), 'g', 3); };
        if (rows)
            said << tr("right: %1, up to %2").arg(rows->meaning, range(*rows));
        if (columns)
            said << tr("below: %1, up to %2").arg(columns->meaning, range(*columns));
        if (said.isEmpty())
            return;
        const auto font = sized(m_appearance, 0.85);
        const auto place = placeOfStripWords();
        text(painter, place, Qt::AlignLeft | Qt::AlignVCenter,
             elided(font, said.join(QStringLiteral("; ")), place.width()), font, m_appearance.muted);
    }

    /// A tick below each column that a curve is drawn of, in the curve's colour.
    void drawCurveTicks(QCPPainter& painter) const {
        painter.setRenderHint(QPainter::Antialiasing, false);
        for (std::size_t i = 0; i < m_panel.curves.size(); ++i) {
            const auto place = cells(0, m_panel.curves[i], 1, 1);
            const double width = std::max(3.0, std::min(place.width() - 1, 12.0));
            painter.fillRect(QRectF(place.center().x() - width / 2, m_plot.bottom() + m_below + 3, width, 5),
                             m_appearance.category(static_cast<int>(i)));
        }
    }

    /// Where the legend begins, and the middle of its line.
    QPointF legendBegin() const {
        return m_legendBeside ? QPointF(m_area.right() - m_beside + spacing, m_area.top() + (titleHeight - spacing) / 2)
                              : QPointF(m_plot.left(), m_plot.bottom() + m_below + 18);
    }
    /// The levels that the map has, by their numbers.
    std::vector<int> levelsThere() const {
        std::vector<int> there;
        for (int i = 0; i < m_panel.levels.size(); ++i)
            if (std::find(m_panel.map.values.begin(), m_panel.map.values.end(), static_cast<float>(i))
                != m_panel.map.values.end())
                there.push_back(i);
        return there;
    }
    double widthOfLevels() const {
        double width = spacing;
        for (const int level : levelsThere())
            width += 18 + textWidth(sized(m_appearance, 0.85), m_panel.levels[level]) + 2 * spacing;
        return width;
    }
    /// What each colour is called, of those that there are.
    void drawLevels(QCPPainter& painter) {
        const auto font = sized(m_appearance, 0.85);
        const double top = legendBegin().y() - 8;
        double left = legendBegin().x();
        for (const int i : levelsThere()) {
            const auto value = static_cast<float>(i);
            painter.setRenderHint(QPainter::Antialiasing, false);
            painter.setPen(m_appearance.line);
            painter.setBrush(QColor(color(value)));
            painter.drawRect(QRectF(left, top + 2, 12, 12));
            const double width = textWidth(font, m_panel.levels[i]);
            text(painter, QRectF(left + 18, top, width, 16), Qt::AlignLeft | Qt::AlignVCenter, m_panel.levels[i], font,
                 m_appearance.muted);
            left += 18 + width + 2 * spacing;
        }
    }

    void drawLegend(QCPPainter& painter) {
        if (!m_panel.levels.isEmpty())
            return drawLevels(painter);
        const double left = legendBegin().x(), top = legendBegin().y() - 4;
        const auto low = m_panel.differs ? -m_panel.high : m_panel.low;
        const auto font = sized(m_appearance, 0.85);
        const auto lowText = QString::number(static_cast<double>(low), 'g', 3);
        const bool more = std::any_of(m_panel.map.values.begin(), m_panel.map.values.end(),
                                      [this](float value) { return std::abs(value) > m_panel.high * 1.001F; });
        const auto highText =
            (more ? QStringLiteral("≥ ") : QString()) + QString::number(static_cast<double>(m_panel.high), 'g', 3);
        const double bar = left + textWidth(font, lowText) + spacing;
        const double width = m_legendBeside ? std::max(20.0, m_area.right() - bar - spacing - textWidth(font, highText))
                                            : std::min(160.0, m_area.width() / 2);
        drawColorBar(painter, QRectF(std::round(bar), top, width, 8), m_appearance.line,
                     [&](float share) { return QColor(color(low + (m_panel.high - low) * share)); });
        const auto around = Qt::AlignLeft | Qt::AlignVCenter;
        text(painter, QRectF(left, top - 4, 40, 16), around, lowText, font, m_appearance.muted);
        text(painter, QRectF(bar + width + spacing, top - 4, 40, 16), around, highText, font, m_appearance.muted);
        double key = bar + width + spacing + textWidth(font, highText) + 3 * spacing;
        for (const auto& [meaning, dashed] : {std::pair(m_panel.solidOutline, false), {m_panel.dashedOutline, true}}) {
            if (m_panel.outlines.empty() || meaning.isEmpty() || !m_legendBelow)
                continue;
            painter.setRenderHint(QPainter::Antialiasing, true);
            drawFrame(painter, QRectF(key, top - 2, 14, 12), dashed, 1.5);
            const double room = m_area.right() - key - 14 - spacing;
            const auto shown = elided(font, meaning, room);
            text(painter, QRectF(key + 14 + spacing, top - 4, room, 16), around, shown, font, m_appearance.muted);
            key += 14 + spacing + textWidth(font, shown) + 2 * spacing;
        }
    }

    const MapPanel& m_panel;
    QCPAxisRect* m_rect;
    QFont m_font;
    QFont m_bold;
    QRectF m_area;
    QRectF m_plot;
    double m_below = 0; ///< height of the strip under the cells
    double m_rowLabel = 0;
    double m_columnLabel = 0;
    double m_cellWidth = 1;
    double m_cellHeight = 1;
    bool m_slanted = false;
    bool m_legendBelow = false;
    bool m_legendBeside = false;   ///< the title, where that leaves room to both
    double m_beside = besideTitle; ///< width of the legend there
};

} // namespace

std::unique_ptr<PanelArt> makeMapArt(const MapPanel& panel, const Appearance& appearance, QCPAxisRect* rect) {
    return std::make_unique<MapArt>(panel, appearance, rect);
}

} // namespace headlight
