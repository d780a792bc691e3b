// Brings two maps over the same rows and columns, then measures how far apart they are.
#include "core/analysis/comparison.h"
#include "core/analysis/words.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace headlight {

namespace {

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

bool isWeight(float value) {
    return std::isfinite(value) && value >= 0;
}

bool sameTokens(const std::vector<Token>& first, const std::vector<Token>& second) {
    return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                      [](const Token& a, const Token& b) { return a.text == b.text && a.special == b.special; });
}

bool sameWords(const std::vector<Word>& first, const std::vector<Word>& second) {
    return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                      [](const Word& a, const Word& b) { return a.text == b.text && a.special == b.special; });
}

std::vector<std::string> tokenLabels(const std::vector<Token>& tokens) {
    std::vector<std::string> labels;
    for (const auto& token : tokens)
        labels.push_back(token.text);
    return labels;
}

std::vector<std::string> wordLabels(const std::vector<Word>& words) {
    std::vector<std::string> labels;
    for (const auto& word : words)
        labels.push_back(word.text);
    return labels;
}

/// Empty when both have the same ordinary words; otherwise a sentence on where they part.
std::string difference(const char* text, const std::vector<Word>& first, const std::vector<Word>& second) {
    std::vector<std::string> labels[2];
    for (const auto& word : first)
        if (!word.special)
            labels[0].push_back(word.text);
    for (const auto& word : second)
        if (!word.special)
            labels[1].push_back(word.text);
    const auto [a, b] = std::mismatch(labels[0].begin(), labels[0].end(), labels[1].begin(), labels[1].end());
    if (a == labels[0].end() && b == labels[1].end())
        return {};
    const auto quoted = [](const auto& at, const auto& end) {
        return at == end ? std::string("missing") : "\u201c" + *at + "\u201d";
    };
    return "The " + std::string(text) + " texts of the two models differ: word "
           + std::to_string(a - labels[0].begin() + 1) + " is " + quoted(a, labels[0].end()) + " in the one and "
           + quoted(b, labels[1].end()) + " in the other.";
}

/// Only the ordinary words, each row scaled to sum to 1; a row with nothing on them has no numbers.
WordMap withoutSpecials(const WordMap& words) {
    WordMap kept;
    for (const auto& column : words.columns)
        if (!column.special)
            kept.columns.push_back(column);
    for (std::size_t row = 0; row < words.rows.size(); ++row) {
        if (words.rows[row].special)
            continue;
        kept.rows.push_back(words.rows[row]);
        const auto weights = words.map.row(static_cast<int>(row));
        double sum = 0;
        for (std::size_t column = 0; column < weights.size(); ++column)
            if (!words.columns[column].special)
                sum += static_cast<double>(weights[column]);
        for (std::size_t column = 0; column < weights.size(); ++column)
            if (!words.columns[column].special)
                kept.map.values.push_back(sum > 0 ? static_cast<float>(static_cast<double>(weights[column]) / sum)
                                                  : notANumber);
    }
    kept.map.rows = static_cast<int>(kept.rows.size());
    kept.map.columns = static_cast<int>(kept.columns.size());
    return kept;
}

/// Mean of the numbers that are finite; 0 when there are none.
float meanOfFinite(const std::vector<float>& values) {
    double sum = 0;
    int count = 0;
    for (const float value : values) {
        if (std::isfinite(value)) {
            sum += static_cast<double>(value);
            ++count;
        }
    }
    return count > 0 ? static_cast<float>(sum / count) : 0.0F;
}

/// Fills in all that follows from the two maps.
void measure(Comparison& comparison) {
    const auto& first = comparison.first;
    const auto& second = comparison.second;
    comparison.difference = first;
    for (std::size_t cell = 0; cell < first.values.size(); ++cell)
        comparison.difference.values[cell] -= second.values[cell];
    comparison.firstAlignment = hardAlignment(first);
    comparison.secondAlignment = hardAlignment(second);
    int agreeing = 0;
    int counted = 0;
    for (int row = 0; row < first.rows; ++row) {
        comparison.divergence.push_back(jensenShannon(first.row(row), second.row(row)));
        comparison.firstEntropy.push_back(entropyBits(first.row(row)));
        comparison.secondEntropy.push_back(entropyBits(second.row(row)));
        const auto offset = static_cast<std::size_t>(row);
        if (std::isnan(comparison.divergence.back()))
            continue;
        ++counted;
        agreeing += comparison.firstAlignment[offset] == comparison.secondAlignment[offset] ? 1 : 0;
    }
    comparison.meanDivergence = meanOfFinite(comparison.divergence);
    comparison.meanFirstEntropy = meanOfFinite(comparison.firstEntropy);
    comparison.meanSecondEntropy = meanOfFinite(comparison.secondEntropy);
    comparison.agreement = counted > 0 ? static_cast<float>(agreeing) / static_cast<float>(counted) : 0.0F;
}

} // namespace

Comparison compare(const ComparisonSide& first, const ComparisonSide& second, BlockKind kind, RowTokens rows) {
    Comparison made;
    if (first.map.values.empty() || second.map.values.empty()) {
        made.reason = "One of the two models has no attention of this kind.";
        return made;
    }
    const auto& firstRows = rowTokens(first.trace, kind, rows);
    const auto& secondRows = rowTokens(second.trace, kind, rows);
    const auto& firstKeys = first.trace.keyTokens(kind);
    const auto& secondKeys = second.trace.keyTokens(kind);
    if (sameTokens(firstRows, secondRows) && sameTokens(firstKeys, secondKeys)) {
        made.rows = tokenLabels(firstRows);
        made.columns = tokenLabels(firstKeys);
        made.first = first.map;
        made.second = second.map;
        measure(made);
        return made;
    }

    auto firstWords = wordMap(first.trace, kind, rows, first.map);
    auto secondWords = wordMap(second.trace, kind, rows, second.map);
    made.reason = difference(kind == BlockKind::Decoder ? "target" : "source", firstWords.columns, secondWords.columns);
    if (made.reason.empty())
        made.reason = difference(kind == BlockKind::Encoder ? "source" : "target", firstWords.rows, secondWords.rows);
    if (!made.reason.empty())
        return made;
    made.byWords = true;
    if (!sameWords(firstWords.rows, secondWords.rows) || !sameWords(firstWords.columns, secondWords.columns)) {
        made.specialsLeftOut = true;
        firstWords = withoutSpecials(firstWords);
        secondWords = withoutSpecials(secondWords);
    }
    made.rows = wordLabels(firstWords.rows);
    made.columns = wordLabels(firstWords.columns);
    made.first = std::move(firstWords.map);
    made.second = std::move(secondWords.map);
    if (made.first.values.empty()) {
        made.reason = "Without special tokens there is nothing to compare.";
        return made;
    }
    measure(made);
    return made;
}

float entropyBits(std::span<const float> row) {
    double bits = 0;
    for (const float weight : row) {
        if (!isWeight(weight))
            return notANumber;
        if (weight > 0)
            bits -= static_cast<double>(weight) * std::log2(static_cast<double>(weight));
    }
    return static_cast<float>(std::max(bits, 0.0));
}

float jensenShannon(std::span<const float> first, std::span<const float> second) {
    assert(first.size() == second.size());
    double bits = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
        if (!isWeight(first[i]) || !isWeight(second[i]))
            return notANumber;
        const auto p = static_cast<double>(first[i]);
        const auto q = static_cast<double>(second[i]);
        const double mean = (p + q) / 2;
        if (p > 0)
            bits += p * std::log2(p / mean) / 2;
        if (q > 0)
            bits += q * std::log2(q / mean) / 2;
    }
    return static_cast<float>(std::clamp(bits, 0.0, 1.0));
}

} // namespace headlight
