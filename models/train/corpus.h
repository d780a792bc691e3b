// Text to learn from and to be measured on: tab-separated files, and what they hold as token ids: pairs for a
// translator, rows for a language model.
#pragma once

#include "core/families/family.h"
#include "core/nn/networks.h"
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

/// A file, and whether its lines follow from each other, as a novel's do.
struct TextFile {
    std::filesystem::path path;
    bool running = false;
};
/// As typed on the command line: `FILE`, or `running:FILE`.
TextFile textFile(const std::string& typed);

/// A text's lines, in order.
using Lines = std::vector<std::string>;
/// The first column of a UTF-8 file. Each line is a text; of running text, all lines up to an empty one, or one whose
/// second column is another, are one text.
/// @throws Error when the file cannot be read or holds no text
std::vector<Lines> readTexts(const TextFile& file);

/// One pair as ids: the end token closes both sides, the start token is not part of the target. For a language model a
/// row: the source is all there is, with the tokens that frame it.
struct IdPair {
    std::vector<std::int64_t> source;
    std::vector<std::int64_t> target; ///< empty of a language model

    /// Tokens that a network says something of.
    std::size_t outputs() const { return target.empty() ? source.size() : target.size(); }
};

struct Corpus {
    std::vector<IdPair> pairs;
    std::size_t tooLong = 0; ///< pairs, or lines of a text, left out
    std::int64_t words = 0;  ///< in rows: what spaces part, in the lines that are there
};

/// @param longest most tokens of either side, end token included; longer pairs are left out
Corpus encodeCorpus(const std::vector<TextPair>& texts, const Tokenizer& tokenizer, const SpecialIds& ids,
                    std::size_t longest);

/// Rows for a language model: as many lines of a text as fit. An encoder alone reads them as its tokenizer frames them;
/// a decoder alone has its start token before each, and its end token where the text ends.
/// @param longest most tokens of a row; a longer line is left out, and the text goes on in a new row
Corpus encodeRows(const std::vector<Lines>& texts, const Tokenizer& tokenizer, const Network& network,
                  std::size_t longest);

/// What a network learns from: pairs for a translator, else rows.
/// @throws Error when the file is not as it must be
Corpus readCorpus(const TextFile& file, const Tokenizer& tokenizer, const Network& network, std::size_t longest);

} // namespace headlight
