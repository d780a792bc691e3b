// What the panel of texts is made of: editors that grow with their text, and room for its tokens.
#pragma once

#include <QLabel>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QString>

namespace headlight {

class TokenStrip;

/// Plain text, as high as it has lines, within bounds; files dropped on it are the window's, and so is undo.
class Editor : public QPlainTextEdit {
public:
    Editor();

    /// To be called before a text is put in. To find where best to break a word without end costs Qt a time that
    /// grows with its square: a second for 100 kB. Such words are broken anywhere.
    void prepareFor(const QString& text);
    /// Replaces what of the text differs, and puts the cursor behind it.
    void show(const QString& text);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {80, heightOf(2)}; }

protected:
    bool event(QEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    bool canInsertFromMimeData(const QMimeData* source) const override;
    void insertFromMimeData(const QMimeData* source) override;

private:
    int heightOf(int lines) const;
};

/// Room for chips: as high as they need while there is room, and no less than two rows, so that what stands below
/// does not jump with every word.
class Shelf : public QScrollArea {
public:
    explicit Shelf(TokenStrip* strip);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {80, 2 * fontMetrics().height() + 18}; }

    void contentChanged() { updateGeometry(); }

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    TokenStrip* m_strip;
};

/// Lets what is too high for the window be scrolled.
QScrollArea* makeScrolled(QWidget* content);
QLabel* makeHeading(const QString& text);
/// A line that explains.
QLabel* makeNote();

} // namespace headlight
