// A trigram model of tokens, what language models were before networks: the measure beside which ours are set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace headlight {

/// Numbers under 64-bit keys, in one table without pointers: millions of n-grams are looked up for each guess.
class CountTable {
public:
    /// Adds one. Returns the count from then on.
    std::uint32_t add(std::uint64_t key);
    /// 0 for what was never added.
    std::uint32_t at(std::uint64_t key) const;
    /// How many keys were counted exactly that often.
    std::int64_t keysCounted(std::uint32_t times) const;

private:
    std::size_t place(std::uint64_t key) const;
    void grow();

    std::vector<std::pair<std::uint64_t, std::uint32_t>> m_places; ///< a count of 0: free
    std::size_t m_used = 0;
};

/// Interpolated Kneser-Ney (Kneser & Ney 1995; Chen & Goodman 1999), one discount for each order, n1 / (n1 + 2 n2).
/// Below the trigrams, what counts is not how often a token came but after how many others; below all, each token of
/// the vocabulary is as probable as another.
class TrigramModel {
public:
    using Row = std::span<const std::int64_t>;

    /// @param vocabulary ids go from 0 to one less, at most 2^21
    explicit TrigramModel(std::int64_t vocabulary);

    /// Counts a row. Its first token opens it and is never said: before it, it stands once more.
    void add(Row row);
    /// After the last row, before anything is asked.
    void finish();

    /// How probable a token is, whatever stands beside it: its share of all, one being added to each count.
    double unigram(std::int64_t token) const;
    /// How probable a token is after two.
    double trigram(std::int64_t before2, std::int64_t before1, std::int64_t token) const;
    /// The same for the token at `at`, which is not the first, of a row.
    double trigram(Row row, std::size_t at) const;

    /// What may stand at `at`, for each token of the vocabulary, given all others of the row: up to a factor, the
    /// probability of the row with that token there, which two neighbours on either side decide.
    std::vector<double> between(Row row, std::size_t at) const;

private:
    double bigram(std::int64_t before, std::int64_t token) const;
    std::uint64_t keyOf(std::int64_t a, std::int64_t b) const;
    std::uint64_t keyOf(std::int64_t a, std::int64_t b, std::int64_t c) const;

    std::int64_t m_vocabulary;
    std::vector<std::int64_t> m_counts; ///< of tokens
    std::int64_t m_tokens = 0;

    CountTable m_trigrams;      ///< how often
    CountTable m_trigramTotals; ///< of both tokens before
    CountTable m_trigramTypes;  ///< how many tokens follow these
    CountTable m_bigrams;       ///< after how many different tokens each pair came
    std::vector<std::int64_t> m_bigramTotals, m_bigramTypes;
    std::vector<std::int64_t> m_continuations; ///< after how many different tokens each one came
    std::int64_t m_continuationTotal = 0;
    std::vector<double> m_lowest; ///< what a token's continuations alone make it
    double m_discount3 = 0, m_discount2 = 0, m_discount1 = 0;
};

} // namespace headlight
