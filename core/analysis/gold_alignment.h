// Word alignments that people made, and how far attention is from them: alignment error rate, Och and Ney 2003, "A
// Systematic Comparison of Various Statistical Alignment Models".
#pragma once

#include "core/analysis/alignment.h"
#include "core/text/token.h"
#include "core/trace/trace.h"

#include <compare>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
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

/// Alignment error rate over a corpus, 1 - (|A∩S| + |A∩P|) / (|A| + |S|).
class AlignmentErrors {
public:
    void add(const GoldAlignment& gold, const Links& found);
    /// 1 when nothing was found and nothing is sure.
    double rate() const;

private:
    double m_right = 0;
    double m_counted = 0;
};

/// A sentence as it is written, and where its words stand in it.
struct WrittenWords {
    std::string text;
    std::vector<ByteRange> words;
};
/// Signs stand at the word before, elided words at the one behind; French has a space before ? ! ; and :, Chinese none.
WrittenWords writtenWords(std::span<const std::string> words, bool french = false);
/// All sets of such alignments that are in use are from English, to French or to Chinese.
WrittenWords writtenSource(const GoldAlignment& gold);
WrittenWords writtenTarget(const GoldAlignment& gold);
/// The words' places in this text; absent unless it holds just them, in order, however they are spaced.
std::optional<WrittenWords> wordsIn(const std::string& text, std::span<const std::string> words);

/// For each target word the source word with the most attention: mass is summed over a source word's tokens and
/// averaged over a target word's. Special tokens and words without a token have no link.
/// @param rows, columns the tokens of the map's rows and columns
Links attentionLinks(const Map& map, std::span<const Token> rows, std::span<const Token> columns,
                     const WrittenWords& source, const WrittenWords& target);

/// A gold alignment, and where its words stand in the texts of a run.
struct PlacedGold {
    GoldAlignment gold;
    WrittenWords source;
    WrittenWords target;
};
/// Absent when the run is of another sentence or chose its target itself, whose tokens have no places in a text.
std::optional<PlacedGold> placedGold(const GoldAlignment& gold, const Trace& trace);

/// The error rate of a map of the run's cross-attention, by tokens.
double errorRate(const PlacedGold& gold, const Trace& trace, const Map& map, RowTokens rows);

/// A gold link as a block of a map's cells: those of its words' tokens.
struct LinkCells {
    int row = 0;
    int column = 0;
    int rows = 1;
    int columns = 1;
    bool sure = false;
    friend bool operator==(const LinkCells&, const LinkCells&) = default;
};
/// Row by row; of equal blocks the sure one.
/// @param queryRows, keyColumns where each token stands in the map, -1 where it was left out, as `placesOf` tells
std::vector<LinkCells> linkCells(const PlacedGold& gold, std::span<const Token> rows, std::span<const Token> columns,
                                 const std::vector<int>& queryRows, const std::vector<int>& keyColumns);

} // namespace headlight
