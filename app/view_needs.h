// What a view asks of a run beside its attention.
#pragma once

namespace headlight {

struct ViewNeeds {
    bool cross = false;     ///< draws attention from target to source where there is any, whatever kind is chosen
    bool onlyCross = false; ///< and nothing else where there is none
    bool pair = false;      ///< draws both runs as one picture
    bool second = false;    ///< draws B's heads, too, where the user asks for it
    bool vectors = false;   ///< shows queries, keys, values or inputs, which a run records when asked to
    bool scores = false;    ///< shows scores before softmax, likewise
};

} // namespace headlight
