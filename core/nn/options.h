// What distinguishes one network from another: plain numbers and switches, read from a config by its family.
#pragma once

#include "core/nn/block_sparse.h"

#include <cstdint>
#include <optional>

namespace headlight {

enum class NormPlacement {
    Post, ///< Norm(x + Sublayer(x)), Vaswani et al. 2017, 3.1
    Pre,  ///< x + Sublayer(Norm(x)), and one more norm after the last layer
};

enum class NormKind {
    LayerNorm, ///< mean 0 and variance 1, then weight and bias (Ba et al. 2016)
    RmsNorm,   ///< mean square 1, then weight (Zhang & Sennrich 2019)
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
    Learned,
    Rotary,   ///< queries and keys are turned by an angle that grows with the position (Su et al. 2021)
    Relative, ///< each head adds a learned number to a score, by the distance of key and query (Raffel et al. 2020)
};

/// How far pairs of dimensions are turned from one position to the next: pair i of a head of size D by base^(-2i/D).
struct RotaryOptions {
    double base = 10000;
    double factor = 1; ///< all angles are divided by it, for texts longer than those that were trained on
    /// Llama 3.1: only slow turns are divided: those that take more than original / low positions wholly, those of less
    /// than original / high not at all. 0: all alike.
    std::int64_t originalPositions = 0;
    double low = 1;
    double high = 4;
};

/// One Transformer. Sizes in dimensions; all stacks are as wide as the embedding.
struct TransformerOptions {
    std::int64_t vocabulary = 0;
    std::int64_t width = 0; ///< d_model
    std::int64_t heads = 0;
    std::int64_t feedForward = 0; ///< d_ff
    int encoderLayers = 0;
    int decoderLayers = 0;

    std::int64_t maxPositions = 0;
    PositionKind position = PositionKind::SinusoidalHalves;
    std::int64_t positionOffset = 0; ///< rows of the table before position 0 (BART: 2)
    std::int64_t uncounted = -1; ///< RoBERTa: tokens of this id take no position, all stand at the row of that number
    RotaryOptions rotary = {};
    std::int64_t relativeBuckets = 32;   ///< numbers that each head has learned
    std::int64_t relativeDistance = 128; ///< from here on all distances share a bucket

    bool scaleEmbedding = true;  ///< token vectors times sqrt(width)
    bool embeddingNorm = false;  ///< a norm after token + position (BART, BERT)
    std::int64_t tokenTypes = 0; ///< segments that a token's vector can tell apart (BERT: 2)

    NormPlacement norm = NormPlacement::Post;
    NormKind normKind = NormKind::LayerNorm;
    double normEpsilon = 1e-5;

    std::int64_t headSize = 0;      ///< 0: width / heads
    std::int64_t keyValueHeads = 0; ///< that many for keys and values, each asked by several heads; 0: as many as heads
    double attentionScale = 0;      ///< q k is multiplied by it; 0: 1 / sqrt(headSize)
    bool scaleByLayer = false;      ///< and divided by the layer's number, from 1
    std::int64_t window = 0;        ///< a decoder sees itself and this many less one before; 0: all before
    std::optional<BlockSparseOptions> blocks = std::nullopt; ///< an encoder of long texts looks at some blocks only
    bool projectionBias = true;                              ///< of queries, keys and values
    bool joiningBias = true;                                 ///< of what joins the heads

    Activation activation = Activation::Relu;
    bool gated = false; ///< the activated values are multiplied by a second projection (Shazeer 2020)
    bool feedForwardBias = true;

    bool tiedOutput = true; ///< the output layer is the embedding
    double outputScale = 1; ///< what it reads is multiplied by it
    bool outputBias = true; ///< an encoder–decoder's final_logits_bias

    double dropout = 0;
    bool initialise = true; ///< false: weights are left undefined, for a checkpoint is about to replace them

    std::int64_t sizeOfHead() const { return headSize > 0 ? headSize : width / heads; }
    std::int64_t headsOfKeys() const { return keyValueHeads > 0 ? keyValueHeads : heads; }
};

/// What an encoder alone says of its input.
enum class EncoderHead {
    None,
    MaskedLanguage, ///< the tokens behind [MASK] (Devlin et al. 2019)
    Classification, ///< one label for all, read at the first token
};

struct EncoderHeadOptions {
    EncoderHead kind = EncoderHead::None;
    Activation activation = Activation::Gelu; ///< of the dense layer before the output
    std::int64_t labels = 0;                  ///< of a classification
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
