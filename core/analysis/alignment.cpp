// Maps out of a block of attention, and the choice of the head that aligns best.
#include "core/analysis/alignment.h"

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

/// Mean over the heads from `firstHead` on, counted through all layers.
Map meanOf(const AttentionBlock& block, std::size_t firstHead, std::size_t heads) {
    Map map{block.queries, block.keys, {}};
    const auto size = static_cast<std::size_t>(block.queries) * static_cast<std::size_t>(block.keys);
    std::vector<double> sums(size);
    for (std::size_t head = firstHead; head < firstHead + heads; ++head)
        for (std::size_t cell = 0; cell < size; ++cell)
            sums[cell] += static_cast<double>(block.weights[head * size + cell]);
    map.values.reserve(size);
    for (const double sum : sums)
        map.values.push_back(static_cast<float>(sum / static_cast<double>(heads)));
    return map;
}

} // namespace

const std::vector<Token>& rowTokens(const Trace& trace, BlockKind kind, RowTokens rows) {
    return kind != BlockKind::Encoder && rows == RowTokens::Emitted ? trace.emitted : trace.queryTokens(kind);
}

Map headMap(const AttentionBlock& block, Layer layer, Head head) {
    if (block.queries == 0)
        return {0, block.keys, {}};
    const auto weights = block.map(layer, head);
    return {block.queries, block.keys, {weights.begin(), weights.end()}};
}

Map meanOverHeads(const AttentionBlock& block, Layer layer) {
    assert(layer.value >= 0 && layer.value < block.layers && block.heads > 0);
    const auto heads = static_cast<std::size_t>(block.heads);
    return meanOf(block, layer.offset() * heads, heads);
}

Map meanOverBlock(const AttentionBlock& block) {
    assert(block.layers > 0 && block.heads > 0);
    return meanOf(block, 0, static_cast<std::size_t>(block.layers) * static_cast<std::size_t>(block.heads));
}

std::vector<int> hardAlignment(const Map& map) {
    std::vector<int> columns;
    for (int row = 0; row < map.rows; ++row) {
        const auto weights = map.row(row);
        int best = -1;
        for (int column = 0; column < map.columns; ++column) {
            const float weight = weights[static_cast<std::size_t>(column)];
            if (std::isfinite(weight) && (best < 0 || weight > weights[static_cast<std::size_t>(best)]))
                best = column;
        }
        columns.push_back(best);
    }
    return columns;
}

double alignmentScore(const Map& map, std::span<const Token> keys) {
    assert(keys.size() == static_cast<std::size_t>(map.columns));
    const bool allSpecial = std::all_of(keys.begin(), keys.end(), [](const Token& token) { return token.special; });
    double rowSum = 0;
    std::vector<double> columnMaxima(keys.size(), 0.0);
    for (int row = 0; row < map.rows; ++row) {
        const auto weights = map.row(row);
        double sum = 0; // 1, but for traces of others
        for (const float weight : weights)
            sum += std::isfinite(weight) ? static_cast<double>(weight) : 0;
        double rowMaximum = 0;
        for (std::size_t column = 0; column < keys.size() && sum > 0; ++column) {
            if (!std::isfinite(weights[column]) || (keys[column].special && !allSpecial))
                continue;
            const double share = static_cast<double>(weights[column]) / sum;
            rowMaximum = std::max(rowMaximum, share);
            columnMaxima[column] = std::max(columnMaxima[column], share);
        }
        rowSum += rowMaximum;
    }
    const auto columns =
        std::count_if(keys.begin(), keys.end(), [&](const Token& token) { return allSpecial || !token.special; });
    if (map.rows == 0 || columns == 0)
        return 0;
    double columnSum = 0;
    for (const double maximum : columnMaxima)
        columnSum += maximum;
    return rowSum / map.rows * columnSum / static_cast<double>(columns);
}

HeadPlace bestAligningHead(const AttentionBlock& block, std::span<const Token> keys,
                           std::span<const Intervention::HeadOff> off) {
    HeadPlace best;
    double bestScore = -1;
    for (int layer = 0; layer < block.layers; ++layer) {
        for (int head = 0; head < block.heads; ++head) {
            const HeadPlace place{Layer(layer), Head(head)};
            if (std::find(off.begin(), off.end(), Intervention::HeadOff{block.kind, place.layer, place.head})
                != off.end())
                continue;
            const double score = alignmentScore(headMap(block, place.layer, place.head), keys);
            if (score > bestScore) {
                best = place;
                bestScore = score;
            }
        }
    }
    return bestScore < 0 && !off.empty() ? bestAligningHead(block, keys) : best;
}

RowTokens likelyRowTokens(const Map& map, std::span<const Token> keys) {
    assert(keys.size() == static_cast<std::size_t>(map.columns));
    /// How much a row looks like that of an ordinary word: its largest weight on one, less all on special tokens.
    const auto ordinary = [&](int row) {
        float largest = 0;
        float special = 0;
        for (std::size_t column = 0; column < keys.size(); ++column) {
            const float weight = map.row(row)[column];
            if (keys[column].special)
                special += weight;
            else
                largest = std::max(largest, weight);
        }
        return largest - special;
    };
    if (map.rows < 2 || !(ordinary(map.rows - 1) > ordinary(0)))
        return RowTokens::Emitted;
    // What is taken in last is the end of the target, and that belongs to the source's end. A last row that looks at
    // any other word rests there, as some heads do on "I" rather than on </s>, and says nothing of how to read it: then
    // the rows between tell, which in a long text lag by one behind the source where they are to be read as taken in.
    const auto lastOrdinary =
        std::find_if(keys.rbegin(), keys.rend(), [](const Token& token) { return !token.special; });
    const auto end = static_cast<int>(keys.rend() - lastOrdinary); // of the source's words
    const auto looked = hardAlignment(map);
    if (looked.back() == end - 1)
        return RowTokens::TakenIn;
    constexpr int enoughRows = 8;
    double lag = 0;
    int counted = 0;
    for (int row = 1; row + 1 < map.rows; ++row) {
        const int column = looked[static_cast<std::size_t>(row)];
        if (column < 0 || keys[static_cast<std::size_t>(column)].special)
            continue;
        lag += row + 0.5 - (column + 0.5) / end * (map.rows - 1);
        ++counted;
    }
    return counted >= enoughRows && lag / counted > 0.5 ? RowTokens::TakenIn : RowTokens::Emitted;
}

} // namespace headlight
