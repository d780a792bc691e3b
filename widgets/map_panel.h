// The map that the Selection asks for, as a panel: shared by all views that draw one map.
#pragma once

#include "core/trace/trace.h"
#include "widgets/panel.h"
#include "widgets/selection.h"

#include <memory>
#include <optional>

namespace headlight {

/// The map with its names, by words and without special tokens where the Selection says so, which the subtitle tells.
/// @param shown of this run and kind
MapPanel mapPanelOf(const Trace& run, const ShownMap& shown, const Selection& selection, BlockKind kind);

/// The map of the run in full that `shown` is of a changed run that read the same, token by token; null while that is
/// worked out.
std::shared_ptr<const ShownMap> shownInFull(const TracePointer& full, const ShownMap& shown, const Selection& selection,
                                            BlockKind kind);
/// What fullMapOf() finds.
struct FullMap {
    Map map;         ///< empty where there is a problem
    QString problem; ///< why no change can be told, as a part of a subtitle
};
/// The same map with the rows and columns of `panel`, which shows it of the changed run; absent while it is worked out.
std::optional<FullMap> fullMapOf(const TracePointer& full, const Trace& changed, const ShownMap& shown,
                                 const MapPanel& panel, const Selection& selection, BlockKind kind);
/// Makes the panel show its weights minus those in full: signed, in a range of its own.
void showChange(MapPanel& panel, const Map& full);
/// The least last colour of a change: below, it is not worth a colour.
constexpr float leastChange = 0.01F;
/// What its rows are called: "target, word given out (looks)".
QString rowAxisOf(BlockKind kind, RowTokens rows);
QString columnAxisOf(BlockKind kind);
/// What a picture of changes says of itself, when the largest of them is so large.
QString changeText(float largest);

/// The value of a map's last colour: 1, or where the Selection wants each map's own range what rangeOf() finds.
float highOf(const Map& map, const Selection& selection);

} // namespace headlight
