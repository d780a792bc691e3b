// How one weight came to be, step by step and from the vectors themselves, so that each number can be checked by hand:
// by scaled dot products as in Vaswani et al. 2017, Eq. 1, or additively as in Bahdanau et al. 2015, A.1.2.
#pragma once

#include "core/trace/trace.h"

#include <vector>

namespace headlight {

/// What one query q of one head does with each key k_j: softmax(q · k_j × scale + added) v. What the trace does not
/// hold stays empty.
struct DotProductSteps {
    int keys = 0;
    int size = 0;                 ///< dimensions of a vector; 0 when the trace holds no queries and keys
    int valueSize = 0;            ///< dimensions of a value; 0 when the trace holds none
    float scale = 1;              ///< what a dot product is multiplied by
    bool scaleKnown = true;       ///< false: the trace does not say, and 1 / sqrt(size) was taken
    bool scoresKnown = true;      ///< false: the trace holds no scores, so what was added to them cannot be told
    bool added = false;           ///< something was added to the scores, such as T5's biases of distance
    std::vector<float> query;     ///< q, [size]
    std::vector<float> keyRows;   ///< k_j, [keys, size]
    std::vector<float> products;  ///< q ∘ k_j, [keys, size]
    std::vector<float> sums;      ///< q · k_j, [keys]
    std::vector<float> scaled;    ///< q · k_j × scale, [keys]
    std::vector<float> additions; ///< score − scaled, 0 where that is rounding or the key is masked, [keys]
    std::vector<bool> masked;     ///< keys that this query may not look at, [keys]
    std::vector<float> scores;    ///< before softmax, −∞ where masked, [keys]
    std::vector<float> weights;   ///< softmax of the scores, computed here, [keys]
    float sum = 1;                ///< of the weights: less than 1 where BigBird counts some keys several times
    std::vector<float> valueRows; ///< v_j, [keys, valueSize]
    std::vector<float> weighted;  ///< weight × v_j, [keys, valueSize]
    std::vector<float> output;    ///< their sum, what the head gives out, [valueSize]
    float largestDifference = 0;  ///< of `weights` from the trace's own
};

/// The steps of one query. Without scores a key whose weight is exactly 0, and would not be by softmax, is masked.
/// The indices must be the block's. Without vectors and scores nothing but `keys` is filled in.
DotProductSteps dotProductSteps(const AttentionBlock& block, Layer layer, Head head, Query query);

/// What one decoder state s does with each annotation h_j: e_j = v · tanh(W s + U h_j), and softmax over them.
struct AdditiveSteps {
    int keys = 0;
    int size = 0;                 ///< dimensions of the alignment model's hidden layer
    int valueSize = 0;            ///< dimensions of an annotation; 0 when the trace holds none
    std::vector<float> query;     ///< W s, [size]
    std::vector<float> keyRows;   ///< U h_j, [keys, size]
    std::vector<float> hidden;    ///< tanh(W s + U h_j), [keys, size]
    std::vector<float> v;         ///< [size]
    std::vector<float> products;  ///< v ∘ tanh(W s + U h_j), [keys, size]
    std::vector<bool> masked;     ///< [keys]
    std::vector<float> energies;  ///< e_j, −∞ where masked, [keys]
    std::vector<float> weights;   ///< softmax of the energies, computed here, [keys]
    std::vector<float> valueRows; ///< h_j, [keys, valueSize]
    std::vector<float> weighted;  ///< weight × h_j, [keys, valueSize]
    std::vector<float> context;   ///< their sum, Eq. 5, [valueSize]
    float largestDifference = 0;  ///< of `weights` from the trace's own
};

/// @param cross the block of one layer and one head that the energies made
AdditiveSteps additiveSteps(const AdditiveEnergies& energies, const AttentionBlock& cross, Query query);

} // namespace headlight
