// Encoder and decoder: decode, unless the target is given, then one watched pass over the target.
#include "core/nn/decode.h"
#include "core/runs/open_model.h"

#include <torch/types.h>

#include <algorithm>

namespace headlight {

namespace {

class TranslationEngine : public OpenModel {
public:
    explicit TranslationEngine(LoadedModel loaded) : OpenModel(std::move(loaded)) {
        changeInfo().hasEncoder = true;
        changeInfo().hasDecoder = true;
    }

protected:
    void runWatched(const Request& request, Watch& watch, const std::stop_token& stop, Trace& trace) override {
        if (request.second)
            throw Error(Error::Kind::Unsupported, info().name,
                        "a model with encoder and decoder reads one text, not two", "leave the second text out");
        refuseSegments(request);
        // A translation is about as long as its source.
        trace.source = readSource(
            request, false, [](std::int64_t tokens) { return RunLength{.source = tokens, .target = tokens}; }, trace);
        const auto forced = readTarget(request, trace);
        checkForced(request, trace);
        const Context context{&watch, stop, &request.intervention};
        auto& model = *network().translator;
        const auto memory = model.encode(batchOfOne(idsOf(trace.source)), {}, context);
        std::optional<std::int64_t> last = forced;
        if (trace.target.empty())
            last = decodeOwn(request, memory, stop, trace);
        // Decoding chose the words; this one pass over all of them is what every run records, so that a model's own
        // translation and the same words forced upon it give the same Trace.
        const auto states = model.decode(batchOfOne(idsOf(trace.target)), memory, context);
        context.checkStop();
        const auto logits = model.logits(states).squeeze(0).to(torch::kFloat32).contiguous(); // [T, V]
        finishEmitted(last ? *last : logits[logits.size(0) - 1].argmax().item<std::int64_t>(), request, trace);
        predict(logits, request, {}, trace);
    }

private:
    /// What the decoder takes in when the target is given, and returns what it gives out last, if that is known.
    std::optional<std::int64_t> readTarget(const Request& request, Trace& trace) const {
        if (!request.targetIds.empty()) {
            trace.target = givenTokens(request.targetIds, "--target-ids");
            trace.targetForced = true;
            cut(trace.target, roomForTarget(trace.target.size(), request, trace), "target", trace);
            return std::nullopt;
        }
        if (!request.target)
            return std::nullopt;
        // The decoder takes in at each step what it was to give out at the one before.
        auto given = tokenizer().assemble(tokenizer().encodeTarget(*request.target), std::nullopt);
        cut(given, roomForTarget(given.size(), request, trace), "target", trace);
        trace.target.push_back(tokenOf(network().ids.start));
        trace.target.insert(trace.target.end(), given.begin(), given.empty() ? given.end() : given.end() - 1);
        trace.targetForced = true;
        return given.empty() ? network().ids.end : given.back().id;
    }

    Room roomForTarget(std::size_t wanted, const Request& request, const Trace& trace, std::int64_t beam = 1) const {
        return roomFor(wanted, request, [&](std::int64_t tokens) {
            return RunLength{.source = static_cast<std::int64_t>(trace.source.size()), .target = tokens, .beam = beam};
        });
    }

    /// Returns what it gave out last.
    std::int64_t decodeOwn(const Request& request, const Memory& memory, const std::stop_token& stop, Trace& trace) {
        // A translation is rarely twice as long as its source; a model that never ends would cost the user's time.
        const auto longest =
            std::min<std::int64_t>(network().maxPositions, 2 * static_cast<std::int64_t>(trace.source.size()) + 10);
        DecodeOptions options{.beam = std::clamp(request.beam, 1, 64),
                              .maxLength = longest,
                              .ids = network().ids,
                              .banned = network().banned,
                              .begin = request.beginIds};
        if (options.beam > 1)
            options.tree = &trace.beam;
        if (request.maxLength > 0)
            options.maxLength = std::min<std::int64_t>(network().maxPositions, request.maxLength);
        const auto room = roomForTarget(static_cast<std::size_t>(options.maxLength), request, trace, options.beam);
        options.maxLength = std::min(options.maxLength, static_cast<std::int64_t>(room.tokens));
        givenTokens(request.beginIds, "what the translation begins with");
        const bool ended = !request.beginIds.empty() && request.beginIds.back() == network().ids.end;
        auto ids =
            ended ? request.beginIds
                  : decodeBest(*network().translator, memory, options, Context{nullptr, stop, &request.intervention})
                        .front();
        for (auto& node : trace.beam)
            node.token = candidateOf(node.token.id, node.token.probability);
        if (ids.empty()) // nothing can be chosen from output that is not finite; predict() says so
            ids.push_back(network().ids.end);
        const auto last = ids.back();
        if (last != network().ids.end)
            trace.notices.push_back("translation stopped after " + std::to_string(ids.size()) + " tokens");
        ids.pop_back();
        trace.target = tokensOf(ids);
        trace.target.insert(trace.target.begin(), tokenOf(network().ids.start));
        return last;
    }

    static void checkForced(const Request& request, const Trace& trace) {
        for (const auto& forced : request.intervention.forced)
            if (forced.key.value < 0 || forced.key.offset() >= trace.source.size())
                throw Error(Error::Kind::Invalid, "forced attention",
                            "source token " + std::to_string(forced.key.value) + " is not there",
                            "this source has tokens 0 to " + std::to_string(trace.source.size() - 1));
    }

    void finishEmitted(std::int64_t last, const Request& request, Trace& trace) const {
        // The same tokens one step earlier, with the places in the typed target that they already know.
        trace.emitted.assign(trace.target.begin() + 1, trace.target.end());
        trace.emitted.push_back(tokenOf(last));
        if (request.target && request.targetIds.empty()) { // the tokens' places are places in it
            trace.targetText = *request.target;
            return;
        }
        numberWords(trace.emitted); // where it stopped early the last one is of a word, too
        if (hasTokenizer())
            trace.targetText = tokenizer().decode(idsOf(trace.emitted));
    }
};

} // namespace

std::unique_ptr<Engine> translationEngine(LoadedModel loaded) {
    return std::make_unique<TranslationEngine>(std::move(loaded));
}

} // namespace headlight
