// What a key press costs from the key to the last pixel: a paragraph typed character by character into the window.
#include "app/main_window.h"
#include "tests/bench/bench.h"
#include "widgets/trace_view.h"

#include <benchmark/benchmark.h>

#include <QApplication>
#include <QKeyEvent>
#include <QPixmap>
#include <QPlainTextEdit>
#include <QTemporaryDir>

#include <string>
#include <vector>

namespace headlight {

namespace {

void type(QWidget* where, QChar letter) {
    for (const auto type : {QEvent::KeyPress, QEvent::KeyRelease}) {
        QKeyEvent event(type, letter.toUpper().unicode(), Qt::NoModifier, letter);
        QApplication::sendEvent(where, &event);
    }
}

void window(benchmark::State& state, const std::filesystem::path& folder) {
    const QTemporaryDir home; // of settings that are not the user's
    qputenv("XDG_CONFIG_HOME", home.path().toUtf8());
    MainWindow window({}, {.modelA = QString::fromStdString(folder.string()), .source = QStringLiteral("The")});
    auto* const source = window.findChild<QPlainTextEdit*>(QStringLiteral("source"));
    window.resize(1280, 800);
    window.show();
    const auto settle = [&] {
        while (!window.trace() || window.waiting()
               || QString::fromStdString(window.trace()->sourceText) != source->toPlainText())
            QApplication::processEvents(QEventLoop::WaitForMoreEvents, 1000);
        window.view()->grab();
    };
    settle();
    source->moveCursor(QTextCursor::End);
    std::vector<double> processor, clock, model;
    for (auto _ : state) {
        double sum = 0;
        for (const QChar letter : QStringLiteral(" committee agreed that the new rules would help small farms.")) {
            const auto start = std::chrono::steady_clock::now();
            processor.push_back(processorMilliseconds([&] {
                type(source, letter);
                settle();
            }));
            clock.push_back(
                std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
            model.push_back(window.trace()->timings.model);
            sum += processor.back();
        }
        state.SetIterationTime(sum / 1000);
        source->setPlainText(QStringLiteral("The"));
        settle();
        source->moveCursor(QTextCursor::End);
    }
    for (const auto& [name, share] : {std::pair("p50", 0.5), {"p95", 0.95}, {"p99", 0.99}}) {
        state.counters[std::string(name) + "_cpu_ms"] = quantile(processor, share);
        state.counters[std::string(name) + "_clock_ms"] = quantile(clock, share);
        state.counters[std::string(name) + "_model_ms"] = quantile(model, share);
    }
}

} // namespace

void addWindow(const std::filesystem::path& folder) {
    benchmark::RegisterBenchmark(("window/" + folder.filename().string()).c_str(), window, folder)
        ->Unit(benchmark::kMillisecond)
        ->Iterations(2)
        ->UseManualTime();
}

} // namespace headlight
