// Protects models that are made of two: an encoder and a decoder joined, a BERT that decodes alone, a Marian with an
// embedding for each language. Their reference numbers are those of the same weights under other families' names.
#include "core/engine.h"
#include "core/files/safetensors.h"
#include "tests/support/compare.h"
#include "tests/support/tiny_models.h"

#include <QTest>

#include <algorithm>
#include <cstring>
#include <functional>

using namespace headlight;

namespace {

const std::filesystem::path fixtures = HEADLIGHT_FIXTURES;

/// Tensors to be written, taken from files under other names.
class Made {
public:
    void take(const std::filesystem::path& file, const std::function<std::string(const std::string& name)>& renamed) {
        const auto opened = SafetensorsFile::open(file);
        for (const auto& tensor : opened.tensors())
            if (const auto name = renamed(tensor.name); !name.empty())
                add(name, tensor.shape, toFloats(tensor));
    }
    void add(const std::string& name, const std::vector<std::int64_t>& shape, std::vector<float> numbers) {
        auto& kept = m_tensors.m_numbers.emplace_back(std::move(numbers));
        m_tensors.m_views.push_back({name, DType::F32, shape, std::as_bytes(std::span(kept))});
    }
    void fill(const std::string& name, const std::vector<std::int64_t>& shape, float value) {
        add(name, shape, std::vector<float>(count(shape), value));
    }
    void draw(const std::string& name, const std::vector<std::int64_t>& shape) { m_tensors.add(name, shape); }
    /// Changes one that is there already.
    void change(const std::string& name, const std::function<void(std::size_t i, float& number)>& change) {
        const auto view = std::find_if(m_tensors.m_views.begin(), m_tensors.m_views.end(),
                                       [&](const TensorView& one) { return one.name == name; });
        auto& numbers = m_tensors.m_numbers[static_cast<std::size_t>(view - m_tensors.m_views.begin())];
        for (std::size_t i = 0; i < numbers.size(); ++i)
            change(i, numbers[i]);
    }
    void write(const std::filesystem::path& folder, const QJsonObject& config) const {
        m_tensors.write(folder / "model.safetensors");
        headlight::write(folder / "config.json", QJsonDocument(config).toJson());
    }

private:
    static std::size_t count(const std::vector<std::int64_t>& shape) {
        std::size_t all = 1;
        for (const auto size : shape)
            all *= static_cast<std::size_t>(size);
        return all;
    }
    Tensors m_tensors;
};

std::string replaced(std::string name, const std::vector<std::pair<std::string, std::string>>& pairs) {
    for (const auto& [from, to] : pairs)
        if (const auto at = name.find(from); at != std::string::npos)
            name.replace(at, from.size(), to);
    return name;
}

/// BART's name of a tensor of one stack, as BERT has it.
std::string asBert(const std::string& name, const std::string& stack, const std::string& prefix) {
    if (!name.starts_with("model." + stack + "."))
        return {};
    return replaced(name, {{"model." + stack + ".embed_positions.", prefix + "embeddings.position_embeddings."},
                           {"model." + stack + ".layernorm_embedding.", prefix + "embeddings.LayerNorm."},
                           {"model." + stack + ".layers.", prefix + "encoder.layer."},
                           {".self_attn.q_proj.", ".attention.self.query."},
                           {".self_attn.k_proj.", ".attention.self.key."},
                           {".self_attn.v_proj.", ".attention.self.value."},
                           {".self_attn.out_proj.", ".attention.output.dense."},
                           {".self_attn_layer_norm.", ".attention.output.LayerNorm."},
                           {".encoder_attn.q_proj.", ".crossattention.self.query."},
                           {".encoder_attn.k_proj.", ".crossattention.self.key."},
                           {".encoder_attn.v_proj.", ".crossattention.self.value."},
                           {".encoder_attn.out_proj.", ".crossattention.output.dense."},
                           {".encoder_attn_layer_norm.", ".crossattention.output.LayerNorm."},
                           {".fc1.", ".intermediate.dense."},
                           {".fc2.", ".output.dense."},
                           {".final_layer_norm.", ".output.LayerNorm."}});
}

QJsonObject bertConfig(int width, int layers, int positions, int words) {
    return {{u"model_type"_qs, u"bert"_qs},
            {u"vocab_size"_qs, words},
            {u"hidden_size"_qs, width},
            {u"num_attention_heads"_qs, 4},
            {u"intermediate_size"_qs, 64},
            {u"num_hidden_layers"_qs, layers},
            {u"max_position_embeddings"_qs, positions},
            {u"layer_norm_eps"_qs, 1e-5},
            {u"hidden_act"_qs, u"gelu"_qs}};
}

QJsonObject decoding(QJsonObject config) {
    config[u"is_decoder"_qs] = true;
    config[u"add_cross_attention"_qs] = true;
    return config;
}

QJsonObject joined(const QJsonObject& encoder, const QJsonObject& decoder) {
    return {{u"model_type"_qs, u"encoder-decoder"_qs},
            {u"architectures"_qs, QJsonArray{u"EncoderDecoderModel"_qs}},
            {u"encoder"_qs, encoder},
            {u"decoder"_qs, decoder},
            {u"decoder_start_token_id"_qs, 2},
            {u"eos_token_id"_qs, 2},
            {u"pad_token_id"_qs, 1}};
}

constexpr int words = 211, width = 32, positions = 66, unusedPositions = 2;

/// BART's encoder as a BERT: the two rows of its table that nobody uses are moved behind the others.
void takeBartAsBert(Made& made, const std::string& stack, const std::string& prefix) {
    const auto file = fixtures / "models" / "bart" / "model.safetensors";
    made.take(file, [&](const std::string& name) { return asBert(name, stack, prefix); });
    made.take(file, [&](const std::string& name) {
        return name == "model.shared.weight" ? prefix + "embeddings.word_embeddings.weight" : std::string();
    });
    const auto table = toFloats(*SafetensorsFile::open(file).find("model." + stack + ".embed_positions.weight"));
    made.change(prefix + "embeddings.position_embeddings.weight",
                [&](std::size_t i, float& number) { number = table[(i + unusedPositions * width) % table.size()]; });
    made.fill(prefix + "embeddings.token_type_embeddings.weight", {2, width}, 0);
}

void addHead(Made& made, const std::string& prefix) {
    made.draw(prefix + "cls.predictions.transform.dense.weight", {width, width});
    made.fill(prefix + "cls.predictions.transform.dense.bias", {width}, 0);
    made.fill(prefix + "cls.predictions.transform.LayerNorm.weight", {width}, 1);
    made.fill(prefix + "cls.predictions.transform.LayerNorm.bias", {width}, 0);
    made.fill(prefix + "cls.predictions.bias", {words}, 0);
}

Request idsOf(std::vector<std::int64_t> source, std::vector<std::int64_t> target = {}) {
    Request request;
    request.sourceIds = std::move(source);
    request.targetIds = std::move(target);
    request.record.logits = true;
    return request;
}

QString difference(const std::optional<AttentionBlock>& block, const TensorView* expected, float tolerance = 2e-5F) {
    if (!block || !expected)
        return u"nothing to compare"_qs;
    return QString::fromStdString(compareClose(block->weights, toFloats(*expected), tolerance));
}

const std::vector<std::int64_t> source{66, 94, 171, 141, 207, 7, 124, 76, 113},
    target{2, 37, 147, 145, 32, 39, 72, 152};

} // namespace

class TestEncoderDecoder : public QObject {
    Q_OBJECT
private Q_SLOTS:
    /// BART under the names of two BERTs attends as BART does.
    void twoBertsAttendAsTheirBart() {
        const Folder folder;
        Made made;
        takeBartAsBert(made, "encoder", "encoder.");
        takeBartAsBert(made, "decoder", "decoder.bert.");
        addHead(made, "decoder.");
        made.write(folder.path(),
                   joined(bertConfig(width, 3, positions, words), decoding(bertConfig(width, 3, positions, words))));
        const auto engine = Engine::open(folder.path());
        QCOMPARE(engine->info().encoderLayers, 3);
        QCOMPARE(engine->info().crossLayers, 3);
        QCOMPARE(engine->info().maxPositions, positions);
        const auto trace = engine->run(idsOf(source, target));
        const auto expected = SafetensorsFile::open(fixtures / "models" / "bart" / "expected.safetensors");
        QCOMPARE(difference(trace->encoder, expected.find("encoder_attentions")), QString());
        QCOMPARE(difference(trace->decoder, expected.find("decoder_attentions")), QString());
        QCOMPARE(difference(trace->cross, expected.find("cross_attentions")), QString());
        // Its own translation, forced upon it, is the same run.
        auto own = idsOf(source);
        own.maxLength = 6;
        const auto translated = engine->run(own);
        std::vector<std::int64_t> taken;
        for (const auto& token : translated->target)
            taken.push_back(token.id);
        QCOMPARE(taken.front(), 2);
        const auto forced = engine->run(idsOf(source, taken));
        QVERIFY(forced->cross->weights == translated->cross->weights);
        for (std::size_t row = 0; row + 1 < taken.size(); ++row)
            QCOMPARE(forced->predictions[row].candidates.front().id, taken[row + 1]);
    }

    /// GPT-2 beside an encoder of another width: where the values that it gets are 0, it says what it says alone.
    void gpt2LooksAtAnEncoder() {
        const auto alone = fixtures / "gpt2";
        const auto config = QJsonDocument::fromJson(read(alone / "config.json").toUtf8()).object();
        const int layers = config[u"n_layer"_qs].toInt(), wide = config[u"n_embd"_qs].toInt();
        const auto makes = [&](const Folder& folder, float values) {
            Made made;
            takeBartAsBert(made, "encoder", "encoder.");
            made.take(alone / "model.safetensors", [](const std::string& name) { return "decoder." + name; });
            if (wide != width) {
                made.draw("enc_to_dec_proj.weight", {wide, width});
                made.fill("enc_to_dec_proj.bias", {wide}, 0);
            }
            for (int layer = 0; layer < layers; ++layer) {
                const auto place = "decoder.transformer.h." + std::to_string(layer) + ".";
                made.draw(place + "crossattention.c_attn.weight", {wide, 2 * wide}); // [in, out]: keys, then values
                made.change(place + "crossattention.c_attn.weight", [&](std::size_t i, float& number) {
                    if (i % static_cast<std::size_t>(2 * wide) >= static_cast<std::size_t>(wide))
                        number *= values;
                });
                made.fill(place + "crossattention.c_attn.bias", {2 * wide}, 0);
                made.draw(place + "crossattention.q_attn.weight", {wide, wide});
                made.fill(place + "crossattention.q_attn.bias", {wide}, 0);
                made.draw(place + "crossattention.c_proj.weight", {wide, wide});
                made.fill(place + "crossattention.c_proj.bias", {wide}, 0);
                made.fill(place + "ln_cross_attn.weight", {wide}, 1);
                made.fill(place + "ln_cross_attn.bias", {wide}, 0);
            }
            auto decoder = config;
            decoder[u"add_cross_attention"_qs] = true;
            made.write(folder.path(), joined(bertConfig(width, 3, positions, words), decoder));
        };
        const std::vector<std::int64_t> text{5, 9, 3, 12, 20};
        const auto expected = Engine::open(alone)->run(idsOf(text));
        const Folder blind, seeing;
        makes(blind, 0);
        makes(seeing, 1);
        const auto engine = Engine::open(blind.path());
        const auto trace = engine->run(idsOf(source, text));
        QCOMPARE(compareClose(trace->logits->values, expected->logits->values, 2e-5F), std::string());
        QCOMPARE(compareClose(trace->decoder->weights, expected->decoder->weights, 2e-5F), std::string());
        QCOMPARE(trace->cross->keys, static_cast<int>(source.size()));
        const auto [least, most] = std::minmax_element(trace->cross->weights.begin(), trace->cross->weights.end());
        QVERIFY(*most - *least > 0.01F); // keys are not 0
        const auto other = Engine::open(seeing.path())->run(idsOf(source, text));
        QVERIFY(!compareClose(other->logits->values, expected->logits->values, 1e-3F).empty());
    }

    /// A BERT of one layer that decodes: each token's word is what the encoder says of the text up to it.
    void bertDecodesAlone() {
        Made made;
        const auto file = fixtures / "models" / "bert" / "model.safetensors";
        made.take(file, [](const std::string& name) {
            return name.find(".layer.") != std::string::npos && name.find(".layer.0.") == std::string::npos
                       ? std::string()
                       : name;
        });
        auto config = QJsonDocument::fromJson(read(fixtures / "models" / "bert" / "config.json").toUtf8()).object();
        config[u"num_hidden_layers"_qs] = 1;
        const Folder reading, writing;
        made.write(reading.path(), config);
        config[u"is_decoder"_qs] = true;
        config[u"architectures"_qs] = QJsonArray{u"BertLMHeadModel"_qs};
        made.write(writing.path(), config);
        const auto reader = Engine::open(reading.path()), writer = Engine::open(writing.path());
        QVERIFY(writer->info().hasDecoder && !writer->info().hasEncoder);
        const std::vector<std::int64_t> text{5, 9, 3, 12, 20};
        const auto all = writer->run(idsOf(text));
        QCOMPARE(all->logits->rows, static_cast<int>(text.size()));
        const auto vocabulary = static_cast<std::size_t>(all->logits->vocabulary);
        for (std::size_t last = 0; last < text.size(); ++last) {
            const auto part = reader->run(idsOf({text.begin(), text.begin() + static_cast<std::ptrdiff_t>(last) + 1}));
            QCOMPARE(compareClose(std::span(all->logits->values).subspan(last * vocabulary, vocabulary),
                                  std::span(part->logits->values).subspan(last * vocabulary, vocabulary), 2e-5F),
                     std::string());
        }
    }

    /// Where each side has an embedding, that of the other does not matter to it.
    void marianWithTwoEmbeddings() {
        auto config = QJsonDocument::fromJson(read(marian / "config.json").toUtf8()).object();
        config[u"share_encoder_decoder_embeddings"_qs] = false;
        const int one = config[u"vocab_size"_qs].toInt(), wide = config[u"d_model"_qs].toInt();
        config[u"decoder_vocab_size"_qs] = one + 3;
        Made made;
        made.take(marian / "model.safetensors", [](const std::string& name) {
            return name.find("shared.weight") != std::string::npos || name.find("embed_tokens") != std::string::npos
                           || name == "lm_head.weight" || name == "final_logits_bias"
                       ? std::string()
                       : name;
        });
        const auto kept = SafetensorsFile::open(marian / "model.safetensors");
        const auto shared = toFloats(*kept.find("model.shared.weight"));
        auto longer = shared;
        longer.resize(shared.size() + static_cast<std::size_t>(3 * wide), 0.0F);
        made.add("model.encoder.embed_tokens.weight", {one, wide}, shared);
        made.add("model.decoder.embed_tokens.weight", {one + 3, wide}, longer);
        auto bias = toFloats(*kept.find("final_logits_bias"));
        bias.resize(bias.size() + 3, -100.0F);
        made.add("final_logits_bias", {1, one + 3}, bias);
        const Folder folder;
        made.write(folder.path(), config);
        const auto engine = Engine::open(folder.path());
        const std::vector<std::int64_t> read{17, 23, 42, 5}, taken{config[u"decoder_start_token_id"_qs].toInt(), 9, 30};
        const auto expected = Engine::open(marian)->run(idsOf(read, taken)), trace = engine->run(idsOf(read, taken));
        QCOMPARE(compareClose(trace->cross->weights, expected->cross->weights, 2e-5F), std::string());
        QCOMPARE(compareClose(trace->decoder->weights, expected->decoder->weights, 2e-5F), std::string());
        QCOMPARE(trace->logits->vocabulary, one + 3);
        QVERIFY(!trace->notices.empty()); // that it runs from ids
        QVERIFY_THROWS_EXCEPTION(Error, engine->run(idsOf({one + 1}, taken)));
        engine->run(idsOf(read, {taken.front(), one + 1}));
    }

    void refusals_data() {
        QTest::addColumn<QString>("half");
        QTest::addColumn<QString>("key");
        QTest::addColumn<QJsonValue>("value");
        QTest::addColumn<QString>("said");
        const auto row = [](const char* half, const char* key, const QJsonValue& value, const char* said) {
            QTest::addRow("%s.%s", half, key)
                << QString::fromLatin1(half) << QString::fromLatin1(key) << value << QString::fromLatin1(said);
        };
        row("decoder", "add_cross_attention", false, "does not attend to the encoder");
        row("decoder", "is_decoder", false, "no decoder alone");
        row("encoder", "model_type", u"gpt2"_qs, "");
        row("encoder", "model_type", u"encoder-decoder"_qs, "two models itself");
        row("decoder", "model_type", u"none such"_qs, "is not known");
        row("decoder", "hidden_size", 1'000'000, "hidden_size");
        row("", "encoder", QJsonValue::Null, "\"encoder\" is missing");
        row("", "decoder_start_token_id", 100'000, "decoder_start_token_id");
    }
    void refusals() {
        QFETCH(QString, half);
        QFETCH(QString, key);
        QFETCH(QJsonValue, value);
        QFETCH(QString, said);
        const Folder folder;
        Made made;
        takeBartAsBert(made, "encoder", "encoder.");
        takeBartAsBert(made, "decoder", "decoder.bert.");
        addHead(made, "decoder.");
        auto config = joined(bertConfig(width, 3, positions, words), decoding(bertConfig(width, 3, positions, words)));
        if (half.isEmpty()) {
            config[key] = value;
        } else {
            auto own = config[half].toObject();
            own[key] = value;
            config[half] = own;
        }
        made.write(folder.path(), config);
        try {
            Engine::open(folder.path());
            QFAIL("it opened");
        } catch (const Error& error) {
            const auto what = QString::fromUtf8(error.what());
            QVERIFY2(what.contains(said) && what.contains(u"config.json"_qs), qPrintable(what));
        }
    }
};

QTEST_GUILESS_MAIN(TestEncoderDecoder)
#include "tst_encoder_decoder.moc"
