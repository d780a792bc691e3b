// An encoder alone: one watched pass, then what its head says: a word at each place, or a label of the whole.
#include "core/runs/open_model.h"

#include <torch/types.h>

#include <algorithm>
#include <array>

namespace headlight {

namespace {

class EncoderEngine : public OpenModel {
public:
    explicit EncoderEngine(LoadedModel loaded) : OpenModel(std::move(loaded)) {
        auto& info = changeInfo();
        info.hasEncoder = true;
        const auto head = network().encoder->head();
        // One that says something of pairs may tell them by the token between them alone.
        info.readsPairs =
            hasTokenizer()
            && (network().segments > 1 || head == EncoderHead::Classification || head == EncoderHead::QuestionAnswering
                || head == EncoderHead::NextSentence || head == EncoderHead::Choice);
        info.answersQuestions = head == EncoderHead::QuestionAnswering;
        info.scoresChoices = head == EncoderHead::Choice;
        if (head == EncoderHead::MaskedLanguage && hasTokenizer())
            m_mask = tokenizer().roles().mask;
        if (m_mask) {
            info.mask = tokenOf(*m_mask).text;
            info.readsSpaces = !tokenizer().encode(" ").empty();
        }
    }

protected:
    void runWatched(const Request& request, Watch& watch, const std::stop_token& stop, Trace& trace) override {
        if (request.target || !request.targetIds.empty())
            throw Error(Error::Kind::Unsupported, info().name, "an encoder alone has no target",
                        "leave the target out");
        trace.source = readSource(
            request, false, [](std::int64_t tokens) { return RunLength{.source = tokens}; }, trace);
        if (trace.source.empty())
            throw Error(Error::Kind::Invalid, info().name, "there is nothing to read",
                        "its tokenizer adds no tokens of its own: type something");
        readSegments(request, trace);
        const auto global = globalTokens(request, trace);
        const Context context{&watch, stop, &request.intervention, &global};
        auto& model = *network().encoder;
        const auto ids = batchOfOne(idsOf(trace.source));
        const auto hidden = model.encode(ids, segments(trace), {}, context);
        context.checkStop();
        if (const auto second = model.relationship(hidden); second.defined())
            relate(second.to(torch::kFloat32), trace);
        if (model.head() == EncoderHead::None) {
            warnOfNaN(hidden, trace);
            return;
        }
        const auto speaks = model.head() == EncoderHead::MaskedLanguage; // of each row, more than there need be at once
        const auto logits = speaks ? torch::Tensor() : model.logits(hidden).to(torch::kFloat32).contiguous();
        switch (model.head()) {
        case EncoderHead::Classification:
            classify(logits, request, trace);
            break;
        case EncoderHead::TokenClassification:
            classifyTokens(logits.squeeze(0), request, trace);
            break;
        case EncoderHead::QuestionAnswering:
            answer(logits.squeeze(0), trace);
            break;
        case EncoderHead::NextSentence:
            warnOfNaN(logits, trace);
            keepLogits(logits, request, trace);
            relate(logits, trace);
            break;
        case EncoderHead::Choice:
            warnOfNaN(logits, trace);
            keepLogits(logits, request, trace);
            trace.quantities.push_back({"how well the second text goes on with the first", logits.item<float>()});
            break;
        case EncoderHead::ReplacedTokens:
            tellReplaced(logits.squeeze(0), request, trace);
            break;
        default:
            std::vector<bool> masked;
            for (const auto& token : trace.source)
                masked.push_back(m_mask && token.id == *m_mask);
            predict(
                hidden.squeeze(0), [&](const torch::Tensor& rows) { return model.logits(rows); }, request, masked,
                trace);
        }
    }

private:
    void readSegments(const Request& request, Trace& trace) const {
        if (request.segmentIds.empty())
            return;
        if (request.segmentIds.size() != request.sourceIds.size())
            throw Error(Error::Kind::Invalid, "--segment-ids",
                        std::to_string(request.segmentIds.size()) + " for " + std::to_string(request.sourceIds.size())
                            + " ids");
        const auto most = std::max<std::int64_t>(network().segments, 1);
        for (std::size_t i = 0; i < trace.source.size(); ++i) {
            if (request.segmentIds[i] < 0 || request.segmentIds[i] >= most)
                throw Error(Error::Kind::Invalid, "--segment-ids",
                            std::to_string(request.segmentIds[i]) + " is not a segment of this model",
                            "its segments go from 0 to " + std::to_string(most - 1));
            trace.source[i].segment = static_cast<int>(request.segmentIds[i]);
        }
    }

    /// [1, T]; undefined for a model that does not tell texts apart.
    torch::Tensor segments(const Trace& trace) const {
        if (network().segments < 2)
            return {};
        std::vector<std::int64_t> ids;
        for (const auto& token : trace.source)
            ids.push_back(token.segment);
        return batchOfOne(ids);
    }

    /// Those of the request, or those that the head needs; empty for a model whose tokens all see all.
    std::vector<std::int64_t> globalTokens(const Request& request, const Trace& trace) const {
        const auto tokens = static_cast<std::int64_t>(trace.source.size());
        for (const auto token : request.globalTokens) {
            if (token < 0 || token >= tokens)
                throw Error(Error::Kind::Invalid, "--global", std::to_string(token) + " is not a token of this text",
                            "its tokens go from 0 to " + std::to_string(tokens - 1));
        }
        auto global = request.globalTokens;
        // As transformers has it: what reads the first token lets it see all, what answers lets the question.
        if (global.empty() && network().takesGlobalTokens) {
            const auto head = network().encoder->head();
            if (head == EncoderHead::Classification)
                global.push_back(0);
            if (head == EncoderHead::QuestionAnswering)
                for (std::int64_t i = 0; i < tokens && trace.source[static_cast<std::size_t>(i)].segment == 0; ++i)
                    global.push_back(i);
        }
        std::sort(global.begin(), global.end());
        global.erase(std::unique(global.begin(), global.end()), global.end());
        return global;
    }

    /// @param logits [1, 2]
    static void relate(const torch::Tensor& logits, Trace& trace) {
        const auto probability = torch::softmax(logits[0], -1).contiguous();
        auto& found = trace.relationship.emplace();
        const auto values = logits[0].contiguous();
        found.logits.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
        constexpr std::array names{"goes on", "is another text"};
        for (std::size_t id = 0; id < names.size(); ++id)
            found.candidates.push_back(
                {static_cast<std::int64_t>(id), names[id], probability.data_ptr<float>()[id], names[id]});
        std::stable_sort(found.candidates.begin(), found.candidates.end(),
                         [](const auto& left, const auto& right) { return left.probability > right.probability; });
    }

    /// @param logits [T, 1]: above 0, and the token was put there
    static void tellReplaced(const torch::Tensor& logits, const Request& request, Trace& trace) {
        warnOfNaN(logits, trace);
        keepLogits(logits, request, trace);
        const auto probability = torch::sigmoid(logits).contiguous();
        for (std::int64_t row = 0; row < logits.size(0); ++row) {
            const float replaced = probability.data_ptr<float>()[row];
            const Candidate original{0, "original", 1 - replaced, "original"},
                other{1, "replaced", replaced, "replaced"};
            auto& labels = trace.tokenLabels.emplace_back();
            labels.position = static_cast<int>(row);
            labels.candidates = replaced > 0.5F ? std::vector{other, original} : std::vector{original, other};
        }
    }

    /// @param logits [T, 2]: of an answer's first token and of its last
    void answer(const torch::Tensor& logits, Trace& trace) const {
        warnOfNaN(logits, trace);
        auto& found = trace.answer.emplace();
        const auto starts = logits.select(1, 0).contiguous(), ends = logits.select(1, 1).contiguous();
        found.startLogits.assign(starts.data_ptr<float>(), starts.data_ptr<float>() + starts.numel());
        found.endLogits.assign(ends.data_ptr<float>(), ends.data_ptr<float>() + ends.numel());
        const auto start = torch::softmax(starts, 0), end = torch::softmax(ends, 0);
        // An answer is in the second text, if there is one, and no longer than a sentence.
        constexpr int longest = 30;
        constexpr std::size_t kept = 5;
        const bool pair = std::any_of(trace.source.begin(), trace.source.end(),
                                      [](const Token& token) { return token.segment == 1; });
        const auto tokens = static_cast<int>(trace.source.size());
        const auto mayBe = [&](int token) {
            const auto& one = trace.source[static_cast<std::size_t>(token)];
            return !one.special && (!pair || one.segment == 1);
        };
        for (int first = 0; first < tokens; ++first) {
            for (int last = first; mayBe(first) && last < std::min(tokens, first + longest) && mayBe(last); ++last)
                found.spans.push_back(
                    {first, last + 1, {}, start.data_ptr<float>()[first] * end.data_ptr<float>()[last]});
        }
        const auto shown = std::min(kept, found.spans.size());
        std::partial_sort(found.spans.begin(), found.spans.begin() + static_cast<std::ptrdiff_t>(shown),
                          found.spans.end(),
                          [](const auto& left, const auto& right) { return left.probability > right.probability; });
        found.spans.resize(shown);
        for (auto& span : found.spans) {
            const auto& text = pair ? trace.secondText : trace.sourceText;
            const auto from = trace.source[static_cast<std::size_t>(span.begin)].bytes.begin;
            const auto to = trace.source[static_cast<std::size_t>(span.end - 1)].bytes.end;
            if (from < to && to <= text.size())
                span.text = text.substr(from, to - from);
        }
    }

    std::optional<std::int64_t> m_mask;
};

} // namespace

std::unique_ptr<Engine> encoderEngine(LoadedModel loaded) {
    return std::make_unique<EncoderEngine>(std::move(loaded));
}

} // namespace headlight
