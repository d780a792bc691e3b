// All that is measured of some models, as one Markdown page that a single command makes again.
#pragma once

#include "models/train/evaluate.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace headlight {

struct ReportInputs {
    std::vector<std::filesystem::path> models;
    std::vector<std::filesystem::path> tests;    ///< corpora: loss and BLEU of each model on each
    std::vector<std::filesystem::path> byLength; ///< corpora: BLEU by the number of the source's words
    std::vector<std::filesystem::path> gold;     ///< word alignments
    std::vector<std::filesystem::path> corpora;  ///< what IBM Model 1 learns from, for the gold
    int beam = 5;
    torch::Device device = torch::kCPU;
};

struct Report {
    std::string page;                            ///< tables in Markdown; files are named by their last part
    std::map<std::string, std::string> pictures; ///< SVG by the file name that the page has for it
};

/// @throws Error when a file or a model is not as it must be
Report report(const ReportInputs& inputs);

} // namespace headlight
