// What is worked out of runs: kept for all views while the run lives, and on another thread where it takes long.
#include "core/analysis/rollout.h"
#include "tests/support/shown_view.h"
#include "widgets/alignment_view.h"
#include "widgets/derived.h"
#include "widgets/heads_view.h"
#include "widgets/inspector.h"
#include "widgets/matrix_view.h"

#include <QSignalSpy>
#include <QTest>

#include <random>

using namespace headlight;

namespace {

/// A run whose rollout takes long enough to be worked out elsewhere.
Trace longTrace(unsigned seed = 1, int tokens = 200) {
    constexpr int layers = 6, heads = 8;
    Trace trace;
    trace.model = "long";
    for (int i = 0; i < tokens; ++i) {
        Token token;
        token.id = i;
        token.text = std::to_string(i);
        token.word = i;
        trace.source.push_back(token);
    }
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> weight(0.01F, 1);
    AttentionBlock block;
    block.layers = layers;
    block.heads = heads;
    block.queries = block.keys = tokens;
    for (int row = 0; row < layers * heads * tokens; ++row) {
        std::vector<float> weights;
        float sum = 0;
        for (int key = 0; key < tokens; ++key) {
            weights.push_back(weight(random));
            sum += weights.back();
        }
        for (const float one : weights)
            block.weights.push_back(one / sum);
    }
    trace.encoder = std::move(block);
    return trace;
}

const MapChoice rolledOut{HeadMode::Rollout, {}, Reading::Automatic};

} // namespace

class TestDerived : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// A run that comes to lie where another lay is not taken for it, and the same is not worked out twice.
    void mapsAreThoseOfTheRun() {
        auto& derived = Derived::instance();
        for (int i = 0; i < 40; ++i) { // more than are kept
            auto made = traceFromAscii(cat);
            made.cross->weights[1] = static_cast<float>(i);
            const auto run = shared(std::move(made));
            const auto map = derived.map(run, BlockKind::Cross, {});
            QVERIFY(map);
            QCOMPARE(map->map.values, run->cross->weights);
            QCOMPARE(derived.map(run, BlockKind::Cross, {}), map);
            const auto taken = derived.map(run, BlockKind::Cross, {HeadMode::One, {}, Reading::TakenIn});
            QCOMPARE(taken->rows, RowTokens::TakenIn);
        }
    }

    void keepsNoRun() {
        auto& derived = Derived::instance();
        auto run = traceOf(cat, {.heads = 2}), other = traceOf(otherCat, {.heads = 2});
        const auto map = derived.map(run, BlockKind::Cross, {});
        const auto otherMap = derived.map(other, BlockKind::Cross, {});
        QVERIFY(derived.measures(run, BlockKind::Cross) && derived.tiles(run, BlockKind::Cross, Cells::Weights, other)
                && derived.ranking(run, Reading::Automatic, nullptr) && derived.mostChanged(run, other)
                && derived.comparison({run, map}, {other, otherMap}, BlockKind::Cross, {}));
        const std::weak_ptr<const Trace> before = run, otherBefore = other;
        run = other = nullptr;
        QVERIFY(before.expired());
        QVERIFY(otherBefore.expired());
    }

    void whatTakesLongComesLater() {
        auto& derived = Derived::instance();
        QSignalSpy ready(&derived, &Derived::ready);
        const auto run = shared(longTrace());
        QVERIFY(!derived.map(run, BlockKind::Encoder, rolledOut));
        derived.map(run, BlockKind::Encoder, rolledOut); // asked again, not begun again
        QVERIFY(ready.wait(30'000));
        const auto map = derived.map(run, BlockKind::Encoder, rolledOut);
        QVERIFY(map);
        QCOMPARE(map->map.values, rollout(*run->encoder).values);
        QCOMPARE(ready.count(), 1);
    }

    void whoIsPatientHasItAtOnce() {
        auto& derived = Derived::instance();
        const auto run = shared(longTrace(2));
        QVERIFY(!derived.map(run, BlockKind::Encoder, rolledOut)); // under way
        const Derived::Patience patience;
        const auto map = derived.map(run, BlockKind::Encoder, rolledOut);
        QVERIFY(map);
        QCOMPARE(map->map.values, rollout(*run->encoder).values);
        QVERIFY(derived.measures(run, BlockKind::Encoder)); // not even begun
    }

    /// Work on a run that nobody has any more ends, and does not hold it.
    void workOnARunThatIsGoneStops() {
        auto& derived = Derived::instance();
        auto run = shared(longTrace(3, 400));
        const std::weak_ptr<const Trace> before = run;
        QVERIFY(!derived.map(run, BlockKind::Encoder, rolledOut));
        QVERIFY(!derived.measures(run, BlockKind::Encoder)); // waits behind it
        run = shared(longTrace(4));
        QVERIFY(!derived.map(run, BlockKind::Encoder, rolledOut));
        QTRY_VERIFY_WITH_TIMEOUT(before.expired(), 30'000);
        QTRY_VERIFY_WITH_TIMEOUT(derived.map(run, BlockKind::Encoder, rolledOut), 30'000);
    }

    /// The picture before stays until the new one is there; an export and words are of the new one at once.
    void aViewFillsIn() {
        Shown shown(std::make_unique<MatrixView>());
        shown.selection.setHead(BlockKind::Encoder, Layer(0), Head(0));
        const auto run = shared(longTrace(5));
        shown.view->setTrace(run, nullptr);
        const auto before = shown.picture();
        shown.selection.setHeadMode(HeadMode::Rollout);
        QCOMPARE(shown.picture(), before);
        QTRY_VERIFY_WITH_TIMEOUT(
            shown.picture() != before && Derived::instance().map(run, BlockKind::Encoder, rolledOut), 30'000);
        QVERIFY(oneText(shown.view->describe()).contains(u"rollout"_qs));

        Shown patient(std::make_unique<MatrixView>());
        patient.selection.setHead(BlockKind::Encoder, Layer(0), Head(0));
        patient.selection.setHeadMode(HeadMode::Rollout);
        patient.view->setTrace(shared(longTrace(6)), nullptr);
        QVERIFY2(oneText(patient.view->describe()).contains(u"rollout"_qs),
                 qPrintable(oneText(patient.view->describe())));
    }

    /// Maps come first, their captions when the measures are there.
    void headsFillIn() {
        Shown shown(std::make_unique<HeadsView>(), {1000, 900});
        shown.selection.setKind(BlockKind::Encoder);
        const auto run = shared(longTrace(7));
        shown.view->setTrace(run, nullptr);
        QTRY_VERIFY_WITH_TIMEOUT(Derived::instance().measures(run, BlockKind::Encoder), 30'000);
        const auto text = oneText(shown.view->describe());
        QVERIFY2(text.contains(u"L5 H7: broad, 7."_qs), qPrintable(text.left(2000)));
        const auto numbers = shown.view->numbers();
        QVERIFY(!numbers.rows.isEmpty());
    }

    void theInspectorWaits() {
        Selection selection;
        selection.setHead(BlockKind::Encoder, Layer(0), Head(0));
        selection.setHeadMode(HeadMode::Rollout);
        Inspector inspector;
        inspector.setSelection(&selection);
        inspector.setTrace(shared(longTrace(8)), nullptr);
        inspector.grab(); // asks for what it cannot have yet
        const auto text = oneText(inspector.describe());
        QVERIFY2(text.contains(u"rollout"_qs) && text.contains(u"Mean entropy"_qs), qPrintable(text));
    }
};

QTEST_MAIN(TestDerived)
#include "tst_derived.moc"
