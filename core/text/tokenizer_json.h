// The tokenizer that a tokenizer.json of HuggingFace's tokenizers library describes.
#pragma once

#include "core/text/special_tokens.h"
#include "core/text/tokenizer.h"

#include <filesystem>
#include <memory>
#include <string>

namespace headlight {

/// @throws Error naming the component that is not known or what is wrong, and the file
std::unique_ptr<Tokenizer> openTokenizerJson(const std::filesystem::path& file, const FolderSettings& settings);
/// The same from what the file holds; `place` stands for it in messages. `settings` may change some of it, as
/// transformers lets them.
std::unique_ptr<Tokenizer> makeTokenizer(nlohmann::json document, std::string place, const FolderSettings& settings);

} // namespace headlight
