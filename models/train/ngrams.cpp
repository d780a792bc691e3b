#include "models/train/ngrams.h"

#include <algorithm>
#include <cassert>

namespace headlight {

namespace {

constexpr unsigned bitsOfId = 21;

/// A bijection that spreads neighbouring keys (the finalizer of splitmix64).
std::uint64_t spread(std::uint64_t key) {
    key = (key ^ (key >> 30U)) * 0xBF58476D1CE4E5B9U;
    key = (key ^ (key >> 27U)) * 0x94D049BB133111EBU;
    return key ^ (key >> 31U);
}

double discount(double once, double twice) {
    return once + 2 * twice > 0 ? once / (once + 2 * twice) : 0.5;
}

/// A count less its discount, what that leaves going to the order below.
/// @param types how many tokens share the total
double interpolated(double count, double total, double types, double discounted, double below) {
    return total == 0 ? below : (std::max(count - discounted, 0.0) + discounted * types * below) / total;
}

} // namespace

std::size_t CountTable::place(std::uint64_t key) const {
    const auto last = m_places.size() - 1; // the size is a power of two
    auto at = static_cast<std::size_t>(spread(key)) & last;
    while (m_places[at].second != 0 && m_places[at].first != key)
        at = (at + 1) & last;
    return at;
}

void CountTable::grow() {
    auto old = std::move(m_places);
    m_places.assign(std::max<std::size_t>(2 * old.size(), 64), {});
    for (const auto& [key, count] : old)
        if (count != 0)
            m_places[place(key)] = {key, count};
}

std::uint32_t CountTable::add(std::uint64_t key) {
    if (2 * m_used >= m_places.size())
        grow();
    auto& [found, count] = m_places[place(key)];
    if (count == 0)
        ++m_used;
    found = key;
    return ++count;
}

std::uint32_t CountTable::at(std::uint64_t key) const {
    return m_places.empty() ? 0 : m_places[place(key)].second;
}

std::int64_t CountTable::keysCounted(std::uint32_t times) const {
    return std::count_if(m_places.begin(), m_places.end(),
                         [&](const auto& entry) { return times > 0 && entry.second == times; });
}

TrigramModel::TrigramModel(std::int64_t vocabulary)
    : m_vocabulary(vocabulary), m_counts(static_cast<std::size_t>(vocabulary)), m_bigramTotals(m_counts.size()),
      m_bigramTypes(m_counts.size()), m_continuations(m_counts.size()) {
    assert(vocabulary <= std::int64_t{1} << bitsOfId);
}

std::uint64_t TrigramModel::keyOf(std::int64_t a, std::int64_t b) const {
    return static_cast<std::uint64_t>(a) << bitsOfId | static_cast<std::uint64_t>(b);
}

std::uint64_t TrigramModel::keyOf(std::int64_t a, std::int64_t b, std::int64_t c) const {
    return keyOf(a, b) << bitsOfId | static_cast<std::uint64_t>(c);
}

void TrigramModel::add(Row row) {
    for (std::size_t i = 1; i < row.size(); ++i) {
        const auto before2 = row[i < 2 ? 0 : i - 2], before1 = row[i - 1], token = row[i];
        const auto at = static_cast<std::size_t>(token), after = static_cast<std::size_t>(before1);
        ++m_counts[at];
        ++m_tokens;
        m_trigramTotals.add(keyOf(before2, before1));
        if (m_trigrams.add(keyOf(before2, before1, token)) > 1)
            continue;
        m_trigramTypes.add(keyOf(before2, before1));
        ++m_bigramTotals[after];
        if (m_bigrams.add(keyOf(before1, token)) > 1)
            continue;
        ++m_bigramTypes[after];
        ++m_continuations[at];
        ++m_continuationTotal;
    }
}

void TrigramModel::finish() {
    const auto counted = [](const auto& table, auto times) { return static_cast<double>(table.keysCounted(times)); };
    m_discount3 = discount(counted(m_trigrams, 1), counted(m_trigrams, 2));
    m_discount2 = discount(counted(m_bigrams, 1), counted(m_bigrams, 2));
    const auto continued = [&](std::int64_t times) {
        return static_cast<double>(std::count(m_continuations.begin(), m_continuations.end(), times));
    };
    m_discount1 = discount(continued(1), continued(2));
    const auto types = static_cast<double>(m_vocabulary) - continued(0);
    for (const auto count : m_continuations)
        m_lowest.push_back(interpolated(static_cast<double>(count), static_cast<double>(m_continuationTotal), types,
                                        m_discount1, 1.0 / static_cast<double>(m_vocabulary)));
}

double TrigramModel::unigram(std::int64_t token) const {
    return static_cast<double>(m_counts[static_cast<std::size_t>(token)] + 1)
           / static_cast<double>(m_tokens + m_vocabulary);
}

double TrigramModel::bigram(std::int64_t before, std::int64_t token) const {
    const auto at = static_cast<std::size_t>(before);
    return interpolated(m_bigrams.at(keyOf(before, token)), static_cast<double>(m_bigramTotals[at]),
                        static_cast<double>(m_bigramTypes[at]), m_discount2, m_lowest[static_cast<std::size_t>(token)]);
}

double TrigramModel::trigram(std::int64_t before2, std::int64_t before1, std::int64_t token) const {
    const auto context = keyOf(before2, before1);
    const auto below = bigram(before1, token);
    const auto total = m_trigramTotals.at(context);
    if (total == 0)
        return below;
    return interpolated(m_trigrams.at(keyOf(before2, before1, token)), total, m_trigramTypes.at(context), m_discount3,
                        below);
}

double TrigramModel::trigram(Row row, std::size_t at) const {
    return trigram(row[at < 2 ? 0 : at - 2], row[at - 1], row[at]);
}

std::vector<double> TrigramModel::between(Row row, std::size_t at) const {
    std::vector<std::int64_t> filled(row.begin(), row.end());
    const auto end = std::min(at + 3, row.size());
    std::vector<double> probabilities;
    for (std::int64_t token = 0; token < m_vocabulary; ++token) {
        filled[at] = token;
        double product = 1;
        for (std::size_t i = at; i < end; ++i)
            product *= trigram(filled, i);
        probabilities.push_back(product);
    }
    return probabilities;
}

} // namespace headlight
