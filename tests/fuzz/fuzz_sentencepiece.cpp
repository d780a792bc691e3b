// Any bytes as a model file, then text through what came of it: only Error may be thrown.
#include "core/error.h"
#include "core/text/sentencepiece.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view text = "  The ½ cat\xFF  ﬁ 我喜欢😀 e\xCC\x81 <0x41> aaaa ";
    try {
        const headlight::SentencePiece model({reinterpret_cast<const char*>(data), size}, "fuzz");
        for (const auto& segment : model.encode(text)) {
            if (segment.bytes.begin > segment.bytes.end || segment.bytes.end > text.size())
                std::abort();
        }
    } catch (const headlight::Error&) {
        return 0;
    }
    return 0;
}
