// Products of layers' mean attention.
#include "core/analysis/rollout.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace headlight {

namespace {

Map identity(int size) {
    Map map{size, size, std::vector<float>(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), 0.0F)};
    for (std::size_t i = 0; i < static_cast<std::size_t>(size); ++i)
        map.values[i * static_cast<std::size_t>(size) + i] = 1;
    return map;
}

/// left · right, [left.rows, right.columns].
Map product(const Map& left, const Map& right) {
    assert(left.columns == right.rows);
    constexpr std::size_t together = 4; // rows that are added to for each row of `right` that is read
    const auto rows = static_cast<std::size_t>(left.rows), inner = static_cast<std::size_t>(left.columns);
    const auto width = static_cast<std::size_t>(right.columns);
    Map made{left.rows, right.columns, std::vector<float>(rows * width, 0.0F)};
    for (std::size_t first = 0; first < rows; first += together) {
        const auto count = std::min(together, rows - first);
        for (std::size_t i = 0; i < inner; ++i) {
            const float* values = right.values.data() + i * width;
            for (std::size_t row = first; row < first + count; ++row) {
                const float weight = left.values[row * inner + i];
                if (weight == 0) // half of a causal map
                    continue;
                float* sums = made.values.data() + row * width;
                for (std::size_t column = 0; column < width; ++column)
                    sums[column] += weight * values[column];
            }
        }
    }
    return made;
}

/// (first + second) / 2
Map halves(Map first, const Map& second) {
    for (std::size_t cell = 0; cell < first.values.size(); ++cell)
        first.values[cell] = (first.values[cell] + second.values[cell]) / 2;
    return first;
}

/// 0.5 A + 0.5 I of a layer.
Map withResidual(const AttentionBlock& self, int layer) {
    return halves(meanOverHeads(self, Layer(layer)), identity(self.queries));
}

bool isSquare(const AttentionBlock& block) {
    return block.layers > 0 && block.heads > 0 && block.queries == block.keys;
}

} // namespace

Map rollout(const AttentionBlock& self, const std::stop_token& stop) {
    assert(isSquare(self));
    auto rolled = identity(self.queries);
    for (int layer = 0; layer < self.layers && !stop.stop_requested(); ++layer)
        rolled = product(withResidual(self, layer), rolled);
    return rolled;
}

Map rollout(const AttentionBlock& cross, const AttentionBlock* decoder, const AttentionBlock* encoder,
            const std::stop_token& stop) {
    assert(!decoder || (decoder->layers == cross.layers && decoder->queries == cross.queries));
    assert(!encoder || encoder->queries == cross.keys);
    const auto source = encoder ? rollout(*encoder, stop) : identity(cross.keys); // R
    Map onSource{cross.queries, cross.keys, {}}; // S; D is what it lacks to rows of sum 1, and never asked for
    onSource.values.resize(static_cast<std::size_t>(cross.queries) * static_cast<std::size_t>(cross.keys));
    for (int layer = 0; layer < cross.layers && !stop.stop_requested(); ++layer) {
        if (decoder)
            onSource = product(withResidual(*decoder, layer), onSource);
        onSource = halves(std::move(onSource), product(meanOverHeads(cross, Layer(layer)), source));
    }
    for (int row = 0; row < onSource.rows; ++row) {
        double sum = 0;
        for (const float mass : onSource.row(row))
            sum += static_cast<double>(mass);
        const auto first = static_cast<std::size_t>(row) * static_cast<std::size_t>(onSource.columns);
        for (std::size_t cell = first; cell < first + static_cast<std::size_t>(onSource.columns); ++cell)
            onSource.values[cell] = static_cast<float>(static_cast<double>(onSource.values[cell]) / sum);
    }
    return onSource;
}

std::optional<Map> rollout(const Trace& trace, BlockKind kind, const std::stop_token& stop) {
    const auto* block = trace.block(kind);
    if (!block || block->layers < 1 || block->heads < 1)
        return std::nullopt;
    if (kind != BlockKind::Cross)
        return isSquare(*block) ? std::optional(rollout(*block, stop)) : std::nullopt;
    const auto* encoder = trace.block(BlockKind::Encoder);
    const auto* decoder = trace.block(BlockKind::Decoder);
    if (encoder && (!isSquare(*encoder) || encoder->queries != block->keys))
        return std::nullopt;
    if (decoder && (!isSquare(*decoder) || decoder->queries != block->queries || decoder->layers != block->layers))
        return std::nullopt;
    if (!encoder && !decoder && block->layers == 1)
        return meanOverBlock(*block);
    return rollout(*block, decoder, encoder, stop);
}

} // namespace headlight
