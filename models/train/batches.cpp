#include "models/train/batches.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace headlight {

std::vector<std::vector<std::size_t>> planBatches(const std::vector<IdPair>& pairs, std::int64_t tokens,
                                                  std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::size_t> order(pairs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random); // which pairs of one length meet changes from epoch to epoch
    std::stable_sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
        const auto& a = pairs[left];
        const auto& b = pairs[right];
        return a.source.size() != b.source.size() ? a.source.size() < b.source.size() : a.outputs() < b.outputs();
    });
    std::vector<std::vector<std::size_t>> plan;
    for (const auto index : order) {
        const auto& pair = pairs[index];
        // Targets come in rising length: the newest is the longest of its batch.
        const bool fits = !plan.empty() && pairs[plan.back().front()].source.size() == pair.source.size()
                          && (plan.back().size() + 1) * pair.outputs() <= static_cast<std::size_t>(tokens);
        if (!fits)
            plan.emplace_back();
        plan.back().push_back(index);
    }
    std::shuffle(plan.begin(), plan.end(), random);
    return plan;
}

Batch makeBatch(const std::vector<IdPair>& pairs, const std::vector<std::size_t>& indices, const SpecialIds& ids,
                torch::Device device) {
    const auto rows = static_cast<std::int64_t>(indices.size());
    std::size_t longest = 0;
    for (const auto index : indices)
        longest = std::max(longest, pairs[index].target.size());
    std::vector<std::int64_t> source, targetIn, targetOut;
    Batch batch;
    for (const auto index : indices) {
        const auto& pair = pairs[index];
        const auto padding = longest - pair.target.size();
        source.insert(source.end(), pair.source.begin(), pair.source.end());
        targetIn.push_back(ids.start);
        targetIn.insert(targetIn.end(), pair.target.begin(), pair.target.end() - 1);
        targetIn.insert(targetIn.end(), padding, ids.pad);
        targetOut.insert(targetOut.end(), pair.target.begin(), pair.target.end());
        targetOut.insert(targetOut.end(), padding, ids.pad);
        batch.tokens += static_cast<std::int64_t>(pair.target.size());
    }
    const auto tensor = [&](const std::vector<std::int64_t>& values) {
        return torch::tensor(values, torch::kInt64).view({rows, -1}).to(device);
    };
    batch.source = tensor(source);
    batch.targetIn = tensor(targetIn);
    batch.targetOut = tensor(targetOut);
    return batch;
}

torch::Tensor makeRows(const std::vector<IdPair>& rows, const std::vector<std::size_t>& indices) {
    std::vector<std::int64_t> ids;
    for (const auto index : indices)
        ids.insert(ids.end(), rows[index].source.begin(), rows[index].source.end());
    return torch::tensor(ids, torch::kInt64).view({static_cast<std::int64_t>(indices.size()), -1});
}

} // namespace headlight
