// The strongest weights of rows and of blocks of cells.
#include "core/analysis/thinning.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

namespace headlight {

std::vector<WeightAt> strongestOfRows(const Map& map, double share) {
    std::vector<WeightAt> kept;
    std::vector<int> columns;
    for (int row = 0; row < map.rows; ++row) {
        const auto weights = map.row(row);
        const auto sum = std::accumulate(weights.begin(), weights.end(), 0.0,
                                         [](double all, float one) { return all + std::max(0.0, double(one)); });
        if (!std::all_of(weights.begin(), weights.end(), [](float one) { return std::isfinite(one); }))
            continue;
        columns.resize(weights.size());
        std::iota(columns.begin(), columns.end(), 0);
        const auto weaker = [&](int left, int right) {
            const auto a = weights[static_cast<std::size_t>(left)], b = weights[static_cast<std::size_t>(right)];
            return a < b || (a == b && left > right);
        };
        // A heap gives up its largest one by one: most rows need few of many.
        std::make_heap(columns.begin(), columns.end(), weaker);
        double held = 0;
        for (auto end = columns.end(); end != columns.begin(); --end) {
            const int column = columns.front();
            const auto weight = weights[static_cast<std::size_t>(column)];
            // What is left over by rounding is no reason for one more.
            if (!(weight > 0) || (share < 1 && held >= sum * share - 1e-6))
                break;
            kept.push_back({row, column, weight});
            held += static_cast<double>(weight);
            std::pop_heap(columns.begin(), end, weaker);
        }
    }
    return kept;
}

Map partOf(const Map& map, std::span<const int> rows, std::span<const int> columns) {
    Map part{static_cast<int>(rows.size()), static_cast<int>(columns.size()), {}};
    part.values.reserve(rows.size() * columns.size());
    for (const int row : rows) {
        const auto values = map.row(row);
        for (const int column : columns)
            part.values.push_back(values[static_cast<std::size_t>(column)]);
    }
    return part;
}

std::vector<float> columnSums(const Map& map) {
    std::vector<double> sums(static_cast<std::size_t>(map.columns), 0.0);
    for (int row = 0; row < map.rows; ++row) {
        const auto weights = map.row(row);
        if (std::all_of(weights.begin(), weights.end(), [](float one) { return std::isfinite(one); }))
            std::transform(sums.begin(), sums.end(), weights.begin(), sums.begin(),
                           [](double sum, float one) { return sum + static_cast<double>(one); });
    }
    return {sums.begin(), sums.end()};
}

Map pooledMap(std::span<const float> values, int rows, int columns, int mostRows, int mostColumns) {
    assert(values.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
    Map pooled{std::min(rows, std::max(1, mostRows)), std::min(columns, std::max(1, mostColumns)), {}};
    if (pooled.rows == rows && pooled.columns == columns) {
        pooled.values.assign(values.begin(), values.end());
        return pooled;
    }
    pooled.values.assign(static_cast<std::size_t>(pooled.rows) * static_cast<std::size_t>(pooled.columns), 0.0F);
    std::vector<std::size_t> places; // of each column
    for (int column = 0; column < columns; ++column)
        places.push_back(static_cast<std::size_t>(std::int64_t{column} * pooled.columns / columns));
    for (int row = 0; row < rows; ++row) {
        const auto* from = values.data() + static_cast<std::size_t>(row) * places.size();
        auto* to = pooled.values.data()
                   + static_cast<std::size_t>(std::int64_t{row} * pooled.rows / rows)
                         * static_cast<std::size_t>(pooled.columns);
        for (std::size_t column = 0; column < places.size(); ++column) {
            auto& kept = to[places[column]];
            if (!(std::abs(from[column]) <= std::abs(kept)) && !std::isnan(kept))
                kept = from[column];
        }
    }
    return pooled;
}

float rangeOf(const Map& map) {
    constexpr std::size_t few = 400, oneIn = 200;
    std::vector<float> sizes, alone;
    sizes.reserve(map.values.size());
    for (int row = 0; row < map.rows; ++row) {
        const auto values = map.row(row);
        auto& kept =
            std::count_if(values.begin(), values.end(), [](float value) { return value != 0; }) > 1 ? sizes : alone;
        for (const float value : values)
            if (std::isfinite(value))
                kept.push_back(std::abs(value));
    }
    if (sizes.empty())
        sizes = std::move(alone);
    if (sizes.empty())
        return 1e-6F;
    const auto above = sizes.size() > few ? sizes.size() / oneIn : 0;
    const auto at = sizes.end() - 1 - static_cast<std::ptrdiff_t>(above);
    std::nth_element(sizes.begin(), at, sizes.end());
    return std::max(*at, 1e-6F);
}

} // namespace headlight
