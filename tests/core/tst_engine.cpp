// Protects the one door to the models: what a Trace of each family holds, compared with the reference where there is
// one, and what is said of requests that are wrong. Sees engine.h and Trace only.
//
// fixtures/marian: a Marian model of random weights and what transformers 4.27.1 makes of it (attentions, logits).
#include "core/engine.h"
#include "core/files/safetensors.h"
#include "core/text/tokenizer.h"
#include "tests/support/compare.h"
#include "tests/support/tiny_models.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <cmath>

using namespace headlight;

namespace {

std::vector<std::int64_t> idsOf(const QJsonValue& values) {
    std::vector<std::int64_t> ids;
    for (const auto value : values.toArray())
        ids.push_back(value.toInteger());
    return ids;
}

std::vector<std::int64_t> idsOf(const std::vector<Token>& tokens) {
    std::vector<std::int64_t> ids;
    for (const auto& token : tokens)
        ids.push_back(token.id);
    return ids;
}

/// What holds of every Trace. Empty, or what does not.
std::string broken(const Trace& trace) {
    if (trace.target.size() != trace.emitted.size())
        return "target and emitted differ in length";
    for (std::size_t i = 0; i + 1 < trace.target.size(); ++i) {
        if (trace.target[i + 1].id != trace.emitted[i].id)
            return "emitted is not target, one step earlier";
    }
    if (trace.predictions.size() != trace.target.size())
        return "not one prediction for each step";
    for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross}) {
        const auto* block = trace.block(kind);
        if (!block)
            continue;
        if (block->kind != kind || block->queries != static_cast<int>(trace.queryTokens(kind).size())
            || block->keys != static_cast<int>(trace.keyTokens(kind).size()))
            return "a block's shape is not that of its tokens";
        const auto cells = static_cast<std::size_t>(block->layers) * static_cast<std::size_t>(block->heads)
                           * static_cast<std::size_t>(block->queries) * static_cast<std::size_t>(block->keys);
        if (block->weights.size() != cells || cells == 0)
            return "a block has " + std::to_string(block->weights.size()) + " weights";
        for (int layer = 0; layer < block->layers; ++layer) {
            for (int head = 0; head < block->heads; ++head) {
                for (int query = 0; query < block->queries; ++query) {
                    double sum = 0;
                    for (int key = 0; key < block->keys; ++key) {
                        const float weight = block->at(Layer(layer), Head(head), Query(query), Key(key));
                        if (!(weight >= 0))
                            return "a weight is negative or not a number";
                        if (kind == BlockKind::Decoder && key > query && weight != 0)
                            return "the decoder looks ahead";
                        sum += static_cast<double>(weight);
                    }
                    if (std::abs(sum - 1) > 1e-5)
                        return "a row sums to " + std::to_string(sum);
                }
            }
        }
    }
    return {};
}

/// Log probability of the steps of a Trace, from its logits, per step.
double meanLogProbability(const Trace& trace) {
    double sum = 0;
    const auto& logits = trace.logits.value();
    for (int row = 0; row < logits.rows; ++row) {
        const float* values = logits.values.data() + static_cast<std::ptrdiff_t>(row) * logits.vocabulary;
        double total = 0;
        for (int id = 0; id < logits.vocabulary; ++id)
            total += std::exp(static_cast<double>(values[id]));
        sum += static_cast<double>(values[trace.emitted[static_cast<std::size_t>(row)].id]) - std::log(total);
    }
    return sum / logits.rows;
}

std::string compareWith(const SafetensorsFile& reference, const char* name, const std::vector<float>& actual,
                        float tolerance) {
    const auto* tensor = reference.find(name);
    return tensor ? compareClose(actual, toFloats(*tensor), tolerance) : std::string("the fixture has no ") + name;
}

} // namespace

class TestEngine : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void equalsTheReference();
    void decodesAsTheReference();
    void headsAnswer_data();
    void headsAnswer();
    void choicesAreScored();
    void foldersOfPeople_data();
    void foldersOfPeople();
    void languages();
    void globalTokens();
    void recordsOnlyWhatIsAskedFor();
    void recurrent_data();
    void recurrent();
    void recurrentWithoutAttention();
    void textKeepsItsPlaces();
    void texts_data();
    void texts();
    void longTextIsCut();
    void promisedPositionsCostNothing();
    void forcedEqualsOwn();
    void targetIds();
    void beam();
    void maxLength();
    void bannedWords();
    void stops();
    void weightsThatAreNotFinite();
    void wrongRequests_data();
    void wrongRequests();
    void tokenizeNeedsNoWeights();
    void saysWhatComputes();
};

void TestEngine::equalsTheReference() {
    const auto expected = QJsonDocument::fromJson(read(marian / "expected.json").toUtf8()).object();
    const auto inputs = expected["inputs"].toObject();
    const auto tolerance = static_cast<float>(expected["tolerance"].toDouble());
    const auto reference = SafetensorsFile::open(marian / "expected.safetensors");

    const auto engine = Engine::open(marian);
    QCOMPARE(engine->info().name, std::string("marian"));
    QCOMPARE(engine->info().family, std::string("marian"));
    QCOMPARE(engine->info().encoderLayers, 3);
    QCOMPARE(engine->info().heads, 4);
    QVERIFY(engine->info().hasDecoder && !engine->info().hasTokenizer);
    Request request;
    request.sourceIds = idsOf(inputs["input_ids"]);
    request.targetIds = idsOf(inputs["decoder_input_ids"]);
    request.record.logits = true;
    const auto trace = engine->run(request);
    QCOMPARE(QString::fromStdString(broken(*trace)), QString());
    const auto wrong = compareWith(reference, "encoder_attentions", trace->encoder->weights, tolerance)
                       + compareWith(reference, "decoder_attentions", trace->decoder->weights, tolerance)
                       + compareWith(reference, "cross_attentions", trace->cross->weights, tolerance)
                       + compareWith(reference, "logits", trace->logits->values, tolerance);
    QVERIFY2(wrong.empty(), wrong.c_str());
    QCOMPARE(trace->encoderPositions->positions, 64);
    QCOMPARE(trace->encoderPositions->dimensions, 32);
    QCOMPARE(trace->encoderPositions->at(1, 0), std::sin(1.0F));
    QCOMPARE(trace->encoderPositions->at(1, 16), std::cos(1.0F));
}

void TestEngine::decodesAsTheReference() {
    const auto expected = QJsonDocument::fromJson(read(marian / "expected.json").toUtf8()).object();
    auto greedy = idsOf(expected["greedy_ids"]); // the start token first
    Request request;
    request.sourceIds = idsOf(expected["inputs"].toObject()["input_ids"]);
    request.maxLength = static_cast<int>(greedy.size()) - 1;
    const auto trace = Engine::open(marian)->run(request);
    greedy.erase(greedy.begin());
    QCOMPARE(idsOf(trace->emitted), greedy);
    QCOMPARE(trace->target.front().id, 210);
    QVERIFY(trace->target.front().special && !trace->targetForced);
}

void TestEngine::headsAnswer_data() {
    QTest::addColumn<QString>("folder");
    for (const char* folder : {"bert_qa", "bert_tokens", "bert_pretraining", "bert_nsp", "electra_discriminator",
                               "gpt2_classifier", "bart_classifier", "modernbert_classifier", "xlmr_tokens"})
        QTest::newRow(folder) << QString::fromLatin1(folder);
}

/// What a Trace says of a text is what the reference's head gave out.
void TestEngine::headsAnswer() {
    QFETCH(QString, folder);
    const auto path = std::filesystem::path(HEADLIGHT_FIXTURES) / "families" / folder.toStdString();
    const auto expected = QJsonDocument::fromJson(read(path / "expected.json").toUtf8()).object();
    const auto inputs = expected["inputs"].toObject();
    const auto reference = SafetensorsFile::open(path / "expected.safetensors");
    const auto engine = Engine::open(path);
    Request request;
    request.sourceIds = idsOf(inputs["input_ids"]);
    request.segmentIds = idsOf(inputs["token_type_ids"]);
    request.record.logits = true;
    const auto trace = engine->run(request);
    const float tolerance = 1e-4F; // of logits up to 5
    std::string wrong;
    if (reference.find("logits"))
        wrong += compareWith(reference, "logits",
                             trace->logits ? trace->logits->values : trace->relationship.value().logits, tolerance);
    if (reference.find("start_logits"))
        wrong += compareWith(reference, "start_logits", trace->answer.value().startLogits, tolerance)
                 + compareWith(reference, "end_logits", trace->answer.value().endLogits, tolerance);
    if (reference.find("seq_relationship_logits"))
        wrong += compareWith(reference, "seq_relationship_logits", trace->relationship.value().logits, tolerance);
    QVERIFY2(wrong.empty(), wrong.c_str());

    const auto labels = expected["labels"].toArray();
    QCOMPARE(engine->info().labels.size(), static_cast<std::size_t>(labels.size()));
    const auto* logits = reference.find("logits");
    if (logits && logits->shape.size() == 2 && !labels.isEmpty())
        QCOMPARE(trace->tokenLabels.size(), request.sourceIds.size());
    else
        QCOMPARE(trace->labels.size(), static_cast<std::size_t>(labels.size()));
    for (const auto& token : trace->tokenLabels)
        QVERIFY(token.candidates.front().probability >= token.candidates.back().probability);
    if (trace->answer) { // in the second text
        QVERIFY(engine->info().answersQuestions && !trace->answer->spans.empty());
        for (const auto& span : trace->answer->spans)
            QCOMPARE(trace->source[static_cast<std::size_t>(span.begin)].segment, 1);
    }
}

void TestEngine::foldersOfPeople_data() {
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QString>("family"); // empty: it is refused
    QTest::addColumn<QString>("says");   // a notice or the refusal; empty: nothing
    const auto row = [](const char* folder, const char* family, const char* says) {
        QTest::newRow(folder) << QString::fromLatin1(folder) << QString::fromLatin1(family)
                              << QString::fromLatin1(says);
    };
    row("bart-mnli-classification", "bart", "");
    row("bert-model-prefix", "bert", "");
    row("bert-no-model_type", "bert", "");
    row("bert-unknown-head", "bert", "left out, for attention does not need it: bert.linear.weight");
    row("gpt2-sequence-classification", "gpt2", "");
    row("llama-gptq", "", "quantised by GPTQ");
    row("llama-kv-scales", "llama", "k_scale");
    row("llama-sequence-classification", "llama", "");
    row("peft-adapter", "", "an adapter without its model, which is \"gpt2\"");
    row("roberta-id2label-int", "roberta", "");
}

void TestEngine::foldersOfPeople() {
    QFETCH(QString, folder);
    QFETCH(QString, family);
    QFETCH(QString, says);
    const auto path = std::filesystem::path(HEADLIGHT_FIXTURES) / "cases" / folder.toStdString();
    Request request;
    request.sourceIds = {2, 5, 7, 11, 3};
    QString said;
    try {
        const auto engine = Engine::open(path);
        const auto trace = engine->run(request);
        QCOMPARE(QString::fromStdString(engine->info().family), family);
        for (const auto& notice : trace->notices)
            said += QString::fromStdString(notice);
    } catch (const Error& error) {
        QVERIFY2(family.isEmpty(), error.what());
        said = QString::fromUtf8(error.what());
    }
    QVERIFY2(says.isEmpty() ? said.isEmpty() : said.contains(says), qPrintable(said));
}

void TestEngine::languages() {
    const auto engine = Engine::open(std::filesystem::path(HEADLIGHT_FIXTURES) / "cases" / "mbart50-language-code");
    const auto& info = engine->info();
    QCOMPARE(info.sourceLanguages.size(), 52U);
    QCOMPARE(info.sourceLanguage, std::string("en_XX"));
    QCOMPARE(info.targetLanguage, std::string("fr_XX"));
    Request request;
    request.source = "the cat sat on the mat";
    request.maxLength = 3;
    auto trace = engine->run(request);
    QCOMPARE(idsOf(trace->source),
             (std::vector<std::int64_t>{40, 7, 6, 5, 23, 9, 14, 9, 4, 8, 11, 7, 6, 5, 4, 29, 9, 2}));
    QCOMPARE(idsOf(trace->target), (std::vector<std::int64_t>{2, 44, 75})); // fr_XX behind the start
    request.sourceLanguage = "de_DE";
    request.targetLanguage = "ro_RO";
    trace = engine->run(request);
    QCOMPARE(trace->source.front().text, std::string("de_DE"));
    QCOMPARE(trace->target[1].text, std::string("ro_RO"));
    request.target = "the mat";
    trace = engine->run(request);
    QCOMPARE(trace->target[1].text, std::string("ro_RO"));
    QCOMPARE(trace->emitted.back().text, std::string("</s>"));
    request.targetLanguage = "xx";
    QVERIFY_THROWS_EXCEPTION(Error, engine->run(request));
    // Words before the text are read with it and are no part of it.
    request = {};
    request.source = "cat";
    request.prefix = "the ";
    trace = engine->run(request);
    QVERIFY(trace->source[1].bytes.empty() && trace->source[1].word == -1);
    QCOMPARE(trace->source.back().id, 2);
    QCOMPARE(trace->source[trace->source.size() - 2].bytes.end, 3U);
    QCOMPARE(trace->source[trace->source.size() - 2].word, 0);
}

void TestEngine::choicesAreScored() {
    const auto path = std::filesystem::path(HEADLIGHT_FIXTURES) / "families" / "bert_choice";
    const auto inputs = QJsonDocument::fromJson(read(path / "expected.json").toUtf8()).object()["inputs"].toObject();
    const auto reference = SafetensorsFile::open(path / "expected.safetensors");
    const auto engine = Engine::open(path);
    QVERIFY(engine->info().scoresChoices);
    std::vector<float> scores;
    for (qsizetype choice = 0; choice < inputs["input_ids"].toArray().size(); ++choice) {
        Request request;
        request.sourceIds = idsOf(inputs["input_ids"].toArray()[choice]);
        request.segmentIds = idsOf(inputs["token_type_ids"].toArray()[choice]);
        scores.push_back(engine->run(request)->quantities.at(0).value);
    }
    const auto wrong = compareWith(reference, "logits", scores, 1e-4F);
    QVERIFY2(wrong.empty(), wrong.c_str());
}

/// Global tokens see all and are seen by all; others see their window.
void TestEngine::globalTokens() {
    const auto path = std::filesystem::path(HEADLIGHT_FIXTURES) / "families" / "longformer";
    const auto engine = Engine::open(path);
    QVERIFY(engine->info().takesGlobalTokens);
    Request request;
    for (std::int64_t id = 4; id < 24; ++id)
        request.sourceIds.push_back(id % 15);
    const auto plain = engine->run(request);
    request.globalTokens = {0, 7};
    const auto global = engine->run(request);
    const auto weight = [](const TracePointer& trace, int query, int key) {
        return trace->encoder->at(Layer(0), Head(0), Query(query), Key(key));
    };
    QVERIFY(weight(plain, 0, 19) == 0 && weight(plain, 19, 7) == 0); // windows of 2 to either side
    QVERIFY(weight(global, 0, 19) > 0 && weight(global, 19, 7) > 0 && weight(global, 19, 0) > 0);
    QVERIFY(weight(global, 19, 8) == 0);
    request.globalTokens = {20};
    QVERIFY_THROWS_EXCEPTION(Error, engine->run(request));
    request.globalTokens = {0};
    QVERIFY_THROWS_EXCEPTION(Error, Engine::open(marian)->run(request));
}

void TestEngine::recordsOnlyWhatIsAskedFor() {
    const auto engine = Engine::open(marian);
    Request request;
    request.sourceIds = {5, 6, 7, 0};
    request.targetIds = {210, 9};
    request.record.positions = false;
    request.record.candidates = 2;
    const auto bare = engine->run(request);
    QVERIFY(bare->encoder->scores.empty() && bare->encoder->queryRows.empty() && !bare->encoderPositions
            && !bare->decoderPositions && !bare->logits);
    QCOMPARE(bare->predictions.front().candidates.size(), 2U);

    request.record = {.scores = true, .vectors = true, .logits = true, .positions = true, .candidates = 0};
    const auto full = engine->run(request);
    QVERIFY(bare->cross->weights == full->cross->weights && full->predictions.empty());
    QCOMPARE(full->logits->rows, 2);
    QCOMPARE(full->logits->vocabulary, 211);
    // A weight can be followed from its query and key.
    const auto& block = *full->cross;
    QCOMPARE(block.headSize, 8);
    const auto width = static_cast<std::size_t>(block.headSize);
    for (std::size_t cell = 0; cell < block.weights.size(); ++cell) {
        const auto keys = static_cast<std::size_t>(block.keys), queries = static_cast<std::size_t>(block.queries);
        const auto key = cell % keys, query = cell / keys % queries, head = cell / keys / queries;
        float product = 0;
        for (std::size_t d = 0; d < width; ++d)
            product +=
                block.queryRows[(head * queries + query) * width + d] * block.keyRows[(head * keys + key) * width + d];
        QVERIFY(std::abs(product / std::sqrt(8.0F) - block.scores[cell]) < 1e-4F);
    }
}

void TestEngine::recurrent_data() {
    QTest::addColumn<QString>("decoder");
    QTest::newRow("paper") << u"paper"_qs;
    QTest::newRow("conditional") << u"conditional"_qs;
}

void TestEngine::recurrent() {
    QFETCH(QString, decoder);
    const Folder folder;
    folder.recurrent(u"additive"_qs, decoder);
    const auto engine = Engine::open(folder.path());
    QCOMPARE(engine->info().heads, 1);
    QCOMPARE(engine->info().encoderLayers, 0);
    QVERIFY(engine->info().hasTokenizer);
    Request request;
    request.source = "the cat sat";
    request.record.vectors = true;
    const auto trace = engine->run(request);
    QCOMPARE(QString::fromStdString(broken(*trace)), QString());
    QVERIFY(!trace->encoder && !trace->decoder && !trace->encoderPositions && !trace->decoderPositions);
    QCOMPARE(trace->cross->layers, 1);
    const auto& made = trace->additive.value();
    QCOMPARE(made.knowsLastToken, decoder == u"conditional"_qs);
    for (int query = 0; query < made.queries; ++query) {
        double total = 0;
        std::vector<double> energies;
        for (int key = 0; key < made.keys; ++key) {
            double energy = 0;
            for (int d = 0; d < made.size; ++d)
                energy +=
                    static_cast<double>(made.v[static_cast<std::size_t>(d)])
                    * std::tanh(static_cast<double>(made.queryPart[static_cast<std::size_t>(query * made.size + d)])
                                + static_cast<double>(made.keyPart[static_cast<std::size_t>(key * made.size + d)]));
            QVERIFY(
                std::abs(energy - static_cast<double>(made.energies[static_cast<std::size_t>(query * made.keys + key)]))
                < 1e-5);
            energies.push_back(energy);
            total += std::exp(energy);
        }
        for (int key = 0; key < made.keys; ++key) {
            const double expected = std::exp(energies[static_cast<std::size_t>(key)]) / total;
            QVERIFY(
                std::abs(expected - static_cast<double>(trace->cross->at(Layer(0), Head(0), Query(query), Key(key))))
                < 1e-5);
        }
    }
}

void TestEngine::recurrentWithoutAttention() {
    const Folder folder;
    folder.recurrent(QStringLiteral("none"));
    const auto engine = Engine::open(folder.path());
    QCOMPARE(engine->info().heads, 0);
    Request request;
    request.source = "the cat";
    const auto trace = engine->run(request);
    QCOMPARE(QString::fromStdString(broken(*trace)), QString());
    QVERIFY(!trace->cross && !trace->additive && !trace->emitted.empty());
}

void TestEngine::textKeepsItsPlaces() {
    const Folder folder;
    folder.recurrent();
    Request request;
    request.source = "The cat is on the table.";
    request.target = "Le  chat est là.";
    const auto trace = Engine::open(folder.path())->run(request);
    QVERIFY(trace->targetForced);
    QCOMPARE(trace->sourceText, request.source);
    QCOMPARE(trace->targetText, *request.target); // as typed: the places of its tokens are in it
    QVERIFY(trace->source.back().special && trace->source.back().id == 2 && trace->emitted.back().id == 2);
    for (const auto& [tokens, text] :
         {std::pair{trace->source, trace->sourceText}, {trace->emitted, trace->targetText}}) {
        std::size_t reached = 0;
        for (const auto& token : tokens) {
            if (token.special)
                continue;
            QVERIFY(token.bytes.begin >= reached && token.bytes.end <= text.size() && token.word >= 0);
            reached = token.bytes.end;
        }
        QCOMPARE(reached, text.size());
    }
    QCOMPARE(QString::fromStdString(broken(*trace)), QString());
}

void TestEngine::texts_data() {
    QTest::addColumn<QByteArray>("source");
    QTest::addColumn<bool>("forced");
    QTest::newRow("nothing") << QByteArray() << false;
    QTest::newRow("nothing, and nothing forced") << QByteArray() << true;
    QTest::newRow("spaces") << QByteArray("   \n\t ") << false;
    QTest::newRow("Chinese") << QByteArray("我愛貓") << true;
    QTest::newRow("emoji") << QByteArray("🙂👩‍👩‍👧") << true;
    QTest::newRow("no UTF-8") << QByteArray("\xff\xfe cat \xc3") << true;
    QTest::newRow("a zero byte") << QByteArray("a\0b", 3) << true;
}

void TestEngine::texts() {
    QFETCH(QByteArray, source);
    QFETCH(bool, forced);
    const Folder folder;
    folder.recurrent();
    Request request;
    request.source = source.toStdString();
    if (forced)
        request.target = request.source;
    const auto trace = Engine::open(folder.path())->run(request);
    QCOMPARE(QString::fromStdString(broken(*trace)), QString());
    QVERIFY(trace->source.back().special);
    QVERIFY(!trace->emitted.empty());
}

void TestEngine::longTextIsCut() {
    const Folder folder;
    folder.recurrent();
    Request request;
    for (int i = 0; i < 20'000; ++i)
        request.source += "cat ";
    request.target = request.source;
    const auto trace = Engine::open(folder.path())->run(request);
    QCOMPARE(trace->source.size(), 24U);
    QCOMPARE(trace->source.back().id, 2); // the end token is kept
    QCOMPARE(trace->target.size(), 24U);
    QCOMPARE(trace->notices.size(), 2U);
    QVERIFY(QString::fromStdString(trace->notices[0]).startsWith(QLatin1String("source cut")));
    QVERIFY(QString::fromStdString(trace->notices[1]).startsWith(QLatin1String("target cut")));
    QCOMPARE(QString::fromStdString(broken(*trace)), QString());
}

void TestEngine::promisedPositionsCostNothing() {
    const Folder folder;
    folder.copyOfMarian();
    auto config = QJsonDocument::fromJson(read(marian / "config.json").toUtf8()).object();
    config["max_position_embeddings"] = 1 << 20;
    folder.config(config);
    Request request;
    request.sourceIds = {12, 40, 7, 0};
    request.maxLength = 6;
    const auto expected = Engine::open(marian)->run(request);
    const auto trace = Engine::open(folder.path())->run(request);
    QVERIFY(trace->cross->weights == expected->cross->weights);
    QVERIFY(trace->encoderPositions->values == expected->encoderPositions->values);
}

void TestEngine::forcedEqualsOwn() {
    const auto engine = Engine::open(marian);
    Request request;
    request.sourceIds = {12, 40, 7, 0};
    request.maxLength = 6;
    const auto own = engine->run(request);
    request.targetIds = idsOf(own->target);
    const auto forced = engine->run(request);
    QVERIFY(own->cross->weights == forced->cross->weights && own->decoder->weights == forced->decoder->weights);
    QCOMPARE(idsOf(forced->emitted), idsOf(own->emitted));
    QVERIFY(forced->targetForced && !own->targetForced);
}

void TestEngine::targetIds() {
    const auto engine = Engine::open(marian);
    Request request;
    request.sourceIds = {12, 40, 7, 0};
    request.targetIds = {33, 210, 0, 5}; // no start token, specials within: taken as they are
    const auto trace = engine->run(request);
    QCOMPARE(idsOf(trace->target), request.targetIds);
    QCOMPARE(idsOf(trace->source), request.sourceIds);
    QCOMPARE(trace->emitted.back().id, trace->predictions.back().candidates.front().id);
    QVERIFY(trace->source.back().special && !trace->source.front().special && trace->target[1].special);
    QCOMPARE(QString::fromStdString(broken(*trace)), QString());
}

void TestEngine::beam() {
    const auto engine = Engine::open(marian);
    for (const std::int64_t word : {3, 50, 120, 200}) {
        Request request;
        request.sourceIds = {word, 17, word, 0};
        request.maxLength = 8;
        request.record.logits = true;
        const auto greedy = engine->run(request);
        request.beam = 4;
        const auto wide = engine->run(request);
        QCOMPARE(QString::fromStdString(broken(*wide)), QString());
        const bool bothWhole = greedy->emitted.back().id == 0 && wide->emitted.back().id == 0;
        const bool bothCut = greedy->emitted.size() == 8 && wide->emitted.size() == 8;
        if (bothWhole || bothCut)
            QVERIFY(meanLogProbability(*wide) >= meanLogProbability(*greedy) - 1e-5);
    }
}

void TestEngine::maxLength() {
    const auto engine = Engine::open(marian);
    Request request;
    request.sourceIds = {162, 133, 8};
    request.maxLength = 3;
    const auto trace = engine->run(request);
    QCOMPARE(trace->emitted.size(), 3U);
    for (const auto& token : trace->emitted)
        QCOMPARE(token.word, -1); // without a tokenizer there are no letters, and no words
    QCOMPARE(trace->notices, std::vector<std::string>{"translation stopped after 3 tokens"});
    request.maxLength = 1000; // more than there are positions
    QVERIFY(engine->run(request)->emitted.size() <= 64);
}

void TestEngine::bannedWords() {
    const Folder folder;
    folder.copyOfMarian();
    Request request;
    request.sourceIds = {162, 133, 8};
    request.maxLength = 4;
    const auto first = Engine::open(folder.path())->run(request)->emitted.front().id;
    auto config = QJsonDocument::fromJson(read(marian / "config.json").toUtf8()).object();
    config["bad_words_ids"] = QJsonArray{QJsonArray{qint64(first)}, QJsonArray{1, 2}};
    folder.config(config);
    const auto trace = Engine::open(folder.path())->run(request);
    for (const auto& token : trace->emitted)
        QVERIFY(token.id != first);
}

void TestEngine::stops() {
    const auto engine = Engine::open(marian);
    Request request;
    request.sourceIds = {1, 2, 3};
    std::stop_source stop;
    QVERIFY(engine->run(request, stop.get_token()));
    stop.request_stop();
    QVERIFY(!engine->run(request, stop.get_token()));
    QVERIFY(engine->run(request)); // and the next one runs
}

void TestEngine::weightsThatAreNotFinite() {
    const Folder folder;
    folder.recurrent();
    auto tensors = recurrentTensors(true);
    for (auto& numbers : tensors.m_numbers)
        std::fill(numbers.begin(), numbers.end(), std::nanf(""));
    tensors.write(folder.path() / "model.safetensors");
    Request request;
    request.source = "the cat";
    for (request.beam = 1; request.beam < 4; request.beam += 2) {
        const auto trace = Engine::open(folder.path())->run(request);
        QCOMPARE(trace->notices.size(), 2U); // of the weights, and of what came out
        QVERIFY(QString::fromStdString(trace->notices[0]).contains(QLatin1String("not finite numbers: ")));
        QVERIFY(QString::fromStdString(trace->notices[1]).contains(QLatin1String("not finite")));
        QCOMPARE(trace->emitted.size(), trace->target.size());
    }
}

void TestEngine::wrongRequests_data() {
    QTest::addColumn<Request>("request");
    QTest::addColumn<QString>("says");
    Request high, negative, target, text, words;
    high.sourceIds = {5, 211};
    negative.sourceIds = {-1};
    target.sourceIds = {5};
    target.targetIds = {210, 999999};
    text.source = "cat";
    words.sourceIds = {5};
    words.target = "chat";
    QTest::newRow("source id too high") << high << "--ids: 211 is not an id of this model (ids go from 0 to 210)";
    QTest::newRow("source id negative") << negative << "--ids: -1 is not an id";
    QTest::newRow("target id too high") << target << "--target-ids: 999999 is not an id";
    QTest::newRow("text without a tokenizer") << text << "give token ids instead of text";
    QTest::newRow("target text without a tokenizer") << words << "give token ids instead of text";
}

void TestEngine::wrongRequests() {
    QFETCH(Request, request);
    QFETCH(QString, says);
    const auto engine = Engine::open(marian);
    try {
        engine->run(request);
        QFAIL("nothing was said");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), Error::Kind::Invalid);
        QVERIFY2(QString::fromUtf8(error.what()).contains(says), error.what());
    }
}

void TestEngine::tokenizeNeedsNoWeights() {
    const Folder folder;
    folder.tokenizer();
    const auto tokens = openTokenizer(folder.path())->encode("the cat");
    QVERIFY(!tokens.empty());
    QCOMPARE(tokens.back().bytes.end, 7U);
    QVERIFY_THROWS_EXCEPTION(Error, openTokenizer(marian));
}

void TestEngine::saysWhatComputes() {
    Engine::setThreads(1);
    const auto info = Engine::compute();
    QCOMPARE(info.threads, 1);
    QVERIFY(!info.libtorch.empty() && !info.blas.empty());
}

QTEST_GUILESS_MAIN(TestEngine)
#include "tst_engine.moc"
