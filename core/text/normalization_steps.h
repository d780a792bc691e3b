// The "normalizer" of a tokenizer.json: steps that change a text, each byte with its way back to what was typed.
#pragma once

#include "core/files/json.h"
#include "core/text/normalize.h"

#include <functional>

namespace headlight {

/// @throws Error when the text is one that the step cannot take (Pattern::matches)
using NormalizationStep = std::function<NormalizedText(NormalizedText)>;

/// @throws Error naming a normalizer that we do not know, or one that is broken
NormalizationStep readNormalizer(const JsonPart& part);

/// GPT-2's letters for the bytes of a text; those of one character keep its whole origin.
NormalizedText bytesAsLetters(const NormalizedText& text);

} // namespace headlight
