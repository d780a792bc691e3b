// A Trace's numbers as named tensors; trace_file.h lists them.
#pragma once

#include "core/files/safetensors.h"
#include "core/trace/trace.h"

#include <array>
#include <vector>

namespace headlight {

/// What a kind of attention is called in files.
struct NamedBlock {
    BlockKind kind;
    const char* name;
};
inline constexpr std::array<NamedBlock, 3> blockNames{
    {{BlockKind::Encoder, "encoder"}, {BlockKind::Decoder, "decoder"}, {BlockKind::Cross, "cross"}}};

/// All that the Trace has, pointing into it.
std::vector<TensorView> tensorsOf(const Trace& trace);

/// Fills in what the file has of a Trace whose tokens are known, with a notice where rows are no distributions.
/// @throws Error naming the tensor that does not fit and the numbers
void readTensors(const SafetensorsFile& file, Trace& trace);

} // namespace headlight
