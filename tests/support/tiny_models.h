// Model folders for tests: the Marian fixture, and small recurrent models with seeded numbers, written where a test
// wants them.
#pragma once

#include "core/files/safetensors.h"
#include "core/files/whole_file.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace headlight {

inline const std::filesystem::path marian = std::filesystem::path(HEADLIGHT_FIXTURES) / "marian";

inline QString read(const std::filesystem::path& path) {
    QFile file(QString::fromStdString(path.string()));
    if (!file.open(QIODevice::ReadOnly))
        qFatal("cannot read %s", path.c_str());
    return QString::fromUtf8(file.readAll());
}

inline void write(const std::filesystem::path& path, const QByteArray& bytes) {
    QFile file(QString::fromStdString(path.string()));
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
        qFatal("cannot write %s", path.c_str());
}

/// Tensors with their numbers, to be written.
class Tensors {
public:
    /// Seeded numbers from -0.5 to 0.5.
    void add(const std::string& name, const std::vector<std::int64_t>& shape) {
        std::size_t count = 1;
        for (const auto size : shape)
            count *= static_cast<std::size_t>(size);
        auto& numbers = m_numbers.emplace_back(count);
        for (auto& number : numbers)
            number = static_cast<float>(m_random()) / static_cast<float>(m_random.max()) - 0.5F;
        m_views.push_back({name, DType::F32, shape, std::as_bytes(std::span(numbers))});
    }
    void write(const std::filesystem::path& file) const { writeFileAtomically(file, serializeSafetensors(m_views)); }

    std::vector<TensorView> m_views;
    std::deque<std::vector<float>> m_numbers;

private:
    std::mt19937 m_random{17};
};

inline constexpr int recurrentVocabulary = 300, embedding = 6, hidden = 5, alignment = 4;

inline QJsonObject recurrentConfig(const QString& attention, const QString& decoder = u"paper"_qs) {
    return {{u"model_type"_qs, u"headlight_recurrent"_qs},
            {u"attention"_qs, attention},
            {u"decoder"_qs, decoder},
            {u"vocab_size"_qs, recurrentVocabulary},
            {u"embedding_size"_qs, embedding},
            {u"hidden_size"_qs, hidden},
            {u"alignment_size"_qs, alignment},
            {u"max_position_embeddings"_qs, 24},
            {u"pad_token_id"_qs, 299},
            {u"eos_token_id"_qs, 2},
            {u"decoder_start_token_id"_qs, 299}};
}

inline Tensors recurrentTensors(bool attention, bool conditional = false) {
    Tensors tensors;
    tensors.add("embedding.weight", {recurrentVocabulary, embedding});
    for (const std::string direction : {"l0", "l0_reverse"}) {
        tensors.add("encoder.weight_ih_" + direction, {3 * hidden, embedding});
        tensors.add("encoder.weight_hh_" + direction, {3 * hidden, hidden});
        tensors.add("encoder.bias_ih_" + direction, {3 * hidden});
        tensors.add("encoder.bias_hh_" + direction, {3 * hidden});
    }
    tensors.add("initial.weight", {hidden, hidden});
    tensors.add("initial.bias", {hidden});
    tensors.add("decoder.weight_ih", {3 * hidden, embedding + (conditional ? 0 : 2 * hidden)});
    tensors.add("decoder.weight_hh", {3 * hidden, hidden});
    tensors.add("decoder.bias_ih", {3 * hidden});
    tensors.add("decoder.bias_hh", {3 * hidden});
    tensors.add("readout.weight", {2 * embedding, embedding + 3 * hidden});
    tensors.add("readout.bias", {2 * embedding});
    tensors.add("output_bias", {recurrentVocabulary});
    if (attention) {
        tensors.add("attention.w.weight", {alignment, hidden});
        tensors.add("attention.u.weight", {alignment, 2 * hidden});
        tensors.add("attention.u.bias", {alignment});
        tensors.add("attention.v", {alignment});
    }
    if (conditional) {
        tensors.add("context_decoder.weight_ih", {3 * hidden, 2 * hidden});
        tensors.add("context_decoder.weight_hh", {3 * hidden, hidden});
        tensors.add("context_decoder.bias_ih", {3 * hidden});
        tensors.add("context_decoder.bias_hh", {3 * hidden});
    }
    return tensors;
}

/// Folders of models that the tests write.
class Folder {
public:
    std::filesystem::path path() const { return m_folder.path().toStdString(); }
    void config(const QJsonObject& values) const { write(path() / "config.json", QJsonDocument(values).toJson()); }
    void tokenizer() const {
        const auto model = std::filesystem::path(HEADLIGHT_FIXTURES) / "sentencepiece" / "pairs.model";
        std::filesystem::copy_file(model, path() / "spiece.model", std::filesystem::copy_options::overwrite_existing);
    }
    void recurrent(const QString& attention = u"additive"_qs, const QString& decoder = u"paper"_qs) const {
        config(recurrentConfig(attention, decoder));
        recurrentTensors(attention == u"additive", decoder == u"conditional").write(path() / "model.safetensors");
        tokenizer();
    }
    /// A reference model of random weights with a tokenizer of words: w5, w6 and so on, [CLS] and [SEP] around a text
    /// for an encoder, [MASK] where a word is hidden.
    void copyWithWords(const std::string& fixture) const {
        constexpr int words = 200;
        const auto from = std::filesystem::path(HEADLIGHT_FIXTURES) / fixture;
        for (const char* name : {"config.json", "model.safetensors"})
            std::filesystem::copy_file(from / name, path() / name);
        const QStringList specials{u"[PAD]"_qs, u"[UNK]"_qs, u"[CLS]"_qs, u"[SEP]"_qs, u"[MASK]"_qs};
        QJsonObject vocabulary;
        QJsonArray added;
        for (int id = 0; id < words; ++id)
            vocabulary[id < specials.size() ? specials[id] : u"w%1"_qs.arg(id)] = id;
        for (int id = 0; id < specials.size(); ++id)
            added.append(QJsonObject{{u"id"_qs, id},
                                     {u"content"_qs, specials[id]},
                                     {u"single_word"_qs, false},
                                     {u"lstrip"_qs, false},
                                     {u"rstrip"_qs, false},
                                     {u"normalized"_qs, false},
                                     {u"special"_qs, true}});
        const auto special = [](const QString& name, int type) {
            return QJsonObject{{u"SpecialToken"_qs, QJsonObject{{u"id"_qs, name}, {u"type_id"_qs, type}}}};
        };
        const auto sequence = [](const QString& name, int type) {
            return QJsonObject{{u"Sequence"_qs, QJsonObject{{u"id"_qs, name}, {u"type_id"_qs, type}}}};
        };
        const auto known = [&](const QString& name, int id) {
            return QJsonObject{{u"id"_qs, name}, {u"ids"_qs, QJsonArray{id}}, {u"tokens"_qs, QJsonArray{name}}};
        };
        const QJsonObject around{
            {u"type"_qs, u"TemplateProcessing"_qs},
            {u"single"_qs, QJsonArray{special(u"[CLS]"_qs, 0), sequence(u"A"_qs, 0), special(u"[SEP]"_qs, 0)}},
            {u"pair"_qs, QJsonArray{special(u"[CLS]"_qs, 0), sequence(u"A"_qs, 0), special(u"[SEP]"_qs, 0),
                                    sequence(u"B"_qs, 1), special(u"[SEP]"_qs, 1)}},
            {u"special_tokens"_qs,
             QJsonObject{{u"[CLS]"_qs, known(u"[CLS]"_qs, 2)}, {u"[SEP]"_qs, known(u"[SEP]"_qs, 3)}}}};
        const QJsonObject tokenizer{
            {u"version"_qs, u"1.0"_qs},
            {u"added_tokens"_qs, added},
            {u"normalizer"_qs, QJsonValue()},
            {u"pre_tokenizer"_qs, QJsonObject{{u"type"_qs, u"WhitespaceSplit"_qs}}},
            {u"post_processor"_qs, fixture == "gpt2" ? QJsonValue() : QJsonValue(around)},
            {u"decoder"_qs, QJsonValue()},
            {u"model"_qs,
             QJsonObject{{u"type"_qs, u"WordLevel"_qs}, {u"vocab"_qs, vocabulary}, {u"unk_token"_qs, u"[UNK]"_qs}}}};
        headlight::write(path() / "tokenizer.json", QJsonDocument(tokenizer).toJson());
        headlight::write(path() / "tokenizer_config.json", R"({"mask_token": "[MASK]", "cls_token": "[CLS]"})");
    }
    void copyOfMarian() const {
        for (const char* name : {"config.json", "model.safetensors"})
            std::filesystem::copy_file(marian / name, path() / name);
        std::filesystem::permissions(path() / "config.json", std::filesystem::perms::owner_all);
        std::filesystem::permissions(path() / "model.safetensors", std::filesystem::perms::owner_all);
    }

private:
    QTemporaryDir m_folder;
};

} // namespace headlight
