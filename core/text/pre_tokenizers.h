// The "pre_tokenizer" of a tokenizer.json: cuts a text into the parts, words mostly, that a model then cuts further.
#pragma once

#include "core/files/json.h"
#include "core/text/normalize.h"

#include <functional>
#include <vector>

namespace headlight {

/// Appends the parts of `text` in order, none empty.
/// @throws Error when the text is one that the step cannot take (Pattern::matches)
using PreTokenizationStep = std::function<void(NormalizedText text, std::vector<NormalizedText>& parts)>;

/// @throws Error naming a pre-tokenizer that we do not know, or one that is broken
PreTokenizationStep readPreTokenizer(const JsonPart& part);

} // namespace headlight
