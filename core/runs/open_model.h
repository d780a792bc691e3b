// What all open models share: tokens and their names, cutting to what the model reads, what it says at each row. The
// three ways to run one (encoder and decoder, encoder alone, decoder alone) are files beside this.
#pragma once

#include "core/engine.h"
#include "core/families/family.h"
#include "core/nn/networks.h"
#include "core/runs/budget.h"
#include "core/text/tokenizer.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace headlight {

/// What a model folder holds, read and checked.
struct LoadedModel {
    std::filesystem::path folder;
    Network network;
    std::unique_ptr<Tokenizer> tokenizer; ///< null: the folder has none, and ids are all that can be run
    std::int64_t parameters = 0;
    std::vector<std::string> notices; ///< of every run
};

class OpenModel : public Engine {
public:
    const ModelInfo& info() const final { return m_info; }
    TracePointer run(const Request& request, std::stop_token stop) final;
    AnalysesPointer analyse(const Trace& run, const AnalysisRequest& asked, std::stop_token stop) final;
    /// Of all models, from their next runs on.
    static void setThreads(int threads) { s_threads = threads; }
    static int usedThreads() { return s_used; }

protected:
    /// @throws Error when the tokenizer is of another model
    explicit OpenModel(LoadedModel loaded);

    /// @param request with the memory that the run may take
    /// @throws Stopped
    virtual void runWatched(const Request& request, Watch& watch, const std::stop_token& stop, Trace& trace) = 0;
    /// What runWatched() made, now that it is whole and does not change any more.
    virtual void keep(const TracePointer&) {}

    Network& network() { return m_loaded.network; }
    const Network& network() const { return m_loaded.network; }
    ModelInfo& changeInfo() { return m_info; }
    /// @throws Error when there is none
    const Tokenizer& tokenizer() const;
    bool hasTokenizer() const { return m_loaded.tokenizer != nullptr; }

    bool isSpecial(std::int64_t id) const;
    /// A token that nobody typed.
    Token tokenOf(std::int64_t id) const;
    Candidate candidateOf(std::int64_t id, float probability) const;
    std::vector<Token> tokensOf(const std::vector<std::int64_t>& ids) const;
    /// The same for ids that a user gave. @param option names them in messages
    /// @param vocabulary that they are of; 0: that of what the model says
    std::vector<Token> givenTokens(const std::vector<std::int64_t>& ids, const char* option,
                                   std::int64_t vocabulary = 0) const;

    /// How long a run is that has so many tokens of what is being read.
    using LengthOf = std::function<RunLength(std::int64_t tokens)>;
    /// How many tokens of a text are taken in.
    struct Room {
        std::size_t tokens = 0;
        std::string why; ///< in a notice: what sets the limit
    };
    /// As many as the model reads and the request's memory holds. @param wanted how many there are
    /// @throws Error when it holds hardly any
    Room roomFor(std::size_t wanted, const Request& request, const LengthOf& lengthOf) const;

    /// A typed text's tokens, with those of the words before it that are not part of it.
    std::vector<Token> encoded(const std::string& text, const Request& request) const;
    /// What is to be changed of the specials around a source before it is read.
    virtual void frame(const Request&, std::vector<Token>&) const {}
    /// The source as the model reads it, specials included, cut where it is too long; trace.source is left alone.
    std::vector<Token> readSource(const Request& request, bool keepEnd, const LengthOf& lengthOf, Trace& trace) const;
    /// @throws Error when the request has segments, which only an encoder alone can tell apart
    void refuseSegments(const Request& request) const;
    /// Keeps the first, as many as there is room for, and says so.
    static void cut(std::vector<Token>& tokens, const Room& room, const char* what, Trace& trace);

    /// The logits of some rows, [rows, W] -> [rows, V].
    using LogitsOf = std::function<torch::Tensor(const torch::Tensor& hidden)>;
    /// What the model says at each row, some rows at a time, for all logits of a long text take more memory than all
    /// else. @param hidden what the output layer reads, [rows, W] @param masked rows where it guesses a hidden word
    /// @returns the most probable token of the last row
    /// @param before how many rows came before these, which trace has already
    std::int64_t predict(const torch::Tensor& hidden, const LogitsOf& logitsOf, const Request& request,
                         const std::vector<bool>& masked, Trace& trace, std::int64_t before = 0) const;
    static void keepLogits(const torch::Tensor& logits, const Request& request, Trace& trace);
    static void warnOfNaN(const torch::Tensor& logits, Trace& trace);
    static constexpr auto brokenOutput = "the model's output is not finite: its weights are broken";
    /// Labels of one text. @param logits [1, labels]; of one label alone a number
    void classify(const torch::Tensor& logits, const Request& request, Trace& trace) const;
    /// Labels of each token. @param logits [rows, labels]
    void classifyTokens(const torch::Tensor& logits, const Request& request, Trace& trace) const;
    /// The labels with their probabilities, most probable first. @param logits [labels]
    std::vector<Candidate> labelled(const torch::Tensor& logits) const;

    static std::vector<std::int64_t> idsOf(const std::vector<Token>& tokens);
    static torch::Tensor batchOfOne(const std::vector<std::int64_t>& ids); ///< [1, T]
    /// Numbers the words of tokens that nobody typed, from a token on, as they would be were their text typed.
    void numberWords(std::vector<Token>& tokens, std::size_t from = 0) const;

private:
    /// @param logits [rows, V] of the rows from `first` on
    void predictRows(const torch::Tensor& logits, std::int64_t first, const Request& request,
                     const std::vector<bool>& masked, Trace& trace) const;
    /// Norms, ALTI and what each layer would say, as far as they are asked for and the model has them.
    void recordMore(const Request& request, const std::stop_token& stop, Trace& trace);
    /// The row that is looked at where nobody says which: a masked word's, or the last.
    int naturalRow(const Trace& run) const;
    /// Some ordinary ids, all different and always the same ones, that can be said so many times.
    std::vector<std::int64_t> drawnIds(int times) const;
    /// Measured, more than one only where they are clearly faster on the machine as it is now.
    int fastestThreads();
    void useThreads();
    /// @throws Error for what only other models can be asked for
    void refuseForeign(const Request& request) const;
    /// @throws Error for a head that the model does not have
    void checkHeadsOff(const Intervention& intervention) const;

    static inline std::atomic<int> s_threads = 1; ///< 0: as measured
    static inline std::atomic<int> s_used = 1;    ///< by the last run
    LoadedModel m_loaded;
    ModelInfo m_info;
    ModelSizes m_sizes;
    int m_threads = 0; ///< that this model runs fastest with; 0: not known yet
};

/// Within a catch block: throws what is caught as an Error that names the folder; an Error as it is.
[[noreturn]] void throwAsError(const std::filesystem::path& folder, const char* tooLarge, const char* remedy);

/// The ids of the largest logits, the largest first, of equal ones the lower id; what is no number comes last.
std::vector<std::int64_t> mostProbable(std::span<const float> logits, int count);

std::unique_ptr<Engine> translationEngine(LoadedModel loaded);
std::unique_ptr<Engine> encoderEngine(LoadedModel loaded);
std::unique_ptr<Engine> causalEngine(LoadedModel loaded);

} // namespace headlight
