// Reads the compiled rules, with every offset checked on loading, and applies them.
#include "core/text/normalize.h"

#include "core/error.h"

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

std::size_t characterLength(std::string_view text) {
    if (text.empty())
        return 0;
    const auto byteAt = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t first = byteAt(0);
    if (first < 0x80)
        return 1;
    const std::size_t length = (first & 0xE0) == 0xC0 ? 2 : (first & 0xF0) == 0xE0 ? 3 : (first & 0xF8) == 0xF0 ? 4 : 0;
    if (length == 0 || text.size() < length)
        return 0;
    std::uint32_t code = first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byteAt(i) & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (byteAt(i) & 0x3F);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    return code >= least[length] && code <= 0x10FFFF && !surrogate ? length : 0;
}

std::string withReplacementCharacters(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = characterLength(text);
        result += length > 0 ? text.substr(0, length) : replacementCharacter;
        text.remove_prefix(length > 0 ? length : 1);
    }
    return result;
}

Normalizer::Normalizer(const NormalizerOptions& options, const std::string& place)
    : m_addDummyPrefix(options.addDummyPrefix), m_removeExtraSpaces(options.removeExtraSpaces),
      m_markSpaces(options.markSpaces), m_dummyPrefixAtEnd(options.dummyPrefixAtEnd) {
    const std::string_view map = options.characterMap;
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
void Normalizer::checkUnits(const std::string& place) const {
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

Normalizer::Replacement Normalizer::replacementAt(std::string_view typed, const PieceTrie& verbatim) const {
    if (const std::size_t length = verbatim.longestPrefix(typed); length > 0)
        return {typed.substr(0, length), length};

    Replacement longest{{}, 0};
    if (!m_units.empty()) {
        std::size_t node = offsetOf(m_units[0]);
        for (std::size_t i = 0; i < typed.size(); ++i) {
            node ^= static_cast<unsigned char>(typed[i]);
            if (node >= m_units.size() || !isReachedBy(m_units[node], typed[i]))
                break;
            const std::uint32_t unit = m_units[node];
            node ^= offsetOf(unit);
            if (hasValueBelow(unit))
                longest = {&m_replacements[valueOf(m_units[node])], i + 1};
        }
    }
    if (longest.typedLength > 0)
        return longest;
    if (const std::size_t length = characterLength(typed); length > 0)
        return {typed.substr(0, length), length};
    return {replacementCharacter, 1};
}

NormalizedText Normalizer::normalize(std::string_view typed, const PieceTrie& verbatim) const {
    const std::string_view space = m_markSpaces ? spaceMark : " ";
    NormalizedText result;
    result.text.reserve(typed.size() + typed.size() / 2 + 2 * space.size());
    result.origin.reserve(result.text.capacity());
    const auto append = [&](std::string_view text, ByteRange origin) {
        result.text += text;
        result.origin.insert(result.origin.end(), text.size(), origin);
    };

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
        append(space, {position, position});

    bool afterSpace = m_removeExtraSpaces;
    while (position < typed.size()) {
        const Replacement next = replacementAt(typed.substr(position), verbatim);
        const ByteRange origin{position, position + next.typedLength};
        std::string_view text = next.text;
        if (afterSpace)
            text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        for (std::size_t i = 0; i < text.size(); ++i)
            append(text[i] == ' ' ? space : text.substr(i, 1), origin);
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
        append(space, {position, position});
    return result;
}

} // namespace headlight
