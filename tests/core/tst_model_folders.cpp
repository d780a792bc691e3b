// Protects against model folders that are incomplete, damaged or lie: each fault is named, nothing is half open, and no
// memory is taken for sizes that only the config believes in.
#include "core/engine.h"
#include "tests/support/slowness.h"
#include "tests/support/tiny_models.h"

#include <QJsonArray>
#include <QTest>

#include <sys/resource.h>

#include <functional>

using namespace headlight;

class TestModelFolders : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void wrongFolders_data();
    void wrongFolders();
};

void TestModelFolders::wrongFolders_data() {
    using Change = std::function<void(const Folder&)>;
    QTest::addColumn<Change>("change");
    QTest::addColumn<QStringList>("says");
    const auto row = [](const char* name, const QStringList& says, const Change& change) {
        QTest::newRow(name) << change << says;
    };
    const auto config = [](const Folder& folder, const char* key, const QJsonValue& value) {
        auto values = QJsonDocument::fromJson(read(folder.path() / "config.json").toUtf8()).object();
        values[QLatin1String(key)] = value;
        folder.config(values);
    };
    const auto weights = [](const Folder& folder, const std::function<void(std::vector<TensorView>&)>& change) {
        const auto file = SafetensorsFile::open(marian / "model.safetensors");
        auto tensors = file.tensors();
        change(tensors);
        writeFileAtomically(folder.path() / "model.safetensors", serializeSafetensors(tensors));
    };
    const auto named = [](std::vector<TensorView>& tensors, const char* name) {
        return std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name == name; });
    };

    row("no folder", {"no such folder"}, [](const Folder& folder) { std::filesystem::remove_all(folder.path()); });
    row("no config", {"no config.json"},
        [](const Folder& folder) { std::filesystem::remove(folder.path() / "config.json"); });
    row("no weights", {"model.safetensors"},
        [](const Folder& folder) { std::filesystem::remove(folder.path() / "model.safetensors"); });
    row("config cut short", {"config.json", "not JSON"},
        [](const Folder& folder) { write(folder.path() / "config.json", "{\"model_type\": \"mar"); });
    row("config that is a list", {"not a JSON object"},
        [](const Folder& folder) { write(folder.path() / "config.json", "[]"); });
    row("config nested without end", {"config.json", "nested more than 32 deep"}, [](const Folder& folder) {
        write(folder.path() / "config.json", "{\"model_type\": \"marian\", \"vocab_size\": 211, \"d_model\": "
                                                 + QByteArray(200'000, '[') + QByteArray(200'000, ']') + "}");
    });
    row("unknown family", {"\"gru\" is not known", "marian"},
        [=](const Folder& folder) { config(folder, "model_type", "gru"); });
    row("unknown activation", {"activation_function", "\"mish\""},
        [=](const Folder& folder) { config(folder, "activation_function", "mish"); });
    row("a size that is text", {"\"d_model\": \"32\" where a whole number"},
        [=](const Folder& folder) { config(folder, "d_model", "32"); });
    row("heads that do not fit", {"multiple of the 5 heads"}, [=](const Folder& folder) {
        config(folder, "encoder_attention_heads", 5);
        config(folder, "decoder_attention_heads", 5);
    });
    row("a start token beyond the vocabulary", {"\"decoder_start_token_id\": 211"},
        [=](const Folder& folder) { config(folder, "decoder_start_token_id", 211); });

    // A config that lies about sizes must be found out before memory is taken for them.
    row("config lies: vocabulary", {"model.shared.weight", "[211, 32]", "[10000000, 32]"},
        [=](const Folder& folder) { config(folder, "vocab_size", 10'000'000); });
    row("config lies: width", {"model.shared.weight", "[211, 65536]"},
        [=](const Folder& folder) { config(folder, "d_model", 65536); });
    row("config lies: feed-forward", {"fc1.weight", "[1048576, 32]"}, [=](const Folder& folder) {
        config(folder, "encoder_ffn_dim", 1 << 20);
        config(folder, "decoder_ffn_dim", 1 << 20);
    });
    row("config lies: encoder layers", {"model.encoder.layers.3.self_attn.q_proj.weight", "missing"},
        [=](const Folder& folder) { config(folder, "encoder_layers", 256); });
    row("config lies: fewer layers", {"model.decoder.layers.2", "has no place"},
        [=](const Folder& folder) { config(folder, "decoder_layers", 2); });

    row("weights cut short", {"model.safetensors"}, [](const Folder& folder) {
        std::filesystem::resize_file(folder.path() / "model.safetensors",
                                     std::filesystem::file_size(folder.path() / "model.safetensors") - 1000);
    });
    row("weights of no length", {"model.safetensors"},
        [](const Folder& folder) { std::filesystem::resize_file(folder.path() / "model.safetensors", 0); });
    row("weights: tensor missing", {"model.decoder.layers.1.encoder_attn.v_proj.bias", "missing"},
        [=](const Folder& folder) {
            weights(folder, [&](auto& tensors) {
                tensors.erase(named(tensors, "model.decoder.layers.1.encoder_attn.v_proj.bias"));
            });
        });
    row("weights: tensor misshapen", {"model.encoder.layers.0.fc2.weight", "[64, 32]", "[32, 64]"},
        [=](const Folder& folder) {
            weights(folder, [&](auto& tensors) {
                named(tensors, "model.encoder.layers.0.fc2.weight")->shape = {64, 32};
            });
        });
    row("weights: tensor too many", {"model.encoder.layers.9.fc1.bias", "has no place"}, [=](const Folder& folder) {
        weights(folder, [&](auto& tensors) {
            tensors.push_back(*named(tensors, "model.encoder.layers.0.fc1.bias"));
            tensors.back().name = "model.encoder.layers.9.fc1.bias";
        });
    });
    row("tokenizer of another model", {"the tokenizer has", "the embedding 211 rows"}, [](const Folder& folder) {
        const auto model = std::filesystem::path(HEADLIGHT_FIXTURES) / "sentencepiece" / "bytes.model";
        std::filesystem::copy_file(model, folder.path() / "spiece.model");
    });
    row("tokenizer broken", {"spiece.model"},
        [](const Folder& folder) { write(folder.path() / "spiece.model", "nonsense"); });

    // The recurrent family has sizes of its own.
    const auto recurrent = [=](const char* key, const QJsonValue& value) {
        return [=](const Folder& folder) {
            folder.recurrent();
            config(folder, key, value);
        };
    };
    row("recurrent config lies: hidden", {"initial.weight", "[65536, 65536]"}, recurrent("hidden_size", 65536));
    row("recurrent config lies: embedding", {"embedding.weight", "[300, 65536]"}, recurrent("embedding_size", 65536));
    row("recurrent config lies: alignment", {"attention.w.weight", "[65536, 5]"}, recurrent("alignment_size", 65536));
    row("recurrent: attention unknown", {"attention \"dot\""}, recurrent("attention", "dot"));
    row("recurrent: none, with its weights", {"attention.", "has no place"}, recurrent("attention", "none"));
}

void TestModelFolders::wrongFolders() {
    QFETCH(std::function<void(const Folder&)>, change);
    QFETCH(QStringList, says);
    const Folder folder;
    folder.copyOfMarian();
    change(folder);
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    try {
        Engine::open(folder.path());
        QFAIL("nothing was said");
    } catch (const Error& error) {
        for (const auto& words : says)
            QVERIFY2(QString::fromUtf8(error.what()).contains(words), error.what());
    }
    getrusage(RUSAGE_SELF, &after);
    QVERIFY2(after.ru_maxrss - before.ru_maxrss < 300'000 * slowness, "took more than 300 MB to find out");
}

QTEST_GUILESS_MAIN(TestModelFolders)
#include "tst_model_folders.moc"
