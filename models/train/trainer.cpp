#include "models/train/trainer.h"

#include "core/error.h"
#include "models/train/batches.h"

#include <ATen/autocast_mode.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace headlight {

namespace {

using Clock = std::chrono::steady_clock;
constexpr double secondsBetweenLines = 10;

double secondsSince(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A number of its own for each epoch or update of a training.
std::uint64_t seedOf(const TrainOptions& options, std::int64_t count) {
    return options.seed * 1'000'003 + static_cast<std::uint64_t>(count);
}

} // namespace

MixedPrecision::MixedPrecision(torch::Device device, bool on) : m_type(device.type()), m_on(on) {
    if (m_on)
        enable(true);
}

MixedPrecision::~MixedPrecision() {
    if (m_on) {
        at::autocast::clear_cache(); // of weights already converted, which the optimizer is about to change
        enable(false);
    }
}

void MixedPrecision::enable(bool on) const {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    at::autocast::set_autocast_dtype(m_type, torch::kBFloat16);
    at::autocast::set_autocast_enabled(m_type, on);
#else
    if (m_type == torch::kCPU) {
        at::autocast::set_autocast_cpu_dtype(torch::kBFloat16);
        at::autocast::set_cpu_enabled(on);
    } else {
        at::autocast::set_autocast_gpu_dtype(torch::kBFloat16);
        at::autocast::set_enabled(on);
    }
#endif
}

void keepFreedMemory() {
#if defined(__GLIBC__)
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, -1);
    mallopt(M_TOP_PAD, 256 << 20);
#endif
}

double learningRate(const TrainOptions& options, std::int64_t step) {
    if (step < options.warmup)
        return options.learningRate * static_cast<double>(step) / static_cast<double>(options.warmup);
    const auto span = static_cast<double>(std::max<std::int64_t>(options.steps - options.warmup, 1));
    const double way = std::min(static_cast<double>(step - options.warmup) / span, 1.0);
    return options.learningRate * 0.5 * (1 + std::cos(std::numbers::pi * way));
}

Trainer::Trainer(std::unique_ptr<Objective> objective, Corpus corpus, std::vector<Corpus> validation,
                 TrainOptions options, std::filesystem::path stateFile)
    : m_objective((objective->network().module().to(options.device), std::move(objective))),
      m_corpus(std::move(corpus)), m_validation(std::move(validation)), m_options(options),
      m_stateFile(std::move(stateFile)), m_adam(module().parameters()) {
    const auto empty = [](const Corpus& held) { return held.pairs.empty(); };
    if (empty(m_corpus) || m_validation.empty() || std::any_of(m_validation.begin(), m_validation.end(), empty))
        throw Error(Error::Kind::Invalid, "the corpora", "one has no sentence that is short enough",
                    "raise --longest, or give other files");
    if (std::filesystem::exists(m_stateFile))
        load();
    planEpoch();
}

void Trainer::planEpoch() {
    m_plan = planBatches(m_corpus.pairs, m_options.batchTokens, seedOf(m_options, m_epoch));
}

void Trainer::update(Line& line) {
    if (m_next >= static_cast<std::int64_t>(m_plan.size())) { // greater: it goes on with a smaller corpus
        ++m_epoch;
        m_next = 0;
        planEpoch();
    }
    ++m_step;
    // Dropout and hiding follow from the step alone, so that a resumed training repeats what an unbroken one does.
    const auto seed = seedOf(m_options, m_step);
    torch::manual_seed(seed);
    const auto& indices = m_plan[static_cast<std::size_t>(m_next++)];
    const auto loss = [&] {
        const MixedPrecision precision(m_options.device, m_options.bfloat16);
        return m_objective->loss(m_corpus.pairs, indices, m_options.device, m_options.smoothing, seed);
    }();
    const auto sum = loss.sum.item<double>();
    if (!std::isfinite(sum)) // from here on all weights would be lost, and the state with them
        throw Error(Error::Kind::Invalid, "step " + std::to_string(m_step), "the loss is not finite",
                    "lower --learning-rate; what was saved before is unharmed");
    (loss.sum / std::max<std::int64_t>(loss.predicted, 1)).backward();
    m_adam.step(learningRate(m_options, m_step), m_options.clip);
    line.loss += sum;
    line.predicted += loss.predicted;
    line.read += loss.read;
}

void Trainer::run(const Listener& listener, const std::atomic<bool>& stop) {
    module().train();
    Line line;
    auto lineStart = Clock::now();
    std::int64_t lineFirst = m_step;
    const auto beginLine = [&] {
        line = {};
        lineStart = Clock::now();
        lineFirst = m_step;
    };
    const auto last = std::min(m_options.steps, m_options.until);
    while (m_step < last && m_validationsSinceBest < m_options.patience && !stop) {
        update(line);
        if (const double seconds = secondsSince(lineStart); seconds > secondsBetweenLines) {
            const double perStep = seconds / static_cast<double>(m_step - lineFirst);
            listener.progress({.step = m_step,
                               .epoch = m_epoch,
                               .loss = line.loss / static_cast<double>(line.predicted),
                               .rate = learningRate(m_options, m_step),
                               .tokensPerSecond = static_cast<double>(line.read) / seconds,
                               .secondsLeft = perStep * static_cast<double>(m_options.steps - m_step)});
            beginLine();
        }
        if (m_step % m_options.validateEvery == 0 || m_step == last) {
            validate(listener);
            save();
            beginLine();
        }
    }
    save();
}

void Trainer::validate(const Listener& listener) {
    std::vector<double> losses;
    double sum = 0;
    for (const auto& corpus : m_validation) {
        losses.push_back(meanLoss(*m_objective, corpus.pairs, m_options.device));
        sum += losses.back();
    }
    const double mean = sum / static_cast<double>(losses.size());
    const bool best = mean < m_bestLoss;
    m_validationsSinceBest = best ? 0 : m_validationsSinceBest + 1;
    if (best)
        m_bestLoss = mean;
    listener.validated(losses, best);
    module().train();
}

std::int64_t Trainer::validationTokens() const {
    std::size_t tokens = 0;
    for (const auto& corpus : m_validation)
        for (const auto& pair : corpus.pairs)
            tokens += pair.source.size() + pair.outputs();
    return static_cast<std::int64_t>(tokens);
}

void Trainer::save() {
    torch::serialize::OutputArchive archive, model, adam;
    module().save(model);
    m_adam.save(adam);
    archive.write("model", model);
    archive.write("adam", adam);
    archive.write("epoch", torch::IValue(m_epoch));
    archive.write("next", torch::IValue(m_next));
    archive.write("step", torch::IValue(m_step));
    archive.write("best_loss", torch::IValue(m_bestLoss));
    archive.write("validations_since_best", torch::IValue(m_validationsSinceBest));
    archive.write("validation_tokens", torch::IValue(validationTokens()));
    // A kill while writing must not cost the state that was there.
    const auto unfinished = m_stateFile.string() + ".new";
    archive.save_to(unfinished);
    std::filesystem::rename(unfinished, m_stateFile);
}

void Trainer::load() {
    try {
        torch::serialize::InputArchive archive, model, adam;
        archive.load_from(m_stateFile.string(), m_options.device);
        archive.read("model", model);
        archive.read("adam", adam);
        std::vector<std::vector<std::int64_t>> shapes; // which LibTorch replaces by those of the file
        for (const auto& parameter : module().parameters())
            shapes.push_back(parameter.sizes().vec());
        module().load(model);
        auto shape = shapes.begin();
        for (const auto& parameter : module().named_parameters())
            TORCH_CHECK(parameter.value().sizes() == *shape++, "its ", parameter.key(), " is of another size");
        m_adam.load(adam);
        torch::IValue value;
        const auto number = [&](const char* name) {
            archive.read(name, value);
            return value.toInt();
        };
        m_epoch = number("epoch");
        m_next = number("next");
        m_step = number("step");
        m_validationsSinceBest = number("validations_since_best");
        archive.read("best_loss", value);
        m_bestLoss = value.toDouble();
        // Of other texts, no loss can be compared with the best of those before.
        if (!archive.try_read("validation_tokens", value) || value.toInt() != validationTokens()) {
            m_bestLoss = std::numeric_limits<double>::infinity();
            m_validationsSinceBest = 0;
        }
    } catch (const c10::Error& error) {
        throw Error(Error::Kind::Mismatch, m_stateFile.string(),
                    std::string("cannot go on from it: ") + error.what_without_backtrace(),
                    "give the options it was begun with, or remove the file to begin anew");
    }
    m_resumed = true;
}

} // namespace headlight
