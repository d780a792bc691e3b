// Makes of the older files what HuggingFace transformers makes of them: the tokenizer.json with the same components.
#include "core/text/legacy_files.h"

#include "core/error.h"
#include "core/files/whole_file.h"
#include "core/text/characters.h"
#include "core/text/tokenizer_json.h"
#include "core/trace/letters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
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

/// Cut by a pattern first, then into bytes.
json byPattern(json model, const char* pattern, const char* normalizer) {
    json document{
        {"pre_tokenizer",
         {{"type", "Sequence"},
          {"pretokenizers",
           json::array(
               {{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}},
                {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}})}}},
        {"decoder", {{"type", "ByteLevel"}}},
        {"model", std::move(model)}};
    if (normalizer)
        document["normalizer"] = {{"type", normalizer}};
    return document;
}

json clip(json model, const FolderSettings& settings, const std::filesystem::path& file) {
    const std::string begin = nameOf(settings, "bos_token", "<|startoftext|>");
    const std::string end = nameOf(settings, "eos_token", "<|endoftext|>");
    const auto idOf = [&](const std::string& name) { return specialEntry(name, model["vocab"], file)["ids"][0]; };
    const json frame{{"type", "RobertaProcessing"},
                     {"cls", json::array({begin, idOf(begin)})},
                     {"sep", json::array({end, idOf(end)})}};
    model["end_of_word_suffix"] = "</w>";
    model["unk_token"] = nameOf(settings, "unk_token", "<|endoftext|>");
    auto document =
        byPattern(std::move(model), R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)", nullptr);
    document["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Removed"; // what is not matched is spaces
    document["pre_tokenizer"]["pretokenizers"][0]["invert"] = true;
    document["normalizer"] = {
        {"type", "Sequence"},
        {"normalizers", json::array({{{"type", "NFC"}},
                                     {{"type", "Replace"}, {"pattern", {{"Regex", R"(\s+)"}}}, {"content", " "}},
                                     {{"type", "Lowercase"}}})}};
    document["post_processor"] = frame;
    return document;
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
    if (settings.isOf("bertjapanese") && !settings.wordTokenizer.empty() && settings.wordTokenizer != "basic")
        throw Error(Error::Kind::Unsupported, folder.string(),
                    "its words are cut by " + settings.wordTokenizer + ", a program that is not part of this one",
                    "give token ids instead of text");
    json vocabulary = json::object();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (!pieces[i].empty())
            vocabulary[pieces[i]] = i; // of equal lines the last one holds
    }
    for (const auto& added : settings.addedTokens) // a role may be played by one of these
        if (added.id && !vocabulary.contains(added.content))
            for (const auto& [role, name] : settings.roleNames)
                if (name == added.content)
                    vocabulary[name] = *added.id;
    const bool likeRoberta = settings.isOf("mpnet");
    const std::string begin = nameOf(settings, "cls_token", likeRoberta ? "<s>" : "[CLS]");
    const std::string end = nameOf(settings, "sep_token", likeRoberta ? "</s>" : "[SEP]");
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
                    {"pair", likeRoberta ? json::array({special(begin, 0), sequence("A", 0), special(end, 0),
                                                        special(end, 0), sequence("B", 1), special(end, 1)})
                                         : json::array({special(begin, 0), sequence("A", 0), special(end, 0),
                                                        sequence("B", 1), special(end, 1)})},
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

    if (settings.isOf("clip"))
        return makeTokenizer(clip(std::move(model), settings, file), file.string(), settings);
    if (settings.isOf("qwen2"))
        return makeTokenizer(
            byPattern(std::move(model),
                      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
                      R"(\s*[\r\n]+|\s+(?!\S)|\s+)",
                      "NFC"),
            file.string(), settings);

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

namespace {

/// The bytes of a text in base 64; nothing when it is none.
std::optional<std::string> fromBase64(std::string_view text) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    while (text.ends_with('='))
        text.remove_suffix(1);
    for (const char letter : text) {
        const auto digit = digits.find(letter);
        if (digit == std::string_view::npos)
            return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>((bits >> count) & 0xFFU);
        }
    }
    return bytes;
}

/// A line "base64 rank".
std::optional<std::pair<std::string, std::int64_t>> rankedPiece(const std::string& line) {
    const auto space = line.find(' ');
    if (space == std::string::npos || space == 0)
        return std::nullopt;
    auto bytes = fromBase64(std::string_view(line).substr(0, space));
    std::int64_t rank = -1;
    const auto [end, problem] = std::from_chars(line.data() + space + 1, line.data() + line.size(), rank);
    if (!bytes || bytes->empty() || problem != std::errc{} || end != line.data() + line.size() || rank < 0
        || rank > largestId)
        return std::nullopt;
    return std::pair(std::move(*bytes), rank);
}

} // namespace

bool isTiktoken(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string line(256, '\0');
    stream.read(line.data(), static_cast<std::streamsize>(line.size()));
    line.resize(std::min(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)), line.find('\n')));
    return rankedPiece(line).has_value();
}

std::unique_ptr<Tokenizer> openTiktoken(const std::filesystem::path& file, const FolderSettings& settings) {
    std::unordered_map<std::string, std::int64_t> ranks;
    std::vector<std::pair<std::int64_t, std::string>> inOrder;
    std::size_t number = 0;
    for (const auto& line : readLines(file)) {
        ++number;
        if (line.empty())
            continue;
        auto piece = rankedPiece(line);
        if (!piece)
            throw Error(Error::Kind::Corrupt, file.string(),
                        "line " + std::to_string(number) + " is no piece in base 64 with its rank",
                        "the file is damaged or incomplete; fetch or export it again");
        inOrder.emplace_back(piece->second, piece->first);
        ranks.emplace(std::move(piece->first), piece->second);
    }
    std::sort(inOrder.begin(), inOrder.end());
    const auto letters = [](std::string_view bytes) {
        std::string text;
        for (const char byte : bytes)
            text += letterOfByte(static_cast<unsigned char>(byte));
        return text;
    };
    // A rank is a piece's, not a pair's: every pair that makes the piece may be joined, that of the lowest ranks first.
    json vocabulary = json::object(), merges = json::array();
    std::int64_t next = 0;
    for (const auto& [rank, piece] : inOrder) {
        vocabulary[letters(piece)] = rank;
        next = std::max(next, rank + 1);
        std::vector<std::array<std::int64_t, 3>> pairs; // ranks of both, where the first ends
        for (std::size_t cut = 1; cut < piece.size(); ++cut) {
            const auto left = ranks.find(piece.substr(0, cut)), right = ranks.find(piece.substr(cut));
            if (left != ranks.end() && right != ranks.end())
                pairs.push_back({left->second, right->second, static_cast<std::int64_t>(cut)});
        }
        std::sort(pairs.begin(), pairs.end());
        for (const auto& pair : pairs)
            merges.push_back({letters(piece.substr(0, static_cast<std::size_t>(pair[2]))),
                              letters(piece.substr(static_cast<std::size_t>(pair[2])))});
    }
    auto document = byPattern(
        {{"type", "BPE"}, {"vocab", std::move(vocabulary)}, {"merges", std::move(merges)}, {"ignore_merges", true}},
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
        R"(\s*[\r\n]+|\s+(?!\S)|\s+)",
        nullptr);
    // Llama 3's names stand behind the pieces; the file does not hold them.
    std::vector<std::string> names{"<|begin_of_text|>", "<|end_of_text|>"};
    constexpr std::size_t mostNames = 256;
    for (int reserved = 0; names.size() < mostNames; ++reserved) {
        if (reserved == 4)
            names.insert(names.end(), {"<|start_header_id|>", "<|end_header_id|>"});
        if (reserved == 5)
            names.push_back("<|eot_id|>");
        if (names.size() < mostNames)
            names.push_back("<|reserved_special_token_" + std::to_string(reserved) + "|>");
    }
    auto& added = document["added_tokens"] = json::array();
    for (const auto& name : names)
        added.push_back({{"id", next + static_cast<std::int64_t>(added.size())}, {"content", name}, {"special", true}});
    const json begin{{"SpecialToken", {{"id", names[0]}, {"type_id", 0}}}};
    const json first{{"Sequence", {{"id", "A"}, {"type_id", 0}}}}, second{{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
    document["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single", json::array({begin, first})},
        {"pair", json::array({begin, first, begin, second})},
        {"special_tokens",
         {{names[0], {{"id", names[0]}, {"ids", json::array({next})}, {"tokens", json::array({names[0]})}}}}}};
    return makeTokenizer(std::move(document), file.string(), settings);
}

} // namespace headlight
