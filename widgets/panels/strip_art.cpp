// Strips of vectors and the numbers that come of them, drawn with QCustomPlot, whose header is written with Qt's
// keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace headlight {

namespace {

constexpr double apart = 7;     ///< between the rows above, the rows and those below
constexpr double footLine = 20; ///< legend and what is pointed at

class StripArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::StripArt)
public:
    StripArt(const StripPanel& panel, const Appearance& appearance, QCPAxisRect* rect)
        : TitledArt(appearance), m_panel(panel), m_rect(rect),
          m_between(std::max(0, static_cast<int>(panel.rows.size()) - panel.above - panel.below)) {
        m_rect->axis(QCPAxis::atBottom)->setRange(0, 1);
        y().setRange(0, std::max(1, m_between));
        y().setRangeReversed(true);
        for (auto* axis : m_rect->axes())
            axis->setVisible(false);
        const auto zoomed = m_panel.query || m_panel.rowsLook ? Qt::Orientations(Qt::Vertical) : Qt::Orientations();
        m_rect->setRangeDrag(zoomed);
        m_rect->setRangeZoom(zoomed);
        int first = 0;
        for (const auto& column : m_panel.columns) {
            m_first.push_back(first);
            first += column.size;
        }
        m_first.push_back(first);
    }

    void arrange(const QRectF& area) override {
        m_area = area;
        const double factor = 0.93 * std::clamp(std::min(area.width(), area.height() * 1.3) / 800, 1.0, 1.35);
        m_font = sized(m_appearance, factor);
        m_bold = sized(m_appearance, factor, QFont::Bold);
        m_small = sized(m_appearance, factor * 0.92);
        m_plain = sized(m_appearance, 0.93);
        m_line = QFontMetricsF(m_bold).height();
        m_gap = area.width() > 1000 ? 14 : 10;
        m_digits = area.width() > 1000 ? 3 : 2;

        double label = 0;
        for (const auto& name : m_panel.rows)
            label = std::max(label, textWidth(m_bold, name));
        m_label = std::min(label, std::clamp(area.width() * 0.17, 60.0, 170.0));
        double left = area.left() + m_label + spacing;
        double numbers = 0;
        int strips = 0;
        std::vector<double> widths;
        for (const auto& column : m_panel.columns) {
            widths.push_back(column.size == 1 ? numberWidth(column) : 0);
            numbers += widths.back();
            strips += column.size == 1 ? 0 : 1;
        }
        const double room = area.right() - left - numbers - m_gap * static_cast<double>(m_panel.columns.size() - 1);
        m_places.clear();
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const auto& column = m_panel.columns[i];
            if (column.size > 1)
                widths[i] = std::clamp(room / strips, 20.0, 46.0 * column.size);
            m_places.emplace_back(std::round(left), std::round(widths[i]));
            left += widths[i] + m_gap;
        }
        m_right = m_places.empty() ? left : m_places.back().first + m_places.back().second;

        m_heads = area.top() + titleHeight + (m_panel.formula.isEmpty() ? 0 : captionHeight + 8);
        const double top = m_heads + 2 * m_line + 4;
        const double foot = footLine * (m_panel.note.isEmpty() ? 2 : 3) + spacing;
        const double most = std::round(m_line * (m_panel.query || m_panel.rowsLook ? 1.75 : 3));
        const int outside = m_panel.above + m_panel.below;
        const double height = area.bottom() - foot - top - apart * ((m_panel.above > 0) + (m_panel.below > 0));
        // Rows that stand apart stay readable however many are between them.
        m_outside = std::min(most, std::max(m_line + 2, height / std::max(1, m_between + outside)));
        const double between = std::max(10.0, height - outside * m_outside);
        m_above = std::round(top);
        m_body = QRectF(m_places.empty() ? left : m_places.front().first,
                        std::round(m_above + m_panel.above * m_outside + (m_panel.above > 0 ? apart : 0)), 0,
                        std::round(std::min(between, most * m_between)));
        m_body.setRight(m_right);
        m_below = m_body.bottom() + apart;
        m_foot = m_below + m_panel.below * m_outside + spacing;
        m_rect->setOuterRect(m_body.toRect());
    }

    void drawStill(QCPPainter& painter) override {
        painter.setRenderHint(QPainter::Antialiasing, true);
        const auto below = drawnTitle(painter, m_area, m_panel.title, m_panel.subtitle);
        const auto beside = Qt::AlignLeft | Qt::AlignVCenter;
        if (!m_panel.formula.isEmpty())
            drawText(painter, QRectF(below.left(), below.top() - 3, below.width(), captionHeight), beside,
                     elided(m_plain, m_panel.formula, below.width()), m_plain, m_appearance.muted);
        for (std::size_t i = 0; i < m_panel.columns.size(); ++i) {
            const auto& column = m_panel.columns[i];
            const auto [left, width] = m_places[i];
            const auto where = column.size == 1 ? Qt::AlignCenter : beside;
            drawText(painter, QRectF(left, m_heads, width, m_line), where,
                     elided(m_bold, column.name, width + m_gap - 3), m_bold, m_appearance.text);
            drawText(painter, QRectF(left, m_heads + m_line, width, m_line), where,
                     elided(m_small, column.meaning, width + m_gap - 3), m_small, m_appearance.muted);
        }
        for (int row = 0; row < m_panel.rows.size(); ++row)
            if (isOutside(row))
                drawRow(painter, row);
        painter.save();
        painter.setClipRect(m_body.adjusted(0, 0, 1, 1));
        const auto [first, last] = visible();
        for (int row = first; row < last; ++row)
            drawRow(painter, row + m_panel.above);
        painter.restore();
        drawFoot(painter);
    }

    void drawLive(QCPPainter& painter, const Lit& lit) override {
        drawLabels(painter, lit);
        const auto words = has(lit) && m_panel.words ? wordsAt(lit) : QStringList();
        const double top = m_foot + footLine * (m_panel.note.isEmpty() ? 1 : 2);
        const auto joined = [&](qsizetype first) { return words.mid(first).join(QStringLiteral("  ·  ")); };
        // The names of query and key, which come first, are lit in the table as well: numbers have the room.
        const bool all = words.size() < 2 || textWidth(m_plain, joined(0)) <= m_area.width();
        const auto said = joined(all ? 0 : 1);
        drawText(painter, QRectF(m_area.left(), top, m_area.width(), footLine), Qt::AlignLeft | Qt::AlignVCenter,
                 elided(m_plain, said, m_area.width()), m_plain, m_appearance.text);
        if (!has(lit))
            return;
        painter.save();
        if (!isOutside(lit.row))
            painter.setClipRect(m_body.adjusted(-3, -2, 3, 2));
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setBrush(Qt::NoBrush);
        const auto [top2, height] = lineOf(lit.row);
        painter.setPen(QPen(m_appearance.accent, 2));
        painter.drawRect(QRectF(m_body.left() - 1, top2, m_right - m_body.left() + 2, height));
        painter.restore();
        if (lit.column < 0)
            return;
        const auto [column, place] = columnAt(lit.column);
        const auto size = m_panel.columns[asSize(column)].size;
        if (size == 1)
            return;
        painter.setPen(QPen(m_appearance.accent, 1));
        for (std::size_t i = 0; i < m_panel.columns.size(); ++i) {
            const auto& other = m_panel.columns[i];
            if (other.size != size || other.space != m_panel.columns[asSize(column)].space)
                continue;
            const auto [left, right] = span(static_cast<int>(i), place);
            const double middle = (left + right) / 2, half = std::max(2.0, (right - left) / 2);
            painter.drawRect(QRectF(middle - half, m_above - 1, 2 * half, m_foot - spacing - m_above + 1));
        }
    }

    Lit at(const QPointF& position) const override {
        Lit found;
        for (int row = 0; row < m_panel.rows.size(); ++row) {
            const auto [top, height] = lineOf(row);
            if (position.y() < top || position.y() >= top + height
                || (!isOutside(row) && (position.y() < m_body.top() || position.y() >= m_body.bottom())))
                continue;
            found.row = row;
            break;
        }
        if (found.row < 0 || position.x() < m_area.left() || position.x() > m_right)
            return {};
        for (std::size_t i = 0; i < m_places.size(); ++i) {
            const auto [left, width] = m_places[i];
            const auto share = (position.x() - left) / width;
            if (share >= 0 && share < 1)
                found.column = m_first[i] + static_cast<int>(share * m_panel.columns[i].size);
        }
        return found;
    }
    Lit litBy(const Selection::Pair& pair) const override {
        if (!m_panel.linked)
            return {};
        if (m_panel.rowsLook && pair.kind == m_panel.kind && pair.query && pair.query->value < m_between)
            return {pair.query->value + m_panel.above, -1};
        if (!m_panel.query || pair.kind != m_panel.kind || pair.query != m_panel.query || !pair.key
            || pair.key->value >= m_between)
            return {};
        return {pair.key->value + m_panel.above, -1};
    }
    Selection::Pair pairAt(const Lit& lit) const override {
        if (!m_panel.linked)
            return {};
        if (m_panel.rowsLook && has(lit) && !isOutside(lit.row))
            return {m_panel.kind, Query(lit.row - m_panel.above), {}};
        if (!m_panel.query || !has(lit))
            return {};
        if (isOutside(lit.row))
            return {m_panel.kind, m_panel.query, {}};
        return {m_panel.kind, m_panel.query, Key(lit.row - m_panel.above)};
    }
    QStringList wordsAt(const Lit& lit) const override {
        if (!has(lit) || !m_panel.words)
            return {};
        if (lit.column < 0)
            return m_panel.words(lit.row, -1, -1);
        const auto [column, place] = columnAt(lit.column);
        return m_panel.words(lit.row, column, place);
    }
    bool has(const Lit& lit) const override {
        return lit.row >= 0 && lit.row < m_panel.rows.size() && lit.column < m_first.back();
    }
    Lit moved(const Lit& from, int down, int right) const override {
        if (m_panel.rows.isEmpty())
            return {};
        if (!has(from))
            return {m_between > 0 ? m_panel.above : 0, -1};
        return {std::clamp(from.row + down, 0, static_cast<int>(m_panel.rows.size()) - 1),
                std::clamp(from.column + right, -1, m_first.back() - 1)};
    }

    int toNextPart(const Lit& lit, int right) const override {
        if (!has(lit) || m_panel.columns.empty())
            return right;
        const int column = lit.column < 0 ? -1 : columnAt(lit.column).first;
        const bool begun = lit.column >= 0 && lit.column > m_first[asSize(column)];
        if (right > 0 && column + 1 == static_cast<int>(m_panel.columns.size()))
            return 0;
        const int to = right > 0 ? column + 1 : begun ? column : column - 1;
        return (to < 0 ? -1 : m_first[asSize(to)]) - lit.column;
    }
    bool reveal(const Lit& lit) override {
        const int place = lit.row - m_panel.above;
        const auto range = y().range();
        if (!has(lit) || isOutside(lit.row) || (place >= range.lower && place + 1 <= range.upper))
            return false;
        const double by = place < range.lower ? place - range.lower : place + 1 - range.upper;
        y().setRange(range.lower + by, range.upper + by);
        return true;
    }

    QStringList describe() const override {
        QStringList lines{QStringList{m_panel.title, m_panel.subtitle}.join(QLatin1Char(' ')).trimmed()};
        for (const auto& line : {m_panel.formula, m_panel.note})
            if (!line.isEmpty())
                lines << line;
        for (int row = 0; row < m_panel.rows.size(); ++row) {
            QStringList parts;
            for (const auto& column : m_panel.columns) {
                const auto& values = column.rows[asSize(row)];
                if (column.size == 1 && !values.empty())
                    parts << QStringLiteral("%1 %2").arg(column.name, inWords(values.front(), 4));
                else if (!values.empty())
                    parts << tr("%1: %n number(s)", nullptr, column.size).arg(column.name);
            }
            lines << QStringLiteral("%1: %2").arg(m_panel.rows[row], parts.join(QStringLiteral(", ")));
        }
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (int row = 0; row < m_panel.rows.size(); ++row)
            for (const auto& column : m_panel.columns) {
                const auto& values = column.rows[asSize(row)];
                for (std::size_t place = 0; place < values.size(); ++place) {
                    const int shown = column.size == 1 ? -1 : static_cast<int>(place);
                    auto line = numbersRow(m_panel.title, row - m_panel.above, m_panel.rows[row], shown, column.name,
                                           values[place]);
                    if (isOutside(row))
                        line[1].clear(); // the others are counted as keys are
                    numbers.rows << line;
                }
            }
    }

private:
    static std::size_t asSize(int number) { return static_cast<std::size_t>(number); }
    QCPAxis& y() const { return *m_rect->axis(QCPAxis::atLeft); }
    bool isOutside(int row) const { return row < m_panel.above || row >= m_panel.above + m_between; }

    static QString inWords(float value, int digits) {
        if (std::isinf(value))
            return value < 0 ? QStringLiteral("−∞") : QStringLiteral("∞");
        return std::isnan(value) ? QStringLiteral("–") : numberText(value, digits);
    }
    double numberWidth(const StripPanel::Column& column) const {
        double width = std::max(textWidth(m_bold, column.name), textWidth(m_small, column.meaning));
        for (const auto& values : column.rows)
            for (const float value : values)
                if (std::isfinite(value))
                    width = std::max(width, textWidth(m_font, inWords(value, m_digits)) + 8);
        return std::min(width, 92.0);
    }
    /// Rows between that can be seen, [first, last), counted without those above.
    std::pair<int, int> visible() const {
        return {std::clamp(static_cast<int>(std::floor(y().range().lower)), 0, m_between),
                std::clamp(static_cast<int>(std::ceil(y().range().upper)), 0, m_between)};
    }
    /// Of the rows between; whole pixels make some of them one larger.
    double rowHeight() const { return m_body.height() / std::max(1e-9, y().range().size()); }
    /// Top and height of a row.
    std::pair<double, double> lineOf(int row) const {
        if (row < m_panel.above)
            return {m_above + row * m_outside, m_outside};
        if (isOutside(row))
            return {m_below + (row - m_panel.above - m_between) * m_outside, m_outside};
        const double first = row - m_panel.above, scale = rowHeight();
        const double top = std::round(m_body.top() + (first - y().range().lower) * scale);
        return {top, std::round(m_body.top() + (first + 1 - y().range().lower) * scale) - top};
    }
    std::pair<int, int> columnAt(int flat) const {
        const auto after = std::upper_bound(m_first.begin(), m_first.end(), flat);
        const auto column = static_cast<int>(after - m_first.begin()) - 1;
        return {column, flat - m_first[asSize(column)]};
    }
    /// Left and right end of a cell.
    std::pair<double, double> span(int column, int place) const {
        const auto [left, width] = m_places[asSize(column)];
        const int size = m_panel.columns[asSize(column)].size;
        return {left + std::round(width * place / size), left + std::round(width * (place + 1) / size)};
    }
    QRgb color(const StripPanel::Column& column, int row, float value) const {
        const float high = row < m_panel.above && column.highAbove > 0 ? column.highAbove : column.high;
        const float share = high > 0 ? value / high : 0;
        return column.differs ? m_appearance.signedColor(share) : m_appearance.color(share);
    }

    void drawRow(QCPPainter& painter, int row) const {
        const auto [top, height] = lineOf(row);
        const double shown = isOutside(row) || rowHeight() >= 8 ? height - 1 : height; // a gap after all or none
        const bool written = isOutside(row) || rowHeight() >= m_line * 0.78;           // all rows or none
        for (std::size_t i = 0; i < m_panel.columns.size(); ++i) {
            const auto& column = m_panel.columns[i];
            const auto& values = column.rows[asSize(row)];
            const auto [left, width] = m_places[i];
            if (column.size == 1 && !values.empty())
                drawNumber(painter, QRectF(left, top, width, shown), column, row, written);
            else if (!values.empty())
                drawStrip(painter, static_cast<int>(i), row, top, shown);
        }
    }
    void drawNumber(QCPPainter& painter, const QRectF& place, const StripPanel::Column& column, int row,
                    bool written) const {
        const float value = column.rows[asSize(row)].front();
        if (std::isinf(value)) {
            if (written)
                drawText(painter, place, Qt::AlignCenter, inWords(value, 0), m_font, m_appearance.muted);
            return;
        }
        const auto fill = color(column, row, value);
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.fillRect(place, QColor(fill));
        if (written)
            drawText(painter, place, Qt::AlignCenter, inWords(value, m_digits), m_font,
                     qGray(fill) < 140 ? QColor(Qt::white) : QColor(0x16181d));
    }
    void drawStrip(QCPPainter& painter, int index, int row, double top, double height) const {
        const auto& column = m_panel.columns[asSize(index)];
        const auto& values = column.rows[asSize(row)];
        const auto [left, width] = m_places[asSize(index)];
        const double cell = width / column.size;
        painter.setRenderHint(QPainter::Antialiasing, false);
        const bool many = column.size * static_cast<int>(m_panel.rows.size()) > mostVectorCells;
        if ((cell < 3 || height < 3) && (!onPaper(painter) || many)) {
            // Where dimensions share a pixel, the strongest of them is drawn: a mean of signs would hide them all.
            const int pixels = std::min(column.size, static_cast<int>(width));
            QImage image(pixels, 1, QImage::Format_RGB32);
            auto* line = reinterpret_cast<QRgb*>(image.scanLine(0));
            for (int pixel = 0; pixel < pixels; ++pixel) {
                const auto first = values.begin() + static_cast<std::ptrdiff_t>(column.size) * pixel / pixels;
                const auto last = values.begin() + static_cast<std::ptrdiff_t>(column.size) * (pixel + 1) / pixels;
                line[pixel] = color(column, row, *std::max_element(first, last, [](float a, float b) {
                                        return std::isnan(b) || std::abs(a) < std::abs(b);
                                    }));
            }
            painter.drawImage(QRectF(left, top, width, height), image);
            return;
        }
        const auto font = sized(m_appearance, 0.8);
        const bool gaps = cell >= 8 && height >= 7;
        const bool room = cell >= textWidth(font, QStringLiteral("-0.00")) + 5 && height >= m_line * 0.8;
        for (int place = 0; place < column.size; ++place) {
            const auto [from, to] = span(index, place);
            const float value = values[asSize(place)];
            const auto fill = color(column, row, value);
            const QRectF where(from, top, to - from - (gaps ? 1 : 0), height);
            painter.fillRect(where, QColor(fill));
            if (room && std::isfinite(value))
                drawText(painter, where, Qt::AlignCenter, numberText(value), font,
                         qGray(fill) < 140 ? QColor(Qt::white) : QColor(0x16181d));
        }
        painter.setPen(m_appearance.line);
        painter.setBrush(Qt::NoBrush);
        if (height >= 7)
            painter.drawRect(QRectF(left - 1, top - 1, width + 1, height + 1));
    }

    void drawLabels(QCPPainter& painter, const Lit& lit) const {
        painter.setRenderHint(QPainter::Antialiasing, true);
        const int step = std::max(1, static_cast<int>(std::ceil(m_line * 0.78 / std::max(1e-9, rowHeight()))));
        for (int row = 0; row < m_panel.rows.size(); ++row) {
            const bool isLit = row == lit.row;
            const bool crowded = !isOutside(row) && step > 1;
            if (!isLit && crowded
                && ((row - m_panel.above) % step != 0 || (lit.row >= 0 && std::abs(row - lit.row) < step)))
                continue;
            const auto [top, height] = lineOf(row);
            const double middle = top + height / 2;
            if (!isOutside(row) && (middle < m_body.top() || middle > m_body.bottom()))
                continue;
            const auto& font = isLit ? m_bold : m_font;
            drawText(painter, QRectF(m_area.left(), middle - m_line / 2, m_label, m_line),
                     Qt::AlignRight | Qt::AlignVCenter, elided(font, m_panel.rows[row], m_label + 1), font,
                     isOutside(row) ? m_appearance.muted : m_appearance.text);
        }
    }

    /// The colours and what they mean, how much is seen, and the note.
    void drawFoot(QCPPainter& painter) const {
        const auto font = sized(m_appearance, 0.85);
        const auto beside = Qt::AlignLeft | Qt::AlignVCenter;
        const double left = m_body.left(), middle = m_foot + footLine / 2;
        double x = left;
        const auto bar = [&](const QString& low, const QString& high, bool differs) {
            drawText(painter, QRectF(x, m_foot, m_area.right() - x, footLine), beside, low, font, m_appearance.muted);
            x += textWidth(font, low) + 5;
            drawColorBar(
                painter, QRectF(std::round(x), std::round(middle) - 4, 96, 8), m_appearance.line, [&](float share) {
                    return QColor(differs ? m_appearance.signedColor(2 * share - 1) : m_appearance.color(share));
                });
            x += 96 + 5;
            drawText(painter, QRectF(x, m_foot, m_area.right() - x, footLine), beside, high, font, m_appearance.muted);
            x += textWidth(font, high) + 2 * spacing;
        };
        bar(QStringLiteral("−"), QStringLiteral("+"), true);
        const auto positive = std::find_if(m_panel.columns.begin(), m_panel.columns.end(),
                                           [](const auto& column) { return !column.differs; });
        if (positive != m_panel.columns.end())
            bar(QStringLiteral("0"), QString::number(static_cast<double>(positive->high), 'g', 3), false);
        painter.setRenderHint(QPainter::Antialiasing, true);
        const double from = x;
        auto said = tr("the range of each strip stands above it");
        if (const auto [first, last] = visible(); last - first < m_between)
            said += tr("   ·   rows %1 to %2 of %3").arg(first + 1).arg(last).arg(m_between);
        drawText(painter, QRectF(from, m_foot, m_area.right() - from, footLine), beside,
                 elided(font, said, m_area.right() - from), font, m_appearance.muted);
        if (!m_panel.note.isEmpty())
            drawText(painter, QRectF(m_area.left(), m_foot + footLine, m_area.width(), footLine), beside,
                     elided(font, m_panel.note, m_area.width()), font, m_appearance.muted);
    }

    const StripPanel& m_panel;
    QCPAxisRect* m_rect;
    int m_between;                                   ///< rows that are neither above nor below
    std::vector<int> m_first;                        ///< of each column the number of its first place, and their sum
    std::vector<std::pair<double, double>> m_places; ///< of each column left end and width
    QFont m_font, m_bold, m_small;                   ///< of the table, larger in a large picture
    QFont m_plain;                                   ///< of the lines above and below it
    QRectF m_area, m_body;
    double m_gap = 10; ///< between columns
    double m_line = 0, m_label = 0, m_right = 0, m_heads = 0, m_above = 0, m_below = 0, m_foot = 0, m_outside = 0;
    int m_digits = 2;
};

} // namespace

std::unique_ptr<PanelArt> makeStripArt(const StripPanel& panel, const Appearance& appearance, QCPAxisRect* rect) {
    return std::make_unique<StripArt>(panel, appearance, rect);
}

} // namespace headlight
