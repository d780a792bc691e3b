// What the views of a Trace are made of: a figure of panels, drawn with QCustomPlot on the screen as on paper.
#pragma once

#include "widgets/appearance.h"
#include "widgets/panel.h"
#include "widgets/selection.h"
#include "widgets/trace_view.h"

#include <QPointer>

#include <memory>
#include <vector>

namespace headlight {

/// A TraceView whose picture is a list of panels. A view says what they hold; drawing, hovering, zooming, numbers
/// and words are the same for all.
class FigureView : public TraceView {
    Q_OBJECT
public:
    explicit FigureView(QWidget* parent = nullptr);
    ~FigureView() override;

    void setTrace(TracePointer trace, TracePointer other) override;
    void setSelection(Selection* selection) override;
    void setAppearance(const Appearance& appearance) override;
    void figure(QPaintDevice& device, const QSize& size) override;
    QStringList describe() const override;
    ViewNumbers numbers() const override;
    double drawMilliseconds() const override;

    QSize sizeHint() const override;

protected:
    /// What to draw of `trace()` and `other()`; called when one of them, the head on show or the colours change.
    virtual std::vector<Panel> build() = 0;
    /// What to say where there is nothing to draw, in one or two sentences.
    virtual QString emptyText() const = 0;

    const Trace* trace() const { return m_trace.get(); }
    const Trace* other() const { return m_other.get(); }
    const Selection* selection() const { return m_selection; }
    /// build() again, then draw.
    void rebuild();

    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    /// A cell, bar or tile of the figure.
    struct Spot {
        int panel = -1;
        int row = -1;
        int column = -1;
        bool operator==(const Spot&) const = default;
    };
    class Canvas;
    void refresh();
    /// False for what other panels had, before the text or the model changed.
    bool has(const Spot& spot) const;
    Selection::Pair pairAt(const Spot& spot) const;
    /// What a tool tip says of it.
    QString wordsAt(const Spot& spot) const;
    void point(const Spot& spot);
    void click(const Spot& spot);
    void openTile(const TilePanel& panel, int tile);

    TracePointer m_trace;
    TracePointer m_other;
    QPointer<Selection> m_selection;
    Appearance m_appearance;
    std::vector<Panel> m_panels;
    bool m_stale = true;
    double m_drawMilliseconds = 0;
    Canvas* m_canvas;
};

} // namespace headlight
