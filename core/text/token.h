// One token of a text, with its way back to the letters that were typed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace headlight {

/// Half-open range of bytes in the UTF-8 text as the user typed it (before any normalization).
struct ByteRange {
    std::size_t begin = 0;
    std::size_t end = 0;

    bool empty() const { return begin == end; }
    friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

struct Token {
    std::int64_t id = 0;  ///< row in the embedding
    std::string text;     ///< as shown, UTF-8: the piece with its space mark (U+2581), or the special's name, `</s>`
    ByteRange bytes;      ///< where it stands in the typed text; empty for specials and generated tokens
    int word = -1;        ///< index of the word it is part of, counted from 0; -1 for specials
    bool special = false; ///< added by the model's rules, not by the user's text

    friend bool operator==(const Token&, const Token&) = default;
};

} // namespace headlight
