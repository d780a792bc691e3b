#include "widgets/veil.h"

#include <QEvent>
#include <QPainter>

#include <utility>

namespace headlight {

Veil::Veil(QWidget* below, std::function<QRect()> area)
    : QWidget(below), m_area(std::move(area)), m_paper(below->palette().color(QPalette::Window)),
      m_text(below->palette().color(QPalette::WindowText)) {
    setObjectName(QStringLiteral("veil"));
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setFocusPolicy(Qt::NoFocus);
    below->installEventFilter(this);
    hide();
}

void Veil::setColors(const QColor& paper, const QColor& text) {
    m_paper = paper;
    m_text = text;
    update();
}

void Veil::lie(bool over) {
    if (over) {
        setGeometry(m_area());
        raise();
    }
    setVisible(over);
}

bool Veil::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::Resize || event->type() == QEvent::LayoutRequest)
        setGeometry(m_area());
    return QWidget::eventFilter(watched, event);
}

void Veil::paintEvent(QPaintEvent*) {
    // Of 255. Text below keeps a contrast of 4.5 to its paper in both themes. A map that is only paler would be read as
    // one of smaller weights: the lines say that it is not to be read so.
    constexpr int thickness = 96, ofLines = 30;
    auto paper = m_paper, lines = m_text;
    paper.setAlpha(thickness);
    lines.setAlpha(ofLines);
    QPainter painter(this);
    painter.fillRect(rect(), paper);
    painter.fillRect(rect(), QBrush(lines, Qt::BDiagPattern));
    if (m_words.isEmpty())
        return;
    const auto words = painter.fontMetrics().boundingRect(m_words);
    QRect label(0, 0, words.width() + 20, words.height() + 8);
    label.moveTopRight(rect().topRight() + QPoint(-12, 8));
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(m_text);
    painter.setBrush(m_paper);
    painter.drawRoundedRect(QRectF(label).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    painter.drawText(label, Qt::AlignCenter, m_words);
}

} // namespace headlight
