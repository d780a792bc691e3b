// Curves over a common axis, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

/// QCustomPlot's own axes and graphs; here only the words around them.
class CurveArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::CurveArt)
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

    QStringList describe() const override {
        QStringList lines{m_panel.title};
        for (const auto& curve : m_panel.curves)
            lines << tr("%1: %n value(s)", nullptr, static_cast<int>(curve.values.size())).arg(curve.name);
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (const auto& curve : m_panel.curves)
            for (std::size_t place = 0; place < curve.values.size(); ++place)
                numbers.rows << numbersRow(m_panel.title, static_cast<int>(place), {}, -1, curve.name,
                                           curve.values[place]);
    }

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

} // namespace

std::unique_ptr<PanelArt> makeCurveArt(const CurvePanel& panel, const Appearance& appearance, QCPAxisRect* rect) {
    return std::make_unique<CurveArt>(panel, appearance, rect);
}

} // namespace headlight
