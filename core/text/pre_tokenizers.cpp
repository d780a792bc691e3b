// One function for each pre-tokenizer of HuggingFace's tokenizers library, and the table that names them.
#include "core/text/pre_tokenizers.h"

#include "core/text/characters.h"
#include "core/text/normalization_steps.h"
#include "core/text/pattern.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace headlight {

namespace {

/// What becomes of the places where a text is cut.
enum class Cut { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

/// A run of bytes that is such a place, or that lies between two.
struct Run {
    ByteRange bytes;
    bool match;
};

/// The matches and what lies between them.
std::vector<Run> runsOf(std::string_view text, const std::vector<ByteRange>& matches) {
    std::vector<Run> runs;
    std::size_t done = 0;
    for (const ByteRange& match : matches) {
        if (done < match.begin)
            runs.push_back({{done, match.begin}, false});
        runs.push_back({match, true});
        done = match.end;
    }
    if (done < text.size())
        runs.push_back({{done, text.size()}, false});
    return runs;
}

/// Each character that is one is a match by itself.
template <typename Is>
std::vector<ByteRange> charactersThat(std::string_view text, Is is) {
    std::vector<ByteRange> matches;
    for (std::size_t i = 0; i < text.size();) {
        const Character next = firstCharacter(text.substr(i));
        if (is(next.code))
            matches.push_back({i, i + next.length});
        i += next.length;
    }
    return matches;
}

/// Each match goes to the neighbour before it, unless that is a match, too.
std::vector<Run> mergedWithPrevious(const std::vector<Run>& runs) {
    std::vector<Run> merged;
    bool afterMatch = false;
    for (const Run& run : runs) {
        if (run.match && !afterMatch && !merged.empty())
            merged.back().bytes.end = run.bytes.end;
        else
            merged.push_back(run);
        afterMatch = run.match;
    }
    return merged;
}

std::vector<Run> mergedWithNext(const std::vector<Run>& runs) {
    std::vector<Run> merged;
    bool beforeMatch = false;
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
        if (run->match && !beforeMatch && !merged.empty())
            merged.back().bytes.begin = run->bytes.begin;
        else
            merged.push_back(*run);
        beforeMatch = run->match;
    }
    std::reverse(merged.begin(), merged.end());
    return merged;
}

std::vector<Run> contiguous(const std::vector<Run>& runs) {
    std::vector<Run> merged;
    for (const Run& run : runs) {
        if (!merged.empty() && merged.back().match == run.match)
            merged.back().bytes.end = run.bytes.end;
        else
            merged.push_back(run);
    }
    return merged;
}

void cutAt(const NormalizedText& text, std::vector<Run> runs, Cut cut, std::vector<NormalizedText>& parts) {
    if (cut == Cut::MergedWithPrevious)
        runs = mergedWithPrevious(runs);
    else if (cut == Cut::MergedWithNext)
        runs = mergedWithNext(runs);
    else if (cut == Cut::Contiguous)
        runs = contiguous(runs);
    for (const Run& run : runs) {
        if (!run.bytes.empty() && !(cut == Cut::Removed && run.match))
            parts.push_back(text.part(run.bytes));
    }
}

void cutAt(const NormalizedText& text, const std::vector<ByteRange>& matches, Cut cut,
           std::vector<NormalizedText>& parts) {
    cutAt(text, runsOf(text.text, matches), cut, parts);
}

NormalizedText withPrefix(std::string_view prefix, const NormalizedText& text) {
    NormalizedText result;
    result.append(prefix, {text.origin.front().begin, text.origin.front().begin});
    result.text += text.text;
    result.origin.insert(result.origin.end(), text.origin.begin(), text.origin.end());
    return result;
}

Cut readCut(const JsonPart& part, const char* key, Cut otherwise) {
    if (!part.has(key))
        return otherwise;
    constexpr std::array<std::pair<std::string_view, Cut>, 5> names{{{"Removed", Cut::Removed},
                                                                     {"Isolated", Cut::Isolated},
                                                                     {"MergedWithPrevious", Cut::MergedWithPrevious},
                                                                     {"MergedWithNext", Cut::MergedWithNext},
                                                                     {"Contiguous", Cut::Contiguous}}};
    const std::string name = part.at(key).text();
    const auto known = std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.first == name; });
    if (known == names.end())
        part.at(key).failUnknown("the behavior '" + name + "' is not known");
    return known->second;
}

PreTokenizationStep readBert(const JsonPart&) {
    return [](const NormalizedText& text, std::vector<NormalizedText>& parts) {
        std::vector<NormalizedText> words;
        cutAt(text, charactersThat(text.text, isSpace), Cut::Removed, words);
        for (const NormalizedText& word : words)
            cutAt(word, charactersThat(word.text, isPunctuation), Cut::Isolated, parts);
    };
}

PreTokenizationStep readByteLevel(const JsonPart& part) {
    // In this order: shortened words of English; letters, digits and signs, each with one space before them; spaces
    // but for the last one where a word follows, which that word takes.
    constexpr std::string_view words = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
    const bool addPrefixSpace = part.flag("add_prefix_space", true);
    const bool cutWords = part.flag("use_regex", true);
    return [addPrefixSpace, cutWords,
            pattern = Pattern::regex(words, part.place())](NormalizedText text, std::vector<NormalizedText>& parts) {
        if (addPrefixSpace && !text.text.starts_with(' '))
            text = withPrefix(" ", text);
        std::vector<NormalizedText> cut;
        if (cutWords)
            cutAt(text, pattern.matches(text.text), Cut::Isolated, cut);
        else
            cut.push_back(std::move(text));
        for (const NormalizedText& word : cut)
            parts.push_back(bytesAsLetters(word));
    };
}

PreTokenizationStep readWhitespace(const JsonPart& part) {
    return [pattern = Pattern::regex(R"(\w+|[^\w\s]+)", part.place())](const NormalizedText& text,
                                                                       std::vector<NormalizedText>& parts) {
        for (const ByteRange& match : pattern.matches(text.text))
            parts.push_back(text.part(match));
    };
}

PreTokenizationStep readWhitespaceSplit(const JsonPart&) {
    return [](const NormalizedText& text, std::vector<NormalizedText>& parts) {
        cutAt(text, charactersThat(text.text, isSpace), Cut::Removed, parts);
    };
}

PreTokenizationStep readMetaspace(const JsonPart& part) {
    enum class Prepend { Always, First, Never };
    const std::string mark = part.text("replacement", spaceMark);
    if (mark.empty() || characterLength(mark) != mark.size())
        part.at("replacement").fail("is not one character");
    Prepend prepend = part.flag("add_prefix_space", true) ? Prepend::Always : Prepend::Never;
    if (part.has("prepend_scheme")) {
        const std::string scheme = part.at("prepend_scheme").text();
        if (scheme != "always" && scheme != "first" && scheme != "never")
            part.at("prepend_scheme").failUnknown("the scheme '" + scheme + "' is not known");
        prepend = scheme == "always" ? Prepend::Always : scheme == "first" ? Prepend::First : Prepend::Never;
    }
    const bool cut = part.flag("split", true);
    return [mark, prepend, cut](const NormalizedText& typed, std::vector<NormalizedText>& parts) {
        NormalizedText text;
        for (std::size_t i = 0; i < typed.text.size(); ++i)
            text.append(typed.text[i] == ' ' ? mark : std::string_view(typed.text).substr(i, 1), typed.origin[i]);
        const bool first = text.origin.front().begin == 0; // of all that was typed
        if ((prepend == Prepend::Always || (prepend == Prepend::First && first)) && !text.text.starts_with(mark))
            text = withPrefix(mark, text);
        if (!cut) {
            parts.push_back(std::move(text));
            return;
        }
        std::vector<ByteRange> marks;
        for (auto at = text.text.find(mark); at != std::string::npos; at = text.text.find(mark, at + mark.size()))
            marks.push_back({at, at + mark.size()});
        cutAt(text, marks, Cut::MergedWithNext, parts);
    };
}

PreTokenizationStep readSplit(const JsonPart& part) {
    const Cut cut = readCut(part, "behavior", Cut::Isolated);
    const bool invert = part.flag("invert", false);
    return [pattern = Pattern::read(part.at("pattern")), cut, invert](const NormalizedText& text,
                                                                      std::vector<NormalizedText>& parts) {
        std::vector<Run> runs = runsOf(text.text, pattern.matches(text.text));
        if (invert) {
            for (Run& run : runs)
                run.match = !run.match;
        }
        cutAt(text, std::move(runs), cut, parts);
    };
}

PreTokenizationStep readPunctuation(const JsonPart& part) {
    return [cut = readCut(part, "behavior", Cut::Isolated)](const NormalizedText& text,
                                                            std::vector<NormalizedText>& parts) {
        cutAt(text, charactersThat(text.text, isPunctuation), cut, parts);
    };
}

PreTokenizationStep readDigits(const JsonPart& part) {
    const Cut cut = part.flag("individual_digits", false) ? Cut::Isolated : Cut::Contiguous;
    return [cut](const NormalizedText& text, std::vector<NormalizedText>& parts) {
        cutAt(text, charactersThat(text.text, isNumber), cut, parts);
    };
}

PreTokenizationStep readDelimiter(const JsonPart& part) {
    const JsonPart delimiter = part.at("delimiter");
    const std::string letter = delimiter.text();
    if (letter.empty() || characterLength(letter) != letter.size())
        delimiter.fail("is not one character");
    return [code = firstCharacter(letter).code](const NormalizedText& text, std::vector<NormalizedText>& parts) {
        cutAt(text, charactersThat(text.text, [code](char32_t other) { return other == code; }), Cut::Removed, parts);
    };
}

PreTokenizationStep readSequence(const JsonPart& part) {
    std::vector<PreTokenizationStep> steps;
    for (const JsonPart& element : part.at("pretokenizers").elements())
        steps.push_back(readPreTokenizer(element));
    return [steps](NormalizedText text, std::vector<NormalizedText>& parts) {
        std::vector<NormalizedText> now;
        now.push_back(std::move(text));
        for (const PreTokenizationStep& step : steps) {
            std::vector<NormalizedText> next;
            for (NormalizedText& piece : now)
                step(std::move(piece), next);
            now = std::move(next);
            std::size_t bytes = 0;
            for (const NormalizedText& piece : now)
                bytes += piece.text.size();
            checkNormalized(bytes);
        }
        std::move(now.begin(), now.end(), std::back_inserter(parts));
    };
}

struct Known {
    std::string_view type;
    PreTokenizationStep (*read)(const JsonPart& part);
};
constexpr std::array knownPreTokenizers{
    Known{"BertPreTokenizer", readBert},        Known{"ByteLevel", readByteLevel},
    Known{"Whitespace", readWhitespace},        Known{"WhitespaceSplit", readWhitespaceSplit},
    Known{"Metaspace", readMetaspace},          Known{"Split", readSplit},
    Known{"Punctuation", readPunctuation},      Known{"Digits", readDigits},
    Known{"CharDelimiterSplit", readDelimiter}, Known{"Sequence", readSequence},
};

} // namespace

PreTokenizationStep readPreTokenizer(const JsonPart& part) {
    const std::string type = part.at("type").text();
    const auto known = std::find_if(knownPreTokenizers.begin(), knownPreTokenizers.end(),
                                    [&](const Known& entry) { return entry.type == type; });
    if (known == knownPreTokenizers.end())
        part.failUnknown("the pre-tokenizer '" + type + "' is not known");
    return known->read(part);
}

} // namespace headlight
