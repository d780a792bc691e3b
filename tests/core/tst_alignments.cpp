// Alignment error rates: gold files, the rate itself, both baselines, and the links that attention makes, by hand.
#include "models/train/alignments.h"
#include "models/train/report.h"
#include "tests/support/tiny_models.h"

#include "core/error.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>

using namespace headlight;

namespace {

std::filesystem::path written(const QTemporaryDir& folder, const std::string& text) {
    const auto file = std::filesystem::path(folder.path().toStdString()) / "gold.tsv";
    std::ofstream(file) << text;
    return file;
}

Token token(const std::string& text, std::size_t begin, std::size_t end) {
    return {.id = 0, .text = text, .bytes = {begin, end}, .word = 0, .special = false};
}

Token endToken() {
    return {.id = 0, .text = "</s>", .bytes = {}, .word = -1, .special = true};
}

} // namespace

class TestAlignments : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsSureAndPossibleLinks() {
        const QTemporaryDir folder;
        const auto gold = readGoldAlignments(written(folder, "#id\ten\tfr\ts\tp\n"
                                                             "7\tthe cat\tle chat gris\t0-0 1-1\t1-2\n"
                                                             "8\ta\tb\t\t\n"));
        QCOMPARE(gold.size(), std::size_t(2));
        QCOMPARE(gold[0].id, std::string("7"));
        QCOMPARE(gold[0].target.size(), std::size_t(3));
        QVERIFY((gold[0].sure == Links{{0, 0}, {1, 1}}));
        QVERIFY((gold[0].possible == Links{{0, 0}, {1, 1}, {1, 2}}));
        QVERIFY(gold[1].sure.empty() && gold[1].possible.empty());
    }

    void wrongLinesAreNamed_data() {
        QTest::addColumn<QString>("line");
        QTest::newRow("three columns") << "1\ta\tb";
        QTest::newRow("beyond the source") << "1\ta\tb\t1-0\t";
        QTest::newRow("beyond the target") << "1\ta\tb\t0-0\t0-1";
        QTest::newRow("negative") << "1\ta\tb\t0--1\t";
        QTest::newRow("no dash") << "1\ta\tb\t00\t";
        QTest::newRow("letters behind") << "1\ta\tb\t0-0x\t";
        QTest::newRow("dash alone") << "1\ta\tb\t0-\t";
    }
    void wrongLinesAreNamed() {
        QFETCH(QString, line);
        const QTemporaryDir folder;
        const auto file = written(folder, "#comment\n" + line.toStdString() + "\n");
        try {
            readGoldAlignments(file);
            QFAIL("it was read");
        } catch (const Error& error) {
            QVERIFY2(QByteArray(error.what()).contains("gold.tsv:2"), error.what());
        }
    }
    void aFileWithNothingIsRefused() {
        const QTemporaryDir folder;
        QVERIFY_EXCEPTION_THROWN(readGoldAlignments(written(folder, "#only a comment\n")), Error);
        QVERIFY_EXCEPTION_THROWN(readGoldAlignments(folder.path().toStdString() + "/nothing"), Error);
    }

    void errorRate_data() {
        QTest::addColumn<QVector<int>>("found"); // source, target, source, target …
        QTest::addColumn<double>("rate");
        // S = {0-0, 1-1}, P = S and {2-2}.
        QTest::newRow("all sure ones") << QVector<int>{0, 0, 1, 1} << 0.0;
        QTest::newRow("a possible one costs nothing") << QVector<int>{0, 0, 1, 1, 2, 2} << 0.0;
        QTest::newRow("one wrong") << QVector<int>{0, 0, 1, 1, 0, 2} << 1 - 4.0 / 5;
        QTest::newRow("one missing") << QVector<int>{0, 0} << 1 - 2.0 / 3;
        QTest::newRow("nothing found") << QVector<int>{} << 1.0;
    }
    void errorRate() {
        QFETCH(QVector<int>, found);
        QFETCH(double, rate);
        const GoldAlignment gold{"1", {"a", "b", "c"}, {"x", "y", "z"}, {{0, 0}, {1, 1}}, {{0, 0}, {1, 1}, {2, 2}}};
        Links links;
        for (qsizetype i = 0; i + 1 < found.size(); i += 2)
            links.insert({found[i], found[i + 1]});
        AlignmentErrors errors;
        errors.add(gold, links);
        QCOMPARE(errors.rate(), rate);
    }

    void theDiagonalStretches() {
        QVERIFY((diagonalLinks(3, 3) == Links{{0, 0}, {1, 1}, {2, 2}}));
        QVERIFY((diagonalLinks(2, 4) == Links{{0, 0}, {0, 1}, {1, 2}, {1, 3}}));
        QVERIFY((diagonalLinks(4, 2) == Links{{1, 0}, {3, 1}}));
        QVERIFY(diagonalLinks(0, 2).empty());
    }

    /// From two sentences that share one word, the shared one goes to the shared one, as in Brown et al.'s example.
    void model1LearnsWhatIsShared() {
        const IbmModel1 model({{{"the", "house"}, {"la", "maison"}},
                               {{"the", "book"}, {"le", "livre"}},
                               {{"the", "flower"}, {"la", "fleur"}},
                               {{"a", "book"}, {"un", "livre"}}},
                              10);
        const std::vector<std::string> source{"the", "book"};
        QVERIFY((model.align(source, std::vector<std::string>{"livre"}) == Links{{1, 0}}));
        const std::vector<std::string> house{"house", "the"};
        QVERIFY((model.align(house, std::vector<std::string>{"maison", "never seen"}) == Links{{0, 0}}));
    }

    void wordsAreWrittenAsTextIs_data() {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QString>("text");
        QTest::newRow("a sentence") << QStringList{"the", "cat", "."} << "the cat.";
        QTest::newRow("elided") << QStringList{"l'", "accord", ",", "qu'", "il"} << "l'accord, qu'il";
        QTest::newRow("apostrophe apart") << QStringList{"c", "'", "est", "vrai"} << "c'est vrai";
        QTest::newRow("brackets") << QStringList{"(", "a", ")"} << "(a)";
    }
    void wordsAreWrittenAsTextIs() {
        QFETCH(QStringList, words);
        QFETCH(QString, text);
        std::vector<std::string> list;
        for (const auto& word : words)
            list.push_back(word.toStdString());
        const auto made = writtenWords(list);
        QCOMPARE(QString::fromStdString(made.text), text);
        for (std::size_t i = 0; i < list.size(); ++i)
            QCOMPARE(made.text.substr(made.words[i].begin, made.words[i].end - made.words[i].begin), list[i]);
    }

    void plainWordsAreThoseOfGoldFiles() {
        QCOMPARE(plainWords("L\u2019Accord, c'est \u00c9t\u00e9."),
                 (std::vector<std::string>{"l'", "accord", ",", "c'", "est", "\u00e9t\u00e9", "."}));
    }

    /// Every table of the page has its rows: models, a corpus, lengths, gold.
    void theReportHoldsWhatWasAskedFor() {
        const QTemporaryDir folder;
        const auto file = [&](const char* name, const char* text) {
            const auto path = std::filesystem::path(folder.path().toStdString()) / name;
            std::ofstream(path) << text;
            return path;
        };
        ReportInputs inputs;
        const Folder model;
        model.recurrent();
        inputs.models = {model.path()};
        inputs.tests = {file("test.tsv", "a b\tc d\n")};
        inputs.byLength = {file("length.tsv", "a b\tc d\na b c d e f g h i j k\tc d\n")};
        inputs.gold = {file("gold.tsv", "1\ta b\tc d\t0-0 1-1\t\n")};
        inputs.corpora = {inputs.tests};
        inputs.beam = 2;
        const auto made = report(inputs);
        const auto page = QString::fromStdString(made.page);
        for (const auto* expected : {"## Models", "## test.tsv\n\n1 pairs", "BLEU, beam 2", "| 1–10 | 1 |",
                                     "| 11–20 | 1 |", "| the diagonal | 0.000 |", "](length-by-length.svg)",
                                     "| IBM Model 1, from the same pairs |", ": layer 0, head 0, word given out | "})
            QVERIFY2(page.contains(QString::fromUtf8(expected)), qPrintable(QString::fromUtf8(expected) + "\n" + page));
        const auto& picture = made.pictures.at("length-by-length.svg");
        QVERIFY(picture.find("<svg") != std::string::npos);
        QVERIFY(picture.find("words of the source") != std::string::npos);
    }

    /// Two tokens of one source word add up and so win over one of another; the end token is no word.
    void attentionIsSummedOverWords() {
        const auto source = writtenWords(std::vector<std::string>{"cats", "run"});
        const auto target = writtenWords(std::vector<std::string>{"chats", "courent"});
        const std::vector<Token> columns{token("cat", 0, 3), token("s", 3, 4), token("run", 4, 8), endToken()};
        const std::vector<Token> rows{token("chats", 0, 5), token("cour", 5, 10), token("ent", 10, 13), endToken()};
        const Map map{
            4, 4, {0.3f, 0.2f, 0.4f, 0.1f, 0.0f, 0.3f, 0.2f, 0.5f, 0.0f, 0.1f, 0.9f, 0.0f, 0.0f, 0.0f, 0.0f, 1.0f}};
        QVERIFY((attentionLinks(map, rows, columns, source, target) == Links{{0, 0}, {1, 1}}));
    }
};

QTEST_APPLESS_MAIN(TestAlignments)
#include "tst_alignments.moc"
