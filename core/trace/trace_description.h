// What a Trace says in words: all of it but its tensors, as JSON.
#pragma once

#include "core/trace/trace.h"

#include <string>

namespace headlight {

class JsonPart;

/// All of the Trace but its tensors, as JSON. Invalid UTF-8 becomes U+FFFD, a number that is not finite null.
std::string traceJson(const Trace& trace);
/// The tokens' texts alone, for those who read the tensors without us.
std::string tokenTextsJson(const Trace& trace);

/// A text for one line of a picture: what is longer than 1 KiB is cut and ends in an ellipsis, and U+FFFE and U+FFFF,
/// which no XML can have, become U+FFFD.
std::string label(std::string text);

/// Everything but the tensors, from what traceJson made.
/// @throws Error naming the place, the member at fault and what stands there
Trace readTraceJson(const JsonPart& description);

} // namespace headlight
