// Protects what is chosen and what is on show: never one for the other, and always a way on.
#include "app/workbench.h"
#include "tests/support/staged_models.h"

#include <QDir>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <utility>

using namespace headlight;

namespace {

Request typed(const std::string& text) {
    Request request;
    request.source = text;
    return request;
}

/// A workbench with models A, B and C, and all that it said.
struct Bench {
    Bench() : workbench(selection, {folder("A"), {}}, stage.means()) {
        QObject::connect(&workbench, &Workbench::told, &workbench,
                         [this](const Workbench::Message& message) { messages.push_back(message); });
        QObject::connect(&workbench, &Workbench::modelFailed, &workbench,
                         [this](const QString& model) { failed << QFileInfo(model).fileName(); });
        QObject::connect(&workbench, &Workbench::shown, &workbench,
                         [this](const TracePointer& first, const TracePointer& second) {
                             shown.emplace_back(first ? first->sourceText : "", second ? second->sourceText : "");
                         });
    }
    QString folder(const char* name) const {
        const QDir all(home.path());
        all.mkpath(QLatin1String(name));
        return all.filePath(QLatin1String(name));
    }
    void start(const char* a, const char* b, const std::string& text) {
        Session session;
        session.models = {folder(a), *b ? folder(b) : QString()};
        workbench.start(session, typed(text));
        workbench.run();
    }
    /// The text on show.
    std::string text() const { return workbench.first() ? workbench.first()->sourceText : ""; }
    QString lastMessage() const { return messages.empty() ? QString() : messages.back().text; }

    QTemporaryDir home;
    Stage stage;
    Selection selection;
    Workbench workbench;
    std::vector<Workbench::Message> messages;
    std::vector<std::pair<std::string, std::string>> shown;
    QStringList failed;
};

} // namespace

class TestWorkbench : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aPictureOfBeforeIsStale();
    void aRunThatFailsLeavesAStalePicture();
    void aModelThatCannotBeOpenedLeavesTheOneBefore();
    void anotherTextMeanwhileIsRunByTheOneBefore();
    void theUsualModelRunsWhereTheFirstCannotBeOpened();
    void aSecondThatCannotBeOpenedLeavesTheFirstAlone();
    void aFolderThatIsNotThereLeavesWhatIsOnShow();
    void secondIsNeverOfAnotherText();
    void choicesAreOfTheTextOnShow();
    void sameProblemIsToldAnew();
};

void TestWorkbench::aPictureOfBeforeIsStale() {
    Bench bench;
    const QSignalSpy stale(&bench.workbench, &Workbench::staleChanged);
    bench.stage.letEnd("A: a");
    bench.start("A", "", "a");
    QTRY_COMPARE(bench.text(), std::string("a"));
    QVERIFY(!bench.workbench.stale() && stale.isEmpty());
    bench.workbench.request(typed("ab"));
    QTRY_VERIFY(bench.workbench.stale());
    QCOMPARE(bench.text(), std::string("a"));
    bench.stage.pass(InferenceService::freshFor);
    bench.workbench.request(typed("abc"));
    bench.stage.letEnd("A: ab");
    QTRY_COMPARE(bench.text(), std::string("ab")); // newer, and still of before
    QVERIFY(bench.workbench.stale());
    bench.stage.letEnd("A: abc");
    QTRY_COMPARE(bench.text(), std::string("abc"));
    QVERIFY(!bench.workbench.stale());
    QCOMPARE(stale.size(), 2);
}

void TestWorkbench::aRunThatFailsLeavesAStalePicture() {
    Bench bench;
    bench.stage.letEnd("A: a");
    bench.start("A", "", "a");
    QTRY_COMPARE(bench.text(), std::string("a"));
    bench.stage.letFail("A: ab");
    bench.workbench.request(typed("ab"));
    QTRY_VERIFY(bench.workbench.failed());
    QVERIFY(bench.workbench.stale());
    QCOMPARE(bench.text(), std::string("a"));
    QVERIFY(bench.lastMessage().contains(QLatin1String("cannot be run")));
    QVERIFY(bench.messages.back().problem && bench.failed.isEmpty()); // it is open, and goes on
    bench.workbench.request(typed("a"));
    QTRY_VERIFY(!bench.workbench.busy());
    QVERIFY(!bench.workbench.stale() && !bench.workbench.failed());
    QCOMPARE(bench.lastMessage(), QString());
}

void TestWorkbench::aModelThatCannotBeOpenedLeavesTheOneBefore() {
    Bench bench;
    bench.stage.letEnd("A: a");
    bench.stage.letEnd("A: ab");
    bench.start("A", "", "a");
    QTRY_COMPARE(bench.text(), std::string("a"));
    const auto before = bench.workbench.first();
    bench.stage.letFail("C");
    bench.workbench.choose({bench.folder("C"), {}});
    QCOMPARE(bench.workbench.models().a, bench.folder("C"));
    QTRY_COMPARE(bench.failed, QStringList(QStringLiteral("C")));
    QCOMPARE(bench.workbench.models().a, bench.folder("A"));
    QVERIFY(bench.lastMessage().contains(QLatin1String("cannot be opened")));
    QCOMPARE(bench.messages.back().remedy, Workbench::Message::Remedy::ChooseFirst);
    QVERIFY(bench.messages.back().problem && bench.messages.back().anew);
    QCOMPARE(bench.workbench.first(), before); // which is still of this text and this model
    QVERIFY(!bench.workbench.stale() && !bench.workbench.busy());
    bench.workbench.request(typed("ab"));
    QTRY_COMPARE(bench.text(), std::string("ab"));
    QVERIFY(bench.lastMessage().contains(QLatin1String("cannot be opened"))); // until it is closed or read
    QVERIFY(!bench.messages.back().anew);
}

void TestWorkbench::anotherTextMeanwhileIsRunByTheOneBefore() {
    Bench bench;
    bench.stage.letEnd("A: a");
    bench.stage.letEnd("A: ab");
    bench.start("A", "", "a");
    QTRY_COMPARE(bench.text(), std::string("a"));
    bench.stage.letFail("C");
    bench.workbench.choose({bench.folder("C"), {}});
    bench.workbench.request(typed("ab"));
    QTRY_COMPARE(bench.text(), std::string("ab"));
    QCOMPARE(bench.workbench.first()->model, std::string("A"));
    QCOMPARE(bench.workbench.models().a, bench.folder("A"));
}

void TestWorkbench::theUsualModelRunsWhereTheFirstCannotBeOpened() {
    Bench bench;
    bench.stage.letFail("C");
    bench.stage.letEnd("A: a");
    bench.start("C", "", "a");
    QTRY_COMPARE(bench.text(), std::string("a"));
    QCOMPARE(bench.workbench.models().a, bench.folder("A"));
    QVERIFY(bench.lastMessage().contains(QLatin1String("cannot be opened")));
}

void TestWorkbench::aSecondThatCannotBeOpenedLeavesTheFirstAlone() {
    Bench bench;
    bench.stage.letEnd("A: a");
    bench.stage.letEnd("A: ab");
    bench.stage.letFail("B");
    bench.start("A", "B", "a");
    QTRY_COMPARE(bench.failed, QStringList(QStringLiteral("B")));
    QCOMPARE(bench.text(), std::string("a"));
    QCOMPARE(bench.workbench.models().b, QString());
    QCOMPARE(bench.messages.back().remedy, Workbench::Message::Remedy::ChooseSecond);
    QVERIFY(!bench.workbench.stale());
    bench.workbench.request(typed("ab"));
    QTRY_COMPARE(bench.text(), std::string("ab"));
    QCOMPARE(bench.failed.size(), qsizetype(1));
}

void TestWorkbench::aFolderThatIsNotThereLeavesWhatIsOnShow() {
    Bench bench;
    bench.stage.letEnd("A: a");
    bench.start("A", "", "a");
    QTRY_COMPARE(bench.text(), std::string("a"));
    bench.workbench.choose({QStringLiteral("/nowhere/model"), {}});
    QVERIFY(bench.lastMessage().contains(QLatin1String("/nowhere/model")));
    QCOMPARE(bench.workbench.models().a, bench.folder("A"));
    QVERIFY(!bench.workbench.busy() && !bench.workbench.stale());
}

void TestWorkbench::secondIsNeverOfAnotherText() {
    Bench bench;
    bench.stage.letEnd("A: a");
    bench.stage.letEnd("B: a");
    bench.stage.letEnd("A: ab");
    bench.start("A", "B", "a");
    QTRY_VERIFY(bench.workbench.second() && !bench.workbench.busy());
    bench.workbench.request(typed("ab"));
    QTRY_COMPARE(bench.text(), std::string("ab"));
    QVERIFY(!bench.workbench.second());
    QVERIFY(bench.workbench.secondPending() && !bench.workbench.stale());
    bench.stage.letEnd("B: ab");
    QTRY_VERIFY(bench.workbench.second());
    QVERIFY(!bench.workbench.secondPending());
    for (const auto& [first, second] : bench.shown)
        QVERIFY2(second.empty() || second == first, (first + " beside " + second).c_str());
}

void TestWorkbench::choicesAreOfTheTextOnShow() {
    Bench bench;
    bench.stage.letEnd("A: a");
    bench.start("A", "", "a");
    QTRY_COMPARE(bench.text(), std::string("a"));
    QSignalSpy remarked(&bench.workbench, &Workbench::remarked);
    bench.workbench.forceAttention(0, 1);
    QVERIFY(remarked.isEmpty() && bench.workbench.busy());
    QTRY_VERIFY(!bench.workbench.busy());
    QVERIFY(!bench.workbench.changes().text.isEmpty());
    bench.stage.letFail("A: ab");
    bench.workbench.request(typed("ab"));
    QTRY_VERIFY(bench.workbench.failed());
    QVERIFY(bench.workbench.changes().text.isEmpty()); // another text is the model's own
    bench.workbench.forceAttention(0, 1);              // in a picture of the text before
    QCOMPARE(remarked.size(), 1);
    QVERIFY(!bench.workbench.busy());
}

void TestWorkbench::sameProblemIsToldAnew() {
    Bench bench;
    bench.stage.letFail("A: a");
    bench.start("A", "", "a");
    for (const std::size_t times : {1U, 2U, 3U}) {
        QTRY_COMPARE(bench.messages.size(), times);
        QVERIFY(bench.messages.back().anew);
        bench.workbench.request(typed("a"));
    }
}

QTEST_MAIN(TestWorkbench)
#include "tst_workbench.moc"
