// The "decoder" of a tokenizer.json: from pieces back to a text.
#pragma once

#include "core/files/json.h"

#include <functional>
#include <string>
#include <vector>

namespace headlight {

/// From pieces to fewer or other pieces; those that come out, joined, are the text.
using DecodingStep = std::function<std::vector<std::string>(std::vector<std::string>)>;

/// @throws Error naming a decoder that we do not know, or one that is broken
DecodingStep readDecoder(const JsonPart& part);
/// What holds where a file has no decoder: the pieces with spaces between them.
DecodingStep spacesBetween();

} // namespace headlight
