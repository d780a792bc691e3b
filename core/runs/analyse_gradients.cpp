// What one pass there and back is enough for: gradient times weights and relevance (Chefer et al. 2021, "Generic
// Attention-model Explainability", Eq. 5), gradients by words, head importance (Michel et al. 2019); and, in a batch of
// passes, integrated gradients (Sundararajan et al. 2017, "Axiomatic Attribution for Deep Networks", Eq. 3).
#include "core/analysis/rollout.h"
#include "core/runs/analyse.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <utility>

namespace headlight {

namespace {

using torch::autograd::variable_list;

/// As arrays of words end: what the first stack reads is the source, also of a decoder alone.
const char* sideName(const Subject& subject, BlockKind stack) {
    return stack == BlockKind::Decoder && subject.network().translator ? "target" : "source";
}

/// Keeps what gradients are taken by.
class GradientProbe : public Probe {
public:
    torch::Tensor embedded(BlockKind stack, const torch::Tensor& vectors) override {
        return words[stack] = vectors.detach().requires_grad_();
    }
    torch::Tensor attended(const Attended& attended) override {
        weights[attended.kind].push_back(attended.weights);
        contexts[attended.kind].push_back(attended.context);
        return attended.context;
    }

    std::map<BlockKind, torch::Tensor> words;    ///< [1, T, W]
    std::map<BlockKind, variable_list> weights;  ///< of each layer, [1, H, Q, K]
    std::map<BlockKind, variable_list> contexts; ///< [1, H, Q, D]
};

/// Feeds the words scaled, a row of the batch each.
class ScaledProbe : public Probe {
public:
    /// @param scales [B]
    explicit ScaledProbe(torch::Tensor scales) : m_scales(std::move(scales)) {}

    torch::Tensor embedded(BlockKind stack, const torch::Tensor& vectors) override {
        const auto plain = vectors.narrow(0, 0, 1).detach();
        words[stack] = plain;
        return scaled[stack] = (plain * m_scales.view({-1, 1, 1})).requires_grad_(torch::GradMode::is_enabled());
    }

    std::map<BlockKind, torch::Tensor> words;  ///< [1, T, W]
    std::map<BlockKind, torch::Tensor> scaled; ///< [B, T, W]

private:
    torch::Tensor m_scales;
};

/// A gradient by each of these; 0 by what has none.
variable_list gradientsBy(const variable_list& inputs, const torch::Tensor& of, bool keepGraph) {
    auto found = torch::autograd::grad({of}, inputs, {}, keepGraph, false, true);
    for (std::size_t i = 0; i < found.size(); ++i)
        if (!found[i].defined())
            found[i] = torch::zeros_like(inputs[i]);
    return found;
}

template <class OfKind>
variable_list flattened(const OfKind& byKind) {
    variable_list all;
    for (const auto& [kind, values] : byKind)
        all.insert(all.end(), values.begin(), values.end());
    return all;
}

void addRelevance(const Subject& subject, const Spot& spot, Found& found) {
    const auto layers = [&](const char* kind) { return found.maps(std::string("relevance.layers.").append(kind)); };
    if (!subject.network().translator) {
        const auto* const kind = kindName(subject.speaker());
        const auto all = relevance(layers(kind));
        found.add(std::string("relevance.").append(kind), all);
        const auto row = all.row(static_cast<int>(spot.row));
        found.add("relevance.at_position", torch::tensor(std::vector<float>(row.begin(), row.end())));
        return;
    }
    const auto encoder = relevance(layers("encoder"));
    const auto decoder = relevance(layers("decoder"), layers("cross"), encoder);
    found.add("relevance.encoder", encoder);
    found.add("relevance.decoder", decoder.target);
    found.add("relevance.decoder_to_source", decoder.source);
    found.add("relevance.decoder_to_source_untransposed", decoder.untransposed);
}

} // namespace

void analyseGradients(const Subject& subject, bool gradient, bool importance, const Spot& spot, Found& found) {
    const torch::AutoGradMode gradients(true);
    GradientProbe probe;
    const auto said = subject.say(subject.read(&probe), spot.row)[0]; // [V]
    if (importance) {
        const auto all = flattened(probe.contexts);
        const auto loss = -torch::log_softmax(said, 0)[spot.token];
        const auto byContext = gradientsBy(all, loss, gradient);
        std::size_t next = 0;
        for (const auto& [kind, layers] : probe.contexts) {
            std::vector<torch::Tensor> signedSums;
            for (const auto& context : layers)
                signedSums.push_back((context * byContext[next++]).sum({0, 2, 3})); // [H]
            const auto sums = torch::stack(signedSums);
            found.add(std::string("head_importance_signed.").append(kindName(kind)), sums);
            found.add(std::string("head_importance.").append(kindName(kind)), sums.abs());
        }
        subject.checkStop();
    }
    if (!gradient)
        return;
    auto all = flattened(probe.weights);
    for (const auto& [stack, vectors] : probe.words)
        all.push_back(vectors);
    const auto by = gradientsBy(all, said[spot.token], false);
    std::size_t next = 0;
    const torch::NoGradGuard noGradients;
    for (const auto& [kind, layers] : probe.weights) {
        std::vector<torch::Tensor> products, means;
        for (const auto& weights : layers) {
            products.push_back((weights * by[next++])[0]); // [H, Q, K]
            means.push_back(products.back().clamp_min(0).mean(0));
        }
        found.add(std::string("gradient.attention.").append(kindName(kind)), torch::stack(products));
        found.add(std::string("relevance.layers.").append(kindName(kind)), torch::stack(means));
    }
    for (const auto& [stack, vectors] : probe.words) {
        const auto& slope = by[next++];
        const std::string side = sideName(subject, stack);
        found.add("gradient.l2." + side, slope[0].norm(2, -1));
        found.add("gradient.input_l2." + side, (vectors * slope)[0].norm(2, -1));
        found.add("gradient.input_dot." + side, (vectors * slope)[0].sum(-1));
    }
    addRelevance(subject, spot, found);
}

void analyseIntegrated(const Subject& subject, const Spot& spot, Found& found) {
    constexpr std::int64_t steps = 32;
    const auto logits = [&](Probe& probe) { return subject.say(subject.read(&probe), spot.row).select(1, spot.token); };
    const auto tokens = static_cast<std::int64_t>(std::max(subject.run().source.size(), subject.run().target.size()));
    const auto atOnce = std::clamp<std::int64_t>(mostTokensAtOnce / tokens, 1, steps);
    std::map<BlockKind, torch::Tensor> sums, words; // [T, W]
    for (std::int64_t first = 0; first < steps; first += atOnce) {
        const torch::AutoGradMode gradients(true);
        const auto count = std::min(atOnce, steps - first);
        ScaledProbe probe((torch::arange(first, first + count).to(torch::kFloat32) + 0.5) / steps);
        const auto sum = logits(probe).sum();
        subject.checkStop();
        const auto by = gradientsBy(
            [&] {
                variable_list all;
                for (const auto& [stack, scaled] : probe.scaled)
                    all.push_back(scaled);
                return all;
            }(),
            sum, false);
        std::size_t next = 0;
        for (const auto& [stack, vectors] : probe.words) {
            const auto slopes = by[next++].sum(0); // [T, W]
            sums[stack] = sums[stack].defined() ? sums[stack] + slopes : slopes;
            words[stack] = vectors[0];
        }
        subject.checkStop();
        found.tell(static_cast<double>(first + count) / steps);
    }
    double total = 0;
    for (const auto& [stack, slopes] : sums) {
        const auto parts = words[stack] * slopes / steps; // [T, W]
        const std::string side = sideName(subject, stack);
        found.add("integrated." + side, parts.sum(-1));
        found.add("integrated_l2." + side, parts.norm(2, -1));
        total += parts.sum().item<double>();
    }
    ScaledProbe ends(torch::tensor({1.0F, 0.0F}));
    const auto both = logits(ends);
    found.add("integrated.at_input", both.narrow(0, 0, 1));
    found.add("integrated.at_baseline", both.narrow(0, 1, 1));
    found.miss("integrated", "difference of the sum and at_input - at_baseline (completeness)",
               std::abs(total - (both[0] - both[1]).item<double>()));
}

} // namespace headlight
