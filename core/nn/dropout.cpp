#include "core/nn/dropout.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace headlight {

torch::Tensor withDropout(const torch::Tensor& values, double probability, bool training) {
    const auto dropped = std::clamp<std::int64_t>(std::lround(probability * 256), 0, 255);
    if (!training || dropped == 0)
        return values;
    // One draw of 64 bits decides for eight numbers, a byte each.
    const auto count = values.numel();
    const auto draws = torch::empty({(count + 7) / 8}, values.options().dtype(torch::kInt64).requires_grad(false))
                           .random_(std::numeric_limits<std::int64_t>::min(), {}, {});
    const auto bytes = draws.view(torch::kUInt8).narrow(0, 0, count).view(values.sizes());
    const double scale = 256.0 / static_cast<double>(256 - dropped);
    return values * bytes.ge(dropped).to(values.scalar_type()).mul_(scale);
}

} // namespace headlight
