// A model folder's config.json, read with checks: each value asked for by name, type and range.
#pragma once

#include "core/error.h"
#include "core/files/json.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace headlight {

/// config.json as HuggingFace writes it. Reading a value of the wrong type or out of range throws and names the key.
class ModelConfig {
public:
    /// @throws Error when the folder or the file is not there, or is not a JSON object
    static ModelConfig open(const std::filesystem::path& folder);
    /// For tests and the trainer: @param place stands for the file in messages
    ModelConfig(nlohmann::json values, std::string place);

    const std::string& place() const { return m_part.place(); }
    /// Empty where the file does not say.
    const std::string& modelType() const { return m_modelType; }
    /// The same of that type.
    ModelConfig as(std::string modelType) const;
    bool has(const std::string& key) const { return m_part.has(key); }

    /// @throws Error when it is missing, not an integer or not within [least, most]
    std::int64_t integer(const std::string& key, std::int64_t least, std::int64_t most) const {
        return m_part.at(key).integer(least, most);
    }
    std::int64_t integerOr(const std::string& key, std::int64_t otherwise, std::int64_t least, std::int64_t most) const;
    double numberOr(const std::string& key, double otherwise, double least, double most) const;
    bool flagOr(const std::string& key, bool otherwise) const { return m_part.flag(key, otherwise); }
    std::string text(const std::string& key) const { return m_part.at(key).text(); }
    std::string textOr(const std::string& key, const std::string& otherwise) const {
        return m_part.text(key, otherwise);
    }

    /// A list of whole numbers, which may be given as a single one, or of texts; none when the key is absent.
    std::vector<std::int64_t> integers(const std::string& key, std::int64_t least, std::int64_t most) const;
    std::vector<std::string> texts(const std::string& key) const;
    std::vector<double> numbers(const std::string& key, double least, double most) const;
    /// The texts of a list, or of one text that parts them by `|`.
    std::vector<std::string> textOrTexts(const std::string& key) const;
    /// Of a list of pairs such as [[["a", "b"], 2]] what it stands for: a b a b. @param most texts in all
    std::vector<std::string> repeated(const std::string& key, std::size_t most) const;
    /// The numbers that stand alone in a list of lists of them, such as [[5], [7, 8]]: 5. None when the key is absent.
    std::vector<std::int64_t> singleIntegers(const std::string& key, std::int64_t least, std::int64_t most) const;
    /// All keys of this object.
    std::vector<std::string> names() const;
    /// An object within this one, such as rope_scaling, whose errors name its keys as `rope_scaling.factor`. Nothing
    /// when the key is absent.
    std::optional<ModelConfig> object(const std::string& key) const;

    /// The classes that the checkpoint was saved from, such as BertForMaskedLM.
    std::vector<std::string> architectures() const { return texts("architectures"); }
    /// A classifier's labels by their ids: id2label, LABEL_0 and so on where it names none, num_labels of them where
    /// there is no id2label, which is 2 by default. Names are decoration: none is wrong.
    std::vector<std::string> labels() const;

    /// An error about this file.
    [[noreturn]] void fail(Error::Kind kind, const std::string& detail, const std::string& remedy = {}) const;

private:
    explicit ModelConfig(JsonPart part);
    ModelConfig(JsonPart part, std::string modelType);
    /// None when the key is absent or null.
    std::vector<JsonPart> list(const std::string& key) const;

    JsonPart m_part;
    std::string m_modelType;
};

} // namespace headlight
