// What every view of a Trace is: four verbs, and a signal for what the main window must know.
#pragma once

#include "core/trace/trace.h"

#include <QRectF>
#include <QStringList>
#include <QVariantMap>
#include <QWidget>

#include <functional>
#include <utility>

namespace headlight {

class Selection;
struct Appearance;

/// One table of numbers behind a picture, for CSV: what is drawn, not more.
struct ViewNumbers {
    QStringList columns; ///< names of the columns
    QList<QStringList> rows;
};

/// A view knows the Trace, the Selection and the Appearance; never a model, a thread or a file.
class TraceView : public QWidget {
    Q_OBJECT
public:
    using QWidget::QWidget;

    /// The run to show; `other` is model B's run on the same text, null when there is none. The view keeps the
    /// pointers, never a copy. Null `trace` empties the view.
    virtual void setTrace(TracePointer trace, TracePointer other) = 0;
    /// The shared selection, set once after construction; must outlive the view.
    virtual void setSelection(Selection* selection) = 0;
    virtual void setAppearance(const Appearance& appearance) = 0;
    /// True: what is on show is of a text before, and is to look so until it is set to false. No export is changed.
    virtual void setStale(bool) {}
    /// Draws what is on screen, at `size` logical pixels, on any device: an image, a QSvgGenerator, a QPdfWriter.
    /// On vector devices cells and lines are vectors and labels are text.
    virtual void figure(QPaintDevice& device, const QSize& size) = 0;
    /// Where in the view the figure stands; around it are controls, which no export has.
    virtual QRect figureArea() const { return rect(); }
    /// What the view shows, in words and numbers: for tests and screen readers.
    virtual QStringList describe() const = 0;
    virtual ViewNumbers numbers() const = 0;
    /// Gives the numbers of the picture as it is now, whatever the view shows by then: for a clipboard, which may never
    /// be asked for them, and a map of a thousand tokens has a million. No function
    /// where there are none.
    virtual std::function<ViewNumbers()> numbersLater() const {
        auto now = numbers();
        if (now.rows.isEmpty())
            return {};
        return [now = std::move(now)] { return now; };
    }
    /// What is chosen in the view's own controls and is not as it is at first, by name: numbers, flags, texts and lists
    /// of those. What the Selection says is no part of it.
    virtual QVariantMap choices() const { return {}; }
    /// The rest is as it is at first; what the view does not know, or cannot be chosen, is passed over.
    virtual void setChoices(const QVariantMap&) {}
    /// Milliseconds that the last repaint took, for the status bar.
    virtual double drawMilliseconds() const = 0;
    /// What a picture for a file has, and the screen has not: a line below it that says what it is. And whether it has
    /// colour bars.
    virtual void setExtras(const QString& /*caption*/, bool /*legends*/) {}
    /// Of a view that plays something: how many pictures that are, and to show one of them, counted from 0.
    virtual int frames() const { return 1; }
    virtual void showFrame(int /*frame*/) {}
    /// What can be pointed at in the figure at this size, and what there is to say of it.
    struct Place {
        QRectF area;
        QStringList words;
    };
    virtual QList<Place> places(const QSize& /*size*/) { return {}; }

Q_SIGNALS:
    /// The user asked to see the selected head large (click on a head's small map).
    void headOpened();
    /// The user has changed what choices() gives.
    void chosen();
};

} // namespace headlight
