// Protects the command line: what each command writes, the words that it refuses, and its exit codes.
#include "app/command_line.h"
#include "app/model_catalog.h"
#include "app/settings.h"
#include "core/files/safetensors.h"
#include "core/files/system_calls.h"
#include "core/text/tokenizer.h"
#include "core/trace/trace_file.h"
#include "tests/support/tiny_models.h"

#include <QDir>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <QTextStream>

#include <string_view>

using namespace headlight;

namespace {

struct Outcome {
    int code = -1;
    QString out;
    QString err;
};

Outcome run(const QStringList& words) {
    Outcome outcome;
    QTextStream out(&outcome.out);
    QTextStream err(&outcome.err);
    outcome.code = runCommand(words, out, err);
    out.flush();
    err.flush();
    // Whatever is asked: nothing that a terminal would obey.
    for (const auto letter : outcome.out + outcome.err)
        if (letter.category() == QChar::Other_Control && letter != QLatin1Char('\n') && letter != QLatin1Char('\t'))
            qFatal("a control character in %s", qPrintable(outcome.out + outcome.err));
    return outcome;
}

/// Words separated by single spaces; a word may contain `_`, which stands for one.
QStringList split(const QString& line) {
    auto words = line.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    for (auto& word : words)
        word.replace(QLatin1Char('_'), QLatin1Char(' '));
    return words;
}

/// Empty, or why this is not the one line that is to say `said`.
QString notOneLine(const QString& err, const QStringList& said) {
    if (err.count(QLatin1Char('\n')) != 1 || !err.endsWith(QLatin1Char('\n')))
        return u"not one line: "_qs + err;
    for (const auto& words : said) {
        if (!err.contains(words))
            return u"\"%1\" is not in: %2"_qs.arg(words, err);
    }
    return {};
}

} // namespace

/// In each test the folder `m_work` is the current one and empty; the models `tiny` and `plain` are bundled ones.
class TestCommandLine : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void rightWords_data();
    void rightWords();
    void wrongWords_data();
    void wrongWords();
    void notDone_data();
    void notDone();
    void surfaces_data();
    void surfaces();
    void opening();
    void modelsAsJson();
    void modelsByNameOrFolder();
    void traceIsTheRunOfTheEngine();
    void traceOfIds();
    void analysesInFiles();
    void tokensKeepTheirPlaces();
    void tokensOfEachLine();
    void pictures_data();
    void pictures();
    void picturesShowWhatIsAskedFor();
    void demo();
    void brokenModels_data();
    void brokenModels();
    void settingsComeBack();
    void settingsThatCannotBeWrittenSaySo();
    void settingsThatAreBrokenSaySo_data();
    void settingsThatAreBrokenSaySo();
    void commandsLeaveSettingsAlone();

private:
    std::unique_ptr<QTemporaryDir> m_work;
    QTemporaryDir m_models;
    QTemporaryDir m_settings;
    const Folder m_tiny;
    const Folder m_plain;
};

void TestCommandLine::initTestCase() {
    qputenv("XDG_CONFIG_HOME", m_settings.path().toUtf8());
    m_tiny.recurrent();
    m_plain.recurrent(u"none"_qs);
    std::filesystem::create_directory_symlink(m_tiny.path(), pathOf(m_models.filePath(u"tiny"_qs)));
    std::filesystem::create_directory_symlink(m_plain.path(), pathOf(m_models.filePath(u"plain"_qs)));
    QVERIFY(QDir(m_models.path()).mkdir(u"not a model"_qs));
    qputenv("HEADLIGHT_MODELS", m_models.path().toUtf8());
    // A cache with a model of which Python fetched the configuration alone.
    const auto half = m_settings.filePath(u"cache/models--half--there/snapshots/abc"_qs);
    QVERIFY(QDir().mkpath(half));
    write(pathOf(half + u"/config.json"_qs), R"({"model_type": "bert"})");
    qputenv("HF_HUB_CACHE", m_settings.filePath(u"cache"_qs).toUtf8());
    for (const auto* variable : {"http_proxy", "HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT"})
        qunsetenv(variable);
    qputenv("HF_HOME", m_settings.path().toUtf8());
}

void TestCommandLine::init() {
    m_work = std::make_unique<QTemporaryDir>();
    QVERIFY(QDir::setCurrent(m_work->path()));
}

void TestCommandLine::cleanup() {
    QDir::setCurrent(QDir::tempPath());
}

void TestCommandLine::rightWords_data() {
    QTest::addColumn<QString>("line");
    QTest::addColumn<QStringList>("says");
    QTest::newRow("--version") << u"--version"_qs << QStringList{u"headlight "_qs, u"Qt "_qs,      u"LibTorch "_qs,
                                                                 u"BLAS "_qs,      u"threads "_qs, u"268 MB"_qs};
    QTest::newRow("--help") << u"--help"_qs << QStringList{u"trace"_qs,  u"tokenize"_qs,  u"render"_qs,
                                                           u"models"_qs, u"--compare"_qs, u"--off KIND.L.H,…"_qs};
    for (const auto& page : {u"man"_qs, u"bash"_qs, u"zsh"_qs, u"fish"_qs}) // made of the same tables
        QTest::addRow("page: %s", qPrintable(page))
            << u"--print "_qs + page
            << QStringList{u"trace"_qs, u"render"_qs, u"compare"_qs,
                           page == u"man"_qs ? u"own\\-range"_qs : u"own-range"_qs};
    QTest::newRow("help of a command") << u"trace --help"_qs << QStringList{u"--target-ids"_qs, u"--max-length N"_qs};
    QTest::newRow("help comes before wrong words") << u"trace --nonsense -h"_qs << QStringList{u"--logits"_qs};
    QTest::newRow("models") << u"models"_qs
                            << QStringList{u"plain  headlight_recurrent"_qs, u"tiny   headlight_recurrent"_qs};
    QTest::newRow("trace") << u"trace --model tiny --text a_b --target c --out to"_qs
                           << QStringList{u"to/trace.safetensors"_qs};
    QTest::newRow("a joined value") << u"trace --model=tiny --text=--out --target=c --out=to"_qs
                                    << QStringList{u"to/trace.json"_qs};
    QTest::newRow("a value that begins with a dash")
        << u"trace --model tiny --text -5 --target c --out to"_qs << QStringList{u"to/trace.json"_qs};
    QTest::newRow("tokenize") << u"tokenize --model tiny --text a"_qs << QStringList{u"\t0-1\n"_qs};
    QTest::newRow("tokens that are control characters")
        << u"tokenize --model tiny --text a\x1b[2Jb"_qs << QStringList{u"\\x1b"_qs};
    QTest::newRow("a file's name that is one")
        << u"render --model tiny --text a_b --target c --out a\x07.png"_qs << QStringList{u"a\\x07.png\n"_qs};
    QTest::newRow("trace of a changed model")
        << u"trace --model tiny --text a_b --target c --off cross.0.0 --scores --vectors --out to"_qs
        << QStringList{u"to/trace.json"_qs};
    QTest::newRow("render of a changed model")
        << u"render --model tiny --text a_b --target c --off cross.0.0 --view compare --out a.png"_qs
        << QStringList{u"a.png\n"_qs};
    QTest::newRow("words without specials")
        << u"render --model tiny --text a_b --target c --words --no-specials --out a.csv"_qs
        << QStringList{u"a.csv\n"_qs};
    QTest::newRow("render") << u"render --model tiny --text a_b --target c --out a.png"_qs
                            << QStringList{u"a.png\n"_qs};
}

void TestCommandLine::rightWords() {
    QFETCH(QString, line);
    QFETCH(QStringList, says);
    const auto outcome = run(split(line));
    QCOMPARE(outcome.err, QString());
    QCOMPARE(outcome.code, int(Done));
    for (const auto& words : says)
        QVERIFY2(outcome.out.contains(words), qPrintable(words + u" is not in: "_qs + outcome.out));
}

void TestCommandLine::wrongWords_data() {
    QTest::addColumn<QString>("line");
    QTest::addColumn<QStringList>("says");
    const auto row = [](const char* line, const QStringList& says) {
        QTest::newRow(line) << QString::fromUtf8(line) << says;
    };
    row("draw", {u"\"draw\""_qs, u"models, fetch, trace, analyse, tokenize, render"_qs});
    row("--version now", {u"\"now\""_qs});
    row("--print poem", {u"\"poem\""_qs, u"zsh"_qs});
    row("models --jsn", {u"--jsn"_qs, u"--json"_qs});
    row("models tiny", {u"\"tiny\""_qs});
    row("fetch", {u"a model is missing"_qs, u"@REVISION"_qs});
    row("fetch ../evil", {u"../evil"_qs, u"no name of a model"_qs});
    row("fetch a b", {u"\"b\""_qs});
    row("fetch a --endpoint", {u"--endpoint"_qs, u"URL"_qs});
    row("models --json=yes", {u"--json"_qs, u"no value"_qs});
    row("trace --text a --out to", {u"--model"_qs});
    row("trace --model tiny --out to", {u"--text"_qs, u"--ids"_qs});
    row("trace --model tiny --text a", {u"--out"_qs});
    row("trace --model tiny --text a --out", {u"--out"_qs, u"DIR"_qs});
    row("trace --model --text a --out to", {u"--model"_qs, u"MODEL"_qs});
    row("trace --model tiny --model tiny --text a --out to", {u"--model"_qs, u"twice"_qs});
    row("trace --model tiny --text a --ids 1 --out to", {u"--text"_qs, u"--ids"_qs});
    row("trace --model tiny --ids 1,b --out to", {u"--ids"_qs, u"\"b\""_qs});
    row("trace --model tiny --ids 1,-2 --out to", {u"--ids"_qs, u"\"-2\""_qs});
    row("trace --model tiny --ids 1,99999999999999999999 --out to", {u"99999999999999999999"_qs});
    row("trace --model tiny --ids= --out to", {u"--ids"_qs});
    row("trace --model tiny --text a --target b --target-ids 1 --out to", {u"--target"_qs, u"--target-ids"_qs});
    row("trace --model tiny --text a --max-length 0 --out to", {u"--max-length"_qs, u"\"0\""_qs});
    row("trace --model tiny --text a --max-length 2.5 --out to", {u"--max-length"_qs, u"\"2.5\""_qs});
    row("trace --model tiny --text a --segment-ids x --out to", {u"--segment-ids"_qs, u"\"x\""_qs});
    row("trace --model tiny --text a --segment-ids 0,0 --out to", {u"--segment-ids"_qs, u"--ids"_qs});
    row("analyse --model tiny --text a", {u"--out"_qs});
    row("analyse --model tiny --text a --out to --what norms,magic", {u"\"magic\""_qs, u"integrated"_qs});
    row("analyse --model tiny --text a --out to --pair 1,2", {u"--pair"_qs, u"--against"_qs});
    row("analyse --model tiny --text a --against b --out to --pair 1", {u"--pair"_qs, u"two ids"_qs});
    row("tokenize --model tiny", {u"--text"_qs, u"--input"_qs});
    row("tokenize --model tiny --text a --input b", {u"--text"_qs, u"--input"_qs});
    row("render --model tiny --text a", {u"--out"_qs, u"--demo"_qs});
    row("render --model tiny --out a.png", {u"--text"_qs});
    row("render --model tiny --text a --out a", {u"--out"_qs, u".png"_qs});
    row("render --model tiny --text a --out a.png --off cross.0", {u"--off"_qs, u"\"cross.0\""_qs});
    row("trace --model tiny --text a --out to --off cross.0.0,self.0.0", {u"--off"_qs, u"\"self.0.0\""_qs});
    row("trace --model tiny --text a --out to --off cross.-1.0", {u"--off"_qs, u"cross.-1.0"_qs});
    row("render --model tiny --trace a.safetensors --out a.png", {u"--trace"_qs, u"--model"_qs});
    row("render --model tiny --text a --out a.bmp", {u"a.bmp"_qs, u".png"_qs});
    row("render --model tiny --text a --out a.png --view tree", {u"\"tree\""_qs, u"alignment"_qs, u"window"_qs});
    row("render --model tiny --text a --out a.png --tab heads", {u"--view window"_qs});
    row("render --model tiny --text a --out a.png --compare tiny --off cross.0.0", {u"--compare"_qs, u"--off"_qs});
    row("render --trace a.safetensors --target b --out a.png", {u"--target"_qs});
    row("render --model tiny --text a --out a.svg --view window", {u".png"_qs});
    row("render --model tiny --text a --out a.png --kind self", {u"\"self\""_qs, u"encoder, decoder, cross"_qs});
    row("render --model tiny --text a --out a.png --colors jet", {u"\"jet\""_qs, u"viridis"_qs});
    row("render --model tiny --text a --out a.png --theme blue", {u"\"blue\""_qs, u"light, dark"_qs});
    row("render --model tiny --text a --out a.png --scale 0", {u"--scale"_qs, u"\"0\""_qs});
    row("render --model tiny --text a --out a.png --scale nan", {u"--scale"_qs, u"\"nan\""_qs});
    row("render --model tiny --text a --out a.png --scale 9", {u"--scale"_qs, u"0.25"_qs, u"8"_qs});
    row("render --model tiny --text a --out a.png --size 800", {u"--size"_qs, u"\"800\""_qs, u"1280x800"_qs});
    row("render --model tiny --text a --out a.png --size 800x600x2", {u"\"800x600x2\""_qs});
    row("render --model tiny --text a --out a.png --size 10x600", {u"\"10x600\""_qs});
    row("render --model tiny --text a --out a.png --layer -1", {u"--layer"_qs, u"\"-1\""_qs});
    row("render --model tiny --text a --out a.png --head 0", {u"--head"_qs, u"--layer"_qs});
    row("render --model tiny --text a --out a.png --point 1", {u"--point"_qs, u"\"1\""_qs});
    row("render --model tiny --text a --out a.png --point 1,-1", {u"--point"_qs, u"\"1,-1\""_qs});
    row("render --demo to --view heads", {u"--demo"_qs, u"--view"_qs});
    row("render --demo to --out a.png", {u"--demo"_qs, u"--out"_qs});
    row("render --model tiny --text a --out a.png --view \x1b]0;tree\x07", {u"\\x1b]0;tree\\x07"_qs});
    row("trace --model tiny --text a --out to --beam 65", {u"--beam"_qs, u"\"65\""_qs, u"1 to 64"_qs});
    row("trace --model tiny --text a --out to --max-length 99999999999", {u"--max-length"_qs});
}

void TestCommandLine::wrongWords() {
    QFETCH(QString, line);
    QFETCH(QStringList, says);
    const auto outcome = run(split(line));
    QCOMPARE(notOneLine(outcome.err, says), QString());
    QCOMPARE(outcome.code, int(WrongCommand));
    QCOMPARE(outcome.out, QString());
    QVERIFY(QDir().isEmpty()); // and nothing was written
}

void TestCommandLine::notDone_data() {
    QTest::addColumn<QString>("line");
    QTest::addColumn<QStringList>("says");
    const auto row = [](const char* line, const QStringList& says) {
        QTest::newRow(line) << QString::fromUtf8(line) << says;
    };
    row("trace --model nowhere --text a --out to", {u"nowhere"_qs, u"plain, tiny"_qs, u"headlight fetch nowhere"_qs});
    row("render --model https://huggingface.co/org/there/tree/v2 --text a --out a.png",
        {u"headlight fetch org/there@v2"_qs});
    row("trace --model half/there --text a --out to", {u"without its weights"_qs, u"headlight fetch half/there"_qs});
    row("fetch org/tiny --endpoint ftp://hub", {u"ftp://hub"_qs, u"HF_ENDPOINT"_qs});
    row("fetch org/tiny --endpoint http://127.0.0.1:1", {u"127.0.0.1:1 takes no connection"_qs});
    row("trace --model . --text a --out to", {u"config.json"_qs});
    row("trace --model tiny --ids 5,300 --out to", {u"300"_qs, u"0 to 299"_qs});
    row("trace --model tiny --text a --target-ids 300 --out to", {u"--target-ids"_qs, u"300"_qs});
    row("trace --model tiny --ids 5,6 --segment-ids 0,1 --out to", {u"--segment-ids"_qs, u"encoder alone"_qs});
    row("trace --model tiny --text a --second b --out to", {u"reads one text"_qs});
    row("trace --model tiny --text a --out to --off cross.1.0", {u"layer 1, head 0"_qs, u"switched off"_qs});
    row("render --trace nowhere.safetensors --out a.png", {u"nowhere.safetensors"_qs});
    row("trace --model tiny --text a --out /proc/nowhere", {u"/proc/nowhere"_qs});
    row("analyse --model tiny --text a_b --target c --what norms --out to",
        {u"norms"_qs, u"does not apply to tiny"_qs, u"recurrent"_qs});
    row("tokenize --model tiny --input nowhere.txt", {u"nowhere.txt"_qs});
    row("tokenize --model tiny --input .", {u"."_qs});
    row("tokenize --model . --text a", {u"."_qs});
    row("render --model tiny --text a --out nowhere/a.png", {u"nowhere/a.png"_qs});
    row("render --model tiny --text a --out nowhere/a.png --view window", {u"nowhere/a.png"_qs});
    row("render --model tiny --text a --out a.png --layer 1", {u"--layer"_qs, u"1 layer"_qs});
    row("render --model tiny --text a --out a.png --layer 0 --head 1", {u"--head"_qs, u"1 head"_qs});
    row("render --model tiny --text a --out a.png --point 0,99", {u"--point"_qs, u"0,99"_qs, u"keys"_qs});
    row("render --model tiny --text a --out a.png --kind encoder", {u"--kind"_qs, u"encoder"_qs});
    row("render --model plain --text a --out a.png --layer 0", {u"--layer"_qs, u"no attention"_qs});
    row("render --model plain --text a --target b --out a.png", {u"nothing to draw"_qs});
    row("render --model tiny --text a --view positions --out a.png", {u"--view positions"_qs, u"nothing to draw"_qs});
    row("render --model tiny --text a --view positions --out a.csv", {u"no numbers"_qs});
    row("render --model tiny --text a --view compare --out a.csv", {u"no numbers"_qs});
    row("trace --model no\x1b[31mwhere\r --text a --out to", {u"no\\x1b[31mwhere\\x0d"_qs});
    row("trace --model tiny --text a --out to --off decoder.0.0", {u"no attention of kind decoder"_qs});
    row("trace --model tiny --text a --out to --off encoder.0.0", {u"no attention of kind encoder"_qs});
    row("render --model tiny --compare nowhere --text a --out a.png", {u"nowhere"_qs});
    row("render --demo to --model nowhere", {u"nowhere"_qs});
}

void TestCommandLine::notDone() {
    QFETCH(QString, line);
    QFETCH(QStringList, says);
    const auto outcome = run(split(line));
    QCOMPARE(notOneLine(outcome.err, says), QString());
    QCOMPARE(outcome.code, int(NotDone));
    QCOMPARE(outcome.out, QString());
    QVERIFY(QDir().isEmpty());
}

void TestCommandLine::surfaces_data() {
    QTest::addColumn<QString>("line");
    QTest::addColumn<int>("surface");
    QTest::newRow("no words") << u""_qs << int(Surface::Window);
    QTest::newRow("a model") << u"tiny --compare plain"_qs << int(Surface::Window);
    QTest::newRow("wrong words") << u"--nonsense"_qs << int(Surface::Window);
    QTest::newRow("trace") << u"trace --model tiny"_qs << int(Surface::None);
    QTest::newRow("tokenize") << u"tokenize"_qs << int(Surface::None);
    QTest::newRow("fetch") << u"fetch org/name"_qs << int(Surface::None);
    QTest::newRow("--version") << u"--version"_qs << int(Surface::None);
    QTest::newRow("--print") << u"--print man"_qs << int(Surface::None);
    QTest::newRow("--help") << u"--help"_qs << int(Surface::None);
    QTest::newRow("render") << u"render --out a.png"_qs << int(Surface::Offscreen);
}

void TestCommandLine::surfaces() {
    QFETCH(QString, line);
    QTEST(int(surfaceFor(split(line))), "surface");
}

void TestCommandLine::opening() {
    const auto all = openingOf(split(u"tiny --compare plain --text a_b"_qs));
    QCOMPARE(all.modelA, u"tiny"_qs);
    QCOMPARE(all.modelB, u"plain"_qs);
    QCOMPARE(all.source, u"a b"_qs);
    QVERIFY(openingOf({}).modelA.isEmpty());
    QVERIFY_THROWS_EXCEPTION(WrongWords, openingOf(split(u"tiny plain"_qs)));
    QVERIFY_THROWS_EXCEPTION(WrongWords, openingOf(split(u"tiny --txt a"_qs)));
    QVERIFY_THROWS_EXCEPTION(WrongWords, openingOf(split(u"tiny --text"_qs)));
}

void TestCommandLine::modelsAsJson() {
    const auto list = QJsonDocument::fromJson(run({u"models"_qs, u"--json"_qs}).out.toUtf8()).array();
    QCOMPARE(list.size(), 2);
    QCOMPARE(list[0][u"name"_qs].toString(), u"plain"_qs);
    QCOMPARE(list[1][u"name"_qs].toString(), u"tiny"_qs);
    QCOMPARE(list[1][u"family"_qs].toString(), u"headlight_recurrent"_qs);
    QCOMPARE(list[1][u"folder"_qs].toString(), m_models.filePath(u"tiny"_qs));
    QCOMPARE(list[1][u"origin"_qs].toString(), u"bundled"_qs);
}

void TestCommandLine::modelsByNameOrFolder() {
    QCOMPARE(ModelCatalog::resolve(u"tiny"_qs), pathOf(m_models.filePath(u"tiny"_qs)));
    QVERIFY(QDir().mkdir(u"tiny"_qs)); // a bundled model's name comes first, a path says that it is one
    QCOMPARE(ModelCatalog::resolve(u"tiny"_qs), pathOf(m_models.filePath(u"tiny"_qs)));
    QCOMPARE(ModelCatalog::resolve(u"./tiny"_qs), pathOf(QDir(m_work->path()).canonicalPath() + u"/tiny"_qs));
    QVERIFY_THROWS_EXCEPTION(Error, ModelCatalog::resolve({}));
    QVERIFY_THROWS_EXCEPTION(Error, ModelCatalog::resolve(u"not a model"_qs));
}

void TestCommandLine::traceIsTheRunOfTheEngine() {
    const QStringList words{u"trace"_qs, u"--model"_qs, u"tiny"_qs,     u"--text"_qs,   u"The cat, naïve 漢字."_qs,
                            u"--out"_qs, u"to/here"_qs, u"--logits"_qs, u"--target"_qs, u"un deux"_qs};
    QCOMPARE(run(words).code, int(Done));
    const auto kept = readTrace("to/here/trace.safetensors");
    Request request;
    request.source = "The cat, naïve 漢字.";
    request.target = "un deux";
    request.record.logits = true;
    const auto expected = Engine::open(m_tiny.path())->run(request);
    QVERIFY(kept.targetForced);
    QCOMPARE(kept.sourceText, expected->sourceText);
    QCOMPARE(kept.targetText, expected->targetText);
    QVERIFY(kept.source == expected->source && kept.target == expected->target && kept.emitted == expected->emitted);
    QVERIFY(kept.cross.value().weights == expected->cross.value().weights);
    QVERIFY(kept.logits.value().values == expected->logits.value().values);

    const auto json = QJsonDocument::fromJson(read("to/here/trace.json").toUtf8()).object();
    QCOMPARE(json[u"source_text"_qs].toString(), u"The cat, naïve 漢字."_qs);
    QCOMPARE(json[u"source"_qs].toArray().size(), static_cast<qsizetype>(expected->source.size()));
}

void TestCommandLine::traceOfIds() {
    const auto model = QString::fromStdString(marian.string()); // which has no tokenizer
    const auto outcome = run(split(u"trace --ids 12,7,30,0 --max-length 5 --out to --model "_qs + model));
    QCOMPARE(outcome.code, int(Done));
    // Notices of a run that went well are on `err`, a line each.
    QVERIFY(outcome.err.isEmpty() || outcome.err.contains(u"translation stopped after 5 tokens"_qs));
    const auto kept = readTrace("to/trace.safetensors");
    QCOMPARE(kept.source.size(), std::size_t(4));
    QCOMPARE(kept.source[2].id, std::int64_t(30));
    QVERIFY(kept.emitted.size() <= 5);
    QVERIFY(kept.encoder && kept.decoder && kept.cross && !kept.logits);

    const auto forced = run(split(u"trace --ids 12,7,30,0 --target-ids 210,3,4 --out forced --model "_qs + model));
    QCOMPARE(forced.err, QString());
    QCOMPARE(readTrace("forced/trace.safetensors").target[2].id, std::int64_t(4));
}

void TestCommandLine::analysesInFiles() {
    const auto model = QString::fromStdString((std::filesystem::path(HEADLIGHT_FIXTURES) / "gpt2").string());
    const auto line = u"analyse --ids 12,7,30,11 --out to --model "_qs + model;
    const auto all = run(split(line)); // what does not apply is told
    QCOMPARE(all.code, int(Done));
    QVERIFY2(all.err.contains(u"patching does not apply to gpt2: it needs a second text"_qs), qPrintable(all.err));
    QVERIFY(all.out.contains(u"to/analysis.safetensors"_qs) && all.out.contains(u"to/analysis.json"_qs));
    QVERIFY(SafetensorsFile::open("to/analysis.safetensors").find("ablation.zero.kl.decoder"));

    const auto some = run(split(
        line + u" --what norms,lens,patching --against-ids 12,8,30,11 --pair 4,5 --position 2"_qs + u" --token 9"_qs));
    QCOMPARE(some.err, QString());
    QCOMPARE(some.code, int(Done));
    const auto file = SafetensorsFile::open("to/analysis.safetensors");
    const auto* const norms = file.find("value_norms.decoder");
    QVERIFY(norms && norms->shape.size() == 4 && norms->shape[3] == 4);
    QVERIFY(file.find("patching.stream") && !file.find("alti.decoder"));
    const auto json = QJsonDocument::fromJson(read("to/analysis.json").toUtf8()).object();
    QCOMPARE(json[u"inputs"_qs][u"input_ids"_qs].toArray(), (QJsonArray{12, 7, 30, 11}));
    QCOMPARE(json[u"inputs"_qs][u"against_ids"_qs].toArray(), (QJsonArray{12, 8, 30, 11}));
    QCOMPARE(json[u"position"_qs].toInt(), 2);
    QCOMPARE(json[u"token"_qs].toInt(), 9);
    QCOMPARE(json[u"pair"_qs].toArray(), (QJsonArray{4, 5}));
    QVERIFY(json[u"formulas"_qs].toObject().contains(u"norms"_qs));
    QVERIFY(json[u"identity_errors"_qs][u"logit_lens"_qs][u"error"_qs].toDouble(1) < 1e-4);
}

void TestCommandLine::tokensKeepTheirPlaces() {
    const auto text = u"The cat,  naïve 漢字 😀."_qs;
    const auto outcome = run({u"tokenize"_qs, u"--model"_qs, u"tiny"_qs, u"--text"_qs, text, u"--json"_qs});
    QCOMPARE(outcome.code, int(Done));
    const auto json = QJsonDocument::fromJson(outcome.out.toUtf8()).object();
    QCOMPARE(json[u"text"_qs].toString(), text);
    const auto expected = openTokenizer(m_tiny.path())->encode(text.toStdString());
    const auto tokens = json[u"tokens"_qs].toArray();
    QCOMPARE(tokens.size(), static_cast<qsizetype>(expected.size()));
    std::size_t last = 0;
    for (qsizetype i = 0; i < tokens.size(); ++i) {
        const auto& token = expected[static_cast<std::size_t>(i)];
        QCOMPARE(tokens[i][u"id"_qs].toInteger(), token.id);
        QCOMPARE(tokens[i][u"text"_qs].toString(), QString::fromStdString(token.text));
        QCOMPARE(tokens[i][u"word"_qs].toInt(), token.word);
        QCOMPARE(tokens[i][u"letters"_qs].toString(), QString::fromStdString(token.letters));
        const auto begin = static_cast<std::size_t>(tokens[i][u"bytes"_qs][0].toInteger());
        const auto end = static_cast<std::size_t>(tokens[i][u"bytes"_qs][1].toInteger());
        QCOMPARE(begin, token.bytes.begin);
        QCOMPARE(end, token.bytes.end);
        QVERIFY(begin <= end && begin >= last);
        last = end;
    }
    QCOMPARE(last, text.toStdString().size());
}

void TestCommandLine::tokensOfEachLine() {
    write("texts.txt", "one two\r\n\nthree \xff last");
    const auto outcome = run(split(u"tokenize --model tiny --input texts.txt --json"_qs));
    QCOMPARE(outcome.err, QString());
    const auto lines = outcome.out.split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 3);
    const auto at = [&lines](int i) { return QJsonDocument::fromJson(lines[i].toUtf8()).object(); };
    QCOMPARE(at(0)[u"text"_qs].toString(), u"one two"_qs);
    QCOMPARE(at(1)[u"tokens"_qs].toArray().size(), 0);
    QCOMPARE(at(2)[u"text"_qs].toString(), u"three \ufffd last"_qs);
    const auto tokens = at(2)[u"tokens"_qs].toArray();
    QCOMPARE(tokens.last()[u"bytes"_qs][1].toInt(), 12); // of the bytes in the file

    const auto plain = run(split(u"tokenize --model tiny --input texts.txt"_qs)).out;
    QVERIFY(plain.contains(u"\n\n\n"_qs)); // texts are set apart by empty lines, one that is empty too
}

void TestCommandLine::pictures_data() {
    QTest::addColumn<QString>("words");
    QTest::addColumn<QString>("file");
    QTest::addColumn<QSize>("size");
    for (const char* view : {"alignment", "compare", "heads", "matrix", "lines"}) {
        for (const char* ending : {"png", "svg", "pdf", "csv"})
            QTest::addRow("%s as %s", view, ending) << u"--view %1 --compare tiny"_qs.arg(QLatin1String(view))
                                                    << u"a."_qs + QLatin1String(ending) << QSize();
    }
    QTest::newRow("size and scale") << u"--size 300x200 --scale 1.5"_qs << u"a.png"_qs << QSize(450, 300);
    QTest::newRow("dark, other colours") << u"--theme dark --colors magma --size 300x200"_qs << u"A.PNG"_qs
                                         << QSize(600, 400);
    QTest::newRow("one head") << u"--view matrix --layer 0 --head 0 --kind cross"_qs << u"a.png"_qs << QSize();
    QTest::newRow("a lit cell") << u"--point 0,0"_qs << u"a.svg"_qs << QSize();
    QTest::newRow("a mean of heads") << u"--layer 0"_qs << u"a.png"_qs << QSize();
    QTest::newRow("the window") << u"--view window --compare plain"_qs << u"a.png"_qs << QSize(1280, 800);
    QTest::newRow("the window, dark") << u"--view window --theme dark --size 1100x700"_qs << u"a.png"_qs
                                      << QSize(1100, 700);
    QTest::newRow("the window, scaled") << u"--view window --scale 2"_qs << u"a.png"_qs << QSize(2560, 1600);
}

void TestCommandLine::pictures() {
    QFETCH(QString, words);
    QFETCH(QString, file);
    QFETCH(QSize, size);
    const auto outcome =
        run(split(u"render --model tiny --text The_cat. --target Le_chat. %1 --out %2"_qs.arg(words, file)));
    QCOMPARE(outcome.err, QString());
    QCOMPARE(outcome.code, int(Done));
    QCOMPARE(outcome.out, file + QLatin1Char('\n'));
    QFile written(file);
    QVERIFY(written.open(QIODevice::ReadOnly));
    const auto bytes = written.readAll();
    if (file.endsWith(u".pdf"_qs)) {
        QVERIFY(bytes.startsWith("%PDF") && bytes.trimmed().endsWith("%%EOF"));
    } else if (file.endsWith(u".csv"_qs)) {
        QVERIFY(bytes.count('\n') > 1); // a row of names, and numbers
    } else {
        const QImage image(file);
        QVERIFY(!image.isNull());
        if (!size.isEmpty())
            QCOMPARE(image.size(), size);
        bool plain = true;
        for (int y = 0; y < image.height() && plain; ++y) {
            for (int x = 0; x < image.width() && plain; ++x)
                plain = image.pixel(x, y) == image.pixel(0, 0);
        }
        QVERIFY(!plain);
    }
    QCOMPARE(QDir().entryList(QDir::Files), QStringList{file}); // and no temporary file
}

void TestCommandLine::picturesShowWhatIsAskedFor() {
    const auto numbers = [](const QString& words) {
        const auto outcome = run(split(u"render --model tiny --text The_cat. --out a.csv "_qs + words));
        return outcome.code == Done ? read("a.csv") : outcome.err;
    };
    const auto own = numbers({});
    QVERIFY(own.contains(QLatin1Char('\n')));
    QVERIFY(own != numbers(u"--target un_deux"_qs));
    QCOMPARE(own, numbers(u"--own-range"_qs)); // which is of colours alone
    QVERIFY(own != numbers(u"--view compare --compare tiny"_qs));
    QVERIFY(numbers(u"--off cross.0.0"_qs) != numbers(u"--off cross.0.0 --change"_qs));
    QVERIFY(numbers(u"--view playback --step 0"_qs) != numbers(u"--view playback --step 1"_qs));
    QVERIFY(numbers(u"--view playback --step 99999"_qs).contains(u"--step: there is no step 99999"_qs));
    QVERIFY(numbers(u"--step 0"_qs).contains(u"--step needs the view playback"_qs));
    QVERIFY(numbers(u"--page pattern"_qs).contains(u"--page needs the view positions"_qs));
    // What has no numbers is no file of nothing, but said.
    QVERIFY(QFile::remove(u"a.csv"_qs));
    QVERIFY(numbers(u"--view positions"_qs).contains(u"no numbers to write: tiny has no positions"_qs));
    QVERIFY(!QFile::exists(u"a.csv"_qs));
    QVERIFY(numbers(u"--change"_qs).contains(u"--change needs --off"_qs));
}

void TestCommandLine::demo() {
    const auto outcome = run(split(u"render --demo to/here --model tiny --compare plain --text The_cat."_qs));
    QCOMPARE(outcome.code, int(Done));
    const auto files = outcome.out.split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    for (const auto& file : files)
        QVERIFY2(QFileInfo(file).size() > 0, qPrintable(file));
    for (const char* file : {"window-light.png", "window-dark.png", "alignment.svg", "alignment.csv", "compare.pdf",
                             "heads.png", "matrix.png", "positions.png", "trace/trace.safetensors"})
        QVERIFY2(files.contains(u"to/here/"_qs + QLatin1String(file)), file);
    QVERIFY(!files.contains(u"to/here/compare.csv"_qs)); // there is nothing to compare with a model without attention
    QVERIFY(outcome.err.contains(u"no numbers to write"_qs));
    QVERIFY(QImage(u"to/here/window-light.png"_qs).pixel(640, 400)
            != QImage(u"to/here/window-dark.png"_qs).pixel(640, 400));
}

void TestCommandLine::brokenModels_data() {
    QTest::addColumn<QString>("line");
    QTest::addColumn<qint64>("bytes"); // that are left; -1: the file is taken away
    for (const char* line :
         {"trace --text a --out to", "render --text a --out a.png", "render --text a --out a.png --view window",
          "render --text a --compare tiny --out a.png"}) {
        QTest::addRow("missing: %s", line) << QString::fromUtf8(line) << qint64(-1);
        QTest::addRow("empty: %s", line) << QString::fromUtf8(line) << qint64(0);
        QTest::addRow("cut: %s", line) << QString::fromUtf8(line) << qint64(5000);
    }
}

void TestCommandLine::brokenModels() {
    QFETCH(QString, line);
    QFETCH(qint64, bytes);
    const Folder broken;
    broken.recurrent();
    const auto weights = broken.path() / "model.safetensors";
    if (bytes < 0)
        std::filesystem::remove(weights);
    else
        std::filesystem::resize_file(weights, static_cast<std::uintmax_t>(bytes));
    auto words = split(line);
    words << u"--model"_qs << QString::fromStdString(broken.path().string());
    const auto outcome = run(words);
    QCOMPARE(notOneLine(outcome.err, {QString::fromStdString(broken.path().string()), u"model.safetensors"_qs}),
             QString());
    QCOMPARE(outcome.code, int(NotDone));
    QVERIFY(QDir().isEmpty());
}

void TestCommandLine::settingsComeBack() {
    QVERIFY(Settings::load().fresh);
    Settings settings;
    settings.theme = Theme::Dark;
    settings.map = ColorMap::Cividis;
    settings.last.emplace().models.a = u"tiny"_qs;
    settings.last->typed.source = u"zeile, \"eins\"\nzwei 漢字"_qs;
    settings.session = u"/one.headlight"_qs;
    settings.recentFolders = {u"/one folder"_qs};
    settings.geometry = QByteArray("\0\1\xff", 3);
    settings.save();
    const auto loaded = Settings::load();
    QVERIFY(!loaded.fresh);
    QCOMPARE(loaded.theme, std::optional(Theme::Dark));
    QCOMPARE(loaded.map, std::optional(ColorMap::Cividis));
    QVERIFY(loaded.last == settings.last);
    QCOMPARE(loaded.session, settings.session);
    QCOMPARE(loaded.recentFolders, settings.recentFolders);
    QCOMPARE(loaded.geometry, settings.geometry);

    settings.theme.reset();
    settings.recentFolders = QStringList(12, u"many"_qs);
    settings.save();
    QVERIFY(!Settings::load().theme);
    QCOMPARE(Settings::load().recentFolders.size(), 8);
}

void TestCommandLine::settingsThatCannotBeWrittenSaySo() {
    Settings settings;
    settings.last.emplace().typed.source = u"old"_qs;
    settings.save();
    const auto before = systemCalls();
    systemCalls().sync = [](int) {
        errno = ENOSPC;
        return -1;
    };
    settings.last->typed.source = u"new"_qs;
    QString said;
    try {
        settings.save();
    } catch (const Error& error) {
        said = QString::fromUtf8(error.what());
    }
    systemCalls() = before;
    QVERIFY2(said.contains(u"settings.json: cannot be written: No space left"_qs), qUtf8Printable(said));
    QCOMPARE(Settings::load().last->typed.source, u"old"_qs);
}

void TestCommandLine::settingsThatAreBrokenSaySo_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("problem");
    QTest::addColumn<QString>("text");
    QTest::newRow("cut short") << QByteArray(R"({"theme":)") << u"not JSON"_qs << QString();
    QTest::newRow("a list") << QByteArray("[]") << u"not a JSON object"_qs << QString();
    QTest::newRow("nested without end") << QByteArray(100'000, '[') << u"nested more than"_qs << QString();
    QTest::newRow("other kinds of values")
        << QByteArray(R"({"theme":[],"colors":3,"recent_folders":"a","geometry":{},"session":"a file"})") << QString()
        << u"a file"_qs;
}
void TestCommandLine::settingsThatAreBrokenSaySo() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, problem);
    QFETCH(QString, text);
    Settings().save();
    const auto file = pathOf(m_settings.filePath(u"headlight/settings.json"_qs));
    writeFileAtomically(file, std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
    const auto loaded = Settings::load();
    QVERIFY2(problem.isEmpty() ? loaded.problem.isEmpty() : loaded.problem.contains(problem),
             qUtf8Printable(loaded.problem));
    QCOMPARE(loaded.session, text);
    QVERIFY(!loaded.fresh && !loaded.theme && loaded.recentFolders.isEmpty() && loaded.geometry.isEmpty());
    QDir(m_settings.filePath(u"headlight"_qs)).removeRecursively();
}

void TestCommandLine::commandsLeaveSettingsAlone() {
    Settings settings;
    settings.last.emplace().typed.source = u"what the user typed"_qs;
    settings.theme = Theme::Light;
    settings.save();
    QCOMPARE(run(split(u"render --model tiny --text other --view window --theme dark --out a.png"_qs)).code, int(Done));
    QVERIFY(Settings::load().last == settings.last);
    QCOMPARE(Settings::load().theme, settings.theme);
}

QTEST_MAIN(TestCommandLine)
#include "tst_command_line.moc"
