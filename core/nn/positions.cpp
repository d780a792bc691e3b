#include "core/nn/positions.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

namespace headlight {

torch::Tensor sinusoidalPositions(std::int64_t positions, std::int64_t width, bool halves) {
    const auto position = torch::arange(positions, torch::kFloat64).unsqueeze(1); // [positions, 1]
    const auto even = torch::arange(0, width, 2, torch::kFloat64);                // [width / 2]
    const auto angles = position * torch::exp(even * (-std::log(10000.0) / static_cast<double>(width)));
    const auto sines = torch::sin(angles);
    const auto cosines = torch::cos(angles).slice(1, 0, width / 2);
    if (halves)
        return torch::cat({sines, cosines}, 1).to(torch::kFloat32); // [positions, width]
    auto table = torch::empty({positions, width}, torch::kFloat64);
    table.slice(1, 0, width, 2).copy_(sines);
    table.slice(1, 1, width, 2).copy_(cosines);
    return table.to(torch::kFloat32); // [positions, width]
}

Positions::Positions(const TransformerOptions& options)
    : m_kind(options.position), m_offset(options.positionOffset), m_most(options.maxPositions), m_width(options.width) {
    if (m_kind == PositionKind::Learned)
        m_table = register_parameter("weight", torch::randn({m_most + m_offset, m_width}) * 0.02);
}

void Positions::reach(std::int64_t positions, const torch::Device& device) {
    // Sinusoids are computed, never stored, and only as far as a text has reached: a config may promise any length.
    if (m_kind != PositionKind::Learned && (!m_table.defined() || m_table.size(0) < m_offset + positions))
        m_table = sinusoidalPositions(m_offset + std::min(m_most, std::max<std::int64_t>(2 * positions, 256)), m_width,
                                      m_kind == PositionKind::SinusoidalHalves);
    if (m_table.device() != device)
        m_table = m_table.to(device);
}

torch::Tensor Positions::forward(const torch::Tensor& tokens, std::int64_t first, const Context& context) {
    const auto used = first + tokens.size(1);
    // A short sentence shows too little of a sinusoid: at least 64 positions, where there are as many.
    const auto shown = std::min(m_most, std::max<std::int64_t>(used, 64));
    reach(shown, tokens.device());
    if (context.watch)
        context.watch->positions(m_kind == PositionKind::Learned ? PositionTable::Kind::Learned
                                                                 : PositionTable::Kind::Sinusoidal,
                                 m_table.narrow(0, m_offset, shown));
    return tokens + m_table.narrow(0, m_offset + first, tokens.size(1)); // [B, T, width]
}

} // namespace headlight
