#include "app/commands/pictures.h"

#include "app/commands/words.h"
#include "app/examples.h"
#include "app/main_window.h"
#include "app/model_catalog.h"
#include "app/views.h"
#include "core/engine.h"
#include "core/files/whole_file.h"
#include "core/runs/side_by_side.h"
#include "core/trace/trace_file.h"
#include "widgets/derived.h"
#include "widgets/figure_exporter.h"
#include "widgets/playback_view.h"
#include "widgets/selection.h"

#include <QApplication>
#include <QBuffer>
#include <QEventLoop>
#include <QImage>
#include <QPainter>
#include <QTimer>

#include <map>
#include <memory>

namespace headlight {

namespace {

const QString windowName = QStringLiteral("window");

const ViewType& viewType(const QString& name) {
    for (const auto& type : viewTypes()) {
        if (name == QLatin1String(type.name))
            return type;
    }
    throw Error(Error::Kind::Unsupported, "--view", "\"" + name.toStdString() + "\" is not known",
                "known: " + renderableViews().join(QStringLiteral(", ")).toStdString());
}

Runs run(const Session& session) {
    Runs runs;
    if (!session.trace.isEmpty()) {
        runs.first = std::make_shared<const Trace>(readTrace(pathOf(session.trace)));
        return runs;
    }
    std::map<std::filesystem::path, std::unique_ptr<Engine>> engines;
    const auto open = [&engines](const std::filesystem::path& folder) -> Engine& {
        auto& engine = engines[folder];
        if (!engine)
            engine = Engine::open(folder);
        return *engine;
    };
    SideBySide what;
    what.first = ModelCatalog::resolve(session.models.a);
    what.request = session.typed.request(open(what.first).info());
    session.changes.apply(what.request);
    what.request.intervention.off = session.selection.off;
    if (!what.request.intervention.empty()) // what that does is seen beside the model as it is
        what.second = what.first;
    else if (!session.models.b.isEmpty())
        what.second = ModelCatalog::resolve(session.models.b);
    what.full = false;
    what.request.record.vectors = true;
    what.request.record.scores = true;
    recordFor(session.selection.map, true, what.request.record);
    runFirst(what, open, runs);
    runBeside(what, open, runs);
    return runs;
}

QStringList noticesOf(const Runs& runs) {
    QStringList notices;
    for (const auto& trace : {runs.first, runs.second}) {
        if (!trace)
            continue;
        for (const auto& notice : trace->notices)
            notices.append(QString::fromStdString(trace->model + ": " + notice));
    }
    notices.removeDuplicates(); // of a model beside itself in full
    return notices;
}

std::string kindWord(BlockKind kind) {
    return kindNames()[static_cast<qsizetype>(kind)].toStdString();
}

/// What the runs have of what was asked for, as the views choose it; they would quietly take the nearest.
const AttentionBlock* checkedBlock(const RenderOptions& options, const Runs& runs) {
    const Trace* run = nullptr;
    const AttentionBlock* block = nullptr;
    const auto chosen = options.session.selection.kind;
    for (const auto kind : {chosen, BlockKind::Cross, BlockKind::Encoder, BlockKind::Decoder}) {
        if (run || (options.kind && *options.kind != kind))
            continue;
        run = hasHeads(*runs.first, kind) ? runs.first.get() : nullptr;
        block = run ? run->block(kind) : nullptr;
    }
    if (!block && options.kind)
        throw Error(Error::Kind::Invalid, "--kind",
                    runs.first->model + " has no attention of kind " + kindWord(*options.kind));
    if (!options.layer)
        return block;
    if (!block)
        throw Error(Error::Kind::Invalid, "--layer", runs.first->model + " has no attention");
    const auto check = [&](const char* option, const char* what, int number, int count) {
        if (number >= count)
            throw Error(Error::Kind::Invalid, option,
                        std::to_string(number) + " is beyond " + run->model + ", whose " + kindWord(block->kind)
                            + " attention has " + std::to_string(count) + " " + what + (count == 1 ? "" : "s")
                            + ", counted from 0");
    };
    check("--layer", "layer", *options.layer, block->layers);
    if (options.head)
        check("--head", "head", *options.head, block->heads);
    return block;
}

/// What the session says, as far as the run has it, and what of it was asked for here.
void select(Selection& selection, const RenderOptions& options, const Runs& runs) {
    auto chosen = options.session.selection;
    const auto* lockedIn = chosen.locked ? runs.first->block(chosen.locked->kind) : nullptr;
    if (!lockedIn || chosen.locked->query.value_or(Query()).value >= lockedIn->queries
        || chosen.locked->key.value_or(Key()).value >= lockedIn->keys)
        chosen.locked.reset();
    selection.setChosen(chosen);
    const auto* block = checkedBlock(options, runs);
    if (!block)
        return;
    if (block->kind != selection.kind())
        selection.setKind(block->kind);
    if (options.point) {
        const auto [query, key] = *options.point;
        const auto* own = runs.first->block(block->kind); // a pair is of A where both have one
        const auto& pointed = own ? *own : *block;
        if (query >= pointed.queries || key >= pointed.keys)
            throw Error(Error::Kind::Invalid, "--point",
                        std::to_string(query) + "," + std::to_string(key) + " is beyond the "
                            + std::to_string(pointed.queries) + " queries and " + std::to_string(pointed.keys)
                            + " keys of this text, counted from 0");
        selection.freeLock();
        selection.toggleLock({block->kind, Query(query), Key(key)});
    }
    if (!options.layer)
        return;
    selection.setHead(block->kind, Layer(*options.layer), Head(options.head.value_or(0)));
    if (!options.head)
        selection.setHeadMode(options.mode.value_or(HeadMode::MeanOfLayer));
}

/// As the session has it, and to the step that is asked for.
void turn(TraceView& view, const RenderOptions& options) {
    view.setChoices(options.session.choices.value(options.session.view));
    if (auto* playback = qobject_cast<PlaybackView*>(&view); playback && options.step) {
        playback->goTo(*options.step);
        if (playback->step() != *options.step) // of a decoder alone the first ones are given
            throw Error(Error::Kind::Invalid, "--step", "there is no step " + std::to_string(*options.step),
                        "the last one is " + std::to_string(playback->steps() - 1));
    }
}

/// A view that has nothing to draw says why in one line, and has no numbers.
void requireSomething(const TraceView& view, const RenderOptions& options) {
    const auto words = view.describe();
    const bool asNumbers = FigureExporter::formatOf(options.file) == FigureExporter::Format::Csv;
    if ((asNumbers || words.size() == 1) && view.numbers().rows.isEmpty())
        throw Error(Error::Kind::Invalid, "--view " + options.session.view.toStdString(),
                    (asNumbers ? "there are no numbers to write: " : "there is nothing to draw: ")
                        + words.value(0).toStdString());
}

void drawView(const RenderOptions& options, const Runs& runs) {
    const auto& type = viewType(options.session.view);
    Selection selection; // before the view, which must not outlive it
    select(selection, options, runs);
    const auto view = type.make();
    view->setAppearance(
        makeAppearance(options.theme, options.map.value_or(defaultColorMap(options.theme)), QApplication::font()));
    view->setSelection(&selection);
    view->setTrace(runs.first, runs.second);
    turn(*view, options);
    const auto size = options.size.isEmpty() ? type.size : options.size;
    view->resize(size);
    if (!options.evenNothing)
        requireSomething(*view, options);
    FigureExporter::save(
        *view, options.file,
        {.size = size,
         .scale = options.scale.value_or(2),
         .title = QStringLiteral("%1: %2").arg(
             QString::fromStdString(runs.first->model),
             QString::fromStdString(runs.first->source.empty() ? runs.first->targetText : runs.first->sourceText))});
}

/// The window as it looks once the models have run: comparing where there are two.
void drawWindow(const RenderOptions& options, const Runs& runs) {
    Settings settings;
    settings.theme = options.theme;
    settings.map = options.map;
    settings.fresh = false;
    MainWindow window(settings, {.session = options.session});
    const auto size = options.size.isEmpty() ? QSize(1280, 800) : options.size;
    window.resize(size);
    window.show();

    const auto ready = [&window] { return window.trace() && !window.waiting(); };
    QEventLoop loop;
    QObject::connect(&window, &MainWindow::shown, &loop, [&] {
        if (ready())
            loop.quit();
    });
    constexpr int patienceInMilliseconds = 120'000;
    QTimer::singleShot(patienceInMilliseconds, &loop, &QEventLoop::quit);
    if (!ready())
        loop.exec();
    if (!ready())
        throw Error(Error::Kind::Invalid, "--view window", "the window did not come to show a run");
    const Derived::Patience patience;
    select(window.selection(), options, runs);
    turn(*window.view(), options);
    QCoreApplication::processEvents(); // layouts that the run's arrival changed

    const double scale = options.scale.value_or(1);
    QImage image((QSizeF(window.size()) * scale).toSize(), QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    window.render(&image);
    // A view keeps its picture as the screen's pixels, which a scale would only blur: it is drawn anew.
    auto* view = window.view();
    const auto area = view->figureArea();
    QPainter(&image).drawImage(view->mapTo(&window, area.topLeft()),
                               FigureExporter::image(*view, {.size = area.size(), .scale = scale, .title = {}}));
    QByteArray bytes;
    QBuffer buffer(&bytes);
    if (!buffer.open(QIODevice::WriteOnly) || !image.save(&buffer, "PNG"))
        throw Error(Error::Kind::Invalid, "--size", "the picture does not fit into memory");
    writeFileAtomically(options.file,
                        std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
}

} // namespace

QStringList renderableViews() {
    QStringList names;
    for (const auto& type : viewTypes())
        names.append(QLatin1String(type.name));
    return names << windowName;
}

RenderReport render(const RenderOptions& options) {
    // The runs come first for the window too, which would say in a banner what is to be an error here.
    const auto runs = run(options.session);
    if (options.window)
        drawWindow(options, runs);
    else
        drawView(options, runs);
    return {{nameOf(options.file)}, noticesOf(runs)};
}

RenderReport renderDemo(const RenderOptions& given, const std::filesystem::path& folder) {
    auto options = given;
    options.evenNothing = true;
    auto& models = options.session.models;
    if (models.a.isEmpty())
        models.a = QStringLiteral("en-fr-additive");
    if (models.b.isEmpty())
        models.b = QStringLiteral("en-fr-transformer");
    if (options.session.typed.source.isEmpty())
        options.session.typed.source = examples().value(0).text;

    const auto runs = run(options.session);
    RenderReport report{{}, noticesOf(runs)};
    writeTrace(*runs.first, folder / "trace"); // makes the folder
    report.files << nameOf(folder / "trace" / "trace.safetensors") << nameOf(folder / "trace" / "trace.json");

    const auto draw = [&](const char* view, std::initializer_list<const char*> endings) {
        options.session.view = QLatin1String(view);
        for (const auto* ending : endings) {
            options.file = folder / (std::string(view) + ending);
            try {
                drawView(options, runs);
            } catch (const Error& error) { // a view without numbers is one picture less, and said
                if (error.kind() != Error::Kind::Invalid)
                    throw;
                report.notices << QString::fromUtf8(error.what());
                continue;
            }
            report.files << nameOf(options.file);
        }
    };
    draw("alignment", {".png", ".svg", ".pdf", ".csv"});
    draw("compare", {".png", ".svg", ".pdf", ".csv"});
    for (const auto& type : viewTypes().subspan(2))
        draw(type.name, {".png"});

    options.session.view = QStringLiteral("compare");
    for (const auto theme : {Theme::Light, Theme::Dark}) {
        options.theme = theme;
        options.file = folder / (theme == Theme::Light ? "window-light.png" : "window-dark.png");
        drawWindow(options, runs);
        report.files << nameOf(options.file);
    }
    return report;
}

} // namespace headlight
