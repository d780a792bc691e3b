// Reads SentencePiece models (.model, .spm) and cuts text into their pieces, as SentencePiece's own program does.
//
// Kudo 2018, "Subword Regularization" (unigram: the most probable segmentation, by Viterbi); Sennrich, Haddow and
// Birch 2016, "Neural Machine Translation of Rare Words with Subword Units" (byte-pair encoding: best merge first).
// The file is a protocol buffer, `ModelProto` of sentencepiece_model.proto. Its library cannot be used: together with
// LibTorch in one process it crashes, since both bring protobuf's symbols.
#pragma once

#include "core/text/normalize.h"
#include "core/text/piece_trie.h"
#include "core/text/token.h"

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace headlight {

/// What a piece adds to a text: letters, spaces for their marks, or one byte.
std::string bytesOfPiece(std::string_view piece);
/// The byte that a byte piece such as `<0x0A>` stands for; nothing for any other text.
std::optional<unsigned char> byteOfPiece(std::string_view piece);

class SentencePiece {
public:
    enum class Type { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };
    struct Piece {
        std::string text;
        float score = 0;
        Type type = Type::Normal;
    };
    /// One piece of a text.
    struct Segment {
        int id = 0;       ///< index into pieces()
        std::string text; ///< the piece; for the unknown piece the letters, normalized
        ByteRange bytes;  ///< the typed bytes that it was made from; pieces made from one character all have its bytes
    };

    /// @throws Error when the file is not there, is broken or is of a kind that we do not know
    static SentencePiece open(const std::filesystem::path& file);
    /// @param place stands for the file in messages
    SentencePiece(std::string_view file, const std::string& place);

    SentencePiece(const SentencePiece&) = delete; // the tables look into m_pieces
    SentencePiece& operator=(const SentencePiece&) = delete;
    SentencePiece(SentencePiece&&) = default;
    SentencePiece& operator=(SentencePiece&&) = default;

    /// Pieces in the order of the text. Control pieces are never found in a text; neighbouring unknown characters
    /// are one segment. Invalid UTF-8 is read as U+FFFD.
    /// @throws Error when the text is longer than longestTypedText
    std::vector<Segment> encode(std::string_view typed) const;

    const std::vector<Piece>& pieces() const { return m_pieces; }
    int unknownId() const { return m_unknownId; }

private:
    enum class Algorithm { Unigram = 1, BytePairs = 2 };
    /// A run of bytes of the normalized text, and the piece it is.
    struct Cut {
        std::size_t begin;
        std::size_t end;
        int id;
    };
    struct ModelFile;

    SentencePiece(ModelFile&& file, const std::string& place);
    static ModelFile read(std::string_view file, const std::string& place);
    void indexPieces(const std::string& place);
    std::vector<Cut> cutByScore(std::string_view text) const;
    std::vector<Cut> cutByMerges(std::string_view text) const;
    std::size_t characterAt(std::string_view text, std::size_t position) const;

    Algorithm m_algorithm;
    bool m_byteFallback;
    std::vector<Piece> m_pieces;
    Normalizer m_normalizer;
    int m_unknownId = -1;
    float m_unknownScore = 0;
    float m_largestScore = 0;
    std::size_t m_longestPiece = 0;
    std::array<int, 256> m_byteIds{};
    PieceTrie m_userDefined;                         ///< matched before all others
    PieceTrie m_trie;                                ///< unigram: all that can be found in a text
    std::unordered_map<std::string_view, int> m_ids; ///< byte pairs: the same
};

} // namespace headlight
