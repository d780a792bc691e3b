// How well attention aligns words: alignment error rate against gold links, beside two baselines.
#pragma once

#include "core/analysis/gold_alignment.h"
#include "core/engine.h"
#include "models/train/corpus.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace headlight {

/// Each target word with the source word at the same part of its sentence.
Links diagonalLinks(int sourceWords, int targetWords);

/// Translation probabilities of words alone, IBM Model 1: Brown et al. 1993, "The Mathematics of Statistical Machine
/// Translation". Each target word comes from one source word or from none.
class IbmModel1 {
public:
    struct Pair {
        std::vector<std::string> source;
        std::vector<std::string> target;
    };
    /// @param iterations of expectation and maximization, from equal probabilities
    IbmModel1(const std::vector<Pair>& pairs, int iterations);

    /// For each target word the source word that it most probably comes from; none for one that it never saw.
    Links align(std::span<const std::string> source, std::span<const std::string> target) const;

private:
    std::unordered_map<std::string, std::uint32_t> m_sourceIds; ///< 0 is the empty word
    std::unordered_map<std::string, std::uint32_t> m_targetIds;
    std::unordered_map<std::uint64_t, std::uint32_t> m_cells; ///< of the (source, target) that met in a pair
    std::vector<double> m_probabilities;                      ///< of each cell
};

/// A word as Model 1 tells it from others: in lower case, with one kind of apostrophe.
std::string plainWord(const std::string& word);
/// A text as plain words, cut as gold alignments are: signs stand alone, elided words end with their apostrophe.
std::vector<std::string> plainWords(const std::string& text);

/// The error rate of the diagonal.
double diagonalErrors(const std::vector<GoldAlignment>& gold);
/// The error rate on each gold file of IBM Model 1 learnt from these corpora and, as is usual, from the gold's own
/// sentences, whose links it does not see.
std::vector<double> model1Errors(const std::vector<std::vector<GoldAlignment>>& golds,
                                 const std::vector<std::filesystem::path>& corpora, int iterations);

/// Error rates of one head or mean, read at the step that gives the word out and at the one that takes it in.
struct AlignmentScore {
    std::string name; ///< "L2 H1", "L2 mean", "mean of all"
    double emitted = 0;
    double takenIn = 0;

    double best() const { return std::min(emitted, takenIn); }
};

/// The scores of every cross head, each layer's mean behind its heads, and of the mean of all. The model is forced to
/// say the gold's target.
std::vector<AlignmentScore> alignmentScores(Engine& engine, const std::vector<GoldAlignment>& gold);

} // namespace headlight
