// Query·Key and Positions: what they say, that their numbers are the trace's, and that keys alone reach all of it.
#include "tests/support/shown_view.h"
#include "widgets/positions_view.h"
#include "widgets/query_key_view.h"

#include <QComboBox>
#include <QHash>
#include <QLineEdit>
#include <QTest>

#include <cmath>
#include <limits>
#include <memory>

using namespace headlight;

namespace {

/// The encoder's query "cat" is (1, 2), its keys (2, 1), (0, 1) and (4, -2): products 4, 2, 0; halved 2, 1, 0. Of the
/// other queries nothing is looked at but the first key.
Trace twoDimensions() {
    auto trace = traceFromAscii(R"(
              the   cat   </s>
        le      9     1     .
        chat    1     9     .
        </s>    .     .     #
    )");
    AttentionBlock block;
    block.kind = BlockKind::Encoder;
    block.layers = block.heads = 1;
    block.queries = block.keys = 3;
    block.headSize = 2;
    block.queryRows = {0, 0, 1, 2, 0, 0};
    block.keyRows = {2, 1, 0, 1, 4, -2};
    block.valueRows = {1, 0, 0, 1, 1, 1};
    block.scales = {0.5f};
    const float never = -std::numeric_limits<float>::infinity();
    block.scores = {0, never, never, 2, 1, 0, 0, never, never};
    block.weights = {1, 0, 0, 0.66524096f, 0.24472847f, 0.09003057f, 1, 0, 0};
    trace.encoder = block;
    return trace;
}

Trace additive() {
    auto trace = traceFromAscii(R"(
              the   cat
        le      9     1
        chat    1     9
    )");
    trace.additive.emplace();
    trace.additive->queries = trace.additive->keys = trace.additive->size = 2;
    trace.additive->queryPart = {0.5f, -1, 0, 0};
    trace.additive->keyPart = {0.5f, 1, -0.5f, 0};
    trace.additive->v = {2, 1};
    trace.additive->energies = {1.5231884f, -0.7615942f, 1.6858f, -0.9242f};
    trace.cross->weights = {0.9076089f, 0.0923911f, 0.9314f, 0.0686f};
    return trace;
}

/// A view on one kind of attention.
struct ShownKind : Shown {
    ShownKind(std::unique_ptr<TraceView> made, BlockKind kind, Trace trace) : Shown(std::move(made)) {
        selection.setHead(kind, Layer(0), Head(0));
        view->setTrace(shared(std::move(trace)), nullptr);
    }
    QString said() const { return oneText(view->describe()); }
    bool says(const QString& words) const { return said().contains(words); }
    /// Numbers of the view by "row name, column name[column]".
    QHash<QString, float> numbers() const {
        QHash<QString, float> found;
        for (const auto& row : view->numbers().rows)
            found.insert(
                QStringLiteral("%1, %2%3").arg(row[2], row[4], row[3].isEmpty() ? QString() : u"[%1]"_qs.arg(row[3])),
                row[5].toFloat());
        return found;
    }
    void key(Qt::Key pressed, Qt::KeyboardModifiers modifiers = Qt::NoModifier) const {
        QTest::keyClick(view.get(), pressed, modifiers);
    }
};

ShownKind queryKey(BlockKind kind, Trace trace) {
    return {std::make_unique<QueryKeyView>(), kind, std::move(trace)};
}

/// "the cat </s>" with a sinusoidal table, an input of two dimensions and a causal encoder.
Trace positioned() {
    auto trace = twoDimensions();
    trace.encoderPositions = ascii::sinusoids(5, 8);
    trace.encoderInput.emplace();
    auto& input = *trace.encoderInput;
    input.rows = 3;
    input.dimensions = 2;
    input.tokens = {1, 2, 3, 4, 5, 6};
    input.positions = {0, 1, 0.5f, 0.25f, 0, 0};
    input.sums = {1, 3, 3.5f, 4.25f, 5, 6};
    return trace;
}

ShownKind positions(PositionsView::Page page, Trace trace) {
    auto view = std::make_unique<PositionsView>();
    view->setPage(page);
    return {std::move(view), BlockKind::Encoder, std::move(trace)};
}

} // namespace

class TestPositionsQueryKey : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyStepOfADotProduct() {
        const auto shown = queryKey(BlockKind::Encoder, twoDimensions());
        QVERIFY2(shown.says(u"query 1 “cat” (the last word"_qs), qPrintable(shown.said()));
        QVERIFY2(shown.says(u"the: q, kⱼ: 2"_qs) && shown.says(u"q · kⱼ 4.0000, × 0.5 2.0000, softmax 0.6652"_qs),
                 qPrintable(shown.said()));
        QVERIFY(shown.says(u"Vaswani et al. 2017, Eq. 1"_qs));
        const auto numbers = shown.numbers();
        const std::pair<QString, float> expected[] = {{u"q of “cat”, q, kⱼ[1]"_qs, 2.0f},
                                                      {u"</s>, q, kⱼ[0]"_qs, 4.0f},
                                                      {u"</s>, q ∘ kⱼ[1]"_qs, -4.0f},
                                                      {u"cat, q · kⱼ"_qs, 2.0f},
                                                      {u"cat, × 0.5"_qs, 1.0f},
                                                      {u"cat, softmax"_qs, 0.24472847f},
                                                      {u"cat, weight · vⱼ[1]"_qs, 0.24472847f},
                                                      {u"sum, weight · vⱼ[0]"_qs, 0.75527153f},
                                                      {u"sum, softmax"_qs, 1.0f}};
        for (const auto& [name, value] : expected)
            QVERIFY2(numbers.contains(name) && std::abs(numbers[name] - value) < 1e-6f, qPrintable(name));
    }

    void everyStepOfAnEnergy() {
        const auto shown = queryKey(BlockKind::Cross, additive());
        shown.key(Qt::Key_Left);
        QVERIFY2(shown.says(u"additive · query 0 “le”"_qs), qPrintable(shown.said()));
        QVERIFY(shown.says(u"Bahdanau et al. 2015, A.1.2"_qs));
        auto knowing = additive();
        knowing.additive->knowsLastToken = true;
        QVERIFY(queryKey(BlockKind::Cross, knowing).says(u"Sennrich et al. 2017"_qs));
        const auto numbers = shown.numbers();
        const std::pair<QString, float> expected[] = {{u"W s for “le”, W s, U hⱼ[1]"_qs, -1.0f},
                                                      {u"cat, W s, U hⱼ[0]"_qs, -0.5f},
                                                      {u"the, tanh(W s + U hⱼ)[0]"_qs, 0.7615942f},
                                                      {u"v, v ∘ tanh(…)[0]"_qs, 2.0f},
                                                      {u"the, v ∘ tanh(…)[0]"_qs, 1.5231884f},
                                                      {u"cat, eᵢⱼ"_qs, -0.7615942f},
                                                      {u"the, softmax"_qs, 0.9076089f}};
        for (const auto& [name, value] : expected)
            QVERIFY2(numbers.contains(name) && std::abs(numbers[name] - value) < 1e-6f, qPrintable(name));
    }

    void masksAndBiasesAreShown() {
        auto trace = twoDimensions();
        auto shown = queryKey(BlockKind::Encoder, trace);
        shown.key(Qt::Key_Left);
        QVERIFY2(shown.says(u"score −∞, softmax 0.0000"_qs), qPrintable(shown.said()));
        QVERIFY(!shown.says(u"bias"_qs));
        trace.encoder->scores[3] += 0.5f;
        trace.encoder->weights = {1, 0, 0, 0.76619f, 0.17096f, 0.06289f, 1, 0, 0};
        shown.view->setTrace(shared(trace), nullptr);
        shown.key(Qt::Key_Right);
        QVERIFY2(shown.says(u"+ bias 0.5000, score 2.5000"_qs), qPrintable(shown.said()));
    }

    /// A masked key has no bias that could be told.
    void aMaskedKeyHasNoBias() {
        auto trace = twoDimensions();
        trace.encoder->scores = {0.5f, -std::numeric_limits<float>::infinity(), 0, 2, 1, 0, 0, 0, 0};
        trace.encoder->weights = {0.62246f, 0, 0.37754f, 0.66524096f, 0.24472847f, 0.09003057f, 1, 0, 0};
        const auto shown = queryKey(BlockKind::Encoder, trace);
        shown.key(Qt::Key_Left);
        QVERIFY2(shown.says(u"+ bias –, score −∞"_qs), qPrintable(shown.said()));
        shown.key(Qt::Key_Down);
        shown.key(Qt::Key_Down);
        for (int i = 0; i < 7; ++i) // past two strips of two, the sum and the scaled product
            shown.key(Qt::Key_Right, Qt::ShiftModifier);
        QVERIFY2(shown.view->accessibleDescription().contains(u"nothing to add"_qs),
                 qPrintable(shown.view->accessibleDescription()));
    }

    /// Ctrl and Shift go from strip to strip.
    void fromStripToStrip() {
        const auto shown = queryKey(BlockKind::Encoder, twoDimensions());
        const auto after = [&](Qt::Key key) {
            shown.key(key, Qt::ControlModifier | Qt::ShiftModifier);
            return shown.view->accessibleDescription().section(QLatin1Char('\n'), 1);
        };
        shown.key(Qt::Key_Down);
        QCOMPARE(after(Qt::Key_Right), u"k[0] = 2.0000"_qs);
        QVERIFY(after(Qt::Key_Right).startsWith(u"q[0] · k[0] = "_qs));
        shown.key(Qt::Key_Right, Qt::ShiftModifier);
        QVERIFY(after(Qt::Key_Left).startsWith(u"q[0] · k[0] = "_qs));
        QVERIFY(after(Qt::Key_Left).startsWith(u"k[0] = "_qs));
    }

    /// Weights have colours of their own, which are told too.
    void bothColoursAreTold() {
        const auto shown = queryKey(BlockKind::Encoder, twoDimensions());
        const auto look = makeAppearance(Theme::Light, ColorMap::Viridis, shown.view->font());
        shown.view->setAppearance(look);
        const auto picture = shown.picture();
        for (const auto color : {look.color(40.5F / 64), look.signedColor(2 * 40.5F / 64 - 1)}) {
            bool found = false;
            for (int y = 0; y < picture.height(); ++y)
                for (int x = 0; x < picture.width(); ++x)
                    found = found || picture.pixel(x, y) == color;
            QVERIFY(found);
        }
    }

    void tokensMayLookLikePlaces() {
        auto trace = twoDimensions();
        trace.source[0].letters = "%2";
        const auto shown = queryKey(BlockKind::Encoder, trace);
        shown.key(Qt::Key_Down);
        QVERIFY2(shown.view->accessibleDescription().contains(u"cat → %2 (key 0)"_qs),
                 qPrintable(shown.view->accessibleDescription()));
    }

    /// Numbers of a curve say where they are.
    void curvesKeepTheirPlaces() {
        auto trace = positioned();
        trace.encoderPositions->kind = PositionTable::Kind::Relative;
        trace.encoderPositions->dimensions = 2;
        trace.encoderPositions->values = {1, 2, 1, 2, 3, 4, 5, 6, 7, 8};
        const auto shown = positions(PositionsView::Page::Table, trace);
        QCOMPARE(shown.numbers().value(u"-2, head 0"_qs, 0), 1.0f);
        QCOMPARE(shown.numbers().value(u"2, head 1"_qs, 0), 8.0f);
    }

    /// The run that was chosen is shown, until the two are others.
    void aChoiceOfRunIsOfTheseRuns() {
        auto a = twoDimensions(), b = twoDimensions();
        a.model = "one";
        b.model = "two";
        auto shown = queryKey(BlockKind::Encoder, a);
        shown.view->setTrace(shared(a), shared(b));
        auto* box = shown.view->findChildren<QComboBox*>()[1];
        QCOMPARE(box->itemText(1), u"B · two"_qs);
        box->setCurrentIndex(1);
        Q_EMIT box->activated(1);
        QVERIFY(shown.says(u"two"_qs));
        shown.view->setTrace(shared(a), shared(b)); // another text
        QVERIFY(shown.says(u"two"_qs));
        auto changed = b;
        changed.intervention.off.push_back({BlockKind::Encoder, Layer(0), Head(0)});
        shown.view->setTrace(shared(changed), shared(b));
        QVERIFY2(shown.says(u"switched off"_qs), "the run in full is shown instead");
        QCOMPARE(box->itemText(0), u"now · two"_qs);
        QCOMPARE(box->itemText(1), u"in full · two"_qs);
    }

    /// Of a run whose tokens are not A's queries are chosen here alone.
    void queriesOfAnotherVocabulary() {
        auto other = twoDimensions();
        other.model = "other";
        other.source[1].text = other.source[1].letters = "chat";
        auto trace = traceFromAscii("the cat </s>\n le 9 1 .\n chat 1 9 .\n </s> . . #\n");
        auto shown = queryKey(BlockKind::Encoder, trace);
        shown.view->setTrace(shared(trace), shared(other));
        QVERIFY2(shown.says(u"other has: choose it above"_qs), qPrintable(shown.said()));
        askForRun(*shown.view, 1);
        QVERIFY2(shown.says(u"other"_qs) && shown.says(u"query 1"_qs), qPrintable(shown.said()));
        shown.selection.hover(pairOf(BlockKind::Encoder, 0, -1)); // A's
        QVERIFY(shown.says(u"query 1"_qs));
        shown.key(Qt::Key_Right);
        QVERIFY2(shown.says(u"query 2"_qs), qPrintable(shown.said()));
        QCOMPARE(shown.selection.pair(), pairOf(BlockKind::Encoder, 0, -1));
        QVERIFY(placeOf(*shown.view, shown.selection, pairOf(BlockKind::Encoder, 2, 1)).x() < 0);
    }

    /// Picking what is on show already leaves the lock alone.
    void pickingTheSameKeepsTheLock() {
        auto shown = queryKey(BlockKind::Encoder, twoDimensions());
        shown.selection.toggleLock(pairOf(BlockKind::Encoder, 2, -1));
        auto* queries = shown.view->findChildren<QComboBox*>().front();
        Q_EMIT queries->activated(2);
        QVERIFY(shown.selection.locked());
        Q_EMIT queries->activated(0);
        QVERIFY(shown.selection.locked());
        QCOMPARE(shown.selection.pair().query, Query(0));
    }

    /// What there is nothing of cannot be chosen.
    void controlsOfNothing() {
        auto trace = twoDimensions();
        auto page = positions(PositionsView::Page::Table, positioned());
        auto* line = page.view->findChild<QLineEdit*>();
        QVERIFY(line->isVisible());
        page.view->setTrace(shared(trace), nullptr);
        QVERIFY(!line->isVisible());
        QVERIFY2(page.says(u"This run holds no positions"_qs), qPrintable(page.said()));
        page.view->setTrace(shared(additive()), nullptr);
        QVERIFY2(page.says(u"word by word, in order"_qs), qPrintable(page.said()));

        trace.encoder->queryRows.clear();
        trace.encoder->scores.clear();
        auto shown = queryKey(BlockKind::Encoder, trace);
        QVERIFY(!shown.view->findChildren<QComboBox*>().front()->isEnabled());
    }

    /// Both dimensions of a turned pair are one curve, and have one tick in its colour.
    void ticksOfTurnedPairs() {
        auto trace = positioned();
        trace.encoderPositions->kind = PositionTable::Kind::Rotary;
        const auto shown = positions(PositionsView::Page::Table, trace);
        auto* line = shown.view->findChild<QLineEdit*>();
        line->setText(u"0, 1, 4"_qs);
        Q_EMIT line->textEdited(line->text());
        const auto look = makeAppearance(Theme::Light, ColorMap::Blue, shown.view->font());
        const auto picture = shown.picture();
        const auto has = [&](int category) {
            for (int y = 0; y < picture.height(); ++y)
                for (int x = 0; x < picture.width(); ++x)
                    if (picture.pixel(x, y) == look.category(category).rgb())
                        return true;
            return false;
        };
        QVERIFY(has(0) && has(1));
        QVERIFY2(!has(2), "there is no third curve");
    }

    void whatIsMissingIsSaid_data() {
        QTest::addColumn<QString>("missing");
        QTest::addColumn<QString>("said");
        QTest::newRow("all") << u"all"_qs << u"holds no query and key vectors"_qs;
        QTest::newRow("vectors") << u"vectors"_qs << u"holds no query and key vectors"_qs;
        QTest::newRow("scores") << u"scores"_qs << u"holds no scores"_qs;
        QTest::newRow("values") << u"values"_qs << u"holds no value vectors"_qs;
        QTest::newRow("scale") << u"scale"_qs << u"1/√d is taken"_qs;
        QTest::newRow("block") << u"block"_qs << u"no attention of this kind (encoder, self)"_qs;
        QTest::newRow("additive parts") << u"additive"_qs << u"holds no query and key vectors"_qs;
    }
    void whatIsMissingIsSaid() {
        QFETCH(QString, missing);
        QFETCH(QString, said);
        auto trace = twoDimensions();
        auto& block = *trace.encoder;
        if (missing == u"all" || missing == u"vectors") {
            block.queryRows.clear();
            block.keyRows.clear();
        }
        if (missing == u"all" || missing == u"scores")
            block.scores.clear();
        if (missing == u"values")
            block.valueRows.clear();
        if (missing == u"scale")
            block.scales.clear();
        if (missing == u"block")
            trace.encoder.reset();
        auto shown = queryKey(missing == u"additive" ? BlockKind::Cross : BlockKind::Encoder, trace);
        QVERIFY2(shown.says(said), qPrintable(shown.said()));
        QVERIFY(colorsOf(shown.picture()) > 1);
    }

    /// Left and right go through the queries, up and down through the keys, and every view is told.
    void arrowKeysReachEveryNumber() {
        const auto shown = queryKey(BlockKind::Encoder, twoDimensions());
        shown.key(Qt::Key_Down);
        QCOMPARE(shown.selection.pair(), pairOf(BlockKind::Encoder, 1, 0));
        shown.key(Qt::Key_Down);
        QCOMPARE(shown.selection.pair(), pairOf(BlockKind::Encoder, 1, 1));
        const auto before = shown.picture();
        shown.key(Qt::Key_Right, Qt::ShiftModifier);
        QVERIFY(shown.picture() != before); // a dimension is lit, and what it says written
        QCOMPARE(shown.selection.pair(), pairOf(BlockKind::Encoder, 1, 1));
        shown.key(Qt::Key_Right);
        QCOMPARE(shown.selection.pair(), pairOf(BlockKind::Encoder, 2, 1));
        QVERIFY2(shown.says(u"query 2 “</s>”"_qs), qPrintable(shown.said()));
        shown.key(Qt::Key_Right); // there is no fourth
        QCOMPARE(shown.selection.pair(), pairOf(BlockKind::Encoder, 2, 1));
        shown.key(Qt::Key_Return);
        QVERIFY(shown.selection.locked());
        shown.key(Qt::Key_Left);
        QVERIFY(shown.selection.locked());
        QCOMPARE(shown.selection.pair(), pairOf(BlockKind::Encoder, 1, 1));
    }

    /// The query stays when the pointer leaves, and follows every other view.
    void theQueryThatWasPointedAtStays() {
        auto shown = queryKey(BlockKind::Encoder, twoDimensions());
        shown.selection.hover(pairOf(BlockKind::Encoder, 0, 2));
        QVERIFY(shown.says(u"query 0 “the”"_qs));
        shown.selection.hover({});
        QVERIFY(shown.says(u"query 0 “the”"_qs));
        shown.selection.hover(pairOf(BlockKind::Cross, 2, 0)); // of another kind
        QVERIFY(shown.says(u"query 0 “the”"_qs));
        auto* queries = shown.view->findChildren<QComboBox*>().front();
        QCOMPARE(queries->count(), 3);
        QCOMPARE(queries->currentIndex(), 0);
        Q_EMIT queries->activated(2);
        QVERIFY(shown.says(u"query 2 “</s>”"_qs));
        QCOMPARE(shown.selection.pair(), pairOf(BlockKind::Encoder, 2, -1));
    }

    /// Hovering a cell points at its key; the row of that key is the pair's.
    void hoveringPointsAtTheKey() {
        auto shown = queryKey(BlockKind::Encoder, twoDimensions());
        const auto place = placeOf(*shown.view, shown.selection, pairOf(BlockKind::Encoder, 1, 2));
        QVERIFY(place.x() > 0);
    }

    void whatWasChangedIsSaid() {
        auto trace = twoDimensions();
        trace.intervention.off.push_back({BlockKind::Encoder, Layer(0), Head(0)});
        QVERIFY(queryKey(BlockKind::Encoder, trace).says(u"switched off"_qs));
        auto forced = additive();
        forced.intervention.forced.push_back({Query(1), Key(0)});
        forced.cross->weights = {0.9076089f, 0.0923911f, 1, 0};
        const auto shown = queryKey(BlockKind::Cross, forced);
        QVERIFY2(shown.says(u"forced onto “the”"_qs), qPrintable(shown.said()));
        QVERIFY(shown.says(u"differ from these by up to 0.06"_qs));
    }

    void aWaveIsToldWithItsLength_data() {
        QTest::addColumn<QString>("table");
        QTest::addColumn<QString>("said");
        QTest::newRow("interleaved") << u"interleaved"_qs << u"PE(pos, 2i) = sin(pos / 10000^(2i/d))"_qs;
        QTest::newRow("its curves") << u"interleaved"_qs << u"dimension 4: 5 value(s), sin, λ = 628.3"_qs;
        QTest::newRow("halves") << u"halves"_qs << u"all sines first"_qs;
        QTest::newRow("of no formula") << u"other"_qs << u"not of the formula"_qs;
        QTest::newRow("learned") << u"learned"_qs << u"learned: found in training"_qs;
        QTest::newRow("rotary") << u"rotary"_qs << u"dimensions 0, 1: 5 value(s), a full turn in 6.28"_qs;
        QTest::newRow("its turns") << u"rotary"_qs << u"pair i turns by pos / 10000^(2i/d)"_qs;
        QTest::newRow("turns that are slowed down") << u"slow"_qs << u"pos / (2 · 10000^(2i/d)): slowed down"_qs;
        QTest::newRow("slow turns alone") << u"banded"_qs << u"slow pairs are slowed down more"_qs;
        QTest::newRow("relative") << u"relative"_qs << u"head 1: 5 value(s)"_qs;
        QTest::newRow("its buckets") << u"relative"_qs << u"before the query 1…2; after it –"_qs;
    }
    void aWaveIsToldWithItsLength() {
        QFETCH(QString, table);
        QFETCH(QString, said);
        auto trace = positioned();
        auto& made = *trace.encoderPositions;
        if (table == u"halves")
            for (int position = 0; position < 5; ++position) {
                const auto row = ascii::sinusoids(5, 8);
                for (int i = 0; i < 4; ++i) {
                    made.values[static_cast<std::size_t>(8 * position + i)] = row.at(position, 2 * i);
                    made.values[static_cast<std::size_t>(8 * position + 4 + i)] = row.at(position, 2 * i + 1);
                }
            }
        if (table == u"other")
            made.values[9] = -0.5f;
        if (table == u"learned")
            made.kind = PositionTable::Kind::Learned;
        if (table == u"rotary") { // of each pair cosine before sine
            made.kind = PositionTable::Kind::Rotary;
            for (std::size_t i = 0; i < made.values.size(); i += 2)
                std::swap(made.values[i], made.values[i + 1]);
        }
        if (table == u"slow" || table == u"banded") {
            made.kind = PositionTable::Kind::Rotary;
            for (int position = 0; position < 5; ++position)
                for (int pair = 0; pair < 4; ++pair) {
                    const double slower = table == u"slow" || pair > 1 ? 2 : 1;
                    const double angle = position / (slower * std::pow(10000.0, pair / 4.0));
                    made.values[static_cast<std::size_t>(8 * position + 2 * pair)] =
                        static_cast<float>(std::cos(angle));
                    made.values[static_cast<std::size_t>(8 * position + 2 * pair + 1)] =
                        static_cast<float>(std::sin(angle));
                }
        }
        if (table == u"relative") {
            made.kind = PositionTable::Kind::Relative;
            made.dimensions = 2;
            made.values = {1, 2, 1, 2, 3, 4, 5, 6, 7, 8};
        }
        const auto shown = positions(PositionsView::Page::Table, trace);
        if (table == u"interleaved") {
            auto* line = shown.view->findChild<QLineEdit*>();
            line->setText(u"0, 4-5, 99"_qs);
            Q_EMIT line->textEdited(line->text());
            QVERIFY2(!shown.says(u"dimension 2:"_qs), qPrintable(shown.said()));
        }
        QVERIFY2(shown.says(said), qPrintable(shown.said()));
    }

    /// Each stack has its own, and the attention that is chosen says which is meant.
    void theTableIsOfTheStack() {
        auto trace = positioned();
        trace.decoderPositions = ascii::sinusoids(5, 6);
        auto shown = positions(PositionsView::Page::Table, trace);
        QVERIFY2(shown.says(u"encoder: sinusoidal"_qs) && shown.says(u"4 → 7"_qs) && !shown.says(u"decoder"_qs),
                 qPrintable(shown.said()));
        for (const auto kind : {BlockKind::Decoder, BlockKind::Cross}) {
            shown.selection.setKind(kind);
            QVERIFY2(shown.says(u"decoder: sinusoidal"_qs), qPrintable(shown.said()));
            QCOMPARE(shown.view->findChild<QLineEdit*>()->text(), u"0, 1, 2, 3, 4, 5"_qs);
        }
        trace.encoderPositions.reset();
        shown.view->setTrace(shared(trace), nullptr);
        shown.selection.setKind(BlockKind::Encoder);
        QVERIFY(!shown.says(u"encoder: "_qs) && shown.says(u"sinusoidal"_qs)); // the only one there is
    }

    /// A click on a column of the table, or Return on it, adds or removes its curve.
    void columnsAreChosenInTheTable() {
        const auto shown = positions(PositionsView::Page::Table, positioned());
        QVERIFY(shown.says(u"dimension 0:"_qs) && !shown.says(u"dimension 3:"_qs));
        for (const auto key : {Qt::Key_Down, Qt::Key_Right, Qt::Key_Right, Qt::Key_Right, Qt::Key_Return})
            shown.key(key);
        QVERIFY2(shown.says(u"dimension 3:"_qs), qPrintable(shown.said()));
        QCOMPARE(shown.view->findChild<QLineEdit*>()->text(), u"0, 1, 2, 4, 5, 7, 3"_qs);
        shown.key(Qt::Key_Return);
        QVERIFY(!shown.says(u"dimension 3:"_qs));
    }

    void similarityByCosineOrProduct() {
        auto trace = positioned();
        trace.encoderPositions->kind = PositionTable::Kind::Learned;
        trace.encoderPositions->positions = 2;
        trace.encoderPositions->dimensions = 2;
        trace.encoderPositions->values = {1, 0, 3, 4};
        const auto shown = positions(PositionsView::Page::Similarity, trace);
        QVERIFY2(shown.says(u"Position × position"_qs) && shown.says(u"cosine"_qs), qPrintable(shown.said()));
        QCOMPARE(shown.view->numbers().rows[1][5].toFloat(), 0.6f);
        shown.view->findChildren<QComboBox*>()[1]->setCurrentIndex(1);
        QCOMPARE(shown.view->numbers().rows[1][5].toFloat(), 3.0f);
        trace.encoderPositions->kind = PositionTable::Kind::Relative;
        shown.view->setTrace(shared(trace), nullptr);
        QVERIFY2(shown.says(u"a number for each distance"_qs), qPrintable(shown.said()));
    }

    void tokenAndPositionMakeTheInput() {
        auto trace = positioned();
        const auto shown = positions(PositionsView::Page::Input, trace);
        QVERIFY2(shown.says(u"input of the encoder · token 0 “the”"_qs), qPrintable(shown.said()));
        QVERIFY(!shown.says(u"other"_qs));
        shown.key(Qt::Key_Right);
        QVERIFY2(shown.says(u"token 1 “cat”"_qs), qPrintable(shown.said()));
        QCOMPARE(shown.selection.pair(), pairOf(BlockKind::Encoder, 1, -1));
        const auto numbers = shown.numbers();
        QCOMPARE(numbers[u"token “cat”, dimensions 0 to 1[0]"_qs], 3.0f);
        QCOMPARE(numbers[u"+ position 1, dimensions 0 to 1[1]"_qs], 0.25f);
        QCOMPARE(numbers[u"= input, dimensions 0 to 1[1]"_qs], 4.25f);
        QCOMPARE(numbers[u"token “cat”, length"_qs], 5.0f);
        QCOMPARE(numbers[u"the, = input[1]"_qs], 3.0f);

        trace.encoderInput->sums[2] += 10; // a segment's vector
        shown.view->setTrace(shared(trace), nullptr);
        QVERIFY2(shown.says(u"+ other"_qs), qPrintable(shown.said()));
        QCOMPARE(shown.numbers()[u"+ other, dimensions 0 to 1[0]"_qs], 10.0f);

        trace.encoderInput->positions.clear();
        shown.view->setTrace(shared(trace), nullptr);
        QVERIFY2(shown.says(u"positions are not added here"_qs), qPrintable(shown.said()));
        trace.encoderInput.reset();
        shown.view->setTrace(shared(trace), nullptr);
        QVERIFY2(shown.says(u"holds no vectors of the input"_qs), qPrintable(shown.said()));
    }

    void patternsAreNamed() {
        auto trace = positioned();
        auto shown = positions(PositionsView::Page::Pattern, trace);
        QVERIFY2(shown.says(u"never: 4 cell(s)"_qs) && shown.says(u"may look: 5 cell(s)"_qs), qPrintable(shown.said()));
        // Five blocks of two tokens: the first and last are global, the others look at themselves and their neighbours.
        auto& block = *trace.encoder;
        block = {};
        block.layers = block.heads = 1;
        block.queries = block.keys = 12;
        for (int query = 0; query < 12; ++query)
            for (int key = 0; key < 12; ++key) {
                const int q = query / 2, k = key / 2;
                const bool seen = q == 0 || k == 0 || q == 5 || k == 5 || std::abs(q - k) <= 1;
                block.weights.push_back(seen ? 0.1f : 0.0f);
            }
        trace.source.resize(12);
        trace.family = "big_bird";
        shown.view->setTrace(shared(trace), nullptr);
        QVERIFY2(shown.says(u"blocks of 2 tokens"_qs) && shown.says(u"window: 40 cell(s)"_qs)
                     && shown.says(u"global: 80 cell(s)"_qs) && shown.says(u"random: 0 cell(s)"_qs),
                 qPrintable(shown.said()));
        for (auto& weight : block.weights)
            weight = 0.1f;
        shown.view->setTrace(shared(trace), nullptr);
        QVERIFY2(shown.says(u"reads in full"_qs), qPrintable(shown.said()));
    }

    void everyPageIsDrawn_data() {
        QTest::addColumn<int>("page");
        for (int page = 0; page < 4; ++page)
            QTest::addRow("page %d", page) << page;
    }
    void everyPageIsDrawn() {
        QFETCH(int, page);
        const auto shown = positions(static_cast<PositionsView::Page>(page), positioned());
        QVERIFY(colorsOf(shown.picture()) > 12);
        const auto first = shown.picture();
        shown.key(Qt::Key_Down);
        QVERIFY(shown.picture() != first); // something is pointed at by keys alone
        auto none = positioned();
        none.encoderPositions.reset();
        none.encoderInput.reset();
        none.encoder.reset();
        none.cross.reset();
        shown.view->setTrace(shared(none), nullptr);
        QVERIFY2(shown.view->describe().size() == 1, qPrintable(shown.said()));
    }
};

QTEST_MAIN(TestPositionsQueryKey)
#include "tst_positions_query_key.moc"
