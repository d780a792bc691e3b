// What a redraw and an export cost: a run of so many layers, heads and tokens comes to a view, which draws it.
#include "tests/bench/bench.h"
#include "widgets/figure_exporter.h"
#include "widgets/heads_view.h"
#include "widgets/lines_view.h"
#include "widgets/matrix_view.h"
#include "widgets/selection.h"

#include <benchmark/benchmark.h>

#include <QPixmap>

#include <cmath>
#include <memory>
#include <random>
#include <string>

namespace headlight {

namespace {

struct Sizes {
    int layers;
    int heads;
    int tokens;

    std::string name() const {
        return std::to_string(layers) + 'x' + std::to_string(heads) + 'x' + std::to_string(tokens);
    }
};

/// An encoder's run with random weights, as sharp as those of models are.
TracePointer randomTrace(const Sizes& sizes, unsigned seed) {
    auto trace = std::make_shared<Trace>();
    std::mt19937 random(seed);
    for (int i = 0; i < sizes.tokens; ++i) {
        const auto text = "word" + std::to_string(i);
        Token token{.id = i, .text = text, .letters = text, .bytes = {}};
        token.word = i;
        trace->source.push_back(token);
        trace->sourceText += (i > 0 ? " " : "") + text;
    }
    auto& block = trace->encoder.emplace();
    block.kind = BlockKind::Encoder;
    block.layers = sizes.layers;
    block.heads = sizes.heads;
    block.queries = block.keys = sizes.tokens;
    std::normal_distribution<float> score(0, 2);
    const auto keys = static_cast<std::size_t>(sizes.tokens);
    block.weights.resize(static_cast<std::size_t>(sizes.layers * sizes.heads) * keys * keys);
    for (std::size_t row = 0; row < block.weights.size(); row += keys) {
        float sum = 0;
        for (std::size_t key = 0; key < keys; ++key)
            sum += block.weights[row + key] = std::exp(score(random));
        for (std::size_t key = 0; key < keys; ++key)
            block.weights[row + key] /= sum;
    }
    return trace;
}

template <class View>
std::unique_ptr<View> shownView(Selection& selection) {
    auto view = std::make_unique<View>();
    view->setSelection(&selection);
    view->resize(1200, 1000);
    view->show();
    return view;
}

/// From the run's arrival to the last pixel, what is worked out on other threads included.
template <class View>
void redraw(benchmark::State& state, Sizes sizes) {
    Selection selection;
    const auto view = shownView<View>(selection);
    const TracePointer runs[]{randomTrace(sizes, 1), randomTrace(sizes, 2)};
    int turn = 0;
    for (auto _ : state) {
        view->setTrace(runs[turn++ % 2], nullptr);
        view->grab();
    }
}

template <class View>
void exported(benchmark::State& state, Sizes sizes, FigureExporter::Format format) {
    Selection selection;
    const auto view = shownView<View>(selection);
    view->setTrace(randomTrace(sizes, 1), nullptr);
    view->grab();
    qsizetype bytes = 0;
    for (auto _ : state)
        bytes = FigureExporter::encode(*view, format, {}).size();
    state.counters["bytes"] = static_cast<double>(bytes);
}

template <class Measured, class... Arguments>
void add(const std::string& name, Measured measured, Arguments... arguments) {
    benchmark::RegisterBenchmark(name.c_str(), measured, arguments...)
        ->Unit(benchmark::kMillisecond)
        ->MeasureProcessCPUTime();
}

} // namespace

void addViews() {
    for (const int tokens : {16, 64, 512}) {
        const Sizes sizes{12, 12, tokens};
        add("redraw/heads/" + sizes.name(), redraw<HeadsView>, sizes);
        add("redraw/lines/" + sizes.name(), redraw<LinesView>, sizes);
        add("redraw/matrix/" + sizes.name(), redraw<MatrixView>, sizes);
    }
    const Sizes small{12, 12, 16};
    for (const auto& [name, format] : {std::pair("svg", FigureExporter::Format::Svg),
                                       {"png", FigureExporter::Format::Png},
                                       {"pdf", FigureExporter::Format::Pdf},
                                       {"csv", FigureExporter::Format::Csv}})
        add(std::string("export/heads/") + name + '/' + small.name(), exported<HeadsView>, small, format);
}

} // namespace headlight
