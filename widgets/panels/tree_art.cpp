// A beam search as a tree, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <QCoreApplication>
#include <QPainterPath>

#include <algorithm>
#include <map>

namespace headlight {

namespace {

constexpr double narrowestColumn = 64;

class TreeArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::TreeArt)
public:
    TreeArt(const TreePanel& panel, const Appearance& appearance)
        : TitledArt(appearance), m_panel(panel), m_font(sized(appearance, 0.93)), m_small(sized(appearance, 0.85)) {
        std::map<int, int> inColumn;
        for (const auto& node : panel.nodes) {
            m_rows.push_back(inColumn[node.step]++);
            m_steps = std::max(m_steps, node.step + 1);
            m_tallest = std::max(m_tallest, m_rows.back() + 1);
        }
    }

    void arrange(const QRectF& area) override {
        m_area = area;
        const auto inner = area.adjusted(0, titleHeight + captionHeight, 0, 0);
        m_visible = std::clamp(static_cast<int>(inner.width() / narrowestColumn), 1, std::max(1, m_steps));
        m_first = std::clamp(m_panel.step - m_visible / 2, 0, std::max(0, m_steps - m_visible));
        const double width = inner.width() / m_visible;
        const double height = std::min(30.0, inner.height() / std::max(1, m_tallest));
        m_places.clear();
        for (std::size_t i = 0; i < m_panel.nodes.size(); ++i)
            m_places.emplace_back(inner.left() + (m_panel.nodes[i].step - m_first) * width,
                                  inner.top() + m_rows[i] * height, width - 14, height - 6);
    }
    void drawStill(QCPPainter& painter) override {
        drawnTitle(painter, m_area, m_panel.title, {});
        drawText(painter, {m_area.left(), m_area.top() + titleHeight - 6, m_area.width(), captionHeight},
                 Qt::AlignLeft | Qt::AlignVCenter, elided(m_small, m_panel.note, m_area.width()), m_small,
                 m_appearance.muted);
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setBrush(Qt::NoBrush);
        for (std::size_t i = 0; i < m_places.size(); ++i) {
            const auto parent = m_panel.nodes[i].parent;
            if (parent < 0 || !visible(i) || !visible(static_cast<std::size_t>(parent)))
                continue;
            const auto& from = m_places[static_cast<std::size_t>(parent)];
            const auto& to = m_places[i];
            const bool chosen = m_panel.nodes[i].chosen;
            painter.setPen(chosen ? QPen(m_appearance.accent, 2) : QPen(m_appearance.line, 1.2));
            QPainterPath path({from.right(), from.center().y()});
            path.cubicTo({from.right() + 7, from.center().y()}, {to.left() - 7, to.center().y()},
                         {to.left(), to.center().y()});
            painter.drawPath(path);
        }
    }
    void drawLive(QCPPainter& painter, const Lit& lit) override {
        painter.setRenderHint(QPainter::Antialiasing, true);
        for (std::size_t i = 0; i < m_places.size(); ++i) {
            if (!visible(i))
                continue;
            const auto& node = m_panel.nodes[i];
            const bool isLit = static_cast<int>(i) == lit.row;
            painter.setPen(isLit || node.chosen ? QPen(m_appearance.accent, isLit ? 2 : 1) : QPen(m_appearance.line));
            painter.setBrush(node.step == m_panel.step ? m_appearance.accentSoft : m_appearance.chip);
            painter.drawRoundedRect(m_places[i], 3, 3);
            auto words = node.text;
            if (node.finished)
                words += QStringLiteral(" ∎");
            drawText(painter, m_places[i], Qt::AlignCenter, elided(m_font, words, m_places[i].width() - 6), m_font,
                     node.chosen || isLit || node.step == m_panel.step ? m_appearance.text : m_appearance.muted);
        }
    }
    Lit at(const QPointF& position) const override {
        for (std::size_t i = 0; i < m_places.size(); ++i)
            if (visible(i) && m_places[i].contains(position))
                return {static_cast<int>(i), -1};
        return {};
    }
    QStringList wordsAt(const Lit& lit) const override {
        if (!has(lit))
            return {};
        QStringList words;
        for (int at = lit.row; at >= 0; at = m_panel.nodes[static_cast<std::size_t>(at)].parent)
            words.prepend(m_panel.nodes[static_cast<std::size_t>(at)].text);
        return {words.join(QLatin1Char(' ')),
                tr("probability of its last token %1")
                    .arg(numberText(m_panel.nodes[static_cast<std::size_t>(lit.row)].probability, 4)),
                tr("Click to see its alignment.")};
    }
    bool has(const Lit& lit) const override {
        return lit.row >= 0 && static_cast<std::size_t>(lit.row) < m_panel.nodes.size();
    }
    /// Down and up within a step, as Left and Right belong to the steps.
    Lit moved(const Lit& from, int down, int right) const override {
        const int count = static_cast<int>(m_panel.nodes.size());
        if (count == 0)
            return {};
        const int start = has(from) ? from.row : -1;
        if (start < 0) {
            for (int i = 0; i < count; ++i)
                if (m_panel.nodes[static_cast<std::size_t>(i)].step == m_panel.step)
                    return {i, -1};
            return {0, -1};
        }
        return {std::clamp(start + down + right, 0, count - 1), -1};
    }
    bool opens() const override { return true; }

    QStringList describe() const override {
        QStringList lines{m_panel.title, m_panel.note};
        for (const auto& node : m_panel.nodes)
            lines << tr("step %1: %2 %3%4")
                         .arg(node.step)
                         .arg(node.text, numberText(node.probability), node.chosen ? tr(", chosen") : QString());
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (std::size_t i = 0; i < m_panel.nodes.size(); ++i)
            numbers.rows << numbersRow(m_panel.title, static_cast<int>(i), m_panel.nodes[i].text, m_panel.nodes[i].step,
                                       {}, m_panel.nodes[i].probability);
    }

private:
    bool visible(std::size_t node) const {
        const int step = m_panel.nodes[node].step;
        return step >= m_first && step < m_first + m_visible;
    }

    const TreePanel& m_panel;
    QFont m_font;
    QFont m_small;
    QRectF m_area;
    std::vector<int> m_rows;
    std::vector<QRectF> m_places;
    int m_steps = 0;
    int m_tallest = 0;
    int m_first = 0;
    int m_visible = 1;
};

} // namespace

std::unique_ptr<PanelArt> makeTreeArt(const TreePanel& panel, const Appearance& appearance) {
    return std::make_unique<TreeArt>(panel, appearance);
}

} // namespace headlight
