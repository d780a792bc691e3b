// A Trace on disk, for this program and for others: one safetensors file that holds all of it, and a JSON file beside
// it that says in plain text what the numbers belong to.
//
// Tensors (float32; of the blocks those that the model has, of the rest what was recorded):
//     encoder, decoder, cross      [layers, heads, queries, keys]      weights after softmax
//     BLOCK.scores                 [layers, heads, queries, keys]      before softmax
//     BLOCK.queries, BLOCK.keys    [layers, heads, queries or keys, size]
//     BLOCK.values                 [layers, heads, keys, size]
//     BLOCK.scales                 [layers]                            what query · key was multiplied by
//     additive.queries             [queries, size]                     W s
//     additive.keys                [keys, size]                        U h
//     additive.v                   [size]
//     additive.energies            [queries, keys]
//     additive.annotations         [keys, size]                        h, what the weights sum up
//     context                      [size]                              of a decoder without attention
//     STACK.positions              [positions, dimensions]
//     STACK.input.tokens           [rows, dimensions]                  what the encoder or decoder takes in
//     STACK.input.positions, STACK.input.sums
//     logits                       [rows, vocabulary]
// Metadata:
//     tokens   {"source": [texts], "target": [texts], "emitted": [texts]}; target: what the decoder takes in
//     trace    the text of trace.json
// A file made elsewhere needs blocks and `tokens` only, where a plain list names the tokens of the one text there is,
// and `emitted` may be absent: then the rows of the decoder are known by `target` alone.
#pragma once

#include "core/trace/trace.h"

#include <cstddef>
#include <filesystem>
#include <vector>

namespace headlight {

class SafetensorsFile;

/// The bytes of a safetensors file with all of the Trace.
std::vector<std::byte> serializeTrace(const Trace& trace);

/// Writes trace.safetensors and trace.json into the folder, which is made if need be: both or neither.
/// @throws Error Unreadable with the system's reason
void writeTrace(const Trace& trace, const std::filesystem::path& folder);

/// True for a safetensors file that is to be read as a run: one that names tokens, or has no config.json beside it, as
/// a model's weights have.
bool isTraceFile(const std::filesystem::path& path);

/// The Trace in a safetensors file of ours, or of others as told above.
/// @throws Error naming the file, the tensor or token at fault and the numbers
Trace readTrace(const std::filesystem::path& path);
/// The same from a file that is open already; what it calls itself names the model if nothing else does.
Trace readTrace(const SafetensorsFile& file);

} // namespace headlight
