#include "models/train/subwords.h"

#include "core/error.h"
#include "core/files/json.h"
#include "core/text/normalization_steps.h"
#include "core/text/pre_tokenizers.h"
#include "core/trace/letters.h"
#include "models/train/corpus.h"
#include "models/train/folder_writer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <queue>
#include <set>
#include <unordered_map>

namespace headlight {

namespace {

using nlohmann::json;
constexpr const char* goesOnMark = "##";
constexpr std::int64_t leastSeen = 20; // of a letter: what is rarer becomes [UNK], and costs no row

/// The words of texts, cut as the tokenizer that will read them cuts, by how often they were seen.
std::unordered_map<std::string, std::int64_t> countWords(const std::vector<std::filesystem::path>& texts,
                                                         const json& normalizer, const json& preTokenizer) {
    const auto normalize =
        normalizer.is_null() ? NormalizationStep() : readNormalizer(JsonPart(normalizer, "the normalizer"));
    const auto cut = readPreTokenizer(JsonPart(preTokenizer, "the pre-tokenizer"));
    std::unordered_map<std::string, std::int64_t> counts;
    std::vector<NormalizedText> parts;
    for (const auto& file : texts) {
        for (const auto& lines : readTexts({file, false})) {
            parts.clear();
            cut(normalize ? normalize(asTyped(lines.front())) : asTyped(lines.front()), parts);
            for (const auto& part : parts)
                ++counts[part.text];
        }
    }
    return counts;
}

/// The characters of well-formed UTF-8.
std::vector<std::string> charactersOf(const std::string& text) {
    std::vector<std::string> characters;
    for (const char c : text) {
        const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
        if (continues && !characters.empty())
            characters.back() += c;
        else
            characters.emplace_back(1, c);
    }
    return characters;
}

} // namespace

std::vector<Merge> learnMerges(const WordCounts& words, std::size_t most, const std::string& marked) {
    using Pair = std::pair<int, int>;
    std::vector<std::string> pieces;
    std::unordered_map<std::string, int> ids;
    const auto idOf = [&](const std::string& piece) {
        const auto [found, isNew] = ids.emplace(piece, static_cast<int>(pieces.size()));
        if (isNew)
            pieces.push_back(piece);
        return found->second;
    };
    struct Word {
        std::vector<int> pieces;
        std::int64_t count;
    };
    std::vector<Word> cut;
    std::map<Pair, std::int64_t> counts;
    std::map<Pair, std::set<std::size_t>> places; // words in which a pair is, or was
    for (const auto& [letters, count] : words) {
        Word word{{}, count};
        for (const auto& letter : letters)
            word.pieces.push_back(idOf(letter));
        for (std::size_t i = 0; i + 1 < word.pieces.size(); ++i) {
            const Pair pair{word.pieces[i], word.pieces[i + 1]};
            counts[pair] += count;
            places[pair].insert(cut.size());
        }
        cut.push_back(std::move(word));
    }

    struct Counted {
        std::int64_t count;
        Pair pair;
    };
    const auto isWorse = [&](const Counted& a, const Counted& b) {
        if (a.count != b.count)
            return a.count < b.count;
        const auto spelled = [&](const Counted& c) {
            return std::pair<const std::string&, const std::string&>(pieces[static_cast<std::size_t>(c.pair.first)],
                                                                     pieces[static_cast<std::size_t>(c.pair.second)]);
        };
        return spelled(a) > spelled(b);
    };
    std::priority_queue<Counted, std::vector<Counted>, decltype(isWorse)> queue(isWorse);
    for (const auto& [pair, count] : counts)
        queue.push({count, pair});

    std::vector<Merge> merges;
    while (merges.size() < most && !queue.empty()) {
        const auto best = queue.top();
        queue.pop();
        if (best.count != counts[best.pair]) { // it was counted before other joins: ask again with today's count
            if (counts[best.pair] > 0)
                queue.push({counts[best.pair], best.pair});
            continue;
        }
        if (best.count < 2)
            break;
        const auto [first, second] = best.pair;
        Merge merge{pieces[static_cast<std::size_t>(first)], pieces[static_cast<std::size_t>(second)], {}};
        const bool drops = !marked.empty() && merge.second.starts_with(marked);
        merge.joined = merge.first + (drops ? merge.second.substr(marked.size()) : merge.second);
        const int joined = idOf(merge.joined);
        std::set<Pair> changed;
        for (const auto index : places[best.pair]) {
            auto& word = cut[index];
            for (std::size_t i = 0; i + 1 < word.pieces.size(); ++i) {
                if (word.pieces[i] != first || word.pieces[i + 1] != second)
                    continue;
                const auto change = [&](const Pair& before, const Pair& after) {
                    counts[before] -= word.count;
                    counts[after] += word.count;
                    places[after].insert(index);
                    changed.insert(after);
                };
                if (i > 0)
                    change({word.pieces[i - 1], first}, {word.pieces[i - 1], joined});
                if (i + 2 < word.pieces.size())
                    change({second, word.pieces[i + 2]}, {joined, word.pieces[i + 2]});
                word.pieces[i] = joined;
                word.pieces.erase(word.pieces.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            }
        }
        counts.erase(best.pair);
        places.erase(best.pair);
        for (const auto& pair : changed)
            queue.push({counts[pair], pair});
        merges.push_back(std::move(merge));
    }
    return merges;
}

void writeWordPieces(const std::vector<std::filesystem::path>& texts, std::size_t size,
                     const std::filesystem::path& folder) {
    std::vector<std::string> pieces{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    WordCounts words;
    std::map<std::string, std::int64_t> letters;
    for (const auto& [text, count] :
         countWords(texts, {{"type", "BertNormalizer"}, {"lowercase", true}}, {{"type", "BertPreTokenizer"}})) {
        auto characters = charactersOf(text);
        for (std::size_t i = 1; i < characters.size(); ++i)
            characters[i] = goesOnMark + characters[i];
        for (const auto& character : characters)
            letters[character] += count;
        words[characters] += count;
    }
    std::erase_if(letters, [](const auto& letter) { return letter.second < leastSeen; });
    std::erase_if(words, [&](const auto& word) {
        return std::any_of(word.first.begin(), word.first.end(),
                           [&](const auto& letter) { return !letters.contains(letter); });
    });
    for (const auto& [letter, count] : letters)
        pieces.push_back(letter);
    std::set<std::string> known(pieces.begin(), pieces.end()); // two joins may spell the same piece
    for (const auto& merge : learnMerges(words, size > pieces.size() ? size - pieces.size() : 0, goesOnMark))
        if (known.insert(merge.joined).second)
            pieces.push_back(merge.joined);
    std::string lines;
    for (const auto& piece : pieces)
        lines += piece + "\n";
    std::filesystem::create_directories(folder);
    writeText(folder / "vocab.txt", lines);
    writeText(folder / "tokenizer_config.json", json{{"tokenizer_class", "BertTokenizer"},
                                                     {"do_lower_case", true},
                                                     {"pad_token", "[PAD]"},
                                                     {"unk_token", "[UNK]"},
                                                     {"cls_token", "[CLS]"},
                                                     {"sep_token", "[SEP]"},
                                                     {"mask_token", "[MASK]"}}
                                                        .dump(2)
                                                    + "\n");
}

void writeBytePairs(const std::vector<std::filesystem::path>& texts, std::size_t size,
                    const std::filesystem::path& folder) {
    constexpr const char* end = "<|endoftext|>";
    json ids;
    for (int byte = 0; byte < 256; ++byte)
        ids[std::string(letterOfByte(static_cast<unsigned char>(byte)))] = ids.size();
    WordCounts words;
    for (const auto& [text, count] : countWords(texts, {}, {{"type", "ByteLevel"}, {"add_prefix_space", false}}))
        words[charactersOf(text)] += count;
    std::string merges = "#version: 0.2\n";
    for (const auto& merge : learnMerges(words, size > ids.size() + 1 ? size - ids.size() - 1 : 0)) {
        merges += merge.first + " " + merge.second + "\n";
        if (!ids.contains(merge.joined))
            ids[merge.joined] = ids.size();
    }
    ids[end] = ids.size();
    std::filesystem::create_directories(folder);
    writeText(folder / "vocab.json", ids.dump() + "\n");
    writeText(folder / "merges.txt", merges);
    writeText(folder / "tokenizer_config.json", json{{"tokenizer_class", "GPT2Tokenizer"},
                                                     {"add_bos_token", true},
                                                     {"add_prefix_space", false},
                                                     {"bos_token", end},
                                                     {"eos_token", end},
                                                     {"unk_token", end}}
                                                        .dump(2)
                                                    + "\n");
}

} // namespace headlight
