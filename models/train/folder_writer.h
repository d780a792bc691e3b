// Model folders as HuggingFace lays them out: tokenizer, config.json, model.safetensors.
#pragma once

#include "core/families/family.h"
#include "core/nn/networks.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace headlight {

void writeText(const std::filesystem::path& file, const std::string& text);

/// Writes a file that says what the weights of its folder mean. Where a training goes on it must be there as it was.
/// @throws Error when it is not
void writeOrKeep(const std::filesystem::path& file, const std::string& text, bool goesOn);

/// source.spm, target.spm and vocab.json, laid out as Marian folders have them: ids are those of the vocabulary, and
/// <pad> follows them. Returns the number of ids.
/// @param vocabulary a SentencePiece model
/// @throws Error when </s> and <unk> are not its first two ids
std::int64_t writeSentencePieces(const std::filesystem::path& vocabulary, const std::filesystem::path& folder,
                                 bool goesOn);

/// Copies the tokenizer's files of one folder into another.
/// @throws Error when there is none
void copyTokenizer(const std::filesystem::path& vocabulary, const std::filesystem::path& folder, bool goesOn);

/// model.safetensors in half precision, under the names of the family's checkpoints.
void writeWeights(const Network& network, const Weights::Naming& naming, const std::filesystem::path& folder);

} // namespace headlight
