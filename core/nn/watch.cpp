#include "core/nn/watch.h"

#include <torch/types.h>

namespace headlight {

namespace {

void append(std::vector<float>& values, const torch::Tensor& tensor) {
    const auto plain = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
    const float* data = plain.data_ptr<float>();
    values.insert(values.end(), data, data + plain.numel());
}

} // namespace

void Watch::appendLayer(std::vector<float>& values, const torch::Tensor& ofLayer) const {
    if (values.empty())
        values.reserve(static_cast<std::size_t>(ofLayer.numel()) * static_cast<std::size_t>(m_layers));
    append(values, ofLayer);
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
    kept.layers = layer + 1;
    kept.heads = static_cast<int>(computed.weights.size(1));
    kept.queries = static_cast<int>(computed.weights.size(2));
    kept.keys = static_cast<int>(computed.weights.size(3));
    appendLayer(kept.weights, computed.weights);
    if (m_recording.scores)
        appendLayer(kept.scores, computed.scores);
    if (m_recording.vectors) {
        kept.headSize = static_cast<int>(computed.query.size(3));
        appendLayer(kept.queryRows, computed.query);
        const auto shared = computed.weights.size(1) / computed.key.size(1);
        appendLayer(kept.keyRows, computed.key.repeat_interleave(shared, 1));
        appendLayer(kept.valueRows, computed.value.repeat_interleave(shared, 1));
        kept.scales.push_back(static_cast<float>(computed.scale));
    }
}

void Watch::additive(const Additive& computed) {
    auto& kept = block(BlockKind::Cross);
    kept.layers = 1;
    kept.heads = 1;
    kept.queries = static_cast<int>(computed.weights.size(1));
    kept.keys = static_cast<int>(computed.weights.size(2));
    append(kept.weights, computed.weights);
    if (m_recording.scores)
        append(kept.scores, computed.energies);
    if (m_recording.vectors) {
        auto& energies = m_collected.additive.emplace();
        energies.queries = kept.queries;
        energies.keys = kept.keys;
        energies.size = static_cast<int>(computed.v.size(0));
        energies.knowsLastToken = computed.knowsLastToken;
        append(energies.queryPart, computed.queryPart);
        append(energies.keyPart, computed.keyPart);
        append(energies.v, computed.v);
        append(energies.energies, computed.energies);
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
    kept->rows = static_cast<int>(sums.size(1));
    kept->dimensions = static_cast<int>(sums.size(2));
    append(kept->tokens, tokens);
    if (positions.defined())
        append(kept->positions, positions.expand_as(tokens));
    append(kept->sums, sums);
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
