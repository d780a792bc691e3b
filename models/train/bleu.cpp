#include "models/train/bleu.h"

#include "core/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

namespace headlight {

namespace {

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

bool isPoint(char c) {
    return c == '.' || c == ',';
}

bool isSign(char c) {
    return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= '!' && c <= '&') || (c >= '(' && c <= '+')
           || (c >= ':' && c <= '@') || c == '/';
}

std::string replaceAll(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

/// Rewrites each pair of neighbours that is of this kind. As with a regular expression, a pair that overlaps the one
/// before is none.
template <class IsPair, class Rewrite>
std::string rewritePairs(const std::string& text, const IsPair& isPair, const Rewrite& rewrite) {
    std::string rewritten;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i + 1 < text.size() && isPair(text[i], text[i + 1])) {
            rewritten += rewrite(text[i], text[i + 1]);
            ++i;
        } else {
            rewritten += text[i];
        }
    }
    return rewritten;
}

/// Of one well-formed character that begins here, its bytes.
std::size_t lengthOfCharacter(unsigned char first) {
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/// The ranges that sacreBLEU tests. From U+2001 on: it means U+20000 to U+2A6D6, but its "\u20000" is U+2000 and a "0"
/// to Python, so that dashes, quotation marks and arrows stand alone, and rare characters of plane 2 do not.
bool standsAlone(char32_t character) {
    constexpr std::array<std::pair<char32_t, char32_t>, 18> ranges{{
        {0x2001, 0x2A6D},
        {0x2E80, 0x2EFF},
        {0x2F00, 0x2FDF},
        {0x2FF0, 0x2FFF},
        {0x3000, 0x303F},
        {0x3100, 0x312F},
        {0x31A0, 0x31BF},
        {0x31C0, 0x31EF},
        {0x3200, 0x32FF},
        {0x3300, 0x33FF},
        {0x3400, 0x4DB5},
        {0x4E00, 0x9FBB},
        {0xF900, 0xFA2D},
        {0xFA30, 0xFA6A},
        {0xFA70, 0xFAD9},
        {0xFE10, 0xFE1F},
        {0xFE30, 0xFE4F},
        {0xFF00, 0xFFEF},
    }};
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const auto& range) { return character >= range.first && character <= range.second; });
}

std::string withChineseApart(const std::string& text) {
    std::string apart;
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        const auto character = text.substr(i, lengthOfCharacter(first));
        char32_t code = first < 0x80 ? first : first & (0x7FU >> character.size());
        for (std::size_t k = 1; k < character.size(); ++k)
            code = (code << 6U) | (static_cast<unsigned char>(character[k]) & 0x3FU);
        apart += standsAlone(code) ? " " + character + " " : character;
        i += character.size();
    }
    return apart;
}

/// What Python's str.split() takes for space, as plain spaces.
std::string withPlainSpaces(std::string text) {
    for (const auto* space :
         {"\n",     "\r",     "\t",     "\v",     "\f",     "\x1c",   "\x1d",   "\x1e",   "\x1f",   "\u0085",
          "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007",
          "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"})
        text = replaceAll(std::move(text), space, " ");
    return text;
}

} // namespace

BleuWords bleuWordsNamed(const std::string& name) {
    if (name == "13a")
        return BleuWords::Mteval13a;
    if (name == "zh")
        return BleuWords::Chinese;
    throw Error(Error::Kind::Invalid, "--tokenize", "\"" + name + "\" is not known", "known are: 13a, zh");
}

std::string bleuSignature(BleuWords words) {
    return std::string("nrefs:1|case:mixed|eff:no|tok:") + (words == BleuWords::Chinese ? "zh" : "13a") + "|smooth:exp";
}

std::vector<std::string> bleuWords(const std::string& text, BleuWords words) {
    auto line = withPlainSpaces(text);
    if (words == BleuWords::Chinese) {
        line.erase(0, std::min(line.find_first_not_of(' '), line.size()));
        line.erase(line.find_last_not_of(' ') + 1);
        line = withChineseApart(line);
    } else {
        line = replaceAll(std::move(line), "<skipped>", "");
        for (const auto& [entity, letter] : {std::pair{"&quot;", "\""}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}})
            line = replaceAll(std::move(line), entity, letter);
        line = " " + line + " ";
    }
    // Signs stand alone, but a full stop or comma only where no digit is on that side, and a hyphen after a digit.
    std::string spaced;
    for (const char c : line)
        spaced += isSign(c) ? std::string(" ") + c + " " : std::string(1, c);
    const auto apart = [](char c) { return std::string(" ") + c + " "; };
    spaced = rewritePairs(
        spaced, [](char a, char b) { return !isDigit(a) && isPoint(b); }, [&](char a, char b) { return a + apart(b); });
    spaced = rewritePairs(
        spaced, [](char a, char b) { return isPoint(a) && !isDigit(b); }, [&](char a, char b) { return apart(a) + b; });
    spaced = rewritePairs(
        spaced, [](char a, char b) { return isDigit(a) && b == '-'; }, [&](char a, char b) { return a + apart(b); });
    std::vector<std::string> found;
    std::string word;
    for (const char c : spaced + " ") {
        if (c != ' ') {
            word += c;
        } else if (!word.empty()) {
            found.push_back(word);
            word.clear();
        }
    }
    return found;
}

double bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references, BleuWords words) {
    constexpr std::size_t longest = 4;
    std::array<double, longest> matched{}, counted{};
    double hypothesisLength = 0, referenceLength = 0;
    using Counts = std::map<std::vector<std::string>, int>;
    const auto count = [](const std::vector<std::string>& text, std::size_t n) {
        Counts counts;
        for (std::size_t i = 0; i + n <= text.size(); ++i)
            ++counts[{text.begin() + static_cast<std::ptrdiff_t>(i),
                      text.begin() + static_cast<std::ptrdiff_t>(i + n)}];
        return counts;
    };
    for (std::size_t line = 0; line < hypotheses.size(); ++line) {
        const auto hypothesis = bleuWords(hypotheses[line], words);
        const auto reference = bleuWords(references[line], words);
        hypothesisLength += static_cast<double>(hypothesis.size());
        referenceLength += static_cast<double>(reference.size());
        for (std::size_t n = 1; n <= longest; ++n) {
            const auto expected = count(reference, n);
            for (const auto& [sequence, times] : count(hypothesis, n)) {
                const auto found = expected.find(sequence);
                matched[n - 1] += found == expected.end() ? 0 : std::min(times, found->second);
                counted[n - 1] += times;
            }
        }
    }
    if (std::all_of(matched.begin(), matched.end(), [](double matches) { return matches == 0; }))
        return 0;
    double logPrecision = 0;
    double smooth = 1;
    for (std::size_t n = 0; n < longest; ++n) {
        if (counted[n] == 0)
            return 0;
        if (matched[n] == 0)
            smooth *= 2;
        const double precision = matched[n] == 0 ? 1 / (smooth * counted[n]) : matched[n] / counted[n];
        logPrecision += std::log(precision) / static_cast<double>(longest);
    }
    const double brevity = hypothesisLength < referenceLength ? 1 - referenceLength / hypothesisLength : 0;
    return 100 * std::exp(brevity + logPrecision);
}

} // namespace headlight
