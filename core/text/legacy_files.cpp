// Makes of the older files what HuggingFace transformers makes of them: the tokenizer.json with the same components.
#include "core/text/legacy_files.h"

#include "core/error.h"
#include "core/files/whole_file.h"
#include "core/text/characters.h"
#include "core/text/tokenizer_json.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace headlight {

namespace {

using nlohmann::json;

std::vector<std::string> readLines(const std::filesystem::path& file) {
    const std::string bytes = readWholeFile(file, largestVocabularyFile);
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < bytes.size();) {
        const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
        std::string line = bytes.substr(begin, end - begin);
        if (line.ends_with('\r'))
            line.pop_back();
        if (withReplacementCharacters(line) != line)
            throw Error(Error::Kind::Corrupt, file.string(),
                        "line " + std::to_string(lines.size() + 1) + " is not UTF-8 text",
                        "the file is damaged or incomplete; fetch or export it again");
        lines.push_back(std::move(line));
        begin = end + 1;
        if (lines.size() > static_cast<std::size_t>(largestId))
            throw Error(Error::Kind::Unsupported, file.string(),
                        "more than " + std::to_string(largestId) + " lines are too many");
    }
    return lines;
}

/// What the file of a role's name is in the vocabulary, as a template wants it.
json specialEntry(const std::string& name, const json& vocabulary, const std::filesystem::path& file) {
    const auto found = vocabulary.find(name);
    if (found == vocabulary.end())
        throw Error(Error::Kind::Mismatch, file.string(), "the vocabulary has no " + name,
                    "the file must be of the model that it lies with");
    return {{"id", name}, {"ids", json::array({*found})}, {"tokens", json::array({name})}};
}

std::string nameOf(const FolderSettings& settings, const char* role, const char* usual) {
    const auto named = settings.roleNames.find(role);
    return named != settings.roleNames.end() ? named->second : usual;
}

/// Only a vocabulary of lower-cased text has no word with a capital.
bool looksLowerCased(const std::vector<std::string>& pieces) {
    const auto hasCapital = [](const std::string& piece) {
        return !piece.starts_with('[') && !piece.starts_with('<')
               && std::any_of(piece.begin(), piece.end(), [](char letter) { return letter >= 'A' && letter <= 'Z'; });
    };
    return std::none_of(pieces.begin(), pieces.end(), hasCapital);
}

json addedToken(const std::string& name, const json& vocabulary, bool stripLeft) {
    return {{"id", vocabulary.at(name)}, {"content", name}, {"special", true},    {"single_word", false},
            {"lstrip", stripLeft},       {"rstrip", false}, {"normalized", false}};
}

json bytePairModel(json vocabulary, const std::filesystem::path& file) {
    json merges = json::array();
    std::size_t number = 0;
    for (const std::string& line : readLines(file)) {
        ++number;
        if (line.empty() || line.starts_with("#version"))
            continue;
        const auto space = line.find(' ');
        if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
            throw Error(Error::Kind::Corrupt, file.string(),
                        "line " + std::to_string(number) + " has not two pieces with a space between them",
                        "the file is damaged or incomplete; fetch or export it again");
        merges.push_back({line.substr(0, space), line.substr(space + 1)});
    }
    return {{"type", "BPE"}, {"vocab", std::move(vocabulary)}, {"merges", std::move(merges)}};
}

json openAiGpt(json model, const FolderSettings& settings) {
    model["end_of_word_suffix"] = "</w>";
    model["unk_token"] = nameOf(settings, "unk_token", "<unk>");
    return {{"normalizer", {{"type", "BertNormalizer"}, {"lowercase", true}}},
            {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
            {"decoder", {{"type", "BPEDecoder"}, {"suffix", "</w>"}}},
            {"model", std::move(model)}};
}

json byteLevel(json model) {
    return {{"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
            {"decoder", {{"type", "ByteLevel"}}},
            {"model", std::move(model)}};
}

} // namespace

std::unique_ptr<Tokenizer> openBertFiles(const std::filesystem::path& folder, const FolderSettings& settings) {
    const auto file = folder / "vocab.txt";
    const std::vector<std::string> pieces = readLines(file);
    json vocabulary = json::object();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (!pieces[i].empty())
            vocabulary[pieces[i]] = i; // of equal lines the last one holds
    }
    const std::string begin = nameOf(settings, "cls_token", "[CLS]");
    const std::string end = nameOf(settings, "sep_token", "[SEP]");
    const auto special = [](const std::string& name, int type) {
        return json{{"SpecialToken", {{"id", name}, {"type_id", type}}}};
    };
    const auto sequence = [](const char* name, int type) {
        return json{{"Sequence", {{"id", name}, {"type_id", type}}}};
    };
    json normalizer{{"type", "BertNormalizer"},
                    {"lowercase", settings.lowerCase.value_or(looksLowerCased(pieces))},
                    {"handle_chinese_chars", settings.splitChinese.value_or(true)}};
    if (settings.stripAccents)
        normalizer["strip_accents"] = *settings.stripAccents;
    json document{{"normalizer", std::move(normalizer)},
                  {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
                  {"post_processor",
                   {{"type", "TemplateProcessing"},
                    {"single", json::array({special(begin, 0), sequence("A", 0), special(end, 0)})},
                    {"pair", json::array({special(begin, 0), sequence("A", 0), special(end, 0), sequence("B", 1),
                                          special(end, 1)})},
                    {"special_tokens",
                     {{begin, specialEntry(begin, vocabulary, file)}, {end, specialEntry(end, vocabulary, file)}}}}},
                  {"decoder", {{"type", "WordPiece"}}}};
    document["model"] = {
        {"type", "WordPiece"}, {"unk_token", nameOf(settings, "unk_token", "[UNK]")}, {"vocab", std::move(vocabulary)}};
    return makeTokenizer(std::move(document), file.string(), settings);
}

std::unique_ptr<Tokenizer> openBytePairFiles(const std::filesystem::path& folder, const FolderSettings& settings) {
    const auto file = folder / "vocab.json";
    const JsonPart vocabularyFile = readJsonFile(file, largestVocabularyFile);
    vocabularyIn(vocabularyFile); // so that what is wrong is said of this file
    const json& vocabulary = vocabularyFile.value();
    json model = bytePairModel(vocabulary, folder / "merges.txt");
    const auto has = [&](const char* piece) { return vocabulary.contains(piece); };

    const bool namesFamily = !settings.tokenizerClass.empty() || !settings.modelType.empty();
    const auto& merges = model["merges"];
    const bool marksWordEnds = std::any_of(merges.begin(), merges.end(), [](const json& merge) {
        return merge[1].get_ref<const std::string&>().ends_with("</w>");
    });
    if (settings.isOf("openaigpt") || (!namesFamily && marksWordEnds))
        return makeTokenizer(openAiGpt(std::move(model), settings), file.string(), settings);

    constexpr std::array likeRoberta{"roberta", "bart", "longformer", "led", "mvp", "deberta"};
    const bool framed =
        std::any_of(likeRoberta.begin(), likeRoberta.end(), [&](const char* family) { return settings.isOf(family); })
        || (!namesFamily && has("<s>") && has("</s>") && has("<mask>"));
    json document = byteLevel(std::move(model));
    if (framed) {
        const std::string begin = nameOf(settings, "cls_token", "<s>");
        const std::string end = nameOf(settings, "sep_token", "</s>");
        const std::string mask = nameOf(settings, "mask_token", "<mask>");
        document["post_processor"] = {{"type", "RobertaProcessing"},
                                      {"cls", json::array({begin, specialEntry(begin, vocabulary, file)["ids"][0]})},
                                      {"sep", json::array({end, specialEntry(end, vocabulary, file)["ids"][0]})}};
        if (vocabulary.contains(mask)) // the space before a mask belongs to what will stand there
            document["added_tokens"] = json::array({addedToken(mask, vocabulary, true)});
    } else if (settings.addBegin.value_or(false)) {
        const std::string begin = nameOf(settings, "bos_token", "<|endoftext|>");
        const json special{{"SpecialToken", {{"id", begin}, {"type_id", 0}}}};
        const json first{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
        const json second{{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
        document["post_processor"] = {{"type", "TemplateProcessing"},
                                      {"single", json::array({special, first})},
                                      {"pair", json::array({special, first, second})},
                                      {"special_tokens", {{begin, specialEntry(begin, vocabulary, file)}}}};
    }
    return makeTokenizer(std::move(document), file.string(), settings);
}

} // namespace headlight
