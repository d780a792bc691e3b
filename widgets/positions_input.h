// One page of Positions: what a token's vector and its position's vector make together.
#pragma once

#include "core/trace/trace.h"
#include "widgets/panel.h"

#include <QStringList>

namespace headlight {

/// What comes in at the bottom of one stack, and the row of it that is taken apart.
struct ShownInput {
    const InputVectors* input = nullptr;
    BlockKind kind = BlockKind::Encoder; ///< of the pairs whose query is such a row
    bool linked = true;                  ///< its rows are those that pairs count
    QStringList tokens;
    Query row;
};

/// The row's vectors one below the other, and their sum.
StripPanel inputOfToken(const Trace& run, const ShownInput& shown);
/// The same of all rows, side by side.
StripPanel inputOfAllTokens(const ShownInput& shown);

} // namespace headlight
