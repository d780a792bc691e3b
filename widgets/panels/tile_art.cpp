// Many small maps in a grid, drawn with QCustomPlot, whose header is written with Qt's keywords.
#undef QT_NO_KEYWORDS
#include "widgets/panels/art.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

constexpr double noteHeight = 24;

class TileArt final : public TitledArt {
    Q_DECLARE_TR_FUNCTIONS(headlight::TileArt)
public:
    TileArt(const TilePanel& panel, const Appearance& appearance)
        : TitledArt(appearance), m_panel(panel), m_font(sized(appearance, 0.85)) {
        m_captions = std::any_of(panel.tiles.begin(), panel.tiles.end(),
                                 [](const auto& tile) { return static_cast<bool>(tile.caption); });
        if (!panel.tiles.empty() && panel.tiles.front().map->rows > 0)
            m_shape = std::clamp(static_cast<double>(panel.tiles.front().map->columns) / panel.tiles.front().map->rows,
                                 0.75, 1.6);
    }

    void arrange(const QRectF& area) override {
        m_area = area;
        double names = 0;
        for (const auto& name : m_panel.rowNames)
            names = std::max(names, textWidth(m_font, name));
        m_names = names > 0 ? names + spacing : 0;
        m_line = QFontMetricsF(m_font).height();
        m_top = m_area.top() + titleHeight + (m_panel.columnNames.isEmpty() ? 0 : m_line + 4);
        m_columns = m_panel.columns;
        if (m_columns < 1) {
            double widest = 0;
            for (int columns = 1; columns <= std::max<int>(1, count()); ++columns)
                if (divide(columns); m_width > widest + 0.5) {
                    widest = m_width;
                    m_columns = columns;
                }
        }
        divide(m_columns);
    }
    void drawStill(QCPPainter& painter) override {
        drawnTitle(painter, m_area, m_panel.title, m_panel.subtitle);
        drawNames(painter);
        for (int i = 0; i < count(); ++i)
            drawTile(painter, i);
        drawLegend(painter);
    }
    void drawLive(QCPPainter& painter, const Lit& lit) override {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setBrush(Qt::NoBrush);
        for (int i = 0; i < count(); ++i) {
            const bool pointed = i == lit.row;
            if (!at(i).chosen && !pointed)
                continue;
            painter.setPen(QPen(at(i).chosen ? m_appearance.accent : m_appearance.muted, 2));
            painter.drawRect(tile(i).adjusted(-2, -2, 2, 2));
        }
    }
    Lit at(const QPointF& position) const override {
        for (int i = 0; i < count(); ++i)
            if (tile(i).adjusted(-m_gap / 2, -m_gap / 2, m_gap / 2, m_gap / 2 + m_caption).contains(position))
                return {i, -1};
        return {};
    }
    QStringList wordsAt(const Lit& lit) const override {
        if (!has(lit))
            return {};
        QStringList lines{at(lit.row).name, captionOf(at(lit.row))};
        lines << statesOf(at(lit.row));
        lines
            << (m_panel.switches ? tr(
                    "Click chooses it, a double click opens it, Ctrl+click or C collects it, X switches it off or on.")
                                 : tr("Click chooses it, a double click opens it, Ctrl+click or C collects it."));
        lines.removeAll(QString());
        return lines;
    }
    bool has(const Lit& lit) const override { return lit.row >= 0 && lit.row < count(); }
    Lit moved(const Lit& from, int down, int right) const override {
        if (count() == 0)
            return {};
        if (!has(from))
            return {0, -1};
        const int to = from.row + right + down * m_columns;
        return {to >= 0 && to < count() ? to : from.row, -1};
    }
    bool opens() const override { return true; }

    QStringList describe() const override {
        QStringList lines{QStringList{m_panel.title, m_panel.subtitle}.join(QLatin1Char(' ')).trimmed()};
        if (!m_panel.note.isEmpty())
            lines << m_panel.note;
        for (const auto& one : m_panel.tiles) {
            QStringList words{captionOf(one)};
            words << statesOf(one);
            words.removeAll(QString());
            lines << QStringList{one.name, words.join(QStringLiteral(", "))}.join(QStringLiteral(": "));
        }
        return lines;
    }
    void addNumbers(ViewNumbers& numbers) const override {
        for (const auto& one : m_panel.tiles)
            addMap(numbers, one.name, *one.map, m_panel.cellRows, m_panel.cellColumns);
        const auto say = [&numbers](const QString& name, const QString& words, const QString& value = {}) {
            numbers.rows << QStringList{name, {}, words, {}, {}, value};
        };
        for (const auto& one : m_panel.tiles) {
            if (one.caption && !one.map->values.empty())
                say(one.name, one.caption());
            if (one.collected >= 0)
                say(one.name, tr("collected"), QString::number(one.collected));
            if (one.off)
                say(one.name, tr("switched off"), QString::number(1));
        }
    }

private:
    int count() const { return static_cast<int>(m_panel.tiles.size()); }
    const TilePanel::Tile& at(int index) const { return m_panel.tiles[static_cast<std::size_t>(index)]; }
    static QString captionOf(const TilePanel::Tile& tile) { return tile.caption ? tile.caption() : QString(); }
    static QStringList statesOf(const TilePanel::Tile& tile) {
        QStringList states;
        if (tile.chosen)
            states << tr("selected");
        if (tile.collected >= 0)
            states << tr("collected");
        if (tile.off)
            states << tr("switched off");
        if (tile.pending)
            states << (tile.off ? tr("on in the next run") : tr("off in the next run"));
        return states;
    }

    /// Sizes of everything, were there so many columns.
    void divide(int columns) {
        const double rows = std::max(1.0, std::ceil(static_cast<double>(count()) / columns));
        m_gap = std::max<double>(columns, rows) > 12 ? 4 : 10;
        const double pitch = (m_area.width() - m_names + m_gap) / columns;
        const double height = (m_area.bottom() - noteHeight - m_top + m_gap) / rows - m_gap;
        m_caption = m_captions && height > 3.2 * m_line && pitch - m_gap > 56 ? m_line + 4 : 0;
        // Maps keep the shape of their cells as far as that is pleasant, so that long sentences are not squeezed into
        // squares; small ones are stretched to the room there is.
        m_height = std::max(4.0, std::min(height - m_caption, (pitch - m_gap) / m_shape));
        const double shape = std::clamp(m_shape * 60 / m_height, m_shape, 1.8);
        m_width = std::max(4.0, std::min(pitch - m_gap, m_height * shape));
    }
    QRectF tile(int index) const {
        const int row = index / m_columns, column = index % m_columns;
        return {std::round(m_area.left() + m_names + column * (m_width + m_gap)),
                std::round(m_top + row * (m_height + m_caption + m_gap)), std::floor(m_width), std::floor(m_height)};
    }

    void drawNames(QCPPainter& painter) {
        const double pitch = m_width + m_gap;
        const auto widest = [&](const QStringList& names) {
            double width = 0;
            for (const auto& name : names)
                width = std::max(width, textWidth(m_font, name));
            return width;
        };
        const auto& names = widest(m_panel.columnNames) + 4 > pitch && !m_panel.shortColumnNames.isEmpty()
                                ? m_panel.shortColumnNames
                                : m_panel.columnNames;
        const int columnStep = std::max(1, static_cast<int>(std::ceil((widest(names) + 2) / pitch)));
        for (int column = 0; column < names.size() && column < m_columns; column += columnStep) {
            const double middle = tile(column).center().x();
            drawText(painter, QRectF(middle - pitch * columnStep / 2, m_top - m_line - 4, pitch * columnStep, m_line),
                     Qt::AlignCenter, names[column], m_font, m_appearance.muted);
        }
        const int rowStep = std::max(1, static_cast<int>(std::ceil(m_line * 0.95 / (m_height + m_caption + m_gap))));
        for (int row = 0; row < m_panel.rowNames.size(); row += rowStep) {
            const auto place = tile(row * m_columns);
            drawText(painter, QRectF(m_area.left(), place.center().y() - m_line / 2, m_names - spacing, m_line),
                     Qt::AlignLeft | Qt::AlignVCenter, m_panel.rowNames[row], m_font, m_appearance.muted);
        }
    }
    QRgb color(float value, float high) const {
        return m_panel.differs ? m_appearance.signedColor(value / high) : m_appearance.color(value / high);
    }
    float highOf(const Map& map) const { return m_panel.ownRanges ? rangeOf(map) : m_panel.high; }
    void drawTile(QCPPainter& painter, int index) {
        const auto& one = at(index);
        const auto place = tile(index);
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setOpacity(one.off ? 0.3 : 1);
        if (one.map->rows > 0 && one.map->columns > 0)
            drawPooled(painter, place, one.map->values, one.map->rows, one.map->columns,
                       [this, high = highOf(*one.map)](float value) { return color(value, high); });
        painter.setOpacity(1);
        painter.setPen(m_appearance.line);
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(place.adjusted(-1, -1, 0, 0));
        painter.setRenderHint(QPainter::Antialiasing, true);
        if (one.off || one.pending) {
            painter.setPen(QPen(m_appearance.muted, 1.5, one.pending ? Qt::DotLine : Qt::SolidLine));
            painter.drawLine(place.bottomLeft(), place.topRight());
        }
        if (one.collected >= 0)
            drawCollected(painter, one.collected, place);
        if (m_caption > 0) {
            auto font = m_font;
            font.setStrikeOut(one.off);
            // Where there is no room its place alone says which head it is, or the first part is whole, not all cut.
            const auto caption = captionOf(one), all = tr("%1 · %2").arg(one.name, caption);
            const auto fits = [&](const QString& words) { return textWidth(font, words) <= m_width; };
            const auto& shorter = m_panel.rowNames.isEmpty() ? all : caption;
            const auto words = fits(all) ? all : fits(shorter) ? shorter : shorter.section(QStringLiteral(", "), 0, 0);
            drawText(painter, QRectF(place.left(), place.bottom() + 4, place.width(), m_line),
                     Qt::AlignLeft | Qt::AlignVCenter, elided(font, words, m_width), font, m_appearance.muted);
        }
    }
    /// A dot in a corner, in the colour that the head's lines have.
    void drawCollected(QCPPainter& painter, int category, const QRectF& place) {
        const double radius = std::clamp(place.height() * 0.12, 3.0, 7.0);
        painter.setPen(QPen(m_appearance.window, 1.5));
        painter.setBrush(m_appearance.category(category));
        painter.drawEllipse(place.topRight() + QPointF(-radius - 1, radius + 1), radius, radius);
    }
    void drawLegend(QCPPainter& painter) {
        const double top = m_area.bottom() - m_line;
        double x = m_area.left();
        const auto say = [&](const QString& words) {
            drawText(painter, QRectF(x, top, m_area.right() - x, m_line), Qt::AlignLeft | Qt::AlignVCenter,
                     elided(m_font, words, m_area.right() - x), m_font, m_appearance.muted);
            x += textWidth(m_font, words) + 6;
        };
        const auto highText =
            m_panel.ownRanges ? tr("strong in its map") : QString::number(static_cast<double>(m_panel.high), 'g', 2);
        say(m_panel.differs ? QStringLiteral("−%1").arg(highText) : QStringLiteral("0"));
        constexpr int width = 80;
        drawColorBar(painter, QRectF(std::round(x), std::round(top + m_line / 2 - 4), width, 8), m_appearance.line,
                     [this](float share) {
                         return QColor(color(m_panel.high * (m_panel.differs ? 2 * share - 1 : share), m_panel.high));
                     });
        x += width + 6;
        say(m_panel.differs ? QStringLiteral("+%1").arg(highText) : highText);
        x += 10;
        say(m_panel.note);
    }

    const TilePanel& m_panel;
    QFont m_font;
    QRectF m_area;
    bool m_captions = false;
    double m_shape = 1; ///< of a map: width through height
    int m_columns = 1;
    double m_names = 0;
    double m_gap = 10;
    double m_line = 12;
    double m_top = 0;
    double m_caption = 0;
    double m_width = 10;
    double m_height = 10;
};

} // namespace

std::unique_ptr<PanelArt> makeTileArt(const TilePanel& panel, const Appearance& appearance) {
    return std::make_unique<TileArt>(panel, appearance);
}

} // namespace headlight
