// The pages of the Help menu, as rich text.
#pragma once

#include <QString>

namespace headlight {

/// What the pictures mean, and what they do not.
QString lookingAtText();
/// The program's version and those of what it is built on.
QString aboutText();

} // namespace headlight
