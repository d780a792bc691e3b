// A folder with any files of the tokenizers that there were before tokenizer.json, then text through what came of it:
// only Error may be thrown, and each token must lie in the text.
#include "core/error.h"
#include "core/text/tokenizer.h"
#include "tests/fuzz/input_folder.h"

#include <cstdlib>

using namespace headlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static InputFolder folder;
    constexpr std::string_view text = "  The ½ cat\xFF  ﬁ 我喜欢😀 e\xCC\x81 <0x41> [MASK] aaaa 12 don't <mask> ";
    folder.fill(data, size);
    try {
        const auto tokenizer = openTokenizer(folder.path());
        const auto tokens = tokenizer->encode(text);
        std::vector<std::int64_t> ids{-1, tokenizer->size()};
        for (const Token& token : tokens) {
            if (token.bytes.begin > token.bytes.end || token.bytes.end > text.size() || token.id >= tokenizer->size())
                std::abort();
            ids.push_back(token.id);
        }
        for (const auto id : ids)
            tokenizer->token(id);
        tokenizer->encodeTarget(text);
        tokenizer->decode(ids);
        tokenizer->assemble(tokens, tokens);
    } catch (const Error&) {
        return 0;
    }
    return 0;
}
