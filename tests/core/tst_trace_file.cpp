// A Trace on disk: what is written reads back the same, others can read it, and files that lie are refused.
#include "core/error.h"
#include "core/files/safetensors.h"
#include "core/files/system_calls.h"
#include "core/files/whole_file.h"
#include "core/trace/trace_description.h"
#include "core/trace/trace_file.h"
#include "tests/support/compare.h"
#include "tests/support/trace_from_ascii.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <functional>
#include <limits>

using namespace headlight;

namespace {

constexpr auto picture = R"(
          the  cat  </s>
    le    8    1    1
    chat  .    9    1
    </s>  .    .    #
)";

/// A Trace with everything in it that a Trace can have.
Trace fullTrace() {
    auto trace = traceFromAscii(picture, {.layers = 2, .heads = 3, .selfAttention = true, .positionDimensions = 4});
    trace.targetForced = true;
    trace.decoderPositions->kind = PositionTable::Kind::Learned;
    trace.decoderPositions->values[0] = 7;
    for (auto* block : {&*trace.encoder, &*trace.decoder, &*trace.cross}) {
        block->headSize = 2;
        const auto heads = static_cast<std::size_t>(block->layers * block->heads * block->headSize);
        block->queryRows.assign(heads * static_cast<std::size_t>(block->queries), 0.5F);
        block->keyRows.assign(heads * static_cast<std::size_t>(block->keys), -0.25F);
        block->valueRows.assign(block->keyRows.size(), 0.125F);
        block->scales = {0.5F, 0.25F};
        block->scores.assign(block->weights.size(), -std::numeric_limits<float>::infinity());
    }
    trace.additive = AdditiveEnergies{3,
                                      3,
                                      2,
                                      std::vector<float>(6, 1),
                                      std::vector<float>(6, 2),
                                      {3, 4},
                                      std::vector<float>(9, 5),
                                      2,
                                      std::vector<float>(6, 7),
                                      true};
    trace.logits = Logits{3, 4, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
    trace.encoderInput =
        InputVectors{3, 2, std::vector<float>(6, 1), std::vector<float>(6, 2), std::vector<float>(6, 3)};
    trace.fixedContext = {0.5F, -1};
    trace.decoderInput = InputVectors{3, 1, {1, 2, 3}, {}, {1, 2, 3}};
    trace.intervention = {{{BlockKind::Cross, Layer(1), Head(2)}}, {{Query(1), Key(2)}}};
    trace.predictions[0].asked = {{11, "\u2581la", 0.125F, " la"}};
    trace.beam = {{.token = {5, "le", 0.5F}, .logProbability = -0.7, .chosen = true},
                  {.parent = 0, .step = 1, .token = {2, "</s>", 1}, .logProbability = -0.7, .finished = true}};
    trace.window = Window{2, 3, 9};
    trace.notices = {"text cut at 3 tokens", ""};
    return trace;
}

void verifySame(const AttentionBlock& read, const AttentionBlock& written) {
    QCOMPARE(read.kind, written.kind);
    QCOMPARE(read.layers, written.layers);
    QCOMPARE(read.heads, written.heads);
    QCOMPARE(read.queries, written.queries);
    QCOMPARE(read.keys, written.keys);
    QCOMPARE(read.headSize, written.headSize);
    QCOMPARE(read.weights, written.weights);
    QCOMPARE(read.scores, written.scores);
    QCOMPARE(read.queryRows, written.queryRows);
    QCOMPARE(read.keyRows, written.keyRows);
    QCOMPARE(read.valueRows, written.valueRows);
    QCOMPARE(read.scales, written.scales);
}

QByteArray contentOf(const std::filesystem::path& path) {
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QJsonObject parsed(const std::string& json) {
    QJsonParseError error;
    const auto document = QJsonDocument::fromJson(QByteArray::fromStdString(json), &error);
    return error.error == QJsonParseError::NoError ? document.object() : QJsonObject{};
}

/// A file as another program might make it.
struct MadeElsewhere {
    std::map<std::string, std::string> metadata;
    std::map<std::string, std::vector<std::int64_t>> shapes;
    DType dtype = DType::F32;
    float value = 0.5F; ///< of every element

    std::vector<std::byte> bytes() const {
        std::vector<std::vector<std::byte>> contents;
        std::vector<TensorView> tensors;
        for (const auto& [name, shape] : shapes) {
            std::size_t count = 1;
            for (const auto extent : shape)
                count *= static_cast<std::size_t>(extent);
            const std::vector<float> floats(count, value);
            const auto raw = std::as_bytes(std::span(floats));
            if (dtype == DType::F32)
                contents.emplace_back(raw.begin(), raw.end());
            else
                contents.emplace_back(count * elementSize(dtype));
            tensors.push_back({name, dtype, shape, {}});
        }
        for (std::size_t i = 0; i < tensors.size(); ++i)
            tensors[i].bytes = contents[i];
        return serializeSafetensors(tensors, metadata);
    }
};

} // namespace

class TestTraceFile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void savedByPeople();
    void init() { m_root = m_folder.path().toStdString(); }

    void everythingComesBack() {
        const auto written = fullTrace();
        writeTrace(written, m_root / "new" / "folder");
        const auto read = readTrace(m_root / "new" / "folder" / "trace.safetensors");
        QCOMPARE(read.model, written.model);
        QCOMPARE(read.family, written.family);
        QCOMPARE(read.sourceText, written.sourceText);
        QCOMPARE(read.targetText, written.targetText);
        QCOMPARE(read.targetForced, written.targetForced);
        QVERIFY(read.window.has_value());
        QCOMPARE(read.window->begin, 2);
        QCOMPARE(read.window->length, 3);
        QCOMPARE(read.window->total, 9);
        QVERIFY(read.source == written.source && read.target == written.target && read.emitted == written.emitted);
        verifySame(*read.encoder, *written.encoder);
        verifySame(*read.decoder, *written.decoder);
        verifySame(*read.cross, *written.cross);
        QCOMPARE(read.additive->size, 2);
        QCOMPARE(read.additive->queries, 3);
        QCOMPARE(read.additive->keys, 3);
        QCOMPARE(read.additive->queryPart, written.additive->queryPart);
        QCOMPARE(read.additive->keyPart, written.additive->keyPart);
        QCOMPARE(read.additive->v, written.additive->v);
        QCOMPARE(read.additive->energies, written.additive->energies);
        QCOMPARE(read.additive->annotationSize, 2);
        QVERIFY(read.additive->knowsLastToken);
        QCOMPARE(read.additive->annotations, written.additive->annotations);
        for (const auto stack : {BlockKind::Encoder, BlockKind::Decoder}) {
            QCOMPARE(read.positions(stack)->kind, written.positions(stack)->kind);
            QCOMPARE(read.positions(stack)->positions, written.positions(stack)->positions);
            QCOMPARE(read.positions(stack)->dimensions, written.positions(stack)->dimensions);
            QCOMPARE(read.positions(stack)->values, written.positions(stack)->values);
        }
        QVERIFY(read.intervention == written.intervention);
        QCOMPARE(read.encoderInput->positions, written.encoderInput->positions);
        QCOMPARE(read.decoderInput->sums, written.decoderInput->sums);
        QCOMPARE(read.fixedContext, written.fixedContext);
        QCOMPARE(read.beam.size(), 2U);
        QCOMPARE(read.beam[1].parent, 0);
        QVERIFY(read.beam[1].finished && read.beam[0].chosen);
        QCOMPARE(read.logits->rows, 3);
        QCOMPARE(read.logits->vocabulary, 4);
        QCOMPARE(read.logits->values, written.logits->values);
        QCOMPARE(read.predictions.size(), written.predictions.size());
        QCOMPARE(read.predictions[2].position, 2);
        QCOMPARE(read.predictions[2].candidates[0].text, std::string("</s>"));
        QCOMPARE(read.predictions[2].candidates[0].probability, 0.75F);
        QCOMPARE(read.predictions[1].candidates[0].letters, std::string(" chat"));
        QCOMPARE(read.predictions[0].asked[0].letters, std::string(" la"));
        QCOMPARE(read.predictions[0].asked[0].probability, 0.125F);
        QCOMPARE(read.timings.tokenize, 0.25);
        QCOMPARE(read.timings.model, 1.5);
        QCOMPARE(read.notices, written.notices);
        QCOMPARE(traceJson(read), traceJson(written));
        QCOMPARE(serializeTrace(read), serializeTrace(written));
        QCOMPARE(contentOf(m_root / "new" / "folder" / "trace.json"), QByteArray::fromStdString(traceJson(written)));
    }

    /// Files of before there were letters, and tables of each stack.
    void olderFilesAreRead() {
        const auto trace = fullTrace();
        auto json = QString::fromStdString(traceJson(trace));
        json.remove(QRegularExpression(u"\"letters\": \"[^\"]*\",\\s*"_qs));
        json.remove(QRegularExpression(u"\"decoder_positions\": [^,]*,\\s*"_qs));
        json.replace(QRegularExpression(u"\"encoder_positions\": [^,]*,"_qs), u"\"positions\": \"learned\","_qs);
        QVERIFY(!json.contains(u"letters"_qs) && json.contains(u"\"positions\": \"learned\""_qs));
        MadeElsewhere made;
        made.metadata["trace"] = json.toStdString();
        made.shapes = {{"encoder", {1, 1, 3, 3}}, {"positions", {5, 4}}};
        const auto read = readTrace(SafetensorsFile::fromBytes(made.bytes(), "memory"));
        QCOMPARE(read.source[1].letters, std::string("\u2581cat"));
        QCOMPARE(read.predictions[0].candidates[0].letters, std::string("\u2581le"));
        QCOMPARE(read.encoderPositions->positions, 5);
        QCOMPARE(read.encoderPositions->kind, PositionTable::Kind::Learned);
        QVERIFY(!read.decoderPositions);
    }

    void littleComesBack() {
        Trace trace; // a model without attention, of nothing
        trace.model = "en-fr-recurrent";
        writeTrace(trace, m_root / "little");
        const auto read = readTrace(m_root / "little" / "trace.safetensors");
        QCOMPARE(serializeTrace(read), serializeTrace(trace));
        QVERIFY(!read.encoder && !read.cross && !read.additive && !read.encoderPositions && !read.decoderPositions
                && !read.logits);
    }

    void othersFindWhatIsDocumented() {
        const auto trace = fullTrace();
        const auto file = SafetensorsFile::fromBytes(serializeTrace(trace), "memory");
        using Shape = std::vector<std::int64_t>;
        const std::map<std::string, Shape> expected{{"encoder", {2, 3, 3, 3}},
                                                    {"decoder", {2, 3, 3, 3}},
                                                    {"cross", {2, 3, 3, 3}},
                                                    {"encoder.scores", {2, 3, 3, 3}},
                                                    {"decoder.scores", {2, 3, 3, 3}},
                                                    {"cross.scores", {2, 3, 3, 3}},
                                                    {"encoder.queries", {2, 3, 3, 2}},
                                                    {"decoder.queries", {2, 3, 3, 2}},
                                                    {"cross.queries", {2, 3, 3, 2}},
                                                    {"encoder.keys", {2, 3, 3, 2}},
                                                    {"decoder.keys", {2, 3, 3, 2}},
                                                    {"cross.keys", {2, 3, 3, 2}},
                                                    {"encoder.values", {2, 3, 3, 2}},
                                                    {"encoder.scales", {2}},
                                                    {"decoder.values", {2, 3, 3, 2}},
                                                    {"decoder.scales", {2}},
                                                    {"cross.values", {2, 3, 3, 2}},
                                                    {"cross.scales", {2}},
                                                    {"encoder.input.tokens", {3, 2}},
                                                    {"encoder.input.positions", {3, 2}},
                                                    {"encoder.input.sums", {3, 2}},
                                                    {"decoder.input.tokens", {3, 1}},
                                                    {"decoder.input.sums", {3, 1}},
                                                    {"additive.queries", {3, 2}},
                                                    {"additive.keys", {3, 2}},
                                                    {"additive.v", {2}},
                                                    {"additive.energies", {3, 3}},
                                                    {"additive.annotations", {3, 2}},
                                                    {"context", {2}},
                                                    {"encoder.positions", {3, 4}},
                                                    {"decoder.positions", {3, 4}},
                                                    {"logits", {3, 4}}};
        QCOMPARE(file.tensors().size(), expected.size());
        for (const auto& [name, shape] : expected) {
            const auto* tensor = file.find(name);
            QVERIFY2(tensor, name.c_str());
            QCOMPARE(tensor->shape, shape);
            QCOMPARE(tensor->dtype, DType::F32);
        }
        const auto tokens = parsed(file.metadata().at("tokens"));
        QCOMPARE(tokens["source"].toArray(), QJsonArray({"▁the", "▁cat", "</s>"}));
        QCOMPARE(tokens["target"].toArray(), QJsonArray({"<s>", "▁le", "▁chat"}));
        QCOMPARE(tokens["emitted"].toArray(), QJsonArray({"▁le", "▁chat", "</s>"}));

        const auto json = parsed(traceJson(trace));
        QCOMPARE(json["source_text"].toString(), QString("the cat"));
        const auto cat = json["source"].toArray()[1].toObject();
        QCOMPARE(cat["text"].toString(), QString("▁cat"));
        QCOMPARE(cat["letters"].toString(), QString(" cat"));
        QCOMPARE(cat["bytes"].toArray(), QJsonArray({4, 7}));
        QCOMPARE(cat["word"].toInt(), 1);
        QCOMPARE(cat["special"].toBool(true), false);
        QCOMPARE(cat["id"].toInteger(-1), trace.source[1].id);
        QCOMPARE(json["predictions"].toArray()[0].toObject()["candidates"].toArray().size(), 2);
        QCOMPARE(json["milliseconds"].toObject()["model"].toDouble(), 1.5);
        QCOMPARE(json["encoder_positions"].toString(), QString("sinusoidal"));
        QCOMPARE(json["decoder_positions"].toString(), QString("learned"));
    }

    void jsonHoldsAnyText_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QByteArray>("expected");
        const auto row = [](const char* name, const QByteArray& text, const QByteArray& expected) {
            QTest::newRow(name) << text << expected;
        };
        const QByteArray unknown = "\xef\xbf\xbd";
        row("valid", "é 猫 😀", "é 猫 😀");
        row("quotes, backslash, control", "\"\\\x01\n", "\"\\\x01\n");
        row("zero byte", QByteArray("a\0b", 3), QByteArray("a\0b", 3));
        row("lone continuation", "a\x80z", "a" + unknown + "z");
        row("cut at the end", "a\xe7\x8c", "a" + unknown + unknown);
        row("overlong", "\xc0\xafz", unknown + unknown + "z");
        row("overlong of three", "\xe0\x80\xafz", unknown + unknown + unknown + "z");
        row("surrogate", "\xed\xa0\x80z", unknown + unknown + unknown + "z");
        row("beyond Unicode", "\xf4\x90\x80\x80z", unknown + unknown + unknown + unknown + "z");
        row("no UTF-8 at all", "\xff\xfez", unknown + unknown + "z");
    }
    void jsonHoldsAnyText() {
        QFETCH(QByteArray, text);
        QFETCH(QByteArray, expected);
        Trace trace;
        trace.sourceText = text.toStdString();
        trace.model = trace.family = trace.sourceText;
        trace.notices = {trace.sourceText};
        const auto size = trace.sourceText.size();
        trace.source = {{.id = 1, .text = trace.sourceText, .bytes = {size - 1, size}, .word = 0, .special = false}};
        trace.predictions = {{0, {{1, trace.sourceText, notANumber}}}};
        const auto json = traceJson(trace);
        const auto root = parsed(json);
        QCOMPARE(root["source_text"].toString().toUtf8(), expected);
        QCOMPARE(root["model"].toString().toUtf8(), expected);
        QCOMPARE(root["notices"].toArray()[0].toString().toUtf8(), expected);
        QVERIFY(QByteArray::fromStdString(json).toLower().indexOf("nan") < 0);
        const auto candidate = root["predictions"].toArray()[0].toObject()["candidates"].toArray()[0].toObject();
        QVERIFY(candidate["probability"].isNull());
        QCOMPARE(candidate["text"].toString().toUtf8(), expected);
        // The range still names the same, last letter of the text as it is now.
        writeTrace(trace, m_root / "any");
        const auto read = readTrace(m_root / "any" / "trace.safetensors");
        QCOMPARE(QByteArray::fromStdString(read.sourceText), expected);
        QCOMPARE(read.source[0].bytes.end, read.sourceText.size());
        QVERIFY(std::isnan(read.predictions[0].candidates[0].probability));
        if (text.endsWith('z'))
            QCOMPARE(read.source[0].bytes.begin, read.sourceText.size() - 1);
    }

    void rangesBeyondTheTextAreCut() {
        Trace trace;
        trace.sourceText = "ab";
        trace.source = {{.id = 1, .text = "ab", .bytes = {1, 99}, .word = 0, .special = false}};
        writeTrace(trace, m_root / "beyond");
        QCOMPARE(readTrace(m_root / "beyond" / "trace.safetensors").source[0].bytes, (ByteRange{1, 2}));
    }

    void weightsThatAreNoNumbersComeBackWithANotice() {
        auto trace = traceFromAscii(picture);
        trace.cross->weights[0] = notANumber;
        writeTrace(trace, m_root / "broken");
        auto read = readTrace(m_root / "broken" / "trace.safetensors");
        QVERIFY(std::isnan(read.cross->weights[0]));
        QCOMPARE(read.notices, std::vector<std::string>({"cross: 1 of 3 rows do not sum to 1"}));
        writeTrace(read, m_root / "broken");
        QCOMPARE(readTrace(m_root / "broken" / "trace.safetensors").notices, read.notices); // said once
    }

    void writesBothOrNeither() {
        const auto folder = m_root / "both";
        std::filesystem::create_directories(folder / "trace.json"); // a folder where the file should be
        QVERIFY_THROWS_EXCEPTION(Error, writeTrace(fullTrace(), folder));
        QCOMPARE(QDir(QString::fromStdString(folder.string()))
                     .entryList(QDir::NoDotAndDotDot | QDir::AllEntries | QDir::Hidden),
                 QStringList("trace.json"));
        QVERIFY_THROWS_EXCEPTION(Error, writeTrace(fullTrace(), "/dev/null/folder"));
    }

    void tellsWhichOfTheTwoFilesIsOlder() {
        const auto folder = m_root / "torn";
        auto trace = traceFromAscii(picture);
        trace.notices.clear();
        writeTrace(trace, folder);
        QVERIFY(readTrace(folder / "trace.safetensors").notices.empty());
        const auto before = systemCalls();
        systemCalls().rename = [&before](const char* from, const char* to) {
            return std::string_view(to).ends_with(".json") ? -1 : before.rename(from, to); // as if killed between
        };
        trace.model = "another";
        QVERIFY_THROWS_EXCEPTION(Error, writeTrace(trace, folder));
        systemCalls() = before;
        const auto read = readTrace(folder / "trace.safetensors");
        QCOMPARE(read.model, std::string("another"));
        QCOMPARE(read.notices.size(), std::size_t(1));
        QVERIFY2(read.notices[0].find("trace.json beside this file is of another run, and older") == 0,
                 read.notices[0].c_str());
    }

    void labelsEnd() {
        auto trace = traceFromAscii(picture);
        trace.source[0].text = std::string(1'000'000, 'x');
        trace.source[1].text = "\xc3\xa9 \xef\xbf\xbe\xef\xbf\xbf"; // é, U+FFFE and U+FFFF, which no XML has
        const auto read = readTrace(SafetensorsFile::fromBytes(serializeTrace(trace), "memory"));
        QCOMPARE(read.source[0].text, std::string(1024, 'x') + "\u2026");
        QCOMPARE(read.source[1].text, std::string("\u00e9 \ufffd\ufffd"));
    }

    void opensWhatOthersMade() {
        MadeElsewhere made;
        made.metadata["tokens"] = R"({"source": ["[CLS]", "un", "##happy", "[SEP]"], "target": ["<s>", "a", "b"]})";
        made.shapes = {{"cross", {2, 1, 3, 4}}, {"encoder", {1, 1, 4, 4}}, {"something else", {7}}};
        made.value = 0.25F;
        writeFileAtomically(m_root / "bert.safetensors", made.bytes());
        const auto trace = readTrace(m_root / "bert.safetensors");
        QCOMPARE(trace.model, std::string("bert"));
        QCOMPARE(trace.sourceText, std::string("unhappy"));
        QCOMPARE(trace.source.size(), std::size_t(4));
        QVERIFY(trace.source[0].special && trace.source[3].special && trace.source[0].word == -1);
        QCOMPARE(trace.source[0].letters, std::string("[CLS]"));
        QCOMPARE(trace.source[1].letters, std::string(" un"));
        QCOMPARE(trace.source[2].letters, std::string("happy"));
        QCOMPARE(trace.source[2].bytes, (ByteRange{2, 7}));
        QCOMPARE(trace.source[2].word, 0);
        QVERIFY(trace.emitted == trace.target);
        QCOMPARE(trace.targetText, std::string("a b"));
        QCOMPARE(trace.cross->layers, 2);
        QVERIFY(!trace.decoder && trace.notices.empty());
    }

    void opensOneListOfTokens_data() {
        QTest::addColumn<QByteArray>("block");
        QTest::addColumn<QByteArray>("tokens");
        QTest::addColumn<QByteArray>("text");
        QTest::newRow("encoder, whole words")
            << QByteArray("encoder") << QByteArray(R"(["a", "cat"])") << QByteArray("a cat");
        QTest::newRow("decoder, SentencePiece")
            << QByteArray("decoder") << QByteArray(R"(["▁ca", "t"])") << QByteArray("cat");
        QTest::newRow("decoder, GPT-2") << QByteArray("decoder") << QByteArray(R"(["a", "Ġcat"])")
                                        << QByteArray("a cat");
        QTest::newRow("decoder, GPT-2, bytes of letters")
            << QByteArray("decoder") << QByteArray(R"(["lâĢĻ", "Ġeau"])") << QByteArray("l\u2019 eau");
        QTest::newRow("mask and unknown are text")
            << QByteArray("encoder") << QByteArray(R"(["[MASK]", "<unk>"])") << QByteArray("[MASK] <unk>");
        QTest::newRow("empty pieces") << QByteArray("encoder") << QByteArray(R"(["", "##"])") << QByteArray("##");
    }
    void opensOneListOfTokens() {
        QFETCH(QByteArray, block);
        QFETCH(QByteArray, tokens);
        QFETCH(QByteArray, text);
        MadeElsewhere made;
        made.metadata["tokens"] = tokens.toStdString();
        made.shapes = {{block.toStdString(), {1, 2, 2, 2}}};
        writeFileAtomically(m_root / "one.safetensors", made.bytes());
        const auto trace = readTrace(m_root / "one.safetensors");
        const bool encoder = block == "encoder";
        QCOMPARE(QByteArray::fromStdString(encoder ? trace.sourceText : trace.targetText), text);
        QCOMPARE(trace.source.size(), std::size_t(encoder ? 2 : 0));
        QCOMPARE(trace.target.size(), std::size_t(encoder ? 0 : 2));
        QCOMPARE(trace.emitted.size(), trace.target.size());
    }

    void refusesWhatOthersMade_data() {
        QTest::addColumn<std::function<void(MadeElsewhere&)>>("spoil");
        QTest::addColumn<Error::Kind>("kind");
        QTest::addColumn<QByteArray>("said");
        const auto row = [](const char* name, std::function<void(MadeElsewhere&)> spoil, Error::Kind kind,
                            const char* said) { QTest::newRow(name) << spoil << kind << QByteArray(said); };
        const auto corrupt = Error::Kind::Corrupt;
        const auto mismatch = Error::Kind::Mismatch;
        const auto unsupported = Error::Kind::Unsupported;
        const auto tokens = [&](const char* name, const char* text, const char* said) {
            row(
                name, [text](auto& made) { made.metadata["tokens"] = text; }, corrupt, said);
        };
        const auto cross = [&](const char* name, std::vector<std::int64_t> shape, const char* said) {
            row(
                name, [shape](auto& made) { made.shapes["cross"] = shape; }, mismatch, said);
        };
        row(
            "no tokens", [](auto& made) { made.metadata.clear(); }, unsupported, "no metadata entry 'tokens'");
        row(
            "no blocks",
            [](auto& made) {
                made.shapes = {{"attention", {1}}};
            },
            unsupported, "no tensor 'encoder'");
        row(
            "integers", [](auto& made) { made.dtype = DType::I64; }, unsupported, "tensor 'cross': has the type I64");
        tokens("tokens not JSON", "the cat", "is not JSON");
        tokens("tokens a number", "7", "is not a JSON object");
        tokens("tokens empty", "", "is not JSON");
        tokens("one list for two texts", R"(["a", "b"])", "two texts");
        tokens("no target", R"({"source": ["a", "b"]})", "has no \"target\"");
        tokens("source not a list", R"({"source": "ab", "target": ["x"]})",
               "\"source\": \"ab\" where a list must stand");
        tokens("token not a text", R"({"source": ["a", 2], "target": ["x"]})", "\"source[1]\": 2 where a text");
        row(
            "too few tokens", [](auto& made) { made.metadata["tokens"] = R"({"source": ["a"], "target": ["x"]})"; },
            mismatch, "has 2 keys, but the file names 1 tokens");
        row(
            "too many emitted",
            [](auto& made) {
                made.metadata["tokens"] = R"({"source": ["a", "b"], "target": ["x"], "emitted": ["x", "y"]})";
            },
            mismatch, "1 target tokens, but 2 emitted");
        const auto unshown = [&](const char* name, std::vector<std::int64_t> shape, const char* said) {
            row(
                name, [shape](auto& made) { made.shapes["cross"] = shape; }, unsupported, said);
        };
        unshown("a million layers", {1'000'000, 1, 1, 2}, "has 1000000 layers");
        unshown("a million heads", {1, 1'000'000, 1, 2}, "layers of 1000000 heads");
        unshown("too many layers of heads", {1000, 1000, 1, 2}, "no model has so many");
        row(
            "too many tokens",
            [](auto& made) {
                std::string names = R"({"target": ["x"], "source": ["a")";
                for (int i = 0; i < 20'000; ++i)
                    names += ",\"a\"";
                made.metadata["tokens"] = names + "]}";
            },
            unsupported, "names 20001 tokens");
        row(
            "tokens nested without end", [](auto& made) { made.metadata["tokens"] = std::string(1'000'000, '['); },
            corrupt, "nested more than 32 deep");
        cross("two dimensions", {1, 2}, "shape [1, 2] instead of [layers, heads, queries, keys], as logits have");
        cross("no heads", {1, 0, 1, 2}, "nothing can be shown");
        cross("more queries than tokens", {1, 1, 5, 2}, "has 5 queries, but the file names 1");
        cross("layers beyond an int", {1LL << 40, 0, 1, 2}, "nothing can be shown");
        const auto extra = [&](const char* name, const char* tensor, std::vector<std::int64_t> shape,
                               const char* said) {
            row(
                name, [=](auto& made) { made.shapes[tensor] = shape; }, mismatch, said);
        };
        extra("scores of another shape", "cross.scores", {1, 1, 1, 3}, "instead of [1, 1, 1, 2]");
        extra("queries without keys", "cross.queries", {1, 1, 1, 4}, "'cross.keys': is missing");
        extra("keys without queries", "cross.keys", {1, 1, 2, 4}, "'cross.queries': is missing");
        extra("energies alone", "additive.energies", {1, 2}, "'additive.v': is missing");
        extra("positions of one dimension", "positions", {4}, "instead of 2 dimensions");
        extra("logits empty", "logits", {0, 5}, "nothing can be shown");
    }
    void refusesWhatOthersMade() {
        QFETCH(std::function<void(MadeElsewhere&)>, spoil);
        QFETCH(Error::Kind, kind);
        QFETCH(QByteArray, said);
        MadeElsewhere made;
        made.metadata["tokens"] = R"({"source": ["a", "b"], "target": ["x"]})";
        made.shapes = {{"cross", {1, 1, 1, 2}}};
        const auto path = m_root / "spoilt.safetensors";
        writeFileAtomically(path, made.bytes());
        readTrace(path); // good as it is
        spoil(made);
        writeFileAtomically(path, made.bytes());
        verifyRefused(path, kind, said);
    }

    void refusesDescriptionsThatLie_data() {
        QTest::addColumn<QByteArray>("from"); // what of the description is replaced by what
        QTest::addColumn<QByteArray>("to");
        QTest::addColumn<Error::Kind>("kind");
        QTest::addColumn<QByteArray>("said");
        const auto row = [](const char* name, const char* from, const char* to, const char* said,
                            Error::Kind kind = Error::Kind::Corrupt) {
            QTest::newRow(name) << QByteArray(from) << QByteArray(to) << kind << QByteArray(said);
        };
        row("not JSON", "{", "", "is not JSON");
        row("window a text", R"("window":null)", R"("window":"all")", "\"window\": \"all\" where an object");
        row("window negative", R"("window":null)", R"("window":{"begin":-1,"length":1,"total":2})",
            "\"window.begin\": -1 where a whole number from 0");
        row("a list", "{", "[] ", "is not JSON");
        row("another format", "headlight-trace", "other", "not the description of a trace");
        row("newer version", R"("version":1)", R"("version":2)", "has version 2", Error::Kind::Unsupported);
        row("name left out", R"("model":)", R"("modell":)", "has no \"model\"");
        row("name a number", R"("model":"ascii")", R"("model":3)", "\"model\": 3 where a text");
        row("forced a text", R"("target_forced":false)", R"("target_forced":"no")",
            "\"target_forced\": \"no\" where true or false");
        row("source an object", R"("source":[)", R"("source":{},"old":[)", "\"source\": an object where a list");
        row("token a number", R"("source":[)", R"("source":[5,)", "\"source[0]\": 5 where an object");
        row("range behind the text", R"("bytes":[4,7])", R"("bytes":[4,8])",
            "\"source[1].bytes[1]\": 8 where a whole number from 4 to 7");
        row("range reversed", R"("bytes":[4,7])", R"("bytes":[4,3])", "3 where a whole number from 4 to 7");
        row("range negative", R"("bytes":[4,7])", R"("bytes":[-1,7])", "-1 where a whole number from 0 to 7");
        row("range of one", R"("bytes":[4,7])", R"("bytes":[4])", "has 1 numbers instead of 2");
        row("range broken", R"("bytes":[4,7])", R"("bytes":[4.5,7])", "4.5 where a whole number");
        row("word below -1", R"("word":1)", R"("word":-2)", "-2 where a whole number from -1");
        row("word beyond an int", R"("word":1)", R"("word":2147483648)", "2147483648 where a whole number");
        row("id beyond 64 bits", R"("id":)", R"("id":18446744073709551615,"old":)",
            "18446744073709551615 where a whole number");
        row("id a float", R"("id":)", R"("id":1e300,"old":)", "1e+300 where a whole number");
        row("special missing", R"("special":)", R"("old":)", "has no \"special\"");
        row("prediction behind the rows", R"("position":2)", R"("position":3)", "3 where a whole number from 0 to 2");
        row("probability beyond all numbers", R"("probability":0.75)", R"("probability":1e999)",
            "number that is too large");
        row("probability a text", R"("probability":0.75)", R"("probability":"most")", "\"most\" where a number");
        row("positions unknown", R"("encoder_positions":null)", R"("positions":"magic")", "unknown kind");
        row("notice a number", R"("notices":[)", R"("notices":[1)", "\"notices[0]\": 1 where a text");
        row("token left out", R"("source":[)", R"("source":[],"old":[)", "names 0 tokens", Error::Kind::Mismatch);
    }
    void refusesDescriptionsThatLie() {
        QFETCH(QByteArray, from);
        QFETCH(QByteArray, to);
        QFETCH(Error::Kind, kind);
        QFETCH(QByteArray, said);
        const auto trace = traceFromAscii(picture);
        const auto json =
            QJsonDocument::fromJson(QByteArray::fromStdString(traceJson(trace))).toJson(QJsonDocument::Compact);
        const auto at = json.indexOf(from);
        QVERIFY2(at >= 0, json.constData());
        auto spoilt = json;
        spoilt.replace(at, from.size(), to);
        MadeElsewhere made;
        made.shapes = {{"cross", {1, 1, 3, 3}}};
        made.value = 1.0F / 3;
        const auto path = m_root / "lies.safetensors";
        made.metadata = {{"trace", json.toStdString()}};
        writeFileAtomically(path, made.bytes());
        QCOMPARE(traceJson(readTrace(path)), traceJson(trace)); // good as it is
        made.metadata = {{"trace", spoilt.toStdString()}};
        writeFileAtomically(path, made.bytes());
        verifyRefused(path, kind, said);
    }

    void refusesWhatIsNoSafetensors() {
        writeFileAtomically(m_root / "text", {});
        verifyRefused(m_root / "text", Error::Kind::Corrupt, "0 bytes");
        verifyRefused(m_root / "absent", Error::Kind::NotFound, "absent");
    }

private:
    static constexpr float notANumber = std::numeric_limits<float>::quiet_NaN();

    static void verifyRefused(const std::filesystem::path& path, Error::Kind kind, const QByteArray& said) {
        try {
            readTrace(path);
            QFAIL("was opened");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), kind);
            QVERIFY2(error.place().starts_with(path.string()), error.what());
            QVERIFY2(std::string(error.what()).find(said.toStdString()) != std::string::npos, error.what());
        }
    }

    QTemporaryDir m_folder;
    std::filesystem::path m_root;
};

/// As people save them: a batch of one, keys of groups of heads, weights that are no distributions.
void TestTraceFile::savedByPeople() {
    const auto cases = std::filesystem::path(HEADLIGHT_FIXTURES) / "cases" / "traces";
    const auto stacked = readTrace(cases / "batch-5d.safetensors");
    QCOMPARE(stacked.encoder->layers, 3);
    QCOMPARE(stacked.encoder->heads, 2);
    QVERIFY(stacked.encoder->distributions && stacked.notices.empty());
    const auto grouped = readTrace(cases / "gqa-weights.safetensors");
    const auto& block = *grouped.decoder;
    QCOMPARE(block.heads, 8);
    const auto rows = static_cast<std::ptrdiff_t>(block.keys) * block.headSize;
    QCOMPARE(block.keyRows.size(), static_cast<std::size_t>(rows * block.layers * block.heads));
    // Four heads in a row have the same keys, the next four others.
    QVERIFY(std::equal(block.keyRows.begin(), block.keyRows.begin() + rows, block.keyRows.begin() + 3 * rows));
    QVERIFY(!std::equal(block.keyRows.begin(), block.keyRows.begin() + rows, block.keyRows.begin() + 4 * rows));
    const auto scaled = readTrace(cases / "not-normalised.safetensors");
    QVERIFY(!scaled.encoder->distributions && !scaled.notices.empty());
}

QTEST_GUILESS_MAIN(TestTraceFile)
#include "tst_trace_file.moc"
