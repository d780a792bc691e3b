// Word boundaries from ICU, over the UTF-8 text in place.
#include "core/text/word_breaks.h"

#include "core/error.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include <cstdint>
#include <string>

namespace headlight {

struct WordBreaker::Rules {
    std::unique_ptr<icu::BreakIterator> iterator;
};

namespace {

[[noreturn]] void failWords(UErrorCode status) {
    throw Error(Error::Kind::Unreadable, "ICU", std::string("words cannot be told apart: ") + u_errorName(status),
                "install ICU's data");
}

bool isSpace(UText* text, std::int64_t begin, std::int64_t end) {
    utext_setNativeIndex(text, begin);
    while (utext_getNativeIndex(text) < end) {
        if (!u_isUWhiteSpace(utext_next32(text)))
            return false;
    }
    return true;
}

using Input = std::unique_ptr<UText, decltype(&utext_close)>;

Input opened(std::string_view text) {
    UErrorCode status = U_ZERO_ERROR;
    Input input(utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status), &utext_close);
    if (U_FAILURE(status))
        failWords(status);
    return input;
}

/// A copy, so that one tokenizer can be used from several threads.
std::unique_ptr<icu::BreakIterator> iteratorOver(const Input& input, const icu::BreakIterator& rules) {
    UErrorCode status = U_ZERO_ERROR;
    std::unique_ptr<icu::BreakIterator> iterator(rules.clone());
    iterator->setText(input.get(), status);
    if (U_FAILURE(status))
        failWords(status);
    return iterator;
}

} // namespace

WordBreaker::WordBreaker() : m_rules(std::make_unique<Rules>()) {
    UErrorCode status = U_ZERO_ERROR;
    m_rules->iterator.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
    if (U_FAILURE(status))
        failWords(status);
}

WordBreaker::~WordBreaker() = default;

std::vector<ByteRange> WordBreaker::words(std::string_view text) const {
    const Input input = opened(text);
    const auto iterator = iteratorOver(input, *m_rules->iterator);
    std::vector<ByteRange> words;
    std::int32_t begin = iterator->first();
    for (std::int32_t end = iterator->next(); end != icu::BreakIterator::DONE; end = iterator->next()) {
        if (!isSpace(input.get(), begin, end))
            words.push_back({static_cast<std::size_t>(begin), static_cast<std::size_t>(end)});
        begin = end;
    }
    return words;
}

struct LetterBreaker::Rules {
    std::unique_ptr<icu::BreakIterator> iterator;
};

LetterBreaker::LetterBreaker() : m_rules(std::make_unique<Rules>()) {
    UErrorCode status = U_ZERO_ERROR;
    m_rules->iterator.reset(icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
    if (U_FAILURE(status))
        failWords(status);
}

LetterBreaker::~LetterBreaker() = default;

std::vector<std::size_t> LetterBreaker::ends(std::string_view text) const {
    const Input input = opened(text);
    const auto iterator = iteratorOver(input, *m_rules->iterator);
    std::vector<std::size_t> ends;
    iterator->first();
    for (std::int32_t end = iterator->next(); end != icu::BreakIterator::DONE; end = iterator->next())
        ends.push_back(static_cast<std::size_t>(end));
    return ends;
}

void numberWords(std::span<Token> tokens, std::span<const ByteRange> words) {
    if (words.empty())
        return;
    std::size_t word = 0;
    for (Token& token : tokens) {
        while (word + 1 < words.size() && words[word].end <= token.bytes.begin)
            ++word;
        token.word = static_cast<int>(word);
    }
}

} // namespace headlight
