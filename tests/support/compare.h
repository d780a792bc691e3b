// Compares rows of numbers in tests, with a message that says where they differ most.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <sstream>
#include <string>

namespace headlight {

/// Empty when every number is within `tolerance` of what is expected; otherwise what is wrong, for QVERIFY2.
inline std::string compareClose(std::span<const float> actual, std::span<const float> expected, float tolerance) {
    std::ostringstream message;
    if (actual.size() != expected.size()) {
        message << actual.size() << " numbers instead of " << expected.size();
        return message.str();
    }
    std::size_t beyond = 0;
    std::size_t worst = 0;
    float largest = -1;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        if (actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i])))
            continue; // infinities included, whose difference is not a number
        float difference = std::abs(actual[i] - expected[i]);
        if (std::isnan(difference))
            difference = INFINITY;
        if (difference > tolerance)
            ++beyond;
        if (difference > largest) {
            largest = difference;
            worst = i;
        }
    }
    if (beyond == 0)
        return {};
    message << beyond << " of " << actual.size() << " numbers differ by more than " << tolerance << "; the most, by "
            << largest << ", at " << worst << ": " << actual[worst] << " instead of " << expected[worst];
    return message.str();
}

} // namespace headlight
