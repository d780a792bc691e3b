// Protects the runs of an encoder and of a decoder alone: what they say, how a decoder goes on, how a text that is too
// long is cut. Their numbers are tst_families' business.
#include "core/analysis/head_metrics.h"
#include "core/analysis/words.h"
#include "core/engine.h"
#include "tests/support/tiny_models.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <numeric>

using namespace headlight;

namespace {

std::string word(int id) {
    return QStringLiteral("w%1").arg(id).toStdString();
}

} // namespace

class TestRuns : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void hiddenWordsGetMoreCandidates() {
        const Folder folder;
        folder.copyWithWords("roberta");
        const auto engine = Engine::open(folder.path());
        QVERIFY(engine->info().hasEncoder && !engine->info().hasDecoder);
        QCOMPARE(engine->info().mask, std::string("[MASK]"));
        Request request;
        request.source = "w10 [MASK] w12";
        const auto trace = engine->run(request);
        QCOMPARE(trace->source.size(), 5U); // with what stands before and after
        QCOMPARE(trace->source[2].text, std::string("[MASK]"));
        QVERIFY((trace->source[2].bytes == ByteRange{4, 10}));
        QCOMPARE(trace->predictions.size(), 5U);
        for (const auto& prediction : trace->predictions)
            QCOMPARE(prediction.candidates.size(), prediction.position == 2 ? 10U : 5U);
        QVERIFY(trace->encoder && !trace->decoder && !trace->cross);
        QVERIFY(trace->target.empty() && trace->emitted.empty());
    }

    void twoTextsAreReadTogether() {
        const Folder folder;
        folder.copyWithWords("roberta");
        Request request;
        request.source = "w10";
        request.second = "w11 w12";
        const auto trace = Engine::open(folder.path())->run(request);
        QCOMPARE(trace->secondText, *request.second);
        QCOMPARE(trace->source.size(), 6U); // [CLS] w10 [SEP] w11 w12 [SEP]
        QCOMPARE(trace->source[4].segment, 1);
        QVERIFY((trace->source[4].bytes == ByteRange{4, 7}));
    }

    void aLongTextIsCutAndTheWindowMoves() {
        const Folder folder;
        folder.copyWithWords("roberta");
        const auto engine = Engine::open(folder.path());
        const int room = engine->info().maxPositions - 2; // [CLS] and [SEP]
        Request request;
        for (int i = 0; i < room + 10; ++i)
            request.source += word(10 + i) + " ";
        for (const auto& [skip, first] : {std::pair(std::optional<int>(), 0), {std::optional(4), 4}, {99, 10}}) {
            request.skip = skip;
            const auto trace = engine->run(request);
            QVERIFY(trace->window);
            QCOMPARE(trace->window->begin, first);
            QCOMPARE(trace->window->length, room);
            QCOMPARE(trace->window->total, room + 10);
            QCOMPARE(static_cast<int>(trace->source.size()), engine->info().maxPositions);
            QCOMPARE(trace->source[1].text, word(10 + first));
            QVERIFY(!trace->notices.empty());
        }
    }

    void aDecoderGoesOn() {
        const Folder folder;
        folder.copyWithWords("gpt2");
        const auto engine = Engine::open(folder.path());
        QVERIFY(!engine->info().hasEncoder && engine->info().hasDecoder);
        Request request;
        request.source = "w10 w11";
        const auto asTyped = engine->run(request);
        QCOMPARE(asTyped->target.size(), 2U);
        QCOMPARE(asTyped->prompt, 2);
        QVERIFY(asTyped->source.empty() && asTyped->decoder);
        QCOMPARE(asTyped->targetText, request.source);

        request.maxLength = 3;
        const auto longer = engine->run(request);
        QCOMPARE(longer->target.size(), 5U);
        QCOMPARE(longer->prompt, 2);
        QVERIFY(longer->targetText.starts_with(request.source) && longer->targetText.size() > request.source.size());
        // What it added is what it found most probable, token by token.
        for (std::size_t row = 1; row < 4; ++row)
            QCOMPARE(longer->predictions[row].candidates.front().id, longer->target[row + 1].id);
        // The same tokens given give the same run.
        request.maxLength = 0;
        for (std::size_t row = 2; row < 5; ++row)
            request.targetIds.push_back(longer->target[row].id);
        const auto given = engine->run(request);
        QVERIFY(given->target == longer->target);
        QVERIFY(given->decoder->weights == longer->decoder->weights);
    }

    void temperatureAndTopK() {
        const Folder folder;
        folder.copyWithWords("gpt2");
        const auto engine = Engine::open(folder.path());
        Request request;
        request.source = "w10 w11";
        const auto best = [&](double temperature) {
            request.sampling.temperature = temperature;
            return engine->run(request)->predictions.back().candidates.front();
        };
        const auto cold = best(0.5), usual = best(1), hot = best(3);
        QVERIFY(cold.id == usual.id && usual.id == hot.id);
        QVERIFY(cold.probability > usual.probability && usual.probability > hot.probability);

        request.maxLength = 8;
        const auto greedy = engine->run(request)->target;
        request.sampling = {.random = true, .temperature = 3, .topK = 1, .seed = 5};
        QVERIFY(engine->run(request)->target == greedy);
        request.sampling.topK = 0;
        const auto drawn = engine->run(request)->target;
        QVERIFY(drawn != greedy);
        QVERIFY(engine->run(request)->target == drawn); // the seed decides
        request.sampling.temperature = 0;
        QVERIFY_THROWS_EXCEPTION(Error, engine->run(request));
    }

    void nothingTypedStillRuns_data() {
        QTest::addColumn<QString>("fixture");
        QTest::newRow("an encoder") << QStringLiteral("roberta");
        QTest::newRow("a decoder") << QStringLiteral("gpt2");
    }
    void nothingTypedStillRuns() {
        QFETCH(QString, fixture);
        const Folder folder;
        folder.copyWithWords(fixture.toStdString());
        const auto trace = Engine::open(folder.path())->run({});
        QVERIFY(!trace->source.empty() || !trace->target.empty());
    }

    void whatDoesNotFitIsRefused_data() {
        QTest::addColumn<QString>("fixture");
        QTest::addColumn<bool>("target");
        QTest::newRow("a target for an encoder") << QStringLiteral("roberta") << true;
        QTest::newRow("a target for a decoder") << QStringLiteral("gpt2") << true;
        QTest::newRow("two texts for a decoder") << QStringLiteral("gpt2") << false;
    }
    void whatDoesNotFitIsRefused() {
        QFETCH(QString, fixture);
        QFETCH(bool, target);
        const Folder folder;
        folder.copyWithWords(fixture.toStdString());
        Request request;
        request.source = "w10";
        (target ? request.target : request.second) = "w11";
        QVERIFY_THROWS_EXCEPTION(Error, Engine::open(folder.path())->run(request));
    }

    /// BigBird reads some blocks of keys several times; the references have one reading of each, and so has a Trace.
    void rowsThatSumToLessAreTold_data() {
        QTest::addColumn<QString>("fixture");
        QTest::addColumn<QByteArray>(
            "version"); // of transformers: from 4.29 on the first block stands for the random ones
        QTest::addColumn<int>("tokens");
        QTest::addColumn<bool>("partial");
        QTest::newRow("by blocks") << u"bigbird_sparse"_qs << QByteArray("4.30.0") << 96 << true;
        QTest::newRow("by blocks that are drawn") << u"bigbird_sparse"_qs << QByteArray("4.27.1") << 96 << false;
        QTest::newRow("too short for blocks") << u"bigbird_sparse"_qs << QByteArray("4.30.0") << 20 << false;
        QTest::newRow("never by blocks") << u"bigbird_full"_qs << QByteArray("4.30.0") << 96 << false;
    }
    void rowsThatSumToLessAreTold() {
        QFETCH(QString, fixture);
        QFETCH(QByteArray, version);
        QFETCH(int, tokens);
        QFETCH(bool, partial);
        const QTemporaryDir copy;
        for (const auto& entry : QDir(u"" HEADLIGHT_FIXTURES "/models/"_qs + fixture).entryInfoList(QDir::Files))
            QVERIFY(QFile::copy(entry.filePath(), copy.filePath(entry.fileName())));
        QFile config(copy.filePath(u"config.json"_qs));
        QVERIFY(config.setPermissions(QFile::ReadOwner | QFile::WriteOwner) && config.open(QIODevice::ReadWrite));
        const auto changed = config.readAll().replace("4.27.1", version);
        QVERIFY(config.resize(0) && config.seek(0) && config.write(changed) == changed.size());
        config.close();
        Request request;
        for (int i = 0; i < tokens; ++i)
            request.sourceIds.push_back(5 + i % 50);
        const auto trace = Engine::open(copy.path().toStdString())->run(request);
        double least = 1;
        const auto& weights = trace->encoder->weights;
        for (auto row = weights.begin(); row != weights.end(); row += trace->encoder->keys)
            least = std::min(least, std::accumulate(row, row + trace->encoder->keys, 0.0));
        QCOMPARE(least < 0.999, partial);
        QCOMPARE(trace->notices.size(), partial ? 1U : 0U);
        if (partial)
            QVERIFY(QString::fromStdString(trace->notices.front())
                        .contains(u"rows sum to less than 1, the least to %1:"_qs.arg(least, 0, 'g', 2)));
    }

    /// Words of given tokens are cut as those of typed text: "table." is two.
    void wordsOfGivenTokensAreThoseOfTypedOnes() {
        const Folder folder;
        folder.recurrent();
        const auto engine = Engine::open(folder.path());
        Request request;
        request.source = "the cat";
        request.target = "The cat sleeps on the warm stone wall.";
        const auto typed = engine->run(request);
        request.target.reset();
        for (const auto& token : typed->target)
            request.targetIds.push_back(token.id);
        const auto given = engine->run(request);
        const auto texts = [](const Trace& trace) {
            std::vector<std::string> words;
            for (const auto& word : wordsOf(trace.target, trace.targetText))
                if (!word.special)
                    words.push_back(word.text);
            return words;
        };
        QVERIFY(std::all_of(given->target.begin(), given->target.end(),
                            [](const Token& token) { return token.bytes.empty(); }));
        const auto mine = texts(*given), theirs = texts(*typed);
        QCOMPARE(theirs.size(), 9U); // the last is the full stop
        const auto joined = [](const std::vector<std::string>& words) {
            QStringList all;
            for (const auto& word : words)
                all << QString::fromStdString(word);
            return all.join(u'|');
        };
        QCOMPARE(joined(mine), joined(theirs));
    }

    /// What goes on with the last typed word is of that word.
    void aContinuationMayGoOnWithAWord() {
        const Folder folder;
        folder.copyWithWords("gpt2");
        headlight::write(folder.path() / "tokenizer.json",
                         R"({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
                             "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "merges": [],
                             "vocab": {"a": 0, "b": 1, "Ġ": 2, ".": 3, "Ġa": 4}}})");
        Request request;
        request.source = "b a";
        request.targetIds = {1, 3, 4, 2, 1};
        const auto trace = Engine::open(folder.path())->run(request);
        std::vector<int> words;
        for (const auto& token : trace->target)
            words.push_back(token.word);
        QCOMPARE(words, (std::vector<int>{0, 1, 1, 1, 2, 3, 4, 4})); // b, ab, ., a, b
    }

    void tokensThatAreAskedForAreKept() {
        const Folder folder;
        folder.copyWithWords("gpt2");
        const auto engine = Engine::open(folder.path());
        Request request;
        request.source = "w10 w11";
        request.record.candidates = 1 << 20; // all that there are
        const auto all = engine->run(request);
        request.record.candidates = 1;
        const auto& last = all->predictions[1].candidates.back();
        request.record.asked = {{}, {last.id, 1 << 20, 7}, {5}};
        const auto some = engine->run(request);
        QVERIFY(some->predictions[0].asked.empty());
        QCOMPARE(some->predictions[1].asked.size(), 2U); // one is no token
        QCOMPARE(some->predictions[1].asked[0].probability, last.probability);
        QCOMPARE(some->predictions[1].asked[0].letters, last.letters);
        QCOMPARE(probabilityOf(some->predictions[1], 7), probabilityOf(all->predictions[1], 7));
    }

    /// T5's decoder has numbers of its own, of keys before the query alone.
    void stacksHaveTablesOfTheirOwn() {
        Request request;
        request.sourceIds = {5, 6, 7, 1};
        request.targetIds = {0, 9, 8};
        const auto trace = Engine::open(std::filesystem::path(HEADLIGHT_FIXTURES) / "t5")->run(request);
        QVERIFY(trace->encoderPositions && trace->decoderPositions);
        const auto same = [](const PositionTable& table, int distance, int other) {
            const int query = (table.positions - 1) / 2;
            return table.at(query + distance, 0) == table.at(query + other, 0);
        };
        QVERIFY(same(*trace->decoderPositions, 1, 0) && !same(*trace->encoderPositions, 1, 0));
        QVERIFY(!same(*trace->decoderPositions, -1, 0));
        QVERIFY(trace->decoderPositions->at(0, 0) != trace->encoderPositions->at(0, 0));
    }

    /// A character is a token, and has no space before it: 學校 is one word all the same, as it is when typed.
    void wordsOfGivenChineseAreThoseOfADictionary() {
        const Folder folder;
        folder.recurrent();
        QVERIFY(std::filesystem::remove(folder.path() / "spiece.model"));
        headlight::write(folder.path() / "tokenizer.json",
                         R"({"decoder": {"type": "Metaspace"}, "model": {"type": "WordLevel", "unk_token": "<unk>",
            "vocab": {"<unk>": 1, "學": 9, "校": 3, "，": 4, "我": 5, "們": 6, "▁": 7, "▁Tom": 8, "</s>": 0}}})");
        Request request;
        request.sourceIds = {9, 3, 0};
        request.targetIds = {5, 6, 9, 3, 4, 8, 7, 5};
        const auto trace = Engine::open(folder.path())->run(request);
        std::vector<int> words;
        for (const auto& token : trace->target)
            words.push_back(token.word);
        QCOMPARE(words, (std::vector<int>{0, 0, 1, 1, 2, 3, 4, 4}));
    }
};

QTEST_APPLESS_MAIN(TestRuns)
#include "tst_runs.moc"
