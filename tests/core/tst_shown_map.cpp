// Which map of a trace is drawn, and what is left out of it when heads are switched off.
#include "core/analysis/head_metrics.h"
#include "core/analysis/head_ranking.h"
#include "core/analysis/rollout.h"
#include "core/analysis/shown_map.h"
#include "tests/support/trace_from_ascii.h"

#include <QTest>

using namespace headlight;

namespace {

constexpr const char* sharp = R"(
              the   cat   sleeps  </s>
    le        9     1     .       .
    chat      1     8     1       .
    dort      .     .     7       3
    </s>      .     .     .       #
)";

/// Head h of layer l is the picture turned to the right by 2 l + h columns.
Trace fourHeads() {
    return traceFromAscii(sharp, {.layers = 2, .heads = 2, .selfAttention = true});
}

HeadPlace at(int layer, int head) {
    return {Layer(layer), Head(head)};
}

} // namespace

class TestShownMap : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isWhatWasAskedFor() {
        const auto trace = fourHeads();
        const auto& cross = *trace.cross;
        const auto shown = [&](HeadMode mode, const HeadPlace& place = {}) {
            return *shownMap(trace, BlockKind::Cross, {mode, place, Reading::Automatic});
        };
        QCOMPARE(shown(HeadMode::One, at(1, 0)).map.values, headMap(cross, Layer(1), Head(0)).values);
        QVERIFY(shown(HeadMode::One, at(7, 9)).place == at(1, 1)); // the last that there is
        QCOMPARE(shown(HeadMode::MeanOfLayer, at(1, 0)).map.values, meanOverHeads(cross, Layer(1)).values);
        QVERIFY(shown(HeadMode::MeanOfLayer, at(1, 0)).layer == Layer(1));
        QVERIFY(!shown(HeadMode::MeanOfAll).place);
        QVERIFY(shown(HeadMode::BestAligning).place == bestAligningHead(cross, trace.source));
        QCOMPARE(shown(HeadMode::Rollout).map.values, rollout(trace, BlockKind::Cross)->values);
        // Nothing aligns within a stack.
        const auto within = shownMap(trace, BlockKind::Encoder, {HeadMode::BestAligning, at(1, 1), {}});
        QVERIFY(within->mode == HeadMode::One && within->place == at(1, 1));
    }

    void saysWhatStandsForRollout() {
        auto trace = fourHeads();
        trace.encoder->queries = 0; // of an encoder that does not fit
        const auto shown = shownMap(trace, BlockKind::Cross, {HeadMode::Rollout, {}, {}});
        QVERIFY(shown->asked == HeadMode::Rollout && shown->mode == HeadMode::MeanOfAll);
    }

    void anAdditiveModelHasOneMap() {
        const auto trace = traceFromAscii(sharp);
        for (const auto mode : {HeadMode::One, HeadMode::MeanOfAll, HeadMode::BestAligning, HeadMode::Rollout}) {
            const auto shown = shownMap(trace, BlockKind::Cross, {mode, {}, Reading::Automatic});
            QVERIFY(shown->additive);
            QCOMPARE(shown->map.values, trace.cross->weights);
            QCOMPARE(shown->rows, RowTokens::Emitted);
        }
        QVERIFY(!shownMap(trace, BlockKind::Encoder, {}));
    }

    void rowsAreReadAsAskedFor() {
        const auto trace = fourHeads();
        for (const auto kind : {BlockKind::Cross, BlockKind::Decoder}) {
            QCOMPARE(shownMap(trace, kind, {HeadMode::One, {}, Reading::TakenIn})->rows, RowTokens::TakenIn);
            QCOMPARE(shownMap(trace, kind, {HeadMode::One, {}, Reading::Emitted})->rows, RowTokens::Emitted);
        }
        QCOMPARE(shownMap(trace, BlockKind::Encoder, {HeadMode::One, {}, Reading::Emitted})->rows, RowTokens::TakenIn);
    }

    /// A head that gives nothing out is not what aligns, however sharp its rows.
    void theBestHeadIsNoneThatIsOff() {
        auto trace = fourHeads();
        const MapChoice best{HeadMode::BestAligning, {}, Reading::Automatic};
        const auto off = *shownMap(trace, BlockKind::Cross, best)->place;
        const HeadPlace elsewhere{Layer(1 - off.layer.value), Head(0)};
        QCOMPARE(shownMap(trace, BlockKind::Cross, best)->off, 0);
        trace.intervention.off = {{BlockKind::Cross, off.layer, off.head}};
        const auto shown = shownMap(trace, BlockKind::Cross, best);
        QVERIFY(shown->place != off);
        QCOMPARE(shown->off, 0);
        QCOMPARE(shownMap(trace, BlockKind::Cross, {HeadMode::One, off, {}})->off, 1);
        QCOMPARE(shownMap(trace, BlockKind::Cross, {HeadMode::MeanOfLayer, off, {}})->off, 1);
        QCOMPARE(shownMap(trace, BlockKind::Cross, {HeadMode::MeanOfLayer, elsewhere, {}})->off, 0);
        QCOMPARE(shownMap(trace, BlockKind::Cross, {HeadMode::MeanOfAll, {}, {}})->off, 1);
        QCOMPARE(shownMap(trace, BlockKind::Encoder, {HeadMode::MeanOfAll, {}, {}})->off, 0);

        const auto ranked = rankedHeads(trace);
        QVERIFY(ranked.front().place == *shown->place && !ranked.front().off);
        QVERIFY(ranked.back().place == off && ranked.back().off);

        trace.intervention.off.clear();
        for (int head = 0; head < 4; ++head)
            trace.intervention.off.push_back({BlockKind::Cross, Layer(head / 2), Head(head % 2)});
        QVERIFY2(shownMap(trace, BlockKind::Cross, best)->place == off, "all are off");
        QCOMPARE(shownMap(trace, BlockKind::Cross, best)->off, 1);
    }

    void theHeadThatChangedMostIsFound() {
        const auto full = fourHeads();
        auto changed = full;
        QVERIFY(!mostChangedHead(changed, full));
        auto& weights = changed.decoder->weights;
        const auto first = changed.decoder->rowOffset(Layer(1), Head(0), Query(2));
        std::swap(weights[first], weights[first + 2]);
        const auto most = mostChangedHead(changed, full);
        QVERIFY(most && most->kind == BlockKind::Decoder && most->layer == Layer(1) && most->head == Head(0));
        QCOMPARE(most->bits, headChange(*changed.decoder, *full.decoder, Layer(1), Head(0)));
        changed.target.front().text = "other";
        QVERIFY(!mostChangedHead(changed, full)); // rows are of other tokens
    }
};

QTEST_APPLESS_MAIN(TestShownMap)
#include "tst_shown_map.moc"
