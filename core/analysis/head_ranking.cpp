// Scores each head, then sorts.
#include "core/analysis/head_ranking.h"

#include "core/analysis/shown_map.h"

#include <algorithm>
#include <cmath>

namespace headlight {

std::vector<RankedHead> rankedHeads(const Trace& trace, const std::optional<RowTokens>& rows, const PlacedGold* gold) {
    std::vector<RankedHead> heads;
    if (!trace.cross)
        return heads;
    for (int layer = 0; layer < trace.cross->layers; ++layer) {
        for (int head = 0; head < trace.cross->heads; ++head) {
            RankedHead ranked{{Layer(layer), Head(head)}, 0, {}, false};
            ranked.off = isOff(trace, BlockKind::Cross, ranked.place);
            const auto map = headMap(*trace.cross, ranked.place.layer, ranked.place.head);
            ranked.score = alignmentScore(map, trace.source);
            if (gold)
                ranked.errorRate = errorRate(*gold, trace, map, rows ? *rows : likelyRowTokens(map, trace.source));
            heads.push_back(ranked);
        }
    }
    std::stable_sort(heads.begin(), heads.end(), [gold](const RankedHead& a, const RankedHead& b) {
        if (a.off != b.off)
            return b.off;
        const double left = gold ? *a.errorRate : -a.score, right = gold ? *b.errorRate : -b.score;
        return std::isnan(left) || std::isnan(right) ? !std::isnan(left) && std::isnan(right) : left < right;
    });
    return heads;
}

} // namespace headlight
