// Gold alignments of any bytes: either an Error, or links between words that are there.
#include "core/analysis/gold_alignment.h"
#include "core/error.h"
#include "tests/fuzz/input_folder.h"

#include <cstdlib>

using namespace headlight;

namespace {

void check(const std::vector<std::string>& words, const WrittenWords& written) {
    if (written.words.size() != words.size())
        std::abort();
    for (const auto& word : written.words)
        if (word.begin > word.end || word.end > written.text.size())
            std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static InputFolder folder;
    folder.clear();
    folder.write("gold.tsv", {reinterpret_cast<const char*>(data), size});
    try {
        for (const auto& gold : readGoldAlignments(folder.path() / "gold.tsv")) {
            for (const auto& link : gold.possible)
                if (link.source < 0 || link.source >= static_cast<int>(gold.source.size()) || link.target < 0
                    || link.target >= static_cast<int>(gold.target.size()))
                    std::abort();
            const auto source = writtenSource(gold), target = writtenTarget(gold);
            check(gold.source, source);
            check(gold.target, target);
            if (const auto found = wordsIn(source.text, gold.source))
                check(gold.source, *found);
            AlignmentErrors errors;
            errors.add(gold, gold.sure);
            if (!(errors.rate() <= 1))
                std::abort();
        }
    } catch (const Error&) {
        return 0;
    }
    return 0;
}
