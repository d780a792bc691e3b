// Encoder and decoder: decode, unless the target is given, then one watched pass over the target. While someone types,
// the last translation is a draft of the next one, and the pass that checks it is the watched one.
#include "core/files/json.h"
#include "core/nn/decode.h"
#include "core/runs/languages.h"
#include "core/runs/open_model.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <span>
#include <utility>

namespace headlight {

namespace {

class TranslationEngine : public OpenModel {
public:
    /// @param forced what every translation begins with
    TranslationEngine(LoadedModel loaded, std::optional<std::int64_t> forced)
        : OpenModel(std::move(loaded)), m_forcedBegin(forced) {
        auto& info = changeInfo();
        info.hasEncoder = true;
        info.hasDecoder = true;
        info.tasks = network().tasks;
        // Others have no codes, and hundreds of thousands of tokens to look through.
        if (hasTokenizer() && (info.family == "mbart" || info.family == "m2m_100" || info.family == "marian"))
            m_languages = Languages(tokenizer());
        if (!m_languages.empty())
            chooseLanguages(info);
        changeInfo().readsPairs = hasTokenizer() && !network().labels.empty();
    }

    void forget() override { m_earlier.clear(); }

protected:
    void runWatched(const Request& asked, Watch& watch, const std::stop_token& stop, Trace& trace) override {
        Request request = asked;
        m_targetLanguage = languageAsked(request.targetLanguage, "--to-language");
        m_sourceLanguage = languageAsked(request.sourceLanguage, "--from-language");
        if (m_marks && m_targetLanguage) // the text itself begins with it
            request.prefix = tokenOf(*m_targetLanguage).text + " " + request.prefix;
        if (request.second && network().labels.empty())
            throw Error(Error::Kind::Unsupported, info().name,
                        "a model with encoder and decoder reads one text, not two", "leave the second text out");
        refuseSegments(request);
        // A translation is about as long as its source.
        trace.source = readSource(
            request, false, [](std::int64_t tokens) { return RunLength{.source = tokens, .target = tokens}; }, trace);
        const bool labels = !network().labels.empty();
        const auto forced = labels ? readOwnSource(request, trace) : readTarget(request, trace);
        checkForced(request, trace);
        const Context context{&watch, stop, &request.intervention};
        auto& model = *network().translator;
        const auto memory = model.encode(batchOfOne(idsOf(trace.source)), {}, context);
        if (!trace.target.empty()) {
            const auto hidden = pass(idsOf(trace.target), memory, context);
            const auto logits = [&](const torch::Tensor& rows) { return model.logits(rows); };
            if (labels)
                classify(model.labels(hidden.narrow(0, lastEnd(trace), 1)).to(torch::kFloat32).contiguous(), request,
                         trace);
            const auto mostProbable = labels ? 0 : predict(hidden, logits, request, {}, trace);
            finishEmitted(forced.value_or(mostProbable), request, trace);
            return;
        }
        translate(memory, context, request, trace);
    }

    /// Says in which language the source is.
    void frame(const Request&, std::vector<Token>& tokens) const override {
        if (m_sourceLanguage)
            for (auto& token : tokens)
                if (token.special && !m_languages.codeOf(token.id).empty())
                    token = tokenOf(*m_sourceLanguage);
    }

private:
    void chooseLanguages(ModelInfo& info) {
        m_marks = info.family == "marian";
        info.targetLanguages = m_languages.codes();
        if (m_marks)
            return;
        info.sourceLanguages = info.targetLanguages;
        const auto frame = tokenizer().assemble({}, std::nullopt);
        for (std::size_t i = 0; i < frame.size(); ++i) {
            if (const auto code = m_languages.codeOf(frame[i].id); !code.empty()) {
                info.sourceLanguage = code;
                m_codeBehind = i > 0;
            }
        }
        info.targetLanguage = m_languages.codeOf(m_codeBehind ? network().ids.start : m_forcedBegin.value_or(-1));
    }

    std::optional<std::int64_t> languageAsked(const std::string& code, const char* option) const {
        return code.empty() ? std::nullopt : std::optional(m_languages.idOf(code, option));
    }

    /// What the decoder takes in first: of the first mBART the code of the language.
    std::int64_t startToken() const {
        return m_codeBehind && m_targetLanguage ? *m_targetLanguage : network().ids.start;
    }

    /// What every translation begins with: of other translators the code.
    std::vector<std::int64_t> beginning(const Request& request) const {
        if (!request.beginIds.empty())
            return request.beginIds;
        if (m_targetLanguage && !m_marks && !m_codeBehind)
            return {*m_targetLanguage};
        return m_forcedBegin ? std::vector{*m_forcedBegin} : std::vector<std::int64_t>{};
    }

    /// What labels texts reads its source with the decoder as well, one place later.
    std::optional<std::int64_t> readOwnSource(const Request& request, Trace& trace) const {
        if (request.target || !request.targetIds.empty())
            throw Error(Error::Kind::Unsupported, info().name, "labels a text and takes no target",
                        "leave the target out");
        trace.target.push_back(tokenOf(network().ids.start));
        for (std::size_t i = 0; i + 1 < trace.source.size(); ++i)
            trace.target.push_back(trace.source[i]);
        trace.targetForced = true;
        return trace.source.empty() ? network().ids.end : trace.source.back().id;
    }

    /// Where the source's last end token stands, which is where a label is read; its last row without one.
    std::int64_t lastEnd(const Trace& trace) const {
        for (auto row = trace.source.size(); row-- > 0;)
            if (trace.source[row].id == network().ids.end)
                return static_cast<std::int64_t>(row);
        return std::max<std::int64_t>(static_cast<std::int64_t>(trace.source.size()) - 1, 0);
    }

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
        if (!m_languages.empty() && !m_marks) {
            const auto isCode = [&](const Token& token) {
                return token.special && !m_languages.codeOf(token.id).empty();
            };
            if (m_codeBehind)
                std::erase_if(given, isCode); // it is the start token
            else if (const auto code = beginning({}); !code.empty())
                for (auto& token : given)
                    if (isCode(token))
                        token = tokenOf(code.front());
        }
        cut(given, roomForTarget(given.size(), request, trace), "target", trace);
        trace.target.push_back(tokenOf(startToken()));
        trace.target.insert(trace.target.end(), given.begin(), given.empty() ? given.end() : given.end() - 1);
        trace.targetForced = true;
        return given.empty() ? network().ids.end : given.back().id;
    }

    Room roomForTarget(std::size_t wanted, const Request& request, const Trace& trace, std::int64_t beam = 1) const {
        return roomFor(wanted, request, [&](std::int64_t tokens) {
            return RunLength{.source = static_cast<std::int64_t>(trace.source.size()), .target = tokens, .beam = beam};
        });
    }

    /// The one pass over given tokens that every run records, so that a model's own translation and the same words
    /// forced upon it give the same Trace. @param taken start token first @returns [T, D]
    torch::Tensor pass(const std::vector<std::int64_t>& taken, const Memory& memory, const Context& context,
                       DecoderState* all = nullptr) {
        const auto hidden = network().translator->decode(batchOfOne(taken), memory, context, all).squeeze(0);
        context.checkStop();
        return hidden;
    }

    /// What the decoder takes in to give out these.
    std::vector<std::int64_t> inputsFor(const std::vector<std::int64_t>& ids) const {
        std::vector<std::int64_t> taken{startToken()};
        taken.insert(taken.end(), ids.begin(), ids.end() - 1);
        return taken;
    }

    DecodeOptions decodeOptions(const Request& request, Trace& trace) const {
        // A translation is rarely twice as long as its source; a model that never ends would cost the user's time.
        const auto longest =
            std::min<std::int64_t>(network().maxPositions, 2 * static_cast<std::int64_t>(trace.source.size()) + 10);
        DecodeOptions options{.beam = std::clamp(request.beam, 1, 64),
                              .maxLength = longest,
                              .ids = network().ids,
                              .banned = network().banned,
                              .begin = beginning(request)};
        options.ids.start = startToken();
        if (options.beam > 1)
            options.tree = &trace.beam;
        if (request.maxLength > 0)
            options.maxLength = std::min<std::int64_t>(network().maxPositions, request.maxLength);
        const auto room = roomForTarget(static_cast<std::size_t>(options.maxLength), request, trace, options.beam);
        options.maxLength = std::min(options.maxLength, static_cast<std::int64_t>(room.tokens));
        givenTokens(request.beginIds, "what the translation begins with");
        return options;
    }

    bool isWhole(const std::vector<std::int64_t>& ids, const DecodeOptions& options) const {
        return !ids.empty()
               && (ids.back() == network().ids.end || static_cast<std::int64_t>(ids.size()) >= options.maxLength);
    }

    void translate(const Memory& memory, const Context& context, const Request& request, Trace& trace) {
        auto& model = *network().translator;
        const auto options = decodeOptions(request, trace);
        const Context unwatched{nullptr, context.stop, &request.intervention};
        const bool ended = !request.beginIds.empty() && request.beginIds.back() == network().ids.end;
        Checked checked;
        if (const auto draft = ended ? std::vector<std::int64_t>() : draftFor(options, trace); !draft.empty())
            checked = improved(draft, memory, context, options);
        auto ids = checked.ids;
        if (ids.empty())
            ids = ended ? request.beginIds : decodeBest(model, memory, options, unwatched).front();
        for (auto& node : trace.beam)
            node.token = candidateOf(node.token.id, node.token.probability);
        if (ids.empty()) // nothing can be chosen from output that is not finite; predict() says so
            ids.push_back(network().ids.end);
        remember(trace, ids);
        const auto last = ids.back();
        if (last != network().ids.end)
            trace.notices.push_back("translation stopped after " + std::to_string(ids.size()) + " tokens");
        if (!checked.hidden.defined())
            checked.hidden = pass(inputsFor(ids), memory, context);
        const auto logits = [&](const torch::Tensor& rows) {
            return checked.logits.defined() && checked.logits.size(0) == rows.size(0) ? checked.logits
                                                                                      : model.logits(rows);
        };
        predict(checked.hidden, logits, request, {}, trace);
        ids.pop_back();
        trace.target = tokensOf(ids);
        trace.target.insert(trace.target.begin(), tokenOf(startToken()));
        finishEmitted(last, request, trace);
    }

    /// What became of a draft.
    struct Checked {
        std::vector<std::int64_t> ids; ///< the translation; empty where it must be decoded anew
        torch::Tensor hidden;          ///< of the recorded pass, if that was over the translation, [T, D]
        torch::Tensor logits;          ///< of all its rows, [T, V], if they were made at once
    };

    /// The translation that greedy decoding would choose, found with the help of one that it may begin like. A pass
    /// over the draft tells at each place which token would be chosen there; the first one that is not the draft's own
    /// ends what can be kept, and decoding goes on from there. What the pass and decoding compute differs in the last
    /// digits, as rows of a product differ from a product of one row. So where a choice is close, and they might not
    /// agree on it, the draft is given up.
    Checked improved(const std::vector<std::int64_t>& draft, const Memory& memory, const Context& context,
                     const DecodeOptions& options) {
        constexpr double close = 1e-4;
        auto& model = *network().translator;
        DecoderState all;
        const auto inputs = inputsFor(draft);
        Checked found{.ids = {}, .hidden = pass(inputs, memory, context, &all), .logits = {}};
        double lead = std::numeric_limits<double>::infinity();
        found.ids = chosenAlong(draft, found, options, lead);
        if (lead >= close && found.ids == draft && isWhole(draft, options))
            return found;
        if (lead >= close && !isWhole(found.ids, options)) {
            const auto state = model.rewound(all, static_cast<std::int64_t>(found.ids.size()));
            auto rest = options;
            rest.begin = found.ids;
            rest.begun = &state;
            rest.leastLead = &lead;
            found.ids = decodeBest(model, memory, rest, {nullptr, context.stop, context.intervention}).front();
        }
        if (!(lead >= close)) {
            context.watch->rewindDecoder(0);
            return {};
        }
        // The rows that the pass over the draft recorded for the same tokens stay; those after them are recorded now.
        const auto taken = inputsFor(found.ids);
        const auto same = std::mismatch(taken.begin(), taken.end(), inputs.begin(), inputs.end()).first - taken.begin();
        const auto kept = std::min<std::int64_t>(same, std::ssize(taken) - 1);
        auto state = model.rewound(all, kept);
        context.watch->rewindDecoder(static_cast<int>(kept));
        const auto rest = pass({taken.begin() + kept, taken.end()}, memory, context, &state);
        found.hidden = torch::cat({found.hidden.narrow(0, 0, kept), rest});
        if (found.logits.defined())
            found.logits = torch::cat({found.logits.narrow(0, 0, kept), model.logits(rest).to(torch::kFloat32)});
        return found;
    }

    /// The draft as far as its tokens would be chosen, and the first that would be chosen instead of its own.
    /// @param checked with the pass over the draft; keeps the logits
    std::vector<std::int64_t> chosenAlong(const std::vector<std::int64_t>& draft, Checked& checked,
                                          const DecodeOptions& options, double& leastLead) {
        auto& model = *network().translator;
        const auto rows = static_cast<std::int64_t>(draft.size()), atOnce = rowsAtOnce(network().vocabulary);
        std::vector<std::int64_t> chosen = options.begin;
        for (std::int64_t first = 0; first < rows; first += atOnce) {
            const auto logits = model.logits(checked.hidden.narrow(0, first, std::min(atOnce, rows - first)))
                                    .to(torch::kFloat32)
                                    .contiguous();
            if (rows <= atOnce)
                checked.logits = logits;
            if (!std::isfinite(logits.sum().item<float>())) {
                leastLead = -std::numeric_limits<double>::infinity();
                return {};
            }
            const auto count = static_cast<std::size_t>(logits.size(1));
            for (auto row = static_cast<std::int64_t>(chosen.size()); row < first + logits.size(0); ++row) {
                const std::span values(logits.data_ptr<float>() + (row - first) * logits.size(1), count);
                auto best = mostProbable(values, 2 + static_cast<int>(options.banned.size()));
                std::erase_if(best, [&](std::int64_t id) {
                    return std::find(options.banned.begin(), options.banned.end(), id) != options.banned.end();
                });
                if (best.empty())
                    return {};
                const auto value = [&](std::size_t place) {
                    return static_cast<double>(values[static_cast<std::size_t>(best[place])]);
                };
                if (best.size() > 1)
                    leastLead = std::min(leastLead, value(0) - value(1));
                chosen.push_back(best.front());
                if (best.front() != draft[static_cast<std::size_t>(row)])
                    return chosen;
            }
        }
        return chosen;
    }

    /// An earlier translation to begin with, the one of the same source if there is one, otherwise the last; with what
    /// this one must begin with. Empty where there is none.
    std::vector<std::int64_t> draftFor(const DecodeOptions& options, const Trace& trace) const {
        const auto begun = options.begin.size();
        if (options.beam > 1 || m_earlier.empty() || static_cast<std::int64_t>(begun) >= options.maxLength)
            return {};
        const auto source = idsOf(trace.source);
        const auto same = std::find_if(m_earlier.begin(), m_earlier.end(),
                                       [&](const Earlier& earlier) { return earlier.source == source; });
        auto draft = (same == m_earlier.end() ? m_earlier.begin() : same)->ids;
        draft.resize(std::min(draft.size(), static_cast<std::size_t>(options.maxLength)));
        if (draft.size() <= begun)
            return {};
        std::copy(options.begin.begin(), options.begin.end(), draft.begin());
        return draft;
    }

    void remember(const Trace& trace, const std::vector<std::int64_t>& ids) {
        constexpr std::size_t most = 8; // texts, so that undoing an edit finds its translation
        auto source = idsOf(trace.source);
        std::erase_if(m_earlier, [&](const Earlier& earlier) { return earlier.source == source; });
        m_earlier.push_front({std::move(source), ids});
        if (m_earlier.size() > most)
            m_earlier.pop_back();
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
        if (!network().labels.empty()) { // it read its own source
            trace.targetText = trace.sourceText;
            return;
        }
        numberWords(trace.emitted); // where it stopped early the last one is of a word, too
        if (hasTokenizer())
            trace.targetText = tokenizer().decode(idsOf(trace.emitted));
    }

    Languages m_languages;                     ///< empty for most models
    bool m_marks = false;                      ///< a code is a word before the text (Marian)
    bool m_codeBehind = false;                 ///< behind the source, and the decoder's start token (the first mBART)
    std::optional<std::int64_t> m_forcedBegin; ///< what a translation begins with by itself
    std::optional<std::int64_t> m_sourceLanguage; ///< of this run, where the request names it
    std::optional<std::int64_t> m_targetLanguage;

    struct Earlier {
        std::vector<std::int64_t> source;
        std::vector<std::int64_t> ids; ///< of its translation, end token included
    };
    std::deque<Earlier> m_earlier; ///< the last one first
};

} // namespace

std::unique_ptr<Engine> translationEngine(LoadedModel loaded) {
    auto forced = loaded.network.forcedBegin;
    // Newer folders have what is for decoding in a file of its own.
    if (const auto file = loaded.folder / "generation_config.json"; !forced && std::filesystem::exists(file)) {
        constexpr std::uintmax_t largest = 1U << 20;
        const auto settings = readJsonFile(file, largest);
        if (settings.has("forced_bos_token_id"))
            forced = settings.at("forced_bos_token_id").integer(0, loaded.network.vocabulary - 1);
    }
    return std::make_unique<TranslationEngine>(std::move(loaded), forced);
}

} // namespace headlight
