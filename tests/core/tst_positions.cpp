// Positions: waves, angles, buckets and patterns, against tables small enough to see through.
#include "core/analysis/positions.h"

#include <QTest>

#include <cmath>
#include <numbers>
#include <string_view>

using namespace headlight;

namespace {

PositionTable table(PositionTable::Kind kind, int positions, int dimensions, std::vector<float> values) {
    PositionTable made;
    made.kind = kind;
    made.positions = positions;
    made.dimensions = dimensions;
    made.values = std::move(values);
    return made;
}

/// The formula as the paper writes it; sines first if asked for.
PositionTable sinusoids(int positions, int dimensions, bool halves, int first = 0) {
    auto made = table(PositionTable::Kind::Sinusoidal, positions, dimensions, {});
    made.values.resize(static_cast<std::size_t>(positions * dimensions));
    for (int position = 0; position < positions; ++position)
        for (int dimension = 0; dimension < dimensions; ++dimension) {
            const int i = dimension / 2;
            const double angle = (position + first) / std::pow(10000.0, 2.0 * i / dimensions);
            const int sines = (dimensions + 1) / 2;
            const int place = halves ? i + (dimension % 2 == 1 ? sines : 0) : dimension;
            made.values[static_cast<std::size_t>(position * dimensions + place)] =
                static_cast<float>(dimension % 2 == 1 ? std::cos(angle) : std::sin(angle));
        }
    return made;
}

/// One head that looks equally at all that is not a dot.
AttentionBlock looking(const std::vector<std::string_view>& rows, int repeated = 1) {
    AttentionBlock block;
    block.layers = block.heads = 1;
    block.queries = block.keys = static_cast<int>(rows.size()) * repeated;
    for (int query = 0; query < block.queries; ++query)
        for (int key = 0; key < block.keys; ++key) {
            const auto seen =
                rows[static_cast<std::size_t>(query / repeated)][static_cast<std::size_t>(key / repeated)];
            block.weights.push_back(seen == '.' ? 0.0f : 0.25f);
        }
    return block;
}

/// Angles of a head of eight dimensions, pair by pair what its turns are multiplied by.
PositionTable turned(double base, const std::vector<double>& times) {
    auto made = table(PositionTable::Kind::Rotary, 64, static_cast<int>(2 * times.size()), {});
    for (int position = 0; position < 64; ++position)
        for (std::size_t pair = 0; pair < times.size(); ++pair) {
            const double turn = std::pow(base, -static_cast<double>(pair) / static_cast<double>(times.size()));
            made.values.push_back(static_cast<float>(std::cos(position * turn * times[pair])));
            made.values.push_back(static_cast<float>(std::sin(position * turn * times[pair])));
        }
    return made;
}

QString drawn(const AttentionPattern& pattern, int step = 1) {
    QString rows;
    for (int query = 0; query < pattern.queries; query += step) {
        for (int key = 0; key < pattern.keys; key += step)
            rows += QLatin1Char(".agwr"[static_cast<int>(pattern.at(query, key))]);
        rows += QLatin1Char(' ');
    }
    return rows.trimmed();
}

} // namespace

class TestPositions : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void turnsOfPairsAreOfAFormula() {
        const auto plain = rotaryTurns(turned(500'000, {1, 1, 1, 1}));
        QVERIFY(plain && std::abs(plain->base / 500'000 - 1) < 1e-3);
        QCOMPARE(plain->factor, 1.0);
        const auto even = rotaryTurns(turned(10'000, {.25, .25, .25, .25}));
        QVERIFY(even && std::abs(even->base / 10'000 - 1) < 1e-3 && std::abs(even->factor - 4) < 1e-3);
        QVERIFY2(!rotaryTurns(turned(10'000, {1, 1, .5, .125})), "slow pairs alone are slowed down");
        QVERIFY(!rotaryTurns(turned(10'000, {1})) && !rotaryTurns({}));
    }

    void wavesHaveTheirLengths_data() {
        QTest::addColumn<int>("dimension");
        QTest::addColumn<bool>("halves");
        QTest::addColumn<int>("pair");
        QTest::addColumn<bool>("cosine");
        QTest::addColumn<double>("wavelength");
        const double circle = 2 * std::numbers::pi;
        QTest::newRow("the first sine") << 0 << false << 0 << false << circle;
        QTest::newRow("the first cosine") << 1 << false << 0 << true << circle;
        QTest::newRow("in the middle: 10000^(1/2)") << 4 << false << 2 << false << circle * 100;
        QTest::newRow("the last: 10000^(3/4)") << 7 << false << 3 << true << circle * 1000;
        QTest::newRow("halves, the last sine") << 3 << true << 3 << false << circle * 1000;
        QTest::newRow("halves, the first cosine") << 4 << true << 0 << true << circle;
    }
    void wavesHaveTheirLengths() {
        QFETCH(int, dimension);
        QFETCH(bool, halves);
        const auto wave = waveOf(dimension, 8, halves ? SinusoidLayout::Halves : SinusoidLayout::Interleaved);
        QTEST(wave.pair, "pair");
        QTEST(wave.cosine, "cosine");
        QTEST(wave.wavelength, "wavelength");
    }

    void layoutsAreTold_data() {
        QTest::addColumn<int>("dimensions");
        QTest::addColumn<bool>("halves");
        QTest::addColumn<int>("first");
        for (const int dimensions : {6, 7, 64})
            for (const bool halves : {false, true})
                for (const int first : {0, 2})
                    QTest::addRow("%d dimensions, %s, from %d", dimensions, halves ? "halves" : "interleaved", first)
                        << dimensions << halves << first;
    }
    void layoutsAreTold() {
        QFETCH(int, dimensions);
        QFETCH(bool, halves);
        QFETCH(int, first);
        auto made = sinusoids(20, dimensions, halves, first);
        QVERIFY(sinusoidLayout(made) == (halves ? SinusoidLayout::Halves : SinusoidLayout::Interleaved));
        made.values[25] += 0.001f; // half precision
        QVERIFY(sinusoidLayout(made).has_value());
        made.values[25] += 0.1f;
        QVERIFY(!sinusoidLayout(made));
        made.values[25] = std::nanf("");
        QVERIFY(!sinusoidLayout(made));
    }

    void similarity() {
        const auto made = table(PositionTable::Kind::Learned, 3, 2, {1, 0, 3, 4, 0, 0});
        const auto cosine = positionSimilarity(made, Similarity::Cosine);
        const auto product = positionSimilarity(made, Similarity::DotProduct);
        const std::vector<float> cosines{1, 0.6f, 0, 0.6f, 1, 0, 0, 0, 0}, products{1, 3, 0, 3, 25, 0, 0, 0, 0};
        for (std::size_t i = 0; i < 9; ++i) {
            QVERIFY(std::abs(cosine.values[i] - cosines[i]) < 1e-6f);
            QCOMPARE(product.values[i], products[i]);
        }
    }

    void anglesOfRotation() {
        std::vector<float> values;
        for (int position = 0; position < 40; ++position)
            for (const double turn : {1.0, 0.01})
                for (const auto wave : {+[](double x) { return std::cos(x); }, +[](double x) { return std::sin(x); }})
                    values.push_back(static_cast<float>(wave(position * turn)));
        const auto made = table(PositionTable::Kind::Rotary, 40, 4, values);
        const auto angles = rotaryAngles(made);
        QCOMPARE(angles.columns, 2);
        QVERIFY(std::abs(angles.at(3, 0) - 3) < 1e-5f);
        QVERIFY(std::abs(angles.at(4, 0) - (4 - 2 * std::numbers::pi_v<float>)) < 1e-5f);
        QVERIFY(std::abs(angles.at(39, 1) - 0.39f) < 1e-5f);
        QVERIFY(std::abs(rotaryWavelength(made, 0) - 2 * std::numbers::pi) < 1e-3);
        QVERIFY(std::abs(rotaryWavelength(made, 1) - 200 * std::numbers::pi) < 0.1);
        QVERIFY(std::isinf(rotaryWavelength(table(PositionTable::Kind::Rotary, 1, 2, {1, 0}), 0)));
    }

    void bucketsOfDistance() {
        // Two heads; distances -3 to 3, of which -3 and -2 share a bucket, and 2 and 3 do.
        const auto made = table(PositionTable::Kind::Relative, 7, 2, {5, 1, 5, 1, 4, 1, 3, 1, 3, 2, 2, 2, 2, 2});
        QCOMPARE(distanceBuckets(made), (std::vector<DistanceBucket>{{-3, -2}, {-1, -1}, {0, 0}, {1, 1}, {2, 3}}));
    }

    void whatElseIsInAnInput() {
        InputVectors input;
        input.rows = 2;
        input.dimensions = 2;
        input.tokens = {1, 2, 3, 4};
        input.positions = {0.5f, 0.25f, 0, 1};
        input.sums = {1.5f, 2.250001f, 3.125f, 5};
        QVERIFY(otherInput(input, 0).empty()); // rounding
        QCOMPARE(otherInput(input, 1), (std::vector<float>{0.125f, 0}));
        input.positions.clear();
        QCOMPARE(otherInput(input, 0), (std::vector<float>{0.5f, 2.250001f - 2}));
    }

    void patternsAreTold_data() {
        QTest::addColumn<QStringList>("rows");
        QTest::addColumn<int>("repeated");
        QTest::addColumn<int>("blockSize");
        QTest::addColumn<QString>("pattern");
        QTest::newRow("full") << QStringList{u"xx"_qs, u"xx"_qs} << 3 << 0 << u"aa aa"_qs;
        QTest::newRow("causal") << QStringList{u"x.."_qs, u"xx."_qs, u"xxx"_qs} << 1 << 1 << u"a.. aa. aaa"_qs;
        QTest::newRow("BigBird") << QStringList{u"xxxxxx"_qs, u"xxx.xx"_qs, u"xxxx.x"_qs,
                                                u"x.xxxx"_qs, u"x..xxx"_qs, u"xxxxxx"_qs}
                                 << 4 << 4 << u"gggggg gww.rg gwww.g g.wwwg g..wwg gggggg"_qs;
    }
    void patternsAreTold() {
        QFETCH(QStringList, rows);
        QFETCH(int, repeated);
        std::vector<std::string> kept;
        for (const auto& row : rows)
            kept.push_back(row.toStdString());
        const auto pattern = attentionPattern(looking({kept.begin(), kept.end()}, repeated));
        QTEST(pattern.blockSize, "blockSize");
        QTEST(drawn(pattern, repeated), "pattern");
    }

    /// A key that one head alone looks at is looked at.
    void allHeadsCount() {
        auto block = looking({"x.", "xx"});
        block.heads = 2;
        block.weights = {1, 0, 1, 0, 1, 0, 0.5f, 0.5f};
        QCOMPARE(drawn(attentionPattern(block)), u"a. aa"_qs);
    }

    /// What random blocks of two heads reach together is no global row.
    void randomBlocksOfHeadsAddUp() {
        auto block = looking({"xxxxxx", "xxx.xx", "xxxx.x", "x.xxxx", "x..xxx", "xxxxxx"}, 2);
        const auto other = looking({"xxxxxx", "xxxx.x", "xxxx.x", "x.xxxx", "x..xxx", "xxxxxx"}, 2);
        block.heads = 2;
        block.weights.insert(block.weights.end(), other.weights.begin(), other.weights.end());
        QCOMPARE(drawn(attentionPattern(block), 2), u"gggggg gwwrrg gwww.g g.wwwg g..wwg gggggg"_qs);
    }
};

QTEST_GUILESS_MAIN(TestPositions)
#include "tst_positions.moc"
