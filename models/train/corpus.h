// Parallel text: tab-separated files, and their pairs as token ids.
#pragma once

#include "core/nn/options.h"
#include "core/text/tokenizer.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace headlight {

struct TextPair {
    std::string source;
    std::string target;
};

/// The first two columns of a UTF-8 file with a source and its translation on each line; further columns are left out.
/// @throws Error when the file cannot be read, holds no pair, or has a line without a tab, naming the line
std::vector<TextPair> readParallelText(const std::filesystem::path& file);

/// One pair as ids: the end token closes both sides, the start token is not part of the target.
struct IdPair {
    std::vector<std::int64_t> source;
    std::vector<std::int64_t> target;
};

struct Corpus {
    std::vector<IdPair> pairs;
    std::size_t tooLong = 0; ///< pairs left out
};

/// @param longest most tokens of either side, end token included; longer pairs are left out
Corpus encodeCorpus(const std::vector<TextPair>& texts, const Tokenizer& tokenizer, const SpecialIds& ids,
                    std::size_t longest);

} // namespace headlight
