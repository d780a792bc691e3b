// Which art draws which panel.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"
#include "widgets/plain_text.h"

#include <QCoreApplication>
#include <QImage>

#include <algorithm>
#include <cmath>

namespace headlight {

QString numberText(float value, int digits) {
    return std::isnan(value) ? QCoreApplication::translate("headlight::PanelArt", "not a number")
                             : QString::number(static_cast<double>(value), 'f', digits);
}

float largestOf(const std::vector<float>& values, float atLeast) {
    for (const float value : values)
        if (std::isfinite(value))
            atLeast = std::max(atLeast, std::abs(value));
    return atLeast;
}

bool PanelArt::hasAxes(const Panel& panel) {
    return std::holds_alternative<MapPanel>(panel.content) || std::holds_alternative<CurvePanel>(panel.content)
           || std::holds_alternative<StripPanel>(panel.content);
}

std::unique_ptr<PanelArt> PanelArt::make(const Panel& panel, const Appearance& appearance, QCPAxisRect* rect) {
    if (const auto* map = std::get_if<MapPanel>(&panel.content))
        return makeMapArt(*map, appearance, rect);
    if (const auto* curves = std::get_if<CurvePanel>(&panel.content))
        return makeCurveArt(*curves, appearance, rect);
    if (const auto* bars = std::get_if<BarPanel>(&panel.content))
        return makeBarArt(*bars, appearance);
    if (const auto* step = std::get_if<StepPanel>(&panel.content))
        return makeStepArt(*step, appearance);
    if (const auto* tree = std::get_if<TreePanel>(&panel.content))
        return makeTreeArt(*tree, appearance);
    if (const auto* lines = std::get_if<LinesPanel>(&panel.content))
        return makeLinesArt(*lines, appearance);
    if (const auto* strips = std::get_if<StripPanel>(&panel.content))
        return makeStripArt(*strips, appearance, rect);
    if (const auto* figures = std::get_if<FiguresPanel>(&panel.content))
        return makeFiguresArt(*figures, appearance);
    return makeTileArt(std::get<TilePanel>(panel.content), appearance);
}

double textWidth(const QFont& font, const QString& text) {
    return QFontMetricsF(font).horizontalAdvance(brief(text));
}

QString elided(const QFont& font, const QString& text, double width) {
    return QFontMetricsF(font).elidedText(brief(text), Qt::ElideRight, width);
}

void drawText(QCPPainter& painter, const QRectF& place, Qt::Alignment alignment, const QString& words,
              const QFont& font, const QColor& color) {
    painter.setFont(font);
    painter.setPen(color);
    painter.drawText(place, static_cast<int>(alignment) | Qt::TextDontClip, brief(words));
}

void drawColorBar(QCPPainter& painter, const QRectF& place, const QColor& line,
                  const std::function<QColor(float)>& color) {
    painter.setRenderHint(QPainter::Antialiasing, false);
    constexpr int steps = 64;
    for (int i = 0; i < steps; ++i) {
        const double from = std::round(place.width() * i / steps), to = std::round(place.width() * (i + 1) / steps);
        painter.fillRect(QRectF(place.left() + from, place.top(), to - from, place.height()),
                         color((static_cast<float>(i) + 0.5F) / steps));
    }
    if (!line.isValid())
        return;
    painter.setPen(line);
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(place.adjusted(-1, -1, 0, 0));
}

void drawPooled(QCPPainter& painter, const QRectF& place, std::span<const float> values, int rows, int columns,
                const std::function<QRgb(float)>& color) {
    const double scale = onPaper(painter) ? 3 : painter.device()->devicePixelRatioF();
    const auto pooled = pooledMap(values, rows, columns, static_cast<int>(place.height() * scale),
                                  static_cast<int>(place.width() * scale));
    QImage image(pooled.columns, pooled.rows, QImage::Format_RGB32);
    for (int row = 0; row < pooled.rows; ++row) {
        const auto line = pooled.row(row);
        std::transform(line.begin(), line.end(), reinterpret_cast<QRgb*>(image.scanLine(row)), color);
    }
    if (onPaper(painter)) { // whoever shows the file may smooth what it enlarges: cells, not pixels, are to stay sharp
        constexpr double most = 4;
        const double room = scale * std::min(place.width() / pooled.columns, place.height() / pooled.rows);
        image = image.scaled(image.size() * static_cast<int>(std::clamp(room, 1.0, most)));
    }
    painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
    painter.drawImage(place, image);
}

int placeOf(const std::vector<int>& places, int count, int token) {
    if (token < 0)
        return -1;
    if (places.empty())
        return token < count ? token : -1;
    return static_cast<std::size_t>(token) < places.size() ? places[static_cast<std::size_t>(token)] : -1;
}

int tokenAt(const std::vector<int>& places, int place) {
    return places.empty() ? place : static_cast<int>(std::find(places.begin(), places.end(), place) - places.begin());
}

Selection::Pair pairOf(BlockKind kind, const std::vector<int>& queryRows, const std::vector<int>& keyColumns,
                       const Lit& lit) {
    Selection::Pair pair{kind, {}, {}};
    if (lit.row >= 0)
        pair.query = Query(tokenAt(queryRows, lit.row));
    if (lit.column >= 0)
        pair.key = Key(tokenAt(keyColumns, lit.column));
    return pair;
}

QRectF TitledArt::drawnTitle(QCPPainter& painter, const QRectF& area, const QString& title,
                             const QString& subtitle) const {
    if (title.isEmpty())
        return area;
    const auto font = sized(m_appearance, 1, QFont::DemiBold);
    const auto shown = elided(font, title, area.width());
    const QRectF line(area.left(), area.top(), area.width(), titleHeight - spacing);
    drawText(painter, line, Qt::AlignLeft | Qt::AlignVCenter, shown, font, m_appearance.text);
    const double used = textWidth(font, shown) + spacing;
    if (area.width() - used > 60) {
        const auto plain = sized(m_appearance, 1);
        drawText(painter, line.adjusted(used, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                 elided(plain, subtitle, area.width() - used), plain, m_appearance.muted);
    }
    return area.adjusted(0, titleHeight, 0, 0);
}

QStringList TitledArt::numbersRow(const QString& panel, int row, const QString& rowName, int column,
                                  const QString& columnName, float value) {
    return {panel,      QString::number(row),
            rowName,    column < 0 ? QString() : QString::number(column),
            columnName, QString::number(static_cast<double>(value), 'g', 9)};
}

void TitledArt::addMap(ViewNumbers& numbers, const QString& name, const Map& map, const QStringList& rows,
                       const QStringList& columns) {
    for (int row = 0; row < map.rows; ++row)
        for (int column = 0; column < map.columns; ++column)
            numbers.rows << numbersRow(name, row, rows.value(row), column, columns.value(column), map.at(row, column));
}

} // namespace headlight
