// The tokens of a text as chips that wrap, lit with the shared Selection: hover one, click to lock it.
#pragma once

#include "core/trace/trace.h"
#include "widgets/appearance.h"
#include "widgets/selection.h"

#include <QPointer>
#include <QRect>
#include <QWidget>

#include <vector>

namespace headlight {

class TokenStrip : public QWidget {
    Q_OBJECT
public:
    /// Which of the Trace's two texts; of a decoder alone its only one is the source. The target shows the tokens that
    /// the rows of the map on show are labelled with.
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
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool event(QEvent* event) override;

private:
    struct Chip {
        QString text;
        int width = 0; ///< that the whole text would take, in pixels, with what is around it
        bool special = false;
        bool continues = false; ///< a further piece of the word before it
        bool added = false;     ///< by a decoder that goes on with what was typed
    };
    /// Where the chips are in a widget of this width.
    struct Places {
        int width = -1;
        int height = 0;
        std::vector<QRect> rects;
    };

    /// Measures the chips anew: another trace, reading or font.
    void refresh();
    const Places& places(int width) const;
    int chipAt(const QPoint& position) const;
    Selection::Pair pairAt(int index) const;
    /// Chips that a pair lights; one, two or none.
    std::vector<int> litBy(const Selection::Pair& pair) const;
    void repaintLit();
    void point(int index, bool lock);
    void moveTo(int index);

    Side m_side;
    TracePointer m_trace;
    QPointer<Selection> m_selection;
    Appearance m_appearance;
    const std::vector<Token>* m_tokens = nullptr; ///< of m_trace
    bool m_lacking = false;                       ///< how its rows are read is being worked out
    bool m_decoderAlone = false;
    int m_decoderRowChip = 0; ///< the chip of the word that names row 0 of the decoder's own attention; may be -1
    int m_decoderKeyChip = 0; ///< the same for its column 0
    QFont m_font;
    std::vector<Chip> m_chips;
    std::vector<int> m_lit;
    int m_current = 0;       ///< where the keyboard is
    bool m_keyboard = false; ///< it is shown where: not to whoever uses the mouse
    mutable Places m_places;
};

} // namespace headlight
