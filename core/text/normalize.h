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

/// The normalizer's part of a model file.
struct NormalizerOptions {
    std::string_view characterMap; ///< `precompiled_charsmap`; empty: letters stay as they are
    bool addDummyPrefix = true;    ///< a space before the first word, so that it looks like all others
    bool removeExtraSpaces = true; ///< none at either end, one between words
    bool markSpaces = true;        ///< write U+2581 for a space
    bool dummyPrefixAtEnd = false; ///< the added space goes behind the last word
};

/// Bytes of a text that can be cut into tokens, and what it may grow into on the way.
inline constexpr std::size_t longestTypedText = 1U << 20;
inline constexpr std::size_t longestNormalizedText = 4 * longestTypedText;
/// @throws Error when a text of so many bytes is longer
void checkTyped(std::size_t bytes);
void checkNormalized(std::size_t bytes);

struct NormalizedText {
    std::string text; ///< well-formed UTF-8
    std::vector<ByteRange>
        origin; ///< of each byte of `text`, the typed bytes it was made from; empty for an added space

    /// @throws Error when the text would grow beyond longestNormalizedText, as rules that mean harm can make it
    void append(std::string_view letters, ByteRange from);
    NormalizedText part(ByteRange bytes) const;
    /// The typed bytes that these bytes of `text`, at least one, were made from.
    ByteRange originOf(ByteRange bytes) const { return {origin[bytes.begin].begin, origin[bytes.end - 1].end}; }
};

/// The text as it is, U+FFFD for each byte that belongs to no well-formed character.
NormalizedText asTyped(std::string_view typed);

/// The compiled rules "these letters become those" of a `precompiled_charsmap`.
class CharacterMap {
public:
    struct Rule {
        std::string_view replacement;
        std::size_t length = 0; ///< bytes that it replaces; 0: no rule
    };

    /// @param bytes empty: no rules
    /// @param place stands for the file in messages
    /// @throws Error when offsets lead out of the map
    CharacterMap(std::string_view bytes, const std::string& place);

    /// The rule for the most letters that `text` starts with.
    Rule longest(std::string_view text) const { return find(text, false); }
    /// The rule for the fewest.
    Rule shortest(std::string_view text) const { return find(text, true); }

private:
    Rule find(std::string_view text, bool stopAtFirst) const;
    void checkUnits(const std::string& place) const;

    std::vector<std::uint32_t> m_units; ///< the double array
    std::string m_replacements;         ///< each ends in a zero byte
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

    CharacterMap m_map;
    bool m_addDummyPrefix;
    bool m_removeExtraSpaces;
    bool m_markSpaces;
    bool m_dummyPrefixAtEnd;
};

} // namespace headlight
