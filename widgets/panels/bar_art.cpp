// Bars with their numbers, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

class BarArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::BarArt)
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
        drawText(painter, QRectF(m_area.left(), bottom + spacing / 2, m_area.width(), captionHeight),
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
            const auto& font = isLit || row == m_panel.chosen ? m_bold : m_font;
            const bool named =
                isLit || (row % step == 0 && (step == 1 || lit.row < 0 || std::abs(row - lit.row) >= step));
            const float share = m_panel.values[i] / m_panel.high;
            if (std::isfinite(share)) {
                const double height = std::max(1.0, m_rowHeight * 0.38);
                painter.setPen(Qt::NoPen);
                painter.setBrush(isLit || row == m_panel.chosen ? m_appearance.accent : m_appearance.accentSoft);
                painter.drawRoundedRect(
                    QRectF(left, top + (m_rowHeight - height) / 2,
                           std::max(2.0, longest * std::clamp(static_cast<double>(share), 0.0, 1.0)), height),
                    2, 2);
            }
            if (const float before = i < m_panel.before.size() ? m_panel.before[i] / m_panel.high : NAN;
                std::isfinite(before)) {
                const double x = left + longest * std::clamp(static_cast<double>(before), 0.0, 1.0);
                painter.setPen(QPen(m_appearance.text, 2));
                painter.drawLine(QPointF(x, top + m_rowHeight * 0.15), QPointF(x, top + m_rowHeight * 0.85));
            }
            if (!named)
                continue;
            const double middle = top + m_rowHeight / 2 - line / 2;
            drawText(painter, QRectF(m_area.left(), middle, m_label, line), Qt::AlignRight | Qt::AlignVCenter,
                     elided(font, m_panel.labels.value(row), m_label + 1), font, m_appearance.text);
            drawText(painter, QRectF(left + longest + spacing, middle, number, line), Qt::AlignLeft | Qt::AlignVCenter,
                     std::isfinite(m_panel.values[i]) ? numberText(m_panel.values[i]) : QStringLiteral("–"), font,
                     isLit ? m_appearance.text : m_appearance.muted);
        }
    }
    Lit at(const QPointF& position) const override {
        const double row = (position.y() - m_area.top() - titleHeight) / m_rowHeight;
        if (!m_area.contains(position) || row < 0 || row >= static_cast<double>(m_panel.values.size()))
            return {};
        return {static_cast<int>(row), -1};
    }
    Lit litBy(const Selection::Pair& pair) const override {
        if (pair.kind != m_panel.kind || !m_panel.pointsAtQueries)
            return {};
        return {
            placeOf(m_panel.queryRows, static_cast<int>(m_panel.values.size()), pair.query ? pair.query->value : -1),
            -1};
    }
    Selection::Pair pairAt(const Lit& lit) const override {
        return has(lit) && m_panel.pointsAtQueries
                   ? Selection::Pair{m_panel.kind, Query(tokenAt(m_panel.queryRows, lit.row)), {}}
                   : Selection::Pair{};
    }
    bool has(const Lit& lit) const override {
        return lit.row >= 0 && static_cast<std::size_t>(lit.row) < m_panel.values.size();
    }
    Lit moved(const Lit& from, int down, int right) const override {
        if (m_panel.values.empty())
            return {};
        return {has(from) ? std::clamp(from.row + down + right, 0, static_cast<int>(m_panel.values.size()) - 1) : 0,
                -1};
    }
    bool opens() const override { return !m_panel.pointsAtQueries; }

    QStringList describe() const override {
        QStringList lines{m_panel.title};
        for (int row = 0; row < m_panel.labels.size(); ++row) {
            const auto place = static_cast<std::size_t>(row);
            lines << (row == m_panel.chosen ? tr("%1: %2, on show") : tr("%1: %2"))
                         .arg(m_panel.labels[row], numberText(m_panel.values[place]));
            if (place < m_panel.before.size())
                lines.back() += std::isfinite(m_panel.before[place])
                                    ? tr(" (in full %1)").arg(numberText(m_panel.before[place]))
                                    : tr(" (in full not among them)");
        }
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (std::size_t row = 0; row < m_panel.values.size(); ++row)
            numbers.rows << numbersRow(m_panel.title, static_cast<int>(row),
                                       m_panel.labels.value(static_cast<int>(row)), -1, {}, m_panel.values[row]);
        for (std::size_t row = 0; row < m_panel.before.size(); ++row)
            if (std::isfinite(m_panel.before[row]))
                numbers.rows << numbersRow(tr("%1, in full").arg(m_panel.title), static_cast<int>(row),
                                           m_panel.labels.value(static_cast<int>(row)), -1, {}, m_panel.before[row]);
    }

private:
    const BarPanel& m_panel;
    QFont m_font;
    QFont m_bold;
    QRectF m_area;
    double m_rowHeight = 20;
    double m_label = 0;
};

} // namespace

std::unique_ptr<PanelArt> makeBarArt(const BarPanel& panel, const Appearance& appearance) {
    return std::make_unique<BarArt>(panel, appearance);
}

} // namespace headlight
