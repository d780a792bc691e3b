// Brings two maps over the same rows and columns, then measures how far apart they are.
#include "core/analysis/comparison.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace headlight {

namespace {

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

bool isWeight(float value) {
    return std::isfinite(value) && value >= 0;
}

/// The sum of a row; not a number unless all are weights and one is more than 0.
double massOf(std::span<const float> row) {
    double sum = 0;
    for (const float weight : row) {
        if (!isWeight(weight))
            return static_cast<double>(notANumber);
        sum += static_cast<double>(weight);
    }
    return sum > 0 ? sum : static_cast<double>(notANumber);
}

using Labels = std::vector<std::string>;

enum class Which { Ordinary, Special, All };

Labels labelsOf(const std::vector<Word>& words, Which which) {
    Labels labels;
    for (const auto& word : words)
        if (which == Which::All || word.special == (which == Which::Special))
            labels.push_back(word.text);
    return labels;
}

/// True when both have the same ordinary words; otherwise says where they part.
bool sameOrdinary(const std::vector<Word>& first, const std::vector<Word>& second, Comparison& made) {
    const auto labels = labelsOf(first, Which::Ordinary);
    const auto others = labelsOf(second, Which::Ordinary);
    const auto [one, other] = std::mismatch(labels.begin(), labels.end(), others.begin(), others.end());
    made.word = static_cast<int>(one - labels.begin());
    made.firstWord = one == labels.end() ? std::string() : *one;
    made.secondWord = other == others.end() ? std::string() : *other;
    return one == labels.end() && other == others.end();
}

/// Special tokens too, and in the same places.
bool sameWords(const std::vector<Word>& first, const std::vector<Word>& second) {
    return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                      [](const Word& a, const Word& b) { return a.text == b.text && a.special == b.special; });
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
    comparison.difference = differenceOf(first, second);
    comparison.firstAlignment = hardAlignment(first);
    comparison.secondAlignment = hardAlignment(second);
    int& agreeing = comparison.agreeing;
    int& counted = comparison.counted;
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

Comparison compare(const ComparisonSide& first, const ComparisonSide& second, BlockKind kind, const Detail& detail) {
    Comparison made;
    if (first.map.values.empty() || second.map.values.empty()) {
        made.reason = Comparison::Reason::NoAttention;
        return made;
    }
    made.byWords = detail.byWords;
    auto one = reduced(first.trace, kind, first.rows, first.map, {.byWords = detail.byWords});
    auto other = reduced(second.trace, kind, second.rows, second.map, {.byWords = detail.byWords});
    if (!detail.byWords
        && (labelsOf(one.rows, Which::Ordinary) != labelsOf(other.rows, Which::Ordinary)
            || labelsOf(one.columns, Which::Ordinary) != labelsOf(other.columns, Which::Ordinary))) {
        made.byWords = true;
        one = wordMap(first.trace, kind, first.rows, first.map);
        other = wordMap(second.trace, kind, second.rows, second.map);
    }
    using enum Comparison::Reason;
    if (!sameOrdinary(one.columns, other.columns, made))
        made.reason = kind == BlockKind::Decoder ? TargetsDiffer : SourcesDiffer;
    else if (!sameOrdinary(one.rows, other.rows, made))
        made.reason = kind == BlockKind::Encoder ? SourcesDiffer : TargetsDiffer;
    if (!made.comparable())
        return made;
    const auto hides = [&detail](const std::vector<Word>& words) {
        return !detail.specials
               && std::any_of(words.begin(), words.end(), [](const Word& word) { return word.special; });
    };
    made.specialRowsLeftOut = hides(one.rows) || !sameWords(one.rows, other.rows);
    made.specialColumnsLeftOut = hides(one.columns) || !sameWords(one.columns, other.columns);
    if (made.specialRowsLeftOut) {
        one = withoutSpecialRows(std::move(one));
        other = withoutSpecialRows(std::move(other));
    }
    if (made.specialColumnsLeftOut) {
        one = withoutSpecialColumns(std::move(one));
        other = withoutSpecialColumns(std::move(other));
    }
    if (one.map.values.empty()) {
        made.reason = NothingLeft;
        return made;
    }
    made.rows = labelsOf(one.rows, Which::All);
    made.columns = labelsOf(one.columns, Which::All);
    made.queryRows = placesOf(one.rows, first.map.rows);
    made.keyColumns = placesOf(one.columns, first.map.columns);
    made.secondQueryRows = placesOf(other.rows, second.map.rows);
    made.secondKeyColumns = placesOf(other.columns, second.map.columns);
    made.first = std::move(one.map);
    made.second = std::move(other.map);
    measure(made);
    return made;
}

Map differenceOf(const Map& first, const Map& second) {
    assert(first.values.size() == second.values.size());
    auto difference = first;
    std::transform(first.values.begin(), first.values.end(), second.values.begin(), difference.values.begin(),
                   std::minus<>());
    return difference;
}

float entropyBits(std::span<const float> row) {
    const double sum = massOf(row);
    if (std::isnan(sum))
        return notANumber;
    double bits = 0;
    for (const float weight : row)
        if (weight > 0)
            bits -= static_cast<double>(weight) * std::log2(static_cast<double>(weight));
    return static_cast<float>(std::max(bits / sum + std::log2(sum), 0.0));
}

float jensenShannon(std::span<const float> first, std::span<const float> second) {
    assert(first.size() == second.size());
    const double firstSum = massOf(first), secondSum = massOf(second);
    if (std::isnan(firstSum) || std::isnan(secondSum))
        return notANumber;
    double bits = 0;
    for (std::size_t i = 0; i < first.size(); ++i) {
        const auto p = static_cast<double>(first[i]) / firstSum;
        const auto q = static_cast<double>(second[i]) / secondSum;
        const double mean = (p + q) / 2;
        if (p > 0)
            bits += p * std::log2(p / mean) / 2;
        if (q > 0)
            bits += q * std::log2(q / mean) / 2;
    }
    return static_cast<float>(std::clamp(bits, 0.0, 1.0));
}

} // namespace headlight
