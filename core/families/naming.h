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
/// @param others names that are not BERT's, such as those of heads
Weights::Naming bertNaming(const std::string& prefix, const Renames& others);
/// The same with RoBERTa's names of heads, which its kin kept.
Weights::Naming robertaNaming(const std::string& prefix, Renames others = {});
/// The same names of a decoder, whose layers bear those of an encoder and attend to one as `crossattention`.
Weights::Naming asDecoder(Weights::Naming naming);
/// GPT's names: matrices lie as [in, out], those of queries, keys and values in one.
/// @param ends names of what stands before and behind the layers
Weights::Naming gptNaming(const Renames& ends, std::vector<std::string> unread);
/// Llama's names, which most of its successors kept.
/// @param others names that are not Llama's, taken first
Weights::Naming llamaNaming(Renames others = {});
/// Where a parameter lies whose queries, keys and values are in one, head after head: [heads, 3, size of a head] rows.
Weights::Source joinedByHead(const std::string& ours, const Renames& renames, std::int64_t heads);
/// BART's names, which are ours.
Weights::Naming bartNaming();

/// The same naming with sources that are changed.
Weights::Naming changed(Weights::Naming naming,
                        const std::function<Weights::Source(const std::string& ours, Weights::Source)>& change);

/// A canonical name: the prefix added where a checkpoint of the bare model lacks it, that is to names that begin with
/// one of `bare`; gamma and beta, of the first conversions, called weight and bias.
std::string withPrefix(std::string name, const std::string& prefix, const std::vector<std::string>& bare);

bool startsWithAny(const std::string& name, const std::vector<std::string>& beginnings);
bool endsWithAny(const std::string& name, const std::vector<std::string>& endings);

} // namespace headlight
