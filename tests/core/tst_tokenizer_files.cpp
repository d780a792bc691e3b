// Protects the tokenizers of vocab.txt and of merges.txt, and of a tokenizer.json that says the same, against what
// HuggingFace's own tokenizers gave for awkward lines.
#include "core/error.h"
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
    void byClass_data();
    void byClass();
    void readAsText();
    void refused_data();
    void refused();
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

void TestTokenizerFiles::byClass_data() {
    using Ids = std::vector<std::int64_t>;
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<Ids>("ids");
    const auto row = [](const char* name, const char* folder, const char* text, const Ids& ids) {
        QTest::newRow(name) << QString::fromLatin1(folder) << QByteArray(text) << ids;
    };
    row("Qwen2 joins letters and parts digits", "qwen2-vocab-merges", "12345 e\u0301 I'LL",
        {49, 50, 51, 52, 53, 32, 258, 32, 73, 260});
    row("Qwen2 parts numbers", "qwen2-vocab-merges", "1234567890 3.14",
        {49, 50, 51, 52, 53, 54, 55, 56, 57, 48, 32, 51, 46, 49, 52});
    row("Qwen2 keeps line ends together", "qwen2-vocab-merges", "$100\n\n x", {36, 49, 48, 48, 10, 10, 32, 120});
    row("an unknown word is an added token", "bert-unk-in-added-tokens", "the cat sat on a mat", {5, 6, 7, 8, 10, 9});
    row("tiktoken's file", "llama3-tiktoken-model", "a the of", {64, 279, 297, 69});
}

void TestTokenizerFiles::byClass() {
    QFETCH(QString, folder);
    QFETCH(QByteArray, text);
    QFETCH(std::vector<std::int64_t>, ids);
    const auto tokenizer = openTokenizer(std::filesystem::path(HEADLIGHT_FIXTURES) / "cases" / folder.toStdString());
    std::vector<std::int64_t> found;
    for (const auto& token : tokenizer->encode(text.toStdString()))
        found.push_back(token.id);
    QCOMPARE(found, ids);
}

void TestTokenizerFiles::readAsText() {
    const auto tokenizer = openTokenizer(fixtures / "words");
    const auto typed = tokenizer->encode("a [MASK]"), plain = tokenizer->encodePlain("a [MASK]");
    QVERIFY(typed.back().special && typed.size() == 2);
    QVERIFY(plain.size() > 2 && !plain.back().special);
    QCOMPARE(tokenizer->encodePlain("a house"), tokenizer->encode("a house"));
}

void TestTokenizerFiles::refused_data() {
    QTest::addColumn<QString>("folder");
    QTest::addColumn<QString>("says");
    QTest::newRow("MeCab") << "bert-japanese-mecab"
                           << "mecab";
    QTest::newRow("a pointer of Git LFS") << "lfs-pointer-tokenizer.json"
                                          << "git lfs pull";
}

void TestTokenizerFiles::refused() {
    QFETCH(QString, folder);
    QFETCH(QString, says);
    try {
        openTokenizer(std::filesystem::path(HEADLIGHT_FIXTURES) / "cases" / folder.toStdString());
        QFAIL("nothing was said");
    } catch (const Error& error) {
        QVERIFY2(QString::fromUtf8(error.what()).contains(says), error.what());
    }
}

QTEST_GUILESS_MAIN(TestTokenizerFiles)
#include "tst_tokenizer_files.moc"
