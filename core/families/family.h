// What a family of models is: from config.json and weights to a network that runs.
#pragma once

#include "core/checkpoint/weights.h"
#include "core/files/model_config.h"
#include "core/nn/causal_decoder.h"
#include "core/nn/sequence_to_sequence.h"
#include "core/nn/text_encoder.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace headlight {

/// A network with what one must know to run it. Exactly one of the first three is there.
struct Network {
    std::shared_ptr<SequenceToSequence> translator = nullptr;
    std::shared_ptr<TextEncoder> encoder = nullptr;  ///< announces attention of kind Encoder
    std::shared_ptr<CausalDecoder> causal = nullptr; ///< announces attention of kind Decoder

    SpecialIds ids;                        ///< of an encoder or a causal decoder, -1 where the config names none
    std::vector<std::int64_t> banned = {}; ///< ids that its own decoding never chooses
    std::int64_t vocabulary = 0;
    std::int64_t segments = 0; ///< that an encoder can tell apart; with fewer than 2 it takes no pairs
    std::int64_t maxPositions = 0;
    int encoderLayers = 0; ///< layers that announce attention of that kind
    int decoderLayers = 0;
    int crossLayers = 0;
    int heads = 0;
    std::int64_t headSize = 0;
    std::int64_t width = 0;
    std::int64_t feedForward = 0;
    bool blockSparse = false;                ///< long texts are read by blocks, some of them several times
    std::vector<std::string> labels = {};    ///< of a classification
    std::vector<std::string> notFinite = {}; ///< tensors that hold NaN or an infinity

    /// The one that is there.
    torch::nn::Module& module() const;
};

/// One line of the table of families.
struct Family {
    std::string modelType; ///< config.json's model_type
    /// The network, weights as initialised. With a checkpoint, whose names are canonical by now, its size is checked
    /// against that first, for a config may lie, and weights are undefined until they are loaded; the trainer has none.
    Network (*build)(const ModelConfig& config, const Weights* weights);
    Weights::Naming naming;
};

/// The family of a configuration.
/// @throws Error naming the unknown model_type and listing the known ones
const Family& findFamily(const ModelConfig& config);

/// The network of a folder, weights loaded, in evaluation mode.
/// @throws Error; nothing is half open
Network openNetwork(const ModelConfig& config, const Weights& weights);

// The families; each is a file of that name. Some serve several model types.
Family bartFamily(const std::string& modelType);
Family bertFamily();
Family bigbirdFamily();
Family distilbertFamily();
Family gpt2Family();
Family llamaFamily(const std::string& modelType);
Family marianFamily();
Family openaiGptFamily();
Family recurrentFamily();
Family robertaFamily(const std::string& modelType);
Family t5Family(const std::string& modelType);

} // namespace headlight
