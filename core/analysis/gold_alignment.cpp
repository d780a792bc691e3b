// Reads gold alignments and compares attention with them.
#include "core/analysis/gold_alignment.h"

#include "core/door.h"
#include "core/files/whole_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <sstream>
#include <tuple>

namespace headlight {

namespace {

constexpr std::uintmax_t largestFile = 16U << 20;

std::vector<std::string> split(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

Links readLinks(const std::string& text, const GoldAlignment& gold, const std::string& place) {
    Links links;
    for (const auto& word : split(text)) {
        Link link;
        const char* end = word.data() + word.size();
        const auto [dash, first] = std::from_chars(word.data(), end, link.source);
        const bool dashed = first == std::errc{} && dash != end && *dash == '-';
        const auto [rest, second] = dashed ? std::from_chars(dash + 1, end, link.target) : std::from_chars_result{};
        if (!dashed || second != std::errc{} || rest != end || link.source < 0 || link.target < 0
            || static_cast<std::size_t>(link.source) >= gold.source.size()
            || static_cast<std::size_t>(link.target) >= gold.target.size())
            throw Error(Error::Kind::Corrupt, place, "\"" + word + "\" is not a link between words of the sentences");
        links.insert(link);
    }
    return links;
}

bool endsInApostrophe(const std::string& word) {
    return word.ends_with('\'') || word.ends_with("\u2019");
}

bool beginsWithApostrophe(const std::string& word) {
    return word.starts_with('\'') || word.starts_with("\u2019");
}

/// Whether a word is of a script that sets no spaces: Chinese or Japanese, or one of their signs. By the first byte of
/// its letters, which all lie between U+3000 and U+9FFF, or among the forms of full width.
bool isWrittenWithoutSpaces(const std::string& word) {
    const auto first = static_cast<unsigned char>(word.empty() ? 0 : word.front());
    return (first >= 0xE3 && first <= 0xE9) || first == 0xEF;
}

bool overlaps(const Token& token, const ByteRange& word) {
    return !token.special && token.bytes.begin < word.end && word.begin < token.bytes.end;
}

/// For each token the word that it overlaps first, -1 for none.
std::vector<int> wordsOfTokens(std::span<const Token> tokens, const WrittenWords& written) {
    std::vector<int> words;
    for (const auto& token : tokens) {
        int found = -1;
        for (std::size_t i = 0; i < written.words.size() && found < 0; ++i)
            if (overlaps(token, written.words[i]))
                found = static_cast<int>(i);
        words.push_back(found);
    }
    return words;
}

/// Places from the first to behind the last of those that a word's tokens have in a map; equal when it has none.
std::pair<int, int> placesOfWord(const ByteRange& word, std::span<const Token> tokens, const std::vector<int>& places) {
    std::pair<int, int> found{0, 0};
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (places[i] < 0 || !overlaps(tokens[i], word))
            continue;
        const bool first = found.first == found.second;
        found.first = first ? places[i] : std::min(found.first, places[i]);
        found.second = first ? places[i] + 1 : std::max(found.second, places[i] + 1);
    }
    return found;
}

std::vector<GoldAlignment> alignmentsIn(const std::filesystem::path& file) {
    std::istringstream stream(readWholeFile(file, largestFile));
    std::vector<GoldAlignment> all;
    std::string line;
    for (std::size_t number = 1; std::getline(stream, line); ++number) {
        if (number == 1 && line.starts_with("\xEF\xBB\xBF")) // some editors' mark of UTF-8
            line.erase(0, 3);
        if (line.ends_with('\r'))
            line.pop_back();
        if (line.empty() || line.front() == '#')
            continue;
        const auto place = file.string() + ":" + std::to_string(number);
        std::array<std::string, 5> columns;
        std::istringstream parts(line);
        std::size_t count = 0;
        while (count < columns.size() && std::getline(parts, columns[count], '\t'))
            ++count;
        if (count < 4)
            throw Error(Error::Kind::Corrupt, place, "has " + std::to_string(count) + " columns",
                        "there are to be an id, source words, target words, sure and possible links");
        GoldAlignment gold{columns[0], split(columns[1]), split(columns[2]), {}, {}};
        gold.sure = readLinks(columns[3], gold, place);
        gold.possible = readLinks(columns[4], gold, place);
        gold.possible.insert(gold.sure.begin(), gold.sure.end());
        all.push_back(std::move(gold));
    }
    if (all.empty())
        throw Error(Error::Kind::Corrupt, file.string(), "holds no alignment");
    return all;
}

} // namespace

std::vector<GoldAlignment> readGoldAlignments(const std::filesystem::path& file) {
    return atDoor(file.string(), [&] { return alignmentsIn(file); });
}

void AlignmentErrors::add(const GoldAlignment& gold, const Links& found) {
    for (const auto& link : found)
        m_right += static_cast<double>(gold.sure.contains(link)) + static_cast<double>(gold.possible.contains(link));
    m_counted += static_cast<double>(found.size() + gold.sure.size());
}

double AlignmentErrors::rate() const {
    return m_counted > 0 ? 1 - m_right / m_counted : 1;
}

WrittenWords writtenWords(std::span<const std::string> words, bool french) {
    static const std::set<std::string> closing{".", ",", ")", "]", "..."}, closingInEnglish{"?", "!", ";", ":"};
    WrittenWords written;
    bool attached = true;
    for (const auto& word : words) {
        const bool closes = closing.contains(word) || (!french && closingInEnglish.contains(word));
        const bool spaceless = isWrittenWithoutSpaces(word);
        if (!attached && !spaceless && !closes && !beginsWithApostrophe(word))
            written.text += ' ';
        written.words.push_back({written.text.size(), written.text.size() + word.size()});
        written.text += word;
        attached = spaceless || endsInApostrophe(word) || word == "(" || word == "[";
    }
    return written;
}

WrittenWords writtenSource(const GoldAlignment& gold) {
    return writtenWords(gold.source);
}

WrittenWords writtenTarget(const GoldAlignment& gold) {
    return writtenWords(gold.target, true);
}

std::optional<WrittenWords> wordsIn(const std::string& text, std::span<const std::string> words) {
    WrittenWords written{text, {}};
    std::size_t at = 0;
    const auto skipSpaces = [&] { at = std::min(text.size(), text.find_first_not_of(" \t\r\n", at)); };
    for (const auto& word : words) {
        skipSpaces();
        if (text.compare(at, word.size(), word) != 0)
            return std::nullopt;
        written.words.push_back({at, at + word.size()});
        at += word.size();
    }
    skipSpaces();
    return at == text.size() ? std::optional(std::move(written)) : std::nullopt;
}

Links attentionLinks(const Map& map, std::span<const Token> rows, std::span<const Token> columns,
                     const WrittenWords& source, const WrittenWords& target) {
    const auto rowWords = wordsOfTokens(rows, target);
    const auto columnWords = wordsOfTokens(columns, source);
    std::map<int, std::vector<double>> mass; // of each target word on each source word; a mean has the same order
    for (int row = 0; row < map.rows; ++row) {
        if (rowWords[static_cast<std::size_t>(row)] < 0)
            continue;
        auto& sums = mass[rowWords[static_cast<std::size_t>(row)]];
        sums.resize(source.words.size());
        for (int column = 0; column < map.columns; ++column)
            if (const int word = columnWords[static_cast<std::size_t>(column)]; word >= 0)
                sums[static_cast<std::size_t>(word)] += static_cast<double>(map.at(row, column));
    }
    Links links;
    for (const auto& [word, sums] : mass)
        if (const auto largest = std::max_element(sums.begin(), sums.end()); largest != sums.end() && *largest > 0)
            links.insert({static_cast<int>(largest - sums.begin()), word});
    return links;
}

std::optional<PlacedGold> placedGold(const GoldAlignment& gold, const Trace& trace) {
    auto source = wordsIn(trace.sourceText, gold.source);
    auto target = wordsIn(trace.targetText, gold.target);
    const bool placed = std::any_of(trace.emitted.begin(), trace.emitted.end(),
                                    [](const Token& token) { return !token.special && !token.bytes.empty(); });
    if (!source || !target || !placed || !trace.cross)
        return std::nullopt;
    return PlacedGold{gold, std::move(*source), std::move(*target)};
}

double errorRate(const PlacedGold& gold, const Trace& trace, const Map& map, RowTokens rows) {
    AlignmentErrors errors;
    errors.add(gold.gold,
               attentionLinks(map, rowTokens(trace, BlockKind::Cross, rows), trace.source, gold.source, gold.target));
    return errors.rate();
}

std::vector<LinkCells> linkCells(const PlacedGold& gold, std::span<const Token> rows, std::span<const Token> columns,
                                 const std::vector<int>& queryRows, const std::vector<int>& keyColumns) {
    std::map<std::tuple<int, int, int, int>, bool> blocks; // by row and column; true: sure
    for (const auto& link : gold.gold.possible) {
        const auto [top, bottom] =
            placesOfWord(gold.target.words[static_cast<std::size_t>(link.target)], rows, queryRows);
        const auto [left, right] =
            placesOfWord(gold.source.words[static_cast<std::size_t>(link.source)], columns, keyColumns);
        if (top < bottom && left < right)
            blocks[{top, left, bottom - top, right - left}] |= gold.gold.sure.contains(link);
    }
    std::vector<LinkCells> cells;
    for (const auto& [block, sure] : blocks)
        cells.push_back({std::get<0>(block), std::get<1>(block), std::get<2>(block), std::get<3>(block), sure});
    return cells;
}

} // namespace headlight
