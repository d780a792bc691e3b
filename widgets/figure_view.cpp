// Lays panels out on a QCustomPlot, whose header is written with Qt's keywords, and follows mouse and keys.
#undef QT_NO_KEYWORDS
#include "widgets/figure_view.h"

#include "core/analysis/head_metrics.h"
#include "widgets/controls.h"
#include "widgets/derived.h"
#include "widgets/names.h"
#include "widgets/plain_text.h"
#include "widgets/run_box.h"
#include "widgets/veil.h"

#include <qcustomplot.h>

#include <QAbstractButton>
#include <QAccessible>
#include <QElapsedTimer>
#include <QLabel>
#include <QSignalBlocker>
#include <QToolTip>

#include <algorithm>
#include <cmath>
#include <utility>

namespace headlight {

namespace {

constexpr int worthAVeil = 150; ///< milliseconds

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

    const PanelArt& artAt(const Spot& spot) const { return *m_arts[static_cast<std::size_t>(spot.panel)]; }
    bool has(const Spot& spot) const {
        return !m_view.m_waiting && spot.panel >= 0 && static_cast<std::size_t>(spot.panel) < m_arts.size()
               && artAt(spot).has(spot.place);
    }
    /// Moves what is pointed at by arrow keys: within a panel, or on to another one that can be walked over.
    /// @param part to the next part of the row, such as another strip
    void walk(int down, int right, bool otherPanel, bool part = false) {
        const int count = static_cast<int>(m_arts.size());
        auto spot = m_spot;
        if (has(spot) && !otherPanel) {
            const int by = part ? artAt(spot).toNextPart(spot.place, right) : right;
            spot.place = artAt(spot).moved(spot.place, down, by);
        } else {
            const int step = down + right < 0 ? count - 1 : 1;
            spot.panel = has(m_spot) ? spot.panel : count - step % std::max(1, count);
            for (int tried = 0; tried < count; ++tried) {
                spot.panel = (spot.panel + step) % count;
                spot.place = artAt(spot).moved({}, 0, 0);
                if (spot.place != Lit{})
                    break;
            }
            if (spot.place == Lit{})
                return;
        }
        m_spot = spot;
        if (has(spot) && m_arts[static_cast<std::size_t>(spot.panel)]->reveal(spot.place))
            replot(QCustomPlot::rpQueuedReplot);
        m_view.point(spot);
        // What the mouse is told, keys are told too.
        const auto lines = has(m_spot) ? artAt(m_spot).wordsAt(m_spot.place) : QStringList();
        m_view.setAccessibleDescription(lines.join(QLatin1Char('\n')));
        QToolTip::showText(mapToGlobal(QPoint(20, height())), m_view.wordsAt(m_spot), this);
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
        if (!has(m_spot))
            m_spot = {};
        for (std::size_t i = 0; i < m_rects.size() && i < shapes.size(); ++i)
            if (shapes[i] == m_shapes[i] && shapes[i].first >= 0) {
                m_rects[i]->axis(QCPAxis::atBottom)->setRange(ranges[i].first);
                m_rects[i]->axis(QCPAxis::atLeft)->setRange(ranges[i].second);
            }
    }
    /// Keeps what part of a map is seen, but nothing to draw or point at.
    void dropPanels() {
        clearGraphs();
        m_arts.clear();
    }
    void drawnAgain() { replot(QCustomPlot::rpImmediateRefresh); }
    void liveAgain() { layer(QStringLiteral("live"))->replot(); }
    /// Of each map that zooms and is not seen whole: which it is, the columns and the rows that are seen.
    QVariantList zoomed() const {
        QVariantList parts;
        for (std::size_t i = 0; i < m_rects.size(); ++i) {
            const auto [rows, columns] = m_shapes[i];
            const auto across = m_rects[i]->axis(QCPAxis::atBottom)->range();
            const auto down = m_rects[i]->axis(QCPAxis::atLeft)->range();
            if (rows >= 0 && (across != QCPRange(0, columns) || down != QCPRange(0, rows)))
                parts << static_cast<int>(i) << across.lower << across.upper << down.lower << down.upper;
        }
        return parts;
    }
    void setZoomed(const QVariantList& parts) {
        for (std::size_t i = 0; i < m_rects.size(); ++i)
            if (m_shapes[i].first >= 0)
                for (auto* axis : {m_rects[i]->axis(QCPAxis::atBottom), m_rects[i]->axis(QCPAxis::atLeft)})
                    axis->setRange(0, 1e9); // which is kept within what there is
        for (qsizetype part = 0; part + 4 < parts.size(); part += 5) {
            const auto i = static_cast<std::size_t>(parts[part].toInt());
            if (i >= m_rects.size() || m_shapes[i].first < 0)
                continue;
            m_rects[i]->axis(QCPAxis::atBottom)->setRange(parts[part + 1].toDouble(), parts[part + 2].toDouble());
            m_rects[i]->axis(QCPAxis::atLeft)->setRange(parts[part + 3].toDouble(), parts[part + 4].toDouble());
        }
        replot(QCustomPlot::rpQueuedReplot);
    }
    void zoom(double factor) {
        for (std::size_t i = 0; i < m_rects.size(); ++i)
            if (m_shapes[i].first >= 0)
                for (auto* axis : {m_rects[i]->axis(QCPAxis::atBottom), m_rects[i]->axis(QCPAxis::atLeft)})
                    factor > 0 ? axis->scaleRange(factor) : axis->setRange(0, 1e9);
        replot(QCustomPlot::rpQueuedReplot);
        Q_EMIT m_view.chosen();
    }

    Spot spotAt(const QPointF& position) const {
        for (std::size_t i = 0; i < m_arts.size() && !m_view.m_waiting; ++i)
            if (const auto lit = m_arts[i]->at(position); lit != Lit{})
                return {static_cast<int>(i), lit};
        return {};
    }

protected:
    void mouseMoveEvent(QMouseEvent* event) override {
        QCustomPlot::mouseMoveEvent(event);
        const auto spot = spotAt(event->position());
        setCursor(spot.panel >= 0 && artAt(spot).opens() ? Qt::PointingHandCursor : Qt::ArrowCursor);
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
        const bool second = std::exchange(m_doubleClicked, false);
        if (dragged)
            Q_EMIT m_view.chosen();
        if (event->button() == Qt::LeftButton && !dragged && !second)
            m_view.click(spotAt(event->position()), event->modifiers());
    }
    void mouseDoubleClickEvent(QMouseEvent* event) override {
        QCustomPlot::mouseDoubleClickEvent(event);
        m_pressed = event->position().toPoint();
        if (event->button() != Qt::LeftButton)
            return;
        const auto spot = spotAt(event->position());
        m_doubleClicked =
            spot.panel >= 0 && m_view.doubleClicked(m_view.m_panels[static_cast<std::size_t>(spot.panel)], spot.place);
        if (!m_doubleClicked)
            zoom(0);
    }
    void wheelEvent(QWheelEvent* event) override {
        QCustomPlot::wheelEvent(event);
        Q_EMIT m_view.chosen();
    }
    void contextMenuEvent(QContextMenuEvent* event) override {
        QCoreApplication::sendEvent(&m_view, event); // QCustomPlot lets no event of the mouse through
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
    /// Rows and columns of a panel that zooms, -1 for one that does not. Of strips only the rows do.
    static std::pair<int, int> zoomedShape(const Panel& panel) {
        if (const auto* map = std::get_if<MapPanel>(&panel.content); map && map->zooms)
            return {map->map.rows, map->map.columns};
        if (const auto* strips = std::get_if<StripPanel>(&panel.content); strips && (strips->query || strips->rowsLook))
            return {static_cast<int>(strips->rows.size()) - strips->above - strips->below, 1};
        return {-1, -1};
    }
    std::unique_ptr<PanelArt> artOf(const Panel& panel) {
        const auto shape = zoomedShape(panel);
        auto* rect = PanelArt::hasAxes(panel) ? newRect(shape) : nullptr;
        if (shape.first >= 0)
            for (const auto& [axis, count] : {std::pair(rect->axis(QCPAxis::atBottom), shape.second),
                                              std::pair(rect->axis(QCPAxis::atLeft), shape.first)})
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
        auto area = whole.adjusted(20, 18, -20, -14);
        m_captionArea = QRectF(area.left(), area.bottom() - heightOfCaption(area), area.width(), heightOfCaption(area));
        area.setBottom(m_captionArea.top() - (m_view.m_caption.isEmpty() ? 0 : 8));
        for (std::size_t i = 0; i < m_arts.size(); ++i) {
            const auto& place = m_view.m_panels[i].place;
            m_arts[i]->arrange({area.left() + place.left() * area.width(), area.top() + place.top() * area.height(),
                                place.width() * area.width(), place.height() * area.height()});
        }
    }
    double heightOfCaption(const QRectF& area) const {
        if (m_view.m_caption.isEmpty())
            return 0;
        const QFontMetricsF metrics(sized(m_view.m_appearance, 0.85));
        const auto text = metrics.boundingRect(area, Qt::TextWordWrap, m_view.m_caption);
        return std::min(text.height(), 3 * metrics.lineSpacing());
    }
    void drawStill(QCPPainter& painter) {
        for (const auto& art : m_arts)
            art->drawStill(painter);
        painter.setFont(sized(m_view.m_appearance, 0.85));
        painter.setPen(m_view.m_appearance.muted);
        painter.drawText(m_captionArea, Qt::TextWordWrap, m_view.m_caption);
        if (!m_arts.empty() || m_view.m_waiting || m_view.m_stale)
            return;
        painter.setFont(sized(m_view.m_appearance, 1.05));
        painter.setPen(m_view.m_appearance.muted);
        auto lines = m_view.emptyText().split(QLatin1Char('\n'));
        std::transform(lines.begin(), lines.end(), lines.begin(), [](const QString& line) { return brief(line); });
        painter.drawText(viewport().adjusted(60, 40, -60, -40), Qt::AlignCenter | Qt::TextWordWrap,
                         lines.join(QLatin1Char('\n')));
    }
    void drawLive(QCPPainter& painter) {
        if (m_view.m_waiting)
            return;
        const auto pair = m_view.m_selection ? m_view.m_selection->pair() : Selection::Pair{};
        for (std::size_t i = 0; i < m_arts.size(); ++i) {
            auto lit = m_arts[i]->litBy(pair);
            // A pair says no more than the row where rows hold more than a key's weight.
            const bool pointed = m_spot.panel == static_cast<int>(i);
            if (pointed && (lit == Lit{} || (lit.column < 0 && lit.row == m_spot.place.row)))
                lit = m_spot.place;
            m_arts[i]->drawLive(painter, lit);
        }
    }

    FigureView& m_view;
    FigureLayout* m_layout;
    std::vector<std::unique_ptr<PanelArt>> m_arts;
    std::vector<QCPAxisRect*> m_rects;
    std::vector<std::pair<int, int>> m_shapes; ///< rows and columns of maps that zoom, -1 for other rects
    Spot m_spot;
    QRectF m_captionArea; ///< below the panels
    QPoint m_pressed;
    bool m_doubleClicked = false; ///< its second release is no click

    friend class FigureView;
};

FigureView::FigureView(QWidget* parent)
    : TraceView(parent), m_appearance(makeAppearance(Theme::Light, ColorMap::Blue, font())), m_canvas(new Canvas(this)),
      m_veil(new Veil(this, [this] { return figureArea(); })) {
    setFocusPolicy(Qt::StrongFocus);
    setFocusProxy(nullptr);
    m_veilSoon.setSingleShot(true);
    m_veilSoon.setInterval(worthAVeil);
    connect(&m_veilSoon, &QTimer::timeout, this, [this] {
        m_veiled = true;
        layVeil();
    });
    connect(&Derived::instance(), &Derived::ready, this, [this] {
        if (m_lacking)
            rebuild();
    });
    keepChoice(
        QStringLiteral("zoom"), [this] { return m_canvas->zoomed(); },
        [this](const QVariant& wanted) { m_canvas->setZoomed(wanted.toList()); });
}

FigureView::~FigureView() = default;

void FigureView::setTrace(TracePointer trace, TracePointer other) {
    m_trace = std::move(trace);
    m_other = std::move(other);
    rebuild();
    if (!m_stale)
        return;
    m_panels.clear(); // of a run that may be gone; a hidden view has none until it is seen
    m_canvas->dropPanels();
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
    m_veil->setColors(m_appearance.window, m_appearance.muted);
    colorControls();
    rebuild();
}

QString FigureView::titleOf(const Trace& run) const {
    const auto model = shownModel(run);
    return other() ? QStringLiteral("%1 · %2").arg(runName(*trace(), other().get(), &run != trace().get()), model)
                   : model;
}

std::shared_ptr<const ShownMap> FigureView::shown(const TracePointer& run, BlockKind kind) const {
    return needed(Derived::instance().map(run, kind, selection()->choice()));
}

std::shared_ptr<const ShownMap> FigureView::shownHead(const TracePointer& run, BlockKind kind) const {
    auto choice = selection()->choice();
    if (choice.mode != HeadMode::BestAligning)
        choice.mode = HeadMode::One;
    return needed(Derived::instance().map(run, kind, choice));
}

void FigureView::setStale(bool stale) {
    m_old = stale;
    layVeil();
}

void FigureView::layVeil() {
    m_veil->setWords(m_old ? tr("of the text before") : tr("being worked out…"));
    m_veil->lie(m_old || m_veiled);
}

void FigureView::rebuild() {
    m_stale = true;
    if (isVisible())
        refresh();
}

bool FigureView::sharesTokens(const Trace& run, BlockKind kind) const {
    const auto same = [](const std::vector<Token>& left, const std::vector<Token>& right) {
        return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                          [](const Token& a, const Token& b) { return a.text == b.text; });
    };
    return &run == trace().get()
           || (same(run.queryTokens(kind), trace()->queryTokens(kind))
               && same(run.keyTokens(kind), trace()->keyTokens(kind)));
}

TracePointer FigureView::fullRunOf(const TracePointer& run) const {
    return run && run == trace() && other() && isFullRun(*other(), *run) ? other() : nullptr;
}

Panel* FigureView::panelBefore(std::size_t index) {
    return index < m_panels.size() ? &m_panels[index] : nullptr;
}

void FigureView::refresh() {
    if (!m_stale && !(m_lacking && Derived::instance().patient()))
        return;
    QElapsedTimer clock;
    clock.start();
    m_lacking = m_waiting = false;
    auto panels = m_trace && m_selection ? build() : std::vector<Panel>();
    m_stale = false;
    if (m_waiting) {
        if (!m_veiled && !m_veilSoon.isActive())
            m_veilSoon.start();
        return;
    }
    m_veilSoon.stop();
    m_veiled = false;
    layVeil();
    m_panels = std::move(panels);
    for (auto& panel : m_panels)
        if (auto* map = std::get_if<MapPanel>(&panel.content); map && !m_legends)
            map->legend = false;
    m_canvas->takePanels();
    if (isVisible())
        m_canvas->drawnAgain();
    m_drawMilliseconds = static_cast<double>(clock.nsecsElapsed()) / 1e6;
    if (QAccessible::isActive() && !m_lacking) // words wait for nothing
        setAccessibleDescription(describe().mid(0, 12).join(QLatin1Char('\n')));
}

void FigureView::figure(QPaintDevice& device, const QSize& size) {
    const Derived::Patience patience;
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

QVariantMap FigureView::choices() const {
    QVariantMap choices;
    for (const auto& choice : m_choices)
        if (const auto now = choice.get(); now != choice.first)
            choices.insert(choice.name, now);
    return choices;
}

void FigureView::setChoices(const QVariantMap& choices) {
    const QSignalBlocker quiet(this); // it is not the user who chose
    for (const auto& choice : m_choices)
        if (const auto wanted = choices.value(choice.name, choice.first); wanted != choice.get())
            choice.set(wanted);
}

QRect FigureView::figureArea() const {
    const int top = m_controls ? m_controls->heightForWidth(width()) : 0;
    return {0, top, width(), height() - top};
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
    placeCanvas();
}

QStringList FigureView::describe() const {
    const Derived::Patience patience;
    const_cast<FigureView*>(this)->refresh();
    if (m_panels.empty())
        return {emptyText()};
    QStringList lines;
    for (const auto& art : m_canvas->m_arts)
        lines << art->describe();
    return lines;
}

ViewNumbers FigureView::numbers() const {
    const Derived::Patience patience;
    const_cast<FigureView*>(this)->refresh();
    ViewNumbers numbers{{tr("panel"), tr("row"), tr("row name"), tr("column"), tr("column name"), tr("value")}, {}};
    for (const auto& art : m_canvas->m_arts)
        art->addNumbers(numbers);
    return numbers;
}

std::function<ViewNumbers()> FigureView::numbersLater() const {
    /// The picture without what it was made of.
    class Still final : public FigureView {
    public:
        Still(std::vector<Panel> panels, const Appearance& appearance) {
            setAppearance(appearance);
            m_panels = std::move(panels);
            m_canvas->takePanels();
            m_stale = false;
        }

    private:
        std::vector<Panel> build() override { return {}; }
        QString emptyText() const override { return {}; }
    };
    const Derived::Patience patience;
    const_cast<FigureView*>(this)->refresh();
    if (m_panels.empty())
        return {};
    return [panels = m_panels, appearance = m_appearance] { return Still(panels, appearance).numbers(); };
}

QString FigureView::wordsAt(const Spot& spot) const {
    return spot.panel < 0 ? QString() : toolTipOf(m_canvas->artAt(spot).wordsAt(spot.place));
}

void FigureView::point(const Spot& spot) {
    if (m_selection)
        m_selection->hover(spot.panel < 0 ? Selection::Pair{} : m_canvas->artAt(spot).pairAt(spot.place));
    m_canvas->liveAgain();
}

void FigureView::click(const Spot& spot, Qt::KeyboardModifiers modifiers) {
    if (!m_selection)
        return;
    if (spot.panel < 0)
        return m_selection->freeLock();
    if (clicked(m_panels[static_cast<std::size_t>(spot.panel)], spot.place, modifiers))
        return;
    if (const auto pair = m_canvas->artAt(spot).pairAt(spot.place); pair.query || pair.key)
        m_selection->toggleLock(pair);
}

FigureView::Pointed FigureView::pointed() const {
    const auto& spot = m_canvas->m_spot;
    if (m_stale || !m_canvas->has(spot))
        return {};
    return {&m_panels[static_cast<std::size_t>(spot.panel)], spot.place};
}

void FigureView::addControl(QWidget* control, const QString& label) {
    if (!m_controls) {
        m_controls = new QWidget(this);
        m_controls->setProperty("controls", true);
        m_controls->setProperty("compact", true);
        m_controls->setAutoFillBackground(true);
        auto* row = new FlowLayout(m_controls);
        row->setContentsMargins(20, 10, 20, 0);
        row->setSpacing(8);
        m_controls->installEventFilter(this);
        colorControls();
        m_controls->show();
    }
    if (!label.isEmpty()) {
        auto* words = new QLabel(label);
        words->setProperty("note", true);
        words->setBuddy(control);
        m_controls->layout()->addWidget(words);
        control->setAccessibleName(label);
    }
    m_controls->layout()->addWidget(control);
    placeCanvas();
}

void FigureView::setExtras(const QString& caption, bool legends) {
    m_caption = brief(caption);
    m_legends = legends;
    rebuild();
}

QList<TraceView::Place> FigureView::places(const QSize& size) {
    constexpr int step = 2; // what is smaller is not pointed at
    const Derived::Patience patience;
    refresh();
    m_canvas->setViewport(QRect(QPoint(), size));
    m_canvas->replot(QCustomPlot::rpQueuedRefresh); // which lays it out
    std::vector<std::pair<Spot, QRectF>> found;
    std::size_t last = 0; // a neighbour is most often of the same
    for (int y = 0; y < size.height(); y += step)
        for (int x = 0; x < size.width(); x += step) {
            const auto spot = m_canvas->spotAt(QPointF(x, y));
            if (spot.panel < 0)
                continue;
            if (last >= found.size() || !(found[last].first == spot)) {
                const auto same =
                    std::find_if(found.rbegin(), found.rend(), [&](const auto& one) { return one.first == spot; });
                last = static_cast<std::size_t>(found.rend() - same) - 1;
                if (same == found.rend()) {
                    last = found.size();
                    found.emplace_back(spot, QRectF(x, y, step, step));
                }
            }
            found[last].second |= QRectF(x, y, step, step);
        }
    QList<Place> places;
    for (const auto& [spot, area] : found)
        if (const auto words = m_canvas->artAt(spot).wordsAt(spot.place); !words.isEmpty())
            places.append({area, words});
    m_canvas->setViewport(m_canvas->rect());
    if (isVisible())
        m_canvas->replot(QCustomPlot::rpQueuedReplot);
    return places;
}

void FigureView::keepChoice(const QString& name, std::function<QVariant()> get,
                            std::function<void(const QVariant&)> set) {
    auto first = get();
    m_choices.push_back({name, std::move(get), std::move(set), std::move(first)});
}

void FigureView::keepChoice(const QString& name, QComboBox* box) {
    // Lists whose entries come with a run tell them by their data.
    keepChoice(
        name,
        [box]() -> QVariant {
            const auto entry = box->currentData();
            return entry.isValid() ? entry : box->currentIndex();
        },
        [box](const QVariant& wanted) {
            const bool byData = box->count() == 0 || box->itemData(0).isValid();
            if (byData && box->findData(wanted) < 0)
                box->addItem({}, wanted); // until there is a run, which has it or not
            const int index = byData ? box->findData(wanted) : wanted.toInt();
            box->setCurrentIndex(index < box->count() ? index : 0);
        });
    connect(box, &QComboBox::currentIndexChanged, this, &FigureView::chosen);
}

void FigureView::keepChoice(const QString& name, QAbstractButton* button) {
    keepChoice(
        name, [button] { return button->isChecked(); },
        [button](const QVariant& wanted) { button->setChecked(wanted.toBool()); });
    connect(button, &QAbstractButton::toggled, this, &FigureView::chosen);
}

void FigureView::keepChoice(const QString& name, QSpinBox* box) {
    keepChoice(
        name, [box] { return box->value(); }, [box](const QVariant& wanted) { box->setValue(wanted.toInt()); });
    connect(box, &QSpinBox::valueChanged, this, &FigureView::chosen);
}

void FigureView::keepChoice(const QString& name, RunBox* box) {
    keepChoice(
        name, [box] { return box->asked(); },
        [this, box](const QVariant& wanted) {
            box->ask(wanted.toInt());
            rebuild();
        });
    connect(box, &QComboBox::activated, this, &FigureView::chosen);
}

void FigureView::colorControls() {
    if (!m_controls)
        return;
    auto palette = widgetPalette(m_appearance);
    palette.setColor(QPalette::Window, m_appearance.window); // one sheet with the figure below
    m_controls->setPalette(palette);
}

void FigureView::placeCanvas() {
    const auto area = figureArea();
    if (m_controls)
        m_controls->setGeometry(0, 0, width(), area.top());
    m_canvas->setGeometry(area);
}

bool FigureView::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_controls && event->type() == QEvent::LayoutRequest) // a control came, went or grew
        placeCanvas();
    // Return in a number is no click in the figure, and an arrow no walk there.
    if (watched == m_controls && event->type() == QEvent::KeyPress
        && !takesFromControls(*static_cast<const QKeyEvent*>(event)))
        return true;
    return TraceView::eventFilter(watched, event);
}

bool FigureView::takesFromControls(const QKeyEvent& event) const {
    return event.key() == Qt::Key_Escape;
}

void FigureView::keyPressEvent(QKeyEvent* event) {
    const int key = event->key();
    const int down = (key == Qt::Key_Down) - (key == Qt::Key_Up),
              right = (key == Qt::Key_Right) - (key == Qt::Key_Left);
    if (!m_selection || m_panels.empty())
        return TraceView::keyPressEvent(event);
    if (key == Qt::Key_Plus || key == Qt::Key_Minus || key == Qt::Key_0)
        return m_canvas->zoom(key == Qt::Key_Plus ? 0.8 : key == Qt::Key_Minus ? 1.25 : 0);
    if (key == Qt::Key_Escape)
        return m_selection->freeLock();
    if (key == Qt::Key_Return || key == Qt::Key_Enter || key == Qt::Key_Space)
        return click(m_canvas->m_spot, event->modifiers());
    const bool panels = event->modifiers() == Qt::ControlModifier; // from panel to panel
    if (right != 0 && event->modifiers() == (Qt::ControlModifier | Qt::ShiftModifier))
        return m_canvas->walk(0, right, false, true);
    if ((down == 0 && right == 0) || (event->modifiers() != Qt::NoModifier && !panels))
        return TraceView::keyPressEvent(event);
    m_canvas->walk(down, right, panels);
}

} // namespace headlight
