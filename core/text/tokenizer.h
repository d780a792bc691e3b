// Text to tokens and back: the interface of every tokenizer, and the choice among them by a folder's files.
#pragma once

#include "core/text/token.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

/// Ids of the tokens with a part to play, in the words of HuggingFace's files: mask, bos, eos, sep, cls, pad, unk.
struct Roles {
    std::optional<std::int64_t> mask, begin, end, separator, classify, pad, unknown;

    friend bool operator==(const Roles&, const Roles&) = default;
};

class Tokenizer {
public:
    virtual ~Tokenizer() = default;

    /// Tokens of the text without the model's specials. Byte ranges point into `text` as given, through
    /// normalization, a piece's leading space included; a piece of some of a letter's bytes has the whole letter.
    /// A token belongs to the word in which its first letter lies; words are counted from 0, each sign of
    /// punctuation is one. What the vocabulary does not have is a token with the id of `<unk>`; where the model
    /// keeps the letters they are its text, so that the reader sees what was lost. Names of the model's own tokens,
    /// typed ("[MASK]"), become these tokens, each a word by itself; only to Marian's they are text like any other.
    /// Invalid UTF-8 is read as U+FFFD.
    /// @throws Error when the text is longer than any model could read
    virtual std::vector<Token> encode(std::string_view text) const = 0;
    /// The same with names of special tokens that are text like any other.
    virtual std::vector<Token> encodePlain(std::string_view text) const { return encode(text); }
    /// The same for the target side, where a model has two vocabularies or two segmentations.
    virtual std::vector<Token> encodeTarget(std::string_view text) const { return encode(text); }
    /// The tokens that a model reads: its specials put around one text or two. `segment` is 1 in the second text's
    /// tokens, and in those specials to which the model's rules give the token type 1; a model that knows only one
    /// token type must not read it.
    virtual std::vector<Token> assemble(std::vector<Token> first, std::optional<std::vector<Token>> second) const = 0;
    /// One token as shown; `</s>` and the like for specials, the id in brackets for ids out of range.
    virtual Token token(std::int64_t id) const = 0;
    /// The text that ids stand for, specials left out.
    virtual std::string decode(std::span<const std::int64_t> ids) const = 0;
    /// One more than the largest id.
    virtual std::int64_t size() const = 0;
    virtual Roles roles() const = 0;
};

/// The tokenizer of a model folder, chosen as HuggingFace transformers chooses: Marian's source.spm with vocab.json,
/// else tokenizer.json, else by the class that the folder names vocab.txt (BERT), vocab.json with merges.txt (GPT-2,
/// RoBERTa, BART, Qwen2, CLIP, OpenAI-GPT), vocab.json with sentencepiece.bpe.model (M2M-100), sentencepiece.bpe.model
/// (XLM-R, mBART, NLLB), spm.model (DeBERTa), spiece.model (T5, BigBird, PEGASUS) or tokenizer.model (Llama, and as
/// tiktoken writes it Llama 3).
/// @throws Error naming the folder and the files it looked for, or the file that is broken
std::unique_ptr<Tokenizer> openTokenizer(const std::filesystem::path& folder);

} // namespace headlight
