// Which map of a trace is drawn: one head, a mean, the head that aligns best, or rollout.
#pragma once

#include "core/analysis/alignment.h"
#include "core/trace/trace.h"

#include <optional>
#include <stop_token>

namespace headlight {

/// What of a block is drawn as one map.
enum class HeadMode {
    One,          ///< the chosen layer and head
    MeanOfLayer,  ///< the mean over the heads of the chosen layer
    MeanOfAll,    ///< the mean over all heads of all layers
    BestAligning, ///< of a cross block the head that reads best as a word alignment; otherwise the chosen one
    Rollout,      ///< attention followed down through all layers, see rollout.h
    Alti,         ///< Trace::alti of the chosen layer
    AltiRollout,  ///< the same, followed down through all layers
};

/// How the rows of a decoder are labelled, see RowTokens.
enum class Reading { Automatic, TakenIn, Emitted };
/// Absent where the map is to tell.
std::optional<RowTokens> rowsOf(Reading reading);

/// What is asked for.
struct MapChoice {
    HeadMode mode = HeadMode::BestAligning;
    HeadPlace place; ///< for One and MeanOfLayer; taken as the last that the block has when it is beyond
    Reading reading = Reading::Automatic;
    Cells cells = Cells::Weights; ///< not of rollout and ALTI
    friend bool operator==(const MapChoice&, const MapChoice&) = default;
};

/// One map out of a Trace, token by token.
struct ShownMap {
    Map map;
    HeadMode mode = HeadMode::One;       ///< what it is: where layers do not fit each other a mean stands for rollout
    HeadMode asked = HeadMode::One;      ///< what was asked for
    Cells cells = Cells::Weights;        ///< what its cells show
    bool additive = false;               ///< the only map of a recurrent model
    Layer layer;                         ///< of what is of one layer
    std::optional<HeadPlace> place;      ///< absent for what is of several heads
    int off = 0;                         ///< how many of its heads were switched off in this run
    RowTokens rows = RowTokens::TakenIn; ///< how its rows are to be labelled
};

/// True when the trace has heads of this kind.
bool hasHeads(const Trace& trace, BlockKind kind);
/// True when its only map of this kind is a recurrent model's. A Transformer attends within its stacks too, however
/// small it is.
bool isAdditive(const Trace& trace, BlockKind kind);
/// True when the run left this head out.
bool isOff(const Trace& trace, BlockKind kind, const HeadPlace& head);

/// The block that heads are drawn of: that of weights where the run has no other. The run must have heads of the kind.
const AttentionBlock& shownBlock(const Trace& trace, BlockKind kind, Cells cells);

/// The map to draw of this kind; empty when the trace has no such heads. Of an additive model its only map whatever the
/// mode. Where there is no ALTI of the run, a mean stands for it. Where rollout is asked to stop the map has no values.
std::optional<ShownMap> shownMap(const Trace& trace, BlockKind kind, const MapChoice& choice,
                                 const std::stop_token& stop = {});

} // namespace headlight
