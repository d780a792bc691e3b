// The two tables, and vocab.json.
#include "core/text/vocabulary.h"

#include "core/text/json_part.h"

#include <utility>

namespace headlight {

void Vocabulary::add(std::string_view piece, std::int64_t id) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= m_pieces.size())
        m_pieces.resize(index + 1);
    m_pieces[index] = piece;
    m_ids.insert_or_assign(std::string(piece), id);
}

std::optional<std::int64_t> Vocabulary::find(std::string_view piece) const {
    const auto found = m_ids.find(piece);
    return found != m_ids.end() ? std::optional(found->second) : std::nullopt;
}

const std::string& Vocabulary::piece(std::int64_t id) const {
    static const std::string none;
    return id >= 0 && id < size() ? m_pieces[static_cast<std::size_t>(id)] : none;
}

std::string Vocabulary::shown(std::int64_t id) const {
    return has(id) ? piece(id) : '[' + std::to_string(id) + ']';
}

Vocabulary readVocabulary(const std::filesystem::path& file) {
    const JsonFile document(file, largestVocabularyFile);
    return document.root().vocabulary();
}

} // namespace headlight
