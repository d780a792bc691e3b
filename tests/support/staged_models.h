// Models that are none: their runs end when a test says so, or fail.
#pragma once

#include "app/inference_service.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace headlight {

using Texts = std::vector<std::string>;

/// Models whose runs take until the test lets them end, and a clock that the test moves.
class Stage {
public:
    Stage() = default;
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    InferenceService::Means means() {
        return {.open = [this](const std::filesystem::path& folder) -> std::unique_ptr<Engine> {
                    std::unique_lock lock(m_mutex);
                    m_changed.wait(lock, [&] { return m_held != folder.filename().string(); });
                    if (m_bad == folder.filename().string())
                        throw Error(Error::Kind::Corrupt, m_bad, "cannot be opened");
                    return std::make_unique<Model>(*this, folder);
                },
                .now = [this] { return m_now; }};
    }
    void pass(std::chrono::milliseconds time) { m_now += time; }
    /// Lets a model's run of this text end, now or when it comes to it.
    void letEnd(const std::string& run) {
        const std::lock_guard lock(m_mutex);
        m_letEnd.push_back(run);
        m_changed.notify_all();
    }
    /// The model of this name takes to be opened until another is held.
    void holdOpening(const std::string& model) {
        const std::lock_guard lock(m_mutex);
        m_held = model;
        m_changed.notify_all();
    }
    /// This run, or the model of this name, fails from now on.
    void letFail(const std::string& runOrModel) {
        const std::lock_guard lock(m_mutex);
        m_bad = runOrModel;
    }
    /// Runs by their model and text, such as "A: the cat".
    Texts begun() {
        const std::lock_guard lock(m_mutex);
        return m_begun;
    }
    Texts stopped() {
        const std::lock_guard lock(m_mutex);
        return m_stopped;
    }
    bool runs(const std::string& run) {
        const auto texts = begun();
        return !texts.empty() && texts.back() == run;
    }

private:
    class Model : public Engine {
    public:
        Model(Stage& stage, const std::filesystem::path& folder) : m_stage(stage) {
            m_info.name = folder.filename().string();
            m_info.hasEncoder = m_info.hasDecoder = true;
        }
        const ModelInfo& info() const override { return m_info; }
        TracePointer run(const Request& request, std::stop_token stop) override {
            const auto run = m_info.name + ": " + request.source;
            std::unique_lock lock(m_stage.m_mutex);
            if (m_stage.m_bad == run)
                throw Error(Error::Kind::Invalid, run, "cannot be run");
            m_stage.m_begun.push_back(run);
            const auto allowed = [&] {
                return std::find(m_stage.m_letEnd.begin(), m_stage.m_letEnd.end(), run) != m_stage.m_letEnd.end();
            };
            if (!m_stage.m_changed.wait(lock, stop, allowed)) {
                m_stage.m_stopped.push_back(run);
                return nullptr;
            }
            auto trace = std::make_shared<Trace>();
            trace->model = m_info.name;
            trace->sourceText = request.source;
            return trace;
        }

    private:
        Stage& m_stage;
        ModelInfo m_info;
    };

    std::mutex m_mutex;
    std::condition_variable_any m_changed;
    Texts m_begun;
    Texts m_stopped;
    Texts m_letEnd;
    std::string m_bad;
    std::string m_held;
    InferenceService::Clock::time_point m_now{std::chrono::hours(1)};
};

} // namespace headlight
