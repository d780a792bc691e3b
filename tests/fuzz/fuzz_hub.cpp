// A hub's cache of any files and links: what is listed is inside and can be opened by its folder; only Error may be
// thrown.
#include "core/error.h"
#include "core/files/hub.h"
#include "core/files/model_config.h"
#include "tests/fuzz/input_folder.h"

#include <cstdlib>

using namespace headlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static InputFolder cache;
    cache.fill(data, size);
    for (const auto& model : hubModels(cache.path()))
        if (model.name.empty() || model.folder.empty())
            std::abort();
    for (const auto& entry : std::filesystem::directory_iterator(cache.path())) {
        try {
            const auto folder = modelFolder(entry.path());
            modelName(folder);
            const auto config = ModelConfig::open(folder);
            config.architectures();
            config.labels();
        } catch (const Error&) { // which is what a broken folder must come to
        }
    }
    return 0;
}
