#include "core/trace/letters.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace headlight {

namespace {

constexpr std::size_t bytes = 256;
constexpr std::string_view opening = "\u27e8", closing = "\u27e9"; // around the numbers of bytes

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

/// Bytes as they were before readableBytes wrote some as numbers.
std::string writtenBytes(std::string_view readable) {
    std::string written;
    while (!readable.empty()) {
        const auto end = readable.starts_with(opening) ? readable.find(closing) : std::string_view::npos;
        if (end == std::string_view::npos) {
            written += readable.front();
            readable.remove_prefix(1);
            continue;
        }
        std::string numbered;
        const auto numbers = readable.substr(opening.size(), end - opening.size());
        bool known = numbers.size() % 3 == 2;
        for (std::size_t at = 0; known && at < numbers.size(); at += 3) {
            unsigned number = 0;
            const auto* last = numbers.data() + at + 2;
            known = std::from_chars(numbers.data() + at, last, number, 16).ptr == last && number >= 0x80;
            numbered += static_cast<char>(number);
        }
        written += known ? std::string_view(numbered) : readable.substr(0, end + closing.size());
        readable.remove_prefix(end + closing.size());
    }
    return written;
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

std::string_view letterOfByte(unsigned char byte) {
    return tables().letters[byte];
}

std::optional<unsigned char> byteOfLetter(char32_t letter) {
    if (letter >= 2 * bytes || tables().byteOf[letter] < 0)
        return std::nullopt;
    return static_cast<unsigned char>(tables().byteOf[letter]);
}

std::optional<std::string> bytesOfLetters(std::string_view letters) {
    std::string found;
    while (!letters.empty()) {
        if (characterLength(letters) == 0)
            return std::nullopt;
        const Character letter = firstCharacter(letters);
        const auto byte = byteOfLetter(letter.code);
        if (!byte)
            return std::nullopt;
        found += static_cast<char>(*byte);
        letters.remove_prefix(letter.length);
    }
    return found;
}

std::string readableBytes(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string readable;
    while (!text.empty()) {
        if (const auto length = characterLength(text); length > 0) {
            readable += text.substr(0, length);
            text.remove_prefix(length);
            continue;
        }
        readable += opening;
        for (bool first = true; !text.empty() && characterLength(text) == 0; first = false) {
            const auto byte = static_cast<unsigned char>(text.front());
            readable += first ? "" : " ";
            readable += {digits[byte >> 4], digits[byte & 0xF]};
            text.remove_prefix(1);
        }
        readable += closing;
    }
    return readable;
}

SpelledText spelledText(std::span<const Token> tokens) {
    SpelledText spelled;
    for (const auto& token : tokens) {
        const auto begin = spelled.text.size();
        if (!token.special)
            spelled.text += writtenBytes(token.letters);
        spelled.places.push_back({begin, spelled.text.size()});
    }
    return spelled;
}

} // namespace headlight
