// Less of a map, for the eye: the weights that are worth a line, and a small picture of a large map.
#pragma once

#include "core/analysis/alignment.h"

#include <span>
#include <vector>

namespace headlight {

/// One weight of a map.
struct WeightAt {
    int row = 0;
    int column = 0;
    float weight = 0;
    friend bool operator==(const WeightAt&, const WeightAt&) = default;
};

/// Of each row the fewest weights, largest first, that together hold `share` of its sum: exBERT's rule (Hoover et al.
/// 2020), whose default is 0.7. Weights that are not above 0 are never kept, nor is a row with one that is not finite.
/// @param share 0 to 1; 1 keeps all
std::vector<WeightAt> strongestOfRows(const Map& map, double share);

/// The rows and columns that are named, in that order.
Map partOf(const Map& map, std::span<const int> rows, std::span<const int> columns);

/// What each column receives of all rows together; rows with a weight that is not finite do not count.
std::vector<float> columnSums(const Map& map);

/// The map in at most so many rows and columns, each the one of its weights that is farthest from 0: a diagonal of a
/// long text stays a diagonal, where a mean would wash it out. What is not a number stays one.
/// @param values [rows, columns], as AttentionBlock::map gives them
Map pooledMap(std::span<const float> values, int rows, int columns, int mostRows, int mostColumns);

/// Where a map's colours end so that most of it is seen: its largest value's size, or in more than a few hundred cells
/// the size that only one in 200 exceeds, for the first rows of a causal map have few keys to share their weight. A row
/// with but one value that is not 0, as a causal map's first, had no choice and does not count, unless all rows are
/// such. At least 1e-6; values that are not finite do not count.
float rangeOf(const Map& map);

} // namespace headlight
