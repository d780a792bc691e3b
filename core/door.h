// Where something enters the program, what the standard library throws becomes an Error that names it.
#pragma once

#include "core/error.h"

#include <exception>
#include <new>
#include <string>

namespace headlight {

/// Does the work.
/// @param place what is worked on: the file or folder
/// @throws Error for any exception that the work throws
template <class Work>
auto atDoor(const std::string& place, const Work& work) {
    try {
        return work();
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw Error(Error::Kind::Invalid, place, "does not fit into memory", "close other programs");
    } catch (const std::exception& exception) {
        throw Error(Error::Kind::Unreadable, place, exception.what());
    }
}

} // namespace headlight
