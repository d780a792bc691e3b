// Sums over the rows of a head, and the word that fits them.
#include "core/analysis/head_metrics.h"
#include "core/analysis/comparison.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <utility>

namespace headlight {

namespace {

constexpr float leastShare = 0.5F;
constexpr double leastBroadness = 0.8;

HeadKind kindOf(const HeadMetrics& metrics, double broadness) {
    std::vector<std::pair<HeadKind, float>> shares;
    if (metrics.relative) {
        shares.emplace_back(HeadKind::Previous, metrics.relative->previous);
        shares.emplace_back(HeadKind::Next, metrics.relative->next);
        shares.emplace_back(HeadKind::Self, metrics.relative->self);
    }
    shares.emplace_back(HeadKind::First, metrics.first);
    shares.emplace_back(HeadKind::Delimiter, metrics.special);
    const auto largest = std::max_element(
        shares.begin(), shares.end(), [](const auto& left, const auto& right) { return left.second < right.second; });
    if (largest->second >= leastShare)
        return largest->first;
    return broadness >= leastBroadness ? HeadKind::Broad : HeadKind::Mixed;
}

} // namespace

std::string_view headKindName(HeadKind kind) {
    constexpr std::array<std::string_view, 7> names{"previous", "next", "self", "first", "delimiter", "broad", "mixed"};
    return names[static_cast<std::size_t>(kind)];
}

std::optional<float> measured(const HeadMetrics& metrics, HeadMeasure measure) {
    const auto& relative = metrics.relative;
    switch (measure) {
    case HeadMeasure::Entropy:
        return metrics.entropy;
    case HeadMeasure::Confidence:
        return metrics.confidence;
    case HeadMeasure::First:
        return metrics.first;
    case HeadMeasure::Special:
        return metrics.special;
    case HeadMeasure::Distance:
        return relative ? std::optional(relative->distance) : std::nullopt;
    case HeadMeasure::Previous:
        return relative ? std::optional(relative->previous) : std::nullopt;
    case HeadMeasure::Next:
        return relative ? std::optional(relative->next) : std::nullopt;
    case HeadMeasure::Self:
        return relative ? std::optional(relative->self) : std::nullopt;
    }
    return std::nullopt;
}

void HeadTally::add(const AttentionBlock& block, Layer layer, Head head, std::span<const Token> keys) {
    assert(keys.size() == static_cast<std::size_t>(block.keys));
    m_relative = block.kind != BlockKind::Cross;
    const bool causal = block.kind == BlockKind::Decoder;
    for (int query = 0; query < block.queries; ++query) {
        const auto row = block.row(layer, head, Query(query));
        const float bits = entropyBits(row);
        const int visible = causal ? std::min(query + 1, block.keys) : block.keys;
        if (visible < 2 || std::isnan(bits))
            continue;
        m_entropy.add(static_cast<double>(bits));
        m_broadest.add(std::log2(visible));
        const double sum = std::accumulate(row.begin(), row.end(), 0.0);
        const auto share = [&](std::size_t key) { return static_cast<double>(row[key]) / sum; };
        m_confidence.add(static_cast<double>(*std::max_element(row.begin(), row.end())) / sum);
        m_first.add(share(0));
        double onSpecial = 0;
        double steps = 0;
        for (int key = 0; key < block.keys; ++key) {
            const double weight = share(static_cast<std::size_t>(key));
            onSpecial += keys[static_cast<std::size_t>(key)].special ? weight : 0.0;
            steps += weight * std::abs(query - key);
        }
        m_special.add(onSpecial);
        if (block.kind == BlockKind::Cross || query >= block.keys)
            continue;
        const auto at = static_cast<std::size_t>(query);
        m_distance.add(steps);
        m_self.add(share(at));
        if (at > 0)
            m_previous.add(share(at - 1));
        if (at + 1 < row.size() && !causal)
            m_next.add(share(at + 1));
    }
}

HeadMetrics HeadTally::metrics() const {
    HeadMetrics metrics;
    metrics.queries = m_entropy.count;
    metrics.entropy = m_entropy.value();
    metrics.confidence = m_confidence.value();
    metrics.first = m_first.value();
    metrics.special = m_special.value();
    if (m_relative)
        metrics.relative = RelativeMetrics{m_distance.value(), m_previous.value(), m_next.value(), m_self.value()};
    metrics.kind = kindOf(metrics, m_broadest.sum > 0 ? m_entropy.sum / m_broadest.sum : 0);
    return metrics;
}

HeadMetrics headMetrics(const AttentionBlock& block, Layer layer, Head head, std::span<const Token> keys) {
    HeadTally tally;
    tally.add(block, layer, head, keys);
    return tally.metrics();
}

std::vector<std::vector<HeadMetrics>> blockMetrics(const AttentionBlock& block, std::span<const Token> keys) {
    std::vector<std::vector<HeadMetrics>> metrics(static_cast<std::size_t>(block.layers));
    for (int layer = 0; layer < block.layers; ++layer)
        for (int head = 0; head < block.heads; ++head)
            metrics[static_cast<std::size_t>(layer)].push_back(headMetrics(block, Layer(layer), Head(head), keys));
    return metrics;
}

bool isFullRun(const Trace& full, const Trace& changed) {
    return full.model == changed.model && full.intervention.empty() && !changed.intervention.empty();
}

bool readTheSame(const Trace& first, const Trace& second, BlockKind kind) {
    const auto* one = first.block(kind);
    const auto* other = second.block(kind);
    const auto same = [](const std::vector<Token>& left, const std::vector<Token>& right) {
        return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const Token& a, const Token& b) {
            return a.id == b.id && a.text == b.text; // files may have no ids
        });
    };
    return one && other && one->layers == other->layers && one->heads == other->heads && one->queries == other->queries
           && one->keys == other->keys && same(first.queryTokens(kind), second.queryTokens(kind))
           && same(first.keyTokens(kind), second.keyTokens(kind));
}

float headChange(const AttentionBlock& first, const AttentionBlock& second, Layer layer, Head head) {
    assert(first.queries == second.queries && first.keys == second.keys);
    double sum = 0;
    int rows = 0;
    for (int query = 0; query < first.queries; ++query) {
        const float bits = jensenShannon(first.row(layer, head, Query(query)), second.row(layer, head, Query(query)));
        if (std::isnan(bits))
            continue;
        sum += static_cast<double>(bits);
        ++rows;
    }
    return rows > 0 ? static_cast<float>(sum / rows) : 0.0F;
}

std::optional<ChangedHead> mostChangedHead(const Trace& changed, const Trace& full) {
    std::optional<ChangedHead> most;
    for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross}) {
        if (!readTheSame(changed, full, kind))
            continue;
        const auto& block = *changed.block(kind);
        for (int layer = 0; layer < block.layers; ++layer)
            for (int head = 0; head < block.heads; ++head)
                if (const float bits = headChange(block, *full.block(kind), Layer(layer), Head(head));
                    bits > (most ? most->bits : 0))
                    most = {kind, Layer(layer), Head(head), bits};
    }
    return most;
}

const Prediction* predictionAt(const Trace& run, int position) {
    const auto found = std::find_if(run.predictions.begin(), run.predictions.end(),
                                    [&](const Prediction& prediction) { return prediction.position == position; });
    return found == run.predictions.end() ? nullptr : &*found;
}

float probabilityOf(const Prediction& prediction, std::int64_t token) {
    for (const auto* kept : {&prediction.candidates, &prediction.asked})
        for (const auto& candidate : *kept)
            if (candidate.id == token)
                return candidate.probability;
    return std::numeric_limits<float>::quiet_NaN();
}

OutputChange outputChange(const Trace& changed, const Trace& full) {
    OutputChange change;
    double now = 0, inFull = 0;
    int known = 0;
    for (const auto& is : changed.predictions) {
        const auto* was = predictionAt(full, is.position);
        if (!was || was->candidates.empty() || is.candidates.empty())
            continue;
        const auto& choice = is.candidates.front();
        ++change.steps;
        change.sameChoice += was->candidates.front().id == choice.id ? 1 : 0;
        if (const float kept = probabilityOf(*was, choice.id); !std::isnan(kept)) {
            now += static_cast<double>(choice.probability);
            inFull += static_cast<double>(kept);
            ++known;
        }
    }
    change.now = known > 0 ? static_cast<float>(now / known) : std::numeric_limits<float>::quiet_NaN();
    change.inFull = known > 0 ? static_cast<float>(inFull / known) : std::numeric_limits<float>::quiet_NaN();
    return change;
}

std::vector<std::vector<std::int64_t>> candidatesOf(const Trace& run) {
    std::vector<std::vector<std::int64_t>> rows;
    for (const auto& prediction : run.predictions) {
        rows.resize(std::max(rows.size(), static_cast<std::size_t>(prediction.position) + 1));
        for (const auto& candidate : prediction.candidates)
            rows[static_cast<std::size_t>(prediction.position)].push_back(candidate.id);
    }
    return rows;
}

} // namespace headlight
