// Text to tokens and back: the interface of every tokenizer, and the choice among them by a folder's files.
#pragma once

#include "core/text/token.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

class Tokenizer {
public:
    virtual ~Tokenizer() = default;

    /// Tokens of the text without the model's specials. Byte ranges point into `text` as given, through
    /// normalization, a piece's leading space included. A token belongs to the word in which its first letter lies;
    /// words are counted from 0, each sign of punctuation is one. Letters that the vocabulary does not have are one
    /// token with the id of `<unk>`, whose text is these letters, so that the reader sees what was lost. The names of
    /// specials, typed, are text like any other. Invalid UTF-8 is read as U+FFFD.
    /// @throws Error when the text is longer than any model could read
    virtual std::vector<Token> encode(std::string_view text) const = 0;
    /// The same for the target side, where a model has two vocabularies or two segmentations.
    virtual std::vector<Token> encodeTarget(std::string_view text) const { return encode(text); }
    /// One token as shown; `</s>` and the like for specials, the id in brackets for ids out of range.
    virtual Token token(std::int64_t id) const = 0;
    /// The text that ids stand for, specials left out.
    virtual std::string decode(std::span<const std::int64_t> ids) const = 0;
    virtual std::int64_t size() const = 0;
};

/// The tokenizer of a model folder.
/// @throws Error naming the folder and the files it looked for, or the file that is broken
std::unique_ptr<Tokenizer> openTokenizer(const std::filesystem::path& folder);

} // namespace headlight
