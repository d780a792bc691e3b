// The languages that a translator's vocabulary has codes for: mBART's `fr_XX`, M2M-100's `__fr__`, NLLB's `fra_Latn`
// and Marian's `>>fra<<`.
#pragma once

#include "core/text/tokenizer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

/// The code that a token of that text stands for, without its marks; nothing where it stands for none.
std::optional<std::string> languageOfToken(std::string_view text);

struct Language {
    std::string code;
    std::int64_t id = 0;
};

class Languages {
public:
    Languages() = default;
    /// Those of a vocabulary, in the order of their ids.
    explicit Languages(const Tokenizer& tokenizer);

    bool empty() const { return m_all.empty(); }
    std::vector<std::string> codes() const;
    /// The code of an id; empty for one that is no language.
    std::string codeOf(std::int64_t id) const;
    /// @param option names it in messages
    /// @throws Error listing the codes when it is none of them
    std::int64_t idOf(const std::string& code, const char* option) const;

private:
    std::vector<Language> m_all;
};

} // namespace headlight
