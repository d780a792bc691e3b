// The map that the Selection asks for, as a panel: shared by all views that draw one map.
#pragma once

#include "core/trace/trace.h"
#include "widgets/panel.h"
#include "widgets/selection.h"

namespace headlight {

/// The map with its names, by words and without special tokens where the Selection says so, which the subtitle tells.
/// @param shown of this run and kind, as Selection::shown makes it
MapPanel mapPanelOf(const Trace& run, const ShownMap& shown, const Selection& selection, BlockKind kind);

/// The value of a map's last colour: 1, or where the Selection wants each map's own range what rangeOf() finds.
float highOf(const Map& map, const Selection& selection);

} // namespace headlight
