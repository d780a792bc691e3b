// What the views of a Trace are made of: a figure of panels, drawn with QCustomPlot on the screen as on paper.
#pragma once

#include "widgets/appearance.h"
#include "widgets/panel.h"
#include "widgets/selection.h"
#include "widgets/trace_view.h"

#include <QPointer>
#include <QTimer>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

class QAbstractButton;
class QComboBox;
class QSpinBox;

namespace headlight {

class RunBox;
class Veil;

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
    void setStale(bool stale) override;
    void figure(QPaintDevice& device, const QSize& size) override;
    QRect figureArea() const override;
    QStringList describe() const override;
    ViewNumbers numbers() const override;
    std::function<ViewNumbers()> numbersLater() const override;
    QVariantMap choices() const override;
    void setChoices(const QVariantMap& choices) override;
    double drawMilliseconds() const override;
    void setExtras(const QString& caption, bool legends) override;
    QList<Place> places(const QSize& size) override;

    QSize sizeHint() const override;

protected:
    /// What to draw of `trace()` and `other()`; called when one of them, the head on show or the colours change.
    virtual std::vector<Panel> build() = 0;
    /// What to say where there is nothing to draw, in one or two sentences.
    virtual QString emptyText() const = 0;

    const TracePointer& trace() const { return m_trace; }
    const TracePointer& other() const { return m_other; }
    Selection* selection() const { return m_selection; }
    /// "A · en-fr-additive", or the model alone where there is but one run.
    QString titleOf(const Trace& run) const;
    /// What build() asked Derived for and draws without, or cannot: then the picture before stays until that is there.
    /// Null while it is worked out; then build() is called again.
    template <class Pointer>
    Pointer wanted(Pointer derived) const {
        m_lacking |= !derived;
        return derived;
    }
    template <class Pointer>
    Pointer needed(Pointer derived) const {
        m_waiting |= !derived;
        return wanted(std::move(derived));
    }
    /// The map that the Selection asks for, of a run that has heads of the kind.
    std::shared_ptr<const ShownMap> shown(const TracePointer& run, BlockKind kind) const;
    /// The same of a single head: where several are on show, the one that was chosen before.
    std::shared_ptr<const ShownMap> shownHead(const TracePointer& run, BlockKind kind) const;
    /// build() again, then draw.
    void rebuild();
    /// True when the queries and keys of a kind are the same tokens in this run as in A's: the pair that all views
    /// share counts those.
    bool sharesTokens(const Trace& run, BlockKind kind) const;
    /// Where this is A's run, changed, and B is A in full: that one, to tell what changed. Otherwise null.
    TracePointer fullRunOf(const TracePointer& run) const;
    /// While build() runs, a part of the picture before, to be moved into the next; null when there was none, or the
    /// view was hidden while another run came.
    Panel* panelBefore(std::size_t index);
    /// True for a key that a control had no use for and that is meant for the figure wherever the focus is.
    virtual bool takesFromControls(const QKeyEvent& event) const;
    /// A click, or Return on what the arrow keys point at. Unless it returns true, the pair there is locked or freed.
    virtual bool clicked(const Panel&, const Lit&, Qt::KeyboardModifiers) { return false; }
    /// A double click, after the click that it begins with. Unless it returns true, zoomed maps are shown whole again.
    virtual bool doubleClicked(const Panel&, const Lit&) { return false; }
    /// What mouse or arrow keys point at; no panel when they point at nothing.
    struct Pointed {
        const Panel* panel = nullptr;
        Lit place;
    };
    Pointed pointed() const;
    /// Adds a control to the row above the figure, which is no part of what is exported.
    /// @param label is written before it, and names it to screen readers
    void addControl(QWidget* control, const QString& label = {});
    /// Makes what a control says one of the choices(), by this name.
    void keepChoice(const QString& name, QComboBox* box);
    void keepChoice(const QString& name, QAbstractButton* button);
    void keepChoice(const QString& name, QSpinBox* box);
    void keepChoice(const QString& name, RunBox* box);
    /// The same of what no control says; `set` takes whatever a file may hold. Who changes it emits chosen().
    void keepChoice(const QString& name, std::function<QVariant()> get, std::function<void(const QVariant&)> set);

    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    /// A place in one of the figure's panels.
    struct Spot {
        int panel = -1;
        Lit place;
        bool operator==(const Spot&) const = default;
    };
    struct Choice {
        QString name;
        std::function<QVariant()> get;
        std::function<void(const QVariant&)> set;
        QVariant first; ///< what it is at first
    };
    class Canvas;
    void refresh();
    void layVeil();
    void placeCanvas();
    void colorControls();
    /// What a tool tip says of it.
    QString wordsAt(const Spot& spot) const;
    void point(const Spot& spot);
    void click(const Spot& spot, Qt::KeyboardModifiers modifiers);

    TracePointer m_trace;
    TracePointer m_other;
    QPointer<Selection> m_selection;
    Appearance m_appearance;
    std::vector<Panel> m_panels;
    bool m_stale = true;
    mutable bool m_lacking = false; ///< what build() wanted is being worked out
    mutable bool m_waiting = false; ///< what it needed: the picture is the one before, if any
    QTimer m_veilSoon;              ///< until it is marked so
    bool m_veiled = false;          ///< it is
    double m_drawMilliseconds = 0;
    QWidget* m_controls = nullptr; ///< above the figure; null: none
    std::vector<Choice> m_choices;
    Canvas* m_canvas;
    QString m_caption;
    bool m_legends = true;
    Veil* m_veil;       ///< over the figure while it is of a text before, or of a choice before
    bool m_old = false; ///< of a text before
};

} // namespace headlight
