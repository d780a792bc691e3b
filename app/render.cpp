#include "app/render.h"

#include "app/inference_service.h"
#include "app/main_window.h"
#include "app/model_catalog.h"
#include "core/checkpoint/safetensors.h"
#include "core/engine.h"
#include "core/trace/trace_file.h"
#include "widgets/alignment_view.h"
#include "widgets/compare_view.h"
#include "widgets/figure_exporter.h"
#include "widgets/heads_view.h"
#include "widgets/matrix_view.h"
#include "widgets/positions_view.h"
#include "widgets/selection.h"

#include <QApplication>
#include <QBuffer>
#include <QEventLoop>
#include <QFile>
#include <QImage>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTimer>

#include <array>
#include <memory>

/// Resources of a static library must be asked for, outside of any namespace.
static void openResources() {
    Q_INIT_RESOURCE(resources);
}

namespace headlight {

namespace {

const QString windowName = QStringLiteral("window");

struct ViewType {
    const char* name;
    std::unique_ptr<TraceView> (*make)();
    QSize size; ///< that suits a sentence of a dozen words
};

template <class View>
std::unique_ptr<TraceView> make() {
    return std::make_unique<View>();
}

constexpr std::array viewTypes{
    ViewType{"alignment", make<AlignmentView>, {760, 700}},  ViewType{"compare", make<CompareView>, {1200, 900}},
    ViewType{"heads", make<HeadsView>, {1100, 800}},         ViewType{"matrix", make<MatrixView>, {760, 700}},
    ViewType{"positions", make<PositionsView>, {1000, 700}},
};

const ViewType& viewType(const QString& name) {
    for (const auto& type : viewTypes) {
        if (name == QLatin1String(type.name))
            return type;
    }
    throw Error(Error::Kind::Unsupported, "--view", "\"" + name.toStdString() + "\" is not known",
                "known: " + renderableViews().join(QStringLiteral(", ")).toStdString());
}

struct Runs {
    TracePointer first;
    TracePointer second; ///< null without model B
};

Runs run(const RenderOptions& options) {
    Request request;
    request.source = options.source.toStdString();
    if (options.target)
        request.target = options.target->toStdString();
    Runs runs;
    runs.first = Engine::open(ModelCatalog::resolve(options.modelA))->run(request);
    if (!options.modelB.isEmpty())
        runs.second = Engine::open(ModelCatalog::resolve(options.modelB))->run(requestForSecond(request, *runs.first));
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
    return notices;
}

const char* kindWord(BlockKind kind) {
    return kind == BlockKind::Encoder ? "encoder" : kind == BlockKind::Decoder ? "decoder" : "cross";
}

/// What the model has of what was asked for; a view would quietly take the nearest.
const AttentionBlock* checkedBlock(const RenderOptions& options, const Trace& trace) {
    const AttentionBlock* block = nullptr;
    for (const auto kind : {BlockKind::Cross, BlockKind::Encoder, BlockKind::Decoder}) {
        if (!block && (!options.kind || *options.kind == kind))
            block = trace.block(kind);
    }
    if (!block && options.kind)
        throw Error(Error::Kind::Invalid, "--kind",
                    trace.model + " has no attention of kind " + kindWord(*options.kind));
    if (!options.layer)
        return block;
    if (!block)
        throw Error(Error::Kind::Invalid, "--layer", trace.model + " has no attention");
    const auto check = [&](const char* option, const char* what, int number, int count) {
        if (number >= count)
            throw Error(Error::Kind::Invalid, option,
                        std::to_string(number) + " is beyond " + trace.model + ", whose " + kindWord(block->kind)
                            + " attention has " + std::to_string(count) + " " + what + (count == 1 ? "" : "s")
                            + ", counted from 0");
    };
    check("--layer", "layer", *options.layer, block->layers);
    if (options.head)
        check("--head", "head", *options.head, block->heads);
    return block;
}

void select(Selection& selection, const RenderOptions& options, const Trace& trace) {
    const auto* block = checkedBlock(options, trace);
    if (!block)
        return;
    selection.setKind(block->kind);
    if (!options.layer)
        return;
    selection.setHead(block->kind, Layer(*options.layer), Head(options.head.value_or(0)));
    if (!options.head)
        selection.setHeadMode(HeadMode::MeanOfLayer);
}

void drawView(const RenderOptions& options, const Runs& runs) {
    const auto& type = viewType(options.view);
    Selection selection; // before the view, which must not outlive it
    select(selection, options, *runs.first);
    const auto view = type.make();
    view->setAppearance(
        makeAppearance(options.theme, options.map.value_or(defaultColorMap(options.theme)), QApplication::font()));
    view->setSelection(&selection);
    view->setTrace(runs.first, runs.second);
    const auto size = options.size.isEmpty() ? type.size : options.size;
    view->resize(size);
    FigureExporter::save(*view, options.file,
                         {.size = size,
                          .scale = options.scale.value_or(2),
                          .title = QString::fromStdString(runs.first->model) + QStringLiteral(": ") + options.source});
}

/// The window as it looks once the models have run, on the view of that name (empty: the one it opens with).
void drawWindow(const RenderOptions& options, const QString& view) {
    Settings settings;
    settings.theme = options.theme;
    settings.map = options.map;
    settings.fresh = false;
    MainWindow window(settings, {.modelA = options.modelA,
                                 .modelB = options.modelB,
                                 .source = options.source,
                                 .target = options.target.value_or(QString()),
                                 .view = view});
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
    QCoreApplication::processEvents(); // layouts that the run's arrival changed

    const double scale = options.scale.value_or(1);
    QImage image((QSizeF(window.size()) * scale).toSize(), QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    window.render(&image);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    if (!buffer.open(QIODevice::WriteOnly) || !image.save(&buffer, "PNG"))
        throw Error(Error::Kind::Invalid, "--size", "the picture does not fit into memory");
    writeFileAtomically(options.file,
                        std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
}

QString nameOf(const std::filesystem::path& file) {
    return QFile::decodeName(file.c_str());
}

QString firstExample() {
    openResources();
    QFile file(QStringLiteral(":/examples.json"));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    return QJsonDocument::fromJson(file.readAll()).array().first()[QLatin1String("text")].toString();
}

} // namespace

QStringList renderableViews() {
    QStringList names;
    for (const auto& type : viewTypes)
        names.append(QLatin1String(type.name));
    return names << windowName;
}

RenderReport render(const RenderOptions& options) {
    // The runs come first for the window too, which would say in a banner what is to be an error here.
    const auto runs = run(options);
    if (options.view == windowName)
        drawWindow(options, {});
    else
        drawView(options, runs);
    return {{nameOf(options.file)}, noticesOf(runs)};
}

RenderReport renderDemo(const RenderOptions& given, const std::filesystem::path& folder) {
    auto options = given;
    if (options.modelA.isEmpty())
        options.modelA = QStringLiteral("en-fr-additive");
    if (options.modelB.isEmpty())
        options.modelB = QStringLiteral("en-fr-transformer");
    if (options.source.isEmpty())
        options.source = firstExample();

    const auto runs = run(options);
    RenderReport report{{}, noticesOf(runs)};
    writeTrace(*runs.first, folder / "trace"); // makes the folder
    report.files << nameOf(folder / "trace" / "trace.safetensors") << nameOf(folder / "trace" / "trace.json");

    const auto draw = [&](const Runs& shown, const char* view, std::initializer_list<const char*> endings) {
        options.view = QLatin1String(view);
        for (const auto* ending : endings) {
            options.file = folder / (std::string(view) + ending);
            drawView(options, shown);
            report.files << nameOf(options.file);
        }
    };
    const Runs exchanged{runs.second, runs.first}; // model B has more to show where there are heads and positions
    draw(runs, "alignment", {".png", ".svg", ".pdf", ".csv"});
    draw(runs, "compare", {".png", ".svg", ".pdf", ".csv"});
    draw(exchanged, "heads", {".png"});
    draw(exchanged, "matrix", {".png"});
    draw(exchanged, "positions", {".png"});

    for (const auto theme : {Theme::Light, Theme::Dark}) {
        options.theme = theme;
        options.file = folder / (theme == Theme::Light ? "window-light.png" : "window-dark.png");
        drawWindow(options, QStringLiteral("compare"));
        report.files << nameOf(options.file);
    }
    return report;
}

} // namespace headlight
