#include "models/train/length_picture.h"

#include "widgets/figure_exporter.h"
#include "widgets/figure_view.h"

#include <QApplication>

#include <memory>

namespace headlight {

namespace {

class LengthView : public FigureView {
public:
    explicit LengthView(CurvePanel panel) : m_panel(std::move(panel)) {}

protected:
    std::vector<Panel> build() override { return {{QRectF(0, 0, 1, 1), m_panel}}; }
    QString emptyText() const override { return {}; }

private:
    CurvePanel m_panel;
};

} // namespace

std::string drawLengthPicture(const std::vector<LengthCurve>& curves, int step, const std::string& title) {
    std::unique_ptr<QApplication> application;
    static int count = 1;
    static char name[] = "headlight-train";
    static char* words[] = {name, nullptr};
    if (!QApplication::instance()) {
        qputenv("QT_QPA_PLATFORM", "offscreen");
        application = std::make_unique<QApplication>(count, words);
    }
    CurvePanel panel;
    panel.title = QString::fromStdString(title);
    panel.xAxis = QStringLiteral("words of the source, at most");
    panel.yAxis = QStringLiteral("BLEU");
    panel.first = step;
    panel.step = step;
    panel.points = true;
    for (const auto& curve : curves)
        panel.curves.push_back({QString::fromStdString(curve.model), curve.bleu});
    Selection selection; // without one, as without a run, there is nothing to draw
    LengthView view(std::move(panel));
    view.setSelection(&selection);
    view.setAppearance(makeAppearance(Theme::Light, ColorMap::Blue, QApplication::font()));
    view.setTrace(std::make_shared<const Trace>(), nullptr);
    return FigureExporter::encode(view, FigureExporter::Format::Svg,
                                  {.size = {640, 400}, .title = QString::fromStdString(title)})
        .toStdString();
}

} // namespace headlight
