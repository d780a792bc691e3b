// Protects what typing relies on: the newest job wins, nobody waits for an old one, and no problem ends the program.
#include "app/inference_service.h"
#include "tests/support/staged_models.h"
#include "tests/support/tiny_models.h"

#include <QElapsedTimer>
#include <QTest>
#include <QThread>

#include <algorithm>

using namespace headlight;

namespace {

/// A service, and all that it delivered.
struct Listener {
    explicit Listener(InferenceService::Means means = {}) : service(std::move(means)) {
        QObject::connect(&service, &InferenceService::finished, &service, [this](const InferenceResult& result) {
            results.push_back(result);
            inOwnThread = inOwnThread && QThread::currentThread() == service.thread();
        });
    }
    /// The result of one job.
    InferenceResult run(InferenceJob job) {
        results.clear();
        service.submit(std::move(job));
        // Sanitizers and a busy machine are slow; a result that never comes is what fails here.
        const bool done = QTest::qWaitFor([this] { return !service.busy(); }, 60'000);
        return done && !results.empty() ? results.back() : InferenceResult();
    }

    InferenceService service;
    std::vector<InferenceResult> results;
    bool inOwnThread = true;
};

InferenceJob job(const Folder& model, const std::string& source) {
    InferenceJob job;
    job.first = model.path();
    job.request.source = source;
    return job;
}

InferenceJob staged(const std::string& source, const char* second = "") {
    InferenceJob job;
    job.first = "A";
    job.second = second;
    job.request.source = source;
    return job;
}

constexpr int manySteps = 30'000;

/// A model that decodes for many seconds when it is asked to.
void writeSlowModel(const Folder& folder) {
    folder.recurrent();
    auto config = recurrentConfig(QStringLiteral("additive"));
    config[QLatin1String("max_position_embeddings")] = manySteps;
    folder.config(config);
}

InferenceJob slowJob(const Folder& model) {
    auto slow = job(model, "");
    slow.request.sourceIds = {5, 6, 2};
    slow.request.targetIds.assign(manySteps, 7);
    return slow;
}

} // namespace

class TestInferenceService : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void newestWins();
    void freshPictureLetsTheRunningStop();
    void picturesComeWhileSomeoneTypes();
    void runOfAnotherModelIsStopped();
    void runThatTakesTooLongIsStopped();
    void firstDoesNotWaitForSecond();
    void firstDoesNotWaitForSecondToOpen();
    void pairIsFinishedWhereItIsThePicture();
    void changedFilesAreSaid();
    void filesAreReadAnewWhenAsked();
    void submitDoesNotWait();
    void destructorStopsTheRunning();
    void destructorDropsWhatIsDone();
    void secondHasTheTargetOfTheFirst();
    void secondHasTheIdsOfTheFirst();
    void typedTargetIsForBoth();
    void fullRunHasTheTokensOfTheChanged();
    void fullRunReadsWhatTheChangedRead();
    void problems_data();
    void problems();
    void goesOnAfterAProblem();
    void keepsTheLastThreeModels();
};

void TestInferenceService::newestWins() {
    const Folder model;
    model.recurrent();
    Listener listener;
    QVERIFY(!listener.service.busy());
    quint64 last = 0;
    for (int i = 0; i < 100; ++i) {
        const auto generation = listener.service.submit(job(model, "text " + std::to_string(i)));
        QVERIFY(generation > last);
        last = generation;
    }
    QVERIFY(listener.service.busy());
    QTRY_VERIFY_WITH_TIMEOUT(!listener.service.busy(), 60'000);
    const auto delivered = listener.results.size();
    QVERIFY(delivered <= 3); // whichever runs were under way when another text came, and the newest
    for (std::size_t i = 1; i < delivered; ++i)
        QVERIFY(listener.results[i].generation > listener.results[i - 1].generation);
    for (std::size_t i = 0; i < delivered; ++i)
        QCOMPARE(listener.results[i].newest, i + 1 == delivered);
    QTest::qWait(50); // whatever else would come, comes now
    QCOMPARE(listener.results.size(), delivered);
    const auto& result = listener.results.back();
    QCOMPARE(result.generation, last);
    QCOMPARE(result.problem, QString());
    QVERIFY(result.first && !result.second && listener.inOwnThread);
    QCOMPARE(result.first->sourceText, std::string("text 99"));
    QCOMPARE(result.firstModel.value().family, std::string("headlight_recurrent"));
    QVERIFY(!result.secondModel);
}

/// A text that is replaced at once is not worth a run: the picture on show is as good.
void TestInferenceService::freshPictureLetsTheRunningStop() {
    Stage stage;
    Listener listener(stage.means());
    stage.letEnd("A: a");
    QVERIFY(listener.run(staged("a")).newest);
    listener.service.submit(staged("ab"));
    QTRY_VERIFY(stage.runs("A: ab"));
    stage.pass(InferenceService::freshFor / 2);
    stage.letEnd("A: abc");
    QCOMPARE(listener.run(staged("abc")).first->sourceText, std::string("abc"));
    QCOMPARE(stage.stopped(), Texts{"A: ab"});
    QCOMPARE(listener.results.size(), std::size_t(1));
}

/// Each key comes while the run of the text before is under way, and no pause ever.
void TestInferenceService::picturesComeWhileSomeoneTypes() {
    Stage stage;
    Listener listener(stage.means());
    constexpr int keys = 50;
    std::string text = "a";
    listener.service.submit(staged(text));
    for (int key = 0; key < keys; ++key) {
        QTRY_VERIFY(stage.runs("A: " + text));
        stage.pass(InferenceService::freshFor);
        const auto before = text;
        text += 'a';
        listener.service.submit(staged(text));
        QVERIFY(listener.service.busy());
        stage.letEnd("A: " + before);
        QTRY_COMPARE(listener.results.size(), static_cast<std::size_t>(key) + 1);
        QCOMPARE(listener.results.back().first->sourceText, before);
        QVERIFY(!listener.results.back().newest); // so that it can be marked
        QVERIFY(listener.service.busy());
    }
    QVERIFY(stage.stopped().empty());
    stage.letEnd("A: " + text);
    QTRY_VERIFY(!listener.service.busy());
    QCOMPARE(listener.results.back().first->sourceText, text);
    QVERIFY(listener.results.back().newest);
}

void TestInferenceService::runOfAnotherModelIsStopped() {
    Stage stage;
    Listener listener(stage.means());
    listener.service.submit(staged("a"));
    QTRY_VERIFY(stage.runs("A: a"));
    auto other = staged("a");
    other.first = "C";
    stage.letEnd("C: a");
    QCOMPARE(listener.run(other).first->model, std::string("C"));
    QCOMPARE(stage.stopped(), Texts{"A: a"});
    QCOMPARE(listener.results.size(), std::size_t(1));
}

/// A whole book that was pasted and taken away again keeps nobody waiting.
void TestInferenceService::runThatTakesTooLongIsStopped() {
    Stage stage;
    Listener listener(stage.means());
    listener.service.submit(staged("a book"));
    QTRY_VERIFY(stage.runs("A: a book"));
    stage.letEnd("A: a");
    QCOMPARE(listener.run(staged("a")).first->sourceText, std::string("a"));
    QCOMPARE(stage.stopped(), Texts{"A: a book"});
}

void TestInferenceService::firstDoesNotWaitForSecond() {
    Stage stage;
    Listener listener(stage.means());
    stage.letEnd("A: a");
    listener.service.submit(staged("a", "B"));
    QTRY_COMPARE(listener.results.size(), std::size_t(1));
    QVERIFY(listener.results[0].first && !listener.results[0].second);
    QVERIFY(listener.results[0].newest && !listener.results[0].whole);
    QVERIFY(listener.service.busy());

    stage.pass(InferenceService::freshFor); // however old the picture is
    stage.letEnd("A: ab");
    listener.service.submit(staged("ab", "B"));
    QTRY_COMPARE(listener.results.size(), std::size_t(2));
    QCOMPARE(stage.stopped(), Texts{"B: a"});
    QCOMPARE(listener.results[1].first->sourceText, std::string("ab"));
    QVERIFY(!listener.results[1].second); // never one of another text

    stage.letEnd("B: ab");
    QTRY_VERIFY(!listener.service.busy());
    const auto& whole = listener.results.back();
    QVERIFY(whole.whole && whole.newest);
    QCOMPARE(whole.first, listener.results[1].first);
    QCOMPARE(whole.second->sourceText, whole.first->sourceText);
}

void TestInferenceService::firstDoesNotWaitForSecondToOpen() {
    Stage stage;
    stage.holdOpening("B");
    Listener listener(stage.means());
    std::string text;
    for (std::size_t key = 1; key <= 5; ++key) {
        text += 'a';
        stage.letEnd("A: " + text);
        stage.pass(InferenceService::freshFor);
        auto pair = staged(text, "B");
        pair.pair = true; // and so B's run would be worth finishing
        listener.service.submit(pair);
        QTRY_COMPARE(listener.results.size(), key);
        QCOMPARE(listener.results.back().first->sourceText, text);
        QVERIFY(listener.service.busy());
    }
    stage.letEnd("B: " + text);
    stage.holdOpening({});
    QTRY_VERIFY(!listener.service.busy());
    QCOMPARE(listener.results.back().second->sourceText, text);
    QCOMPARE(stage.begun().size(), std::size_t(6)); // B ran for the newest text alone
}

void TestInferenceService::pairIsFinishedWhereItIsThePicture() {
    Stage stage;
    Listener listener(stage.means());
    auto pair = staged("a", "B");
    pair.pair = true;
    stage.letEnd("A: a");
    listener.service.submit(pair);
    QTRY_VERIFY(stage.runs("B: a"));
    pair.request.source = "ab";
    listener.service.submit(pair);
    stage.letEnd("B: a");
    const auto isPair = [](const InferenceResult& result) { return result.second != nullptr; };
    QTRY_VERIFY(std::any_of(listener.results.begin(), listener.results.end(), isPair));
    QVERIFY(!listener.results.back().newest);
    QCOMPARE(listener.results.back().second->sourceText, std::string("a"));
    QVERIFY(stage.stopped().empty());
    stage.letEnd("A: ab");
    stage.letEnd("B: ab");
    QTRY_VERIFY(!listener.service.busy());
    QCOMPARE(listener.results.back().second->sourceText, std::string("ab"));
}

void TestInferenceService::changedFilesAreSaid() {
    const Folder model;
    model.recurrent();
    Listener listener;
    QCOMPARE(listener.run(job(model, "a")).changedFolders, QStringList());
    QCOMPARE(listener.run(job(model, "b")).changedFolders, QStringList());
    std::filesystem::remove(model.path() / "spiece.model");
    const auto result = listener.run(job(model, "c"));
    QCOMPARE(result.changedFolders, QStringList(QString::fromStdString(model.path().string())));
    QVERIFY(result.first); // with what was read
}

void TestInferenceService::filesAreReadAnewWhenAsked() {
    const Folder model;
    model.recurrent();
    Listener listener;
    const auto before = listener.run(job(model, "some text")).first;
    auto anew = job(model, "some text");
    anew.reread = true;
    auto config = recurrentConfig(QStringLiteral("none"));
    config[QLatin1String("max_position_embeddings")] = 7; // and so of another size
    model.config(config);
    std::filesystem::remove(model.path() / "model.safetensors");
    const auto failed = listener.run(anew);
    QVERIFY2(failed.problem.contains(QLatin1String("model.safetensors")), qPrintable(failed.problem));
    const auto kept = listener.run(job(model, "some text"));
    QCOMPARE(kept.first->cross->weights, before->cross->weights); // what is open stays open
    QCOMPARE(kept.changedFolders.size(), qsizetype(1));

    recurrentTensors(false).write(model.path() / "model.safetensors");
    const auto result = listener.run(anew);
    QCOMPARE(result.problem, QString());
    QVERIFY(!result.first->cross);
    QVERIFY(result.changedFolders.isEmpty());
}

void TestInferenceService::submitDoesNotWait() {
    const Folder slow;
    writeSlowModel(slow);
    Listener listener;
    qint64 longest = 0;
    for (int i = 0; i < 20; ++i) {
        QElapsedTimer timer;
        timer.start();
        listener.service.submit(slowJob(slow));
        longest = std::max(longest, timer.elapsed());
        QTest::qWait(5);
    }
    QVERIFY2(longest < 100, qPrintable(QString::number(longest)));
}

void TestInferenceService::destructorStopsTheRunning() {
    const Folder slow;
    writeSlowModel(slow);
    auto listener = std::make_unique<Listener>();
    QElapsedTimer timer;
    timer.start();
    QVERIFY(listener->run(slowJob(slow)).first);
    const auto untilDone = timer.elapsed();

    auto delivered = std::make_shared<int>(0);
    connect(&listener->service, &InferenceService::finished, this, [delivered] { ++*delivered; });
    listener->service.submit(slowJob(slow));
    QTest::qWait(static_cast<int>(untilDone / 20));
    timer.restart();
    listener.reset();
    QVERIFY2(timer.elapsed() < untilDone / 2,
             qPrintable(QStringLiteral("%1 of %2 ms").arg(timer.elapsed()).arg(untilDone)));
    QTest::qWait(50);
    QCOMPARE(*delivered, 0);
}

void TestInferenceService::destructorDropsWhatIsDone() {
    const Folder model;
    model.recurrent();
    auto delivered = std::make_shared<int>(0);
    auto service = std::make_unique<InferenceService>();
    connect(service.get(), &InferenceService::finished, this, [delivered] { ++*delivered; });
    service->submit(job(model, "done, but not delivered"));
    QThread::msleep(200); // no events are handled meanwhile
    service.reset();
    QTest::qWait(50);
    QCOMPARE(*delivered, 0);
}

void TestInferenceService::secondHasTheTargetOfTheFirst() {
    const Folder first;
    first.recurrent(QStringLiteral("additive"));
    const Folder second;
    second.recurrent(QStringLiteral("none"));
    Listener listener;
    const auto own = listener.run(job(second, "the same source")).first;
    auto both = job(first, "the same source");
    both.second = second.path();
    const auto result = listener.run(both);
    QCOMPARE(result.problem, QString());
    QVERIFY(result.first && result.second);
    QVERIFY(!result.first->targetForced && result.second->targetForced);
    QCOMPARE(result.second->targetText, result.first->targetText);
    QCOMPARE(result.second->sourceText, result.first->sourceText);
    QVERIFY(own->targetText != result.first->targetText); // else it would prove nothing
    QVERIFY(result.secondModel);
}

void TestInferenceService::secondHasTheIdsOfTheFirst() {
    const Folder first;
    first.copyOfMarian();
    const Folder second;
    second.copyOfMarian();
    Listener listener;
    auto both = job(first, "");
    both.request.sourceIds = {12, 7, 30, 0};
    both.request.maxLength = 6;
    both.second = second.path();
    const auto result = listener.run(both);
    QCOMPARE(result.problem, QString());
    QVERIFY(result.second->targetForced);
    QCOMPARE(result.second->target, result.first->target);
}

void TestInferenceService::typedTargetIsForBoth() {
    const Folder model;
    model.recurrent();
    Listener listener;
    auto both = job(model, "source");
    both.second = model.path();
    both.request.target = "typed";
    const auto result = listener.run(both);
    QVERIFY(result.first->targetForced && result.second->targetForced);
    QCOMPARE(result.first->targetText, std::string("typed"));
    QCOMPARE(result.second->targetText, std::string("typed"));
}

/// What a changed model says need not be cut into the same tokens again, so the model in full is given the tokens.
void TestInferenceService::fullRunHasTheTokensOfTheChanged() {
    const Folder model;
    model.recurrent();
    Listener listener;
    auto both = job(model, "some source text");
    both.second = model.path();
    both.request.intervention.forced = {{Query(0), Key(1)}};
    for (const int longest : {0, 3}) {
        both.request.maxLength = longest;
        const auto result = listener.run(both);
        QCOMPARE(result.problem, QString());
        QCOMPARE(result.second->target, result.first->target);
        QCOMPARE(result.second->emitted, result.first->emitted);
        QVERIFY(result.second->intervention.empty());
        QVERIFY(result.second->cross->weights != result.first->cross->weights);
    }
}

void TestInferenceService::fullRunReadsWhatTheChangedRead() {
    Request request;
    request.source = "a long text";
    request.second = "another";
    request.skip = 3;
    request.maxLength = 7;
    request.intervention.off = {{BlockKind::Encoder, Layer(0), Head(0)}};
    ModelInfo info;
    info.name = "m";
    info.hasEncoder = info.readsPairs = true;
    Trace first;
    const auto token = [](std::int64_t id) {
        Token made;
        made.id = id;
        return made;
    };
    first.source = {token(1), token(2)};
    const auto encoder = requestForSecond(request, first, info, info);
    QVERIFY(encoder.intervention.empty());
    QCOMPARE(encoder.skip, request.skip);
    QCOMPARE(encoder.second, request.second);

    info.hasEncoder = info.readsPairs = false;
    info.hasDecoder = true;
    request.second.reset();
    first.target = {token(1), token(2), token(3), token(4)};
    first.source.clear();
    first.prompt = 2;
    first.targetText = "a long text that goes on";
    const auto decoder = requestForSecond(request, first, info, info);
    QCOMPARE(decoder.source, request.source);
    QCOMPARE(decoder.skip, request.skip);
    QCOMPARE(decoder.targetIds, (std::vector<std::int64_t>{3, 4}));
    QCOMPARE(decoder.maxLength, 0);

    info.hasEncoder = true; // a hypothesis that was chosen is given as ids
    request.targetIds = {9, 8};
    const auto chosen = requestForSecond(request, first, info, info);
    QCOMPARE(chosen.targetIds, request.targetIds);
    QVERIFY(chosen.beginIds.empty() && !chosen.target);
}

void TestInferenceService::problems_data() {
    QTest::addColumn<bool>("second");
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("content"); // null: the file is taken away
    QTest::addColumn<QString>("says");
    const QByteArray none;
    QTest::newRow("A has no weights") << false << "model.safetensors" << none << "model.safetensors";
    QTest::newRow("A is cut short") << false << "model.safetensors" << QByteArray("\x10\0\0", 3) << "model.safetensors";
    QTest::newRow("A is of no family") << false << "config.json" << QByteArray(R"({"model_type": "gru"})") << "gru";
    QTest::newRow("B has no config") << true << "config.json" << none << "config.json";
    QTest::newRow("B is cut short") << true << "model.safetensors" << QByteArray("\x10\0\0", 3) << "model.safetensors";
    QTest::newRow("B has a broken tokenizer") << true << "spiece.model" << QByteArray("nothing") << "spiece.model";
}

void TestInferenceService::problems() {
    QFETCH(bool, second);
    QFETCH(QString, file);
    QFETCH(QByteArray, content);
    const Folder good;
    good.recurrent();
    const Folder bad;
    bad.recurrent();
    const auto path = bad.path() / file.toStdString();
    if (content.isNull())
        std::filesystem::remove(path);
    else
        write(path, content);

    auto both = job(second ? good : bad, "some text");
    both.second = (second ? bad : good).path();
    Listener listener;
    const auto result = listener.run(both);
    QCOMPARE(bool(result.first), second);
    QVERIFY(!result.second);
    QFETCH(QString, says);
    QVERIFY2(result.problem.contains(says), qPrintable(result.problem));
}

void TestInferenceService::goesOnAfterAProblem() {
    const Folder model;
    model.recurrent();
    Listener listener;
    InferenceJob wrong = job(model, "");
    wrong.request.sourceIds = {100'000};
    const auto problem = listener.run(wrong).problem;
    QVERIFY2(problem.contains(QLatin1String("100000")), qPrintable(problem));
    const auto result = listener.run(job(model, "right"));
    QCOMPARE(result.problem, QString());
    QVERIFY(result.first);
}

void TestInferenceService::keepsTheLastThreeModels() {
    const std::array<Folder, 4> models;
    for (const auto& model : models)
        model.recurrent();
    const auto breakModel = [](const Folder& model) { std::filesystem::remove(model.path() / "config.json"); };
    Listener listener;
    for (const std::size_t i : {0U, 1U, 2U})
        QVERIFY(listener.run(job(models[i], "a")).first);
    for (const std::size_t i : {0U, 1U, 2U})
        breakModel(models[i]);
    for (const std::size_t i : {1U, 2U, 0U}) // no file is read again; 1 is now the one used longest ago
        QVERIFY(listener.run(job(models[i], "b")).first);
    QVERIFY(listener.run(job(models[3], "c")).first);
    QVERIFY(listener.run(job(models[0], "d")).first);
    QVERIFY(listener.run(job(models[2], "d")).first);
    QVERIFY(!listener.run(job(models[1], "d")).first);
}

QTEST_MAIN(TestInferenceService)
#include "tst_inference_service.moc"
