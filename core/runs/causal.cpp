// A decoder alone: goes on with the text for as many tokens as were asked for, then one watched pass over all of it.
// While someone types, what it computed for the unchanged beginning of the text is kept.
#include "core/runs/open_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

namespace headlight {

namespace {

class CausalEngine : public OpenModel {
public:
    explicit CausalEngine(LoadedModel loaded) : OpenModel(std::move(loaded)) { changeInfo().hasDecoder = true; }

    void forget() override { m_kept.clear(); }

protected:
    void runWatched(const Request& request, Watch& watch, const std::stop_token& stop, Trace& trace) override {
        if (request.target || request.second)
            throw Error(Error::Kind::Unsupported, info().name, "a decoder alone goes on with one text",
                        "leave the target and the second text out");
        refuseSegments(request);
        if (!(request.sampling.temperature > 0))
            throw Error(Error::Kind::Invalid, "temperature", "must be above 0");
        trace.target = readSource(request, true, lengthOf, trace);
        if (trace.target.empty())
            trace.target.push_back(tokenOf(beginning()));
        trace.prompt = static_cast<int>(trace.target.size());
        const auto added = givenTokens(request.targetIds, "--target-ids");
        trace.target.insert(trace.target.end(), added.begin(), added.end());
        const bool wordsGiven = request.sourceIds.empty();
        numberWords(trace.target, wordsGiven ? static_cast<std::size_t>(trace.prompt) : 0);
        cut(trace.target, roomFor(trace.target.size(), request, lengthOf), "continuation", trace);
        goOn(request, stop, trace);
        numberWords(trace.target, wordsGiven ? static_cast<std::size_t>(trace.prompt) : 0);

        const auto next = record(request, watch, stop, trace);
        trace.emitted.assign(trace.target.begin() + 1, trace.target.end());
        if (speaks())
            trace.emitted.push_back(tokenOf(next));
        else // it was taught to label, not to go on: what it would have read next is nothing
            trace.emitted.push_back(tokenOf(std::max<std::int64_t>(network().ids.end, 0)));
        trace.targetForced = static_cast<std::size_t>(trace.prompt) == trace.target.size();
        trace.targetText = trace.sourceText;
        if (hasTokenizer())
            trace.targetText += continuation(trace);
    }

    void keep(const TracePointer& trace) override {
        if (!m_running || std::find(trace->notices.begin(), trace->notices.end(), brokenOutput) != trace->notices.end())
            return;
        for (auto& tensor : m_running->state.tensors)
            tensor = tensor.contiguous(); // not part of a larger product
        std::erase_if(m_kept, [&](const KeptText& text) {
            return text.ids == m_running->ids && alike(text.request, m_running->request);
        });
        m_running->trace = trace;
        m_kept.push_front(std::move(*m_running));
        m_running.reset();
        std::int64_t bytes = 0;
        for (auto text = m_kept.begin(); text != m_kept.end();) {
            bytes += text->bytes();
            text = bytes > mostKeptBytes || std::distance(m_kept.begin(), text) >= mostKeptTexts ? m_kept.erase(text)
                                                                                                 : std::next(text);
        }
    }

private:
    bool speaks() const { return network().causal->head() == EncoderHead::None; }

    /// The last token that is not padding, where a text's label is read.
    std::int64_t lastRow(const Trace& trace) const {
        auto row = static_cast<std::int64_t>(trace.target.size()) - 1;
        while (row > 0 && trace.target[static_cast<std::size_t>(row)].id == network().ids.pad)
            --row;
        return row;
    }

    /// A text that was run, with all that a text with the same beginning need not compute again.
    struct KeptText {
        std::vector<std::int64_t> ids;
        Request request; ///< only texts that are run and recorded alike have rows in common
        DecoderState state;
        TracePointer trace;

        std::int64_t bytes() const {
            std::size_t numbers = 0;
            for (const auto& tensor : state.tensors)
                numbers += static_cast<std::size_t>(tensor.numel());
            if (const auto& block = trace->decoder)
                numbers += block->weights.size() + block->scores.size() + block->queryRows.size()
                           + block->keyRows.size() + block->valueRows.size();
            if (trace->logits)
                numbers += trace->logits->values.size();
            return static_cast<std::int64_t>(numbers * sizeof(float));
        }
    };

    static bool alike(const Request& left, const Request& right) {
        const auto key = [](const Request& request) {
            const auto& record = request.record;
            return std::tuple(record.scores, record.vectors, record.logits, record.positions, record.candidates,
                              request.sampling.temperature);
        };
        return left.intervention == right.intervention && key(left) == key(right) && left.record.asked.empty()
               && right.record.asked.empty();
    }

    /// The kept text that begins like this one for longest, and for how many tokens; null where none does.
    std::pair<const KeptText*, std::int64_t> keptBeginning(const std::vector<std::int64_t>& ids,
                                                           const Request& request) const {
        std::pair<const KeptText*, std::int64_t> best{nullptr, 0};
        for (const auto& text : m_kept) {
            if (!alike(text.request, request))
                continue;
            const auto common = std::mismatch(ids.begin(), ids.end(), text.ids.begin(), text.ids.end()).first;
            if (common - ids.begin() > best.second)
                best = {&text, common - ids.begin()};
        }
        return best;
    }

    /// @param logits [T, labels]
    void label(const torch::Tensor& logits, const Request& request, Trace& trace) const {
        if (network().causal->head() == EncoderHead::Classification)
            classify(logits.narrow(0, lastRow(trace), 1), request, trace);
        else
            classifyTokens(logits, request, trace);
    }

    /// The watched pass over all of the text, or over what comes after the beginning that it shares with an earlier
    /// one.
    /// @returns the most probable token after it
    std::int64_t record(const Request& request, Watch& watch, const std::stop_token& stop, Trace& trace) {
        const Context context{&watch, stop, &request.intervention};
        const auto ids = idsOf(trace.target);
        if (!speaks()) {
            DecoderState fresh;
            const auto hidden = network().causal->decode(batchOfOne(ids), fresh, context);
            context.checkStop();
            label(network().causal->logits(hidden).squeeze(0).to(torch::kFloat32).contiguous(), request, trace);
            return 0;
        }
        const auto [earlier, common] = keptBeginning(ids, request);
        if (common == std::ssize(ids) && earlier->ids.size() == ids.size()) { // an edit that was undone
            watch.takeDecoder(*earlier->trace);
            trace.predictions = earlier->trace->predictions;
            trace.logits = earlier->trace->logits;
            m_running = *earlier;
            return earlier->trace->emitted.back().id;
        }
        const auto kept = std::min(common, std::ssize(ids) - 1);
        auto& running = m_running.emplace();
        running.request = request;
        if (kept > 0) {
            running.state = earlier->state.before(kept);
            watch.goOnAfter(earlier->trace, static_cast<int>(kept));
            for (const auto& prediction : earlier->trace->predictions)
                if (prediction.position < kept)
                    trace.predictions.push_back(prediction);
            if (const auto& logits = earlier->trace->logits)
                trace.logits = Logits{static_cast<int>(kept),
                                      logits->vocabulary,
                                      {logits->values.begin(), logits->values.begin() + kept * logits->vocabulary}};
        }
        const auto hidden =
            network().causal->decode(batchOfOne({ids.begin() + kept, ids.end()}), running.state, context).squeeze(0);
        context.checkStop();
        running.ids = ids;
        return predict(
            hidden, [&](const torch::Tensor& rows) { return network().causal->logits(rows); }, request, {}, trace,
            kept);
    }

    /// A decoder must take in something: what its texts begin with, or what parts them.
    std::int64_t beginning() const {
        if (hasTokenizer())
            if (const auto begin = tokenizer().roles().begin)
                return *begin;
        const auto& ids = network().ids;
        return ids.start >= 0 ? ids.start : std::max<std::int64_t>(ids.end, 0);
    }

    static RunLength lengthOf(std::int64_t tokens) { return {.target = tokens}; }

    void goOn(const Request& request, const std::stop_token& stop, Trace& trace) {
        const auto there = static_cast<std::int64_t>(trace.target.size());
        const auto asked = std::max<std::int64_t>(request.maxLength, 0);
        if (asked > 0 && !speaks())
            throw Error(Error::Kind::Unsupported, info().name, "labels texts and does not go on with them",
                        "leave the length out");
        const auto room = roomFor(static_cast<std::size_t>(there + asked), request, lengthOf);
        const auto steps = std::min(asked, static_cast<std::int64_t>(room.tokens) - there);
        if (steps < asked)
            trace.notices.push_back("stopped: " + room.why + " tokens");
        if (steps <= 0)
            return;
        auto generator = at::detail::createCPUGenerator(request.sampling.seed);
        const Context unwatched{nullptr, stop, &request.intervention};
        DecoderState state;
        auto ids = idsOf(trace.target);
        if (const auto [earlier, common] = keptBeginning(ids, request); earlier) {
            const auto kept = std::min(common, std::ssize(ids) - 1);
            state = earlier->state.before(kept);
            ids.erase(ids.begin(), ids.begin() + kept);
        }
        auto next = batchOfOne(ids);
        for (std::int64_t step = 0; step < steps; ++step) {
            unwatched.checkStop();
            const auto hidden = network().causal->decode(next, state, unwatched);
            const auto logits =
                network().causal->logits(hidden.select(1, hidden.size(1) - 1)).squeeze(0).to(torch::kFloat32); // [V]
            const auto id = choose(logits, request.sampling, generator);
            trace.target.push_back(tokenOf(id));
            if (id == network().ids.end)
                break;
            next = batchOfOne({id});
        }
    }

    static std::int64_t choose(const torch::Tensor& logits, const Sampling& sampling, at::Generator& generator) {
        if (!sampling.random || !torch::isfinite(logits).all().item<bool>())
            return logits.argmax().item<std::int64_t>();
        const auto among = sampling.topK > 0 ? std::min<std::int64_t>(sampling.topK, logits.size(0)) : logits.size(0);
        const auto [values, ids] = logits.topk(among);
        const auto drawn = torch::multinomial(torch::softmax(values / sampling.temperature, -1), 1, false, generator);
        return ids.index_select(0, drawn).item<std::int64_t>();
    }

    /// The text that the added tokens make, with the space before it, which decoding alone would drop.
    std::string continuation(const Trace& trace) const {
        const auto ids = idsOf(trace.target);
        const auto prompt = static_cast<std::size_t>(trace.prompt);
        const auto before = tokenizer().decode(std::span(ids).first(prompt));
        const auto all = tokenizer().decode(ids);
        return all.starts_with(before) ? all.substr(before.size()) : tokenizer().decode(std::span(ids).subspan(prompt));
    }

    static constexpr std::int64_t mostKeptTexts = 4;
    std::deque<KeptText> m_kept;       ///< the last one first, no more than that and than mostKeptBytes
    std::optional<KeptText> m_running; ///< of the run that is under way, without its trace
};

} // namespace

std::unique_ptr<Engine> causalEngine(LoadedModel loaded) {
    return std::make_unique<CausalEngine>(std::move(loaded));
}

} // namespace headlight
