#include "models/train/head_table.h"

#include <map>
#include <tuple>

namespace headlight {

std::vector<HeadRow> headTable(Engine& engine, const std::vector<Request>& requests) {
    std::map<std::tuple<BlockKind, Layer, Head>, HeadTally> tallies;
    for (auto request : requests) {
        request.record.positions = false;
        request.record.candidates = 0;
        request.record.maskCandidates = 0;
        const auto trace = engine.run(request);
        for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross}) {
            const auto* block = trace->block(kind);
            if (!block)
                continue;
            for (int layer = 0; layer < block->layers; ++layer)
                for (int head = 0; head < block->heads; ++head)
                    tallies[{kind, Layer(layer), Head(head)}].add(*block, Layer(layer), Head(head),
                                                                  trace->keyTokens(kind));
        }
    }
    std::vector<HeadRow> rows;
    for (const auto& [place, tally] : tallies) {
        const auto& [kind, layer, head] = place;
        rows.push_back({kind, layer, head, tally.metrics()});
    }
    return rows;
}

} // namespace headlight
