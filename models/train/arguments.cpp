#include "models/train/arguments.h"

#include <algorithm>

namespace headlight {

Arguments::Arguments(std::span<const std::string> words, std::span<const char* const> known) {
    for (std::size_t i = 2; i < words.size(); i += 2) {
        const auto& name = words[i];
        if (std::find(known.begin(), known.end(), name) == known.end())
            throw Error(Error::Kind::Invalid, name, "is not an option of this command", "see headlight-train --help");
        if (i + 1 == words.size())
            throw Error(Error::Kind::Invalid, name, "has no value");
        m_values[name].push_back(words[i + 1]);
    }
}

std::string Arguments::text(const std::string& name) const {
    const auto found = m_values.find(name);
    if (found == m_values.end())
        throw Error(Error::Kind::Invalid, name, "is missing", "see headlight-train --help");
    return found->second.back();
}

std::string Arguments::textOr(const std::string& name, const std::string& otherwise) const {
    return m_values.contains(name) ? text(name) : otherwise;
}

std::vector<std::string> Arguments::texts(const std::string& name) const {
    text(name);
    return m_values.at(name);
}

std::vector<std::string> Arguments::textsOr(const std::string& name) const {
    return m_values.contains(name) ? texts(name) : std::vector<std::string>();
}

} // namespace headlight
