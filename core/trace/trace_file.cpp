// Writes a Trace as safetensors and JSON, and reads it again. A file comes from anywhere: what it says about itself is
// checked against its tensors before anyone indexes with it.
#include "core/trace/trace_file.h"
#include "core/door.h"
#include "core/error.h"
#include "core/files/json.h"
#include "core/files/safetensors.h"
#include "core/files/whole_file.h"
#include "core/trace/letters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace headlight {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr auto format = "headlight-trace";
constexpr int version = 1;
constexpr auto exportAgain = "export the trace again";
constexpr int mostSegments = 1 << 20;
constexpr int mostLayers = 1024, mostHeads = 1024, mostMaps = 1 << 16;
constexpr std::size_t mostTokens = 1 << 14; // whose map of one head takes a gigabyte
constexpr std::size_t longestLabel = 1024;  // bytes
constexpr std::uintmax_t largestDescription = 64U << 20;
constexpr double rowSumTolerance = 0.02; // of bfloat16 weights that were cut, not rounded

struct NamedBlock {
    BlockKind kind;
    const char* name;
};
constexpr std::array<NamedBlock, 3> blockNames{
    {{BlockKind::Encoder, "encoder"}, {BlockKind::Decoder, "decoder"}, {BlockKind::Cross, "cross"}}};

constexpr std::array<const char*, 4> positionKinds{"sinusoidal", "learned", "rotary", "relative"};

const char* nameOf(BlockKind kind) {
    return std::find_if(blockNames.begin(), blockNames.end(), [kind](const NamedBlock& b) { return b.kind == kind; })
        ->name;
}

// ---- writing ----

/// A text made valid, and where each of its bytes went: byte ranges must still name the same letters.
struct ValidText {
    std::string text;
    std::vector<std::size_t> offsets; ///< by the byte in the text as it was, one more than it has

    explicit ValidText(std::string_view given) {
        for (std::size_t at = 0; at < given.size();) {
            const auto length = characterLength(given.substr(at));
            const auto taken = std::max<std::size_t>(length, 1);
            for (std::size_t i = 0; i < taken; ++i)
                offsets.push_back(text.size() + i);
            text += length > 0 ? given.substr(at, length) : std::string_view("\ufffd");
            at += taken;
        }
        offsets.push_back(text.size());
    }
    std::size_t offset(std::size_t byte) const { return offsets[std::min(byte, offsets.size() - 1)]; }
};

/// Keeps a number out of the file that JSON has no word for.
ordered_json finiteOrNull(double number) {
    return std::isfinite(number) ? ordered_json(number) : ordered_json(nullptr);
}

ordered_json tokensJson(const std::vector<Token>& tokens, const ValidText& first, const ValidText& second) {
    auto list = ordered_json::array();
    for (const auto& token : tokens) {
        const auto& text = token.segment == 0 ? first : second;
        list.push_back({{"id", token.id},
                        {"text", ValidText(token.text).text},
                        {"letters", ValidText(token.letters).text},
                        {"bytes", {text.offset(token.bytes.begin), text.offset(token.bytes.end)}},
                        {"word", token.word},
                        {"special", token.special},
                        {"segment", token.segment}});
    }
    return list;
}

ordered_json candidatesJson(const std::vector<Candidate>& candidates) {
    auto list = ordered_json::array();
    for (const auto& candidate : candidates)
        list.push_back({{"id", candidate.id},
                        {"text", ValidText(candidate.text).text},
                        {"letters", ValidText(candidate.letters).text},
                        {"probability", finiteOrNull(static_cast<double>(candidate.probability))}});
    return list;
}

ordered_json interventionJson(const Intervention& intervention) {
    auto off = ordered_json::array(), forced = ordered_json::array();
    for (const auto& head : intervention.off)
        off.push_back({{"kind", nameOf(head.kind)}, {"layer", head.layer.value}, {"head", head.head.value}});
    for (const auto& step : intervention.forced)
        forced.push_back({{"query", step.query.value}, {"key", step.key.value}});
    return {{"off", std::move(off)}, {"forced", std::move(forced)}};
}

ordered_json beamJson(const std::vector<BeamNode>& beam) {
    auto list = ordered_json::array();
    for (const auto& node : beam)
        list.push_back({{"parent", node.parent},
                        {"step", node.step},
                        {"token", candidatesJson({node.token}).front()},
                        {"log_probability", finiteOrNull(node.logProbability)},
                        {"finished", node.finished},
                        {"chosen", node.chosen}});
    return list;
}

ordered_json kindJson(const std::optional<PositionTable>& table) {
    return table ? ordered_json(positionKinds[static_cast<std::size_t>(table->kind)]) : ordered_json(nullptr);
}

std::string dump(const ordered_json& value, int indent) {
    return value.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

std::string tokenTexts(const Trace& trace) {
    const auto texts = [](const std::vector<Token>& tokens) {
        auto list = ordered_json::array();
        for (const auto& token : tokens)
            list.push_back(ValidText(token.text).text);
        return list;
    };
    return dump({{"source", texts(trace.source)}, {"target", texts(trace.target)}, {"emitted", texts(trace.emitted)}},
                -1);
}

// ---- reading ----

/// Checks the members of one JSON text as it hands them out.
class JsonReader {
public:
    /// @param place file and entry, for messages
    explicit JsonReader(std::string place) : m_place(std::move(place)) {}

    json parse(const std::string& text) const { return parseJson(text, m_place, {.remedy = exportAgain}); }
    const json& member(const json& object, const char* name) const {
        if (!object.is_object() || !object.contains(name))
            corrupt("has no '" + std::string(name) + "' where one must be");
        return object[name];
    }
    const json& list(const json& object, const char* name) const {
        const auto& value = member(object, name);
        if (!value.is_array())
            wrong(name, "list", value);
        return value;
    }
    std::string text(const json& object, const char* name) const {
        const auto& value = member(object, name);
        if (!value.is_string())
            wrong(name, "text", value);
        return value.get<std::string>();
    }
    bool boolean(const json& object, const char* name) const {
        const auto& value = member(object, name);
        if (!value.is_boolean())
            wrong(name, "true or false", value);
        return value.get<bool>();
    }
    /// Null is how a number that is not finite was written.
    double number(const json& object, const char* name) const {
        const auto& value = member(object, name);
        if (value.is_null())
            return std::numeric_limits<double>::quiet_NaN();
        if (!value.is_number())
            wrong(name, "number", value);
        return value.get<double>();
    }
    std::int64_t integer(const json& object, const char* name) const { return integer(member(object, name), name, {}); }

    struct Limits {
        std::int64_t least = std::numeric_limits<std::int64_t>::min();
        std::int64_t most = std::numeric_limits<std::int64_t>::max();
    };
    std::int64_t integer(const json& value, const char* name, Limits limits) const {
        if (!value.is_number_integer())
            wrong(name, "whole number", value);
        const bool huge = value.is_number_unsigned()
                          && value.get<std::uint64_t>() > std::uint64_t(std::numeric_limits<std::int64_t>::max());
        if (huge || value.get<std::int64_t>() < limits.least || value.get<std::int64_t>() > limits.most)
            wrong(name, "number in its range", value);
        return value.get<std::int64_t>();
    }

    [[noreturn]] void corrupt(const std::string& detail) const {
        throw Error(Error::Kind::Corrupt, m_place, detail, exportAgain);
    }

private:
    [[noreturn]] void wrong(const char* name, const char* expected, const json& value) const {
        constexpr std::size_t longest = 60;
        auto found = value.is_structured() ? std::string(value.type_name()) : value.dump();
        if (found.size() > longest)
            found = "a long " + std::string(value.type_name());
        corrupt("has '" + std::string(name) + "' that is not a " + expected + ": " + found);
    }

    std::string m_place;
};

/// Files of before there were letters have texts alone.
std::string readLetters(const JsonReader& reader, const json& entry) {
    return reader.text(entry, entry.contains("letters") ? "letters" : "text");
}

/// Files of before there were models of two texts say nothing of segments, second texts, prompts and labels.
std::vector<Token> readTokens(const JsonReader& reader, const json& list, const std::string& first,
                              const std::string& second) {
    std::vector<Token> tokens;
    for (const auto& entry : list) {
        Token token;
        if (entry.is_object() && entry.contains("segment"))
            token.segment = static_cast<int>(reader.integer(entry["segment"], "segment", {0, mostSegments}));
        const auto size = static_cast<std::int64_t>((token.segment == 0 ? first : second).size());
        token.id = reader.integer(entry, "id");
        token.text = reader.text(entry, "text");
        token.letters = readLetters(reader, entry);
        const auto& bytes = reader.list(entry, "bytes");
        if (bytes.size() != 2)
            reader.corrupt("has a token with " + std::to_string(bytes.size()) + " 'bytes' instead of 2");
        const auto begin = reader.integer(bytes[0], "bytes", {0, size});
        token.bytes.begin = static_cast<std::size_t>(begin);
        token.bytes.end = static_cast<std::size_t>(reader.integer(bytes[1], "bytes", {begin, size}));
        token.word = static_cast<int>(
            reader.integer(reader.member(entry, "word"), "word", {-1, std::numeric_limits<int>::max()}));
        token.special = reader.boolean(entry, "special");
        tokens.push_back(std::move(token));
    }
    return tokens;
}

std::vector<Candidate> readCandidates(const JsonReader& reader, const json& list) {
    std::vector<Candidate> candidates;
    for (const auto& candidate : list)
        candidates.push_back({reader.integer(candidate, "id"), reader.text(candidate, "text"),
                              static_cast<float>(reader.number(candidate, "probability")),
                              readLetters(reader, candidate)});
    return candidates;
}

Intervention readIntervention(const JsonReader& reader, const json& object) {
    constexpr int most = 1 << 20; // more layers, heads or tokens than any run has
    const auto count = [&](const json& entry, const char* name) {
        return static_cast<int>(reader.integer(reader.member(entry, name), name, {0, most}));
    };
    Intervention intervention;
    for (const auto& entry : reader.list(object, "off")) {
        const auto kind = reader.text(entry, "kind");
        const auto* named = std::find_if(blockNames.begin(), blockNames.end(),
                                         [&](const NamedBlock& block) { return kind == block.name; });
        if (named == blockNames.end())
            reader.corrupt("switches off heads of an unknown kind");
        intervention.off.push_back({named->kind, Layer(count(entry, "layer")), Head(count(entry, "head"))});
    }
    for (const auto& entry : reader.list(object, "forced"))
        intervention.forced.push_back({Query(count(entry, "query")), Key(count(entry, "key"))});
    return intervention;
}

std::vector<BeamNode> readBeam(const JsonReader& reader, const json& list) {
    std::vector<BeamNode> beam;
    for (const auto& entry : list) {
        const auto before = static_cast<std::int64_t>(beam.size()) - 1;
        BeamNode node;
        node.parent = static_cast<int>(reader.integer(reader.member(entry, "parent"), "parent", {-1, before}));
        node.step = static_cast<int>(reader.integer(reader.member(entry, "step"), "step", {0, 1 << 20}));
        node.token = readCandidates(reader, json::array({reader.member(entry, "token")})).front();
        node.logProbability = reader.number(entry, "log_probability");
        node.finished = reader.boolean(entry, "finished");
        node.chosen = reader.boolean(entry, "chosen");
        beam.push_back(std::move(node));
    }
    return beam;
}

/// Everything but the tensors, from the text that traceJson made.
Trace readDescription(const std::string& text, const std::string& place) {
    const JsonReader reader(place + ", metadata 'trace'");
    const auto root = reader.parse(text);
    if (reader.text(root, "format") != format)
        reader.corrupt("is not the description of a trace");
    if (const auto found = reader.integer(root, "version"); found != version)
        throw Error(Error::Kind::Unsupported, place, "has version " + std::to_string(found) + " of the trace format",
                    "open it with a newer Headlight");
    Trace trace;
    trace.model = reader.text(root, "model");
    trace.family = reader.text(root, "family");
    trace.sourceText = reader.text(root, "source_text");
    trace.targetText = reader.text(root, "target_text");
    trace.targetForced = reader.boolean(root, "target_forced");
    if (root.contains("window") && !root["window"].is_null()) {
        const auto count = [&](const char* name) {
            return static_cast<int>(reader.integer(reader.member(root["window"], name), name, {0, 1 << 30}));
        };
        trace.window = Window{count("begin"), count("length"), count("total")};
    }
    if (root.contains("second_text"))
        trace.secondText = reader.text(root, "second_text");
    trace.source = readTokens(reader, reader.list(root, "source"), trace.sourceText, trace.secondText);
    trace.target = readTokens(reader, reader.list(root, "target"), trace.targetText, trace.targetText);
    trace.emitted = readTokens(reader, reader.list(root, "emitted"), trace.targetText, trace.targetText);
    if (root.contains("prompt"))
        trace.prompt = static_cast<int>(
            reader.integer(root["prompt"], "prompt", {0, static_cast<std::int64_t>(trace.target.size())}));
    if (root.contains("labels"))
        trace.labels = readCandidates(reader, reader.list(root, "labels"));
    if (root.contains("intervention"))
        trace.intervention = readIntervention(reader, root["intervention"]);
    if (root.contains("beam"))
        trace.beam = readBeam(reader, reader.list(root, "beam"));
    const auto rows = static_cast<std::int64_t>((trace.target.empty() ? trace.source : trace.target).size());
    for (const auto& entry : reader.list(root, "predictions")) {
        Prediction prediction;
        prediction.position =
            static_cast<int>(reader.integer(reader.member(entry, "position"), "position", {0, rows - 1}));
        prediction.candidates = readCandidates(reader, reader.list(entry, "candidates"));
        if (entry.contains("asked"))
            prediction.asked = readCandidates(reader, reader.list(entry, "asked"));
        trace.predictions.push_back(std::move(prediction));
    }
    const auto readKind = [&](const char* name, std::optional<PositionTable>& table) {
        if (!root.contains(name) || root[name].is_null())
            return;
        const auto found = std::find(positionKinds.begin(), positionKinds.end(), reader.text(root, name));
        if (found == positionKinds.end())
            reader.corrupt("has '" + std::string(name) + "' of an unknown kind");
        table.emplace().kind = static_cast<PositionTable::Kind>(found - positionKinds.begin());
    };
    // Files of before stacks had tables of their own have that of the first stack.
    readKind("positions", trace.source.empty() ? trace.decoderPositions : trace.encoderPositions);
    readKind("encoder_positions", trace.encoderPositions);
    readKind("decoder_positions", trace.decoderPositions);
    const auto& milliseconds = reader.member(root, "milliseconds");
    trace.timings = {.tokenize = reader.number(milliseconds, "tokenize"),
                     .model = reader.number(milliseconds, "model")};
    for (const auto& notice : reader.list(root, "notices")) {
        if (!notice.is_string())
            reader.corrupt("has a notice that is not a text");
        trace.notices.push_back(notice.get<std::string>());
    }
    return trace;
}

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
        token.text = token.letters = piece;
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
            token.letters = begins ? " " : "";
            token.letters += readableBytes(letters);
        }
        tokens.push_back(std::move(token));
    }
    return tokens;
}

std::vector<std::string> readTexts(const JsonReader& reader, const json& list) {
    std::vector<std::string> texts;
    for (const auto& text : list) {
        if (!text.is_string())
            reader.corrupt("has a token that is not a text");
        texts.push_back(text.get<std::string>());
    }
    return texts;
}

/// A Trace of which only the tokens are known, in a file that others made.
Trace describeFromTokens(const SafetensorsFile& file) {
    const auto entry = file.metadata().find("tokens");
    if (entry == file.metadata().end())
        throw Error(Error::Kind::Unsupported, file.place(), "has no metadata entry 'tokens', so its rows have no names",
                    R"(save it with metadata {"tokens": json.dumps({"source": [...], "target": [...]})})");
    const JsonReader reader(file.place() + ", metadata 'tokens'");
    const auto root = reader.parse(entry->second);
    const bool hasSource = file.find("encoder") || file.find("cross");
    const bool hasTarget = file.find("decoder") || file.find("cross");
    if (!hasSource && !hasTarget)
        throw Error(Error::Kind::Unsupported, file.place(), "has no tensor 'encoder', 'decoder' or 'cross'",
                    "name the attention tensors so, each [layers, heads, queries, keys]");
    Trace trace;
    trace.model = std::filesystem::path(file.place()).stem().string();
    if (root.is_array()) {
        if (hasSource && hasTarget)
            reader.corrupt("is one list, but the tensors are of two texts");
        auto& tokens = hasSource ? trace.source : trace.target;
        tokens = tokensFromTexts(readTexts(reader, root), hasSource ? trace.sourceText : trace.targetText);
    } else {
        if (hasSource)
            trace.source = tokensFromTexts(readTexts(reader, reader.list(root, "source")), trace.sourceText);
        if (hasTarget)
            trace.target = tokensFromTexts(readTexts(reader, reader.list(root, "target")), trace.targetText);
        if (hasTarget && root.contains("emitted")) {
            trace.targetText.clear();
            trace.emitted = tokensFromTexts(readTexts(reader, reader.list(root, "emitted")), trace.targetText);
            for (auto& token : trace.target)
                token.bytes = {};
        }
    }
    if (trace.emitted.empty())
        trace.emitted = trace.target;
    trace.targetForced = hasTarget;
    return trace;
}

/// Takes tensors out of a file, each with the shape that it must have.
class TensorReader {
public:
    explicit TensorReader(const SafetensorsFile& file) : m_file(file) {}

    bool has(const std::string& name) const { return m_file.find(name) != nullptr; }

    /// Extents of the tensor, of which there must be as many as asked for, none of them 0.
    std::vector<int> shape(const std::string& name, std::size_t dimensions) const {
        const auto& tensor = find(name);
        if (tensor.shape.size() != dimensions)
            mismatch(name, "has the shape " + shapeText(tensor.shape) + " instead of " + std::to_string(dimensions)
                               + " dimensions");
        std::vector<int> extents;
        for (const auto extent : tensor.shape) {
            if (extent < 1 || extent > std::numeric_limits<int>::max())
                mismatch(name, "has the shape " + shapeText(tensor.shape) + ", of which nothing can be shown");
            extents.push_back(static_cast<int>(extent));
        }
        return extents;
    }
    std::vector<float> floats(const std::string& name, const std::vector<int>& expected) const {
        const auto& tensor = find(name);
        if (!std::equal(expected.begin(), expected.end(), tensor.shape.begin(), tensor.shape.end()))
            mismatch(name, "has the shape " + shapeText(tensor.shape) + " instead of " + shapeText(expected));
        if (tensor.dtype != DType::F64 && tensor.dtype != DType::F32 && tensor.dtype != DType::F16
            && tensor.dtype != DType::BF16)
            throw Error(Error::Kind::Unsupported, place(name), "has the type " + std::string(dtypeName(tensor.dtype)),
                        "save it as float32");
        return toFloats(tensor);
    }
    [[noreturn]] void mismatch(const std::string& name, const std::string& detail) const {
        throw Error(Error::Kind::Mismatch, place(name), detail, exportAgain);
    }

    std::string place(const std::string& name) const { return m_file.place() + ", tensor '" + name + "'"; }

private:
    const TensorView& find(const std::string& name) const {
        const auto* tensor = m_file.find(name);
        if (!tensor)
            mismatch(name, "is missing, though others that belong to it are there");
        return *tensor;
    }
    template <class Number>
    static std::string shapeText(const std::vector<Number>& shape) {
        std::string text = "[";
        for (const auto extent : shape)
            text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
        return text + "]";
    }

    const SafetensorsFile& m_file;
};

AttentionBlock readBlock(const TensorReader& reader, const NamedBlock& named, const Trace& trace) {
    const std::string name = named.name;
    const auto shape = reader.shape(name, 4);
    AttentionBlock block;
    block.kind = named.kind;
    block.layers = shape[0];
    block.heads = shape[1];
    block.queries = shape[2];
    block.keys = shape[3];
    if (block.layers > mostLayers || block.heads > mostHeads || block.layers * block.heads > mostMaps)
        throw Error(Error::Kind::Unsupported, reader.place(name),
                    "has " + std::to_string(block.layers) + " layers of " + std::to_string(block.heads)
                        + " heads; no model has so many",
                    "save [layers, heads, queries, keys]");
    const auto fits = [&](const char* axis, int extent, const std::vector<Token>& tokens) {
        if (static_cast<std::size_t>(extent) != tokens.size())
            reader.mismatch(name, "has " + std::to_string(extent) + " " + axis + ", but the file names "
                                      + std::to_string(tokens.size()) + " tokens for them");
    };
    fits("queries", block.queries, trace.queryTokens(block.kind));
    fits("keys", block.keys, trace.keyTokens(block.kind));
    block.weights = reader.floats(name, shape);
    if (reader.has(name + ".scores"))
        block.scores = reader.floats(name + ".scores", shape);
    if (reader.has(name + ".queries") || reader.has(name + ".keys")) {
        block.headSize = reader.shape(name + ".queries", 4)[3];
        block.queryRows = reader.floats(name + ".queries", {block.layers, block.heads, block.queries, block.headSize});
        block.keyRows = reader.floats(name + ".keys", {block.layers, block.heads, block.keys, block.headSize});
        if (reader.has(name + ".values"))
            block.valueRows = reader.floats(name + ".values", {block.layers, block.heads, block.keys, block.headSize});
        if (reader.has(name + ".scales"))
            block.scales = reader.floats(name + ".scales", {block.layers});
    }
    return block;
}

std::optional<InputVectors> readInput(const TensorReader& reader, const std::string& stack, std::size_t tokens) {
    if (!reader.has(stack + ".input.sums"))
        return std::nullopt;
    const auto shape = reader.shape(stack + ".input.sums", 2);
    if (static_cast<std::size_t>(shape[0]) != tokens)
        reader.mismatch(stack + ".input.sums", "has " + std::to_string(shape[0]) + " rows, but the file names "
                                                   + std::to_string(tokens) + " tokens for them");
    InputVectors input{shape[0],
                       shape[1],
                       reader.floats(stack + ".input.tokens", shape),
                       {},
                       reader.floats(stack + ".input.sums", shape)};
    if (reader.has(stack + ".input.positions"))
        input.positions = reader.floats(stack + ".input.positions", shape);
    return input;
}

/// @param first the stack's is the only table in files of before stacks had tables of their own
void readPositions(const TensorReader& reader, const std::string& name, bool first,
                   std::optional<PositionTable>& table) {
    const auto found = first && !reader.has(name) ? std::string("positions") : name;
    if (!reader.has(found))
        return table.reset();
    auto& positions = table ? *table : table.emplace();
    const auto shape = reader.shape(found, 2);
    positions.positions = shape[0];
    positions.dimensions = shape[1];
    positions.values = reader.floats(found, shape);
}

/// One line of the picture: a text that is not endless, of characters that every format has.
void makeLabel(std::string& text) {
    constexpr std::string_view replacement = "\ufffd";
    for (const std::string_view noCharacter : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) // U+FFFE and U+FFFF
        for (auto at = text.find(noCharacter); at != std::string::npos; at = text.find(noCharacter, at))
            text.replace(at, noCharacter.size(), replacement);
    if (text.size() <= longestLabel)
        return;
    auto end = longestLabel;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) // not within a character
        --end;
    text.resize(end);
    text += "\u2026";
}

void makeLabels(Trace& trace) {
    for (auto* tokens : {&trace.source, &trace.target, &trace.emitted})
        for (auto& token : *tokens)
            for (auto* text : {&token.text, &token.letters})
                makeLabel(*text);
    const auto ofCandidates = [](std::vector<Candidate>& candidates) {
        for (auto& candidate : candidates)
            for (auto* text : {&candidate.text, &candidate.letters})
                makeLabel(*text);
    };
    for (auto& prediction : trace.predictions)
        for (auto* candidates : {&prediction.candidates, &prediction.asked})
            ofCandidates(*candidates);
    ofCandidates(trace.labels);
    for (auto& node : trace.beam)
        for (auto* text : {&node.token.text, &node.token.letters})
            makeLabel(*text);
    for (auto* text : {&trace.model, &trace.family})
        makeLabel(*text);
    for (auto& notice : trace.notices)
        makeLabel(notice);
}

void checkCounts(const Trace& trace, const SafetensorsFile& file) {
    for (const auto* tokens : {&trace.source, &trace.target, &trace.emitted})
        if (tokens->size() > mostTokens)
            throw Error(Error::Kind::Unsupported, file.place(),
                        "names " + std::to_string(tokens->size()) + " tokens; at most " + std::to_string(mostTokens)
                            + " can be shown",
                        "export a shorter text");
}

/// What of trace.json does not fit the file that it lies beside; empty when all does, or it is not there.
std::string noticeOfDescription(const std::filesystem::path& path, const SafetensorsFile& file) {
    const auto beside = path.parent_path() / "trace.json";
    const auto description = file.metadata().find("trace");
    std::error_code ignored;
    if (path.filename() != "trace.safetensors" || description == file.metadata().end()
        || !std::filesystem::is_regular_file(beside, ignored))
        return {};
    try {
        if (readWholeFile(beside, largestDescription) == description->second)
            return {};
    } catch (const Error& error) {
        return error.what();
    }
    const bool older =
        std::filesystem::last_write_time(beside, ignored) < std::filesystem::last_write_time(path, ignored);
    return std::string("trace.json beside this file is of another run, and ") + (older ? "older" : "newer")
           + ": what is shown is this file's";
}

/// A word of warning on rows that are no distributions; empty when all are.
std::string rowNotice(const char* name, const AttentionBlock& block) {
    std::size_t wrong = 0;
    const auto rows = block.weights.size() / static_cast<std::size_t>(block.keys);
    for (std::size_t row = 0; row < rows; ++row) {
        double sum = 0;
        for (std::size_t key = 0; key < static_cast<std::size_t>(block.keys); ++key)
            sum += static_cast<double>(block.weights[row * static_cast<std::size_t>(block.keys) + key]);
        if (!(std::abs(sum - 1) <= rowSumTolerance))
            ++wrong;
    }
    if (wrong == 0)
        return {};
    return std::string(name) + ": " + std::to_string(wrong) + " of " + std::to_string(rows) + " rows do not sum to 1";
}

} // namespace

std::string traceJson(const Trace& trace) {
    const ValidText sourceText(trace.sourceText);
    const ValidText secondText(trace.secondText);
    const ValidText targetText(trace.targetText);
    auto predictions = ordered_json::array();
    for (const auto& prediction : trace.predictions)
        predictions.push_back({{"position", prediction.position},
                               {"candidates", candidatesJson(prediction.candidates)},
                               {"asked", candidatesJson(prediction.asked)}});
    auto notices = ordered_json::array();
    for (const auto& notice : trace.notices)
        notices.push_back(ValidText(notice).text);
    return dump({{"format", format},
                 {"version", version},
                 {"model", ValidText(trace.model).text},
                 {"family", ValidText(trace.family).text},
                 {"source_text", sourceText.text},
                 {"second_text", secondText.text},
                 {"target_text", targetText.text},
                 {"target_forced", trace.targetForced},
                 {"window", trace.window ? ordered_json{{"begin", trace.window->begin},
                                                        {"length", trace.window->length},
                                                        {"total", trace.window->total}}
                                         : ordered_json(nullptr)},
                 {"source", tokensJson(trace.source, sourceText, secondText)},
                 {"target", tokensJson(trace.target, targetText, targetText)},
                 {"prompt", trace.prompt},
                 {"emitted", tokensJson(trace.emitted, targetText, targetText)},
                 {"predictions", std::move(predictions)},
                 {"labels", candidatesJson(trace.labels)},
                 {"intervention", interventionJson(trace.intervention)},
                 {"beam", beamJson(trace.beam)},
                 {"encoder_positions", kindJson(trace.encoderPositions)},
                 {"decoder_positions", kindJson(trace.decoderPositions)},
                 {"milliseconds",
                  {{"tokenize", finiteOrNull(trace.timings.tokenize)}, {"model", finiteOrNull(trace.timings.model)}}},
                 {"notices", std::move(notices)}},
                1)
           + "\n";
}

std::vector<std::byte> serializeTrace(const Trace& trace) {
    std::vector<TensorView> tensors;
    const auto add = [&](const std::string& name, const std::vector<float>& values, std::vector<std::int64_t> shape) {
        if (!values.empty())
            tensors.push_back({name, DType::F32, std::move(shape), std::as_bytes(std::span(values))});
    };
    for (const auto& [kind, blockName] : blockNames) {
        const auto* block = trace.block(kind);
        if (!block)
            continue;
        const std::string name = blockName;
        add(name, block->weights, {block->layers, block->heads, block->queries, block->keys});
        add(name + ".scores", block->scores, {block->layers, block->heads, block->queries, block->keys});
        add(name + ".queries", block->queryRows, {block->layers, block->heads, block->queries, block->headSize});
        add(name + ".keys", block->keyRows, {block->layers, block->heads, block->keys, block->headSize});
        add(name + ".values", block->valueRows, {block->layers, block->heads, block->keys, block->headSize});
        add(name + ".scales", block->scales, {block->layers});
    }
    if (const auto& additive = trace.additive) {
        add("additive.queries", additive->queryPart, {additive->queries, additive->size});
        add("additive.keys", additive->keyPart, {additive->keys, additive->size});
        add("additive.v", additive->v, {additive->size});
        add("additive.energies", additive->energies, {additive->queries, additive->keys});
        if (additive->annotationSize > 0)
            add("additive.annotations", additive->annotations, {additive->keys, additive->annotationSize});
    }
    for (const auto& [kind, stack] : {std::pair(BlockKind::Encoder, "encoder"), {BlockKind::Decoder, "decoder"}}) {
        if (const auto* table = trace.positions(kind))
            add(std::string(stack) + ".positions", table->values, {table->positions, table->dimensions});
        const auto* input = trace.input(kind);
        if (!input)
            continue;
        const std::string name = std::string(stack) + ".input.";
        add(name + "tokens", input->tokens, {input->rows, input->dimensions});
        add(name + "positions", input->positions, {input->rows, input->dimensions});
        add(name + "sums", input->sums, {input->rows, input->dimensions});
    }
    add("context", trace.fixedContext, {static_cast<std::int64_t>(trace.fixedContext.size())});
    if (const auto& logits = trace.logits)
        add("logits", logits->values, {logits->rows, logits->vocabulary});
    return serializeSafetensors(tensors, {{"tokens", tokenTexts(trace)}, {"trace", traceJson(trace)}});
}

void writeTrace(const Trace& trace, const std::filesystem::path& folder) {
    makeFolders(folder);
    const auto tensors = serializeTrace(trace);
    const auto description = traceJson(trace);
    const std::array<FileToWrite, 2> files{
        {{folder / "trace.safetensors", tensors}, {folder / "trace.json", std::as_bytes(std::span(description))}}};
    writeFilesAtomically(files);
}

bool isTraceFile(const std::filesystem::path& path) {
    std::error_code ignored; // a file that cannot be looked at is opened as what it seems, and that says why
    if (path.extension() != ".safetensors" || !std::filesystem::is_regular_file(path, ignored))
        return false;
    if (!std::filesystem::exists(path.parent_path() / "config.json", ignored))
        return true;
    try {
        const auto file = SafetensorsFile::open(path);
        return file.metadata().contains("trace") || file.metadata().contains("tokens");
    } catch (const Error&) { // whoever opens it as what it is will say why
        return false;
    }
}

Trace readTrace(const std::filesystem::path& path) {
    return atDoor(path.string(), [&] {
        const auto file = SafetensorsFile::open(path);
        auto trace = readTrace(file);
        if (auto notice = noticeOfDescription(path, file); !notice.empty())
            trace.notices.push_back(std::move(notice));
        return trace;
    });
}

Trace readTrace(const SafetensorsFile& file) {
    const auto description = file.metadata().find("trace");
    auto trace = description == file.metadata().end() ? describeFromTokens(file)
                                                      : readDescription(description->second, file.place());
    checkCounts(trace, file);
    makeLabels(trace);
    const TensorReader reader(file);
    for (const auto& named : blockNames) {
        if (!reader.has(named.name))
            continue;
        auto block = readBlock(reader, named, trace);
        if (auto notice = rowNotice(named.name, block);
            !notice.empty() && std::find(trace.notices.begin(), trace.notices.end(), notice) == trace.notices.end())
            trace.notices.push_back(std::move(notice));
        auto& place = named.kind == BlockKind::Encoder   ? trace.encoder
                      : named.kind == BlockKind::Decoder ? trace.decoder
                                                         : trace.cross;
        place = std::move(block);
    }
    if (trace.emitted.size() != trace.target.size())
        throw Error(Error::Kind::Mismatch, file.place(),
                    "names " + std::to_string(trace.target.size()) + " target tokens, but "
                        + std::to_string(trace.emitted.size()) + " emitted ones",
                    exportAgain);
    if (reader.has("additive.energies")) {
        auto& additive = trace.additive.emplace();
        additive.queries = static_cast<int>(trace.target.size());
        additive.keys = static_cast<int>(trace.source.size());
        additive.size = reader.shape("additive.v", 1)[0];
        additive.queryPart = reader.floats("additive.queries", {additive.queries, additive.size});
        additive.keyPart = reader.floats("additive.keys", {additive.keys, additive.size});
        additive.v = reader.floats("additive.v", {additive.size});
        additive.energies = reader.floats("additive.energies", {additive.queries, additive.keys});
        if (reader.has("additive.annotations")) {
            additive.annotationSize = reader.shape("additive.annotations", 2)[1];
            additive.annotations = reader.floats("additive.annotations", {additive.keys, additive.annotationSize});
        }
    }
    if (reader.has("context"))
        trace.fixedContext = reader.floats("context", reader.shape("context", 1));
    trace.encoderInput = readInput(reader, "encoder", trace.source.size());
    trace.decoderInput = readInput(reader, "decoder", trace.target.size());
    readPositions(reader, "encoder.positions", !trace.source.empty(), trace.encoderPositions);
    readPositions(reader, "decoder.positions", trace.source.empty(), trace.decoderPositions);
    if (reader.has("logits")) {
        const auto shape = reader.shape("logits", 2);
        trace.logits = Logits{shape[0], shape[1], reader.floats("logits", shape)};
    }
    return trace;
}

} // namespace headlight
