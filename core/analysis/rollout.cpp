#include "core/analysis/rollout.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <numeric>
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

Map& operator+=(Map& left, const Map& right) {
    for (std::size_t cell = 0; cell < left.values.size(); ++cell)
        left.values[cell] += right.values[cell];
    return left;
}

/// The map, each row times its factor.
Map scaledRows(Map map, std::span<const float> factors) {
    for (std::size_t row = 0; row < factors.size(); ++row) {
        const auto first = map.values.begin() + static_cast<std::ptrdiff_t>(row) * map.columns;
        std::for_each(first, first + map.columns, [&](float& value) { value *= factors[row]; });
    }
    return map;
}

Map transposed(const Map& map) {
    Map turned{map.columns, map.rows, {}};
    turned.values.reserve(map.values.size());
    for (int row = 0; row < turned.rows; ++row)
        for (int column = 0; column < turned.columns; ++column)
            turned.values.push_back(map.at(column, row));
    return turned;
}

/// Rows of R - I divided by their sums, and I (rules 8 and 9).
Map normalised(Map map) {
    const auto one = identity(map.rows);
    for (std::size_t cell = 0; cell < map.values.size(); ++cell)
        map.values[cell] -= one.values[cell];
    map = rowsOfOne(std::move(map));
    return map += one;
}

/// One flow after another between nodes of neighbouring levels, level 0 being the tokens (Dinitz's algorithm).
class FlowNetwork {
public:
    explicit FlowNetwork(std::span<const Map> layers) : m_width(static_cast<std::size_t>(layers.front().rows)) {
        m_edges.resize((layers.size() + 1) * m_width);
        for (std::size_t layer = 0; layer < layers.size(); ++layer)
            for (std::size_t query = 0; query < m_width; ++query)
                for (std::size_t key = 0; key < m_width; ++key)
                    if (const auto capacity = layers[layer].values[query * m_width + key]; capacity > 0)
                        connect((layer + 1) * m_width + query, layer * m_width + key, static_cast<double>(capacity));
        m_full = m_left;
    }

    /// From a query of the top level to a token.
    double most(std::size_t query, std::size_t token) {
        m_left = m_full;
        const auto from = m_edges.size() - m_width + query;
        double flow = 0;
        while (findLevels(from, token)) {
            m_next.assign(m_edges.size(), 0);
            double pushed = 0;
            do {
                pushed = push(from, token, std::numeric_limits<double>::infinity());
                flow += pushed;
            } while (pushed > 0);
        }
        return flow;
    }

private:
    static constexpr double nothing = 1e-12; ///< capacities are sums of floats: what is left below is rounding

    /// An edge and, one place behind it, its reverse.
    void connect(std::size_t from, std::size_t to, double capacity) {
        m_edges[from].push_back(m_to.size());
        m_to.push_back(to);
        m_left.push_back(capacity);
        m_edges[to].push_back(m_to.size());
        m_to.push_back(from);
        m_left.push_back(0);
    }

    bool findLevels(std::size_t from, std::size_t to) {
        m_levels.assign(m_edges.size(), -1);
        m_levels[from] = 0;
        std::vector<std::size_t> reached{from};
        for (std::size_t i = 0; i < reached.size() && m_levels[to] < 0; ++i)
            for (const auto edge : m_edges[reached[i]])
                if (m_left[edge] > nothing && m_levels[m_to[edge]] < 0) {
                    m_levels[m_to[edge]] = m_levels[reached[i]] + 1;
                    reached.push_back(m_to[edge]);
                }
        return m_levels[to] >= 0;
    }

    double push(std::size_t node, std::size_t to, double most) {
        if (node == to)
            return most;
        for (auto& next = m_next[node]; next < m_edges[node].size(); ++next) {
            const auto edge = m_edges[node][next];
            if (m_left[edge] <= nothing || m_levels[m_to[edge]] != m_levels[node] + 1)
                continue;
            if (const double pushed = push(m_to[edge], to, std::min(most, m_left[edge])); pushed > 0) {
                m_left[edge] -= pushed;
                m_left[edge ^ 1U] += pushed;
                return pushed;
            }
        }
        return 0;
    }

    std::size_t m_width;
    std::vector<std::vector<std::size_t>> m_edges; ///< that leave a node, level by level
    std::vector<std::size_t> m_to;                 ///< of each edge
    std::vector<double> m_full, m_left;            ///< its capacity, and what is left of it
    std::vector<int> m_levels;
    std::vector<std::size_t> m_next;
};

bool isSquare(const AttentionBlock& block) {
    return block.layers > 0 && block.heads > 0 && block.queries == block.keys;
}

} // namespace

Map rollout(const AttentionBlock& self, const std::stop_token& stop) {
    assert(isSquare(self));
    return rolledDown(mixedWithResidual(self), stop);
}

Map rollout(const AttentionBlock& cross, const AttentionBlock* decoder, const AttentionBlock* encoder,
            const std::stop_token& stop) {
    return rowsOfOne(rolloutOfBoth(cross, decoder, encoder, stop).source);
}

std::vector<Map> mixedWithResidual(const AttentionBlock& self) {
    std::vector<Map> layers;
    for (int layer = 0; layer < self.layers; ++layer) {
        auto& mixed = layers.emplace_back(meanOverHeads(self, Layer(layer)));
        mixed += identity(self.queries);
        for (float& value : mixed.values)
            value /= 2;
    }
    return layers;
}

Map rolledDown(std::span<const Map> layers, const std::stop_token& stop) {
    auto rolled = layers.front();
    for (std::size_t layer = 1; layer < layers.size() && !stop.stop_requested(); ++layer)
        rolled = product(layers[layer], rolled);
    return rolled;
}

TwoSided rolledDown(std::span<const DecoderMixing> layers, const Map& encoder, const std::stop_token& stop) {
    const int rows = layers.front().self.rows;
    TwoSided rolled{{rows, encoder.columns, {}}, identity(rows)};
    rolled.source.values.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(encoder.columns));
    for (const auto& layer : layers) {
        if (stop.stop_requested())
            break;
        rolled.source = scaledRows(product(layer.self, rolled.source), layer.residual);
        rolled.source += product(layer.cross, encoder);
        rolled.target = scaledRows(product(layer.self, rolled.target), layer.residual);
    }
    return rolled;
}

TwoSided rolloutOfBoth(const AttentionBlock& cross, const AttentionBlock* decoder, const AttentionBlock* encoder,
                       const std::stop_token& stop) {
    assert(!decoder || (decoder->layers == cross.layers && decoder->queries == cross.queries));
    assert(!encoder || encoder->queries == cross.keys);
    std::vector<Map> own;
    if (decoder)
        own = mixedWithResidual(*decoder);
    const std::vector<float> half(static_cast<std::size_t>(cross.queries), 0.5F);
    std::vector<DecoderMixing> layers;
    for (int layer = 0; layer < cross.layers; ++layer)
        layers.push_back({decoder ? own[static_cast<std::size_t>(layer)] : identity(cross.queries),
                          scaledRows(meanOverHeads(cross, Layer(layer)), half), half});
    return rolledDown(layers, encoder ? rollout(*encoder, stop) : identity(cross.keys), stop);
}

Map rowsOfOne(Map map) {
    std::vector<float> factors;
    for (int row = 0; row < map.rows; ++row) {
        const auto values = map.row(row);
        const double sum = std::accumulate(values.begin(), values.end(), 0.0);
        factors.push_back(sum == 0 ? 1.0F : static_cast<float>(1 / sum));
    }
    return scaledRows(std::move(map), factors);
}

Map attentionFlow(std::span<const Map> layers, const std::stop_token& stop) {
    const auto width = static_cast<std::size_t>(layers.front().rows);
    Map flow{layers.front().rows, layers.front().rows, std::vector<float>(width * width)};
    FlowNetwork network(layers);
    for (std::size_t cell = 0; cell < flow.values.size() && !stop.stop_requested(); ++cell)
        flow.values[cell] = static_cast<float>(network.most(cell / width, cell % width));
    return flow;
}

Map relevance(std::span<const Map> layers, const std::stop_token& stop) {
    auto all = identity(layers.front().rows);
    for (const auto& layer : layers)
        if (!stop.stop_requested())
            all += product(layer, all);
    return all;
}

DecoderRelevance relevance(std::span<const Map> self, std::span<const Map> cross, const Map& encoder,
                           const std::stop_token& stop) {
    const int rows = self.front().rows;
    const Map nothing{rows, encoder.rows,
                      std::vector<float>(static_cast<std::size_t>(rows) * static_cast<std::size_t>(encoder.rows))};
    DecoderRelevance found{identity(rows), nothing, nothing};
    const auto source = normalised(encoder);
    for (std::size_t layer = 0; layer < self.size() && !stop.stop_requested(); ++layer) {
        found.target += product(self[layer], found.target);
        found.source += product(self[layer], found.source);
        found.untransposed += product(self[layer], found.untransposed);
        const auto target = normalised(found.target);
        const auto read = product(cross[layer], source);
        found.source += product(transposed(target), read);
        found.untransposed += product(target, read);
    }
    return found;
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
