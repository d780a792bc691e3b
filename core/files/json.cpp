// Values are counted and depths measured while the text is read, before they take memory; what is nested within the
// limit may then be gone through, printed and destroyed by recursion.
#include "core/files/json.h"

#include "core/error.h"
#include "core/files/whole_file.h"

#include <limits>
#include <utility>

namespace headlight {

namespace {

using nlohmann::json;

/// Puts the values together as the parser comes upon them.
class Builder : public nlohmann::json_sax<json> {
public:
    Builder(const std::string& place, const JsonRules& rules) : m_place(place), m_rules(rules) {}

    json take() { return std::move(m_root); }

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { return false; } // there is none in text
    bool start_object(std::size_t) override { return open(json::object()); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(json::array()); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
        if (m_rules.differentNames && m_open.back()->contains(name))
            fail("names " + shownInMessage(name) + " twice");
        m_name = std::move(name);
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const json::exception& problem) override {
        if (dynamic_cast<const json::out_of_range*>(&problem))
            fail("has a number that is too large to be one");
        fail("is not JSON in UTF-8, from its byte " + std::to_string(position));
    }

private:
    json* place(json value) {
        if (++m_count > m_rules.mostValues)
            fail("has more than " + std::to_string(m_rules.mostValues) + " values");
        if (m_open.empty())
            return &(m_root = std::move(value));
        auto& around = *m_open.back();
        if (around.is_object())
            return &around.get_ref<json::object_t&>()
                        .insert_or_assign(std::move(m_name), std::move(value))
                        .first->second;
        around.push_back(std::move(value));
        return &around.back();
    }
    bool add(json value) {
        place(std::move(value));
        return true;
    }
    bool open(json value) {
        if (m_open.size() >= static_cast<std::size_t>(m_rules.deepest))
            fail("is nested more than " + std::to_string(m_rules.deepest) + " deep");
        m_open.push_back(place(std::move(value)));
        return true;
    }
    bool close() {
        m_open.pop_back();
        return true;
    }
    [[noreturn]] void fail(const std::string& detail) const {
        throw Error(Error::Kind::Corrupt, m_place, m_rules.subject + detail, m_rules.remedy);
    }

    const std::string& m_place;
    const JsonRules& m_rules;
    json m_root;
    std::vector<json*> m_open; ///< the lists and objects around the next value; only the last one grows
    std::string m_name;
    std::size_t m_count = 0;
};

} // namespace

json parseJson(std::string_view text, const std::string& place, const JsonRules& rules) {
    Builder builder(place, rules);
    json::sax_parse(text, &builder);
    return builder.take();
}

std::string shownInMessage(const json& value) {
    constexpr std::size_t longest = 60;
    if (value.is_structured())
        return value.is_array() ? "a list" : "an object";
    auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() <= longest)
        return text;
    auto end = longest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) // not within a character
        --end;
    return text.substr(0, end) + "…";
}

JsonPart::JsonPart(json document, std::string place)
    : m_document(std::make_shared<const Document>(Document{std::move(document), std::move(place)})),
      m_value(&m_document->value) {
    if (!isObject())
        fail("is not a JSON object");
}

JsonPart::JsonPart(const json& value, std::string path, const JsonPart& parent)
    : m_document(parent.m_document), m_value(&value), m_path(std::move(path)) {}

void JsonPart::requireObject() const {
    if (!isObject())
        fail(expected("an object"));
}

bool JsonPart::has(const std::string& key) const {
    requireObject();
    const auto found = m_value->find(key);
    return found != m_value->end() && !found->is_null();
}

JsonPart JsonPart::at(const std::string& key) const {
    if (!has(key))
        fail("has no \"" + key + '"');
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

double JsonPart::number(double least, double most) const {
    const double value = m_value->is_number() ? m_value->get<double>() : least - 1;
    if (!(value >= least && value <= most))
        fail(expected("a number from " + std::to_string(least) + " to " + std::to_string(most)));
    return value;
}

std::int64_t JsonPart::integer(std::int64_t least, std::int64_t most) const {
    const bool huge = m_value->is_number_unsigned()
                      && m_value->get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()};
    if (!m_value->is_number_integer() || huge || *m_value < least || *m_value > most)
        fail(expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most)));
    return m_value->get<std::int64_t>();
}

std::string JsonPart::text(const std::string& key, std::string_view otherwise) const {
    return has(key) ? at(key).text() : std::string(otherwise);
}

bool JsonPart::flag(const std::string& key, bool otherwise) const {
    return has(key) ? at(key).flag() : otherwise;
}

void JsonPart::fail(const std::string& detail) const {
    throw Error(Error::Kind::Corrupt, place(), m_path.empty() ? detail : '"' + m_path + "\": " + detail,
                JsonRules{}.remedy);
}

void JsonPart::failUnknown(const std::string& detail) const {
    throw Error(Error::Kind::Unsupported, place(), m_path.empty() ? detail : '"' + m_path + "\": " + detail,
                "use a model with another tokenizer");
}

std::string JsonPart::expected(const std::string& what) const {
    return (m_value->is_null() ? "nothing" : shownInMessage(*m_value)) + " where " + what + " must stand";
}

JsonPart readJsonFile(const std::filesystem::path& file, std::uintmax_t mostBytes) {
    auto place = file.string();
    auto document = parseJson(readWholeFile(file, mostBytes), place);
    return {std::move(document), std::move(place)};
}

} // namespace headlight
