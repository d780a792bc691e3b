// Single characters of a UTF-8 text, and what Unicode says about them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace headlight {

struct Character {
    char32_t code = 0;
    std::size_t length = 0; ///< bytes
};

/// Bytes of the well-formed UTF-8 character that `text` starts with; 0 when it is malformed or `text` is empty.
std::size_t characterLength(std::string_view text);
/// The character that `text`, which must be well-formed and not empty, starts with.
Character firstCharacter(std::string_view text);
/// The text with U+FFFD for each byte that belongs to no well-formed character.
std::string withReplacementCharacters(std::string_view text);
std::string utf8(char32_t code);

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
