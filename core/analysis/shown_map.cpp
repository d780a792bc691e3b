// Picks or sums up heads, and finds the reading of the rows.
#include "core/analysis/shown_map.h"

#include "core/analysis/rollout.h"

#include <algorithm>

namespace headlight {

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
    const auto& block = *trace.block(kind);
    const auto& keys = trace.keyTokens(kind);
    ShownMap shown;
    shown.asked = shown.mode = choice.mode;
    shown.additive = isAdditive(trace, kind);
    const Layer layer(std::clamp(choice.place.layer.value, 0, block.layers - 1));
    const Head head(std::clamp(choice.place.head.value, 0, block.heads - 1));
    if (choice.mode == HeadMode::Rollout && !shown.additive) {
        auto rolled = rollout(trace, kind, stop);
        shown.mode = rolled ? HeadMode::Rollout : HeadMode::MeanOfAll;
        shown.map = rolled ? std::move(*rolled) : meanOverBlock(block);
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
        if (shown.mode == HeadMode::Rollout && kind == BlockKind::Cross)
            return true;
        return one.kind == kind && (!shown.place || (one.layer == shown.place->layer && one.head == shown.place->head))
               && (shown.mode != HeadMode::MeanOfLayer || one.layer == shown.layer);
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
