#include "core/nn/positions.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

namespace headlight {

torch::Tensor sinusoidalPositions(std::int64_t positions, std::int64_t width, bool halves) {
    const auto position = torch::arange(positions, torch::kFloat64).unsqueeze(1);               // [positions, 1]
    const auto even = torch::arange(0, width, 2, torch::kFloat64);                              // [width / 2]
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
    : m_kind(options.position == PositionKind::Learned ? PositionTable::Kind::Learned
                                                       : PositionTable::Kind::Sinusoidal),
      m_offset(options.positionOffset) {
    if (options.position == PositionKind::Learned) {
        m_table = register_parameter("weight", torch::randn({options.maxPositions + m_offset, options.width}) * 0.02);
        return;
    }
    // Computed, never stored: a checkpoint that carries it anyway carries these same numbers.
    m_table = sinusoidalPositions(options.maxPositions + m_offset, options.width,
                                  options.position == PositionKind::SinusoidalHalves);
}

torch::Tensor Positions::forward(const torch::Tensor& tokens, std::int64_t first, const Context& context) {
    if (m_table.device() != tokens.device())
        m_table = m_table.to(tokens.device());
    const auto rows = m_table.narrow(0, m_offset + first, tokens.size(1)); // [T, width]
    if (context.watch) {
        // A short sentence shows too little of a sinusoid: at least 64 positions, where there are as many.
        const auto shown = std::min(m_table.size(0) - m_offset, std::max<std::int64_t>(first + tokens.size(1), 64));
        context.watch->positions(m_kind, m_table.narrow(0, m_offset, shown));
    }
    return tokens + rows;
}

} // namespace headlight
