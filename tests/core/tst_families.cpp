// Protects the families: what each computes against transformers' own numbers, tensor by tensor, for every reference
// folder of tests/fixtures, and what is said of a config that does not fit.
#include "core/families/family.h"
#include "core/nn/networks.h"
#include "core/nn/positions.h"
#include "tests/support/compare.h"
#include "tests/support/tiny_models.h"

#include <nlohmann/json.hpp>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <QJsonArray>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <numbers>
#include <span>

using namespace headlight;

namespace {

using nlohmann::json;
const std::filesystem::path fixtures = HEADLIGHT_FIXTURES;

json readJson(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return json::parse(stream);
}

std::vector<std::int64_t> numbersOf(const json& inputs, const char* key) {
    return inputs.contains(key) ? inputs[key].get<std::vector<std::int64_t>>() : std::vector<std::int64_t>{};
}

/// [1, T]; undefined for none.
torch::Tensor batchOfOne(const std::vector<std::int64_t>& values) {
    return values.empty() ? torch::Tensor() : torch::tensor(values, torch::kInt64).unsqueeze(0);
}

torch::Tensor asTensor(const TensorView& view) {
    return torch::tensor(toFloats(view)).view(view.shape);
}

torch::Tensor asTensor(const AttentionBlock& block) {
    return torch::tensor(block.weights).view({block.layers, block.heads, block.queries, block.keys});
}

Network openFolder(const std::filesystem::path& folder) {
    return openNetwork(ModelConfig::open(folder), Weights::open(folder));
}

/// The version of transformers in "transformers 4.27.1" or "huggingface/transformers v4.36.2".
std::string versionOf(const std::string& library) {
    return library.substr(library.find_last_of(" v") + 1);
}

/// What an encoder's head says, by the names of the reference files.
void sayOf(TextEncoder& model, const torch::Tensor& hidden, std::map<std::string, torch::Tensor>& found) {
    if (const auto second = model.relationship(hidden); second.defined())
        found["seq_relationship_logits"] = second[0];
    if (model.head() == EncoderHead::None)
        return;
    const auto logits = model.logits(hidden)[0];
    if (model.head() == EncoderHead::QuestionAnswering) {
        found["start_logits"] = logits.select(1, 0);
        found["end_logits"] = logits.select(1, 1);
    } else {
        found["logits"] = model.head() == EncoderHead::ReplacedTokens ? logits.squeeze(1) : logits;
    }
}

/// The row of a text's last token that is not padding.
torch::Tensor lastTokenOf(const torch::Tensor& rows, const torch::Tensor& ids, std::int64_t pad) {
    auto last = ids.size(1) - 1;
    while (last > 0 && ids[0][last].item<std::int64_t>() == pad)
        --last;
    return rows[last];
}

/// What a watched run over given tokens gave, by the names of the reference files.
std::map<std::string, torch::Tensor> run(const Network& network, const json& inputs) {
    if (inputs["input_ids"].at(0).is_array()) { // choices, each a run of its own
        std::map<std::string, torch::Tensor> all;
        std::vector<torch::Tensor> scores, attentions;
        for (std::size_t choice = 0; choice < inputs["input_ids"].size(); ++choice) {
            json one;
            for (const auto& [name, rows] : inputs.items())
                one[name] = rows.at(choice);
            auto found = run(network, one);
            scores.push_back(found["logits"]);
            attentions.push_back(found["attentions"]);
            if (choice == 0)
                all = found;
        }
        all["logits"] = torch::cat(scores);
        all["choices"] = torch::stack(attentions);
        return all;
    }
    torch::NoGradGuard noGradients;
    Watch watch({});
    const Context context{&watch, {}};
    const auto ids = batchOfOne(numbersOf(inputs, "input_ids"));
    auto mask = batchOfOne(numbersOf(inputs, "attention_mask"));
    if (mask.defined())
        mask = mask.to(torch::kBool);
    std::map<std::string, torch::Tensor> found;
    if (network.translator) {
        auto& model = *network.translator;
        const auto memory = model.encode(ids, mask, context);
        auto target = batchOfOne(numbersOf(inputs, "decoder_input_ids"));
        if (!target.defined()) // a labeller's decoder takes in its source, one place later
            target = torch::cat({torch::tensor({{network.ids.start}}), ids.narrow(1, 0, ids.size(1) - 1)}, 1);
        found["encoder_last_hidden"] = memory.states[0];
        const auto decoded = model.decode(target, memory, context);
        found["last_hidden"] = decoded[0];
        const auto labels = model.labels(decoded);
        found["logits"] = labels.defined() ? labels[0][labels.size(1) - 1] : model.logits(decoded)[0];
    } else if (network.encoder) {
        auto& model = *network.encoder;
        const auto hidden = model.encode(ids, batchOfOne(numbersOf(inputs, "token_type_ids")), mask, context);
        found["last_hidden"] = hidden[0];
        sayOf(model, hidden, found);
    } else {
        auto& model = *network.causal;
        DecoderState state;
        const auto hidden = model.decode(ids, state, context);
        found["last_hidden"] = hidden[0];
        const auto logits = model.logits(hidden)[0];
        found["logits"] =
            model.head() == EncoderHead::Classification ? lastTokenOf(logits, ids, network.ids.pad) : logits;
    }
    for (auto& [name, values] : found)
        values = values.to(torch::kFloat32);
    Trace trace;
    watch.freeze(trace);
    const bool alone = !network.translator;
    if (trace.encoder)
        found[alone ? "attentions" : "encoder_attentions"] = asTensor(*trace.encoder);
    if (trace.decoder)
        found[alone ? "attentions" : "decoder_attentions"] = asTensor(*trace.decoder);
    if (trace.cross)
        found["cross_attentions"] = asTensor(*trace.cross);
    if (found.contains("attentions"))
        found["dense_attentions"] = found["attentions"];
    return found;
}

/// Empty when all that the file holds under the prefix agrees; otherwise what does not. Appends the largest
/// differences.
/// @param rows of the queries those whose attention the file holds; none: all
/// @param exact the same in double precision: where that is farther away than agreement asks for, single precision
/// cannot tell better, neither ours nor the reference's (the first T5 references have scores of up to 370)
std::string compareAll(std::map<std::string, torch::Tensor>& found, std::map<std::string, torch::Tensor>& exact,
                       const SafetensorsFile& expected, const std::string& prefix,
                       const std::vector<std::int64_t>& rows, QStringList& differences) {
    std::string wrong;
    for (const auto& view : expected.tensors()) {
        if (!view.name.starts_with(prefix) || (prefix.empty() && view.name.find('.') != std::string::npos))
            continue;
        const auto name = view.name.substr(prefix.size());
        // Longformer's are a band of the ordinary ones, which are there as well.
        const bool band = name == "attentions" && expected.find(prefix + "dense_attentions");
        if (name == "pooler" || name == "attentions_effective" || band)
            continue;
        auto reference = asTensor(view);
        if (!found.contains(name)) {
            wrong += "no " + name + "; ";
            continue;
        }
        const bool attention = name.ends_with("attentions");
        auto actual = found[name].contiguous();
        auto precise = exact[name];
        if (attention && !rows.empty()) {
            const auto kept = torch::tensor(rows).masked_select(torch::tensor(rows) < actual.size(2));
            reference = reference.narrow(2, 0, kept.size(0));
            actual = actual.index_select(2, kept);
            precise = precise.index_select(2, kept);
        }
        // BigBird's reference is of the padded length.
        if (attention)
            reference = reference.narrow(2, 0, actual.size(2)).narrow(3, 0, actual.size(3));
        else if (reference.dim() == 2)
            reference = reference.narrow(0, 0, actual.size(0));
        reference = reference.contiguous();
        const float largest = attention ? 1 : std::max(1.0F, reference.abs().max().item<float>());
        const auto span = [](const torch::Tensor& tensor) {
            return std::span<const float>(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel()));
        };
        const float noise = (actual - precise).abs().max().item<float>();
        const auto difference = compareClose(span(actual), span(reference), std::max(2e-5F * largest, 3 * noise));
        if (!difference.empty())
            wrong += name + ": " + difference + "; ";
        else
            differences << QStringLiteral("%1 %2").arg(
                QString::fromStdString(name),
                QString::number((actual - reference).abs().max().item<double>() / static_cast<double>(largest), 'g',
                                2));
    }
    return wrong;
}

/// Plain argmax, as long as the reference.
std::vector<std::int64_t> greedy(const Network& network, const json& inputs, std::size_t length) {
    torch::NoGradGuard noGradients;
    std::vector<std::int64_t> ids;
    const auto best = [](const torch::Tensor& logits) { return logits.argmax(-1).item<std::int64_t>(); };
    const auto source = batchOfOne(numbersOf(inputs, "input_ids"));
    if (network.translator) {
        auto& model = *network.translator;
        const auto memory = model.encode(source, {}, {});
        auto state = model.start(memory);
        for (ids = {network.ids.start}; ids.size() < length;)
            ids.push_back(best(model.logits(model.step(torch::tensor({ids.back()}), state, memory, {}))));
    } else {
        auto& model = *network.causal;
        DecoderState state;
        ids = numbersOf(inputs, "input_ids");
        auto next = source;
        while (ids.size() < length) {
            ids.push_back(best(model.logits(model.decode(next, state, {}).select(1, next.size(1) - 1))));
            next = batchOfOne({ids.back()});
        }
    }
    return ids;
}

/// A decoder's tensors, and the same computation as in transformers written down plainly, in double precision and
/// head by head, for families that no reference folder shows.
class Plain {
public:
    explicit Plain(const Tensors& tensors) {
        for (const auto& view : tensors.m_views)
            m_tensors[view.name] = asTensor(view).to(torch::kFloat64);
    }
    const torch::Tensor& operator[](const std::string& name) const { return m_tensors.at(name); }
    /// x Wᵀ + b, the bias being zero where there is none.
    torch::Tensor linear(const torch::Tensor& x, const std::string& name) const {
        const auto product = x.matmul((*this)[name + ".weight"].t());
        return m_tensors.contains(name + ".bias") ? product + (*this)[name + ".bias"] : product;
    }
    torch::Tensor normed(const torch::Tensor& x, const std::string& name) const {
        return torch::layer_norm(x, {x.size(1)}, (*this)[name + ".weight"], (*this)[name + ".bias"], 1e-5);
    }
    torch::Tensor rms(const torch::Tensor& x, const std::string& name) const {
        return x / (x * x).mean(1, true).add(1e-6).sqrt() * (*this)[name + ".weight"];
    }

private:
    std::map<std::string, torch::Tensor> m_tensors;
};

/// One head, [T, D] each; a query sees itself and the `window` - 1 keys before it.
torch::Tensor plainHead(const torch::Tensor& query, const torch::Tensor& key, const torch::Tensor& value,
                        std::int64_t window) {
    auto scores = query.matmul(key.t()) / std::sqrt(static_cast<double>(query.size(1)));
    for (std::int64_t i = 0; i < scores.size(0); ++i)
        for (std::int64_t j = 0; j < scores.size(1); ++j)
            if (j > i || i - j >= window)
                scores[i][j] = -1e9;
    return scores.softmax(-1).matmul(value);
}

const std::vector<std::int64_t> someIds{5, 9, 3, 17, 7, 2, 11};

std::string compareToPlain(const std::filesystem::path& folder, const torch::Tensor& expected) {
    auto found = run(openFolder(folder), {{"input_ids", someIds}});
    const auto plain = expected.to(torch::kFloat32).contiguous();
    const auto ours = found["logits"].contiguous();
    const auto count = static_cast<std::size_t>(plain.numel());
    return compareClose({ours.data_ptr<float>(), count}, {plain.data_ptr<float>(), count}, 2e-5F);
}

} // namespace

class TestFamilies : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void agrees_data();
    void agrees();
    void openaiGptByHand();
    void llamaByHand_data();
    void llamaByHand();
    void classifiers_data();
    void classifiers();
    void headsThatAreNotKnown();
    void typeFromTensors();
    void prefixesOfTools();
    void quantised();
    void sameUnderAnotherName();
    void tiedUnderAnyName();
    void bucketsByHand();
    void piecewiseEqualsWhole();
    void wrongTensors_data();
    void wrongTensors();
    void wrongConfigs_data();
    void wrongConfigs();
};

void TestFamilies::agrees_data() {
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QString>("which");
    for (const auto& root : {fixtures, fixtures / "models", fixtures / "models_more", fixtures / "families"}) {
        for (const auto& entry : std::filesystem::directory_iterator(root)) {
            if (!std::filesystem::exists(entry.path() / "expected.safetensors"))
                continue;
            const auto add = [&](const std::string& which) {
                const auto name = root.filename().string() + "/" + entry.path().filename().string() + " " + which;
                QTest::newRow(name.c_str())
                    << QString::fromStdString(entry.path().string()) << QString::fromStdString(which);
            };
            const auto expected = readJson(entry.path() / "expected.json");
            add("main");
            if (expected.contains("greedy_ids"))
                add("greedy");
            if (expected.contains("cases"))
                for (const auto& one : expected["cases"])
                    add(one["name"].get<std::string>());
            for (const auto& file : std::filesystem::directory_iterator(entry.path())) // as other versions write it
                if (file.path().filename().string().starts_with("config-"))
                    add(file.path().filename().string());
        }
    }
}

void TestFamilies::agrees() {
    QFETCH(QString, folder);
    QFETCH(QString, which);
    const std::filesystem::path path = folder.toStdString();
    const auto expected = readJson(path / "expected.json");
    const bool otherVersion = which.startsWith(QLatin1String("config-"));
    auto values = readJson(path / (otherVersion ? which.toStdString() : "config.json"));
    // What made the reference, which decides where BigBird's random blocks are, and need not be what wrote the weights.
    values["transformers_version"] = versionOf(expected["library"]);
    Network network;
    try {
        network = openNetwork(ModelConfig(values, "config.json"), Weights::open(path));
    } catch (const Error& error) {
        QFAIL(error.what());
    }
    if (which == QLatin1String("greedy")) {
        const auto ids = numbersOf(expected, "greedy_ids");
        QCOMPARE(greedy(network, expected["inputs"], ids.size()), ids);
        return;
    }
    auto inputs = expected["inputs"];
    std::string prefix;
    std::vector<std::filesystem::path> files{path / "expected.safetensors", path / "extra.safetensors"};
    if (which != QLatin1String("main") && !otherVersion) {
        prefix = which.toStdString() + ".";
        files = {path / "cases.safetensors"};
        for (const auto& one : expected["cases"])
            if (one["name"] == which.toStdString())
                inputs = one["inputs"];
    }
    auto found = run(network, inputs);
    network.module().to(torch::kFloat64);
    auto exact = run(network, inputs);
    std::string wrong;
    QStringList differences;
    for (const auto& file : files)
        if (std::filesystem::exists(file))
            wrong +=
                compareAll(found, exact, SafetensorsFile::open(file), prefix, numbersOf(expected, "rows"), differences);
    QVERIFY2(wrong.empty(), wrong.c_str());
    QVERIFY(!differences.empty());
    qInfo("%s", qPrintable(differences.join(QStringLiteral(", "))));
}

void TestFamilies::openaiGptByHand() {
    constexpr std::int64_t width = 8, heads = 2, vocabularySize = 20;
    const Folder folder;
    folder.config({{u"model_type"_qs, u"openai-gpt"_qs},
                   {u"architectures"_qs, QJsonArray{u"OpenAIGPTLMHeadModel"_qs}},
                   {u"afn"_qs, u"gelu"_qs},
                   {u"vocab_size"_qs, int(vocabularySize)},
                   {u"n_embd"_qs, int(width)},
                   {u"n_head"_qs, int(heads)},
                   {u"n_layer"_qs, 2},
                   {u"n_positions"_qs, 12}});
    Tensors tensors;
    tensors.add("tokens_embed.weight", {vocabularySize, width});
    tensors.add("positions_embed.weight", {12, width});
    for (const std::string layer : {"h.0.", "h.1."}) {
        for (const std::string norm : {"ln_1.", "ln_2."}) {
            tensors.add(layer + norm + "weight", {width});
            tensors.add(layer + norm + "bias", {width});
        }
        const auto matrix = [&](const std::string& name, std::int64_t inputs, std::int64_t outputs) {
            tensors.add(layer + name + ".weight", {inputs, outputs});
            tensors.add(layer + name + ".bias", {outputs});
        };
        matrix("attn.c_attn", width, 3 * width);
        matrix("attn.c_proj", width, width);
        matrix("mlp.c_fc", width, 4 * width);
        matrix("mlp.c_proj", 4 * width, width);
        tensors.add(layer + "attn.bias", {1, 1, 12, 12});
    }
    tensors.write(folder.path() / "model.safetensors");

    const Plain plain(tensors);
    const auto conv = [&](const torch::Tensor& x, const std::string& name) {
        return x.matmul(plain[name + ".weight"]) + plain[name + ".bias"];
    };
    const auto ids = torch::tensor(someIds);
    auto x =
        plain["tokens_embed.weight"].index_select(0, ids) + plain["positions_embed.weight"].narrow(0, 0, ids.size(0));
    for (const std::string layer : {"h.0.", "h.1."}) {
        const auto joined = conv(x, layer + "attn.c_attn").chunk(3, 1);
        std::vector<torch::Tensor> outputs;
        for (std::int64_t head = 0; head < heads; ++head) {
            const auto part = [&](std::size_t which) { return joined[which].narrow(1, 4 * head, 4); };
            outputs.push_back(plainHead(part(0), part(1), part(2), 1000));
        }
        const auto n = plain.normed(x + conv(torch::cat(outputs, 1), layer + "attn.c_proj"), layer + "ln_1");
        const auto inner = conv(n, layer + "mlp.c_fc");
        const auto gelu =
            0.5 * inner * (1 + torch::tanh(std::sqrt(2 / std::numbers::pi) * (inner + 0.044715 * inner.pow(3))));
        x = plain.normed(n + conv(gelu, layer + "mlp.c_proj"), layer + "ln_2");
    }
    const auto wrong = compareToPlain(folder.path(), x.matmul(plain["tokens_embed.weight"].t()));
    QVERIFY2(wrong.empty(), wrong.c_str());
}

void TestFamilies::llamaByHand_data() {
    using Turn = std::function<double(double)>;
    QTest::addColumn<QJsonObject>("changes");
    QTest::addColumn<Turn>("scaled");
    const auto row = [](const char* name, const QJsonObject& changes, const Turn& scaled) {
        QTest::newRow(name) << changes << scaled;
    };
    const Turn same = [](double turn) { return turn; };
    row("Llama", {}, same);
    row("Llama, with all biases and its own output",
        {{u"attention_bias"_qs, true}, {u"mlp_bias"_qs, true}, {u"tie_word_embeddings"_qs, false}}, same);
    row("Qwen2", {{u"model_type"_qs, u"qwen2"_qs}}, same);
    row("Mistral, looking three tokens back", {{u"model_type"_qs, u"mistral"_qs}, {u"sliding_window"_qs, 3}}, same);
    row("a longer reach, evenly", {{u"rope_scaling"_qs, QJsonObject{{u"type"_qs, u"linear"_qs}, {u"factor"_qs, 4.0}}}},
        [](double turn) { return turn / 4; });
    // As transformers writes it down, case by case.
    row("a longer reach, as Llama 3.1 has it",
        {{u"rope_scaling"_qs, QJsonObject{{u"rope_type"_qs, u"llama3"_qs},
                                          {u"factor"_qs, 8.0},
                                          {u"low_freq_factor"_qs, 1.0},
                                          {u"high_freq_factor"_qs, 4.0},
                                          {u"original_max_position_embeddings"_qs, 32}}}},
        [](double turn) {
            const double wave = 2 * std::numbers::pi / turn;
            if (wave > 32 / 1.0)
                return turn / 8;
            if (wave < 32 / 4.0)
                return turn;
            const double smooth = (32 / wave - 1) / (4 - 1);
            return (1 - smooth) * turn / 8 + smooth * turn;
        });
}

void TestFamilies::llamaByHand() {
    QFETCH(QJsonObject, changes);
    QFETCH(std::function<double(double)>, scaled);
    constexpr std::int64_t width = 10, heads = 4, keyHeads = 2, size = 6, inner = 12, vocabularySize = 20;
    QJsonObject values{{u"model_type"_qs, u"llama"_qs},
                       {u"architectures"_qs, QJsonArray{u"LlamaForCausalLM"_qs}},
                       {u"vocab_size"_qs, int(vocabularySize)},
                       {u"hidden_size"_qs, int(width)},
                       {u"intermediate_size"_qs, int(inner)},
                       {u"num_hidden_layers"_qs, 2},
                       {u"num_attention_heads"_qs, int(heads)},
                       {u"num_key_value_heads"_qs, int(keyHeads)},
                       {u"head_dim"_qs, int(size)},
                       {u"rope_theta"_qs, 100.0},
                       {u"tie_word_embeddings"_qs, true}};
    for (auto change = changes.begin(); change != changes.end(); ++change)
        values[change.key()] = change.value();
    const Folder folder;
    folder.config(values);
    const bool all = values[u"attention_bias"_qs].toBool();
    const bool qwen = values[u"model_type"_qs] == u"qwen2"_qs;
    const bool tied = values[u"tie_word_embeddings"_qs].toBool();
    Tensors tensors;
    tensors.add("model.embed_tokens.weight", {vocabularySize, width});
    tensors.add("model.norm.weight", {width});
    if (!tied)
        tensors.add("lm_head.weight", {vocabularySize, width});
    for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
        const auto matrix = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs, bool bias) {
            tensors.add(layer + name + ".weight", {outputs, inputs});
            if (bias)
                tensors.add(layer + name + ".bias", {outputs});
        };
        tensors.add(layer + "input_layernorm.weight", {width});
        tensors.add(layer + "post_attention_layernorm.weight", {width});
        matrix("self_attn.q_proj", heads * size, width, all || qwen);
        matrix("self_attn.k_proj", keyHeads * size, width, all || qwen);
        matrix("self_attn.v_proj", keyHeads * size, width, all || qwen);
        matrix("self_attn.o_proj", width, heads * size, all);
        matrix("mlp.gate_proj", inner, width, all);
        matrix("mlp.up_proj", inner, width, all);
        matrix("mlp.down_proj", width, inner, all);
    }
    tensors.write(folder.path() / "model.safetensors");

    const Plain plain(tensors);
    const auto turned = [&](const torch::Tensor& vectors) { // [T, D]
        auto result = vectors.clone();
        for (std::int64_t t = 0; t < vectors.size(0); ++t) {
            for (std::int64_t i = 0; i < size / 2; ++i) {
                const double angle =
                    static_cast<double>(t) * scaled(std::pow(100.0, -2.0 * static_cast<double>(i) / size));
                const auto first = vectors[t][i], second = vectors[t][i + size / 2];
                result[t][i] = first * std::cos(angle) - second * std::sin(angle);
                result[t][i + size / 2] = second * std::cos(angle) + first * std::sin(angle);
            }
        }
        return result;
    };
    const auto window = values[u"sliding_window"_qs].toInt(1000);
    auto x = plain["model.embed_tokens.weight"].index_select(0, torch::tensor(someIds));
    for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
        const auto n = plain.rms(x, layer + "input_layernorm");
        const auto queries = plain.linear(n, layer + "self_attn.q_proj");
        const auto keys = plain.linear(n, layer + "self_attn.k_proj");
        const auto contents = plain.linear(n, layer + "self_attn.v_proj");
        std::vector<torch::Tensor> outputs;
        for (std::int64_t head = 0; head < heads; ++head) {
            const auto shared = head / 2 * size; // two heads of queries to each of keys
            outputs.push_back(plainHead(turned(queries.narrow(1, head * size, size)),
                                        turned(keys.narrow(1, shared, size)), contents.narrow(1, shared, size),
                                        window));
        }
        x = x + plain.linear(torch::cat(outputs, 1), layer + "self_attn.o_proj");
        const auto m = plain.rms(x, layer + "post_attention_layernorm");
        const auto gate = plain.linear(m, layer + "mlp.gate_proj");
        x = x
            + plain.linear(gate * torch::sigmoid(gate) * plain.linear(m, layer + "mlp.up_proj"),
                           layer + "mlp.down_proj");
    }
    const auto output = plain[tied ? "model.embed_tokens.weight" : "lm_head.weight"];
    const auto wrong = compareToPlain(folder.path(), plain.rms(x, "model.norm").matmul(output.t()));
    QVERIFY2(wrong.empty(), wrong.c_str());
}

void TestFamilies::classifiers_data() {
    using Squash = std::function<torch::Tensor(const torch::Tensor&)>;
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QString>("architecture");
    QTest::addColumn<QString>("dense");
    QTest::addColumn<QString>("output");
    QTest::addColumn<Squash>("squash");
    const auto models = fixtures / "models";
    const auto row = [](const std::filesystem::path& folder, const char* architecture, const char* dense,
                        const char* output, const Squash& squash) {
        QTest::newRow(architecture) << QString::fromStdString(folder.string()) << QString::fromLatin1(architecture)
                                    << QString::fromLatin1(dense) << QString::fromLatin1(output) << squash;
    };
    row(fixtures / "roberta", "RobertaForSequenceClassification", "classifier.dense", "classifier.out_proj",
        [](const torch::Tensor& x) { return torch::tanh(x); });
    row(models / "distilbert", "DistilBertForSequenceClassification", "pre_classifier", "classifier",
        [](const torch::Tensor& x) { return torch::relu(x); });
    row(models / "bigbird_full", "BigBirdForSequenceClassification", "classifier.dense", "classifier.out_proj",
        [](const torch::Tensor& x) { return torch::gelu(x, "tanh"); });
}

void TestFamilies::classifiers() {
    QFETCH(QString, folder);
    QFETCH(QString, architecture);
    QFETCH(QString, dense);
    QFETCH(QString, output);
    QFETCH(std::function<torch::Tensor(const torch::Tensor&)>, squash);
    const std::filesystem::path path = folder.toStdString();
    const auto file = SafetensorsFile::open(path / "model.safetensors");
    Tensors tensors;
    tensors.m_views = file.tensors();
    const auto names = std::array{dense.toStdString(), output.toStdString()};
    tensors.add(names[0] + ".weight", {32, 32});
    tensors.add(names[0] + ".bias", {32});
    tensors.add(names[1] + ".weight", {3, 32});
    tensors.add(names[1] + ".bias", {3});
    const Folder changed;
    tensors.write(changed.path() / "model.safetensors");
    auto values = readJson(path / "config.json");
    values["architectures"] = {architecture.toStdString()};
    values["id2label"] = {{"0", "down"}, {"1", "level"}, {"2", "up"}};
    const auto network = openNetwork(ModelConfig(values, "config.json"), Weights::open(changed.path()));
    QCOMPARE(network.labels, (std::vector<std::string>{"down", "level", "up"}));

    // The same text as the reference's masked language model read, whose first state is known.
    auto found = run(network, readJson(path / "expected.json")["inputs"]);
    const auto reference = SafetensorsFile::open(path / "expected.safetensors");
    const auto state = asTensor(*reference.find("last_hidden"))[0];
    const auto added = [&](const std::string& name) {
        return asTensor(*std::find_if(tensors.m_views.begin(), tensors.m_views.end(),
                                      [&](const TensorView& view) { return view.name == name; }));
    };
    const auto inner = squash(torch::mv(added(names[0] + ".weight"), state) + added(names[0] + ".bias"));
    const auto expected = torch::mv(added(names[1] + ".weight"), inner) + added(names[1] + ".bias");
    QVERIFY((found["logits"] - expected).abs().max().item<float>() < 2e-5F);
}

/// A body opens whatever stands on it, and what was left out is told.
void TestFamilies::headsThatAreNotKnown() {
    const auto path = fixtures / "models" / "bert_classifier";
    const auto file = SafetensorsFile::open(path / "model.safetensors");
    Tensors tensors;
    tensors.m_views = file.tensors();
    tensors.add("linear.weight", {4, 32});
    const Folder changed;
    tensors.write(changed.path() / "model.safetensors");
    auto values = readJson(path / "config.json");
    values["architectures"] = {"HF_ColBERT"};
    const auto network = openNetwork(ModelConfig(values, "config.json"), Weights::open(changed.path()));
    QVERIFY(network.encoder->head() == EncoderHead::None);
    QCOMPARE(network.leftOut, (std::vector<std::string>{"classifier.bias", "classifier.weight", "linear.weight"}));
    // What is of the body must have its place there.
    tensors.add("bert.encoder.layer.9.output.dense.bias", {32});
    tensors.write(changed.path() / "model.safetensors");
    try {
        openNetwork(ModelConfig(values, "config.json"), Weights::open(changed.path()));
        QFAIL("nothing was said");
    } catch (const Error& error) {
        QVERIFY2(QString::fromUtf8(error.what()).contains(u"layer.9.output.dense.bias\" [32] has no place"_qs),
                 error.what());
    }
}

void TestFamilies::typeFromTensors() {
    for (const char* name : {"families/electra", "families/albert", "families/bloom", "families/gpt_neo",
                             "families/gpt_neox", "families/mpnet", "families/modernbert", "gpt2", "t5", "roberta"}) {
        auto values = readJson(fixtures / name / "config.json");
        const auto type = values["model_type"].get<std::string>();
        values.erase("model_type");
        values.erase("architectures");
        const auto weights = Weights::open(fixtures / name);
        QCOMPARE(withModelType(ModelConfig(values, "config.json"), weights).modelType(), type);
    }
    // By its class where the tensors are those of several, else the fix is named.
    auto values = readJson(fixtures / "families/mistral/config.json");
    values.erase("model_type");
    const auto weights = Weights::open(fixtures / "families/mistral");
    QCOMPARE(withModelType(ModelConfig(values, "config.json"), weights).modelType(), std::string("mistral"));
    values.erase("architectures");
    try {
        withModelType(ModelConfig(values, "config.json"), weights);
        QFAIL("nothing was said");
    } catch (const Error& error) {
        QVERIFY(QString::fromUtf8(error.what()).contains(u"llama, mistral"_qs));
        QVERIFY(QString::fromStdString(error.remedy()).contains(u"\"model_type\": \"llama\""_qs));
    }
}

void TestFamilies::prefixesOfTools() {
    const auto path = fixtures / "roberta";
    const auto expected = run(openFolder(path), readJson(path / "expected.json")["inputs"]).at("logits");
    const auto file = SafetensorsFile::open(path / "model.safetensors");
    for (const std::string prefix : {"module.", "_orig_mod.", "model.", "model.module."}) {
        auto tensors = file.tensors();
        for (auto& tensor : tensors)
            tensor.name.insert(0, prefix);
        const Folder folder;
        writeFileAtomically(folder.path() / "model.safetensors", serializeSafetensors(tensors));
        const auto network = openNetwork(ModelConfig::open(path), Weights::open(folder.path()));
        QVERIFY(torch::equal(run(network, readJson(path / "expected.json")["inputs"]).at("logits"), expected));
    }
}

void TestFamilies::quantised() {
    const auto file = SafetensorsFile::open(fixtures / "families/llama/model.safetensors");
    Tensors tensors;
    tensors.m_views = file.tensors();
    tensors.add("model.layers.0.self_attn.q_proj.qweight", {4, 4});
    const Folder folder;
    tensors.write(folder.path() / "model.safetensors");
    auto values = readJson(fixtures / "families/llama/config.json");
    const auto said = [&] {
        try {
            openNetwork(ModelConfig(values, "config.json"), Weights::open(folder.path()));
        } catch (const Error& error) {
            return QString::fromUtf8(error.what());
        }
        return QString();
    };
    QVERIFY(said().contains(u"the weights are quantised"_qs));
    values["quantization_config"] = {{"quant_method", "gptq"}, {"bits", 4}};
    QVERIFY2(said().contains(u"quantised by GPTQ"_qs) && said().contains(u"16 or 32 bits"_qs), qPrintable(said()));
}

void TestFamilies::sameUnderAnotherName() {
    const auto inputs = readJson(fixtures / "roberta" / "expected.json")["inputs"];
    const auto expected = run(openFolder(fixtures / "roberta"), inputs).at("logits");
    for (const char* name : {"xlm-roberta", "camembert"}) {
        auto values = readJson(fixtures / "roberta" / "config.json");
        values["model_type"] = name;
        const auto network = openNetwork(ModelConfig(values, "config.json"), Weights::open(fixtures / "roberta"));
        QVERIFY(torch::equal(run(network, inputs).at("logits"), expected));
    }
}

void TestFamilies::tiedUnderAnyName() {
    const auto inputs = readJson(fixtures / "gpt2" / "expected.json")["inputs"];
    const auto file = SafetensorsFile::open(fixtures / "gpt2" / "model.safetensors");
    auto tensors = file.tensors();
    for (auto& tensor : tensors)
        if (tensor.name == "transformer.wte.weight")
            tensor.name = "lm_head.weight";
    const Folder folder;
    writeFileAtomically(folder.path() / "model.safetensors", serializeSafetensors(tensors));
    const auto network = openNetwork(ModelConfig::open(fixtures / "gpt2"), Weights::open(folder.path()));
    QVERIFY(torch::equal(run(network, inputs).at("logits"), run(openFolder(fixtures / "gpt2"), inputs).at("logits")));
}

/// T5's buckets, which the references' few tokens hardly fill: worked out from the paper's rule for 8 buckets up to
/// distance 16.
void TestFamilies::bucketsByHand() {
    torch::NoGradGuard noGradients;
    TransformerOptions options;
    options.width = 4;
    options.heads = 1;
    options.maxPositions = 100;
    options.position = PositionKind::Relative;
    options.relativeBuckets = 8;
    options.relativeDistance = 16;
    const auto bucketsOf = [&](BlockKind kind, std::int64_t row) {
        Positions positions(options, kind);
        positions.parameters().front().copy_(torch::arange(8, torch::kFloat32).unsqueeze(1));
        const auto placed = positions.place(torch::zeros({1, 20, 4}), 0, {}, {});
        const auto found = placed.distances[0][0][row].contiguous();
        return QList<float>(found.data_ptr<float>(), found.data_ptr<float>() + 20);
    };
    // To the left 0, 1 alone, then 2-5 and 6 on; to the right the same, from 4: 2 log(d / 2) / log(8) is 1 at 5.7.
    const QList<float> fromFirst{0, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    QCOMPARE(bucketsOf(BlockKind::Encoder, 0), fromFirst);
    QCOMPARE(bucketsOf(BlockKind::Encoder, 7).mid(0, 9), (QList<float>{3, 3, 2, 2, 2, 2, 1, 0, 5}));
    // A decoder has all 8 for the left: 4 + 4 log(d / 4) / log(4), whole at 4, 5.7, 8, 11.3; the future shares bucket
    // 0.
    QCOMPARE(bucketsOf(BlockKind::Decoder, 19),
             (QList<float>{7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6, 6, 5, 5, 4, 4, 3, 2, 1, 0}));
    QCOMPARE(bucketsOf(BlockKind::Decoder, 0), QList<float>(20, 0));
}

void TestFamilies::piecewiseEqualsWhole() {
    torch::NoGradGuard noGradients;
    const auto network = openFolder(fixtures / "gpt2");
    const auto ids = torch::tensor({5, 9, 3, 21, 7, 2, 4}, torch::kInt64).unsqueeze(0);
    DecoderState whole, pieces;
    const auto expected = network.causal->decode(ids, whole, {});
    const auto first = network.causal->decode(ids.narrow(1, 0, 3), pieces, {});
    const auto rest = network.causal->decode(ids.narrow(1, 3, 4), pieces, {});
    QCOMPARE(pieces.steps, 7);
    QVERIFY((torch::cat({first, rest}, 1) - expected).abs().max().item<float>() < 1e-5F);
}

void TestFamilies::wrongTensors_data() {
    QTest::addColumn<QString>("folder");
    for (const auto& entry : std::filesystem::directory_iterator(fixtures / "families"))
        QTest::newRow(entry.path().filename().c_str()) << QString::fromStdString(entry.path().string());
}

/// Of each family: a tensor of the first layer that is missing, has another shape, or is there for a layer too many,
/// and sizes that the weights do not have.
void TestFamilies::wrongTensors() {
    QFETCH(QString, folder);
    const std::filesystem::path path = folder.toStdString();
    const auto file = SafetensorsFile::open(path / "model.safetensors");
    const auto values = readJson(path / "config.json");
    const auto said = [&](const std::vector<TensorView>& tensors, const json& config) {
        const Folder changed;
        writeFileAtomically(changed.path() / "model.safetensors", serializeSafetensors(tensors));
        try {
            openNetwork(ModelConfig(config, "config.json"), Weights::open(changed.path()));
        } catch (const Error& error) {
            return QString::fromUtf8(error.what());
        }
        return QStringLiteral("nothing");
    };
    const auto tensors = file.tensors();
    const auto place = static_cast<std::size_t>(std::find_if(tensors.begin(), tensors.end(),
                                                             [](const TensorView& view) {
                                                                 return view.shape.size() == 2
                                                                        && view.name.find(".0.") != std::string::npos;
                                                             })
                                                - tensors.begin());
    QVERIFY(place < tensors.size());
    const auto name = QString::fromStdString(tensors[place].name);

    auto changed = tensors;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(place));
    auto message = said(changed, values);
    QVERIFY2(message.contains(name) && message.contains(u"is missing"_qs), qPrintable(message));

    changed = tensors;
    changed[place].shape = {tensors[place].shape[0] * tensors[place].shape[1], 1};
    message = said(changed, values);
    QVERIFY2(message.contains(name) && message.contains(u"has shape"_qs), qPrintable(message));

    changed = tensors;
    changed.push_back(tensors[place]);
    changed.back().name.replace(changed.back().name.find(".0."), 3, ".99.");
    message = said(changed, values);
    QVERIFY2(message.contains(u".99."_qs) && message.contains(u"has no place"_qs), qPrintable(message));

    for (const char* key : {"vocab_size", "hidden_size", "d_model", "dim", "n_embd", "intermediate_size",
                            "encoder_ffn_dim", "decoder_ffn_dim", "num_hidden_layers", "n_layer", "decoder_layers"}) {
        if (!values.contains(key) || !values[key].is_number()
            || (values.contains("decoder_layers") && std::string(key) == "num_hidden_layers"))
            continue;
        for (const std::int64_t size : {std::int64_t(-1), std::int64_t(250), std::int64_t(1) << 40}) {
            auto absurd = values;
            absurd[key] = size;
            if (size == 250 && (std::string(key).ends_with("layers") || std::string(key) == "n_layer")
                && values.contains("num_hidden_groups"))
                continue; // layers that share their weights may be as many as one likes
            message = said(tensors, absurd);
            QVERIFY2(message != u"nothing"_qs && message.size() > 20, key);
        }
    }
}

void TestFamilies::wrongConfigs_data() {
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QStringList>("says");
    const auto row = [](const char* name, const char* folder, const char* key, const char* value,
                        const QStringList& says) {
        QTest::newRow(name) << QString::fromLatin1(folder) << QString::fromLatin1(key) << QString::fromLatin1(value)
                            << says;
    };
    row("no such family", "gpt2", "model_type", "\"gpt3\"", {"\"gpt3\" is not known", "bert", "gpt2", "t5"});
    row("no such activation", "gpt2", "activation_function", "\"mish\"", {"activation_function", "mish", "gelu_new"});
    row("heads that do not fit", "roberta", "num_attention_heads", "5", {"hidden_size", "32", "5 heads"});
    row("an encoder that decodes", "models/distilbert", "is_decoder", "true", {"is_decoder"});
    row("too many words", "roberta", "vocab_size", "10000000", {"word_embeddings", "[211, 32]", "[10000000, 32]"});
    row("too many positions", "gpt2", "n_positions", "1000000", {"wpe.weight", "[64, 32]", "[1000000, 32]"});
    row("too many layers", "gpt2", "n_layer", "250", {"transformer.h.3.attn.c_attn.weight", "missing"});
    row("too few layers", "gpt2", "n_layer", "2", {"transformer.h.2.", "no place"});
    row("too wide inside", "gpt2", "n_inner", "1000000", {"mlp.c_fc.weight", "[32, 128]", "[32, 1000000]"});
    row("too many segments", "roberta", "type_vocab_size", "2", {"token_type_embeddings", "[1, 32]", "[2, 32]"});
    row("padding after the last position", "roberta", "pad_token_id", "65", {"max_position_embeddings", "66", "65"});
    row("heads of another size", "t5", "d_kv", "65536", {"SelfAttention.q.weight", "[32, 32]", "[262144, 32]"});
    row("gated, where it is not", "t5", "feed_forward_proj", "\"gated-gelu\"", {"wi_1", "missing"});
    row("another number of buckets", "t5", "relative_attention_num_buckets", "64",
        {"relative_attention_bias.weight", "[32, 4]", "[64, 4]"});
}

void TestFamilies::wrongConfigs() {
    QFETCH(QString, folder);
    QFETCH(QString, key);
    QFETCH(QString, value);
    QFETCH(QStringList, says);
    const auto path = fixtures / folder.toStdString();
    auto values = readJson(path / "config.json");
    values[key.toStdString()] = json::parse(value.toStdString());
    try {
        openNetwork(ModelConfig(values, "config.json"), Weights::open(path));
        QFAIL("nothing was said");
    } catch (const Error& error) {
        for (const auto& words : says)
            QVERIFY2(QString::fromUtf8(error.what()).contains(words), error.what());
    }
}

QTEST_GUILESS_MAIN(TestFamilies)
#include "tst_families.moc"
