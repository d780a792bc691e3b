// How good a translator is: loss on held-out text, and BLEU of its translations.
#pragma once

#include "core/families/family.h"
#include "core/nn/networks.h"
#include "core/text/tokenizer.h"
#include "models/train/bleu.h"
#include "models/train/corpus.h"

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace headlight {

/// A model folder, opened to be measured.
struct OpenedModel {
    std::filesystem::path folder;
    Network network;
    std::unique_ptr<Tokenizer> tokenizer;
    torch::Device device = torch::kCPU;

    /// @throws Error when the folder is not a model
    static OpenedModel open(const std::filesystem::path& folder, torch::Device device);
    std::int64_t parameters() const;
};

/// How good a translator is on one corpus.
struct Scores {
    double loss = 0; ///< nats per target token
    double bleu = 0;
    std::vector<std::string> translations;
};

/// @throws Error when the model is no translator, or a sentence is longer than it reads
Scores translationScores(const OpenedModel& model, const std::vector<TextPair>& texts, int beam, BleuWords words);

} // namespace headlight
