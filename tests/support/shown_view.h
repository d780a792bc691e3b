// A view on the screen with a Trace drawn in text, and how tests point at it.
#pragma once

#include "tests/support/trace_from_ascii.h"
#include "widgets/run_box.h"
#include "widgets/selection.h"
#include "widgets/trace_view.h"

#include <QCoreApplication>
#include <QImage>
#include <QMouseEvent>
#include <QSet>

#include <limits>
#include <memory>

namespace headlight {

inline constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

inline constexpr const char* cat = R"(
              the   cat   sleeps  </s>
    le        9     1     .       .
    chat      1     8     1       .
    dort      .     .     7       3
    </s>      .     .     .       #
)";

/// The same sentence with one row read otherwise.
inline constexpr const char* otherCat = R"(
              the   cat   sleeps  </s>
    le        9     1     .       .
    chat      1     8     1       .
    dort      .     6     .       4
    </s>      .     .     .       #
)";

inline TracePointer shared(Trace trace) {
    return std::make_shared<const Trace>(std::move(trace));
}

inline TracePointer traceOf(const char* art, const AsciiOptions& options = {}) {
    return shared(traceFromAscii(art, options));
}

/// A view on the screen with a Selection of its own.
struct Shown {
    explicit Shown(std::unique_ptr<TraceView> made, const QSize& size = {520, 460}) : view(std::move(made)) {
        view->setSelection(&selection);
        view->resize(size);
        view->show();
    }
    QImage picture() const { return view->grab().toImage(); }

    Selection selection;
    std::unique_ptr<TraceView> view;
};

inline int colorsOf(const QImage& image) {
    QSet<QRgb> colors;
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x)
            colors.insert(image.pixel(x, y));
    return static_cast<int>(colors.size());
}

inline QString oneText(const QStringList& lines) {
    return lines.join(QLatin1Char('\n'));
}

/// Asks a view for A's run (0) or B's (1), as a user does.
inline void askForRun(const QWidget& view, int run) {
    auto* box = view.findChild<RunBox*>();
    box->setCurrentIndex(run);
    Q_EMIT box->activated(run);
}

/// A mouse move as the window system would send it, to whatever child is there.
inline void moveMouse(QWidget& widget, const QPoint& position) {
    auto* target = widget.childAt(position);
    target = target ? target : &widget;
    const QPointF local = target->mapFrom(&widget, position);
    QMouseEvent move(QEvent::MouseMove, local, target->mapToGlobal(local), Qt::NoButton, Qt::NoButton, Qt::NoModifier);
    QCoreApplication::sendEvent(target, &move);
}

/// The first place, line by line, where the mouse points at this pair; (-1, -1) when there is none.
inline QPoint placeOf(QWidget& widget, const Selection& selection, const Selection::Pair& pair) {
    constexpr int step = 9;
    for (int y = step; y < widget.height(); y += step)
        for (int x = step; x < widget.width(); x += step) {
            moveMouse(widget, {x, y});
            if (selection.pair() == pair)
                return {x, y};
        }
    return {-1, -1};
}

inline Selection::Pair crossPair(int query, int key) {
    return {BlockKind::Cross, Query(query), Key(key)};
}

/// A pair from numbers of a test's table; -1 is none.
inline Selection::Pair pairOf(BlockKind kind, int query, int key) {
    Selection::Pair pair;
    pair.kind = kind;
    if (query >= 0)
        pair.query = Query(query);
    if (key >= 0)
        pair.key = Key(key);
    return pair;
}

} // namespace headlight
