#include "models/train/alignments.h"

#include "core/error.h"
#include "models/train/evaluate.h"

#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

namespace headlight {

namespace {

std::vector<std::string> split(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

Links readLinks(const std::string& text, const GoldAlignment& gold, const std::string& place) {
    Links links;
    for (const auto& word : split(text)) {
        Link link;
        const char* end = word.data() + word.size();
        const auto [dash, first] = std::from_chars(word.data(), end, link.source);
        const bool dashed = first == std::errc{} && dash != end && *dash == '-';
        const auto [rest, second] = dashed ? std::from_chars(dash + 1, end, link.target) : std::from_chars_result{};
        if (!dashed || second != std::errc{} || rest != end || link.source < 0 || link.target < 0
            || static_cast<std::size_t>(link.source) >= gold.source.size()
            || static_cast<std::size_t>(link.target) >= gold.target.size())
            throw Error(Error::Kind::Corrupt, place, "\"" + word + "\" is not a link between words of the sentences");
        links.insert(link);
    }
    return links;
}

std::uint64_t cell(std::uint32_t source, std::uint32_t target) {
    return static_cast<std::uint64_t>(source) << 32 | target;
}

bool endsInApostrophe(const std::string& word) {
    return word.ends_with('\'') || word.ends_with("\u2019");
}

bool beginsWithApostrophe(const std::string& word) {
    return word.starts_with('\'') || word.starts_with("\u2019");
}

/// For each token the word that it overlaps first, -1 for none.
std::vector<int> wordsOfTokens(std::span<const Token> tokens, const WrittenWords& written) {
    std::vector<int> words;
    for (const auto& token : tokens) {
        int found = -1;
        for (std::size_t i = 0; i < written.words.size() && found < 0; ++i)
            if (!token.special && token.bytes.begin < written.words[i].end && written.words[i].begin < token.bytes.end)
                found = static_cast<int>(i);
        words.push_back(found);
    }
    return words;
}

} // namespace

std::vector<GoldAlignment> readGoldAlignments(const std::filesystem::path& file) {
    std::ifstream stream(file);
    if (!stream)
        throw Error(Error::Kind::Unreadable, file.string(), std::strerror(errno));
    std::vector<GoldAlignment> all;
    std::string line;
    for (std::size_t number = 1; std::getline(stream, line); ++number) {
        if (line.empty() || line.front() == '#')
            continue;
        const auto place = file.string() + ":" + std::to_string(number);
        std::array<std::string, 5> columns;
        std::istringstream parts(line);
        std::size_t count = 0;
        while (count < columns.size() && std::getline(parts, columns[count], '\t'))
            ++count;
        if (count < 4)
            throw Error(Error::Kind::Corrupt, place, "has " + std::to_string(count) + " columns",
                        "there are to be an id, source words, target words, sure and possible links");
        GoldAlignment gold{columns[0], split(columns[1]), split(columns[2]), {}, {}};
        gold.sure = readLinks(columns[3], gold, place);
        gold.possible = readLinks(columns[4], gold, place);
        gold.possible.insert(gold.sure.begin(), gold.sure.end());
        all.push_back(std::move(gold));
    }
    if (stream.bad())
        throw Error(Error::Kind::Unreadable, file.string(), std::strerror(errno));
    if (all.empty())
        throw Error(Error::Kind::Corrupt, file.string(), "holds no alignment");
    return all;
}

void AlignmentErrors::add(const GoldAlignment& gold, const Links& found) {
    for (const auto& link : found)
        m_right += static_cast<double>(gold.sure.contains(link)) + static_cast<double>(gold.possible.contains(link));
    m_counted += static_cast<double>(found.size() + gold.sure.size());
}

double AlignmentErrors::rate() const {
    return m_counted > 0 ? 1 - m_right / m_counted : 1;
}

Links diagonalLinks(int sourceWords, int targetWords) {
    Links links;
    for (int target = 0; target < targetWords && sourceWords > 0; ++target)
        links.insert({std::min(sourceWords - 1, static_cast<int>((target + 0.5) * sourceWords / targetWords)), target});
    return links;
}

IbmModel1::IbmModel1(const std::vector<Pair>& pairs, int iterations) {
    struct Numbered {
        std::vector<std::uint32_t> source, target;
    };
    std::vector<Numbered> all;
    const auto idOf = [](auto& ids, const std::string& word) {
        return ids.emplace(word, static_cast<std::uint32_t>(ids.size())).first->second;
    };
    idOf(m_sourceIds, ""); // no word is empty
    for (const auto& pair : pairs) {
        Numbered ids{{0}, {}};
        for (const auto& word : pair.source)
            ids.source.push_back(idOf(m_sourceIds, word));
        for (const auto& word : pair.target)
            ids.target.push_back(idOf(m_targetIds, word));
        for (const auto source : ids.source)
            for (const auto target : ids.target)
                m_probabilities[cell(source, target)] = 1;
        all.push_back(std::move(ids));
    }
    for (int iteration = 0; iteration < iterations; ++iteration) {
        std::unordered_map<std::uint64_t, double> counts;
        counts.reserve(m_probabilities.size());
        std::vector<double> totals(m_sourceIds.size(), 0);
        for (const auto& pair : all) {
            for (const auto target : pair.target) {
                double sum = 0;
                for (const auto source : pair.source)
                    sum += m_probabilities[cell(source, target)];
                for (const auto source : pair.source) {
                    const double share = m_probabilities[cell(source, target)] / sum;
                    counts[cell(source, target)] += share;
                    totals[source] += share;
                }
            }
        }
        for (auto& [place, count] : counts)
            count /= totals[place >> 32];
        m_probabilities = std::move(counts);
    }
}

Links IbmModel1::align(std::span<const std::string> source, std::span<const std::string> target) const {
    const auto probability = [&](const std::string& from, const std::string& to) {
        const auto first = m_sourceIds.find(from);
        const auto second = m_targetIds.find(to);
        if (first == m_sourceIds.end() || second == m_targetIds.end())
            return 0.0;
        const auto found = m_probabilities.find(cell(first->second, second->second));
        return found == m_probabilities.end() ? 0.0 : found->second;
    };
    Links links;
    for (std::size_t i = 0; i < target.size(); ++i) {
        double best = probability("", target[i]);
        int from = -1;
        for (std::size_t j = 0; j < source.size(); ++j) {
            if (const double here = probability(source[j], target[i]); here > best) {
                best = here;
                from = static_cast<int>(j);
            }
        }
        if (from >= 0)
            links.insert({from, static_cast<int>(i)});
    }
    return links;
}

std::string plainWord(const std::string& word) {
    std::string plain;
    icu::UnicodeString::fromUTF8(word).toLower().findAndReplace(u"\u2019", u"'").toUTF8String(plain);
    return plain;
}

std::vector<std::string> plainWords(const std::string& text) {
    std::vector<std::string> words;
    for (const auto& word : wordsOf13a(plainWord(text))) {
        std::size_t begin = 0;
        for (auto mark = word.find('\''); mark != std::string::npos && mark + 1 < word.size();
             mark = word.find('\'', begin)) {
            words.push_back(word.substr(begin, mark + 1 - begin));
            begin = mark + 1;
        }
        words.push_back(word.substr(begin));
    }
    return words;
}

WrittenWords writtenWords(std::span<const std::string> words) {
    static const std::set<std::string> closing{".", ",", ")", "]", "..."};
    WrittenWords written;
    bool attached = true;
    for (const auto& word : words) {
        if (!attached && !closing.contains(word) && !beginsWithApostrophe(word))
            written.text += ' ';
        written.words.push_back({written.text.size(), written.text.size() + word.size()});
        written.text += word;
        attached = endsInApostrophe(word) || word == "(" || word == "[";
    }
    return written;
}

Links attentionLinks(const Map& map, std::span<const Token> rows, std::span<const Token> columns,
                     const WrittenWords& source, const WrittenWords& target) {
    const auto rowWords = wordsOfTokens(rows, target);
    const auto columnWords = wordsOfTokens(columns, source);
    std::map<int, std::vector<double>> mass; // of each target word on each source word; a mean has the same order
    for (int row = 0; row < map.rows; ++row) {
        if (rowWords[static_cast<std::size_t>(row)] < 0)
            continue;
        auto& sums = mass[rowWords[static_cast<std::size_t>(row)]];
        sums.resize(source.words.size());
        for (int column = 0; column < map.columns; ++column)
            if (const int word = columnWords[static_cast<std::size_t>(column)]; word >= 0)
                sums[static_cast<std::size_t>(word)] += static_cast<double>(map.at(row, column));
    }
    Links links;
    for (const auto& [word, sums] : mass)
        if (const auto largest = std::max_element(sums.begin(), sums.end()); largest != sums.end() && *largest > 0)
            links.insert({static_cast<int>(largest - sums.begin()), word});
    return links;
}

double diagonalErrors(const std::vector<GoldAlignment>& gold) {
    AlignmentErrors errors;
    for (const auto& one : gold)
        errors.add(one, diagonalLinks(static_cast<int>(one.source.size()), static_cast<int>(one.target.size())));
    return errors.rate();
}

double model1Errors(const std::vector<GoldAlignment>& gold, const std::vector<std::filesystem::path>& corpora,
                    int iterations) {
    const auto plain = [](const std::vector<std::string>& words) {
        std::vector<std::string> made;
        std::transform(words.begin(), words.end(), std::back_inserter(made), plainWord);
        return made;
    };
    std::vector<IbmModel1::Pair> pairs;
    for (const auto& file : corpora)
        for (const auto& text : readParallelText(file))
            pairs.push_back({plainWords(text.source), plainWords(text.target)});
    for (const auto& one : gold)
        pairs.push_back({plain(one.source), plain(one.target)});
    const IbmModel1 model(pairs, iterations);
    AlignmentErrors errors;
    for (const auto& one : gold)
        errors.add(one, model.align(plain(one.source), plain(one.target)));
    return errors.rate();
}

std::vector<AlignmentScore> alignmentScores(Engine& engine, const std::vector<GoldAlignment>& gold) {
    std::map<std::string, AlignmentErrors> errors;
    for (const auto& one : gold) {
        const auto source = writtenWords(one.source);
        const auto target = writtenWords(one.target);
        Request request;
        request.source = source.text;
        request.target = target.text;
        request.record.positions = false;
        request.record.candidates = 0;
        const auto trace = engine.run(request);
        if (!trace->cross)
            throw Error(Error::Kind::Unsupported, trace->model, "has no attention from a target to a source");
        const auto add = [&](const std::string& name, const Map& map) {
            for (const auto& [reading, word] :
                 {std::pair{RowTokens::Emitted, "given out"}, std::pair{RowTokens::TakenIn, "taken in"}})
                errors[name + ", word " + word].add(
                    one,
                    attentionLinks(map, rowTokens(*trace, BlockKind::Cross, reading), trace->source, source, target));
        };
        const auto& block = *trace->cross;
        for (int layer = 0; layer < block.layers; ++layer) {
            for (int head = 0; head < block.heads; ++head)
                add("layer " + std::to_string(layer) + ", head " + std::to_string(head),
                    headMap(block, Layer(layer), Head(head)));
            if (block.heads > 1)
                add("layer " + std::to_string(layer) + ", mean", meanOverHeads(block, Layer(layer)));
        }
        if (block.layers > 1)
            add("mean of all", meanOverBlock(block));
    }
    std::vector<AlignmentScore> scores;
    for (const auto& [name, counted] : errors)
        scores.push_back({name, counted.rate()});
    std::stable_sort(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.rate < b.rate; });
    return scores;
}

} // namespace headlight
