// Writes the description and reads it again. It comes from anywhere: each member is checked before anyone indexes with
// it. What files of before a member was there mean is said beside it.
#include "core/trace/trace_description.h"

#include "core/error.h"
#include "core/files/json.h"
#include "core/trace/letters.h"
#include "core/trace/trace_tensors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace headlight {

namespace {

using nlohmann::ordered_json;

constexpr auto format = "headlight-trace";
constexpr int version = 1;
constexpr int mostOfAnything = 1 << 20; // more segments, steps, layers, heads or tokens than any run has

constexpr std::array positionKinds{"sinusoidal", "learned", "rotary", "relative", "relative_vectors"};

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

ordered_json predictionsJson(const std::vector<Prediction>& predictions) {
    auto list = ordered_json::array();
    for (const auto& prediction : predictions)
        list.push_back({{"position", prediction.position},
                        {"candidates", candidatesJson(prediction.candidates)},
                        {"asked", candidatesJson(prediction.asked)}});
    return list;
}

ordered_json quantitiesJson(const std::vector<Quantity>& quantities) {
    auto list = ordered_json::array();
    for (const auto& quantity : quantities)
        list.push_back(
            {{"name", ValidText(quantity.name).text}, {"value", finiteOrNull(static_cast<double>(quantity.value))}});
    return list;
}

ordered_json answerJson(const std::optional<QuestionAnswer>& answer) {
    if (!answer)
        return nullptr;
    auto spans = ordered_json::array();
    for (const auto& span : answer->spans)
        spans.push_back({{"begin", span.begin},
                         {"end", span.end},
                         {"text", ValidText(span.text).text},
                         {"probability", finiteOrNull(static_cast<double>(span.probability))}});
    return {{"spans", std::move(spans)}};
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

ordered_json windowJson(const std::optional<Window>& window) {
    if (!window)
        return nullptr;
    return {{"begin", window->begin}, {"length", window->length}, {"total", window->total}};
}

std::string dump(const ordered_json& value, int indent) {
    return value.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

// ---- reading ----

int count(const JsonPart& part, std::int64_t most = mostOfAnything) {
    return static_cast<int>(part.integer(0, most));
}

std::int64_t idOf(const JsonPart& entry) {
    using Limits = std::numeric_limits<std::int64_t>;
    return entry.at("id").integer(Limits::min(), Limits::max());
}

/// Null is how a number that is not finite was written.
double numberOrNull(const JsonPart& entry, const char* key) {
    if (!entry.has(key) && entry.value().contains(key))
        return std::numeric_limits<double>::quiet_NaN();
    return entry.at(key).number();
}

std::vector<JsonPart> listOrNone(const JsonPart& entry, const char* key) {
    return entry.has(key) ? entry.at(key).elements() : std::vector<JsonPart>{};
}

std::string labelIn(const JsonPart& entry, const char* key) {
    return label(entry.at(key).text());
}

/// Files of before there were letters have texts alone.
std::string lettersIn(const JsonPart& entry) {
    return labelIn(entry, entry.has("letters") ? "letters" : "text");
}

std::vector<Token> readTokens(const std::vector<JsonPart>& list, const std::string& first, const std::string& second) {
    std::vector<Token> tokens;
    for (const auto& entry : list) {
        Token token;
        token.segment = entry.has("segment") ? count(entry.at("segment")) : 0;
        const auto size = static_cast<std::int64_t>((token.segment == 0 ? first : second).size());
        token.id = idOf(entry);
        token.text = labelIn(entry, "text");
        token.letters = lettersIn(entry);
        const auto bytes = entry.at("bytes").elements();
        if (bytes.size() != 2)
            entry.at("bytes").fail("has " + std::to_string(bytes.size()) + " numbers instead of 2");
        const auto begin = bytes[0].integer(0, size);
        token.bytes.begin = static_cast<std::size_t>(begin);
        token.bytes.end = static_cast<std::size_t>(bytes[1].integer(begin, size));
        token.word = static_cast<int>(entry.at("word").integer(-1, std::numeric_limits<int>::max()));
        token.special = entry.at("special").flag();
        tokens.push_back(std::move(token));
    }
    return tokens;
}

Candidate readCandidate(const JsonPart& entry) {
    return {idOf(entry), labelIn(entry, "text"), static_cast<float>(numberOrNull(entry, "probability")),
            lettersIn(entry)};
}

std::vector<Candidate> readCandidates(const std::vector<JsonPart>& list) {
    std::vector<Candidate> candidates;
    for (const auto& entry : list)
        candidates.push_back(readCandidate(entry));
    return candidates;
}

std::vector<Prediction> readPredictions(const std::vector<JsonPart>& list, std::int64_t rows) {
    std::vector<Prediction> predictions;
    for (const auto& entry : list)
        predictions.push_back({count(entry.at("position"), rows - 1), readCandidates(entry.at("candidates").elements()),
                               readCandidates(listOrNone(entry, "asked"))});
    return predictions;
}

QuestionAnswer readAnswer(const JsonPart& part, std::int64_t tokens) {
    QuestionAnswer answer;
    for (const auto& entry : part.at("spans").elements()) {
        const auto begin = entry.at("begin").integer(0, tokens);
        answer.spans.push_back({static_cast<int>(begin), static_cast<int>(entry.at("end").integer(begin, tokens)),
                                labelIn(entry, "text"), static_cast<float>(numberOrNull(entry, "probability"))});
    }
    return answer;
}

Intervention readIntervention(const JsonPart& part) {
    Intervention intervention;
    for (const auto& entry : part.at("off").elements()) {
        const auto kind = entry.at("kind").text();
        const auto* named = std::find_if(blockNames.begin(), blockNames.end(),
                                         [&](const NamedBlock& block) { return kind == block.name; });
        if (named == blockNames.end())
            entry.at("kind").fail("an unknown kind of attention");
        intervention.off.push_back({named->kind, Layer(count(entry.at("layer"))), Head(count(entry.at("head")))});
    }
    for (const auto& entry : part.at("forced").elements())
        intervention.forced.push_back({Query(count(entry.at("query"))), Key(count(entry.at("key")))});
    return intervention;
}

std::vector<BeamNode> readBeam(const std::vector<JsonPart>& list) {
    std::vector<BeamNode> beam;
    for (const auto& entry : list) {
        const auto before = static_cast<std::int64_t>(beam.size()) - 1;
        BeamNode node;
        node.parent = static_cast<int>(entry.at("parent").integer(-1, before));
        node.step = count(entry.at("step"));
        node.token = readCandidate(entry.at("token"));
        node.logProbability = numberOrNull(entry, "log_probability");
        node.finished = entry.at("finished").flag();
        node.chosen = entry.at("chosen").flag();
        beam.push_back(std::move(node));
    }
    return beam;
}

void readPositionKind(const JsonPart& root, const char* key, std::optional<PositionTable>& table) {
    if (!root.has(key))
        return;
    const auto found = std::find(positionKinds.begin(), positionKinds.end(), root.at(key).text());
    if (found == positionKinds.end())
        root.at(key).fail("an unknown kind of positions");
    table.emplace().kind = static_cast<PositionTable::Kind>(found - positionKinds.begin());
}

ordered_json additiveJson(const std::optional<AdditiveEnergies>& additive) {
    return additive ? ordered_json{{"knows_last_token", additive->knowsLastToken}} : ordered_json();
}

} // namespace

std::string tokenTextsJson(const Trace& trace) {
    const auto texts = [](const std::vector<Token>& tokens) {
        auto list = ordered_json::array();
        for (const auto& token : tokens)
            list.push_back(ValidText(token.text).text);
        return list;
    };
    return dump({{"source", texts(trace.source)}, {"target", texts(trace.target)}, {"emitted", texts(trace.emitted)}},
                -1);
}

std::string traceJson(const Trace& trace) {
    const ValidText sourceText(trace.sourceText);
    const ValidText secondText(trace.secondText);
    const ValidText targetText(trace.targetText);
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
                 {"window", windowJson(trace.window)},
                 {"source", tokensJson(trace.source, sourceText, secondText)},
                 {"target", tokensJson(trace.target, targetText, targetText)},
                 {"prompt", trace.prompt},
                 {"emitted", tokensJson(trace.emitted, targetText, targetText)},
                 {"predictions", predictionsJson(trace.predictions)},
                 {"labels", candidatesJson(trace.labels)},
                 {"labels_exclude", trace.labelsExclude},
                 {"token_labels", predictionsJson(trace.tokenLabels)},
                 {"quantities", quantitiesJson(trace.quantities)},
                 {"answer", answerJson(trace.answer)},
                 {"relationship",
                  trace.relationship ? candidatesJson(trace.relationship->candidates) : ordered_json(nullptr)},
                 {"intervention", interventionJson(trace.intervention)},
                 {"beam", beamJson(trace.beam)},
                 {"additive", additiveJson(trace.additive)},
                 {"encoder_positions", kindJson(trace.encoderPositions)},
                 {"decoder_positions", kindJson(trace.decoderPositions)},
                 {"milliseconds",
                  {{"tokenize", finiteOrNull(trace.timings.tokenize)}, {"model", finiteOrNull(trace.timings.model)}}},
                 {"notices", std::move(notices)}},
                1)
           + "\n";
}

std::string label(std::string text) {
    constexpr std::size_t longest = 1024;
    for (const std::string_view noCharacter : {"\xef\xbf\xbe", "\xef\xbf\xbf"})
        for (auto at = text.find(noCharacter); at != std::string::npos; at = text.find(noCharacter, at))
            text.replace(at, noCharacter.size(), "\ufffd");
    if (text.size() <= longest)
        return text;
    auto end = longest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) // not within a character
        --end;
    return text.substr(0, end) + "\u2026";
}

Trace readTraceJson(const JsonPart& root) {
    if (root.at("format").text() != format)
        root.fail("is not the description of a trace");
    if (const auto found = root.at("version").integer(0, mostOfAnything); found != version)
        throw Error(Error::Kind::Unsupported, root.place(),
                    "has version " + std::to_string(found) + " of the trace format", "open it with a newer Headlight");
    Trace trace;
    trace.model = labelIn(root, "model");
    trace.family = labelIn(root, "family");
    trace.sourceText = root.at("source_text").text();
    trace.secondText = root.text("second_text", "");
    trace.targetText = root.at("target_text").text();
    trace.targetForced = root.at("target_forced").flag();
    if (root.has("window")) {
        const auto window = root.at("window");
        const auto of = [&](const char* key) { return count(window.at(key), 1 << 30); };
        trace.window = Window{of("begin"), of("length"), of("total")};
    }
    trace.source = readTokens(root.at("source").elements(), trace.sourceText, trace.secondText);
    trace.target = readTokens(root.at("target").elements(), trace.targetText, trace.targetText);
    trace.emitted = readTokens(root.at("emitted").elements(), trace.targetText, trace.targetText);
    trace.prompt = root.has("prompt") ? count(root.at("prompt"), static_cast<std::int64_t>(trace.target.size())) : 0;
    trace.labels = readCandidates(listOrNone(root, "labels"));
    if (root.has("intervention"))
        trace.intervention = readIntervention(root.at("intervention"));
    trace.beam = readBeam(listOrNone(root, "beam"));
    const auto rows = static_cast<std::int64_t>((trace.target.empty() ? trace.source : trace.target).size());
    trace.predictions = readPredictions(root.at("predictions").elements(), rows);
    // What heads say, which files of before they did have not.
    trace.labelsExclude = root.flag("labels_exclude", true);
    trace.tokenLabels = readPredictions(listOrNone(root, "token_labels"), rows);
    for (const auto& entry : listOrNone(root, "quantities"))
        trace.quantities.push_back({labelIn(entry, "name"), static_cast<float>(numberOrNull(entry, "value"))});
    if (root.has("answer"))
        trace.answer = readAnswer(root.at("answer"), static_cast<std::int64_t>(trace.source.size()));
    if (root.has("relationship"))
        trace.relationship = Relationship{{}, readCandidates(root.at("relationship").elements())};
    if (root.has("additive"))
        trace.additive.emplace().knowsLastToken = root.at("additive").at("knows_last_token").flag();
    // Files of before stacks had tables of their own have that of the first stack.
    readPositionKind(root, "positions", trace.source.empty() ? trace.decoderPositions : trace.encoderPositions);
    readPositionKind(root, "encoder_positions", trace.encoderPositions);
    readPositionKind(root, "decoder_positions", trace.decoderPositions);
    const auto milliseconds = root.at("milliseconds");
    trace.timings = {.tokenize = numberOrNull(milliseconds, "tokenize"), .model = numberOrNull(milliseconds, "model")};
    for (const auto& notice : root.at("notices").elements())
        trace.notices.push_back(label(notice.text()));
    return trace;
}

} // namespace headlight
