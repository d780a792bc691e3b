// Vocabularies of pieces of words, learnt from text: byte pairs (Sennrich, Haddow and Birch 2016), as GPT-2 has them
// over bytes and BERT over letters.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace headlight {

/// How often each word was seen, a word being its smallest pieces in order.
using WordCounts = std::map<std::vector<std::string>, std::int64_t>;

/// Two neighbours that became one piece.
struct Merge {
    std::string first, second, joined;
};

/// Joins the most frequent pair of neighbours within words, again and again; of equals the one that sorts first.
/// @param most   how many joins there may be; fewer are made where no pair is seen twice
/// @param marked what a piece begins with that goes on with a word, dropped where it joins what is before it; `##`
std::vector<Merge> learnMerges(const WordCounts& words, std::size_t most, const std::string& marked = {});

/// Writes the tokenizer's files of a BERT folder: vocab.txt with [PAD], [UNK], [CLS], [SEP] and [MASK] first, and
/// tokenizer_config.json; text is read in lower case without accents.
/// @param size  pieces in all
/// @param texts files whose first columns are learnt from
void writeWordPieces(const std::vector<std::filesystem::path>& texts, std::size_t size,
                     const std::filesystem::path& folder);

/// Writes the tokenizer's files of a GPT-2 folder: vocab.json, merges.txt and tokenizer_config.json. <|endoftext|>, the
/// last id, stands before each text.
void writeBytePairs(const std::vector<std::filesystem::path>& texts, std::size_t size,
                    const std::filesystem::path& folder);

} // namespace headlight
