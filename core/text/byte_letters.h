// GPT-2's way to write any byte as a letter that can be seen: "Ġ" for the space.
//
// Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2: byte-pair encoding over
// bytes. Bytes that are a visible letter of Latin-1 stand for themselves; the others get the letters from U+0100 on.
#pragma once

#include <optional>
#include <string_view>

namespace headlight {

/// The letter in UTF-8.
std::string_view letterOfByte(unsigned char byte);
/// Nothing for a letter that stands for no byte.
std::optional<unsigned char> byteOfLetter(char32_t letter);

} // namespace headlight
