// The words behind a command of headlight-train: options, each with a value.
#pragma once

#include "core/error.h"

#include <charconv>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace headlight {

class Arguments {
public:
    /// @param words of the whole command line; options begin behind the command, the second of them
    /// @param known the command's options
    /// @throws Error for an unknown option or one without a value
    Arguments(std::span<const std::string> words, std::span<const char* const> known);

    /// @throws Error when it was not given
    std::string text(const std::string& name) const;
    std::string textOr(const std::string& name, const std::string& otherwise) const;
    /// All values of an option that may be given several times. @throws Error when it was not given
    std::vector<std::string> texts(const std::string& name) const;
    std::vector<std::string> textsOr(const std::string& name) const;

    /// @throws Error when the value is not a number of at least `least`
    template <class Number>
    Number numberOr(const std::string& name, Number otherwise, Number least) const {
        if (!m_values.contains(name))
            return otherwise;
        const auto value = text(name);
        Number number{};
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || end != value.data() + value.size() || !(number >= least))
            throw Error(Error::Kind::Invalid, name,
                        "\"" + value + "\" is not a number of at least " + std::to_string(least));
        return number;
    }
    std::int64_t countOr(const std::string& name, std::int64_t otherwise, std::int64_t least = 1) const {
        return numberOr<std::int64_t>(name, otherwise, least);
    }

private:
    std::map<std::string, std::vector<std::string>> m_values;
};

} // namespace headlight
