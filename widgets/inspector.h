// The panel on the right: the weight under the pointer, its row, what kind of head it is, what comes next.
#pragma once

#include "core/trace/trace.h"
#include "widgets/appearance.h"
#include "widgets/inspector_facts.h"
#include "widgets/inspector_lines.h"
#include "widgets/selection.h"

#include <QPointer>
#include <QWidget>

#include <vector>

class QPainter;

namespace headlight {

/// With a second run it names both weights and what the whole sentence has in common; a run that something was changed
/// in is set against the same model's run in full. It is as high as what it says: where that is more than there is room
/// for, whoever holds it scrolls.
class Inspector : public QWidget {
    Q_OBJECT
public:
    explicit Inspector(QWidget* parent = nullptr);

    void setTrace(TracePointer trace, TracePointer other);
    void setSelection(Selection* selection);
    void setAppearance(const Appearance& appearance);
    /// Whether the view on show draws cross-attention where there is any, whatever kind is chosen.
    void preferCross(bool preferred);
    /// Line by line what is written: for tests and screen readers.
    QStringList describe() const;

    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    /// Another run, head or pair: says it anew.
    void refresh();
    const std::vector<InspectorLine>& lines() const;
    int gapBefore(const InspectorLine& line) const;
    int heightOf(const InspectorLine& line, int width) const;
    void draw(QPainter& painter, const InspectorLine& line, const QRect& place) const;

    QPointer<Selection> m_selection;
    Appearance m_appearance;
    mutable InspectorFacts m_facts;
    mutable std::vector<InspectorLine> m_lines;
    mutable bool m_stale = true; ///< m_lines are of another pair, head or run
};

} // namespace headlight
