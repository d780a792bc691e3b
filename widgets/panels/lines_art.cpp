// Tokens on both sides and lines between them, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"
#include "widgets/plain_text.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace headlight {

namespace {

constexpr double tallestRow = 38;
constexpr double widestMiddle = 640; ///< of what is between the tokens
constexpr double reach = 24;         ///< how far from the tokens towards the middle one still points at them
constexpr int mostCurves = 8000;     ///< beyond, lines are straight: nobody follows one among so many
constexpr int mostLines = 20000;     ///< beyond, only the strongest are drawn
constexpr int chipHeight = 24;
constexpr int noteHeight = 24;

class LinesArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::LinesArt)
public:
    LinesArt(const LinesPanel& panel, const Appearance& appearance)
        : TitledArt(appearance), m_panel(panel), m_small(sized(appearance, 0.9)),
          m_smallBold(sized(appearance, 0.9, QFont::DemiBold)) {
        for (std::size_t head = 0; head < panel.heads.size(); ++head) {
            if (!panel.heads[head].shown)
                continue;
            m_shown.push_back(static_cast<int>(head));
            for (const auto& line : panel.heads[head].lines)
                m_lines.push_back({line, static_cast<int>(head)});
        }
        // The strongest are drawn last, above the others.
        std::stable_sort(m_lines.begin(), m_lines.end(),
                         [this](const Line& a, const Line& b) { return sizeOf(a.at.weight) < sizeOf(b.at.weight); });
    }

    void arrange(const QRectF& area) override {
        m_area = area;
        placeChips(area.top() + (m_panel.title.isEmpty() ? 0 : titleHeight));
        const double heading = QFontMetricsF(m_small).height() + 6;
        const double top = m_chipsBottom + 10 + heading;
        const int most = std::max({1, rows(), columns()});
        m_rowHeight = std::min(tallestRow, std::max(20.0, area.bottom() - noteHeight - top) / most);
        const double base = QFontMetricsF(sized(m_appearance, 1)).height();
        // Where not every token has room for its name, those that have it are written large enough to be read.
        m_step = m_rowHeight < base * 0.7 ? static_cast<int>(std::ceil(base * 0.9 / m_rowHeight)) : 1;
        const double factor = m_step > 1 ? 0.85 : std::clamp(m_rowHeight / base * 0.95, 0.75, 1.2);
        m_font = sized(m_appearance, factor);
        m_bold = sized(m_appearance, factor, QFont::Bold);
        m_line = QFontMetricsF(m_bold).height();

        m_cell = std::clamp(60.0 / std::max<double>(1, static_cast<double>(m_shown.size())), 3.0, 12.0);
        m_number = m_shown.size() == 1 ? textWidth(m_bold, QStringLiteral("−0.00")) + 6 : 0;
        const double beside = m_cell * static_cast<double>(m_shown.size()) + m_number + 2 * 6;
        const double widest = std::clamp(area.width() * 0.26 - beside / 2, 40.0, 200.0);
        const auto wide = [&](const QStringList& labels) {
            double width = 24;
            for (const auto& label : labels)
                width = std::max(width, textWidth(m_bold, label));
            return std::min(width + 1, widest);
        };
        m_leftLabel = wide(m_panel.left);
        m_rightLabel = wide(m_panel.right);
        const double outside = m_leftLabel + m_rightLabel + 2 * (beside + spacing);
        const double middle = std::clamp(area.width() - outside, 40.0, widestMiddle);
        const double left = area.left() + std::max(0.0, (area.width() - outside - middle) / 2);
        m_middle = QRectF(std::round(left + beside + m_leftLabel + spacing), std::round(top), std::round(middle),
                          m_rowHeight * most);
    }

    void drawStill(QCPPainter& painter) override {
        drawnTitle(painter, m_area, m_panel.title, m_panel.subtitle);
        const double line = QFontMetricsF(m_small).height(), top = m_middle.top() - line - 6;
        const auto leftTitle = elided(m_small, m_panel.leftTitle, m_middle.center().x() - m_area.left() - 4);
        const auto rightTitle = elided(m_small, m_panel.rightTitle, m_area.right() - m_middle.center().x() - 4);
        // Where tokens are short, their title reaches over the middle.
        const double leftEnd = std::max(m_middle.left() - spacing, m_area.left() + textWidth(m_small, leftTitle) + 1);
        const double rightBegin =
            std::min(m_middle.right() + spacing, m_area.right() - textWidth(m_small, rightTitle) - 1);
        drawText(painter, QRectF(m_area.left(), top, leftEnd - m_area.left(), line), Qt::AlignRight | Qt::AlignVCenter,
                 leftTitle, m_small, m_appearance.muted);
        drawText(painter, QRectF(rightBegin, top, m_area.right() - rightBegin, line), Qt::AlignLeft | Qt::AlignVCenter,
                 rightTitle, m_small, m_appearance.muted);
        m_saying = QRectF(leftEnd + 12, top, std::max(0.0, rightBegin - leftEnd - 24), line);
        drawLines(painter, {}, 1);
        drawLegend(painter);
    }

    void drawLive(QCPPainter& painter, const Lit& asked) override {
        const Lit lit = has(asked) ? asked : Lit{};
        if (lit != Lit{}) {
            auto veil = m_appearance.window;
            veil.setAlpha(228);
            painter.fillRect(m_middle.adjusted(0, -1, 0, 1), veil);
            drawLines(painter, lit, 0);
        }
        drawSide(painter, true, lit);
        drawSide(painter, false, lit);
        for (int head = 0; head < static_cast<int>(m_chips.size()); ++head)
            drawChip(painter, head, head == lit.item);
        const auto saying = sayingOf(lit);
        drawText(painter, m_saying, Qt::AlignCenter, elided(m_smallBold, saying, m_saying.width()), m_smallBold,
                 m_appearance.text);
    }

    Lit at(const QPointF& position) const override {
        for (std::size_t head = 0; head < m_chips.size(); ++head)
            if (m_chips[head].adjusted(-1, -2, 1, 2).contains(position))
                return {-1, -1, static_cast<int>(head)};
        const int place = static_cast<int>(std::floor((position.y() - m_middle.top()) / m_rowHeight));
        const double near = std::min(reach, m_middle.width() / 3);
        if (!m_area.contains(position) || place < 0)
            return {};
        if (position.x() < m_middle.left() + near && place < rows())
            return {place, -1};
        if (position.x() > m_middle.right() - near && place < columns())
            return {-1, place};
        return {};
    }
    Lit litBy(const Selection::Pair& pair) const override {
        if (pair.kind != m_panel.kind || !m_panel.linked)
            return {};
        return {placeOf(m_panel.queryRows, rows(), pair.query ? pair.query->value : -1),
                placeOf(m_panel.keyColumns, columns(), pair.key ? pair.key->value : -1)};
    }
    Selection::Pair pairAt(const Lit& lit) const override {
        return has(lit) && lit.item < 0 && m_panel.linked
                   ? pairOf(m_panel.kind, m_panel.queryRows, m_panel.keyColumns, lit)
                   : Selection::Pair{};
    }
    QStringList wordsAt(const Lit& lit) const override {
        if (!has(lit))
            return {};
        if (lit.item >= 0)
            return {m_panel.heads[static_cast<std::size_t>(lit.item)].name, tr("Click: show or hide it."),
                    tr("Double click: show it alone, or all again.")};
        const bool looks = lit.row >= 0;
        QStringList lines{
            looks ? (m_panel.differs ? tr("“%1” (%2) looks more or less at") : tr("“%1” (%2) looks at"))
                        .arg(inLine(left(lit.row)), QString::number(tokenAt(m_panel.queryRows, lit.row)))
                  : (m_panel.differs ? tr("“%1” (%2) is looked at more or less by") : tr("“%1” (%2) is looked at by"))
                        .arg(inLine(right(lit.column)), QString::number(tokenAt(m_panel.keyColumns, lit.column)))};
        constexpr int most = 6;
        for (auto line = m_lines.rbegin(); line != m_lines.rend() && lines.size() <= most; ++line)
            if (looks ? line->at.row == lit.row : line->at.column == lit.column)
                lines << tr("%1: %2 (%3)")
                             .arg(inLine(looks ? right(line->at.column) : left(line->at.row)),
                                  numberText(line->at.weight, 3), nameOf(line->head));
        return lines;
    }
    bool has(const Lit& lit) const override {
        return lit != Lit{} && lit.row < rows() && lit.column < columns()
               && lit.item < static_cast<int>(m_panel.heads.size());
    }
    /// Up and down through the tokens, and above the first ones through the heads; left and right from side to side.
    Lit moved(const Lit& from, int down, int right) const override {
        const int heads = static_cast<int>(m_panel.heads.size());
        if (rows() < 1 || columns() < 1)
            return {};
        if (!has(from))
            return {0, -1};
        if (from.item >= 0)
            return down > 0 ? Lit{0, -1} : Lit{-1, -1, std::clamp(from.item + right, 0, heads - 1)};
        const int place = from.row >= 0 ? from.row : from.column;
        if (place + down < 0)
            return {-1, -1, from.row >= 0 ? 0 : heads - 1};
        const bool onLeft = right == 0 ? from.row >= 0 : right < 0;
        const int next = std::clamp(place + down, 0, (onLeft ? rows() : columns()) - 1);
        return onLeft ? Lit{next, -1} : Lit{-1, next};
    }
    bool opens() const override { return false; }

    QStringList describe() const override {
        QStringList shown, hidden;
        for (const auto& head : m_panel.heads)
            (head.shown ? shown : hidden) << head.name;
        QStringList lines{name(), tr("%1, %2").arg(m_panel.leftTitle, m_panel.rightTitle),
                          tr("shown: %1").arg(shown.join(QStringLiteral(", ")))};
        if (!hidden.isEmpty())
            lines << tr("hidden: %1").arg(hidden.join(QStringLiteral(", ")));
        lines << m_panel.note;
        std::vector<const Line*> strongest(static_cast<std::size_t>(rows()), nullptr);
        for (const auto& line : m_lines)
            strongest[static_cast<std::size_t>(line.at.row)] = &line;
        for (int row = 0; row < rows(); ++row) {
            const auto* line = strongest[static_cast<std::size_t>(row)];
            lines << (line
                          ? tr("%1 → %2: %3 (%4)")
                                .arg(left(row), right(line->at.column), numberText(line->at.weight), nameOf(line->head))
                          : tr("%1: no line").arg(left(row)));
        }
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (const auto& head : m_panel.heads)
            if (head.shown)
                for (const auto& line : head.lines)
                    numbers.rows << numbersRow(head.name, line.row, left(line.row), line.column, right(line.column),
                                               line.weight);
    }

private:
    struct Line {
        WeightAt at;
        int head = 0;
    };

    /// How opaque it is drawn.
    float sizeOf(float weight) const {
        return std::isfinite(weight) ? std::min(std::abs(weight) / m_panel.high, 1.0F) : 0.0F;
    }
    QString name() const { return QStringList{m_panel.title, m_panel.subtitle}.join(QLatin1Char(' ')).trimmed(); }
    int rows() const { return static_cast<int>(m_panel.left.size()); }
    int columns() const { return static_cast<int>(m_panel.right.size()); }
    QString left(int row) const { return m_panel.left.value(row); }
    QString right(int column) const { return m_panel.right.value(column); }
    QString nameOf(int head) const { return m_panel.heads[static_cast<std::size_t>(head)].name; }
    double middleOf(int place) const { return m_middle.top() + (place + 0.5) * m_rowHeight; }

    void placeChips(double top) {
        m_chips.clear();
        double x = m_area.left();
        for (const auto& head : m_panel.heads) {
            const double width = textWidth(m_smallBold, head.name) + 34;
            if (x > m_area.left() && x + width > m_area.right()) {
                x = m_area.left();
                top += chipHeight + 4;
            }
            m_chips.emplace_back(x, top, width, chipHeight);
            x += width + 4;
        }
        m_chipsBottom = top + (m_chips.empty() ? 0 : chipHeight);
    }
    void drawChip(QCPPainter& painter, int index, bool isLit) {
        const auto& head = m_panel.heads[static_cast<std::size_t>(index)];
        const auto& place = m_chips[static_cast<std::size_t>(index)];
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setPen(isLit ? QPen(m_appearance.muted) : QPen(Qt::NoPen));
        painter.setBrush(head.shown || isLit ? QBrush(m_appearance.chip) : QBrush(Qt::NoBrush));
        painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5);
        const auto color = m_appearance.category(index);
        painter.setPen(QPen(color, 1.5));
        painter.setBrush(head.shown ? QBrush(color) : QBrush(Qt::NoBrush));
        painter.drawRoundedRect(QRectF(place.left() + 8, place.center().y() - 5, 10, 10), 2, 2);
        drawText(painter, place.adjusted(24, 0, -6, 0), Qt::AlignLeft | Qt::AlignVCenter, head.name,
                 head.shown ? m_smallBold : m_small, head.shown ? m_appearance.text : m_appearance.muted);
    }

    bool isLitLine(const Line& line, const Lit& lit) const {
        if (lit.item >= 0)
            return line.head == lit.item;
        return lit.row >= 0 ? line.at.row == lit.row : lit.column < 0 || line.at.column == lit.column;
    }
    /// Heads that look the same way run beside each other, where rows have room for that.
    double asideOf(int head) const {
        const auto count = static_cast<double>(m_shown.size());
        const auto place = std::find(m_shown.begin(), m_shown.end(), head) - m_shown.begin();
        return (static_cast<double>(place) - (count - 1) / 2) * std::min(3.0, m_rowHeight * 0.55 / count);
    }
    /// @param width of the lines; 0: the stronger, the wider
    void drawLines(QCPPainter& painter, const Lit& lit, double width) {
        const auto count =
            std::count_if(m_lines.begin(), m_lines.end(), [&](const Line& line) { return isLitLine(line, lit); });
        auto hidden = std::max<std::ptrdiff_t>(0, count - mostLines); // the weakest
        const bool curved = count <= mostCurves;
        painter.setRenderHint(QPainter::Antialiasing, curved || onPaper(painter));
        painter.setBrush(Qt::NoBrush);
        const double from = m_middle.left(), to = m_middle.right(), bend = m_middle.width() * 0.45;
        for (const auto& line : m_lines) {
            if (!isLitLine(line, lit) || hidden-- > 0)
                continue;
            auto color = m_appearance.category(line.head);
            const float size = sizeOf(line.at.weight);
            color.setAlphaF(size);
            if (color.alpha() == 0)
                continue;
            // Up to a pixel wide is what painters draw some ten times as fast.
            const double pen = width > 0 ? width : 1.2 + 2.8 * static_cast<double>(size);
            painter.setPen(QPen(color, pen, line.at.weight < 0 ? Qt::DashLine : Qt::SolidLine, Qt::FlatCap));
            const double aside = asideOf(line.head);
            const QPointF begin(from, middleOf(line.at.row) + aside), end(to, middleOf(line.at.column) + aside);
            if (curved) {
                QPainterPath path(begin);
                path.cubicTo(begin + QPointF(bend, 0), end - QPointF(bend, 0), end);
                painter.drawPath(path);
            } else {
                painter.drawLine(begin, end);
            }
        }
    }

    /// What a head's lit token gives to, or has from, a token of the other side.
    float weightOf(int head, const Lit& lit, bool ofLeft, int place) const {
        const auto& map = m_panel.heads[static_cast<std::size_t>(head)].map;
        return ofLeft ? map.at(place, lit.column) : map.at(lit.row, place);
    }
    void drawSide(QCPPainter& painter, bool onLeft, const Lit& lit) {
        const auto& labels = onLeft ? m_panel.left : m_panel.right;
        const auto count = static_cast<int>(labels.size());
        const int self = onLeft ? lit.row : lit.column;
        // A query shows what it looks at, also where the key is known; only a key alone shows what looks at it.
        const bool tinted = onLeft ? lit.row < 0 && lit.column >= 0 : lit.row >= 0;
        const bool dimmed = lit.row >= 0 || lit.column >= 0;
        std::vector<float> weights(static_cast<std::size_t>(count), 0.0f);
        if (tinted)
            for (int place = 0; place < count; ++place)
                for (const int head : m_shown)
                    if (const float one = weightOf(head, lit, onLeft, place);
                        sizeOf(one) > sizeOf(weights[std::size_t(place)]))
                        weights[static_cast<std::size_t>(place)] = one;

        const double label = onLeft ? m_leftLabel : m_rightLabel;
        const double labelEdge = onLeft ? m_middle.left() - spacing - label : m_middle.right() + spacing;
        const double cellsWidth = m_cell * static_cast<double>(m_shown.size());
        const double cells = onLeft ? labelEdge - 6 - cellsWidth : labelEdge + label + 6;
        if (tinted)
            drawCells(painter, onLeft, lit, cells, count);

        painter.setRenderHint(QPainter::Antialiasing, true);
        std::vector<char> taken(static_cast<std::size_t>(count), 0);
        for (const int place : inTurn(weights, self, tinted, m_step)) {
            if (taken[static_cast<std::size_t>(place)])
                continue;
            std::fill(taken.begin() + std::max(0, place - m_step + 1), taken.begin() + std::min(count, place + m_step),
                      1);
            const bool isSelf = place == self;
            const float value = weights[static_cast<std::size_t>(place)];
            const auto weight = static_cast<double>(sizeOf(value));
            const auto& font = isSelf ? m_bold : m_font;
            const auto color = !dimmed || isSelf ? m_appearance.text
                                                 : mixed(m_appearance.text, m_appearance.window,
                                                         0.4 + 0.6 * std::min(1.0, tinted ? 2 * weight : 0));
            const double top = middleOf(place) - m_line / 2;
            const auto side = onLeft ? Qt::AlignRight : Qt::AlignLeft;
            drawText(painter, QRectF(labelEdge, top, label, m_line), side | Qt::AlignVCenter,
                     elided(font, labels[place], label + 1), font, color);
            if (tinted && m_number > 0 && std::abs(value) >= 0.005F) {
                const double number = onLeft ? cells - 6 - m_number : cells + cellsWidth + 6;
                drawText(painter, QRectF(number, top, m_number, m_line), side | Qt::AlignVCenter, numberText(value),
                         m_font, color);
            }
        }
    }
    /// Places in the order in which they may take room for their names: the lit one, what it looks at most, the rest.
    std::vector<int> inTurn(const std::vector<float>& weights, int self, bool byWeight, int step) const {
        std::vector<int> turn;
        if (self >= 0 && self < static_cast<int>(weights.size()))
            turn.push_back(self);
        const auto before = static_cast<std::ptrdiff_t>(turn.size());
        for (int place = 0; place < static_cast<int>(weights.size()); place += byWeight ? 1 : step)
            turn.push_back(place);
        if (byWeight)
            std::stable_sort(turn.begin() + before, turn.end(), [&](int a, int b) {
                return sizeOf(weights[static_cast<std::size_t>(a)]) > sizeOf(weights[static_cast<std::size_t>(b)]);
            });
        return turn;
    }
    /// Beside each token a cell for each head, as opaque as its weight.
    void drawCells(QCPPainter& painter, bool onLeft, const Lit& lit, double edge, int count) {
        painter.setRenderHint(QPainter::Antialiasing, false);
        const double gap = m_rowHeight > 6 ? 2 : 0;
        for (int place = 0; place < count; ++place) {
            const double top = std::round(m_middle.top() + place * m_rowHeight);
            const double bottom = std::round(m_middle.top() + (place + 1) * m_rowHeight);
            double x = edge;
            for (const int head : m_shown) {
                auto color = m_appearance.category(head);
                color.setAlphaF(sizeOf(weightOf(head, lit, onLeft, place)));
                if (color.alpha() > 0)
                    painter.fillRect(QRectF(x, top, m_cell, std::max(1.0, bottom - top - gap)), color);
                x += m_cell;
            }
        }
    }
    static QColor mixed(const QColor& color, const QColor& with, double share) {
        const auto channel = [&](int (QColor::*value)() const) {
            return static_cast<int>(std::lround((color.*value)() * share + (with.*value)() * (1 - share)));
        };
        return {channel(&QColor::red), channel(&QColor::green), channel(&QColor::blue)};
    }
    QString sayingOf(const Lit& lit) const {
        if (lit.item >= 0)
            return nameOf(lit.item);
        if (lit.row >= 0)
            return (m_panel.differs ? tr("what “%1” looks at more or less") : tr("what “%1” looks at"))
                .arg(inLine(left(lit.row)));
        if (lit.column < 0)
            return {};
        return (m_panel.differs ? tr("what looks more or less at “%1”") : tr("what looks at “%1”"))
            .arg(inLine(right(lit.column)));
    }

    void drawLegend(QCPPainter& painter) {
        const double line = QFontMetricsF(m_small).height(), top = m_area.bottom() - line;
        double x = m_area.left();
        const auto say = [&](const QString& words) {
            const auto shown = elided(m_small, words, m_area.right() - x);
            drawText(painter, QRectF(x, top, m_area.right() - x, line), Qt::AlignLeft | Qt::AlignVCenter, shown,
                     m_small, m_appearance.muted);
            x += textWidth(m_small, shown) + 6;
        };
        say(m_panel.differs ? tr("opacity = change:") : tr("opacity = weight:"));
        say(QStringLiteral("0"));
        constexpr int width = 72;
        drawColorBar(painter, QRectF(std::round(x), std::round(top + line / 2 - 4), width, 8), QColor(),
                     [this](float share) {
                         auto color = m_shown.size() == 1 ? m_appearance.category(m_shown.front()) : m_appearance.text;
                         color.setAlphaF(share);
                         return color;
                     });
        x += width + 6;
        say(m_panel.differs ? numberText(m_panel.high) : QStringLiteral("1"));
        x += 10;
        say(static_cast<int>(m_lines.size()) > mostLines
                ? tr("%1; the strongest %2 of %3 lines").arg(m_panel.note).arg(mostLines).arg(m_lines.size())
                : m_panel.note);
    }

    const LinesPanel& m_panel;
    QFont m_small;
    QFont m_smallBold;
    QFont m_font; ///< of tokens
    QFont m_bold;
    std::vector<Line> m_lines; ///< of the heads that are shown, the weakest first
    std::vector<int> m_shown;  ///< heads
    std::vector<QRectF> m_chips;
    QRectF m_area;
    QRectF m_middle; ///< between the tokens
    QRectF m_saying;
    double m_chipsBottom = 0;
    double m_rowHeight = 20;
    double m_line = 12;
    int m_step = 1; ///< of so many tokens one has room for its name
    double m_leftLabel = 0;
    double m_rightLabel = 0;
    double m_cell = 8;
    double m_number = 0;
};

} // namespace

std::unique_ptr<PanelArt> makeLinesArt(const LinesPanel& panel, const Appearance& appearance) {
    return std::make_unique<LinesArt>(panel, appearance);
}

} // namespace headlight
