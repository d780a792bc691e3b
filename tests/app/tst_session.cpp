// Protects what is on show as one value: written and read it is the same, and a file that is wrong says where.
#include "app/document.h"
#include "app/session.h"
#include "core/error.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>

using namespace headlight;

namespace {

/// Nothing of it is as at first.
Session full() {
    Session session;
    session.models = {u"org/name@1a2b"_qs, u"/a folder/漢字"_qs};
    session.typed = {.source = u"two\nlines, \"quoted\" 😀"_qs,
                     .second = u"another"_qs,
                     .target = u""_qs,
                     .beam = 4,
                     .skip = 3,
                     .added = {5, 0, 70000},
                     .random = true,
                     .temperature = 0.75,
                     .candidates = 20,
                     .sourceLanguage = u"en_XX"_qs,
                     .targetLanguage = u"fr_XX"_qs,
                     .task = u"summarization"_qs};
    session.changes.begin = {7, 8};
    session.changes.forced = {{Query(2), Key(0)}};
    session.changes.hypothesis = {1, 7, 9};
    auto& chosen = session.selection;
    chosen.kind = BlockKind::Decoder;
    chosen.map = {HeadMode::Rollout, {Layer(3), Head(11)}, Reading::Emitted};
    chosen.byWords = chosen.ownRange = chosen.change = true;
    chosen.specials = false;
    chosen.collected = {{Layer(0), Head(2)}, {Layer(0), Head(1)}};
    chosen.off = {{BlockKind::Encoder, Layer(1), Head(0)}, {BlockKind::Cross, Layer(0), Head(3)}};
    auto gold = std::make_shared<GoldAlignment>();
    gold->id = std::string(1, '7'); // of a literal GCC 12 warns for nothing
    gold->source = {"the", "cat"};
    gold->target = {"le", "chat"};
    gold->sure = {{0, 0}};
    gold->possible = {{0, 0}, {1, 1}};
    chosen.gold = gold;
    chosen.locked = Selection::Pair{BlockKind::Decoder, Query(4), {}};
    session.view = u"lines"_qs;
    session.choices[u"lines"_qs] = {{u"share"_qs, 35}, {u"hidden"_qs, QStringList{u"H1"_qs, u"H3"_qs}}};
    session.choices[u"playback"_qs] = {{u"speed"_qs, 2.5}};
    session.choices[u"alignment"_qs] = {{u"rank"_qs, true}};
    session.choices[u"compare"_qs] = {{u"left"_qs, QVariantList{1, -1, 0, 5}}};
    session.trace = u"/tmp/trace.safetensors"_qs;
    session.notes = u"head 3 copies"_qs;
    session.exported = {.format = u"svg"_qs,
                        .width = 640,
                        .height = 480,
                        .dotsPerInch = 300,
                        .labels = 1.5,
                        .look = ExportChoices::Look::Transparent,
                        .colors = u"grey"_qs,
                        .highlights = false,
                        .caption = true,
                        .legends = false,
                        .session = false};
    return session;
}

QString errorOf(const std::string& json) {
    try {
        Session::read(json, "file.headlight");
    } catch (const Error& error) {
        return QString::fromUtf8(error.what());
    }
    return {};
}

} // namespace

class TestSession : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isReadAsItWasWritten();
    void isWrittenWholeOrNotAtAll();
    void whatIsNotThereIsAsAtFirst();
    void wrongFilesSayWhere_data();
    void wrongFilesSayWhere();
    void aDocumentGoesBackAndForth();
    void whatTheProgramDoesIsNoStep();
    void typingIsOneStep();
    void openingIsAStep();
    void stepsAreForgottenBeyondTheLimit();
};

void TestSession::isReadAsItWasWritten() {
    for (const auto& session : {full(), Session()}) {
        auto again = Session::read(session.written(), "file");
        QCOMPARE(again.written(), session.written());
        QVERIFY(!again.selection.gold == !session.selection.gold);
        again.selection.gold = session.selection.gold; // compared above; one is not the other
        QVERIFY(again == session);
    }
}

void TestSession::isWrittenWholeOrNotAtAll() {
    const QTemporaryDir folder;
    const std::filesystem::path file(folder.filePath(u"a.headlight"_qs).toStdString());
    full().save(file);
    QCOMPARE(Session::load(file).written(), full().written());
    QVERIFY_EXCEPTION_THROWN(full().save("/proc/nowhere/a.headlight"), Error);
    QVERIFY(Session::isIn(u"a.HEADLIGHT"_qs) && !Session::isIn(u"headlight"_qs));
}

void TestSession::whatIsNotThereIsAsAtFirst() {
    QVERIFY(Session::read(R"({"headlight_session": 1, "later": {"a": [1]}})", "file") == Session());
    const auto session =
        Session::read(R"({"headlight_session": 1, "texts": {"source": "a"}, "view": "heads"})", "file");
    QCOMPARE(session.typed.source, u"a"_qs);
    QVERIFY(!session.typed.target);
    QCOMPARE(session.view, u"heads"_qs);
}

void TestSession::wrongFilesSayWhere_data() {
    QTest::addColumn<QString>("json");
    QTest::addColumn<QString>("said");
    const auto field = [](const char* name, const QString& json, const QString& said) {
        QTest::newRow(name) << u"{\"headlight_session\": 1, %1}"_qs.arg(json) << said;
    };
    QTest::newRow("no JSON") << u"PNG"_qs << u"is not JSON"_qs;
    QTest::newRow("cut") << QString::fromStdString(full().written()).left(300) << u"is not JSON"_qs;
    QTest::newRow("something else") << u"{\"theme\": \"dark\"}"_qs << u"is no session"_qs;
    QTest::newRow("newer") << u"{\"headlight_session\": 12}"_qs << u"is of version 12, and this program knows"_qs;
    QTest::newRow("no version") << u"{\"headlight_session\": \"one\"}"_qs << u"headlight_session"_qs;
    field("a layer", u"\"selection\": {\"layer\": 99999999999}"_qs, u"selection.layer"_qs);
    field("a head below 0", u"\"selection\": {\"head\": -1}"_qs, u"selection.head"_qs);
    field("half a head", u"\"selection\": {\"head\": 0.5}"_qs, u"selection.head"_qs);
    field("a kind", u"\"selection\": {\"kind\": \"sideways\"}"_qs, u"selection.kind\": is none of encoder"_qs);
    field("a pair of three", u"\"selection\": {\"collected\": [[0, 1, 2]]}"_qs, u"selection.collected[0]"_qs);
    field("a key", u"\"selection\": {\"locked\": {\"key\": 1e300}}"_qs, u"selection.locked.key"_qs);
    field("a link to no word",
          u"\"selection\": {\"gold\": {\"source\": [\"a\"], \"target\": [], \"sure\": [[0, 0]]}}"_qs,
          u"selection.gold.sure[0][1]"_qs);
    field("a beam", u"\"texts\": {\"beam\": 0}"_qs, u"texts.beam"_qs);
    field("a temperature", u"\"texts\": {\"temperature\": 1e9}"_qs, u"texts.temperature"_qs);
    field("a token", u"\"texts\": {\"added\": [1, -5]}"_qs, u"texts.added[1]"_qs);
    field("a text that is a number", u"\"texts\": {\"source\": 5}"_qs, u"texts.source"_qs);
    field("a forced step", u"\"changes\": {\"forced\": [[1, 2], [3]]}"_qs, u"changes.forced[1]"_qs);
    field("a choice", u"\"choices\": {\"lines\": {\"share\": 1e200}}"_qs, u"choices.lines.share"_qs);
    field("a choice in a choice", u"\"choices\": {\"lines\": {\"hidden\": [[1]]}}"_qs, u"choices.lines.hidden[0]"_qs);
    field("dots", u"\"export\": {\"dots_per_inch\": 1e6}"_qs, u"export.dots_per_inch"_qs);
    field("a width", u"\"export\": {\"width\": 100000000}"_qs, u"export.width"_qs);
    field("notes", u"\"notes\": []"_qs, u"notes"_qs);
}

void TestSession::wrongFilesSayWhere() {
    QFETCH(QString, json);
    QFETCH(QString, said);
    const auto error = errorOf(json.toStdString());
    QVERIFY2(error.startsWith(u"file.headlight: "_qs) && error.contains(said), qUtf8Printable(error));
}

void TestSession::aDocumentGoesBackAndForth() {
    Document document(std::chrono::milliseconds(0));
    std::vector<Session> all(1);
    document.start(all.back());
    for (const char* text : {"a", "ab", "abc"}) {
        all.push_back(all.back());
        all.back().typed.source = QLatin1String(text);
        document.take(all.back());
    }
    all.push_back(full());
    document.take(all.back());
    QCOMPARE(document.steps().count(), 4);
    for (std::size_t i = all.size() - 1; i > 0; --i)
        QVERIFY(document.undo() == all[i - 1]);
    QVERIFY(!document.steps().canUndo());
    for (std::size_t i = 1; i < all.size(); ++i)
        QVERIFY(document.redo() == all[i]);
    document.undo();
    document.undo();
    document.take(Session());
    QVERIFY(!document.steps().canRedo() && document.session() == Session());
    QVERIFY(document.undo() == all[2]);
}

void TestSession::whatTheProgramDoesIsNoStep() {
    Document document;
    document.start(Session(), u"/tmp/a.headlight"_qs, Session());
    auto session = Session();
    session.selection.kind = BlockKind::Encoder; // as a model has it
    document.amend(session);
    QVERIFY(!document.steps().canUndo() && !document.changed());
    document.take(session);
    QVERIFY(!document.steps().canUndo());
    session.view = u"heads"_qs;
    document.take(session);
    QVERIFY(document.steps().canUndo() && document.changed());
    QCOMPARE(document.undo().selection.kind, BlockKind::Encoder);
    QVERIFY(!document.changed());
}

void TestSession::typingIsOneStep() {
    Document document(std::chrono::hours(1));
    auto session = Session();
    document.start(session);
    for (const char* text : {"a", "ab", "abc"}) {
        session.typed.source = QLatin1String(text);
        document.take(session);
    }
    QCOMPARE(document.steps().count(), 1);
    session.view = u"heads"_qs; // which is another deed
    document.take(session);
    session.view = u"lines"_qs; // and one more
    document.take(session);
    session.choices[u"lines"_qs] = {{u"share"_qs, 35}};
    document.take(session);
    session.choices[u"lines"_qs] = {{u"share"_qs, 40}}; // dragged on
    document.take(session);
    QCOMPARE(document.steps().count(), 4);
    document.undo();
    session.typed.source = u"abcd"_qs; // not a part of what was undone
    document.take(session);
    QCOMPARE(document.steps().count(), 4);
}

void TestSession::openingIsAStep() {
    const QTemporaryDir folder;
    const auto file = folder.filePath(u"a.headlight"_qs);
    Document document;
    document.start(Session());
    document.open(full(), file);
    QVERIFY(!document.changed());
    QCOMPARE(document.file(), file);
    auto other = full();
    other.view = u"heads"_qs;
    document.take(other);
    QVERIFY(document.changed());
    document.save(file);
    QVERIFY(!document.changed());
    QCOMPARE(Session::load(file.toStdString()).view, u"heads"_qs);
    document.undo();
    QVERIFY(document.changed()); // the file holds what came after
    document.undo();
    QCOMPARE(document.file(), QString());
    QVERIFY(document.session() == Session());
    QVERIFY_EXCEPTION_THROWN(document.save(u"/proc/nowhere/a.headlight"_qs), Error);
    QCOMPARE(document.file(), QString());
}

void TestSession::stepsAreForgottenBeyondTheLimit() {
    Document document(std::chrono::milliseconds(0));
    Session session;
    document.start(session);
    for (int i = 0; i < 700; ++i) {
        session.typed.source = QString::number(i);
        document.take(session);
    }
    const int steps = document.steps().count();
    QVERIFY(steps < 700);
    for (int i = 0; i < steps; ++i)
        document.undo();
    QCOMPARE(document.session().typed.source, QString::number(699 - steps));
    QVERIFY(!document.steps().canUndo());
}

QTEST_GUILESS_MAIN(TestSession)
#include "tst_session.moc"
