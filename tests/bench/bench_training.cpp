// What one training update costs, beside the same architecture written plainly on torch::nn's own modules: in float32,
// and ours in bfloat16 too. Batches of 2000 target tokens, sentences of 30 tokens, the sizes of the bundled models.
// FLOP/s counts the products with weights alone, there and back, to be held against those of one large product.
#include "core/families/family.h"
#include "core/nn/networks.h"
#include "models/train/batches.h"
#include "models/train/objective.h"
#include "models/train/trainer.h"

#include <torch/torch.h>

#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

namespace headlight {

namespace {

constexpr std::int64_t vocabulary = 8001, width = 256, hidden = 384, alignment = 256, feedForward = 768, heads = 8,
                       layers = 3, length = 30, sentences = 66;

Batch randomBatch() {
    Batch batch;
    const auto ids = [] { return torch::randint(2, vocabulary - 1, {sentences, length}, torch::kInt64); };
    batch.source = ids();
    batch.targetIn = ids();
    batch.targetOut = ids();
    batch.tokens = sentences * length;
    return batch;
}

/// RNNsearch as one would write it: torch::nn::GRU, torch::nn::GRUCell and the steps in a loop.
struct PlainAdditiveImpl : torch::nn::Module {
    PlainAdditiveImpl() {
        register_module("embedding", embedding);
        register_module("encoder", encoder);
        register_module("initial", initial);
        register_module("w", w);
        register_module("u", u);
        register_module("v", v);
        register_module("decoder", decoder);
        register_module("readout", readout);
        register_module("output", output);
    }
    torch::Tensor forward(const Batch& batch) {
        const auto states = std::get<0>(encoder(embedding(batch.source)));
        auto state = torch::tanh(initial(states.select(1, 0).narrow(1, hidden, hidden)));
        const auto keys = u(states);
        const auto tokens = embedding(batch.targetIn);
        std::vector<torch::Tensor> decoded;
        for (std::int64_t t = 0; t < length; ++t) {
            const auto energies = v(torch::tanh(w(state).unsqueeze(1) + keys)).squeeze(2);
            const auto context = torch::bmm(torch::softmax(energies, 1).unsqueeze(1), states).squeeze(1);
            const auto token = tokens.select(1, t);
            state = decoder(torch::cat({token, context}, 1), state);
            decoded.push_back(torch::cat({state, token, context}, 1));
        }
        const auto pairs = readout(torch::stack(decoded, 1)).view({sentences, length, width, 2});
        return output(std::get<0>(pairs.max(-1)));
    }
    torch::nn::Embedding embedding{vocabulary, width};
    torch::nn::GRU encoder{torch::nn::GRUOptions(width, hidden).batch_first(true).bidirectional(true)};
    torch::nn::Linear initial{hidden, hidden}, w{hidden, alignment}, u{2 * hidden, alignment}, v{alignment, 1};
    torch::nn::GRUCell decoder{width + 2 * hidden, hidden};
    torch::nn::Linear readout{hidden + width + 2 * hidden, 2 * width}, output{width, vocabulary};
};
TORCH_MODULE(PlainAdditive);

struct PlainTransformerImpl : torch::nn::Module {
    PlainTransformerImpl() {
        register_module("embedding", embedding);
        register_module("transformer", transformer);
        register_module("output", output);
    }
    torch::Tensor forward(const Batch& batch) {
        const auto mask = torch::nn::TransformerImpl::generate_square_subsequent_mask(length);
        const auto source = embedding(batch.source).transpose(0, 1), target = embedding(batch.targetIn).transpose(0, 1);
        return output(transformer(source, target, torch::Tensor(), mask)).transpose(0, 1);
    }
    torch::nn::Embedding embedding{vocabulary, width};
    torch::nn::Transformer transformer{
        torch::nn::TransformerOptions(width, heads, layers, layers).dim_feedforward(feedForward).dropout(0.1)};
    torch::nn::Linear output{width, vocabulary};
};
TORCH_MODULE(PlainTransformer);

nlohmann::json configOf(bool transformer) {
    nlohmann::json config{{"vocab_size", vocabulary},
                          {"pad_token_id", vocabulary - 1},
                          {"eos_token_id", 0},
                          {"decoder_start_token_id", vocabulary - 1},
                          {"max_position_embeddings", 256},
                          {"dropout", 0.1}};
    if (transformer)
        config.update({{"model_type", "marian"},
                       {"d_model", width},
                       {"encoder_layers", layers},
                       {"decoder_layers", layers},
                       {"encoder_attention_heads", heads},
                       {"decoder_attention_heads", heads},
                       {"encoder_ffn_dim", feedForward},
                       {"decoder_ffn_dim", feedForward},
                       {"activation_function", "relu"},
                       {"scale_embedding", true}});
    else
        config.update({{"model_type", "headlight_recurrent"},
                       {"attention", "additive"},
                       {"embedding_size", width},
                       {"hidden_size", hidden},
                       {"alignment_size", alignment}});
    return config;
}

/// @param operations of one iteration
void countOperations(benchmark::State& state, double operations) {
    state.counters["FLOP"] =
        benchmark::Counter(operations * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// @param hasOutput whether the output layer has a matrix of its own beside the embedding
void measure(benchmark::State& state, torch::nn::Module& module, bool hasOutput,
             const std::function<torch::Tensor(const Batch&)>& loss) {
    torch::manual_seed(1);
    module.train();
    torch::optim::Adam adam(module.parameters(), torch::optim::AdamOptions(1e-3));
    const auto batch = randomBatch();
    for (auto _ : state) {
        adam.zero_grad();
        (loss(batch) / batch.tokens).backward();
        torch::nn::utils::clip_grad_norm_(module.parameters(), 1);
        adam.step();
    }
    state.SetItemsProcessed(state.iterations() * batch.tokens); // target tokens
    // Each weight of a product is one multiplication and one addition, and twice as many on the way back.
    std::int64_t weights = 0;
    for (const auto& parameter : module.named_parameters())
        if (parameter.value().dim() == 2 && !(hasOutput && parameter.key() == "embedding.weight"))
            weights += parameter.value().numel();
    countOperations(state, 6.0 * static_cast<double>(weights * batch.tokens));
}

void ours(benchmark::State& state, bool transformer, bool bfloat16) {
    const ModelConfig config(configOf(transformer), "the benchmark");
    const auto network = findFamily(config).build(config, nullptr);
    measure(state, *network.translator, false, [&](const Batch& batch) {
        const MixedPrecision precision(torch::kCPU, bfloat16);
        return tokenLoss(*network.translator, batch, network.ids.pad, 0.1);
    });
}

template <class Module>
void plain(benchmark::State& state) {
    Module module;
    measure(state, *module, true, [&](const Batch& batch) {
        return torch::nn::functional::cross_entropy(
            module(batch).flatten(0, 1), batch.targetOut.flatten(),
            torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum).label_smoothing(0.1));
    });
}

/// What the processor can do at most: the product of a feed-forward layer's size.
void product(benchmark::State& state, torch::ScalarType type) {
    const auto inputs = torch::randn({sentences * length, feedForward}).to(type);
    const auto weights = torch::randn({feedForward, feedForward}).to(type);
    for (auto _ : state)
        benchmark::DoNotOptimize(torch::mm(inputs, weights));
    countOperations(state, 2.0 * sentences * length * feedForward * feedForward);
}

const auto registered = [] {
    keepFreedMemory();
    benchmark::RegisterBenchmark("train/product/float32", product, torch::kFloat32);
    benchmark::RegisterBenchmark("train/product/bfloat16", product, torch::kBFloat16);
    for (const bool transformer : {false, true}) {
        const std::string name = transformer ? "train/transformer/" : "train/additive/";
        const auto add = [&](const char* how, auto run) {
            return benchmark::RegisterBenchmark((name + how).c_str(), run)
                ->Unit(benchmark::kMillisecond)
                ->Iterations(6);
        };
        add("plain", transformer ? plain<PlainTransformer> : plain<PlainAdditive>);
        add("float32", [transformer](benchmark::State& state) { ours(state, transformer, false); });
        add("bfloat16", [transformer](benchmark::State& state) { ours(state, transformer, true); });
    }
    return true;
}();

} // namespace

} // namespace headlight
