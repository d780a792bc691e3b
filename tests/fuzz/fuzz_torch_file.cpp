// Files of torch.save of any bytes, as they are and as pickles within a file that is whole: either an Error, or tensors
// that hold all they promise.
#include "core/checkpoint/torch_file.h"
#include "core/error.h"
#include "tests/support/torch_files.h"

#include <cstdint>
#include <cstdlib>
#include <numeric>

using namespace headlight;

namespace {

void open(std::string_view bytes) {
    try {
        const auto file = TorchFile::fromBytes(bytesOf(bytes), "input");
        for (const auto& tensor : file.tensors()) {
            const auto count =
                std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::int64_t{1}, std::multiplies());
            const auto values = toFloats(tensor);
            if (static_cast<std::int64_t>(values.size()) != count
                || (count > 0 && tensor.bytes.size() > 2 * bytes.size()))
                std::abort();
        }
    } catch (const Error& error) { // which is what a bad file must come to
        if (error.place() != "input" || error.detail().empty())
            std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input(reinterpret_cast<const char*>(data), size);
    const std::string numbers(64, '\x3f');
    open(input);
    open(torchZip(input, {{"0", numbers}, {"1", numbers.substr(0, 4)}}));
    open(torchLegacy(input, {{"0", 16, numbers}}));
    return 0;
}
