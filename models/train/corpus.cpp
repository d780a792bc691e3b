#include "models/train/corpus.h"

#include "core/error.h"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace headlight {

std::vector<TextPair> readParallelText(const std::filesystem::path& file) {
    std::ifstream stream(file);
    if (!stream)
        throw Error(Error::Kind::Unreadable, file.string(), std::strerror(errno));
    std::vector<TextPair> pairs;
    std::string line;
    for (std::size_t number = 1; std::getline(stream, line); ++number) {
        if (line.ends_with('\r'))
            line.pop_back();
        if (line.empty())
            continue;
        const auto tab = line.find('\t');
        if (tab == std::string::npos)
            throw Error(Error::Kind::Corrupt, file.string() + ":" + std::to_string(number), "has no tab",
                        "each line is a source, a tab and its translation");
        const auto end = line.find('\t', tab + 1);
        pairs.push_back({line.substr(0, tab), line.substr(tab + 1, end == std::string::npos ? end : end - tab - 1)});
    }
    if (stream.bad())
        throw Error(Error::Kind::Unreadable, file.string(), std::strerror(errno));
    if (pairs.empty())
        throw Error(Error::Kind::Corrupt, file.string(), "holds no pair of sentences");
    return pairs;
}

Corpus encodeCorpus(const std::vector<TextPair>& texts, const Tokenizer& tokenizer, const SpecialIds& ids,
                    std::size_t longest) {
    const auto idsOf = [&](const std::vector<Token>& tokens) {
        std::vector<std::int64_t> values;
        values.reserve(tokens.size() + 1);
        for (const auto& token : tokens)
            values.push_back(token.id);
        values.push_back(ids.end);
        return values;
    };
    Corpus corpus;
    for (const auto& text : texts) {
        IdPair pair{idsOf(tokenizer.encode(text.source)), idsOf(tokenizer.encodeTarget(text.target))};
        if (pair.source.size() > longest || pair.target.size() > longest)
            ++corpus.tooLong;
        else
            corpus.pairs.push_back(std::move(pair));
    }
    return corpus;
}

} // namespace headlight
