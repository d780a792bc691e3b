// Protects what-if: heads switched off, attention forced, a translation begun by somebody else; and the record of what
// a run was made of: vectors that give the scores, hypotheses that lead to the translation.
#include "core/engine.h"
#include "tests/support/tiny_models.h"

#include <QTest>

#include <cmath>
#include <numeric>

using namespace headlight;

namespace {

void addTranslators() {
    QTest::addColumn<QString>("model");
    for (const char* name : {"additive", "conditional", "marian"})
        QTest::newRow(name) << QString::fromLatin1(name);
}

/// @param model "marian", or a recurrent one: "additive" with the paper's decoder, "conditional" with the other
std::unique_ptr<Engine> translator(const Folder& folder, const QString& model) {
    if (model == u"marian")
        folder.copyOfMarian();
    else
        folder.recurrent(u"additive"_qs, model == u"conditional" ? model : u"paper"_qs);
    return Engine::open(folder.path());
}

/// Source and target given, so that runs can be compared row by row.
Request forcedRequest() {
    Request request;
    request.sourceIds = {7, 9, 11, 2};
    request.targetIds = {3, 8, 10, 12};
    request.record.logits = true;
    return request;
}

float farthest(const std::vector<float>& left, const std::vector<float>& right) {
    float most = left.size() == right.size() ? 0.0F : 1e9F;
    for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i)
        most = std::max(most, std::abs(left[i] - right[i]));
    return most;
}

} // namespace

class TestInterventions : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void forcedAttentionRestsOnOneWord_data() { addTranslators(); }
    void forcedAttentionRestsOnOneWord() {
        QFETCH(QString, model);
        const Folder folder;
        const auto engine = translator(folder, model);
        auto request = forcedRequest();
        const auto full = engine->run(request);
        request.intervention.forced = {{Query(2), Key(1)}};
        const auto forced = engine->run(request);
        QVERIFY(forced->intervention == request.intervention);
        const auto& block = *forced->cross;
        for (int layer = 0; layer < block.layers; ++layer)
            for (int head = 0; head < block.heads; ++head)
                for (int key = 0; key < block.keys; ++key) {
                    QCOMPARE(block.at(Layer(layer), Head(head), Query(2), Key(key)), key == 1 ? 1.0F : 0.0F);
                    for (const int before : {0, 1})
                        QVERIFY(std::abs(block.at(Layer(layer), Head(head), Query(before), Key(key))
                                         - full->cross->at(Layer(layer), Head(head), Query(before), Key(key)))
                                < 1e-6F);
                }
        const auto rowOf = [](const Trace& trace, int row) {
            const auto begin = trace.logits->values.begin() + row * trace.logits->vocabulary;
            return std::vector<float>(begin, begin + trace.logits->vocabulary);
        };
        QVERIFY(farthest(rowOf(*forced, 1), rowOf(*full, 1)) < 1e-5F);
        QVERIFY(farthest(rowOf(*forced, 2), rowOf(*full, 2)) > 1e-4F);
    }

    void forcedAttentionStaysWithinTheSource() {
        const Folder folder;
        const auto engine = translator(folder, u"additive"_qs);
        auto request = forcedRequest();
        request.intervention.forced = {{Query(0), Key(4)}};
        QVERIFY_THROWS_EXCEPTION(Error, engine->run(request));
    }

    void headsAreSwitchedOff_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("kind");
        QTest::newRow("additive") << u"additive"_qs << static_cast<int>(BlockKind::Cross);
        QTest::newRow("conditional") << u"conditional"_qs << static_cast<int>(BlockKind::Cross);
        QTest::newRow("cross") << u"marian"_qs << static_cast<int>(BlockKind::Cross);
        QTest::newRow("encoder of a translator") << u"marian"_qs << static_cast<int>(BlockKind::Encoder);
        QTest::newRow("decoder of a translator") << u"marian"_qs << static_cast<int>(BlockKind::Decoder);
        QTest::newRow("encoder alone") << u"roberta"_qs << static_cast<int>(BlockKind::Encoder);
        QTest::newRow("decoder alone") << u"gpt2"_qs << static_cast<int>(BlockKind::Decoder);
    }
    void headsAreSwitchedOff() {
        QFETCH(QString, model);
        QFETCH(int, kind);
        const Folder folder;
        Request request = forcedRequest();
        std::unique_ptr<Engine> engine;
        if (model == u"roberta" || model == u"gpt2") {
            folder.copyWithWords(model.toStdString());
            engine = Engine::open(folder.path());
            request.targetIds.clear();
        } else {
            engine = translator(folder, model);
        }
        const auto full = engine->run(request);
        request.intervention.off = {{static_cast<BlockKind>(kind), Layer(0), Head(0)}};
        const auto without = engine->run(request);
        QVERIFY(farthest(without->logits->values, full->logits->values) > 1e-5F);
        // What the first layer looks at does not depend on what becomes of it.
        const auto* block = without->block(static_cast<BlockKind>(kind));
        if (static_cast<BlockKind>(kind) != BlockKind::Cross)
            QCOMPARE(farthest(headWeights(*block), headWeights(*full->block(block->kind))), 0.0F);
        // All other heads gone, too, is another run again.
        for (int head = 1; head < block->heads; ++head)
            request.intervention.off.push_back({block->kind, Layer(0), Head(head)});
        if (block->heads > 1)
            QVERIFY(farthest(engine->run(request)->logits->values, without->logits->values) > 1e-5F);
        // And nothing of it stays.
        request.intervention = {};
        QCOMPARE(farthest(engine->run(request)->logits->values, full->logits->values), 0.0F);
    }

    void aHeadThatIsNotThereCannotBeSwitchedOff_data() {
        using Off = Intervention::HeadOff;
        QTest::addColumn<QString>("model");
        QTest::addColumn<Off>("off");
        QTest::addColumn<QString>("says"); // what it has
        const auto row = [](const char* model, BlockKind kind, int layer, int head, const char* says) {
            QTest::addRow("%s %d.%d.%d", model, static_cast<int>(kind), layer, head)
                << QString::fromLatin1(model) << Off{kind, Layer(layer), Head(head)} << QString::fromLatin1(says);
        };
        row("marian", BlockKind::Cross, 99, 0, "3 such layers of 4 heads");
        row("marian", BlockKind::Encoder, 0, 99, "3 such layers of 4 heads");
        row("marian", BlockKind::Encoder, -1, 0, "3 such layers of 4 heads");
        row("gpt2", BlockKind::Cross, 0, 0, "no attention of kind cross");
        row("gpt2", BlockKind::Encoder, 0, 0, "no attention of kind encoder");
        row("roberta", BlockKind::Cross, 0, 0, "no attention of kind cross");
        row("roberta", BlockKind::Decoder, 0, 0, "no attention of kind decoder");
        row("additive", BlockKind::Decoder, 0, 0, "no attention of kind decoder");
        row("additive", BlockKind::Cross, 1, 0, "1 such layers of 1 heads");
    }
    void aHeadThatIsNotThereCannotBeSwitchedOff() {
        QFETCH(QString, model);
        QFETCH(Intervention::HeadOff, off);
        QFETCH(QString, says);
        const Folder folder;
        if (model == u"additive")
            folder.recurrent();
        else
            folder.copyWithWords(model.toStdString());
        Request request;
        request.sourceIds = {7, 9, 11, 2};
        request.intervention.off = {off};
        try {
            Engine::open(folder.path())->run(request);
            QFAIL("nothing was said");
        } catch (const Error& error) {
            QVERIFY2(QString::fromUtf8(error.what()).contains(says), error.what());
        }
    }

    void aTranslationGoesOnFromWhatItIsGiven_data() { addTranslators(); }
    void aTranslationGoesOnFromWhatItIsGiven() {
        QFETCH(QString, model);
        const Folder folder;
        const auto engine = translator(folder, model);
        Request request;
        request.sourceIds = {7, 9, 11, 2};
        request.maxLength = 7;
        const auto own = engine->run(request);
        QVERIFY(own->emitted.size() > 3);
        request.beginIds = {own->emitted[0].id, own->emitted[1].id};
        QVERIFY(engine->run(request)->emitted == own->emitted); // its own beginning changes nothing
        request.beginIds = {own->emitted[0].id, own->emitted[1].id == 20 ? 21 : 20};
        const auto other = engine->run(request);
        QCOMPARE(other->emitted[0].id, request.beginIds[0]);
        QCOMPARE(other->emitted[1].id, request.beginIds[1]);
        QVERIFY(other->emitted.size() > 2);
        QVERIFY(!other->targetForced);
        const std::int64_t end = model == u"marian" ? 0 : 2;
        request.beginIds = {own->emitted[0].id, end};
        const auto ended = engine->run(request);
        QCOMPARE(ended->emitted.size(), std::size_t(2)); // nothing comes behind the end
        QCOMPARE(ended->emitted[1].id, end);
        request.beginIds = {-1};
        QVERIFY_THROWS_EXCEPTION(Error, engine->run(request));
    }

    void theBeamIsATree_data() { addTranslators(); }
    void theBeamIsATree() {
        QFETCH(QString, model);
        const Folder folder;
        const auto engine = translator(folder, model);
        Request request;
        request.sourceIds = {7, 9, 11, 2};
        request.maxLength = 6;
        QVERIFY(engine->run(request)->beam.empty()); // greedy: no tree
        request.beam = 3;
        const auto trace = engine->run(request);
        std::vector<std::int64_t> chosen;
        for (std::size_t i = 0; i < trace->beam.size(); ++i) {
            const auto& node = trace->beam[i];
            QVERIFY(node.parent < static_cast<int>(i));
            QVERIFY(!node.token.text.empty());
            double before = 0;
            if (node.parent >= 0) {
                const auto& parent = trace->beam[static_cast<std::size_t>(node.parent)];
                QCOMPARE(node.step, parent.step + 1);
                QVERIFY(!parent.finished);
                before = parent.logProbability;
            } else {
                QCOMPARE(node.step, 0);
            }
            QVERIFY(std::abs(node.logProbability - before - std::log(static_cast<double>(node.token.probability)))
                    < 1e-4);
            if (node.chosen)
                chosen.push_back(node.token.id);
        }
        std::vector<std::int64_t> emitted;
        for (const auto& token : trace->emitted)
            emitted.push_back(token.id);
        QCOMPARE(chosen, emitted);
    }

    void vectorsGiveTheScores() {
        const Folder folder;
        const auto engine = translator(folder, u"marian"_qs);
        auto request = forcedRequest();
        request.record.scores = true;
        request.record.vectors = true;
        const auto trace = engine->run(request);
        const auto& block = *trace->cross;
        QCOMPARE(block.scales.size(), static_cast<std::size_t>(block.layers));
        QCOMPARE(block.valueRows.size(), block.keyRows.size());
        const auto size = static_cast<std::size_t>(block.headSize);
        const auto queries = static_cast<std::size_t>(block.queries), keys = static_cast<std::size_t>(block.keys);
        for (std::size_t plane = 0; plane < static_cast<std::size_t>(block.layers * block.heads); ++plane)
            for (std::size_t query = 0; query < queries; ++query)
                for (std::size_t key = 0; key < keys; ++key) {
                    const auto* q = block.queryRows.data() + (plane * queries + query) * size;
                    const auto* k = block.keyRows.data() + (plane * keys + key) * size;
                    const float score = std::inner_product(q, q + size, k, 0.0F)
                                        * block.scales[plane / static_cast<std::size_t>(block.heads)];
                    QVERIFY(std::abs(score - block.scores[(plane * queries + query) * keys + key]) < 1e-5F);
                }
        for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder}) {
            const auto* input = trace->input(kind);
            QVERIFY(input);
            QCOMPARE(static_cast<std::size_t>(input->rows), trace->queryTokens(kind).size());
            for (std::size_t i = 0; i < input->sums.size(); ++i)
                QVERIFY(std::abs(input->tokens[i] + input->positions[i] - input->sums[i]) < 1e-6F);
        }
    }

private:
    static std::vector<float> headWeights(const AttentionBlock& block) {
        const auto map = block.map(Layer(0), Head(0));
        return {map.begin(), map.end()};
    }
};

QTEST_GUILESS_MAIN(TestInterventions)
#include "tst_interventions.moc"
