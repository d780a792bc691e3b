// Protects the analyses of a run: their numbers against others that were made from the papers' formulas in double
// precision (fixtures/README.md), sums that must come out whatever the weights are, and stopping.
#include "core/analysis/repeats.h"
#include "core/analysis/rollout.h"
#include "core/engine.h"
#include "core/files/json.h"
#include "core/files/safetensors.h"
#include "tests/support/compare.h"
#include "tests/support/tiny_models.h"

#include <QTest>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <span>

using namespace headlight;

namespace {

const std::filesystem::path fixtures = HEADLIGHT_FIXTURES;

std::vector<std::int64_t> idsAt(const JsonPart& part, const std::string& key) {
    std::vector<std::int64_t> ids;
    if (part.has(key))
        for (const auto& one : part.at(key).elements())
            ids.push_back(one.integer(0, 1 << 30));
    return ids;
}

/// Every analysis that applies.
AnalysisRequest everything() {
    AnalysisRequest asked;
    asked.what.assign(allAnalyses.begin(), allAnalyses.end());
    asked.leaveOut = true;
    return asked;
}

Request requestOf(const JsonPart& inputs, const Engine& engine) {
    Request request;
    request.sourceIds = idsAt(inputs, "input_ids");
    request.segmentIds = idsAt(inputs, "token_type_ids");
    if (engine.info().hasEncoder && engine.info().hasDecoder)
        request.targetIds = idsAt(inputs, "decoder_input_ids");
    return request;
}

double errorOf(const Analyses& analyses, const std::string& name) {
    for (const auto& one : analyses.identityErrors)
        if (one.name == name)
            return one.error;
    return INFINITY;
}

} // namespace

class TestAnalyses : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void numbersAreThoseOfThePapers_data() {
        QTest::addColumn<QString>("reference");
        QTest::addColumn<QString>("model");
        const auto add = [](const std::filesystem::path& folder, const std::filesystem::path& models) {
            for (const auto& entry : std::filesystem::directory_iterator(folder)) {
                if (!entry.is_directory())
                    continue;
                const auto facts = readJsonFile(entry.path() / "analyses.json", 1 << 20);
                const auto name = facts.at("folder").text();
                const auto model = name.starts_with("models/")
                                       ? std::filesystem::path(HEADLIGHT_MODELS) / name.substr(7)
                                       : models / name;
                QTest::addRow("%s",
                              (folder.parent_path().filename() / folder.filename() / entry.path().filename()).c_str())
                    << QString::fromStdString(entry.path().string()) << QString::fromStdString(model.string());
            }
        };
        add(fixtures / "analyses", fixtures.parent_path());
#ifdef HEADLIGHT_ANALYSES // all of it, with models that are not cut
        add(HEADLIGHT_ANALYSES, std::filesystem::path(HEADLIGHT_ANALYSES).parent_path().parent_path());
#endif
    }

    void numbersAreThoseOfThePapers() {
        QFETCH(QString, reference);
        QFETCH(QString, model);
        const std::filesystem::path folder = reference.toStdString();
        const auto facts = readJsonFile(folder / "analyses.json", 1 << 20);
        const auto expected = SafetensorsFile::open(folder / "analyses.safetensors");
        const auto engine = Engine::open(model.toStdString());
        const auto run = engine->run(requestOf(facts.at("inputs"), *engine));
        auto asked = everything();
        asked.position = static_cast<int>(facts.at("position").integer(0, 1 << 20));
        if (facts.has("target_id"))
            asked.token = facts.at("target_id").integer(0, 1 << 30);
        if (facts.has("repeat")) {
            const auto repeat = facts.at("repeat");
            const auto start = repeat.at("start_tokens").integer(0, 9),
                       length = repeat.at("ids_said_twice").integer(1, 99);
            const auto twice = idsAt(repeat, "twice");
            asked.repeated.assign(twice.begin() + start, twice.begin() + start + length);
        }
        TracePointer clean = run;
        if (facts.has("patching")) {
            const auto patching = facts.at("patching");
            asked.pair =
                std::pair(patching.at("token_a").integer(0, 1 << 30), patching.at("token_b").integer(0, 1 << 30));
            Request request;
            request.sourceIds = idsAt(patching, "corrupted");
            asked.against = engine->run(request);
            request.sourceIds = idsAt(patching, "clean");
            clean = engine->run(request);
        }
        auto found = *engine->analyse(*run, asked);
        if (facts.has("patching")) { // whose texts may be others
            auto patched = asked;
            patched.what = {Analysis::Patching};
            patched.position.reset();
            const auto second = engine->analyse(*clean, patched);
            std::erase_if(found.arrays, [](const NamedArray& array) { return array.name.starts_with("patching."); });
            found.arrays.insert(found.arrays.end(), second->arrays.begin(), second->arrays.end());
        }
        const auto noises = facts.at("float32_noise");
        QStringList wrong;
        for (const auto& tensor : expected.tensors()) {
            const auto* const array = found.find(tensor.name);
            if (!array) {
                wrong.append(QString::fromStdString(tensor.name) + u" is missing"_qs);
                continue;
            }
            auto numbers = toFloats(tensor);
            auto ours = array->values;
            if (const auto rows = idsAt(facts, "lens_positions");
                tensor.name == "logit_lens.log_probabilities" && rows != found.lensPositions) {
                // The second of the two rows is another one.
                const auto width = static_cast<std::size_t>(tensor.shape.back());
                for (auto* values : {&numbers, &ours})
                    for (std::size_t cell = 0; cell < values->size(); ++cell)
                        if (cell / width % 2 == 1)
                            (*values)[cell] = 0;
            }
            const double noise = noises.has(tensor.name) ? noises.at(tensor.name).number() : 0;
            const auto tolerance = static_cast<float>(5 * noise + 1e-6);
            auto difference = compareClose(ours, numbers, tolerance);
            if (array->shape != tensor.shape)
                difference += " shape";
            if (!difference.empty())
                wrong.append(QString::fromStdString(tensor.name + ": " + difference));
        }
        QVERIFY2(wrong.isEmpty(), qPrintable(u"\n"_qs + wrong.join(u'\n')));
    }

    void examplesByHand() {
        const std::vector<Map> layers{{2, 2, {1, 0, 0.5F, 0.5F}}, {2, 2, {0.6F, 0.4F, 0.2F, 0.8F}}};
        const auto close = [](const Map& map, const std::vector<float>& expected) {
            return compareClose(map.values, expected, 1e-6F);
        };
        QCOMPARE(close(rolledDown(layers), {0.8F, 0.2F, 0.6F, 0.4F}), std::string());
        // With the residual connection, as attention has it.
        AttentionBlock block;
        block.layers = 2;
        block.heads = 1;
        block.queries = block.keys = 2;
        for (const auto& layer : layers)
            block.weights.insert(block.weights.end(), layer.values.begin(), layer.values.end());
        QCOMPARE(close(rollout(block), {0.85F, 0.15F, 0.325F, 0.675F}), std::string());
        QCOMPARE(close(attentionFlow(mixedWithResidual(block)), {1, 0.2F, 0.35F, 0.75F}), std::string());
        QCOMPARE(close(relevance(layers),
                       {2 + 0.6F * 2 + 0.4F * 0.5F, 0.4F * 1.5F, 0.5F + 0.2F * 2 + 0.8F * 0.5F, 1.5F + 0.8F * 1.5F}),
                 std::string());
    }

    void scoresOfATextThatSaysItAgain() {
        AttentionBlock block; // "s a b a b": induction, but for the last row
        block.layers = block.heads = 1;
        block.queries = block.keys = 5;
        block.weights.assign(25, 0.0F);
        block.weights[3 * 5 + 2] = 1; // the second a looks at what came behind the first
        block.weights[4 * 5 + 2] = 1; // the second b at the first
        const auto scores = repeatScores(block, Layer(0), Head(0), {.start = 1, .length = 2, .times = 2});
        QCOMPARE(scores.induction, 0.5F);
        QCOMPARE(scores.duplicate, 0.5F);
        QCOMPARE(scores.prefixMass, 0.5F);
    }

    void sumsComeOut_data() {
        QTest::addColumn<QString>("model");
        for (const char* name : {"gpt2",
                                 "marian",
                                 "roberta",
                                 "t5",
                                 "models_more/bart",
                                 "models_more/distilbert",
                                 "families/llama",
                                 "families/gemma2",
                                 "families/gpt_neox",
                                 "families/albert",
                                 "families/qwen3",
                                 "families/phi3",
                                 "families/modernbert",
                                 "families/opt",
                                 "families/deberta_v2",
                                 "families/pegasus",
                                 "families/bloom",
                                 "families/electra",
                                 "families/gpt2_classifier",
                                 "families/bert_nsp",
                                 "families/marian_uneven"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }

    void sumsComeOut() {
        QFETCH(QString, model);
        const auto folder = fixtures / model.toStdString();
        const auto engine = Engine::open(folder);
        const auto expected = readJsonFile(folder / "expected.json", 1 << 20);
        const auto run = engine->run(requestOf(expected.at("inputs"), *engine));
        const auto found = engine->analyse(*run, everything());
        QVERIFY(!found->arrays.empty());
        for (const auto& array : found->arrays) {
            const auto count =
                std::accumulate(array.shape.begin(), array.shape.end(), std::int64_t{1}, std::multiplies());
            QCOMPARE(static_cast<std::int64_t>(array.values.size()), count);
            QVERIFY2(
                std::all_of(array.values.begin(), array.values.end(), [](float value) { return std::isfinite(value); }),
                array.name.c_str());
        }
        for (const auto& [name, of, error] : found->identityErrors)
            if (name != "integrated") // whose steps are too few for some: that is what the number is for
                QVERIFY2(error < 2e-4, qPrintable(QString::fromStdString(name) + u' ' + QString::number(error)));
        for (const char* kind : {"encoder", "decoder"})
            if (found->find(std::string("alti.") + kind))
                QVERIFY(errorOf(*found, std::string("residual_norms.") + kind) < 2e-4);
    }

    void runsRecordNormsAltiAndLens_data() {
        QTest::addColumn<QString>("model");
        for (const char* name : {"gpt2", "marian", "roberta", "t5"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }

    void runsRecordNormsAltiAndLens() {
        QFETCH(QString, model);
        const auto folder = fixtures / model.toStdString();
        const auto engine = Engine::open(folder);
        auto request = requestOf(readJsonFile(folder / "expected.json", 1 << 20).at("inputs"), *engine);
        const auto plain = engine->run(request);
        QVERIFY(plain->norms.empty() && plain->alti.empty() && !plain->lens);
        request.record.norms = request.record.alti = request.record.lens = true;
        const auto run = engine->run(request);
        for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross}) {
            const auto* const weights = run->block(kind);
            const auto* const norms = run->block(kind, Cells::Norms);
            const auto* const alti = run->altiBlock(kind);
            QCOMPARE(norms != nullptr, weights != nullptr);
            QCOMPARE(alti != nullptr, weights != nullptr);
            if (!weights)
                continue;
            QVERIFY(norms->layers == weights->layers && norms->heads == weights->heads && norms->keys == weights->keys);
            QVERIFY(alti->layers == weights->layers && alti->heads == 1 && alti->queries == weights->queries);
            for (auto row = norms->weights.begin(); row != norms->weights.end(); row += norms->keys)
                QVERIFY(std::abs(std::accumulate(row, row + norms->keys, 0.0F) - 1) < 1e-4F);
        }
        const auto& lens = run->lens.value();
        const auto layers = run->target.empty() ? engine->info().encoderLayers : engine->info().decoderLayers;
        QCOMPARE(lens.layers, layers + 1);
        QCOMPARE(lens.predictions.size(), static_cast<std::size_t>(lens.layers * lens.rows));
        QCOMPARE(lens.finalRanks.size(), lens.predictions.size());
        for (int row = 0; row < lens.rows; ++row) { // the last layer says what the model says
            const auto cell = lens.cell(lens.layers - 1, row);
            const auto& said = run->predictions[static_cast<std::size_t>(row)].candidates.front();
            QCOMPARE(lens.predictions[cell].candidates.front().id, said.id);
            QVERIFY(std::abs(lens.predictions[cell].candidates.front().probability - said.probability) < 1e-5F);
            QCOMPARE(lens.finalRanks[cell], 0);
        }
    }

    void aTextPatchedIntoItselfChangesNothing() {
        const auto engine = Engine::open(fixtures / "gpt2");
        Request request;
        request.sourceIds = {12, 7, 30, 11, 8};
        const auto run = engine->run(request);
        AnalysisRequest asked{.what = {Analysis::Patching}};
        asked.against = run;
        const auto same = engine->analyse(*run, asked);
        for (const auto& array : same->arrays)
            if (array.name == "patching.stream" || array.name == "patching.heads")
                QVERIFY(std::all_of(array.values.begin(), array.values.end(),
                                    [](float value) { return std::abs(value) < 1e-5F; }));
        // Of another text all comes back with its only other word, and nothing with what comes before that.
        request.sourceIds = {12, 7, 31, 11, 8};
        asked.against = engine->run(request);
        const auto found = engine->analyse(*run, asked);
        const auto& stream = *found->find("patching.stream");
        QCOMPARE(stream.shape[1], std::int64_t{5});
        QVERIFY(std::abs(stream.values[2] - 1) < 1e-4F && std::abs(stream.values[0]) < 1e-4F);
        QVERIFY(std::abs(stream.values.back() - 1) < 1e-4F);
        QCOMPARE(found->against, request.sourceIds);
    }

    void gradientsAreSlopes() {
        // A word's vector a little longer and a little shorter, in files of their own: what becomes of another word's
        // logit.
        const auto logitOf = [](const std::filesystem::path& folder, const Request& request, std::int64_t token) {
            const auto run = Engine::open(folder)->run(request);
            const auto rows = static_cast<std::size_t>(run->logits->rows);
            return run->logits->values[(rows - 1) * static_cast<std::size_t>(run->logits->vocabulary)
                                       + static_cast<std::size_t>(token)];
        };
        Request request;
        request.sourceIds = {12, 7, 30, 11, 8};
        request.record.logits = true;
        const auto engine = Engine::open(fixtures / "gpt2");
        AnalysisRequest asked{.what = {Analysis::Gradient}, .leaveOut = false, .token = 20};
        const auto found = engine->analyse(*engine->run(request), asked);
        const auto original = SafetensorsFile::open(fixtures / "gpt2" / "model.safetensors");
        for (std::size_t place = 0; place < request.sourceIds.size(); ++place) {
            constexpr float step = 0.02F;
            std::array<float, 2> logits{};
            for (const std::size_t side : {0U, 1U}) {
                auto tensors = original.tensors();
                auto& embedding = *std::find_if(tensors.begin(), tensors.end(), [](const TensorView& tensor) {
                    return tensor.name.ends_with("wte.weight");
                });
                auto numbers = toFloats(embedding);
                const auto width = static_cast<std::size_t>(embedding.shape[1]);
                const auto row = static_cast<std::size_t>(request.sourceIds[place]);
                for (auto cell = row * width; cell < (row + 1) * width; ++cell)
                    numbers[cell] *= side == 0 ? 1 - step : 1 + step;
                embedding = {embedding.name, DType::F32, embedding.shape, std::as_bytes(std::span(numbers))};
                const Folder folder;
                std::filesystem::copy_file(fixtures / "gpt2" / "config.json", folder.path() / "config.json");
                writeFileAtomically(folder.path() / "model.safetensors", serializeSafetensors(tensors));
                logits[side] = logitOf(folder.path(), request, 20);
            }
            const float slope = (logits[1] - logits[0]) / (2 * step);
            const float given = found->find("gradient.input_dot.source")->values[place];
            QVERIFY2(std::abs(slope - given) < 1e-3F + 0.01F * std::abs(given),
                     qPrintable(QStringLiteral("%1 %2").arg(slope).arg(given)));
        }
    }

    void headsThatAreOffBringNothing() {
        const auto engine = Engine::open(fixtures / "gpt2");
        Request request;
        request.sourceIds = {12, 7, 30, 11, 8};
        AnalysisRequest asked{.what = {Analysis::Norms, Analysis::Direct, Analysis::Ablation}};
        const auto full = engine->analyse(*engine->run(request), asked);
        request.intervention.off = {{BlockKind::Decoder, Layer(0), Head(1)}};
        asked.token = full->token;
        const auto changed = engine->analyse(*engine->run(request), asked);
        const auto& norms = *changed->find("value_norms.decoder");
        const auto map = norms.values.begin() + norms.shape[2] * norms.shape[3];
        QVERIFY(std::all_of(map, map + norms.shape[2] * norms.shape[3], [](float value) { return value == 0; }));
        QCOMPARE(changed->find("direct.heads.decoder")->values[1], 0.0F);
        QVERIFY(errorOf(*changed, "residual_norms.decoder") < 1e-4);
        QVERIFY(errorOf(*changed, "direct") < 1e-4);
        // And ablation says what switching it off does.
        const auto vocabulary = full->find("ablation.none.logits")->values.size();
        const auto& without = full->find("ablation.zero.logits.decoder")->values;
        QCOMPARE(compareClose(changed->find("ablation.none.logits")->values,
                              std::span(without).subspan(vocabulary, vocabulary), 1e-4F),
                 std::string());
    }

    void whatDoesNotApplyIsRefusedByName_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("analysis");
        QTest::addColumn<QString>("why");
        const auto row = [](const char* model, Analysis analysis, const char* why) {
            QTest::addRow("%s: %s", model, analysisName(analysis).data())
                << QString::fromLatin1(model) << int(analysis) << QString::fromLatin1(why);
        };
        row("roberta", Analysis::Direct, "not linear");
        row("models/bigbird_sparse", Analysis::Norms, "some of its tokens see all");
        row("families/bert_tokens", Analysis::Lens, "does not say tokens");
        row("families/gemma2", Analysis::Direct, "capped");
        row("gpt2", Analysis::Patching, "second text");
        row("marian", Analysis::Patching, "one stack");
    }

    void whatDoesNotApplyIsRefusedByName() {
        QFETCH(QString, model);
        QFETCH(int, analysis);
        QFETCH(QString, why);
        const auto folder = fixtures / model.toStdString();
        const auto engine = Engine::open(folder);
        const auto run = engine->run(requestOf(readJsonFile(folder / "expected.json", 1 << 20).at("inputs"), *engine));
        AnalysisRequest asked{.what = {Analysis(analysis)}};
        try {
            engine->analyse(*run, asked);
            QFAIL("nothing was refused");
        } catch (const Error& error) {
            QCOMPARE(error.place(), std::string(analysisName(Analysis(analysis))));
            QVERIFY2(QString::fromUtf8(error.what()).contains(why), error.what());
        }
        asked.leaveOut = true;
        const auto found = engine->analyse(*run, asked);
        QCOMPARE(found->leftOut.size(), 1U);
        QVERIFY(found->done.empty());
    }

    void wrongRequestsAreRefused() {
        const auto engine = Engine::open(fixtures / "gpt2");
        Request request;
        request.sourceIds = {12, 7, 30, 11, 8};
        const auto run = engine->run(request);
        const auto refused = [&](const AnalysisRequest& asked, const std::string& place) {
            try {
                engine->analyse(*run, asked);
            } catch (const Error& error) {
                return error.place() == place;
            }
            return false;
        };
        AnalysisRequest asked{.what = {Analysis::Gradient}};
        asked.position = 5;
        QVERIFY(refused(asked, "position"));
        asked.position = 4;
        asked.token = 1 << 20;
        QVERIFY(refused(asked, "token"));
        asked.token.reset();
        asked.memory = 1000;
        QVERIFY(refused(asked, "gradient"));
        asked = {.what = {Analysis::Patching}};
        asked.against = run;
        asked.pair = std::pair(0, 1 << 20);
        QVERIFY(refused(asked, "pair"));
        request.sourceIds.pop_back();
        asked.against = engine->run(request);
        QVERIFY(refused(asked, "patching"));
        auto foreign = *run;
        foreign.model = "another";
        QVERIFY_EXCEPTION_THROWN(engine->analyse(foreign, everything()), Error);
    }

    void stopsOnRequest_data() {
        QTest::addColumn<int>("analysis");
        for (const auto analysis : {Analysis::Integrated, Analysis::Circuits, Analysis::Patching, Analysis::Ablation})
            QTest::addRow("%s", analysisName(analysis).data()) << int(analysis);
    }

    void stopsOnRequest() {
        QFETCH(int, analysis);
        const auto engine = Engine::open(std::filesystem::path(HEADLIGHT_MODELS) / "en-causal");
        Request request;
        for (int i = 0; i < 40; ++i)
            request.sourceIds.push_back(100 + i);
        const auto run = engine->run(request);
        request.sourceIds[3] = 99;
        AnalysisRequest asked{.what = {Analysis(analysis)}};
        asked.against = engine->run(request);
        std::stop_source stop;
        int told = 0;
        double last = 0;
        asked.progress = [&](double part) {
            QVERIFY(part >= last && part <= 1);
            last = part;
            ++told;
            stop.request_stop();
        };
        QVERIFY(!engine->analyse(*run, asked, stop.get_token()));
        QCOMPARE(told, 1);
        stop = {};
        asked.progress = {};
        QVERIFY(engine->analyse(*run, asked, stop.get_token()));
    }
};

QTEST_GUILESS_MAIN(TestAnalyses)
#include "tst_analyses.moc"
