// Tokenizers from the files of before there was tokenizer.json.
#pragma once

#include "core/text/special_tokens.h"
#include "core/text/tokenizer.h"

#include <filesystem>
#include <memory>

namespace headlight {

/// vocab.txt, a piece a line: BERT and those that took over its tokenizer.
std::unique_ptr<Tokenizer> openBertFiles(const std::filesystem::path& folder, const FolderSettings& settings);
/// Whether a file has lines of a piece in base 64 and its rank.
bool isTiktoken(const std::filesystem::path& file);
/// Such a file, as Meta ships Llama 3's: byte pairs, of which the one of the lowest rank is joined first.
std::unique_ptr<Tokenizer> openTiktoken(const std::filesystem::path& file, const FolderSettings& settings);
/// vocab.json and merges.txt: byte pairs of GPT-2, RoBERTa and BART, of Qwen2, of CLIP or of OpenAI-GPT.
std::unique_ptr<Tokenizer> openBytePairFiles(const std::filesystem::path& folder, const FolderSettings& settings);

} // namespace headlight
