#include "core/files/model_config.h"

#include "core/files/whole_file.h"

namespace headlight {

namespace {

constexpr std::uintmax_t largestConfig = 16u << 20;
constexpr std::int64_t mostLabels = 1 << 20;

} // namespace

ModelConfig ModelConfig::open(const std::filesystem::path& folder) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored))
        throw Error(Error::Kind::NotFound, folder.string(), "there is no such folder",
                    "give the folder that holds config.json and model.safetensors");
    const auto file = folder / "config.json";
    if (!std::filesystem::exists(file, ignored))
        throw Error(Error::Kind::NotFound, folder.string(), "the folder has no config.json",
                    "give the folder that holds config.json and model.safetensors");
    return {parseJson(readWholeFile(file, largestConfig), file.string()), file.string()};
}

ModelConfig::ModelConfig(nlohmann::json values, std::string place)
    : m_values(std::move(values)), m_place(std::move(place)) {
    if (!m_values.is_object())
        fail(Error::Kind::Corrupt, "is not a JSON object");
    m_modelType = text("model_type");
}

void ModelConfig::fail(Error::Kind kind, const std::string& detail, const std::string& remedy) const {
    throw Error(kind, m_place, detail, remedy);
}

const nlohmann::json* ModelConfig::find(const std::string& key) const {
    const auto found = m_values.find(key);
    return found == m_values.end() || found->is_null() ? nullptr : &*found;
}

bool ModelConfig::has(const std::string& key) const {
    return find(key) != nullptr;
}

std::int64_t ModelConfig::integer(const std::string& key, std::int64_t least, std::int64_t most) const {
    const auto* value = find(key);
    if (!value)
        fail(Error::Kind::Corrupt, quoted(key) + " is missing");
    return wholeNumber(key, *value, least, most);
}

std::int64_t ModelConfig::wholeNumber(const std::string& key, const nlohmann::json& value, std::int64_t least,
                                      std::int64_t most) const {
    if (!value.is_number_integer())
        fail(Error::Kind::Corrupt, quoted(key) + " is " + shownInMessage(value) + ", not a whole number");
    const bool fits =
        !value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX);
    const auto number = fits ? value.get<std::int64_t>() : INT64_MAX;
    if (!fits || number < least || number > most)
        fail(Error::Kind::Corrupt, quoted(key) + " is " + shownInMessage(value) + ", outside of "
                                       + std::to_string(least) + " to " + std::to_string(most));
    return number;
}

std::string ModelConfig::quoted(const std::string& key) const {
    return "\"" + m_prefix + key + "\"";
}

const nlohmann::json& ModelConfig::list(const std::string& key) const {
    static const auto none = nlohmann::json::array();
    const auto* value = find(key);
    if (value && !value->is_array())
        fail(Error::Kind::Corrupt, quoted(key) + " is " + shownInMessage(*value) + ", not a list");
    return value ? *value : none;
}

std::vector<std::int64_t> ModelConfig::integers(const std::string& key, std::int64_t least, std::int64_t most) const {
    const auto* value = find(key);
    if (value && value->is_number())
        return {wholeNumber(key, *value, least, most)};
    std::vector<std::int64_t> numbers;
    for (const auto& number : list(key))
        numbers.push_back(wholeNumber(key, number, least, most));
    return numbers;
}

std::vector<std::string> ModelConfig::texts(const std::string& key) const {
    std::vector<std::string> found;
    for (const auto& value : list(key)) {
        if (!value.is_string())
            fail(Error::Kind::Corrupt, quoted(key) + " holds " + shownInMessage(value) + ", not a text");
        found.push_back(value.get<std::string>());
    }
    return found;
}

std::vector<std::int64_t> ModelConfig::singleIntegers(const std::string& key, std::int64_t least,
                                                      std::int64_t most) const {
    std::vector<std::int64_t> singles;
    for (const auto& inner : list(key)) {
        if (!inner.is_array())
            fail(Error::Kind::Corrupt, quoted(key) + " holds " + shownInMessage(inner) + ", not a list");
        if (inner.size() == 1)
            singles.push_back(wholeNumber(key, inner[0], least, most));
    }
    return singles;
}

std::optional<ModelConfig> ModelConfig::object(const std::string& key) const {
    const auto* value = find(key);
    if (!value)
        return {};
    if (!value->is_object())
        fail(Error::Kind::Corrupt, quoted(key) + " is " + shownInMessage(*value) + ", not an object");
    ModelConfig inner;
    inner.m_values = *value;
    inner.m_place = m_place;
    inner.m_prefix = m_prefix + key + ".";
    inner.m_modelType = m_modelType;
    return inner;
}

std::vector<std::string> ModelConfig::labels() const {
    const auto named = object("id2label");
    const auto count =
        named ? static_cast<std::int64_t>(named->m_values.size()) : integerOr("num_labels", 2, 1, mostLabels);
    std::vector<std::string> labels;
    for (std::int64_t id = 0; id < count; ++id)
        labels.push_back(named ? named->text(std::to_string(id)) : "LABEL_" + std::to_string(id));
    return labels;
}

std::int64_t ModelConfig::integerOr(const std::string& key, std::int64_t otherwise, std::int64_t least,
                                    std::int64_t most) const {
    return has(key) ? integer(key, least, most) : otherwise;
}

double ModelConfig::numberOr(const std::string& key, double otherwise, double least, double most) const {
    const auto* value = find(key);
    if (!value)
        return otherwise;
    const double number = value->is_number() ? value->get<double>() : least - 1;
    if (!(number >= least && number <= most))
        fail(Error::Kind::Corrupt, quoted(key) + " is " + shownInMessage(*value) + ", not a number from "
                                       + std::to_string(least) + " to " + std::to_string(most));
    return number;
}

bool ModelConfig::flagOr(const std::string& key, bool otherwise) const {
    const auto* value = find(key);
    if (!value)
        return otherwise;
    if (!value->is_boolean())
        fail(Error::Kind::Corrupt, quoted(key) + " is " + shownInMessage(*value) + ", not true or false");
    return value->get<bool>();
}

std::string ModelConfig::text(const std::string& key) const {
    const auto* value = find(key);
    if (!value)
        fail(Error::Kind::Corrupt, quoted(key) + " is missing");
    if (!value->is_string())
        fail(Error::Kind::Corrupt, quoted(key) + " is " + shownInMessage(*value) + ", not a text");
    return value->get<std::string>();
}

std::string ModelConfig::textOr(const std::string& key, const std::string& otherwise) const {
    return has(key) ? text(key) : otherwise;
}

} // namespace headlight
