#include "core/nn/watch.h"

#include <torch/types.h>

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

namespace headlight {

namespace {

void append(std::vector<float>& values, const torch::Tensor& tensor) {
    const auto plain = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
    const float* data = plain.data_ptr<float>();
    values.insert(values.end(), data, data + plain.numel());
}

/// The first rows of one map or list of vectors of an earlier run.
struct EarlierRows {
    std::span<const float> values; ///< of all rows
    std::size_t columns = 0;
    std::size_t rows = 0; ///< that are taken; 0: none
};

/// The rows of an earlier run, then those of this one, [rows, columns]. Where the earlier rows are shorter they end in
/// `beyond`: keys that were not there were not seen.
void appendAfter(std::vector<float>& values, const EarlierRows& earlier, const torch::Tensor& now, float beyond = 0) {
    const auto columns = static_cast<std::size_t>(now.size(-1));
    const auto copied = std::min(columns, earlier.columns);
    for (std::size_t row = 0; row < earlier.rows; ++row) {
        const auto begin = earlier.values.begin() + static_cast<std::ptrdiff_t>(row * earlier.columns);
        values.insert(values.end(), begin, begin + static_cast<std::ptrdiff_t>(copied));
        values.insert(values.end(), columns - copied, beyond);
    }
    append(values, now);
}

} // namespace

void Watch::reserveLayers(std::vector<float>& values, const torch::Tensor& ofLayer) const {
    if (values.empty())
        values.reserve(static_cast<std::size_t>(ofLayer.numel()) * static_cast<std::size_t>(m_layers));
}

void Watch::appendLayer(std::vector<float>& values, const torch::Tensor& ofLayer) const {
    reserveLayers(values, ofLayer);
    append(values, ofLayer);
}

torch::Tensor Watch::roomForWeights(BlockKind kind, int layer, const torch::Tensor& scores) {
    auto& kept = block(kind);
    if (scores.scalar_type() != torch::kFloat32 || !scores.device().is_cpu() || layer != kept.layers
        || rowsBefore(kind) > 0)
        return torch::empty_like(scores);
    reserveLayers(kept.weights, scores);
    const auto before = kept.weights.size();
    kept.weights.resize(before + static_cast<std::size_t>(scores.numel()));
    return torch::from_blob(kept.weights.data() + before, scores.sizes(), torch::kFloat32);
}

AttentionBlock& Watch::block(BlockKind kind) {
    auto& found = kind == BlockKind::Encoder   ? m_collected.encoder
                  : kind == BlockKind::Decoder ? m_collected.decoder
                                               : m_collected.cross;
    if (!found) {
        found.emplace();
        found->kind = kind;
    }
    return *found;
}

void Watch::attention(BlockKind kind, int layer, const Attention& computed) {
    auto& kept = block(kind);
    TORCH_INTERNAL_ASSERT(layer == kept.layers, "layers must be announced in order");
    const auto before = rowsBefore(kind);
    kept.layers = layer + 1;
    kept.heads = static_cast<int>(computed.weights.size(1));
    kept.queries = before + static_cast<int>(computed.weights.size(2));
    kept.keys = static_cast<int>(computed.weights.size(3));
    /// Rows of [layers, heads, rows, columns], of one head after another.
    const auto appendHeads = [&](std::vector<float>& values, std::vector<float> AttentionBlock::*of, int columns,
                                 const torch::Tensor& now, float beyond) {
        if (before == 0)
            return appendLayer(values, now);
        if (values.empty())
            values.reserve(static_cast<std::size_t>(m_layers * kept.heads * kept.queries)
                           * static_cast<std::size_t>(now.size(3)));
        const auto& earlier = m_earlier->block(kind)->*of;
        const auto map = static_cast<std::size_t>(m_earlier->block(kind)->queries) * static_cast<std::size_t>(columns);
        for (int head = 0; head < kept.heads; ++head) {
            const auto first = static_cast<std::size_t>(layer * kept.heads + head) * map;
            appendAfter(values,
                        {std::span(earlier).subspan(first, map), static_cast<std::size_t>(columns),
                         static_cast<std::size_t>(before)},
                        now.select(1, head), beyond);
        }
    };
    const int keysBefore = before > 0 ? m_earlier->block(kind)->keys : 0;
    const auto count = static_cast<std::size_t>(computed.weights.numel());
    const bool isThere = kept.weights.size() >= count && computed.weights.scalar_type() == torch::kFloat32
                         && computed.weights.data_ptr<float>() == kept.weights.data() + kept.weights.size() - count;
    if (!isThere)
        appendHeads(kept.weights, &AttentionBlock::weights, keysBefore, computed.weights, 0);
    if (m_recording.scores)
        appendHeads(kept.scores, &AttentionBlock::scores, keysBefore, computed.scores,
                    -std::numeric_limits<float>::infinity());
    if (m_recording.vectors) {
        kept.headSize = static_cast<int>(computed.query.size(3));
        appendHeads(kept.queryRows, &AttentionBlock::queryRows, kept.headSize, computed.query, 0);
        const auto shared = computed.weights.size(1) / computed.key.size(1);
        const auto ofHeads = [&](const torch::Tensor& rows) {
            return shared == 1 ? rows : rows.repeat_interleave(shared, 1);
        };
        appendLayer(kept.keyRows, ofHeads(computed.key));
        appendLayer(kept.valueRows, ofHeads(computed.value));
        kept.scales.push_back(static_cast<float>(computed.scale));
    }
}

void Watch::additive(const Additive& computed) {
    auto& kept = block(BlockKind::Cross);
    const auto before = static_cast<std::size_t>(rowsBefore(BlockKind::Cross));
    kept.layers = 1;
    kept.heads = 1;
    kept.queries = static_cast<int>(before) + static_cast<int>(computed.weights.size(1));
    kept.keys = static_cast<int>(computed.weights.size(2));
    const auto keys = static_cast<std::size_t>(kept.keys);
    const auto rowsOf = [&](const auto& earlier, std::size_t columns) {
        return EarlierRows{before > 0 ? std::span<const float>(earlier()) : std::span<const float>(), columns, before};
    };
    const auto earlierBlock = [&]() -> const AttentionBlock& { return *m_earlier->cross; };
    appendAfter(kept.weights,
                rowsOf(
                    [&]() -> auto& { return earlierBlock().weights; }, keys),
                computed.weights);
    if (m_recording.scores)
        appendAfter(kept.scores,
                    rowsOf(
                        [&]() -> auto& { return earlierBlock().scores; }, keys),
                    computed.energies);
    if (m_recording.vectors) {
        auto& energies = m_collected.additive.emplace();
        energies.queries = kept.queries;
        energies.keys = kept.keys;
        energies.size = static_cast<int>(computed.v.size(0));
        energies.knowsLastToken = computed.knowsLastToken;
        appendAfter(
            energies.queryPart,
            rowsOf(
                [&]() -> auto& { return m_earlier->additive->queryPart; }, static_cast<std::size_t>(energies.size)),
            computed.queryPart);
        append(energies.keyPart, computed.keyPart);
        append(energies.v, computed.v);
        appendAfter(energies.energies,
                    rowsOf(
                        [&]() -> auto& { return m_earlier->additive->energies; }, keys),
                    computed.energies);
        energies.annotationSize = static_cast<int>(computed.annotations.size(2));
        append(energies.annotations, computed.annotations);
    }
}

void Watch::fixedContext(const torch::Tensor& context) {
    m_collected.fixedContext.clear();
    append(m_collected.fixedContext, context);
}

void Watch::positions(BlockKind stack, PositionTable::Kind kind, const torch::Tensor& table) {
    auto& kept = stack == BlockKind::Encoder ? m_collected.encoderPositions : m_collected.decoderPositions;
    if (!m_recording.positions || kept)
        return;
    kept.emplace();
    kept->kind = kind;
    kept->positions = static_cast<int>(table.size(0));
    kept->dimensions = static_cast<int>(table.size(1));
    append(kept->values, table);
}

void Watch::input(BlockKind stack, const torch::Tensor& tokens, const torch::Tensor& positions,
                  const torch::Tensor& sums) {
    auto& kept = stack == BlockKind::Encoder ? m_collected.encoderInput : m_collected.decoderInput;
    if (!m_recording.vectors || kept)
        return;
    kept.emplace();
    const auto before = static_cast<std::size_t>(rowsBefore(stack));
    kept->rows = static_cast<int>(before) + static_cast<int>(sums.size(1));
    kept->dimensions = static_cast<int>(sums.size(2));
    const auto rowsOf = [&](std::vector<float> InputVectors::*of) {
        return EarlierRows{before > 0 ? std::span<const float>((*m_earlier->input(stack)).*of)
                                      : std::span<const float>(),
                           static_cast<std::size_t>(kept->dimensions), before};
    };
    appendAfter(kept->tokens, rowsOf(&InputVectors::tokens), tokens);
    if (positions.defined())
        appendAfter(kept->positions, rowsOf(&InputVectors::positions), positions.expand_as(tokens));
    appendAfter(kept->sums, rowsOf(&InputVectors::sums), sums);
}

std::optional<std::int64_t> Context::forcedKey(std::int64_t step) const {
    if (intervention)
        for (const auto& forced : intervention->forced)
            if (forced.query.value == step)
                return forced.key.value;
    return std::nullopt;
}

std::vector<std::int64_t> Context::headsOff(BlockKind kind, int layer) const {
    std::vector<std::int64_t> heads;
    if (intervention)
        for (const auto& off : intervention->off)
            if (off.kind == kind && off.layer.value == layer)
                heads.push_back(off.head.value);
    return heads;
}

void Watch::goOnAfter(std::shared_ptr<const Trace> earlier, int rows) {
    m_earlier = rows > 0 ? std::move(earlier) : nullptr;
    m_rowsBefore = rows;
}

void Watch::takeDecoder(const Trace& earlier) {
    m_collected.decoder = earlier.decoder;
    m_collected.decoderInput = earlier.decoderInput;
    m_collected.decoderPositions = earlier.decoderPositions;
}

void Watch::rewindDecoder(int rows) {
    auto earlier = std::make_shared<Trace>();
    earlier->decoder = std::exchange(m_collected.decoder, std::nullopt);
    earlier->cross = std::exchange(m_collected.cross, std::nullopt);
    earlier->additive = std::exchange(m_collected.additive, std::nullopt);
    earlier->decoderInput = std::exchange(m_collected.decoderInput, std::nullopt);
    m_collected.decoderPositions.reset();
    m_collected.fixedContext.clear();
    goOnAfter(std::move(earlier), rows);
}

void Watch::freeze(Trace& trace) {
    trace.encoderInput = std::move(m_collected.encoderInput);
    trace.decoderInput = std::move(m_collected.decoderInput);
    trace.encoder = std::move(m_collected.encoder);
    trace.decoder = std::move(m_collected.decoder);
    trace.cross = std::move(m_collected.cross);
    trace.additive = std::move(m_collected.additive);
    trace.fixedContext = std::move(m_collected.fixedContext);
    trace.encoderPositions = std::move(m_collected.encoderPositions);
    trace.decoderPositions = std::move(m_collected.decoderPositions);
}

} // namespace headlight
