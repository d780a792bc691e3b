// What the Transformers among the families share: reading configs, checking their sizes against the checkpoint, and
// making the network of one of the three shapes.
#pragma once

#include "core/families/family.h"
#include "core/families/naming.h"

#include <functional>
#include <string>
#include <vector>

namespace headlight {

/// The activation that the config names, transformers' names being known.
Activation readActivation(const ModelConfig& config, const std::string& key, const std::string& otherwise);
/// The activation of that name, which the config has, perhaps within another text, under that key.
Activation activationNamed(const ModelConfig& config, const std::string& key, const std::string& name);

/// Whether the first of the config's architectures ends so, such as in ForMaskedLM.
bool isArchitecture(const ModelConfig& config, const std::string& ending);

/// An id that the config may name, the first where it names several; -1 when it does not, or one beyond the vocabulary.
std::int64_t readSpecialId(const ModelConfig& config, const std::string& key, std::int64_t vocabulary);

/// Whether the output layer is the embedding: where the checkpoint has no matrix for it it is, else as the config says.
bool readTied(const ModelConfig& config, const Weights* weights, const std::string& output, bool otherwise);

/// Where a config says how rotary positions turn.
struct RotaryKeys {
    const char* base = "rope_theta";
    double otherwise = 10000;     ///< the base, where nothing is said
    double part = 1;              ///< how much of a head is turned, where nothing is said
    const char* layers = nullptr; ///< the kind of layers, where newer configs tell kinds apart
    bool scaled = true;           ///< rope_scaling is for these layers
};
/// @param options their head size and their positions are known
RotaryOptions readRotary(const ModelConfig& config, const TransformerOptions& options, const RotaryKeys& keys = {});
/// Reads them into the options, with the positions that their scaling reaches.
void setRotary(const ModelConfig& config, TransformerOptions& options, const RotaryKeys& keys = {});

/// Sets which layers have a window: `layer_types` says so, else `slides`. @param window 0: none has
void setWindows(const ModelConfig& config, TransformerOptions& options, std::int64_t window,
                const std::function<bool(std::int64_t layer)>& slides);

// What the configs of a family's successors have in common with its own, each with what is always so.

/// BERT's: learned positions, post-norm, a norm after the embedding.
TransformerOptions readBertOptions(const ModelConfig& config, const Weights* weights);
/// GPT's: a decoder alone with learned positions.
TransformerOptions readGptOptions(const ModelConfig& config, const Weights* weights);
/// Llama's: a decoder alone with RMS norm before the sublayers, rotary positions, fewer heads of keys than of queries
/// and a gated layer.
TransformerOptions readLlamaOptions(const ModelConfig& config, const Weights* weights, const RotaryKeys& keys = {});
/// BART's: an encoder–decoder with learned or computed positions.
TransformerOptions readBartOptions(const ModelConfig& config, const Weights* weights);
/// RoBERTa's positions, which count from the row after the padding token's id and leave padding out.
void setCountedPositions(const ModelConfig& config, TransformerOptions& options);

/// @throws Error naming both keys when heads do not divide the width
void requireHeads(const ModelConfig& config, const char* widthKey, std::int64_t width, const char* headsKey,
                  std::int64_t heads);

/// The heads that BERT's kin have on their encoders, with BERT's layers: a dense layer and a norm before the words, the
/// pooler before what is said of all, nothing before what is said of each token.
std::vector<EncoderHeadOptions> bertHeads(const TransformerOptions& options);
/// Changes the one of that kind.
void changeHead(std::vector<EncoderHeadOptions>& heads, EncoderHead kind,
                const std::function<void(EncoderHeadOptions&)>& change);

// The three shapes. Sizes are checked against the checkpoint, if there is one, before anything is made.

/// @param heads those that the family knows, of which the architecture or the checkpoint's tensors choose
Network makeEncoder(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                    TransformerOptions options, const std::vector<EncoderHeadOptions>& heads);
/// The same layers as a decoder, where config.json says is_decoder: attention to an encoder as well, where it says
/// add_cross_attention and the checkpoint has it.
/// @param naming of the encoder; the decoder's is asDecoder()
Network makeEncoderOrDecoder(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                             TransformerOptions options, const std::vector<EncoderHeadOptions>& heads);
/// How such a checkpoint names its tensors.
Weights::Naming encoderOrDecoderNaming(const ModelConfig& config, Weights::Naming naming);
/// Its name as a labeller of texts has `score.`, which reads the last token; as one of tokens what the naming says.
Network makeCausal(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                   TransformerOptions options);
/// An encoder–decoder, or its encoder alone where the checkpoint has no decoder.
/// @param ids what config.json names or the family's own, within the vocabulary
Network makeTranslator(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                       TransformerOptions options, const SpecialIds& ids);

} // namespace headlight
