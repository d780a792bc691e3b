// Reads texts as Qt would show them, and finds those in a window that would be taken for markup.
#pragma once

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QHelpEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QTabBar>
#include <QTextDocument>
#include <QToolTip>
#include <QUrl>

namespace headlight {

/// Markup to whoever takes it for that, with an accelerator in it.
inline const QString hostileName = QStringLiteral("<img src=pixel.png>&h");

/// What a label or a tool tip makes of a text.
struct ReadText {
    QString text;         ///< the letters that are seen
    QStringList loads;    ///< what it wanted to load, such as images
    double narrowest = 0; ///< pixels that it takes at least
};

inline ReadText readAsToolTip(const QString& text) {
    struct Shown : QTextDocument {
        QVariant loadResource(int, const QUrl& name) override {
            loads << name.toString();
            return {};
        }
        QStringList loads;
    } document;
    if (!Qt::mightBeRichText(text))
        return {text, {}, 0};
    document.setHtml(text);
    document.setTextWidth(10);
    ReadText read{document.toPlainText(), {}, document.idealWidth()};
    read.text.remove(QChar(0x200b)); // where a line may break
    read.loads = document.loads;
    return read;
}

/// True when a text that names something of ours is not seen to the letter.
inline bool isTakenForMarkup(const QString& text) {
    const auto read = readAsToolTip(text);
    return !read.loads.isEmpty()
           || (text.contains(QLatin1String("pixel")) && !read.text.contains(QLatin1String("pixel")));
}

/// Every text of these widgets that would be taken for markup, or for an accelerator.
inline QStringList takenForMarkup(const QList<QWidget*>& widgets) {
    QStringList found;
    const auto check = [&](const QObject* of, const char* what, const QString& text, bool guessed = true) {
        if (guessed ? isTakenForMarkup(text) : QString(text).remove(QLatin1String("&&")).contains(QLatin1String("&h")))
            found << QStringLiteral("%1 of %2 %3: %4")
                         .arg(QLatin1String(what), QLatin1String(of->metaObject()->className()), of->objectName(),
                              text);
    };
    const auto checkModel = [&](const QWidget* of, const QAbstractItemModel* model) {
        for (int row = 0; row < model->rowCount(); ++row)
            for (const int role : {Qt::ToolTipRole, Qt::StatusTipRole, Qt::WhatsThisRole})
                check(of, "a tip", model->index(row, 0).data(role).toString());
    };
    for (const auto* widget : widgets) {
        for (const auto& tip : {widget->toolTip(), widget->statusTip(), widget->whatsThis()})
            check(widget, "a tip", tip);
        if (const auto* label = qobject_cast<const QLabel*>(widget); label && label->textFormat() != Qt::PlainText)
            check(widget, "the text", label->text());
        if (const auto* label = qobject_cast<const QLabel*>(widget); label && label->buddy())
            check(widget, "the text", label->text(), false);
        if (const auto* button = qobject_cast<const QAbstractButton*>(widget))
            check(widget, "the text", button->text(), false);
        if (const auto* view = qobject_cast<const QAbstractItemView*>(widget); view && view->model())
            checkModel(widget, view->model());
        if (const auto* box = qobject_cast<const QComboBox*>(widget))
            checkModel(widget, box->model());
        if (const auto* bar = qobject_cast<const QTabBar*>(widget))
            for (int tab = 0; tab < bar->count(); ++tab) {
                check(widget, "a tab", bar->tabText(tab), false);
                check(widget, "a tab's tip", bar->tabToolTip(tab));
            }
        for (const auto* action : widget->actions()) {
            check(action, "the text", action->text(), false);
            check(action, "the tip", action->toolTip());
        }
    }
    return found;
}

/// The tool tips that these widgets show when the mouse rests here and there on them.
inline QStringList toolTipsOf(const QList<QWidget*>& widgets) {
    constexpr int step = 18;
    QStringList tips;
    for (auto* widget : widgets) {
        if (!widget->isVisible())
            continue;
        for (int y = step / 2; y < widget->height(); y += step)
            for (int x = step / 2; x < widget->width(); x += step) {
                const QPoint place(x, y), onScreen = widget->mapToGlobal(place);
                QMouseEvent move(QEvent::MouseMove, place, onScreen, Qt::NoButton, Qt::NoButton, Qt::NoModifier);
                QApplication::sendEvent(widget, &move);
                QHelpEvent help(QEvent::ToolTip, place, onScreen);
                QApplication::sendEvent(widget, &help);
                if (QToolTip::isVisible() && !tips.contains(QToolTip::text()))
                    tips << QToolTip::text();
            }
    }
    return tips;
}

} // namespace headlight
