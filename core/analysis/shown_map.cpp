// Picks or sums up heads, and finds the reading of the rows.
#include "core/analysis/shown_map.h"

#include "core/analysis/rollout.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace headlight {

namespace {

std::optional<Map> altiOf(const Trace& trace, BlockKind kind, Layer layer) {
    const auto* const block = trace.altiBlock(kind);
    return block ? std::optional(headMap(*block, layer, Head(0))) : std::nullopt;
}

std::vector<Map> layersOf(const AttentionBlock& block) {
    std::vector<Map> maps;
    for (int layer = 0; layer < block.layers; ++layer)
        maps.push_back(headMap(block, Layer(layer), Head(0)));
    return maps;
}

std::optional<Map> altiRollout(const Trace& trace, BlockKind kind, const std::stop_token& stop) {
    const auto* const block = trace.altiBlock(kind);
    if (!block)
        return std::nullopt;
    if (kind != BlockKind::Cross)
        return rolledDown(layersOf(*block), stop);
    const auto* const encoder = trace.altiBlock(BlockKind::Encoder);
    const auto* const decoder = trace.altiBlock(BlockKind::Decoder);
    if (!encoder || !decoder)
        return std::nullopt;
    std::vector<DecoderMixing> layers;
    const auto self = layersOf(*decoder), cross = layersOf(*block);
    for (std::size_t layer = 0; layer < self.size(); ++layer) {
        std::vector<float> residual; // what a row of cross lacks to 1
        for (int row = 0; row < cross[layer].rows; ++row) {
            const auto shares = cross[layer].row(row);
            residual.push_back(1 - std::accumulate(shares.begin(), shares.end(), 0.0F));
        }
        layers.push_back({self[layer], cross[layer], std::move(residual)});
    }
    return rolledDown(layers, rolledDown(layersOf(*encoder), stop), stop).source;
}

} // namespace

const AttentionBlock& shownBlock(const Trace& trace, BlockKind kind, Cells cells) {
    const auto* const block = trace.block(kind, cells);
    return block ? *block : *trace.block(kind);
}

std::optional<RowTokens> rowsOf(Reading reading) {
    if (reading == Reading::Automatic)
        return std::nullopt;
    return reading == Reading::Emitted ? RowTokens::Emitted : RowTokens::TakenIn;
}

bool hasHeads(const Trace& trace, BlockKind kind) {
    const auto* block = trace.block(kind);
    return block && block->layers > 0 && block->heads > 0;
}

bool isAdditive(const Trace& trace, BlockKind kind) {
    const auto* block = trace.block(kind);
    return block && block->layers * block->heads == 1 && !trace.encoder && !trace.decoder;
}

bool isOff(const Trace& trace, BlockKind kind, const HeadPlace& head) {
    const auto& off = trace.intervention.off;
    return std::find(off.begin(), off.end(), Intervention::HeadOff{kind, head.layer, head.head}) != off.end();
}

std::optional<ShownMap> shownMap(const Trace& trace, BlockKind kind, const MapChoice& choice,
                                 const std::stop_token& stop) {
    if (!hasHeads(trace, kind))
        return std::nullopt;
    const auto& weights = *trace.block(kind);
    const auto& block = shownBlock(trace, kind, choice.cells);
    const auto& keys = trace.keyTokens(kind);
    ShownMap shown;
    shown.cells = &block == &weights ? Cells::Weights : choice.cells;
    shown.asked = shown.mode = choice.mode;
    shown.additive = isAdditive(trace, kind);
    const Layer layer(std::clamp(choice.place.layer.value, 0, block.layers - 1));
    const Head head(std::clamp(choice.place.head.value, 0, block.heads - 1));
    const bool ofAlti = choice.mode == HeadMode::Alti || choice.mode == HeadMode::AltiRollout;
    if ((choice.mode == HeadMode::Rollout || ofAlti) && !shown.additive) {
        auto rolled = choice.mode == HeadMode::Rollout ? rollout(trace, kind, stop)
                      : choice.mode == HeadMode::Alti  ? altiOf(trace, kind, layer)
                                                       : altiRollout(trace, kind, stop);
        shown.cells = Cells::Weights;
        shown.layer = layer;
        if (!rolled)
            shown.mode = HeadMode::MeanOfAll;
        shown.map = rolled ? std::move(*rolled) : meanOverBlock(weights);
    } else if (block.layers * block.heads == 1) {
        shown.mode = HeadMode::One;
        shown.place = HeadPlace{};
    } else if (choice.mode == HeadMode::MeanOfLayer) {
        shown.map = meanOverHeads(block, layer);
        shown.layer = layer;
    } else if (choice.mode == HeadMode::MeanOfAll) {
        shown.map = meanOverBlock(block);
    } else if (choice.mode == HeadMode::BestAligning && kind == BlockKind::Cross) {
        shown.place = bestAligningHead(block, keys, trace.intervention.off);
    } else {
        shown.mode = HeadMode::One;
        shown.place = HeadPlace{layer, head};
    }
    if (shown.place)
        shown.map = headMap(block, shown.place->layer, shown.place->head);
    const auto& off = trace.intervention.off;
    shown.off = static_cast<int>(std::count_if(off.begin(), off.end(), [&](const auto& one) {
        // What flows across went through the stacks.
        if ((shown.mode == HeadMode::Rollout || shown.mode == HeadMode::AltiRollout) && kind == BlockKind::Cross)
            return true;
        return one.kind == kind && (!shown.place || (one.layer == shown.place->layer && one.head == shown.place->head))
               && ((shown.mode != HeadMode::MeanOfLayer && shown.mode != HeadMode::Alti) || one.layer == shown.layer);
    }));
    if (kind == BlockKind::Cross && choice.reading == Reading::Automatic)
        shown.rows = shown.additive          ? RowTokens::Emitted
                     : stop.stop_requested() ? RowTokens::TakenIn
                                             : likelyRowTokens(shown.map, keys);
    else if (kind != BlockKind::Encoder && choice.reading == Reading::Emitted)
        shown.rows = RowTokens::Emitted;
    return shown;
}

} // namespace headlight
