#include "core/runs/languages.h"

#include "core/error.h"

#include <algorithm>

namespace headlight {

namespace {

bool isSmall(char letter) {
    return letter >= 'a' && letter <= 'z';
}

bool isLarge(char letter) {
    return letter >= 'A' && letter <= 'Z';
}

bool all(std::string_view text, bool (*is)(char)) {
    return std::all_of(text.begin(), text.end(), is);
}

} // namespace

std::optional<std::string> languageOfToken(std::string_view text) {
    const auto within = [&](std::string_view before, std::string_view behind) -> std::string_view {
        if (text.size() <= before.size() + behind.size() || !text.starts_with(before) || !text.ends_with(behind))
            return {};
        return text.substr(before.size(), text.size() - before.size() - behind.size());
    };
    if (const auto code = within(">>", "<<"); !code.empty())
        return std::string(code);
    if (const auto code = within("__", "__"); code.size() >= 2 && code.size() <= 3 && all(code, isSmall))
        return std::string(code);
    const auto line = text.find('_');
    if (line == std::string_view::npos || line < 2 || line > 3 || !all(text.substr(0, line), isSmall))
        return std::nullopt;
    const auto script = text.substr(line + 1);
    const bool country = script.size() == 2 && all(script, isLarge);                                    // fr_XX
    const bool named = script.size() == 4 && isLarge(script.front()) && all(script.substr(1), isSmall); // fra_Latn
    return country || named ? std::optional(std::string(text)) : std::nullopt;
}

Languages::Languages(const Tokenizer& tokenizer) {
    for (std::int64_t id = 0; id < tokenizer.size(); ++id)
        if (auto code = languageOfToken(tokenizer.token(id).text))
            m_all.push_back({std::move(*code), id});
}

std::vector<std::string> Languages::codes() const {
    std::vector<std::string> codes;
    for (const auto& language : m_all)
        codes.push_back(language.code);
    return codes;
}

std::string Languages::codeOf(std::int64_t id) const {
    for (const auto& language : m_all)
        if (language.id == id)
            return language.code;
    return {};
}

std::int64_t Languages::idOf(const std::string& code, const char* option) const {
    std::string known;
    for (const auto& language : m_all) {
        if (language.code == code)
            return language.id;
        known += (known.empty() ? "" : ", ") + language.code;
    }
    throw Error(known.empty() ? Error::Kind::Unsupported : Error::Kind::Invalid, option,
                "\"" + code + "\" is no language of this model",
                known.empty() ? "it has none to choose from: leave it out" : "its languages are: " + known);
}

} // namespace headlight
