// Numbers with their names side by side, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <qcustomplot.h>

namespace headlight {

namespace {

class FiguresArt final : public TitledArt {
public:
    FiguresArt(const FiguresPanel& panel, const Appearance& appearance)
        : TitledArt(appearance), m_panel(panel), m_small(sized(appearance, 0.85)),
          m_bold(sized(appearance, 1, QFont::DemiBold)) {}

    void arrange(const QRectF& area) override { m_area = area; }
    void drawStill(QCPPainter& painter) override {
        const double width = m_area.width() / static_cast<double>(std::max<std::size_t>(1, m_panel.figures.size()));
        const double nameHeight = QFontMetricsF(m_small).height(), valueHeight = QFontMetricsF(m_bold).height();
        double left = m_area.left();
        for (const auto& figure : m_panel.figures) {
            const auto around = Qt::AlignLeft | Qt::AlignVCenter;
            drawText(painter, QRectF(left, m_area.top(), width, nameHeight), around,
                     elided(m_small, figure.name, width - spacing), m_small, m_appearance.muted);
            drawText(painter, QRectF(left, m_area.top() + nameHeight, width, valueHeight), around,
                     elided(m_bold, figure.value, width - spacing), m_bold, m_appearance.text);
            left += width;
        }
    }
    void drawLive(QCPPainter&, const Lit&) override {}
    Lit at(const QPointF&) const override { return {}; }

    QStringList describe() const override {
        QStringList lines;
        for (const auto& figure : m_panel.figures)
            lines << QStringLiteral("%1: %2").arg(figure.name, figure.value);
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (const auto& figure : m_panel.figures)
            numbers.rows << numbersRow(figure.name, 0, {}, -1, {}, figure.number);
    }

private:
    const FiguresPanel& m_panel;
    QFont m_small;
    QFont m_bold;
    QRectF m_area;
};

} // namespace

std::unique_ptr<PanelArt> makeFiguresArt(const FiguresPanel& panel, const Appearance& appearance) {
    return std::make_unique<FiguresArt>(panel, appearance);
}

} // namespace headlight
