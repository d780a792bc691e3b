// What the Transformers among the families share: reading configs, checking their sizes against the checkpoint, and
// making the network of one of the three shapes.
#pragma once

#include "core/families/family.h"
#include "core/families/naming.h"

#include <initializer_list>
#include <string>

namespace headlight {

/// The activation that the config names, transformers' names being known.
Activation readActivation(const ModelConfig& config, const std::string& key, const std::string& otherwise);
/// The activation of that name, which the config has, perhaps within another text, under that key.
Activation activationNamed(const ModelConfig& config, const std::string& key, const std::string& name);

/// The ending of the first of the config's architectures, such as ForMaskedLM; empty when it names none.
/// @param known in the order of trying
/// @throws Error naming the architecture when it has none of these endings
std::string readArchitecture(const ModelConfig& config, std::initializer_list<const char*> known);

/// Which head an encoder's architecture has. Those that say something of other kinds are taken as having none: their
/// attention can be watched. @param maskedHead a tensor which tells, where the config names no architecture
EncoderHead readEncoderHead(const ModelConfig& config, const Weights* weights, const std::string& maskedHead);

/// An id that the config may name, the first where it names several; -1 when it does not, or one beyond the vocabulary.
std::int64_t readSpecialId(const ModelConfig& config, const std::string& key, std::int64_t vocabulary);

// What the configs of a family's successors have in common with its own, each with what is always so.

/// BERT's: learned positions, post-norm, a norm after the embedding.
TransformerOptions readBertOptions(const ModelConfig& config, const Weights* weights);
/// GPT's: a decoder alone with learned positions.
TransformerOptions readGptOptions(const ModelConfig& config, const Weights* weights);
/// BART's: an encoder–decoder whose stacks are alike.
TransformerOptions readBartOptions(const ModelConfig& config, const Weights* weights);

/// @throws Error naming both keys when heads do not divide the width
void requireHeads(const ModelConfig& config, const char* widthKey, std::int64_t width, const char* headsKey,
                  std::int64_t heads);

// The three shapes. Sizes are checked against the checkpoint, if there is one, before anything is made.
Network makeEncoder(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                    TransformerOptions options, EncoderHeadOptions head);
Network makeCausal(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                   TransformerOptions options);
/// @param ids what config.json names or the family's own, within the vocabulary
Network makeTranslator(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                       TransformerOptions options, const SpecialIds& ids);

} // namespace headlight
