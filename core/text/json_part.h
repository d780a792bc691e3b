// A JSON file read part by part: each part knows where it stands, so that what is wrong with it can be said there.
#pragma once

#include "core/text/vocabulary.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

class JsonPart {
public:
    /// A whole document; `root` must outlive all of its parts.
    /// @param place stands for the file in messages
    JsonPart(const nlohmann::json& root, std::string place);

    /// There, and not null.
    bool has(const char* key) const;
    /// @throws Error when there is none, or this is not an object
    JsonPart at(const char* key) const;
    std::vector<JsonPart> elements() const;
    JsonPart element(std::size_t index) const;
    bool isText() const;
    bool isList() const;
    bool isObject() const;

    // The value itself; an Error says where another kind of value stands.
    std::string text() const;
    bool flag() const;
    double number() const;
    std::int64_t id() const; ///< a whole number from 0 to largestId
    /// An object with an id for each piece, at least one; no two pieces may have the same.
    Vocabulary vocabulary() const;

    // Of an object's member, or what holds where it is missing or null.
    std::string text(const char* key, std::string_view otherwise) const;
    bool flag(const char* key, bool otherwise) const;

    /// @throws Error of the kind Corrupt: this part, and what is wrong with it
    [[noreturn]] void fail(const std::string& detail) const;
    /// @throws Error of the kind Unsupported: this part, which is of a kind that we do not know
    [[noreturn]] void failUnknown(const std::string& detail) const;

    const nlohmann::json& value() const { return *m_value; }
    const std::string& place() const { return *m_place; }
    /// As a person would point to it: `decoder.decoders[2]`; empty for the whole document.
    const std::string& path() const { return m_path; }

private:
    JsonPart(const nlohmann::json& value, std::string path, const JsonPart& parent);
    std::string expected(const char* what) const;

    const nlohmann::json* m_value;
    std::string m_path;
    std::shared_ptr<const std::string> m_place;
    int m_depth = 0;
};

/// The file and its parts.
class JsonFile {
public:
    /// @throws Error when it cannot be read, has more than `mostBytes`, or is no JSON object
    JsonFile(const std::filesystem::path& file, std::uintmax_t mostBytes);
    JsonFile(std::string_view bytes, std::string place);
    /// As if `place` held this.
    static JsonFile of(nlohmann::json value, std::string place);
    JsonFile(JsonFile&&) noexcept;
    ~JsonFile();

    JsonPart root() const;
    nlohmann::json& value() { return *m_value; }

private:
    JsonFile(std::unique_ptr<nlohmann::json> value, std::string place);

    std::unique_ptr<nlohmann::json> m_value;
    std::string m_place;
};

} // namespace headlight
