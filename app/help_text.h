// The pages of the Help menu, as rich text.
#pragma once

#include <QString>
#include <QTextBrowser>

namespace headlight {

/// What the pictures mean, and what they do not.
QString lookingAtText();
/// The program's version and those of what it is built on.
QString aboutText();

/// Shows such a page, and nothing besides: no image is loaded and no link followed, whatever the text says.
class HelpPage : public QTextBrowser {
    Q_OBJECT
public:
    explicit HelpPage(const QString& richText, QWidget* parent = nullptr);

    QVariant loadResource(int type, const QUrl& name) override;
};

} // namespace headlight
