// BigBird's block-sparse attention. Reference: transformers, models/big_bird/modeling_big_bird.py.
#include "core/nn/block_sparse.h"

#include "core/error.h"

#include <torch/types.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace headlight {

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
/// What the reference adds to a masked score. Not minus infinity: a query all of whose keys are masked spreads its
/// weight over them instead of dividing zero by zero.
constexpr double penalty = -10000;

std::int64_t blocksOf(std::int64_t length, std::int64_t blockSize) {
    return length / blockSize + (length % blockSize != 0 ? 1 : 0);
}

/// The blocks that every text but those of the paper's lengths may choose from are the first 5 + 2 randomBlocks; the
/// generator goes through the heads of a row before the next row, and shuffles them all before it looks which may be.
void drawFromPlan(torch::Tensor& random, std::int64_t randomBlocks, std::mt19937& generator) {
    const auto heads = random.size(0), blocks = random.size(1), candidates = 5 + 2 * randomBlocks;
    auto counts = random.accessor<std::int64_t, 3>();
    for (std::int64_t row = 1; row < blocks - 1; ++row) {
        const auto allowed = [&](std::int64_t block) {
            const bool window = std::abs(block - row) <= 1;
            const bool global = block == 0 || block == candidates - 1;
            // The reference forbids these two as well, as if the candidates were the whole text.
            const bool corner = (row == 1 && block == candidates - 2) || (row == candidates - 2 && block == 1);
            return !window && !global && !corner;
        };
        for (std::int64_t head = 0; head < heads; ++head) {
            std::vector<std::int64_t> order(static_cast<std::size_t>(candidates));
            std::iota(order.begin(), order.end(), 0);
            shuffleLikeNumpy(order, generator);
            std::int64_t taken = 0;
            for (const auto block : order) {
                if (taken < randomBlocks && allowed(block)) {
                    ++counts[head][row][block];
                    ++taken;
                }
            }
        }
    }
}

/// The lengths that the paper trained with draw for all positions that the model has, head by head, mostly from the
/// first 1024 tokens. What a row looks at anyway is left out carelessly: a drawn block may be a fixed one, too.
void drawAsInPaper(torch::Tensor& random, const BlockSparseOptions& options, std::mt19937& generator) {
    const auto heads = random.size(0), blocks = random.size(1), all = options.maxPositions / options.blockSize;
    const auto last = options.blockSize < 512 ? 1024 / options.blockSize - 1 : all - 1;
    auto counts = random.accessor<std::int64_t, 3>();
    for (std::int64_t head = 0; head < heads; ++head) {
        for (std::int64_t row = 1; row < all - 1; ++row) {
            std::vector<std::int64_t> candidates;
            // Places count from block 1: a place is one less than the block that stands there.
            const auto addPlaces = [&](std::int64_t from, std::int64_t to) {
                for (auto place = from; place < std::min(to, all - 2); ++place)
                    candidates.push_back(place + 1);
            };
            if (row <= 2) {
                addPlaces(row + 1, last);
            } else if (row >= all - 3) {
                addPlaces(0, last);
            } else {
                addPlaces(0, std::min(row - 2, last));
                addPlaces(row + 1, last);
            }
            shuffleLikeNumpy(candidates, generator);
            candidates.resize(std::min(candidates.size(), static_cast<std::size_t>(options.randomBlocks)));
            for (const auto block : candidates) {
                if (row >= blocks - 1)
                    break;
                if (block >= blocks)
                    throw Error(Error::Kind::Unsupported, "block_size",
                                "with blocks of " + std::to_string(options.blockSize)
                                    + " random blocks are drawn from beyond the end of a text of "
                                    + std::to_string(blocks * options.blockSize) + " tokens",
                                "use another length");
                ++counts[head][row][block];
            }
        }
    }
}

} // namespace

RandomBlocks randomBlocksOf(std::string_view transformersVersion) {
    int major = 0, minor = 0;
    const auto* end = transformersVersion.data() + transformersVersion.size();
    const auto first = std::from_chars(transformersVersion.data(), end, major);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.'
        || std::from_chars(first.ptr + 1, end, minor).ec != std::errc{})
        return RandomBlocks::First;
    return major < 4 || (major == 4 && minor < 29) ? RandomBlocks::Drawn : RandomBlocks::First;
}

bool usesBlockSparse(std::int64_t length, const BlockSparseOptions& options) {
    if (options.blockSize < 1)
        throw Error(Error::Kind::Invalid, "block_size",
                    "is " + std::to_string(options.blockSize) + ", a block has at least one token");
    if (options.randomBlocks < 0)
        throw Error(Error::Kind::Invalid, "num_random_blocks", "is " + std::to_string(options.randomBlocks));
    const auto blocks = blocksOf(length, options.blockSize);
    return blocks >= 6 && options.randomBlocks <= (blocks - 6) / 2; // blocks > 5 + 2 randomBlocks, without overflow
}

torch::Tensor BlockSparsePattern::attends() const {
    return fixed.logical_or(random.gt(0));
}

BlockSparsePattern blockSparsePattern(std::int64_t length, std::int64_t heads, std::int64_t layer,
                                      const BlockSparseOptions& options) {
    if (!usesBlockSparse(length, options))
        throw Error(Error::Kind::Invalid, "block-sparse attention",
                    std::to_string(length) + " tokens are not more than 5 + 2 * " + std::to_string(options.randomBlocks)
                        + " blocks of " + std::to_string(options.blockSize),
                    "so short a text has full attention");
    if (length > options.maxPositions)
        throw Error(Error::Kind::Invalid, "block-sparse attention",
                    std::to_string(length) + " tokens for a model of " + std::to_string(options.maxPositions)
                        + " positions");

    const auto blocks = blocksOf(length, options.blockSize), padded = blocks * options.blockSize;
    const auto block = torch::arange(blocks);
    const auto edge = block.eq(0).logical_or(block.eq(blocks - 1));
    const auto neighbours = (block.unsqueeze(1) - block).abs().le(1); // [N, N]
    BlockSparsePattern pattern{.blockSize = options.blockSize,
                               .fixed = neighbours.logical_or(edge).logical_or(edge.unsqueeze(1)),
                               .random = torch::zeros({heads, blocks, blocks}, torch::kInt64)};

    std::mt19937 generator(static_cast<std::mt19937::result_type>(layer));
    if (options.kind == RandomBlocks::First)
        pattern.random.narrow(1, 1, blocks - 2).select(2, 0).fill_(options.randomBlocks);
    else if (padded == 1024 || padded == 3072 || padded == 4096)
        drawAsInPaper(pattern.random, options, generator);
    else
        drawFromPlan(pattern.random, options.randomBlocks, generator);
    return pattern;
}

BlockSparseResult blockSparseAttention(const torch::Tensor& query, const torch::Tensor& key, const torch::Tensor& value,
                                       const torch::Tensor& mask, const BlockSparsePattern& pattern) {
    const auto B = query.size(0), H = query.size(1), T = query.size(2), D = query.size(3);
    const auto S = pattern.blockSize, N = pattern.fixed.size(0), padding = N * S - T;
    TORCH_CHECK(padding >= 0 && padding < S, "the pattern is for ", N, " blocks of ", S, ", the text has ", T);
    const auto pad = [&](const torch::Tensor& states) { return torch::constant_pad_nd(states, {0, 0, 0, padding}); };
    const auto token = mask.defined() ? mask.to(torch::kBool) : torch::ones({B, T}, torch::kBool);
    const auto paddedToken = torch::constant_pad_nd(token, {0, padding}, 0);
    const auto queryToken = paddedToken.view({B, 1, N, S, 1, 1});
    const auto keyToken = paddedToken.view({B, 1, 1, 1, N, S});
    const auto blocked = [](const torch::Tensor& pairs) { return pairs.unsqueeze(-2).unsqueeze(-1); }; // [N, 1, N, 1]

    // A masked query is kept from its window and its random blocks, but not from the edges, and the two rows of blocks
    // next to the edges know no mask of queries in their window: so it is in the reference, and masked rows show it.
    const auto block = torch::arange(N);
    const auto middle = block.ge(2).logical_and(block.le(N - 3));
    const auto window = (block.unsqueeze(1) - block).abs().le(1).logical_and(middle.unsqueeze(1)); // [N, N]
    const auto fixedTaken = blocked(pattern.fixed), randomTaken = blocked(pattern.random.gt(0));
    const auto fixedSeen = keyToken.logical_and(queryToken.logical_or(blocked(window).logical_not()));
    const auto randomSeen = keyToken.logical_and(queryToken);

    const auto products = torch::matmul(pad(query), pad(key).transpose(-2, -1)) / std::sqrt(static_cast<double>(D));
    const auto scores = products.view({B, H, N, S, N, S});
    // exp(score + log n) is n exp(score): each copy of a random block has its share.
    const auto copies = blocked(pattern.random).to(scores.dtype());
    const auto fixedScores =
        (scores + fixedSeen.logical_not() * penalty).masked_fill(fixedTaken.logical_not(), -infinite);
    const auto randomScores = (scores + randomSeen.logical_not() * penalty + copies.clamp_min(1).log())
                                  .masked_fill(randomTaken.logical_not(), -infinite);
    const auto parts =
        torch::softmax(torch::stack({fixedScores, randomScores}, 4).flatten(4), -1).view({B, H, N, S, 2, N, S});
    const auto fixedWeights = parts.select(4, 0), randomWeights = parts.select(4, 1);

    const auto effective = ((fixedWeights + randomWeights) * queryToken).reshape({B, H, N * S, N * S});
    const auto weights = torch::where(randomTaken, randomWeights / copies.clamp_min(1), fixedWeights);
    const auto seen = fixedTaken.logical_and(fixedSeen).logical_or(randomTaken.logical_and(randomSeen));

    const auto cut = [&](const torch::Tensor& pairs) {
        return pairs.reshape({B, H, N * S, N * S}).narrow(2, 0, T).narrow(3, 0, T); // [B, H, T, T]
    };
    return {.context = torch::matmul(effective, pad(value)).narrow(2, 0, T), // [B, H, T, D]
            .weights = cut(weights),
            .effective = cut(effective),
            .scores = cut(scores.masked_fill(seen.logical_not(), -infinite))};
}

void shuffleLikeNumpy(std::span<std::int64_t> values, std::mt19937& generator) {
    for (auto i = values.size(); i-- > 1;) {
        // A number up to i: as many bits as i has, drawn again when they are too much.
        const auto bits = std::bit_ceil(i + 1) - 1;
        auto j = generator() & bits;
        while (j > i)
            j = generator() & bits;
        std::swap(values[i], values[j]);
    }
}

} // namespace headlight
