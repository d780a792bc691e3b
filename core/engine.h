// The only door to the models: open a folder, tokenize, run. No LibTorch type passes through it.
#pragma once

#include "core/error.h"
#include "core/trace/trace.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

/// What a model is, known once it is open.
struct ModelInfo {
    std::string name;   ///< the folder's name
    std::string family; ///< model_type of config.json
    bool hasEncoder = false;
    bool hasDecoder = false; ///< with an encoder it answers a source, alone it goes on with a text
    std::int64_t parameters = 0;
    int encoderLayers = 0;
    int decoderLayers = 0;
    int heads = 0;        ///< of one layer; 0 without attention
    int maxPositions = 0; ///< longest input in tokens; longer text is cut, and the Trace says so
    bool hasTokenizer = false;
    bool readsPairs = false;         ///< an encoder that was taught to tell a second text from the first
    std::string mask;                ///< the token whose word a masked language model guesses, `[MASK]`; else empty
    std::vector<std::string> labels; ///< of a classification; else empty
};

/// Which costly parts of a Trace to record beside the attention weights.
struct Recording {
    bool scores = false;  ///< scores before softmax
    bool vectors = false; ///< query, key, value and input vectors; of additive attention W s, U h, v and h
    bool logits = false;
    bool positions = true;
    int candidates = 5;      ///< predictions kept for each step
    int maskCandidates = 10; ///< the same where a masked language model has a word to guess
};

/// How a decoder alone goes on with a text.
struct Sampling {
    bool random = false;    ///< draw the next token; else take the most probable
    double temperature = 1; ///< logits are divided by it, for the probabilities on show, too
    int topK = 0;           ///< of how many candidates one is drawn; 0: of all
    std::uint64_t seed = 1;
};

/// One run, as plain data. Text is UTF-8; invalid bytes are read as U+FFFD.
struct Request {
    std::string source;
    std::optional<std::string> second;    ///< read together with `source` by an encoder alone
    std::optional<std::string> target;    ///< forced target; without it an encoder–decoder decodes its own
    std::vector<std::int64_t> sourceIds;  ///< when not empty, taken instead of `source`, specials included
    std::vector<std::int64_t> segmentIds; ///< of each of `sourceIds`; empty: all 0
    /// When not empty, what the decoder takes in, start token included; a decoder alone takes it in after the source.
    std::vector<std::int64_t> targetIds;
    /// What an encoder–decoder's own translation begins with, start token left out; it goes on from there.
    std::vector<std::int64_t> beginIds;
    Intervention intervention;
    int beam = 1;      ///< 1: greedy
    int maxLength = 0; ///< most tokens to decode; 0: the model's own limit, of a decoder alone none
    Sampling sampling;
    /// Of a source longer than the model reads, how many tokens to leave out at its beginning. Without it an encoder
    /// reads the beginning, a decoder alone the end.
    std::optional<int> skip;
    Recording record;
};

/// Versions and the state of the machine's linear algebra, for `--version` and the status bar.
struct ComputeInfo {
    std::string libtorch; ///< version
    std::string blas;     ///< file of the library found, with OpenBLAS's kernels: `libopenblasp-r0.3.21.so (Haswell)`
    bool slowBlas =
        false; ///< the reference BLAS, or kernels of old processors: models run many times slower than they could
    int threads = 1;
};

/// One open model. Not for use from two threads at once.
class Engine {
public:
    /// @param folder config.json, model.safetensors and the tokenizer's files
    /// @throws Error naming the file and what is wrong with it; nothing is half open
    static std::unique_ptr<Engine> open(const std::filesystem::path& folder);

    /// The tokens alone; weights are not read, so this works where only the tokenizer's files are.
    /// @throws Error when the folder has no tokenizer that we know
    static std::vector<Token> tokenize(const std::filesystem::path& folder, std::string_view text);
    /// The same for text after text, without opening the files again.
    static std::function<std::vector<Token>(std::string_view)> tokenizerOf(const std::filesystem::path& folder);

    static ComputeInfo compute();
    static void setThreads(int threads);

    virtual ~Engine() = default;
    virtual const ModelInfo& info() const = 0;

    /// Runs the model and records what was asked for. Empty text is fine.
    /// @returns null when `stop` was requested, which is tested between layers and decoding steps
    /// @throws Error for ids out of the vocabulary and the like
    virtual TracePointer run(const Request& request, std::stop_token stop = {}) = 0;
};

} // namespace headlight
