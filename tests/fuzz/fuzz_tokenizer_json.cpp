// Any bytes as a tokenizer.json, then text through what came of it: only Error may be thrown, and each token must lie
// in the text. A good start is a corpus with small files such as tst_tokenizer_json.cpp makes.
#include "core/error.h"
#include "core/text/tokenizer_json.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace headlight;
    constexpr std::string_view text = "  The ½ cat\xFF  ﬁ 我喜欢😀 e\xCC\x81 <0x41> [MASK] aaaa 12 don't ";
    const std::string_view file(reinterpret_cast<const char*>(data), size);
    try {
        const auto tokenizer = makeTokenizer(parseJson(file, "fuzz"), "fuzz", FolderSettings());
        const auto tokens = tokenizer->encode(text);
        std::vector<std::int64_t> ids;
        for (const Token& token : tokens) {
            if (token.bytes.begin > token.bytes.end || token.bytes.end > text.size() || token.id >= tokenizer->size())
                std::abort();
            ids.push_back(token.id);
        }
        tokenizer->decode(ids);
        tokenizer->assemble(tokens, tokens);
    } catch (const Error&) {
        return 0;
    }
    return 0;
}
