// BLEU as sacreBLEU counts it (Post 2018), so that its figures can be set beside those of papers.
#pragma once

#include <string>
#include <vector>

namespace headlight {

/// How a text is cut into the words that are counted.
enum class BleuWords {
    Mteval13a, ///< WMT's mteval 13a
    Chinese,   ///< each Chinese character by itself, the rest as 13a: sacreBLEU's zh
};

/// By sacreBLEU's name, `13a` or `zh`. @throws Error for another
BleuWords bleuWordsNamed(const std::string& name);
/// What sacreBLEU calls this way of counting, but for its version.
std::string bleuSignature(BleuWords words);

std::vector<std::string> bleuWords(const std::string& text, BleuWords words = BleuWords::Mteval13a);

/// BLEU of Papineni et al. 2002 over a corpus, 0 to 100, one reference each, with exponential smoothing.
double bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references,
            BleuWords words = BleuWords::Mteval13a);

} // namespace headlight
