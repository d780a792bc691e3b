// Regular expressions by ICU, over UTF-16, with the way back to bytes and a limit on the steps taken.
//
// The expressions are written for Oniguruma; those in use (GPT-2, Llama 3, …) mean the same to ICU: possessive
// quantifiers, look-ahead, \p classes, and \s as White_Space.
#include "core/text/pattern.h"

#include "core/error.h"

#include <unicode/regex.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace headlight {

namespace {

constexpr std::size_t longestExpression = 64U << 10;

/// UTF-16, and of each of its units the byte it begins at; one more entry for the end.
struct WideText {
    icu::UnicodeString units;
    std::vector<std::uint32_t> bytes;
};

WideText widened(std::string_view text) {
    WideText wide;
    wide.units = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
    wide.bytes.reserve(static_cast<std::size_t>(wide.units.length()) + 1);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0) == 0x80)
            continue;
        wide.bytes.push_back(static_cast<std::uint32_t>(i));
        if (byte >= 0xF0)
            wide.bytes.push_back(static_cast<std::uint32_t>(i)); // the second of a pair
    }
    wide.bytes.push_back(static_cast<std::uint32_t>(text.size()));
    return wide;
}

} // namespace

struct Pattern::Compiled {
    std::string expression;
    std::string place;
    std::unique_ptr<icu::RegexPattern> pattern;

    [[noreturn]] void fail(UErrorCode status) const {
        throw Error(Error::Kind::Unsupported, place,
                    "the regular expression " + expression.substr(0, 200)
                        + " takes too long on this text: " + u_errorName(status),
                    "use a shorter text or another model");
    }
};

Pattern Pattern::read(const JsonPart& part) {
    if (part.has("Regex"))
        return regex(part.at("Regex").text(), part.place() + ": " + part.path());
    if (!part.has("String"))
        part.failUnknown("a pattern is neither a \"String\" nor a \"Regex\"");
    Pattern pattern;
    pattern.m_text = part.at("String").text();
    return pattern;
}

Pattern Pattern::regex(std::string_view expression, const std::string& place) {
    if (expression.size() > longestExpression)
        throw Error(Error::Kind::Unsupported, place,
                    "a regular expression of " + std::to_string(expression.size()) + " bytes; at most "
                        + std::to_string(longestExpression) + " are read");
    auto compiled = std::make_shared<Compiled>();
    compiled->expression = expression;
    compiled->place = place;
    UErrorCode status = U_ZERO_ERROR;
    UParseError where{};
    const auto units =
        icu::UnicodeString::fromUTF8(icu::StringPiece(expression.data(), static_cast<std::int32_t>(expression.size())));
    // In the syntax that these expressions are written for, ^ and $ stand for the ends of lines.
    compiled->pattern.reset(icu::RegexPattern::compile(units, UREGEX_MULTILINE, where, status));
    if (U_FAILURE(status))
        throw Error(Error::Kind::Unsupported, place,
                    "the regular expression " + compiled->expression.substr(0, 200)
                        + " cannot be read: " + u_errorName(status) + " at character " + std::to_string(where.offset),
                    "use a model with another tokenizer");
    Pattern pattern;
    pattern.m_compiled = std::move(compiled);
    return pattern;
}

std::vector<ByteRange> Pattern::matches(std::string_view text) const {
    std::vector<ByteRange> found;
    if (!m_compiled) {
        if (m_text.empty())
            return found;
        for (auto at = text.find(m_text); at != std::string_view::npos; at = text.find(m_text, at + m_text.size()))
            found.push_back({at, at + m_text.size()});
        return found;
    }
    const WideText wide = widened(text);
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::RegexMatcher> matcher(m_compiled->pattern->matcher(wide.units, status));
    if (U_FAILURE(status))
        m_compiled->fail(status);
    // One tick is ten thousand steps; an expression in use takes about ten steps a letter. Each letter of a long run of
    // spaces is remembered for going back, in some thirty bytes.
    constexpr std::int32_t leastStack = 8 << 20;
    matcher->setTimeLimit(2000 + wide.units.length() / 100, status);
    matcher->setStackLimit(leastStack + 64 * wide.units.length(), status);
    while (matcher->find(status)) {
        const auto begin = static_cast<std::size_t>(matcher->start(status));
        const auto end = static_cast<std::size_t>(matcher->end(status));
        found.push_back({wide.bytes[begin], wide.bytes[end]});
    }
    if (U_FAILURE(status))
        m_compiled->fail(status);
    return found;
}

} // namespace headlight
