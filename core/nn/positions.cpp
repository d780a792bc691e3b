#include "core/nn/positions.h"

#include <torch/nn/init.h>

#include <algorithm>
#include <cmath>
#include <numbers>

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

Positions::Positions(const TransformerOptions& options, BlockKind kind) : m_options(options), m_kind(kind) {
    const auto learned = [&](std::int64_t rows, std::int64_t columns) {
        m_table = register_parameter("weight", torch::empty({rows, columns}));
        if (options.initialise)
            torch::nn::init::normal_(m_table, 0, 0.02);
    };
    if (options.position == PositionKind::Learned)
        learned(options.maxPositions + options.positionOffset, options.width);
    else if (options.position == PositionKind::Relative)
        learned(options.relativeBuckets, options.heads);
}

/// Rotary: radians, [positions, D], a pair being dimensions i and i + D/2. In single precision as transformers has it:
/// far positions show the difference.
torch::Tensor Positions::angles(std::int64_t positions) const {
    const auto& rotary = m_options.rotary;
    const auto size = m_options.sizeOfHead();
    const auto pair = torch::arange(0, size, 2, torch::kFloat32) / static_cast<double>(size); // [D / 2]
    auto turn = 1 / torch::pow(rotary.base, pair);
    auto kept = torch::zeros_like(turn); // how much of a turn is left as it is
    if (rotary.originalPositions > 0) {
        const auto turns = turn * (static_cast<double>(rotary.originalPositions) / (2 * std::numbers::pi));
        kept = ((turns - rotary.low) / (rotary.high - rotary.low)).clamp(0, 1);
    }
    turn = turn * ((1 - kept) / rotary.factor + kept);
    const auto half = torch::arange(positions, torch::kFloat32).unsqueeze(1) * turn; // [positions, D / 2]
    return torch::cat({half, half}, 1);
}

void Positions::reach(std::int64_t positions, const torch::Device& device) {
    // Sinusoids and angles are computed, never stored, and only as far as a text has reached: a config may promise any
    // length.
    const auto rows = m_options.positionOffset + positions;
    if (!m_table.defined() || m_table.size(0) < rows) {
        const auto made =
            m_options.positionOffset + std::min(m_options.maxPositions, std::max<std::int64_t>(2 * positions, 256));
        m_table =
            m_options.position == PositionKind::Rotary
                ? angles(made)
                : sinusoidalPositions(made, m_options.width, m_options.position == PositionKind::SinusoidalHalves);
    }
    if (m_table.device() != device)
        m_table = m_table.to(device);
}

/// The bucket of each distance from -farthest (a key before its query) to farthest: near ones have their own, farther
/// ones share them in steps of a logarithm, Raffel et al. 2020, 2.1. [2 farthest + 1]
torch::Tensor Positions::buckets(std::int64_t farthest) const {
    const auto distance =
        torch::arange(-farthest, farthest + 1, m_table.options().dtype(torch::kInt64).requires_grad(false));
    const bool bothSides = m_kind == BlockKind::Encoder;
    const auto side = bothSides ? m_options.relativeBuckets / 2 : m_options.relativeBuckets;
    const auto exact = side / 2;
    const auto length = bothSides ? distance.abs() : (-distance).clamp_min(0);
    const auto steps = torch::log(length.to(torch::kFloat32) / static_cast<double>(exact))
                       / std::log(static_cast<double>(m_options.relativeDistance) / static_cast<double>(exact))
                       * static_cast<double>(side - exact);
    const auto shared = (exact + steps.clamp_min(0).to(torch::kInt64)).clamp_max(side - 1);
    const auto bucket = torch::where(length < exact, length, shared);
    return bothSides ? bucket + (distance > 0).to(torch::kInt64) * side : bucket;
}

/// [2 farthest + 1, H]
torch::Tensor Positions::byDistance(std::int64_t farthest) const {
    return m_table.index_select(0, buckets(farthest));
}

void Positions::announce(std::int64_t shown, const Context& context) const {
    switch (m_options.position) {
    case PositionKind::Learned:
        context.watch->positions(m_kind, PositionTable::Kind::Learned,
                                 m_table.narrow(0, m_options.positionOffset, shown));
        break;
    case PositionKind::Rotary: {
        const auto half = m_table.narrow(0, 0, shown).narrow(1, 0, m_table.size(1) / 2); // [shown, D / 2]
        context.watch->positions(m_kind, PositionTable::Kind::Rotary,
                                 torch::stack({half.cos(), half.sin()}, 2).flatten(1)); // [shown, D]
        break;
    }
    case PositionKind::Relative:
        context.watch->positions(m_kind, PositionTable::Kind::Relative, byDistance(shown - 1)); // [2 shown - 1, H]
        break;
    case PositionKind::SinusoidalHalves:
    case PositionKind::SinusoidalInterleaved:
        context.watch->positions(m_kind, PositionTable::Kind::Sinusoidal,
                                 m_table.narrow(0, m_options.positionOffset, shown));
        break;
    }
}

Placed Positions::place(const torch::Tensor& tokens, std::int64_t first, const torch::Tensor& rows,
                        const Context& context) {
    const auto count = tokens.size(1);
    const auto used = first + count;
    // A short sentence shows too little of a sinusoid: at least 64 positions, where there are as many.
    const auto shown = std::min(m_options.maxPositions, std::max<std::int64_t>(used, 64));
    const bool stored = m_options.position == PositionKind::Learned || m_options.position == PositionKind::Relative;
    if (!stored)
        reach(std::max(shown, used), tokens.device());
    if (context.watch)
        announce(shown, context);

    if (m_options.position == PositionKind::Rotary) {
        const auto angle = m_table.narrow(0, first, count); // [T, D]
        return {{}, angle.cos(), angle.sin(), {}};
    }
    if (m_options.position == PositionKind::Relative) {
        const auto integers = m_table.options().dtype(torch::kInt64).requires_grad(false);
        const auto where = torch::arange(used, integers);                                              // [K]
        const auto apart = where.unsqueeze(0) - where.narrow(0, first, count).unsqueeze(1) + used - 1; // [T, K]
        const auto numbers = byDistance(used - 1).index_select(0, apart.flatten());                    // [T K, H]
        return {{}, {}, {}, numbers.view({1, count, used, -1}).permute({0, 3, 1, 2})};                 // [1, H, T, K]
    }
    const auto vectors = rows.defined() ? m_table.index_select(0, rows.flatten()).view(tokens.sizes())
                                        : m_table.narrow(0, m_options.positionOffset + first, count);
    return {vectors, {}, {}, {}};
}

} // namespace headlight
