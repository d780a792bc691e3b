// How good a model is: loss on held-out text, and BLEU of its translations.
#pragma once

#include "core/families/family.h"
#include "core/text/tokenizer.h"
#include "models/train/batches.h"
#include "models/train/corpus.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace headlight {

/// Cross entropy of each target token, padding left out; the training's loss and, without smoothing, the validation's.
/// @param smoothing share of probability spread evenly over the vocabulary (Szegedy et al. 2016)
/// @returns the sum over the batch's tokens
torch::Tensor tokenLoss(SequenceToSequence& model, const Batch& batch, std::int64_t pad, double smoothing);

/// Nats per target token, in evaluation mode and without smoothing.
double meanLoss(Network& network, const std::vector<IdPair>& pairs, torch::Device device);

/// Translations of sources, in their order.
std::vector<std::string> translate(Network& network, const Tokenizer& tokenizer, const std::vector<IdPair>& pairs,
                                   int beam, torch::Device device);

/// sacreBLEU's name for how bleu() counts.
constexpr const char* bleuSignature = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp";

/// BLEU of Papineni et al. 2002 over a corpus, 0 to 100, with the word splitting of WMT's mteval 13a and exponential
/// smoothing: sacreBLEU's defaults (Post 2018).
double bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references);

/// The words that bleu() counts, WMT's mteval 13a.
std::vector<std::string> wordsOf13a(const std::string& text);

/// How good a model is on one corpus.
struct Scores {
    double loss = 0; ///< nats per target token
    double bleu = 0;
    std::vector<std::string> translations;
};

/// A model folder, opened to be measured.
class Translator {
public:
    /// @throws Error when the folder is not a model
    static Translator open(const std::filesystem::path& folder, torch::Device device);

    /// @throws Error when a sentence is longer than the model reads
    Scores score(const std::vector<TextPair>& texts, int beam);
    std::int64_t parameters() const;

private:
    std::string m_place;
    Network m_network;
    std::unique_ptr<Tokenizer> m_tokenizer;
    torch::Device m_device = torch::kCPU;
};

} // namespace headlight
