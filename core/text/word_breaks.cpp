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

} // namespace

WordBreaker::WordBreaker() : m_rules(std::make_unique<Rules>()) {
    UErrorCode status = U_ZERO_ERROR;
    m_rules->iterator.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
    if (U_FAILURE(status))
        failWords(status);
}

WordBreaker::~WordBreaker() = default;

std::vector<ByteRange> WordBreaker::words(std::string_view text) const {
    UErrorCode status = U_ZERO_ERROR;
    UText* opened = utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status);
    const std::unique_ptr<UText, decltype(&utext_close)> input(opened, &utext_close);
    if (U_FAILURE(status))
        failWords(status);
    const std::unique_ptr<icu::BreakIterator> iterator(m_rules->iterator->clone());
    iterator->setText(input.get(), status);
    if (U_FAILURE(status))
        failWords(status);

    std::vector<ByteRange> words;
    std::int32_t begin = iterator->first();
    for (std::int32_t end = iterator->next(); end != icu::BreakIterator::DONE; end = iterator->next()) {
        if (!isSpace(input.get(), begin, end))
            words.push_back({static_cast<std::size_t>(begin), static_cast<std::size_t>(end)});
        begin = end;
    }
    return words;
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
