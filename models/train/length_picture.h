// The picture of translation quality by sentence length, Fig. 2 of Bahdanau et al. 2015, drawn as the program draws.
#pragma once

#include <string>
#include <vector>

namespace headlight {

/// BLEU of one model on sentences of 1 to `step` words, of `step` + 1 to 2 `step`, and so on.
struct LengthCurve {
    std::string model;
    std::vector<float> bleu;
};

/// An SVG file's text. Makes the one QApplication, without a display, where there is none yet.
std::string drawLengthPicture(const std::vector<LengthCurve>& curves, int step, const std::string& title);

} // namespace headlight
