// What heads do with a text that says the same again: Olsson et al. 2022, "In-context Learning and Induction Heads".
#pragma once

#include "core/trace/trace.h"

namespace headlight {

/// Tokens that are said `times` times, behind some that are said once.
struct Repeats {
    int start = 0;
    int length = 0;
    int times = 2;
};

/// Means over the queries of all times but the first.
struct RepeatScores {
    float induction = 0;     ///< weight on the token behind the same one, one time before
    float duplicate = 0;     ///< weight on the same token, one time before
    float prefixMass = 0;    ///< on the tokens behind all that were the same, summed (prefix matching)
    float prefixCell = 0;    ///< the mean one of these weights
    float wholeDiagonal = 0; ///< mean of the diagonal of induction, whether a row has said its token before or not
};

/// @param block of a decoder's attention to itself over such a text
RepeatScores repeatScores(const AttentionBlock& block, Layer layer, Head head, const Repeats& text);

} // namespace headlight
