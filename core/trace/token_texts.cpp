// Tells words, specials and texts by the marks that vocabularies use.
#include "core/trace/token_texts.h"

#include "core/error.h"
#include "core/files/json.h"
#include "core/files/safetensors.h"
#include "core/trace/letters.h"
#include "core/trace/trace_description.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headlight {

namespace {

/// Tokens of which only the texts are known. Marks tell words, if any token has one; else each token is a word.
std::vector<Token> tokensFromTexts(const std::vector<std::string>& texts, std::string& text) {
    constexpr std::string_view wordMark = "\u2581", byteSpace = "\u0120", byteBreak = "\u010a"; // SentencePiece, GPT-2
    constexpr std::string_view joinMark = "##";                                                 // WordPiece
    const auto anyBegins = [&texts](std::initializer_list<std::string_view> marks) {
        return std::any_of(texts.begin(), texts.end(), [&](const std::string& piece) {
            return std::any_of(marks.begin(), marks.end(),
                               [&](std::string_view mark) { return piece.starts_with(mark); });
        });
    };
    const bool ofBytes = anyBegins({byteSpace, byteBreak});
    const bool spaced = anyBegins({wordMark, byteSpace, " "});
    std::vector<Token> tokens;
    int word = -1;
    for (const auto& piece : texts) {
        Token token;
        token.text = token.letters = label(piece);
        const bool pointed = piece.size() > 2 && piece.front() == '<' && piece.back() == '>';
        const bool bracketed =
            piece.size() > 2 && piece.front() == '[' && piece.back() == ']'
            && std::all_of(piece.begin() + 1, piece.end() - 1, [](char c) { return c >= 'A' && c <= 'Z'; });
        token.special = (pointed || bracketed) && !piece.starts_with("<0x") && piece != "<unk>" && piece != "[UNK]"
                        && piece != "[MASK]";
        if (!token.special) {
            const auto bytes = ofBytes ? bytesOfLetters(piece).value_or(piece) : piece;
            std::string_view letters = bytes;
            bool begins = !spaced;
            for (const auto mark : {wordMark, std::string_view(" ")}) {
                if (letters.starts_with(mark)) {
                    letters.remove_prefix(mark.size());
                    begins = true;
                }
            }
            if (letters.size() > joinMark.size() && letters.starts_with(joinMark)) {
                letters.remove_prefix(joinMark.size());
                begins = false;
            }
            if (begins || word < 0)
                ++word;
            if (begins && !text.empty())
                text += ' ';
            token.word = word;
            token.bytes.begin = text.size();
            text += letters;
            token.bytes.end = text.size();
            token.letters = label(std::string(begins ? 1 : 0, ' ') + readableBytes(letters));
        }
        tokens.push_back(std::move(token));
    }
    return tokens;
}

std::vector<std::string> textsIn(const JsonPart& list) {
    std::vector<std::string> texts;
    for (const auto& part : list.elements())
        texts.push_back(part.text());
    return texts;
}

} // namespace

Trace traceOfTokenTexts(const SafetensorsFile& file) {
    const auto entry = file.metadata().find("tokens");
    if (entry == file.metadata().end())
        throw Error(Error::Kind::Unsupported, file.place(), "has no metadata entry 'tokens', so its rows have no names",
                    R"(save it with metadata {"tokens": json.dumps({"source": [...], "target": [...]})})");
    const bool hasSource = file.find("encoder") || file.find("cross");
    const bool hasTarget = file.find("decoder") || file.find("cross");
    if (!hasSource && !hasTarget)
        throw Error(Error::Kind::Unsupported, file.place(), "has no tensor 'encoder', 'decoder' or 'cross'",
                    "name the attention tensors so, each [layers, heads, queries, keys]");
    const auto place = file.place() + ", metadata 'tokens'";
    auto document = parseJson(entry->second, place);
    if (document.is_array()) {
        if (hasSource && hasTarget)
            throw Error(Error::Kind::Corrupt, place, "is one list, but the tensors are of two texts",
                        R"(save {"source": [...], "target": [...]})");
        document = {{hasSource ? "source" : "target", std::move(document)}};
    }
    const JsonPart root(std::move(document), place);
    Trace trace;
    trace.model = std::filesystem::path(file.place()).stem().string();
    if (hasSource)
        trace.source = tokensFromTexts(textsIn(root.at("source")), trace.sourceText);
    if (hasTarget)
        trace.target = tokensFromTexts(textsIn(root.at("target")), trace.targetText);
    if (hasTarget && root.has("emitted")) {
        trace.targetText.clear();
        trace.emitted = tokensFromTexts(textsIn(root.at("emitted")), trace.targetText);
        for (auto& token : trace.target)
            token.bytes = {};
    }
    if (trace.emitted.empty())
        trace.emitted = trace.target;
    trace.targetForced = hasTarget;
    return trace;
}

} // namespace headlight
