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
    ByteRange bytes;      ///< where it stands in the typed text; empty for added specials and generated tokens
    int word = -1;        ///< index of the word it is part of, counted from 0; -1 for what was not typed
    bool special = false; ///< one of the model's own names, `</s>` or `[MASK]`: added by its rules, or typed as such
    int segment = 0;      ///< 1 in the second of two texts, into which `bytes` then points; the model's token type

    friend bool operator==(const Token&, const Token&) = default;
};

} // namespace headlight
