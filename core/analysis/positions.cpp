#include "core/analysis/positions.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>

namespace headlight {

namespace {

/// What half precision, in which checkpoints may be kept, leaves of a number up to 1.
constexpr double halfPrecision = 2e-3;

std::size_t asSize(int number) {
    return static_cast<std::size_t>(number);
}

std::span<const float> rowOf(const PositionTable& table, int position) {
    const auto size = asSize(table.dimensions);
    return {table.values.data() + asSize(position) * size, size};
}

bool fits(const PositionTable& table, SinusoidLayout layout, int first) {
    for (int dimension = 0; dimension < table.dimensions; ++dimension) {
        const auto wave = waveOf(dimension, table.dimensions, layout);
        for (int position = 0; position < table.positions; ++position) {
            const double angle = (position + first) * 2 * std::numbers::pi / wave.wavelength;
            const double value = wave.cosine ? std::cos(angle) : std::sin(angle);
            if (!(std::abs(value - static_cast<double>(table.at(position, dimension))) <= halfPrecision))
                return false;
        }
    }
    return true;
}

float angleAt(const PositionTable& table, int position, int pair) {
    return std::atan2(table.at(position, 2 * pair + 1), table.at(position, 2 * pair));
}

} // namespace

Wave waveOf(int dimension, int dimensions, SinusoidLayout layout) {
    const int sines = (dimensions + 1) / 2;
    Wave wave;
    wave.cosine = layout == SinusoidLayout::Interleaved ? dimension % 2 == 1 : dimension >= sines;
    wave.pair = layout == SinusoidLayout::Interleaved ? dimension / 2 : dimension - (wave.cosine ? sines : 0);
    wave.wavelength = 2 * std::numbers::pi * std::pow(10000.0, 2.0 * wave.pair / dimensions);
    return wave;
}

std::optional<SinusoidLayout> sinusoidLayout(const PositionTable& table) {
    for (const auto layout : {SinusoidLayout::Interleaved, SinusoidLayout::Halves})
        for (const int first : {0, 1, 2})
            if (table.positions > 0 && table.dimensions > 0 && fits(table, layout, first))
                return layout;
    return std::nullopt;
}

Map positionSimilarity(const PositionTable& table, Similarity similarity) {
    const int count = table.positions;
    Map map{count, count, std::vector<float>(asSize(count) * asSize(count))};
    std::vector<double> lengths;
    for (int position = 0; position < count; ++position) {
        const auto row = rowOf(table, position);
        lengths.push_back(std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0)));
    }
    for (int a = 0; a < count; ++a)
        for (int b = a; b < count; ++b) {
            const auto left = rowOf(table, a), right = rowOf(table, b);
            double value = std::inner_product(left.begin(), left.end(), right.begin(), 0.0);
            if (similarity == Similarity::Cosine) {
                const double both = lengths[asSize(a)] * lengths[asSize(b)];
                value = both == 0 ? 0 : value / both;
            }
            map.values[asSize(a) * asSize(count) + asSize(b)] = static_cast<float>(value);
            map.values[asSize(b) * asSize(count) + asSize(a)] = static_cast<float>(value);
        }
    return map;
}

Map rotaryAngles(const PositionTable& table) {
    Map map{table.positions, table.dimensions / 2, {}};
    for (int position = 0; position < map.rows; ++position)
        for (int pair = 0; pair < map.columns; ++pair)
            map.values.push_back(angleAt(table, position, pair));
    return map;
}

double rotaryWavelength(const PositionTable& table, int pair) {
    // A slow pair hardly turns from one position to the next: over all of them it is told better.
    double turned = 0;
    for (int position = 1; position < table.positions; ++position)
        turned +=
            std::remainder(static_cast<double>(angleAt(table, position, pair) - angleAt(table, position - 1, pair)),
                           2 * std::numbers::pi);
    return turned == 0 ? std::numeric_limits<double>::infinity()
                       : std::abs(2 * std::numbers::pi * (table.positions - 1) / turned);
}

std::optional<RotaryTurns> rotaryTurns(const PositionTable& table) {
    const int pairs = table.dimensions / 2;
    if (pairs < 2 || table.positions < 2)
        return std::nullopt;
    const double first = rotaryWavelength(table, 0);
    const double ratio = rotaryWavelength(table, 1) / first; // base^(2/d)
    constexpr double tolerance = 1e-3;
    for (int pair = 0; pair < pairs; ++pair)
        if (!(std::abs(rotaryWavelength(table, pair) / (first * std::pow(ratio, pair)) - 1) < tolerance))
            return std::nullopt;
    const double factor = first / (2 * std::numbers::pi);
    return RotaryTurns{std::pow(ratio, pairs), std::abs(factor - 1) < tolerance ? 1 : factor};
}

std::vector<DistanceBucket> distanceBuckets(const PositionTable& table) {
    const int nearest = -(table.positions - 1) / 2;
    std::vector<DistanceBucket> buckets;
    for (int row = 0; row < table.positions; ++row) {
        const auto own = rowOf(table, row);
        const bool same = row > 0 && std::equal(own.begin(), own.end(), rowOf(table, row - 1).begin());
        if (same)
            buckets.back().last = nearest + row;
        else
            buckets.push_back({nearest + row, nearest + row});
    }
    return buckets;
}

std::vector<float> otherInput(const InputVectors& input, int row) {
    const auto size = asSize(input.dimensions), first = asSize(row) * size;
    std::vector<float> other;
    float largest = 0, sum = 0;
    for (std::size_t i = first; i < first + size; ++i) {
        const float position = input.positions.empty() ? 0 : input.positions[i];
        other.push_back(input.sums[i] - input.tokens[i] - position);
        largest = std::max(largest, std::abs(other.back()));
        sum = std::max(sum, std::abs(input.sums[i]));
    }
    return largest > 1e-5f * (1 + sum) ? other : std::vector<float>();
}

AttentionPattern attentionPattern(const AttentionBlock& block) {
    AttentionPattern pattern{block.queries, block.keys, 0, {}};
    const auto queries = asSize(block.queries), keys = asSize(block.keys), all = queries * keys;
    std::vector<char> seen(all, 0);
    for (std::size_t i = 0; i < block.weights.size(); ++i)
        seen[i % all] |= block.weights[i] != 0;
    pattern.looks.assign(all, Looks::Allowed);
    for (std::size_t i = 0; i < all; ++i)
        if (!seen[i])
            pattern.looks[i] = Looks::Never;
    if (std::find(seen.begin(), seen.end(), 0) == seen.end())
        return pattern;

    // Blocks begin where the pattern of a query, or of a key, is another than of the one before.
    int size = 0;
    for (std::size_t query = 1; query < queries; ++query)
        if (!std::equal(&seen[query * keys], &seen[query * keys] + keys, &seen[(query - 1) * keys]))
            size = std::gcd(size, static_cast<int>(query));
    for (std::size_t key = 1; key < keys; ++key)
        for (std::size_t query = 0; query < queries; ++query)
            if (seen[query * keys + key] != seen[query * keys + key - 1]) {
                size = std::gcd(size, static_cast<int>(key));
                break;
            }
    pattern.blockSize = std::max(1, size);
    if (pattern.blockSize == 1 || block.queries != block.keys)
        return pattern;

    const int blocks = (block.queries + size - 1) / size;
    // Each head has random blocks of its own, which together may be all there are.
    std::vector<char> always(asSize(blocks) * asSize(blocks), 1);
    for (std::size_t head = 0; head < block.weights.size(); head += all) {
        std::vector<char> here(always.size(), 0);
        for (std::size_t query = 0; query < queries; ++query)
            for (std::size_t key = 0; key < keys; ++key)
                here[query / asSize(size) * asSize(blocks) + key / asSize(size)] |=
                    block.weights[head + query * keys + key] != 0;
        std::transform(always.begin(), always.end(), here.begin(), always.begin(), std::bit_and<>());
    }
    const auto sees = [&](int query, int key) { return always[asSize(query * blocks + key)] != 0; };
    std::vector<bool> globalQuery, globalKey;
    for (int one = 0; one < blocks; ++one) {
        bool row = true, column = true;
        for (int other = 0; other < blocks; ++other) {
            row = row && sees(one, other);
            column = column && sees(other, one);
        }
        globalQuery.push_back(row);
        globalKey.push_back(column);
    }
    int window = -1;
    for (bool whole = true; whole && window + 1 < blocks;) {
        for (int query = 0; query < blocks; ++query)
            for (const int key : {query - window - 1, query + window + 1})
                whole = whole && (key < 0 || key >= blocks || sees(query, key));
        window += whole;
    }
    for (int query = 0; query < block.queries; ++query)
        for (int key = 0; key < block.keys; ++key) {
            auto& looks = pattern.looks[asSize(query) * keys + asSize(key)];
            if (looks == Looks::Never)
                continue;
            looks = globalQuery[asSize(query / size)] || globalKey[asSize(key / size)] ? Looks::Global
                    : std::abs(query / size - key / size) <= window                    ? Looks::Window
                                                                                       : Looks::Random;
        }
    return pattern;
}

} // namespace headlight
