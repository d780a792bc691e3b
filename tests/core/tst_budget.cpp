// Protects the memory of the machine: what a run takes is known before it, long texts are cut to what may be taken or
// refused with the numbers, and a model that does not fit is not opened.
#include "core/engine.h"
#include "core/runs/budget.h"
#include "core/runs/side_by_side.h"
#include "tests/support/tiny_models.h"

#include <QTest>

using namespace headlight;

namespace {

std::int64_t bytesIn(const Trace& trace) {
    std::size_t numbers = 0;
    for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross})
        if (const auto* block = trace.block(kind))
            numbers += block->weights.size() + block->scores.size() + block->queryRows.size() + block->keyRows.size()
                       + block->valueRows.size();
    for (const auto* input : {trace.input(BlockKind::Encoder), trace.input(BlockKind::Decoder)})
        if (input)
            numbers += input->tokens.size() + input->positions.size() + input->sums.size();
    if (trace.logits)
        numbers += trace.logits->values.size();
    return static_cast<std::int64_t>(numbers * sizeof(float));
}

std::unique_ptr<Engine> openFixture(const Folder& folder, const std::string& fixture) {
    folder.copyWithWords(fixture);
    return Engine::open(folder.path());
}

/// w5 w6 w7 and so on.
std::string wordsOf(int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
        text += "w" + std::to_string(5 + i % 100) + " ";
    return text;
}

QString saidOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return QString::fromUtf8(error.what());
    }
    return {};
}

} // namespace

class TestBudget : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void knowsWhatATraceKeeps_data() {
        QTest::addColumn<QString>("fixture");
        QTest::addColumn<int>("recording"); // bits: scores, vectors, logits
        for (const auto& fixture : {u"marian"_qs, u"roberta"_qs, u"gpt2"_qs})
            for (int recording = 0; recording < 8; ++recording)
                QTest::addRow("%s %d", qPrintable(fixture), recording) << fixture << recording;
    }
    void knowsWhatATraceKeeps() {
        QFETCH(QString, fixture);
        QFETCH(int, recording);
        const Folder folder;
        const auto engine = openFixture(folder, fixture.toStdString());
        Request request;
        request.sourceIds = {7, 9, 11, 12, 30, 2};
        if (fixture == u"marian")
            request.targetIds = {3, 8, 10, 12};
        request.record = {
            .scores = (recording & 1) != 0, .vectors = (recording & 2) != 0, .logits = (recording & 4) != 0};
        const auto trace = engine->run(request);
        ModelSizes sizes{.encoderLayers = engine->info().encoderLayers,
                         .decoderLayers = engine->info().decoderLayers,
                         .crossLayers = engine->info().crossLayers,
                         .heads = engine->info().heads,
                         .headSize = 8,
                         .width = 32,
                         .feedForward = 64,
                         .vocabulary = 211};
        const RunLength length{.source = static_cast<std::int64_t>(trace->source.size()),
                               .target = static_cast<std::int64_t>(trace->target.size())};
        QCOMPARE(keptBytes(sizes, length, request.record), bytesIn(*trace));
        QVERIFY(runBytes(sizes, length, request.record) > bytesIn(*trace));
    }

    /// 12 layers of 12 heads, 1024 tokens: 604 MB.
    void knowsGpt2() {
        const ModelSizes gpt2{
            .decoderLayers = 12, .heads = 12, .headSize = 64, .width = 768, .feedForward = 3072, .vocabulary = 50257};
        QCOMPARE(memoryInWords(keptBytes(gpt2, {.target = 1024}, {})), std::string("604 MB"));
        // What is not a number of bytes any more is still too much.
        QVERIFY(runBytes(gpt2, {.target = std::int64_t(1) << 40}, {}) > std::int64_t(1) << 60);
    }

    void cutsToTheMemory_data() {
        QTest::addColumn<QString>("fixture");
        QTest::newRow("an encoder") << u"roberta"_qs;
        QTest::newRow("a decoder") << u"gpt2"_qs;
        QTest::newRow("both") << u"t5"_qs; // which reads 65 536 tokens
    }
    void cutsToTheMemory() {
        QFETCH(QString, fixture);
        const Folder folder;
        const auto engine = openFixture(folder, fixture.toStdString());
        Request request;
        request.source = wordsOf(60);
        request.maxLength = fixture == u"roberta" ? 0 : 100'000;
        const auto most = static_cast<int>(fixture == u"roberta" ? engine->run(request)->source.size() : 60);
        request.memory = 400'000;
        const auto trace = engine->run(request);
        const auto& read = fixture == u"gpt2" ? trace->target : trace->source;
        QVERIFY2(read.size() >= 8 && static_cast<int>(read.size()) < most, qPrintable(QString::number(read.size())));
        QVERIFY(trace->window && trace->window->total == 60);
        const auto said = QString::fromStdString(trace->notices.front());
        QVERIFY2(said.contains(u"400 kB") && said.contains(QString::number(read.size())), qPrintable(said));
        QVERIFY(bytesIn(*trace) < request.memory);
        // The more memory, the more is read.
        request.memory = 4'000'000;
        const auto more = engine->run(request);
        QVERIFY((fixture == u"gpt2" ? more->target : more->source).size() > read.size());
    }

    void cutsTheTarget() {
        const Folder folder;
        const auto engine = openFixture(folder, "t5");
        Request request;
        request.sourceIds = {5, 6, 7, 1};
        request.targetIds.assign(5000, 9);
        request.memory = 2'000'000;
        const auto trace = engine->run(request);
        QCOMPARE(trace->source.size(), 4U);
        QVERIFY(trace->target.size() > 8 && trace->target.size() < 1000);
        QVERIFY(QString::fromStdString(trace->notices.front()).startsWith(u"target cut: 5000 tokens"));
        QVERIFY(bytesIn(*trace) < request.memory);
    }

    void refusesWhatCannotBeCut() {
        const Folder folder;
        const auto engine = openFixture(folder, "gpt2");
        Request request;
        request.source = wordsOf(20);
        request.memory = 10'000;
        const auto said = saidOf([&] { engine->run(request); });
        QVERIFY2(said.contains(u"20 tokens") && said.contains(u"10 kB"), qPrintable(said));
        request.source = "w5";
        request.memory = 100'000;
        QCOMPARE(saidOf([&] { engine->run(request); }), QString());
    }

    /// A hundred hypotheses are remembered a hundred times.
    void countsTheBeam() {
        const ModelSizes sizes{.encoderLayers = 6,
                               .decoderLayers = 6,
                               .crossLayers = 6,
                               .heads = 8,
                               .headSize = 64,
                               .width = 512,
                               .feedForward = 2048,
                               .vocabulary = 1000};
        const auto greedy = runBytes(sizes, {.source = 1000, .target = 1000}, {});
        const auto wide = runBytes(sizes, {.source = 1000, .target = 1000, .beam = 64}, {});
        const std::int64_t remembered = std::int64_t(4) * 2 * 512 * 6 * 2000;
        QCOMPARE(wide - greedy, remembered * 127);
    }

    void runsShareTheMemory() {
        const Folder folder;
        folder.copyOfMarian();
        const auto engine = Engine::open(folder.path());
        const auto open = [&](const std::filesystem::path&) -> Engine& { return *engine; };
        SideBySide what{.first = folder.path(), .second = {}, .request = {}};
        what.request.sourceIds = {7, 9, 11, 0};
        Runs alone, three;
        runFirst(what, open, alone);
        runBeside(what, open, alone);
        QVERIFY(alone.first && !alone.second && !alone.full);
        what.second = folder.path();
        what.request.intervention.off = {{BlockKind::Cross, Layer(0), Head(0)}};
        runFirst(what, open, three);
        runBeside(what, open, three);
        QVERIFY(three.first && three.second && three.full);
        QVERIFY2(std::abs(static_cast<double>(three.memory) * 3 / static_cast<double>(alone.memory) - 1) < 0.3,
                 "three runs take as much as one");
        Runs stopped;
        std::stop_source stop;
        stop.request_stop();
        runFirst(what, open, stopped, stop.get_token());
        runBeside(what, open, stopped, stop.get_token());
        QVERIFY(!stopped.first && !stopped.second && !stopped.full);
    }

    void readsWhatIsFree_data() {
        using Files = QMap<QString, QByteArray>;
        QTest::addColumn<Files>("files");
        QTest::addColumn<qint64>("bytes"); // -1: not known
        const QByteArray meminfo = "MemTotal:  9000 kB\nMemFree:  10 kB\nMemAvailable:   2000 kB\n";
        QTest::newRow("nothing is said") << Files{} << qint64(-1);
        QTest::newRow("nonsense") << Files{{u"proc/meminfo"_qs, "MemAvailable: much\n"}} << qint64(-1);
        QTest::newRow("the system's") << Files{{u"proc/meminfo"_qs, meminfo}} << qint64(2000 * 1024);
        const Files second{{u"proc/meminfo"_qs, meminfo},
                           {u"proc/self/cgroup"_qs, "0::/a/b\n"},
                           {u"groups/a/b/memory.max"_qs, "max\n"},
                           {u"groups/a/b/memory.current"_qs, "5000\n"},
                           {u"groups/a/memory.max"_qs, "90000\n"},
                           {u"groups/a/memory.current"_qs, "50000\n"},
                           {u"groups/a/memory.stat"_qs, "anon 1\ninactive_file 7000\nactive_file 3\n"}};
        QTest::newRow("the group around ours has a limit") << second << qint64(47'000);
        auto none = second;
        none[u"groups/a/memory.current"_qs] = "120000\n";
        none[u"groups/a/memory.stat"_qs] = "";
        QTest::newRow("the limit is passed") << none << qint64(0);
        QTest::newRow("version 1, whose names are those outside")
            << Files{{u"proc/meminfo"_qs, meminfo},
                     {u"proc/self/cgroup"_qs, "5:cpu:/x\n4:memory:/outside/x\n0::/\n"},
                     {u"groups/memory/memory.limit_in_bytes"_qs, "80000\n"},
                     {u"groups/memory/memory.usage_in_bytes"_qs, "50000\n"},
                     {u"groups/memory/memory.stat"_qs, "inactive_file 1\ntotal_inactive_file 1000\n"}}
            << qint64(31'000);
        QTest::newRow("version 1, no limit")
            << Files{{u"proc/meminfo"_qs, meminfo},
                     {u"proc/self/cgroup"_qs, "4:memory:/\n"},
                     {u"groups/memory/memory.limit_in_bytes"_qs, "9223372036854771712\n"},
                     {u"groups/memory/memory.usage_in_bytes"_qs, "50000\n"}}
            << qint64(2000 * 1024);
    }
    void readsWhatIsFree() {
        using Files = QMap<QString, QByteArray>;
        QFETCH(Files, files);
        QFETCH(qint64, bytes);
        const QTemporaryDir folder;
        const std::filesystem::path root = folder.path().toStdString();
        for (auto file = files.begin(); file != files.end(); ++file) {
            const auto path = root / file.key().toStdString();
            std::filesystem::create_directories(path.parent_path());
            headlight::write(path, file.value());
        }
        QCOMPARE(qint64(freeMemory(root / "proc", root / "groups").value_or(-1)), bytes);
        QVERIFY(usualRunMemory() > 0);
    }

    void saysNumbersInWords_data() {
        QTest::addColumn<qint64>("bytes");
        QTest::addColumn<QString>("words");
        QTest::newRow("bytes") << qint64(9999) << u"9999 bytes"_qs;
        QTest::newRow("kB") << qint64(10'499) << u"10 kB"_qs;
        QTest::newRow("MB") << qint64(603'979'776) << u"604 MB"_qs;
        QTest::newRow("GB") << qint64(26'000'000'000) << u"26 GB"_qs;
        QTest::newRow("TB") << std::numeric_limits<qint64>::max() << u"9223372 TB"_qs;
    }
    void saysNumbersInWords() {
        QFETCH(qint64, bytes);
        QTEST(QString::fromStdString(memoryInWords(bytes)), "words");
    }

    /// The files have holes where most weights are, so that they take no room on the disk; nobody reads them to the
    /// end.
    void opensNoModelThatDoesNotFit_data() {
        QTest::addColumn<QStringList>("files");
        QTest::newRow("one file") << QStringList{u"model.safetensors"_qs};
        QTest::newRow("shards") << QStringList{u"model-1.safetensors"_qs, u"model-2.safetensors"_qs};
        QTest::newRow("of torch") << QStringList{u"pytorch_model.bin"_qs};
    }
    void opensNoModelThatDoesNotFit() {
        QFETCH(QStringList, files);
        const Folder folder;
        folder.copyOfMarian();
        std::filesystem::remove(folder.path() / "model.safetensors");
        if (files.size() > 1)
            headlight::write(folder.path() / "model.safetensors.index.json", "{}");
        for (const auto& file : files) {
            headlight::write(folder.path() / file.toStdString(), "");
            std::filesystem::resize_file(folder.path() / file.toStdString(),
                                         static_cast<std::uintmax_t>(8'000'000'000'000 / files.size()));
        }
        const auto said = saidOf([&] { Engine::open(folder.path()); });
        QVERIFY2(said.contains(u"4000 GB of memory") && said.contains(u"are free")
                     && said.contains(u"close other models"),
                 qPrintable(said));
    }
};

QTEST_GUILESS_MAIN(TestBudget)
#include "tst_budget.moc"
