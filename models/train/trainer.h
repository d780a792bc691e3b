// Training of one network, whatever its objective: Adam, warm-up and decay, label smoothing, clipping, early stopping;
// goes on after a kill from where it last saved, to the same weights as if it had not been killed.
#pragma once

#include "models/train/adam.h"
#include "models/train/corpus.h"
#include "models/train/objective.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace headlight {

struct TrainOptions {
    std::int64_t steps = 10000; ///< weight updates in all; the learning rate reaches 0 there
    std::int64_t until = std::numeric_limits<std::int64_t>::max(); ///< update after which it rests, to be gone on with
    std::int64_t batchTokens = 1000;                               ///< output tokens of one update
    double learningRate = 1e-3;                                    ///< at the end of the warm-up
    std::int64_t warmup = 500;                                     ///< updates over which the learning rate rises
    double smoothing = 0.1;                                        ///< label smoothing
    double clip = 1;                                               ///< most norm of all gradients together
    std::int64_t validateEvery = 500;                              ///< updates between two validations; each also saves
    int patience = 10; ///< validations without improvement after which it stops
    std::uint64_t seed = 1;
    bool bfloat16 = false; ///< matrix products in bfloat16: several times as fast where the processor has them
    torch::Device device = torch::kCPU;
};

/// A layer's tensors come and go. glibc gives the large ones back to the system each time, and clearing the pages that
/// come instead is a third of a training's time: from here on this process keeps what it has had.
void keepFreedMemory();

/// The learning rate of one update, counted from 1: up in a straight line, down along a cosine.
double learningRate(const TrainOptions& options, std::int64_t step);

/// While it lives, matrix products are computed in bfloat16; weights, sums and the optimizer stay in float32.
class MixedPrecision {
public:
    MixedPrecision(torch::Device device, bool on);
    ~MixedPrecision();
    MixedPrecision(const MixedPrecision&) = delete;
    MixedPrecision& operator=(const MixedPrecision&) = delete;

private:
    void enable(bool on) const;

    torch::DeviceType m_type;
    bool m_on;
};

struct Progress {
    std::int64_t step = 0;
    std::int64_t epoch = 0;
    double loss = 0;            ///< smoothed nats per predicted token since the last line
    double rate = 0;            ///< learning rate
    double tokensPerSecond = 0; ///< of a translator target tokens, else tokens read
    double secondsLeft = 0;
};

class Trainer {
public:
    /// @param validation one or several held-out corpora; their mean loss decides
    /// @param stateFile  what a later run goes on from; read at once when it is there
    /// @throws Error when a corpus is empty or the state is not of this model
    Trainer(std::unique_ptr<Objective> objective, Corpus corpus, std::vector<Corpus> validation, TrainOptions options,
            std::filesystem::path stateFile);

    struct Listener {
        std::function<void(const Progress&)> progress; ///< every few seconds
        std::function<void(const std::vector<double>& losses, bool best)> validated;
    };
    /// Trains to the end, until it no longer improves, or until `stop` is set; always saved then.
    /// @throws Error when the loss is no longer finite; what was saved stays as it was
    void run(const Listener& listener, const std::atomic<bool>& stop);

    Network& network() { return m_objective->network(); }
    std::int64_t step() const { return m_step; }
    double bestLoss() const { return m_bestLoss; }
    bool resumed() const { return m_resumed; }

private:
    /// What has been summed up since the last line.
    struct Line {
        double loss = 0;
        std::int64_t predicted = 0;
        std::int64_t read = 0;
    };
    torch::nn::Module& module() { return m_objective->network().module(); }
    void update(Line& line);
    void validate(const Listener& listener);
    std::int64_t validationTokens() const; ///< by which a state tells whether its validation is this one
    void save();
    void load();
    void planEpoch();

    std::unique_ptr<Objective> m_objective;
    Corpus m_corpus;
    std::vector<Corpus> m_validation;
    TrainOptions m_options;
    std::filesystem::path m_stateFile;
    Adam m_adam;
    std::vector<std::vector<std::size_t>> m_plan; ///< of this epoch
    std::int64_t m_epoch = 0;
    std::int64_t m_next = 0; ///< batch of the plan
    std::int64_t m_step = 0;
    double m_bestLoss = std::numeric_limits<double>::infinity();
    std::int64_t m_validationsSinceBest = 0;
    bool m_resumed = false;
};

} // namespace headlight
