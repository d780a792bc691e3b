// The "model" of a tokenizer.json: cuts a word into pieces of its vocabulary.
//
// WordPiece: Schuster and Nakajima 2012, greedy longest match first. BPE: Sennrich, Haddow and Birch 2016, earliest
// learned merge first. Unigram: Kudo 2018, the most probable segmentation, by Viterbi. WordLevel: whole words.
#pragma once

#include "core/files/json.h"
#include "core/text/vocabulary.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace headlight {

class SubwordModel {
public:
    struct Piece {
        std::int64_t id;
        std::size_t begin; ///< bytes of the word
        std::size_t end;
        bool asWritten; ///< an unknown piece that is shown as its letters
    };

    virtual ~SubwordModel() = default;

    /// Appends the pieces of `word`, which is well-formed UTF-8 and not empty, in order.
    /// @throws Error when a letter is unknown and the model has no unknown piece
    virtual void cut(std::string_view word, std::vector<Piece>& pieces) const = 0;
    const Vocabulary& vocabulary() const { return m_vocabulary; }

protected:
    explicit SubwordModel(Vocabulary vocabulary) : m_vocabulary(std::move(vocabulary)) {}

private:
    Vocabulary m_vocabulary;
};

/// @throws Error naming a model that we do not know, or what is wrong with it
std::unique_ptr<SubwordModel> readSubwordModel(const JsonPart& part);

} // namespace headlight
