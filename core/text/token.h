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
    std::int64_t id = 0; ///< row in the embedding
    std::string text;    ///< as its vocabulary has it, UTF-8: the piece with its marks, or the special's name, `</s>`
    /// As a person reads it, and what it adds to a text: the piece decoded, without marks. A space before it is a part
    /// of it: ` the` of `Ġthe` and `▁the`, ` ing` of BERT's `ing`, `ing` of `##ing`; `the ` of `the</w>`. Some of a
    /// letter's bytes are that letter where it was typed, else their numbers, `⟨E2 80⟩`. A special's is its name.
    std::string letters = {};
    ByteRange bytes;      ///< where it stands in the typed text; empty for added specials and generated tokens
    int word = -1;        ///< index of the word it is part of, counted from 0; -1 for what was not typed
    bool special = false; ///< one of the model's own names, `</s>` or `[MASK]`: added by its rules, or typed as such
    int segment = 0;      ///< 1 in the second of two texts, into which `bytes` then points; the model's token type

    friend bool operator==(const Token&, const Token&) = default;
};

} // namespace headlight
