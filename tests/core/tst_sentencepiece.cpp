// SentencePiece models against what SentencePiece's own program says (tests/fixtures/sentencepiece/make.sh), the way
// back from each token to the typed letters, tokenizers of whole folders, and broken model files.
#include "core/error.h"
#include "core/text/characters.h"
#include "core/text/sentencepiece.h"
#include "core/text/tokenizer.h"
#include "core/text/word_breaks.h"
#include "tests/support/slowness.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

using namespace headlight;
using Kind = Error::Kind;

namespace {

const std::filesystem::path fixtures = std::filesystem::path(HEADLIGHT_FIXTURES) / "sentencepiece";

std::string readFile(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void writeFile(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
}

std::vector<std::string> linesOf(const std::filesystem::path& file) {
    std::vector<std::string> lines;
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

/// As QString, which Qt Test prints where it differs.
QString joined(const std::vector<std::string>& words) {
    QStringList list;
    for (const std::string& word : words)
        list << QString::fromStdString(word);
    return list.join(QLatin1Char(' '));
}

QString piecesOf(const SentencePiece& model, std::string_view text) {
    std::vector<std::string> words;
    for (const auto& segment : model.encode(text))
        words.push_back(segment.text);
    return joined(words);
}

QString idsOf(const SentencePiece& model, std::string_view text) {
    std::vector<std::string> words;
    for (const auto& segment : model.encode(text))
        words.push_back(std::to_string(segment.id));
    return joined(words);
}

/// `piece[typed]word` of each token.
QString shown(std::string_view text, const std::vector<Token>& tokens) {
    std::vector<std::string> words;
    for (const Token& token : tokens)
        words.push_back(token.text + "["
                        + std::string(text.substr(token.bytes.begin, token.bytes.end - token.bytes.begin)) + "]"
                        + std::to_string(token.word));
    return joined(words);
}

// What a model file is made of, written by hand.

std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7)
        bytes += static_cast<char>(value | 0x80);
    return bytes + static_cast<char>(value);
}
std::string numberField(std::uint64_t field, std::uint64_t value) {
    return varint(field << 3) + varint(value);
}
std::string bytesField(std::uint64_t field, const std::string& bytes) {
    return varint(field << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string word32(std::uint32_t value) {
    std::string bytes;
    for (int shift = 0; shift < 32; shift += 8)
        bytes += static_cast<char>(value >> shift);
    return bytes;
}
std::string piece(const std::string& text, float score = 0, std::uint64_t type = 1) {
    return bytesField(1, bytesField(1, text) + varint(2 << 3 | 5) + word32(std::bit_cast<std::uint32_t>(score))
                             + numberField(3, type));
}
const std::string unknown = piece("<unk>", 0, 2);
std::string trainer(const std::string& fields) {
    return bytesField(2, fields);
}
std::string characterMap(const std::vector<std::uint32_t>& units, const std::string& replacements,
                         std::optional<std::uint32_t> announced = {}) {
    std::string trie;
    for (const std::uint32_t unit : units)
        trie += word32(unit);
    return bytesField(
        3, bytesField(2, word32(announced.value_or(static_cast<std::uint32_t>(trie.size()))) + trie + replacements));
}
/// The rule "A becomes `replacements` from byte `value` on".
std::vector<std::uint32_t> ruleForA(std::uint32_t value) {
    constexpr std::uint32_t hasValue = 1U << 8;
    std::vector<std::uint32_t> units(256);
    units[0] = 0;                                    // root: children at 0 ^ 0
    units['A'] = 'A' | hasValue | ('A' ^ 'B') << 10; // its value: at 'B'
    units['B'] = 1U << 31 | value;
    return units;
}

std::vector<Token> encodeWords(const std::string& text, std::size_t tokenLength) {
    std::vector<Token> tokens;
    for (std::size_t i = 0; i < text.size(); i += tokenLength)
        tokens.push_back({.text = text.substr(i, tokenLength), .bytes = {i, std::min(i + tokenLength, text.size())}});
    numberWords(tokens, WordBreaker().words(text));
    return tokens;
}

} // namespace

class TestSentencePiece : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sameAsReferenceProgram_data();
    void sameAsReferenceProgram();
    void invalidUtf8_data();
    void invalidUtf8();
    void wayBackToTypedText();
    void wayBackHoldsForAnyText_data();
    void wayBackHoldsForAnyText();
    void longTexts_data();
    void longTexts();
    void rulesOfCharacterMap();
    void brokenModel_data();
    void brokenModel();
    void cutAndFlippedModel();
    void notAModelFile();
    void words_data();
    void words();
    void marianFolder();
    void marianLanguageCode();
    void brokenFolder_data();
    void brokenFolder();
    void t5Folder();

private:
    /// A Marian folder on the unigram model; vocab.json has its pieces in reverse order.
    static void makeMarianFolder(const std::filesystem::path& folder);
};

void TestSentencePiece::sameAsReferenceProgram_data() {
    QTest::addColumn<QString>("model");
    QTest::newRow("unigram, rules of nmt_nfkc") << "unigram";
    QTest::newRow("byte pairs with user-defined pieces") << "pairs";
    QTest::newRow("unigram, unknown as bytes, spaces kept") << "bytes";
    QTest::newRow("byte pairs, space behind the word") << "suffix";
}

void TestSentencePiece::sameAsReferenceProgram() {
    QFETCH(QString, model);
    const std::string name = model.toStdString();
    const auto pieces = SentencePiece::open(fixtures / (name + ".model"));
    const auto cases = linesOf(fixtures / "cases.txt");
    const auto expectedIds = linesOf(fixtures / (name + ".ids"));
    const auto expectedPieces = linesOf(fixtures / (name + ".pieces"));
    QVERIFY(cases.size() > 20);
    QCOMPARE(expectedIds.size(), cases.size());
    QCOMPARE(expectedPieces.size(), cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        QCOMPARE(piecesOf(pieces, cases[i]), QString::fromStdString(expectedPieces[i]));
        QCOMPARE(idsOf(pieces, cases[i]), QString::fromStdString(expectedIds[i]));
    }
}

void TestSentencePiece::invalidUtf8_data() {
    QTest::addColumn<QByteArray>("typed");
    QTest::addColumn<QByteArray>("readAs");
    const QByteArray sign = "\xEF\xBF\xBD";
    QTest::newRow("lone continuation") << QByteArray("a\x80") << "a" + sign;
    QTest::newRow("never used byte") << QByteArray("\xFF"
                                                   "a")
                                     << sign + "a";
    QTest::newRow("cut at the end") << QByteArray("a\xE2\x82") << "a" + sign + sign;
    QTest::newRow("overlong") << QByteArray("\xC0\xAF") << sign + sign;
    QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80") << sign + sign + sign;
    QTest::newRow("beyond Unicode") << QByteArray("\xF4\x90\x80\x80") << sign + sign + sign + sign;
    QTest::newRow("well-formed") << QByteArray("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80")
                                 << QByteArray("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

void TestSentencePiece::invalidUtf8() {
    QFETCH(QByteArray, typed);
    QFETCH(QByteArray, readAs);
    const auto model = SentencePiece::open(fixtures / "pairs.model");
    QCOMPARE(QByteArray::fromStdString(withReplacementCharacters(typed.toStdString())), readAs);
    QCOMPARE(piecesOf(model, typed.toStdString()), piecesOf(model, readAs.toStdString()));
}

void TestSentencePiece::wayBackToTypedText() {
    const auto model = SentencePiece::open(fixtures / "unigram.model");
    const std::string typed = "  The  ½ ﬁ\xFFx";
    std::vector<std::string> words;
    for (const auto& segment : model.encode(typed))
        words.push_back(segment.text + "[" + typed.substr(segment.bytes.begin, segment.bytes.end - segment.bytes.begin)
                        + "]");
    QCOMPARE(joined(words), QString("▁The[The] ▁[ ] 1⁄2[½] ▁[ ] f[ﬁ] i[ﬁ] \uFFFD[\uFFFD] x[x]"));
}

void TestSentencePiece::wayBackHoldsForAnyText_data() {
    sameAsReferenceProgram_data();
}

void TestSentencePiece::wayBackHoldsForAnyText() {
    QFETCH(QString, model);
    const auto pieces = SentencePiece::open(fixtures / (model.toStdString() + ".model"));
    const std::vector<std::string> letters{
        "a", "the",    " ", "  ",   "\t", "é", "e\u0301", "½",     "ﬁ",    "我",
        "😀", "\u200b", "x", "\xFF", ".",  "▁", "ing",     "<sep>", "🙂", std::string(1, '\0'),
        "\n"};
    std::mt19937 random(7);
    for (int round = 0; round < 500; ++round) {
        std::string text;
        for (auto left = random() % 30; left > 0; --left)
            text += letters[random() % letters.size()];
        std::size_t reached = 0;
        std::size_t covered = 0;
        for (const auto& segment : pieces.encode(text)) {
            QVERIFY(!segment.text.empty());
            QVERIFY(segment.id >= 0 && segment.id < static_cast<int>(pieces.pieces().size()));
            QVERIFY(segment.bytes.begin >= reached && segment.bytes.begin <= segment.bytes.end);
            QVERIFY(segment.bytes.end <= text.size());
            QVERIFY(segment.bytes.end >= covered);
            reached = segment.bytes.begin;
            covered = segment.bytes.end;
        }
    }
}

void TestSentencePiece::longTexts_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<QByteArray>("part");
    for (const char* model : {"unigram", "pairs", "bytes"}) {
        QTest::addRow("%s, words", model) << model << QByteArray("The cat sleeps on the table. ");
        QTest::addRow("%s, no space", model) << model << QByteArray("thering");
        QTest::addRow("%s, one letter", model) << model << QByteArray("a");
        QTest::addRow("%s, only spaces", model) << model << QByteArray(" ");
        QTest::addRow("%s, unknown letters", model) << model << QByteArray("我");
        QTest::addRow("%s, invalid bytes", model) << model << QByteArray("\xFF");
    }
}

void TestSentencePiece::longTexts() {
    QFETCH(QString, model);
    QFETCH(QByteArray, part);
    const auto pieces = SentencePiece::open(fixtures / (model.toStdString() + ".model"));
    const std::string text = part.repeated(100'000 / part.size()).toStdString();
    QElapsedTimer timer;
    timer.start();
    const auto segments = pieces.encode(text);
    // About 20 ms; anything that grows with the square of the length takes minutes.
    QVERIFY2(timer.elapsed() < 3000 * slowness, qPrintable(QString::number(timer.elapsed())));
    QVERIFY(segments.empty() || segments.back().bytes.end + 1 >= text.size()); // a space at the end may have gone
}

void TestSentencePiece::rulesOfCharacterMap() {
    const std::string pieces = unknown + piece("▁") + piece("b") + piece("c");
    const SentencePiece model(pieces + characterMap(ruleForA(3), std::string("xx\0bc\0", 6)), "by hand");
    QCOMPARE(piecesOf(model, "bAA"), QString("▁ b b c b c"));
    const SentencePiece dropping(pieces + characterMap(ruleForA(2), std::string("xx\0bc\0", 6)), "by hand");
    QCOMPARE(piecesOf(dropping, "bAAc"), QString("▁ b c"));
}

void TestSentencePiece::brokenModel_data() {
    QTest::addColumn<QByteArray>("file");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("detail");
    const auto row = [](const char* name, const std::string& file, const char* detail, Kind kind = Kind::Corrupt) {
        QTest::newRow(name) << QByteArray::fromStdString(file) << kind << detail;
    };
    const std::string good = unknown + piece("a");
    const std::string rules("x\0", 2);
    row("empty", "", "the file is empty");
    row("text", "Not Found", "not a SentencePiece model");
    row("zeros", std::string(64, '\0'), "field number 0");
    row("no pieces", numberField(9, 1), "no piece for unknown characters among 0");
    row("no unknown piece", piece("a"), "no piece for unknown characters among 1");
    row("two unknown pieces", unknown + piece("<unk2>", 0, 2), "second unknown piece");
    row("length beyond the end", good + varint(1 << 3 | 2) + varint(1000) + "abc", "a field of 1000 bytes");
    row("huge length", good + varint(1 << 3 | 2) + varint(UINT64_MAX) + "abc", "where only 3 are left");
    row("endless number", good + varint(9 << 3) + std::string(20, '\xFF'), "more than 64 bits");
    row("number cut off", good + varint(9 << 3) + "\xFF", "where only 0 are left");
    row("group", good + varint(9 << 3 | 3), "wire type 3");
    row("piece is a number", good + numberField(1, 5), "wire type 0 instead of 2");
    row("score is a number", good + bytesField(1, bytesField(1, "b") + numberField(2, 1)), "wire type 0 instead of 5");
    row("piece without text", good + bytesField(1, numberField(3, 1)), "piece 2 is empty");
    row("piece twice", good + piece("a"), "piece 2 ('a') is there already as piece 1");
    row("piece is no UTF-8", good + piece("\xFF"), "piece 2 is not UTF-8 text");
    row("piece of unknown type", good + piece("b", 0, 7), "unknown type 7");
    row("score is no number", good + piece("b", std::nanf("")), "not a finite number");
    row("score is infinite", good + piece("b", std::numeric_limits<float>::infinity()), "not a finite number");
    row("byte piece without byte", good + piece("<0xZZ>", 0, 6), "stands for no byte");
    row("bytes missing", good + trainer(numberField(35, 1)), "not each byte has its piece");
    row("endless piece", good + piece(std::string(100'000, 'b')), "100000 bytes; at most", Kind::Unsupported);
    row("word model", good + trainer(numberField(3, 3)), "type 3", Kind::Unsupported);
    row("rules: too short", good + bytesField(3, bytesField(2, "ab")), "have only 2 bytes");
    row("rules: trie longer than all", good + characterMap(ruleForA(0), rules, 1 << 20), "trie of 1048576 bytes");
    row("rules: trie of odd length", good + characterMap(ruleForA(0), rules, 1023), "trie of 1023 bytes");
    row("rules: no trie", good + characterMap({}, rules), "trie of 0 bytes");
    row("rules: no replacements", good + characterMap(ruleForA(0), ""), "middle of a replacement");
    row("rules: unended replacement", good + characterMap(ruleForA(0), "x"), "middle of a replacement");
    row("rules: value out of range", good + characterMap(ruleForA(2), rules), "to byte 2 of 2");
    row("rules: value inside a letter", good + characterMap(ruleForA(1), std::string("\xC3\xA9\0", 3)), "no UTF-8");
    row("rules: endless replacement", good + characterMap(ruleForA(0), std::string(5000, 'x') + '\0'), "byte 0");
    auto units = ruleForA(0);
    units['C'] = 'C' | 0x1FFFFFU << 10;
    row("rules: offset out of range", good + characterMap(units, rules), "point from unit 67 to unit");
    units = ruleForA(0);
    units['B'] = 'B';
    row("rules: value missing", good + characterMap(units, rules), "miss the value below unit 65");
}

void TestSentencePiece::brokenModel() {
    QFETCH(QByteArray, file);
    QFETCH(Kind, kind);
    QFETCH(QString, detail);
    try {
        const SentencePiece model(file.toStdString(), "broken.model");
        QFAIL("was taken for a model");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), kind);
        QCOMPARE(error.place(), std::string("broken.model"));
        QVERIFY2(error.detail().find(detail.toStdString()) != std::string::npos, error.what());
    }
}

void TestSentencePiece::cutAndFlippedModel() {
    const std::string good = readFile(fixtures / "unigram.model") + trainer(numberField(3, 1));
    const auto openAndUse = [](const std::string& file) {
        try {
            SentencePiece(file, "damaged").encode("The ½ cat\xFF ﬁ 我😀");
        } catch (const Error& error) {
            QCOMPARE(error.place(), std::string("damaged"));
        }
    };
    std::mt19937 random(11);
    for (std::size_t length = 0; length < good.size(); length += 1 + length / 6)
        openAndUse(good.substr(0, length));
    for (int round = 0; round < 150; ++round) {
        std::string flipped = good;
        for (int i = 0; i < 4; ++i)
            flipped[random() % flipped.size()] = static_cast<char>(random());
        openAndUse(flipped);
    }
    for (int round = 0; round < 2000; ++round) {
        std::string noise(random() % 200, '\0');
        for (char& byte : noise)
            byte = static_cast<char>(random());
        openAndUse(noise);
    }
}

void TestSentencePiece::notAModelFile() {
    const auto kindOf = [](const std::filesystem::path& file) -> std::optional<Kind> {
        try {
            SentencePiece::open(file);
        } catch (const Error& error) {
            return error.place() == file.string() ? std::optional(error.kind()) : std::nullopt;
        }
        return std::nullopt;
    };
    QCOMPARE(kindOf(fixtures / "no such file"), Kind::NotFound);
    QCOMPARE(kindOf(fixtures), Kind::Unreadable);
    QCOMPARE(kindOf("/dev/zero"), Kind::Unreadable);
    QCOMPARE(kindOf(fixtures / "corpus.txt"), Kind::Corrupt);
}

void TestSentencePiece::words_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QStringList>("expected");
    QTest::newRow("nothing") << "" << QStringList{};
    QTest::newRow("spaces") << " \t\n " << QStringList{};
    QTest::newRow("English") << "The cat's hat, 3.14!" << QStringList{"The", "cat's", "hat", ",", "3.14", "!"};
    QTest::newRow("punctuation") << "(a)..." << QStringList{"(", "a", ")", ".", ".", "."};
    QTest::newRow("French") << "l’été à Paris" << QStringList{"l’été", "à", "Paris"};
    QTest::newRow("Chinese by dictionary") << "我喜欢机器" << QStringList{"我", "喜欢", "机器"};
    QTest::newRow("emoji") << "👨‍👩‍👧 😀" << QStringList{"👨‍👩‍👧", "😀"};
}

void TestSentencePiece::words() {
    QFETCH(QString, text);
    QFETCH(QStringList, expected);
    const std::string bytes = text.toStdString();
    QStringList words;
    for (const ByteRange& word : WordBreaker().words(bytes))
        words << QString::fromStdString(bytes.substr(word.begin, word.end - word.begin));
    QCOMPARE(words, expected);
    for (const Token& token : encodeWords(bytes, 1))
        QCOMPARE(token.word < static_cast<int>(expected.size()), true);
}

void TestSentencePiece::makeMarianFolder(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(fixtures / "unigram.model", folder / "source.spm");
    const auto model = SentencePiece::open(folder / "source.spm");
    nlohmann::json ids{{"</s>", 0}, {"<unk>", 1}};
    std::int64_t id = 2;
    for (auto i = model.pieces().size(); i-- > 0;) {
        if (model.pieces()[i].type == SentencePiece::Type::Normal && model.pieces()[i].text != "▁cat")
            ids[model.pieces()[i].text] = id++;
    }
    ids["€"] = id++; // known to the target's pieces only
    ids[">>fra<<"] = id++;
    ids["<pad>"] = id;
    writeFile(folder / "vocab.json", ids.dump());
}

void TestSentencePiece::marianFolder() {
    const QTemporaryDir temporary;
    const std::filesystem::path folder = temporary.path().toStdString();
    makeMarianFolder(folder / "model");
    const auto tokenizer = openTokenizer(folder / "model");
    const auto ids = nlohmann::json::parse(readFile(folder / "model" / "vocab.json"));
    QCOMPARE(tokenizer->size(), static_cast<std::int64_t>(ids.size()));

    const std::string text = "The table, the €我😀.";
    const std::vector<Token> tokens = tokenizer->encode(text);
    QCOMPARE(shown(text, tokens), QString("▁The[The]0 ▁table[ table]1 ,[,]2 ▁the[ the]3 ▁[ ]4 €我😀[€我😀]4 .[.]7"));
    QCOMPARE(tokens[0].id, ids["▁The"].get<std::int64_t>());
    QCOMPARE(tokens[5].id, 1);
    QCOMPARE(tokenizer->encode("€")[1].id, ids["€"].get<std::int64_t>());
    for (const Token& token : tokens) {
        QVERIFY(!token.special);
        if (token.id != 1)
            QCOMPARE(tokenizer->token(token.id).text, token.text);
    }
    QCOMPARE(tokenizer->encodeTarget(text), tokens); // no target.spm: one segmentation for both

    QCOMPARE(tokenizer->encode(""), std::vector<Token>{});
    QCOMPARE(tokenizer->encode(" \t ").size(), std::size_t{0});
    for (const Token& token : tokenizer->encode("</s>"))
        QVERIFY(token.id != 0); // typed, not meant as the end

    const std::vector<std::int64_t> sentence{ids["▁The"], ids["▁table"], ids[","], ids["▁the"], ids["<pad>"], 0, 1,
                                             -3,          99999};
    QCOMPARE(tokenizer->decode(sentence), std::string("The table, the"));
    QCOMPARE(tokenizer->decode({}), std::string());
    QVERIFY(tokenizer->token(0).special);
    QCOMPARE(tokenizer->token(0).text, std::string("</s>"));
    QCOMPARE(tokenizer->token(99999).text, std::string("[99999]"));
    QCOMPARE(tokenizer->token(-1).text, std::string("[-1]"));

    std::filesystem::copy_file(fixtures / "pairs.model", folder / "model" / "target.spm");
    const auto both = openTokenizer(folder / "model");
    QCOMPARE(both->encode("table"), tokenizer->encode("table"));
    QCOMPARE(both->encodeTarget("cat").size(), SentencePiece::open(fixtures / "pairs.model").encode("cat").size());
}

void TestSentencePiece::marianLanguageCode() {
    const QTemporaryDir temporary;
    const std::filesystem::path folder = temporary.path().toStdString();
    makeMarianFolder(folder / "model");
    const auto tokenizer = openTokenizer(folder / "model");
    const std::string text = ">>fra<< The table";
    QCOMPARE(shown(text, tokenizer->encode(text)), QString(">>fra<<[>>fra<<]0 ▁The[The]1 ▁table[ table]2"));
    QVERIFY(tokenizer->encode(">>xyz<< The").size() > 4);
    QVERIFY(tokenizer->encode("The >>fra<<").size() > 4);
}

void TestSentencePiece::brokenFolder_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("detail");
    QTest::newRow("vocabulary: empty") << "vocab.json" << QByteArray() << Kind::Corrupt << "not JSON";
    QTest::newRow("vocabulary: list") << "vocab.json" << QByteArray("[1]") << Kind::Corrupt << "not a JSON object";
    QTest::newRow("vocabulary: deep") << "vocab.json" << QByteArray(100'000, '[') << Kind::Corrupt
                                      << "nested more than";
    QTest::newRow("vocabulary: no number")
        << "vocab.json" << QByteArray(R"({"<unk>":"a"})") << Kind::Corrupt << "'<unk>' has the id \"a\"";
    QTest::newRow("vocabulary: lists without end")
        << "vocab.json"
        << R"({"<unk>":)" + QByteArray(1'000'000, '[') + QByteArray(1'000'000, ']') + '}' << Kind::Corrupt
        << "is nested more than";
    QTest::newRow("vocabulary: negative")
        << "vocab.json" << QByteArray(R"({"<unk>":-1})") << Kind::Corrupt << "whole number";
    QTest::newRow("vocabulary: huge") << "vocab.json" << QByteArray(R"({"<unk>":18446744073709551615})")
                                      << Kind::Corrupt << "whole number";
    QTest::newRow("vocabulary: fraction")
        << "vocab.json" << QByteArray(R"({"<unk>":1.5})") << Kind::Corrupt << "whole number";
    QTest::newRow("vocabulary: no unknown")
        << "vocab.json" << QByteArray(R"({"a":1})") << Kind::Mismatch << "has no <unk>";
    QTest::newRow("source: noise") << "source.spm" << QByteArray("noise") << Kind::Corrupt << "";
    QTest::newRow("target: empty") << "target.spm" << QByteArray() << Kind::Corrupt << "the file is empty";
    QTest::newRow("two vocabularies") << "target_vocab.json" << QByteArray("{}") << Kind::Unsupported << "of their own";
}

void TestSentencePiece::brokenFolder() {
    QFETCH(QString, file);
    QFETCH(QByteArray, bytes);
    QFETCH(Kind, kind);
    QFETCH(QString, detail);
    const QTemporaryDir temporary;
    const auto folder = std::filesystem::path(temporary.path().toStdString()) / "model";
    makeMarianFolder(folder);
    writeFile(folder / file.toStdString(), bytes.toStdString());
    try {
        openTokenizer(folder);
        QFAIL("was opened");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), kind);
        QVERIFY2(error.place().starts_with(folder.string()), error.what());
        QVERIFY2(error.detail().find(detail.toStdString()) != std::string::npos, error.what());
    }
    std::filesystem::remove_all(folder);
    QVERIFY_THROWS_EXCEPTION(Error, openTokenizer(folder));
    std::filesystem::create_directory(folder);
    try {
        openTokenizer(folder);
        QFAIL("was opened");
    } catch (const Error& error) {
        QCOMPARE(error.place(), folder.string());
        QVERIFY2(error.detail().find("source.spm") != std::string::npos, error.what());
    }
}

void TestSentencePiece::t5Folder() {
    const QTemporaryDir temporary;
    const std::filesystem::path folder = temporary.path().toStdString();
    std::filesystem::copy_file(fixtures / "bytes.model", folder / "spiece.model");
    const auto tokenizer = openTokenizer(folder);
    std::vector<std::int64_t> ids;
    for (const Token& token : tokenizer->encode("The 我 table"))
        ids.push_back(token.id);
    std::vector<std::string> words;
    for (const std::int64_t id : ids)
        words.push_back(std::to_string(id));
    QCOMPARE(joined(words), idsOf(SentencePiece::open(folder / "spiece.model"), "The 我 table"));
    QCOMPARE(tokenizer->decode(ids), std::string("The 我 table"));
    ids.resize(ids.size() - 2); // a model may stop in the middle of a character's bytes
    ids.push_back(tokenizer->encode("我").front().id);
    QVERIFY(tokenizer->decode(ids).ends_with("\uFFFD"));
}

QTEST_GUILESS_MAIN(TestSentencePiece)
#include "tst_sentencepiece.moc"
