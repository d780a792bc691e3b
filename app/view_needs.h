// What a view asks of a run beside its attention.
#pragma once

#include "core/analysis/shown_map.h"
#include "core/request.h"

namespace headlight {

struct ViewNeeds {
    bool cross = false;     ///< draws attention from target to source where there is any, whatever kind is chosen
    bool onlyCross = false; ///< and nothing else where there is none
    bool pair = false;      ///< draws both runs as one picture
    bool second = false;    ///< draws B's heads, too, where the user asks for it
    bool vectors = false;   ///< shows queries, keys, values or inputs, which a run records when asked to
    bool scores = false;    ///< shows scores before softmax, likewise
    bool lens = false;      ///< shows what each layer would say, likewise
};

/// Asks of a run what such a map shows, and what each layer would say where a view shows that.
inline void recordFor(const MapChoice& map, bool lens, Recording& record) {
    record.norms = map.cells == Cells::Norms;
    record.alti = map.mode == HeadMode::Alti || map.mode == HeadMode::AltiRollout;
    record.lens = lens;
}

} // namespace headlight
