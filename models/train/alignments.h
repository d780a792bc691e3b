// How well attention aligns words: alignment error rate against gold links, beside two baselines.
#pragma once

#include "core/analysis/alignment.h"
#include "core/engine.h"
#include "core/text/token.h"
#include "models/train/corpus.h"

#include <compare>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace headlight {

/// One word of the source and one of the target, counted from 0.
struct Link {
    int source = 0;
    int target = 0;
    friend auto operator<=>(const Link&, const Link&) = default;
};
using Links = std::set<Link>;

struct GoldAlignment {
    std::string id;
    std::vector<std::string> source;
    std::vector<std::string> target;
    Links sure;
    Links possible; ///< the sure ones too
};

/// A tab-separated file: id, source words, target words, sure links, links that are possible only; words and links are
/// apart by spaces, a link is `source-target`. Lines that begin with # are comments.
/// @throws Error naming the line
std::vector<GoldAlignment> readGoldAlignments(const std::filesystem::path& file);

/// Alignment error rate over a corpus, 1 - (|A∩S| + |A∩P|) / (|A| + |S|): Och and Ney 2003, "A Systematic Comparison of
/// Various Statistical Alignment Models".
class AlignmentErrors {
public:
    void add(const GoldAlignment& gold, const Links& found);
    /// 1 when nothing was found and nothing is sure.
    double rate() const;

private:
    double m_right = 0;
    double m_counted = 0;
};

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
    std::unordered_map<std::uint64_t, double> m_probabilities; ///< of (source, target)
};

/// A word as Model 1 tells it from others: in lower case, with one kind of apostrophe.
std::string plainWord(const std::string& word);
/// A text as plain words, cut as gold alignments are: signs stand alone, elided words end with their apostrophe.
std::vector<std::string> plainWords(const std::string& text);

/// A sentence as it is written, from its words: signs stand at the word before, elided words at the one behind.
struct WrittenWords {
    std::string text;
    std::vector<ByteRange> words;
};
WrittenWords writtenWords(std::span<const std::string> words);

/// For each target word the source word with the most attention: mass is summed over a source word's tokens and
/// averaged over a target word's. Special tokens and words without a token have no link.
/// @param rows, columns the tokens of the map's rows and columns
Links attentionLinks(const Map& map, std::span<const Token> rows, std::span<const Token> columns,
                     const WrittenWords& source, const WrittenWords& target);

/// The error rate of the diagonal.
double diagonalErrors(const std::vector<GoldAlignment>& gold);
/// The error rate of IBM Model 1 learnt from these corpora and, as is usual, from the gold's own sentences, whose links
/// it does not see.
double model1Errors(const std::vector<GoldAlignment>& gold, const std::vector<std::filesystem::path>& corpora,
                    int iterations);

struct AlignmentScore {
    std::string name; ///< "layer 2, head 1, emitted"
    double rate = 0;
};

/// The error rate of every cross head, of each layer's mean and of the mean of all, each read at the step that gives
/// the word out and at the one that takes it in; the lowest first. The model is forced to say the gold's target.
std::vector<AlignmentScore> alignmentScores(Engine& engine, const std::vector<GoldAlignment>& gold);

} // namespace headlight
