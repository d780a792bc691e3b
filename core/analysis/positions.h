// What there is to know of the ways in which a model tells positions apart: waves, angles, buckets of distance, and
// which positions may look at each other at all.
#pragma once

#include "core/analysis/alignment.h"
#include "core/trace/trace.h"

#include <optional>
#include <vector>

namespace headlight {

/// Where a sinusoidal table has the two waves of one length. Vaswani et al. 2017, 3.5 write
/// PE(pos, 2i) = sin(pos / 10000^(2i/d)) and PE(pos, 2i + 1) = cos(pos / 10000^(2i/d)); their own program and Marian
/// put all sines before all cosines, Marian at the paper's wavelengths; those of the program, 2π · 10000^(i / (d/2 -
/// 1)), are of neither layout.
enum class SinusoidLayout { Interleaved, Halves };

/// One dimension of a sinusoidal table.
struct Wave {
    int pair = 0; ///< i of the formula
    bool cosine = false;
    double wavelength = 0; ///< positions until it repeats, 2π · 10000^(2i/d)
};
Wave waveOf(int dimension, int dimensions, SinusoidLayout layout);

/// The layout by which the formula gives the table's values, of which some tables begin at position 1 or 2; none when
/// neither does.
std::optional<SinusoidLayout> sinusoidLayout(const PositionTable& table);

enum class Similarity { Cosine, DotProduct };
/// Of each position's vector with each other's, [positions, positions]. The cosine with a vector of zeros is 0.
Map positionSimilarity(const PositionTable& table, Similarity similarity);

/// By how much each pair of dimensions is turned at each position of a rotary table, in radians from −π to π,
/// [positions, dimensions / 2].
Map rotaryAngles(const PositionTable& table);
/// Positions until that pair has made a full turn; infinite for one that does not turn, or when there is one position.
double rotaryWavelength(const PositionTable& table, int pair);

/// What turns the pairs of a rotary table, Su et al. 2021, 3.2.2: pair i by pos / (factor · base^(2i/d)).
struct RotaryTurns {
    double base = 0;
    double factor = 1; ///< other than 1 where turns are slowed down, for texts longer than those of training
};
/// None where no such formula gives the turns, as where some pairs are slowed down more than others.
std::optional<RotaryTurns> rotaryTurns(const PositionTable& table);

/// Distances of a key from its query, both ends included, for which all heads add the same.
struct DistanceBucket {
    int first = 0;
    int last = 0;
    friend bool operator==(const DistanceBucket&, const DistanceBucket&) = default;
};
/// The buckets of a relative table, by distance.
std::vector<DistanceBucket> distanceBuckets(const PositionTable& table);

/// What is in a row's sum besides its token and its position, such as BERT's segment, [dimensions]; empty when that is
/// no more than rounding.
std::vector<float> otherInput(const InputVectors& input, int row);

/// Why a query may look at a key.
enum class Looks {
    Never,   ///< the weight is exactly 0 in all layers and heads
    Allowed, ///< of a pattern that is not made of blocks, such as a causal one
    Global,  ///< the query looks at everything, or everything looks at the key, in every layer and head
    Window,  ///< in neighbouring blocks, likewise
    Random,  ///< none of that
};

/// Which query may look at which key, as the weights of all layers and heads show together.
struct AttentionPattern {
    int queries = 0;
    int keys = 0;
    int blockSize = 0;        ///< tokens that have the same pattern; 1 when it is not made of blocks, 0 when it is full
    std::vector<Looks> looks; ///< [queries, keys]

    Looks at(int query, int key) const {
        return looks[static_cast<std::size_t>(query) * static_cast<std::size_t>(keys) + static_cast<std::size_t>(key)];
    }
};
/// The pattern's parts are named as in Zaheer et al. 2020, Fig. 1, where it is made of blocks.
AttentionPattern attentionPattern(const AttentionBlock& block);

} // namespace headlight
