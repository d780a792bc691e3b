// What the weights of heads do, whatever the text: copying and composition (Elhage et al. 2021, "A Mathematical
// Framework for Transformer Circuits"); and what heads do on a text that says ids by chance again (Olsson et al. 2022).
// Matrices act on rows here: x W; theirs act on columns, so products read the other way round.
#include "core/analysis/head_metrics.h"
#include "core/analysis/repeats.h"
#include "core/nn/attention.h"
#include "core/runs/analyse.h"

#include <torch/types.h>

#include <array>
#include <functional>
#include <utility>

namespace headlight {

namespace {

/// One layer's heads: [H, W, D], output [H, D, W].
struct Matrices {
    torch::Tensor query;
    torch::Tensor key;
    torch::Tensor value;
    torch::Tensor output;
};

/// Less its mean over the width, which a layer norm takes away.
torch::Tensor centred(const torch::Tensor& matrix, int dimension) {
    return matrix - matrix.mean(dimension, true);
}

/// With the norm before the attention, and that of what reads it, multiplied in.
Matrices folded(const Matrices& plain, const torch::Tensor& scale) {
    const auto into = [&](const torch::Tensor& matrix) { return centred(matrix * scale.unsqueeze(-1), 1); };
    return {into(plain.query), into(plain.key), into(plain.value), centred(plain.output, 2)};
}

class WeightsProbe : public Probe {
public:
    torch::Tensor attended(const Attended& attended) override {
        const auto heads = attended.weights.size(1);
        const auto byHead = [&](const Linear& linear) {
            const auto weight = linear.weight(); // [G D, W]
            const auto size = attended.values.size(3);
            auto matrices = weight.reshape({-1, size, weight.size(1)}).transpose(1, 2); // [G, W, D]
            return heads > matrices.size(0) ? matrices.repeat_interleave(heads / matrices.size(0), 0) : matrices;
        };
        const auto& module = attended.module;
        const auto output = module.output().weight(); // [W, H D]
        blocks[attended.kind].push_back({byHead(module.queries()), byHead(module.keys()), byHead(module.values()),
                                         output.t().reshape({heads, -1, output.size(0)})});
        return attended.context;
    }
    void sublayer(const Sublayer& sublayer) override {
        if (!sublayer.feedForward)
            norms[sublayer.kind].push_back(sublayer.before);
    }
    torch::Tensor stream(const Stream& stream) override {
        last = stream.norm;
        return stream.states;
    }

    std::map<BlockKind, std::vector<Matrices>> blocks;
    std::map<BlockKind, std::vector<const Norm*>> norms; ///< before each attention; null: none
    const Norm* last = nullptr;
};

/// sum Re(l) / sum |l| over the eigenvalues of each matrix, [H, D, D] -> [H].
torch::Tensor positiveShare(const torch::Tensor& matrices) {
    const auto values = torch::linalg_eigvals(matrices.to(torch::kFloat64));
    return torch::real(values).sum(-1) / values.abs().sum(-1);
}

/// |A M B| in the Frobenius norm where A and B are known by A^T A and B B^T, of every pair of heads.
/// @param left [H1, D, D] @param middle [H1, H2, D, D] @param right [H2, D, D]
torch::Tensor lengthOf(const torch::Tensor& left, const torch::Tensor& middle, const torch::Tensor& right) {
    return (torch::matmul(left.unsqueeze(1), middle) * torch::matmul(middle, right.unsqueeze(0)))
        .sum({-2, -1})
        .clamp_min(0)
        .sqrt();
}

/// How much of what one layer's heads write another's read, over pairs of heads.
void addComposition(const Subject& subject, const std::vector<Matrices>& layers, const std::string& name,
                    const std::string& kind, Found& found) {
    const auto count = static_cast<std::int64_t>(layers.size()), heads = layers.front().query.size(0);
    std::vector<Matrices> grams; // W^T W, of outputs W W^T, [H, D, D]
    std::vector<torch::Tensor> ovLengths, qkLengths;
    const auto gram = [](const torch::Tensor& matrix) {
        const auto exact = matrix.to(torch::kFloat64);
        return torch::matmul(exact.transpose(1, 2), exact);
    };
    for (const auto& layer : layers) {
        const auto& own = grams.emplace_back(
            Matrices{gram(layer.query), gram(layer.key), gram(layer.value), gram(layer.output.transpose(1, 2))});
        ovLengths.push_back((own.value * own.output).sum({-2, -1}).sqrt());
        qkLengths.push_back((own.query * own.key).sum({-2, -1}).sqrt());
    }
    const auto empty = [&] { return torch::zeros({count, heads, count, heads}, torch::kFloat64); };
    const std::array all{empty(), empty(), empty()};
    for (std::int64_t first = 0; first < count; ++first) {
        for (std::int64_t second = first + 1; second < count; ++second) {
            subject.checkStop();
            const auto& from = layers[static_cast<std::size_t>(first)];
            const auto& to = layers[static_cast<std::size_t>(second)];
            const auto& fromGram = grams[static_cast<std::size_t>(first)];
            const auto& toGram = grams[static_cast<std::size_t>(second)];
            const auto size = from.output.size(1);
            /// O1 R of each pair of heads, [H1, H2, D, D]
            const auto meets = [&](const torch::Tensor& reading) {
                const auto width = reading.size(1);
                const auto outputs = from.output.reshape({heads * size, width});
                const auto inputs = reading.transpose(0, 1).reshape({width, heads * size}); // [W, H2 D]
                return torch::matmul(outputs, inputs)
                    .view({heads, size, heads, size})
                    .transpose(1, 2)
                    .to(torch::kFloat64);
            };
            const std::array lengths{lengthOf(fromGram.value, meets(to.query), toGram.key),
                                     lengthOf(fromGram.value, meets(to.key), toGram.query),
                                     lengthOf(fromGram.value, meets(to.value), toGram.output)};
            for (std::size_t i = 0; i < lengths.size(); ++i) {
                const auto& reader = (i < 2 ? qkLengths : ovLengths)[static_cast<std::size_t>(second)];
                all[i].select(0, first).select(1, second).copy_(
                    lengths[i] / (ovLengths[static_cast<std::size_t>(first)].unsqueeze(1) * reader.unsqueeze(0)));
            }
        }
        found.tell(static_cast<double>(first) / static_cast<double>(count));
    }
    constexpr std::array names{".q.", ".k.", ".v."};
    for (std::size_t i = 0; i < names.size(); ++i)
        found.add(std::string(name).append(names[i]).append(kind), all[i]);
}

} // namespace

void analyseCircuits(const Subject& subject, Found& found) {
    WeightsProbe probe;
    subject.read(&probe);
    for (const auto& [kind, layers] : probe.blocks) {
        std::vector<torch::Tensor> shares;
        for (const auto& layer : layers) {
            shares.push_back(positiveShare(torch::matmul(layer.output, layer.value)));
            subject.checkStop();
        }
        found.add(std::string("copying.ov.").append(kindName(kind)), torch::stack(shares));
        if (kind != BlockKind::Cross)
            addComposition(subject, layers, "composition", kindName(kind), found);
    }
    if (!subject.network().causal || !subject.saysTokens())
        return;
    // The V eigenvalues of W_E W_V W_O W_U are, but for zeros, the D of W_O W_U W_E W_V.
    const auto parameters = subject.network().module().named_parameters();
    const auto& embedding = *parameters.find("shared.weight"); // [V, W]
    const auto* const untied = parameters.find("lm_head.weight");
    const auto& layers = probe.blocks.begin()->second;
    if (embedding.size(1) != layers.front().output.size(2))
        return; // another width, by a projection that is not a circuit's
    const auto through = torch::matmul((untied ? *untied : embedding).t(), embedding).to(torch::kFloat64); // [W, W]
    const auto shareOf = [&](const torch::Tensor& output, const torch::Tensor& value) {
        subject.checkStop();
        return positiveShare(
            torch::matmul(torch::matmul(output.to(torch::kFloat64), through), value.to(torch::kFloat64)));
    };
    const auto& norms = probe.norms.begin()->second;
    bool folds = probe.last && probe.last->kind() == NormKind::LayerNorm;
    for (const auto* norm : norms)
        folds = folds && norm && norm->kind() == NormKind::LayerNorm;
    std::vector<Matrices> foldedLayers;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        found.addLayer("copying.full", shareOf(layers[layer].output, layers[layer].value));
        if (!folds)
            continue;
        const auto& own = foldedLayers.emplace_back(folded(layers[layer], norms[layer]->scale()));
        found.addLayer("copying.full_folded", shareOf(own.output * probe.last->scale(), own.value));
    }
    found.addLayered();
    if (folds)
        addComposition(subject, foldedLayers, "composition_folded", kindName(subject.speaker()), found);
}

void analyseRepeats(const Subject& subject, const std::vector<std::int64_t>& ids, int start, Found& found) {
    /// The attention to a text that says the first of the ids so many times.
    const auto attention = [&](std::size_t length, int times) {
        Trace text;
        for (int i = 0; i < start; ++i)
            text.target.push_back(subject.rows()[static_cast<std::size_t>(i)]);
        for (int time = 0; time < times; ++time)
            for (std::size_t i = 0; i < length; ++i)
                text.target.emplace_back().id = ids[i];
        Watch watch(Recording{}, subject.layersOf(BlockKind::Decoder));
        DecoderState fresh;
        std::vector<std::int64_t> all;
        for (const auto& token : text.target)
            all.push_back(token.id);
        const Context context{.watch = &watch, .stop = subject.stop()};
        subject.network().causal->decode(torch::tensor(all, torch::kInt64).unsqueeze(0), fresh, context);
        watch.freeze(text);
        subject.checkStop();
        return std::pair(std::move(*text.decoder), std::move(text.target));
    };
    const auto each = [&](const AttentionBlock& block, const auto& measure) {
        std::vector<float> values;
        for (int layer = 0; layer < block.layers; ++layer)
            for (int head = 0; head < block.heads; ++head)
                values.push_back(measure(Layer(layer), Head(head)));
        return torch::tensor(values).view({block.layers, block.heads});
    };
    const auto twiceLength = ids.size();
    const auto readTwice = attention(twiceLength, 2);
    const auto& twice = readTwice.first;
    const Repeats saidTwice{start, static_cast<int>(twiceLength), 2};
    const auto add = [&](const char* name, const AttentionBlock& block, const Repeats& text,
                         float RepeatScores::*score) {
        found.add(std::string("repeat.").append(name),
                  each(block, [&](Layer layer, Head head) { return repeatScores(block, layer, head, text).*score; }));
    };
    add("induction", twice, saidTwice, &RepeatScores::induction);
    add("duplicate_token", twice, saidTwice, &RepeatScores::duplicate);
    add("induction_whole_diagonal", twice, saidTwice, &RepeatScores::wholeDiagonal);
    const auto metrics = blockMetrics(twice, readTwice.second);
    const auto addMeasure = [&](const char* name, HeadMeasure measure) {
        found.add(std::string("repeat.").append(name), each(twice, [&](Layer layer, Head head) {
                      return measured(metrics[layer.offset()][head.offset()], measure).value_or(0);
                  }));
    };
    addMeasure("previous", HeadMeasure::Previous);
    addMeasure("first", HeadMeasure::First);
    addMeasure("self", HeadMeasure::Self);
    const bool fits = start + 4 * std::ssize(ids) <= subject.network().maxPositions;
    const auto fourLength = fits ? twiceLength : std::max<std::size_t>(1, twiceLength / 2);
    const auto four = attention(fourLength, 4).first;
    const Repeats saidFourTimes{start, static_cast<int>(fourLength), 4};
    add("prefix_matching", four, saidFourTimes, &RepeatScores::prefixMass);
    add("prefix_matching_mean_cell", four, saidFourTimes, &RepeatScores::prefixCell);
}

} // namespace headlight
