// Pictures one after the other, as an animated GIF (CompuServe's 89a).
#pragma once

#include <QByteArray>
#include <QImage>
#include <QList>

namespace headlight {

/// Plays without end; the last picture stands twice as long. Colours are the 255 most frequent of all pictures, others
/// are drawn as the nearest of them.
/// @param frames of one size, at most 65 535 pixels a side; at least one
/// @param milliseconds that each is shown, to a hundredth of a second
QByteArray asGif(const QList<QImage>& frames, int milliseconds);

} // namespace headlight
