// The result of one run of a model: plain data, never changed once made, shared by every view.
#pragma once

#include "core/text/token.h"

#include <cassert>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace headlight {

/// A number that counts one kind of thing only: a layer cannot be passed where a head is meant.
template <class Tag>
struct Index {
    int value = 0;

    constexpr Index() = default;
    constexpr explicit Index(int number) : value(number) {}
    constexpr std::size_t offset() const { return static_cast<std::size_t>(value); }
    friend constexpr auto operator<=>(const Index&, const Index&) = default;
};
using Layer = Index<struct LayerTag>;
using Head = Index<struct HeadTag>;
using Query = Index<struct QueryTag>;
using Key = Index<struct KeyTag>;

/// Which attention of the model: within the encoder, within the decoder, or from decoder to encoder.
enum class BlockKind { Encoder, Decoder, Cross };

/// All attention of one kind, counted from 0. A row of a head sums to 1; of BigBird's by blocks to less, see notices.
struct AttentionBlock {
    BlockKind kind = BlockKind::Encoder;
    int layers = 0;
    int heads = 0;
    int queries = 0;
    int keys = 0;
    bool distributions = true;    ///< rows sum to 1 as those of softmax do; in files of others they may not
    int headSize = 0;             ///< dimensions of one query or key vector; 0 when the vectors are absent
    std::vector<float> weights;   ///< [layers, heads, queries, keys], after softmax
    std::vector<float> scores;    ///< the same shape, before softmax, scaled and masked; empty unless asked for
    std::vector<float> queryRows; ///< [layers, heads, queries, headSize]; empty unless asked for
    std::vector<float> keyRows;   ///< [layers, heads, keys, headSize]; empty unless asked for
    std::vector<float> valueRows; ///< [layers, heads, keys, headSize]; empty unless asked for
    std::vector<float> scales;    ///< [layers], what query · key is multiplied by; empty unless vectors are there

    std::size_t mapOffset(Layer layer, Head head) const {
        assert(layer.value >= 0 && layer.value < layers && head.value >= 0 && head.value < heads);
        return (layer.offset() * static_cast<std::size_t>(heads) + head.offset()) * static_cast<std::size_t>(queries)
               * static_cast<std::size_t>(keys);
    }
    std::size_t rowOffset(Layer layer, Head head, Query query) const {
        assert(query.value >= 0 && query.value < queries);
        return mapOffset(layer, head) + query.offset() * static_cast<std::size_t>(keys);
    }
    /// One distribution over the keys.
    std::span<const float> row(Layer layer, Head head, Query query) const {
        return {weights.data() + rowOffset(layer, head, query), static_cast<std::size_t>(keys)};
    }
    /// One head, [queries, keys], contiguous.
    std::span<const float> map(Layer layer, Head head) const {
        return {weights.data() + mapOffset(layer, head),
                static_cast<std::size_t>(queries) * static_cast<std::size_t>(keys)};
    }
    float at(Layer layer, Head head, Query query, Key key) const { return row(layer, head, query)[key.offset()]; }
};

/// What a cell of a block's maps shows.
enum class Cells {
    Weights,
    Norms, ///< how long what a weight brings is, as a share of its row: Kobayashi et al. 2020
};

/// How additive attention came to its energies: e_ij = v · tanh(W s_(i-1) + U h_j), Bahdanau et al. 2015, A.1.2.
struct AdditiveEnergies {
    int queries = 0;
    int keys = 0;
    int size = 0;                   ///< dimensions of the alignment model's hidden layer
    std::vector<float> queryPart;   ///< W s, [queries, size]
    std::vector<float> keyPart;     ///< U h, [keys, size]
    std::vector<float> v;           ///< [size]
    std::vector<float> energies;    ///< [queries, keys]
    int annotationSize = 0;         ///< 0 when they are absent, as in files of others
    std::vector<float> annotations; ///< h, what the weights sum up (Eq. 5), [keys, annotationSize]
    bool knowsLastToken = false;    ///< whether s has taken in the token before it asks (Sennrich et al. 2017)
};

/// What the model adds to, or does with, a token because of where it stands.
struct PositionTable {
    enum class Kind {
        Sinusoidal, ///< vectors added to the tokens' vectors
        Learned,    ///< the same
        Rotary,     ///< dimensions 2i and 2i + 1: cosine and sine of the angle by which pair i of a head is turned
        Relative,   ///< dimension h: what head h adds to the score of a key `row - (positions - 1) / 2` after its query
        RelativeVectors, ///< of such a row: a vector that queries or keys are multiplied with, to add that to a score
    };
    Kind kind = Kind::Sinusoidal;
    int positions = 0;
    int dimensions = 0;
    std::vector<float> values; ///< [positions, dimensions]

    float at(int position, int dimension) const {
        return values[static_cast<std::size_t>(position) * static_cast<std::size_t>(dimensions)
                      + static_cast<std::size_t>(dimension)];
    }
};

/// What a stack takes in at its bottom: a token's vector, a position's vector, and what becomes of them.
struct InputVectors {
    int rows = 0;
    int dimensions = 0;
    std::vector<float> tokens;    ///< [rows, dimensions], scaled as the model scales them
    std::vector<float> positions; ///< [rows, dimensions]; empty where positions are not added
    std::vector<float> sums;      ///< [rows, dimensions], with all else that is added, before any norm
};

/// What was changed inside a model for a run, to see what it does.
struct Intervention {
    /// A head whose output is taken as 0.
    struct HeadOff {
        BlockKind kind = BlockKind::Encoder;
        Layer layer;
        Head head;
        friend auto operator<=>(const HeadOff&, const HeadOff&) = default;
    };
    /// A decoder's step whose cross-attention rests on one source token, in all layers and heads.
    struct Forced {
        Query query;
        Key key;
        friend auto operator<=>(const Forced&, const Forced&) = default;
    };
    std::vector<HeadOff> off;
    std::vector<Forced> forced;

    bool empty() const { return off.empty() && forced.empty(); }
    friend bool operator==(const Intervention&, const Intervention&) = default;
};

struct Candidate {
    std::int64_t id = 0;
    std::string text; ///< as Token::text; of a label, its name
    float probability = 0;
    std::string letters = {}; ///< as Token::letters; of a label, its name
};

/// What the model would say at one position, most probable first.
struct Prediction {
    int position = 0; ///< row of the stack that predicts (decoder query for an encoder–decoder)
    std::vector<Candidate> candidates;
    std::vector<Candidate> asked = {}; ///< what Recording::asked names for this row
};

/// What each layer would say, were it the last: the logit lens (nostalgebraist 2020). Of the stack that says something.
struct Lens {
    int layers = 0;                      ///< and one more: what the stack takes in comes first, its own output last
    int rows = 0;                        ///< tokens of that stack
    std::vector<Prediction> predictions; ///< [layers, rows], each of its row
    std::vector<int> finalRanks;         ///< [layers, rows]: how many tokens are before the one that is said in the end

    std::size_t cell(int layer, int row) const {
        return static_cast<std::size_t>(layer) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(row);
    }
};

/// One hypothesis of a beam search: its parent's with one token more.
struct BeamNode {
    int parent = -1;           ///< index of the hypothesis that it goes on from; -1: the first token
    int step = 0;              ///< counted from 0
    Candidate token;           ///< with its probability given the tokens before
    double logProbability = 0; ///< of all tokens so far
    bool finished = false;     ///< its token ends the text
    bool chosen = false;       ///< part of what the model gives out
};

/// Values of the last layer before softmax, for whoever asks.
struct Logits {
    int rows = 0;
    int vocabulary = 0;
    std::vector<float> values; ///< [rows, vocabulary]
};

/// A number that a head gives out as it is: a regression's, or how well a choice fits.
struct Quantity {
    std::string name;
    float value = 0;
};

/// Where in its source a model finds the answer to a question.
struct AnswerSpan {
    int begin = 0; ///< first token of the source
    int end = 0;   ///< one behind its last
    std::string text;
    float probability = 0; ///< of its beginning times that of its end
};
struct QuestionAnswer {
    std::vector<float> startLogits; ///< of each token of the source: that an answer begins there
    std::vector<float> endLogits;   ///< that its last token is there
    std::vector<AnswerSpan> spans;  ///< the most probable first
};

/// Whether the second of two texts goes on with the first (Devlin et al. 2019).
struct Relationship {
    std::vector<float> logits;         ///< of going on, of being another text
    std::vector<Candidate> candidates; ///< most probable first
};

/// What a model reads of a source that is too long for it. Tokens are counted without the model's specials.
struct Window {
    int begin = 0;  ///< tokens left out before
    int length = 0; ///< tokens read
    int total = 0;  ///< tokens of the whole text
};

/// Milliseconds of wall-clock time that each stage took.
struct Timings {
    double tokenize = 0;
    double model = 0; ///< encoding, decoding and the watched pass
};

/// One run. A decoder alone has `target` and no `source`, an encoder alone the reverse. An encoder–decoder's row t of
/// `decoder` and `cross` takes in `target[t]` and emits `emitted[t]`: an alignment is read at either, and both lists
/// have as many tokens as those blocks have queries.
struct Trace {
    std::string model;            ///< name of the model, as the catalog shows it
    std::string family;           ///< model_type of its config
    std::string sourceText;       ///< what was typed; a decoder alone goes on from it
    std::string secondText;       ///< of two texts that an encoder read together; empty when there was one
    std::string targetText;       ///< typed as target, or the model's own output; of a decoder alone all of its text
    bool targetForced = false;    ///< true when the target was given, not decoded
    std::optional<Window> window; ///< absent when all of the source was read
    std::vector<Token> source;    ///< keys of encoder and cross
    std::vector<Token> target;    ///< what the decoder takes in, its start token first; empty without a decoder
    int prompt = 0;               ///< of a decoder alone: how many of `target` were given to it
    std::vector<Token> emitted;   ///< what each of its steps gives out, the end token last
    std::optional<AttentionBlock> encoder;
    std::optional<AttentionBlock> decoder;
    std::optional<AttentionBlock> cross;
    std::vector<AttentionBlock> norms; ///< of the same kinds: Cells::Norms; empty unless asked for
    std::vector<AttentionBlock> alti;  ///< of the same kinds, one head a layer (Ferrando et al. 2022); as norms. Of
                                       ///< cross a row sums to what the stream before does not bring
    std::optional<Lens> lens;          ///< absent unless asked for, or where the model says no tokens
    std::optional<AdditiveEnergies> additive;
    std::vector<float> fixedContext; ///< c, all that a recurrent decoder without attention knows of its source
    std::optional<PositionTable> encoderPositions; ///< of stacks, which may have tables of their own
    std::optional<PositionTable> decoderPositions;
    std::optional<InputVectors> encoderInput; ///< absent unless vectors were asked for
    std::optional<InputVectors> decoderInput; ///< likewise
    Intervention intervention;
    std::vector<BeamNode> beam; ///< a parent before its children; empty when there was no beam search
    std::vector<Prediction> predictions;
    std::vector<Candidate> labels;       ///< of a classification, all of them, most probable first
    bool labelsExclude = true;           ///< only one label holds; else each has a probability of its own
    std::vector<Prediction> tokenLabels; ///< of each token of the source: its labels, most probable first
    std::vector<Quantity> quantities;    ///< of heads that tell no probabilities
    std::optional<QuestionAnswer> answer;
    std::optional<Relationship> relationship;
    std::optional<Logits> logits;
    Timings timings;
    std::vector<std::string> notices; ///< what the user should know of this run: text cut, weights not finite

    /// Null when the model has no attention of that kind.
    const AttentionBlock* block(BlockKind kind) const {
        const auto& found = kind == BlockKind::Encoder ? encoder : kind == BlockKind::Decoder ? decoder : cross;
        return found ? &*found : nullptr;
    }
    /// The same of norms; null, too, where they were not asked for, or there are none of this model.
    const AttentionBlock* block(BlockKind kind, Cells cells) const {
        return cells == Cells::Weights ? block(kind) : blockIn(norms, kind);
    }
    const AttentionBlock* altiBlock(BlockKind kind) const { return blockIn(alti, kind); }
    /// Null when the stack has none, or vectors were not asked for.
    const InputVectors* input(BlockKind kind) const {
        const auto& found = kind == BlockKind::Encoder ? encoderInput : decoderInput;
        return found ? &*found : nullptr;
    }
    /// Null when the stack has none, or they were not asked for.
    const PositionTable* positions(BlockKind kind) const {
        const auto& found = kind == BlockKind::Encoder ? encoderPositions : decoderPositions;
        return found ? &*found : nullptr;
    }
    /// The tokens that the keys (columns) of a block stand for.
    const std::vector<Token>& keyTokens(BlockKind kind) const { return kind == BlockKind::Decoder ? target : source; }
    /// The tokens that the queries (rows) of a block stand for, by what the model takes in there.
    const std::vector<Token>& queryTokens(BlockKind kind) const { return kind == BlockKind::Encoder ? source : target; }

private:
    static const AttentionBlock* blockIn(const std::vector<AttentionBlock>& blocks, BlockKind kind) {
        for (const auto& block : blocks)
            if (block.kind == kind)
                return &block;
        return nullptr;
    }
};

using TracePointer = std::shared_ptr<const Trace>;

} // namespace headlight
