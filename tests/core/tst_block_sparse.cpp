// Protects BigBird's block-sparse attention: the drawn blocks against numpy's numbers, and a whole small network
// against what HuggingFace transformers gave out, both before and since random blocks became block 0.
#include "core/files/safetensors.h"
#include "core/nn/block_sparse.h"
#include "tests/support/compare.h"

#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include <QTest>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <optional>

using namespace headlight;

Q_DECLARE_METATYPE(headlight::RandomBlocks)

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();

std::string compareTensors(const torch::Tensor& actual, const torch::Tensor& expected, float tolerance) {
    const auto left = actual.contiguous(), right = expected.contiguous();
    const auto numbers = [](const torch::Tensor& tensor) {
        return std::span<const float>(tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel()));
    };
    return compareClose(numbers(left), numbers(right), tolerance);
}

/// A folder of reference results, read as it lies there.
class Reference {
public:
    explicit Reference(std::filesystem::path folder) : m_folder(std::move(folder)) {
        config = json("config.json");
        expected = json("expected.json");
    }

    BlockSparseOptions options() const {
        return {.blockSize = config["block_size"],
                .randomBlocks = config["num_random_blocks"],
                .maxPositions = config["max_position_embeddings"],
                .kind = randomBlocksOf(config["transformers_version"].get<std::string>())};
    }
    std::int64_t heads() const { return config["num_attention_heads"]; }
    bool sparse() const { return config["attention_type"] == "block_sparse" && usesBlockSparse(length(), options()); }
    std::int64_t length() const { return static_cast<std::int64_t>(ids("input_ids").size()); }

    std::vector<std::int64_t> ids(const char* name) const { return expected["inputs"][name]; }
    bool has(const char* name) const { return expected["inputs"].contains(name); }

    torch::Tensor weight(const std::string& name) const {
        const auto found = tensor("model", "bert." + name);
        if (!found)
            throw Error(Error::Kind::NotFound, m_folder.string(), name);
        return *found;
    }
    std::optional<torch::Tensor> tensor(const std::string& file, const std::string& name) const {
        const auto path = m_folder / (file + ".safetensors");
        if (!std::filesystem::exists(path))
            return std::nullopt;
        const auto open = SafetensorsFile::open(path);
        const auto* view = open.find(name);
        if (!view)
            return std::nullopt;
        auto values = toFloats(*view);
        return torch::from_blob(values.data(), view->shape, torch::kFloat32).clone();
    }

    nlohmann::json config;
    nlohmann::json expected;

private:
    nlohmann::json json(const char* name) const { return nlohmann::json::parse(std::ifstream(m_folder / name)); }

    std::filesystem::path m_folder;
};

/// What BigBird does, in a few lines: watched, and no faster than it must be.
struct Run {
    std::vector<torch::Tensor> weights, effective;
    std::vector<BlockSparseResult> layers; ///< of those that were block-sparse
    torch::Tensor lastHidden;
};

Run run(const Reference& reference, const BlockSparseOptions& options) {
    const auto heads = reference.heads();
    const auto linear = [&](const torch::Tensor& states, const std::string& name) {
        return torch::linear(states, reference.weight(name + ".weight"), reference.weight(name + ".bias"));
    };
    const auto norm = [&](const torch::Tensor& states, const std::string& name) {
        return torch::layer_norm(states, {states.size(-1)}, reference.weight(name + ".weight"),
                                 reference.weight(name + ".bias"), 1e-12);
    };
    // The reference fills the last block with real, masked tokens, whose rows it gives out, too.
    auto ids = reference.ids("input_ids");
    if (reference.sparse())
        ids.resize(static_cast<std::size_t>((reference.length() + options.blockSize - 1) / options.blockSize
                                            * options.blockSize),
                   reference.config["pad_token_id"]);
    const auto T = static_cast<std::int64_t>(ids.size());
    const auto mask = torch::arange(T).lt(reference.length()).unsqueeze(0);
    const auto segments = reference.has("token_type_ids") ? torch::tensor(reference.ids("token_type_ids"))
                                                          : torch::zeros({T}, torch::kInt64);
    auto states = reference.weight("embeddings.word_embeddings.weight").index_select(0, torch::tensor(ids))
                  + reference.weight("embeddings.position_embeddings.weight").narrow(0, 0, T)
                  + reference.weight("embeddings.token_type_embeddings.weight").index_select(0, segments);
    states = norm(states, "embeddings.LayerNorm").unsqueeze(0); // [1, T, width]

    Run result;
    const std::int64_t layers = reference.config["num_hidden_layers"];
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        const auto place = "encoder.layer." + std::to_string(layer) + ".";
        const auto project = [&](const char* what) {
            return linear(states, place + "attention.self." + what).view({1, T, heads, -1}).transpose(1, 2);
        };
        const auto query = project("query"), key = project("key"), value = project("value"); // [1, H, T, D]
        torch::Tensor context;
        if (reference.sparse()) {
            const auto pattern = blockSparsePattern(reference.length(), heads, layer, options);
            result.layers.push_back(blockSparseAttention(query, key, value, mask, pattern));
            const auto& attention = result.layers.back();
            context = attention.context;
            result.weights.push_back(attention.weights.squeeze(0));
            result.effective.push_back(attention.effective.squeeze(0));
        } else {
            const auto scale = std::sqrt(static_cast<double>(query.size(-1)));
            const auto weights = torch::softmax(torch::matmul(query, key.transpose(-2, -1)) / scale, -1);
            context = torch::matmul(weights, value);
            result.weights.push_back(weights.squeeze(0));
        }
        const auto joined = context.transpose(1, 2).reshape({1, T, -1});
        states = norm(states + linear(joined, place + "attention.output.dense"), place + "attention.output.LayerNorm");
        const auto hidden = torch::gelu(linear(states, place + "intermediate.dense"), "tanh");
        states = norm(states + linear(hidden, place + "output.dense"), place + "output.LayerNorm");
    }
    result.lastHidden = states.squeeze(0);
    return result;
}

/// The random blocks of one head, row by row from the second on, sorted: "4 6, 5 7, ".
QByteArray drawn(const BlockSparsePattern& pattern, std::int64_t head) {
    QByteArrayList rows;
    const auto counts = pattern.random.accessor<std::int64_t, 3>();
    for (std::int64_t row = 1; row < counts.size(1) - 1; ++row) {
        QByteArrayList blocks;
        for (std::int64_t block = 0; block < counts.size(2); ++block) {
            for (std::int64_t copy = 0; copy < counts[head][row][block]; ++copy)
                blocks += QByteArray::number(qint64(block));
        }
        rows += blocks.join(' ');
    }
    return rows.join(", ");
}

/// One row of blocks as text: `#` looked at, `2` once more as random, `.` not looked at.
QString drawRow(const BlockSparsePattern& pattern, std::int64_t row) {
    QString text;
    const auto attends = pattern.attends();
    for (std::int64_t block = 0; block < pattern.fixed.size(1); ++block) {
        const bool twice = pattern.fixed[row][block].item<bool>() && pattern.random[0][row][block].item<int>() > 0;
        text += QLatin1Char(twice ? '2' : attends[0][row][block].item<bool>() ? '#' : '.');
    }
    return text;
}

} // namespace

class TestBlockSparse : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void shuffles_data();
    void shuffles();
    void drawnBlocks();
    void drawnBlocksOfThePapersLengths();
    void fixedBlocks();
    void whenItIsUsed_data();
    void whenItIsUsed();
    void kindByVersion_data();
    void kindByVersion();
    void impossibleOptions();

    void sameAsReference_data();
    void sameAsReference();
    void paddingWithinEqualsPaddingBefore();
    void scoresExplainWeights();
    void masksOfEachSentenceAreItsOwn();
};

void TestBlockSparse::shuffles_data() {
    QTest::addColumn<unsigned>("seed");
    QTest::addColumn<QList<qint64>>("expected");
    QTest::newRow("seed 0") << 0U << QList<qint64>{2, 8, 4, 9, 1, 6, 7, 3, 0, 5};
    QTest::newRow("seed 1") << 1U << QList<qint64>{2, 9, 6, 4, 0, 3, 1, 7, 8, 5};
    QTest::newRow("seed 42") << 42U << QList<qint64>{8, 1, 5, 0, 7, 2, 9, 4, 3, 6};
    QTest::newRow("one") << 7U << QList<qint64>{0};
    QTest::newRow("nothing") << 7U << QList<qint64>{};
}

/// numpy.random.RandomState(seed).permutation(n)
void TestBlockSparse::shuffles() {
    QFETCH(unsigned, seed);
    QFETCH(QList<qint64>, expected);
    std::vector<std::int64_t> values(static_cast<std::size_t>(expected.size()));
    std::iota(values.begin(), values.end(), 0);
    std::mt19937 generator(seed);
    shuffleLikeNumpy(values, generator);
    QCOMPARE(QList<qint64>(values.begin(), values.end()), expected);
}

/// The blocks that transformers 4.26.1 drew for 17 blocks, 4 heads and 2 random blocks, sorted.
void TestBlockSparse::drawnBlocks() {
    const BlockSparseOptions options{
        .blockSize = 8, .randomBlocks = 2, .maxPositions = 160, .kind = RandomBlocks::Drawn};
    const auto first = blockSparsePattern(136, 4, 0, options), second = blockSparsePattern(136, 4, 1, options);
    QCOMPARE(drawn(first, 0), QByteArray("4 6, 5 7, 5 7, 6 7, 1 2, 2 3, 2 4, 1 6, 2 4, 2 3, 1 4, 2 5, 2 3, 3 6, 3 7"));
    QCOMPARE(drawn(second, 3), QByteArray("3 5, 5 7, 5 6, 2 6, 3 7, 1 2, 2 4, 1 4, 5 6, 1 2, 1 6, 1 5, 1 6, 6 7, 1 7"));
    QVERIFY(torch::equal(first.random, blockSparsePattern(130, 4, 0, options).random));
}

/// 1024 tokens draw for all positions of the model, so that the second head depends on how many those are. Worked out
/// once more, apart from this program, with Python's Mersenne Twister.
void TestBlockSparse::drawnBlocksOfThePapersLengths() {
    BlockSparseOptions options{.blockSize = 64, .randomBlocks = 3, .maxPositions = 4096, .kind = RandomBlocks::Drawn};
    const auto pattern = blockSparsePattern(1024, 2, 3, options);
    QCOMPARE(drawn(pattern, 1), QByteArray("4 10 11, 4 6 12, 7 12 15, 6 8 10, 8 13 14, 9 11 14, 4 10 12, 6 10 15, 3 4 "
                                           "12, 3 8 12, 4 8 14, 1 6 15, 7 8 11, 2 8 11"));
    for (const std::int64_t length : {3072, 4096}) {
        const auto longer = blockSparsePattern(length, 2, 3, options).random;
        QVERIFY(torch::equal(longer.narrow(1, 1, 14).narrow(2, 0, 16), pattern.random.narrow(1, 1, 14)));
        QCOMPARE(longer.narrow(2, 16, longer.size(2) - 16).sum().item<std::int64_t>(), 0);
        QVERIFY(longer.narrow(1, 1, longer.size(1) - 2).sum(-1).eq(3).all().item<bool>());
    }
    options.maxPositions = 1024;
    QCOMPARE(drawn(blockSparsePattern(1024, 2, 3, options), 1),
             QByteArray("4 5 10, 4 10 14, 5 7 13, 6 11 14, 1 3 14, 2 4 9, 12 13 14, 4 11 14, 3 4 6, 2 4 12, 1 2 8, 4 5 "
                        "6, 1 2 12, 3 6 12"));
}

void TestBlockSparse::fixedBlocks() {
    const auto pattern = blockSparsePattern(70, 1, 0, {.blockSize = 10, .randomBlocks = 0, .maxPositions = 70});
    const QStringList rows{"#######", "###...#", "####..#", "#.###.#", "#..####", "#...###", "#######"};
    for (std::int64_t row = 0; row < 7; ++row)
        QCOMPARE(drawRow(pattern, row), rows[row]);
    const auto doubled = blockSparsePattern(80, 1, 0, {.blockSize = 10, .randomBlocks = 1, .maxPositions = 80});
    const QStringList twice{"########", "2##....#", "2###...#", "2.###..#",
                            "2..###.#", "2...####", "2....###", "########"};
    for (std::int64_t row = 0; row < 8; ++row)
        QCOMPARE(drawRow(doubled, row), twice[row]);
}

void TestBlockSparse::whenItIsUsed_data() {
    QTest::addColumn<qint64>("length");
    QTest::addColumn<qint64>("randomBlocks");
    QTest::addColumn<bool>("expected");
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    QTest::newRow("nothing") << qint64(0) << qint64(2) << false;
    QTest::newRow("nine blocks of 8") << qint64(72) << qint64(2) << false;
    QTest::newRow("one token more") << qint64(73) << qint64(2) << true;
    QTest::newRow("none random, five blocks") << qint64(40) << qint64(0) << false;
    QTest::newRow("none random, five and a bit") << qint64(41) << qint64(0) << true;
    QTest::newRow("more random blocks than there are") << qint64(4096) << qint64(most) << false;
    QTest::newRow("the longest there is") << qint64(most) << qint64(2) << true;
}

void TestBlockSparse::whenItIsUsed() {
    QFETCH(qint64, length);
    QFETCH(qint64, randomBlocks);
    QTEST(usesBlockSparse(length, {.blockSize = 8, .randomBlocks = randomBlocks}), "expected");
}

void TestBlockSparse::kindByVersion_data() {
    QTest::addColumn<QByteArray>("version");
    QTest::addColumn<bool>("drawn");
    QTest::newRow("the first with BigBird") << QByteArray("4.5.0.dev0") << true;
    QTest::newRow("the last that drew") << QByteArray("4.28.1") << true;
    QTest::newRow("the first that did not") << QByteArray("4.29.0") << false;
    QTest::newRow("two digits are more than one") << QByteArray("4.100.0") << false;
    QTest::newRow("the next") << QByteArray("5.0.0") << false;
    QTest::newRow("not said") << QByteArray() << false;
    QTest::newRow("half a version") << QByteArray("4.") << false;
    QTest::newRow("rubbish") << QByteArray("new") << false;
}

void TestBlockSparse::kindByVersion() {
    QFETCH(QByteArray, version);
    QFETCH(bool, drawn);
    QCOMPARE(randomBlocksOf(version.toStdString()) == RandomBlocks::Drawn, drawn);
}

void TestBlockSparse::impossibleOptions() {
    QVERIFY_THROWS_EXCEPTION(Error, usesBlockSparse(100, {.blockSize = 0}));
    QVERIFY_THROWS_EXCEPTION(Error, usesBlockSparse(100, {.blockSize = 8, .randomBlocks = -1}));
    QVERIFY_THROWS_EXCEPTION(Error, blockSparsePattern(72, 4, 0, {.blockSize = 8, .randomBlocks = 2}));
    QVERIFY_THROWS_EXCEPTION(Error,
                             blockSparsePattern(161, 4, 0, {.blockSize = 8, .randomBlocks = 2, .maxPositions = 160}));
    // 8 blocks of the text, but 16 of the model to draw from, as nothing keeps them within the first 1024 tokens.
    QVERIFY_THROWS_EXCEPTION(
        Error,
        blockSparsePattern(4096, 4, 0,
                           {.blockSize = 512, .randomBlocks = 1, .maxPositions = 8192, .kind = RandomBlocks::Drawn}));
}

void TestBlockSparse::sameAsReference_data() {
    QTest::addColumn<QString>("folder");
    QTest::addColumn<std::optional<RandomBlocks>>("kind"); // where config.json says another version than made it
    const std::optional<RandomBlocks> byVersion, drawnBlocks = RandomBlocks::Drawn;
    const auto folder = QStringLiteral(HEADLIGHT_FIXTURES "/");
    QTest::newRow("drawn by 4.27") << folder + "models/bigbird_sparse" << byVersion;
    QTest::newRow("drawn by 4.26") << folder + "models_more/bigbird_sparse_random" << drawnBlocks;
    QTest::newRow("block 0") << folder + "models_more/bigbird_sparse" << byVersion;
    QTest::newRow("block 0, padded") << folder + "models_more/bigbird_sparse_padded" << byVersion;
    QTest::newRow("too short to be sparse") << folder + "models_more/bigbird_sparse_short" << byVersion;
    QTest::newRow("never sparse") << folder + "models_more/bigbird_full" << byVersion;
}

void TestBlockSparse::sameAsReference() {
    QFETCH(QString, folder);
    QFETCH(std::optional<RandomBlocks>, kind);
    torch::NoGradGuard noGradients;
    const Reference reference(folder.toStdString());
    auto options = reference.options();
    options.kind = kind.value_or(options.kind);
    const auto actual = run(reference, options);

    const auto agree = [&](const char* what, torch::Tensor ours, const torch::Tensor& theirs) {
        if (reference.expected.contains("rows") && ours.dim() == 4)
            ours = ours.index_select(2, torch::tensor(reference.expected["rows"].get<std::vector<std::int64_t>>()));
        const auto worst = compareTensors(ours, theirs, 2e-5F);
        qInfo("%s: largest difference %.1e", what, (ours - theirs).abs().max().item<double>());
        QVERIFY2(worst.empty(), (what + (": " + worst)).c_str());
    };
    agree("attentions", torch::stack(actual.weights), reference.tensor("expected", "attentions").value());
    if (QTest::currentTestFailed())
        return;
    if (const auto effective = reference.tensor("extra", "attentions_effective"))
        agree("effective", torch::stack(actual.effective), *effective);
    if (const auto hidden = reference.tensor("expected", "last_hidden"))
        agree("last_hidden", actual.lastHidden, *hidden);
}

void TestBlockSparse::paddingWithinEqualsPaddingBefore() {
    torch::NoGradGuard noGradients;
    torch::manual_seed(5);
    const BlockSparseOptions options{
        .blockSize = 4, .randomBlocks = 1, .maxPositions = 64, .kind = RandomBlocks::Drawn};
    const auto pattern = blockSparsePattern(37, 2, 0, options);
    const auto query = torch::randn({1, 2, 40, 6}), key = torch::randn({1, 2, 40, 6}),
               value = torch::randn({1, 2, 40, 6});
    const auto before = blockSparseAttention(query, key, value, torch::arange(40).lt(37).unsqueeze(0), pattern);
    const auto cut = [](const torch::Tensor& states) { return states.narrow(2, 0, 37); };
    const auto within = blockSparseAttention(cut(query), cut(key), cut(value), {}, pattern);
    const auto worst = compareTensors(within.context, cut(before.context), 1e-6F)
                       + compareTensors(within.weights, cut(before.weights).narrow(3, 0, 37), 1e-6F)
                       + compareTensors(within.scores, cut(before.scores).narrow(3, 0, 37), 1e-6F);
    QVERIFY2(worst.empty(), worst.c_str());
    QCOMPARE(before.context.narrow(2, 37, 3).abs().max().item<float>(), 0.0F);
    QCOMPARE(before.weights.narrow(2, 0, 37).narrow(3, 37, 3).abs().max().item<float>(), 0.0F);
}

/// Row by row: the softmax over the keys listed as often as they are taken in.
void TestBlockSparse::scoresExplainWeights() {
    torch::NoGradGuard noGradients;
    torch::manual_seed(6);
    const std::int64_t S = 3, T = 31; // 11 blocks, the last of one token
    for (const auto kind : {RandomBlocks::Drawn, RandomBlocks::First}) {
        const auto pattern =
            blockSparsePattern(T, 2, 4, {.blockSize = S, .randomBlocks = 2, .maxPositions = 64, .kind = kind});
        const auto query = torch::randn({1, 2, T, 5}), key = torch::randn({1, 2, T, 5}),
                   value = torch::randn({1, 2, T, 5});
        const auto result = blockSparseAttention(query, key, value, {}, pattern);
        for (std::int64_t head = 0; head < 2; ++head) {
            for (std::int64_t q = 0; q < T; ++q) {
                std::vector<std::int64_t> keys;
                for (std::int64_t k = 0; k < T; ++k) {
                    const auto copies = pattern.random[head][q / S][k / S].item<std::int64_t>()
                                        + (pattern.fixed[q / S][k / S].item<bool>() ? 1 : 0);
                    keys.insert(keys.end(), static_cast<std::size_t>(copies), k);
                    const auto score = result.scores[0][head][q][k].item<float>();
                    QCOMPARE(score == -infinite, copies == 0);
                    if (copies == 0)
                        QCOMPARE(result.weights[0][head][q][k].item<float>(), 0.0F);
                }
                const auto listed = torch::tensor(keys);
                const auto shares = torch::softmax(result.scores[0][head][q].index_select(0, listed), 0);
                const auto worst = compareTensors(torch::matmul(shares, value[0][head].index_select(0, listed)),
                                                  result.context[0][head][q], 1e-6F)
                                   + compareTensors(result.weights[0][head][q].index_select(0, listed), shares, 1e-6F)
                                   + compareTensors(torch::matmul(result.effective[0][head][q], value[0][head]),
                                                    result.context[0][head][q], 1e-6F);
                QVERIFY2(worst.empty(), worst.c_str());
            }
        }
    }
}

void TestBlockSparse::masksOfEachSentenceAreItsOwn() {
    torch::NoGradGuard noGradients;
    torch::manual_seed(7);
    const auto pattern = blockSparsePattern(40, 2, 0, {.blockSize = 4, .randomBlocks = 1, .maxPositions = 64});
    const auto states = torch::randn({2, 2, 40, 6});
    auto mask = torch::ones({2, 40}, torch::kBool);
    mask[1].narrow(0, 26, 14).fill_(false);
    mask[0].narrow(0, 0, 9).fill_(false); // all copies of block 0 are masked
    const auto together = blockSparseAttention(states, states, states, mask, pattern);
    for (std::int64_t row = 0; row < 2; ++row) {
        const auto one = states.narrow(0, row, 1);
        const auto alone = blockSparseAttention(one, one, one, mask.narrow(0, row, 1), pattern);
        const auto worst = compareTensors(alone.context, together.context.narrow(0, row, 1), 1e-6F)
                           + compareTensors(alone.weights, together.weights.narrow(0, row, 1), 1e-6F);
        QVERIFY2(worst.empty(), worst.c_str());
        const auto seen = together.effective[row].sum(-1);
        QVERIFY(torch::allclose(seen, mask[row].to(torch::kFloat32).expand_as(seen), 1e-5, 1e-6));
        QCOMPARE((together.effective[row] * mask[row].logical_not()).max().item<float>(), 0.0F);
    }
}

QTEST_GUILESS_MAIN(TestBlockSparse)
#include "tst_block_sparse.moc"
