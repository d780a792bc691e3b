// How good a language model is on held-out text, beside a unigram and a trigram model of the same tokens.
#pragma once

#include "models/train/corpus.h"
#include "models/train/evaluate.h"
#include "models/train/ngrams.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace headlight {

/// How well something guesses tokens.
struct Guesses {
    double nats = 0;        ///< cross entropy of all tokens that were asked for
    std::int64_t first = 0; ///< how often the right token was the most probable
    std::int64_t five = 0;  ///< how often it was among the five most probable
};

/// A causal model is asked for every token of a row, given those before; a masked one for 15 % of them, all hidden at
/// once behind [MASK]. The baselines are asked for the same tokens. Beside a masked model they know the token's true
/// neighbours, hidden or not, and the trigram model weighs both sides.
struct LanguageScores {
    bool masked = false;
    std::int64_t rows = 0;
    std::int64_t asked = 0;
    std::int64_t words = 0;  ///< what spaces part
    std::size_t tooLong = 0; ///< lines left out
    Guesses model;
    std::optional<Guesses> unigram, trigram; ///< absent without a baseline; first and five of masked models only
};

/// @throws Error when a file is not as it must be
TrigramModel learnTrigrams(const OpenedModel& model, const std::vector<TextFile>& files);

/// @param baseline of this model's tokens, or null
/// @throws Error when the model is a translator, or no masked language model
LanguageScores languageScores(const OpenedModel& model, const std::vector<Lines>& texts, const TrigramModel* baseline);

} // namespace headlight
