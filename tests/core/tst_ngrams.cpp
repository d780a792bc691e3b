// Protects the baselines of language models: counts, and probabilities that are worked out by hand and sum to 1.
#include "models/train/ngrams.h"

#include <QTest>

#include <map>
#include <random>

using namespace headlight;

namespace {

using Row = std::vector<std::int64_t>;

/// 0 opens a row and 3 closes it.
TrigramModel smallModel() {
    TrigramModel model(4);
    for (const auto& row : {Row{0, 1, 2, 3}, Row{0, 1, 1, 3}})
        model.add(row);
    model.finish();
    return model;
}

bool near(double found, double expected) {
    return std::abs(found - expected) < 1e-12;
}

} // namespace

class TestNgrams : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tableCountsAsAMapDoes() {
        CountTable table;
        std::map<std::uint64_t, std::uint32_t> expected;
        std::mt19937_64 random(1);
        for (int i = 0; i < 5000; ++i) {
            const auto key = (random() % 1000) << 30U;
            QCOMPARE(table.add(key), ++expected[key]);
        }
        std::map<std::uint32_t, std::int64_t> times;
        for (const auto& [key, count] : expected) {
            QCOMPARE(table.at(key), count);
            ++times[count];
        }
        QCOMPARE(table.at(7), 0U);
        QCOMPARE(table.keysCounted(4), times[4]);
        QCOMPARE(CountTable().at(7), 0U);
    }

    /// Five different trigrams, four of them once and one twice: the discount is 4 / (4 + 2). All pairs follow one
    /// token only: of them, all is discounted. Tokens 1 to 3 come after 2, 1 and 2 others: 1 / (1 + 4) is discounted,
    /// and a quarter of 3/5 goes to each token.
    void probabilitiesAreThoseOfAnExample() {
        const auto model = smallModel();
        const double one = (2 - 0.2 + 0.15) / 5, two = (1 - 0.2 + 0.15) / 5, zero = 0.15 / 5;
        QVERIFY(near(model.trigram(2, 2, 1), one)); // nothing is known of these two, nor, but for its end, of 2
        QVERIFY(near(model.trigram(2, 2, 0), zero));
        QVERIFY(near(model.trigram(0, 1, 2), (1 - 2.0 / 3 + 2.0 / 3 * 2 * two) / 2));
        QVERIFY(near(model.trigram(0, 0, 1), (2 - 2.0 / 3 + 2.0 / 3 * one) / 2));
        QVERIFY(near(model.unigram(1), (3.0 + 1) / (6 + 4)));
        QVERIFY(near(model.unigram(0), (0.0 + 1) / (6 + 4)));
        const Row row{0, 1, 2, 3};
        QVERIFY(near(model.trigram(row, 1), model.trigram(0, 0, 1)));
        QVERIFY(near(model.trigram(row, 3), model.trigram(1, 2, 3)));
    }

    void probabilitiesSumToOne() {
        constexpr std::int64_t vocabulary = 30;
        TrigramModel model(vocabulary);
        std::mt19937_64 random(2);
        for (int i = 0; i < 200; ++i) {
            Row row{0};
            for (int j = 0; j < 10; ++j) // small ids are frequent, the largest are never seen
                row.push_back(static_cast<std::int64_t>(1 + (random() % 5) * (random() % 6)));
            model.add(row);
        }
        model.finish();
        const auto sum = [&](const auto& probability) {
            double total = 0;
            for (std::int64_t token = 0; token < vocabulary; ++token)
                total += probability(token);
            return total;
        };
        QVERIFY(near(sum([&](std::int64_t token) { return model.unigram(token); }), 1));
        for (std::int64_t before2 = 0; before2 < vocabulary; before2 += 3)
            for (std::int64_t before1 = 0; before1 < vocabulary; before1 += 2)
                QVERIFY(std::abs(sum([&](std::int64_t token) { return model.trigram(before2, before1, token); }) - 1)
                        < 1e-9);
    }

    void aTokenBetweenOthersIsWhatMakesTheRowProbable() {
        const auto model = smallModel();
        const auto between = model.between(Row{0, 1, 2, 3}, 2);
        QCOMPARE(between.size(), std::size_t{4});
        for (std::int64_t token = 0; token < 4; ++token)
            QVERIFY(near(between[static_cast<std::size_t>(token)],
                         model.trigram(0, 1, token) * model.trigram(1, token, 3)));
        const auto first = model.between(Row{0, 1, 2, 3}, 1);
        QVERIFY(near(first[2], model.trigram(0, 0, 2) * model.trigram(0, 2, 2) * model.trigram(2, 2, 3)));
        QVERIFY(first[1] > first[2]);
    }
};

QTEST_APPLESS_MAIN(TestNgrams)
#include "tst_ngrams.moc"
