// How checkpoints name the tensors of a Transformer, whose parameters bear BART's names here.
#pragma once

#include "core/checkpoint/weights.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace headlight {

/// Each `first` that our name contains, replaced by `second`, in this order.
using Renames = std::vector<std::pair<std::string, std::string>>;
std::string renamed(std::string name, const Renames& renames);

/// Where a parameter of ours lies whose name is only another one.
std::function<Weights::Source(const std::string& ours)> namedBy(Renames renames);

/// BERT's names of an encoder's tensors, which its successors kept under prefixes of their own.
/// @param head   names of what reads the encoder, `head_output.` and `head_bias` among them
/// @param unread how tensors begin that only other heads read
Weights::Naming bertNaming(const std::string& prefix, const Renames& head, std::vector<std::string> unread);
/// GPT's names: matrices lie as [in, out], those of queries, keys and values in one.
/// @param ends names of what stands before and behind the layers
Weights::Naming gptNaming(const Renames& ends, std::vector<std::string> unread);
/// BART's names, which are ours.
Weights::Naming bartNaming();

/// A canonical name: the prefix added where a checkpoint of the bare model lacks it, that is to names that begin with
/// one of `bare`; gamma and beta, of the first conversions, called weight and bias.
std::string withPrefix(std::string name, const std::string& prefix, const std::vector<std::string>& bare);

bool startsWithAny(const std::string& name, const std::vector<std::string>& beginnings);
bool endsWithAny(const std::string& name, const std::vector<std::string>& endings);

} // namespace headlight
