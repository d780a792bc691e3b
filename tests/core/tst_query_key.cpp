// How a weight came to be, against numbers worked by hand.
#include "core/analysis/query_key.h"

#include <QTest>

#include <cmath>
#include <limits>

using namespace headlight;

namespace {

constexpr float never = -std::numeric_limits<float>::infinity();

/// One query (1, 2) and three keys (2, 1), (0, 1), (4, -2): products 4, 2, 0; halved 2, 1, 0.
AttentionBlock block() {
    AttentionBlock made;
    made.layers = made.heads = made.queries = 1;
    made.keys = 3;
    made.headSize = 2;
    made.queryRows = {1, 2};
    made.keyRows = {2, 1, 0, 1, 4, -2};
    made.valueRows = {1, 0, 0, 1, 1, 1};
    made.scales = {0.5f};
    made.scores = {2, 1, 0};
    made.weights = {0.66524096f, 0.24472847f, 0.09003057f}; // e², e and 1 by their sum
    return made;
}

void compare(const std::vector<float>& found, const std::vector<float>& expected, float tolerance = 1e-6f) {
    QCOMPARE(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
        QVERIFY2(found[i] == expected[i] || std::abs(found[i] - expected[i]) <= tolerance,
                 qPrintable(QStringLiteral("number %1 is %2, not %3").arg(i).arg(found[i]).arg(expected[i])));
}

} // namespace

class TestQueryKey : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyStepOfADotProduct() {
        const auto steps = dotProductSteps(block(), Layer(0), Head(0), Query(0));
        compare(steps.query, {1, 2});
        compare(steps.products, {2, 2, 0, 2, 4, -4});
        compare(steps.sums, {4, 2, 0});
        compare(steps.scaled, {2, 1, 0});
        compare(steps.additions, {0, 0, 0});
        QVERIFY(!steps.added);
        compare(steps.scores, {2, 1, 0});
        compare(steps.weights, {0.66524096f, 0.24472847f, 0.09003057f});
        compare(steps.weighted, {0.66524096f, 0, 0, 0.24472847f, 0.09003057f, 0.09003057f});
        compare(steps.output, {0.75527153f, 0.33475904f});
        QVERIFY(steps.largestDifference < 1e-6f);
    }

    void theRightHeadAndQueryAreTaken() {
        AttentionBlock made;
        made.layers = made.heads = made.queries = made.keys = 2;
        made.headSize = 1;
        for (int i = 0; i < 8; ++i) { // of layer l, head h and row r: 4 l + 2 h + r
            made.queryRows.push_back(static_cast<float>(i));
            made.keyRows.push_back(static_cast<float>(10 + i));
            made.valueRows.push_back(static_cast<float>(20 + i));
        }
        made.scales = {1, 0.5f};
        made.weights.assign(16, 0.5f);
        const auto steps = dotProductSteps(made, Layer(1), Head(1), Query(0));
        compare(steps.query, {6});
        compare(steps.keyRows, {16, 17});
        compare(steps.sums, {96, 102});
        compare(steps.scaled, {48, 51});
        compare(steps.valueRows, {26, 27});
    }

    /// T5 adds a number for each distance; a key that is masked keeps no share of it.
    void whatWasAddedIsTold() {
        auto made = block();
        made.scores = {2.5f, 0.25f, never};
        made.weights = {0.90465054f, 0.09534946f, 0}; // by the difference 2.25
        const auto steps = dotProductSteps(made, Layer(0), Head(0), Query(0));
        QVERIFY(steps.added);
        compare(steps.additions, {0.5f, -0.75f, 0});
        QCOMPARE(steps.masked, (std::vector<bool>{false, false, true}));
        compare(steps.scores, {2.5f, 0.25f, never});
        compare(steps.weights, made.weights);
        QVERIFY(steps.largestDifference < 1e-6f);
    }

    void roundingIsNothingAdded() {
        auto made = block();
        made.scores = {2.000004f, 0.999998f, 0};
        const auto steps = dotProductSteps(made, Layer(0), Head(0), Query(0));
        QVERIFY(!steps.added);
        compare(steps.additions, {0, 0, 0}, 0);
    }

    void masksAreTold_data() {
        QTest::addColumn<QList<float>>("scores");
        QTest::addColumn<QList<float>>("weights");
        QTest::addColumn<QList<bool>>("masked");
        const QList<float> two{0.73105858f, 0.26894142f, 0};
        QTest::newRow("minus infinity") << QList<float>{2, 1, never} << two << QList{false, false, true};
        QTest::newRow("a large number added") << QList<float>{2, 1, -10000} << two << QList{false, false, true};
        QTest::newRow("no scores, a weight of 0") << QList<float>{} << two << QList{false, false, true};
        QTest::newRow("no scores, no weight of 0")
            << QList<float>{} << QList<float>{0.66524096f, 0.24472847f, 0.09003057f} << QList{false, false, false};
    }
    void masksAreTold() {
        QFETCH(QList<float>, scores);
        QFETCH(QList<float>, weights);
        QFETCH(QList<bool>, masked);
        auto made = block();
        made.scores.assign(scores.begin(), scores.end());
        made.weights.assign(weights.begin(), weights.end());
        const auto steps = dotProductSteps(made, Layer(0), Head(0), Query(0));
        QCOMPARE(steps.masked, std::vector<bool>(masked.begin(), masked.end()));
        QCOMPARE(steps.scoresKnown, !scores.isEmpty());
        QVERIFY(!steps.added);
        compare(steps.weights, made.weights);
    }

    /// A weight that is 0 because its score is so low is no mask.
    void aVanishingWeightIsNotMasked() {
        auto made = block();
        made.scores.clear();
        made.scales = {100}; // scores 400, 200, 0
        made.weights = {1, 0, 0};
        const auto steps = dotProductSteps(made, Layer(0), Head(0), Query(0));
        QCOMPARE(steps.masked, (std::vector<bool>{false, false, false}));
        compare(steps.weights, {1, 0, 0});
    }

    void whatIsMissingIsLeftOut() {
        auto made = block();
        made.scales.clear();
        made.valueRows.clear();
        auto steps = dotProductSteps(made, Layer(0), Head(0), Query(0));
        QVERIFY(!steps.scaleKnown);
        QCOMPARE(steps.scale, static_cast<float>(1 / std::sqrt(2.0)));
        QCOMPARE(steps.valueSize, 0);
        QVERIFY(steps.output.empty());

        made.queryRows.clear();
        made.headSize = 0;
        steps = dotProductSteps(made, Layer(0), Head(0), Query(0));
        QCOMPARE(steps.size, 0);
        QVERIFY(steps.products.empty());
        compare(steps.weights, {0.66524096f, 0.24472847f, 0.09003057f});

        made.scores.clear();
        steps = dotProductSteps(made, Layer(0), Head(0), Query(0));
        QCOMPARE(steps.keys, 3);
        QVERIFY(steps.weights.empty());
    }

    /// BigBird counts a key once for each of its query's blocks that it is in: here the first one twice.
    void keysThatCountTwice() {
        auto made = block();
        const auto all = 2 * std::exp(2.0) + std::exp(1.0) + 1;
        made.weights = {static_cast<float>(std::exp(2.0) / all), static_cast<float>(std::exp(1.0) / all),
                        static_cast<float>(1 / all)};
        const auto steps = dotProductSteps(made, Layer(0), Head(0), Query(0));
        compare(steps.weights, made.weights);
        QVERIFY(std::abs(steps.sum - 0.600514f) < 1e-5f);
        QVERIFY(steps.largestDifference < 1e-6f);
    }

    /// What differs from the trace's weights is said, not hidden: here attention was forced onto one key.
    void otherWeightsAreSaid() {
        auto made = block();
        made.weights = {0, 0, 1};
        const auto steps = dotProductSteps(made, Layer(0), Head(0), Query(0));
        QVERIFY(steps.largestDifference > 0.9f);
        QCOMPARE(steps.masked, (std::vector<bool>{false, false, false}));
    }

    void everyStepOfAnEnergy() {
        AdditiveEnergies energies;
        energies.queries = 2;
        energies.keys = 2;
        energies.size = 2;
        energies.queryPart = {9, 9, 0.5f, -1};
        energies.keyPart = {0.5f, 1, -0.5f, 0};
        energies.v = {2, 1};
        energies.energies = {0, 0, 1.5231884f, -0.7615942f};
        AttentionBlock cross;
        cross.kind = BlockKind::Cross;
        cross.layers = cross.heads = 1;
        cross.queries = cross.keys = 2;
        cross.weights = {0.5f, 0.5f, 0.9076089f, 0.0923911f}; // by the difference 2.2847826
        const auto steps = additiveSteps(energies, cross, Query(1));
        compare(steps.query, {0.5f, -1});
        compare(steps.hidden, {0.7615942f, 0, 0, -0.7615942f}); // tanh of 1, 0, 0 and -1
        compare(steps.products, {1.5231884f, 0, 0, -0.7615942f});
        compare(steps.energies, {1.5231884f, -0.7615942f});
        compare(steps.weights, {0.9076089f, 0.0923911f});
        QVERIFY(steps.largestDifference < 1e-6f);
        QCOMPARE(steps.valueSize, 0);

        energies.energies = {0, 0, 1.5231884f, never};
        cross.weights = {0.5f, 0.5f, 1, 0};
        energies.annotationSize = 3;
        energies.annotations = {1, 2, 3, 4, 5, 6};
        const auto masked = additiveSteps(energies, cross, Query(1));
        QCOMPARE(masked.masked, (std::vector<bool>{false, true}));
        compare(masked.weights, {1, 0});
        compare(masked.context, {1, 2, 3});
    }
};

QTEST_GUILESS_MAIN(TestQueryKey)
#include "tst_query_key.moc"
