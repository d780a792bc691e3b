// One step of a decoder, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <QCoreApplication>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

/// Source on top, what was given out below, a line from the step's token to each source token as dark as its weight.
/// Without attention all lines go through the one vector.
class StepArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::StepArt)
public:
    StepArt(const StepPanel& panel, const Appearance& appearance)
        : TitledArt(appearance), m_panel(panel), m_font(sized(appearance, 1)), m_small(sized(appearance, 0.85)) {}

    void arrange(const QRectF& area) override {
        m_area = area;
        const double top = area.top() + titleHeight + captionHeight;
        m_source = chips(m_panel.source, top);
        m_target = chips(m_panel.target, 0);
        if (m_target.empty())
            return;
        const double height = m_target.back().bottom() - m_target.front().top();
        const double sourceBottom = m_source.empty() ? top : m_source.back().bottom();
        const double line = m_target.back().height();
        const double room = area.bottom() - sourceBottom - height - line - 2 * captionHeight - 8;
        const double nowTop = sourceBottom + std::clamp(room, 60.0, 190.0);
        // The step's token stands below what it looks at.
        double middle = 0, mass = 0;
        for (std::size_t i = 0; i < m_source.size(); ++i) {
            const auto weight =
                i < m_panel.weights.size() && m_panel.weights[i] > 0 ? static_cast<double>(m_panel.weights[i]) : 1e-6;
            middle += weight * m_source[i].center().x();
            mass += weight;
        }
        middle = mass > 0 ? middle / mass : area.center().x();
        const double width = m_target.back().width();
        m_now = QRectF(std::clamp(middle - width / 2, area.left(), std::max(area.left(), area.right() - width)), nowTop,
                       width, line);
        m_targetTop = m_now.bottom() + 2 * captionHeight;
        for (auto& chip : m_target)
            chip.translate(0, m_targetTop);
        m_middle = (sourceBottom + nowTop) / 2;
    }

    void drawStill(QCPPainter& painter) override {
        drawnTitle(painter, m_area, m_panel.title, m_panel.subtitle);
        const auto plain = Qt::AlignLeft | Qt::AlignVCenter;
        drawText(painter, {m_area.left(), m_area.top() + titleHeight - 4, m_area.width(), captionHeight}, plain,
                 m_panel.kind == BlockKind::Cross ? tr("source (is looked at)") : tr("text so far (is looked at)"),
                 m_small, m_appearance.muted);
        drawText(painter, {m_area.left(), m_targetTop - captionHeight - 2, m_area.width(), captionHeight}, plain,
                 tr("given out so far"), m_small, m_appearance.muted);
        painter.setRenderHint(QPainter::Antialiasing, true);
        if (!m_target.empty())
            m_panel.weights.empty() ? drawThroughContext(painter) : drawLines(painter);
        for (std::size_t i = 0; i < m_target.size(); ++i) {
            const bool last = i + 1 == m_target.size();
            for (const auto& place : {m_target[i], m_now}) {
                if (place == m_now && !last)
                    continue;
                painter.setPen(last ? QPen(m_appearance.accent, 2) : QPen(m_appearance.line));
                painter.setBrush(m_appearance.chip);
                painter.drawRoundedRect(place, 4, 4);
                chipText(painter, place, m_panel.target[static_cast<int>(i)],
                         last ? m_appearance.text : m_appearance.muted);
            }
        }
    }
    void drawLive(QCPPainter& painter, const Lit& lit) override {
        painter.setRenderHint(QPainter::Antialiasing, true);
        for (std::size_t i = 0; i < m_source.size(); ++i) {
            const auto key = static_cast<int>(i);
            const bool isLit = key == lit.row;
            const float weight = i < m_panel.weights.size() ? m_panel.weights[i] : 0;
            const QColor fill = m_panel.weights.empty() ? m_appearance.chip : QColor(m_appearance.color(weight));
            painter.setBrush(fill);
            const bool forced = key == m_panel.forced;
            painter.setPen(isLit || forced ? QPen(m_appearance.accent, 2, forced ? Qt::DashLine : Qt::SolidLine)
                                           : QPen(m_appearance.line));
            painter.drawRoundedRect(m_source[i], 4, 4);
            chipText(painter, m_source[i], m_panel.source[key],
                     m_panel.weights.empty()   ? m_appearance.text
                     : qGray(fill.rgb()) < 140 ? QColor(Qt::white)
                                               : QColor(0x16181d));
        }
    }

    Lit at(const QPointF& position) const override {
        for (std::size_t i = 0; i < m_source.size(); ++i)
            if (m_source[i].contains(position))
                return {static_cast<int>(i), -1};
        return {};
    }
    Lit litBy(const Selection::Pair& pair) const override {
        return pair.kind == m_panel.kind && pair.key ? Lit{pair.key->value, -1} : Lit{};
    }
    Selection::Pair pairAt(const Lit& lit) const override {
        return has(lit) ? Selection::Pair{m_panel.kind, Query(m_panel.step), Key(lit.row)} : Selection::Pair{};
    }
    QStringList wordsAt(const Lit& lit) const override {
        if (!has(lit))
            return {};
        QStringList lines{m_panel.source[lit.row]};
        if (static_cast<std::size_t>(lit.row) < m_panel.weights.size()) {
            lines << numberText(m_panel.weights[static_cast<std::size_t>(lit.row)], 4);
            if (static_cast<std::size_t>(lit.row) < m_panel.before.size())
                lines << tr("in full: %1").arg(numberText(m_panel.before[static_cast<std::size_t>(lit.row)], 4));
            if (m_panel.kind == BlockKind::Cross)
                lines << (lit.row == m_panel.forced ? tr("Click to let the model look where it wants.")
                                                    : tr("Click to make this step look here, and go on from it."));
        }
        return lines;
    }
    bool has(const Lit& lit) const override { return lit.row >= 0 && lit.row < m_panel.source.size(); }
    Lit moved(const Lit& from, int down, int right) const override {
        if (m_panel.source.isEmpty())
            return {};
        const int last = static_cast<int>(m_panel.source.size()) - 1;
        return {has(from) ? std::clamp(from.row + down + right, 0, last) : 0, -1};
    }
    bool opens() const override { return m_panel.kind == BlockKind::Cross && !m_panel.weights.empty(); }

    QStringList describe() const override {
        QStringList lines{QStringList{m_panel.title, m_panel.subtitle}.join(QLatin1Char(' ')).trimmed(),
                          tr("given out: %1").arg(m_panel.target.join(QLatin1Char(' ')))};
        for (std::size_t i = 0; i < m_panel.weights.size(); ++i) {
            lines << tr("%1: %2").arg(m_panel.source.value(static_cast<int>(i)), numberText(m_panel.weights[i]));
            if (i < m_panel.before.size())
                lines.back() += tr(" (in full %1)").arg(numberText(m_panel.before[i]));
        }
        if (!m_panel.fixedContext.empty())
            lines << tr("one fixed vector of %n number(s)", nullptr, static_cast<int>(m_panel.fixedContext.size()));
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (std::size_t i = 0; i < m_panel.weights.size(); ++i)
            numbers.rows << numbersRow(m_panel.title, m_panel.step, m_panel.target.value(m_panel.target.size() - 1),
                                       static_cast<int>(i), m_panel.source.value(static_cast<int>(i)),
                                       m_panel.weights[i]);
        for (std::size_t i = 0; i < m_panel.before.size(); ++i)
            numbers.rows << numbersRow(tr("%1, in full").arg(m_panel.title), m_panel.step,
                                       m_panel.target.value(m_panel.target.size() - 1), static_cast<int>(i),
                                       m_panel.source.value(static_cast<int>(i)), m_panel.before[i]);
        for (std::size_t i = 0; i < m_panel.fixedContext.size(); ++i)
            numbers.rows << numbersRow(tr("fixed vector"), static_cast<int>(i), {}, -1, {}, m_panel.fixedContext[i]);
    }

private:
    /// Places of words one behind the other, wrapped at the area's right edge.
    std::vector<QRectF> chips(const QStringList& words, double top) const {
        std::vector<QRectF> places;
        const double height = QFontMetricsF(m_font).height() + 8;
        double left = m_area.left();
        for (const auto& word : words) {
            const double width = std::min(textWidth(m_font, word) + 16, std::min(170.0, m_area.width()));
            if (left + width > m_area.right() && left > m_area.left()) {
                left = m_area.left();
                top += height + 6;
            }
            places.emplace_back(left, top, width, height);
            left += width + 6;
        }
        return places;
    }
    void chipText(QCPPainter& painter, const QRectF& place, const QString& word, const QColor& color) const {
        drawText(painter, place, Qt::AlignCenter, elided(m_font, word, place.width() - 10), m_font, color);
    }
    static void curve(QCPPainter& painter, const QPointF& from, const QPointF& to) {
        QPainterPath path(from);
        const double bend = (to.y() - from.y()) * 0.5;
        path.cubicTo(from + QPointF(0, bend), to - QPointF(0, bend), to);
        painter.drawPath(path);
    }
    void drawLines(QCPPainter& painter) const {
        drawLines(painter, m_panel.weights, m_appearance.accent, Qt::SolidLine);
        drawLines(painter, m_panel.before, m_appearance.text, Qt::DashLine);
    }
    void drawLines(QCPPainter& painter, const std::vector<float>& weights, QColor color, Qt::PenStyle style) const {
        painter.setBrush(Qt::NoBrush);
        const QPointF from(m_now.center().x(), m_now.top());
        for (std::size_t i = 0; i < m_source.size() && i < weights.size(); ++i) {
            const auto weight = static_cast<double>(weights[i]);
            if (!(weight > 0.01))
                continue;
            color.setAlphaF(static_cast<float>(std::clamp(weight, 0.05, 1.0)));
            painter.setPen(QPen(color, style == Qt::SolidLine ? 1 + 5 * std::min(weight, 1.0) : 1.5, style));
            curve(painter, {m_source[i].center().x(), m_source[i].bottom()}, from);
        }
    }
    /// The vector as a strip of its numbers, which every step sees alike.
    void drawThroughContext(QCPPainter& painter) const {
        const auto count = m_panel.fixedContext.size();
        const auto words = tr("no attention: one vector of %1 numbers").arg(count);
        const double width = std::min(360.0, m_area.width() * 0.4);
        const double room = m_area.right() - QFontMetricsF(m_small).horizontalAdvance(words) - spacing - width;
        const QRectF strip(std::max(m_area.left(), std::min(m_area.center().x() - width / 2, room)), m_middle - 7,
                           width, 14);
        painter.setBrush(Qt::NoBrush);
        QColor color = m_appearance.muted;
        color.setAlphaF(0.5F);
        painter.setPen(QPen(color, 1.2));
        for (const auto& chip : m_source)
            curve(painter, {chip.center().x(), chip.bottom()}, {strip.center().x(), strip.top()});
        painter.setPen(QPen(m_appearance.accent, 2));
        curve(painter, {strip.center().x(), strip.bottom()}, {m_now.center().x(), m_now.top()});
        painter.setRenderHint(QPainter::Antialiasing, false);
        float largest = 1e-6F;
        for (const float value : m_panel.fixedContext)
            if (std::isfinite(value))
                largest = std::max(largest, std::abs(value));
        for (std::size_t i = 0; i < count; ++i) {
            const double left = strip.left() + strip.width() * static_cast<double>(i) / static_cast<double>(count);
            const double right = strip.left() + strip.width() * static_cast<double>(i + 1) / static_cast<double>(count);
            painter.fillRect(QRectF(left, strip.top(), right - left, strip.height()),
                             QColor(m_appearance.signedColor(m_panel.fixedContext[i] / largest)));
        }
        painter.setPen(m_appearance.line);
        painter.drawRect(strip);
        drawText(painter, QRectF(strip.right() + spacing, strip.top() - 3, m_area.right() - strip.right(), 20),
                 Qt::AlignLeft | Qt::AlignVCenter, elided(m_small, words, m_area.right() - strip.right() - spacing),
                 m_small, m_appearance.muted);
        painter.setRenderHint(QPainter::Antialiasing, true);
    }

    const StepPanel& m_panel;
    QFont m_font;
    QFont m_small;
    QRectF m_area;
    std::vector<QRectF> m_source;
    std::vector<QRectF> m_target;
    QRectF m_now; ///< the step's token
    double m_targetTop = 0;
    double m_middle = 0;
};

} // namespace

std::unique_ptr<PanelArt> makeStepArt(const StepPanel& panel, const Appearance& appearance) {
    return std::make_unique<StepArt>(panel, appearance);
}

} // namespace headlight
