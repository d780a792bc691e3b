#include "models/train/corpus.h"

#include "core/error.h"
#include "core/files/whole_file.h"

#include <algorithm>
#include <iterator>
#include <sstream>

namespace headlight {

namespace {

constexpr std::string_view runningMark = "running:";
constexpr std::uintmax_t largestText = 8ULL << 30;

/// Calls `take` with each line's number, from 1, and the line, without the end that Windows gives it.
template <class Take>
void readLines(const std::filesystem::path& file, const Take& take) {
    const auto text = readWholeFile(file, largestText);
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        auto line = text.substr(begin, end - begin);
        if (line.ends_with('\r'))
            line.pop_back();
        take(++number, line);
        begin = end + 1;
    }
}

std::vector<std::int64_t> idsOf(const std::vector<Token>& tokens) {
    std::vector<std::int64_t> ids;
    ids.reserve(tokens.size() + 1);
    for (const auto& token : tokens)
        ids.push_back(token.id);
    return ids;
}

std::int64_t countWords(const std::string& line) {
    std::istringstream stream(line);
    return std::distance(std::istream_iterator<std::string>(stream), {});
}

} // namespace

std::vector<TextPair> readParallelText(const std::filesystem::path& file) {
    std::vector<TextPair> pairs;
    readLines(file, [&](std::size_t number, const std::string& line) {
        if (line.empty())
            return;
        const auto tab = line.find('\t');
        if (tab == std::string::npos)
            throw Error(Error::Kind::Corrupt, file.string() + ":" + std::to_string(number), "has no tab",
                        "each line is a source, a tab and its translation");
        const auto end = line.find('\t', tab + 1);
        pairs.push_back({line.substr(0, tab), line.substr(tab + 1, end == std::string::npos ? end : end - tab - 1)});
    });
    if (pairs.empty())
        throw Error(Error::Kind::Corrupt, file.string(), "holds no pair of sentences");
    return pairs;
}

Corpus encodeCorpus(const std::vector<TextPair>& texts, const Tokenizer& tokenizer, const SpecialIds& ids,
                    std::size_t longest) {
    const auto closed = [&](const std::vector<Token>& tokens) {
        auto values = idsOf(tokens);
        values.push_back(ids.end);
        return values;
    };
    Corpus corpus;
    for (const auto& text : texts) {
        IdPair pair{closed(tokenizer.encode(text.source)), closed(tokenizer.encodeTarget(text.target))};
        if (pair.source.size() > longest || pair.target.size() > longest)
            ++corpus.tooLong;
        else
            corpus.pairs.push_back(std::move(pair));
    }
    return corpus;
}

TextFile textFile(const std::string& typed) {
    const bool running = typed.starts_with(runningMark);
    return {running ? typed.substr(runningMark.size()) : typed, running};
}

std::vector<Lines> readTexts(const TextFile& file) {
    std::vector<Lines> texts;
    bool goesOn = false;
    std::string last; // the second column of the line before
    readLines(file.path, [&](std::size_t, const std::string& line) {
        const auto tab = line.find('\t');
        const auto text = line.substr(0, tab);
        const auto end = tab == std::string::npos ? tab : line.find('\t', tab + 1);
        const auto second = tab == std::string::npos ? std::string() : line.substr(tab + 1, end - tab - 1);
        goesOn = goesOn && file.running && !text.empty() && second == last;
        last = second;
        if (text.empty())
            return;
        if (!goesOn)
            texts.emplace_back();
        texts.back().push_back(text);
        goesOn = true;
    });
    if (texts.empty())
        throw Error(Error::Kind::Corrupt, file.path.string(), "holds no text");
    return texts;
}

Corpus encodeRows(const std::vector<Lines>& texts, const Tokenizer& tokenizer, const Network& network,
                  std::size_t longest) {
    const bool causal = network.causal != nullptr;
    const auto framing = causal ? 2 : tokenizer.assemble({}, {}).size();
    Corpus corpus;
    for (const auto& lines : texts) {
        std::vector<Token> row;
        const auto close = [&](bool ended) {
            if (row.empty())
                return;
            if (causal) {
                std::vector<std::int64_t> ids{network.ids.start};
                const auto inner = idsOf(row);
                ids.insert(ids.end(), inner.begin(), inner.end());
                if (ended)
                    ids.push_back(network.ids.end);
                corpus.pairs.push_back({std::move(ids), {}});
            } else {
                corpus.pairs.push_back({idsOf(tokenizer.assemble(std::move(row), {})), {}});
            }
            row.clear();
        };
        for (const auto& line : lines) {
            // Between two lines stands a space, which is part of the next token where a vocabulary has such.
            auto tokens = tokenizer.encode(row.empty() ? line : " " + line);
            if (!row.empty() && row.size() + tokens.size() + framing > longest) {
                close(false);
                tokens = tokenizer.encode(line);
            }
            if (tokens.size() + framing > longest) {
                ++corpus.tooLong;
                close(false);
                continue;
            }
            row.insert(row.end(), tokens.begin(), tokens.end());
            corpus.words += countWords(line);
        }
        close(true);
    }
    return corpus;
}

Corpus readCorpus(const TextFile& file, const Tokenizer& tokenizer, const Network& network, std::size_t longest) {
    if (!network.translator)
        return encodeRows(readTexts(file), tokenizer, network, longest);
    return encodeCorpus(readParallelText(file.path), tokenizer, network.ids, longest);
}

} // namespace headlight
