// How a run is watched and stopped: one nullable Watch in one context that is handed down through every layer.
#pragma once

#include "core/request.h"
#include "core/trace/trace.h"

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace headlight {

class Probe;

/// Thrown between layers and decoding steps when a newer request waits; Engine::run turns it into a null Trace.
struct Stopped {};

/// Collects one run's attention straight into the blocks of a Trace. Attention announces what it computed; Watch
/// decides what to keep. It sees one sequence at a time: tensors come without, or with a single, batch row.
class Watch {
public:
    /// @param layers most that any kind will announce, so that room is made for them once
    explicit Watch(const Recording& recording, int layers = 1) : m_recording(recording), m_layers(layers) {}

    /// What one head-wise attention computed; `scores` before softmax, scaled and masked, with what was added to them;
    /// queries and keys as they met, turned if positions turn them.
    struct Attention {
        const torch::Tensor& weights; ///< [1, heads, queries, keys]
        const torch::Tensor& scores;  ///< [1, heads, queries, keys]
        const torch::Tensor& query;   ///< [1, heads, queries, headSize]
        const torch::Tensor& key;     ///< [1, key heads, keys, headSize]; each serves heads / key heads in a row
        const torch::Tensor& value;   ///< [1, key heads, keys, headSize]
        double scale;                 ///< what query · key was multiplied by
    };
    /// Where the weights of a layer's attention are kept, of the shape of these scores: what puts them there has them
    /// recorded without a copy. Then attention() must be called with them.
    torch::Tensor roomForWeights(BlockKind kind, int layer, const torch::Tensor& scores);

    /// Layers of one kind must come in order, from 0.
    void attention(BlockKind kind, int layer, const Attention& computed);

    /// What additive attention computed for a whole target: one cross block of one layer and one head.
    struct Additive {
        const torch::Tensor& weights;     ///< [1, queries, keys]
        const torch::Tensor& energies;    ///< [1, queries, keys]
        const torch::Tensor& queryPart;   ///< W s, [1, queries, size]
        const torch::Tensor& keyPart;     ///< U h, [1, keys, size]
        const torch::Tensor& v;           ///< [size]
        const torch::Tensor& annotations; ///< h, [1, keys, annotationSize]
        bool knowsLastToken;              ///< as in AdditiveEnergies
    };
    void additive(const Additive& computed);

    /// The one context of a decoder without attention, [1, C].
    void fixedContext(const torch::Tensor& context);

    /// [positions, dimensions], as PositionTable describes each kind; the first that a stack announces is kept.
    void positions(BlockKind stack, PositionTable::Kind kind, const torch::Tensor& table);

    /// What a stack takes in: the tokens' vectors and, unless undefined, the positions', and their sum with all else.
    /// [1, T, W] each. Only the first that a stack announces is kept.
    void input(BlockKind stack, const torch::Tensor& tokens, const torch::Tensor& positions, const torch::Tensor& sums);

    /// A decoder goes on after tokens whose rows are those of an earlier run over the same beginning, recorded alike:
    /// they are taken from there, and what the decoder announces from now on is of the rows after them.
    void goOnAfter(std::shared_ptr<const Trace> earlier, int rows);
    /// All of a decoder is as in an earlier run of the same text, recorded alike.
    void takeDecoder(const Trace& earlier);
    /// As goOnAfter() where the earlier run is what the decoder has announced here so far; with no rows it begins anew.
    void rewindDecoder(int rows);

    /// Moves what was collected into a Trace.
    void freeze(Trace& trace);

private:
    AttentionBlock& block(BlockKind kind);

    /// Makes room for all layers in what the first one begins.
    void reserveLayers(std::vector<float>& values, const torch::Tensor& ofLayer) const;
    void appendLayer(std::vector<float>& values, const torch::Tensor& ofLayer) const;

    /// How many rows of that kind are taken from m_earlier.
    int rowsBefore(BlockKind kind) const { return kind != BlockKind::Encoder && m_earlier ? m_rowsBefore : 0; }

    Recording m_recording;
    int m_layers;
    Trace m_collected;
    std::shared_ptr<const Trace> m_earlier; ///< null: the decoder begins at its first token
    int m_rowsBefore = 0;
};

/// What goes down through the layers of one run.
struct Context {
    Watch* watch = nullptr; ///< null: nobody watches, nothing is kept
    std::stop_token stop;
    const Intervention* intervention = nullptr; ///< null: the model runs as it is
    /// Tokens that see all and are seen by all in an encoder whose others have windows; null: none.
    const std::vector<std::int64_t>* global = nullptr;
    Probe* probe = nullptr; ///< null: nobody analyses what is between layers

    /// What cross-attention of a decoder's step is to rest on, counted in keys.
    std::optional<std::int64_t> forcedKey(std::int64_t step) const;
    /// The heads of a layer that are switched off.
    std::vector<std::int64_t> headsOff(BlockKind kind, int layer) const;
    /// @throws Stopped
    void checkStop() const {
        if (stop.stop_requested())
            throw Stopped{};
    }
};

} // namespace headlight
