// What one head does, in a few numbers and one word: after the kinds of heads that Clark et al. 2019, "What Does BERT
// Look At?", and Voita et al. 2019, "Analyzing Multi-Head Self-Attention", tell apart.
#pragma once

#include "core/trace/trace.h"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace headlight {

/// The kind with the largest share, the first in this order of equals, if that share is at least a half; otherwise
/// Broad if the head's entropy is at least 4/5 of what it would be were the weights equal; otherwise Mixed.
enum class HeadKind {
    Previous,  ///< at the token before
    Next,      ///< at the token behind
    Self,      ///< at the token itself
    First,     ///< at the first key
    Delimiter, ///< at special tokens
    Broad,     ///< at everything
    Mixed,     ///< nothing of that
};

/// One lower-case English word.
std::string_view headKindName(HeadKind kind);

/// What only self-attention has, where queries and keys are the same tokens.
struct RelativeMetrics {
    float distance = 0; ///< mean of |query - key| in tokens, by weight
    float previous = 0; ///< share on the token before, over the queries that have one
    float next = 0;     ///< share on the token behind, over the queries that have one and may see it
    float self = 0;
};

/// Means over the queries whose weights are all finite, scaled to sum to 1; all 0 when there are none. A query that
/// sees but one key, such as the first of a decoder, has no choice and does not count.
struct HeadMetrics {
    int queries = 0;      ///< how many queries were counted
    float entropy = 0;    ///< bits
    float confidence = 0; ///< the largest weight
    float first = 0;      ///< share on the first key
    float special = 0;    ///< share on special tokens
    std::optional<RelativeMetrics> relative;
    HeadKind kind = HeadKind::Mixed;
};

/// The numbers above, by name: what heads are sorted by.
enum class HeadMeasure { Entropy, Distance, Confidence, First, Previous, Next, Self, Special };
/// Absent for what only self-attention has, of a cross head.
std::optional<float> measured(const HeadMetrics& metrics, HeadMeasure measure);

/// What a head does over several runs: all of their queries count alike.
class HeadTally {
public:
    /// @param keys the tokens of the block's keys
    void add(const AttentionBlock& block, Layer layer, Head head, std::span<const Token> keys);
    /// Of all that was added; the blocks must have been of one kind.
    HeadMetrics metrics() const;

private:
    struct Mean {
        double sum = 0;
        int count = 0;

        void add(double value) {
            sum += value;
            ++count;
        }
        float value() const { return count > 0 ? static_cast<float>(sum / count) : 0.0F; }
    };
    Mean m_entropy, m_broadest, m_confidence, m_first, m_special, m_distance, m_previous, m_next, m_self;
    bool m_relative = false; ///< queries and keys are the same tokens
};

/// @param keys the tokens of the block's keys
HeadMetrics headMetrics(const AttentionBlock& block, Layer layer, Head head, std::span<const Token> keys);
/// All heads of a block, [layers][heads].
std::vector<std::vector<HeadMetrics>> blockMetrics(const AttentionBlock& block, std::span<const Token> keys);

/// True when `full` is a run of the model that `changed` is of, with nothing changed inside, while something was
/// changed in `changed`.
bool isFullRun(const Trace& full, const Trace& changed);
/// True when both have attention of this kind, in as many layers and heads, over the same tokens.
bool readTheSame(const Trace& first, const Trace& second, BlockKind kind);
/// How far a head attends otherwise in another run: the mean over its queries of the Jensen–Shannon divergence in bits,
/// 0 the same, 1 nothing in common. Queries whose weights are not finite do not count; 0 when none does.
/// @param second of the same shape as the first
float headChange(const AttentionBlock& first, const AttentionBlock& second, Layer layer, Head head);

/// The head, of any kind, with the largest headChange.
struct ChangedHead {
    BlockKind kind = BlockKind::Encoder;
    Layer layer;
    Head head;
    float bits = 0;
};
/// The first of equals; none where no head changed, or the runs did not read the same.
std::optional<ChangedHead> mostChangedHead(const Trace& changed, const Trace& full);

/// What a run predicts at a row; null when it predicts nothing there.
const Prediction* predictionAt(const Trace& run, int position);
/// How probable it finds a token there. Not a number when that is neither a candidate nor was asked for.
float probabilityOf(const Prediction& prediction, std::int64_t token);

/// What heads do for the output, told by leaving them out (ablation, Michel et al. 2019).
struct OutputChange {
    int steps = 0;      ///< that both runs predict
    int sameChoice = 0; ///< of these, with the same most probable token
    /// Mean probability of what the changed run would choose, there and in the full run, over the steps at which the
    /// full run kept it; not a number where it did at none.
    float now = 0;
    float inFull = 0;
};
OutputChange outputChange(const Trace& changed, const Trace& full);
/// The candidates of each row, as another run of the model is asked for them by Recording::asked.
std::vector<std::vector<std::int64_t>> candidatesOf(const Trace& run);

} // namespace headlight
