#include "widgets/plain_text.h"

#include <algorithm>

namespace headlight {

namespace {

/// What is shown for a character; itself for most.
QChar signOf(QChar letter) {
    const auto code = letter.unicode();
    constexpr char16_t controlSigns = 0x2400, deleteSign = 0x2421; // pictures of the control characters
    if (code < 0x20)
        return QChar(static_cast<char16_t>(controlSigns + code));
    if (code == 0x7f)
        return QChar(deleteSign);
    const bool breaks =
        (code >= 0x80 && code < 0xa0) || code == QChar::LineSeparator || code == QChar::ParagraphSeparator;
    const bool turns = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    const bool none = letter.isSurrogate() || code >= 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
    return breaks || turns || none ? QChar(QChar::ReplacementCharacter) : letter;
}

/// The same text with places where a word that is too long for a line may be broken.
QString breakable(const QString& line) {
    constexpr int longest = 48;
    constexpr QChar mayBreak(0x200b);
    QString text;
    int since = 0;
    for (const auto letter : line) {
        if (since >= longest && !letter.isLowSurrogate() && !letter.isMark()) {
            text += mayBreak;
            since = 0;
        }
        text += letter;
        since = letter.isSpace() ? 0 : since + 1;
    }
    return text;
}

} // namespace

QString brief(const QString& text, qsizetype most) {
    auto line = text.size() > most ? text.left(most - 1) : text;
    const bool cut = line.size() < text.size();
    if (cut && line.back().isHighSurrogate())
        line.chop(1);
    for (qsizetype i = 0; i < line.size(); ++i) {
        const auto letter = line.at(i);
        if (letter.isHighSurrogate() && i + 1 < line.size() && line.at(i + 1).isLowSurrogate())
            ++i;
        else if (const auto sign = signOf(letter); sign != letter)
            line[i] = sign;
    }
    return cut ? line + QChar(0x2026) : line;
}

QString toolTipOf(const QStringList& lines) {
    constexpr qsizetype mostLines = 20, mostOfTip = 400;
    QStringList written;
    for (const auto& line : lines.mid(0, mostLines))
        if (!line.isEmpty())
            written << breakable(brief(line, mostOfTip)).toHtmlEscaped();
    if (written.isEmpty())
        return {};
    if (written.size() > 1)
        written.front() = QStringLiteral("<b>%1</b>").arg(written.front());
    // Qt guesses what is rich text; said to be, none of it is taken for a tag: neither <s> nor an image.
    return QStringLiteral("<qt>%1</qt>").arg(written.join(QStringLiteral("<br>")));
}

QString inLine(const QString& name) {
    const bool turned = std::any_of(name.cbegin(), name.cend(), [](QChar letter) {
        return letter.direction() == QChar::DirR || letter.direction() == QChar::DirAL;
    });
    constexpr QChar leftToRight(0x200e);
    return turned ? leftToRight + name + leftToRight : name;
}

QString withoutAccelerators(const QString& text) {
    return QString(text).replace(QLatin1Char('&'), QStringLiteral("&&"));
}

} // namespace headlight
