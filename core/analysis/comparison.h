// Two models on the same text: how far apart their attention is, row by row.
#pragma once

#include "core/analysis/alignment.h"
#include "core/analysis/words.h"
#include "core/trace/trace.h"

#include <span>
#include <string>
#include <vector>

namespace headlight {

/// One of two to compare: a run, the map to look at (a head, a mean; as alignment.h makes them), and how to read its
/// rows, which need not be the same for both.
struct ComparisonSide {
    const Trace& trace;
    const Map& map;
    RowTokens rows = RowTokens::Emitted;
};

/// Two maps over the same rows and columns, and what they differ in. Numbers are not finite for a row where an
/// attention is not; means leave such rows out.
struct Comparison {
    /// Why these two cannot be compared.
    enum class Reason {
        None, ///< they can
        NoAttention,
        SourcesDiffer,
        TargetsDiffer,
        NothingLeft, ///< without special tokens
    };
    Reason reason = Reason::None;
    int word = 0;                       ///< where texts differ: the first word that does, counted from 0
    std::string firstWord;              ///< that word of the first; empty where its text has ended
    std::string secondWord;             ///< likewise
    bool byWords = false;               ///< asked for, or ordinary tokens differ: rows and columns are words
    bool specialRowsLeftOut = false;    ///< likewise: rows of special tokens are dropped
    bool specialColumnsLeftOut = false; ///< the same for columns, and rows are scaled to sum to 1 again
    std::vector<std::string> rows;      ///< labels
    std::vector<std::string> columns;   ///< labels
    std::vector<int> queryRows;         ///< of the first: the row of each of its queries, -1 where it was left out
    std::vector<int> keyColumns;        ///< of the first: the column of each of its keys, likewise
    std::vector<int> secondQueryRows;   ///< the same of the second
    std::vector<int> secondKeyColumns;
    Map first;
    Map second;
    Map difference;                   ///< first - second
    std::vector<int> firstAlignment;  ///< hardAlignment of `first`
    std::vector<int> secondAlignment; ///< hardAlignment of `second`
    std::vector<float> divergence;    ///< Jensen–Shannon, base 2, of each row: 0 the same, 1 nothing in common
    std::vector<float> firstEntropy;  ///< bits, of each row
    std::vector<float> secondEntropy; ///< bits, of each row
    float meanDivergence = 0;
    float meanFirstEntropy = 0;
    float meanSecondEntropy = 0;
    int counted = 0;     ///< rows whose weights are finite in both
    int agreeing = 0;    ///< of those the rows whose largest weight is on the same column
    float agreement = 0; ///< their share

    bool comparable() const { return reason == Reason::None; }
};

/// Compares two runs of the same source and target. Tokens are matched by their text, not by their ids, which belong
/// to a vocabulary; where they differ, words are matched, whatever detail was asked for, and special tokens that differ
/// are left out.
Comparison compare(const ComparisonSide& first, const ComparisonSide& second, BlockKind kind = BlockKind::Cross,
                   const Detail& detail = {});

/// first - second, cell by cell; both of one size.
Map differenceOf(const Map& first, const Map& second);
/// -Σ p log2 p, p being each weight's share of the row's sum, which is not 1 where attention is sparse. Not a number
/// when a weight is not finite or negative, or all are 0.
float entropyBits(std::span<const float> row);
/// Jensen–Shannon divergence in bits, 0 to 1, of such shares. Not a number likewise.
float jensenShannon(std::span<const float> first, std::span<const float> second);

} // namespace headlight
