// Encoder and decoder: decode, unless the target is given, then one watched pass over the target.
#include "core/files/json.h"
#include "core/nn/decode.h"
#include "core/runs/languages.h"
#include "core/runs/open_model.h"

#include <torch/types.h>

#include <algorithm>

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
        std::optional<std::int64_t> last = forced;
        if (trace.target.empty())
            last = decodeOwn(request, memory, stop, trace);
        // Decoding chose the words; this one pass over all of them is what every run records, so that a model's own
        // translation and the same words forced upon it give the same Trace.
        const auto states = model.decode(batchOfOne(idsOf(trace.target)), memory, context);
        context.checkStop();
        const auto logits = model.logits(states).squeeze(0).to(torch::kFloat32).contiguous(); // [T, V]
        finishEmitted(last ? *last : logits[logits.size(0) - 1].argmax().item<std::int64_t>(), request, trace);
        if (labels)
            classify(model.labels(states.select(1, lastEnd(trace))).to(torch::kFloat32).contiguous(), request, trace);
        else
            predict(logits, request, {}, trace);
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

    /// Returns what it gave out last.
    std::int64_t decodeOwn(const Request& request, const Memory& memory, const std::stop_token& stop, Trace& trace) {
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
        trace.target.insert(trace.target.begin(), tokenOf(startToken()));
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
