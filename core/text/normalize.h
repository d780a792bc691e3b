// Text as typed to text as a SentencePiece model wants it, each byte with its way back.
//
// Kudo and Richardson 2018, "SentencePiece", section 3.2: rules "these letters become those", compiled into a
// double-array trie (Aoe 1989, in the layout of darts-clone) with the replacements behind it, then the treatment of
// spaces.
#pragma once

#include "core/text/piece_trie.h"
#include "core/text/token.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

/// U+2581, which stands for a space inside of a piece.
inline constexpr std::string_view spaceMark = "\xE2\x96\x81";

/// Bytes of the well-formed UTF-8 character that `text` starts with; 0 when it is malformed or `text` is empty.
std::size_t characterLength(std::string_view text);
/// The text with U+FFFD for each byte that belongs to no well-formed character.
std::string withReplacementCharacters(std::string_view text);

/// The normalizer's part of a model file.
struct NormalizerOptions {
    std::string_view characterMap; ///< `precompiled_charsmap`; empty: letters stay as they are
    bool addDummyPrefix = true;    ///< a space before the first word, so that it looks like all others
    bool removeExtraSpaces = true; ///< none at either end, one between words
    bool markSpaces = true;        ///< write U+2581 for a space
    bool dummyPrefixAtEnd = false; ///< the added space goes behind the last word
};

struct NormalizedText {
    std::string text; ///< well-formed UTF-8
    std::vector<ByteRange>
        origin; ///< of each byte of `text`, the typed bytes it was made from; empty for an added space
};

class Normalizer {
public:
    /// @param place stands for the file in messages
    /// @throws Error when the character map's offsets lead out of it
    Normalizer(const NormalizerOptions& options, const std::string& place);

    /// @param verbatim pieces that no rule may change
    NormalizedText normalize(std::string_view typed, const PieceTrie& verbatim) const;

private:
    struct Replacement {
        std::string_view text;
        std::size_t typedLength; ///< bytes that it replaces
    };
    Replacement replacementAt(std::string_view typed, const PieceTrie& verbatim) const;
    void checkUnits(const std::string& place) const;

    std::vector<std::uint32_t> m_units; ///< the double array
    std::string m_replacements;         ///< each ends in a zero byte
    bool m_addDummyPrefix;
    bool m_removeExtraSpaces;
    bool m_markSpaces;
    bool m_dummyPrefixAtEnd;
};

} // namespace headlight
