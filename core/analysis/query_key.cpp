#include "core/analysis/query_key.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace headlight {

namespace {

constexpr float never = -std::numeric_limits<float>::infinity();
/// A mask that is added as a number, as older models have it, is at least this large; no bias is.
constexpr double leastMask = 1000;

std::size_t offset(int number) {
    return static_cast<std::size_t>(number);
}

std::vector<float> copied(const std::vector<float>& from, std::size_t begin, std::size_t count) {
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(begin);
    return {first, first + static_cast<std::ptrdiff_t>(count)};
}

std::vector<float> softmax(std::span<const float> scores) {
    const auto largest = scores.empty() ? never : *std::max_element(scores.begin(), scores.end());
    std::vector<float> weights(scores.size(), 0.0f);
    if (largest == never)
        return weights;
    double sum = 0;
    for (const float score : scores)
        sum += std::exp(static_cast<double>(score) - static_cast<double>(largest));
    std::transform(scores.begin(), scores.end(), weights.begin(), [&](float score) {
        return static_cast<float>(std::exp(static_cast<double>(score) - static_cast<double>(largest)) / sum);
    });
    return weights;
}

float largestDifference(std::span<const float> a, std::span<const float> b) {
    float largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const float difference = std::abs(a[i] - b[i]);
        if (std::isnan(difference))
            return difference;
        largest = std::max(largest, difference);
    }
    return largest;
}

/// Rows of vectors, each times its weight; `sum` takes their sum.
std::vector<float> weighted(const std::vector<float>& weights, const std::vector<float>& rows, int size,
                            std::vector<float>& sum) {
    std::vector<double> sums(offset(size), 0.0);
    std::vector<float> made(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const double product = static_cast<double>(weights[i / offset(size)]) * static_cast<double>(rows[i]);
        made[i] = static_cast<float>(product);
        sums[i % offset(size)] += product;
    }
    sum.assign(sums.begin(), sums.end());
    return made;
}

/// For each key whether it is masked, told by a weight of exactly 0 where softmax would have given more than what half
/// precision, as files of others have it, can tell from 0.
std::vector<bool> maskByWeights(std::span<const float> weights, std::span<const float> scores) {
    float largest = never;
    for (std::size_t key = 0; key < scores.size(); ++key)
        if (weights[key] > 0)
            largest = std::max(largest, scores[key]);
    std::vector<bool> masked(scores.size());
    for (std::size_t key = 0; key < scores.size(); ++key) {
        const auto share = std::exp(static_cast<double>(scores[key]) - static_cast<double>(largest));
        masked[key] = weights[key] == 0 && share > 6e-8;
    }
    return masked;
}

void addProducts(DotProductSteps& steps, const AttentionBlock& block, std::size_t head, Query query) {
    const auto size = offset(block.headSize), keys = offset(block.keys);
    steps.size = block.headSize;
    steps.query = copied(block.queryRows, (head * offset(block.queries) + query.offset()) * size, size);
    steps.keyRows = copied(block.keyRows, head * keys * size, keys * size);
    steps.products.resize(keys * size);
    for (std::size_t key = 0; key < keys; ++key) {
        double sum = 0;
        for (std::size_t i = key * size; i < (key + 1) * size; ++i) {
            const double product =
                static_cast<double>(steps.query[i - key * size]) * static_cast<double>(steps.keyRows[i]);
            steps.products[i] = static_cast<float>(product);
            sum += product;
        }
        steps.sums.push_back(static_cast<float>(sum));
        steps.scaled.push_back(static_cast<float>(sum * static_cast<double>(steps.scale)));
    }
}

/// What the trace's scores have besides the scaled products. Products in single precision differ from those here by
/// rounding, which grows with what is summed.
void addAdditions(DotProductSteps& steps, std::span<const float> weights) {
    for (int key = 0; key < steps.keys; ++key) {
        double sizes = 0;
        for (int i = 0; i < steps.size; ++i)
            sizes += std::abs(static_cast<double>(steps.products[offset(key * steps.size + i)]));
        const double scaled = static_cast<double>(steps.scaled[offset(key)]);
        const double addition = static_cast<double>(steps.scores[offset(key)]) - scaled;
        const double rounding = 1e-5 * (1 + sizes * std::abs(static_cast<double>(steps.scale)));
        if (weights[offset(key)] == 0 && addition < -leastMask)
            steps.masked[offset(key)] = true;
        const bool counts = !steps.masked[offset(key)] && !(std::abs(addition) <= rounding);
        steps.additions.push_back(counts ? static_cast<float>(addition) : 0);
        steps.added = steps.added || counts;
    }
}

} // namespace

DotProductSteps dotProductSteps(const AttentionBlock& block, Layer layer, Head head, Query query) {
    DotProductSteps steps;
    steps.keys = block.keys;
    const auto place = layer.offset() * offset(block.heads) + head.offset();
    const auto own = block.row(layer, head, query);
    const bool vectors = block.headSize > 0 && !block.queryRows.empty() && !block.keyRows.empty();
    steps.scoresKnown = !block.scores.empty();
    if (!vectors && !steps.scoresKnown)
        return steps;
    if (vectors) {
        steps.scaleKnown = layer.offset() < block.scales.size();
        steps.scale = steps.scaleKnown ? block.scales[layer.offset()]
                                       : static_cast<float>(1 / std::sqrt(static_cast<double>(block.headSize)));
        addProducts(steps, block, place, query);
    }
    if (steps.scoresKnown) {
        steps.scores = copied(block.scores, block.rowOffset(layer, head, query), offset(block.keys));
        for (const float score : steps.scores)
            steps.masked.push_back(score == never);
        if (vectors)
            addAdditions(steps, own);
    } else {
        steps.scores = steps.scaled;
        steps.additions.assign(offset(block.keys), 0.0f);
        steps.masked = maskByWeights(own, steps.scores);
    }
    for (std::size_t key = 0; key < steps.scores.size(); ++key)
        if (steps.masked[key])
            steps.scores[key] = never;
    steps.weights = softmax(steps.scores);
    steps.largestDifference = largestDifference(steps.weights, own);
    // A key that counts several times takes its share from all others; each single share is that much smaller.
    double sum = 0;
    for (const float weight : own)
        sum += static_cast<double>(weight);
    if (steps.largestDifference > 1e-5f && sum < 0.9999) {
        auto shares = steps.weights;
        for (auto& share : shares)
            share *= static_cast<float>(sum);
        if (const auto difference = largestDifference(shares, own); difference < 1e-5f) {
            steps.weights = std::move(shares);
            steps.sum = static_cast<float>(sum);
            steps.largestDifference = difference;
        }
    }
    if (block.headSize > 0 && !block.valueRows.empty()) {
        const auto count = offset(block.keys) * offset(block.headSize);
        steps.valueSize = block.headSize;
        steps.valueRows = copied(block.valueRows, place * count, count);
        steps.weighted = weighted(steps.weights, steps.valueRows, steps.valueSize, steps.output);
    }
    return steps;
}

AdditiveSteps additiveSteps(const AdditiveEnergies& energies, const AttentionBlock& cross, Query query) {
    AdditiveSteps steps;
    steps.keys = energies.keys;
    steps.size = energies.size;
    const auto size = offset(energies.size), keys = offset(energies.keys);
    const auto own = cross.row(Layer(0), Head(0), query);
    steps.query = copied(energies.queryPart, query.offset() * size, size);
    steps.keyRows = energies.keyPart;
    steps.v = energies.v;
    for (std::size_t key = 0; key < keys; ++key) {
        double energy = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const double hidden =
                std::tanh(static_cast<double>(steps.query[i]) + static_cast<double>(steps.keyRows[key * size + i]));
            const double product = static_cast<double>(steps.v[i]) * hidden;
            steps.hidden.push_back(static_cast<float>(hidden));
            steps.products.push_back(static_cast<float>(product));
            energy += product;
        }
        steps.energies.push_back(static_cast<float>(energy));
    }
    if (energies.energies.size() == offset(energies.queries) * keys)
        for (std::size_t key = 0; key < keys; ++key)
            steps.masked.push_back(energies.energies[query.offset() * keys + key] == never);
    else
        steps.masked = maskByWeights(own, steps.energies);
    for (std::size_t key = 0; key < keys; ++key)
        if (steps.masked[key])
            steps.energies[key] = never;
    steps.weights = softmax(steps.energies);
    steps.largestDifference = largestDifference(steps.weights, own);
    if (energies.annotationSize > 0) {
        steps.valueSize = energies.annotationSize;
        steps.valueRows = energies.annotations;
        steps.weighted = weighted(steps.weights, steps.valueRows, steps.valueSize, steps.context);
    }
    return steps;
}

} // namespace headlight
