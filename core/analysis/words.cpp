// Groups tokens into words and folds maps accordingly.
#include "core/analysis/words.h"

#include <cassert>
#include <utility>

namespace headlight {

namespace {

constexpr std::string_view spaceMark = "\u2581";

std::string withoutSpaceMarks(std::string text) {
    for (auto at = text.find(spaceMark); at != std::string::npos; at = text.find(spaceMark, at))
        text.erase(at, spaceMark.size());
    return text;
}

/// A token's bytes may begin with the space before it.
std::string_view withoutSpaces(std::string_view text) {
    constexpr std::string_view spaces = " \t\r\n";
    const auto begin = text.find_first_not_of(spaces);
    if (begin == std::string_view::npos)
        return text;
    return text.substr(begin, text.find_last_not_of(spaces) + 1 - begin);
}

[[maybe_unused]] bool covers(std::span<const Word> words, int tokens) {
    int next = 0;
    for (const auto& word : words) {
        if (word.firstToken != next || word.tokenCount < 1)
            return false;
        next += word.tokenCount;
    }
    return next == tokens;
}

} // namespace

std::vector<Word> wordsOf(std::span<const Token> tokens, std::string_view text) {
    std::vector<Word> words;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const auto& token = tokens[i];
        const bool continues =
            i > 0 && !token.special && !tokens[i - 1].special && token.word >= 0 && token.word == tokens[i - 1].word;
        if (!continues)
            words.push_back({{}, token.bytes, static_cast<int>(i), 0, token.special});
        auto& word = words.back();
        ++word.tokenCount;
        word.text += token.text;
        if (word.bytes.empty())
            word.bytes = token.bytes;
        else if (!token.bytes.empty())
            word.bytes.end = token.bytes.end;
    }
    for (auto& word : words) {
        const auto [begin, end] = word.bytes;
        if (begin < end && end <= text.size())
            word.text = withoutSpaces(text.substr(begin, end - begin));
        else if (auto letters = withoutSpaceMarks(word.text); !word.special && !letters.empty())
            word.text = std::move(letters);
    }
    return words;
}

WordMap wordMap(const Map& tokenMap, std::vector<Word> rows, std::vector<Word> columns) {
    assert(covers(rows, tokenMap.rows) && covers(columns, tokenMap.columns));
    Map map{static_cast<int>(rows.size()), static_cast<int>(columns.size()), {}};
    map.values.reserve(rows.size() * columns.size());
    for (const auto& row : rows) {
        for (const auto& column : columns) {
            double sum = 0;
            for (int i = row.firstToken; i < row.firstToken + row.tokenCount; ++i)
                for (int j = column.firstToken; j < column.firstToken + column.tokenCount; ++j)
                    sum += static_cast<double>(tokenMap.at(i, j));
            map.values.push_back(static_cast<float>(sum / row.tokenCount));
        }
    }
    return {std::move(map), std::move(rows), std::move(columns)};
}

WordMap wordMap(const Trace& trace, BlockKind kind, RowTokens rows, const Map& tokenMap) {
    const auto& rowText = kind == BlockKind::Encoder ? trace.sourceText : trace.targetText;
    const auto& columnText = kind == BlockKind::Decoder ? trace.targetText : trace.sourceText;
    return wordMap(tokenMap, wordsOf(rowTokens(trace, kind, rows), rowText),
                   wordsOf(trace.keyTokens(kind), columnText));
}

} // namespace headlight
