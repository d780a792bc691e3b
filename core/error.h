// The one exception that core throws for what the outside did wrong.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace headlight {

/// Something outside of the program is not as it must be: a file, a configuration, a word of the request.
/// The parts are kept apart so that a window can lay them out; `what()` is all of them in one line.
class Error : public std::runtime_error {
public:
    enum class Kind {
        NotFound,    ///< a file or folder that is not there
        Unreadable,  ///< it is there, the system does not let us read or write it
        Corrupt,     ///< the bytes contradict their own format
        Unsupported, ///< well-formed, but of a kind that this program does not know
        Mismatch,    ///< two parts that must fit do not: weights and config, vocabulary and embedding
        Invalid,     ///< the request itself cannot be carried out
    };

    /// @param place   file, tensor or option that is at fault
    /// @param detail  what is wrong with it, with the numbers
    /// @param remedy  what the user can do about it; may be empty
    Error(Kind kind, std::string place, std::string detail, std::string remedy = {})
        : std::runtime_error(place + ": " + detail + (remedy.empty() ? "" : " (" + remedy + ")")), m_kind(kind),
          m_place(std::move(place)), m_detail(std::move(detail)), m_remedy(std::move(remedy)) {}

    Kind kind() const { return m_kind; }
    const std::string& place() const { return m_place; }
    const std::string& detail() const { return m_detail; }
    const std::string& remedy() const { return m_remedy; }

private:
    Kind m_kind;
    std::string m_place;
    std::string m_detail;
    std::string m_remedy;
};

} // namespace headlight
