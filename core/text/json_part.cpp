// Kinds checked one by one. A part's value is shown in a message only when it is a plain one: lists and objects may
// be nested without end, and printing goes down into them.
#include "core/text/json_part.h"

#include "core/files/whole_file.h"
#include "core/error.h"
#include "core/text/characters.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace headlight {

namespace {

constexpr int deepestPart = 32; // components lie at most in a sequence in a sequence
constexpr std::size_t longestShown = 60;

std::string shown(const nlohmann::json& value) {
    if (value.is_structured())
        return value.is_array() ? "a list" : "an object";
    std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (text.size() > longestShown)
        text.resize(longestShown);
    return withReplacementCharacters(text);
}

std::string rangeOfIds() {
    std::string range = "a whole number from 0 to ";
    return range.append(std::to_string(largestId));
}

nlohmann::json parsed(std::string_view bytes, const std::string& place) {
    nlohmann::json value = nlohmann::json::parse(bytes, nullptr, false);
    if (!value.is_object())
        throw Error(Error::Kind::Corrupt, place, "this is not a JSON object",
                    "the file is damaged or incomplete; fetch or export it again");
    return value;
}

} // namespace

JsonPart::JsonPart(const nlohmann::json& root, std::string place)
    : m_value(&root), m_place(std::make_shared<const std::string>(std::move(place))) {}

JsonPart::JsonPart(const nlohmann::json& value, std::string path, const JsonPart& parent)
    : m_value(&value), m_path(std::move(path)), m_place(parent.m_place), m_depth(parent.m_depth + 1) {
    if (m_depth > deepestPart)
        parent.fail("is nested more than " + std::to_string(deepestPart) + " deep");
}

bool JsonPart::has(const char* key) const {
    if (!m_value->is_object())
        fail(expected("an object"));
    const auto found = m_value->find(key);
    return found != m_value->end() && !found->is_null();
}

JsonPart JsonPart::at(const char* key) const {
    if (!has(key))
        fail(std::string("has no \"") + key + '"');
    return {*m_value->find(key), m_path.empty() ? key : m_path + '.' + key, *this};
}

std::vector<JsonPart> JsonPart::elements() const {
    if (!isList())
        fail(expected("a list"));
    std::vector<JsonPart> parts;
    parts.reserve(m_value->size());
    while (parts.size() < m_value->size())
        parts.push_back(element(parts.size()));
    return parts;
}

JsonPart JsonPart::element(std::size_t index) const {
    return {(*m_value)[index], m_path + '[' + std::to_string(index) + ']', *this};
}

bool JsonPart::isText() const {
    return m_value->is_string();
}
bool JsonPart::isList() const {
    return m_value->is_array();
}
bool JsonPart::isObject() const {
    return m_value->is_object();
}

std::string JsonPart::text() const {
    if (!isText())
        fail(expected("a text"));
    return m_value->get<std::string>();
}

bool JsonPart::flag() const {
    if (!m_value->is_boolean())
        fail(expected("true or false"));
    return m_value->get<bool>();
}

double JsonPart::number() const {
    if (!m_value->is_number())
        fail(expected("a number"));
    return m_value->get<double>();
}

std::int64_t JsonPart::id() const {
    if (!m_value->is_number_integer() || *m_value < 0 || *m_value > largestId)
        fail(expected(rangeOfIds().c_str()));
    return m_value->get<std::int64_t>();
}

Vocabulary JsonPart::vocabulary() const {
    if (!isObject() || m_value->empty())
        fail(expected("a JSON object with an id for each piece"));
    Vocabulary vocabulary;
    for (const auto& [piece, id] : m_value->items()) {
        if (!id.is_number_integer() || id < 0 || id > largestId)
            fail("'" + piece + "' has the id " + shown(id) + ", which is not " + rangeOfIds());
        const auto number = id.get<std::int64_t>();
        if (vocabulary.has(number))
            fail("'" + vocabulary.piece(number) + "' and '" + piece + "' have the same id " + std::to_string(number));
        vocabulary.add(piece, number);
    }
    return vocabulary;
}

std::string JsonPart::text(const char* key, std::string_view otherwise) const {
    return has(key) ? at(key).text() : std::string(otherwise);
}

bool JsonPart::flag(const char* key, bool otherwise) const {
    return has(key) ? at(key).flag() : otherwise;
}

void JsonPart::fail(const std::string& detail) const {
    throw Error(Error::Kind::Corrupt, *m_place, m_path.empty() ? detail : '"' + m_path + "\": " + detail,
                "the file is damaged or incomplete; fetch or export it again");
}

void JsonPart::failUnknown(const std::string& detail) const {
    throw Error(Error::Kind::Unsupported, *m_place, m_path.empty() ? detail : '"' + m_path + "\": " + detail,
                "use a model with another tokenizer");
}

std::string JsonPart::expected(const char* what) const {
    std::string detail = m_value->is_null() ? "nothing" : shown(*m_value);
    return detail.append(" where ").append(what).append(" must stand");
}

JsonFile::JsonFile(const std::filesystem::path& file, std::uintmax_t mostBytes)
    : JsonFile(readWholeFile(file, mostBytes), file.string()) {}

JsonFile::JsonFile(std::string_view bytes, std::string place)
    : m_value(std::make_unique<nlohmann::json>(parsed(bytes, place))), m_place(std::move(place)) {}

JsonFile::JsonFile(std::unique_ptr<nlohmann::json> value, std::string place)
    : m_value(std::move(value)), m_place(std::move(place)) {}

JsonFile JsonFile::of(nlohmann::json value, std::string place) {
    return {std::make_unique<nlohmann::json>(std::move(value)), std::move(place)};
}

JsonFile::JsonFile(JsonFile&&) noexcept = default;
JsonFile::~JsonFile() = default;

JsonPart JsonFile::root() const {
    return {*m_value, m_place};
}

} // namespace headlight
