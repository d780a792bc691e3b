// Bytes, UTF-8 and letters: single characters, the ways in which vocabularies write bytes, and back to what can be
// read.
#pragma once

#include "core/text/token.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

/// GPT-2's way to write any byte as a letter that can be seen, in UTF-8: "Ġ" for the space. Bytes that are a visible
/// letter of Latin-1 stand for themselves, the others get the letters from U+0100 on: Radford et al. 2019, "Language
/// Models are Unsupervised Multitask Learners", section 2.2.
std::string_view letterOfByte(unsigned char byte);
/// Nothing for a letter that stands for no byte.
std::optional<unsigned char> byteOfLetter(char32_t letter);
/// The bytes that such letters stand for; nothing where one of them stands for none.
std::optional<std::string> bytesOfLetters(std::string_view letters);

/// Bytes for reading: those that make no letter are written as numbers, `⟨E2 80⟩`.
std::string readableBytes(std::string_view bytes);

/// The text that tokens make, specials left out, and where each of them stands in it. Letters that were parted come
/// together again: `⟨E2 80⟩` and `⟨99⟩` are ’.
struct SpelledText {
    std::string text;
    std::vector<ByteRange> places; ///< of each token; empty for specials
};
SpelledText spelledText(std::span<const Token> tokens);

} // namespace headlight
