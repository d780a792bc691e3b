// What distinguishes one network from another: plain numbers and switches, read from a config by its family. LibTorch
// is not needed to say it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace headlight {

enum class NormPlacement {
    Post, ///< Norm(x + Sublayer(x)), Vaswani et al. 2017, 3.1
    Pre,  ///< x + Sublayer(Norm(x)), and one more norm after the last layer
};

enum class NormKind {
    LayerNorm,      ///< mean 0 and variance 1, then weight and bias (Ba et al. 2016)
    RmsNorm,        ///< mean square 1, then weight (Zhang & Sennrich 2019)
    RmsNormFromOne, ///< the same, what is learned being the weight less 1 (Gemma)
};

enum class Activation {
    Relu,
    Gelu,      ///< x times the normal distribution's integral up to x
    GeluTanh,  ///< the same approximated by tanh: gelu_new, gelu_fast
    QuickGelu, ///< x sigmoid(1.702 x)
    Silu,      ///< x sigmoid(x), also called swish
    Tanh,
};

enum class PositionKind {
    SinusoidalInterleaved, ///< sine and cosine by turns, Vaswani et al. 2017, 3.5
    SinusoidalHalves,      ///< all sines, then all cosines: the same numbers in Marian's order
    SinusoidalStretched,   ///< in that order, the last wave being 10000 times as long as the first (fairseq)
    Learned,
    Rotary,   ///< queries and keys are turned by an angle that grows with the position (Su et al. 2021)
    Relative, ///< each head adds a learned number to a score, by the distance of key and query (Raffel et al. 2020)
    Slopes,   ///< each head takes from a score what grows with the distance: ALiBi (Press et al. 2022)
    None,     ///< nothing by itself; a layer may still tell distances apart
};

/// How turns are slowed down for texts longer than those that were trained on.
enum class RotaryScaling {
    Linear,   ///< all are divided by the factor
    Dynamic,  ///< the base grows with the text, once that is longer than originalPositions
    Llama3,   ///< those of more than original / low positions are divided, of less than original / high kept
    Yarn,     ///< the same between `high` and `low` turns in originalPositions, in steps of pairs (Peng et al. 2023)
    LongRope, ///< each pair is divided by a factor of its own, by another one in long texts (Ding et al. 2024)
};

/// How far pairs of dimensions are turned from one position to the next: pair i of a head of size D by base^(-2i/D).
struct RotaryOptions {
    double base = 10000;
    std::int64_t dimensions = 0; ///< of each head that are turned, its first; 0: all
    RotaryScaling scaling = RotaryScaling::Linear;
    double factor = 1;
    std::int64_t originalPositions = 0;
    double low = 1;
    double high = 4;
    bool wholePairs = true;                ///< Yarn: from pair to pair, not within one
    std::vector<double> shortFactors = {}; ///< LongRope: of each pair, up to originalPositions
    std::vector<double> longFactors = {};  ///< and beyond
    double amplitude = 1;                  ///< cosines and sines are multiplied by it
};

/// Which sides of a score meet the vectors of distances (Shaw et al. 2018, Huang et al. 2020).
enum class DistanceVectors { None, Queries, QueriesAndKeys };

/// Scores of DeBERTa, He et al. 2021: of contents, and of the one's content with the other's distance.
struct DisentangledOptions {
    std::int64_t span = 0;     ///< distances are told apart up to it, to either side
    std::int64_t buckets = 0;  ///< 0: each distance has its own; else far ones share some
    std::int64_t farthest = 0; ///< where the last bucket begins
    bool queryToPosition = true;
    bool positionToKey = true;
    bool ownProjections = false; ///< of distances; else they take those of queries and keys
    bool norm = true;            ///< of the distances' vectors
};

/// What stands in for the random blocks when the network is not being trained. Nothing in a checkpoint says so: it is
/// the library's version that decides.
enum class RandomBlocks {
    Drawn, ///< transformers before 4.29: by numpy's generator, seeded with the layer's number
    First, ///< transformers since 4.29 (pull request 23056): each is block 0, which thereby counts several times
};

/// What a checkpoint wrote by this version of transformers was made to run with; `First` where it is not known, as
/// today's library does. @param transformersVersion as in config.json, such as "4.27.1" or "4.5.0.dev0"
RandomBlocks randomBlocksOf(std::string_view transformersVersion);

struct BlockSparseOptions {
    std::int64_t blockSize = 64;
    std::int64_t randomBlocks = 3;    ///< of each query block but the first and the last
    std::int64_t maxPositions = 4096; ///< max_position_embeddings: some lengths draw their blocks from all of it
    RandomBlocks kind = RandomBlocks::First;
};

/// A convolution over neighbouring tokens.
struct NeighbourOptions {
    std::int64_t size = 0; ///< tokens that are read together
    std::int64_t groups = 1;
    Activation activation = Activation::Tanh;
};

/// One Transformer. Sizes in dimensions; all stacks are as wide as the embedding.
struct TransformerOptions {
    std::int64_t vocabulary = 0;
    std::int64_t width = 0; ///< d_model
    std::int64_t heads = 0;
    std::int64_t feedForward = 0; ///< d_ff
    int encoderLayers = 0;
    int decoderLayers = 0;
    int differentLayers = 0;             ///< that many sets of weights, each of neighbours (ALBERT); 0: each its own
    std::int64_t decoderHeads = 0;       ///< of an encoder–decoder's decoder and attention to the encoder; 0: as many
    std::int64_t decoderFeedForward = 0; ///< the same
    std::int64_t embeddingWidth = 0;     ///< of the embedding, which a projection brings to `width`; 0: `width`
    /// That projection is of the token's vector alone and has no bias, and another one goes back before the output
    /// layer; else it is of all that is added, behind the norm.
    bool projectsTokens = false;

    std::int64_t maxPositions = 0;
    PositionKind position = PositionKind::SinusoidalHalves;
    std::int64_t positionOffset = 0; ///< rows of the table before position 0 (BART: 2)
    std::int64_t uncounted = -1; ///< RoBERTa: tokens of this id take no position, all stand at the row of that number
    RotaryOptions rotary = {};
    std::optional<RotaryOptions> windowRotary = std::nullopt; ///< of layers with windows, where it is another
    std::vector<bool> turned = {};                            ///< Rotary: the layers that turn; empty: all
    bool relativeToo = false;                                 ///< Relative positions beside those of `position` (MPNet)
    DistanceVectors distanceVectors = DistanceVectors::None;
    std::optional<DisentangledOptions> disentangled = std::nullopt;
    std::optional<NeighbourOptions> neighbours = std::nullopt; ///< read once more behind the first layer
    std::int64_t relativeBuckets = 32;                         ///< numbers that each head has learned
    std::int64_t relativeDistance = 128;                       ///< from here on all distances share a bucket

    bool scaleEmbedding = true;  ///< token vectors times sqrt(width)
    bool embeddingNorm = false;  ///< a norm after token + position (BART, BERT)
    std::int64_t tokenTypes = 0; ///< segments that a token's vector can tell apart (BERT: 2)

    NormPlacement norm = NormPlacement::Post;
    NormKind normKind = NormKind::LayerNorm;
    double normEpsilon = 1e-5;
    bool normBias = true;           ///< of LayerNorm
    bool finalNorm = true;          ///< a Pre-norm stack's last
    bool firstNorm = true;          ///< the first layer's, before its attention
    bool sublayerNorms = false;     ///< one more norm of what a sublayer gives, before it is added (Gemma 2)
    bool parallelSublayers = false; ///< attention and feed-forward read the same and are added together (GPT-NeoX)
    bool residualOfNorm = false;    ///< a Pre-norm layer adds to the normed states, not to those before (BLOOM)

    std::int64_t headSize = 0;      ///< 0: width / heads
    std::int64_t keyValueHeads = 0; ///< that many for keys and values, each asked by several heads; 0: as many as heads
    double attentionScale = 0;      ///< q k is multiplied by it; 0: 1 / sqrt(headSize)
    bool scaleByLayer = false;      ///< and divided by the layer's number, from 1
    bool headNorm = false;          ///< RMS norm of each head's query and key, before they are turned
    double scoreCap = 0;            ///< scores become cap tanh(score / cap); 0: they stay
    /// A decoder's token sees itself and this many less one before, an encoder's this many to either side; 0: all.
    std::int64_t window = 0;
    std::vector<std::int64_t> windows = {}; ///< of each layer, where they differ
    bool globalProjections = false;         ///< tokens that see all have queries, keys and values of their own
    std::optional<BlockSparseOptions> blocks = std::nullopt; ///< an encoder of long texts looks at some blocks only
    bool projectionBias = true;                              ///< of queries, keys and values
    bool joiningBias = true;                                 ///< of what joins the heads

    Activation activation = Activation::Relu;
    bool gated = false; ///< the activated values are multiplied by a second projection (Shazeer 2020)
    bool feedForwardBias = true;

    bool tiedOutput = true; ///< the output layer is the embedding
    double outputScale = 1; ///< what it reads is multiplied by it
    double outputCap = 0;   ///< its values become cap tanh(value / cap); 0: they stay
    bool outputBias = true; ///< an encoder–decoder's final_logits_bias
    /// Words that a target may have, where it has an embedding and a vocabulary of its own; 0: those of the source.
    std::int64_t targetVocabulary = 0;
    bool cross = false; ///< a decoder alone can attend to an encoder that it is joined with

    double dropout = 0;
    bool initialise = true; ///< false: weights are left undefined, for a checkpoint is about to replace them

    std::int64_t sizeOfHead() const { return headSize > 0 ? headSize : width / heads; }
    std::int64_t headsOfKeys() const { return keyValueHeads > 0 ? keyValueHeads : heads; }
    std::int64_t wordsOfTarget() const { return targetVocabulary > 0 ? targetVocabulary : vocabulary; }
    std::int64_t widthOfEmbedding() const { return embeddingWidth > 0 ? embeddingWidth : width; }
    std::int64_t windowOf(std::size_t layer) const { return windows.empty() ? window : windows[layer]; }
    bool turns(std::size_t layer) const { return turned.empty() || turned[layer]; }
    /// Those of an encoder–decoder's decoder as if it stood alone.
    TransformerOptions ofDecoder() const {
        auto options = *this;
        if (decoderHeads > 0)
            options.heads = decoderHeads;
        if (decoderFeedForward > 0)
            options.feedForward = decoderFeedForward;
        return options;
    }
};

/// What a network says of its input, besides what comes next.
enum class EncoderHead {
    None,
    MaskedLanguage,      ///< the tokens behind [MASK] (Devlin et al. 2019)
    Classification,      ///< labels of all
    TokenClassification, ///< labels of each token
    QuestionAnswering,   ///< where an answer begins and ends
    NextSentence,        ///< whether the second text goes on with the first
    Choice,              ///< one number: how well the second text goes on with the first
    ReplacedTokens,      ///< of each token, whether it was put there in place of another (Clark et al. 2020)
};

/// A dense layer, an activation, a norm and an output layer, of which any but the last may be left out.
struct EncoderHeadOptions {
    EncoderHead kind = EncoderHead::None;
    bool dense = true;
    bool denseBias = true;
    Activation activation = Activation::Gelu;
    bool norm = false;
    bool bias = true;        ///< of the output layer
    bool mean = false;       ///< what is said of all is read at the mean of all tokens, not at the first
    std::int64_t labels = 0; ///< outputs; of MaskedLanguage the vocabulary
    std::int64_t width = 0;  ///< of the dense layer's output; 0: that of what is read
};

enum class RecurrentAttention {
    None,     ///< one fixed context: the last states of the encoder (Cho et al. 2014, RNNencdec)
    Additive, ///< an alignment for each target word (Bahdanau et al. 2015, RNNsearch)
};

/// One recurrent encoder–decoder: bidirectional GRU, GRU.
struct RecurrentOptions {
    std::int64_t vocabulary = 0;
    std::int64_t embedding = 0;
    std::int64_t hidden = 0;    ///< of the decoder, and of each direction of the encoder
    std::int64_t alignment = 0; ///< hidden layer of the alignment model
    std::int64_t maxPositions = 0;
    RecurrentAttention attention = RecurrentAttention::Additive;
    double dropout = 0;
};

/// Ids with a meaning of their own.
struct SpecialIds {
    std::int64_t start = 0; ///< first input of the decoder
    std::int64_t end = 0;   ///< closes a source and a translation
    std::int64_t pad = 0;
};

} // namespace headlight
