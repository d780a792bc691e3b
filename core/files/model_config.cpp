#include "core/files/model_config.h"

#include <algorithm>
#include <utility>

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
    if (const auto adapter = folder / "adapter_config.json";
        !std::filesystem::exists(file, ignored) && std::filesystem::exists(adapter, ignored)) {
        const auto base = readJsonFile(adapter, largestConfig).text("base_model_name_or_path", "");
        throw Error(Error::Kind::Unsupported, folder.string(),
                    "an adapter without its model" + (base.empty() ? base : ", which is \"" + base + "\""),
                    "fetch that model, merge the adapter into it (merge_and_unload of PEFT) and save it");
    }
    if (!std::filesystem::exists(file, ignored))
        throw Error(Error::Kind::NotFound, folder.string(), "the folder has no config.json",
                    "give the folder that holds config.json and model.safetensors");
    return ModelConfig(readJsonFile(file, largestConfig));
}

ModelConfig::ModelConfig(nlohmann::json values, std::string place)
    : ModelConfig(JsonPart(std::move(values), std::move(place))) {}

ModelConfig::ModelConfig(JsonPart part) : m_part(std::move(part)), m_modelType(textOr("model_type", "")) {}

ModelConfig::ModelConfig(JsonPart part, std::string modelType)
    : m_part(std::move(part)), m_modelType(std::move(modelType)) {}

ModelConfig ModelConfig::as(std::string modelType) const {
    return {m_part, std::move(modelType)};
}

void ModelConfig::fail(Error::Kind kind, const std::string& detail, const std::string& remedy) const {
    throw Error(kind, place(), detail, remedy);
}

std::int64_t ModelConfig::integerOr(const std::string& key, std::int64_t otherwise, std::int64_t least,
                                    std::int64_t most) const {
    return has(key) ? integer(key, least, most) : otherwise;
}

double ModelConfig::numberOr(const std::string& key, double otherwise, double least, double most) const {
    return has(key) ? m_part.at(key).number(least, most) : otherwise;
}

std::vector<JsonPart> ModelConfig::list(const std::string& key) const {
    return has(key) ? m_part.at(key).elements() : std::vector<JsonPart>{};
}

std::vector<std::int64_t> ModelConfig::integers(const std::string& key, std::int64_t least, std::int64_t most) const {
    if (has(key) && m_part.at(key).value().is_number())
        return {integer(key, least, most)};
    std::vector<std::int64_t> numbers;
    for (const auto& part : list(key))
        numbers.push_back(part.integer(least, most));
    return numbers;
}

std::vector<std::string> ModelConfig::texts(const std::string& key) const {
    std::vector<std::string> found;
    for (const auto& part : list(key))
        found.push_back(part.text());
    return found;
}

std::vector<double> ModelConfig::numbers(const std::string& key, double least, double most) const {
    std::vector<double> found;
    for (const auto& part : list(key))
        found.push_back(part.number(least, most));
    return found;
}

std::vector<std::string> ModelConfig::textOrTexts(const std::string& key) const {
    if (!has(key) || !m_part.at(key).isText())
        return texts(key);
    std::vector<std::string> found{""};
    for (const char letter : text(key)) {
        if (letter == '|')
            found.emplace_back();
        else
            found.back() += letter;
    }
    return found;
}

std::vector<std::string> ModelConfig::repeated(const std::string& key, std::size_t most) const {
    std::vector<std::string> found;
    for (const auto& pair : list(key)) {
        const auto parts = pair.elements();
        if (parts.size() != 2)
            pair.fail("has " + std::to_string(parts.size()) + " parts instead of 2");
        const auto pattern = parts[0].elements();
        const auto times = parts[1].integer(0, static_cast<std::int64_t>(most));
        for (std::int64_t i = 0; i < times && !pattern.empty(); ++i) {
            for (const auto& part : pattern)
                found.push_back(part.text());
            if (found.size() > most)
                pair.fail("is of more than " + std::to_string(most) + " layers");
        }
    }
    return found;
}

std::vector<std::int64_t> ModelConfig::singleIntegers(const std::string& key, std::int64_t least,
                                                      std::int64_t most) const {
    std::vector<std::int64_t> singles;
    for (const auto& part : list(key))
        if (const auto inner = part.elements(); inner.size() == 1)
            singles.push_back(inner[0].integer(least, most));
    return singles;
}

std::vector<std::string> ModelConfig::names() const {
    std::vector<std::string> keys;
    for (const auto& [key, value] : m_part.value().items())
        keys.push_back(key);
    return keys;
}

std::optional<ModelConfig> ModelConfig::object(const std::string& key) const {
    if (!has(key))
        return {};
    auto part = m_part.at(key);
    part.requireObject();
    return ModelConfig(std::move(part), m_modelType);
}

std::vector<std::string> ModelConfig::labels() const {
    const auto* named = has("id2label") && m_part.at("id2label").isObject() ? &m_part.value()["id2label"] : nullptr;
    const auto counted = has("num_labels") && m_part.value()["num_labels"].is_number_integer()
                             ? std::clamp<std::int64_t>(m_part.value()["num_labels"].get<std::int64_t>(), 1, mostLabels)
                             : 2;
    const auto count = named && !named->empty() ? static_cast<std::int64_t>(named->size()) : counted;
    std::vector<std::string> labels;
    for (std::int64_t id = 0; id < count; ++id) {
        const auto number = std::to_string(id);
        const auto found = named ? named->find(number) : nlohmann::json::const_iterator();
        if (!named || found == named->end())
            labels.push_back("LABEL_" + number);
        else
            labels.push_back(found->is_string() ? found->get<std::string>() : shownInMessage(*found));
    }
    return labels;
}

} // namespace headlight
