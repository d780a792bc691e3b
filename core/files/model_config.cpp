#include "core/files/model_config.h"

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
    if (!std::filesystem::exists(file, ignored))
        throw Error(Error::Kind::NotFound, folder.string(), "the folder has no config.json",
                    "give the folder that holds config.json and model.safetensors");
    return ModelConfig(readJsonFile(file, largestConfig));
}

ModelConfig::ModelConfig(nlohmann::json values, std::string place)
    : ModelConfig(JsonPart(std::move(values), std::move(place))) {}

ModelConfig::ModelConfig(JsonPart part) : m_part(std::move(part)), m_modelType(text("model_type")) {}

ModelConfig::ModelConfig(JsonPart part, std::string modelType)
    : m_part(std::move(part)), m_modelType(std::move(modelType)) {}

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

std::vector<std::int64_t> ModelConfig::singleIntegers(const std::string& key, std::int64_t least,
                                                      std::int64_t most) const {
    std::vector<std::int64_t> singles;
    for (const auto& part : list(key))
        if (const auto inner = part.elements(); inner.size() == 1)
            singles.push_back(inner[0].integer(least, most));
    return singles;
}

std::optional<ModelConfig> ModelConfig::object(const std::string& key) const {
    if (!has(key))
        return {};
    auto part = m_part.at(key);
    part.requireObject();
    return ModelConfig(std::move(part), m_modelType);
}

std::vector<std::string> ModelConfig::labels() const {
    const auto named = object("id2label");
    const auto count =
        named ? static_cast<std::int64_t>(named->m_part.value().size()) : integerOr("num_labels", 2, 1, mostLabels);
    std::vector<std::string> labels;
    for (std::int64_t id = 0; id < count; ++id)
        labels.push_back(named ? named->text(std::to_string(id)) : "LABEL_" + std::to_string(id));
    return labels;
}

} // namespace headlight
