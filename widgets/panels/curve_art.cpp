// Curves over a common axis, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace headlight {

namespace {

/// QCustomPlot's own axes and graphs; here only the words around them.
class CurveArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::CurveArt)
public:
    CurveArt(const CurvePanel& panel, const Appearance& appearance, QCPAxisRect* rect)
        : TitledArt(appearance), m_panel(panel), m_rect(rect), m_font(sized(appearance, 0.85)),
          m_bold(sized(appearance, 0.85, QFont::DemiBold)) {
        auto* x = rect->axis(QCPAxis::atBottom);
        auto* y = rect->axis(QCPAxis::atLeft);
        float low = 0, high = 0;
        std::size_t longest = 2;
        for (std::size_t i = 0; i < panel.curves.size(); ++i) {
            const auto& values = panel.curves[i].values;
            QVector<double> places, heights;
            for (std::size_t place = 0; place < values.size(); ++place) {
                if (panel.period > 0 && place > 0 && std::abs(values[place] - values[place - 1]) > panel.period / 2) {
                    places.push_back(panel.first + (static_cast<double>(place) - 0.5) * panel.step);
                    heights.push_back(std::numeric_limits<double>::quiet_NaN()); // where the line ends
                }
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
            graph->setPen(penOf(i));
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
        m_names.clear();
        const auto titleFont = sized(m_appearance, 1, QFont::DemiBold);
        const bool beside = textWidth(titleFont, m_panel.title + m_panel.note) + spacing < area.width();
        const double noteHeight =
            beside ? 0
                   : QFontMetricsF(m_font)
                             .boundingRect(QRectF(0, 0, area.width(), area.height()), Qt::TextWordWrap, m_panel.note)
                             .height()
                         + 4;
        m_note = QRectF(area.left(), area.top() + titleHeight - 4, area.width(), noteHeight);
        const double head = titleHeight + noteHeight;
        double left = area.left(), top = area.top() + head;
        for (const auto& curve : m_panel.curves) {
            const double width = lineWidth + textWidth(m_font, curve.name) + 5 + textWidth(m_font, curve.about);
            if (left > area.left() && left + width > area.right()) {
                left = area.left();
                top += captionHeight;
            }
            m_names.emplace_back(left, top, width, captionHeight);
            left += width + 16;
        }
        const double names = m_names.empty() ? captionHeight : m_names.back().bottom() - area.top() - head;
        const double axis = m_panel.yAxis.isEmpty() ? 44 : 58;
        m_rect->setOuterRect(area.adjusted(axis, head + names + 6, -10, -44).toRect());
    }
    void drawStill(QCPPainter& painter) override {
        const bool besideTitle = m_note.height() <= 0;
        drawnTitle(painter, m_area, m_panel.title, besideTitle ? m_panel.note : QString());
        if (!besideTitle) {
            painter.setFont(m_font);
            painter.setPen(m_appearance.muted);
            painter.drawText(m_note, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, m_panel.note);
        }
        const auto beside = Qt::AlignLeft | Qt::AlignVCenter;
        for (std::size_t i = 0; i < m_panel.curves.size(); ++i) {
            const auto& name = m_panel.curves[i].name;
            const auto& place = m_names[i];
            painter.setRenderHint(QPainter::Antialiasing, true);
            painter.setPen(penOf(i));
            painter.drawLine(place.topLeft() + QPointF(0, captionHeight / 2),
                             place.topLeft() + QPointF(lineWidth - 5, captionHeight / 2));
            const auto words = place.adjusted(lineWidth, 0, 0, 0);
            drawText(painter, words, beside, name, m_font, m_appearance.text);
            drawText(painter, words.adjusted(textWidth(m_font, name) + 5, 0, 0, 0), beside, m_panel.curves[i].about,
                     m_font, m_appearance.muted);
        }
    }
    void drawLive(QCPPainter& painter, const Lit& lit) override {
        if (!has(lit))
            return;
        if (!std::isfinite(valueOf(lit)))
            return;
        const auto point = pointOf(lit);
        const auto axes = QRectF(m_rect->rect());
        painter.setRenderHint(QPainter::Antialiasing, true);
        painter.setPen(QPen(m_appearance.muted, 1, Qt::DotLine));
        painter.drawLine(QPointF(point.x(), axes.top()), QPointF(point.x(), axes.bottom()));
        painter.setPen(QPen(m_appearance.window, 1.5));
        painter.setBrush(m_appearance.category(lit.column));
        painter.drawEllipse(point, 5, 5);
        const auto said = wordsAt(lit).join(QStringLiteral("   "));
        QRectF words(0, 0, textWidth(m_bold, said) + 10, captionHeight);
        const bool leftOfIt = point.x() + words.width() + 12 > axes.right();
        words.moveTopLeft({leftOfIt ? point.x() - words.width() - 10 : point.x() + 10,
                           std::clamp(point.y() - captionHeight - 4, axes.top(),
                                      std::max(axes.top(), axes.bottom() - captionHeight))});
        painter.setPen(m_appearance.line);
        painter.setBrush(m_appearance.panel);
        painter.drawRoundedRect(words, 4, 4);
        drawText(painter, words, Qt::AlignCenter, said, m_bold, m_appearance.text);
    }

    Lit at(const QPointF& position) const override {
        if (!m_rect->rect().contains(position.toPoint()) || m_panel.curves.empty())
            return {};
        const double x = m_rect->axis(QCPAxis::atBottom)->pixelToCoord(position.x());
        Lit nearest;
        double least = 0;
        for (std::size_t i = 0; i < m_panel.curves.size(); ++i) {
            const Lit lit{static_cast<int>(std::lround((x - m_panel.first) / m_panel.step)), static_cast<int>(i)};
            if (!has(lit) || !std::isfinite(valueOf(lit)))
                continue;
            const double away = std::abs(pointOf(lit).y() - position.y());
            if (nearest.row < 0 || away < least) {
                nearest = lit;
                least = away;
            }
        }
        return nearest;
    }
    bool has(const Lit& lit) const override {
        return lit.row >= 0 && lit.column >= 0 && static_cast<std::size_t>(lit.column) < m_panel.curves.size()
               && static_cast<std::size_t>(lit.row)
                      < m_panel.curves[static_cast<std::size_t>(lit.column)].values.size();
    }
    /// Right along a curve, down to the next one.
    Lit moved(const Lit& from, int down, int right) const override {
        if (!has(from))
            return has({0, 0}) ? Lit{0, 0} : Lit{};
        const Lit to{from.row + right, from.column + down};
        return has(to) ? to : from;
    }
    QStringList wordsAt(const Lit& lit) const override {
        if (!has(lit))
            return {};
        const double x = m_panel.first + lit.row * m_panel.step;
        return {tr("%1, %2 %3")
                    .arg(m_panel.curves[static_cast<std::size_t>(lit.column)].name, m_panel.xAxis, QString::number(x)),
                numberText(valueOf(lit), 4)};
    }

    QStringList describe() const override {
        QStringList lines{m_panel.title};
        if (!m_panel.note.isEmpty())
            lines << m_panel.note;
        for (const auto& curve : m_panel.curves) {
            const auto line = tr("%1: %n value(s)", nullptr, static_cast<int>(curve.values.size())).arg(curve.name);
            lines << (curve.about.isEmpty() ? line : QStringLiteral("%1, %2").arg(line, curve.about));
        }
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (const auto& curve : m_panel.curves)
            for (std::size_t place = 0; place < curve.values.size(); ++place)
                numbers.rows << numbersRow(m_panel.title, static_cast<int>(place),
                                           QString::number(m_panel.first + static_cast<double>(place) * m_panel.step),
                                           -1, curve.name, curve.values[place]);
    }

private:
    static constexpr double lineWidth = 19; ///< of a curve before its name

    QPen penOf(std::size_t curve) const { return {m_appearance.category(static_cast<int>(curve)), 1.8}; }
    float valueOf(const Lit& lit) const {
        return m_panel.curves[static_cast<std::size_t>(lit.column)].values[static_cast<std::size_t>(lit.row)];
    }
    QPointF pointOf(const Lit& lit) const {
        return {m_rect->axis(QCPAxis::atBottom)->coordToPixel(m_panel.first + lit.row * m_panel.step),
                m_rect->axis(QCPAxis::atLeft)->coordToPixel(static_cast<double>(valueOf(lit)))};
    }

    const CurvePanel& m_panel;
    QCPAxisRect* m_rect;
    QFont m_font, m_bold;
    QRectF m_area;
    QRectF m_note;               ///< of no height where the note stands behind the title
    std::vector<QRectF> m_names; ///< of each curve the place of its line and name
};

} // namespace

std::unique_ptr<PanelArt> makeCurveArt(const CurvePanel& panel, const Appearance& appearance, QCPAxisRect* rect) {
    return std::make_unique<CurveArt>(panel, appearance, rect);
}

} // namespace headlight
