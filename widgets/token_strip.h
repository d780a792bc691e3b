// The tokens of a text as chips that wrap, lit with the shared Selection: hover one, click to lock it.
#pragma once

#include "core/trace/trace.h"
#include "widgets/appearance.h"

#include <QPointer>
#include <QWidget>

namespace headlight {

class Selection;

class TokenStrip : public QWidget {
    Q_OBJECT
public:
    /// Which of the Trace's two texts. The target shows the tokens that the rows of the map on show are labelled with.
    enum class Side { Source, Target };

    explicit TokenStrip(Side side, QWidget* parent = nullptr);

    void setTrace(TracePointer trace);
    void setSelection(Selection* selection);
    void setAppearance(const Appearance& appearance);
    /// Chip texts, a lit one in brackets: for tests and screen readers.
    QStringList describe() const;

    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Chip {
        QString text;
        bool special = false;
        QRect rect;
    };
    int layOut(int width, std::vector<Chip>* chips) const;
    int chipAt(const QPoint& position) const;
    bool lit(int index) const;
    void point(int index, bool lock);

    Side m_side;
    TracePointer m_trace;
    QPointer<Selection> m_selection;
    Appearance m_appearance;
};

} // namespace headlight
