#include "models/train/alignments.h"

#include "core/error.h"
#include "models/train/bleu.h"

#include <unicode/unistr.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace headlight {

namespace {

std::uint64_t cell(std::uint32_t source, std::uint32_t target) {
    return static_cast<std::uint64_t>(source) << 32 | target;
}

} // namespace

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
    for (const auto& word : bleuWords(plainWord(text))) {
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
        const auto source = writtenSource(one);
        const auto target = writtenTarget(one);
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
