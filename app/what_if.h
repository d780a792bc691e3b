// What the user made model A do otherwise: another token, attention elsewhere, another hypothesis, heads switched off.
#pragma once

#include "core/request.h"
#include "core/trace/trace.h"

#include <QString>

#include <cstdint>
#include <vector>

namespace headlight {

/// Choices at steps of a decoder, each on top of those before it. Heads are the Selection's.
struct WhatIf {
    std::vector<std::int64_t> begin; ///< given out before the decoder goes on by itself
    std::vector<Intervention::Forced> forced;
    std::vector<std::int64_t> hypothesis; ///< what the decoder takes in; empty: none is looked at

    friend bool operator==(const WhatIf&, const WhatIf&) = default;
    bool empty() const { return begin.empty() && forced.empty() && hypothesis.empty(); }
    void clear() { *this = {}; }

    /// At this step `id` is given out instead: decoding goes on from there.
    void chooseCandidate(const Trace& shown, int step, std::int64_t id);
    /// This step's attention rests on a source token, or with -1 where the model wants; decoding goes on from there.
    void forceAttention(const Trace& shown, int step, int key);
    /// A hypothesis is looked at as it is. @param emitted what the beam found, behind what had been chosen before it;
    /// @param finished its last token ends the text
    void chooseHypothesis(const Trace& shown, const std::vector<std::int64_t>& emitted, bool finished);

    /// Adds the choices to a request for the same text.
    void apply(Request& request) const;
    /// What was chosen, in a few words; empty when nothing was.
    QString words() const;

private:
    /// What was given out before a step stays.
    void keepUntil(const Trace& shown, int step);
};

} // namespace headlight
