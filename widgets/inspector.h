// The panel on the right: the weight under the pointer, its row, what kind of head it is, what comes next.
#pragma once

#include "core/trace/trace.h"
#include "widgets/appearance.h"

#include <QPointer>
#include <QWidget>

namespace headlight {

class Selection;

/// With a second run it names both weights and what the whole sentence has in common.
class Inspector : public QWidget {
    Q_OBJECT
public:
    explicit Inspector(QWidget* parent = nullptr);

    void setTrace(TracePointer trace, TracePointer other);
    void setSelection(Selection* selection);
    void setAppearance(const Appearance& appearance);
    /// Line by line what is written: for tests and screen readers.
    QStringList describe() const;

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Line {
        enum class Kind { Heading, Figure, Bar, Big, Note } kind = Kind::Note;
        QString label;
        QString value;
        QString secondValue; ///< Big: of model B
        float share = 0;     ///< Bar
    };
    void refresh();

    TracePointer m_trace;
    TracePointer m_other;
    QPointer<Selection> m_selection;
    Appearance m_appearance;
    std::vector<Line> m_lines;
};

} // namespace headlight
