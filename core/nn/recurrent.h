// The recurrent encoder–decoder with attention `none | additive`: RNNencdec and RNNsearch of Bahdanau, Cho & Bengio
// 2015 in one code path (bidirectional GRU, GRU, maxout output; gates as in torch::nn::GRU). Its decoder is theirs, or
// the conditional GRU of Sennrich et al. 2017 (Nematus), which knows the word before when it asks.
// Letters: B batch, S source length, T target length, E embedding, N hidden, A alignment.
#pragma once

#include "core/nn/attention.h"
#include "core/nn/sequence_to_sequence.h"
#include "core/nn/unrolled.h"

#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/rnn.h>

#include <memory>

namespace headlight {

enum class RecurrentDecoder {
    Paper,       ///< one GRU takes in word and context; attention asks the state before the word (Bahdanau et al. 2015)
    Conditional, ///< one GRU takes in the word, attention asks its state, another takes in the context (Sennrich et al.
                 ///< 2017, Nematus)
};

/// One embedding for source, target and output layer; the output layer reads a maxout of state, token and context
/// (A.2.2), as wide as the embedding.
class Recurrent : public SequenceToSequence {
public:
    explicit Recurrent(const RecurrentOptions& options, RecurrentDecoder decoder = RecurrentDecoder::Paper);

    Memory encode(const torch::Tensor& source, const torch::Tensor& mask, const Context& context) override;
    torch::Tensor decode(const torch::Tensor& target, const Memory& memory, const Context& context,
                         DecoderState* all) override;
    DecoderState rewound(const DecoderState& all, std::int64_t steps) const override;
    torch::Tensor logits(const torch::Tensor& decoded) override;
    DecoderState start(const Memory& memory) override;
    torch::Tensor step(const torch::Tensor& last, DecoderState& state, const Memory& memory,
                       const Context& context) override;

private:
    /// One step of the decoder from embedded token [B, E] and state [B, N].
    struct Step {
        torch::Tensor state;   ///< s_i, [B, N]
        torch::Tensor context; ///< c_i, [B, 2 N]
        AdditiveAttention::Result attention;
        torch::Tensor queryPart; ///< W s of the state that is asked, [B, A]
    };
    /// What unrolledGru() and unrolledAdditive() ask for: the columns of the gates' weights that the context meets
    /// [3 N, 2 N], what the GRUs multiply with their last state, and the gates' inputs without an attended context.
    torch::Tensor contextWeight() const;
    GruRecurrence recurrence() const;
    torch::Tensor decoderGates(const torch::Tensor& tokens, const torch::Tensor& fixed) const;
    bool conditional() const { return m_decoderKind == RecurrentDecoder::Conditional; }
    Step advance(const torch::Tensor& token, const torch::Tensor& state, const Memory& memory, std::int64_t number,
                 const Context& context);
    /// decode() step by step, for a run that is changed on its way.
    torch::Tensor decodeChanged(const torch::Tensor& tokens, const Memory& memory, const Context& context,
                                DecoderState* all);
    torch::Tensor readout(const torch::Tensor& states, const torch::Tensor& tokens, const torch::Tensor& contexts);

    RecurrentOptions m_options;
    RecurrentDecoder m_decoderKind;
    torch::nn::Embedding m_embedding{nullptr};
    torch::nn::GRU m_encoder{nullptr};
    torch::nn::Linear m_initial{nullptr};
    std::shared_ptr<AdditiveAttention> m_attention; ///< null for RecurrentAttention::None
    torch::nn::GRUCell m_decoder{nullptr};          ///< takes in the word, and the context unless there is another
    torch::nn::GRUCell m_contextDecoder{nullptr};   ///< takes in the context; null for RecurrentDecoder::Paper
    torch::nn::Linear m_readout{nullptr};
    torch::Tensor m_outputBias; ///< [V]
};

} // namespace headlight
