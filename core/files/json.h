// JSON that comes from a file: one reader with limits for all of it, and its parts, each of which knows where it
// stands, so that what is wrong with it can be said there.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

/// How a JSON text must be, and what an Error says of one that is not. No real file comes near the limits.
struct JsonRules {
    int deepest = 32;                 ///< lists and objects in one another
    std::size_t mostValues = 4 << 20; ///< in all
    bool differentNames = false;      ///< an object may not give a name twice; else the last one holds
    const char* subject = "";         ///< of the sentences about it
    const char* remedy = "the file is damaged or incomplete; fetch or export it again";
};

/// @param place stands for the file in messages
/// @throws Error of the kind Corrupt with the byte where the text ceases to be JSON, or the limit that it is beyond
nlohmann::json parseJson(std::string_view text, const std::string& place, const JsonRules& rules = {});

/// A part of a document, which lives as long as one of its parts does.
class JsonPart {
public:
    /// A whole document.
    /// @throws Error when it is not an object
    JsonPart(nlohmann::json document, std::string place);

    /// There, and not null.
    bool has(const std::string& key) const;
    /// @throws Error when there is none, or this is not an object
    JsonPart at(const std::string& key) const;
    std::vector<JsonPart> elements() const;
    JsonPart element(std::size_t index) const;
    bool isText() const { return m_value->is_string(); }
    bool isList() const { return m_value->is_array(); }
    bool isObject() const { return m_value->is_object(); }
    void requireObject() const;

    // The value itself; an Error says where another kind of value stands.
    std::string text() const;
    bool flag() const;
    double number() const;
    double number(double least, double most) const;
    std::int64_t integer(std::int64_t least, std::int64_t most) const;

    // Of an object's member, or what holds where it is missing or null.
    std::string text(const std::string& key, std::string_view otherwise) const;
    bool flag(const std::string& key, bool otherwise) const;

    /// @throws Error of the kind Corrupt: this part, and what is wrong with it
    [[noreturn]] void fail(const std::string& detail) const;
    /// @throws Error of the kind Unsupported: this part, which is of a kind that we do not know
    [[noreturn]] void failUnknown(const std::string& detail) const;

    const nlohmann::json& value() const { return *m_value; }
    const std::string& place() const { return m_document->place; }
    /// As a person would point to it: `decoder.decoders[2]`; empty for the whole document.
    const std::string& path() const { return m_path; }

private:
    struct Document {
        nlohmann::json value;
        std::string place;
    };
    JsonPart(const nlohmann::json& value, std::string path, const JsonPart& parent);
    std::string expected(const std::string& what) const;

    std::shared_ptr<const Document> m_document;
    const nlohmann::json* m_value;
    std::string m_path;
};

/// The JSON object in a file.
/// @throws Error when it cannot be read, has more than `mostBytes`, or is no JSON object
JsonPart readJsonFile(const std::filesystem::path& file, std::uintmax_t mostBytes);

/// A value as a message shows it: lists and objects by their kind, the rest in a few letters.
std::string shownInMessage(const nlohmann::json& value);

} // namespace headlight
