// What Unicode says about single characters.
#pragma once

#include "core/trace/letters.h"

#include <string>

namespace headlight {

bool isSpace(char32_t code);       ///< White_Space
bool isPunctuation(char32_t code); ///< category P, or one of ASCII's signs
bool isOther(char32_t code);       ///< category C: control, format, private use, unassigned
bool isMark(char32_t code);        ///< category M
bool isNonspacingMark(char32_t code);
bool isNumber(char32_t code);         ///< category N
bool isWordLetter(char32_t code);     ///< what `\w` matches
bool isChinese(char32_t code);        ///< the ideographs that BERT parts from their neighbours
std::string lowerCase(char32_t code); ///< without regard to neighbours: no final sigma

} // namespace headlight
