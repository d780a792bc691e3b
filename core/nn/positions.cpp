#include "core/nn/positions.h"

#include <torch/nn/init.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

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

torch::Tensor stretchedPositions(std::int64_t positions, std::int64_t width) {
    const auto half = width / 2;
    const auto step = std::log(10000.0) / static_cast<double>(std::max<std::int64_t>(half - 1, 1));
    const auto waves = torch::exp(torch::arange(half, torch::kFloat32) * -step); // in single precision, as there
    const auto angles = torch::arange(positions, torch::kFloat32).unsqueeze(1) * waves;
    const auto table = torch::cat({torch::sin(angles), torch::cos(angles)}, 1);
    return width % 2 == 0 ? table : torch::constant_pad_nd(table, {0, 1}); // [positions, width]
}

torch::Tensor slopesOfHeads(std::int64_t heads) {
    const auto whole = std::bit_floor(static_cast<std::uint64_t>(heads)); // a power of two
    const auto power = static_cast<std::int64_t>(whole);
    std::vector<float> slopes;
    for (std::int64_t head = 0; head < power; ++head)
        slopes.push_back(
            static_cast<float>(std::exp2(-8.0 * static_cast<double>(head + 1) / static_cast<double>(power))));
    // Those that are left stand between these, as if there were twice as many.
    for (std::int64_t head = 0; head < heads - power; ++head)
        slopes.push_back(
            static_cast<float>(std::exp2(-4.0 * static_cast<double>(2 * head + 1) / static_cast<double>(power))));
    return torch::tensor(slopes);
}

Positions::Positions(const TransformerOptions& options, BlockKind kind) : m_options(options), m_kind(kind) {
    const auto learned = [&](std::int64_t rows, std::int64_t columns) {
        m_table = register_parameter("weight", torch::empty({rows, columns}));
        if (options.initialise)
            torch::nn::init::normal_(m_table, 0, 0.02);
    };
    if (options.position == PositionKind::Learned)
        learned(options.maxPositions + options.positionOffset,
                options.projectsTokens ? options.width : options.widthOfEmbedding());
    else if (options.position == PositionKind::Relative)
        learned(options.relativeBuckets, options.heads);
}

/// Rotary: radians from one position to the next of each pair, [D / 2]. In single precision as transformers has it:
/// far positions show the difference.
torch::Tensor Positions::turns(std::int64_t used) const {
    const auto& rotary = m_options.rotary;
    const auto size = rotary.dimensions > 0 ? rotary.dimensions : m_options.sizeOfHead();
    const auto dimensions = static_cast<double>(size);
    const auto pair = torch::arange(0, size, 2, torch::kFloat32) / dimensions; // [D / 2]
    const auto original = static_cast<double>(rotary.originalPositions);
    double base = rotary.base;
    if (rotary.scaling == RotaryScaling::Dynamic && used > rotary.originalPositions)
        base *= std::pow(rotary.factor * static_cast<double>(used) / original - (rotary.factor - 1),
                         dimensions / (dimensions - 2));
    const auto turn = 1 / torch::pow(base, pair);
    switch (rotary.scaling) {
    case RotaryScaling::Linear:
        return turn / rotary.factor;
    case RotaryScaling::Dynamic:
        break;
    case RotaryScaling::LongRope: {
        const auto& factors = used > rotary.originalPositions ? rotary.longFactors : rotary.shortFactors;
        return 1 / (torch::tensor(factors, torch::kFloat32) * torch::pow(base, pair));
    }
    case RotaryScaling::Llama3: {
        const auto whole = turn * (original / (2 * std::numbers::pi)); // turns in all of the original positions
        const auto kept = ((whole - rotary.low) / (rotary.high - rotary.low)).clamp(0, 1);
        return turn * ((1 - kept) / rotary.factor + kept);
    }
    case RotaryScaling::Yarn: {
        const auto pairOf = [&](double whole) { // that turns so often in all of the original positions
            return dimensions * std::log(original / (whole * 2 * std::numbers::pi)) / (2 * std::log(base));
        };
        double first = pairOf(rotary.high), last = pairOf(rotary.low);
        if (rotary.wholePairs) {
            first = std::floor(first);
            last = std::ceil(last);
        }
        first = std::max(first, 0.0);
        last = std::min(last, dimensions - 1);
        if (first == last)
            last += 0.001;
        const auto kept = 1 - ((torch::arange(size / 2, torch::kFloat32) - first) / (last - first)).clamp(0, 1);
        return turn * ((1 - kept) / rotary.factor + kept);
    }
    }
    return turn;
}

/// [positions, D], a pair being dimensions i and i + D/2.
torch::Tensor Positions::angles(std::int64_t positions, std::int64_t used) const {
    const auto half = torch::arange(positions, torch::kFloat32).unsqueeze(1) * turns(used); // [positions, D / 2]
    return torch::cat({half, half}, 1);
}

void Positions::reach(std::int64_t positions, std::int64_t used, const torch::Device& device) {
    // Sinusoids and angles are computed, never stored, and only as far as a text has reached: a config may promise any
    // length.
    const auto rows = m_options.positionOffset + positions;
    const bool rotary = m_options.position == PositionKind::Rotary;
    std::int64_t turnsOf = 0;
    if (rotary && used > m_options.rotary.originalPositions)
        turnsOf = m_options.rotary.scaling == RotaryScaling::Dynamic    ? used
                  : m_options.rotary.scaling == RotaryScaling::LongRope ? 1
                                                                        : 0;
    if (!m_table.defined() || m_table.size(0) < rows || turnsOf != m_turnsOf) {
        const auto made =
            m_options.positionOffset + std::min(m_options.maxPositions, std::max<std::int64_t>(2 * positions, 256));
        const auto width = m_options.widthOfEmbedding();
        m_table = rotary ? angles(made, used)
                  : m_options.position == PositionKind::SinusoidalStretched
                      ? stretchedPositions(made, width)
                      : sinusoidalPositions(made, width, m_options.position == PositionKind::SinusoidalHalves);
        if (m_options.position == PositionKind::SinusoidalStretched && m_options.positionOffset > 0)
            m_table.select(0, m_options.positionOffset - 1).zero_(); // where padding stands
        m_turnsOf = turnsOf;
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
    if (m_options.position == PositionKind::Slopes) // keys behind a query are not seen
        return torch::arange(-farthest, farthest + 1, torch::kFloat32).clamp_max(0).unsqueeze(1)
               * slopesOfHeads(m_options.heads);
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
    case PositionKind::Slopes:
        context.watch->positions(m_kind, PositionTable::Kind::Relative, byDistance(shown - 1)); // [2 shown - 1, H]
        break;
    case PositionKind::SinusoidalHalves:
    case PositionKind::SinusoidalInterleaved:
    case PositionKind::SinusoidalStretched:
        context.watch->positions(m_kind, PositionTable::Kind::Sinusoidal,
                                 m_table.narrow(0, m_options.positionOffset, shown));
        break;
    case PositionKind::None:
        break;
    }
}

Placed Positions::place(const torch::Tensor& tokens, std::int64_t first, const torch::Tensor& rows,
                        const Context& context) {
    const auto count = tokens.size(1);
    const auto used = first + count;
    // A short sentence shows too little of a sinusoid: at least 64 positions, where there are as many.
    const auto shown = std::min(m_options.maxPositions, std::max<std::int64_t>(used, 64));
    const auto kind = m_options.position;
    const bool byDistanceAlone = kind == PositionKind::Relative || kind == PositionKind::Slopes;
    if (kind == PositionKind::None)
        return {};
    if (kind != PositionKind::Learned && !byDistanceAlone)
        reach(std::max(shown, used), used, tokens.device());
    if (context.watch)
        announce(shown, context);

    if (kind == PositionKind::Rotary) {
        const auto angle = m_table.narrow(0, first, count); // [T, D]
        const auto amplitude = m_options.rotary.amplitude;
        return {{}, angle.cos() * amplitude, angle.sin() * amplitude, {}};
    }
    if (byDistanceAlone) {
        const auto integers = torch::TensorOptions(torch::kInt64).device(tokens.device());
        const auto where = torch::arange(used, integers);                                               // [K]
        const auto apart = where.unsqueeze(0) - where.narrow(0, first, count).unsqueeze(1) + used - 1;  // [T, K]
        const auto numbers = byDistance(used - 1).to(tokens.device()).index_select(0, apart.flatten()); // [T K, H]
        return {{}, {}, {}, numbers.view({1, count, used, -1}).permute({0, 3, 1, 2})};                  // [1, H, T, K]
    }
    const auto vectors = rows.defined() ? m_table.index_select(0, rows.flatten()).view({rows.size(0), count, -1})
                                        : m_table.narrow(0, m_options.positionOffset + first, count);
    return {vectors, {}, {}, {}};
}

} // namespace headlight
