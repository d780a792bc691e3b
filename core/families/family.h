// What a family of models is: from config.json and weights to a network that runs. Most families read and name, which
// needs no LibTorch; core/nn/networks.h has what runs.
#pragma once

#include "core/checkpoint/weights.h"
#include "core/files/model_config.h"
#include "core/nn/options.h"
#include "core/request.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace headlight {

class SequenceToSequence;
class TextEncoder;
class CausalDecoder;

/// A network with what one must know to run it. Exactly one of the first three is there.
struct Network {
    std::shared_ptr<SequenceToSequence> translator = nullptr;
    std::shared_ptr<TextEncoder> encoder = nullptr;  ///< announces attention of kind Encoder
    std::shared_ptr<CausalDecoder> causal = nullptr; ///< announces attention of kind Decoder

    std::string family = {};               ///< model_type of the config, or that which was inferred
    SpecialIds ids;                        ///< of an encoder or a causal decoder, -1 where the config names none
    std::vector<std::int64_t> banned = {}; ///< ids that its own decoding never chooses
    std::int64_t vocabulary = 0;           ///< of what it says
    std::int64_t sourceVocabulary = 0;     ///< of what an encoder reads, where that is another one; else 0
    std::int64_t segments = 0;             ///< that an encoder can tell apart; with fewer than 2 it takes no pairs
    std::int64_t maxPositions = 0;
    int encoderLayers = 0; ///< layers that announce attention of that kind
    int decoderLayers = 0;
    int crossLayers = 0;
    int heads = 0;        ///< of a layer
    int decoderHeads = 0; ///< the same in the decoder and from it to the encoder, where they are others; else 0
    std::int64_t headSize = 0;
    std::int64_t width = 0;
    std::int64_t feedForward = 0;
    bool takesGlobalTokens = false;       ///< some tokens may see all, where others have windows
    bool blockSparse = false;             ///< long texts are read by blocks, some of them several times
    std::vector<std::string> labels = {}; ///< of a classification
    bool labelsExclude = true;            ///< only one of them holds
    std::optional<std::int64_t> forcedBegin = std::nullopt; ///< what every translation begins with
    std::vector<Task> tasks = {};                           ///< that the config names
    std::vector<std::string> notFinite = {};                ///< tensors that hold NaN or an infinity
    std::vector<std::string> leftOut = {}; ///< tensors of heads and the like, which attention does not need
    std::vector<std::string> notices = {}; ///< what else is to be known of it

    /// The one that is there.
    torch::nn::Module& module() const;
    /// Heads of the layers with attention of that kind.
    int headsOf(BlockKind kind) const { return kind != BlockKind::Encoder && decoderHeads > 0 ? decoderHeads : heads; }
};

/// One line of the table of families.
struct Family {
    std::string modelType; ///< config.json's model_type
    /// The network, weights as initialised. With a checkpoint, whose names are canonical by now, its size is checked
    /// against that first, for a config may lie, and weights are undefined until they are loaded; the trainer has none.
    Network (*build)(const ModelConfig& config, const Weights* weights);
    /// How its checkpoints name tensors.
    Weights::Naming (*naming)(const ModelConfig& config);
    std::string sameAs = {}; ///< another of these types from which nothing tells it
};

/// The family of a configuration.
/// @throws Error naming the unknown model_type and listing the known ones
const Family& findFamily(const ModelConfig& config);

/// The configuration with its model_type, where the file has none the one that alone fits its keys and the tensors.
/// @throws Error when none or several fit
ModelConfig withModelType(const ModelConfig& config, const Weights& weights);

/// @throws Error by the method's name when the weights are quantised; @param weights null: as far as the config says it
void refuseQuantised(const ModelConfig& config, const Weights* weights);

/// The network of a folder, weights loaded, in evaluation mode.
/// @throws Error; nothing is half open
Network openNetwork(const ModelConfig& config, const Weights& weights);

// The families; each is a file of that name. Some serve several model types.
Family albertFamily();
Family bartFamily(const std::string& modelType);
Family bertFamily();
Family bigbirdFamily();
Family bloomFamily();
Family debertaFamily();
Family distilbertFamily();
Family encoderDecoderFamily();
Family electraFamily();
Family gemmaFamily(const std::string& modelType);
Family gpt2Family();
Family gptNeoFamily();
Family gptNeoxFamily();
Family llamaFamily(const std::string& modelType);
Family longformerFamily();
Family m2m100Family();
Family marianFamily();
Family modernbertFamily();
Family mpnetFamily();
Family openaiGptFamily();
Family optFamily();
Family pegasusFamily();
Family phi3Family();
Family recurrentFamily();
Family robertaFamily(const std::string& modelType);
Family t5Family(const std::string& modelType);

} // namespace headlight
