// What one watched pass is enough for: norms (Kobayashi et al. 2020, 2021), ALTI (Ferrando et al. 2022), the logit lens
// (nostalgebraist 2020), direct attribution (Elhage et al. 2021).
#include "core/nn/attention.h"
#include "core/runs/analyse.h"
#include "core/runs/budget.h"
#include "core/runs/open_model.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

namespace headlight {

namespace {

/// f(x_j) = (x_j W_V + b_V) W_O of each head, [H, K, W].
torch::Tensor valuesThroughOutput(const Probe::Attended& attended, const Subject& subject) {
    const auto heads = attended.weights.size(1), keyHeads = attended.values.size(1), size = attended.values.size(3);
    auto values = attended.values[0]; // [G, K, D]
    if (keyHeads < heads)
        values = values.repeat_interleave(heads / keyHeads, 0);                           // [H, K, D]
    const auto output = attended.module.output().weight().t().reshape({heads, size, -1}); // [H, D, W]
    auto vectors = torch::bmm(values, output);                                            // [H, K, W]
    for (std::int64_t head = 0; head < heads; ++head)
        if (subject.isOff(attended.kind, attended.layer, static_cast<int>(head)))
            vectors[head].zero_();
    return vectors;
}

/// The parts of a logit: vectors whose sum is the residual stream at one row, each with where it came from.
class Parts {
public:
    /// @param vectors [W] or [n, W]
    void add(std::string name, const torch::Tensor& vectors) {
        const bool one = vectors.dim() == 1;
        m_owners.push_back({std::move(name), one ? 1 : vectors.size(0), one});
        const auto rows = one ? vectors.unsqueeze(0) : vectors;
        m_vectors = m_vectors.defined() ? torch::cat({m_vectors, rows}) : rows;
    }
    /// All of them through a norm that sees `x`, [W], and what the norm adds itself.
    void pass(const Norm& norm, const torch::Tensor& x, std::string biasName) {
        m_vectors = norm.frozen(m_vectors, x);
        if (norm.bias().defined())
            add(std::move(biasName), norm.bias());
    }
    /// What each adds to the output whose row is `direction`, [W], layer by layer. @returns their sum
    double measure(const torch::Tensor& direction, Found& found) const {
        const auto values = torch::mv(m_vectors, direction);
        std::map<std::string, std::vector<torch::Tensor>> byName;
        std::int64_t first = 0;
        for (const auto& [name, count, one] : m_owners) {
            byName[name].push_back(one ? values[first] : values.narrow(0, first, count));
            first += count;
        }
        for (const auto& [name, layers] : byName)
            found.add(name, torch::stack(layers));
        return values.to(torch::kFloat64).sum().item<double>();
    }

private:
    struct Owner {
        std::string name;
        std::int64_t count;
        bool one;
    };
    std::vector<Owner> m_owners;
    torch::Tensor m_vectors; ///< [n, W]
};

class PassProbe : public Probe {
public:
    PassProbe(const Subject& subject, const Watched& watched, const Spot& spot, Found& found)
        : m_subject(subject), m_watched(watched), m_spot(spot), m_found(found) {}

    void input(const Input& input) override {
        if (!m_watched.direct || input.stack != m_subject.speaker())
            return;
        m_parts.add("direct.embedding.token", atRow(input.tokens));
        if (input.positions.defined())
            m_parts.add("direct.embedding.position", atRow(input.positions.expand_as(input.tokens)));
        if (input.norm)
            m_parts.pass(*input.norm, atRow(input.sums), "direct.embedding.norm_bias");
    }

    torch::Tensor stream(const Stream& stream) override {
        if (stream.stack != m_subject.speaker())
            return stream.states;
        if (m_watched.lens)
            m_streams.push_back(stream.states[0]);
        m_norm = stream.norm;
        m_projection = stream.projection;
        if (stream.layer == m_subject.layersOf(stream.stack)) {
            if (m_projection)
                m_noDirect = "a projection stands before its output layer";
            else if (m_watched.direct && m_norm)
                m_parts.pass(*m_norm, atRow(stream.states), "direct.final_norm_bias");
        }
        return stream.states;
    }

    torch::Tensor attended(const Attended& attended) override {
        if (m_watched.norms || m_watched.alti) {
            m_values = valuesThroughOutput(attended, m_subject);
            m_weights = attended.weights[0];
        }
        if (m_watched.direct && attended.kind != BlockKind::Encoder) {
            const auto heads = attended.context.size(1), size = attended.context.size(3);
            const auto output = attended.module.output().weight().t().reshape({heads, size, -1}); // [H, D, W]
            const auto context = attended.context[0].select(1, m_spot.row).unsqueeze(1);          // [H, 1, D]
            m_ofHeads = torch::bmm(context, output).squeeze(1);                                   // [H, W]
        }
        return attended.context;
    }

    void sublayer(const Sublayer& sublayer) override {
        if (!sublayer.feedForward && (m_watched.norms || m_watched.alti))
            decompose(sublayer);
        if (m_watched.direct && sublayer.kind != BlockKind::Encoder)
            attribute(sublayer);
        m_subject.checkStop();
    }

    void lens(const torch::Tensor& hidden) const;
    /// @returns why not
    std::string direct(const torch::Tensor& hidden);

private:
    torch::Tensor atRow(const torch::Tensor& states) const { return states[0][m_spot.row]; }
    void decompose(const Sublayer& sublayer);
    void attribute(const Sublayer& sublayer);
    torch::Tensor ended(const torch::Tensor& stream) const {
        const auto normed = m_norm ? m_norm->forward(stream) : stream;
        return m_projection ? m_projection->forward(normed) : normed;
    }

    const Subject& m_subject;
    Watched m_watched;
    Spot m_spot;
    Found& m_found;
    torch::Tensor m_weights;              ///< of the attention that is under way, [H, Q, K]
    torch::Tensor m_values;               ///< f(x), [H, K, W]
    torch::Tensor m_ofHeads;              ///< at the row, [H, W]
    std::vector<torch::Tensor> m_streams; ///< [T, W]
    const Norm* m_norm = nullptr;
    const Linear* m_projection = nullptr;
    Parts m_parts;
    std::string m_noDirect;
};

/// F_ij = sum over h of a_ij f(x_j), + x_i where i = j, and T_ij, that through the norm behind it as that norm saw the
/// whole: Kobayashi et al. 2021, Eq. 8; c_ij of Ferrando et al. 2022, Eq. 9, without the 1e-6 of the authors' program.
void PassProbe::decompose(const Sublayer& sublayer) {
    const std::string kind = kindName(sublayer.kind);
    const bool self = sublayer.kind != BlockKind::Cross;
    const auto queries = m_weights.size(1), keys = m_weights.size(2), width = m_values.size(2);
    if (m_watched.norms) {
        const auto lengths = m_values.norm(2, -1); // [H, K]
        m_found.addLayer("value_norms_unweighted." + kind, lengths);
        m_found.addLayer("value_norms." + kind, m_weights * lengths.unsqueeze(1));
    }
    const auto byKey = m_values.transpose(0, 1).contiguous(); // [K, H, W]
    const auto stepSize = std::max<std::int64_t>(1, mostPartsAtOnce / std::max<std::int64_t>(1, keys * width));
    std::vector<torch::Tensor> summed, residuals, own, mixing, alti, altiOwn;
    for (std::int64_t first = 0; first < queries; first += stepSize) {
        m_subject.checkStop();
        const auto count = std::min(stepSize, queries - first);
        const auto rows = [&](const torch::Tensor& states) { return states[0].narrow(0, first, count); };
        const auto given = rows(sublayer.given), residual = rows(sublayer.residual), output = rows(sublayer.output);
        auto parts = torch::bmm(m_weights.narrow(1, first, count).permute({2, 1, 0}), byKey); // [K, n, W]
        if (m_watched.norms)
            summed.push_back(parts.norm(2, -1).t());
        if (sublayer.after)
            parts = sublayer.after->frozen(parts, given);
        auto bias = sublayer.bias.defined() ? sublayer.bias.expand_as(given) : torch::zeros_like(given);
        if (sublayer.after) {
            bias = sublayer.after->frozen(bias, given);
            if (sublayer.after->bias().defined())
                bias = bias + sublayer.after->bias();
        }
        const auto places = torch::arange(count);
        if (self)
            parts.index_put_({places + first, places}, residual, true);
        auto beside = residual; // [n, W]
        if (sublayer.norm) {
            const auto whole = residual + given;
            parts = sublayer.norm->frozen(parts, whole);
            beside = sublayer.norm->frozen(residual, whole);
            bias = sublayer.norm->frozen(bias, whole);
            if (sublayer.norm->bias().defined())
                bias = bias + sublayer.norm->bias();
        }
        const auto all = parts.sum(0); // [n, W]
        m_found.miss("residual_norms." + kind, "largest difference of the parts' sum and the block's output",
                     ((self ? all : all + beside) + bias - output).abs().max().item<double>());
        if (m_watched.norms) {
            residuals.push_back(parts.norm(2, -1).t());
            const auto mine = self ? parts.index({places + first, places}) : beside;
            const auto others = (self ? all - mine : all).norm(2, -1), mineLength = mine.norm(2, -1);
            own.push_back(mineLength);
            mixing.push_back(others / (others + mineLength));
        }
        if (m_watched.alti) {
            const auto length = output.abs().sum(-1); // [n]
            const auto near = [&](const torch::Tensor& part) {
                return (length - (output - part).abs().sum(-1)).clamp_min(0);
            };
            auto shares = near(parts).t(); // [n, K]
            auto mine = self ? torch::zeros_like(length) : near(beside);
            const auto sum = shares.sum(-1) + mine;
            const auto divisor = torch::where(sum > 0, sum, torch::ones_like(sum));
            alti.push_back(shares / divisor.unsqueeze(-1));
            altiOwn.push_back(mine / divisor);
        }
    }
    if (m_watched.norms) {
        m_found.addLayer("value_norms_heads_summed." + kind, torch::cat(summed));
        m_found.addLayer("residual_norms." + kind, torch::cat(residuals));
        if (!self)
            m_found.addLayer("residual_norms_residual." + kind, torch::cat(own));
        m_found.addLayer("mixing_ratio." + kind, torch::cat(mixing));
    }
    if (m_watched.alti) {
        m_found.addLayer("alti." + kind, torch::cat(alti));
        if (!self)
            m_found.addLayer("alti_residual." + kind, torch::cat(altiOwn));
    }
}

void PassProbe::attribute(const Sublayer& sublayer) {
    const std::string kind = kindName(sublayer.kind);
    if (!sublayer.residual.is_same(sublayer.states))
        m_noDirect = "its layers add to what their norms give";
    const auto given = atRow(sublayer.given);
    const auto bias = sublayer.bias.defined() ? sublayer.bias : torch::zeros_like(given);
    const auto add = [&](const std::string& name, const torch::Tensor& vectors) {
        m_parts.add(name, sublayer.after ? sublayer.after->frozen(vectors, given) : vectors);
    };
    if (sublayer.feedForward) {
        add("direct.mlp", given - bias);
        add("direct.mlp_bias", bias);
    } else {
        add("direct.heads." + kind, m_ofHeads);
        add("direct.attention_bias." + kind, bias);
    }
    const auto biasName = "direct.norm_bias." + (sublayer.feedForward ? std::string("mlp") : kind);
    if (sublayer.after && sublayer.after->bias().defined())
        m_parts.add(biasName, sublayer.after->bias());
    if (sublayer.norm)
        m_parts.pass(*sublayer.norm, atRow(sublayer.residual) + given, biasName);
}

void PassProbe::lens(const torch::Tensor& hidden) const {
    const auto rows = m_streams.front().size(0), vocabulary = m_subject.network().vocabulary;
    const auto layers = static_cast<std::int64_t>(m_streams.size());
    const auto kept = std::min<std::int64_t>(5, vocabulary), atOnce = rowsAtOnce(vocabulary);
    const std::array<std::int64_t, 2> told{m_spot.row, std::min<std::int64_t>(2, rows - 1)};
    const auto ids = torch::empty({layers, rows, kept}), probabilities = torch::empty({layers, rows, kept});
    const auto ranks = torch::empty({layers, rows});
    std::vector<torch::Tensor> streams; // the last layer first: the others' ranks are of what it says
    for (auto stream = m_streams.rbegin(); stream != m_streams.rend(); ++stream)
        streams.push_back(ended(*stream));
    const auto read = torch::cat(streams);                          // [(L + 1) T, W]
    torch::Tensor whole;                                            // [L + 1, 2, V]
    std::vector<std::int64_t> last(static_cast<std::size_t>(rows)); // what it says in the end
    for (std::int64_t first = 0; first < layers * rows; first += atOnce) {
        m_subject.checkStop();
        const auto count = std::min(atOnce, layers * rows - first);
        const auto logits = m_subject.sayTokens(read.narrow(0, first, count)).contiguous(); // [n, V]
        const auto sums = torch::logsumexp(logits, -1);                                     // [n]
        if (!whole.defined())
            whole = torch::empty({layers, 2, logits.size(1)});
        for (std::int64_t i = 0; i < count; ++i) {
            const auto layer = layers - 1 - (first + i) / rows, row = (first + i) % rows;
            const std::span values(logits.data_ptr<float>() + i * logits.size(1),
                                   static_cast<std::size_t>(logits.size(1)));
            const float sum = sums.data_ptr<float>()[i];
            const auto best = mostProbable(values, static_cast<int>(kept));
            const auto cell = (layer * rows + row) * kept;
            for (std::int64_t k = 0; k < kept; ++k) {
                const auto id = best[static_cast<std::size_t>(k)];
                ids.data_ptr<float>()[cell + k] = static_cast<float>(id);
                probabilities.data_ptr<float>()[cell + k] = std::exp(values[static_cast<std::size_t>(id)] - sum);
            }
            auto& said = last[static_cast<std::size_t>(row)];
            if (layer == layers - 1)
                said = best.front();
            const float final = values[static_cast<std::size_t>(said)];
            ranks.data_ptr<float>()[layer * rows + row] = static_cast<float>(
                std::count_if(values.begin(), values.end(), [&](float value) { return value > final; }));
            for (std::size_t k = 0; k < told.size(); ++k)
                if (told[k] == row)
                    whole[layer][static_cast<std::int64_t>(k)].copy_(logits[i] - sums[i]);
        }
    }
    const auto output = torch::log_softmax(m_subject.say(hidden, m_spot.row)[0], -1);
    m_found.miss("logit_lens", "largest difference of the last row and the model's own log probabilities",
                 (whole[layers - 1][0] - output).abs().max().item<double>());
    m_found.add("logit_lens.top5_ids", ids);
    m_found.add("logit_lens.top5_probabilities", probabilities);
    m_found.add("logit_lens.final_rank", ranks);
    m_found.add("logit_lens.log_probabilities", whole);
}

std::string PassProbe::direct(const torch::Tensor& hidden) {
    if (!m_noDirect.empty())
        return m_noDirect;
    torch::Tensor direction; // of the output layer, for that token, [W]
    double logit = 0;
    {
        const torch::AutoGradMode gradients(true);
        const auto read = hidden.narrow(1, m_spot.row, 1).detach().clone().requires_grad_();
        const auto said = m_subject.say(read, 0)[0][m_spot.token];
        direction = torch::autograd::grad({said}, {read}).front()[0][0];
        logit = said.item<double>();
    }
    const auto nothing = torch::zeros_like(hidden.narrow(1, 0, 1));
    const double bias = m_subject.say(nothing, 0)[0][m_spot.token].item<double>();
    const double linear = torch::dot(direction, hidden[0][m_spot.row]).item<double>();
    if (std::abs(linear + bias - logit) > 1e-3 * std::max(1.0, std::abs(logit)))
        return "its output layer is not linear (capped, or a head of several layers), so no logit is a sum of parts";
    const double sum = m_parts.measure(direction, m_found) + bias;
    m_found.add("direct.output_bias", torch::tensor({static_cast<float>(bias)}));
    m_found.add("direct.logit", torch::tensor({static_cast<float>(logit)}));
    m_found.miss("direct", "difference of the parts' sum and the logit", std::abs(sum - logit));
    return {};
}

} // namespace

std::string analysePass(const Subject& subject, const Watched& watched, const Spot& spot, Found& found) {
    PassProbe probe(subject, watched, spot, found);
    const auto hidden = subject.read(&probe);
    found.addLayered();
    if (watched.lens)
        probe.lens(hidden);
    return watched.direct ? probe.direct(hidden) : std::string();
}

} // namespace headlight
