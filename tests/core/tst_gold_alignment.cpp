// Alignment error rates: gold files, the rate itself, the links that attention makes and which head makes the best.
#include "core/analysis/gold_alignment.h"
#include "core/analysis/head_ranking.h"
#include "core/analysis/words.h"
#include "tests/support/trace_from_ascii.h"

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

/// A trace whose target was typed: emitted tokens know their places in it, and so does what is taken in a step later.
Trace forced(const char* art, const AsciiOptions& options = {}) {
    auto trace = traceFromAscii(art, options);
    trace.targetForced = true;
    std::size_t at = 0;
    for (std::size_t i = 0; i < trace.emitted.size(); ++i) {
        auto& token = trace.emitted[i];
        if (token.special)
            continue;
        const std::string letters = token.text.starts_with("\u2581") ? token.text.substr(3) : token.text;
        at = trace.targetText.find(letters, at);
        token.bytes = {at, at + letters.size()};
        if (i + 1 < trace.target.size())
            trace.target[i + 1].bytes = token.bytes;
    }
    return trace;
}

/// "the cat" and "le chat": "le" is sure, "chat" possible only.
const GoldAlignment cats{"1", {"the", "cat"}, {"le", "chat"}, {{0, 0}}, {{0, 0}, {1, 1}}};

constexpr const char* pieces = R"(
              the   c    +at  </s>
    le        9     1    .    .
    ch        1     2    2    5
    +at       6     2    2    .
    </s>      .     .    .    #
)";

} // namespace

class TestGoldAlignment : public QObject {
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
        QVERIFY_THROWS_EXCEPTION(Error, readGoldAlignments(written(folder, "#only a comment\n")));
        for (const std::string& file : {folder.path().toStdString() + "/nothing", std::string("/dev/zero")})
            QVERIFY_THROWS_EXCEPTION(Error, readGoldAlignments(file));
    }

    void rateOfLinks_data() {
        QTest::addColumn<QVector<int>>("found"); // source, target, source, target …
        QTest::addColumn<double>("rate");
        // S = {0-0, 1-1}, P = S and {2-2}.
        QTest::newRow("all sure ones") << QVector<int>{0, 0, 1, 1} << 0.0;
        QTest::newRow("a possible one costs nothing") << QVector<int>{0, 0, 1, 1, 2, 2} << 0.0;
        QTest::newRow("one wrong") << QVector<int>{0, 0, 1, 1, 0, 2} << 1 - 4.0 / 5;
        QTest::newRow("one missing") << QVector<int>{0, 0} << 1 - 2.0 / 3;
        QTest::newRow("nothing found") << QVector<int>{} << 1.0;
    }
    void rateOfLinks() {
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

    void wordsAreWrittenAsTextIs_data() {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("french");
        QTest::newRow("a sentence") << QStringList{"the", "cat", "."} << "the cat."
                                    << "the cat.";
        QTest::newRow("elided") << QStringList{"l'", "accord", ",", "qu'", "il"} << "l'accord, qu'il"
                                << "l'accord, qu'il";
        QTest::newRow("apostrophe apart") << QStringList{"c", "'", "est", "vrai"} << "c'est vrai"
                                          << "c'est vrai";
        QTest::newRow("brackets") << QStringList{"(", "a", ")"} << "(a)"
                                  << "(a)";
        QTest::newRow("Chinese") << QStringList{u"我有"_qs, u"三"_qs, u"本書"_qs, u"。"_qs} << u"我有三本書。"_qs
                                 << u"我有三本書。"_qs;
        QTest::newRow("high signs") << QStringList{"so", ":", "why", "?"} << "so: why?"
                                    << "so : why ?";
    }
    void wordsAreWrittenAsTextIs() {
        QFETCH(QStringList, words);
        QFETCH(QString, text);
        QFETCH(QString, french);
        std::vector<std::string> list;
        for (const auto& word : words)
            list.push_back(word.toStdString());
        QCOMPARE(QString::fromStdString(writtenWords(list, true).text), french);
        const auto made = writtenWords(list);
        QCOMPARE(QString::fromStdString(made.text), text);
        for (std::size_t i = 0; i < list.size(); ++i)
            QCOMPARE(made.text.substr(made.words[i].begin, made.words[i].end - made.words[i].begin), list[i]);
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

    void wordsAreFoundInATextHoweverSpaced_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QVector<int>>("begins"); // empty: the text has other words
        QTest::newRow("as written") << "l'accord, vrai" << QVector<int>{0, 2, 8, 10};
        QTest::newRow("spaces between") << " l' accord ,\n vrai " << QVector<int>{1, 4, 11, 14};
        QTest::newRow("another word") << "l'accord, faux" << QVector<int>();
        QTest::newRow("a word more") << "l'accord, vrai ?" << QVector<int>();
        QTest::newRow("a word less") << "l'accord," << QVector<int>();
        QTest::newRow("nothing") << "" << QVector<int>();
    }
    void wordsAreFoundInATextHoweverSpaced() {
        QFETCH(QString, text);
        QFETCH(QVector<int>, begins);
        const std::vector<std::string> words{"l'", "accord", ",", "vrai"};
        const auto found = wordsIn(text.toStdString(), words);
        QCOMPARE(found.has_value(), !begins.isEmpty());
        for (int i = 0; found && i < begins.size(); ++i)
            QCOMPARE(int(found->words[static_cast<std::size_t>(i)].begin), begins[i]);
    }

    void goldIsOfItsOwnSentenceOnly() {
        QVERIFY(placedGold(cats, forced(pieces)).has_value());
        QVERIFY(!placedGold(cats, traceFromAscii(pieces))); // the model's own words have no places
        QVERIFY(!placedGold(cats, forced("a cat\n le # .\n chat . #\n")));
        QVERIFY(!placedGold(cats, forced("the cat\n un # .\n chat . #\n")));
        auto without = forced(pieces);
        without.cross.reset();
        QVERIFY(!placedGold(cats, without));
    }

    /// Read as given out, "le" looks at "the" and the two rows of "chat" at "cat", with 8 against 7. Read as taken in,
    /// "le" is row 1 and looks at "cat", "chat" are rows 2 and 3 and look at "the": nothing is right.
    void errorRateFollowsTheReading() {
        const auto trace = forced(pieces);
        const auto gold = placedGold(cats, trace);
        const auto map = headMap(*trace.cross, Layer(0), Head(0));
        QCOMPARE(errorRate(*gold, trace, map, RowTokens::Emitted), 0.0);
        QCOMPARE(errorRate(*gold, trace, map, RowTokens::TakenIn), 1.0);
    }

    void linksAreBlocksOfCells_data() {
        QTest::addColumn<bool>("byWords");
        QTest::addColumn<bool>("specials");
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("columns");
        QTest::newRow("tokens") << false << true << 2 << 2;
        QTest::newRow("words") << true << true << 1 << 1;
        QTest::newRow("ordinary tokens") << false << false << 2 << 2;
    }
    void linksAreBlocksOfCells() {
        QFETCH(bool, byWords);
        QFETCH(bool, specials);
        QFETCH(int, rows);
        QFETCH(int, columns);
        const auto trace = forced(pieces);
        const auto map = headMap(*trace.cross, Layer(0), Head(0));
        const auto made = reduced(trace, BlockKind::Cross, RowTokens::Emitted, map, {byWords, specials});
        const auto cells = linkCells(*placedGold(cats, trace), trace.emitted, trace.source,
                                     placesOf(made.rows, map.rows), placesOf(made.columns, map.columns));
        QCOMPARE(cells.size(), std::size_t(2));
        QCOMPARE(cells[0], (LinkCells{0, 0, 1, 1, true}));
        QCOMPARE(cells[1], (LinkCells{1, 1, rows, columns, false}));
    }

    /// Two gold words of one row: the sure one is drawn.
    void equalBlocksAreSure() {
        const auto trace = forced("ab\n xy #\n");
        const GoldAlignment gold{"1", {"ab"}, {"x", "y"}, {{0, 1}}, {{0, 0}, {0, 1}}};
        const auto cells = linkCells(*placedGold(gold, trace), trace.emitted, trace.source, {0}, {0});
        QCOMPARE(cells.size(), std::size_t(1));
        QVERIFY(cells.front().sure);
    }

    void headsAreRanked() {
        // Head 0 is the picture, head 1 turned by one column: le → cat, chat → </s>.
        const auto trace = forced("the cat </s>\n le # . .\n chat . # .\n", {.heads = 2});
        auto heads = rankedHeads(trace);
        QCOMPARE(heads.size(), std::size_t(2));
        QCOMPARE(heads[0].place.head, Head(0));
        QCOMPARE(heads[0].score, 1.0);
        QCOMPARE(heads[1].score, 0.25); // one row and one column of two
        QVERIFY(!heads[0].errorRate);
        const GoldAlignment other{"1", {"the", "cat"}, {"le", "chat"}, {{1, 0}}, {{1, 0}}};
        const auto gold = placedGold(other, trace);
        heads = rankedHeads(trace, RowTokens::Emitted, &*gold);
        QCOMPARE(heads[0].place.head, Head(1)); // only le → cat is sure
        QCOMPARE(*heads[0].errorRate, 0.0);
        QCOMPARE(*heads[1].errorRate, 1.0);
        QVERIFY(rankedHeads(Trace{}).empty());
    }
};

QTEST_APPLESS_MAIN(TestGoldAlignment)
#include "tst_gold_alignment.moc"
