// Lays panels out on a QCustomPlot, whose header is written with Qt's keywords, and follows mouse and keys.
#undef QT_NO_KEYWORDS
#include "widgets/figure_view.h"

#include <qcustomplot.h>

#include <QElapsedTimer>
#include <QToolTip>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

/// Hands the panels' places to the arts whenever QCustomPlot lays itself out.
class FigureLayout final : public QCPLayoutInset {
public:
    explicit FigureLayout(std::function<void(const QRectF&)> arrange) : m_arrange(std::move(arrange)) {
        setAutoMargins(QCP::msNone);
        setMargins({});
    }
    void updateLayout() override { m_arrange(QRectF(rect())); }

private:
    std::function<void(const QRectF&)> m_arrange;
};

/// A layer's only content: a function that draws.
class Drawing final : public QCPLayerable {
public:
    Drawing(QCustomPlot* plot, const QString& layer, std::function<void(QCPPainter&)> draw)
        : QCPLayerable(plot, layer), m_draw(std::move(draw)) {}

private:
    QRect clipRect() const override { return parentPlot()->viewport(); }
    void applyDefaultAntialiasingHint(QCPPainter*) const override {}
    void draw(QCPPainter* painter) override { m_draw(*painter); }

    std::function<void(QCPPainter&)> m_draw;
};

} // namespace

class FigureView::Canvas final : public QCustomPlot {
public:
    explicit Canvas(FigureView* view) : QCustomPlot(view), m_view(*view) {
        setFocusPolicy(Qt::NoFocus);
        setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
        setMouseTracking(true);
        plotLayout()->clear();
        plotLayout()->setAutoMargins(QCP::msNone);
        plotLayout()->setMargins({});
        m_layout = new FigureLayout([this](const QRectF& area) { arrange(area); });
        plotLayout()->addElement(0, 0, m_layout);
        new Drawing(this, QStringLiteral("main"), [this](QCPPainter& painter) { drawStill(painter); });
        addLayer(QStringLiteral("live"), layer(QStringLiteral("main")), limAbove);
        layer(QStringLiteral("live"))->setMode(QCPLayer::lmBuffered);
        new Drawing(this, QStringLiteral("live"), [this](QCPPainter& painter) { drawLive(painter); });
    }

    /// Takes the view's panels anew. A map that zooms keeps what part of it is seen while its shape stays.
    void takePanels() {
        std::vector<std::pair<QCPRange, QCPRange>> ranges;
        std::vector<std::pair<int, int>> shapes = m_shapes;
        for (auto* rect : m_rects)
            ranges.emplace_back(rect->axis(QCPAxis::atBottom)->range(), rect->axis(QCPAxis::atLeft)->range());
        clearGraphs();
        m_arts.clear();
        for (auto* rect : m_rects)
            m_layout->remove(rect);
        m_rects.clear();
        m_shapes.clear();
        setBackground(QBrush(m_view.m_appearance.window));
        for (const auto& panel : m_view.m_panels)
            m_arts.push_back(artOf(panel));
        if (!m_view.has(m_spot))
            m_spot = {};
        for (std::size_t i = 0; i < m_rects.size() && i < shapes.size(); ++i)
            if (shapes[i] == m_shapes[i] && shapes[i].first >= 0) {
                m_rects[i]->axis(QCPAxis::atBottom)->setRange(ranges[i].first);
                m_rects[i]->axis(QCPAxis::atLeft)->setRange(ranges[i].second);
            }
    }
    void drawnAgain() { replot(QCustomPlot::rpImmediateRefresh); }
    void liveAgain() { layer(QStringLiteral("live"))->replot(); }
    void zoom(double factor) {
        for (std::size_t i = 0; i < m_rects.size(); ++i)
            if (m_shapes[i].first >= 0)
                for (auto* axis : {m_rects[i]->axis(QCPAxis::atBottom), m_rects[i]->axis(QCPAxis::atLeft)})
                    factor > 0 ? axis->scaleRange(factor) : axis->setRange(0, 1e9);
        replot(QCustomPlot::rpQueuedReplot);
    }

    Spot spotAt(const QPointF& position) const {
        for (std::size_t i = 0; i < m_arts.size(); ++i)
            if (const auto lit = m_arts[i]->at(position); lit.row >= 0)
                return {static_cast<int>(i), lit.row, lit.column};
        return {};
    }

protected:
    void mouseMoveEvent(QMouseEvent* event) override {
        QCustomPlot::mouseMoveEvent(event);
        const auto spot = spotAt(event->position());
        setCursor(
            spot.panel >= 0
                    && std::holds_alternative<TilePanel>(m_view.m_panels[static_cast<std::size_t>(spot.panel)].content)
                ? Qt::PointingHandCursor
                : Qt::ArrowCursor);
        if (spot == m_spot)
            return;
        m_spot = spot;
        m_view.point(spot);
        const auto words = m_view.wordsAt(spot);
        words.isEmpty() ? QToolTip::hideText() : QToolTip::showText(event->globalPosition().toPoint(), words, this);
    }
    void mousePressEvent(QMouseEvent* event) override {
        QCustomPlot::mousePressEvent(event);
        m_pressed = event->position().toPoint();
        m_view.setFocus(Qt::MouseFocusReason);
    }
    void mouseReleaseEvent(QMouseEvent* event) override {
        QCustomPlot::mouseReleaseEvent(event);
        const bool dragged = (event->position().toPoint() - m_pressed).manhattanLength() > 4;
        if (event->button() == Qt::LeftButton && !dragged)
            m_view.click(spotAt(event->position()));
    }
    void mouseDoubleClickEvent(QMouseEvent* event) override {
        QCustomPlot::mouseDoubleClickEvent(event);
        zoom(0);
    }
    void leaveEvent(QEvent* event) override {
        QCustomPlot::leaveEvent(event);
        m_spot = {};
        m_view.point({});
    }

private:
    QCPAxisRect* newRect(std::pair<int, int> shape) {
        auto* rect = new QCPAxisRect(this);
        rect->setAutoMargins(QCP::msNone);
        rect->setMargins({});
        rect->setMinimumSize(1, 1);
        m_layout->addElement(rect, QRectF());
        m_rects.push_back(rect);
        m_shapes.push_back(shape);
        return rect;
    }
    std::unique_ptr<PanelArt> artOf(const Panel& panel) {
        const auto* map = std::get_if<MapPanel>(&panel.content);
        const bool zooms = map && map->zooms;
        auto* rect = PanelArt::hasAxes(panel)
                         ? newRect(zooms ? std::pair(map->map.rows, map->map.columns) : std::pair(-1, -1))
                         : nullptr;
        if (zooms)
            for (const auto& [axis, count] : {std::pair(rect->axis(QCPAxis::atBottom), map->map.columns),
                                              std::pair(rect->axis(QCPAxis::atLeft), map->map.rows)})
                connect(axis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), axis,
                        [axis = axis, count = count](const QCPRange& range) { axis->setRange(kept(range, count)); });
        return PanelArt::make(panel, m_view.m_appearance, rect);
    }
    /// A range within [0, count], at least two cells wide.
    static QCPRange kept(const QCPRange& range, int count) {
        const double size =
            std::clamp(range.size(), std::min(2.0, static_cast<double>(count)), static_cast<double>(count));
        const double lower = std::clamp(range.lower, 0.0, std::max(0.0, count - size));
        return {lower, lower + size};
    }

    void arrange(const QRectF& whole) {
        const auto area = whole.adjusted(20, 18, -20, -14);
        for (std::size_t i = 0; i < m_arts.size(); ++i) {
            const auto& place = m_view.m_panels[i].place;
            m_arts[i]->arrange({area.left() + place.left() * area.width(), area.top() + place.top() * area.height(),
                                place.width() * area.width(), place.height() * area.height()});
        }
    }
    void drawStill(QCPPainter& painter) {
        for (const auto& art : m_arts)
            art->drawStill(painter);
        if (!m_arts.empty())
            return;
        painter.setFont(sized(m_view.m_appearance, 1.05));
        painter.setPen(m_view.m_appearance.muted);
        painter.drawText(viewport().adjusted(60, 40, -60, -40), Qt::AlignCenter | Qt::TextWordWrap, m_view.emptyText());
    }
    void drawLive(QCPPainter& painter) {
        const auto pair = m_view.m_selection ? m_view.m_selection->pair() : Selection::Pair{};
        for (std::size_t i = 0; i < m_arts.size(); ++i) {
            auto lit = m_arts[i]->litBy(pair);
            if (lit.row < 0 && m_spot.panel == static_cast<int>(i)
                && std::holds_alternative<TilePanel>(m_view.m_panels[i].content))
                lit.row = m_spot.row;
            m_arts[i]->drawLive(painter, lit);
        }
    }

    FigureView& m_view;
    FigureLayout* m_layout;
    std::vector<std::unique_ptr<PanelArt>> m_arts;
    std::vector<QCPAxisRect*> m_rects;
    std::vector<std::pair<int, int>> m_shapes; ///< rows and columns of maps that zoom, -1 for other rects
    Spot m_spot;
    QPoint m_pressed;

    friend class FigureView;
};

FigureView::FigureView(QWidget* parent)
    : TraceView(parent), m_appearance(makeAppearance(Theme::Light, ColorMap::Blue, font())),
      m_canvas(new Canvas(this)) {
    setFocusPolicy(Qt::StrongFocus);
    setFocusProxy(nullptr);
}

FigureView::~FigureView() = default;

void FigureView::setTrace(TracePointer trace, TracePointer other) {
    m_trace = std::move(trace);
    m_other = std::move(other);
    rebuild();
}

void FigureView::setSelection(Selection* selection) {
    m_selection = selection;
    connect(selection, &Selection::headChanged, this, &FigureView::rebuild);
    connect(selection, &Selection::pairChanged, this, [this] {
        if (isVisible() && !m_stale)
            m_canvas->liveAgain();
    });
    rebuild();
}

void FigureView::setAppearance(const Appearance& appearance) {
    m_appearance = appearance;
    rebuild();
}

void FigureView::rebuild() {
    m_stale = true;
    if (isVisible())
        refresh();
}

void FigureView::refresh() {
    if (!m_stale)
        return;
    QElapsedTimer clock;
    clock.start();
    m_panels = m_trace && m_selection ? build() : std::vector<Panel>();
    m_canvas->takePanels();
    m_stale = false;
    if (isVisible())
        m_canvas->drawnAgain();
    m_drawMilliseconds = static_cast<double>(clock.nsecsElapsed()) / 1e6;
    setAccessibleDescription(describe().mid(0, 12).join(QLatin1Char('\n')));
}

void FigureView::figure(QPaintDevice& device, const QSize& size) {
    refresh();
    const auto kind = device.paintEngine() ? device.paintEngine()->type() : QPaintEngine::Raster;
    QCPPainter painter;
    if (!painter.begin(&device))
        return;
    painter.setMode(QCPPainter::pmVectorized, kind != QPaintEngine::Raster);
    m_canvas->toPainter(&painter, size.width(), size.height());
    painter.end();
    if (isVisible())
        m_canvas->replot(QCustomPlot::rpQueuedReplot);
}

double FigureView::drawMilliseconds() const {
    return m_drawMilliseconds;
}

QSize FigureView::sizeHint() const {
    return {820, 720};
}

void FigureView::showEvent(QShowEvent* event) {
    TraceView::showEvent(event);
    m_canvas->setBufferDevicePixelRatio(devicePixelRatioF());
    refresh();
}

void FigureView::resizeEvent(QResizeEvent* event) {
    TraceView::resizeEvent(event);
    m_canvas->setGeometry(rect());
}

QStringList FigureView::describe() const {
    const_cast<FigureView*>(this)->refresh();
    if (m_panels.empty())
        return {emptyText()};
    QStringList lines;
    for (const auto& panel : m_panels) {
        if (const auto* map = std::get_if<MapPanel>(&panel.content)) {
            lines << QStringList{map->title, map->subtitle}.join(QLatin1Char(' ')).trimmed();
            for (int row = 0; row < map->map.rows && row < map->rows.size(); ++row) {
                const auto values = map->map.row(row);
                const auto largest = std::max_element(values.begin(), values.end(), [](float a, float b) {
                    return std::isnan(a) || std::abs(a) < std::abs(b);
                });
                if (largest != values.end())
                    lines << tr("%1 → %2: %3")
                                 .arg(map->rows[row], map->columns.value(static_cast<int>(largest - values.begin())),
                                      numberText(*largest));
            }
        } else if (const auto* bars = std::get_if<BarPanel>(&panel.content)) {
            lines << bars->title;
            for (int row = 0; row < bars->labels.size(); ++row)
                lines << tr("%1: %2").arg(bars->labels[row], numberText(bars->values[static_cast<std::size_t>(row)]));
        } else if (const auto* curves = std::get_if<CurvePanel>(&panel.content)) {
            lines << curves->title;
            for (const auto& curve : curves->curves)
                lines << tr("%1: %n value(s)", nullptr, static_cast<int>(curve.values.size())).arg(curve.name);
        } else if (const auto* tiles = std::get_if<TilePanel>(&panel.content)) {
            lines << QStringList{tiles->title, tiles->subtitle}.join(QLatin1Char(' ')).trimmed();
            for (const auto& tile : tiles->tiles)
                lines << QStringList{tile.name, tile.caption}.join(QStringLiteral(": "));
        }
    }
    return lines;
}

ViewNumbers FigureView::numbers() const {
    const_cast<FigureView*>(this)->refresh();
    ViewNumbers numbers{{tr("panel"), tr("row"), tr("row name"), tr("column"), tr("column name"), tr("value")}, {}};
    const auto add = [&](const QString& panel, int row, const QString& rowName, int column, const QString& columnName,
                         float value) {
        numbers.rows << QStringList{panel,      QString::number(row),
                                    rowName,    column < 0 ? QString() : QString::number(column),
                                    columnName, QString::number(static_cast<double>(value), 'g', 9)};
    };
    const auto addMap = [&](const QString& name, const Map& map, const QStringList& rows, const QStringList& columns) {
        for (int row = 0; row < map.rows; ++row)
            for (int column = 0; column < map.columns; ++column)
                add(name, row, rows.value(row), column, columns.value(column), map.at(row, column));
    };
    for (const auto& panel : m_panels) {
        if (const auto* map = std::get_if<MapPanel>(&panel.content))
            addMap(QStringList{map->title, map->subtitle}.join(QLatin1Char(' ')).trimmed(), map->map, map->rows,
                   map->columns);
        else if (const auto* bars = std::get_if<BarPanel>(&panel.content))
            for (std::size_t row = 0; row < bars->values.size(); ++row)
                add(bars->title, static_cast<int>(row), bars->labels.value(static_cast<int>(row)), -1, {},
                    bars->values[row]);
        else if (const auto* curves = std::get_if<CurvePanel>(&panel.content))
            for (const auto& curve : curves->curves)
                for (std::size_t place = 0; place < curve.values.size(); ++place)
                    add(curves->title, static_cast<int>(place), {}, -1, curve.name, curve.values[place]);
        else if (const auto* tiles = std::get_if<TilePanel>(&panel.content))
            for (const auto& tile : tiles->tiles)
                addMap(tile.name, tile.map, {}, {});
    }
    return numbers;
}

bool FigureView::has(const Spot& spot) const {
    if (spot.panel < 0 || static_cast<std::size_t>(spot.panel) >= m_panels.size())
        return false;
    const auto& content = m_panels[static_cast<std::size_t>(spot.panel)].content;
    if (const auto* map = std::get_if<MapPanel>(&content))
        return spot.row < map->map.rows && spot.column >= 0 && spot.column < map->map.columns;
    if (const auto* bars = std::get_if<BarPanel>(&content))
        return static_cast<std::size_t>(spot.row) < bars->values.size();
    if (const auto* tiles = std::get_if<TilePanel>(&content))
        return static_cast<std::size_t>(spot.row) < tiles->tiles.size();
    return false;
}

Selection::Pair FigureView::pairAt(const Spot& spot) const {
    if (spot.panel < 0)
        return {};
    const auto& content = m_panels[static_cast<std::size_t>(spot.panel)].content;
    if (const auto* map = std::get_if<MapPanel>(&content); map && map->pointsAtTokens)
        return {map->kind, Query(tokenAt(map->queryRows, spot.row)), Key(tokenAt(map->keyColumns, spot.column))};
    if (const auto* bars = std::get_if<BarPanel>(&content))
        return {bars->kind, Query(tokenAt(bars->queryRows, spot.row)), {}};
    return {};
}

QString FigureView::wordsAt(const Spot& spot) const {
    if (spot.panel < 0)
        return {};
    // Marked as rich text, for a token such as <s> would make it so and vanish.
    const auto rich = [](const QStringList& lines) {
        return QStringLiteral("<qt>%1</qt>")
            .arg(lines.join(QLatin1Char('\n')).toHtmlEscaped().replace(QLatin1Char('\n'), QStringLiteral("<br>")));
    };
    const auto& content = m_panels[static_cast<std::size_t>(spot.panel)].content;
    if (const auto* map = std::get_if<MapPanel>(&content))
        return rich({tr("%1 → %2").arg(map->rows.value(spot.row, QString::number(spot.row)),
                                       map->columns.value(spot.column, QString::number(spot.column))),
                     numberText(map->map.at(spot.row, spot.column), 4)});
    if (const auto* tiles = std::get_if<TilePanel>(&content)) {
        const auto& tile = tiles->tiles[static_cast<std::size_t>(spot.row)];
        return rich({tile.name, tile.caption, tr("Click to open it.")});
    }
    return {};
}

void FigureView::point(const Spot& spot) {
    if (m_selection)
        m_selection->hover(pairAt(spot));
    m_canvas->liveAgain();
}

void FigureView::click(const Spot& spot) {
    if (!m_selection || spot.panel < 0) {
        if (m_selection)
            m_selection->freeLock();
        return;
    }
    if (const auto* tiles = std::get_if<TilePanel>(&m_panels[static_cast<std::size_t>(spot.panel)].content))
        openTile(*tiles, spot.row);
    else if (const auto pair = pairAt(spot); pair.query)
        m_selection->toggleLock(pair);
}

void FigureView::openTile(const TilePanel& panel, int tile) {
    const auto kind = panel.kind;
    const auto layer = panel.tiles[static_cast<std::size_t>(tile)].layer;
    const auto head = panel.tiles[static_cast<std::size_t>(tile)].head;
    m_selection->setHead(kind, layer, head);
    Q_EMIT headOpened();
}

void FigureView::keyPressEvent(QKeyEvent* event) {
    const int key = event->key();
    int down = (key == Qt::Key_Down) - (key == Qt::Key_Up), right = (key == Qt::Key_Right) - (key == Qt::Key_Left);
    if (!m_selection || m_panels.empty())
        return TraceView::keyPressEvent(event);
    if (key == Qt::Key_Plus || key == Qt::Key_Minus || key == Qt::Key_0)
        return m_canvas->zoom(key == Qt::Key_Plus ? 0.8 : key == Qt::Key_Minus ? 1.25 : 0);
    if (key == Qt::Key_Escape)
        return m_selection->freeLock();
    auto& spot = m_canvas->m_spot;
    int rows = 0, columns = 0;
    const auto* tiles = std::get_if<TilePanel>(&m_panels.front().content);
    if (const auto* map = std::get_if<MapPanel>(&m_panels.front().content)) {
        rows = map->map.rows;
        columns = map->map.columns;
    } else if (tiles) {
        rows = static_cast<int>(tiles->tiles.size());
        right += down * tiles->columns;
        down = 0;
    }
    if (rows == 0 || event->modifiers() != Qt::NoModifier)
        return TraceView::keyPressEvent(event);
    if (key == Qt::Key_Return || key == Qt::Key_Enter || key == Qt::Key_Space)
        return click(spot);
    if (down == 0 && right == 0)
        return TraceView::keyPressEvent(event);
    const bool entering = spot.panel != 0;
    if (entering)
        spot = {0, 0, tiles ? -1 : 0};
    else if (tiles)
        spot.row = std::clamp(spot.row + right, 0, rows - 1);
    else
        spot = {0, std::clamp(spot.row + down, 0, rows - 1), std::clamp(spot.column + right, 0, columns - 1)};
    point(spot);
}

} // namespace headlight
