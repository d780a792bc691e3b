// What the Transformers among the families share: reading a config's names, checking its sizes against the checkpoint,
// and making the network of one of the three shapes.
#pragma once

#include "core/families/family.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

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

/// The sizes of BERT's config, whose keys its successors kept, and what all of them have: learned positions, post-norm,
/// a norm after the embedding.
TransformerOptions readEncoderOptions(const ModelConfig& config, const Weights* weights);

/// @throws Error naming both keys when heads do not divide the width
void requireHeads(const ModelConfig& config, const char* widthKey, std::int64_t width, const char* headsKey,
                  std::int64_t heads);

/// @throws Error when the decoder of BART's kin differs from the encoder in heads or feed-forward size
void requireEqualStacks(const ModelConfig& config, const TransformerOptions& options);

/// Each `first` that our name contains, replaced by `second`, in this order.
using Renames = std::vector<std::pair<std::string, std::string>>;
std::string renamed(std::string name, const Renames& renames);

/// BERT's names of an encoder's tensors, which its successors kept under prefixes of their own, then those of a head.
Renames bertNames(const std::string& prefix, const Renames& head);

/// A canonical name: the prefix added where a checkpoint of the bare model lacks it, that is to names that begin with
/// one of `bare`; gamma and beta, of the first conversions, called weight and bias.
std::string withPrefix(std::string name, const std::string& prefix, std::initializer_list<const char*> bare);

/// Which third of GPT's joined projection a parameter of ours is: 0 queries, 1 keys, 2 values.
int thirdOf(const std::string& ours);

bool startsWithAny(const std::string& name, std::initializer_list<const char*> beginnings);
bool endsWithAny(const std::string& name, std::initializer_list<const char*> endings);

// The three shapes. Sizes are checked against the checkpoint, if there is one, before anything is made.
Network makeEncoder(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                    TransformerOptions options, EncoderHeadOptions head);
Network makeCausal(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                   TransformerOptions options);
/// @param ids what config.json names or the family's own, within the vocabulary
Network makeTranslator(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                       TransformerOptions options, const SpecialIds& ids);

} // namespace headlight
