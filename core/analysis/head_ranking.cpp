// Scores each head, then sorts.
#include "core/analysis/head_ranking.h"

#include <algorithm>

namespace headlight {

std::vector<RankedHead> rankedHeads(const Trace& trace, const std::optional<RowTokens>& rows, const PlacedGold* gold) {
    std::vector<RankedHead> heads;
    if (!trace.cross)
        return heads;
    for (int layer = 0; layer < trace.cross->layers; ++layer) {
        for (int head = 0; head < trace.cross->heads; ++head) {
            RankedHead ranked{{Layer(layer), Head(head)}, 0, {}};
            const auto map = headMap(*trace.cross, ranked.place.layer, ranked.place.head);
            ranked.score = alignmentScore(map, trace.source);
            if (gold)
                ranked.errorRate = errorRate(*gold, trace, map, rows ? *rows : likelyRowTokens(map, trace.source));
            heads.push_back(ranked);
        }
    }
    std::stable_sort(heads.begin(), heads.end(), [](const RankedHead& a, const RankedHead& b) {
        return a.errorRate && b.errorRate ? *a.errorRate < *b.errorRate : a.score > b.score;
    });
    return heads;
}

} // namespace headlight
