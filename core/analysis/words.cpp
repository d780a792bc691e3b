// Groups tokens into words and folds maps accordingly.
#include "core/analysis/words.h"
#include "core/trace/letters.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

namespace headlight {

namespace {

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

/// A token may begin with the space before it; one that is nothing else is shown as that.
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

std::vector<Word> wordsOf(std::span<const Token> tokens, std::string_view text, std::string_view second) {
    std::vector<Word> words;
    const auto spelled = spelledText(tokens);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const auto& token = tokens[i];
        const bool continues = i > 0 && !token.special && !tokens[i - 1].special && token.word >= 0
                               && token.word == tokens[i - 1].word && token.segment == tokens[i - 1].segment;
        if (!continues)
            words.push_back({{}, token.bytes, static_cast<int>(i), 0, token.special});
        auto& word = words.back();
        ++word.tokenCount;
        if (word.bytes.empty())
            word.bytes = token.bytes;
        else if (!token.bytes.empty())
            word.bytes.end = token.bytes.end;
    }
    for (auto& word : words) {
        const auto [begin, end] = word.bytes;
        const auto first = static_cast<std::size_t>(word.firstToken);
        const auto last = first + static_cast<std::size_t>(word.tokenCount) - 1;
        const auto typed = tokens[first].segment == 0 ? text : second;
        if (begin < end && end <= typed.size()) {
            word.text = withoutSpaces(typed.substr(begin, end - begin));
        } else if (word.special) {
            word.text = tokens[first].letters;
        } else {
            const auto from = spelled.places[first].begin, to = spelled.places[last].end;
            word.text = readableBytes(withoutSpaces(std::string_view(spelled.text).substr(from, to - from)));
        }
    }
    return words;
}

std::vector<Word> singleWords(std::span<const Token> tokens) {
    std::vector<Word> words;
    for (const auto& token : tokens)
        words.push_back(
            {std::string(withoutSpaces(token.letters)), token.bytes, static_cast<int>(words.size()), 1, token.special});
    return words;
}

std::vector<int> placesOf(const std::vector<Word>& words, int tokens) {
    std::vector<int> places(static_cast<std::size_t>(tokens), -1);
    for (std::size_t i = 0; i < words.size(); ++i)
        std::fill_n(places.begin() + words[i].firstToken, words[i].tokenCount, static_cast<int>(i));
    return places;
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
    const auto wordsOfTokens = [&trace](const std::vector<Token>& tokens) {
        return &tokens == &trace.source ? wordsOf(tokens, trace.sourceText, trace.secondText)
                                        : wordsOf(tokens, trace.targetText);
    };
    return wordMap(tokenMap, wordsOfTokens(rowTokens(trace, kind, rows)), wordsOfTokens(trace.keyTokens(kind)));
}

WordMap withoutSpecialRows(WordMap words) {
    WordMap kept{{0, words.map.columns, {}}, {}, std::move(words.columns)};
    for (int row = 0; row < words.map.rows; ++row) {
        auto& word = words.rows[static_cast<std::size_t>(row)];
        if (word.special)
            continue;
        const auto weights = words.map.row(row);
        kept.map.values.insert(kept.map.values.end(), weights.begin(), weights.end());
        kept.rows.push_back(std::move(word));
    }
    kept.map.rows = static_cast<int>(kept.rows.size());
    return kept;
}

WordMap withoutSpecialColumns(WordMap words) {
    WordMap kept{{words.map.rows, 0, {}}, std::move(words.rows), {}};
    for (int row = 0; row < words.map.rows; ++row) {
        const auto weights = words.map.row(row);
        double sum = 0;
        for (std::size_t column = 0; column < weights.size(); ++column)
            if (!words.columns[column].special)
                sum += static_cast<double>(weights[column]);
        for (std::size_t column = 0; column < weights.size(); ++column)
            if (!words.columns[column].special)
                kept.map.values.push_back(sum > 0 ? static_cast<float>(static_cast<double>(weights[column]) / sum)
                                                  : notANumber);
    }
    for (auto& column : words.columns)
        if (!column.special)
            kept.columns.push_back(std::move(column));
    kept.map.columns = static_cast<int>(kept.columns.size());
    return kept;
}

WordMap reduced(const Trace& trace, BlockKind kind, RowTokens rows, const Map& tokenMap, const Detail& detail) {
    auto made = detail.byWords
                    ? wordMap(trace, kind, rows, tokenMap)
                    : WordMap{tokenMap, singleWords(rowTokens(trace, kind, rows)), singleWords(trace.keyTokens(kind))};
    assert(made.rows.size() == static_cast<std::size_t>(made.map.rows));
    assert(made.columns.size() == static_cast<std::size_t>(made.map.columns));
    return detail.specials ? made : withoutSpecialColumns(withoutSpecialRows(std::move(made)));
}

} // namespace headlight
