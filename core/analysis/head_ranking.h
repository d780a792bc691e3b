// Which of a model's cross heads read best as a word alignment.
#pragma once

#include "core/analysis/alignment.h"
#include "core/analysis/gold_alignment.h"
#include "core/trace/trace.h"

#include <optional>
#include <vector>

namespace headlight {

/// A cross head and how well it aligns.
struct RankedHead {
    HeadPlace place;
    double score = 0;                ///< alignmentScore
    std::optional<double> errorRate; ///< where gold links are known
    bool off = false;                ///< switched off in this run
};

/// All heads of the run's cross-attention, the best first: by error rate where gold links are known, otherwise by
/// alignmentScore; equals in their order in the model, and those that are switched off behind all others.
/// @param rows how errorRate reads the rows; absent: as likelyRowTokens has it for each head
std::vector<RankedHead> rankedHeads(const Trace& trace, const std::optional<RowTokens>& rows = {},
                                    const PlacedGold* gold = nullptr);

} // namespace headlight
