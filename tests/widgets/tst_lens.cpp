// Protects the Lens view: the words of each layer, what hovering tells, what colours mean.
#include "tests/support/shown_view.h"
#include "widgets/lens_view.h"

#include <QCheckBox>
#include <QTest>

#include <utility>

using namespace headlight;

namespace {

/// Two layers over "the cat": what is read says a, then b, then c, with the final word coming up from below.
TracePointer withLens() {
    auto trace = traceFromAscii(cat, {.selfAttention = true});
    Lens lens;
    lens.layers = 3;
    lens.rows = static_cast<int>(trace.target.size());
    constexpr const char* words[] = {"a", "b", "<b>c</b>"};
    for (int layer = 0; layer < lens.layers; ++layer)
        for (int row = 0; row < lens.rows; ++row) {
            const auto candidate = [&](int id, float probability) {
                return Candidate{id, words[id], probability, words[id]};
            };
            lens.predictions.push_back(
                {row, {candidate(layer, 0.25F * static_cast<float>(layer + 1)), candidate((layer + 1) % 3, 0.1F)}});
            lens.finalRanks.push_back(layer == 2 ? 0 : 9);
        }
    trace.lens = std::move(lens);
    return shared(std::move(trace));
}

} // namespace

class TestLens : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void saysTheWordsOfEachLayer() {
        const Shown shown(std::make_unique<LensView>(), {900, 400});
        shown.view->setTrace(withLens(), nullptr);
        const auto lines = shown.view->describe();
        QCOMPARE(lines.size(), 4);
        QVERIFY2(lines[1].startsWith(u"output: <b>c</b> | "_qs), qPrintable(lines[1]));
        QVERIFY(lines[2].startsWith(u"behind layer 0: b | "_qs));
        QVERIFY(lines[3].startsWith(u"input: a | "_qs));
    }

    void coloursAreProbabilitiesOrPlaces() {
        const Shown shown(std::make_unique<LensView>(), {900, 400});
        shown.view->setTrace(withLens(), nullptr);
        const auto values = [&](const QString& row) {
            QStringList found;
            const auto numbers = shown.view->numbers();
            for (const auto& line : numbers.rows)
                if (line[2] == row)
                    found << line[0] + u' ' + line.back();
            return found;
        };
        QCOMPARE(values(u"output"_qs).value(0), u"<b>c</b> 0.75"_qs);
        QCOMPARE(values(u"input"_qs).value(0), u"a 0.25"_qs);
        shown.view->findChild<QCheckBox*>()->click();
        QCOMPARE(values(u"output"_qs).value(0), u"<b>c</b> 1"_qs);
        QCOMPARE(values(u"input"_qs).value(0), u"a 0.5"_qs);
        QVERIFY(shown.view->choices().value(u"ranks"_qs).toBool());
    }

    void pointingTellsTheCandidates() {
        const Shown shown(std::make_unique<LensView>(), {900, 400});
        shown.view->setTrace(withLens(), nullptr);
        QTest::keyClick(shown.view.get(), Qt::Key_Down); // onto the first cell
        auto told = shown.view->accessibleDescription().split(u'\n');
        QCOMPARE(told.value(1), u"<b>c</b>: 0.750"_qs);
        QCOMPARE(told.value(2), u"a: 0.100"_qs);
        QVERIFY(told.value(3).contains(u"says in the end"_qs));
        QTest::keyClick(shown.view.get(), Qt::Key_Down);
        told = shown.view->accessibleDescription().split(u'\n');
        QVERIFY2(told.value(0).startsWith(u"behind layer 0"_qs), qPrintable(told.value(0)));
        QVERIFY2(told.value(3).contains(u"9 word"_qs) && told.value(3).contains(u"<b>c</b>"_qs),
                 qPrintable(told.value(3)));
        QVERIFY(shown.selection.pair() == Selection::Pair()); // a layer is no query
    }

    void saysWhyThereIsNothing() {
        const Shown shown(std::make_unique<LensView>(), {900, 400});
        QVERIFY(shown.view->describe().join(u' ').contains(u"Type a sentence"_qs));
        shown.view->setTrace(traceOf(cat), nullptr); // one recurrent decoder's
        QVERIFY2(shown.view->describe().join(u' ').contains(u"no layers of a Transformer"_qs),
                 qPrintable(shown.view->describe().join(u' ')));
        shown.view->setTrace(shared(traceFromAscii(cat, {.selfAttention = true})), nullptr);
        QVERIFY(shown.view->describe().join(u' ').contains(u"was not asked"_qs));
    }
};

QTEST_MAIN(TestLens)
#include "tst_lens.moc"
