#include "models/train/alignments.h"

#include "core/error.h"
#include "models/train/bleu.h"

#include <unicode/unistr.h>

#include <algorithm>
#include <cmath>

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
    const auto idOf = [](auto& ids, const auto& key) {
        return ids.emplace(key, static_cast<std::uint32_t>(ids.size())).first->second;
    };
    idOf(m_sourceIds, std::string()); // no word is empty
    // The words of a corpus meet a hundred million times, in fewer cells: each meeting keeps its cell's number, so that
    // nothing is looked up from iteration to iteration.
    std::vector<std::uint32_t> meetings; // of each target word in turn, with all sources of its pair
    std::vector<std::size_t> sourcesOf;  // of each target word, the empty word among them
    std::vector<std::uint32_t> sourceOfCell;
    for (const auto& pair : pairs) {
        std::vector<std::uint32_t> sources{0};
        for (const auto& word : pair.source)
            sources.push_back(idOf(m_sourceIds, word));
        for (const auto& word : pair.target) {
            const auto target = idOf(m_targetIds, word);
            sourcesOf.push_back(sources.size());
            for (const auto source : sources) {
                const auto number = idOf(m_cells, cell(source, target));
                if (number == sourceOfCell.size())
                    sourceOfCell.push_back(source);
                meetings.push_back(number);
            }
        }
    }
    m_probabilities.assign(m_cells.size(), 1);
    for (int iteration = 0; iteration < iterations; ++iteration) {
        std::vector<double> counts(m_cells.size(), 0), totals(m_sourceIds.size(), 0);
        auto first = meetings.begin();
        for (const auto count : sourcesOf) {
            const std::span met(first, count);
            first += static_cast<std::ptrdiff_t>(count);
            double sum = 0;
            for (const auto number : met)
                sum += m_probabilities[number];
            for (const auto number : met)
                counts[number] += m_probabilities[number] / sum;
        }
        for (std::size_t i = 0; i < counts.size(); ++i)
            totals[sourceOfCell[i]] += counts[i];
        for (std::size_t i = 0; i < counts.size(); ++i)
            m_probabilities[i] = counts[i] / totals[sourceOfCell[i]];
    }
}

Links IbmModel1::align(std::span<const std::string> source, std::span<const std::string> target) const {
    const auto probability = [&](const std::string& from, const std::string& to) {
        const auto first = m_sourceIds.find(from);
        const auto second = m_targetIds.find(to);
        if (first == m_sourceIds.end() || second == m_targetIds.end())
            return 0.0;
        const auto found = m_cells.find(cell(first->second, second->second));
        return found == m_cells.end() ? 0.0 : m_probabilities[found->second];
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

std::vector<double> model1Errors(const std::vector<std::vector<GoldAlignment>>& golds,
                                 const std::vector<std::filesystem::path>& corpora, int iterations) {
    const auto plain = [](const std::vector<std::string>& words) {
        std::vector<std::string> made;
        std::transform(words.begin(), words.end(), std::back_inserter(made), plainWord);
        return made;
    };
    std::vector<IbmModel1::Pair> pairs;
    for (const auto& file : corpora)
        for (const auto& text : readParallelText(file))
            pairs.push_back({plainWords(text.source), plainWords(text.target)});
    for (const auto& gold : golds)
        for (const auto& one : gold)
            pairs.push_back({plain(one.source), plain(one.target)});
    const IbmModel1 model(pairs, iterations);
    std::vector<double> rates;
    for (const auto& gold : golds) {
        AlignmentErrors errors;
        for (const auto& one : gold)
            errors.add(one, model.align(plain(one.source), plain(one.target)));
        rates.push_back(errors.rate());
    }
    return rates;
}

std::vector<AlignmentScore> alignmentScores(Engine& engine, const std::vector<GoldAlignment>& gold) {
    struct Counted {
        std::string name;
        AlignmentErrors emitted, takenIn;
    };
    std::vector<Counted> all;
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
        std::size_t number = 0;
        const auto add = [&](const std::string& name, const Map& map) {
            if (number == all.size())
                all.push_back({name, {}, {}});
            const auto count = [&](AlignmentErrors& errors, RowTokens reading) {
                errors.add(one, attentionLinks(map, rowTokens(*trace, BlockKind::Cross, reading), trace->source, source,
                                               target));
            };
            count(all[number].emitted, RowTokens::Emitted);
            count(all[number].takenIn, RowTokens::TakenIn);
            ++number;
        };
        const auto& block = *trace->cross;
        for (int layer = 0; layer < block.layers; ++layer) {
            const auto place = std::string("L").append(std::to_string(layer)).append(" ");
            for (int head = 0; head < block.heads; ++head)
                add(place + "H" + std::to_string(head), headMap(block, Layer(layer), Head(head)));
            if (block.heads > 1)
                add(place + "mean", meanOverHeads(block, Layer(layer)));
        }
        if (block.layers > 1)
            add("mean of all", meanOverBlock(block));
    }
    std::vector<AlignmentScore> scores;
    for (const auto& counted : all)
        scores.push_back({counted.name, counted.emitted.rate(), counted.takenIn.rate()});
    return scores;
}

} // namespace headlight
