// Both tables, made once.
#include "core/text/byte_letters.h"

#include "core/text/characters.h"

#include <array>
#include <cstddef>
#include <string>

namespace headlight {

namespace {

constexpr std::size_t bytes = 256;

struct Tables {
    std::array<std::string, bytes> letters;
    std::array<int, 2 * bytes> byteOf;

    Tables() {
        byteOf.fill(-1);
        char32_t next = 0x100;
        for (std::size_t byte = 0; byte < bytes; ++byte) {
            const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
            const char32_t letter = visible ? static_cast<char32_t>(byte) : next++;
            letters[byte] = utf8(letter);
            byteOf[letter] = static_cast<int>(byte);
        }
    }
};

const Tables& tables() {
    static const Tables made;
    return made;
}

} // namespace

std::string_view letterOfByte(unsigned char byte) {
    return tables().letters[byte];
}

std::optional<unsigned char> byteOfLetter(char32_t letter) {
    if (letter >= 2 * bytes || tables().byteOf[letter] < 0)
        return std::nullopt;
    return static_cast<unsigned char>(tables().byteOf[letter]);
}

} // namespace headlight
