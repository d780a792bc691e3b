#include "models/train/objective.h"

#include "core/error.h"
#include "core/text/special_tokens.h"

#include <torch/torch.h>

#include <algorithm>
#include <random>

namespace headlight {

namespace {

/// The logits are by far the widest tensor of an update. A few rows at a time, all that is computed of them stays in
/// the processor's cache; their gradient is made along with the loss, and nothing else is kept.
struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
    static torch::Tensor forward(torch::autograd::AutogradContext* graph, const torch::Tensor& logits,
                                 const torch::Tensor& expected, double smoothing) {
        constexpr std::int64_t rowsAtOnce = 64;
        const double share = smoothing / static_cast<double>(logits.size(1)); // of each token that is not expected
        const auto gradient = logits.requires_grad() ? torch::empty_like(logits) : torch::Tensor();
        const auto sum = torch::zeros({}, logits.options().dtype(torch::kFloat64));
        for (std::int64_t row = 0; row < logits.size(0); row += rowsAtOnce) {
            const auto rows = std::min(rowsAtOnce, logits.size(0) - row);
            auto chunk = torch::log_softmax(logits.narrow(0, row, rows).to(torch::kFloat32), 1);
            const auto places = expected.narrow(0, row, rows).unsqueeze(1);
            sum.sub_(chunk.gather(1, places).sum(), 1 - smoothing);
            if (smoothing > 0)
                sum.sub_(chunk.sum(), share);
            if (!gradient.defined())
                continue;
            chunk.exp_().sub_(share).scatter_add_(1, places, torch::full_like(places, smoothing - 1, chunk.options()));
            gradient.narrow(0, row, rows).copy_(chunk);
        }
        graph->save_for_backward({gradient});
        return sum;
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* graph,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = graph->get_saved_variables()[0];
        return {saved * gradients[0].to(saved.scalar_type()), torch::Tensor(), torch::Tensor()};
    }
};

class Translation : public Objective {
public:
    explicit Translation(Network network) : Objective(std::move(network)) {}

    Loss loss(const std::vector<IdPair>& pairs, const std::vector<std::size_t>& indices, torch::Device device,
              double smoothing, std::uint64_t) override {
        const auto& ids = network().ids;
        const auto batch = makeBatch(pairs, indices, ids, device);
        return {tokenLoss(*network().translator, batch, ids.pad, smoothing), batch.tokens, batch.tokens};
    }
};

/// Radford et al. 2018, equation 1: each token from those before it.
class NextToken : public Objective {
public:
    explicit NextToken(Network network) : Objective(std::move(network)) {}

    Loss loss(const std::vector<IdPair>& rows, const std::vector<std::size_t>& indices, torch::Device device,
              double smoothing, std::uint64_t) override {
        const auto ids = makeRows(rows, indices).to(device);
        const auto steps = ids.size(1) - 1;
        DecoderState fresh;
        const auto states = network().causal->decode(ids.narrow(1, 0, steps), fresh, Context()); // [B, S - 1, W]
        const auto logits = network().causal->logits(states.flatten(0, 1));                      // [B (S - 1), V]
        const auto count = ids.size(0) * steps;
        return {CrossEntropy::apply(logits, ids.narrow(1, 1, steps).flatten(), smoothing), count, count};
    }
};

class HiddenTokens : public Objective {
public:
    HiddenTokens(Network network, Masking masking) : Objective(std::move(network)), m_masking(std::move(masking)) {}

    Loss loss(const std::vector<IdPair>& rows, const std::vector<std::size_t>& indices, torch::Device device,
              double smoothing, std::uint64_t seed) override {
        const auto hidden = hideTokens(makeRows(rows, indices), m_masking, seed);
        const auto states = network().encoder->encode(hidden.ids.to(device), {}, {}, Context()); // [B, S, W]
        // The output layer is the widest of all: it reads what is to be guessed and nothing else.
        const auto chosen = states.flatten(0, 1).index_select(0, hidden.places.to(device)); // [N, W]
        return {CrossEntropy::apply(network().encoder->logits(chosen), hidden.expected.to(device), smoothing),
                hidden.places.size(0), hidden.ids.numel()};
    }

private:
    Masking m_masking;
};

} // namespace

Masking maskingOf(const Tokenizer& tokenizer, const Network& network) {
    const auto roles = tokenizer.roles();
    return {.mask = roles.mask.value_or(-1), .kept = idsOf(roles), .vocabulary = network.vocabulary};
}

MaskedRows hideTokens(const torch::Tensor& ids, const Masking& masking, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> share;
    std::uniform_int_distribution<std::int64_t> any(0, masking.vocabulary - 1);
    MaskedRows hidden{ids.clone(), {}, {}};
    auto* values = hidden.ids.data_ptr<std::int64_t>();
    std::vector<std::int64_t> candidates, places, expected;
    for (std::int64_t i = 0; i < ids.numel(); ++i)
        if (std::find(masking.kept.begin(), masking.kept.end(), values[i]) == masking.kept.end())
            candidates.push_back(i);
    for (const auto place : candidates)
        if (share(random) < masking.chosen)
            places.push_back(place);
    if (places.empty() && !candidates.empty())
        places.push_back(candidates[std::uniform_int_distribution<std::size_t>(0, candidates.size() - 1)(random)]);
    for (const auto place : places) {
        expected.push_back(values[place]);
        const double fate = share(random);
        if (fate < masking.masked)
            values[place] = masking.mask;
        else if (fate < masking.masked + masking.random)
            values[place] = any(random);
    }
    hidden.places = torch::tensor(places, torch::kInt64);
    hidden.expected = torch::tensor(expected, torch::kInt64);
    return hidden;
}

std::unique_ptr<Objective> makeObjective(Network network, Masking masking) {
    if (network.translator)
        return std::make_unique<Translation>(std::move(network));
    if (network.causal)
        return std::make_unique<NextToken>(std::move(network));
    if (network.encoder->head() != EncoderHead::MaskedLanguage)
        throw Error(Error::Kind::Unsupported, "the network", "is an encoder that guesses no hidden tokens",
                    "its config must name an architecture that ends in ForMaskedLM");
    if (masking.mask < 0)
        throw Error(Error::Kind::Mismatch, "the vocabulary", "has no token that hides another",
                    "a masked language model needs [MASK]");
    return std::make_unique<HiddenTokens>(std::move(network), std::move(masking));
}

torch::Tensor tokenLoss(SequenceToSequence& model, const Batch& batch, std::int64_t pad, double smoothing) {
    const Context unwatched;
    const auto memory = model.encode(batch.source, {}, unwatched);
    const auto states = model.decode(batch.targetIn, memory, unwatched); // [B, T, D]
    const auto expected = batch.targetOut.flatten();                     // [B T]
    // The output layer is the widest of all: it is spared the padding.
    const auto rows = expected.ne(pad).nonzero().squeeze(1);
    const auto logits = model.logits(states.flatten(0, 1).index_select(0, rows)); // [tokens, V]
    return CrossEntropy::apply(logits, expected.index_select(0, rows), smoothing);
}

double meanLoss(Objective& objective, const std::vector<IdPair>& pairs, torch::Device device) {
    torch::NoGradGuard noGradients;
    objective.network().module().eval();
    double sum = 0;
    std::int64_t tokens = 0;
    std::uint64_t seed = 0;
    for (const auto& indices : planBatches(pairs, evaluationTokens, 0)) {
        const auto loss = objective.loss(pairs, indices, device, 0, seed++);
        sum += loss.sum.item<double>();
        tokens += loss.predicted;
    }
    return tokens > 0 ? sum / static_cast<double>(tokens) : 0;
}

} // namespace headlight
