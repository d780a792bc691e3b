// What is found out about a run beside its weights: the network goes once more over the run's tokens, watched by
// probes, or several times with something changed.
// Letters: B batch, T tokens, Q queries, K keys, H heads, D size of a head, W width, V vocabulary, L layers.
#pragma once

#include "core/analysis/alignment.h"
#include "core/analysis/analyses.h"
#include "core/families/family.h"
#include "core/nn/networks.h"
#include "core/nn/probe.h"

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace headlight {

/// Tokens of all texts that go through the network at once, where many are needed.
inline constexpr std::int64_t mostTokensAtOnce = 512;
/// Numbers of the parts [keys, queries, width] that are looked at together.
inline constexpr std::int64_t mostPartsAtOnce = 1 << 22;

/// @param run of this network @param asked with memory, position and, for patterns, ids that are said again
/// @throws Error when an analysis does not apply, Stopped
Analyses analyse(Network& network, const Trace& run, const AnalysisRequest& asked, const std::stop_token& stop);

/// A network and the tokens that it reads.
class Subject {
public:
    Subject(Network& network, const Trace& run, const std::stop_token& stop);

    Network& network() const { return *m_network; }
    const Trace& run() const { return *m_run; }
    /// The stack whose rows say something.
    BlockKind speaker() const { return m_network->encoder ? BlockKind::Encoder : BlockKind::Decoder; }
    const std::vector<Token>& rows() const { return m_network->encoder ? m_run->source : m_run->target; }
    bool isTransformer() const { return !m_network->translator || m_network->encoderLayers > 0; }
    /// It says something of its input at all.
    bool says() const;
    /// What it says at each row is a token.
    bool saysTokens() const;
    std::vector<BlockKind> kinds() const;
    int layersOf(BlockKind kind) const;
    bool isOff(BlockKind kind, int layer, int head) const;

    /// The last states of the speaking stack, as its output layer reads them, [B, T, W]. @throws Stopped
    torch::Tensor read(Probe* probe) const;
    /// The same where the encoder's result is there, which only an encoder–decoder has.
    torch::Tensor readAfter(const Memory& memory, Probe* probe) const;
    Memory encode(Probe* probe) const;
    /// What it says at a row, [B, T, W] -> [B, V], or [B, labels].
    torch::Tensor say(const torch::Tensor& hidden, std::int64_t row) const;
    /// What it says at each of these rows, [rows, W] -> [rows, V]. Only where it says tokens.
    torch::Tensor sayTokens(const torch::Tensor& rows) const;
    const std::stop_token& stop() const { return m_stop; }
    void checkStop() const { context(nullptr).checkStop(); }

private:
    Context context(Probe* probe) const { return {nullptr, m_stop, &m_run->intervention, nullptr, probe}; }

    Network* m_network;
    const Trace* m_run;
    std::stop_token m_stop;
    torch::Tensor m_source;   ///< [1, S]; undefined without an encoder
    torch::Tensor m_segments; ///< [1, S]; undefined where the model tells none apart
    torch::Tensor m_target;   ///< [1, T]; undefined without a decoder
};

/// Where the numbers of an analysis go.
class Found {
public:
    Found(Analyses& analyses, std::function<void(double)> progress)
        : m_analyses(&analyses), m_progress(std::move(progress)) {}

    void add(const std::string& name, const torch::Tensor& values);
    void add(const std::string& name, const Map& map);
    /// The next layer's part of an array [layers, ...], which addLayered() closes.
    void addLayer(const std::string& name, const torch::Tensor& values) { m_layered[name].push_back(values); }
    void addLayered();
    /// Keeps the largest of that name.
    void miss(const std::string& name, const std::string& what, double error);
    /// Of the analysis that runs now, 0 to 1.
    void tell(double part) const;

    const Analyses& analyses() const { return *m_analyses; }
    /// A map, or one of [maps, rows, columns], that was added.
    std::vector<Map> maps(const std::string& name) const;

    std::size_t done = 0; ///< analyses of `of`
    std::size_t of = 1;

private:
    Analyses* m_analyses;
    std::function<void(double)> m_progress;
    std::map<std::string, std::vector<torch::Tensor>> m_layered;
};

/// As array names end: `encoder`, `decoder`, `cross`.
const char* kindName(BlockKind kind);

/// What is looked at.
struct Spot {
    std::int64_t row = 0;
    std::int64_t token = 0;
};

/// What of one watched pass is asked for.
struct Watched {
    bool norms = false;
    bool alti = false;
    bool lens = false;
    bool direct = false;
};
/// Norms, ALTI without its rollout, lens and direct attribution, in one pass.
/// @returns why there is no direct attribution; empty where there is, or none was asked for
std::string analysePass(const Subject& subject, const Watched& watched, const Spot& spot, Found& found);

/// Gradients by weights, words and heads, in one pass there and back. @param importance also, or only, of heads
void analyseGradients(const Subject& subject, bool gradient, bool importance, const Spot& spot, Found& found);
void analyseIntegrated(const Subject& subject, const Spot& spot, Found& found);

void analyseAblation(const Subject& subject, const Spot& spot, Found& found);
/// @returns the pair whose difference was looked at
std::pair<std::int64_t, std::int64_t> analysePatching(const Subject& clean, const Subject& corrupted,
                                                      const AnalysisRequest& asked, const Spot& spot, Found& found);

/// What a decoder's heads do on a text that says these ids twice and, or half of them, four times, behind the first
/// `start` of the run's own.
void analyseRepeats(const Subject& subject, const std::vector<std::int64_t>& ids, int start, Found& found);
void analyseCircuits(const Subject& subject, Found& found);

} // namespace headlight
