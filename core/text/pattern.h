// What a tokenizer.json gives as {"String": …} or {"Regex": …}: where does it stand in a text?
#pragma once

#include "core/files/json.h"
#include "core/text/token.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

/// Cheap to copy; can be used from several threads.
class Pattern {
public:
    /// @throws Error when the part is neither, or the expression is none
    static Pattern read(const JsonPart& part);
    /// @param place stands for the file in messages
    static Pattern regex(std::string_view expression, const std::string& place);

    /// Bytes of each match, in order, none inside of another; a match may be empty.
    /// @throws Error when the expression takes too long on this text
    std::vector<ByteRange> matches(std::string_view text) const;

private:
    struct Compiled;
    std::string m_text; ///< to be found as it is
    std::shared_ptr<const Compiled> m_compiled;
};

} // namespace headlight
