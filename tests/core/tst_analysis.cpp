// What is read off a Trace, against numbers worked out by hand.
#include "core/analysis/alignment.h"
#include "core/analysis/comparison.h"
#include "core/analysis/head_metrics.h"
#include "core/analysis/rollout.h"
#include "core/analysis/words.h"
#include "core/trace/letters.h"
#include "tests/support/compare.h"
#include "tests/support/trace_from_ascii.h"

#include <QTest>

#include <limits>
#include <optional>

using namespace headlight;

namespace {

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

bool near(float actual, float expected) {
    return std::abs(actual - expected) <= 1e-5F;
}

/// One head of these rows.
AttentionBlock blockOf(BlockKind kind, const std::vector<std::vector<float>>& rows) {
    return ascii::block(kind, rows, {});
}

std::vector<Token> tokensOf(const std::vector<std::string>& names) {
    std::string text;
    return ascii::tokens(names, text);
}

/// Adds another picture as further heads of the same layer.
void addHeads(AttentionBlock& block, const AttentionBlock& more) {
    block.heads += more.heads;
    block.weights.insert(block.weights.end(), more.weights.begin(), more.weights.end());
}

/// Adds another picture as the heads of one more layer.
void addLayer(AttentionBlock& block, AttentionBlock more) {
    ++block.layers;
    block.weights.insert(block.weights.end(), more.weights.begin(),
                         more.weights.begin() + static_cast<std::ptrdiff_t>(more.weights.size()) / more.layers);
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts)
        all += (all.empty() ? "" : "|") + text;
    return all;
}

std::string joined(const std::vector<Word>& words) {
    std::string all;
    for (const auto& word : words)
        all += (all.empty() ? "" : "|") + word.text;
    return all;
}

Comparison compareCross(const Trace& first, const Trace& second) {
    const auto firstMap = meanOverBlock(*first.cross);
    const auto secondMap = meanOverBlock(*second.cross);
    return compare({first, firstMap}, {second, secondMap});
}

} // namespace

class TestAnalysis : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void headsAndMeans() {
        const auto trace = traceFromAscii(R"(
                  a  b
            x     #  .
            y     3  7
        )",
                                          {.layers = 2, .heads = 2});
        // Head h of layer l is turned to the right by 2 l + h columns, so every other head is mirrored.
        QCOMPARE(headMap(*trace.cross, Layer(0), Head(0)).values, std::vector<float>({1, 0, 0.3F, 0.7F}));
        QCOMPARE(headMap(*trace.cross, Layer(1), Head(1)).values, std::vector<float>({0, 1, 0.7F, 0.3F}));
        const std::vector<float> half(4, 0.5F);
        QCOMPARE(compareClose(meanOverHeads(*trace.cross, Layer(1)).values, half, 1e-6F), std::string());
        QCOMPARE(compareClose(meanOverBlock(*trace.cross).values, half, 1e-6F), std::string());
        QCOMPARE(headMap(*trace.cross, Layer(0), Head(0)).at(1, 1), 0.7F);
    }

    void hardAlignmentTakesTheFirstLargest() {
        const Map map{
            5, 3, {.1F, .8F, .1F, .5F, 0, .5F, notANumber, .2F, .1F, notANumber, notANumber, notANumber, 0, 0, 0}};
        QCOMPARE(hardAlignment(map), std::vector<int>({1, 0, 1, -1, 0}));
        QCOMPARE(hardAlignment(Map{}), std::vector<int>());
    }

    void rowsAreReadAsAskedFor() {
        const auto trace = traceFromAscii("a b\n x # .\n </s> . #\n");
        QCOMPARE(rowTokens(trace, BlockKind::Cross, RowTokens::Emitted).front().text, std::string("\u2581x"));
        QCOMPARE(rowTokens(trace, BlockKind::Cross, RowTokens::TakenIn).front().text, std::string("<s>"));
        QCOMPARE(rowTokens(trace, BlockKind::Encoder, RowTokens::Emitted).front().text, std::string("\u2581a"));
    }

    void alignmentScores_data() {
        QTest::addColumn<QByteArray>("picture");
        QTest::addColumn<double>("score");
        QTest::newRow("one to one") << QByteArray("a b c\n x # . .\n y . . #\n z . # .") << 1.0;
        QTest::newRow("always one of three") << QByteArray("a b c\n x # . .\n y # . .\n z # . .") << 1.0 / 3;
        QTest::newRow("equal weights") << QByteArray("a b\n x 5 5\n y 5 5") << 0.25;
        QTest::newRow("rests on the end") << QByteArray("a b </s>\n x . . #\n y . . #") << 0.0;
        QTest::newRow("half on the end") << QByteArray("a b </s>\n x 5 . 5\n y . 5 5") << 0.25;
        QTest::newRow("only special tokens count then") << QByteArray("<s> </s>\n x # .\n y . #") << 1.0;
        QTest::newRow("shorter target") << QByteArray("a b\n x # .") << 0.5;
    }
    void alignmentScores() {
        QFETCH(QByteArray, picture);
        QFETCH(double, score);
        const auto trace = traceFromAscii(picture.constData());
        QVERIFY(std::abs(alignmentScore(headMap(*trace.cross, Layer(0), Head(0)), trace.source) - score) < 1e-6);
    }

    void bestHeadIsTheSharpOneThatReachesAll() {
        const auto keys = tokensOf({"a", "b", "c", "</s>"});
        auto block = blockOf(BlockKind::Cross, {{0, 0, 0, 1}, {0, 0, 0, 1}, {0, 0, 0, 1}});     // rests on the end
        addHeads(block, blockOf(BlockKind::Cross, {{1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}})); // rests on a word
        addHeads(block, blockOf(BlockKind::Cross, {{.4F, .3F, .3F, 0}, {.3F, .4F, .3F, 0}, {.3F, .3F, .4F, 0}}));
        addHeads(block, blockOf(BlockKind::Cross, {{.7F, .1F, .1F, .1F}, {.1F, .1F, .7F, .1F}, {.1F, .7F, .1F, .1F}}));
        QCOMPARE(bestAligningHead(block, keys), (HeadPlace{Layer(0), Head(3)}));
        block.layers = 2;
        block.heads = 2;
        QCOMPARE(bestAligningHead(block, keys), (HeadPlace{Layer(1), Head(1)}));
        std::fill(block.weights.begin(), block.weights.end(), notANumber);
        QCOMPARE(bestAligningHead(block, keys), (HeadPlace{Layer(0), Head(0)}));
    }

    void wordsSumOverKeysAndAverageOverQueries() {
        const auto trace = traceFromAscii(R"(
                    the   un    +happy  </s>
            le      5     2     2       1
            mal     .     1     9       .
            +heur   .     5     .       5
            </s>    .     .     .       #
        )");
        const auto words =
            wordMap(trace, BlockKind::Cross, RowTokens::Emitted, headMap(*trace.cross, Layer(0), Head(0)));
        QCOMPARE(joined(words.columns), std::string("the|unhappy|</s>"));
        QCOMPARE(joined(words.rows), std::string("le|malheur|</s>"));
        QCOMPARE(words.map.rows, 3);
        QCOMPARE(words.map.columns, 3);
        const std::vector<float> expected{.5F, .4F, .1F, 0, .75F, .25F, 0, 0, 1};
        QCOMPARE(compareClose(words.map.values, expected, 1e-6F), std::string());
        QCOMPARE(words.columns[1], (Word{"unhappy", {4, 11}, 1, 2, false}));
        QVERIFY(words.columns[2].special && words.columns[2].bytes.empty());
        QVERIFY(words.rows[1].bytes.empty()); // generated
    }

    void wordsStandAloneWhenTheyMust() {
        const auto token = [](const char* letters, ByteRange bytes, int word, bool special) {
            return Token{.text = "a piece", .letters = letters, .bytes = bytes, .word = word, .special = special};
        };
        const std::vector<Token> tokens{token("17", {}, -1, false), // ids without a tokenizer
                                        token("17", {}, -1, false), token(" ", {}, 0, false),
                                        token("<mask>", {}, -1, true), token(" Ab", {0, 2}, 0, false)};
        QCOMPARE(joined(wordsOf(tokens, "AB")), std::string("17|17| |<mask>|AB"));
        QCOMPARE(joined(wordsOf(tokens)), std::string("17|17| |<mask>|Ab"));
        QVERIFY(wordsOf({}).empty());
    }

    /// Some of a letter's bytes in one token and the rest in the next are the letter in the word.
    void lettersOfTwoTokensComeTogether() {
        std::vector<Token> tokens(4);
        const char* const letters[] = {" l", "\u27e8E2 80\u27e9", "\u27e899\u27e9", "\u27e8E2\u27e9"};
        for (std::size_t i = 0; i < 4; ++i) {
            tokens[i].letters = letters[i];
            tokens[i].word = i < 3 ? 0 : 1;
        }
        QCOMPARE(joined(wordsOf(tokens)), std::string("l\u2019|\u27e8E2\u27e9"));
        QCOMPARE(spelledText(tokens).text, std::string(" l\u2019\xE2"));
        QCOMPARE(readableBytes("\xE2\x80\x99 \xE2\x80"), std::string("\u2019 \u27e8E2 80\u27e9"));
    }

    void wordsOfASecondTextAreItsOwn() {
        std::vector<Token> tokens(2);
        tokens[0] = {.id = 1, .text = "ab", .bytes = {0, 2}, .word = 0, .special = false};
        tokens[1] = {.id = 2, .text = "cd", .bytes = {0, 2}, .word = 0, .special = false, .segment = 1};
        QCOMPARE(joined(wordsOf(tokens, "Ab", "CD")), std::string("Ab|CD"));
    }

    /// The same head in every detail. Rows: "un", "mal" "heur" of one word, </s>; columns: "un" "happy" of one, </s>.
    void mapsInEveryDetail_data() {
        QTest::addColumn<bool>("byWords");
        QTest::addColumn<bool>("specials");
        QTest::addColumn<QByteArray>("rows");
        QTest::addColumn<QByteArray>("columns");
        QTest::addColumn<std::vector<float>>("values");
        QTest::addColumn<std::vector<int>>("queryRows");
        QTest::addColumn<std::vector<int>>("keyColumns");
        using Values = std::vector<float>;
        using Places = std::vector<int>;
        QTest::newRow("all tokens") << false << true << QByteArray("un|mal|heur|</s>") << QByteArray("un|happy|</s>")
                                    << Values{.5F, .25F, .25F, .2F, .2F, .6F, .4F, .4F, .2F, 0, 0, 1}
                                    << Places{0, 1, 2, 3} << Places{0, 1, 2};
        QTest::newRow("words") << true << true << QByteArray("un|malheur|</s>") << QByteArray("unhappy|</s>")
                               << Values{.75F, .25F, .6F, .4F, 0, 1} << Places{0, 1, 1, 2} << Places{0, 0, 1};
        QTest::newRow("tokens without specials")
            << false << false << QByteArray("un|mal|heur") << QByteArray("un|happy")
            << Values{2.0F / 3, 1.0F / 3, .5F, .5F, .5F, .5F} << Places{0, 1, 2, -1} << Places{0, 1, -1};
        QTest::newRow("words without specials") << true << false << QByteArray("un|malheur") << QByteArray("unhappy")
                                                << Values{1, 1} << Places{0, 1, 1, -1} << Places{0, 0, -1};
    }
    void mapsInEveryDetail() {
        const auto trace = traceFromAscii(R"(
                  un +happy </s>
            un    4  2      2
            mal   2  2      6
            +heur 4  4      2
            </s>  .  .      #
        )");
        QFETCH(bool, byWords);
        QFETCH(bool, specials);
        const auto map = headMap(*trace.cross, Layer(0), Head(0));
        const auto made = reduced(trace, BlockKind::Cross, RowTokens::Emitted, map, {byWords, specials});
        QTEST(QByteArray::fromStdString(joined(made.rows)), "rows");
        QTEST(QByteArray::fromStdString(joined(made.columns)), "columns");
        QFETCH(std::vector<float>, values);
        QCOMPARE(compareClose(made.map.values, values, 1e-6F), std::string());
        QTEST(placesOf(made.rows, map.rows), "queryRows");
        QTEST(placesOf(made.columns, map.columns), "keyColumns");
    }

    void entropyAndDivergence() {
        using Row = std::vector<float>;
        QCOMPARE(entropyBits(Row{1, 0, 0}), 0.0F);
        QCOMPARE(entropyBits(Row{.25F, .25F, .25F, .25F}), 2.0F);
        QCOMPARE(entropyBits(Row{.5F, .25F, .25F}), 1.5F);
        QVERIFY(std::isnan(entropyBits(Row{1, notANumber})));
        QCOMPARE(entropyBits(Row{.1F, .1F, 0, 0}), 1.0F); // of shares: block-sparse rows sum to less than 1
        QVERIFY(std::isnan(entropyBits(Row{0, 0})));
        QCOMPARE(jensenShannon(Row{.5F, .5F}, Row{.5F, .5F}), 0.0F);
        QCOMPARE(jensenShannon(Row{1, 0}, Row{0, 1}), 1.0F);
        // m = (3/4, 1/4): (1 log2 4/3 + 1/2 log2 2/3 + 1/2 log2 2) / 2
        QVERIFY(near(jensenShannon(Row{1, 0}, Row{.5F, .5F}), 0.3112781F));
        QCOMPARE(jensenShannon(Row{1, 0}, Row{.5F, .5F}), jensenShannon(Row{.5F, .5F}, Row{1, 0}));
        QVERIFY(std::isnan(jensenShannon(Row{1, 0}, Row{-1, 2})));
        QVERIFY(near(jensenShannon(Row{.2F, 0}, Row{2, 2}), 0.3112781F));
        QVERIFY(std::isnan(jensenShannon(Row{0, 0}, Row{1, 0})));
    }

    void comparesByTokens() {
        const auto first = traceFromAscii("a b\n x # .\n y . #\n");
        auto second = traceFromAscii("a b\n x 5 5\n y # .\n");
        for (auto& token : second.source)
            token.id += 1000; // another vocabulary
        const auto made = compareCross(first, second);
        QVERIFY(made.comparable());
        QVERIFY(!made.byWords);
        QCOMPARE(joined(made.rows), std::string("x|y"));
        QCOMPARE(made.difference.values, std::vector<float>({.5F, -.5F, -1, 1}));
        QVERIFY(near(made.divergence[0], 0.3112781F) && near(made.divergence[1], 1));
        QVERIFY(near(made.meanDivergence, 0.6556390F));
        QCOMPARE(made.firstEntropy, std::vector<float>({0, 0}));
        QCOMPARE(made.secondEntropy, std::vector<float>({1, 0}));
        QCOMPARE(made.meanSecondEntropy, 0.5F);
        QCOMPARE(made.secondAlignment, std::vector<int>({0, 0}));
        QCOMPARE(made.agreement, 0.5F);
    }

    void comparesByWordsWhenTokensDiffer() {
        const auto first = traceFromAscii(R"(
                  un +happy </s>
            mal   5  5      .
            </s>  .  .      #
        )");
        const auto second = traceFromAscii(R"(
                  unhappy </s>
            ma    #       .
            +l    .       #
            </s>  .       #
        )");
        const auto made = compareCross(first, second);
        QVERIFY(made.comparable());
        QVERIFY(made.byWords && !made.specialRowsLeftOut && !made.specialColumnsLeftOut);
        QCOMPARE(joined(made.columns), std::string("unhappy|</s>"));
        QCOMPARE(joined(made.rows), std::string("mal|</s>"));
        QCOMPARE(made.first.values, std::vector<float>({1, 0, 0, 1}));
        QCOMPARE(made.second.values, std::vector<float>({.5F, .5F, 0, 1}));
        QCOMPARE(made.agreement, 1.0F);
    }

    void leavesSpecialsOutWhenTheyDiffer() {
        const auto first = traceFromAscii("a b </s>\n x 4 1 5\n y . . #\n </s> . . #\n");
        const auto second = traceFromAscii("[CLS] a b\n x . 4 6\n y . 5 5\n </s> # . .\n");
        auto special = second;
        special.source.front().special = true;
        for (auto& token : special.source)
            token.word -= 1;
        const auto made = compareCross(first, special);
        QVERIFY(made.comparable());
        QVERIFY(!made.byWords && !made.specialRowsLeftOut && made.specialColumnsLeftOut);
        QCOMPARE(joined(made.columns), std::string("a|b"));
        QCOMPARE(joined(made.rows), std::string("x|y|</s>"));
        QVERIFY(near(made.first.at(0, 0), .8F) && near(made.second.at(0, 0), .4F));
        QVERIFY(std::isnan(made.first.at(1, 0)) && std::isnan(made.divergence[1])); // nothing but </s> there
        QCOMPARE(made.firstAlignment, std::vector<int>({0, -1, -1}));
        QCOMPARE(made.agreement, 0.0F); // the row that counts: a against b
        QCOMPARE(made.counted, 1);
        QCOMPARE(made.agreeing, 0);
        QVERIFY(near(made.meanDivergence, made.divergence[0]));
    }

    /// Detail that was asked for holds for both, though their tokens are the same.
    void comparesInTheDetailAskedFor() {
        const auto first = traceFromAscii("un +happy </s>\n x 4 2 2\n </s> . . #\n");
        const auto second = traceFromAscii("un +happy </s>\n x 2 2 4\n </s> . # .\n");
        const auto one = meanOverBlock(*first.cross);
        const auto other = meanOverBlock(*second.cross);
        const auto words = compare({first, one}, {second, other}, BlockKind::Cross, {.byWords = true});
        QVERIFY(words.byWords && !words.specialRowsLeftOut);
        QCOMPARE(joined(words.columns), std::string("unhappy|</s>"));
        QCOMPARE(compareClose(words.second.values, std::vector<float>{.5F, .5F, 1, 0}, 1e-6F), std::string());
        const auto ordinary = compare({first, one}, {second, other}, BlockKind::Cross, {.specials = false});
        QVERIFY(!ordinary.byWords && ordinary.specialRowsLeftOut && ordinary.specialColumnsLeftOut);
        QCOMPARE(joined(ordinary.rows), std::string("x"));
        QCOMPARE(compareClose(ordinary.first.values, std::vector<float>{2.0F / 3, 1.0F / 3}, 1e-6F), std::string());
    }

    void comparesRowsThatAreReadDifferently() {
        const auto recurrent = traceFromAscii("a b </s>\n x # . .\n y . # .\n </s> . . #\n");
        const auto transformer = traceFromAscii("a b </s>\n x . . #\n y # . .\n </s> . # .\n"); // one step later
        const auto first = meanOverBlock(*recurrent.cross);
        const auto second = meanOverBlock(*transformer.cross);
        const auto made = compare({recurrent, first}, {transformer, second, RowTokens::TakenIn});
        QVERIFY(made.comparable());
        QVERIFY(!made.byWords && made.specialRowsLeftOut && !made.specialColumnsLeftOut);
        QCOMPARE(joined(made.rows), std::string("x|y"));
        QCOMPARE(joined(made.columns), std::string("a|b|</s>"));
        QCOMPARE(made.meanDivergence, 0.0F);
        QCOMPARE(made.agreement, 1.0F);
        QCOMPARE(likelyRowTokens(first, recurrent.source), RowTokens::Emitted);
        QCOMPARE(likelyRowTokens(second, transformer.source), RowTokens::TakenIn);
        QCOMPARE(likelyRowTokens(Map{1, 3, {0, 0, 1}}, recurrent.source), RowTokens::Emitted);
        const Map restsOnTheFirstWord{3, 3, {0, 0, 1, 0, 1, 0, 1, 0, 0}};
        QCOMPARE(likelyRowTokens(restsOnTheFirstWord, recurrent.source), RowTokens::Emitted);
    }

    /// Where neither end tells, a long text does: its rows lag by one behind the source, or they do not.
    void rowsThatLagAreTakenIn() {
        constexpr int words = 12;
        auto keys = tokensOf({"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "</s>"});
        const auto lagging = [&](int lag) {
            Map map{words + 1, words + 1, std::vector<float>((words + 1) * (words + 1), 0)};
            for (int row = 1; row < words; ++row)
                map.values[static_cast<std::size_t>(row * (words + 1) + row - lag)] = 1;
            map.values[words] = 1;                   // the first row rests on </s>
            map.values[words * (words + 1) + 3] = 1; // the last on some word
            return map;
        };
        QCOMPARE(likelyRowTokens(lagging(1), keys), RowTokens::TakenIn);
        QCOMPARE(likelyRowTokens(lagging(0), keys), RowTokens::Emitted);
    }

    void saysWhyNot_data() {
        QTest::addColumn<QByteArray>("second");
        QTest::addColumn<int>("reason");
        QTest::addColumn<int>("word");
        QTest::addColumn<QByteArray>("words");
        const int sources = int(Comparison::Reason::SourcesDiffer), targets = int(Comparison::Reason::TargetsDiffer);
        QTest::newRow("other source") << QByteArray("a c\n x # .\n y . #\n") << sources << 1 << QByteArray("b|c");
        QTest::newRow("shorter source") << QByteArray("a\n x #\n y #\n") << sources << 1 << QByteArray("b|");
        QTest::newRow("other target") << QByteArray("a b\n x # .\n z . #\n") << targets << 1 << QByteArray("y|z");
        QTest::newRow("longer target") << QByteArray("a b\n x # .\n y . #\n z . #\n") << targets << 2
                                       << QByteArray("|z");
    }
    void saysWhyNot() {
        QFETCH(QByteArray, second);
        const auto made = compareCross(traceFromAscii("a b\n x # .\n y . #\n"), traceFromAscii(second.constData()));
        QVERIFY(!made.comparable());
        QTEST(int(made.reason), "reason");
        QTEST(made.word, "word");
        QTEST(QByteArray::fromStdString(made.firstWord + "|" + made.secondWord), "words");
        QVERIFY(made.first.values.empty() && made.rows.empty());
    }

    void comparesNothingWithoutAttention() {
        const auto trace = traceFromAscii("a b\n x # .\n");
        const auto map = headMap(*trace.cross, Layer(0), Head(0));
        QVERIFY(!compare({trace, map}, {trace, Map{}}).comparable());
    }

    /// Of one layer 0.5 A + 0.5 I = (1, 0; 1/4, 3/4), of two its square, of two heads with their mean as A.
    void rolloutOfAStack() {
        auto block = blockOf(BlockKind::Encoder, {{1, 0}, {.5F, .5F}});
        QCOMPARE(rollout(block).values, std::vector<float>({1, 0, .25F, .75F}));
        auto twoHeads = blockOf(BlockKind::Encoder, {{1, 0}, {1, 0}});
        addHeads(twoHeads, blockOf(BlockKind::Encoder, {{1, 0}, {0, 1}}));
        QCOMPARE(rollout(twoHeads).values, std::vector<float>({1, 0, .25F, .75F}));
        addLayer(block, block);
        QCOMPARE(rollout(block).values, std::vector<float>({1, 0, .4375F, .5625F}));
        addLayer(block, blockOf(BlockKind::Encoder, {{0, 1}, {0, 1}})); // (1/2, 1/2; 0, 1) times that
        QCOMPARE(rollout(block).values, std::vector<float>({.71875F, .28125F, .4375F, .5625F}));
    }

    /// C R = (1/4, 3/4; 1, 0). After one layer S is half of it; after two (3/16, 9/16; 45/64, 3/64), rows of sum 3/4.
    void rolloutToTheSource() {
        const auto encoder = blockOf(BlockKind::Encoder, {{1, 0}, {.5F, .5F}});
        auto decoder = blockOf(BlockKind::Decoder, {{1, 0}, {.5F, .5F}});
        auto cross = blockOf(BlockKind::Cross, {{0, 1}, {1, 0}});
        QCOMPARE(rollout(cross, &decoder, &encoder).values, std::vector<float>({.25F, .75F, 1, 0}));
        QCOMPARE(rollout(cross, nullptr, nullptr).values, std::vector<float>({0, 1, 1, 0}));
        addLayer(decoder, decoder);
        addLayer(cross, cross);
        QCOMPARE(rollout(cross, &decoder, &encoder).values, std::vector<float>({.25F, .75F, .9375F, .0625F}));
        // Without self-attention nothing moves between the rows.
        QCOMPARE(rollout(cross, nullptr, &encoder).values, std::vector<float>({.25F, .75F, 1, 0}));
    }

    void rolloutOfATrace() {
        auto trace = traceFromAscii("a b\n x 3 7\n y # .\n", {.layers = 3, .heads = 2, .selfAttention = true});
        for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross}) {
            const auto rolled = rollout(trace, kind);
            QVERIFY(rolled.has_value());
            QCOMPARE(rolled->rows, 2);
            for (int row = 0; row < 2; ++row)
                QVERIFY(near(rolled->at(row, 0) + rolled->at(row, 1), 1));
        }
        trace.decoder->layers = 2; // of another model, as it were
        QVERIFY(!rollout(trace, BlockKind::Cross));
        trace.decoder.reset();
        trace.encoder.reset();
        QVERIFY(rollout(trace, BlockKind::Cross).has_value());
        QVERIFY(!rollout(trace, BlockKind::Encoder));
        const auto additive = traceFromAscii("a b\n x 3 7\n y # .\n");
        QCOMPARE(rollout(additive, BlockKind::Cross)->values, additive.cross->weights);
    }

    /// Three queries of one run and two of another are five.
    void talliesCountAllQueriesAlike() {
        const auto keys = tokensOf({"a", "b", "</s>"});
        const auto block = blockOf(BlockKind::Encoder, {{.5F, .5F, 0}, {.25F, .5F, .25F}, {0, 0, 1}});
        const auto other = blockOf(BlockKind::Encoder, {{1, 0}, {.5F, .5F}});
        HeadTally tally;
        tally.add(block, Layer(0), Head(0), keys);
        tally.add(other, Layer(0), Head(0), tokensOf({"a", "</s>"}));
        const auto metrics = tally.metrics();
        QCOMPARE(metrics.queries, 5);
        QVERIFY(near(metrics.entropy, (1 + 1.5F + 0 + 0 + 1) / 5));
        QVERIFY(near(metrics.first, (.75F + 1.5F) / 5));
        QVERIFY(near(metrics.special, (1.25F + .5F) / 5));
        QVERIFY(near(metrics.relative->previous, (.25F + 0 + .5F) / 3)); // of the queries that have one
        QVERIFY(near(metrics.relative->self, (.5F + .5F + 1 + 1 + .5F) / 5));
        QCOMPARE(metrics.kind, HeadKind::Self);
    }

    void metricsByHand() {
        const auto keys = tokensOf({"a", "b", "</s>"});
        const auto block = blockOf(BlockKind::Encoder, {{.5F, .5F, 0}, {.25F, .5F, .25F}, {0, 0, 1}});
        const auto metrics = headMetrics(block, Layer(0), Head(0), keys);
        QCOMPARE(metrics.queries, 3);
        QVERIFY(near(metrics.entropy, (1 + 1.5F + 0) / 3));
        QVERIFY(near(metrics.confidence, 2.0F / 3));
        QVERIFY(near(metrics.first, .25F));
        QVERIFY(near(metrics.special, 1.25F / 3));
        QVERIFY(metrics.relative.has_value());
        QVERIFY(near(metrics.relative->distance, (.5F + .5F + 0) / 3));
        QVERIFY(near(metrics.relative->previous, .125F));
        QVERIFY(near(metrics.relative->next, .375F));
        QVERIFY(near(metrics.relative->self, 2.0F / 3));
        QCOMPARE(metrics.kind, HeadKind::Self);
    }

    void kindsOfHeads_data() {
        using Rows = std::vector<std::vector<float>>;
        QTest::addColumn<int>("block");
        QTest::addColumn<Rows>("rows");
        QTest::addColumn<QByteArray>("kind");
        const auto row = [](const char* name, BlockKind block, const Rows& rows, const char* kind) {
            QTest::newRow(name) << int(block) << rows << QByteArray(kind);
        };
        const auto encoder = BlockKind::Encoder;
        const auto decoder = BlockKind::Decoder;
        row("previous", encoder, {{1, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}, "previous");
        row("next", encoder, {{0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}, {1, 0, 0, 0}}, "next");
        row("self", encoder, {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}, "self");
        row("first", encoder, {{1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}}, "first");
        row("delimiter", encoder, {{0, 0, 0, 1}, {0, 0, 0, 1}, {0, 0, 0, 1}, {0, 0, 0, 1}}, "delimiter");
        row("broad", encoder, Rows(4, std::vector<float>(4, .25F)), "broad");
        row("mixed", encoder, {{0, 0, .6F, .4F}, {.4F, 0, 0, .6F}, {.6F, .4F, 0, 0}, {.4F, .6F, 0, 0}}, "mixed");
        row("causal and broad", decoder,
            {{1, 0, 0, 0}, {.5F, .5F, 0, 0}, {.33F, .33F, .34F, 0}, {.25F, .25F, .25F, .25F}}, "broad");
        row("causal and first", decoder, {{1, 0, 0, 0}, {.9F, .1F, 0, 0}, {.8F, .1F, .1F, 0}, {1, 0, 0, 0}}, "first");
        row("no choice", decoder, {{1, 0, 0, 0}}, "mixed");
        row("causal and previous", decoder, {{1, 0, 0, 0}, {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}, "previous");
        row("cross looks at no neighbours", BlockKind::Cross,
            {{0, 1, 0, 0}, {0, 0, 1, 0}, {.3F, .4F, .3F, 0}, {0, .5F, .5F, 0}}, "mixed");
        row("cross to the end", BlockKind::Cross, {{0, 0, 0, 1}, {.4F, 0, 0, .6F}}, "delimiter");
        row("not finite", encoder, Rows(4, std::vector<float>(4, notANumber)), "mixed");
    }
    void kindsOfHeads() {
        QFETCH(int, block);
        QFETCH(std::vector<std::vector<float>>, rows);
        QFETCH(QByteArray, kind);
        const auto made = blockOf(BlockKind(block), rows);
        const auto metrics = headMetrics(made, Layer(0), Head(0), tokensOf({"a", "b", "c", "</s>"}));
        QCOMPARE(QByteArray(headKindName(metrics.kind).data()), kind);
        QCOMPARE(metrics.relative.has_value(), BlockKind(block) != BlockKind::Cross);
    }

    void causalHeadsSeeNoNext() {
        const auto block = blockOf(BlockKind::Decoder, {{1, 0}, {.25F, .75F}});
        const auto metrics = headMetrics(block, Layer(0), Head(0), tokensOf({"a", "b"}));
        QCOMPARE(metrics.queries, 1); // the first sees only itself
        QCOMPARE(metrics.confidence, .75F);
        QCOMPARE(metrics.relative->self, .75F);
        QCOMPARE(metrics.relative->previous, .25F);
        QCOMPARE(metrics.relative->next, 0.0F);
        QCOMPARE(metrics.relative->distance, .25F);
    }

    /// Block-sparse attention, and files of others: rows need not sum to 1.
    void sharesAreOfTheRowsSum() {
        const auto whole = blockOf(BlockKind::Encoder, {{.5F, .5F, 0}, {.25F, .5F, .25F}, {.1F, .1F, .8F}});
        auto sparse = whole;
        for (auto& weight : sparse.weights)
            weight *= .38F;
        const auto keys = tokensOf({"a", "b", "</s>"});
        const auto expected = headMetrics(whole, Layer(0), Head(0), keys);
        const auto metrics = headMetrics(sparse, Layer(0), Head(0), keys);
        QCOMPARE(metrics.kind, expected.kind);
        for (int measure = 0; measure <= static_cast<int>(HeadMeasure::Special); ++measure)
            QVERIFY(near(*measured(metrics, HeadMeasure(measure)), *measured(expected, HeadMeasure(measure))));
        const auto mapOf = [](const AttentionBlock& block) { return headMap(block, Layer(0), Head(0)); };
        QVERIFY(near(static_cast<float>(alignmentScore(mapOf(sparse), keys)),
                     static_cast<float>(alignmentScore(mapOf(whole), keys))));
        QCOMPARE(
            headMetrics(blockOf(BlockKind::Encoder, {{0, 0}, {0, 0}}), Layer(0), Head(0), tokensOf({"a", "b"})).queries,
            0);
    }

    void oneBrokenRowIsLeftOut() {
        const auto block = blockOf(BlockKind::Encoder, {{1, 0}, {notANumber, notANumber}});
        const auto metrics = headMetrics(block, Layer(0), Head(0), tokensOf({"a", "b"}));
        QCOMPARE(metrics.queries, 1);
        QCOMPARE(metrics.confidence, 1.0F);
        QCOMPARE(metrics.relative->self, 1.0F);
    }

    void metricsOfAllHeads() {
        const auto trace =
            traceFromAscii("a b c\n x # . .\n y . # .\n z . . #\n", {.layers = 2, .heads = 3, .selfAttention = true});
        const auto metrics = blockMetrics(*trace.encoder, trace.source);
        QCOMPARE(metrics.size(), std::size_t(2));
        QCOMPARE(metrics[0].size(), std::size_t(3));
        QCOMPARE(metrics[0][0].entropy, metrics[1][0].entropy); // turned by 3 of 3 columns: the same
        QCOMPARE(metrics[1][0].kind, metrics[0][0].kind);
        QVERIFY(near(metrics[0][0].entropy, 2.0F / 3));
    }

    void measuresByName_data() {
        QTest::addColumn<int>("measure");
        QTest::addColumn<float>("value");
        const auto row = [](const char* name, HeadMeasure measure, float value) {
            QTest::newRow(name) << int(measure) << value;
        };
        row("entropy", HeadMeasure::Entropy, 1);
        row("distance", HeadMeasure::Distance, 2);
        row("confidence", HeadMeasure::Confidence, 3);
        row("first", HeadMeasure::First, 4);
        row("previous", HeadMeasure::Previous, 5);
        row("next", HeadMeasure::Next, 6);
        row("self", HeadMeasure::Self, 7);
        row("special", HeadMeasure::Special, 8);
    }
    void measuresByName() {
        QFETCH(int, measure);
        QFETCH(float, value);
        HeadMetrics metrics{.queries = 9, .entropy = 1, .confidence = 3, .first = 4, .special = 8, .relative = {}};
        const bool ofSelfAttention = value == 2 || (value >= 5 && value <= 7);
        QCOMPARE(measured(metrics, HeadMeasure(measure)).has_value(), !ofSelfAttention);
        metrics.relative = RelativeMetrics{.distance = 2, .previous = 5, .next = 6, .self = 7};
        QCOMPARE(measured(metrics, HeadMeasure(measure)), std::optional(value));
    }

    void changeOfTheOutput() {
        Trace full, changed;
        const auto predict = [](Trace& trace, int position, std::vector<Candidate> candidates) {
            trace.predictions.push_back({position, std::move(candidates)});
        };
        predict(full, 0, {{7, "a", 0.75F}, {8, "b", 0.25F}});
        predict(full, 1, {{8, "b", 0.5F}, {7, "a", 0.25F}});
        predict(full, 2, {{9, "c", 1}});
        predict(full, 5, {{9, "c", 1}});                        // which the changed run does not have
        predict(changed, 2, {{7, "a", 0.5F}});                  // in full no candidate
        predict(changed, 1, {{7, "a", 0.5F}, {8, "b", 0.25F}}); // it is another
        predict(changed, 0, {{7, "a", 0.25F}, {8, "b", 0.5F}});
        auto change = outputChange(changed, full);
        QCOMPARE(change.steps, 3);
        QCOMPARE(change.sameChoice, 1);
        QCOMPARE(change.now, 0.375F); // of the two steps where both are known
        QCOMPARE(change.inFull, 0.5F);
        QCOMPARE(candidatesOf(changed), (std::vector<std::vector<std::int64_t>>{{7, 8}, {7, 8}, {7}}));
        full.predictions[2].asked = {{7, "a", 0.125F}};
        change = outputChange(changed, full);
        QCOMPARE(change.now, 1.25F / 3);
        QCOMPARE(change.inFull, 1.125F / 3);
        QCOMPARE(outputChange({}, full).steps, 0);
        QVERIFY(std::isnan(outputChange({}, full).inFull));
    }

    void changeOfAHead() {
        const auto first = blockOf(BlockKind::Encoder, {{1, 0}, {.5F, .5F}});
        QCOMPARE(headChange(first, first, Layer(0), Head(0)), 0.0F);
        const auto second = blockOf(BlockKind::Encoder, {{0, 1}, {.5F, .5F}});
        QCOMPARE(headChange(first, second, Layer(0), Head(0)), 0.5F);
        const auto broken = blockOf(BlockKind::Encoder, {{0, 1}, {notANumber, .5F}});
        QCOMPARE(headChange(first, broken, Layer(0), Head(0)), 1.0F);
    }

    /// A difference of maps is one only where both are of the same tokens.
    void runsThatReadTheSame() {
        Trace first;
        first.encoder = blockOf(BlockKind::Encoder, {{1, 0}, {.5F, .5F}});
        first.source = {Token{3, "a", "a", {}}, Token{4, "b", "b", {}}};
        auto second = first;
        QVERIFY(readTheSame(first, second, BlockKind::Encoder));
        QVERIFY(!readTheSame(first, second, BlockKind::Cross));
        second.source[1].id = 5;
        QVERIFY(!readTheSame(first, second, BlockKind::Encoder));
        second = first;
        second.source[1].text = "c"; // as in files without ids
        QVERIFY(!readTheSame(first, second, BlockKind::Encoder));
        second = first;
        second.encoder = blockOf(BlockKind::Encoder, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
        QVERIFY(!readTheSame(first, second, BlockKind::Encoder));
    }

    void predictionsAreFound() {
        Trace run;
        run.predictions.push_back({2, {{7, "a", 0.5F}}});
        QVERIFY(!predictionAt(run, 1));
        QCOMPARE(probabilityOf(*predictionAt(run, 2), 7), 0.5F);
        QVERIFY(std::isnan(probabilityOf(*predictionAt(run, 2), 8)));
    }

    void fullRunOfAChangedOne() {
        Trace full, changed;
        full.model = changed.model = "m";
        QVERIFY2(!isFullRun(full, changed), "nothing was changed");
        changed.intervention.off = {{BlockKind::Encoder, Layer(0), Head(1)}};
        QVERIFY(isFullRun(full, changed));
        QVERIFY(!isFullRun(changed, full) && !isFullRun(changed, changed));
        full.model = "another";
        QVERIFY(!isFullRun(full, changed));
    }
};

QTEST_GUILESS_MAIN(TestAnalysis)
#include "tst_analysis.moc"
