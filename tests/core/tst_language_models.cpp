// Protects the training of language models: vocabularies, rows of text, hiding, both losses, and the folders written.
#include "core/engine.h"
#include "core/files/whole_file.h"
#include "core/text/tokenizer.h"
#include "models/train/corpus.h"
#include "models/train/language_scores.h"
#include "models/train/objective.h"
#include "models/train/report.h"
#include "models/train/subwords.h"
#include "models/train/train_command.h"
#include "models/train/trainer.h"
#include "tests/support/tiny_models.h"

#include <torch/torch.h>

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>

using namespace headlight;

namespace {

constexpr std::int64_t vocabulary = 20, first = 1, separator = 2, mask = 3;

std::filesystem::path pathOf(const QTemporaryDir& folder, const char* name) {
    return std::filesystem::path(folder.path().toStdString()) / name;
}

Network smallNetwork(const std::string& architecture) {
    const nlohmann::json json = architecture == "causal"
                                    ? nlohmann::json{{"model_type", "gpt2"},  {"vocab_size", vocabulary},
                                                     {"n_embd", 16},          {"n_layer", 1},
                                                     {"n_head", 2},           {"n_positions", 12},
                                                     {"bos_token_id", first}, {"eos_token_id", separator}}
                                    : nlohmann::json{{"model_type", "bert"},     {"architectures", {"BertForMaskedLM"}},
                                                     {"vocab_size", vocabulary}, {"hidden_size", 16},
                                                     {"num_hidden_layers", 1},   {"num_attention_heads", 2},
                                                     {"intermediate_size", 32},  {"max_position_embeddings", 12},
                                                     {"type_vocab_size", 1}};
    const ModelConfig config(json, "config of the test");
    torch::manual_seed(3);
    return findFamily(config).build(config, nullptr);
}

Masking smallMasking() {
    return {.mask = mask, .kept = {0, first, separator, mask}, .vocabulary = vocabulary};
}

/// Rows that count upwards: each token follows from either neighbour.
Corpus countingRows(std::size_t count) {
    Corpus corpus;
    for (std::size_t i = 0; i < count; ++i) {
        std::vector<std::int64_t> row{first};
        for (std::size_t j = 0; j < 5 + i % 3; ++j)
            row.push_back(static_cast<std::int64_t>(4 + (i + j) % 16));
        row.push_back(separator);
        corpus.pairs.push_back({row, {}});
    }
    return corpus;
}

constexpr const char* textOfCats = "the cat sat on the mat\nthe dog sat on the cat\nthe mat is on the dog\n"
                                   "a cat is on a mat\na dog is on the mat\nthe cat saw a dog\n";

/// The vocabulary that suits an architecture, learnt from a few sentences, which are repeated to be frequent enough.
std::filesystem::path writeVocabulary(const QTemporaryDir& folder, const QString& architecture) {
    const auto text = pathOf(folder, "text.txt");
    std::ofstream stream(text);
    for (int i = 0; i < 20; ++i)
        stream << textOfCats;
    stream.close();
    if (architecture == QStringLiteral("causal"))
        writeBytePairs({text}, 300, pathOf(folder, "vocabulary"));
    else
        writeWordPieces({text}, 80, pathOf(folder, "vocabulary"));
    return pathOf(folder, "vocabulary");
}

/// A training of a tiny model on these sentences, into the folder's `model`.
std::vector<std::string> commandOf(const QTemporaryDir& folder, const QString& architecture) {
    const auto vocabularyFolder = writeVocabulary(folder, architecture).string();
    const auto text = pathOf(folder, "text.txt").string(), out = pathOf(folder, "model").string();
    return {"headlight-train",
            "train",
            "--architecture",
            architecture.toStdString(),
            "--corpus",
            text,
            "--valid",
            text,
            "--vocabulary",
            vocabularyFolder,
            "--out",
            out,
            "--width",
            "16",
            "--heads",
            "2",
            "--layers",
            "1",
            "--feed-forward",
            "32",
            "--longest",
            "16",
            "--steps",
            "150",
            "--batch-tokens",
            "200",
            "--learning-rate",
            "0.01",
            "--warmup",
            "10",
            "--validate-every",
            "50",
            "--precision",
            "bfloat16"};
}

void addArchitectures() {
    QTest::addColumn<QString>("architecture");
    QTest::newRow("masked") << "masked";
    QTest::newRow("causal") << "causal";
}

} // namespace

class TestLanguageModels : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void mergesThePairsOfThePaper();
    void aMarkIsDroppedWithinAWord();
    void vocabulariesOpen_data() { addArchitectures(); }
    void vocabulariesOpen();
    void readsTexts_data();
    void readsTexts();
    void rowsHoldAsManyLinesAsFit();
    void rowsOfADecoderBeginAndEnd();
    void hidesAsDevlinDoes();
    void hidesAtLeastOne();
    void causalLossIsThatOfEachPrefix();
    void maskedLossIsOfHiddenTokensOnly();
    void anEncoderNeedsAMask();
    void learnsAndGoesOnAfterAStop_data() { addArchitectures(); }
    void learnsAndGoesOnAfterAStop();
    void theFolderOpensAndPredicts_data() { addArchitectures(); }
    void theFolderOpensAndPredicts();
    void beginsWithTheWeightsOfAnother_data() { addArchitectures(); }
    void beginsWithTheWeightsOfAnother();
    void isScoredBesideBaselines_data() { addArchitectures(); }
    void isScoredBesideBaselines();
    void theReportTellsOfAllKinds();
};

/// Sennrich, Haddow and Birch 2016, algorithm 1: its own words.
void TestLanguageModels::mergesThePairsOfThePaper() {
    const auto merges = learnMerges({{{"l", "o", "w", "</w>"}, 5},
                                     {{"l", "o", "w", "e", "r", "</w>"}, 2},
                                     {{"n", "e", "w", "e", "s", "t", "</w>"}, 6},
                                     {{"w", "i", "d", "e", "s", "t", "</w>"}, 3}},
                                    6);
    QStringList joined;
    for (const auto& merge : merges)
        joined += QString::fromStdString(merge.first + "+" + merge.second);
    QCOMPARE(joined.join(QLatin1Char(' ')), QStringLiteral("e+s es+t est+</w> l+o lo+w e+w"));
    // Equal letters do not overlap: aaa is aa and a.
    QCOMPARE(learnMerges({{{"a", "a", "a"}, 2}}, 2).back().joined, std::string("aaa"));
    QVERIFY(learnMerges({{{"a", "b"}, 1}}, 2).empty()); // seen once
}

void TestLanguageModels::aMarkIsDroppedWithinAWord() {
    const auto merges = learnMerges({{{"t", "##h", "##e"}, 3}, {{"o", "##h", "##e"}, 2}}, 2, "##");
    QCOMPARE(merges[0].joined, std::string("##he"));
    QCOMPARE(merges[1].joined, std::string("the"));
}

void TestLanguageModels::vocabulariesOpen() {
    QFETCH(QString, architecture);
    const QTemporaryDir folder;
    const auto tokenizer = openTokenizer(writeVocabulary(folder, architecture));
    QStringList words;
    std::vector<std::int64_t> ids;
    for (const auto& token : tokenizer->encode("the cat sat on the mats")) {
        words += QString::fromStdString(token.text);
        ids.push_back(token.id);
    }
    QCOMPARE(QString::fromStdString(tokenizer->decode(ids)), QStringLiteral("the cat sat on the mats"));
    const auto framed = tokenizer->assemble({}, {});
    if (architecture == QStringLiteral("masked")) {
        QCOMPARE(words.join(QLatin1Char(' ')), QStringLiteral("the cat sat on the mat ##s"));
        QCOMPARE(framed.size(), std::size_t{2});
        QVERIFY(tokenizer->roles().mask);
    } else {
        QCOMPARE(words.join(QLatin1Char(' ')), QStringLiteral("the Ġcat Ġsat Ġon Ġthe Ġmat s"));
        QCOMPARE(framed.size(), std::size_t{1});
        QCOMPARE(framed.front().id, tokenizer->size() - 1);
        QCOMPARE(tokenizer->roles().end, tokenizer->roles().begin);
    }
}

void TestLanguageModels::readsTexts_data() {
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("content");
    QTest::addColumn<QStringList>("texts"); // lines joined by a bar
    QTest::newRow("a text a line") << "a.txt"
                                   << "one\ntwo\n\nthree\n"
                                   << QStringList{"one", "two", "three"};
    QTest::newRow("pairs") << "a.txt"
                           << "one\tun\ntwo\tun\n"
                           << QStringList{"one", "two"};
    QTest::newRow("running") << "running:a.txt"
                             << "one\ntwo\n\nthree\n"
                             << QStringList{"one|two", "three"};
    QTest::newRow("books") << "running:a.txt"
                           << "one\tA\ntwo\tA\r\nthree\tB\n"
                           << QStringList{"one|two", "three"};
}

void TestLanguageModels::readsTexts() {
    QFETCH(QString, typed);
    QFETCH(QString, content);
    QFETCH(QStringList, texts);
    const QTemporaryDir folder;
    std::ofstream(pathOf(folder, "a.txt")) << content.toStdString();
    auto file = textFile(typed.toStdString());
    file.path = pathOf(folder, file.path.c_str());
    QStringList found;
    for (const auto& lines : readTexts(file)) {
        QStringList joined;
        for (const auto& line : lines)
            joined += QString::fromStdString(line);
        found += joined.join(QLatin1Char('|'));
    }
    QCOMPARE(found, texts);
    std::ofstream(pathOf(folder, "a.txt")) << "\n";
    QVERIFY_THROWS_EXCEPTION(Error, readTexts(file));
}

void TestLanguageModels::rowsHoldAsManyLinesAsFit() {
    const QTemporaryDir folder;
    const auto tokenizer = openTokenizer(writeVocabulary(folder, QStringLiteral("masked")));
    auto network = smallNetwork("masked");
    const std::vector<Lines> texts{{"the cat", "sat on", "the mat", "the cat sat on the mat the cat", "a dog"},
                                   {"cat"}};
    const auto corpus = encodeRows(texts, *tokenizer, network, 6); // [CLS] and [SEP] are two of them
    QStringList rows;
    for (const auto& row : corpus.pairs) {
        QCOMPARE(row.source.front(), *tokenizer->roles().classify);
        QCOMPARE(row.source.back(), *tokenizer->roles().separator);
        rows += QString::fromStdString(tokenizer->decode(row.source));
    }
    QCOMPARE(rows, (QStringList{"the cat sat on", "the mat", "a dog", "cat"}));
    QCOMPARE(corpus.tooLong, std::size_t{1});
}

void TestLanguageModels::rowsOfADecoderBeginAndEnd() {
    const QTemporaryDir folder;
    const auto tokenizer = openTokenizer(writeVocabulary(folder, QStringLiteral("causal")));
    auto network = smallNetwork("causal");
    const auto corpus = encodeRows({{"the cat", "sat", "on the mat"}}, *tokenizer, network, 5);
    QCOMPARE(corpus.pairs.size(), std::size_t{2});
    const auto ids = [&](const char* text) {
        std::vector<std::int64_t> found;
        for (const auto& token : tokenizer->encode(text))
            found.push_back(token.id);
        return found;
    };
    auto whole = ids("the cat sat"); // the second line has its space
    whole.insert(whole.begin(), first);
    QCOMPARE(corpus.pairs[0].source, whole); // the text goes on: no end
    auto last = ids("on the mat");
    last.insert(last.begin(), first);
    last.push_back(separator);
    QCOMPARE(corpus.pairs[1].source, last);
}

void TestLanguageModels::hidesAsDevlinDoes() {
    auto ids = torch::randint(4, vocabulary, {200, 100}, torch::kInt64);
    ids.select(1, 0).fill_(first);
    ids.select(1, 99).fill_(separator);
    const auto hidden = hideTokens(ids, smallMasking(), 7);
    const auto before = ids.flatten(), after = hidden.ids.flatten();
    QVERIFY(before.index_select(0, hidden.places).equal(hidden.expected));
    QVERIFY(hidden.expected.ge(4).all().item<bool>());
    auto others = torch::ones_like(before, torch::kBool);
    others.index_fill_(0, hidden.places, false);
    QVERIFY(before.masked_select(others).equal(after.masked_select(others)));

    const auto share = [&](const torch::Tensor& true_) { return true_.to(torch::kFloat64).mean().item<double>(); };
    const auto near = [](double found, double expected, double tolerance) {
        return std::abs(found - expected) < tolerance;
    };
    const auto became = after.index_select(0, hidden.places);
    QVERIFY(near(static_cast<double>(hidden.places.size(0)) / (200.0 * 98), 0.15, 0.01));
    // A random token may be the old one, once in 20, or the mask.
    QVERIFY(near(share(became.eq(mask)), 0.8 + 0.1 / 20, 0.03));
    QVERIFY(near(share(became.eq(hidden.expected)), 0.1 + 0.1 / 20, 0.02));

    QVERIFY(hideTokens(ids, smallMasking(), 7).ids.equal(hidden.ids));
    QVERIFY(!hideTokens(ids, smallMasking(), 8).places.equal(hidden.places));
}

void TestLanguageModels::hidesAtLeastOne() {
    const auto ids = torch::tensor({{first, std::int64_t{9}, separator}}, torch::kInt64);
    for (std::uint64_t seed = 0; seed < 10; ++seed)
        QCOMPARE(hideTokens(ids, smallMasking(), seed).places.size(0), 1);
    QCOMPARE(hideTokens(ids.narrow(1, 0, 1), smallMasking(), 1).places.size(0), 0);
}

void TestLanguageModels::causalLossIsThatOfEachPrefix() {
    auto network = smallNetwork("causal");
    network.causal->eval();
    const auto rows = countingRows(4);
    const auto objective = makeObjective(network);
    const auto loss = objective->loss(rows.pairs, {0, 3}, torch::kCPU, 0, 1); // of one length
    double expected = 0;
    for (const std::size_t index : {0, 3}) {
        const auto& row = rows.pairs[index].source;
        for (std::size_t length = 1; length < row.size(); ++length) {
            DecoderState fresh;
            const std::vector<std::int64_t> prefix(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(length));
            const auto states = network.causal->decode(torch::tensor(prefix).unsqueeze(0), fresh, Context());
            const auto logits = network.causal->logits(states.select(1, states.size(1) - 1));
            expected -= torch::log_softmax(logits, -1)[0][row[length]].item<double>();
        }
    }
    QVERIFY(std::abs(loss.sum.item<double>() - expected) < 1e-3);
    QCOMPARE(loss.predicted, static_cast<std::int64_t>(2 * (rows.pairs[0].source.size() - 1)));
}

void TestLanguageModels::maskedLossIsOfHiddenTokensOnly() {
    auto network = smallNetwork("masked");
    network.encoder->eval();
    const auto rows = countingRows(4);
    const auto objective = makeObjective(network, smallMasking());
    const auto loss = objective->loss(rows.pairs, {0, 3}, torch::kCPU, 0, 5);
    const auto hidden = hideTokens(makeRows(rows.pairs, {0, 3}), smallMasking(), 5);
    const auto logits = network.encoder->logits(network.encoder->encode(hidden.ids, {}, {}, Context())).flatten(0, 1);
    const auto said = torch::log_softmax(logits, -1).index_select(0, hidden.places);
    const auto expected = -said.gather(1, hidden.expected.unsqueeze(1)).sum().item<double>();
    QVERIFY(std::abs(loss.sum.item<double>() - expected) < 1e-3);
    QCOMPARE(loss.predicted, hidden.places.size(0));
    QCOMPARE(loss.read, hidden.ids.numel());
}

void TestLanguageModels::anEncoderNeedsAMask() {
    QVERIFY_THROWS_EXCEPTION(Error, makeObjective(smallNetwork("masked")));
}

void TestLanguageModels::learnsAndGoesOnAfterAStop() {
    QFETCH(QString, architecture);
    const QTemporaryDir folder;
    const auto corpus = countingRows(60);
    const std::atomic<bool> never = false;
    const TrainOptions options{.steps = 300,
                               .batchTokens = 80,
                               .learningRate = 1e-2,
                               .warmup = 10,
                               .smoothing = 0,
                               .validateEvery = 40,
                               .patience = 1000,
                               .seed = 5};
    const auto trainer = [&](const char* state) {
        return Trainer(makeObjective(smallNetwork(architecture.toStdString()), smallMasking()), corpus, {corpus},
                       options, pathOf(folder, state));
    };
    const Trainer::Listener silent{[](const Progress&) {}, [](const std::vector<double>&, bool) {}};
    std::vector<double> losses;
    auto unbroken = trainer("unbroken");
    unbroken.run({silent.progress, [&](const auto& found, bool) { losses.push_back(found.front()); }}, never);
    QVERIFY2(losses.back() < 0.8 * losses.front(),
             qPrintable(QStringLiteral("%1 -> %2").arg(losses.front()).arg(losses.back())));

    std::atomic<bool> stop = false;
    auto broken = trainer("broken");
    broken.run({silent.progress, [&](const auto&, bool) { stop = broken.step() == 40; }}, stop);
    QCOMPARE(broken.step(), 40);
    auto second = trainer("broken");
    QVERIFY(second.resumed());
    second.run(silent, never);
    const auto expected = unbroken.network().module().named_parameters();
    for (const auto& parameter : second.network().module().named_parameters())
        QVERIFY2(parameter.value().equal(expected[parameter.key()]), parameter.key().c_str());
}

void TestLanguageModels::theFolderOpensAndPredicts() {
    QFETCH(QString, architecture);
    const QTemporaryDir folder;
    const auto words = commandOf(folder, architecture);
    QCOMPARE(trainCommand(Arguments(words, trainOptionNames), torch::kCPU), 0);
    const auto engine = Engine::open(pathOf(folder, "model"));
    QCOMPARE(engine->info().maxPositions, 16);
    Request request;
    const bool masked = architecture == QStringLiteral("masked");
    request.source = masked ? "the cat sat [MASK] the mat" : "the cat sat";
    const auto trace = engine->run(request);
    QCOMPARE(trace->block(masked ? BlockKind::Encoder : BlockKind::Decoder)->heads, 2);
    const auto& said = trace->predictions.at(masked ? 4 : 3).candidates.front();
    QCOMPARE(QString::fromStdString(said.text), masked ? QStringLiteral("on") : QStringLiteral("Ġon"));
    // The same command again finds that all is done, one of other sizes is refused.
    QCOMPARE(trainCommand(Arguments(words, trainOptionNames), torch::kCPU), 0);
    auto others = words;
    *std::next(std::find(others.begin(), others.end(), "--width")) = "32";
    QVERIFY_THROWS_EXCEPTION(Error, trainCommand(Arguments(others, trainOptionNames), torch::kCPU));
}

void TestLanguageModels::beginsWithTheWeightsOfAnother() {
    QFETCH(QString, architecture);
    const QTemporaryDir folder;
    const auto words = commandOf(folder, architecture);
    QCOMPARE(trainCommand(Arguments(words, trainOptionNames), torch::kCPU), 0);
    const auto with = [&](std::vector<std::pair<std::string, std::string>> values) {
        auto command = words;
        for (const auto& [name, value] : values)
            if (const auto found = std::find(command.begin(), command.end(), name); found != command.end())
                *std::next(found) = value;
            else
                command.insert(command.end(), {name, value});
        return trainCommand(Arguments(command, trainOptionNames), torch::kCPU);
    };
    const auto first = pathOf(folder, "model"), second = pathOf(folder, "second");
    QCOMPARE(with({{"--out", second.string()}, {"--from", first.string()}, {"--steps", "1"}, {"--learning-rate", "0"}}),
             0);
    const auto bytes = [](const std::filesystem::path& model) {
        return readWholeFile(model / "model.safetensors", 1 << 20);
    };
    QVERIFY(bytes(second) == bytes(first));
    QVERIFY_THROWS_EXCEPTION(
        Error, with({{"--out", pathOf(folder, "third").string()}, {"--from", first.string()}, {"--width", "32"}}));
    // What fits is most of it here, all but the feed-forward layers.
    QCOMPARE(with({{"--out", pathOf(folder, "fourth").string()}, {"--from", first.string()}, {"--feed-forward", "40"}}),
             0);
}

void TestLanguageModels::isScoredBesideBaselines() {
    QFETCH(QString, architecture);
    const QTemporaryDir folder;
    QCOMPARE(trainCommand(Arguments(commandOf(folder, architecture), trainOptionNames), torch::kCPU), 0);
    const auto model = OpenedModel::open(pathOf(folder, "model"), torch::kCPU);
    const TextFile text{pathOf(folder, "text.txt"), false};
    auto texts = readTexts(text);
    texts.resize(6);
    const auto baseline = learnTrigrams(model, {text});
    const auto scores = languageScores(model, texts, &baseline);
    const bool masked = architecture == QStringLiteral("masked");
    QCOMPARE(scores.masked, masked);
    QCOMPARE(scores.rows, 6);
    QCOMPARE(scores.words, std::int64_t{6 + 6 + 6 + 6 + 6 + 5});
    QCOMPARE(scores.tooLong, std::size_t{0});
    const auto corpus = encodeRows(texts, *model.tokenizer, model.network, 16);
    if (!masked) {
        std::int64_t tokens = 0;
        double unigrams = 0, trigrams = 0;
        for (const auto& row : corpus.pairs) {
            tokens += static_cast<std::int64_t>(row.source.size()) - 1;
            for (std::size_t i = 1; i < row.source.size(); ++i) {
                unigrams -= std::log(baseline.unigram(row.source[i]));
                trigrams -= std::log(baseline.trigram(row.source, i));
            }
        }
        QCOMPARE(scores.asked, tokens);
        const auto objective = makeObjective(model.network);
        const double expected = meanLoss(*objective, corpus.pairs, torch::kCPU) * static_cast<double>(tokens);
        QVERIFY(std::abs(scores.model.nats - expected) < 1e-2);
        QVERIFY(std::abs(scores.unigram->nats - unigrams) < 1e-9);
        QVERIFY(std::abs(scores.trigram->nats - trigrams) < 1e-9);
    } else {
        QVERIFY(scores.asked > 0 && scores.asked < 20);
        QVERIFY(scores.trigram->first <= scores.trigram->five && scores.trigram->five <= scores.asked);
        QVERIFY(scores.model.five > 0);
    }
    QVERIFY(scores.trigram->nats < scores.unigram->nats);
    QVERIFY(scores.model.nats < scores.unigram->nats);
    QVERIFY(!languageScores(model, texts, nullptr).trigram);
}

void TestLanguageModels::theReportTellsOfAllKinds() {
    const QTemporaryDir masked, causal;
    QCOMPARE(trainCommand(Arguments(commandOf(masked, "masked"), trainOptionNames), torch::kCPU), 0);
    QCOMPARE(trainCommand(Arguments(commandOf(causal, "causal"), trainOptionNames), torch::kCPU), 0);
    const Folder translator;
    translator.recurrent();
    const auto pairs = pathOf(masked, "pairs.tsv");
    std::ofstream(pairs) << "a b\tc d\n";
    const TextFile text{pathOf(masked, "text.txt"), false};
    ReportInputs inputs;
    inputs.groups.push_back({.models = {translator.path()}, .tests = {{pairs, false}}, .words = BleuWords::Chinese});
    inputs.groups.push_back(
        {.models = {pathOf(masked, "model"), pathOf(causal, "model")}, .tests = {text}, .corpora = {text}});
    inputs.beam = 2;
    const auto page = QString::fromStdString(report(inputs).page);
    for (const auto* expected :
         {"## model, model\n", "### text.txt\n", "| guessed by | first guess | five guesses |",
          "| guessed by | perplexity of a token | perplexity of a word |", "| trigrams | ", "tok:zh",
          "### Heads of model\n", "| encoder L0 H1 | ", "| decoder L0 H0 | ", "| cross L0 H0 | – | – | – | "})
        QVERIFY2(page.contains(QString::fromUtf8(expected)), qPrintable(QString::fromUtf8(expected) + "\n" + page));
}

QTEST_GUILESS_MAIN(TestLanguageModels)
#include "tst_language_models.moc"
