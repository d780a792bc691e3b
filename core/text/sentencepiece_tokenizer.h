// The tokenizers that are built on SentencePiece models.
#pragma once

#include "core/text/special_tokens.h"
#include "core/text/tokenizer.h"

#include <filesystem>
#include <memory>

namespace headlight {

/// source.spm, perhaps target.spm, and vocab.json, which gives both sides' pieces their ids.
std::unique_ptr<Tokenizer> openMarian(const std::filesystem::path& folder, const FolderSettings& settings);
/// spiece.model: its order gives the ids. T5 with its sentinels `<extra_id_0>` …, or BigBird, whose pieces have [CLS].
std::unique_ptr<Tokenizer> openT5(const std::filesystem::path& folder, const FolderSettings& settings);
/// sentencepiece.bpe.model: its order gives the ids, behind the four of fairseq.
std::unique_ptr<Tokenizer> openXlmRoberta(const std::filesystem::path& folder, const FolderSettings& settings);
/// tokenizer.model: its order gives the ids; the text begins with `<s>`.
std::unique_ptr<Tokenizer> openLlama(const std::filesystem::path& folder, const FolderSettings& settings);

} // namespace headlight
