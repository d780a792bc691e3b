// One function for each decoder of HuggingFace's tokenizers library, and the table that names them.
#include "core/text/decoders.h"

#include "core/text/characters.h"
#include "core/text/normalize.h"
#include "core/text/pattern.h"
#include "core/text/sentencepiece.h"
#include "core/text/vocabulary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

namespace headlight {

namespace {

using Pieces = std::vector<std::string>;

void replaceAll(std::string& text, std::string_view from, std::string_view to) {
    std::string result;
    std::size_t done = 0;
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, done)) {
        result.append(text, done, at - done).append(to);
        done = at + from.size();
    }
    text = result.append(text, done);
}

std::string joined(const Pieces& pieces) {
    std::string text;
    for (const std::string& piece : pieces)
        text += piece;
    return text;
}

DecodingStep readByteLevel(const JsonPart&) {
    return [](const Pieces& pieces) {
        std::string bytes;
        for (const std::string& piece : pieces)
            bytes += bytesOfLetters(piece).value_or(piece); // one with other letters stays as it is
        return Pieces{withReplacementCharacters(bytes)};
    };
}

DecodingStep readWordPiece(const JsonPart& part) {
    const std::string prefix = part.text("prefix", "##");
    const bool cleanUp = part.flag("cleanup", true);
    return [prefix, cleanUp](const Pieces& pieces) {
        std::string text;
        for (const std::string& piece : pieces) {
            if (&piece != &pieces.front() && !piece.starts_with(prefix))
                text += ' ';
            text += &piece != &pieces.front() && piece.starts_with(prefix) ? piece.substr(prefix.size()) : piece;
        }
        if (cleanUp) { // as transformers does it, in this order; good for English
            constexpr std::array<std::pair<std::string_view, std::string_view>, 10> spaces{{{" .", "."},
                                                                                            {" ?", "?"},
                                                                                            {" !", "!"},
                                                                                            {" ,", ","},
                                                                                            {" ' ", "'"},
                                                                                            {" n't", "n't"},
                                                                                            {" 'm", "'m"},
                                                                                            {" 's", "'s"},
                                                                                            {" 've", "'ve"},
                                                                                            {" 're", "'re"}}};
            for (const auto& [from, to] : spaces)
                replaceAll(text, from, to);
        }
        return Pieces{text};
    };
}

DecodingStep readMetaspace(const JsonPart& part) {
    const std::string mark = part.text("replacement", spaceMark);
    if (mark.empty() || characterLength(mark) != mark.size())
        part.at("replacement").fail("is not one character");
    const bool prepended =
        part.has("prepend_scheme") ? part.at("prepend_scheme").text() != "never" : part.flag("add_prefix_space", true);
    return [mark, prepended](Pieces pieces) {
        for (std::string& piece : pieces) {
            if (prepended && &piece == &pieces.front() && piece.starts_with(mark))
                piece.erase(0, mark.size());
            replaceAll(piece, mark, " ");
        }
        return pieces;
    };
}

DecodingStep readBytePairs(const JsonPart& part) {
    const std::string suffix = part.text("suffix", "</w>");
    return [suffix](Pieces pieces) {
        for (std::string& piece : pieces) {
            if (!suffix.empty())
                replaceAll(piece, suffix, &piece == &pieces.back() ? "" : " ");
        }
        return pieces;
    };
}

DecodingStep readReplace(const JsonPart& part) {
    return [pattern = Pattern::read(part.at("pattern")), content = part.at("content").text()](Pieces pieces) {
        for (std::string& piece : pieces) {
            std::string result;
            std::size_t done = 0;
            for (const ByteRange& match : pattern.matches(piece)) {
                result.append(piece, done, match.begin - done).append(content);
                checkNormalized(result.size());
                done = match.end;
            }
            piece = result.append(piece, done);
        }
        return pieces;
    };
}

DecodingStep readByteFallback(const JsonPart&) {
    return [](const Pieces& pieces) {
        Pieces result;
        bool afterByte = false;
        for (const std::string& piece : pieces) {
            const auto byte = byteOfPiece(piece);
            if (!byte)
                result.push_back(piece);
            else if (afterByte)
                result.back() += static_cast<char>(*byte);
            else
                result.emplace_back(1, static_cast<char>(*byte));
            afterByte = byte.has_value();
        }
        for (std::string& piece : result)
            piece = withReplacementCharacters(piece);
        return result;
    };
}

DecodingStep readFuse(const JsonPart&) {
    return [](const Pieces& pieces) { return Pieces{joined(pieces)}; };
}

DecodingStep readStrip(const JsonPart& part) {
    const std::string content = part.text("content", " ");
    if (content.empty())
        part.at("content").fail("is empty");
    const auto count = [&](const char* key) { return part.has(key) ? idIn(part.at(key)) : 0; };
    return [content, start = count("start"), stop = count("stop")](Pieces pieces) {
        for (std::string& piece : pieces) {
            for (std::int64_t i = 0; i < start && piece.starts_with(content); ++i)
                piece.erase(0, content.size());
            for (std::int64_t i = 0; i < stop && piece.ends_with(content); ++i)
                piece.resize(piece.size() - content.size());
        }
        return pieces;
    };
}

DecodingStep readSequence(const JsonPart& part) {
    std::vector<DecodingStep> steps;
    for (const JsonPart& element : part.at("decoders").elements())
        steps.push_back(readDecoder(element));
    return [steps](Pieces pieces) {
        for (const DecodingStep& step : steps)
            pieces = step(std::move(pieces));
        return pieces;
    };
}

struct Known {
    std::string_view type;
    DecodingStep (*read)(const JsonPart& part);
};
constexpr std::array knownDecoders{
    Known{"ByteLevel", readByteLevel}, Known{"WordPiece", readWordPiece},
    Known{"Metaspace", readMetaspace}, Known{"BPEDecoder", readBytePairs},
    Known{"Replace", readReplace},     Known{"ByteFallback", readByteFallback},
    Known{"Fuse", readFuse},           Known{"Strip", readStrip},
    Known{"Sequence", readSequence},
};

} // namespace

DecodingStep readDecoder(const JsonPart& part) {
    const std::string type = part.at("type").text();
    const auto known = std::find_if(knownDecoders.begin(), knownDecoders.end(),
                                    [&](const Known& entry) { return entry.type == type; });
    if (known == knownDecoders.end())
        part.failUnknown("the decoder '" + type + "' is not known");
    return known->read(part);
}

DecodingStep spacesBetween() {
    return [](const Pieces& pieces) {
        std::string text;
        for (const std::string& piece : pieces)
            text += (&piece == &pieces.front() ? "" : " ") + piece;
        return Pieces{text};
    };
}

} // namespace headlight
