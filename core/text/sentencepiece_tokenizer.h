// The tokenizers that are built on SentencePiece models.
#pragma once

#include "core/text/special_tokens.h"
#include "core/text/tokenizer.h"

#include <filesystem>
#include <memory>

namespace headlight {

/// source.spm, perhaps target.spm, and vocab.json, which gives both sides' pieces their ids.
std::unique_ptr<Tokenizer> openMarian(const std::filesystem::path& folder, const FolderSettings& settings);
/// spiece.model or spm.model: its order gives the ids. T5 with its sentinels `<extra_id_0>` …, or BigBird and DeBERTa,
/// whose pieces have [CLS].
std::unique_ptr<Tokenizer> openT5(const std::filesystem::path& file, const FolderSettings& settings);
/// spiece.model behind 103 names of its own.
std::unique_ptr<Tokenizer> openPegasus(const std::filesystem::path& folder, const FolderSettings& settings);
/// vocab.json gives the pieces of sentencepiece.bpe.model their ids; codes of languages stand behind them.
std::unique_ptr<Tokenizer> openM2m100(const std::filesystem::path& folder, const FolderSettings& settings);
/// sentencepiece.bpe.model: its order gives the ids, behind the four of fairseq. mBART and NLLB have codes of languages
/// behind them, one of which stands beside each text.
std::unique_ptr<Tokenizer> openXlmRoberta(const std::filesystem::path& folder, const FolderSettings& settings);
/// tokenizer.model: its order gives the ids; the text begins with `<s>`.
std::unique_ptr<Tokenizer> openLlama(const std::filesystem::path& folder, const FolderSettings& settings);

} // namespace headlight
