#include "core/runs/open_model.h"

#include "core/files/hub.h"
#include "core/runs/analyse.h"
#include "core/runs/thread_choice.h"
#include "core/text/word_breaks.h"
#include "core/trace/letters.h"

#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <thread>
#include <utility>

namespace headlight {

namespace {

/// BigBird reads some blocks of keys several times, and like transformers a Trace has one reading of each.
void tellOfPartialRows(Trace& trace) {
    const auto& block = trace.encoder.value();
    double least = 1;
    for (auto row = block.weights.begin(); row != block.weights.end(); row += block.keys)
        least = std::min(least, std::accumulate(row, row + block.keys, 0.0));
    if (least > 0.999)
        return;
    std::ostringstream sum;
    sum << std::setprecision(2) << least;
    trace.notices.push_back("rows sum to less than 1, the least to " + sum.str()
                            + ": this model reads some keys several times, and a weight is of one reading");
}

} // namespace

void throwAsError(const std::filesystem::path& folder, const char* tooLarge, const char* remedy) {
    try {
        throw;
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc&) {
        throw Error(Error::Kind::Invalid, folder.string(), tooLarge, remedy);
    } catch (const c10::Error& error) {
        const std::string what = error.what_without_backtrace();
        if (what.find("DefaultCPUAllocator") != std::string::npos)
            throw Error(Error::Kind::Invalid, folder.string(), tooLarge, remedy);
        throw Error(Error::Kind::Invalid, folder.string(), what);
    } catch (const std::exception& error) {
        throw Error(Error::Kind::Invalid, folder.string(), error.what());
    }
}

std::vector<std::int64_t> mostProbable(std::span<const float> logits, int count) {
    std::vector<std::int64_t> best;
    const auto room = std::min(static_cast<std::size_t>(std::max(count, 0)), logits.size());
    if (room == 0)
        return best;
    best.reserve(room + 1);
    const auto value = [&](std::int64_t id) {
        const float logit = logits[static_cast<std::size_t>(id)];
        return std::isnan(logit) ? -std::numeric_limits<float>::infinity() : logit;
    };
    const auto take = [&](std::int64_t id) {
        const auto after = [&](std::int64_t other) { return value(id) > value(other); };
        best.insert(std::find_if(best.begin(), best.end(), after), id);
        if (best.size() > room)
            best.pop_back();
    };
    std::size_t next = 0;
    for (; next < room; ++next)
        take(static_cast<std::int64_t>(next));
    // Most are below the least of the best by far: whole runs are passed over by one comparison of each, side by side.
    constexpr std::size_t run = 64;
    for (; next < logits.size(); next += run) {
        const auto part = logits.subspan(next, std::min(run, logits.size() - next));
        const float least = value(best.back());
        unsigned above = 0;
        for (const float logit : part)
            above |= static_cast<unsigned>(logit > least);
        if (above == 0)
            continue;
        for (std::size_t i = 0; i < part.size(); ++i)
            if (part[i] > value(best.back()))
                take(static_cast<std::int64_t>(next + i));
    }
    return best;
}

OpenModel::OpenModel(LoadedModel loaded) : m_loaded(std::move(loaded)) {
    const auto& network = m_loaded.network;
    if (m_loaded.tokenizer && m_loaded.tokenizer->size() > network.vocabulary)
        throw Error(Error::Kind::Mismatch, m_loaded.folder.string(),
                    "the tokenizer has " + std::to_string(m_loaded.tokenizer->size()) + " tokens, the embedding "
                        + std::to_string(network.vocabulary) + " rows",
                    "the tokenizer's files and the weights must be of the same model");
    m_info.name = modelName(m_loaded.folder);
    m_info.family = m_loaded.network.family;
    m_info.parameters = m_loaded.parameters;
    m_info.encoderLayers = network.encoderLayers;
    m_info.decoderLayers = network.decoderLayers;
    m_info.crossLayers = network.crossLayers;
    m_info.heads = std::max(network.heads, network.decoderHeads);
    m_info.maxPositions = static_cast<int>(network.maxPositions);
    m_info.hasTokenizer = hasTokenizer();
    m_info.takesGlobalTokens = network.takesGlobalTokens;
    m_info.labels = network.labels;
    const bool saysOfEach = network.encoder  ? network.encoder->head() == EncoderHead::MaskedLanguage
                            : network.causal ? network.causal->head() == EncoderHead::None
                                             : true;
    m_sizes = {.encoderLayers = network.encoderLayers,
               .decoderLayers = network.decoderLayers,
               .crossLayers = network.crossLayers,
               .heads = m_info.heads,
               .headSize = network.headSize,
               .width = network.width,
               .feedForward = network.feedForward,
               .vocabulary = saysOfEach ? network.vocabulary : 0,
               .blockSparse = network.blockSparse};
}

TracePointer OpenModel::run(const Request& asked, std::stop_token stop) {
    torch::NoGradGuard noGradients;
    useThreads();
    try {
        Request request = asked;
        if (request.memory <= 0)
            request.memory = usualRunMemory();
        auto trace = std::make_shared<Trace>();
        trace->model = m_info.name;
        trace->family = m_info.family;
        trace->notices = m_loaded.notices;
        trace->intervention = request.intervention;
        checkHeadsOff(request.intervention);
        refuseForeign(request);
        Watch watch(request.record, std::max({m_sizes.encoderLayers, m_sizes.decoderLayers, m_sizes.crossLayers}));
        const auto start = std::chrono::steady_clock::now();
        runWatched(request, watch, stop, *trace);
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
        trace->timings.model = took.count() - trace->timings.tokenize;
        watch.freeze(*trace);
        if (m_sizes.blockSparse)
            tellOfPartialRows(*trace);
        recordMore(request, stop, *trace);
        keep(trace);
        return trace;
    } catch (const Stopped&) {
        return nullptr;
    } catch (...) {
        throwAsError(m_loaded.folder, "the run does not fit into memory", "shorten the text");
    }
}

namespace {

/// The blocks of an analysis whose array of that kind is [layers, heads, queries, keys], or without heads.
std::vector<AttentionBlock> blocksOf(Analyses& found, const std::string& name) {
    std::vector<AttentionBlock> blocks;
    for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross})
        for (auto& array : found.arrays) {
            if (array.name != name + kindName(kind))
                continue;
            auto& block = blocks.emplace_back();
            const auto size = [&](std::size_t place) { return static_cast<int>(array.shape[place]); };
            block.kind = kind;
            block.layers = size(0);
            block.heads = array.shape.size() == 4 ? size(1) : 1;
            block.queries = size(array.shape.size() - 2);
            block.keys = size(array.shape.size() - 1);
            block.weights = std::move(array.values);
        }
    return blocks;
}

/// Each row over its sum.
void makeShares(AttentionBlock& block) {
    for (auto row = block.weights.begin(); row != block.weights.end(); row += block.keys) {
        const float sum = std::accumulate(row, row + block.keys, 0.0F);
        if (sum > 0)
            std::for_each(row, row + block.keys, [sum](float& value) { value /= sum; });
    }
}

} // namespace

void OpenModel::recordMore(const Request& request, const std::stop_token& stop, Trace& trace) {
    AnalysisRequest asked;
    asked.leaveOut = true;
    asked.memory = request.memory;
    asked.position = 0; // what is looked at is all of it
    for (const auto& [wanted, analysis] : {std::pair(request.record.norms, Analysis::Norms),
                                           {request.record.alti, Analysis::Alti},
                                           {request.record.lens, Analysis::Lens}})
        if (wanted)
            asked.what.push_back(analysis);
    if (asked.what.empty())
        return;
    try {
        auto found = headlight::analyse(network(), trace, asked, stop);
        trace.norms = blocksOf(found, "value_norms.");
        std::for_each(trace.norms.begin(), trace.norms.end(), makeShares);
        trace.alti = blocksOf(found, "alti.");
        const auto* const ids = found.find("logit_lens.top5_ids");
        if (!ids)
            return;
        const auto& probabilities = found.find("logit_lens.top5_probabilities")->values;
        auto& lens = trace.lens.emplace();
        lens.layers = static_cast<int>(ids->shape[0]);
        lens.rows = static_cast<int>(ids->shape[1]);
        std::map<std::int64_t, Candidate> known; // the same few words at many places
        for (std::size_t cell = 0, next = 0; cell < ids->values.size() / static_cast<std::size_t>(ids->shape[2]);
             ++cell) {
            auto& prediction = lens.predictions.emplace_back();
            prediction.position = static_cast<int>(cell) % lens.rows;
            for (std::int64_t k = 0; k < ids->shape[2]; ++k, ++next) {
                const auto id = static_cast<std::int64_t>(ids->values[next]);
                const auto [candidate, isNew] = known.try_emplace(id);
                if (isNew)
                    candidate->second = candidateOf(id, 0);
                prediction.candidates.push_back(candidate->second);
                prediction.candidates.back().probability = probabilities[next];
            }
        }
        for (const float rank : found.find("logit_lens.final_rank")->values)
            lens.finalRanks.push_back(static_cast<int>(rank));
    } catch (const Error& error) { // such as too little memory: the run is there all the same
        trace.notices.push_back(error.what());
    }
}

AnalysesPointer OpenModel::analyse(const Trace& run, const AnalysisRequest& asked, std::stop_token stop) {
    torch::NoGradGuard noGradients;
    useThreads();
    try {
        for (const auto* const one : {&run, asked.against.get()})
            if (one && (one->model != m_info.name || one->family != m_info.family))
                throw Error(Error::Kind::Mismatch, m_info.name, "the run is one of " + one->model,
                            "analyse it with the model that made it");
        auto exact = asked;
        if (!exact.position)
            exact.position = naturalRow(run);
        constexpr int mostTimes = 4;
        if (exact.repeated.empty())
            exact.repeated = drawnIds(mostTimes);
        return std::make_shared<const Analyses>(headlight::analyse(network(), run, exact, stop));
    } catch (const Stopped&) {
        return nullptr;
    } catch (...) {
        throwAsError(m_loaded.folder, "the analysis does not fit into memory", "shorten the text");
    }
}

int OpenModel::naturalRow(const Trace& run) const {
    const auto& rows = run.target.empty() ? run.source : run.target;
    const int last = static_cast<int>(rows.size()) - 1;
    if (!m_loaded.network.encoder)
        return last;
    for (int row = 0; row <= last; ++row)
        if (!m_info.mask.empty() && rows[static_cast<std::size_t>(row)].text == m_info.mask)
            return row;
    for (int row = last; row >= 0; --row)
        if (!rows[static_cast<std::size_t>(row)].special)
            return row;
    return last;
}

std::vector<std::int64_t> OpenModel::drawnIds(int times) const {
    constexpr std::int64_t usual = 24;
    const auto most = std::min(usual, (m_loaded.network.maxPositions - 1) / times);
    std::vector<std::int64_t> ids;
    std::mt19937 draw(1); // as the standard defines it: the same everywhere
    for (int tries = 0; tries < 1000 && std::ssize(ids) < most; ++tries) {
        const auto id = static_cast<std::int64_t>(draw() % static_cast<std::uint64_t>(m_loaded.network.vocabulary));
        if (std::find(ids.begin(), ids.end(), id) == ids.end() && !tokenOf(id).special)
            ids.push_back(id);
    }
    return ids;
}

void OpenModel::useThreads() {
    int threads = s_threads;
    if (threads == 0) {
        if (m_threads == 0)
            m_threads = rememberedThreads(threadsFile(), m_info.parameters, [this] { return fastestThreads(); });
        threads = m_threads;
    }
    s_used = threads;
    if (torch::get_num_threads() != threads) // OpenMP keeps their number for each thread that asks
        torch::set_num_threads(threads);
}

int OpenModel::fastestThreads() {
    using Clock = std::chrono::steady_clock;
    torch::NoGradGuard noGradients;
    const int before = torch::get_num_threads();
    const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    torch::Tensor weight; // the largest of those that stand for most of the model
    for (const auto& parameter : network().module().parameters())
        if (parameter.dim() == 2 && (!weight.defined() || parameter.numel() > weight.numel())
            && parameter.size(0) < m_loaded.network.vocabulary)
            weight = parameter;
    if (!weight.defined() || cores == 1)
        return 1;
    const auto one = torch::randn({weight.size(1)}), some = torch::randn({16, weight.size(1)});
    const auto round = [&] { // as a step of decoding, and as a sentence
        torch::mv(weight, one);
        torch::mm(some, weight.t());
    };
    std::map<int, std::vector<double>> took;
    const std::set<int> counts{1, 2, cores};
    constexpr int rounds = 9; // by turns, so that what else the machine does troubles all alike
    for (int i = 0; i < rounds; ++i) {
        for (const int threads : counts) {
            torch::set_num_threads(threads);
            round(); // whose threads may have to be made
            const auto start = Clock::now();
            for (int k = 0; k < 3; ++k)
                round();
            took[threads].push_back(std::chrono::duration<double>(Clock::now() - start).count());
        }
    }
    torch::set_num_threads(before);
    const auto slower = [&](int threads) { // than three of four rounds: a busy machine is the case to fear
        auto& times = took[threads];
        std::sort(times.begin(), times.end());
        return times[times.size() * 3 / 4];
    };
    int best = 1;
    for (const int threads : counts)
        if (slower(threads) < 0.85 * slower(1) && slower(threads) < slower(best))
            best = threads;
    return best;
}

void OpenModel::refuseForeign(const Request& request) const {
    const auto refuse = [&](const char* option, const char* why) {
        throw Error(Error::Kind::Unsupported, option, m_info.name + " (" + m_info.family + ") " + why, "leave it out");
    };
    if (!request.globalTokens.empty() && !m_info.takesGlobalTokens)
        refuse("--global", "has no windows beyond which a token could see");
    if (!request.sourceLanguage.empty() && m_info.sourceLanguages.empty())
        refuse("--from-language", "is not told the language of its source");
    if (!request.targetLanguage.empty() && m_info.targetLanguages.empty())
        refuse("--to-language", "has no languages to choose from");
    if (!request.prefix.empty() && !request.sourceIds.empty())
        throw Error(Error::Kind::Invalid, "--prefix", "stands before a text, not before ids",
                    "give its ids before the others");
}

void OpenModel::checkHeadsOff(const Intervention& intervention) const {
    for (const auto& off : intervention.off) {
        const auto [kind, layers] = off.kind == BlockKind::Encoder   ? std::pair("encoder", m_info.encoderLayers)
                                    : off.kind == BlockKind::Decoder ? std::pair("decoder", m_info.decoderLayers)
                                                                     : std::pair("cross", m_info.crossLayers);
        const auto heads = m_loaded.network.headsOf(off.kind);
        if (off.layer.value >= 0 && off.layer.value < layers && off.head.value >= 0 && off.head.value < heads)
            continue;
        throw Error(Error::Kind::Invalid, info().name,
                    std::string(kind) + " layer " + std::to_string(off.layer.value) + ", head "
                        + std::to_string(off.head.value) + " cannot be switched off: there is none",
                    layers == 0 ? "it has no attention of kind " + std::string(kind)
                                : "it has " + std::to_string(layers) + " such layers of " + std::to_string(heads)
                                      + " heads, counted from 0");
    }
}

const Tokenizer& OpenModel::tokenizer() const {
    if (!m_loaded.tokenizer)
        throw Error(Error::Kind::Invalid, m_loaded.folder.string(), "the folder has no tokenizer that is known",
                    "give token ids instead of text");
    return *m_loaded.tokenizer;
}

bool OpenModel::isSpecial(std::int64_t id) const {
    const auto& ids = m_loaded.network.ids;
    return id == ids.start || id == ids.end || id == ids.pad;
}

Token OpenModel::tokenOf(std::int64_t id) const {
    Token token = hasTokenizer()
                      ? tokenizer().token(id)
                      : Token{.id = id, .text = std::to_string(id), .letters = std::to_string(id), .bytes = {}};
    token.bytes = {};
    token.word = -1;
    token.special = token.special || isSpecial(id);
    return token;
}

Candidate OpenModel::candidateOf(std::int64_t id, float probability) const {
    auto token = tokenOf(id);
    return {id, std::move(token.text), probability, std::move(token.letters)};
}

std::vector<Token> OpenModel::tokensOf(const std::vector<std::int64_t>& ids) const {
    std::vector<Token> tokens;
    for (const auto id : ids)
        tokens.push_back(tokenOf(id));
    numberWords(tokens);
    return tokens;
}

std::vector<Token> OpenModel::givenTokens(const std::vector<std::int64_t>& ids, const char* option,
                                          std::int64_t vocabulary) const {
    const auto known = vocabulary > 0 ? vocabulary : m_loaded.network.vocabulary;
    for (const auto id : ids)
        if (id < 0 || id >= known)
            throw Error(Error::Kind::Invalid, option, std::to_string(id) + " is not an id of this model",
                        "ids go from 0 to " + std::to_string(known - 1));
    return tokensOf(ids);
}

OpenModel::Room OpenModel::roomFor(std::size_t wanted, const Request& request, const LengthOf& lengthOf) const {
    const auto read = m_loaded.network.maxPositions;
    const auto most = std::min(static_cast<std::int64_t>(wanted), read);
    const auto bytesOf = [&](std::int64_t tokens) { return runBytes(m_sizes, lengthOf(tokens), request.record); };
    if (bytesOf(most) <= request.memory)
        return {static_cast<std::size_t>(read), "this model reads " + std::to_string(read)};
    std::int64_t fits = 0;
    for (std::int64_t beyond = most; beyond - fits > 1;) {
        const auto middle = fits + (beyond - fits) / 2;
        (bytesOf(middle) <= request.memory ? fits : beyond) = middle;
    }
    constexpr std::int64_t hardlyAny = 8;
    if (fits < hardlyAny)
        throw Error(Error::Kind::Invalid, m_info.name,
                    "a run of " + std::to_string(most) + " tokens takes " + memoryInWords(bytesOf(most))
                        + " of memory, it may take " + memoryInWords(request.memory),
                    "close other models or programs, or shorten the text");
    return {static_cast<std::size_t>(fits), "the memory that a run may take, " + memoryInWords(request.memory)
                                                + ", is enough for " + std::to_string(fits)};
}

std::vector<Token> OpenModel::encoded(const std::string& text, const Request& request) const {
    const auto& prefix = request.prefix;
    auto tokens = request.specialsInText ? tokenizer().encode(prefix + text) : tokenizer().encodePlain(prefix + text);
    if (prefix.empty())
        return tokens;
    std::optional<int> firstWord;
    for (auto& token : tokens) {
        const auto inText = [&](std::size_t place) { return std::max(place, prefix.size()) - prefix.size(); };
        token.bytes = {inText(token.bytes.begin), inText(token.bytes.end)};
        if (token.bytes.empty()) {
            token.word = -1;
            continue;
        }
        if (!firstWord && token.word >= 0)
            firstWord = token.word;
        if (token.word >= 0)
            token.word -= *firstWord;
    }
    return tokens;
}

std::vector<Token> OpenModel::readSource(const Request& request, bool keepEnd, const LengthOf& lengthOf,
                                         Trace& trace) const {
    const auto start = std::chrono::steady_clock::now();
    trace.sourceText = request.source;
    trace.secondText = request.second.value_or(std::string());
    std::vector<Token> tokens;
    std::optional<std::vector<Token>> second;
    std::size_t specials = 0;
    if (!request.sourceIds.empty()) {
        tokens = givenTokens(request.sourceIds, "--ids", m_loaded.network.sourceVocabulary);
    } else {
        tokens = encoded(request.source, request);
        if (request.second)
            second =
                request.specialsInText ? tokenizer().encode(*request.second) : tokenizer().encodePlain(*request.second);
        specials = tokenizer().assemble({}, second ? std::optional(std::vector<Token>()) : std::nullopt).size();
    }
    const auto others = specials + (second ? second->size() : 0);
    const auto limit = roomFor(tokens.size() + others, request, lengthOf);
    const auto room = limit.tokens;
    if (tokens.size() + others > room) {
        // The first text gives way, down to nothing; then the second one's end.
        const auto kept = others < room ? std::min(tokens.size(), room - others) : 0;
        const auto left = tokens.size() - kept;
        const auto begin = request.skip ? std::min(static_cast<std::size_t>(std::max(*request.skip, 0)), left)
                           : keepEnd    ? left
                                        : 0;
        trace.window = Window{static_cast<int>(begin), static_cast<int>(kept), static_cast<int>(tokens.size())};
        trace.notices.push_back("source cut: " + std::to_string(tokens.size() + others) + " tokens, " + limit.why);
        tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(begin));
        tokens.resize(kept);
        if (second && second->size() > room - std::min(room, specials + kept))
            second->resize(room - std::min(room, specials + kept));
    }
    if (request.sourceIds.empty()) {
        tokens = tokenizer().assemble(std::move(tokens), std::move(second));
        frame(request, tokens);
    }
    if (tokens.size() > room) // where even the specials are too many
        tokens.resize(room);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    trace.timings.tokenize = took.count();
    return tokens;
}

void OpenModel::refuseSegments(const Request& request) const {
    if (!request.segmentIds.empty())
        throw Error(Error::Kind::Unsupported, "--segment-ids",
                    m_info.name + " (" + m_info.family + ") is no encoder alone, which could tell texts apart",
                    "leave them out");
}

void OpenModel::cut(std::vector<Token>& tokens, const Room& room, const char* what, Trace& trace) {
    if (tokens.size() <= room.tokens)
        return;
    trace.notices.push_back(std::string(what) + " cut: " + std::to_string(tokens.size()) + " tokens, " + room.why);
    tokens.resize(room.tokens);
}

std::int64_t OpenModel::predict(const torch::Tensor& hidden, const LogitsOf& logitsOf, const Request& request,
                                const std::vector<bool>& masked, Trace& trace, std::int64_t before) const {
    const auto rows = hidden.size(0), atOnce = rowsAtOnce(m_loaded.network.vocabulary);
    if (request.record.logits) {
        if (!trace.logits)
            trace.logits.emplace();
        trace.logits->values.reserve(static_cast<std::size_t>((before + rows) * m_loaded.network.vocabulary));
    }
    std::int64_t last = 0;
    for (std::int64_t first = 0; first < rows; first += atOnce) {
        const auto logits =
            logitsOf(hidden.narrow(0, first, std::min(atOnce, rows - first))).to(torch::kFloat32).contiguous();
        warnOfNaN(logits, trace);
        keepLogits(logits, request, trace);
        predictRows(logits, before + first, request, masked, trace);
        last = logits[logits.size(0) - 1].argmax().item<std::int64_t>();
    }
    return last;
}

void OpenModel::predictRows(const torch::Tensor& logits, std::int64_t first, const Request& request,
                            const std::vector<bool>& masked, Trace& trace) const {
    const auto& record = request.record;
    const auto rows = logits.size(0), vocabulary = logits.size(1);
    const double temperature = request.sampling.temperature;
    constexpr std::int64_t cached = 16; // rows whose softmax is read again before it has left the caches
    for (std::int64_t begin = 0; begin < rows; begin += cached) {
        const auto some = logits.narrow(0, begin, std::min(cached, rows - begin));
        const auto all = torch::softmax(temperature == 1 ? some : some / temperature, -1); // [≤ cached, V]
        for (std::int64_t i = 0; i < some.size(0); ++i) {
            const auto row = first + begin + i;
            const auto at = static_cast<std::size_t>(row);
            const float* const logit = some.data_ptr<float>() + i * vocabulary;
            const float* const probability = all.data_ptr<float>() + i * vocabulary;
            const auto kept = at < masked.size() && masked[at] ? record.maskCandidates : record.candidates;
            Prediction prediction{static_cast<int>(row), {}};
            for (const auto id : mostProbable({logit, static_cast<std::size_t>(vocabulary)}, kept))
                prediction.candidates.push_back(candidateOf(id, probability[id]));
            if (at < record.asked.size())
                for (const auto asked : record.asked[at])
                    if (asked >= 0 && asked < vocabulary)
                        prediction.asked.push_back(candidateOf(asked, probability[asked]));
            if (!prediction.candidates.empty() || !prediction.asked.empty())
                trace.predictions.push_back(std::move(prediction));
        }
    }
}

void OpenModel::keepLogits(const torch::Tensor& logits, const Request& request, Trace& trace) {
    if (!request.record.logits)
        return;
    if (!trace.logits)
        trace.logits.emplace();
    auto& kept = *trace.logits;
    kept.rows += static_cast<int>(logits.size(0));
    kept.vocabulary = static_cast<int>(logits.size(1));
    kept.values.insert(kept.values.end(), logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel());
}

std::vector<Candidate> OpenModel::labelled(const torch::Tensor& logits) const {
    const auto probabilities = network().labelsExclude ? torch::softmax(logits, -1) : torch::sigmoid(logits);
    const auto [values, indices] = probabilities.sort(-1, true);
    const auto probability = values.contiguous(), id = indices.contiguous();
    std::vector<Candidate> labels;
    for (std::int64_t k = 0; k < id.size(0); ++k) {
        const auto label = id.data_ptr<std::int64_t>()[k];
        const auto& name = network().labels.at(static_cast<std::size_t>(label));
        labels.push_back({label, name, probability.data_ptr<float>()[k], name});
    }
    return labels;
}

void OpenModel::classify(const torch::Tensor& logits, const Request& request, Trace& trace) const {
    warnOfNaN(logits, trace);
    keepLogits(logits, request, trace);
    const auto values = logits.squeeze(0).contiguous();
    if (values.size(0) == 1) { // a regression: a number, no probability
        trace.quantities.push_back({network().labels.front(), values.item<float>()});
        return;
    }
    trace.labels = labelled(values);
    trace.labelsExclude = network().labelsExclude;
}

void OpenModel::classifyTokens(const torch::Tensor& logits, const Request& request, Trace& trace) const {
    warnOfNaN(logits, trace);
    keepLogits(logits, request, trace);
    for (std::int64_t row = 0; row < logits.size(0); ++row)
        trace.tokenLabels.push_back({static_cast<int>(row), labelled(logits[row])});
    trace.labelsExclude = network().labelsExclude;
}

void OpenModel::warnOfNaN(const torch::Tensor& logits, Trace& trace) {
    // A sum costs a fraction of looking at each number; it is finite only where all of them are.
    if (std::isfinite(logits.sum().item<float>()) || torch::isfinite(logits).all().item<bool>())
        return;
    if (std::find(trace.notices.begin(), trace.notices.end(), brokenOutput) == trace.notices.end())
        trace.notices.push_back(brokenOutput);
}

std::vector<std::int64_t> OpenModel::idsOf(const std::vector<Token>& tokens) {
    std::vector<std::int64_t> ids;
    ids.reserve(tokens.size());
    for (const auto& token : tokens)
        ids.push_back(token.id);
    return ids;
}

torch::Tensor OpenModel::batchOfOne(const std::vector<std::int64_t>& ids) {
    return torch::tensor(ids, torch::kInt64).unsqueeze(0);
}

void OpenModel::numberWords(std::vector<Token>& tokens, std::size_t from) const {
    if (!hasTokenizer())
        return; // numbers are no words
    static const WordBreaker breaker;
    // What goes on with the last word before is of that word, so all of the text is cut.
    const auto spelled = spelledText(tokens);
    const auto words = breaker.words(spelled.text);
    auto placed = tokens;
    for (std::size_t i = 0; i < placed.size(); ++i)
        placed[i].bytes = spelled.places[i];
    headlight::numberWords(placed, words);
    int last = -1, word = -1; // the last token's, in `words` and as it is numbered here
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i].special)
            continue;
        if (i < from)
            word = std::max(word, tokens[i].word);
        else
            tokens[i].word = word = placed[i].word == last && word >= 0 ? word : word + 1;
        last = placed[i].word;
    }
}

} // namespace headlight
