// Pieces by id and ids by piece.
#pragma once

#include "core/files/json.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace headlight {

/// Far above any vocabulary in use; keeps a lying file from taking the memory.
inline constexpr std::int64_t largestId = 1 << 22;
/// Larger than any tokenizer's file in use.
inline constexpr std::uintmax_t largestVocabularyFile = 64U << 20;

class Vocabulary {
public:
    /// Where a piece or an id comes twice, the last one holds. The id must be within 0 … largestId.
    void add(std::string_view piece, std::int64_t id);

    std::optional<std::int64_t> find(std::string_view piece) const;
    /// Empty where no piece has this id.
    const std::string& piece(std::int64_t id) const;
    bool has(std::int64_t id) const { return !piece(id).empty(); }
    /// One more than the largest id.
    std::int64_t size() const { return static_cast<std::int64_t>(m_places.size()); }
    /// The piece; the id in brackets where there is none.
    std::string shown(std::int64_t id) const;

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::vector<std::string> m_pieces{{}}; ///< as they came; the first, of ids that have none, is empty
    std::vector<std::uint32_t> m_places;   ///< of each id's piece: one far beyond the others takes little
    std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> m_ids;
};

/// A whole number from 0 to largestId.
std::int64_t idIn(const JsonPart& part);
/// An object with an id for each piece, at least one; no two pieces may have the same.
/// @throws Error when it is not that, naming the piece whose id is none
Vocabulary vocabularyIn(const JsonPart& part);
/// The same of a whole file, vocab.json.
Vocabulary readVocabulary(const std::filesystem::path& file);

} // namespace headlight
