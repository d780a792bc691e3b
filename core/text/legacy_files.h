// Tokenizers from the files of before there was tokenizer.json.
#pragma once

#include "core/text/special_tokens.h"
#include "core/text/tokenizer.h"

#include <filesystem>
#include <memory>

namespace headlight {

/// vocab.txt, a piece a line: BERT and those that took over its tokenizer.
std::unique_ptr<Tokenizer> openBertFiles(const std::filesystem::path& folder, const FolderSettings& settings);
/// vocab.json and merges.txt: byte pairs of GPT-2, RoBERTa and BART, or of OpenAI-GPT.
std::unique_ptr<Tokenizer> openBytePairFiles(const std::filesystem::path& folder, const FolderSettings& settings);

} // namespace headlight
