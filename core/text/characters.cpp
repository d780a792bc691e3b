// UTF-8 by hand, properties from ICU.
#include "core/text/characters.h"

#include <unicode/uchar.h>

#include <cstdint>

namespace headlight {

namespace {

bool hasCategory(char32_t code, std::uint32_t mask) {
    return (U_GET_GC_MASK(static_cast<UChar32>(code)) & mask) != 0;
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

Character firstCharacter(std::string_view text) {
    const auto byteAt = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
    const char32_t first = byteAt(0);
    if (first < 0x80)
        return {first, 1};
    const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t code = first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i)
        code = code << 6 | (byteAt(i) & 0x3F);
    return {code, length};
}

std::string withReplacementCharacters(std::string_view text) {
    constexpr std::string_view replacementCharacter = "\xEF\xBF\xBD";
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = characterLength(text);
        result += length > 0 ? text.substr(0, length) : replacementCharacter;
        text.remove_prefix(length > 0 ? length : 1);
    }
    return result;
}

std::string utf8(char32_t code) {
    std::string text;
    const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
    if (code < 0x80) {
        add(code);
    } else if (code < 0x800) {
        add(0xC0 | code >> 6);
        add(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        add(0xE0 | code >> 12);
        add(0x80 | (code >> 6 & 0x3F));
        add(0x80 | (code & 0x3F));
    } else {
        add(0xF0 | code >> 18);
        add(0x80 | (code >> 12 & 0x3F));
        add(0x80 | (code >> 6 & 0x3F));
        add(0x80 | (code & 0x3F));
    }
    return text;
}

bool isSpace(char32_t code) {
    return u_isUWhiteSpace(static_cast<UChar32>(code));
}

bool isPunctuation(char32_t code) {
    const bool asciiSign = (code > 0x20 && code < '0') || (code > '9' && code < 'A') || (code > 'Z' && code < 'a')
                           || (code > 'z' && code < 0x7F);
    return asciiSign || (code >= 0x80 && hasCategory(code, U_GC_P_MASK));
}

bool isOther(char32_t code) {
    return hasCategory(code, U_GC_C_MASK);
}

bool isMark(char32_t code) {
    return hasCategory(code, U_GC_M_MASK);
}

bool isNonspacingMark(char32_t code) {
    return hasCategory(code, U_GC_MN_MASK);
}

bool isNumber(char32_t code) {
    return hasCategory(code, U_GC_N_MASK);
}

bool isWordLetter(char32_t code) {
    constexpr char32_t zeroWidthNonJoiner = 0x200C;
    constexpr char32_t zeroWidthJoiner = 0x200D;
    return u_isUAlphabetic(static_cast<UChar32>(code)) || hasCategory(code, U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)
           || code == zeroWidthNonJoiner || code == zeroWidthJoiner;
}

bool isChinese(char32_t code) {
    constexpr struct {
        char32_t first, last;
    } blocks[] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                  {0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
    for (const auto& block : blocks) {
        if (code >= block.first && code <= block.last)
            return true;
    }
    return false;
}

std::string lowerCase(char32_t code) {
    if (code == 0x130) // the one letter whose lower case is two: i with a dot above it
        return "i\xCC\x87";
    return utf8(static_cast<char32_t>(u_tolower(static_cast<UChar32>(code))));
}

} // namespace headlight
