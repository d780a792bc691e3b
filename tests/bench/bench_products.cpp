// What a pass costs beside what it cannot do without: its matrix products, the reading of its weights.
#include "tests/bench/bench.h"

#include "core/families/family.h"
#include "core/nn/layers.h"
#include "core/nn/networks.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

namespace headlight {

namespace {

Network networkOf(const std::filesystem::path& folder) {
    return openNetwork(ModelConfig::open(folder), Weights::open(folder));
}

torch::Tensor someIds(const Network& network, std::int64_t tokens) {
    return torch::randint(1, network.vocabulary, {1, tokens}, torch::kInt64);
}

/// The products of a run over so many tokens alone: with each weight, q, k and v in one, and those of attention.
class Products {
public:
    Products(const Network& network, std::int64_t tokens) {
        const auto saysOfEach = !network.encoder || network.encoder->head() == EncoderHead::MaskedLanguage;
        for (const auto& parameter : network.module().named_parameters()) {
            const auto& name = parameter.key();
            const auto& weight = parameter.value();
            const auto isTable = name.ends_with("embed_positions.weight") || name.starts_with("token_types")
                                 || (name == "shared.weight" && !saysOfEach);
            if (weight.dim() != 2 || isTable || name.ends_with("k_proj.weight") || name.ends_with("v_proj.weight"))
                continue;
            // q, k and v lie side by side.
            const auto outputs = name.ends_with("q_proj.weight") ? weight.stride(1) : weight.size(0);
            auto matrix =
                weight.stride(0) == 1 ? weight.as_strided({outputs, weight.size(1)}, weight.strides()) : weight;
            m_parts.push_back({torch::randn({tokens, weight.size(1)}), matrix.t(), torch::randn({outputs})});
        }
        const auto layers = network.encoderLayers + network.decoderLayers + network.crossLayers;
        for (int layer = 0; layer < layers; ++layer) {
            m_queries.push_back(torch::randn({network.heads, tokens, network.headSize}));
            m_maps.push_back(torch::randn({network.heads, tokens, tokens}));
        }
    }
    void run() {
        for (const auto& part : m_parts)
            benchmark::DoNotOptimize(torch::addmm(part.bias, part.inputs, part.matrix));
        for (std::size_t layer = 0; layer < m_queries.size(); ++layer) {
            torch::bmm_out(m_maps[layer], m_queries[layer], m_queries[layer].transpose(1, 2));
            benchmark::DoNotOptimize(torch::bmm(m_maps[layer], m_queries[layer]));
        }
    }

private:
    struct Part {
        torch::Tensor inputs, matrix, bias;
    };
    std::vector<Part> m_parts;
    std::vector<torch::Tensor> m_queries, m_maps;
};

/// A watched pass over so many tokens, its head included, beside its products alone.
void forward(benchmark::State& state, const std::filesystem::path& folder) {
    torch::NoGradGuard noGradients;
    const auto network = networkOf(folder);
    const auto tokens = std::min<std::int64_t>(state.range(0), network.maxPositions);
    const auto ids = someIds(network, tokens);
    Products products(network, tokens);
    measureBoth(
        state, [] {},
        [&] {
            Watch watch({}, std::max({network.encoderLayers, network.decoderLayers, network.crossLayers}));
            const Context context{&watch, {}};
            torch::Tensor hidden;
            if (network.encoder) {
                hidden = network.encoder->encode(ids, {}, {}, context);
                if (network.encoder->head() == EncoderHead::MaskedLanguage)
                    benchmark::DoNotOptimize(network.encoder->logits(hidden));
            } else if (network.causal) {
                DecoderState fresh;
                hidden = network.causal->decode(ids, fresh, context);
                benchmark::DoNotOptimize(network.causal->logits(hidden));
            } else {
                hidden = network.translator->decode(ids, network.translator->encode(ids, {}, context), context);
                benchmark::DoNotOptimize(network.translator->logits(hidden));
            }
        },
        [&] { products.run(); });
}

/// One step of greedy decoding beside reading once the weights that it multiplies with.
void decode(benchmark::State& state, const std::filesystem::path& folder) {
    torch::NoGradGuard noGradients;
    const auto network = networkOf(folder);
    auto& model = *network.translator;
    const auto memory = model.encode(someIds(network, 16), {}, {});
    std::vector<std::pair<torch::Tensor, torch::Tensor>> read; // weight and input
    for (const auto& parameter : network.module().named_parameters()) {
        const auto& name = parameter.key();
        const bool ofEncoder = name.starts_with("encoder.") || name.find("encoder_attn.k_proj") != std::string::npos
                               || name.find("encoder_attn.v_proj") != std::string::npos
                               || name.starts_with("attention.u") || name.starts_with("initial")
                               || name.ends_with("embed_positions.weight");
        if (parameter.value().dim() == 2 && !ofEncoder)
            read.emplace_back(parameter.value(), torch::randn({parameter.value().size(1)}));
    }
    auto carried = model.start(memory);
    const auto last = torch::ones({1}, torch::kInt64);
    measureBoth(
        state,
        [&] {
            if (carried.steps > 24)
                carried = model.start(memory);
        },
        [&] { benchmark::DoNotOptimize(model.logits(model.step(last, carried, memory, {}))); },
        [&] {
            for (const auto& [weight, input] : read)
                benchmark::DoNotOptimize(torch::mv(weight, input));
        });
}

} // namespace

void addProducts(const std::filesystem::path& folder, const ModelInfo& info) {
    const auto add = [&](const char* kind, auto measured) {
        return benchmark::RegisterBenchmark((std::string(kind) + '/' + info.name).c_str(), measured, folder)
            ->Unit(benchmark::kMillisecond)
            ->UseManualTime();
    };
    if (info.family != "headlight_recurrent") {
        auto* const passes = add("forward", forward);
        for (const int tokens : {16, 32, 64, 128, 512})
            if (tokens <= info.maxPositions)
                passes->Arg(tokens);
    }
    if (info.hasEncoder && info.hasDecoder)
        add("decode", decode);
}

} // namespace headlight
