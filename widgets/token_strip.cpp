// Chips are measured once for a text and placed once for a width; painting and hovering only look them up.
#include "widgets/token_strip.h"

#include "widgets/derived.h"
#include "widgets/names.h"
#include "widgets/plain_text.h"

#include <QFocusEvent>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QScrollArea>
#include <QToolTip>

#include <algorithm>
#include <utility>

namespace headlight {

namespace {

constexpr int padding = 7;
constexpr int gap = 5;
constexpr int gapWithinWord = 2;
constexpr int widestChip = 240;
constexpr int narrowestStrip = 96;
constexpr double radius = 4;

int chipHeight(const QFont& font) {
    return QFontMetrics(font).height() + 6;
}

} // namespace

TokenStrip::TokenStrip(Side side, QWidget* parent)
    : QWidget(parent), m_side(side), m_appearance(makeAppearance(Theme::Light, ColorMap::Blue, font())) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(side == Side::Source ? tr("Source tokens") : tr("Target tokens"));
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    connect(&Derived::instance(), &Derived::ready, this, [this] {
        if (m_lacking)
            refresh();
    });
    refresh();
}

void TokenStrip::setTrace(TracePointer trace) {
    m_trace = std::move(trace);
    refresh();
}

void TokenStrip::setSelection(Selection* selection) {
    if (m_selection)
        m_selection->disconnect(this);
    m_selection = selection;
    if (selection) {
        connect(selection, &Selection::headChanged, this, &TokenStrip::refresh);
        connect(selection, &Selection::pairChanged, this, &TokenStrip::repaintLit);
    }
    refresh();
}

void TokenStrip::setAppearance(const Appearance& appearance) {
    m_appearance = appearance;
    refresh();
}

void TokenStrip::refresh() {
    m_font = sized(m_appearance, 0.93);
    m_tokens = nullptr;
    m_lacking = false;
    m_decoderRowChip = m_decoderKeyChip = 0;
    m_decoderAlone = m_trace && m_trace->source.empty() && !m_trace->target.empty();
    if (m_trace && m_side == Side::Source) {
        m_tokens = m_decoderAlone ? &m_trace->target : &m_trace->source;
    } else if (m_trace) {
        const bool looks = m_selection && hasHeads(*m_trace, BlockKind::Cross);
        const auto cross = looks ? Derived::instance().map(m_trace, BlockKind::Cross, m_selection->choice()) : nullptr;
        m_lacking = looks && !cross;
        const bool decodes = m_selection && hasHeads(*m_trace, BlockKind::Decoder);
        const auto ofDecoder =
            decodes ? rowsOf(m_selection->reading()).value_or(RowTokens::TakenIn) : RowTokens::TakenIn;
        auto rows = m_trace->emitted.empty() ? RowTokens::TakenIn : RowTokens::Emitted;
        if (cross || decodes)
            rows = cross ? cross->rows : ofDecoder;
        m_tokens = &rowTokens(*m_trace, BlockKind::Cross, rows);
        // The decoder gives out at step t what it takes in at step t + 1: the same word is one chip earlier there.
        const auto chipOfFirst = [rows](RowTokens named) {
            return static_cast<int>(named == RowTokens::Emitted) - static_cast<int>(rows == RowTokens::Emitted);
        };
        m_decoderKeyChip = chipOfFirst(RowTokens::TakenIn);
        m_decoderRowChip = decodes ? chipOfFirst(ofDecoder) : m_decoderKeyChip;
    }

    m_chips.clear();
    const QFontMetrics metrics(m_font);
    const auto texts = m_tokens ? shownTexts(*m_tokens) : QStringList();
    for (std::size_t i = 0; m_tokens && i < m_tokens->size(); ++i) {
        const auto& token = (*m_tokens)[i];
        Chip chip;
        chip.text = texts[static_cast<qsizetype>(i)];
        chip.width = std::max(metrics.horizontalAdvance(chip.text), 4) + 2 * padding;
        chip.special = token.special;
        const bool followsInText = i > 0 && token.segment == (*m_tokens)[i - 1].segment;
        chip.continues = followsInText && token.word >= 0 && token.word == (*m_tokens)[i - 1].word;
        chip.added = m_decoderAlone && static_cast<int>(i) >= m_trace->prompt;
        m_chips.push_back(std::move(chip));
    }
    m_places.width = -1;
    m_current = std::clamp(m_current, 0, std::max(0, static_cast<int>(m_chips.size()) - 1));
    m_lit = m_selection ? litBy(m_selection->pair()) : std::vector<int>();
    constexpr int mostSpoken = 60;
    setAccessibleDescription(describe().mid(0, mostSpoken).join(QLatin1Char(' ')));
    updateGeometry();
    update();
}

const TokenStrip::Places& TokenStrip::places(int width) const {
    width = std::max(width, narrowestStrip);
    if (m_places.width == width)
        return m_places;
    m_places.width = width;
    m_places.rects.clear();
    const int line = chipHeight(m_font);
    int left = 0, top = 0;
    for (const auto& chip : m_chips) {
        const int wide = std::min({chip.width, widestChip, width});
        if (left > 0)
            left += chip.continues ? gapWithinWord : gap;
        if (left + wide > width) {
            left = 0;
            top += line + gap;
        }
        m_places.rects.emplace_back(left, top, wide, line);
        left += wide;
    }
    m_places.height = top + line;
    return m_places;
}

int TokenStrip::heightForWidth(int width) const {
    return places(width).height;
}

QSize TokenStrip::sizeHint() const {
    constexpr int width = 260;
    return {width, heightForWidth(width)};
}

QSize TokenStrip::minimumSizeHint() const {
    return {narrowestStrip, chipHeight(m_font)};
}

QStringList TokenStrip::describe() const {
    QStringList texts;
    for (std::size_t i = 0; i < m_chips.size(); ++i) {
        const bool lit = std::find(m_lit.begin(), m_lit.end(), static_cast<int>(i)) != m_lit.end();
        texts << (lit ? QStringLiteral("[%1]").arg(m_chips[i].text) : m_chips[i].text);
    }
    return texts;
}

std::vector<int> TokenStrip::litBy(const Selection::Pair& pair) const {
    std::vector<int> chips;
    const auto add = [&](const auto& index, int chipOfFirst) {
        const int chip = index ? index->value + chipOfFirst : -1;
        if (chip >= 0 && chip < static_cast<int>(m_chips.size()))
            chips.push_back(chip);
    };
    if (m_decoderAlone) {
        add(pair.key, 0);
        add(pair.query, 0);
    } else if (m_side == Side::Source && pair.kind != BlockKind::Decoder) {
        add(pair.key, 0);
        if (pair.kind == BlockKind::Encoder)
            add(pair.query, 0);
    } else if (m_side == Side::Target && pair.kind == BlockKind::Cross) {
        add(pair.query, 0);
    } else if (m_side == Side::Target && pair.kind == BlockKind::Decoder) {
        add(pair.query, m_decoderRowChip);
        add(pair.key, m_decoderKeyChip);
    }
    return chips;
}

Selection::Pair TokenStrip::pairAt(int index) const {
    if (!m_selection || !m_trace || index < 0 || index >= static_cast<int>(m_chips.size()))
        return {};
    if (m_decoderAlone)
        return {BlockKind::Decoder, Query(index), {}};
    const auto self = m_side == Side::Source ? BlockKind::Encoder : BlockKind::Decoder;
    const bool within = m_trace->block(self) && (m_selection->kind() == self || !m_trace->cross);
    if (!within && m_side == Side::Source)
        return {BlockKind::Cross, {}, Key(index)};
    const auto kind = within ? self : BlockKind::Cross;
    const int row = kind == BlockKind::Decoder ? index - m_decoderRowChip : index;
    const auto* block = m_trace->block(kind);
    if (row < 0 || (block && row >= block->queries))
        return {};
    return {kind, Query(row), {}};
}

void TokenStrip::repaintLit() {
    auto lit = litBy(m_selection->pair());
    std::swap(m_lit, lit);
    if (m_lit == lit)
        return;
    const auto& rects = places(width()).rects;
    for (const auto* chips : {&m_lit, &lit})
        for (const int chip : *chips)
            if (static_cast<std::size_t>(chip) < rects.size())
                update(rects[static_cast<std::size_t>(chip)]);
}

int TokenStrip::chipAt(const QPoint& position) const {
    const auto& rects = places(width()).rects;
    // Gaps belong to the chips around them, so that the light does not flicker on the way from one to the next.
    const auto found = std::find_if(rects.begin(), rects.end(), [&](const QRect& rect) {
        return rect.adjusted(-gap / 2, -gap / 2, gap / 2, gap / 2).contains(position);
    });
    return found == rects.end() ? -1 : static_cast<int>(found - rects.begin());
}

void TokenStrip::paintEvent(QPaintEvent* event) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(m_font);
    const QFontMetrics metrics(m_font);
    const auto& rects = places(width()).rects;
    const auto drawChip = [&](std::size_t i) {
        const auto& chip = m_chips[i];
        const bool lit = std::find(m_lit.begin(), m_lit.end(), static_cast<int>(i)) != m_lit.end();
        const QRectF outline = QRectF(rects[i]).adjusted(0.5, 0.5, -0.5, -0.5);
        const bool framed = chip.special && !lit;
        painter.setPen(framed ? QPen(m_appearance.line, 1) : QPen(Qt::NoPen));
        painter.setBrush(lit ? QBrush(m_appearance.accent) : framed ? QBrush(Qt::NoBrush) : QBrush(m_appearance.chip));
        painter.drawRoundedRect(framed ? outline : QRectF(rects[i]), radius, radius);
        if (m_keyboard && hasFocus() && static_cast<int>(i) == m_current) {
            painter.setPen(QPen(lit ? m_appearance.accentText : m_appearance.accent, 1.5));
            painter.setBrush(Qt::NoBrush);
            painter.drawRoundedRect(outline.adjusted(1, 1, -1, -1), radius - 1, radius - 1);
        }
        painter.setPen(lit ? m_appearance.accentText : chip.special ? m_appearance.muted : m_appearance.text);
        const int room = rects[i].width() - 2 * padding;
        const auto text =
            chip.width > rects[i].width() ? metrics.elidedText(chip.text, Qt::ElideRight, room) : chip.text;
        painter.drawText(rects[i], static_cast<int>(Qt::AlignCenter) | Qt::TextSingleLine, text);
        if (chip.added && !lit) {
            painter.setPen(QPen(m_appearance.accent, 1.5));
            painter.drawLine(outline.bottomLeft() + QPointF(radius, 0), outline.bottomRight() - QPointF(radius, 0));
        }
    };
    // Chips stand in reading order: the first that can be seen is found by its line.
    const auto dirty = event->rect();
    auto from = std::lower_bound(rects.begin(), rects.end(), dirty.top(),
                                 [](const QRect& rect, int top) { return rect.bottom() < top; });
    for (; from != rects.end() && from->top() <= dirty.bottom(); ++from)
        if (from->intersects(dirty))
            drawChip(static_cast<std::size_t>(from - rects.begin()));
}

void TokenStrip::point(int index, bool lock) {
    if (!m_selection)
        return;
    const auto pair = pairAt(index);
    if (!lock)
        m_selection->hover(pair);
    else if (pair.query || pair.key)
        m_selection->toggleLock(pair);
    else
        m_selection->freeLock();
}

void TokenStrip::moveTo(int index) {
    m_current = std::clamp(index, 0, static_cast<int>(m_chips.size()) - 1);
    point(m_current, false);
    const auto rect = places(width()).rects[static_cast<std::size_t>(m_current)];
    for (auto* parent = parentWidget(); parent; parent = parent->parentWidget())
        if (auto* area = qobject_cast<QScrollArea*>(parent)) {
            const auto middle = mapTo(area->widget(), rect.center());
            area->ensureVisible(middle.x(), middle.y(), rect.width() / 2 + gap, rect.height() / 2 + gap);
            break;
        }
    update();
}

void TokenStrip::mouseMoveEvent(QMouseEvent* event) {
    point(chipAt(event->position().toPoint()), false);
}

void TokenStrip::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton)
        return QWidget::mousePressEvent(event);
    const int chip = chipAt(event->position().toPoint());
    if (chip >= 0)
        m_current = chip;
    m_keyboard = false;
    point(chip, true);
    update();
}

void TokenStrip::leaveEvent(QEvent* event) {
    QWidget::leaveEvent(event);
    point(-1, false);
}

void TokenStrip::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    if (!m_lit.empty())
        m_current = m_lit.front();
    m_keyboard = event->reason() != Qt::MouseFocusReason;
    update();
}

void TokenStrip::focusOutEvent(QFocusEvent* event) {
    QWidget::focusOutEvent(event);
    update();
}

void TokenStrip::keyPressEvent(QKeyEvent* event) {
    m_keyboard = true;
    const int last = static_cast<int>(m_chips.size()) - 1;
    if (last < 0 || !m_selection || (event->modifiers() & ~Qt::KeypadModifier) != Qt::NoModifier)
        return QWidget::keyPressEvent(event);
    // The first step lights the chip where the keyboard is; the next ones move on.
    const bool there = m_selection->locked() || std::find(m_lit.begin(), m_lit.end(), m_current) != m_lit.end();
    switch (event->key()) {
    case Qt::Key_Left:
        return moveTo(there ? m_current - 1 : m_current);
    case Qt::Key_Right:
        return moveTo(there ? m_current + 1 : m_current);
    case Qt::Key_Home:
        return moveTo(0);
    case Qt::Key_End:
        return moveTo(last);
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        return point(m_current, true);
    case Qt::Key_Escape:
        return m_selection->freeLock();
    default:
        QWidget::keyPressEvent(event);
    }
}

bool TokenStrip::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const int index = chipAt(help->pos());
    if (index < 0) {
        QToolTip::hideText();
        return true;
    }
    const auto at = static_cast<std::size_t>(index);
    const auto& token = (*m_tokens)[at];
    QStringList lines{m_chips[at].text};
    lines << tr("position %1, id %2").arg(index).arg(token.id);
    if (!token.bytes.empty())
        lines << tr("bytes %1 to %2 of the text").arg(token.bytes.begin).arg(token.bytes.end);
    else if (token.special)
        lines << tr("added by the model's rules");
    else if (m_chips[at].added || (m_side == Side::Target && !m_trace->targetForced))
        lines << tr("given out by the model");
    if (token.segment > 0)
        lines << tr("segment %1").arg(token.segment);
    QToolTip::showText(help->globalPos(), toolTipOf(lines), this, places(width()).rects[at]);
    return true;
}

} // namespace headlight
