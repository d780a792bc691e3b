// Protects the tokenizers of vocab.txt and of merges.txt, and of a tokenizer.json that says the same, against what
// HuggingFace's own tokenizers gave for awkward lines.
#include "core/text/tokenizer.h"

#include <nlohmann/json.hpp>

#include <QTemporaryDir>
#include <QTest>

#include <filesystem>
#include <fstream>
#include <memory>

using namespace headlight;
using nlohmann::json;

namespace {

const auto fixtures = std::filesystem::path(HEADLIGHT_FIXTURES) / "tokenizers";

std::vector<std::string> linesOf(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

json special(const std::string& content, std::size_t id) {
    return {{"id", id},        {"content", content}, {"special", true},    {"single_word", false},
            {"lstrip", false}, {"rstrip", false},    {"normalized", false}};
}

json wordsJson() {
    json vocabulary, added = json::array();
    const auto pieces = linesOf(fixtures / "words" / "vocab.txt");
    for (std::size_t id = 0; id < pieces.size(); ++id) {
        vocabulary[pieces[id]] = id;
        if (pieces[id].starts_with('[') && pieces[id].ends_with(']') && pieces[id].size() > 2)
            added.push_back(special(pieces[id], id));
    }
    return {{"added_tokens", added},
            {"normalizer",
             {{"type", "BertNormalizer"},
              {"clean_text", true},
              {"handle_chinese_chars", true},
              {"strip_accents", nullptr},
              {"lowercase", true}}},
            {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
            {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
            {"model",
             {{"type", "WordPiece"},
              {"unk_token", "[UNK]"},
              {"continuing_subword_prefix", "##"},
              {"max_input_chars_per_word", 100},
              {"vocab", vocabulary}}}};
}

json bytesJson() {
    const json vocabulary = json::parse(std::ifstream(fixtures / "bytes" / "vocab.json"));
    auto merges = linesOf(fixtures / "bytes" / "merges.txt");
    std::erase_if(merges, [](const std::string& line) { return line.starts_with("#version"); });
    const json levels{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
    const std::string end = "<|endoftext|>";
    return {{"added_tokens", json::array({special(end, vocabulary.at(end).get<std::size_t>())})},
            {"pre_tokenizer", levels},
            {"decoder", levels},
            {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}}}};
}

} // namespace

class TestTokenizerFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sameAsReference_data();
    void sameAsReference();
};

void TestTokenizerFiles::sameAsReference_data() {
    QTest::addColumn<QString>("folder");
    QTest::addColumn<bool>("asJson");
    QTest::newRow("vocab.txt") << "words" << false;
    QTest::newRow("vocab.txt as tokenizer.json") << "words" << true;
    QTest::newRow("merges.txt") << "bytes" << false;
    QTest::newRow("merges.txt as tokenizer.json") << "bytes" << true;
}

void TestTokenizerFiles::sameAsReference() {
    QFETCH(QString, folder);
    QFETCH(bool, asJson);
    const auto path = fixtures / folder.toStdString();
    const QTemporaryDir written;
    if (asJson)
        std::ofstream(written.filePath("tokenizer.json").toStdString())
            << (folder == QLatin1String("words") ? wordsJson() : bytesJson());
    const auto tokenizer = openTokenizer(asJson ? std::filesystem::path(written.path().toStdString()) : path);
    const json cases = json::parse(std::ifstream(path / "expected.json"));
    QVERIFY(cases.size() > 25);
    for (const auto& expected : cases) {
        const auto text = expected["text"].get<std::string>();
        std::vector<std::int64_t> ids;
        for (const auto& token : tokenizer->encode(text))
            ids.push_back(token.id);
        QVERIFY2(ids == expected["ids"].get<std::vector<std::int64_t>>(),
                 (text + ": " + json(ids).dump() + " instead of " + expected["ids"].dump()).c_str());
    }
}

QTEST_GUILESS_MAIN(TestTokenizerFiles)
#include "tst_tokenizer_files.moc"
