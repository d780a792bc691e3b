// What is found by changing something on the way: ablation of heads (Michel et al. 2019), activation patching (Meng et
// al. 2022, "Locating and Editing Factual Associations in GPT", section 2.1; here without noise). One text goes through
// the layers below the change, a batch of as many as there are changes through those above it.
#include "core/error.h"
#include "core/runs/analyse.h"

#include <torch/types.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace headlight {

namespace {

/// Changes what the heads of one layer read, or the stream that a layer reads.
class ChangingProbe : public Probe {
public:
    using Change = std::function<torch::Tensor(const torch::Tensor&)>;
    ChangingProbe(BlockKind kind, int layer, bool heads, Change change)
        : m_kind(kind), m_layer(layer), m_heads(heads), m_change(std::move(change)) {}

    torch::Tensor stream(const Stream& stream) override {
        return !m_heads && stream.stack == m_kind && stream.layer == m_layer ? m_change(stream.states) : stream.states;
    }
    torch::Tensor attended(const Attended& attended) override {
        return m_heads && attended.kind == m_kind && attended.layer == m_layer ? m_change(attended.context)
                                                                               : attended.context;
    }

private:
    BlockKind m_kind;
    int m_layer;
    bool m_heads;
    Change m_change;
};

/// Keeps what one stack computes.
class KeepingProbe : public Probe {
public:
    explicit KeepingProbe(BlockKind stack) : m_stack(stack) {}

    torch::Tensor stream(const Stream& stream) override {
        if (stream.stack == m_stack)
            streams.push_back(stream.states);
        return stream.states;
    }
    torch::Tensor attended(const Attended& attended) override {
        if (attended.kind == m_stack)
            contexts.push_back(attended.context);
        return attended.context;
    }

    std::vector<torch::Tensor> streams;  ///< that each layer reads, and the stack's end, [1, T, W]
    std::vector<torch::Tensor> contexts; ///< of each layer, [1, H, T, D]

private:
    BlockKind m_stack;
};

/// As many as `rows` of one text.
torch::Tensor copies(const torch::Tensor& one, std::int64_t rows) {
    auto shape = one.sizes().vec();
    shape.front() = rows;
    return one.expand(shape).clone();
}

/// How many texts go through the network at once.
std::int64_t textsAtOnce(const Subject& subject) {
    const auto tokens = std::max(subject.run().source.size(), subject.run().target.size());
    return std::max<std::int64_t>(1, mostTokensAtOnce / static_cast<std::int64_t>(tokens));
}

} // namespace

void analyseAblation(const Subject& subject, const Spot& spot, Found& found) {
    const bool translator = subject.network().translator != nullptr;
    const auto memory = translator ? std::optional(subject.encode(nullptr)) : std::nullopt;
    const auto full =
        subject.say(translator ? subject.readAfter(*memory, nullptr) : subject.read(nullptr), spot.row)[0];
    const auto fullLog = torch::log_softmax(full, 0); // [V]
    constexpr std::int64_t mostColumns = 1024, keptColumns = 128;
    torch::Tensor columns; // undefined: all
    if (full.size(0) > mostColumns) {
        columns = std::get<0>(std::get<1>(full.topk(keptColumns)).sort());
        found.add("ablation.ids", columns);
    }
    const auto kept = [&](const torch::Tensor& logits) {
        return columns.defined() ? logits.index_select(-1, columns) : logits;
    };
    found.add("ablation.none.logits", kept(full));
    const auto kinds = subject.kinds();
    const auto atOnce = textsAtOnce(subject);
    double done = 0, all = 0;
    for (const auto kind : kinds)
        all += 2 * subject.layersOf(kind);
    for (const auto kind : kinds) {
        for (const bool mean : {false, true}) {
            const std::string how = mean ? "ablation.mean." : "ablation.zero.";
            for (int layer = 0; layer < subject.layersOf(kind); ++layer) {
                const auto heads = subject.network().headsOf(kind);
                std::vector<torch::Tensor> logits;
                for (std::int64_t first = 0; first < heads; first += atOnce) {
                    const auto count = std::min<std::int64_t>(atOnce, heads - first);
                    ChangingProbe probe(kind, layer, true, [&](const torch::Tensor& context) {
                        auto changed = copies(context, count); // [n, H, T, D]
                        for (std::int64_t i = 0; i < count; ++i) {
                            auto head = changed[i][first + i]; // [T, D]
                            mean ? head.copy_(head.mean(0, true).expand_as(head)) : head.zero_();
                        }
                        return changed;
                    });
                    // The encoder does not change with the decoder's heads.
                    const auto hidden = memory && kind != BlockKind::Encoder ? subject.readAfter(*memory, &probe)
                                                                             : subject.read(&probe);
                    logits.push_back(subject.say(hidden, spot.row));
                    subject.checkStop();
                }
                const auto said = torch::cat(logits); // [H, V]
                const auto divergence = (fullLog.exp() * (fullLog - torch::log_softmax(said, -1))).sum(-1);
                found.addLayer(how + "logits." + kindName(kind), kept(said));
                found.addLayer(how + "kl." + kindName(kind), divergence);
                found.tell(++done / all);
            }
        }
    }
    found.addLayered();
}

std::pair<std::int64_t, std::int64_t> analysePatching(const Subject& clean, const Subject& corrupted,
                                                      const AnalysisRequest& asked, const Spot& spot, Found& found) {
    const auto stack = clean.speaker();
    KeepingProbe kept(stack), keptCorrupted(stack);
    const auto ofClean = clean.say(clean.read(&kept), spot.row)[0];
    const auto ofCorrupted = corrupted.say(corrupted.read(&keptCorrupted), spot.row)[0];
    const auto change = ofClean - ofCorrupted;
    const auto pair =
        asked.pair.value_or(std::pair(change.argmax().item<std::int64_t>(), change.argmin().item<std::int64_t>()));
    for (const auto id : {pair.first, pair.second})
        if (id < 0 || id >= change.size(0))
            throw Error(Error::Kind::Invalid, "pair", std::to_string(id) + " is not an id of what this model says",
                        "ids go from 0 to " + std::to_string(change.size(0) - 1));
    const auto difference = [&](const torch::Tensor& logits) {
        return logits.select(-1, pair.first) - logits.select(-1, pair.second);
    };
    const double lowest = difference(ofCorrupted).item<double>(), highest = difference(ofClean).item<double>();
    found.add("patching.difference_clean", difference(ofClean).view({1}));
    found.add("patching.difference_corrupted", difference(ofCorrupted).view({1}));
    const double whole = highest == lowest ? 1 : highest - lowest; // of a text in itself nothing comes back
    const int layers = clean.layersOf(stack);
    const auto heads = static_cast<std::int64_t>(clean.network().headsOf(stack));
    const auto rows = static_cast<std::int64_t>(clean.rows().size()), atOnce = textsAtOnce(clean);
    double done = 0;
    /// One layer's changes: each puts one part of what is kept of the clean run into the other. What is the same in
    /// both changes nothing.
    const auto patched = [&](int layer, bool ofHeads, std::int64_t changes) {
        const auto& from = (ofHeads ? kept.contexts : kept.streams)[static_cast<std::size_t>(layer)][0];
        const auto& into =
            (ofHeads ? keptCorrupted.contexts : keptCorrupted.streams)[static_cast<std::size_t>(layer)][0];
        std::vector<std::int64_t> differing;
        for (std::int64_t i = 0; i < changes; ++i)
            if (!torch::equal(from[i], into[i]))
                differing.push_back(i);
        const auto values = torch::zeros({changes});
        for (std::int64_t first = 0; first < std::ssize(differing); first += atOnce) {
            const auto count = std::min(atOnce, std::ssize(differing) - first);
            ChangingProbe probe(stack, layer, ofHeads, [&](const torch::Tensor& states) {
                auto changed = copies(states, count);
                for (std::int64_t i = 0; i < count; ++i) {
                    const auto place = differing[static_cast<std::size_t>(first + i)];
                    changed[i][place].copy_(from[place]);
                }
                return changed;
            });
            const auto part = (difference(corrupted.say(corrupted.read(&probe), spot.row)) - lowest) / whole;
            for (std::int64_t i = 0; i < count; ++i)
                values[differing[static_cast<std::size_t>(first + i)]] = part[i];
            corrupted.checkStop();
        }
        found.tell(++done / (2 * layers + 1));
        return values;
    };
    for (int layer = 0; layer <= layers; ++layer)
        found.addLayer("patching.stream", patched(layer, false, rows));
    for (int layer = 0; layer < layers; ++layer)
        found.addLayer("patching.heads", patched(layer, true, heads));
    found.addLayered();
    return pair;
}

} // namespace headlight
