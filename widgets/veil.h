// What lies over a picture that is no longer true.
#pragma once

#include <QColor>
#include <QRect>
#include <QWidget>

#include <functional>

namespace headlight {

/// Pales what lies below, and says why; mouse and keys pass through. An export knows nothing of it.
class Veil : public QWidget {
    Q_OBJECT
public:
    /// @param area of `below` that it covers, asked for anew whenever that changes its size
    Veil(QWidget* below, std::function<QRect()> area);

    void setColors(const QColor& paper, const QColor& text);
    /// @param why in a few words; empty: there is nothing to say where it lies
    void setWords(const QString& why) { m_words = why; }
    /// Lies over the picture, or is gone.
    void lie(bool over);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    std::function<QRect()> m_area;
    QColor m_paper;
    QColor m_text;
    QString m_words;
};

} // namespace headlight
