// Which map of a trace is drawn, and what is left out of it when heads are switched off.
#include "core/analysis/head_metrics.h"
#include "core/analysis/head_ranking.h"
#include "core/analysis/rollout.h"
#include "core/analysis/shown_map.h"
#include "tests/support/trace_from_ascii.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <numeric>

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

    void showsNormsWhereTheRunHasThem() {
        auto trace = fourHeads();
        const MapChoice norms{HeadMode::One, at(1, 0), Reading::Automatic, Cells::Norms};
        const auto without = *shownMap(trace, BlockKind::Cross, norms);
        QVERIFY(without.cells == Cells::Weights
                && without.map.values == headMap(*trace.cross, Layer(1), Head(0)).values);
        auto block = *trace.cross;
        std::rotate(block.weights.begin(), block.weights.begin() + block.keys, block.weights.end());
        trace.norms.push_back(block);
        const auto shown = *shownMap(trace, BlockKind::Cross, norms);
        QVERIFY(shown.cells == Cells::Norms && shown.place == at(1, 0));
        QCOMPARE(shown.map.values, headMap(block, Layer(1), Head(0)).values);
        const auto rolled = *shownMap(trace, BlockKind::Cross, {HeadMode::Rollout, {}, {}, Cells::Norms});
        QVERIFY(rolled.cells == Cells::Weights && rolled.mode == HeadMode::Rollout);
        QVERIFY(shownMap(trace, BlockKind::Encoder, norms)->cells == Cells::Weights); // norms of cross alone
    }

    void showsAltiOfALayerOrRolledOut() {
        auto trace = fourHeads();
        const auto shown = [&](HeadMode mode, BlockKind kind) {
            return *shownMap(trace, kind, {mode, at(1, 1), Reading::Automatic});
        };
        for (const auto mode : {HeadMode::Alti, HeadMode::AltiRollout})
            QVERIFY(shown(mode, BlockKind::Cross).mode == HeadMode::MeanOfAll);
        for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross}) {
            auto block = *trace.block(kind); // a share of 1/4 is the stream's own
            block.weights.resize(block.weights.size() / 2);
            block.heads = 1;
            if (kind == BlockKind::Cross)
                std::for_each(block.weights.begin(), block.weights.end(), [](float& share) { share *= 0.75F; });
            trace.alti.push_back(block);
        }
        const auto layer = shown(HeadMode::Alti, BlockKind::Cross);
        QVERIFY(layer.mode == HeadMode::Alti && layer.layer == Layer(1) && !layer.place);
        QCOMPARE(layer.map.values, headMap(*trace.altiBlock(BlockKind::Cross), Layer(1), Head(0)).values);
        const auto within = shown(HeadMode::AltiRollout, BlockKind::Encoder).map;
        const auto across = shown(HeadMode::AltiRollout, BlockKind::Cross).map;
        for (int row = 0; row < across.rows; ++row) {
            const auto sum = [row](const Map& map) {
                const auto values = map.row(row);
                return std::accumulate(values.begin(), values.end(), 0.0F);
            };
            QVERIFY(std::abs(sum(within) - 1) < 1e-5F);
            QVERIFY(std::abs(sum(across) - 15.0F / 16) < 1e-5F); // the rest is the target's own, after two layers
        }
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
