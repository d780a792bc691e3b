// Protects the trainer: batches without wasted padding, BLEU, the schedule, and that a stopped training goes on as if
// it had not been stopped.
#include "core/error.h"
#include "models/train/adam.h"
#include "models/train/batches.h"
#include "models/train/bleu.h"
#include "models/train/corpus.h"
#include "models/train/objective.h"
#include "models/train/trainer.h"

#include <torch/torch.h>

#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <set>

using namespace headlight;

namespace {

/// Targets that are the sources, reversed: learnt quickly by any of the networks.
std::vector<IdPair> reversedPairs(std::size_t count) {
    std::vector<IdPair> pairs;
    for (std::size_t i = 0; i < count; ++i) {
        std::vector<std::int64_t> words;
        for (std::size_t j = 0; j < 2 + i % 4; ++j)
            words.push_back(static_cast<std::int64_t>(2 + (i * 7 + j * 3) % 9));
        IdPair pair{words, {words.rbegin(), words.rend()}};
        pair.source.push_back(0);
        pair.target.push_back(0);
        pairs.push_back(pair);
    }
    return pairs;
}

Network smallNetwork(const std::string& architecture, int hidden = 16) {
    nlohmann::json json{{"vocab_size", 12},
                        {"pad_token_id", 11},
                        {"eos_token_id", 0},
                        {"decoder_start_token_id", 11},
                        {"max_position_embeddings", 20},
                        {"dropout", 0.1}};
    if (architecture == "transformer")
        json.update({{"model_type", "marian"},
                     {"d_model", 16},
                     {"encoder_layers", 1},
                     {"decoder_layers", 1},
                     {"encoder_attention_heads", 2},
                     {"encoder_ffn_dim", 32},
                     {"scale_embedding", true},
                     {"activation_function", "relu"}});
    else
        json.update({{"model_type", "headlight_recurrent"},
                     {"attention", architecture == "conditional" ? "additive" : architecture},
                     {"decoder", architecture == "conditional" ? "conditional" : "paper"},
                     {"embedding_size", 12},
                     {"hidden_size", hidden},
                     {"alignment_size", 12}});
    const ModelConfig config(json, "config of the test");
    torch::manual_seed(3);
    return findFamily(config).build(config, nullptr);
}

TrainOptions smallOptions(std::int64_t steps) {
    return {.steps = steps,
            .batchTokens = 40,
            .learningRate = 1e-2,
            .warmup = 10,
            .validateEvery = 10,
            .patience = 1000,
            .seed = 5};
}

const Trainer::Listener silent{[](const Progress&) {}, [](const std::vector<double>&, bool) {}};

std::filesystem::path pathOf(const QTemporaryDir& folder, const char* name) {
    return std::filesystem::path(folder.path().toStdString()) / name;
}

} // namespace

class TestTrainer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsTheFirstTwoColumns();
    void namesTheLineWithoutATab();
    void planHoldsEachPairOnceAndIsRepeatable();
    void batchShiftsAndPadsTargets();
    void scheduleRisesAndFalls();
    void wordsOf13a_data();
    void wordsOf13a();
    void wordsOfChinese_data();
    void wordsOfChinese();
    void bleuOfKnownSentences();
    void bleuOfChinese();
    void bleuSaysHowItCounts();
    void lossLeavesPaddingOut();
    void smoothedLossAndItsGradientAreLibTorchs();
    void adamIsLibTorchs();
    void learnsAndGoesOnAfterAStop_data();
    void learnsAndGoesOnAfterAStop();
    void refusesTheStateOfAnotherModel();
    void goesOnWithASmallerCorpus();
    void measuresAnewOnOtherValidationTexts();
    void refusesAnEmptyCorpus();
    void stopsBeforeSavingWhatIsNotFinite();
    void stopsWhenItNoLongerImproves();
};

void TestTrainer::readsTheFirstTwoColumns() {
    const QTemporaryDir folder;
    std::ofstream(pathOf(folder, "a.tsv")) << "one\tun\tfrom here\r\n\ntwo\tdeux\n";
    const auto pairs = readParallelText(pathOf(folder, "a.tsv"));
    QCOMPARE(pairs.size(), std::size_t{2});
    QCOMPARE(pairs[0].target, std::string("un"));
    QCOMPARE(pairs[1].source, std::string("two"));
}

void TestTrainer::namesTheLineWithoutATab() {
    const QTemporaryDir folder;
    std::ofstream(pathOf(folder, "a.tsv")) << "one\tun\ntwo deux\n";
    try {
        readParallelText(pathOf(folder, "a.tsv"));
        QFAIL("a line without a tab was accepted");
    } catch (const Error& error) {
        QVERIFY(error.place().ends_with("a.tsv:2"));
    }
    QVERIFY_THROWS_EXCEPTION(Error, readParallelText(pathOf(folder, "none.tsv")));
}

void TestTrainer::planHoldsEachPairOnceAndIsRepeatable() {
    const auto pairs = reversedPairs(101);
    const auto plan = planBatches(pairs, 40, 7);
    std::set<std::size_t> seen;
    for (const auto& indices : plan) {
        std::size_t longest = 0;
        for (const auto index : indices) {
            QVERIFY(seen.insert(index).second);
            QCOMPARE(pairs[index].source.size(), pairs[indices.front()].source.size());
            longest = std::max(longest, pairs[index].target.size());
        }
        QVERIFY(longest * indices.size() <= 40);
    }
    QCOMPARE(seen.size(), pairs.size());
    QCOMPARE(planBatches(pairs, 40, 7), plan);
    QVERIFY(planBatches(pairs, 40, 8) != plan);
}

void TestTrainer::batchShiftsAndPadsTargets() {
    const std::vector<IdPair> pairs{{{4, 0}, {5, 0}}, {{6, 0}, {7, 8, 0}}};
    const auto batch = makeBatch(pairs, {0, 1}, {.start = 9, .end = 0, .pad = 10}, torch::kCPU);
    QVERIFY(batch.source.equal(torch::tensor({{4, 0}, {6, 0}}, torch::kInt64)));
    QVERIFY(batch.targetIn.equal(torch::tensor({{9, 5, 10}, {9, 7, 8}}, torch::kInt64)));
    QVERIFY(batch.targetOut.equal(torch::tensor({{5, 0, 10}, {7, 8, 0}}, torch::kInt64)));
    QCOMPARE(batch.tokens, 5);
}

void TestTrainer::scheduleRisesAndFalls() {
    const TrainOptions options{.steps = 110, .learningRate = 2, .warmup = 10};
    QCOMPARE(learningRate(options, 5), 1.0);
    QCOMPARE(learningRate(options, 10), 2.0);
    QCOMPARE(learningRate(options, 60), 1.0);
    QVERIFY(learningRate(options, 110) < 1e-9);
}

void TestTrainer::wordsOf13a_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("words");
    QTest::newRow("full stop") << "The end."
                               << "The end .";
    QTest::newRow("number") << "1,000.5 km."
                            << "1,000.5 km .";
    QTest::newRow("apostrophe stays") << "l'eau (froide)"
                                      << "l'eau ( froide )";
    QTest::newRow("hyphen after a digit") << "8-year porte-clés"
                                          << "8 - year porte-clés";
    QTest::newRow("entities") << "A &amp; B"
                              << "A & B";
    QTest::newRow("spaces of French") << QString::fromUtf8("Quoi\u00a0? 10\u202f%") << "Quoi ? 10 %";
    QTest::newRow("nothing") << "  "
                             << "";
    // What sacreBLEU 2 makes of these.
    QTest::newRow("point before a digit") << ".5"
                                          << ". 5";
    QTest::newRow("points in a row") << "5...5"
                                     << "5 . . .5";
    QTest::newRow("point at the end") << "version 1."
                                      << "version 1 .";
}

void TestTrainer::wordsOf13a() {
    QFETCH(QString, text);
    QFETCH(QString, words);
    QStringList found;
    for (const auto& word : bleuWords(text.toStdString()))
        found += QString::fromStdString(word);
    QCOMPARE(found.join(QLatin1Char(' ')), words);
}

/// Expected values are sacreBLEU's TokenizerZh's.
void TestTrainer::wordsOfChinese_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("words");
    const auto row = [](const char* name, const char* text, const char* words) {
        QTest::newRow(name) << QString::fromUtf8(text) << QString::fromUtf8(words);
    };
    row("characters and signs", "為什麼不？", "為 什 麼 不 ？");
    row("digits", "我有3隻貓，1.5隻狗。", "我 有 3 隻 貓 ， 1.5 隻 狗 。");
    row("quotation marks", "他說：「好。」", "他 說 ： 「 好 。 」");
    row("Latin letters", "Python 3.11的print()函式", "Python 3.11 的 print ( ) 函 式");
    row("dashes", "「C++」—真的…", "「 C + + 」 — 真 的 …");
    row("point at the end stays", "版本1.", "版 本 1.");
    row("point at the beginning stays", ".5元", ".5 元");
    row("full width", "全形ＡＢＣ１２", "全 形 Ａ Ｂ Ｃ １ ２");
    row("entities stay", "& &amp; <b>", "& & amp ; < b >");
    row("bopomofo", "我ㄅㄆ", "我 ㄅ ㄆ");
    row("hyphen after a digit", "20-30人", "20 - 30 人");
    row("signs of other scripts", "€5→6", "€ 5 → 6");
    row("plane 2 does not stand alone", "𠀀𠀁字", "𠀀𠀁 字");
    row("wide spaces", "\u3000前後\u3000", "前 後");
}

void TestTrainer::wordsOfChinese() {
    QFETCH(QString, text);
    QFETCH(QString, words);
    QStringList found;
    for (const auto& word : bleuWords(text.toStdString(), BleuWords::Chinese))
        found += QString::fromStdString(word);
    QCOMPARE(found.join(QLatin1Char(' ')), words);
}

void TestTrainer::bleuOfChinese() {
    // Three of four characters, two of three pairs, one of two triples, the one of four smoothed to 1/2.
    const double expected = 100 * std::pow(3.0 / 4 * 2 / 3 * 1 / 2 * 1 / 2, 0.25);
    QVERIFY(std::abs(bleu({"我喜歡你"}, {"我喜歡他"}, BleuWords::Chinese) - expected) < 1e-9);
    QCOMPARE(bleu({"我喜歡你"}, {"我喜歡他"}), 0.0);
    // As sacreBLEU 2 counts.
    const double found = bleu({"我有一隻貓。", "他昨天去學校了。", "Python 很好用。"},
                              {"我有一隻狗。", "他昨天去了學校。", "Python 十分好用。"}, BleuWords::Chinese);
    QVERIFY(std::abs(found - 42.08341931743693) < 1e-9);
}

void TestTrainer::bleuSaysHowItCounts() {
    QCOMPARE(bleuSignature(bleuWordsNamed("zh")), std::string("nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp"));
    QCOMPARE(bleuSignature(bleuWordsNamed("13a")), std::string("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"));
    QVERIFY_THROWS_EXCEPTION(Error, bleuWordsNamed("ja-mecab"));
}

void TestTrainer::bleuOfKnownSentences() {
    QCOMPARE(bleu({"the cat is on the mat ."}, {"the cat is on the mat ."}), 100.0);
    QCOMPARE(bleu({""}, {"the cat"}), 0.0);
    QCOMPARE(bleu({"v w x y z"}, {"a b c d e"}), 0.0); // nothing to smooth
    // n-grams that match: 4 of 5, 2 of 4, 1 of 3, 0 of 2, the last smoothed to 1 / (2 · 2); the lengths agree.
    const double expected = 100 * std::pow(4.0 / 5 * 2 / 4 * 1 / 3 * 1 / 4, 0.25);
    QVERIFY(std::abs(bleu({"a b c x e"}, {"a b c d e"}) - expected) < 1e-9);
    // A hypothesis that is all right and too short: only the brevity penalty counts.
    QVERIFY(std::abs(bleu({"a b c d"}, {"a b c d e"}) - 100 * std::exp(1 - 5.0 / 4)) < 1e-9);
}

void TestTrainer::lossLeavesPaddingOut() {
    auto network = smallNetwork("additive");
    network.translator->eval();
    const std::vector<IdPair> pairs{{{4, 0}, {5, 0}}, {{6, 0}, {7, 8, 2, 0}}};
    const auto loss = [&](const std::vector<std::size_t>& indices) {
        return tokenLoss(*network.translator, makeBatch(pairs, indices, network.ids, torch::kCPU), network.ids.pad, 0)
            .item<double>();
    };
    QVERIFY(std::abs(loss({0, 1}) - loss({0}) - loss({1})) < 1e-4);
}

// The loss takes some rows at a time and makes its own gradient: here more rows than it takes at once.
void TestTrainer::smoothedLossAndItsGradientAreLibTorchs() {
    auto network = smallNetwork("additive");
    auto& model = *network.translator;
    model.eval();
    const auto pairs = reversedPairs(64);
    std::vector<std::size_t> indices; // of one source length
    for (std::size_t i = 3; i < pairs.size(); i += 4)
        indices.insert(indices.end(), 2, i);
    const auto batch = makeBatch(pairs, indices, network.ids, torch::kCPU);
    const auto gradients = [&](const torch::Tensor& loss) {
        model.zero_grad();
        (loss / batch.tokens).backward();
        std::vector<torch::Tensor> parts;
        for (const auto& parameter : model.parameters())
            parts.push_back(parameter.grad().flatten().clone());
        return torch::cat(parts);
    };
    const auto memory = model.encode(batch.source, {}, {});
    const auto logits = model.logits(model.decode(batch.targetIn, memory, {})).flatten(0, 1);
    QVERIFY(logits.size(0) > 64);
    const auto expected = torch::nn::functional::cross_entropy(
        logits, batch.targetOut.flatten(),
        torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum).label_smoothing(0.1));
    const auto loss = tokenLoss(model, batch, network.ids.pad, 0.1);
    QVERIFY(std::abs(loss.item<double>() - expected.item<double>()) < 1e-3);
    const auto ours = gradients(loss), theirs = gradients(expected);
    QVERIFY(theirs.abs().max().item<double>() > 1e-3);
    QVERIFY((ours - theirs).abs().max().item<double>() < 1e-6);
}

// More numbers than it takes at once, gradients on both sides of the clip.
void TestTrainer::adamIsLibTorchs() {
    torch::manual_seed(4);
    std::vector<torch::Tensor> ours{torch::randn({200, 100}), torch::randn({3})}, theirs;
    for (auto& parameter : ours) {
        theirs.push_back(parameter.clone().requires_grad_());
        parameter.requires_grad_();
    }
    Adam adam(ours);
    torch::optim::Adam expected(theirs, torch::optim::AdamOptions(0.01).betas({0.9, 0.98}).eps(1e-9));
    for (int step = 0; step < 5; ++step) {
        for (std::size_t i = 0; i < ours.size(); ++i) {
            const auto gradient = torch::randn_like(ours[i]) * (step == 2 ? 1e-4 : 1.0);
            ours[i].mutable_grad() = gradient.clone();
            theirs[i].mutable_grad() = gradient.clone();
        }
        adam.step(0.01, 1);
        torch::nn::utils::clip_grad_norm_(theirs, 1);
        expected.step();
        for (std::size_t i = 0; i < ours.size(); ++i) {
            QVERIFY(!ours[i].grad().defined());
            QVERIFY((ours[i] - theirs[i]).abs().max().item<float>() < 1e-5F);
        }
    }
}

void TestTrainer::learnsAndGoesOnAfterAStop_data() {
    QTest::addColumn<QString>("architecture");
    QTest::newRow("transformer") << "transformer";
    QTest::newRow("additive") << "additive";
    QTest::newRow("conditional") << "conditional";
    QTest::newRow("recurrent") << "none";
}

void TestTrainer::learnsAndGoesOnAfterAStop() {
    QFETCH(QString, architecture);
    const QTemporaryDir folder;
    const Corpus corpus{reversedPairs(60)};
    const std::atomic<bool> never = false;
    const auto trainer = [&](const char* state, std::int64_t until = 60) {
        auto options = smallOptions(60);
        options.until = until;
        return Trainer(makeObjective(smallNetwork(architecture.toStdString())), corpus, {corpus, corpus}, options,
                       pathOf(folder, state));
    };

    std::vector<double> losses;
    auto unbroken = trainer("unbroken");
    unbroken.run({silent.progress, [&](const auto& found, bool) { losses.push_back(found.front()); }}, never);
    QCOMPARE(unbroken.step(), 60);
    QVERIFY2(losses.back() < 0.8 * losses.front(),
             qPrintable(QStringLiteral("%1 -> %2").arg(losses.front()).arg(losses.back())));

    std::atomic<bool> stop = false;
    auto first = trainer("broken");
    first.run({silent.progress, [&](const auto&, bool) { stop = first.step() == 30; }}, stop);
    QCOMPARE(first.step(), 30);
    auto second = trainer("broken", 45);
    QVERIFY(second.resumed());
    second.run(silent, never);
    QCOMPARE(second.step(), 45);
    auto third = trainer("broken");
    third.run(silent, never);
    QCOMPARE(third.step(), 60);
    const auto expected = unbroken.network().translator->named_parameters();
    for (const auto& parameter : third.network().translator->named_parameters())
        QVERIFY2(parameter.value().equal(expected[parameter.key()]), parameter.key().c_str());
}

void TestTrainer::refusesTheStateOfAnotherModel() {
    const QTemporaryDir folder;
    const Corpus corpus{reversedPairs(10)};
    const std::atomic<bool> never = false;
    Trainer(makeObjective(smallNetwork("additive")), corpus, {corpus}, smallOptions(1), pathOf(folder, "state"))
        .run(silent, never);
    QVERIFY_THROWS_EXCEPTION(Error, Trainer(makeObjective(smallNetwork("transformer")), corpus, {corpus},
                                            smallOptions(1), pathOf(folder, "state")));
    QVERIFY_THROWS_EXCEPTION(Error, Trainer(makeObjective(smallNetwork("additive", 20)), corpus, {corpus},
                                            smallOptions(1), pathOf(folder, "state")));
    std::ofstream(pathOf(folder, "state")) << "not a state";
    QVERIFY_THROWS_EXCEPTION(Error, Trainer(makeObjective(smallNetwork("additive")), corpus, {corpus}, smallOptions(1),
                                            pathOf(folder, "state")));
}

void TestTrainer::goesOnWithASmallerCorpus() {
    const QTemporaryDir folder;
    const std::atomic<bool> never = false;
    const Corpus large{reversedPairs(60)};
    const Corpus small{reversedPairs(4)};
    Trainer(makeObjective(smallNetwork("additive")), large, {small}, smallOptions(7), pathOf(folder, "state"))
        .run(silent, never);
    Trainer second(makeObjective(smallNetwork("additive")), small, {small}, smallOptions(9), pathOf(folder, "state"));
    second.run(silent, never);
    QCOMPARE(second.step(), 9);
}

/// Harder texts to validate on must not keep what is learnt from being written.
void TestTrainer::measuresAnewOnOtherValidationTexts() {
    const QTemporaryDir folder;
    const std::atomic<bool> never = false;
    const Corpus corpus{reversedPairs(60)};
    const Corpus strange{{{{2, 2, 2, 0}, {3, 3, 3, 3, 3, 0}}}};
    const auto bestOf = [&](const Corpus& validation, std::int64_t steps) {
        std::vector<bool> best;
        Trainer(makeObjective(smallNetwork("additive")), corpus, {validation}, smallOptions(steps),
                pathOf(folder, "state"))
            .run({silent.progress, [&](const auto&, bool isBest) { best.push_back(isBest); }}, never);
        return best;
    };
    bestOf(corpus, 40);
    QVERIFY(bestOf(strange, 41).front());
    QVERIFY(!bestOf(strange, 60).back());
}

void TestTrainer::refusesAnEmptyCorpus() {
    const QTemporaryDir folder;
    const Corpus corpus{reversedPairs(10)};
    const auto train = [&](const Corpus& trained, const std::vector<Corpus>& validation) {
        Trainer(makeObjective(smallNetwork("additive")), trained, validation, smallOptions(1), pathOf(folder, "state"));
    };
    QVERIFY_THROWS_EXCEPTION(Error, train({}, {corpus}));
    QVERIFY_THROWS_EXCEPTION(Error, train(corpus, {corpus, {}}));
    QVERIFY_THROWS_EXCEPTION(Error, train(corpus, {}));
}

void TestTrainer::stopsBeforeSavingWhatIsNotFinite() {
    const QTemporaryDir folder;
    auto options = smallOptions(50);
    options.learningRate = 1e30;
    options.warmup = 0;
    const Corpus corpus{reversedPairs(20)};
    const std::atomic<bool> never = false;
    Trainer trainer(makeObjective(smallNetwork("additive")), corpus, {corpus}, options, pathOf(folder, "state"));
    QVERIFY_THROWS_EXCEPTION(Error, trainer.run(silent, never));
    QVERIFY(!std::filesystem::exists(pathOf(folder, "state")));
}

void TestTrainer::stopsWhenItNoLongerImproves() {
    const QTemporaryDir folder;
    auto options = smallOptions(1000);
    options.learningRate = 0; // nothing is learnt
    options.patience = 3;
    const Corpus corpus{reversedPairs(20)};
    const std::atomic<bool> never = false;
    Trainer trainer(makeObjective(smallNetwork("additive")), corpus, {corpus}, options, pathOf(folder, "state"));
    trainer.run(silent, never);
    QCOMPARE(trainer.step(), 40); // the first validation is the best, three more follow
}

QTEST_GUILESS_MAIN(TestTrainer)
#include "tst_trainer.moc"
