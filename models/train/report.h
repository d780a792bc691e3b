// All that is measured of some models, as one Markdown page that a single command makes again.
#pragma once

#include "models/train/bleu.h"
#include "models/train/corpus.h"

#include <torch/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace headlight {

/// Models that are measured on the same files.
struct ReportGroup {
    std::vector<std::filesystem::path> models;
    std::vector<TextFile> tests = {};                 ///< what evaluate tells of each model on each
    std::vector<std::filesystem::path> byLength = {}; ///< corpora: BLEU by the number of the source's words
    std::vector<std::filesystem::path> gold = {};     ///< word alignments
    std::vector<TextFile> corpora = {};               ///< what the baselines learn from: IBM Model 1 for gold, n-grams
    BleuWords words = BleuWords::Mteval13a;
};

struct ReportInputs {
    std::vector<ReportGroup> groups;
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
