#include "core/text/characters.h"

#include <unicode/uchar.h>

#include <cstdint>

namespace headlight {

namespace {

bool hasCategory(char32_t code, std::uint32_t mask) {
    return (U_GET_GC_MASK(static_cast<UChar32>(code)) & mask) != 0;
}

} // namespace

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
