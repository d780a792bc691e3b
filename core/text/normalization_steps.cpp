// One function for each normalizer of HuggingFace's tokenizers library, and the table that names them.
#include "core/text/normalization_steps.h"

#include "core/error.h"
#include "core/text/characters.h"
#include "core/text/pattern.h"
#include "core/text/word_breaks.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace headlight {

namespace {

/// Calls `change(character, its letters, its origin, result)` for each character.
template <typename Change>
NormalizedText eachCharacter(const NormalizedText& text, Change change) {
    NormalizedText result;
    result.text.reserve(text.text.size());
    result.origin.reserve(text.text.size());
    const std::string_view all = text.text;
    for (std::size_t i = 0; i < all.size();) {
        const Character next = firstCharacter(all.substr(i));
        change(next.code, all.substr(i, next.length), text.originOf({i, i + next.length}), result);
        i += next.length;
    }
    return result;
}

template <typename Keep>
NormalizedText filtered(const NormalizedText& text, Keep keep) {
    return eachCharacter(text, [&](char32_t code, std::string_view letters, ByteRange origin, NormalizedText& result) {
        if (keep(code))
            result.append(letters, origin);
    });
}

NormalizedText lowered(const NormalizedText& text) {
    return eachCharacter(text, [](char32_t code, std::string_view, ByteRange origin, NormalizedText& result) {
        result.append(lowerCase(code), origin);
    });
}

// Unicode's normal forms

using Form = const icu::Normalizer2* (*)(UErrorCode&);

const icu::Normalizer2* formC(UErrorCode& status) {
    return icu::Normalizer2::getNFCInstance(status);
}
const icu::Normalizer2* formD(UErrorCode& status) {
    return icu::Normalizer2::getNFDInstance(status);
}
const icu::Normalizer2* formKC(UErrorCode& status) {
    return icu::Normalizer2::getNFKCInstance(status);
}
const icu::Normalizer2* formKD(UErrorCode& status) {
    return icu::Normalizer2::getNFKDInstance(status);
}

[[noreturn]] void failIcu(UErrorCode status) {
    throw Error(Error::Kind::Unreadable, "ICU", std::string("letters cannot be normalized: ") + u_errorName(status),
                "install ICU's data");
}

/// Runs of characters that may act upon one another, a letter with its accents, are normalized together, and all that
/// comes of one has the origin of the whole run.
NormalizedText inForm(Form form, const NormalizedText& text) {
    constexpr std::size_t longestRun = 256; // reordering a run takes the square of its length
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* normalizer = form(status);
    if (U_FAILURE(status))
        failIcu(status);
    NormalizedText result;
    result.text.reserve(text.text.size());
    result.origin.reserve(text.text.size());
    const std::string_view all = text.text;
    for (std::size_t begin = 0; begin < all.size();) {
        std::size_t end = begin + firstCharacter(all.substr(begin)).length;
        while (end < all.size() && end - begin < longestRun) {
            const Character next = firstCharacter(all.substr(end));
            if (next.code < 0x300 || normalizer->hasBoundaryBefore(static_cast<UChar32>(next.code)))
                break;
            end += next.length;
        }
        const std::string_view run = all.substr(begin, end - begin);
        const ByteRange origin = text.originOf({begin, end});
        if (run.size() == 1) {
            result.append(run, origin);
        } else {
            const auto units =
                icu::UnicodeString::fromUTF8(icu::StringPiece(run.data(), static_cast<std::int32_t>(run.size())));
            std::string normalized;
            normalizer->normalize(units, status).toUTF8String(normalized);
            if (U_FAILURE(status))
                failIcu(status);
            result.append(normalized, origin);
        }
        begin = end;
    }
    return result;
}

// BERT

struct BertOptions {
    bool cleanText, splitChinese, stripAccents, lowerCase;
};

NormalizedText bertNormalized(const BertOptions& options, NormalizedText text) {
    text = eachCharacter(text, [&](char32_t code, std::string_view letters, ByteRange origin, NormalizedText& result) {
        if (options.cleanText) {
            const bool lineOrTab = code == '\t' || code == '\n' || code == '\r';
            if (code == 0 || code == 0xFFFD || (!lineOrTab && isOther(code)))
                return;
            if (isSpace(code))
                letters = " ";
        }
        const bool apart = options.splitChinese && isChinese(code);
        if (apart)
            result.append(" ", {origin.begin, origin.begin});
        result.append(letters, origin);
        if (apart)
            result.append(" ", {origin.end, origin.end});
    });
    if (options.stripAccents)
        text = filtered(inForm(formD, text), [](char32_t code) { return !isNonspacingMark(code); });
    return options.lowerCase ? lowered(text) : text;
}

NormalizationStep readBert(const JsonPart& part) {
    BertOptions options{};
    options.cleanText = part.flag("clean_text", true);
    options.splitChinese = part.flag("handle_chinese_chars", true);
    options.lowerCase = part.flag("lowercase", true);
    options.stripAccents = part.flag("strip_accents", options.lowerCase);
    return [options](NormalizedText text) { return bertNormalized(options, std::move(text)); };
}

// The others

NormalizedText stripped(bool left, bool right, const NormalizedText& text) {
    std::optional<std::size_t> first;
    std::size_t last = 0; // behind the last letter that is no space
    for (std::size_t i = 0; i < text.text.size();) {
        const Character next = firstCharacter(std::string_view(text.text).substr(i));
        if (!isSpace(next.code)) {
            first = first.value_or(i);
            last = i + next.length;
        }
        i += next.length;
    }
    if (!first)
        return left || right ? NormalizedText{} : text;
    return text.part({left ? *first : 0, right ? last : text.text.size()});
}

NormalizedText replaced(const Pattern& pattern, const std::string& content, const NormalizedText& text) {
    NormalizedText result;
    std::size_t done = 0;
    const auto keepUntil = [&](std::size_t end) {
        for (; done < end; ++done)
            result.append(std::string_view(text.text).substr(done, 1), text.origin[done]);
    };
    for (const ByteRange& match : pattern.matches(text.text)) {
        keepUntil(match.begin);
        if (match.empty()) {
            const std::size_t typed = result.origin.empty() ? 0 : result.origin.back().end;
            result.append(content, {typed, typed});
        } else {
            result.append(content, text.originOf(match));
        }
        done = match.end;
    }
    keepUntil(text.text.size());
    return result;
}

/// Neural machine translation's cleaning, as SentencePiece's rules "nmt" have it.
NormalizedText nmtNormalized(const NormalizedText& text) {
    return eachCharacter(text, [](char32_t code, std::string_view letters, ByteRange origin, NormalizedText& result) {
        const bool dropped = (code >= 0x01 && code <= 0x08) || code == 0x0B || (code >= 0x0E && code <= 0x1F)
                             || code == 0x7F || code == 0x8F || code == 0x9F;
        if (dropped)
            return;
        const bool space = code == 0x09 || code == 0x0A || code == 0x0C || code == 0x0D || code == 0x1680
                           || (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581
                           || code == 0xFEFF || code == 0xFFFD;
        result.append(space ? " " : letters, origin);
    });
}

/// Letter by letter as a reader sees them, each by the rule for the fewest of its characters: not what SentencePiece
/// does, but what the tokenizers library made of it, and the models in this format were trained with either.
NormalizedText mapped(const CharacterMap& map, const LetterBreaker& letters, const NormalizedText& text) {
    constexpr std::size_t longestLetter = 6; // longer ones are taken character by character
    NormalizedText result;
    const std::string_view all = text.text;
    const auto apply = [&](std::size_t begin, std::size_t end) {
        const CharacterMap::Rule rule = map.shortest(all.substr(begin, end - begin));
        if (rule.length > 0)
            result.append(rule.replacement, text.originOf({begin, end}));
        return rule.length > 0;
    };
    std::size_t begin = 0;
    for (const std::size_t end : letters.ends(all)) {
        if (end - begin >= longestLetter || !apply(begin, end)) {
            for (std::size_t i = begin; i < end;) {
                const std::size_t length = firstCharacter(all.substr(i)).length;
                if (!apply(i, i + length))
                    result.append(all.substr(i, length), text.originOf({i, i + length}));
                i += length;
            }
        }
        begin = end;
    }
    return result;
}

std::string decodedBase64(const JsonPart& part) {
    const std::string text = part.text();
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char letter : text) {
        constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        if (letter == '=')
            break;
        const auto digit = digits.find(letter);
        if (digit == std::string_view::npos)
            part.fail("this is not base 64");
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> count);
        }
    }
    return bytes;
}

NormalizationStep readPrecompiled(const JsonPart& part) {
    if (!part.has("precompiled_charsmap"))
        return [](NormalizedText text) { return text; };
    const JsonPart bytes = part.at("precompiled_charsmap");
    auto map = std::make_shared<const CharacterMap>(decodedBase64(bytes), bytes.place() + ": " + bytes.path());
    auto letters = std::make_shared<const LetterBreaker>();
    return [map, letters](const NormalizedText& text) { return mapped(*map, *letters, text); };
}

NormalizationStep readReplace(const JsonPart& part) {
    return [pattern = Pattern::read(part.at("pattern")), content = part.at("content").text()](
               const NormalizedText& text) { return replaced(pattern, content, text); };
}

NormalizationStep readPrepend(const JsonPart& part) {
    return [content = part.at("prepend").text()](const NormalizedText& text) -> NormalizedText {
        if (text.text.empty())
            return text;
        NormalizedText result;
        result.append(content, {text.origin.front().begin, text.origin.front().begin});
        result.text += text.text;
        result.origin.insert(result.origin.end(), text.origin.begin(), text.origin.end());
        return result;
    };
}

NormalizationStep readStrip(const JsonPart& part) {
    return [left = part.flag("strip_left", true), right = part.flag("strip_right", true)](const NormalizedText& text) {
        return stripped(left, right, text);
    };
}

NormalizationStep readSequence(const JsonPart& part) {
    std::vector<NormalizationStep> steps;
    for (const JsonPart& element : part.at("normalizers").elements())
        steps.push_back(readNormalizer(element));
    return [steps](NormalizedText text) {
        for (const NormalizationStep& step : steps)
            text = step(std::move(text));
        return text;
    };
}

NormalizationStep formStep(Form form) {
    return [form](const NormalizedText& text) { return inForm(form, text); };
}

struct Known {
    std::string_view type;
    NormalizationStep (*read)(const JsonPart& part);
};
constexpr std::array knownNormalizers{
    Known{"BertNormalizer", readBert},
    Known{"NFC", [](const JsonPart&) { return formStep(formC); }},
    Known{"NFD", [](const JsonPart&) { return formStep(formD); }},
    Known{"NFKC", [](const JsonPart&) { return formStep(formKC); }},
    Known{"NFKD", [](const JsonPart&) { return formStep(formKD); }},
    Known{"Lowercase", [](const JsonPart&) { return NormalizationStep(lowered); }},
    Known{"Strip", readStrip},
    Known{"StripAccents",
          [](const JsonPart&) {
              return NormalizationStep([](const NormalizedText& text) {
                  return filtered(text, [](char32_t code) { return !isMark(code); });
              });
          }},
    Known{"Replace", readReplace},
    Known{"Prepend", readPrepend},
    Known{"Precompiled", readPrecompiled},
    Known{"Nmt", [](const JsonPart&) { return NormalizationStep(nmtNormalized); }},
    Known{"ByteLevel", [](const JsonPart&) { return NormalizationStep(bytesAsLetters); }},
    Known{"Sequence", readSequence},
};

} // namespace

NormalizationStep readNormalizer(const JsonPart& part) {
    const std::string type = part.at("type").text();
    const auto known = std::find_if(knownNormalizers.begin(), knownNormalizers.end(),
                                    [&](const Known& entry) { return entry.type == type; });
    if (known == knownNormalizers.end())
        part.failUnknown("the normalizer '" + type + "' is not known");
    return known->read(part);
}

NormalizedText bytesAsLetters(const NormalizedText& text) {
    NormalizedText result;
    result.text.reserve(text.text.size() * 2);
    result.origin.reserve(text.text.size() * 2);
    for (std::size_t i = 0; i < text.text.size(); ++i)
        result.append(letterOfByte(static_cast<unsigned char>(text.text[i])), text.origin[i]);
    return result;
}

} // namespace headlight
