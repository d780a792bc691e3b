// What a family of models is: from config.json and weights to a network that runs.
#pragma once

#include "core/checkpoint/model_folder.h"
#include "core/checkpoint/weights.h"
#include "core/nn/sequence_to_sequence.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace headlight {

/// A network with what one must know to run it.
struct Network {
    std::shared_ptr<SequenceToSequence> translator;
    SpecialIds ids;
    std::vector<std::int64_t> banned; ///< ids that its own decoding never chooses
    std::int64_t vocabulary = 0;
    std::int64_t maxPositions = 0;
    int encoderLayers = 0; ///< layers that announce attention
    int decoderLayers = 0;
    int heads = 0;
};

/// One line of the table of families.
struct Family {
    std::string modelType; ///< config.json's model_type
    /// The network, weights as initialised. With a checkpoint its size is checked against that first, for a config
    /// may lie; the trainer has none yet.
    Network (*build)(const ModelConfig& config, const Weights* weights);
    Weights::Naming naming;
};

/// The family of a configuration.
/// @throws Error naming the unknown model_type and listing the known ones
const Family& findFamily(const ModelConfig& config);

/// The network of a folder, weights loaded, in evaluation mode.
/// @throws Error; nothing is half open
Network openNetwork(const ModelConfig& config, const Weights& weights);

// The families; each is a file of that name.
Family marianFamily();
Family recurrentFamily();

} // namespace headlight
