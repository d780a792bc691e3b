// What of a map is kept for the eye: checked by hand and against what must hold for any map.
#include "core/analysis/thinning.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

using namespace headlight;

namespace {

constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

Map randomRows(int rows, int columns, unsigned seed) {
    std::mt19937 random(seed);
    Map map{rows, columns, {}};
    for (int i = 0; i < rows * columns; ++i)
        map.values.push_back(std::pow(std::generate_canonical<float, 24>(random), 6.0F));
    for (auto row = map.values.begin(); row != map.values.end(); row += columns) {
        const float sum = std::accumulate(row, row + columns, 0.0F);
        std::transform(row, row + columns, row, [sum](float one) { return one / sum; });
    }
    return map;
}

} // namespace

class TestThinning : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void rangesByHand_data() {
        QTest::addColumn<int>("cells");
        QTest::addColumn<int>("large");
        QTest::addColumn<float>("range");
        QTest::newRow("nothing") << 0 << 0 << 1e-6F;
        QTest::newRow("one large of few") << 100 << 1 << 0.9F;
        QTest::newRow("as many as are left out") << 1000 << 5 << 0.1F;
        QTest::newRow("one more than are left out") << 1000 << 6 << 0.9F;
    }
    void rangesByHand() {
        QFETCH(int, cells);
        QFETCH(int, large);
        QFETCH(float, range);
        std::vector<float> values(static_cast<std::size_t>(cells), 0.1F);
        for (int i = 0; i < large; ++i)
            values[static_cast<std::size_t>(i)] = i % 2 == 0 ? 0.9F : -0.9F;
        values.push_back(std::numeric_limits<float>::quiet_NaN());
        values.push_back(std::numeric_limits<float>::infinity());
        QCOMPARE(rangeOf(Map{1, static_cast<int>(values.size()), values}), range);
    }

    /// A row that sees but one key says 1 whatever the head does.
    void rowsWithOneKeyDoNotCount() {
        QCOMPARE(rangeOf(Map{3, 3, {1, 0, 0, 0.4F, 0.6F, 0, 0.3F, 0.3F, 0.4F}}), 0.6F);
        QCOMPARE(rangeOf(Map{2, 2, {1, 0, 0, 1}}), 1.0F); // none has a choice
        QCOMPARE(rangeOf(Map{2, 1, {1, 1}}), 1.0F);
    }

    void strongestByHand_data() {
        QTest::addColumn<double>("share");
        QTest::addColumn<QString>("kept");
        QTest::newRow("none") << 0.0 << QString();
        QTest::newRow("a little") << 0.05 << u"0:1 1:0 2:0"_qs;
        QTest::newRow("half") << 0.5 << u"0:1 1:0 1:1 2:0"_qs;
        QTest::newRow("exBERT's") << 0.7 << u"0:1 0:2 1:0 1:1 1:2 2:0"_qs;
        QTest::newRow("all") << 1.0 << u"0:1 0:2 0:0 1:0 1:1 1:2 1:3 2:0"_qs;
    }
    void strongestByHand() {
        QFETCH(double, share);
        const Map map{3, 4, {0.1F, 0.6F, 0.3F, 0, 0.25F, 0.25F, 0.25F, 0.25F, 1, 0, 0, 0}};
        QStringList kept;
        for (const auto& one : strongestOfRows(map, share)) {
            QCOMPARE(one.weight, map.at(one.row, one.column));
            kept << u"%1:%2"_qs.arg(one.row).arg(one.column);
        }
        QTEST(kept.join(QLatin1Char(' ')), "kept");
    }

    void strongestHoldTheirShare() {
        const auto map = randomRows(40, 57, 3);
        for (const double share : {0.3, 0.7, 0.95}) {
            std::vector<double> held(40, 0), last(40, 2);
            for (const auto& one : strongestOfRows(map, share)) {
                const auto row = static_cast<std::size_t>(one.row);
                QVERIFY2(held[row] < share, "one more than needed");
                QVERIFY2(static_cast<double>(one.weight) <= last[row], "not the largest first");
                held[row] += static_cast<double>(one.weight);
                last[row] = static_cast<double>(one.weight);
            }
            for (const double one : held)
                QVERIFY(one >= share - 1e-5);
        }
    }

    void strongestLeaveBrokenRowsOut() {
        const Map map{3, 2, {notANumber, 1, 0.5F, 0.5F, std::numeric_limits<float>::infinity(), 0}};
        const std::vector<WeightAt> expected{{1, 0, 0.5F}, {1, 1, 0.5F}};
        QCOMPARE(strongestOfRows(map, 1), expected);
        QVERIFY(strongestOfRows(Map{2, 0, {}}, 0.7).empty());
        QVERIFY(strongestOfRows(Map{}, 0.7).empty());
    }

    void partsOfAMap() {
        const Map map{2, 3, {1, 2, 3, 4, 5, 6}};
        const auto part = partOf(map, std::vector{1, 0}, std::vector{2, 0});
        QCOMPARE(part.values, (std::vector<float>{6, 4, 3, 1}));
        const auto none = partOf(map, {}, std::vector{1});
        QCOMPARE(none.rows, 0);
        QVERIFY(none.values.empty());
    }

    void columnsReceive() {
        const Map map{3, 2, {0.25F, 0.75F, 1, 0, notANumber, 1}};
        QCOMPARE(columnSums(map), (std::vector<float>{1.25F, 0.75F}));
        QVERIFY(columnSums(Map{}).empty());
    }

    void poolingKeepsWhatStandsOut() {
        const std::vector<float> values{0.1F, 0.9F, 0.2F, 0, 0, -0.5F, 0.3F, 0, 0.1F, 0.2F, 0, 0};
        const auto pooled = pooledMap(values, 3, 4, 2, 2);
        QCOMPARE(pooled.rows, 2);
        QCOMPARE(pooled.columns, 2);
        QCOMPARE(pooled.values, (std::vector<float>{0.9F, 0.3F, 0.2F, 0})); // rows 0 and 1, then 2
        QCOMPARE(pooledMap(values, 3, 4, 9, 9).values, values);
        QCOMPARE(pooledMap(values, 3, 4, 3, 1).values, (std::vector<float>{0.9F, -0.5F, 0.2F}));
        auto broken = values;
        broken[4] = notANumber;
        const auto shown = pooledMap(broken, 3, 4, 2, 2);
        QVERIFY(std::isnan(shown.values[0]));
        QCOMPARE(shown.values[1], 0.3F);
        QCOMPARE(pooledMap({}, 0, 0, 5, 5).rows, 0);
    }

    /// A diagonal of any length is a diagonal at any size.
    void poolingKeepsADiagonal() {
        std::vector<float> values(512 * 512, 0.0F);
        for (std::size_t i = 0; i < 512; ++i)
            values[i * 513] = 1;
        const auto pooled = pooledMap(values, 512, 512, 37, 37);
        for (int row = 0; row < 37; ++row)
            for (int column = 0; column < 37; ++column)
                QCOMPARE(pooled.at(row, column), row == column ? 1.0F : 0.0F);
    }
};

QTEST_APPLESS_MAIN(TestThinning)
#include "tst_thinning.moc"
