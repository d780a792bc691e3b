// Baselines of alignment error rates, and the report that holds them.
#include "models/train/alignments.h"
#include "models/train/report.h"
#include "tests/support/tiny_models.h"

#include "core/error.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>

using namespace headlight;

class TestAlignments : public QObject {
    Q_OBJECT

private Q_SLOTS:
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
        auto& group = inputs.groups.emplace_back();
        group.models = {model.path()};
        group.tests = {{file("test.tsv", "a b\tc d\n"), false}};
        group.byLength = {file("length.tsv", "a b\tc d\na b c d e f g h i j k\tc d\n")};
        group.gold = {file("gold.tsv", "1\ta b\tc d\t0-0 1-1\t\n")};
        group.corpora = group.tests;
        inputs.beam = 2;
        const auto made = report(inputs);
        const auto page = QString::fromStdString(made.page);
        for (const auto* expected :
             {"## Models", "### test.tsv\n\n1 pairs", "BLEU, beam 2", "| 1–10 | 1 |", "| 11–20 | 1 |",
              "| what | gold: given out | taken in |", "| the diagonal | 0.000 |", "](length-by-length.svg)",
              "| IBM Model 1, from the same pairs |", " L0 H0 | "})
            QVERIFY2(page.contains(QString::fromUtf8(expected)), qPrintable(QString::fromUtf8(expected) + "\n" + page));
        const auto& picture = made.pictures.at("length-by-length.svg");
        QVERIFY(picture.find("<svg") != std::string::npos);
        QVERIFY(picture.find("words of the source") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestAlignments)
#include "tst_alignments.moc"
