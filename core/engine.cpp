// Opens a model folder and turns requests into Traces: tokenize, decode, then one watched pass over the target.
#include "core/engine.h"

#include "core/blas.h"
#include "core/families/family.h"
#include "core/nn/decode.h"
#include "core/text/tokenizer.h"

#include <torch/torch.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace headlight {

namespace {

class Stopwatch {
public:
    double milliseconds() const {
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - m_start).count();
    }

private:
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
};

std::vector<std::int64_t> idsOf(const std::vector<Token>& tokens) {
    std::vector<std::int64_t> ids;
    ids.reserve(tokens.size());
    for (const auto& token : tokens)
        ids.push_back(token.id);
    return ids;
}

torch::Tensor batchOfOne(const std::vector<std::int64_t>& ids) {
    return torch::tensor(ids, torch::kInt64).unsqueeze(0); // [1, T]
}

/// An encoder–decoder model with its tokenizer.
class TranslationEngine : public Engine {
public:
    TranslationEngine(const std::filesystem::path& folder, const ModelConfig& config, const Weights& weights,
                      std::unique_ptr<Tokenizer> tokenizer)
        : m_network(openNetwork(config, weights)), m_tokenizer(std::move(tokenizer)), m_place(folder.string()) {
        if (!m_network.translator)
            throw Error(Error::Kind::Unsupported, m_place,
                        "the model_type \"" + config.modelType()
                            + "\" has no encoder and decoder, and others cannot be "
                              "run yet");
        if (m_tokenizer && m_tokenizer->size() > m_network.vocabulary)
            throw Error(Error::Kind::Mismatch, m_place,
                        "the tokenizer has " + std::to_string(m_tokenizer->size()) + " tokens, the embedding "
                            + std::to_string(m_network.vocabulary) + " rows",
                        "the tokenizer's files and the weights must be of the same model");
        m_info.name = std::filesystem::absolute(folder).lexically_normal().filename().string();
        if (m_info.name.empty()) // a path that ends in a slash
            m_info.name = std::filesystem::absolute(folder).lexically_normal().parent_path().filename().string();
        m_info.family = config.modelType();
        m_info.hasDecoder = true;
        m_info.parameters = weights.parameterCount();
        m_info.encoderLayers = m_network.encoderLayers;
        m_info.decoderLayers = m_network.decoderLayers;
        m_info.heads = m_network.heads;
        m_info.maxPositions = static_cast<int>(m_network.maxPositions);
        m_info.hasTokenizer = m_tokenizer != nullptr;
    }

    const ModelInfo& info() const override { return m_info; }

    TracePointer run(const Request& request, std::stop_token stop) override {
        torch::NoGradGuard noGradients;
        try {
            return runWatched(request, stop);
        } catch (const Stopped&) {
            return nullptr;
        } catch (const c10::Error& error) {
            throw Error(Error::Kind::Invalid, m_place, error.what_without_backtrace());
        } catch (const std::bad_alloc&) {
            throw Error(Error::Kind::Invalid, m_place, "the run does not fit into memory", "shorten the text");
        }
    }

private:
    Token special(std::int64_t id) const {
        Token token = named(id);
        token.bytes = {};
        token.word = -1;
        token.special = true;
        return token;
    }

    Token named(std::int64_t id) const {
        if (m_tokenizer)
            return m_tokenizer->token(id);
        return {.id = id, .text = std::to_string(id), .bytes = {}, .word = -1, .special = isSpecial(id)};
    }

    bool isSpecial(std::int64_t id) const {
        return id == m_network.ids.start || id == m_network.ids.end || id == m_network.ids.pad;
    }

    /// Tokens of ids that nobody typed.
    std::vector<Token> tokensOf(const std::vector<std::int64_t>& ids, const char* option) const {
        std::vector<Token> tokens;
        for (const auto id : ids) {
            if (id < 0 || id >= m_network.vocabulary)
                throw Error(Error::Kind::Invalid, option, std::to_string(id) + " is not an id of this model",
                            "ids go from 0 to " + std::to_string(m_network.vocabulary - 1));
            tokens.push_back(isSpecial(id) ? special(id) : named(id));
        }
        numberWords(tokens);
        return tokens;
    }

    /// Words of generated tokens: a new one begins at a space mark.
    static void numberWords(std::vector<Token>& tokens) {
        int word = -1;
        for (auto& token : tokens) {
            if (token.special)
                continue;
            if (word < 0 || token.text.starts_with("\u2581"))
                ++word;
            token.word = word;
        }
    }

    void cut(std::vector<Token>& tokens, std::size_t most, const char* what, Trace& trace) const {
        if (tokens.size() <= most)
            return;
        trace.notices.push_back(std::string(what) + " cut: " + std::to_string(tokens.size())
                                + " tokens, this model reads " + std::to_string(most));
        tokens.resize(most);
    }

    Tokenizer& tokenizer() const {
        if (!m_tokenizer)
            throw Error(Error::Kind::Invalid, m_place, "the folder has no tokenizer that is known",
                        "give token ids instead of text");
        return *m_tokenizer;
    }

    void readSource(const Request& request, Trace& trace) const {
        const auto room = static_cast<std::size_t>(m_network.maxPositions);
        trace.sourceText = request.source;
        if (!request.sourceIds.empty()) {
            trace.source = tokensOf(request.sourceIds, "--ids");
            cut(trace.source, room, "source", trace);
            return;
        }
        trace.source = tokenizer().encode(request.source);
        cut(trace.source, room - 1, "source", trace);
        trace.source.push_back(special(m_network.ids.end));
    }

    /// What the decoder takes in when the target is given. False when the model is to decode its own.
    bool readTarget(const Request& request, Trace& trace) const {
        const auto room = static_cast<std::size_t>(m_network.maxPositions);
        if (!request.targetIds.empty()) {
            trace.target = tokensOf(request.targetIds, "--target-ids");
            cut(trace.target, room, "target", trace);
        } else if (request.target) {
            trace.target = tokenizer().encodeTarget(*request.target);
            cut(trace.target, room - 1, "target", trace);
            trace.target.insert(trace.target.begin(), special(m_network.ids.start));
        } else {
            return false;
        }
        trace.targetForced = true;
        return true;
    }

    std::vector<Token> decoded(const std::vector<std::int64_t>& ids) const {
        std::vector<Token> tokens;
        for (const auto id : ids)
            tokens.push_back(isSpecial(id) ? special(id) : named(id));
        numberWords(tokens);
        return tokens;
    }

    TracePointer runWatched(const Request& request, const std::stop_token& stop) {
        auto trace = std::make_shared<Trace>();
        trace->model = m_info.name;
        trace->family = m_info.family;

        const Stopwatch tokenizing;
        readSource(request, *trace);
        const bool forced = readTarget(request, *trace);
        trace->timings.tokenize = tokenizing.milliseconds();

        const Stopwatch running;
        Watch watch(request.record);
        const Context context{&watch, stop};
        auto& model = *m_network.translator;
        const auto memory = model.encode(batchOfOne(idsOf(trace->source)), {}, context);
        if (!forced)
            decodeOwn(request, memory, stop, *trace);
        auto emittedIds = shifted(trace->target);
        // Decoding chose the words; this one pass over all of them is what every run records, so that a model's own
        // translation and the same words forced upon it give the same Trace.
        const auto states = model.decode(batchOfOne(idsOf(trace->target)), memory, context);
        context.checkStop();
        const auto logits = model.logits(states).squeeze(0).to(torch::kFloat32).contiguous(); // [T, V]
        if (forced)
            emittedIds.push_back(request.targetIds.empty() ? m_network.ids.end : best(logits));
        else
            emittedIds.push_back(m_lastOwn);
        finishEmitted(emittedIds, request.targetIds.empty() ? request.target : std::nullopt, *trace);
        watch.freeze(*trace);
        predict(logits, request.record, *trace);
        trace->timings.model = running.milliseconds();
        return trace;
    }

    static std::vector<std::int64_t> shifted(const std::vector<Token>& target) {
        auto ids = idsOf(target);
        ids.erase(ids.begin());
        return ids;
    }

    static std::int64_t best(const torch::Tensor& logits) {
        return logits.select(0, logits.size(0) - 1).argmax().item<std::int64_t>();
    }

    void decodeOwn(const Request& request, const Memory& memory, const std::stop_token& stop, Trace& trace) {
        // A translation is rarely twice as long as its source; a model that never ends would cost the user's time.
        const auto longest =
            std::min<std::int64_t>(m_network.maxPositions, 2 * static_cast<std::int64_t>(trace.source.size()) + 10);
        DecodeOptions options{.beam = std::clamp(request.beam, 1, 64),
                              .maxLength = longest,
                              .ids = m_network.ids,
                              .banned = m_network.banned};
        if (request.maxLength > 0)
            options.maxLength = std::min<std::int64_t>(m_network.maxPositions, request.maxLength);
        auto ids = decodeBest(*m_network.translator, memory, options, Context{nullptr, stop}).front();
        if (ids.empty()) // nothing can be chosen from output that is not finite; predict() says so
            ids.push_back(m_network.ids.end);
        m_lastOwn = ids.back();
        if (m_lastOwn != m_network.ids.end)
            trace.notices.push_back("translation stopped after " + std::to_string(ids.size()) + " tokens");
        ids.pop_back();
        trace.target = decoded(ids);
        trace.target.insert(trace.target.begin(), special(m_network.ids.start));
    }

    void finishEmitted(const std::vector<std::int64_t>& emittedIds, const std::optional<std::string>& typed,
                       Trace& trace) const {
        // The same tokens one step earlier, with the places in the typed target that they already know.
        trace.emitted.assign(trace.target.begin() + 1, trace.target.end());
        const auto last = emittedIds.back();
        trace.emitted.push_back(isSpecial(last) ? special(last) : named(last));
        if (typed) { // the tokens' places are places in it
            trace.targetText = *typed;
            return;
        }
        numberWords(trace.emitted); // where it stopped early the last one is of a word, too
        if (m_tokenizer)
            trace.targetText = m_tokenizer->decode(emittedIds);
    }

    void predict(const torch::Tensor& logits, const Recording& record, Trace& trace) const {
        if (!torch::isfinite(logits).all().item<bool>())
            trace.notices.push_back("the model's output is not finite: its weights are broken");
        const auto kept = std::min<std::int64_t>(record.candidates, logits.size(1));
        if (kept > 0) {
            const auto [values, ids] = torch::softmax(logits, -1).topk(kept);
            const auto probability = values.contiguous();
            const auto id = ids.contiguous();
            for (std::int64_t row = 0; row < logits.size(0); ++row) {
                Prediction prediction{static_cast<int>(row), {}};
                for (std::int64_t k = 0; k < kept; ++k) {
                    const auto candidate = id.data_ptr<std::int64_t>()[row * kept + k];
                    prediction.candidates.push_back(
                        {candidate, named(candidate).text, probability.data_ptr<float>()[row * kept + k]});
                }
                trace.predictions.push_back(std::move(prediction));
            }
        }
        if (record.logits) {
            auto& kept2 = trace.logits.emplace();
            kept2.rows = static_cast<int>(logits.size(0));
            kept2.vocabulary = static_cast<int>(logits.size(1));
            kept2.values.assign(logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel());
        }
    }

    Network m_network;
    std::unique_ptr<Tokenizer> m_tokenizer;
    std::string m_place;
    ModelInfo m_info;
    std::int64_t m_lastOwn = 0;
};

/// Null when the folder has no tokenizer at all: ids can still be run. A broken one throws.
std::unique_ptr<Tokenizer> tokenizerIfAny(const std::filesystem::path& folder) {
    try {
        return openTokenizer(folder);
    } catch (const Error& error) {
        if (error.kind() == Error::Kind::NotFound)
            return nullptr;
        throw;
    }
}

} // namespace

std::unique_ptr<Engine> Engine::open(const std::filesystem::path& folder) {
    try {
        const auto config = ModelConfig::open(folder);
        findFamily(config); // an unknown family is said before missing weights are
        return std::make_unique<TranslationEngine>(folder, config, Weights::open(folder), tokenizerIfAny(folder));
    } catch (const c10::Error& error) {
        throw Error(Error::Kind::Invalid, folder.string(), error.what_without_backtrace());
    } catch (const std::bad_alloc&) {
        throw Error(Error::Kind::Invalid, folder.string(), "the model does not fit into memory");
    }
}

std::vector<Token> Engine::tokenize(const std::filesystem::path& folder, std::string_view text) {
    return openTokenizer(folder)->encode(text);
}

std::function<std::vector<Token>(std::string_view)> Engine::tokenizerOf(const std::filesystem::path& folder) {
    return [tokenizer = std::shared_ptr<const Tokenizer>(openTokenizer(folder))](std::string_view text) {
        return tokenizer->encode(text);
    };
}

ComputeInfo Engine::compute() {
    ComputeInfo info;
    info.libtorch = TORCH_VERSION;
    info.threads = torch::get_num_threads();
    info.blas = blas().library;
    info.slowBlas = blas().slow;
    return info;
}

void Engine::setThreads(int threads) {
    torch::set_num_threads(std::max(threads, 1));
}

} // namespace headlight
