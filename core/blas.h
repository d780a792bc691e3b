// The machine's linear algebra, which LibTorch takes from the system: what it is, and whether it is as fast as it can
// be.
#pragma once

#include <string>

namespace headlight {

struct Blas {
    std::string library; ///< file that the products come from, with OpenBLAS's kernels in brackets
    bool slow = false;   ///< models run several times slower than on this machine they could
};

/// OpenBLAS picks its kernels by the processor's model number when it is loaded; one that came out after it gets those
/// of a Pentium 4, up to five times too slow. The first call loads it and gives it the kernels of a processor that it
/// knows and whose instructions this one has, as OPENBLAS_CORETYPE would; where that is set it is left alone. Make that
/// call while there is one thread: the environment and OpenBLAS's table may be changed only then.
const Blas& blas();

} // namespace headlight
