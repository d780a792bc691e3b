// What distinguishes one network from another: plain numbers and switches, read from a config by its family.
#pragma once

#include <cstdint>

namespace headlight {

enum class NormPlacement {
    Post, ///< LayerNorm(x + Sublayer(x)), Vaswani et al. 2017, 3.1
    Pre,  ///< x + Sublayer(LayerNorm(x)), and one more norm after the last layer
};

enum class Activation { Relu, Gelu, Silu };

enum class PositionKind {
    SinusoidalInterleaved, ///< sine and cosine by turns, Vaswani et al. 2017, 3.5
    SinusoidalHalves,      ///< all sines, then all cosines: the same numbers in Marian's order
    Learned,
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
    NormPlacement norm = NormPlacement::Post;
    Activation activation = Activation::Relu;
    bool scaleEmbedding = true; ///< token vectors times sqrt(width)
    bool embeddingNorm = false; ///< a norm after token + position (BART)
    double dropout = 0;
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
