#include "widgets/controls.h"

#include <QPainter>
#include <QSignalBlocker>
#include <QWidget>

#include <algorithm>

namespace headlight {

namespace {

void drawArrow(QWidget* on, const QPointF& center, bool up) {
    QPainter painter(on);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(on->palette().color(on->isEnabled() ? QPalette::PlaceholderText : QPalette::Mid), 1.5));
    const double rise = up ? -2 : 2;
    painter.drawPolyline(
        QPolygonF{center + QPointF(-3.5, -rise), center + QPointF(0, rise), center + QPointF(3.5, -rise)});
}

void drawBothArrows(QAbstractSpinBox* on) {
    if (on->buttonSymbols() == QAbstractSpinBox::NoButtons)
        return;
    drawArrow(on, {on->width() - 11.0, on->height() / 2.0 - 5}, true);
    drawArrow(on, {on->width() - 11.0, on->height() / 2.0 + 5}, false);
}

} // namespace

void ComboBox::showPopup() {
    Q_EMIT opening();
    QComboBox::showPopup();
}

void fillChoice(QComboBox& box, const QStringList& names, int chosen) {
    const QSignalBlocker quiet(box);
    QStringList listed;
    for (int i = 0; i < box.count(); ++i)
        listed << box.itemText(i);
    if (listed != names) {
        box.clear();
        box.addItems(names);
    }
    box.setCurrentIndex(chosen);
}

void ComboBox::paintEvent(QPaintEvent* event) {
    QComboBox::paintEvent(event);
    drawArrow(this, {width() - 13.0, height() / 2.0}, false);
}

void SpinBox::paintEvent(QPaintEvent* event) {
    QSpinBox::paintEvent(event);
    drawBothArrows(this);
}

void DoubleSpinBox::paintEvent(QPaintEvent* event) {
    QDoubleSpinBox::paintEvent(event);
    drawBothArrows(this);
}

FlowLayout::~FlowLayout() {
    for (auto* item : m_items)
        delete item;
}

void FlowLayout::addItem(QLayoutItem* item) {
    m_items.push_back(item);
}

int FlowLayout::count() const {
    return static_cast<int>(m_items.size());
}

QLayoutItem* FlowLayout::itemAt(int index) const {
    return index >= 0 && index < count() ? m_items[static_cast<std::size_t>(index)] : nullptr;
}

QLayoutItem* FlowLayout::takeAt(int index) {
    auto* item = itemAt(index);
    if (item)
        m_items.erase(m_items.begin() + index);
    return item;
}

int FlowLayout::heightForWidth(int width) const {
    return arrange({0, 0, width, 0}, false);
}

QSize FlowLayout::sizeHint() const {
    return minimumSize();
}

QSize FlowLayout::minimumSize() const {
    QSize size;
    for (const auto* item : m_items)
        size = size.expandedTo(item->minimumSize());
    const auto margins = contentsMargins();
    return size + QSize(margins.left() + margins.right(), margins.top() + margins.bottom());
}

void FlowLayout::setGeometry(const QRect& rect) {
    QLayout::setGeometry(rect);
    arrange(rect, true);
}

int FlowLayout::arrange(const QRect& rect, bool place) const {
    const auto area = rect.marginsRemoved(contentsMargins());
    int left = area.left(), top = area.top();
    std::vector<std::pair<QLayoutItem*, QRect>> line;
    const auto endLine = [&] {
        int height = 0;
        for (const auto& [item, spot] : line)
            height = std::max(height, spot.height());
        if (place)
            for (const auto& [item, spot] : line)
                item->setGeometry({spot.left(), top + (height - spot.height()) / 2, spot.width(), spot.height()});
        line.clear();
        return height;
    };
    int height = 0;
    for (auto* item : m_items) {
        if (item->isEmpty())
            continue;
        const auto size = item->sizeHint();
        if (!line.empty() && left + size.width() > area.right() + 1) {
            top += endLine() + spacing();
            left = area.left();
        }
        const int width = std::min(size.width(), std::max(area.width(), item->minimumSize().width()));
        line.emplace_back(item, QRect(left, top, width, size.height()));
        left += width + spacing();
    }
    height = endLine();
    return top + height - rect.top() + contentsMargins().bottom();
}

} // namespace headlight
