// Weights from a folder into a network: whichever files hold them, whatever they are called there, however they lie;
// and the configuration beside them.
#include "core/checkpoint/weights.h"
#include "core/error.h"
#include "core/files/model_config.h"
#include "tests/support/tiny_models.h"
#include "tests/support/torch_files.h"

#include <torch/torch.h>

#include <QTest>

#include <cmath>
#include <functional>
#include <limits>

using namespace headlight;

namespace {

const std::filesystem::path fixtures = HEADLIGHT_FIXTURES;

/// A network of nothing but parameters; a tensor's dots are slashes in our names.
struct Parameters : torch::nn::Module {
    void add(std::string name, const std::vector<std::int64_t>& shape, torch::Dtype type = torch::kFloat32) {
        std::replace(name.begin(), name.end(), '.', '/');
        register_buffer(name, torch::full(shape, -1, type));
    }
    std::vector<float> numbers(const std::string& ours) {
        const auto values = named_buffers()[ours].to(torch::kFloat32).contiguous();
        return {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()};
    }
};

Weights::Source sameName(const std::string& ours) {
    auto name = ours;
    std::replace(name.begin(), name.end(), '/', '.');
    return {.name = name};
}

Weights::Naming naming() {
    return {.canonical = {}, .source = sameName, .ignorable = {}};
}

bool all(const std::string&) {
    return true;
}

/// The counting numbers from 1, in rows of `columns`.
void addCounting(Tensors& tensors, const std::string& name, std::int64_t rows, std::int64_t columns) {
    tensors.add(name, columns ? std::vector<std::int64_t>{rows, columns} : std::vector<std::int64_t>{rows});
    auto& numbers = tensors.m_numbers.back();
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = static_cast<float>(i + 1);
}

QString saidBy(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return QString::fromUtf8(error.what());
    }
    return QStringLiteral("nothing was said");
}

void writeText(const std::filesystem::path& file, const std::string& text) {
    write(file, QByteArray::fromStdString(text));
}

std::string pickleOf(const std::string& name) {
    return PickleWriter().raw("}").text(name).tensor("FloatStorage", "0", 2, 0, {2}, {1}).raw("s").end();
}

} // namespace

class TestWeights : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void takesTheFileThatTransformersTakes();
    void readsShards();
    void wrongShards_data();
    void wrongShards();
    void nothingThere_data();
    void nothingThere();
    void turnsAndParts();
    void aFileThatIsCutMeanwhile();
    void convertsTypes();
    void integersOnlyWhereThereAreIntegers();
    void keepsWhatIsNotInCheckpoints();
    void renames();
    void requiresShapes();
    void tellsWhatIsNotFinite();
    void countsSharedNumbersOnce();
    void sameNumbersAsTheirTwins_data();
    void sameNumbersAsTheirTwins();
    void opensEveryFixture();
    void readsConfigs();
    void wrongConfigs_data();
    void wrongConfigs();
};

void TestWeights::takesTheFileThatTransformersTakes() {
    const Folder folder;
    const auto number = [&] {
        Parameters network;
        const auto weights = Weights::open(folder.path());
        network.add("w", {2});
        weights.loadInto(network, naming());
        return network.numbers("w")[0];
    };
    const auto torchFile = [](float value) { return torchZip(pickleOf("w"), {{"0", floatBytes({value, 0})}}); };
    const auto safetensors = [](float value) {
        const std::vector<float> values{value, 0};
        const TensorView view{"w", DType::F32, {2}, std::as_bytes(std::span(values))};
        const auto bytes = serializeSafetensors({&view, 1});
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    // Each file that is added is preferred to all before it.
    writeText(folder.path() / "shard.bin", torchFile(1));
    writeText(folder.path() / "pytorch_model.bin.index.json", R"({"weight_map": {"w": "shard.bin"}})");
    QCOMPARE(number(), 1.0F);
    writeText(folder.path() / "pytorch_model.bin", torchFile(2));
    QCOMPARE(number(), 2.0F);
    writeText(folder.path() / "shard.safetensors", safetensors(3));
    writeText(folder.path() / "model.safetensors.index.json", R"({"weight_map": {"w": "shard.safetensors"}})");
    QCOMPARE(number(), 3.0F);
    writeText(folder.path() / "model.safetensors", safetensors(4));
    QCOMPARE(number(), 4.0F);
    writeText(folder.path() / "pytorch_model.bin", torchLegacy(pickleOf("w"), {{"0", 2, floatBytes({5, 0})}}));
    std::filesystem::remove(folder.path() / "model.safetensors");
    std::filesystem::remove(folder.path() / "model.safetensors.index.json");
    QCOMPARE(number(), 5.0F);
}

void TestWeights::readsShards() {
    const Folder folder;
    Tensors first, second;
    addCounting(first, "a", 3, 0);
    addCounting(second, "b", 2, 2);
    first.write(folder.path() / "one.safetensors");
    second.write(folder.path() / "two.safetensors");
    writeText(folder.path() / "model.safetensors.index.json",
              R"({"metadata": {}, "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})");
    const auto weights = Weights::open(folder.path());
    QVERIFY(weights.has("a") && weights.has("b") && !weights.has("c"));
    QCOMPARE(weights.shapeOf("b"), std::vector<std::int64_t>({2, 2}));
    QCOMPARE(weights.parameterCount(), 7);
    Parameters network;
    network.add("a", {3});
    network.add("b", {2, 2});
    QVERIFY(weights.loadInto(network, naming()).empty());
    QCOMPARE(network.numbers("b"), std::vector<float>({1, 2, 3, 4}));
}

void TestWeights::wrongShards_data() {
    QTest::addColumn<QByteArray>("index");
    QTest::addColumn<QString>("said");
    QTest::newRow("not JSON") << QByteArray("{") << "not JSON";
    QTest::newRow("a list") << QByteArray("[]") << "weight_map";
    QTest::newRow("no map") << QByteArray("{}") << "weight_map";
    QTest::newRow("empty map") << QByteArray(R"({"weight_map": {}})") << "weight_map";
    QTest::newRow("map of numbers") << QByteArray(R"({"weight_map": {"a": 1}})") << "tensor \"a\" is not the name";
    QTest::newRow("out of the folder") << QByteArray(R"({"weight_map": {"a": "../one.safetensors"}})")
                                       << "not the name of a file beside the index";
    QTest::newRow("anywhere") << QByteArray(R"({"weight_map": {"a": "/etc/passwd"}})") << "not the name";
    QTest::newRow("the folder") << QByteArray(R"({"weight_map": {"a": ".."}})") << "not the name";
    QTest::newRow("shard missing") << QByteArray(R"({"weight_map": {"a": "three.safetensors"}})")
                                   << "three.safetensors";
    QTest::newRow("tensor missing") << QByteArray(R"({"weight_map": {"a": "one.safetensors", "z": "one.safetensors"}})")
                                    << "tensor \"z\" should be in one.safetensors";
    QTest::newRow("tensor in two shards")
        << QByteArray(R"({"weight_map": {"a": "one.safetensors", "b": "copy.safetensors"}})")
        << "tensor \"a\" is both in";
}

void TestWeights::wrongShards() {
    QFETCH(QByteArray, index);
    QFETCH(QString, said);
    const Folder folder;
    Tensors tensors;
    addCounting(tensors, "a", 3, 0);
    tensors.write(folder.path() / "one.safetensors");
    tensors.write(folder.path() / "copy.safetensors");
    write(folder.path() / "model.safetensors.index.json", index);
    const auto message = saidBy([&] { Weights::open(folder.path()); });
    QVERIFY2(message.contains(said), qPrintable(message));
    QVERIFY2(message.contains(QString::fromStdString(folder.path().string())), qPrintable(message));
}

void TestWeights::nothingThere_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("said");
    QTest::newRow("nothing") << "README.md"
                             << "neither model.safetensors nor pytorch_model.bin";
    QTest::newRow("TensorFlow") << "tf_model.h5"
                                << "tf_model.h5, which is of TensorFlow";
    QTest::newRow("adapter") << "adapter_model.safetensors"
                             << "an adapter without its model";
}

void TestWeights::nothingThere() {
    QFETCH(QString, file);
    QFETCH(QString, said);
    const Folder folder;
    write(folder.path() / file.toStdString(), "x");
    const auto message = saidBy([&] { Weights::open(folder.path()); });
    QVERIFY2(message.contains(said), qPrintable(message));
    // A link whose target is gone is named, rather than what might lie beside it.
    std::filesystem::create_symlink("gone", folder.path() / "pytorch_model.bin");
    const auto dangling = saidBy([&] { Weights::open(folder.path()); });
    QVERIFY2(dangling.contains("pytorch_model.bin: there is no such file"), qPrintable(dangling));
}

void TestWeights::turnsAndParts() {
    const Folder folder;
    Tensors tensors;
    addCounting(tensors, "c_attn.weight", 2, 6); // [in, 3 x out]
    addCounting(tensors, "c_attn.bias", 6, 0);
    addCounting(tensors, "plain", 4, 2);
    tensors.write(folder.path() / "model.safetensors");
    const auto weights = Weights::open(folder.path());
    Parameters network;
    network.add("v", {2, 2});
    network.add("v_bias", {2});
    network.add("half", {2, 2});
    auto names = naming();
    const std::map<std::string, Weights::Source> sources{
        {"v", {.name = "c_attn.weight", .transposed = true, .part = 2, .parts = 3}},
        {"v_bias", {.name = "c_attn.bias", .transposed = true, .part = 2, .parts = 3}},
        {"half", {.name = "plain", .part = 1, .parts = 2}},
    };
    names.source = [&](const std::string& ours) { return sources.at(ours); };
    weights.loadInto(network, names);
    QCOMPARE(network.numbers("v"), std::vector<float>({5, 11, 6, 12}));
    QCOMPARE(network.numbers("v_bias"), std::vector<float>({5, 6}));
    QCOMPARE(network.numbers("half"), std::vector<float>({5, 6, 7, 8}));

    weights.requireShape(sources.at("v"), {2, 2});
    const auto message = saidBy([&] { weights.requireShape(sources.at("v"), {3, 4}); });
    QVERIFY2(message.contains("\"c_attn.weight\" has shape [2, 6], the config asks for [4, 9]"), qPrintable(message));
}

void TestWeights::aFileThatIsCutMeanwhile() {
    const Folder folder;
    const auto file = folder.path() / "model.safetensors";
    Tensors tensors;
    addCounting(tensors, "w", 100, 1000);
    tensors.write(file);
    const auto weights = Weights::open(folder.path());
    std::filesystem::resize_file(file, 5000);
    Parameters network;
    network.add("w", {100, 1000});
    const auto message = saidBy([&] { weights.loadInto(network, naming()); });
    QVERIFY2(message.startsWith(QString::fromStdString(file.string())), qPrintable(message));
    QVERIFY2(message.contains("could not be read"), qPrintable(message));
}

void TestWeights::convertsTypes() {
    const Folder folder;
    const std::vector<double> doubles{1, -2.5};
    const std::vector<std::uint16_t> halves{0x3c00, 0xc100};
    const std::vector<std::uint16_t> brains{0x3f80, 0xc020};
    const std::vector<std::int64_t> longs{7, -1};
    const std::vector<std::uint8_t> flags{2, 0}; // of which 2 is no bool
    const std::vector<TensorView> views{{"f64", DType::F64, {2}, std::as_bytes(std::span(doubles))},
                                        {"f16", DType::F16, {2}, std::as_bytes(std::span(halves))},
                                        {"bf16", DType::BF16, {2}, std::as_bytes(std::span(brains))},
                                        {"i64", DType::I64, {2}, std::as_bytes(std::span(longs))},
                                        {"bool", DType::Bool, {2}, std::as_bytes(std::span(flags))},
                                        {"none", DType::F32, {0, 3}, {}}};
    writeFileAtomically(folder.path() / "model.safetensors", serializeSafetensors(views));
    Parameters network;
    for (const char* name : {"f64", "f16", "bf16"})
        network.add(name, {2});
    network.add("i64", {2}, torch::kInt64);
    network.add("bool", {2}, torch::kBool);
    network.add("none", {0, 3});
    Weights::open(folder.path()).loadInto(network, naming());
    for (const char* name : {"f64", "f16", "bf16"})
        QCOMPARE(network.numbers(name), std::vector<float>({1, -2.5F}));
    QCOMPARE(network.numbers("i64"), std::vector<float>({7, -1}));
    QCOMPARE(network.numbers("bool"), std::vector<float>({1, 0}));

    // The bytes of a file need not be aligned to their elements.
    const std::string header =
        R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f64":{"dtype":"F64","shape":[2],"data_offsets":[1,17]}})";
    const std::string data(reinterpret_cast<const char*>(doubles.data()), 16);
    writeText(folder.path() / "model.safetensors", littleEndian(header.size(), 8) + header + "x" + data);
    Parameters unaligned;
    unaligned.add("f64", {2});
    auto names = naming();
    names.ignorable = all;
    Weights::open(folder.path()).loadInto(unaligned, names);
    QCOMPARE(unaligned.numbers("f64"), std::vector<float>({1, -2.5F}));
}

void TestWeights::integersOnlyWhereThereAreIntegers() {
    const Folder folder;
    const std::vector<std::int32_t> whole{7, -1};
    const TensorView view{"w", DType::I32, {2}, std::as_bytes(std::span(whole))};
    writeFileAtomically(folder.path() / "model.safetensors", serializeSafetensors({&view, 1}));
    Parameters network;
    network.add("w", {2});
    const auto message = saidBy([&] { Weights::open(folder.path()).loadInto(network, naming()); });
    QVERIFY2(message.contains("tensor \"w\" is of type I32"), qPrintable(message));
}

void TestWeights::keepsWhatIsNotInCheckpoints() {
    const Folder folder;
    Tensors tensors;
    addCounting(tensors, "a", 2, 0);
    tensors.write(folder.path() / "model.safetensors");
    Parameters network;
    network.add("a", {2});
    network.add("ours", {2});
    auto names = naming();
    names.source = [](const std::string& ours) { return Weights::Source{.name = ours == "ours" ? "" : ours}; };
    Weights::open(folder.path()).loadInto(network, names);
    QCOMPARE(network.numbers("a"), std::vector<float>({1, 2}));
    QCOMPARE(network.numbers("ours"), std::vector<float>({-1, -1}));
}

void TestWeights::renames() {
    const Folder folder;
    Tensors tensors;
    addCounting(tensors, "norm.gamma", 2, 0);
    addCounting(tensors, "norm.beta", 2, 0);
    tensors.write(folder.path() / "model.safetensors");
    auto names = naming();
    names.canonical = [](const std::string& theirs) {
        return theirs.ends_with("gamma") ? std::string("norm.weight") : theirs;
    };
    const auto weights = Weights::open(folder.path()).renamed(names);
    QVERIFY(weights.has("norm.weight") && weights.has("norm.beta") && !weights.has("norm.gamma"));
    weights.requireShape("norm.weight", {2});
    // Errors call a tensor what it is called in the file.
    const auto message = saidBy([&] { weights.requireShape("norm.weight", {3}); });
    QVERIFY2(message.contains("\"norm.gamma\" has shape [2]"), qPrintable(message));

    names.canonical = [](const std::string&) { return std::string("norm.weight"); };
    const auto twice = saidBy([&] { Weights::open(folder.path()).renamed(names); });
    QVERIFY2(twice.contains("tensors \"norm.beta\" and \"norm.gamma\" are both \"norm.weight\""), qPrintable(twice));
}

void TestWeights::requiresShapes() {
    const Folder folder;
    Tensors tensors;
    addCounting(tensors, "a", 2, 3);
    tensors.write(folder.path() / "model.safetensors");
    const auto weights = Weights::open(folder.path());
    weights.requireShape("a", {2, 3});
    weights.requireShape(Weights::Source{.name = "a", .transposed = true}, {3, 2});
    QVERIFY(saidBy([&] { weights.requireShape("a", {3, 2}); }).contains("[2, 3], the config asks for [3, 2]"));
    QVERIFY(saidBy([&] { weights.requireShape("b", {2}); }).contains("tensor \"b\" is missing"));
    QVERIFY(saidBy([&] { weights.shapeOf("b"); }).contains("tensor \"b\" is missing"));
    Parameters network;
    QVERIFY(saidBy([&] { weights.loadInto(network, naming()); }).contains("\"a\" [2, 3] has no place"));
}

void TestWeights::tellsWhatIsNotFinite() {
    const Folder folder;
    Tensors tensors;
    for (const char* name : {"fine", "huge", "infinite", "nan", "unused"})
        addCounting(tensors, name, 3, 0);
    const auto most = std::numeric_limits<float>::max();
    tensors.m_numbers[1] = {most, most, most}; // finite, though their sum is not
    tensors.m_numbers[2][1] = std::numeric_limits<float>::infinity();
    tensors.m_numbers[3][2] = std::nanf("");
    tensors.m_numbers[4][0] = std::nanf("");
    tensors.write(folder.path() / "model.safetensors");
    Parameters network;
    for (const char* name : {"fine", "huge", "infinite", "nan"})
        network.add(name, {3});
    auto names = naming();
    names.ignorable = all;
    const auto found = Weights::open(folder.path()).loadInto(network, names);
    QCOMPARE(found, std::vector<std::string>({"infinite", "nan"}));
}

void TestWeights::countsSharedNumbersOnce() {
    const Folder folder;
    PickleWriter pickle;
    pickle.raw("}(");
    pickle.text("embedding").tensor("FloatStorage", "0", 6, 0, {3, 2}, {2, 1});
    pickle.text("head").tensor("FloatStorage", "0", 6, 0, {3, 2}, {2, 1});
    pickle.text("bias").tensor("FloatStorage", "1", 2, 0, {2}, {1});
    const auto file = torchZip(pickle.raw("u").end(), {{"0", std::string(24, '\0')}, {"1", std::string(8, '\0')}});
    writeText(folder.path() / "pytorch_model.bin", file);
    QCOMPARE(Weights::open(folder.path()).parameterCount(), 8);
}

void TestWeights::sameNumbersAsTheirTwins_data() {
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QString>("twin");
    QTest::addColumn<double>("tolerance");
    QTest::newRow("zip") << "bert_bin"
                         << "bert" << 0.0;
    QTest::newRow("before the zip") << "bert_bin_legacy"
                                    << "bert" << 0.0;
    QTest::newRow("names of old files") << "bert_hub_names"
                                        << "bert" << 0.0;
    QTest::newRow("shards") << "gpt2_sharded"
                            << "gpt2" << 0.0;
    QTest::newRow("names without their prefix") << "gpt2_hub_names"
                                                << "gpt2" << 0.0;
    QTest::newRow("half precision") << "gpt2_f16"
                                    << "gpt2" << 1e-3;
}

void TestWeights::sameNumbersAsTheirTwins() {
    QFETCH(QString, folder);
    QFETCH(QString, twin);
    QFETCH(double, tolerance);
    const auto models = fixtures / "models_more";
    const auto reference = SafetensorsFile::open(models / twin.toStdString() / "model.safetensors");
    Parameters network;
    for (const auto& tensor : reference.tensors())
        network.add(tensor.name, tensor.shape);
    auto names = naming();
    names.ignorable = all;
    names.canonical = [](const std::string& theirs) {
        auto name = theirs;
        for (const auto& [ending, today] : {std::pair(".gamma", ".weight"), std::pair(".beta", ".bias")})
            if (name.ends_with(ending))
                name.replace(name.rfind('.'), std::string::npos, today);
        return name.starts_with("h.") || name.starts_with("w") || name.starts_with("ln_f") ? "transformer." + name
                                                                                           : name;
    };
    Weights::open(models / folder.toStdString()).renamed(names).loadInto(network, names);
    for (const auto& tensor : reference.tensors()) {
        auto ours = tensor.name;
        std::replace(ours.begin(), ours.end(), '.', '/');
        const auto actual = network.numbers(ours);
        const auto expected = toFloats(tensor);
        for (std::size_t i = 0; i < expected.size(); ++i)
            QVERIFY2(std::abs(actual[i] - expected[i])
                         <= static_cast<float>(tolerance) * std::abs(expected[i]) + (tolerance > 0 ? 1e-7F : 0),
                     tensor.name.c_str());
    }
}

void TestWeights::opensEveryFixture() {
    int opened = 0;
    for (const auto* group : {"", "models", "models_more"}) {
        for (const auto& entry : std::filesystem::directory_iterator(fixtures / group)) {
            if (!std::filesystem::exists(entry.path() / "config.json"))
                continue;
            const auto config = ModelConfig::open(entry.path());
            QCOMPARE(config.architectures().size(), std::size_t(1));
            QVERIFY(Weights::open(entry.path()).parameterCount() > 1000);
            ++opened;
        }
    }
    QVERIFY(opened > 30);
}

void TestWeights::readsConfigs() {
    const ModelConfig config(nlohmann::json::parse(R"({
        "model_type": "x", "architectures": ["A", "B"], "id2label": {"1": "bad", "0": "good", "2": "so-so"},
        "rope_scaling": {"factor": 2.5, "low": {"deep": 7}}, "layers": [1, 2, 3], "nothing": null})"),
                             "config");
    QCOMPARE(config.architectures(), std::vector<std::string>({"A", "B"}));
    QCOMPARE(config.labels(), std::vector<std::string>({"good", "bad", "so-so"}));
    QCOMPARE(config.integers("layers", 1, 3), std::vector<std::int64_t>({1, 2, 3}));
    QVERIFY(config.integers("absent", 1, 3).empty() && config.texts("nothing").empty());
    QVERIFY(!config.object("absent") && !config.object("nothing"));
    QCOMPARE(config.object("rope_scaling")->numberOr("factor", 1, 0, 10), 2.5);
    QCOMPARE(config.object("rope_scaling")->object("low")->integer("deep", 0, 9), 7);

    const ModelConfig plain(nlohmann::json::parse(R"({"model_type": "x"})"), "config");
    QVERIFY(plain.architectures().empty());
    QCOMPARE(plain.labels(), std::vector<std::string>({"LABEL_0", "LABEL_1"}));
    const ModelConfig counted(nlohmann::json::parse(R"({"model_type": "x", "num_labels": 1})"), "config");
    QCOMPARE(counted.labels(), std::vector<std::string>({"LABEL_0"}));
    // Names are decoration: what is wrong with them refuses nothing.
    const auto labelsOf = [](const char* json) { return ModelConfig(nlohmann::json::parse(json), "config").labels(); };
    QCOMPARE(labelsOf(R"({"id2label": {"0": 0, "1": [], "3": "d"}})"),
             std::vector<std::string>({"0", "a list", "LABEL_2"}));
    QCOMPARE(labelsOf(R"({"id2label": ["a"]})"), std::vector<std::string>({"LABEL_0", "LABEL_1"}));
    QCOMPARE(labelsOf(R"({"num_labels": "two"})").size(), std::size_t(2));
}

void TestWeights::wrongConfigs_data() {
    using Ask = std::function<void(const ModelConfig&)>;
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<Ask>("ask");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* name, const char* value, const Ask& ask, const char* said) {
        QTest::newRow(name) << QByteArray(value) << ask << QString::fromUtf8(said);
    };
    const Ask architectures = [](const ModelConfig& config) { config.architectures(); };
    const Ask factor = [](const ModelConfig& config) { config.object("rope_scaling")->numberOr("factor", 1, 0, 10); };
    const Ask layers = [](const ModelConfig& config) { config.integers("layers", 0, 9); };
    row("architectures a text", R"("architectures": "A")", architectures,
        "\"architectures\": \"A\" where a list must stand");
    row("architectures of numbers", R"("architectures": [1])", architectures,
        "\"architectures[0]\": 1 where a text must stand");
    row("an object that is a number", R"("rope_scaling": 2)", factor, "\"rope_scaling\": 2 where an object must stand");
    row("a number within that is a text", R"("rope_scaling": {"factor": "2"})", factor, "\"rope_scaling.factor\"");
    row("a number of a list out of range", R"("layers": [1, 10])", layers,
        "\"layers[1]\": 10 where a whole number from 0 to 9 must stand");
}

void TestWeights::wrongConfigs() {
    QFETCH(QByteArray, value);
    QFETCH(std::function<void(const ModelConfig&)>, ask);
    QFETCH(QString, said);
    const ModelConfig config(nlohmann::json::parse("{\"model_type\": \"x\", " + value.toStdString() + "}"), "config");
    const auto message = saidBy([&] { ask(config); });
    QVERIFY2(message.contains(said), qPrintable(message));
}

QTEST_GUILESS_MAIN(TestWeights)
#include "tst_weights.moc"
