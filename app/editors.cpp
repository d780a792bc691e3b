#include "app/editors.h"

#include "widgets/token_strip.h"

#include <QAbstractTextDocumentLayout>
#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QMenu>
#include <QMimeData>
#include <QScrollBar>
#include <QTextCursor>

#include <algorithm>

namespace headlight {

Editor::Editor() {
    setUndoRedoEnabled(false);
    connect(document()->documentLayout(), &QAbstractTextDocumentLayout::documentSizeChanged, this,
            [this] { updateGeometry(); });
    // Where lines wrap anew, only the bar tells.
    connect(verticalScrollBar(), &QScrollBar::rangeChanged, this, [this] { updateGeometry(); });
}

void Editor::prepareFor(const QString& text) {
    constexpr qsizetype longWord = 2000;
    qsizetype length = 0;
    for (const auto letter : text) {
        length = letter.isSpace() ? 0 : length + 1;
        if (length == longWord)
            return setWordWrapMode(QTextOption::WrapAnywhere);
    }
    if (document()->characterCount() < longWord)
        setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
}

void Editor::show(const QString& text) {
    const auto before = toPlainText();
    if (text == before)
        return;
    prepareFor(text);
    const auto shorter = std::min(text.size(), before.size());
    auto begin = std::mismatch(text.begin(), text.begin() + shorter, before.begin()).first - text.begin();
    if (begin > 0 && text[begin - 1].isHighSurrogate()) // whose other half differs
        --begin;
    auto end = std::mismatch(text.rbegin(), text.rbegin() + shorter - begin, before.rbegin()).first - text.rbegin();
    if (end > 0 && text[text.size() - end].isLowSurrogate())
        --end;
    QTextCursor cursor(document());
    cursor.setPosition(static_cast<int>(begin));
    cursor.setPosition(static_cast<int>(before.size() - end), QTextCursor::KeepAnchor);
    cursor.insertText(text.mid(begin, text.size() - end - begin));
    setTextCursor(cursor);
}

bool Editor::event(QEvent* event) {
    if (event->type() == QEvent::ShortcutOverride) { // else undo would be kept for the text alone
        const auto& key = *static_cast<QKeyEvent*>(event);
        if (key.modifiers().testFlag(Qt::ControlModifier) && (key.key() == Qt::Key_Z || key.key() == Qt::Key_Y))
            return false;
    }
    return QPlainTextEdit::event(event);
}

void Editor::contextMenuEvent(QContextMenuEvent* event) {
    auto* menu = createStandardContextMenu(event->pos());
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (auto* action : menu->actions())
        if (action->objectName() == QLatin1String("edit-undo") || action->objectName() == QLatin1String("edit-redo"))
            menu->removeAction(action);
    menu->popup(event->globalPos());
}

QSize Editor::sizeHint() const {
    const int lines = static_cast<int>(document()->size().height()); // so a plain text's layout counts
    return {200, heightOf(std::clamp(lines, 4, 7))};
}

bool Editor::canInsertFromMimeData(const QMimeData* source) const {
    return !source->hasUrls() && QPlainTextEdit::canInsertFromMimeData(source);
}

void Editor::insertFromMimeData(const QMimeData* source) {
    prepareFor(source->text());
    QPlainTextEdit::insertFromMimeData(source);
}

int Editor::heightOf(int lines) const {
    return lines * fontMetrics().lineSpacing() + 2 * static_cast<int>(document()->documentMargin()) + 14;
}

Shelf::Shelf(TokenStrip* strip) : m_strip(strip) {
    setWidget(strip);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus); // the strip itself has it
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    // As high as its width asks for, not as its size hint, which is for another width.
    auto policy = strip->sizePolicy();
    policy.setVerticalPolicy(QSizePolicy::Preferred);
    strip->setSizePolicy(policy);
    viewport()->setAutoFillBackground(false);
    strip->setAutoFillBackground(false);
}

QSize Shelf::sizeHint() const {
    const int room = width() - (verticalScrollBar()->isVisible() ? verticalScrollBar()->width() : 0);
    return {200, std::max(minimumSizeHint().height(), m_strip->heightForWidth(room))};
}

void Shelf::resizeEvent(QResizeEvent* event) {
    QScrollArea::resizeEvent(event);
    updateGeometry();
}

QScrollArea* makeScrolled(QWidget* content) {
    auto* area = new QScrollArea;
    area->setWidget(content);
    area->setWidgetResizable(true);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFocusPolicy(Qt::NoFocus);
    return area;
}

QLabel* makeHeading(const QString& text) {
    auto* label = new QLabel(text.toUpper());
    label->setProperty("heading", true);
    auto font = label->font();
    font.setPointSizeF(font.pointSizeF() * 0.85);
    label->setFont(font);
    return label;
}

QLabel* makeNote() {
    auto* label = new QLabel;
    label->setProperty("note", true);
    label->setTextFormat(Qt::PlainText);
    return label;
}

} // namespace headlight
