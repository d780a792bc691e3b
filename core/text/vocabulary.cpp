// The two tables, and vocab.json.
#include "core/text/vocabulary.h"

#include <utility>

namespace headlight {

void Vocabulary::add(std::string_view piece, std::int64_t id) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= m_places.size())
        m_places.resize(index + 1);
    m_places[index] = static_cast<std::uint32_t>(m_pieces.size());
    m_pieces.emplace_back(piece);
    m_ids.insert_or_assign(std::string(piece), id);
}

std::optional<std::int64_t> Vocabulary::find(std::string_view piece) const {
    const auto found = m_ids.find(piece);
    return found != m_ids.end() ? std::optional(found->second) : std::nullopt;
}

const std::string& Vocabulary::piece(std::int64_t id) const {
    return m_pieces[id >= 0 && id < size() ? m_places[static_cast<std::size_t>(id)] : 0];
}

std::string Vocabulary::shown(std::int64_t id) const {
    return has(id) ? piece(id) : '[' + std::to_string(id) + ']';
}

std::int64_t idIn(const JsonPart& part) {
    return part.integer(0, largestId);
}

Vocabulary vocabularyIn(const JsonPart& part) {
    if (!part.isObject() || part.value().empty())
        part.fail((part.isObject() ? "nothing" : shownInMessage(part.value()))
                  + " where a JSON object with an id for each piece must stand");
    Vocabulary vocabulary;
    for (const auto& [piece, id] : part.value().items()) {
        if (!id.is_number_integer() || id < 0 || id > largestId)
            part.fail("'" + piece + "' has the id " + shownInMessage(id) + ", which is not a whole number from 0 to "
                      + std::to_string(largestId));
        const auto number = id.get<std::int64_t>();
        if (vocabulary.has(number))
            part.fail("'" + vocabulary.piece(number) + "' and '" + piece + "' have the same id "
                      + std::to_string(number));
        vocabulary.add(piece, number);
    }
    return vocabulary;
}

Vocabulary readVocabulary(const std::filesystem::path& file) {
    return vocabularyIn(readJsonFile(file, largestVocabularyFile));
}

} // namespace headlight
