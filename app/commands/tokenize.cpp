// `headlight tokenize`: ids, tokens and their places, without a model.
#include "app/commands/commands.h"
#include "app/model_catalog.h"
#include "core/error.h"
#include "core/text/tokenizer.h"

#include <nlohmann/json.hpp>

#include <QFile>
#include <QTextStream>

#include <optional>
#include <utility>

namespace headlight {

namespace {

using Json = nlohmann::ordered_json;

constexpr Option tokenizeOptions[] = {
    {"model", "MODEL",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "a bundled model's name, or a folder with a tokenizer's files")},
    {"text", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the text")},
    {"input", "FILE", QT_TRANSLATE_NOOP("headlight::CommandLine", "texts, one in each line")},
    {"specials", nullptr, QT_TRANSLATE_NOOP("headlight::CommandLine", "with the tokens that the model adds")},
    {"no-special-tokens-in-text", nullptr,
     QT_TRANSLATE_NOOP("headlight::CommandLine", "read a typed [MASK] and the like as any other text")},
    {"json", nullptr,
     QT_TRANSLATE_NOOP("headlight::CommandLine", "one JSON object for each text, in a line of its own")},
};

/// Byte ranges count in `text` as it was given.
void printTokens(const std::string& text, const std::vector<Token>& tokens, bool asJson, QTextStream& out) {
    if (asJson) {
        auto list = Json::array();
        for (const auto& token : tokens)
            list.push_back({{"id", token.id},
                            {"text", token.text},
                            {"letters", token.letters},
                            {"bytes", {token.bytes.begin, token.bytes.end}},
                            {"word", token.word},
                            {"special", token.special}});
        const Json line{{"text", text}, {"tokens", std::move(list)}};
        out << QString::fromStdString(line.dump(-1, ' ', false, Json::error_handler_t::replace)) << '\n';
        return;
    }
    for (const auto& token : tokens)
        out << token.id << '\t' << printable(QString::fromStdString(token.text)) << '\t' << token.bytes.begin << '-'
            << token.bytes.end << '\n';
}

std::vector<Token> tokensOf(const std::string& text, const Tokenizer& tokenizer, const Words& words) {
    auto tokens = words.has("no-special-tokens-in-text") ? tokenizer.encodePlain(text) : tokenizer.encode(text);
    return words.has("specials") ? tokenizer.assemble(std::move(tokens), std::nullopt) : tokens;
}

void runTokenize(const Words& words, QTextStream& out, QTextStream&) {
    const auto model = words.required("model");
    words.requireOneOf("text", "input");
    const bool asJson = words.has("json");
    if (words.has("text")) {
        const auto text = words.value("text").toStdString();
        printTokens(text, tokensOf(text, *openTokenizer(ModelCatalog::resolve(model)), words), asJson, out);
        return;
    }
    const auto name = words.required("input");
    const auto tokenizer = openTokenizer(ModelCatalog::resolve(model));
    QFile file(name);
    if (!file.open(QIODevice::ReadOnly))
        throw Error(file.exists() ? Error::Kind::Unreadable : Error::Kind::NotFound, name.toStdString(),
                    file.errorString().toStdString());
    for (bool first = true; !file.atEnd(); first = false) {
        auto line = file.readLine();
        if (file.error() != QFileDevice::NoError)
            throw Error(Error::Kind::Unreadable, name.toStdString(), file.errorString().toStdString());
        if (line.endsWith('\n'))
            line.chop(1);
        if (line.endsWith('\r'))
            line.chop(1);
        if (!first && !asJson)
            out << '\n';
        const auto text = line.toStdString();
        printTokens(text, tokensOf(text, *tokenizer, words), asJson, out);
    }
}

} // namespace

constinit const Command tokenizeCommand{
    "tokenize", QT_TRANSLATE_NOOP("headlight::CommandLine", "prints ids, tokens and byte ranges"), tokenizeOptions,
    runTokenize, Surface::None};

} // namespace headlight
