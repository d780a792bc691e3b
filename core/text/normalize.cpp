// Reads the compiled rules, with every offset checked on loading, and applies them.
#include "core/text/normalize.h"

#include "core/error.h"
#include "core/text/characters.h"

#include <algorithm>
#include <cstring>

namespace headlight {

namespace {

constexpr std::string_view replacementCharacter = "\xEF\xBF\xBD";
constexpr std::size_t longestReplacement = 1024; // the longest of NFKC has 33 bytes

// A unit of the double array, 32 bits: either a value (highest bit set), or the byte that leads to it (low 8 bits),
// whether a value hangs below it (bit 8), and the offset to its children (21 bits, in steps of 256 when bit 9 is set).
constexpr std::uint32_t valueBit = 1U << 31;

bool isValue(std::uint32_t unit) {
    return (unit & valueBit) != 0;
}
std::uint32_t valueOf(std::uint32_t unit) {
    return unit & ~valueBit;
}
bool hasValueBelow(std::uint32_t unit) {
    return ((unit >> 8) & 1) != 0;
}
bool isReachedBy(std::uint32_t unit, char byte) {
    return (unit & (valueBit | 0xFF)) == static_cast<unsigned char>(byte);
}
std::uint32_t offsetOf(std::uint32_t unit) {
    return (unit >> 10) << ((unit & (1U << 9)) >> 6);
}

std::uint32_t readUnit(std::string_view bytes) {
    std::uint32_t unit = 0;
    for (std::size_t i = 4; i-- > 0;)
        unit = unit << 8 | static_cast<unsigned char>(bytes[i]);
    return unit;
}

[[noreturn]] void failMap(const std::string& place, const std::string& detail) {
    throw Error(Error::Kind::Corrupt, place, "the normalization rules (precompiled_charsmap) " + detail,
                "the file is damaged or incomplete; fetch or export it again");
}

} // namespace

void checkTyped(std::size_t bytes) {
    if (bytes > longestTypedText)
        throw Error(Error::Kind::Invalid, "text",
                    std::to_string(bytes) + " bytes are too many; at most " + std::to_string(longestTypedText)
                        + " can be cut into tokens",
                    "give it in parts");
}

void checkNormalized(std::size_t bytes) {
    if (bytes > longestNormalizedText)
        throw Error(Error::Kind::Invalid, "text",
                    "normalized it has more than " + std::to_string(longestNormalizedText) + " bytes",
                    "give it in parts");
}

void NormalizedText::append(std::string_view letters, ByteRange from) {
    checkNormalized(text.size() + letters.size());
    text += letters;
    origin.insert(origin.end(), letters.size(), from);
}

NormalizedText NormalizedText::part(ByteRange bytes) const {
    const auto at = [&](std::size_t i) { return origin.begin() + static_cast<std::ptrdiff_t>(i); };
    return {text.substr(bytes.begin, bytes.end - bytes.begin), {at(bytes.begin), at(bytes.end)}};
}

NormalizedText asTyped(std::string_view typed) {
    NormalizedText result;
    result.text.reserve(typed.size());
    result.origin.reserve(typed.size());
    for (std::size_t i = 0; i < typed.size();) {
        const std::size_t length = characterLength(typed.substr(i));
        const std::size_t end = i + std::max<std::size_t>(length, 1);
        result.append(length > 0 ? typed.substr(i, length) : replacementCharacter, {i, end});
        i = end;
    }
    return result;
}

CharacterMap::CharacterMap(std::string_view map, const std::string& place) {
    if (map.empty())
        return;
    constexpr std::size_t head = 4;
    if (map.size() < head)
        failMap(place, "have only " + std::to_string(map.size()) + " bytes");
    const std::size_t trieBytes = readUnit(map);
    if (trieBytes == 0 || trieBytes % 4 != 0 || trieBytes > map.size() - head)
        failMap(place, "announce a trie of " + std::to_string(trieBytes) + " bytes within "
                           + std::to_string(map.size() - head));
    for (std::size_t i = 0; i < trieBytes; i += 4)
        m_units.push_back(readUnit(map.substr(head + i)));
    m_replacements = map.substr(head + trieBytes);
    if (m_replacements.empty() || m_replacements.back() != '\0')
        failMap(place, "end in the middle of a replacement");
    checkUnits(place);
}

/// After this, each value below a unit is a value, and each value is where a replacement in good UTF-8 starts.
void CharacterMap::checkUnits(const std::string& place) const {
    std::vector<bool> good(m_replacements.size()); // from here to the next zero byte: well-formed and not endless
    for (std::size_t end = m_replacements.size(); end-- > 0;) {
        const std::string_view rest = std::string_view(m_replacements).substr(end);
        const std::size_t length = characterLength(rest);
        good[end] = rest[0] == '\0' || (length > 0 && good[end + length]);
    }
    for (std::size_t i = 0; i < m_units.size(); ++i) {
        const std::uint32_t unit = m_units[i];
        if (isValue(unit)) {
            const std::size_t start = valueOf(unit);
            if (start >= m_replacements.size())
                failMap(place, "point from unit " + std::to_string(i) + " to byte " + std::to_string(start) + " of "
                                   + std::to_string(m_replacements.size()));
            if (!good[start] || std::strlen(&m_replacements[start]) > longestReplacement)
                failMap(place, "have a replacement at byte " + std::to_string(start) + " that is no UTF-8 text");
            continue;
        }
        const std::size_t children = i ^ offsetOf(unit);
        if (children >= m_units.size())
            failMap(place, "point from unit " + std::to_string(i) + " to unit " + std::to_string(children) + " of "
                               + std::to_string(m_units.size()));
        if (hasValueBelow(unit) && !isValue(m_units[children]))
            failMap(place, "miss the value below unit " + std::to_string(i));
    }
}

CharacterMap::Rule CharacterMap::find(std::string_view text, bool stopAtFirst) const {
    Rule found;
    if (m_units.empty())
        return found;
    std::size_t node = offsetOf(m_units[0]);
    for (std::size_t i = 0; i < text.size(); ++i) {
        node ^= static_cast<unsigned char>(text[i]);
        if (node >= m_units.size() || !isReachedBy(m_units[node], text[i]))
            break;
        const std::uint32_t unit = m_units[node];
        node ^= offsetOf(unit);
        if (hasValueBelow(unit)) {
            found = {&m_replacements[valueOf(m_units[node])], i + 1};
            if (stopAtFirst)
                break;
        }
    }
    return found;
}

Normalizer::Normalizer(const NormalizerOptions& options, const std::string& place)
    : m_map(options.characterMap, place), m_addDummyPrefix(options.addDummyPrefix),
      m_removeExtraSpaces(options.removeExtraSpaces), m_markSpaces(options.markSpaces),
      m_dummyPrefixAtEnd(options.dummyPrefixAtEnd) {}

Normalizer::Replacement Normalizer::replacementAt(std::string_view typed, const PieceTrie& verbatim) const {
    if (const std::size_t length = verbatim.longestPrefix(typed); length > 0)
        return {typed.substr(0, length), length};
    if (const CharacterMap::Rule rule = m_map.longest(typed); rule.length > 0)
        return {rule.replacement, rule.length};
    if (const std::size_t length = characterLength(typed); length > 0)
        return {typed.substr(0, length), length};
    return {replacementCharacter, 1};
}

NormalizedText Normalizer::normalize(std::string_view typed, const PieceTrie& verbatim) const {
    const std::string_view space = m_markSpaces ? spaceMark : " ";
    NormalizedText result;
    result.text.reserve(typed.size() + typed.size() / 2 + 2 * space.size());
    result.origin.reserve(result.text.capacity());
    std::size_t position = 0;
    if (m_removeExtraSpaces) {
        while (position < typed.size()) {
            const Replacement first = replacementAt(typed.substr(position), verbatim);
            if (first.text != " ")
                break;
            position += first.typedLength;
        }
    }
    if (position == typed.size())
        return result;
    if (m_addDummyPrefix && !m_dummyPrefixAtEnd)
        result.append(space, {position, position});

    bool afterSpace = m_removeExtraSpaces;
    while (position < typed.size()) {
        const Replacement next = replacementAt(typed.substr(position), verbatim);
        const ByteRange origin{position, position + next.typedLength};
        std::string_view text = next.text;
        if (afterSpace)
            text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        for (std::size_t i = 0; i < text.size(); ++i)
            result.append(text[i] == ' ' ? space : text.substr(i, 1), origin);
        if (!text.empty())
            afterSpace = m_removeExtraSpaces && text.back() == ' ';
        position = origin.end;
    }

    if (m_removeExtraSpaces) {
        while (result.text.ends_with(space))
            result.text.erase(result.text.size() - space.size());
        result.origin.resize(result.text.size());
    }
    if (m_addDummyPrefix && m_dummyPrefixAtEnd)
        result.append(space, {position, position});
    return result;
}

} // namespace headlight
