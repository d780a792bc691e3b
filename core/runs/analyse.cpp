#include "core/runs/analyse.h"

#include "core/analysis/head_metrics.h"
#include "core/analysis/rollout.h"
#include "core/error.h"
#include "core/runs/budget.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

namespace headlight {

namespace {

torch::Tensor batchOfOne(const std::vector<std::int64_t>& ids) {
    return torch::tensor(ids, torch::kInt64).unsqueeze(0);
}

std::vector<std::int64_t> idsOf(const std::vector<Token>& tokens) {
    std::vector<std::int64_t> ids;
    for (const auto& token : tokens)
        ids.push_back(token.id);
    return ids;
}

bool asks(const AnalysisRequest& asked, Analysis analysis) {
    return std::find(asked.what.begin(), asked.what.end(), analysis) != asked.what.end();
}

constexpr int longestFlow = 128; // tokens: a flow for each pair of them

/// Why a model, or a run of it, cannot be analysed so; empty where it can.
std::string whyNot(Analysis analysis, const Subject& subject, const AnalysisRequest& asked) {
    const auto& network = subject.network();
    if (!subject.isTransformer())
        return "it is recurrent: there are no layers of a Transformer in it";
    const bool partial = network.blockSparse || network.takesGlobalTokens;
    const bool ofWeightsAlone = analysis == Analysis::Rollout || analysis == Analysis::Flow
                                || analysis == Analysis::Patterns || analysis == Analysis::Circuits;
    if (partial && !ofWeightsAlone)
        return "some of its tokens see all, others a part of the text, in ways that no weight tells";
    switch (analysis) {
    case Analysis::Flow:
        if (static_cast<int>(std::max(subject.run().source.size(), subject.run().target.size())) > longestFlow)
            return "the text has more than " + std::to_string(longestFlow) + " tokens, and each pair is a flow";
        return {};
    case Analysis::Lens:
        return subject.saysTokens() ? "" : "it does not say tokens";
    case Analysis::Direct:
        if (!subject.saysTokens())
            return "it does not say tokens";
        return network.encoder ? "its head is not linear, so a logit is no sum of parts" : "";
    case Analysis::Gradient:
    case Analysis::Integrated:
    case Analysis::Importance:
    case Analysis::Ablation:
        return subject.says() ? "" : "it has no head, and says nothing that could change";
    case Analysis::Patching:
        if (network.translator || !subject.saysTokens())
            return "texts are patched into each other where one stack reads and says tokens";
        if (!asked.against)
            return "it needs a second text";
        return subject.rows().size() == Subject(subject.network(), *asked.against, {}).rows().size()
                   ? ""
                   : "both texts must have as many tokens: these have " + std::to_string(subject.rows().size())
                         + " and " + std::to_string(Subject(subject.network(), *asked.against, {}).rows().size());
    default:
        return {};
    }
}

/// About what an analysis takes beside the model, at its height.
std::int64_t bytesOf(Analysis analysis, const Subject& subject) {
    const auto& network = subject.network();
    const auto number = [](auto value) { return static_cast<double>(value); };
    const double tokens = number(std::max(subject.run().source.size(), subject.run().target.size()));
    const double layers = number(network.encoderLayers + network.decoderLayers + network.crossLayers);
    const double heads = number(std::max(network.heads, network.decoderHeads));
    const double width = number(network.width), vocabulary = number(network.vocabulary);
    const double map = heads * tokens * tokens;
    const double layer = 6 * map + tokens * (6 * number(network.feedForward) + 24 * width);
    const double batch = std::max(1.0, number(mostTokensAtOnce) / tokens);
    double floats = 0;
    switch (analysis) {
    case Analysis::Norms:
    case Analysis::Alti:
        floats = 2 * layers * map + heads * tokens * width + 4 * number(mostPartsAtOnce);
        break;
    case Analysis::Lens:
        floats =
            layers * tokens * width + 3 * layers * vocabulary + 4 * number(rowsAtOnce(network.vocabulary)) * vocabulary;
        break;
    case Analysis::Gradient:
    case Analysis::Importance:
        floats = layers * layer + 2 * layers * map + 2 * vocabulary;
        break;
    case Analysis::Integrated:
        floats = batch * (layers * layer + 2 * vocabulary);
        break;
    case Analysis::Ablation:
    case Analysis::Patching:
        floats = batch * (layer + 3 * vocabulary) + layers * tokens * width;
        break;
    case Analysis::Circuits:
        floats = 6 * layers * width * width;
        break;
    default:
        floats = 4 * layers * tokens * tokens;
    }
    return static_cast<std::int64_t>(std::min(4 * floats, 9e18));
}

/// What the model finds most probable at a row, by its run; nothing where that does not tell.
std::optional<std::int64_t> saidAt(const Trace& run, std::int64_t row) {
    if (!run.labels.empty())
        return run.labels.front().id;
    for (const auto* const all : {&run.predictions, &run.tokenLabels})
        for (const auto& one : *all)
            if (one.position == row && !one.candidates.empty())
                return one.candidates.front().id;
    return std::nullopt;
}

Spot spotOf(const Subject& subject, const AnalysisRequest& asked, std::int64_t row) {
    Spot spot{row, 0};
    auto token = asked.token ? asked.token : saidAt(subject.run(), row);
    auto outputs = subject.saysTokens() ? subject.network().vocabulary : std::ssize(subject.network().labels);
    if (!token || outputs == 0) {
        const auto logits = subject.say(subject.read(nullptr), row)[0];
        outputs = logits.size(0);
        if (!token)
            token = logits.argmax().item<std::int64_t>();
    }
    spot.token = *token;
    if (spot.token < 0 || spot.token >= outputs)
        throw Error(Error::Kind::Invalid, "token", std::to_string(spot.token) + " is not an id of what this model says",
                    "ids go from 0 to " + std::to_string(outputs - 1));
    return spot;
}

void rollouts(const Trace& run, const std::stop_token& stop, Found& found) {
    const auto* const encoder = run.block(BlockKind::Encoder);
    const auto* const decoder = run.block(BlockKind::Decoder);
    const auto* const cross = run.block(BlockKind::Cross);
    const auto rowsMiss = [&](const std::string& name, const std::vector<const Map*>& parts) {
        double largest = 0;
        for (int row = 0; row < parts.front()->rows; ++row) {
            double sum = 0;
            for (const auto* part : parts)
                for (const float value : part->row(row))
                    sum += static_cast<double>(value);
            largest = std::max(largest, std::abs(sum - 1));
        }
        found.miss(name, "largest difference of a row's sum from 1", largest);
    };
    for (const auto* block : {encoder, decoder}) {
        if (!block)
            continue;
        const std::string name = std::string("attention_rollout.").append(kindName(block->kind));
        const auto rolled = rollout(*block, stop);
        found.add(name, rolled);
        rowsMiss(name, {&rolled});
    }
    if (!cross)
        return;
    const auto both = rolloutOfBoth(*cross, decoder, encoder, stop);
    found.add("attention_rollout.decoder_to_source", both.source);
    found.add("attention_rollout.decoder_to_target", both.target);
    found.add("attention_rollout.decoder_to_source_rows_of_one", rowsOfOne(both.source));
    rowsMiss("attention_rollout.decoder_to_source", {&both.source, &both.target});
}

void altiRollouts(const Subject& subject, const std::stop_token& stop, Found& found) {
    const auto& network = subject.network();
    if (!network.translator) {
        const std::string kind = kindName(subject.speaker());
        found.add(std::string("alti_rollout.").append(kind), rolledDown(found.maps("alti." + kind), stop));
        return;
    }
    const auto encoder = rolledDown(found.maps("alti.encoder"), stop);
    found.add("alti_rollout.encoder", encoder);
    const auto self = found.maps("alti.decoder"), cross = found.maps("alti.cross");
    const auto residual = found.maps("alti_residual.cross").front(); // [layers, rows]
    std::vector<DecoderMixing> layers;
    for (std::size_t layer = 0; layer < self.size(); ++layer) {
        const auto own = residual.row(static_cast<int>(layer));
        layers.push_back({self[layer], cross[layer], {own.begin(), own.end()}});
    }
    const auto both = rolledDown(layers, encoder, stop);
    found.add("alti_rollout.decoder_to_source", both.source);
    found.add("alti_rollout.decoder_to_target", both.target);
}

void flows(const Trace& run, const std::stop_token& stop, Found& found) {
    const auto* const block =
        run.block(BlockKind::Encoder) ? run.block(BlockKind::Encoder) : run.block(BlockKind::Decoder);
    const std::string kind = kindName(block->kind);
    const auto flow = attentionFlow(mixedWithResidual(*block), stop);
    found.add("attention_flow." + kind, flow);
    found.add("attention_flow_rows_of_one." + kind, rowsOfOne(flow));
}

void patterns(const Trace& run, Found& found) {
    for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder}) {
        const auto* const block = run.block(kind);
        if (!block)
            continue;
        const auto metrics = blockMetrics(*block, run.keyTokens(kind));
        const auto add = [&](const char* name, HeadMeasure measure) {
            std::vector<float> values;
            for (const auto& layer : metrics)
                for (const auto& head : layer)
                    values.push_back(measured(head, measure).value_or(0));
            found.add(std::string("patterns.").append(name).append(".").append(kindName(kind)),
                      torch::tensor(values).view({block->layers, block->heads}));
        };
        add("previous", HeadMeasure::Previous);
        add("first", HeadMeasure::First);
        add("self", HeadMeasure::Self);
        if (kind == BlockKind::Encoder)
            add("next", HeadMeasure::Next);
    }
}

} // namespace

const char* kindName(BlockKind kind) {
    return kind == BlockKind::Encoder ? "encoder" : kind == BlockKind::Decoder ? "decoder" : "cross";
}

Subject::Subject(Network& network, const Trace& run, const std::stop_token& stop)
    : m_network(&network), m_run(&run), m_stop(stop) {
    if (!run.source.empty())
        m_source = batchOfOne(idsOf(run.source));
    if (!run.target.empty())
        m_target = batchOfOne(idsOf(run.target));
    if (network.encoder && network.segments > 1) {
        std::vector<std::int64_t> segments;
        for (const auto& token : run.source)
            segments.push_back(token.segment);
        m_segments = batchOfOne(segments);
    }
}

bool Subject::says() const {
    return !m_network->encoder || m_network->encoder->head() != EncoderHead::None;
}

bool Subject::saysTokens() const {
    if (m_network->encoder)
        return m_network->encoder->head() == EncoderHead::MaskedLanguage;
    return m_network->causal ? m_network->causal->head() == EncoderHead::None : m_network->labels.empty();
}

std::vector<BlockKind> Subject::kinds() const {
    if (m_network->translator)
        return {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross};
    return {speaker()};
}

int Subject::layersOf(BlockKind kind) const {
    return kind == BlockKind::Encoder   ? m_network->encoderLayers
           : kind == BlockKind::Decoder ? m_network->decoderLayers
                                        : m_network->crossLayers;
}

bool Subject::isOff(BlockKind kind, int layer, int head) const {
    const Intervention::HeadOff one{kind, Layer(layer), Head(head)};
    const auto& off = m_run->intervention.off;
    return std::find(off.begin(), off.end(), one) != off.end();
}

Memory Subject::encode(Probe* probe) const {
    return m_network->translator->encode(m_source, {}, context(probe));
}

torch::Tensor Subject::readAfter(const Memory& memory, Probe* probe) const {
    const auto target = m_target.expand({memory.states.size(0), -1});
    auto hidden = m_network->translator->decode(target, memory, context(probe));
    checkStop();
    return hidden;
}

torch::Tensor Subject::read(Probe* probe) const {
    if (m_network->translator)
        return readAfter(encode(probe), probe);
    torch::Tensor hidden;
    if (m_network->encoder) {
        hidden = m_network->encoder->encode(m_source, m_segments, {}, context(probe));
    } else {
        DecoderState fresh;
        hidden = m_network->causal->decode(m_target, fresh, context(probe));
    }
    checkStop();
    return hidden;
}

torch::Tensor Subject::say(const torch::Tensor& hidden, std::int64_t row) const {
    torch::Tensor said;
    if (m_network->encoder) {
        const auto head = m_network->encoder->head();
        const bool ofAll =
            head == EncoderHead::Classification || head == EncoderHead::NextSentence || head == EncoderHead::Choice;
        said = ofAll ? m_network->encoder->logits(hidden)
                     : m_network->encoder->logits(hidden.narrow(1, row, 1)).select(1, 0);
    } else if (m_network->causal) {
        said = m_network->causal->logits(hidden.select(1, row));
    } else {
        const auto at = hidden.select(1, row);
        said = m_network->labels.empty() ? m_network->translator->logits(at) : m_network->translator->labels(at);
    }
    return said.to(torch::kFloat32);
}

torch::Tensor Subject::sayTokens(const torch::Tensor& rows) const {
    const auto said = m_network->encoder  ? m_network->encoder->logits(rows.unsqueeze(0)).squeeze(0)
                      : m_network->causal ? m_network->causal->logits(rows)
                                          : m_network->translator->logits(rows);
    return said.to(torch::kFloat32);
}

void Found::add(const std::string& name, const torch::Tensor& values) {
    const auto plain = values.detach().to(torch::kFloat32).contiguous();
    auto& array = m_analyses->arrays.emplace_back();
    array.name = name;
    array.shape = plain.sizes().vec();
    array.values.assign(plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel());
}

void Found::add(const std::string& name, const Map& map) {
    m_analyses->arrays.push_back({name, {map.rows, map.columns}, map.values});
}

void Found::addLayered() {
    for (const auto& [name, layers] : m_layered)
        add(name, torch::stack(layers));
    m_layered.clear();
}

void Found::miss(const std::string& name, const std::string& what, double error) {
    auto& errors = m_analyses->identityErrors;
    const auto there = std::find_if(errors.begin(), errors.end(), [&](const auto& one) { return one.name == name; });
    if (there == errors.end())
        errors.push_back({name, what, error});
    else if (!(there->error >= error))
        there->error = error;
}

void Found::tell(double part) const {
    if (m_progress)
        m_progress((static_cast<double>(done) + part) / static_cast<double>(of));
}

std::vector<Map> Found::maps(const std::string& name) const {
    const auto& array = *m_analyses->find(name);
    const auto rows = static_cast<int>(array.shape[array.shape.size() - 2]),
               columns = static_cast<int>(array.shape.back());
    const auto size = static_cast<std::ptrdiff_t>(rows) * columns;
    std::vector<Map> maps;
    for (auto first = array.values.begin(); first != array.values.end(); first += size)
        maps.push_back({rows, columns, {first, first + size}});
    return maps;
}

Analyses analyse(Network& network, const Trace& run, const AnalysisRequest& asked, const std::stop_token& stop) {
    const Subject subject(network, run, stop);
    Analyses analyses;
    analyses.model = run.model;
    analyses.family = run.family;
    analyses.source = idsOf(run.source);
    if (network.encoder && network.segments > 1)
        for (const auto& token : run.source)
            analyses.segments.push_back(token.segment);
    analyses.target = idsOf(run.target);
    const auto refuse = [&](Analysis analysis, const std::string& why) {
        const auto place = std::string(analysisName(analysis));
        const auto detail = std::string("does not apply to ").append(run.model).append(": ").append(why);
        if (!asked.leaveOut)
            throw Error(Error::Kind::Unsupported, place, detail, "leave it out");
        analyses.leftOut.push_back(std::string(place).append(" ").append(detail));
    };
    for (const auto analysis : allAnalyses) {
        if (!asks(asked, analysis))
            continue;
        if (const auto why = whyNot(analysis, subject, asked); !why.empty())
            refuse(analysis, why);
        else
            analyses.done.push_back(analysis);
    }
    const auto rows = static_cast<int>(subject.rows().size());
    if (asked.position && (*asked.position < 0 || *asked.position >= rows))
        throw Error(Error::Kind::Invalid, "position", std::to_string(*asked.position) + " is no row of this run",
                    "rows go from 0 to " + std::to_string(rows - 1));
    analyses.position = asked.position.value_or(rows - 1);
    const auto memory = asked.memory > 0 ? asked.memory : usualRunMemory();
    for (const auto analysis : analyses.done)
        if (const auto needed = bytesOf(analysis, subject); needed > memory)
            throw Error(Error::Kind::Invalid, std::string(analysisName(analysis)),
                        "takes " + memoryInWords(needed) + " of memory, it may take " + memoryInWords(memory),
                        "shorten the text, or close other models or programs");
    if (analyses.done.empty())
        return analyses;

    for (auto& parameter : network.module().parameters())
        parameter.set_requires_grad(false); // nobody trains it, and what its gradients need would be kept
    Found found(analyses, asked.progress);
    const auto wants = [&](Analysis analysis) {
        return std::find(analyses.done.begin(), analyses.done.end(), analysis) != analyses.done.end();
    };
    found.of = analyses.done.size();
    Spot spot{analyses.position, 0};
    if (subject.says()) {
        spot = spotOf(subject, asked, analyses.position);
        analyses.token = spot.token;
    }
    const auto finish = [&](std::size_t count = 1) {
        subject.checkStop();
        found.done += count;
        found.tell(0);
    };
    const Watched watched{wants(Analysis::Norms), wants(Analysis::Alti), wants(Analysis::Lens),
                          wants(Analysis::Direct)};
    if (watched.norms || watched.alti || watched.lens || watched.direct) {
        if (watched.lens)
            analyses.lensPositions = {spot.row, std::min(2, rows - 1)};
        if (const auto why = analysePass(subject, watched, spot, found); !why.empty()) {
            refuse(Analysis::Direct, why);
            std::erase(analyses.done, Analysis::Direct);
        }
        if (watched.alti)
            altiRollouts(subject, stop, found);
        finish(static_cast<std::size_t>(watched.norms + watched.alti + watched.lens + watched.direct));
    }
    if (wants(Analysis::Rollout)) {
        rollouts(run, stop, found);
        finish();
    }
    if (wants(Analysis::Flow)) {
        flows(run, stop, found);
        finish();
    }
    if (wants(Analysis::Patterns)) {
        patterns(run, found);
        if (network.causal && subject.saysTokens() && !asked.repeated.empty()) {
            analyses.repeated = asked.repeated;
            analyses.repeatStart = run.target.front().special ? 1 : 0; // what its texts begin with
            analyseRepeats(subject, asked.repeated, analyses.repeatStart, found);
        }
        finish();
    }
    const bool gradient = wants(Analysis::Gradient), importance = wants(Analysis::Importance);
    if (gradient || importance) {
        analyseGradients(subject, gradient, importance, spot, found);
        finish(gradient && importance ? 2 : 1);
    }
    if (wants(Analysis::Integrated)) {
        analyseIntegrated(subject, spot, found);
        finish();
    }
    if (wants(Analysis::Circuits)) {
        analyseCircuits(subject, found);
        finish();
    }
    if (wants(Analysis::Patching)) {
        const Subject corrupted(network, *asked.against, stop);
        analyses.pair = analysePatching(subject, corrupted, asked, spot, found);
        for (const auto& token : corrupted.rows())
            analyses.against.push_back(token.id);
        finish();
    }
    if (wants(Analysis::Ablation)) {
        analyseAblation(subject, spot, found);
        finish();
    }
    return analyses;
}

} // namespace headlight
