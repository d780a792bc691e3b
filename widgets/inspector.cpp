#include "widgets/inspector.h"

#include "widgets/derived.h"
#include "widgets/plain_text.h"

#include <QAccessible>
#include <QPaintEvent>
#include <QPainter>

#include <algorithm>
#include <utility>

namespace headlight {

namespace {

constexpr int margin = 15;
constexpr int columnGap = 10;
constexpr int sectionGap = 18;

QFont headingFont(const Appearance& appearance) {
    auto font = sized(appearance, 0.82, QFont::DemiBold);
    font.setLetterSpacing(QFont::PercentageSpacing, 107);
    return font;
}

void drawText(QPainter& painter, const QRect& place, Qt::Alignment alignment, const QString& text, const QFont& font,
              const QColor& color) {
    const QFontMetrics metrics(font);
    painter.setFont(font);
    painter.setPen(color);
    painter.drawText(place, static_cast<int>(alignment | Qt::AlignVCenter) | Qt::TextSingleLine | Qt::TextDontClip,
                     metrics.horizontalAdvance(text) <= place.width()
                         ? text
                         : metrics.elidedText(text, Qt::ElideRight, place.width()));
}

} // namespace

Inspector::Inspector(QWidget* parent)
    : QWidget(parent), m_appearance(makeAppearance(Theme::Light, ColorMap::Blue, font())) {
    setAccessibleName(tr("Inspector"));
    setMinimumWidth(200);
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Preferred);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    connect(&Derived::instance(), &Derived::ready, this, [this] {
        if (!m_facts.pending())
            return;
        m_facts.forget();
        refresh();
    });
}

void Inspector::setTrace(TracePointer trace, TracePointer other) {
    m_facts.setTrace(std::move(trace), std::move(other));
    refresh();
}

void Inspector::setSelection(Selection* selection) {
    if (m_selection)
        m_selection->disconnect(this);
    m_selection = selection;
    if (selection) {
        connect(selection, &Selection::headChanged, this, [this] {
            m_facts.forget();
            refresh();
        });
        connect(selection, &Selection::pairChanged, this, &Inspector::refresh);
    }
    m_facts.setSelection(selection);
    refresh();
}

void Inspector::setAppearance(const Appearance& appearance) {
    m_appearance = appearance;
    refresh();
}

void Inspector::preferCross(bool preferred) {
    m_facts.preferCross(preferred);
    refresh();
}

void Inspector::refresh() {
    m_stale = true;
    updateGeometry();
    if (QAccessible::isActive())
        setAccessibleDescription(describe().join(QLatin1Char('\n')));
    update();
}

const std::vector<InspectorLine>& Inspector::lines() const {
    if (m_stale)
        m_lines = inspectorLines(m_facts);
    m_stale = false;
    return m_lines;
}

QStringList Inspector::describe() const {
    const Derived::Patience patience;
    if (m_facts.pending()) {
        m_facts.forget();
        m_stale = true;
    }
    return wordsOf(lines());
}

QSize Inspector::sizeHint() const {
    constexpr int width = 280;
    return {width, heightForWidth(width)};
}

int Inspector::heightForWidth(int width) const {
    int height = 2 * margin;
    for (const auto& line : lines())
        height += gapBefore(line) + heightOf(line, width - 2 * margin);
    return height;
}

int Inspector::gapBefore(const InspectorLine& line) const {
    return line.kind == InspectorLine::Kind::Heading && &line != &lines().front() ? sectionGap : 0;
}

int Inspector::heightOf(const InspectorLine& line, int width) const {
    const int text = QFontMetrics(sized(m_appearance, 1)).height();
    switch (line.kind) {
    case InspectorLine::Kind::Heading:
        return text + 6;
    case InspectorLine::Kind::Pair:
        return text + 8;
    case InspectorLine::Kind::Big:
        return QFontMetrics(sized(m_appearance, 1.9)).height() + (line.secondValue.isEmpty() ? 0 : text + 2);
    case InspectorLine::Kind::Figure:
        return text + 5;
    case InspectorLine::Kind::Bar:
        return text + 7;
    case InspectorLine::Kind::Note:
        return QFontMetrics(sized(m_appearance, 0.93))
                   .boundingRect(QRect(0, 0, width, 10'000), Qt::TextWordWrap, line.label)
                   .height()
               + 5;
    }
    return 0;
}

void Inspector::draw(QPainter& painter, const InspectorLine& line, const QRect& place) const {
    const auto& look = m_appearance;
    const auto plain = sized(look, 1), bold = sized(look, 1, QFont::Bold), small = sized(look, 0.93);
    switch (line.kind) {
    case InspectorLine::Kind::Heading:
        drawText(painter, place.adjusted(0, 0, 0, -6), Qt::AlignLeft, line.label, headingFont(look), look.muted);
        break;
    case InspectorLine::Kind::Pair: {
        // Each gets what it needs, and both a half when they need more than there is.
        const QFontMetrics plainMetrics(plain), boldMetrics(bold);
        const auto arrow = line.label.isEmpty() || line.value.isEmpty() ? QString() : QStringLiteral(" → ");
        const int room = place.width() - plainMetrics.horizontalAdvance(arrow);
        const int value = boldMetrics.horizontalAdvance(line.value);
        const auto label = plainMetrics.elidedText(line.label, Qt::ElideRight, std::max(room - value, room / 2));
        QRect rest = place.adjusted(0, 0, 0, -6);
        for (const auto& [text, color] : {std::pair(label, look.text), std::pair(arrow, look.muted)}) {
            drawText(painter, rest, Qt::AlignLeft, text, plain, color);
            rest.setLeft(rest.left() + plainMetrics.horizontalAdvance(text));
        }
        drawText(painter, rest, Qt::AlignLeft, line.value, bold, look.text);
        break;
    }
    case InspectorLine::Kind::Big: {
        const auto large = sized(look, 1.9, QFont::Bold);
        const int column = std::min(place.width() / 2, 96);
        auto numbers = place;
        if (!line.secondValue.isEmpty()) {
            const int names = QFontMetrics(plain).height();
            numbers.setTop(place.top() + names + 2);
            drawText(painter, QRect(place.left(), place.top(), column, names), Qt::AlignLeft, line.label, small,
                     look.muted);
            drawText(painter, QRect(place.left() + column, place.top(), column, names), Qt::AlignLeft, line.secondLabel,
                     small, look.muted);
        }
        drawText(painter, numbers, Qt::AlignLeft, line.value, large, look.text);
        drawText(painter, numbers.adjusted(column, 0, 0, 0), Qt::AlignLeft, line.secondValue, large, look.text);
        break;
    }
    case InspectorLine::Kind::Figure: {
        const int value = std::min(QFontMetrics(bold).horizontalAdvance(line.value) + 1, place.width() * 2 / 3);
        drawText(painter, place.adjusted(0, 0, -value - columnGap, 0), Qt::AlignLeft, line.label, plain, look.text);
        drawText(painter, QRect(place.right() + 1 - value, place.top(), value, place.height()), Qt::AlignRight,
                 line.value, bold, look.text);
        break;
    }
    case InspectorLine::Kind::Bar: {
        const auto font = line.lit ? sized(look, 0.93, QFont::Bold) : small;
        // The same columns in each section, whatever its words.
        const int label = place.width() * 36 / 100;
        const int value = QFontMetrics(sized(look, 0.93, QFont::Bold)).horizontalAdvance(QStringLiteral("0.00"));
        drawText(painter, QRect(place.left(), place.top(), label, place.height()), Qt::AlignLeft, line.label, font,
                 look.text);
        const int both = line.secondValue.isEmpty() ? value : 2 * value + columnGap;
        drawText(painter, QRect(place.right() + 1 - both, place.top(), value, place.height()), Qt::AlignRight,
                 line.value, font, line.lit ? look.text : look.muted);
        if (!line.secondValue.isEmpty())
            drawText(painter, QRect(place.right() + 1 - value, place.top(), value, place.height()), Qt::AlignRight,
                     line.secondValue, small, look.muted);
        const double longest = place.width() - label - both - 2 * columnGap;
        const double length = longest * std::clamp(static_cast<double>(line.share), 0.0, 1.0);
        painter.setPen(Qt::NoPen);
        painter.setBrush(line.lit ? look.accent : look.accentSoft);
        painter.drawRoundedRect(
            QRectF(place.left() + label + columnGap, place.center().y() - 3, std::max(2.0, length), 8), 2, 2);
        break;
    }
    case InspectorLine::Kind::Note:
        painter.setFont(small);
        painter.setPen(look.muted);
        painter.drawText(place, Qt::TextWordWrap, line.label);
        break;
    }
}

void Inspector::paintEvent(QPaintEvent* event) {
    QPainter painter(this);
    painter.fillRect(event->rect(), m_appearance.panel);
    painter.setRenderHint(QPainter::Antialiasing);
    const int width = this->width() - 2 * margin;
    int top = margin;
    for (const auto& line : lines()) {
        top += gapBefore(line);
        const QRect place(margin, top, width, heightOf(line, width));
        if (place.intersects(event->rect()))
            draw(painter, line, place);
        top += place.height();
    }
}

} // namespace headlight
