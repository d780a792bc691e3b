// Choosing a translation, greedily or by beam, over any encoder–decoder.
#pragma once

#include "core/nn/sequence_to_sequence.h"

#include <cstdint>
#include <vector>

namespace headlight {

struct DecodeOptions {
    int beam = 1;               ///< hypotheses kept; 1 is greedy
    std::int64_t maxLength = 0; ///< most tokens, the end token included
    double lengthPenalty = 1;   ///< a finished hypothesis scores log probability / length^penalty
    SpecialIds ids;
    std::vector<std::int64_t> banned;     ///< ids that are never chosen
    std::vector<std::int64_t> begin = {}; ///< what every translation begins with, start token left out
    /// The decoder's state when all of `begin` but its last token has been taken in, if that is known.
    const DecoderState* begun = nullptr;
    /// Where to put the least lead of a token that greedy decoding chose over the next best, in log probability, unless
    /// null; minus infinity where the model's output is no number.
    double* leastLead = nullptr;
    /// Where to put the hypotheses that were kept, unless null; for one source alone. Tokens have no text yet.
    std::vector<BeamNode>* tree = nullptr;
};

/// The best translation of each source, the end token included unless `maxLength` cut it off. Empty where the model's
/// output is not finite. Rows of `memory` are decoded together.
/// @throws Stopped
std::vector<std::vector<std::int64_t>> decodeBest(SequenceToSequence& model, const Memory& memory,
                                                  const DecodeOptions& options, const Context& context);

} // namespace headlight
