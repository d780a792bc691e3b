// Protects what comes with the program: that each bundled model opens, runs its examples and has a card, that the
// examples speak of models that there are, and that Chinese is written in Traditional characters.
#include "app/examples.h"
#include "app/model_catalog.h"
#include "core/engine.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace headlight;

namespace {

constexpr qint64 mostBytes = 16'000'000;

/// Frequent characters that only Simplified writing has.
constexpr const char16_t* simplified =
    u"这个们来时说国会过还没对发问样东两书车马鱼鸟门间开关电话语请谢谁难听见让给买卖钱"
    u"写读学觉爱岁岛师边远进运动务体头妈爷华汉单双饭饿红绿黄蓝长张场热";

} // namespace

class TestBundled : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { qputenv("HEADLIGHT_MODELS", HEADLIGHT_MODELS); }

    void models_data() {
        QTest::addColumn<QString>("folder");
        for (const auto& entry : ModelCatalog::bundled())
            QTest::newRow(qPrintable(entry.name)) << QFile::decodeName(entry.folder.c_str());
    }
    void models() {
        QFETCH(QString, folder);
        QFile card(folder + u"/README.md"_qs);
        QVERIFY(card.open(QIODevice::ReadOnly));
        const auto words = QString::fromUtf8(card.readAll());
        QVERIFY(words.startsWith(u"---\nlanguage: "_qs));
        for (const auto& part :
             {u"## Data"_qs, u"## Recipe"_qs, u"## Scores"_qs, u"## What to see"_qs, u"## Licence"_qs})
            QVERIFY2(words.contains(part), qPrintable(part));
        const auto size = QFileInfo(folder + u"/model.safetensors"_qs).size();
        QVERIFY2(size > 0 && size <= mostBytes, qPrintable(QString::number(size)));

        const auto engine = Engine::open(QFile::encodeName(folder).toStdString());
        const auto suited = examplesFor(engine->info());
        QVERIFY(!suited.isEmpty());
        for (const auto& example : suited) {
            QVERIFY2(example.models.contains(QString::fromStdString(engine->info().name)), qPrintable(example.text));
            Request request;
            request.source = example.text.toStdString();
            const auto trace = engine->run(request);
            QVERIFY2(trace->notices.empty(), qPrintable(example.text));
            QVERIFY2(!trace->predictions.empty(), qPrintable(example.text));
            for (const auto& token : trace->source)
                QVERIFY2(token.text != "<unk>" && token.text != "[UNK]", qPrintable(example.text));
            if (trace->cross || !trace->fixedContext.empty())
                QVERIFY2(!trace->targetText.empty(), qPrintable(example.text));
        }
    }

    void examplesAreOfModelsThatThereAre() {
        QStringList names;
        for (const auto& entry : ModelCatalog::bundled())
            names << entry.name;
        QVERIFY(examples().front().models.contains(u"en-fr-additive"_qs)); // what the window opens with
        for (const auto& example : examples()) {
            QVERIFY2(!example.look.isEmpty(), qPrintable(example.text));
            for (const auto& name : example.models)
                QVERIFY2(names.contains(name), qPrintable(name));
        }
    }

    /// A model that no example speaks of has those of its kind.
    void otherModelsHaveTheExamplesOfTheirKind() {
        ModelInfo info;
        info.name = "another";
        info.hasEncoder = true;
        info.mask = "<mask>";
        const auto suited = examplesFor(info);
        QVERIFY(!suited.isEmpty());
        for (const auto& example : suited) {
            QCOMPARE(example.purpose, u"masked"_qs);
            QVERIFY(!example.text.contains(u"[MASK]"_qs));
        }
    }

    void chineseIsTraditional_data() {
        QTest::addColumn<QString>("folder");
        for (const auto& entry : ModelCatalog::bundled())
            if (entry.name.startsWith(u"en-zh"_qs))
                QTest::newRow(qPrintable(entry.name)) << QFile::decodeName(entry.folder.c_str());
    }
    void chineseIsTraditional() {
        QFETCH(QString, folder);
        QFile file(folder + u"/vocab.json"_qs);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const auto pieces = QJsonDocument::fromJson(file.readAll()).object().keys();
        QVERIFY(pieces.contains(u"車"_qs) && pieces.contains(u"。"_qs));
        for (const auto& piece : pieces)
            for (const auto letter : QStringView(simplified))
                QVERIFY2(!piece.contains(letter), qPrintable(piece));
    }
};

QTEST_MAIN(TestBundled)
#include "tst_bundled.moc"
