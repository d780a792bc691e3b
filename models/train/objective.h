// What a network is taught: to translate, to say what comes next, or to say what was hidden. The trainer asks for a
// loss and need not know which. Letters: B batch, S tokens of a row, V vocabulary.
#pragma once

#include "core/families/family.h"
#include "core/nn/networks.h"
#include "core/text/tokenizer.h"
#include "models/train/batches.h"
#include "models/train/corpus.h"

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace headlight {

/// How tokens are hidden from a masked language model, Devlin et al. 2019, 3.1.
struct Masking {
    std::int64_t mask = -1;            ///< id of [MASK]
    std::vector<std::int64_t> kept;    ///< ids that are never chosen: [CLS] and the like
    std::int64_t vocabulary = 0;       ///< ids that a random token is drawn from
    double chosen = 0.15;              ///< share of tokens to be guessed
    double masked = 0.8, random = 0.1; ///< shares of these that become [MASK] or any token; the others stay
};

/// By the tokenizer's roles. @throws Error when it has no mask
Masking maskingOf(const Tokenizer& tokenizer, const Network& network);

struct MaskedRows {
    torch::Tensor ids;      ///< [B, S], some hidden
    torch::Tensor places;   ///< [N], which tokens are to be guessed, as indices into B S, rising
    torch::Tensor expected; ///< [N], what stood there
};
/// Chooses tokens of [B, S] and hides them; at least one, where one may be chosen. The same seed chooses the same.
MaskedRows hideTokens(const torch::Tensor& ids, const Masking& masking, std::uint64_t seed);

class Objective {
public:
    virtual ~Objective() = default;
    Network& network() { return m_network; }

    struct Loss {
        torch::Tensor sum;          ///< cross entropy in nats, over the tokens that were to be said
        std::int64_t predicted = 0; ///< how many these are
        std::int64_t read = 0;      ///< tokens of the batch, by which speed is told
    };
    /// @param smoothing share of probability spread evenly over the vocabulary (Szegedy et al. 2016)
    /// @param seed      of what is left to chance beside dropout: which tokens are hidden
    virtual Loss loss(const std::vector<IdPair>& pairs, const std::vector<std::size_t>& indices, torch::Device device,
                      double smoothing, std::uint64_t seed) = 0;

protected:
    explicit Objective(Network network) : m_network(std::move(network)) {}

private:
    Network m_network;
};

/// What suits the network: a translator translates, a decoder alone says what comes next, an encoder what was hidden.
/// @param masking for an encoder. @throws Error when it has no mask, or the encoder no masked language model's head
std::unique_ptr<Objective> makeObjective(Network network, Masking masking = {});

/// Cross entropy of each target token, padding left out: a translator's loss. Returns the sum over the batch's tokens.
torch::Tensor tokenLoss(SequenceToSequence& model, const Batch& batch, std::int64_t pad, double smoothing);

/// Nats per token, in evaluation mode and without smoothing. The same tokens are hidden each time.
double meanLoss(Objective& objective, const std::vector<IdPair>& pairs, torch::Device device);

/// Most output tokens of a batch that is only measured.
inline constexpr std::int64_t evaluationTokens = 4000;

} // namespace headlight
