// Protects the families: what each computes against transformers' own numbers, tensor by tensor, for every reference
// folder that is there, and what is said of a config that does not fit.
#include "core/families/family.h"
#include "tests/support/compare.h"

#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include <QTest>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>

using namespace headlight;

namespace {

using nlohmann::json;
const std::filesystem::path fixtures = HEADLIGHT_FIXTURES;
const std::filesystem::path shared = HEADLIGHT_SHARED;

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

/// What a watched run over given tokens gave, by the names of the reference files.
std::map<std::string, torch::Tensor> run(const Network& network, const json& inputs) {
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
        const auto target = batchOfOne(numbersOf(inputs, "decoder_input_ids"));
        found["encoder_last_hidden"] = memory.states[0];
        found["logits"] = model.logits(model.decode(target, memory, context))[0];
    } else if (network.encoder) {
        auto& model = *network.encoder;
        const auto hidden = model.encode(ids, batchOfOne(numbersOf(inputs, "token_type_ids")), mask, context);
        found["last_hidden"] = hidden[0];
        if (model.head() != EncoderHead::None)
            found["logits"] = model.logits(hidden)[0];
    } else {
        auto& model = *network.causal;
        DecoderState state;
        const auto hidden = model.decode(ids, state, context);
        found["last_hidden"] = hidden[0];
        found["logits"] = model.logits(hidden)[0];
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
    return found;
}

/// Empty when all that the file holds under the prefix agrees; otherwise what does not. Appends the largest
/// differences.
/// @param exact the same in double precision: where that is farther away than agreement asks for, single precision
/// cannot tell better, neither ours nor the reference's (the first T5 references have scores of up to 370)
std::string compareAll(std::map<std::string, torch::Tensor>& found, std::map<std::string, torch::Tensor>& exact,
                       const SafetensorsFile& expected, const std::string& prefix, QStringList& differences) {
    std::string wrong;
    for (const auto& view : expected.tensors()) {
        if (!view.name.starts_with(prefix) || (prefix.empty() && view.name.find('.') != std::string::npos))
            continue;
        const auto name = view.name.substr(prefix.size());
        if (name == "pooler" || name == "attentions_effective")
            continue;
        auto reference = asTensor(view);
        if (!found.contains(name)) {
            wrong += "no " + name + "; ";
            continue;
        }
        const bool attention = name.ends_with("attentions");
        const auto actual = found[name].contiguous();
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
        const float noise = (actual - exact[name]).abs().max().item<float>();
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
            ids.push_back(best(model.logits(model.step(torch::tensor({ids.back()}), state, memory))));
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

} // namespace

class TestFamilies : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void agrees_data();
    void agrees();
    void trainedModels_data();
    void trainedModels();
    void piecewiseEqualsWhole();
    void wrongConfigs_data();
    void wrongConfigs();
};

void TestFamilies::agrees_data() {
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QString>("which");
    bool any = false;
    for (const auto& root : {fixtures, shared / "fixtures" / "models", shared / "fixtures" / "models_more"}) {
        if (!std::filesystem::is_directory(root))
            continue;
        for (const auto& entry : std::filesystem::directory_iterator(root)) {
            if (!std::filesystem::exists(entry.path() / "expected.safetensors"))
                continue;
            any = any || root != fixtures;
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
        }
    }
    if (!any)
        qInfo("../shared/fixtures is not there: only the copies in tests/fixtures are compared");
}

void TestFamilies::agrees() {
    QFETCH(QString, folder);
    QFETCH(QString, which);
    const std::filesystem::path path = folder.toStdString();
    const auto expected = readJson(path / "expected.json");
    auto values = readJson(path / "config.json");
    // What made the reference, which decides where BigBird's random blocks are, and need not be what wrote the weights.
    values["transformers_version"] = versionOf(expected["library"]);
    const auto network = openNetwork(ModelConfig(values, "config.json"), Weights::open(path));
    if (which == QLatin1String("greedy")) {
        const auto ids = numbersOf(expected, "greedy_ids");
        QCOMPARE(greedy(network, expected["inputs"], ids.size()), ids);
        return;
    }
    auto inputs = expected["inputs"];
    std::string prefix;
    std::vector<std::filesystem::path> files{path / "expected.safetensors", path / "extra.safetensors"};
    if (which != QLatin1String("main")) {
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
            wrong += compareAll(found, exact, SafetensorsFile::open(file), prefix, differences);
    QVERIFY2(wrong.empty(), wrong.c_str());
    QVERIFY(!differences.empty());
    qInfo("%s", qPrintable(differences.join(QStringLiteral(", "))));
}

void TestFamilies::trainedModels_data() {
    QTest::addColumn<QString>("name");
    QTest::newRow("Llama: stories260K") << QStringLiteral("stories260K-hf");
    QTest::newRow("GPT-2: a sorter of letters") << QStringLiteral("gpt-nano-sort-hf");
}

void TestFamilies::trainedModels() {
    QFETCH(QString, name);
    const auto folder = shared / "data" / "ckpt" / name.toStdString();
    if (!std::filesystem::is_directory(folder))
        QSKIP("../shared/data/ckpt is not there");
    const auto network = openFolder(folder);
    const auto tensor = [](const auto& self, const json& numbers) -> torch::Tensor {
        if (numbers.is_number())
            return torch::tensor(numbers.get<float>());
        if (numbers.front().is_number())
            return torch::tensor(numbers.get<std::vector<float>>());
        std::vector<torch::Tensor> rows;
        for (const auto& row : numbers)
            rows.push_back(self(self, row));
        return torch::stack(rows);
    };
    const auto difference = [](const torch::Tensor& left, const torch::Tensor& right) {
        return (left - right).abs().max().item<double>();
    };
    if (name == QLatin1String("stories260K-hf")) {
        const auto golden = readJson(folder / "golden.json");
        auto found = run(network, golden);
        const auto last = found["logits"][-1];
        const auto logits = difference(last, tensor(tensor, golden["last_logits"]));
        const auto attention = difference(found["attentions"], tensor(tensor, golden["attention"]));
        qInfo("attentions %g, logits %g of %g", attention, logits, last.abs().max().item<double>());
        QVERIFY(attention < 2e-5 && logits < 2e-5 * last.abs().max().item<double>());
        return;
    }
    const auto golden = readJson(folder / "golden_activations.json");
    for (std::size_t text = 0; text < golden["input_ids"].size(); ++text) {
        auto found = run(network, {{"input_ids", golden["input_ids"][text]}});
        const auto expected = tensor(tensor, golden["logits"][text]);
        const auto logits = difference(found["logits"], expected);
        const auto attention =
            difference(found["attentions"][0], tensor(tensor, golden["layer0"]["att_softmax"][text]));
        qInfo("attentions %g, logits %g of %g", attention, logits, expected.abs().max().item<double>());
        QVERIFY(attention < 2e-5 && logits < 2e-5 * expected.abs().max().item<double>());
    }
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
    row("no such head", "roberta", "architectures", "[\"RobertaForDreaming\"]",
        {"RobertaForDreaming", "…ForMaskedLM", "…Model"});
    row("no such activation", "gpt2", "activation_function", "\"mish\"", {"activation_function", "mish", "gelu_new"});
    row("heads that do not fit", "roberta", "num_attention_heads", "5", {"hidden_size", "32", "5 heads"});
    row("an encoder that decodes", "roberta", "is_decoder", "true", {"is_decoder"});
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
