// How a run is watched and stopped: one nullable Watch in one context that is handed down through every layer.
#pragma once

#include "core/engine.h"
#include "core/trace/trace.h"

#include <torch/types.h>

#include <stop_token>

namespace headlight {

/// Thrown between layers and decoding steps when a newer request waits; Engine::run turns it into a null Trace.
struct Stopped {};

/// Collects one run's attention straight into the blocks of a Trace. Attention announces what it computed; Watch
/// decides what to keep. It sees one sequence at a time: tensors come without, or with a single, batch row.
class Watch {
public:
    explicit Watch(const Recording& recording) : m_recording(recording) {}

    /// What one head-wise attention computed; `scores` before softmax, scaled and masked, with what was added to them;
    /// queries and keys as they met, turned if positions turn them.
    struct Attention {
        const torch::Tensor& weights; ///< [1, heads, queries, keys]
        const torch::Tensor& scores;  ///< [1, heads, queries, keys]
        const torch::Tensor& query;   ///< [1, heads, queries, headSize]
        const torch::Tensor& key;     ///< [1, key heads, keys, headSize]; each serves heads / key heads in a row
    };
    /// Layers of one kind must come in order, from 0.
    void attention(BlockKind kind, int layer, const Attention& computed);

    /// What additive attention computed for a whole target: one cross block of one layer and one head.
    struct Additive {
        const torch::Tensor& weights;   ///< [1, queries, keys]
        const torch::Tensor& energies;  ///< [1, queries, keys]
        const torch::Tensor& queryPart; ///< W s, [1, queries, size]
        const torch::Tensor& keyPart;   ///< U h, [1, keys, size]
        const torch::Tensor& v;         ///< [size]
    };
    void additive(const Additive& computed);

    /// [positions, dimensions], as PositionTable describes each kind; the first that is announced is kept.
    void positions(PositionTable::Kind kind, const torch::Tensor& table);

    /// Moves what was collected into a Trace.
    void freeze(Trace& trace);

private:
    AttentionBlock& block(BlockKind kind);

    Recording m_recording;
    Trace m_collected;
};

/// What goes down through the layers of one run.
struct Context {
    Watch* watch = nullptr; ///< null: nobody watches, nothing is kept
    std::stop_token stop;

    /// @throws Stopped
    void checkStop() const {
        if (stop.stop_requested())
            throw Stopped{};
    }
};

} // namespace headlight
