// A decoder alone: goes on with the text for as many tokens as were asked for, then one watched pass over all of it.
#include "core/runs/open_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/types.h>

#include <algorithm>

namespace headlight {

namespace {

class CausalEngine : public OpenModel {
public:
    explicit CausalEngine(LoadedModel loaded) : OpenModel(std::move(loaded)) { changeInfo().hasDecoder = true; }

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

        const Context context{&watch, stop, &request.intervention};
        DecoderState fresh;
        const auto hidden = network().causal->decode(batchOfOne(idsOf(trace.target)), fresh, context);
        context.checkStop();
        const auto logits = network().causal->logits(hidden).squeeze(0).to(torch::kFloat32).contiguous(); // [T, V]
        trace.emitted.assign(trace.target.begin() + 1, trace.target.end());
        if (speaks())
            trace.emitted.push_back(tokenOf(logits[logits.size(0) - 1].argmax().item<std::int64_t>()));
        else // it was taught to label, not to go on: what it would have read next is nothing
            trace.emitted.push_back(tokenOf(std::max<std::int64_t>(network().ids.end, 0)));
        trace.targetForced = static_cast<std::size_t>(trace.prompt) == trace.target.size();
        trace.targetText = trace.sourceText;
        if (hasTokenizer())
            trace.targetText += continuation(trace);
        if (network().causal->head() == EncoderHead::Classification)
            classify(logits.narrow(0, lastRow(trace), 1), request, trace);
        else if (network().causal->head() == EncoderHead::TokenClassification)
            classifyTokens(logits, request, trace);
        else
            predict(logits, request, {}, trace);
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
        auto next = batchOfOne(idsOf(trace.target));
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
};

} // namespace

std::unique_ptr<Engine> causalEngine(LoadedModel loaded) {
    return std::make_unique<CausalEngine>(std::move(loaded));
}

} // namespace headlight
