// Protects getting models: what is fetched and what is not, every way in which a hub can misbehave, every refusal's
// words, interruptions at any moment, and the cache that is shared with huggingface_hub.
#include "app/hub/hub_client.h"
#include "app/hub/needed_files.h"
#include "core/files/hub.h"
#include "core/files/system_calls.h"
#include "core/files/whole_file.h"
#include "tests/support/loopback_hub.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QProcess>
#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

using namespace headlight;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;
using Kind = HubProblem::Kind;

constexpr int patience = 60'000;

/// Bytes that look like nothing, the same each time.
QByteArray noise(qsizetype size, quint32 seed = 1) {
    QByteArray bytes(size, 0);
    QRandomGenerator random(seed);
    for (auto& byte : bytes)
        byte = static_cast<char>(random.generate());
    return bytes;
}

QMap<QString, QByteArray> model(qsizetype weights = 20'000) {
    return {{QStringLiteral("config.json"), R"({"model_type": "bert"})"},
            {QStringLiteral("vocab.txt"), "[PAD]\n[UNK]\n"},
            {QStringLiteral("README.md"), "not needed"},
            {QStringLiteral("pytorch_model.bin"), noise(weights, 2)},
            {QStringLiteral("onnx/model.onnx"), noise(weights, 3)},
            {QStringLiteral("model.safetensors"), noise(weights)}};
}

constexpr HubPatience quick{.firstPause = 1ms, .longestPause = 5ms, .silence = 20'000ms, .tries = 4};

HubSettings settingsFor(const QString& endpoint, const fs::path& cache) {
    HubSettings settings;
    settings.setEndpoint(endpoint);
    settings.cache = cache;
    return settings;
}

/// What came of one fetch or plan.
struct Outcome {
    QString folder;
    std::optional<HubProblem> problem;
    std::optional<HubPlan> plan;
    QStringList remarks;
    QStringList waits;
    QStringList fetched; ///< files that were not there
    QString text() const { return problem ? problem->text : QString(); }
};

enum class Deed { Plan, Fetch };

Outcome ask(const HubSettings& settings, const QString& name, Deed deed = Deed::Fetch,
            const HubClient::Check& check = {}) {
    Outcome outcome;
    QEventLoop loop;
    HubClient client(settings, quick);
    QObject::connect(&client, &HubClient::fetched, &loop, [&](const QString& folder) {
        outcome.folder = folder;
        loop.quit();
    });
    QObject::connect(&client, &HubClient::failed, &loop, [&](const HubProblem& problem) {
        outcome.problem = problem;
        loop.quit();
    });
    QObject::connect(&client, &HubClient::planned, &loop, [&](const HubPlan& plan) {
        outcome.plan = plan;
        if (deed == Deed::Plan)
            loop.quit();
    });
    QObject::connect(&client, &HubClient::remarked, &loop, [&](const QString& text) { outcome.remarks << text; });
    QObject::connect(&client, &HubClient::waits, &loop, [&](const QString& why) { outcome.waits << why; });
    QObject::connect(&client, &HubClient::fileDone, &loop, [&](const HubFile& file, bool wasThere) {
        if (!wasThere)
            outcome.fetched << file.name;
    });
    const auto parsed = HubName::parse(name);
    if (!parsed)
        qFatal("%s is no name", qPrintable(name));
    QMetaObject::invokeMethod(
        &client, [&] { deed == Deed::Plan ? client.plan(*parsed) : client.fetch(*parsed, check); },
        Qt::QueuedConnection);
    QTimer::singleShot(patience, &loop, &QEventLoop::quit);
    loop.exec();
    return outcome;
}

std::vector<fs::path> filesIn(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::recursive_directory_iterator(folder, none))
        if (!entry.is_directory() || entry.is_symlink())
            files.push_back(entry.path());
    return files;
}

QByteArray contentOf(const fs::path& file) {
    return QByteArray::fromStdString(readWholeFile(file, 1 << 30));
}

/// Empty, or which file of the cache stands under a name that its bytes do not have, or leads nowhere.
QString halfFileIn(const fs::path& cache) {
    for (const auto& file : filesIn(cache)) {
        const auto name = file.filename().string();
        const auto folder = file.parent_path().filename();
        if (fs::is_symlink(file) && !fs::exists(file))
            return QString::fromStdString(file.string()) + QStringLiteral(" leads nowhere");
        if (folder == "blobs" && name.find(".incomplete") == std::string::npos
            && LoopbackHub::etagOf(contentOf(file)).toStdString() != name)
            return QString::fromStdString(file.string()) + QStringLiteral(" has other bytes");
    }
    return {};
}

/// Empty, or what of a fetched snapshot is not as the hub has it.
QString notAs(const QMap<QString, QByteArray>& files, const fs::path& snapshot, const QStringList& names) {
    QStringList there;
    for (const auto& file : filesIn(snapshot))
        there << QString::fromStdString(file.filename().string());
    there.sort();
    auto expected = names;
    expected.sort();
    if (there != expected)
        return there.join(QLatin1Char(' '));
    for (const auto& name : names)
        if (contentOf(snapshot / name.toStdString()) != files[name])
            return name;
    return {};
}

const QStringList needed{QStringLiteral("config.json"), QStringLiteral("model.safetensors"),
                         QStringLiteral("vocab.txt")};

/// A call of the system that fails, while it lives.
template <class Call>
class Fault {
public:
    Fault(Call& call, Call fault) : m_call(call), m_before(std::exchange(call, std::move(fault))) {}
    ~Fault() { m_call = m_before; }
    Fault(const Fault&) = delete;
    Fault& operator=(const Fault&) = delete;

private:
    Call& m_call;
    Call m_before;
};

/// This program again, as one that fetches a model and says where it is. It may be killed.
int fetchAsAChild(const QStringList& words) {
    const auto outcome =
        ask(settingsFor(words.value(0), fs::path(words.value(1).toStdString())), words.value(2), Deed::Fetch);
    std::cout << outcome.folder.toStdString() << std::endl;
    return outcome.problem ? 1 : 0;
}

} // namespace

class TestHubClient : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void names_data();
    void names();
    void settings();
    void whatIsNeeded_data();
    void whatIsNeeded();
    void fetchesOnlyWhatIsNeeded();
    void shards();
    void planWritesNothing();
    void checksBeforeTheWeights();
    void misbehaviours_data();
    void misbehaviours();
    void refusals_data();
    void refusals();
    void theTokenGoesToTheHubAlone();
    void tokensAreKeptForTheirOwner();
    void certificatesAreChecked();
    void secureStaysSecure();
    void whatPythonHasIsNotFetched();
    void goesOnWithAPart_data();
    void goesOnWithAPart();
    void aChangedRevisionBeginsAnew();
    void commitsAreAskedForOnce();
    void offline();
    void withoutANetwork();
    void twoAtOnce();
    void waitsForWhoHasTheLock();
    void aFullDisk();
    void roomIsAskedForBefore();
    void withoutLinks();
    void stopAndGoOn();
    void killedAtAnyMoment();
    void searches();

private:
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<LoopbackHub> m_hub;
    fs::path cache() const { return m_folder->path().toStdString(); }
    HubSettings toHub() const { return settingsFor(m_hub->endpoint(), cache()); }
};

void TestHubClient::init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_hub = std::make_unique<LoopbackHub>();
}

void TestHubClient::names_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("id"); // empty: it is none
    QTest::addColumn<QString>("revision");
    const auto row = [](const char* text, const char* id, const char* revision = "main") {
        QTest::newRow(text) << QString::fromLatin1(text) << QString::fromLatin1(id) << QString::fromLatin1(revision);
    };
    row("bert-base-uncased", "bert-base-uncased");
    row(" google/mt5-small\n", "google/mt5-small");
    row("org/name@v1.0", "org/name", "v1.0");
    row("org/name@refs/pr/1", "org/name", "refs/pr/1");
    row("https://huggingface.co/org/name", "org/name");
    row("https://huggingface.co/org/name/", "org/name");
    row("https://huggingface.co/gpt2", "gpt2");
    row("https://huggingface.co/gpt2/tree/main", "gpt2");
    row("https://huggingface.co/org/name/tree/v2", "org/name", "v2");
    row("https://huggingface.co/org/name/blob/abc/config.json?download=true", "org/name", "abc");
    row("https://huggingface.co/org/name/discussions/7", "org/name");
    row("https://hf-mirror.com/org/name#files", "org/name");
    row("huggingface.co/org/name", "org/name");
    row("hf.co/org/name", "org/name");
    row("https://huggingface.co/datasets/org/name", "");
    row("https://huggingface.co/", "");
    row("", "");
    row("/", "");
    row("org/", "");
    row("/name", "");
    row("a/b/c", "");
    row("../name", "");
    row("org/..", "");
    row("org/na me", "");
    row("org/na..me", "");
    row("org/na--me", "");
    row("org/-name", "");
    row("org/name.", "");
    row("org/name.git", "");
    row("org/na\tme", "");
    row("org/name@", "");
    row("org/name@../../evil", "");
    row("org/name@/evil", "");
    row("org/name@a//b", "");
    QTest::newRow("a long one") << QString(97, QLatin1Char('a')) << QString() << QString();
    QTest::newRow("as long as can be") << QString(96, QLatin1Char('a')) << QString(96, QLatin1Char('a'))
                                       << QStringLiteral("main");
    QTest::newRow("letters of another script") << QStringLiteral("org/模型") << QString() << QString();
}

void TestHubClient::names() {
    QFETCH(QString, text);
    QFETCH(QString, id);
    QFETCH(QString, revision);
    QString why;
    const auto name = HubName::parse(text, &why);
    QCOMPARE(name.has_value(), !id.isEmpty());
    if (!name) {
        QVERIFY(!why.isEmpty());
        return;
    }
    QCOMPARE(name->id, id);
    QCOMPARE(name->revision, revision);
    QCOMPARE(HubName::parse(name->text()), name);
}

void TestHubClient::settings() {
    const QStringList variables{QStringLiteral("HF_ENDPOINT"),
                                QStringLiteral("HF_HUB_CACHE"),
                                QStringLiteral("HUGGINGFACE_HUB_CACHE"),
                                QStringLiteral("HF_HOME"),
                                QStringLiteral("XDG_CACHE_HOME"),
                                QStringLiteral("HF_HUB_OFFLINE"),
                                QStringLiteral("HF_TOKEN"),
                                QStringLiteral("TRANSFORMERS_OFFLINE"),
                                QStringLiteral("HF_TOKEN_PATH"),
                                QStringLiteral("HUGGING_FACE_HUB_TOKEN")};
    const auto with = [&](const QMap<QString, QString>& values) {
        for (const auto& name : variables)
            qunsetenv(name.toLatin1());
        qputenv("HF_HOME", m_folder->path().toUtf8());
        for (auto value = values.begin(); value != values.end(); ++value)
            qputenv(value.key().toLatin1(), value.value().toUtf8());
        return HubSettings::fromEnvironment();
    };
    auto found = with({});
    QCOMPARE(found.endpoint.toString(), QStringLiteral("https://huggingface.co"));
    QCOMPARE(found.cache, cache() / "hub");
    QCOMPARE(found.tokenFile, cache() / "token");
    QVERIFY(found.token.isEmpty() && !found.offline);
    found = with({{QStringLiteral("HF_ENDPOINT"), QStringLiteral("https://hf-mirror.com/hub/")},
                  {QStringLiteral("HF_HUB_OFFLINE"), QStringLiteral("yes")},
                  {QStringLiteral("HUGGING_FACE_HUB_TOKEN"), QStringLiteral("older")}});
    QCOMPARE(found.endpoint.toString(), QStringLiteral("https://hf-mirror.com/hub"));
    QVERIFY(found.offline);
    QCOMPARE(found.token, QByteArray("older"));
    found = with({{QStringLiteral("HF_TOKEN"), QStringLiteral(" newer\n")},
                  {QStringLiteral("HUGGING_FACE_HUB_TOKEN"), QStringLiteral("older")},
                  {QStringLiteral("HF_HUB_OFFLINE"), QStringLiteral("0")}});
    QCOMPARE(found.token, QByteArray("newer"));
    QVERIFY(!found.offline);
    QVERIFY_THROWS_EXCEPTION(HubFailure, with({{QStringLiteral("HF_ENDPOINT"), QStringLiteral("ftp://mirror")}}));
    QVERIFY_THROWS_EXCEPTION(HubFailure, with({{QStringLiteral("HF_ENDPOINT"), QStringLiteral("mirror")}}));
    QVERIFY_THROWS_EXCEPTION(HubFailure, with({{QStringLiteral("HF_TOKEN"), QStringLiteral("a\r\nHost: evil")}}));
    with({});
}

void TestHubClient::whatIsNeeded_data() {
    QTest::addColumn<QString>("files");
    QTest::addColumn<QString>("weights");
    QTest::addColumn<QString>("small");
    const auto row = [](const char* name, const char* files, const char* weights, const char* small = "") {
        QTest::newRow(name) << QString::fromLatin1(files) << QString::fromLatin1(weights) << QString::fromLatin1(small);
    };
    row("safetensors first", "config.json pytorch_model.bin model.safetensors tf_model.h5", "model.safetensors");
    row("a whole file before shards", "config.json model.safetensors.index.json model.safetensors",
        "model.safetensors");
    row("safetensors in shards before one pickle", "config.json pytorch_model.bin model.safetensors.index.json",
        "model.safetensors.index.json");
    row("a pickle", "config.json pytorch_model.bin flax_model.msgpack", "pytorch_model.bin");
    row("a pickle in shards", "config.json pytorch_model.bin.index.json pytorch_model-00001-of-00002.bin",
        "pytorch_model.bin.index.json");
    row("GGUF alone", "config.json model-q4.gguf", "");
    row("none", "README.md", "");
    row("tokenizers", "config.json model.safetensors vocab.json merges.txt tokenizer.json source.spm spiece.model",
        "model.safetensors", "tokenizer.json vocab.json merges.txt source.spm spiece.model");
    row("what lies elsewhere", "config.json model.safetensors ../x.spm a/b.model .hidden.spm onnx/tokenizer.json",
        "model.safetensors");
}

void TestHubClient::whatIsNeeded() {
    QFETCH(QString, files);
    QFETCH(QString, weights);
    QFETCH(QString, small);
    const auto found = neededFiles(files.split(QLatin1Char(' ')));
    QCOMPARE(found.weights, weights);
    QCOMPARE(found.small.join(QLatin1Char(' ')), small);
    QCOMPARE(found.config.isEmpty(), !files.contains(QLatin1String("config.json")));
    QCOMPARE(found.unread, files.contains(QLatin1String("gguf")) ? QStringList{QStringLiteral("GGUF")} : QStringList());
}

void TestHubClient::fetchesOnlyWhatIsNeeded() {
    m_hub->add(QStringLiteral("org/tiny"), model());
    const auto outcome = ask(toHub(), QStringLiteral("org/tiny"));
    QCOMPARE(outcome.text(), QString());
    const auto commit = m_hub->commitOf(QStringLiteral("org/tiny")).toStdString();
    const auto repository = cache() / "models--org--tiny";
    QCOMPARE(outcome.folder.toStdString(), (repository / "snapshots" / commit).string());
    QCOMPARE(notAs(model(), outcome.folder.toStdString(), needed), QString());
    QCOMPARE(contentOf(repository / "refs" / "main"), QByteArray::fromStdString(commit));
    for (const auto& file : filesIn(repository / "snapshots")) {
        QVERIFY(fs::is_symlink(file));
        const auto target = fs::read_symlink(file);
        QCOMPARE(target.parent_path().string(), std::string("../../blobs"));
        QCOMPARE(target.filename().string(), LoopbackHub::etagOf(contentOf(file)).toStdString());
    }
    QCOMPARE(halfFileIn(cache()), QString());
    QVERIFY(fs::exists(cache() / ".locks" / "models--org--tiny"));
    QCOMPARE(m_hub->count("GET", "onnx") + m_hub->count("GET", "pytorch") + m_hub->count("GET", "README"), 0);
    QCOMPARE(hubModels(cache()).size(), std::size_t(1));
    QVERIFY(hubModels(cache()).front().whole);
    // Nothing is left over, and nothing is fetched again.
    for (const auto& file : filesIn(cache()))
        QVERIFY2(file.string().find("headlight") == std::string::npos && file.extension() != ".incomplete",
                 file.c_str());
    m_hub->forget();
    const auto again = ask(toHub(), QStringLiteral("org/tiny"));
    QCOMPARE(again.folder, outcome.folder);
    QCOMPARE(m_hub->count("GET", "resolve"), 0);
    QCOMPARE(again.plan.value().missing, 0);
}

void TestHubClient::shards() {
    auto files = model();
    files.remove(QStringLiteral("model.safetensors"));
    files[QStringLiteral("model.safetensors.index.json")] =
        R"({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}})";
    files[QStringLiteral("model-1.safetensors")] = noise(3000, 8);
    files[QStringLiteral("model-2.safetensors")] = noise(5000, 9);
    files[QStringLiteral("model-3.safetensors")] = "of something else";
    m_hub->add(QStringLiteral("org/sharded"), files);
    const auto outcome = ask(toHub(), QStringLiteral("org/sharded"));
    QCOMPARE(outcome.text(), QString());
    QCOMPARE(outcome.plan.value().weightBytes, 8000 + files[QStringLiteral("model.safetensors.index.json")].size());
    QCOMPARE(notAs(files, outcome.folder.toStdString(),
                   {QStringLiteral("config.json"), QStringLiteral("vocab.txt"),
                    QStringLiteral("model.safetensors.index.json"), QStringLiteral("model-1.safetensors"),
                    QStringLiteral("model-2.safetensors")}),
             QString());
    for (const auto* hostile : {"../../../evil", "/etc/passwd", "..", "a/b", "", "a\\u0000b"}) {
        files[QStringLiteral("model.safetensors.index.json")] =
            QByteArray(R"({"weight_map": {"a": ")") + hostile + R"("}})";
        m_hub->add(QStringLiteral("org/hostile"), files);
        const auto refused = ask(toHub(), QStringLiteral("org/hostile"));
        QVERIFY2(refused.text().contains(QLatin1String("lies elsewhere")), qPrintable(refused.text()));
        QVERIFY(!fs::exists(cache() / "models--org--hostile"));
    }
    files[QStringLiteral("model.safetensors.index.json")] = R"({"weight_map": 7})";
    m_hub->add(QStringLiteral("org/hostile"), files);
    QVERIFY(ask(toHub(), QStringLiteral("org/hostile")).problem);
}

void TestHubClient::planWritesNothing() {
    m_hub->add(QStringLiteral("org/tiny"), model());
    const auto outcome = ask(toHub(), QStringLiteral("org/tiny"), Deed::Plan);
    const auto plan = outcome.plan.value();
    QCOMPARE(plan.files.size(), 3);
    QCOMPARE(plan.files.front().name, QStringLiteral("config.json"));
    QCOMPARE(plan.files.back().name, QStringLiteral("model.safetensors"));
    QCOMPARE(plan.weightBytes, 20'000);
    QCOMPARE(plan.missing, plan.bytes);
    QCOMPARE(plan.config, model()[QStringLiteral("config.json")]);
    QVERIFY(filesIn(cache()).empty());
    QCOMPARE(m_hub->count("GET", "safetensors"), 0);
    QCOMPARE(plan.parameters, 0);
    m_hub->add(QStringLiteral("org/counted"), model());
    QCOMPARE(ask(toHub(), QStringLiteral("org/counted"), Deed::Plan).plan.value().parameters, 9'900);
    auto pickled = model();
    pickled.remove(QStringLiteral("model.safetensors"));
    m_hub->add(QStringLiteral("org/pickled-counted"), pickled);
    QCOMPARE(ask(toHub(), QStringLiteral("org/pickled-counted"), Deed::Plan).plan.value().parameters, 0);
}

void TestHubClient::checksBeforeTheWeights() {
    m_hub->add(QStringLiteral("org/tiny"), model());
    const auto outcome = ask(toHub(), QStringLiteral("org/tiny"), Deed::Fetch, [](const HubPlan& plan) {
        return plan.config.contains("bert") ? std::optional(HubProblem{Kind::NotAModel, QStringLiteral("no"), {}})
                                            : std::nullopt;
    });
    QCOMPARE(outcome.text(), QStringLiteral("no"));
    QVERIFY(filesIn(cache()).empty());
    QCOMPARE(m_hub->count("GET", "safetensors"), 0);
}

void TestHubClient::misbehaviours_data() {
    QTest::addColumn<QString>("said"); // among the pauses and remarks; empty: nothing
    const auto row = [](const char* name, const char* said = "") { QTest::newRow(name) << QString::fromLatin1(said); };
    row("flaky", "broke off");
    row("short", "broke off");
    row("slow");
    row("norange");
    row("flaky-norange", "broke off");
    row("limited", "too often");
    row("rated", "too often");
    row("away", "out of order (500)");
    row("slip", "model.safetensors has a wrong byte");
    row("moved");
    row("tiny-renamed");
    row("weak");
}

void TestHubClient::misbehaviours() {
    QFETCH(QString, said);
    const auto name = QStringLiteral("org/") + QString::fromLatin1(QTest::currentDataTag());
    m_hub->add(QString(name).remove(QLatin1String("-renamed")), model());
    const auto outcome = ask(toHub(), name);
    QCOMPARE(outcome.text(), QString());
    QCOMPARE(notAs(model(), outcome.folder.toStdString(), needed), QString());
    const auto all = (outcome.waits + outcome.remarks).join(QLatin1Char('\n'));
    QVERIFY2(said.isEmpty() ? all.isEmpty() : all.contains(said), qPrintable(all));
    QCOMPARE(halfFileIn(cache()), QString());
}

void TestHubClient::refusals_data() {
    QTest::addColumn<QByteArray>("token");
    QTest::addColumn<int>("kind");
    QTest::addColumn<QStringList>("said");
    const auto row = [](const char* name, Kind kind, const QStringList& said, const char* token = "") {
        QTest::addRow("%s%s%s", name, *token ? " with token " : "", token)
            << QByteArray(token) << static_cast<int>(kind) << said;
    };
    row("nowhere", Kind::NoSuchModel, {QStringLiteral("no model org/nowhere"), QStringLiteral("or it is private")});
    row("private", Kind::NoSuchModel, {QStringLiteral("or it is private"), QStringLiteral("/settings/tokens")});
    row("private", Kind::NoSuchModel, {QStringLiteral("the token's account")}, "hf_other");
    row("gated", Kind::TermsToAccept, {QStringLiteral("terms"), QStringLiteral("/org/gated")});
    row("gated", Kind::TokenNotAllowed, {QStringLiteral("not allowed"), QStringLiteral("/org/gated")}, "hf_other");
    row("expired", Kind::TokenWrong, {QStringLiteral("wrong or has expired"), QStringLiteral("/settings/tokens")},
        "hf_old");
    row("teapot", Kind::Other, {QStringLiteral("418"), QStringLiteral("no coffee")}, "hf_tea");
    row("revision@v9", Kind::NoSuchRevision, {QStringLiteral("v9"), QStringLiteral("/org/revision")});
    row("down", Kind::Busy, {QStringLiteral("503"), QStringLiteral("4 times"), QStringLiteral("Try again later")});
    row("patient", Kind::Busy, {QStringLiteral("too often"), QStringLiteral("120 min")});
    row("moving", Kind::Busy, {QStringLiteral("changes"), QStringLiteral("org/moving@COMMIT")});
    row("liar", Kind::WrongBytes, {QStringLiteral("model.safetensors"), QStringLiteral("twice")});
    row("longer", Kind::WrongBytes, {QStringLiteral("More bytes"), QStringLiteral("20000")});
    row("other", Kind::WrongBytes, {QStringLiteral("20000"), QStringLiteral("19999")});
    row("huge", Kind::WrongBytes, {QStringLiteral("no disk has")});
    row("vast", Kind::WrongBytes, {QStringLiteral("no disk has")});
    row("offset-flaky", Kind::WrongBytes, {QStringLiteral("does not go on")});
    row("circle", Kind::NotTheHub, {QStringLiteral("in a circle")});
    row("login", Kind::NotTheHub, {QStringLiteral("a proxy"), QStringLiteral("log in")});
    row("loginlate", Kind::NotTheHub, {QStringLiteral("a proxy"), QStringLiteral("log in")});
    row("garbled", Kind::NotTheHub, {QStringLiteral("a proxy")});
    row("nosum", Kind::NotTheHub, {QStringLiteral("checksum")});
    row("nosize", Kind::NotTheHub, {QStringLiteral("model.safetensors"), QStringLiteral("checksum")});
    row("refused", Kind::Other, {QStringLiteral("403"), QStringLiteral("Try again later")});
    row("gguf", Kind::NotAModel, {QStringLiteral("GGUF"), QStringLiteral("/org/gguf")});
    row("empty", Kind::NotAModel, {QStringLiteral("config.json"), QStringLiteral("/org/empty")});
}

void TestHubClient::refusals() {
    QFETCH(QByteArray, token);
    QFETCH(int, kind);
    QFETCH(QStringList, said);
    const auto name =
        QStringLiteral("org/") + QString::fromLatin1(QTest::currentDataTag()).section(QLatin1Char(' '), 0, 0);
    auto files = model();
    if (name.endsWith(QLatin1String("gguf")))
        files = {{QStringLiteral("config.json"), "{}"}, {QStringLiteral("model.gguf"), "x"}};
    if (name.endsWith(QLatin1String("empty")))
        files = {{QStringLiteral("README.md"), "x"}};
    if (!name.endsWith(QLatin1String("nowhere")))
        m_hub->add(name.section(QLatin1Char('@'), 0, 0), files);
    auto settings = toHub();
    settings.token = token;
    const auto outcome = ask(settings, name);
    QVERIFY(outcome.problem);
    for (const auto& words : said)
        QVERIFY2(outcome.text().contains(words), qPrintable(outcome.text()));
    QCOMPARE(static_cast<int>(outcome.problem->kind), kind);
    QVERIFY(QStringLiteral(".?…").contains(outcome.text().back()));
    // Nothing is there under a name, the token stands nowhere, and where bytes are kept it never came.
    QVERIFY(token.isEmpty() || !outcome.text().contains(QString::fromLatin1(token)));
    QCOMPARE(halfFileIn(cache()), QString());
    QVERIFY(hubModels(cache()).empty());
}

void TestHubClient::theTokenGoesToTheHubAlone() {
    m_hub->add(QStringLiteral("org/gated-private"), model());
    auto settings = toHub();
    settings.token = LoopbackHub::token;
    const auto outcome = ask(settings, QStringLiteral("org/gated-private"));
    QCOMPARE(outcome.text(), QString());
    int abroad = 0;
    for (const auto& request : m_hub->requests) {
        QCOMPARE(request.authorization.isEmpty(), request.abroad);
        abroad += request.abroad;
    }
    QVERIFY(abroad > 0);
}

void TestHubClient::tokensAreKeptForTheirOwner() {
    auto settings = toHub();
    settings.tokenFile = cache() / "new" / "token";
    settings.token = "hf_secret";
    const auto before = ::umask(0);
    settings.keepToken();
    ::umask(before);
    struct stat status {};
    QCOMPARE(::stat(settings.tokenFile.c_str(), &status), 0);
    QCOMPARE(int(status.st_mode & 0777), 0600);
    QCOMPARE(contentOf(settings.tokenFile), QByteArray("hf_secret"));
    settings.token = "hf_newer";
    settings.keepToken();
    QCOMPARE(contentOf(settings.tokenFile), QByteArray("hf_newer"));
    QCOMPARE(filesIn(settings.tokenFile.parent_path()).size(), std::size_t(1));
    settings.tokenFile = "/proc/nowhere/token";
    QVERIFY_THROWS_EXCEPTION(Error, settings.keepToken());
}

void TestHubClient::certificatesAreChecked() {
    LoopbackHub secure(true);
    secure.add(QStringLiteral("org/tiny"), model());
    const auto outcome = ask(settingsFor(secure.endpoint(), cache()), QStringLiteral("org/tiny"));
    QCOMPARE(static_cast<int>(outcome.problem.value().kind), static_cast<int>(Kind::NotSecure));
    QVERIFY2(outcome.text().contains(QLatin1String("certificate")), qPrintable(outcome.text()));
    QVERIFY(secure.requests.isEmpty());
}

void TestHubClient::secureStaysSecure() {
    const auto before = QSslConfiguration::defaultConfiguration();
    auto trusting = before;
    trusting.addCaCertificates(QStringLiteral(HEADLIGHT_FIXTURES "/loopback.pem"));
    QSslConfiguration::setDefaultConfiguration(trusting);
    LoopbackHub secure(true);
    secure.add(QStringLiteral("org/tiny"), model());
    secure.add(QStringLiteral("org/abroad"), model());
    const auto well = ask(settingsFor(secure.endpoint(), cache()), QStringLiteral("org/tiny"));
    const auto abroad = ask(settingsFor(secure.endpoint(), cache()), QStringLiteral("org/abroad"));
    QSslConfiguration::setDefaultConfiguration(before);
    QCOMPARE(well.text(), QString());
    QCOMPARE(notAs(model(), well.folder.toStdString(), needed), QString());
    QCOMPARE(static_cast<int>(abroad.problem.value().kind), static_cast<int>(Kind::NotSecure));
    QVERIFY2(abroad.text().contains(QLatin1String("one that is not")), qPrintable(abroad.text()));
}

void TestHubClient::whatPythonHasIsNotFetched() {
    // As huggingface_hub leaves it: an older revision with the same weights.
    const auto files = model();
    const auto repository = cache() / "models--org--tiny";
    const auto weights = files[QStringLiteral("model.safetensors")];
    const auto etag = LoopbackHub::etagOf(weights).toStdString();
    const std::string old(40, 'a');
    makeFolders(repository / "blobs");
    makeFolders(repository / "refs");
    makeFolders(repository / "snapshots" / old);
    writeFileAtomically(repository / "blobs" / etag, std::as_bytes(std::span(weights.constData(), 20'000)));
    fs::create_symlink("../../blobs/" + etag, repository / "snapshots" / old / "model.safetensors");
    writeFileAtomically(repository / "refs" / "main", std::as_bytes(std::span(old)));
    m_hub->add(QStringLiteral("org/tiny"), files);
    const auto outcome = ask(toHub(), QStringLiteral("org/tiny"));
    QCOMPARE(outcome.text(), QString());
    QCOMPARE(m_hub->count("GET", "safetensors"), 0);
    QCOMPARE(notAs(files, outcome.folder.toStdString(), needed), QString());
    QVERIFY(fs::is_symlink(repository / "snapshots" / old / "model.safetensors"));
    QCOMPARE(contentOf(repository / "refs" / "main").toStdString(),
             m_hub->commitOf(QStringLiteral("org/tiny")).toStdString());
}

void TestHubClient::goesOnWithAPart_data() {
    QTest::addColumn<QByteArray>("part");
    QTest::addColumn<QByteArray>("range"); // of the first request for the bytes
    const auto whole = model()[QStringLiteral("model.safetensors")];
    auto wrong = whole.left(9000);
    wrong[100] = static_cast<char>(~wrong[100]);
    QTest::newRow("none") << QByteArray() << QByteArray();
    QTest::newRow("a byte") << whole.left(1) << QByteArray("bytes=1-");
    QTest::newRow("half") << whole.left(9000) << QByteArray("bytes=9000-");
    QTest::newRow("all but one") << whole.chopped(1) << QByteArray("bytes=19999-");
    QTest::newRow("all") << whole << QByteArray("no request");
    QTest::newRow("more than all") << whole + "x" << QByteArray();
    QTest::newRow("half with a wrong byte") << wrong << QByteArray("bytes=9000-");
    QTest::newRow("all, of something else") << noise(20'000, 5) << QByteArray();
}

void TestHubClient::goesOnWithAPart() {
    QFETCH(QByteArray, part);
    QFETCH(QByteArray, range);
    const auto files = model();
    m_hub->add(QStringLiteral("org/tiny"), files);
    const HubRepository repository(cache(), "org/tiny");
    const auto etag = LoopbackHub::etagOf(files[QStringLiteral("model.safetensors")]).toStdString();
    makeFolders(repository.part(etag).parent_path());
    writeFileAtomically(repository.part(etag),
                        std::as_bytes(std::span(part.constData(), static_cast<std::size_t>(part.size()))));
    const auto outcome = ask(toHub(), QStringLiteral("org/tiny"));
    QCOMPARE(outcome.text(), QString());
    QCOMPARE(notAs(files, outcome.folder.toStdString(), needed), QString());
    QByteArray first("no request");
    for (const auto& request : m_hub->requests)
        if (request.abroad && request.method == "GET" && first == "no request")
            first = request.range;
    QCOMPARE(first, range);
    QVERIFY(!fs::exists(repository.part(etag)));
}

void TestHubClient::aChangedRevisionBeginsAnew() {
    m_hub->add(QStringLiteral("org/short"), model(200'000));
    QEventLoop loop;
    HubClient client(toHub(), quick);
    // Stopped in the middle, changed, and asked for again.
    connect(&client, &HubClient::waits, &loop, [&] {
        client.stop();
        loop.quit();
    });
    client.fetch(HubName::parse(QStringLiteral("org/short")).value());
    loop.exec();
    QVERIFY(hubModels(cache()).empty());
    auto files = model();
    files[QStringLiteral("model.safetensors")] = noise(30'000, 77);
    m_hub->add(QStringLiteral("org/short"), files);
    const auto outcome = ask(toHub(), QStringLiteral("org/short"));
    QCOMPARE(outcome.text(), QString());
    QCOMPARE(notAs(files, outcome.folder.toStdString(), needed), QString());
}

void TestHubClient::commitsAreAskedForOnce() {
    m_hub->add(QStringLiteral("org/tiny"), model());
    const auto commit = m_hub->commitOf(QStringLiteral("org/tiny"));
    const auto first = ask(toHub(), QStringLiteral("org/tiny@") + commit);
    QCOMPARE(first.text(), QString());
    QVERIFY(!fs::exists(cache() / "models--org--tiny" / "refs"));
    m_hub->forget();
    QCOMPARE(ask(toHub(), QStringLiteral("org/tiny@") + commit).folder, first.folder);
    QVERIFY(m_hub->requests.isEmpty());
    QCOMPARE(ask(toHub(), QStringLiteral("org/tiny@v1")).folder, first.folder);
    QCOMPARE(contentOf(cache() / "models--org--tiny" / "refs" / "v1"), commit.toLatin1());
}

void TestHubClient::offline() {
    m_hub->add(QStringLiteral("org/tiny"), model());
    auto settings = toHub();
    settings.offline = true;
    const auto refused = ask(settings, QStringLiteral("org/tiny"));
    QVERIFY2(refused.text().contains(QLatin1String("HF_HUB_OFFLINE")), qPrintable(refused.text()));
    QVERIFY(m_hub->requests.isEmpty());
    const auto there = ask(toHub(), QStringLiteral("org/tiny"));
    m_hub->forget();
    QCOMPARE(ask(settings, QStringLiteral("org/tiny")).folder, there.folder);
    const auto plan = ask(settings, QStringLiteral("org/tiny"), Deed::Plan).plan.value();
    QCOMPARE(plan.files.size(), 3);
    QCOMPARE(plan.missing, 0);
    QVERIFY(m_hub->requests.isEmpty());
}

void TestHubClient::withoutANetwork() {
    m_hub->add(QStringLiteral("org/tiny"), model());
    const auto there = ask(toHub(), QStringLiteral("org/tiny"));
    const auto settings = toHub();
    m_hub.reset();
    const auto known = ask(settings, QStringLiteral("org/tiny"));
    QCOMPARE(known.folder, there.folder);
    QVERIFY(known.plan.value().remark.contains(QLatin1String("what the cache has")));
    const auto unknown = ask(settings, QStringLiteral("org/other"));
    QCOMPARE(static_cast<int>(unknown.problem.value().kind), static_cast<int>(Kind::NoNetwork));
    QVERIFY2(unknown.text().contains(QLatin1String("takes no connection")), qPrintable(unknown.text()));
    auto nowhere = settings;
    nowhere.setEndpoint(QStringLiteral("https://hub.invalid"));
    const auto lost = ask(nowhere, QStringLiteral("org/other"));
    QVERIFY2(lost.text().contains(QLatin1String("hub.invalid")), qPrintable(lost.text()));
    QCOMPARE(static_cast<int>(lost.problem.value().kind), static_cast<int>(Kind::NoNetwork));
}

void TestHubClient::twoAtOnce() {
    m_hub->add(QStringLiteral("org/slow"), model(200'000));
    QList<QString> folders;
    QEventLoop loop;
    std::vector<std::unique_ptr<HubClient>> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(std::make_unique<HubClient>(toHub(), quick));
        connect(clients.back().get(), &HubClient::fetched, &loop, [&](const QString& folder) {
            folders << folder;
            if (folders.size() == 3)
                loop.quit();
        });
        connect(clients.back().get(), &HubClient::failed, &loop, &QEventLoop::quit);
        clients.back()->fetch(HubName::parse(QStringLiteral("org/slow")).value());
    }
    QTimer::singleShot(patience, &loop, &QEventLoop::quit);
    loop.exec();
    QCOMPARE(folders.size(), 3);
    QCOMPARE(notAs(model(200'000), folders.front().toStdString(), needed), QString());
    QCOMPARE(std::count_if(m_hub->requests.begin(), m_hub->requests.end(),
                           [](const LoopbackHub::Request& request) { return request.abroad; }),
             1);
}

void TestHubClient::waitsForWhoHasTheLock() {
    m_hub->add(QStringLiteral("org/tiny"), model());
    const HubRepository repository(cache(), "org/tiny");
    const auto etag = LoopbackHub::etagOf(model()[QStringLiteral("model.safetensors")]).toStdString();
    // As Python's filelock has it.
    makeFolders(repository.lock(etag).parent_path());
    const int held = ::open(repository.lock(etag).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    QCOMPARE(::flock(held, LOCK_EX), 0);
    QEventLoop loop;
    QString folder;
    HubClient client(toHub(), quick);
    connect(&client, &HubClient::waits, &loop, [held](const QString& why) {
        QVERIFY(why.contains(QLatin1String("Another program")));
        ::close(held);
    });
    connect(&client, &HubClient::fetched, &loop, [&](const QString& where) {
        folder = where;
        loop.quit();
    });
    client.fetch(HubName::parse(QStringLiteral("org/tiny")).value());
    QTimer::singleShot(patience, &loop, &QEventLoop::quit);
    loop.exec();
    QCOMPARE(notAs(model(), folder.toStdString(), needed), QString());
}

void TestHubClient::aFullDisk() {
    m_hub->add(QStringLiteral("org/tiny"), model(200'000));
    {
        const Fault fault(systemCalls().write,
                          decltype(systemCalls().write)(
                              [left = std::size_t(50'000)](int file, const void* bytes, std::size_t count) mutable {
                                  if (left == 0) {
                                      errno = ENOSPC;
                                      return ssize_t(-1);
                                  }
                                  const auto written = ::write(file, bytes, std::min(count, left));
                                  left -= written > 0 ? static_cast<std::size_t>(written) : 0;
                                  return written;
                              }));
        const auto outcome = ask(toHub(), QStringLiteral("org/tiny"));
        QCOMPARE(static_cast<int>(outcome.problem.value().kind), static_cast<int>(Kind::Disk));
        QVERIFY2(outcome.text().contains(QLatin1String("make room")), qPrintable(outcome.text()));
    }
    QVERIFY(hubModels(cache()).empty());
    QCOMPARE(halfFileIn(cache()), QString());
    m_hub->forget();
    const auto again = ask(toHub(), QStringLiteral("org/tiny"));
    QCOMPARE(notAs(model(200'000), again.folder.toStdString(), needed), QString());
    for (const auto& request : m_hub->requests)
        if (request.abroad)
            QVERIFY(request.range.startsWith("bytes=")); // it goes on
    // What fails while it is put in place leaves no model either.
    m_hub->add(QStringLiteral("org/second"), model());
    for (int failing = 0; failing < 8; ++failing) {
        const Fault fault(systemCalls().rename,
                          decltype(systemCalls().rename)([left = failing](const char* from, const char* to) mutable {
                              if (left-- > 0)
                                  return ::rename(from, to);
                              errno = ENOSPC;
                              return -1;
                          }));
        const auto outcome = ask(toHub(), QStringLiteral("org/second"));
        QCOMPARE(halfFileIn(cache()), QString());
        QVERIFY(!outcome.problem || !fs::exists(cache() / "models--org--second" / "refs" / "main"));
    }
    QCOMPARE(ask(toHub(), QStringLiteral("org/second")).text(), QString());
}

void TestHubClient::roomIsAskedForBefore() {
    m_hub->add(QStringLiteral("org/tiny"), model(200'000));
    const Fault fault(systemCalls().freeBytes,
                      decltype(systemCalls().freeBytes)([](const char*) { return std::int64_t(100'000); }));
    const auto outcome = ask(toHub(), QStringLiteral("org/tiny"));
    QVERIFY2(outcome.text().contains(QLatin1String("200 kB"))
                 && outcome.text().contains(QLatin1String("only 100 kB are free"))
                 && outcome.text().contains(QLatin1String("HF_HUB_CACHE")),
             qPrintable(outcome.text()));
    QVERIFY(filesIn(cache()).empty());
}

void TestHubClient::withoutLinks() {
    m_hub->add(QStringLiteral("org/tiny"), model());
    const Fault fault(systemCalls().link, decltype(systemCalls().link)([](const char*, const char*) {
                          errno = EPERM;
                          return -1;
                      }));
    const auto outcome = ask(toHub(), QStringLiteral("org/tiny"));
    QCOMPARE(outcome.text(), QString());
    QCOMPARE(notAs(model(), outcome.folder.toStdString(), needed), QString());
    for (const auto& file : filesIn(outcome.folder.toStdString()))
        QVERIFY(!fs::is_symlink(file));
    QVERIFY(filesIn(cache() / "models--org--tiny" / "blobs").empty()); // nothing is there twice
    m_hub->forget();
    QCOMPARE(ask(toHub(), QStringLiteral("org/tiny")).folder, outcome.folder);
    QCOMPARE(m_hub->count("GET", "safetensors"), 0);
}

void TestHubClient::stopAndGoOn() {
    m_hub->add(QStringLiteral("org/slow"), model(400'000));
    HubClient client(toHub(), quick);
    const auto name = HubName::parse(QStringLiteral("org/slow")).value();
    QSignalSpy fetched(&client, &HubClient::fetched);
    QSignalSpy failed(&client, &HubClient::failed);
    const auto etag = LoopbackHub::etagOf(model(400'000)[QStringLiteral("model.safetensors")]).toStdString();
    const HubRepository repository(cache(), "org/slow");
    client.fetch(name);
    QTRY_VERIFY_WITH_TIMEOUT(repository.partBytes(etag) > 0, patience);
    client.stop();
    client.fetch(name); // at once
    client.stop();
    QTest::qWait(0);
    QVERIFY(fetched.isEmpty() && failed.isEmpty());
    QVERIFY(repository.partBytes(etag) > 0);
    m_hub->forget();
    client.fetch(name);
    QTRY_COMPARE_WITH_TIMEOUT(fetched.size(), 1, patience);
    for (const auto& request : m_hub->requests)
        if (request.abroad)
            QVERIFY(request.range.startsWith("bytes="));
    QCOMPARE(notAs(model(400'000), fetched.front().front().toString().toStdString(), needed), QString());
}

void TestHubClient::killedAtAnyMoment() {
    const int wished = qEnvironmentVariableIntValue("HEADLIGHT_KILLS");
    const int kills = wished > 0 ? wished : 30;
    const auto name = QStringLiteral("org/slow");
    const auto files = model(150'000);
    m_hub->add(name, files);
    QRandomGenerator random(7);
    int finished = 0;
    const auto fetch = [&](int killAfter) {
        QProcess child;
        QEventLoop loop;
        connect(&child, &QProcess::finished, &loop, &QEventLoop::quit);
        child.start(QCoreApplication::applicationFilePath(),
                    {QStringLiteral("--fetch"), m_hub->endpoint(), m_folder->path(), name});
        if (killAfter >= 0)
            QTimer::singleShot(killAfter, &child, &QProcess::kill);
        QTimer::singleShot(patience, &loop, &QEventLoop::quit);
        loop.exec();
        return child.exitStatus() == QProcess::NormalExit && child.exitCode() == 0
                   ? QString::fromUtf8(child.readAllStandardOutput()).trimmed()
                   : QString();
    };
    QElapsedTimer clock;
    clock.start();
    QVERIFY(!fetch(-1).isEmpty());
    const auto whole = clock.elapsed();
    fs::remove_all(cache() / "models--org--slow");
    for (int kill = 0; kill < kills; ++kill) {
        const auto folder = fetch(static_cast<int>(random.bounded(whole)));
        QCOMPARE(halfFileIn(cache()), QString());
        for (const auto& there : hubModels(cache()))
            QVERIFY(there.whole);
        if (folder.isEmpty())
            continue;
        QCOMPARE(notAs(files, folder.toStdString(), needed), QString());
        ++finished;
        fs::remove_all(cache() / "models--org--slow");
    }
    const auto folder = fetch(-1);
    QCOMPARE(notAs(files, folder.toStdString(), needed), QString());
    QCOMPARE(halfFileIn(cache()), QString());
    qInfo("%d kills, %d fetches came to their end between", kills, finished);
}

void TestHubClient::searches() {
    m_hub->add(QStringLiteral("org/tiny"), model());
    m_hub->add(QStringLiteral("org/gated"), model());
    HubClient client(toHub(), quick);
    QSignalSpy found(&client, &HubClient::found);
    QSignalSpy failed(&client, &HubClient::failed);
    client.search(QStringLiteral("org/"));
    QTRY_COMPARE_WITH_TIMEOUT(found.size(), 1, patience);
    const auto models = found.takeFirst().front().value<QList<HubListing>>();
    QCOMPARE(models.size(), 2); // what is no name is left out
    QCOMPARE(models[0].id, QStringLiteral("org/gated"));
    QVERIFY(models[0].gated && !models[1].gated);
    QCOMPARE(models[1].task, QStringLiteral("fill-mask"));
    QCOMPARE(models[1].downloads, 1234567);
    client.search(QStringLiteral("a&b=c #1%"));
    QTRY_COMPARE_WITH_TIMEOUT(found.size(), 1, patience);
    QVERIFY(found.takeFirst().front().value<QList<HubListing>>().isEmpty());
    client.search(QStringLiteral("login"));
    QTRY_COMPARE_WITH_TIMEOUT(failed.size(), 1, patience);
    QVERIFY(failed.front().front().value<HubProblem>().text.contains(QLatin1String("a proxy")));
}

int main(int argc, char** argv) {
    for (const auto* proxy : {"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})
        qunsetenv(proxy);
    QCoreApplication application(argc, argv);
    const auto words = QCoreApplication::arguments();
    if (words.value(1) == QLatin1String("--fetch"))
        return fetchAsAChild(words.mid(2));
    TestHubClient test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_hub_client.moc"
