// Text that is not ours, such as a token, a label or a path, made fit for the screen: short, and never markup.
#pragma once

#include <QString>
#include <QStringList>

namespace headlight {

/// As many characters as the widest line has room for.
inline constexpr qsizetype mostOfLine = 1000;
/// As many as a name among others may have, such as a token's.
inline constexpr qsizetype mostOfName = 160;

/// A text as one line of at most so many characters, an ellipsis at its end where it was cut. What would break the
/// line, turn the direction of what follows or is no character is shown by a sign. Whatever is measured or drawn goes
/// through here first: laying out takes as long as the text is.
QString brief(const QString& text, qsizetype most = mostOfLine);
/// What a tool tip is given to say these lines to the letter, however much they look like markup; long ones are
/// wrapped.
QString toolTipOf(const QStringList& lines);
/// A name as one word of a line that goes from left to right, whichever way its own script goes: what stands before it
/// and behind stays there.
QString inLine(const QString& name);
/// The same text for a button, a menu or a tab, which read & as an accelerator.
QString withoutAccelerators(const QString& text);

} // namespace headlight
