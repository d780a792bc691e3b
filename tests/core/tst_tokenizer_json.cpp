// tokenizer.json, component by component, on vocabularies of a dozen pieces made here; the older files and the settings
// beside them; and files that are broken or mean harm. What real vocabularies give is tst_hub_tokenizers.cpp's.
#include "core/error.h"
#include "core/text/legacy_files.h"
#include "core/text/tokenizer.h"
#include "core/text/tokenizer_json.h"
#include "tests/support/slowness.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

using namespace headlight;
using Kind = Error::Kind;

namespace {

/// A model that knows no letter: each part of the text, normalized, comes out whole.
const QByteArray parts = R"({"type":"Unigram","unk_id":0,"vocab":[["<unk>",0]]})";

QByteArray document(const QByteArray& members, const QByteArray& model = parts) {
    return "{" + members + (members.isEmpty() ? "" : ",") + "\"model\":" + model + "}";
}

std::unique_ptr<Tokenizer> made(const QByteArray& file, const FolderSettings& settings = {}) {
    return makeTokenizer(parseJson(file.toStdString(), "by hand"), "by hand", settings);
}

/// `piece[typed]` of each token, as QString, which Qt Test prints where it differs.
QString shown(const std::string& text, const std::vector<Token>& tokens) {
    QStringList words;
    for (const Token& token : tokens)
        words << QString::fromStdString(token.text + "["
                                        + text.substr(token.bytes.begin, token.bytes.end - token.bytes.begin) + "]");
    return words.join(QLatin1Char(' '));
}

QString encoded(const Tokenizer& tokenizer, const QString& text) {
    const std::string typed = text.toStdString();
    return shown(typed, tokenizer.encode(typed));
}

/// `id:segment` of each, specials in brackets.
QString assembled(const Tokenizer& tokenizer, const QString& first, const QString& second = {}) {
    std::optional<std::vector<Token>> other;
    if (!second.isNull())
        other = tokenizer.encode(second.toStdString());
    QStringList words;
    for (const Token& token : tokenizer.assemble(tokenizer.encode(first.toStdString()), other)) {
        const QString id = QString::number(token.id) + QLatin1Char(':') + QString::number(token.segment);
        words << (token.special ? QLatin1Char('[') + id + QLatin1Char(']') : id);
    }
    return words.join(QLatin1Char(' '));
}

QString wordsOf(const std::vector<Token>& tokens) {
    QStringList words;
    for (const Token& token : tokens)
        words << QString::number(token.word);
    return words.join(QLatin1Char(' '));
}

void writeFile(const std::filesystem::path& file, const QByteArray& bytes) {
    std::ofstream(file, std::ios::binary) << bytes.toStdString();
}

const std::filesystem::path sentencePieces = std::filesystem::path(HEADLIGHT_FIXTURES) / "sentencepiece";

// Vocabularies

const QByteArray wordPiece = R"({"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
    "max_input_chars_per_word":12,"vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"un":5,"##aff":6,
    "##able":7,"cat":8,"##s":9,"the":10,".":11,",":12,"\u0027":13,"t":14,"naive":15,"注":16}})";
const QByteArray bert = R"("added_tokens":[{"id":4,"content":"[MASK]","special":true}],
    "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,
    "lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece"})";
/// The letters c a t Ġ, and "cat", "Ġcat" by merges; the bytes of é and of an emoji.
const QByteArray byteLevelPairs = R"({"type":"BPE","vocab":{"c":0,"a":1,"t":2,"Ġ":3,"ca":4,"cat":5,"Ġcat":6,"Ã":7,"©":8,
    "ðŁ":9,"ĺ":10,"Ģ":11,"ð":12,"Ł":13,"<|endoftext|>":14,"Ċ":15},
    "merges":["c a","ca t","Ġ cat","ð Ł"]})";

} // namespace

class TestTokenizerJson : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void normalizers_data();
    void normalizers();
    void preTokenizers_data();
    void preTokenizers();
    void models_data();
    void models();
    void addedTokens_data();
    void addedTokens();
    void postProcessors_data();
    void postProcessors();
    void decoders_data();
    void decoders();
    void settingsChangeComponents_data();
    void settingsChangeComponents();
    void words();
    void letters_data();
    void letters();
    void roles();
    void bytesOfALetter();
    void invalidUtf8();
    void wayBackHoldsForAnyText_data();
    void wayBackHoldsForAnyText();
    void longTexts_data();
    void longTexts();
    void textTooLong();
    void broken_data();
    void broken();
    void endlessExpression();
    void damagedAnywhere();
    void bertFiles();
    void bytePairFiles_data();
    void bytePairFiles();
    void brokenFolder_data();
    void brokenFolder();
    void choiceByFiles();
    void sentencePieceFolders_data();
    void sentencePieceFolders();
};

void TestTokenizerJson::normalizers_data() {
    QTest::addColumn<QByteArray>("normalizer");
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* name, const char* normalizer, const QString& typed, const QString& expected) {
        QTest::newRow(name) << QByteArray(normalizer) << typed << expected;
    };
    row("BERT: lower case, no accents", R"({"type":"BertNormalizer","lowercase":true})", "Naïve Å", "naive a[Naïve Å]");
    row("BERT: control characters go, line ends are spaces", R"({"type":"BertNormalizer","lowercase":false})",
        "a\u200bb\u0001\nC", "ab C[a\u200bb\u0001\nC]");
    row("BERT: each ideograph apart", R"({"type":"BertNormalizer"})", "a注意b", "a 注  意 b[a注意b]");
    row("BERT: nothing", R"({"type":"BertNormalizer","clean_text":false,"handle_chinese_chars":false,
        "strip_accents":false,"lowercase":false})",
        "É注\t", "É注\t[É注\t]");
    row("BERT: accents alone", R"({"type":"BertNormalizer","strip_accents":true,"lowercase":false})", "É", "E[É]");
    row("NFC", R"({"type":"NFC"})", "e\u0301½", "é½[e\u0301½]");
    row("NFC: syllables", R"({"type":"NFC"})", "\u1100\u1161\u11a8", "각[\u1100\u1161\u11a8]");
    row("NFD", R"({"type":"NFD"})", "éﬁ", "e\u0301ﬁ[éﬁ]");
    row("NFKC", R"({"type":"NFKC"})", "ﬁ½ ﾊﾟ", "fi1⁄2 パ[ﬁ½ ﾊﾟ]");
    row("NFKD", R"({"type":"NFKD"})", "éﬁ", "e\u0301fi[éﬁ]");
    row("accents in the order of Unicode", R"({"type":"NFD"})", "a\u0301\u0323", "a\u0323\u0301[a\u0301\u0323]");
    row("lower case without a final sigma", R"({"type":"Lowercase"})", "ΣΑΣ İ", "σασ i\u0307[ΣΑΣ İ]");
    row("strip", R"({"type":"Strip","strip_left":true,"strip_right":true})", " \u3000a b\n", "a b[a b]");
    row("strip left", R"({"type":"Strip","strip_left":true,"strip_right":false})", " a ", "a [a ]");
    row("strip all", R"({"type":"Strip"})", "  ", "");
    row("accents, marks of all kinds", R"({"type":"StripAccents"})", "e\u0301क\u093f", "eक[e\u0301क]");
    row("replace a text", R"({"type":"Replace","pattern":{"String":"ab"},"content":"x"})", "aabab", "axx[aabab]");
    row("replace by expression", R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":"▁"})", "a   b c",
        "a▁b c[a   b c]");
    row("replace by nothing", R"({"type":"Replace","pattern":{"String":"a"},"content":""})", "aaa", "");
    row("prepend", R"({"type":"Prepend","prepend":"▁"})", "a", "▁a[a]");
    row("prepend to nothing", R"({"type":"Prepend","prepend":"▁"})", "", "");
    row("NMT", R"({"type":"Nmt"})", "a\u0007b\u200bc", "ab c[a\u0007b\u200bc]");
    row("bytes", R"({"type":"ByteLevel"})", "é !", "Ã©Ġ![é !]");
    row("sequence",
        R"({"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"},{"type":"Lowercase"}]})", "ÉA",
        "ea[ÉA]");
    row("no rules", R"({"type":"Precompiled","precompiled_charsmap":null})", "ﬁ", "ﬁ[ﬁ]");
}

void TestTokenizerJson::normalizers() {
    QFETCH(QByteArray, normalizer);
    QFETCH(QString, typed);
    QFETCH(QString, expected);
    QCOMPARE(encoded(*made(document("\"normalizer\":" + normalizer)), typed), expected);
}

void TestTokenizerJson::preTokenizers_data() {
    QTest::addColumn<QByteArray>("preTokenizer");
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* name, const char* preTokenizer, const QString& typed, const QString& expected) {
        QTest::newRow(name) << QByteArray(preTokenizer) << typed << expected;
    };
    row("BERT", R"({"type":"BertPreTokenizer"})", " Don't  go…$5", "Don[Don] '['] t[t] go[go] …[…] $[$] 5[5]");
    row("bytes", R"({"type":"ByteLevel","add_prefix_space":false})", "I've 2 cats  é!",
        "I[I] 've['ve] Ġ2[ 2] Ġcats[ cats] Ġ[ ] ĠÃ©[ é] ![!]");
    row("bytes: space before the first word", R"({"type":"ByteLevel","add_prefix_space":true})", "a b", "Ġa[a] Ġb[ b]");
    row("bytes: line ends", R"({"type":"ByteLevel","add_prefix_space":false})", "a \n b ", "a[a] ĠĊ[ \n] Ġb[ b] Ġ[ ]");
    row("bytes alone", R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})", "a b", "aĠb[a b]");
    row("whitespace", R"({"type":"Whitespace"})", "naïve, it's  ok!?",
        "naïve[naïve] ,[,] it[it] '['] s[s] ok[ok] !?[!?]");
    row("whitespace alone", R"({"type":"WhitespaceSplit"})", " it's\u3000ok\u0085a", "it's[it's] ok[ok] a[a]");
    row("metaspace, as older files have it", R"({"type":"Metaspace","replacement":"▁","add_prefix_space":true})",
        "Hey  you", "▁Hey[Hey] ▁[ ] ▁you[ you]");
    row("metaspace, without prefix", R"({"type":"Metaspace","replacement":"▁","add_prefix_space":false})", "Hey you",
        "Hey[Hey] ▁you[ you]");
    row("metaspace, as newer files have it", R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always"})",
        "a b", "▁a[a] ▁b[ b]");
    row("metaspace, never", R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"never"})", "a b", "a[a] ▁b[ b]");
    row("metaspace, not cut", R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false})", "a b",
        "▁a▁b[a b]");
    row("metaspace, typed", R"({"type":"Metaspace"})", "▁a", "▁a[▁a]");
    row("split: removed", R"({"type":"Split","pattern":{"String":"-"},"behavior":"Removed"})", "the-final--countdown",
        "the[the] final[final] countdown[countdown]");
    row("split: isolated", R"({"type":"Split","pattern":{"String":"-"},"behavior":"Isolated","invert":false})",
        "the-final--x", "the[the] -[-] final[final] -[-] -[-] x[x]");
    row("split: with previous", R"({"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithPrevious"})",
        "the-final--x", "the-[the-] final-[final-] -[-] x[x]");
    row("split: with next", R"({"type":"Split","pattern":{"String":"-"},"behavior":"MergedWithNext"})", "the-final--x",
        "the[the] -final[-final] -[-] -x[-x]");
    row("split: contiguous", R"({"type":"Split","pattern":{"String":"-"},"behavior":"Contiguous"})", "the-final--x",
        "the[the] -[-] final[final] --[--] x[x]");
    row("split: expression, inverted",
        R"({"type":"Split","pattern":{"Regex":"\\p{L}+"},"behavior":"Removed","invert":true})", "a1bé 2",
        "a[a] bé[bé]");
    row("split: Llama 3's expression",
        R"({"type":"Split","pattern":{"Regex":"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},"behavior":"Isolated"})",
        "It'S 12345 (ok)\n\n  é", "It[It] 'S['S]  [ ] 123[123] 45[45]  ([ (] ok[ok] )\n\n[)\n\n]  [ ]  é[ é]");
    row("split: possessive",
        R"({"type":"Split","pattern":{"Regex":"[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{Han}"},"behavior":"Removed","invert":true})",
        " a,b1", " a[ a] ,b[,b]");
    row("punctuation", R"({"type":"Punctuation"})", "a.。b", "a[a] .[.] 。[。] b[b]");
    row("punctuation: contiguous", R"({"type":"Punctuation","behavior":"Contiguous"})", "a..b", "a[a] ..[..] b[b]");
    row("digits together", R"({"type":"Digits","individual_digits":false})", "a12½b", "a[a] 12½[12½] b[b]");
    row("digits one by one", R"({"type":"Digits","individual_digits":true})", "a12b", "a[a] 1[1] 2[2] b[b]");
    row("delimiter", R"({"type":"CharDelimiterSplit","delimiter":"é"})", "aébéé", "a[a] b[b]");
    row("sequence", R"({"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace"}]})", "a  b",
        "▁a[a] ▁b[b]");
}

void TestTokenizerJson::preTokenizers() {
    QFETCH(QByteArray, preTokenizer);
    QFETCH(QString, typed);
    QFETCH(QString, expected);
    QCOMPARE(encoded(*made(document("\"pre_tokenizer\":" + preTokenizer)), typed), expected);
}

void TestTokenizerJson::models_data() {
    QTest::addColumn<QByteArray>("model");
    QTest::addColumn<QByteArray>("members");
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* name, const QByteArray& model, const QByteArray& members, const QString& typed,
                        const QString& expected) { QTest::newRow(name) << model << members << typed << expected; };
    const QByteArray spaces = R"("pre_tokenizer":{"type":"WhitespaceSplit"})";
    row("WordPiece", wordPiece, spaces, "unaffable cats the",
        "un[un] ##aff[aff] ##able[able] cat[cat] ##s[s] the[the]");
    row("WordPiece: unknown", wordPiece, spaces, "unx cat", "[UNK][unx] cat[cat]");
    row("WordPiece: too long", wordPiece, spaces, "unaffableaffable", "[UNK][unaffableaffable]");
    row("WordPiece: longest first", wordPiece, spaces, "thes", "the[the] ##s[s]");
    row("WordPiece: through accents", wordPiece, bert, "Naïve, 注。", "naive[Naïve] ,[,] 注[注] [UNK][。]");
    const QByteArray pairs =
        R"({"type":"BPE","unk_token":"<unk>","vocab":{"<unk>":0,"a":1,"b":2,"ab":3,"abab":4,"ba":5,"aa":6},
        "merges":["a b","ab ab","b a","a a"])";
    row("BPE: earliest merge first", pairs + "}", spaces, "bab abab aaa", "b[b] ab[ab] abab[abab] aa[aa] a[a]");
    row("BPE: unknown", pairs + "}", spaces, "axyb", "a[a] <unk>[x] <unk>[y] b[b]");
    row("BPE: unknown, fused", pairs + R"(,"fuse_unk":true})", spaces, "axyb xx", "a[a] <unk>[xy] b[b] <unk>[xx]");
    row("BPE: merges as pairs", R"({"type":"BPE","vocab":{"a":0," ":1,"a ":2},"merges":[["a"," "]]})", "", "a a ",
        "a [a ] a [a ]");
    row("BPE: nothing for the unknown", R"({"type":"BPE","vocab":{"a":0},"merges":[]})", "", "axa", "a[a] a[a]");
    row("BPE: whole words first", R"({"type":"BPE","ignore_merges":true,"vocab":{"a":0,"b":1,"ab":2},"merges":[]})",
        spaces, "ab abb", "ab[ab] a[a] b[b] b[b]");
    row("BPE: end of a word",
        R"({"type":"BPE","unk_token":"<unk>","end_of_word_suffix":"</w>","vocab":{"<unk>":0,"a":1,"a</w>":2,
        "b</w>":3,"ab</w>":4},"merges":["a b</w>"]})",
        spaces, "ab aa b c", "ab</w>[ab] a[a] a</w>[a] b</w>[b] <unk>[c]");
    row("BPE: inside of a word",
        R"({"type":"BPE","unk_token":"<unk>","continuing_subword_prefix":"##","vocab":{"<unk>":0,"a":1,
        "##b":2,"ab":3,"##c":4,"##bc":5},"merges":["a ##b","##b ##c"]})",
        spaces, "ab abc ac", "ab[ab] ab[ab] ##c[c] a[a] ##c[c]");
    row("BPE: bytes of a word", byteLevelPairs, R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false})",
        "cat cat\n", "cat[cat] Ġcat[ cat] Ċ[\n]");
    QByteArray bytes;
    for (int byte = 0; byte < 256; ++byte)
        bytes += ",\"<0x" + QByteArray::number(byte, 16).rightJustified(2, '0').toUpper()
                 + ">\":" + QByteArray::number(byte + 3);
    row("BPE: bytes for the unknown",
        R"({"type":"BPE","unk_token":"<unk>","byte_fallback":true,"fuse_unk":true,"vocab":{"<unk>":0,"a":1,"▁":2)"
            + bytes + "},\"merges\":[]}",
        R"("normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},
           {"type":"Replace","pattern":{"String":" "},"content":"▁"}]})",
        "a é", "▁[] a[a] ▁[ ] <0xC3>[é] <0xA9>[é]");
    const QByteArray unigram =
        R"({"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["▁a",-2],["▁",-3],["a",-3],["b",-3],
        ["ab",-5],["▁ab",-6]]})";
    const QByteArray metaspace = R"("pre_tokenizer":{"type":"Metaspace"})";
    row("Unigram: best sum, the later begun among equals last", unigram, metaspace, "ab aab",
        "▁a[a] b[b] ▁a[ a] ab[ab]");
    row("Unigram: unknown letters together, as they are", unigram, metaspace, "axyb", "▁a[a] xy[xy] b[b]");
    QByteArray scored;
    for (int byte = 0; byte < 256; ++byte)
        scored += ",[\"<0x" + QByteArray::number(byte, 16).rightJustified(2, '0').toUpper() + ">\",-9]";
    row("Unigram: bytes for the unknown",
        R"({"type":"Unigram","unk_id":0,"byte_fallback":true,"vocab":[["<unk>",0],["a",-1])" + scored + "]}", "", "aé",
        "a[a] <0xC3>[é] <0xA9>[é]");
    row("whole words", R"({"type":"WordLevel","unk_token":"<unk>","vocab":{"<unk>":0,"cat":1}})", spaces, "cat dog",
        "cat[cat] <unk>[dog]");
    row("WordPiece, unnamed", QByteArray(wordPiece).replace(R"("type":"WordPiece",)", ""), spaces, "cats",
        "cat[cat] ##s[s]");
    row("BPE, unnamed", R"({"vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})", "", "ab", "ab[ab]");
    row("Unigram, unnamed", R"({"unk_id":0,"vocab":[["<unk>",0],["a",-1]]})", "", "ab", "a[a] b[b]");
    row("whole words, unnamed", R"({"vocab":{"<unk>":0,"cat":1}})", "", "cat", "cat[cat]");
}

void TestTokenizerJson::models() {
    QFETCH(QByteArray, model);
    QFETCH(QByteArray, members);
    QFETCH(QString, typed);
    QFETCH(QString, expected);
    QCOMPARE(encoded(*made(document(members, model)), typed), expected);
}

void TestTokenizerJson::addedTokens_data() {
    QTest::addColumn<QByteArray>("token");
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* name, const char* token, const QString& typed, const QString& expected) {
        QTest::newRow(name) << QByteArray(token) << typed << expected;
    };
    row("special", R"({"id":9,"content":"<mask>","special":true})", "a <mask>.", "a[a] <mask>[<mask>] .[.]");
    row("within a word", R"({"id":9,"content":"<m>","special":true})", "a<m>b", "a[a] <m>[<m>] b[b]");
    row("spaces before", R"({"id":9,"content":"<m>","lstrip":true,"special":true})", "a \t<m> b",
        "a[a] <m>[ \t<m>] b[b]");
    row("spaces behind", R"({"id":9,"content":"<m>","rstrip":true,"special":true})", "a <m> \u3000<m>",
        "a[a] <m>[<m> \u3000] <m>[<m>]");
    row("a word only", R"({"id":9,"content":"ab","single_word":true,"special":true})", "ab abé cab ab",
        "ab[ab] abé[abé] cab[cab] ab[ab]");
    row("upper case, as typed", R"({"id":9,"content":"Yes","special":true,"normalized":false})", "yes Yes",
        "yes[yes] Yes[Yes]");
    row("upper case, normalized", R"({"id":9,"content":"Yes","normalized":true})", "yes YES", "Yes[yes] Yes[YES]");
    row("with the vocabulary's id", R"({"id":9,"content":"<unk>","special":true})", "<unk>", "<unk>[<unk>]");
}

void TestTokenizerJson::addedTokens() {
    QFETCH(QByteArray, token);
    QFETCH(QString, typed);
    QFETCH(QString, expected);
    const auto tokenizer =
        made(document("\"added_tokens\":[" + token
                      + R"(],"normalizer":{"type":"Lowercase"},"pre_tokenizer":{"type":"BertPreTokenizer"})"));
    QCOMPARE(encoded(*tokenizer, typed), expected);
    for (const Token& found : tokenizer->encode(typed.toStdString())) {
        const bool added = found.id == 9 || found.text == "<unk>";
        QCOMPARE(found.special, added && token.contains("special"));
        if (found.id != 0)
            QCOMPARE(tokenizer->token(found.id).text, found.text);
    }
    QCOMPARE(tokenizer->size(), token.contains("<unk>") ? 1 : 10);
}

void TestTokenizerJson::postProcessors_data() {
    QTest::addColumn<QByteArray>("processor");
    QTest::addColumn<QString>("one");
    QTest::addColumn<QString>("two");
    const auto row = [](const char* name, const char* processor, const QString& one, const QString& two) {
        QTest::newRow(name) << QByteArray(processor) << one << two;
    };
    row("none", "null", "8:0", "8:0 10:1");
    row("template", R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},
        {"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"[SEP]","type_id":0}}],"pair":[
        {"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
        {"SpecialToken":{"id":"[SEP]","type_id":0}},{"Sequence":{"id":"B","type_id":1}},
        {"SpecialToken":{"id":"[SEP]","type_id":1}}],"special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},
        "[SEP]":{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}})",
        "[2:0] 8:0 [3:0]", "[2:0] 8:0 [3:0] 10:1 [3:1]");
    row("template with one type: the segment still says which text",
        R"({"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"E","type_id":0}}],
        "pair":[{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"E","type_id":0}},
        {"Sequence":{"id":"B","type_id":0}},{"SpecialToken":{"id":"E","type_id":0}}],
        "special_tokens":{"E":{"id":"E","ids":[3,3],"tokens":["[SEP]","[SEP]"]}}})",
        "8:0 [3:0] [3:0]", "8:0 [3:0] [3:0] 10:1 [3:0] [3:0]");
    row("BERT", R"({"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]})", "[2:0] 8:0 [3:0]",
        "[2:0] 8:0 [3:0] 10:1 [3:1]");
    row("RoBERTa", R"({"type":"RobertaProcessing","sep":["[SEP]",3],"cls":["[CLS]",2],"trim_offsets":true})",
        "[2:0] 8:0 [3:0]", "[2:0] 8:0 [3:0] [3:0] 10:1 [3:0]");
    row("bytes", R"({"type":"ByteLevel","trim_offsets":true})", "8:0", "8:0 10:1");
    row("sequence", R"({"type":"Sequence","processors":[{"type":"ByteLevel"},
        {"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]}]})",
        "[2:0] 8:0 [3:0]", "[2:0] 8:0 [3:0] 10:1 [3:1]");
}

void TestTokenizerJson::postProcessors() {
    QFETCH(QByteArray, processor);
    QFETCH(QString, one);
    QFETCH(QString, two);
    const auto tokenizer = made(document(bert + ",\"post_processor\":" + processor, wordPiece));
    QCOMPARE(assembled(*tokenizer, "Cat"), one);
    QCOMPARE(assembled(*tokenizer, "cat", "the"), two);
    for (const Token& token : tokenizer->assemble({}, std::nullopt)) {
        QVERIFY(token.special);
        QCOMPARE(token.word, -1);
        QVERIFY(token.bytes.empty());
        QCOMPARE(token.text, tokenizer->token(token.id).text);
    }
}

void TestTokenizerJson::decoders_data() {
    QTest::addColumn<QByteArray>("decoder");
    QTest::addColumn<QByteArray>("pieces");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* name, const char* decoder, const char* pieces, const QString& expected) {
        QTest::newRow(name) << QByteArray(decoder) << QByteArray(pieces) << expected;
    };
    row("none", "null", "a b", "a b");
    row("bytes", R"({"type":"ByteLevel"})", "Ã © ĠðŁ ĺĢ", "é 😀");
    row("bytes, cut off", R"({"type":"ByteLevel"})", "a Ã", "a\uFFFD");
    row("WordPiece", R"({"type":"WordPiece","prefix":"##","cleanup":true})", "don ' t ##s , a ##b ! n't",
        "don'ts, ab!n't");
    row("WordPiece, as it is", R"({"type":"WordPiece","prefix":"##","cleanup":false})", "a ##b .", "ab .");
    row("metaspace", R"({"type":"Metaspace","replacement":"▁","add_prefix_space":true})", "▁Hey ▁you ▁", "Hey you ");
    row("metaspace, never", R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"never"})", "▁Hey you",
        " Heyyou");
    row("ends of words", R"({"type":"BPEDecoder","suffix":"</w>"})", "a b</w> c</w>", "ab c");
    row("Llama's",
        R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},
        {"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]})",
        "▁a <0xC3> <0xA9> ▁b <0xFF>", "aé b\uFFFD");
    row("strip at the end", R"({"type":"Strip","content":"_","start":0,"stop":2})", "a___", "a_");
}

void TestTokenizerJson::decoders() {
    QFETCH(QByteArray, decoder);
    QFETCH(QByteArray, pieces);
    QFETCH(QString, expected);
    nlohmann::json vocabulary{{"</s>", 0}};
    std::vector<std::int64_t> ids{0};
    for (const QByteArray& piece : pieces.split(' ')) {
        const auto [entry, added] = vocabulary.emplace(piece.toStdString(), vocabulary.size());
        ids.push_back(entry->get<std::int64_t>());
    }
    ids.push_back(0);
    ids.push_back(-1);
    ids.push_back(99);
    const auto tokenizer =
        made(document(R"("added_tokens":[{"id":0,"content":"</s>","special":true}],"decoder":)" + decoder,
                      R"({"type":"WordLevel","vocab":)" + QByteArray::fromStdString(vocabulary.dump()) + "}"));
    QCOMPARE(QString::fromStdString(tokenizer->decode(ids)), expected);
    QCOMPARE(tokenizer->decode({}), std::string());
    QCOMPARE(tokenizer->token(99).text, std::string("[99]"));
}

void TestTokenizerJson::settingsChangeComponents_data() {
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<QString>("expected");
    QTest::newRow("none") << QByteArray("{}") << "the[The] naive[naïve]";
    QTest::newRow("case") << QByteArray(R"({"do_lower_case":false,"tokenizer_class":"BertTokenizer"})")
                          << "[UNK][The] [UNK][naïve]";
    QTest::newRow("accents") << QByteArray(R"({"strip_accents":false})") << "the[The] [UNK][naïve]";
    QTest::newRow("file as it is") << QByteArray(
        R"({"do_lower_case":false,"tokenizer_class":"PreTrainedTokenizerFast"})")
                                   << "the[The] naive[naïve]";
}

void TestTokenizerJson::settingsChangeComponents() {
    QFETCH(QByteArray, config);
    QFETCH(QString, expected);
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    writeFile(path / "tokenizer.json", document(bert, wordPiece));
    writeFile(path / "tokenizer_config.json", config);
    QCOMPARE(encoded(*openTokenizer(path), "The naïve"), expected);
}

void TestTokenizerJson::words() {
    const auto tokenizer = made(document(bert, wordPiece));
    const std::string text = "The unaffable, [MASK] cat's";
    const auto tokens = tokenizer->encode(text);
    QCOMPARE(shown(text, tokens),
             QString("the[The] un[un] ##aff[aff] ##able[able] ,[,] [MASK][[MASK]] cat[cat] '['] [UNK][s]"));
    QCOMPARE(wordsOf(tokens), QString("0 1 1 1 2 3 4 4 4"));
    QVERIFY(tokens[5].special);
    QCOMPARE(tokens[5].id, 4);
    QCOMPARE(tokenizer->encode(""), std::vector<Token>{});
    QCOMPARE(tokenizer->encode(" \t\n"), std::vector<Token>{});
}

void TestTokenizerJson::letters_data() {
    QTest::addColumn<QByteArray>("file");
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>(
        "expected"); ///< of each token what it adds to a text, then what it does when nobody typed it
    const auto bytes =
        document(R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"})",
                 byteLevelPairs);
    QTest::newRow("WordPiece") << document(bert, wordPiece) << "The unaffable, 注cat's [MASK]"
                               << " the| un|aff|able|,|注| cat|'|[UNK]|[MASK]\n"
                                  " the| un|aff|able|,|注| cat|'|[UNK]|[MASK]";
    QTest::newRow("bytes") << bytes << "a cat\n"
                           << "a| cat|⏎\na| cat|⏎";
    QTest::newRow("some of a letter's bytes") << bytes << "é😀"
                                              << "é|é|😀|😀|😀\n⟨C3⟩|⟨A9⟩|⟨F0 9F⟩|⟨98⟩|⟨80⟩";
    const QByteArray pairs = R"({"type":"BPE","vocab":{"c":0,"at":1,"a":2,"t":3,"at</w>":4,"t</w>":5},
        "merges":["a t","a t</w>"],"end_of_word_suffix":"</w>"})";
    QTest::newRow("marks behind words") << document(
        R"("pre_tokenizer":{"type":"Whitespace"},"decoder":{"type":"BPEDecoder"})", pairs)
                                        << "cat at"
                                        << "c|at |at \nc|at |at ";
    const QByteArray words = R"({"type":"WordLevel","unk_token":"?","vocab":{"?":0,"▁the":1,"▁cat":2,"s":3}})";
    QTest::newRow("SentencePiece's marks")
        << document(R"("pre_tokenizer":{"type":"Metaspace"},"decoder":{"type":"Metaspace"})", words) << "the cat"
        << " the| cat\n the| cat";
    QTest::newRow("no decoder") << document(R"("pre_tokenizer":{"type":"Whitespace"})",
                                            R"({"type":"WordLevel","unk_token":"?","vocab":{"?":0,"cat":1,".":2}})")
                                << "cat."
                                << " cat|.\n cat|.";
}

void TestTokenizerJson::letters() {
    QFETCH(QByteArray, file);
    QFETCH(QString, typed);
    QFETCH(QString, expected);
    const auto tokenizer = made(file);
    QStringList inText, alone;
    for (const auto& token : tokenizer->encode(typed.toStdString())) {
        inText << QString::fromStdString(token.letters);
        alone << QString::fromStdString(tokenizer->token(token.id).letters);
    }
    auto lines = inText.join(u'|').replace(u'\n', u'⏎') + u'\n' + alone.join(u'|').replace(u'\n', u'⏎');
    QCOMPARE(lines, expected);
}

void TestTokenizerJson::roles() {
    QCOMPARE(made(document(bert, wordPiece))->roles(),
             (Roles{.mask = 4, .begin = {}, .end = {}, .separator = 3, .classify = 2, .pad = 0, .unknown = 1}));
    QCOMPARE(made(document("", byteLevelPairs))->roles(),
             (Roles{.mask = {}, .begin = 14, .end = 14, .separator = {}, .classify = {}, .pad = {}, .unknown = 14}));
    FolderSettings settings;
    settings.roleNames = {{"mask_token", "cat"}, {"eos_token", "not there"}, {"pad_token", "the"}};
    const Roles named = made(document(bert, wordPiece), settings)->roles();
    QCOMPARE(named.mask, std::optional<std::int64_t>(8));
    QCOMPARE(named.end, std::nullopt);
    QCOMPARE(named.pad, std::optional<std::int64_t>(10));
    // A token with a role is one even where it is typed.
    const auto tokens = made(document(bert, wordPiece), settings)->encode("the cat");
    QVERIFY(tokens[0].special && tokens[1].special);
}

void TestTokenizerJson::bytesOfALetter() {
    const auto tokenizer =
        made(document(R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"})",
                      byteLevelPairs));
    QCOMPARE(encoded(*tokenizer, "é😀cat"), QString("Ã[é] ©[é] ðŁ[😀] ĺ[😀] Ģ[😀] cat[cat]"));
    const auto tokens = tokenizer->encode("é😀cat");
    QCOMPARE(wordsOf(tokens), QString("0 0 1 1 1 2"));
    std::vector<std::int64_t> ids;
    for (const Token& token : tokens)
        ids.push_back(token.id);
    QCOMPARE(tokenizer->decode(ids), std::string("é😀cat"));
}

void TestTokenizerJson::invalidUtf8() {
    const auto tokenizer = made(document(""));
    const std::string text = "a\xFF\xE2\x82z";
    const auto tokens = tokenizer->encode(text);
    QCOMPARE(tokens.size(), std::size_t{1});
    QCOMPARE(tokens[0].text, std::string("a\uFFFD\uFFFD\uFFFDz"));
    QCOMPARE(tokens[0].bytes, (ByteRange{0, 5}));
}

void TestTokenizerJson::wayBackHoldsForAnyText_data() {
    QTest::addColumn<QByteArray>("file");
    QTest::newRow("BERT") << document(bert, wordPiece);
    QTest::newRow("bytes") << document(R"("pre_tokenizer":{"type":"ByteLevel"})", byteLevelPairs);
    QTest::newRow("metaspace") << document(
        R"("normalizer":{"type":"Sequence","normalizers":[{"type":"Nmt"},{"type":"NFKC"},
        {"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]},"pre_tokenizer":{"type":"Metaspace"},
        "added_tokens":[{"id":5,"content":"<sep>","lstrip":true,"rstrip":true,"normalized":true}])");
}

void TestTokenizerJson::wayBackHoldsForAnyText() {
    QFETCH(QByteArray, file);
    const auto tokenizer = made(file);
    const std::vector<std::string> letters{"a",       "the",
                                           " ",       "  ",
                                           "\t",      "é",
                                           "e\u0301", "½",
                                           "ﬁ",       "我",
                                           "😀",       "\u200b",
                                           "\xFF",    ".",
                                           "▁",       "[MASK]",
                                           "<sep>",   "\u0301",
                                           "İ",       std::string(1, '\0'),
                                           "\n",      "👩‍👩‍👧",
                                           "\xE2"};
    std::mt19937 random(7);
    for (int round = 0; round < 400; ++round) {
        std::string text;
        for (auto left = random() % 20; left > 0; --left)
            text += letters[random() % letters.size()];
        std::size_t reached = 0;
        int word = 0;
        for (const Token& token : tokenizer->encode(text)) {
            QVERIFY(token.bytes.begin >= reached && token.bytes.begin <= token.bytes.end);
            QVERIFY(token.bytes.end <= text.size());
            QVERIFY(token.word >= word || token.word == -1); // a text of spaces has no word
            QVERIFY(token.id >= 0 && token.id < tokenizer->size());
            QVERIFY(!token.text.empty());
            reached = token.bytes.begin;
            word = std::max(word, token.word);
        }
    }
}

void TestTokenizerJson::longTexts_data() {
    QTest::addColumn<QByteArray>("file");
    QTest::addColumn<QByteArray>("part");
    QTest::addColumn<int>("bytes");
    const QByteArray many = R"({"type":"BPE","vocab":{"a":0,"b":1,"aa":2,"aaaa":3,"ab":4,"Ġ":5,"Ġa":6,"aaaaaaaa":7},
        "merges":["a a","aa aa","a b","Ġ a","aaaa aaaa"]})";
    const QByteArray bytes = R"("pre_tokenizer":{"type":"ByteLevel"})";
    const QByteArray unigram =
        R"({"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-2],["aa",-3],["▁",-4],["b",-1]]})";
    const QByteArray metaspace = R"("normalizer":{"type":"NFKC"},"pre_tokenizer":{"type":"Metaspace"})";
    QTest::newRow("byte pairs, words") << document(bytes, many) << QByteArray("aaab abba ") << 1'000'000;
    QTest::newRow("byte pairs, one word") << document(bytes, many) << QByteArray("a") << 1'000'000;
    QTest::newRow("byte pairs, spaces") << document(bytes, many) << QByteArray(" ") << 1'000'000;
    QTest::newRow("byte pairs, no parts") << document("", many) << QByteArray("ab") << 1'000'000;
    QTest::newRow("WordPiece, words") << document(bert, wordPiece) << QByteArray("unaffable cats, the 注 ")
                                      << 1'000'000;
    QTest::newRow("WordPiece, one word") << document(
        bert, QByteArray(wordPiece).replace("per_word\":12", "per_word\":2000000000"))
                                         << QByteArray("s") << 1'000'000;
    QTest::newRow("Unigram, words") << document(metaspace, unigram) << QByteArray("aab b ") << 1'000'000;
    QTest::newRow("Unigram, one word") << document(metaspace, unigram) << QByteArray("a") << 1'000'000;
    QTest::newRow("Unigram, unknown letters") << document(metaspace, unigram) << QByteArray("我") << 1'000'000;
    QTest::newRow("accents without end") << document(metaspace, unigram) << QByteArray("\u0323\u0301") << 1'000'000;
    QTest::newRow("accents to strip") << document(bert, wordPiece) << QByteArray("\u0301\u0323") << 1'000'000;
    QTest::newRow("masks") << document(bert, wordPiece) << QByteArray("[MASK]") << 1'000'000;
    QTest::newRow("spaces before a mask")
        << document(R"("added_tokens":[{"id":1,"content":"<m>","lstrip":true}])") << QByteArray(" ") << 1'000'000;
}

void TestTokenizerJson::longTexts() {
    QFETCH(QByteArray, file);
    QFETCH(QByteArray, part);
    QFETCH(int, bytes);
    const auto tokenizer = made(file);
    const std::string text = part.repeated(bytes / static_cast<int>(part.size())).toStdString();
    QElapsedTimer timer;
    timer.start();
    tokenizer->encode(text);
    // About 0.3 s; anything that grows with the square of the length takes hours.
    QVERIFY2(timer.elapsed() < 10'000 * slowness, qPrintable(QString::number(timer.elapsed())));
}

void TestTokenizerJson::textTooLong() {
    try {
        made(document(""))->encode(std::string(17U << 20, 'a'));
        QFAIL("was read");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), Kind::Invalid);
    }
}

void TestTokenizerJson::broken_data() {
    QTest::addColumn<QByteArray>("file");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<QString>("detail");
    const auto row = [](const char* name, const QByteArray& file, const char* detail, Kind kind = Kind::Corrupt) {
        QTest::newRow(name) << file << kind << detail;
    };
    const auto unknown = [&](const char* name, const QByteArray& file, const char* detail) {
        row(name, file, detail, Kind::Unsupported);
    };
    row("empty", "", "not JSON");
    row("cut off", R"({"model":{)", "not JSON");
    row("list", "[]", "not a JSON object");
    row("no model", "{}", "has no \"model\"");
    row("model is a text", R"({"model":"BPE"})", "\"BPE\" where an object must stand");
    row("lists without end", QByteArray(1'000'000, '['), "nested more than");
    row("objects without end",
        R"({"model":)" + QByteArray(R"({"a":)").repeated(200'000) + "1" + QByteArray(200'000, '}') + "}",
        "nested more than");
    QByteArray deep = R"({"type":"NFC"})";
    for (int i = 0; i < 40; ++i)
        deep = R"({"type":"Sequence","normalizers":[)" + deep + "]}";
    row("sequences without end", document("\"normalizer\":" + deep), "nested more than");

    unknown("unknown normalizer", document(R"("normalizer":{"type":"Rot13"})"),
            "\"normalizer\": the normalizer 'Rot13'");
    unknown("unknown normalizer in a sequence",
            document(R"("normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Rot13"}]})"),
            "\"normalizer.normalizers[1]\": the normalizer 'Rot13'");
    unknown("unknown pre-tokenizer", document(R"("pre_tokenizer":{"type":"Shredder"})"), "'Shredder'");
    unknown("unknown post-processor", document(R"("post_processor":{"type":"Wrapper"})"), "'Wrapper'");
    unknown("unknown decoder", document(R"("decoder":{"type":"CTC"})"), "'CTC'");
    unknown("unknown model", document("", R"({"type":"Telepathy","vocab":{"a":0}})"), "'Telepathy'");
    unknown("unknown behavior", document(R"("pre_tokenizer":{"type":"Punctuation","behavior":"Eaten"})"), "'Eaten'");
    unknown("unknown scheme", document(R"("pre_tokenizer":{"type":"Metaspace","prepend_scheme":"sometimes"})"),
            "'sometimes'");
    unknown("two templates", document(R"("post_processor":{"type":"Sequence","processors":[
        {"type":"BertProcessing","sep":["b",0],"cls":["a",0]},{"type":"BertProcessing","sep":["b",0],"cls":["a",0]}]})"),
            "second post-processor");
    unknown(
        "third text type",
        document(R"("post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":7}}]})"),
        "token type beyond 1");
    unknown("expression that is none",
            document(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated"})"),
            "(a cannot be read");
    unknown("expression too long",
            document(R"("pre_tokenizer":{"type":"Split","behavior":"Isolated","pattern":{"Regex":")"
                     + QByteArray(100'000, 'a') + R"("}})"),
            "of 100000 bytes");
    unknown("expressions without end",
            document(R"("pre_tokenizer":{"type":"Split","behavior":"Isolated","pattern":{"Regex":")"
                     + QByteArray(60'000, '(') + R"("}})"),
            "cannot be read");
    unknown("added tokens without end", document(R"("added_tokens":[)" + QByteArray("{},").repeated(70'000) + "{}]"),
            "70001 tokens beside the vocabulary");
    unknown("pattern of another kind",
            document(R"("normalizer":{"type":"Replace","pattern":{"Glob":"*"},"content":""})"), "neither");

    row("type is a number", document(R"("normalizer":{"type":5})"), "\"normalizer.type\": 5 where a text must stand");
    row("flag is a text", document(R"("normalizer":{"type":"BertNormalizer","lowercase":"yes"})"),
        "where true or false must stand");
    row("no pattern", document(R"("pre_tokenizer":{"type":"Split","behavior":"Removed"})"), "has no \"pattern\"");
    row("delimiter of two letters", document(R"("pre_tokenizer":{"type":"CharDelimiterSplit","delimiter":"ab"})"),
        "not one character");
    row("delimiter of none", document(R"("pre_tokenizer":{"type":"CharDelimiterSplit","delimiter":""})"),
        "not one character");
    row("character map is no base 64", document(R"("normalizer":{"type":"Precompiled","precompiled_charsmap":"a!"})"),
        "not base 64");
    row("character map cut off", document(R"("normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAAAA=="})"),
        "trie of 0 bytes");
    row("template without its token", document(R"("post_processor":{"type":"TemplateProcessing","special_tokens":{},
        "single":[{"SpecialToken":{"id":"E","type_id":0}}]})"),
        "has no 'E'");
    row("template with two texts for one",
        document(R"("post_processor":{"type":"TemplateProcessing","special_tokens":{},
        "single":[{"Sequence":{"id":"B","type_id":0}}]})"),
        "a second text where there is one");
    row("added token without id", document(R"("added_tokens":[{"id":-1,"content":"a"}])"), "-1 where a whole number");
    row("added token of huge id", document(R"("added_tokens":[{"id":1e18,"content":"a"}])"), "where a whole number");
    row("added token beyond", document(R"("added_tokens":[{"id":99999999999,"content":"a"}])"),
        "99999999999 where a whole number");

    row("vocabulary: empty", document("", R"({"type":"WordLevel","vocab":{}})"), "an id for each piece");
    row("vocabulary: list", document("", R"({"type":"BPE","vocab":[],"merges":[]})"), "an id for each piece");
    row("vocabulary: negative", document("", R"({"type":"WordLevel","vocab":{"a":-1}})"), "'a' has the id -1");
    row("vocabulary: huge", document("", R"({"type":"WordLevel","vocab":{"a":18446744073709551615}})"), "whole number");
    row("vocabulary: fraction", document("", R"({"type":"WordLevel","vocab":{"a":0.5}})"), "whole number");
    row("vocabulary: one id for two", document("", R"({"type":"WordLevel","vocab":{"a":0,"b":0}})"),
        "'a' and 'b' have the same id 0");
    unknown("vocabulary: endless piece",
            document("", R"({"type":"WordLevel","vocab":{")" + QByteArray(100'000, 'a') + R"(":0}})"), "100000 bytes");
    row("WordPiece: no unknown", document("", R"({"type":"WordPiece","unk_token":"[UNK]","vocab":{"a":0}})"),
        "has no '[UNK]'");
    row("WordPiece: letters without end",
        document("", R"({"type":"WordPiece","unk_token":"a","max_input_chars_per_word":1e300,"vocab":{"a":0}})"),
        "no count of letters");
    row("BPE: no merges", document("", R"({"type":"BPE","vocab":{"a":0}})"), "has no \"merges\"");
    row("BPE: merge of one", document("", R"({"type":"BPE","vocab":{"a":0},"merges":["a"]})"),
        "\"model.merges[0]\": 'a' are not two pieces");
    row("BPE: merge of three", document("", R"({"type":"BPE","vocab":{"a":0},"merges":["a a a"]})"), "not two pieces");
    row("BPE: merge of unknown", document("", R"({"type":"BPE","vocab":{"a":0},"merges":["a b"]})"), "has no 'b'");
    row("BPE: merge into unknown", document("", R"({"type":"BPE","vocab":{"a":0,"b":1},"merges":[["a","b"]]})"),
        "has no 'ab'");
    row("BPE: merge of numbers", document("", R"({"type":"BPE","vocab":{"a":0},"merges":[[1,2]]})"),
        "where a text must stand");
    row("Unigram: object", document("", R"({"type":"Unigram","vocab":{"a":0}})"), "has no pieces");
    row("Unigram: empty", document("", R"({"type":"Unigram","vocab":[]})"), "has no pieces");
    row("Unigram: no score", document("", R"({"type":"Unigram","vocab":[["a"]]})"), "a piece and its score");
    row("Unigram: infinite score", document("", R"({"type":"Unigram","vocab":[["a",1e999]]})"), "");
    row("Unigram: unknown beyond", document("", R"({"type":"Unigram","unk_id":5,"vocab":[["a",0]]})"),
        "5 is beyond the vocabulary of 1");
}

void TestTokenizerJson::broken() {
    QFETCH(QByteArray, file);
    QFETCH(Kind, kind);
    QFETCH(QString, detail);
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    writeFile(path / "tokenizer.json", file);
    try {
        openTokenizer(path);
        QFAIL("was opened");
    } catch (const Error& error) {
        QVERIFY2(error.kind() == kind, error.what());
        QVERIFY2(error.place().starts_with((path / "tokenizer.json").string()), error.what());
        QVERIFY2(QString(error.what()).contains(detail), error.what());
    }
}

/// Each letter doubles the ways that this expression tries.
void TestTokenizerJson::endlessExpression() {
    const auto tokenizer = made(
        document(R"("pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a|aa)+$|((a+)+)+b"},"behavior":"Isolated"})"));
    QElapsedTimer timer;
    timer.start();
    try {
        tokenizer->encode(std::string(5000, 'a') + "c");
        QFAIL("was read");
    } catch (const Error& error) {
        QVERIFY2(QString(error.what()).contains("takes too long"), error.what());
    }
    QVERIFY2(timer.elapsed() < 20'000 * slowness, qPrintable(QString::number(timer.elapsed())));
}

void TestTokenizerJson::damagedAnywhere() {
    const QByteArray whole = document(
        bert + R"(,"post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]})", wordPiece);
    std::mt19937 random(3);
    int opened = 0;
    for (int round = 0; round < 3000; ++round) {
        QByteArray damaged = whole;
        for (auto left = 1 + random() % 3; left > 0; --left)
            damaged[static_cast<qsizetype>(random() % static_cast<unsigned>(damaged.size()))] =
                "\"{}[]:,019-ae\xFF"[random() % 14];
        try {
            made(damaged)->encode("Unaffable cats [MASK] 注");
            ++opened;
        } catch (const Error&) {
            continue;
        }
    }
    QVERIFY(opened > 0 && opened < 3000);
}

void TestTokenizerJson::bertFiles() {
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    const QByteArray pieces = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\ncat\n##s\n";
    writeFile(path / "vocab.txt", pieces);
    const auto tokenizer = openTokenizer(path);
    QCOMPARE(encoded(*tokenizer, "Unaffable [MASK] Câts"),
             QString("un[Un] ##aff[aff] ##able[able] [MASK][[MASK]] cat[Cât] ##s[s]"));
    QCOMPARE(assembled(*tokenizer, "cat", "cats"), QString("[2:0] 8:0 [3:0] 8:1 9:1 [3:1]"));
    QCOMPARE(tokenizer->roles().mask, std::optional<std::int64_t>(4));
    QCOMPARE(tokenizer->size(), 10);

    writeFile(path / "vocab.txt", QByteArray(pieces + "Un\n").replace("\n", "\r\n")); // cased, by what it holds
    QCOMPARE(encoded(*openTokenizer(path), "Un un Cat"), QString("Un[Un] un[un] [UNK][Cat]"));
    writeFile(path / "tokenizer_config.json", R"({"do_lower_case":true,"tokenize_chinese_chars":false})");
    QCOMPARE(encoded(*openTokenizer(path), "Un cat注"), QString("un[Un] [UNK][cat注]"));

    writeFile(path / "vocab.txt", "[UNK]\ncat\n");
    QVERIFY_THROWS_EXCEPTION(Error, openTokenizer(path));
}

void TestTokenizerJson::bytePairFiles_data() {
    QTest::addColumn<QByteArray>("vocabulary");
    QTest::addColumn<QByteArray>("merges");
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<QString>("typed");
    QTest::addColumn<QString>("expected");
    QTest::addColumn<QString>("around");
    const QByteArray gpt = R"({"a":0,"b":1,"Ġ":2,"ab":3,"Ġab":4,"<|endoftext|>":5,"#":6,"##":7})";
    const QByteArray merges = "#version: 0.2\na b\nĠ ab\n# #\n";
    QTest::newRow("GPT-2") << gpt << merges << QByteArray("{}") << "ab ab##<|endoftext|>"
                           << "ab[ab] Ġab[ ab] ##[##] <|endoftext|>[<|endoftext|>]"
                           << "3:0 4:0 7:0 [5:0]";
    QTest::newRow("GPT-2, a space before the first word")
        << gpt << merges << QByteArray(R"({"add_prefix_space":true,"model_type":"gpt2"})") << "ab"
        << "Ġab[ab]"
        << "4:0";
    QTest::newRow("GPT-2, begun") << gpt << merges << QByteArray(R"({"add_bos_token":true})") << "ab"
                                  << "ab[ab]"
                                  << "[5:0] 3:0";
    const QByteArray roberta = R"({"<s>":0,"<pad>":1,"</s>":2,"<unk>":3,"a":4,"Ġ":5,"Ġa":6,"<mask>":7})";
    QTest::newRow("RoBERTa") << roberta << QByteArray("Ġ a\n") << QByteArray("{}") << "a a <mask> a"
                             << "a[a] Ġa[ a] <mask>[ <mask>] Ġa[ a]"
                             << "[0:0] 4:0 6:0 [7:0] 6:0 [2:0]";
    QTest::newRow("BART") << roberta << QByteArray("Ġ a\n") << QByteArray(R"({"tokenizer_class":"BartTokenizer"})")
                          << "a"
                          << "a[a]"
                          << "[0:0] 4:0 [2:0]";
    QTest::newRow("OpenAI-GPT") << QByteArray(R"({"<unk>":0,"a":1,"b</w>":2,"ab</w>":3,"!</w>":4})")
                                << QByteArray("#version: 0.2\na b</w>\n") << QByteArray("{}") << "AB!c"
                                << "ab</w>[AB] !</w>[!] <unk>[c]"
                                << "3:0 4:0 0:0";
}

void TestTokenizerJson::bytePairFiles() {
    QFETCH(QByteArray, vocabulary);
    QFETCH(QByteArray, merges);
    QFETCH(QByteArray, config);
    QFETCH(QString, typed);
    QFETCH(QString, expected);
    QFETCH(QString, around);
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    writeFile(path / "vocab.json", vocabulary);
    writeFile(path / "merges.txt", merges);
    writeFile(path / "tokenizer_config.json", config);
    const auto tokenizer = openTokenizer(path);
    QCOMPARE(encoded(*tokenizer, typed), expected);
    QCOMPARE(assembled(*tokenizer, typed), around);
}

void TestTokenizerJson::brokenFolder_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("detail");
    QTest::newRow("merges: one piece") << "merges.txt" << QByteArray("a b\nab\n") << "line 2 has not two pieces";
    QTest::newRow("merges: no UTF-8") << "merges.txt" << QByteArray("a b\n\xFF b\n") << "line 2 is not UTF-8";
    QTest::newRow("merges: unknown") << "merges.txt" << QByteArray("a x\n") << "has no 'x'";
    QTest::newRow("vocabulary: no JSON") << "vocab.json" << QByteArray("a") << "not JSON";
    QTest::newRow("vocabulary: negative") << "vocab.json" << QByteArray(R"({"a":-1})") << "'a' has the id -1";
    QTest::newRow("vocabulary: no <s>") << "vocab.json" << QByteArray(R"({"a":0,"b":1,"ab":2})") << "has no <s>";
    QTest::newRow("settings: no JSON") << "tokenizer_config.json" << QByteArray("{") << "not JSON";
    QTest::newRow("settings: class is a number")
        << "tokenizer_config.json" << QByteArray(R"({"tokenizer_class":1})") << "where a text must stand";
    QTest::newRow("settings: token is a number")
        << "tokenizer_config.json" << QByteArray(R"({"mask_token":1})") << "where an object must stand";
    QTest::newRow("settings: id is none")
        << "tokenizer_config.json" << QByteArray(R"({"added_tokens_decoder":{"x":{"content":"a"}}})") << "'x' is no id";
    QTest::newRow("settings: added token beyond")
        << "tokenizer_config.json" << QByteArray(R"({"added_tokens_decoder":{"999999999":{"content":"a"}}})")
        << "is no id";
    QTest::newRow("roles: list") << "special_tokens_map.json" << QByteArray("[]") << "not a JSON object";
    QTest::newRow("added tokens: negative") << "added_tokens.json" << QByteArray(R"({"x":-5})") << "'x' has the id -5";
}

void TestTokenizerJson::brokenFolder() {
    QFETCH(QString, file);
    QFETCH(QByteArray, bytes);
    QFETCH(QString, detail);
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    writeFile(path / "vocab.json", R"({"a":0,"b":1,"ab":2,"<s>":3,"</s>":4})");
    writeFile(path / "merges.txt", "a b\n");
    writeFile(path / "config.json", R"({"model_type":"roberta"})");
    openTokenizer(path);
    writeFile(path / file.toStdString(), bytes);
    try {
        openTokenizer(path);
        QFAIL("was opened");
    } catch (const Error& error) {
        QVERIFY2(error.place().starts_with(path.string()), error.what());
        QVERIFY2(QString(error.what()).contains(detail), error.what());
    }
}

void TestTokenizerJson::choiceByFiles() {
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    try {
        openTokenizer(path);
        QFAIL("was opened");
    } catch (const Error& error) {
        QCOMPARE(error.kind(), Kind::NotFound);
        QVERIFY2(QString(error.what()).contains("tokenizer.json"), error.what());
    }
    writeFile(path / "vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\n");
    QCOMPARE(openTokenizer(path)->size(), 4);
    writeFile(path / "tokenizer.json", document("", R"({"type":"WordLevel","vocab":{"<unk>":0,"a":8}})"));
    QCOMPARE(openTokenizer(path)->size(), 9);
    std::filesystem::copy_file(sentencePieces / "unigram.model", path / "source.spm");
    QCOMPARE(openTokenizer(path)->size(), 9);
    writeFile(path / "vocab.json", R"({"<unk>":1,"</s>":0,"▁The":2})");
    QCOMPARE(openTokenizer(path)->size(), 3); // Marian's tokenizer reads no tokenizer.json
}

void TestTokenizerJson::sentencePieceFolders_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("config");
    QTest::addColumn<QString>("one");
    QTest::addColumn<QString>("two");
    QTest::addColumn<QString>("typed");
    QTest::newRow("T5") << "spiece.model" << QByteArray("{}") << "N:0 [E:0]"
                        << "N:0 [E:0] N:1 [E:1]"
                        << "<extra_id_0>";
    QTest::newRow("XLM-R") << "sentencepiece.bpe.model" << QByteArray("{}") << "[0:0] M:0 [2:0]"
                           << "[0:0] M:0 [2:0] [2:0] M:1 [2:0]"
                           << "<mask>";
    QTest::newRow("Llama") << "tokenizer.model" << QByteArray("{}") << "[S:0] N:0"
                           << "[S:0] N:0 [S:1] N:1"
                           << "</s>";
    QTest::newRow("Llama, ended") << "tokenizer.model" << QByteArray(R"({"add_bos_token":false,"add_eos_token":true})")
                                  << "N:0 [E:0]"
                                  << "N:0 [E:0] N:1 [E:1]"
                                  << "</s>";
}

void TestTokenizerJson::sentencePieceFolders() {
    QFETCH(QString, file);
    QFETCH(QByteArray, config);
    QFETCH(QString, one);
    QFETCH(QString, two);
    QFETCH(QString, typed);
    const QTemporaryDir folder;
    const std::filesystem::path path = folder.path().toStdString();
    std::filesystem::copy_file(sentencePieces / "unigram.model", path / file.toStdString());
    writeFile(path / "tokenizer_config.json", config);
    const auto tokenizer = openTokenizer(path);
    const auto id = tokenizer->encode("the").front().id;
    const auto filled = [&](QString expected) {
        return expected.replace("N", QString::number(id))
            .replace("M", QString::number(id))
            .replace("E", QString::number(tokenizer->roles().end.value_or(-1)))
            .replace("S", QString::number(tokenizer->roles().begin.value_or(-1)));
    };
    QCOMPARE(tokenizer->token(id).text, std::string("▁the"));
    QCOMPARE(tokenizer->token(id).letters, std::string(" the"));
    QCOMPARE(assembled(*tokenizer, "the"), filled(one));
    QCOMPARE(assembled(*tokenizer, "the", "the"), filled(two));

    const auto tokens = tokenizer->encode(("the " + typed + " the").toStdString());
    const auto name = std::find_if(tokens.begin(), tokens.end(), [](const Token& token) { return token.special; });
    QVERIFY(name != tokens.end());
    QCOMPARE(QString::fromStdString(name->text), typed);
    QVERIFY(name->bytes.end == std::size_t(4 + typed.size()) && name->bytes.begin <= 4);
    QCOMPARE(name->word, 1);
    QCOMPARE(tokens.back().text, std::string("▁the"));
    QCOMPARE(tokens.back().word, 2);
    QVERIFY(name->id < tokenizer->size());
    QCOMPARE(tokenizer->token(name->id).text, name->text);
    QVERIFY(tokenizer->token(name->id).special);
}

QTEST_GUILESS_MAIN(TestTokenizerJson)
#include "tst_tokenizer_json.moc"
