// Safetensors and traces of any bytes: either an Error, or a file and a Trace that hold all they promise.
#include "core/analysis/alignment.h"
#include "core/analysis/comparison.h"
#include "core/analysis/head_metrics.h"
#include "core/analysis/words.h"
#include "core/error.h"
#include "core/files/safetensors.h"
#include "core/trace/trace_file.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

using namespace headlight;

namespace {

/// The bytes as they are, or, as a length is hard to guess, as a header with zeros behind it.
std::vector<std::byte> fileOf(std::span<const std::byte> input) {
    if (input.size() < 2 || input[0] == std::byte{0})
        return {input.begin(), input.end()};
    const auto data = static_cast<std::size_t>(input[1]);
    const std::uint64_t length = input.size() - 2;
    std::vector<std::byte> file(sizeof length);
    std::memcpy(file.data(), &length, sizeof length);
    file.insert(file.end(), input.begin() + 2, input.end());
    file.resize(file.size() + data);
    return file;
}

/// Looks at the block in every way there is; sanitizers watch.
void analyse(const Trace& trace, const AttentionBlock& block) {
    const auto place = bestAligningHead(block, trace.keyTokens(block.kind));
    blockMetrics(block, trace.keyTokens(block.kind));
    const auto head = headMap(block, place.layer, place.head);
    const auto mean = meanOverBlock(block);
    wordMap(trace, block.kind, RowTokens::Emitted, mean);
    if (!compare({trace, head}, {trace, mean}, block.kind).comparable())
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::byte> written;
    try {
        const auto file = SafetensorsFile::fromBytes(fileOf(std::as_bytes(std::span(data, size))), "input");
        for (const auto& tensor : file.tensors())
            if (file.find(tensor.name) != &tensor || toFloats(tensor).size() != tensor.elementCount())
                std::abort();
        const auto trace = readTrace(file);
        for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross})
            if (const auto* block = trace.block(kind))
                analyse(trace, *block);
        written = serializeTrace(trace);
    } catch (const Error&) { // which is what a bad file must come to
        return 0;
    }
    // What we write we read: an Error from here on is our own fault and ends the program.
    if (serializeTrace(readTrace(SafetensorsFile::fromBytes(written, "written"))) != written)
        std::abort();
    return 0;
}
