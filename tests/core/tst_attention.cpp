// Protects the networks: both attentions against numbers worked out by hand, masks, the agreement of stepwise and
// whole decoding, and the search for a translation.
#include "core/nn/attention.h"
#include "core/nn/decode.h"
#include "core/nn/dropout.h"
#include "core/nn/positions.h"
#include "core/nn/recurrent.h"
#include "core/nn/transformer.h"
#include "tests/support/compare.h"

#include <torch/torch.h>

#include <QTest>

#include <cmath>
#include <limits>
#include <map>
#include <span>

using namespace headlight;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();

std::span<const float> numbers(const torch::Tensor& contiguous) {
    return {contiguous.data_ptr<float>(), static_cast<std::size_t>(contiguous.numel())};
}

std::string compareTensors(const torch::Tensor& actual, const torch::Tensor& expected, float tolerance) {
    const auto left = actual.detach().contiguous();
    const auto right = expected.detach().contiguous();
    return compareClose(numbers(left), numbers(right), tolerance);
}

void setParameter(torch::nn::Module& module, const std::string& name, const torch::Tensor& values) {
    torch::NoGradGuard noGradients;
    module.named_parameters()[name].copy_(values);
}

torch::Tensor ids(const std::vector<std::int64_t>& values) {
    return torch::tensor(values, torch::kInt64);
}

constexpr std::int64_t vocabulary = 23;
constexpr SpecialIds specials{.start = 1, .end = 2, .pad = 0};

/// The networks that the tables below name, small, with weights large enough for attention far from uniform.
std::shared_ptr<SequenceToSequence> smallNetwork(const QString& name) {
    torch::manual_seed(11);
    std::shared_ptr<SequenceToSequence> network;
    if (name.startsWith(QLatin1String("transformer"))) {
        TransformerOptions options{.vocabulary = vocabulary,
                                   .width = 12,
                                   .heads = 3,
                                   .feedForward = 20,
                                   .encoderLayers = 2,
                                   .decoderLayers = 2,
                                   .maxPositions = 32};
        if (name.endsWith(QLatin1String("pre-norm")))
            options.norm = NormPlacement::Pre;
        if (name.endsWith(QLatin1String("learned positions"))) {
            options.position = PositionKind::Learned;
            options.positionOffset = 2;
            options.embeddingNorm = true;
        }
        network = std::make_shared<Transformer>(options);
    } else {
        const bool additive = name.startsWith(QLatin1String("additive"));
        const bool conditional = name.endsWith(QLatin1String("conditional"));
        network = std::make_shared<Recurrent>(
            RecurrentOptions{.vocabulary = vocabulary,
                             .embedding = 8,
                             .hidden = 10,
                             .alignment = 7,
                             .maxPositions = 32,
                             .attention = additive ? RecurrentAttention::Additive : RecurrentAttention::None},
            conditional ? RecurrentDecoder::Conditional : RecurrentDecoder::Paper);
    }
    torch::NoGradGuard noGradients;
    for (auto& parameter : network->parameters())
        parameter.add_(torch::randn_like(parameter) * 0.15);
    network->eval();
    return network;
}

void networkRows() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"additive", "additive, conditional", "no attention", "no attention, conditional",
                             "transformer", "transformer, pre-norm", "transformer, learned positions"})
        QTest::newRow(name) << QString::fromLatin1(name);
}

/// Three sources of 6, 3 and 1 tokens, padded to 6, and a target for each.
struct Sentences {
    torch::Tensor source = ids({5, 9, 3, 21, 7, 2, 4, 18, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0}).view({3, 6});
    torch::Tensor mask = source.ne(specials.pad);
    torch::Tensor target = ids({1, 6, 12, 20, 3, 1, 3, 3, 8, 15, 1, 22, 4, 9, 10}).view({3, 5});
    std::vector<std::int64_t> lengths{6, 3, 1};

    torch::Tensor alone(std::int64_t row) const {
        return source.narrow(0, row, 1).narrow(1, 0, lengths[static_cast<std::size_t>(row)]);
    }
};

torch::Tensor teacherForced(SequenceToSequence& network, const torch::Tensor& source, const torch::Tensor& mask,
                            const torch::Tensor& target, const Context& context = {}) {
    const auto memory = network.encode(source, mask, context);
    return network.logits(network.decode(target, memory, context));
}

/// A model that is a table: what follows a token depends on that token alone. Log probabilities, [last, next].
class Table : public SequenceToSequence {
public:
    explicit Table(torch::Tensor probabilities) : m_rows(torch::log(std::move(probabilities))) {}

    Memory encode(const torch::Tensor& source, const torch::Tensor& mask, const Context&) override {
        return {source, mask, {}};
    }
    torch::Tensor decode(const torch::Tensor& target, const Memory&, const Context&, DecoderState*) override {
        return m_rows.index_select(0, target.flatten()).view({target.size(0), target.size(1), -1});
    }
    DecoderState rewound(const DecoderState& all, std::int64_t) const override { return all; }
    torch::Tensor logits(const torch::Tensor& decoded) override { return decoded; }
    DecoderState start(const Memory& memory) override { return {{memory.states}, 0}; }
    /// The source stands before the first word.
    torch::Tensor step(const torch::Tensor& last, DecoderState& state, const Memory& memory, const Context&) override {
        TORCH_CHECK(state.tensors.front().equal(memory.states), "rows of the state and of the memory have parted");
        return m_rows.index_select(0, state.steps++ == 0 ? memory.states.flatten().to(torch::kInt64) : last);
    }

private:
    torch::Tensor m_rows;
};

} // namespace

class TestAttention : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void twoHeadsByHand();
    void additiveEnergiesByHand();
    void additiveRowOfOneKey();
    void sinusoids_data();
    void sinusoids();

    void stepwiseEqualsWhole_data() { networkRows(); }
    void stepwiseEqualsWhole();
    void unrolledGradientsEqualStepwise_data();
    void unrolledGradientsEqualStepwise();
    void paddingChangesNothing_data() { networkRows(); }
    void paddingChangesNothing();
    void noTargetSeesItsFuture_data() { networkRows(); }
    void noTargetSeesItsFuture();
    void watchingChangesNothing_data() { networkRows(); }
    void watchingChangesNothing();
    void everyParameterLearns_data() { networkRows(); }
    void everyParameterLearns();
    void stops_data() { networkRows(); }
    void stops();
    void manyTogetherAsAlone_data() { networkRows(); }
    void manyTogetherAsAlone();

    void search_data();
    void search();
    void searchGoesOnWithoutThoseThatEnded();
    void searchOfNothingFinite();
    void dropout();
};

void TestAttention::twoHeadsByHand() {
    torch::NoGradGuard noGradients;
    MultiHeadAttention attention(TransformerOptions{.width = 4, .heads = 2});
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"})
        setParameter(attention, std::string(name) + ".weight", torch::eye(4));

    // Head 0 has the first two dimensions, head 1 the others. q·k is 2 or 0, over sqrt(2): softmax(1.4142, 0).
    const auto asks = torch::tensor({2.0F, 0.0F, 0.0F, 2.0F}).view({1, 1, 4});
    const auto keys = torch::tensor({1.0F, 0.0F, 0.0F, 0.0F, 0.0F, 1.0F, 0.0F, 1.0F}).view({1, 2, 4});
    const float more = 0.8044297F, less = 0.1955703F, root = std::sqrt(2.0F);

    Watch watch({.scores = true, .vectors = true});
    const Context context{&watch, {}};
    const auto output =
        attention.forward(asks, attention.project(keys), {}, {.kind = BlockKind::Cross, .layer = 0}, context);
    Trace trace;
    watch.freeze(trace);
    const auto& block = trace.cross.value();
    QCOMPARE(block.heads, 2);
    QCOMPARE(block.headSize, 2);
    const std::vector<float> weights{more, less, less, more}, scores{root, 0, 0, root}, queries{2, 0, 0, 2},
        keyRows{1, 0, 0, 1, 0, 0, 0, 1}, joined{more, less, 0, more};
    const auto worst = compareClose(block.weights, weights, 1e-6F) + compareClose(block.scores, scores, 1e-6F)
                       + compareClose(block.queryRows, queries, 0) + compareClose(block.keyRows, keyRows, 0)
                       + compareClose(numbers(output), joined, 1e-6F);
    QVERIFY2(worst.empty(), worst.c_str());

    // With the second key masked, the first has all the weight.
    Watch masked({.scores = true});
    attention.forward(asks, attention.project(keys),
                      {.mask = torch::tensor({1, 0}).to(torch::kBool), .distances = {}, .rotation = {}},
                      {.kind = BlockKind::Encoder, .layer = 0}, Context{&masked, {}});
    Trace rest;
    masked.freeze(rest);
    QCOMPARE(rest.encoder->weights, (std::vector<float>{1, 0, 1, 0}));
    QCOMPARE(rest.encoder->scores[1], -infinite);
}

void TestAttention::additiveEnergiesByHand() {
    torch::NoGradGuard noGradients;
    AdditiveAttention attention(1, 2, 2);
    setParameter(attention, "w.weight", torch::tensor({1.0F, 0.0F}).view({2, 1}));
    setParameter(attention, "u.weight", torch::tensor({0.0F, 1.0F, 1.0F, 0.0F}).view({2, 2}));
    setParameter(attention, "u.bias", torch::tensor({0.0F, 0.5F}));
    setParameter(attention, "v", torch::tensor({1.0F, -2.0F}));

    const auto state = torch::tensor({0.5F}).view({1, 1});
    const auto annotations = torch::tensor({0.0F, 0.0F, 1.0F, -1.0F, 9.0F, 9.0F}).view({1, 3, 2});
    const auto mask = torch::tensor({1, 1, 0}).view({1, 3}).to(torch::kBool);
    const auto result =
        attention.forward(attention.queryPart(state), attention.keyPart(annotations), annotations, mask);

    // e_0 = tanh(0.5) - 2 tanh(0.5); e_1 = tanh(0.5 - 1) - 2 tanh(1 + 0.5); the third is masked.
    const std::vector<float> energies{-0.4621172F, -2.2724137F, -infinite}, weights{0.8593977F, 0.1406023F, 0},
        context{0.1406023F, -0.1406023F};
    const auto worst = compareClose(numbers(result.energies), energies, 1e-6F)
                       + compareClose(numbers(result.weights), weights, 1e-6F)
                       + compareClose(numbers(result.context), context, 1e-6F);
    QVERIFY2(worst.empty(), worst.c_str());
}

void TestAttention::additiveRowOfOneKey() {
    torch::NoGradGuard noGradients;
    AdditiveAttention attention(3, 4, 5);
    const auto annotations = torch::randn({1, 1, 4});
    const auto result =
        attention.forward(attention.queryPart(torch::randn({1, 3})), attention.keyPart(annotations), annotations, {});
    QCOMPARE(result.weights.item<float>(), 1.0F);
    QVERIFY(torch::equal(result.context, annotations.squeeze(1)));
}

void TestAttention::sinusoids_data() {
    QTest::addColumn<bool>("halves");
    QTest::addColumn<QList<float>>("expected");
    const float s1 = std::sin(1.0F), c1 = std::cos(1.0F), s2 = std::sin(0.01F), c2 = std::cos(0.01F);
    QTest::newRow("by turns, as in the paper") << false << QList<float>{0, 1, 0, 1, s1, c1, s2, c2};
    QTest::newRow("sines first, as in Marian") << true << QList<float>{0, 0, 1, 1, s1, s2, c1, c2};
}

void TestAttention::sinusoids() {
    QFETCH(bool, halves);
    QFETCH(QList<float>, expected);
    const auto table = sinusoidalPositions(2, 4, halves).contiguous();
    const auto worst = compareClose(
        numbers(table), std::span<const float>(expected.constData(), static_cast<std::size_t>(expected.size())), 1e-7F);
    QVERIFY2(worst.empty(), worst.c_str());
}

void TestAttention::stepwiseEqualsWhole() {
    QFETCH(QString, name);
    torch::NoGradGuard noGradients;
    const auto network = smallNetwork(name);
    const Sentences sentences;
    const auto memory = network->encode(sentences.source, sentences.mask, {});
    auto state = network->start(memory);
    std::vector<torch::Tensor> rows;
    for (std::int64_t t = 0; t < sentences.target.size(1); ++t)
        rows.push_back(network->logits(network->step(sentences.target.select(1, t), state, memory, {})));
    const auto whole = network->logits(network->decode(sentences.target, memory, {}));
    const auto worst = compareTensors(torch::stack(rows, 1), whole, 1e-5F);
    QVERIFY2(worst.empty(), worst.c_str());
}

void TestAttention::unrolledGradientsEqualStepwise_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"additive", "additive, conditional", "no attention", "no attention, conditional"})
        QTest::newRow(name) << QString::fromLatin1(name);
}

// The gradients of the unrolled loops are written by hand; those of the steps are LibTorch's own.
void TestAttention::unrolledGradientsEqualStepwise() {
    QFETCH(QString, name);
    const auto network = smallNetwork(name);
    const Sentences sentences;
    const auto gradients = [&](bool stepwise) {
        network->zero_grad();
        // A mask, even one that hides nothing, has the encoder run by torch::nn::GRU.
        const auto mask = stepwise ? torch::ones_like(sentences.mask) : torch::Tensor();
        const auto memory = network->encode(sentences.source, mask, {});
        torch::Tensor states;
        if (stepwise) {
            auto state = network->start(memory);
            std::vector<torch::Tensor> rows;
            for (std::int64_t t = 0; t < sentences.target.size(1); ++t)
                rows.push_back(network->step(sentences.target.select(1, t), state, memory, {}));
            states = torch::stack(rows, 1);
        } else {
            states = network->decode(sentences.target, memory, {});
        }
        // Another weight for each number, so that no two errors cancel.
        const auto logits = network->logits(states);
        (logits * torch::linspace(-1, 1, logits.numel()).view(logits.sizes())).sum().backward();
        std::map<std::string, torch::Tensor> found;
        for (const auto& parameter : network->named_parameters())
            found[parameter.key()] = parameter.value().grad().clone();
        return found;
    };
    const auto expected = gradients(true), actual = gradients(false);
    for (const auto& [parameter, gradient] : expected) {
        QVERIFY2(gradient.abs().max().item<float>() > 1e-4F, parameter.c_str());
        const auto worst = compareTensors(actual.at(parameter), gradient, 1e-5F);
        QVERIFY2(worst.empty(), (parameter + ": " + worst).c_str());
    }
}

void TestAttention::paddingChangesNothing() {
    QFETCH(QString, name);
    torch::NoGradGuard noGradients;
    const auto network = smallNetwork(name);
    const Sentences sentences;
    const auto together = teacherForced(*network, sentences.source, sentences.mask, sentences.target);
    for (std::int64_t row = 0; row < 3; ++row) {
        const auto alone = teacherForced(*network, sentences.alone(row), {}, sentences.target.narrow(0, row, 1));
        const auto worst = compareTensors(alone, together.narrow(0, row, 1), 1e-5F);
        QVERIFY2(worst.empty(), worst.c_str());

        Watch watch({});
        teacherForced(*network, sentences.source.narrow(0, row, 1), sentences.mask.narrow(0, row, 1),
                      sentences.target.narrow(0, row, 1), Context{&watch, {}});
        Trace trace;
        watch.freeze(trace);
        for (const auto* block : {trace.block(BlockKind::Encoder), trace.block(BlockKind::Cross)}) {
            if (!block)
                continue;
            for (std::size_t cell = 0; cell < block->weights.size(); ++cell) {
                const auto key = static_cast<std::int64_t>(cell % static_cast<std::size_t>(block->keys));
                if (key >= sentences.lengths[static_cast<std::size_t>(row)])
                    QCOMPARE(block->weights[cell], 0.0F);
            }
        }
    }
}

void TestAttention::noTargetSeesItsFuture() {
    QFETCH(QString, name);
    torch::NoGradGuard noGradients;
    const auto network = smallNetwork(name);
    const Sentences sentences;
    const auto expected = teacherForced(*network, sentences.source, sentences.mask, sentences.target);
    for (std::int64_t t = 1; t < sentences.target.size(1); ++t) {
        auto changed = sentences.target.clone();
        changed.select(1, t).add_(1).remainder_(vocabulary);
        const auto actual = teacherForced(*network, sentences.source, sentences.mask, changed);
        const auto worst = compareTensors(actual.narrow(1, 0, t), expected.narrow(1, 0, t), 1e-6F);
        QVERIFY2(worst.empty(), worst.c_str());
        QVERIFY(!compareTensors(actual.narrow(1, t, 1), expected.narrow(1, t, 1), 1e-4F).empty());
    }
}

void TestAttention::watchingChangesNothing() {
    QFETCH(QString, name);
    torch::NoGradGuard noGradients;
    const auto network = smallNetwork(name);
    const Sentences sentences;
    const auto target = sentences.target.narrow(0, 0, 1);
    Watch watch({.scores = true, .vectors = true, .logits = true});
    const auto watched = teacherForced(*network, sentences.alone(0), {}, target, Context{&watch, {}});
    QVERIFY(torch::equal(watched, teacherForced(*network, sentences.alone(0), {}, target)));
    Trace trace;
    watch.freeze(trace);
    QCOMPARE(trace.cross.has_value(), !name.startsWith(QLatin1String("no attention")));
    QCOMPARE(trace.additive.has_value(), name.startsWith(QLatin1String("additive")));
    if (trace.additive) { // what was kept says how the weights came to be
        const auto& kept = *trace.additive;
        const auto hidden = torch::tanh(torch::tensor(kept.queryPart).view({kept.queries, 1, kept.size})
                                        + torch::tensor(kept.keyPart).view({1, kept.keys, kept.size}));
        const auto energies = torch::matmul(hidden, torch::tensor(kept.v));
        const auto worst =
            compareTensors(energies.flatten(), torch::tensor(kept.energies), 1e-6F)
            + compareTensors(torch::softmax(energies, -1).flatten(), torch::tensor(trace.cross->weights), 1e-6F);
        QVERIFY2(worst.empty(), worst.c_str());
        QVERIFY(kept.annotationSize > 0);
        QCOMPARE(kept.annotations.size(), static_cast<std::size_t>(kept.keys * kept.annotationSize));
    }
}

void TestAttention::everyParameterLearns() {
    QFETCH(QString, name);
    const auto network = smallNetwork(name);
    network->train();
    const Sentences sentences;
    const auto logits = teacherForced(*network, sentences.source, sentences.mask, sentences.target);
    torch::cross_entropy_loss(logits.view({-1, vocabulary}), sentences.target.flatten()).backward();
    for (const auto& parameter : network->named_parameters()) {
        const auto gradient = parameter.value().grad();
        QVERIFY2(gradient.defined() && torch::isfinite(gradient).all().item<bool>(), parameter.key().c_str());
        // A bias that all keys share shifts each score of a row alike, which softmax does not see.
        const bool unseen = parameter.key().ends_with("k_proj.bias");
        QVERIFY2(unseen || gradient.abs().max().item<float>() > 1e-7F, parameter.key().c_str());
    }
}

void TestAttention::stops() {
    QFETCH(QString, name);
    torch::NoGradGuard noGradients;
    const auto network = smallNetwork(name);
    const Sentences sentences;
    const auto memory = network->encode(sentences.source, sentences.mask, {});
    std::stop_source stop;
    stop.request_stop();
    const Context context{nullptr, stop.get_token()};
    QVERIFY_THROWS_EXCEPTION(Stopped, network->encode(sentences.source, sentences.mask, context));
    QVERIFY_THROWS_EXCEPTION(Stopped, network->decode(sentences.target, memory, context));
    QVERIFY_THROWS_EXCEPTION(Stopped,
                             decodeBest(*network, memory, {.maxLength = 5, .ids = specials, .banned = {}}, context));
}

void TestAttention::manyTogetherAsAlone() {
    QFETCH(QString, name);
    torch::NoGradGuard noGradients;
    const auto network = smallNetwork(name);
    const Sentences sentences;
    for (const int beam : {1, 3}) {
        const DecodeOptions options{.beam = beam, .maxLength = 9, .ids = specials, .banned = {0, 1}};
        const auto together = decodeBest(*network, network->encode(sentences.source, sentences.mask, {}), options, {});
        for (std::int64_t row = 0; row < 3; ++row) {
            const auto alone = decodeBest(*network, network->encode(sentences.alone(row), {}, {}), options, {});
            QCOMPARE(alone.front(), together[static_cast<std::size_t>(row)]);
        }
    }
}

void TestAttention::search_data() {
    QTest::addColumn<int>("beam");
    QTest::addColumn<int>("maxLength");
    QTest::addColumn<double>("penalty");
    QTest::addColumn<QList<int>>("banned");
    QTest::addColumn<QList<int>>("expected");
    // 0 start, 1 end, 2 the tempting first word, 3 the better one; 2 4 1 has 0.216, 3 5 1 has 0.38.
    QTest::newRow("greedy takes the likeliest next") << 1 << 9 << 1.0 << QList<int>{} << QList<int>{2, 4, 1};
    QTest::newRow("a beam finds the likelier whole") << 2 << 9 << 0.0 << QList<int>{} << QList<int>{3, 5, 1};
    QTest::newRow("cut where it may be no longer") << 1 << 1 << 1.0 << QList<int>{} << QList<int>{2};
    QTest::newRow("a beam that is cut") << 3 << 2 << 1.0 << QList<int>{1} << QList<int>{3, 5};
    QTest::newRow("a banned word is never chosen") << 1 << 9 << 1.0 << QList<int>{2} << QList<int>{3, 5, 1};
    QTest::newRow("a beam wider than the vocabulary") << 20 << 9 << 0.0 << QList<int>{} << QList<int>{3, 5, 1};
}

void TestAttention::search() {
    QFETCH(int, beam);
    QFETCH(int, maxLength);
    QFETCH(double, penalty);
    QFETCH(QList<int>, banned);
    QFETCH(QList<int>, expected);
    Table table(torch::tensor({0.0F, 0.0F,  0.6F, 0.4F, 0.0F, 0.0F,  // after the start
                               0.0F, 1.0F,  0.0F, 0.0F, 0.0F, 0.0F,  // after the end
                               0.0F, 0.1F,  0.3F, 0.2F, 0.4F, 0.0F,  // after 2 nothing is likely
                               0.0F, 0.05F, 0.0F, 0.0F, 0.0F, 0.95F, // after 3 surely 5
                               0.0F, 0.9F,  0.1F, 0.0F, 0.0F, 0.0F,  // 4 ends
                               0.0F, 1.0F,  0.0F, 0.0F, 0.0F, 0.0F}) // and so does 5
                    .view({6, 6}));
    const auto memory = table.encode(torch::zeros({1, 1}), {}, {});
    const auto found = decodeBest(table, memory,
                                  {.beam = beam,
                                   .maxLength = maxLength,
                                   .lengthPenalty = penalty,
                                   .ids = {.start = 0, .end = 1, .pad = 0},
                                   .banned = {banned.begin(), banned.end()}},
                                  {});
    const QList<int> actual(found.front().begin(), found.front().end());
    QCOMPARE(actual, expected);
}

/// Sources that are done leave those that are not: each counts down from its own number.
void TestAttention::searchGoesOnWithoutThoseThatEnded() {
    const auto steps = torch::full({12, 12}, 0.001F);
    steps.diagonal(-1).fill_(0.9F);
    Table table(steps);
    for (const int beam : {1, 3}) {
        const std::vector<std::int64_t> sources{4, 2, 11, 2, 7, 3, 2, 9};
        const auto memory = table.encode(torch::tensor(sources).view({-1, 1}), {}, {});
        const auto found = decodeBest(
            table, memory,
            {.beam = beam, .maxLength = 20, .lengthPenalty = 0, .ids = {.start = 0, .end = 1, .pad = 0}, .banned = {}},
            {});
        for (std::size_t i = 0; i < sources.size(); ++i) {
            std::vector<std::int64_t> expected;
            for (auto number = sources[i] - 1; number > 0; --number)
                expected.push_back(number);
            QCOMPARE(found[i], expected);
        }
    }
}

void TestAttention::searchOfNothingFinite() {
    Table table(torch::full({3, 3}, std::numeric_limits<float>::quiet_NaN()));
    const auto memory = table.encode(torch::zeros({2, 1}), {}, {});
    for (const int beam : {1, 4}) {
        const auto found = decodeBest(table, memory, {.beam = beam, .maxLength = 5, .ids = specials, .banned = {}}, {});
        QCOMPARE(found.size(), 2U);
        QVERIFY(found[0].empty() && found[1].empty());
    }
}

void TestAttention::dropout() {
    torch::manual_seed(7);
    const auto values = torch::full({101, 1009}, 2.0F).requires_grad_(true);
    QVERIFY(withDropout(values, 0.5, false).is_same(values));
    QVERIFY(withDropout(values, 0, true).is_same(values));
    for (const double probability : {0.1, 0.3, 0.5}) {
        const auto dropped = withDropout(values, probability, true);
        const auto zeros = dropped.eq(0);
        QVERIFY(std::abs(zeros.to(torch::kFloat32).mean().item<double>() - probability) < 0.01);
        QVERIFY(std::abs(dropped.mean().item<double>() - 2) < 0.03);
        const auto gradient = torch::autograd::grad({dropped.sum()}, {values}).front();
        QVERIFY(torch::equal(gradient.eq(0), zeros));
        QVERIFY(!torch::equal(withDropout(values, probability, true), dropped));
    }
}

QTEST_GUILESS_MAIN(TestAttention)
#include "tst_attention.moc"
