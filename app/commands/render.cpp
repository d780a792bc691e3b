// `headlight render`: a view, or the window, as a picture or as numbers.
#include "app/commands/commands.h"
#include "app/commands/pictures.h"
#include "core/error.h"
#include "widgets/figure_exporter.h"

#include <QTextStream>

#include <algorithm>
#include <limits>

namespace headlight {

namespace {

constexpr Option renderOptions[] = {
    {"model", "MODEL", QT_TRANSLATE_NOOP("headlight::CommandLine", "a bundled model's name, or a folder")},
    {"text", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the source")},
    {"target", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the target; without it the model decodes its own")},
    {"compare", "MODEL", QT_TRANSLATE_NOOP("headlight::CommandLine", "a second model, on the same text")},
    {"beam", "N", beamHelp},
    {"view", "VIEW",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "alignment, compare, heads, lines, matrix, positions, query, playback, lens or window")},
    {"tab", "VIEW", QT_TRANSLATE_NOOP("headlight::CommandLine", "of the window: the view on show")},
    {"kind", "KIND", QT_TRANSLATE_NOOP("headlight::CommandLine", "encoder, decoder or cross")},
    {"layer", "L", QT_TRANSLATE_NOOP("headlight::CommandLine", "counted from 0; without --head the mean of its heads")},
    {"head", "H", QT_TRANSLATE_NOOP("headlight::CommandLine", "counted from 0")},
    {"cells", "CELLS",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "what a cell shows: weights, or norms of what they bring, as shares of the row")},
    {"map", "MAP",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "instead of --head: best, mean, rollout, alti (of --layer), or alti-rollout")},
    {"off", "KIND.L.H,…", headsOffHelp},
    {"session", "FILE",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "instead of --model and --text: a session from a file")},
    {"trace", "FILE", QT_TRANSLATE_NOOP("headlight::CommandLine", "instead of --model and --text: a run from a file")},
    {"page", "PAGE", QT_TRANSLATE_NOOP("headlight::CommandLine", "of positions: table, similarity, input or pattern")},
    {"step", "N", QT_TRANSLATE_NOOP("headlight::CommandLine", "of playback: the step on show, counted from 0")},
    {"words", nullptr, QT_TRANSLATE_NOOP("headlight::CommandLine", "words instead of tokens")},
    {"no-specials", nullptr,
     QT_TRANSLATE_NOOP("headlight::CommandLine", "special tokens left out, rows rescaled to sum to 1")},
    {"own-range", nullptr,
     QT_TRANSLATE_NOOP("headlight::CommandLine", "colours to what is strong in each map, not to 1")},
    {"change", nullptr, QT_TRANSLATE_NOOP("headlight::CommandLine", "with --off: what that changed, not the weights")},
    {"point", "Q,K",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "query and key to light, counted from 0, as a click does")},
    {"colors", "MAP", QT_TRANSLATE_NOOP("headlight::CommandLine", "blue, viridis, cividis, magma or grey")},
    {"theme", "THEME", QT_TRANSLATE_NOOP("headlight::CommandLine", "light or dark")},
    {"size", "WxH", QT_TRANSLATE_NOOP("headlight::CommandLine", "of the picture")},
    {"scale", "S", QT_TRANSLATE_NOOP("headlight::CommandLine", "pixels of a PNG for each one of its size")},
    {"out", "FILE",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       ".png, .svg, .pdf, or .csv for the numbers (' before a token such as =)")},
    {"demo", "DIR",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "instead of --out: every picture there is, of an example")},
};

QSize sizeOf(const Words& words) {
    if (!words.has("size"))
        return {};
    constexpr int least = 64;
    constexpr int most = 16384;
    const auto parts = words.value("size").split(QLatin1Char('x'));
    bool wide = false;
    bool high = false;
    const QSize size(parts.value(0).toInt(&wide), parts.value(1).toInt(&high));
    if (parts.size() != 2 || !wide || !high || std::min(size.width(), size.height()) < least
        || std::max(size.width(), size.height()) > most)
        throw WrongWords(CommandLine::tr("--size: \"%1\" is not as 1280x800, each from %2 to %3")
                             .arg(words.value("size"))
                             .arg(least)
                             .arg(most));
    return size;
}

FigureExporter::Format formatOf(const std::filesystem::path& file) {
    try {
        return FigureExporter::formatOf(file);
    } catch (const Error& error) { // a wrong word, not something that failed
        throw WrongWords(QStringLiteral("--out: ") + QString::fromUtf8(error.what()));
    }
}

void runRender(const Words& words, QTextStream& out, QTextStream& err) {
    RenderOptions options;
    words.requireOneOf("out", "demo");
    const bool demo = words.has("demo");
    for (const char* name :
         {"target", "view", "tab", "kind", "layer", "head", "off", "point", "size", "scale", "theme"}) {
        if (demo)
            words.refuseBoth("demo", name);
    }
    for (const char* name : {"model", "text", "target", "compare", "off", "demo"}) {
        words.refuseBoth("trace", name);
        words.refuseBoth("session", name);
    }
    words.refuseBoth("session", "trace");
    words.refuseBoth("off", "compare"); // beside a run with heads off stands the same model's in full
    const bool fromFile = words.has("trace") || words.has("session");
    auto& session = options.session;
    if (words.has("session"))
        session = Session::load(pathOf(words.value("session")));
    if (words.has("trace"))
        session.trace = words.value("trace");
    if (!fromFile)
        session.models = {demo ? words.value("model") : words.required("model"), words.value("compare")};
    if (!demo && !fromFile && !words.has("text"))
        throw WrongWords(CommandLine::tr("--text is missing"));
    if (words.has("off"))
        session.selection.off = words.heads("off");
    if (words.has("beam"))
        session.typed.beam = words.whole("beam", 1, mostHypotheses).value_or(1);
    session.selection.byWords |= words.has("words");
    session.selection.specials &= !words.has("no-specials");
    session.selection.ownRange |= words.has("own-range");
    session.selection.change |= words.has("change");
    if (const auto cells = words.oneOf("cells", {QStringLiteral("weights"), QStringLiteral("norms")}))
        session.selection.map.cells = static_cast<Cells>(*cells);
    words.refuseBoth("map", "head");
    constexpr HeadMode modes[] = {HeadMode::BestAligning, HeadMode::MeanOfAll, HeadMode::Rollout, HeadMode::Alti,
                                  HeadMode::AltiRollout};
    if (const auto mode = words.oneOf("map", {QStringLiteral("best"), QStringLiteral("mean"), QStringLiteral("rollout"),
                                              QStringLiteral("alti"), QStringLiteral("alti-rollout")}))
        session.selection.map.mode = *(options.mode = modes[*mode]);
    if (words.has("change") && session.selection.off.empty())
        throw WrongWords(CommandLine::tr("--change needs --off"));
    if (words.has("text"))
        session.typed.source = words.value("text");
    if (words.has("target"))
        session.typed.target = words.value("target");
    const auto views = renderableViews();
    if (const auto view = words.oneOf("view", views)) {
        options.window = *view + 1 == views.size();
        if (!options.window)
            session.view = views[*view];
        else if (!fromFile) // comparing where there are two models
            session.view = session.models.b.isEmpty() ? session.view : QStringLiteral("compare");
    }
    if (const auto tab = words.oneOf("tab", views.mid(0, views.size() - 1)))
        session.view = views[*tab];
    if (const auto kind = words.oneOf("kind", kindNames()))
        options.kind = static_cast<BlockKind>(*kind);
    const auto page = words.oneOf("page", {QStringLiteral("table"), QStringLiteral("similarity"),
                                           QStringLiteral("input"), QStringLiteral("pattern")}); // in the order of Page
    if (page)
        session.choices[QStringLiteral("positions")].insert(QStringLiteral("page"), *page);
    options.step = words.whole("step", 0, std::numeric_limits<int>::max());
    options.layer = words.whole("layer", 0, std::numeric_limits<int>::max());
    options.head = words.whole("head", 0, std::numeric_limits<int>::max());
    if (words.has("point")) {
        const auto parts = words.value("point").split(QLatin1Char(','));
        bool query = false;
        bool key = false;
        const std::pair point(parts.value(0).toInt(&query), parts.value(1).toInt(&key));
        if (parts.size() != 2 || !query || !key || point.first < 0 || point.second < 0)
            throw WrongWords(
                CommandLine::tr("--point: \"%1\" is not as 2,0: a query and a key").arg(words.value("point")));
        options.point = point;
    }
    if (options.head && !options.layer)
        throw WrongWords(CommandLine::tr("--head needs --layer"));
    if (const auto map = words.oneOf("colors", colorMapNames()))
        options.map = static_cast<ColorMap>(*map);
    if (words.oneOf("theme", {QStringLiteral("light"), QStringLiteral("dark")}) == 1)
        options.theme = Theme::Dark;
    options.scale = words.number("scale", 0.25, 8);
    options.size = sizeOf(words);
    if (words.has("tab") && !options.window)
        throw WrongWords(CommandLine::tr("--tab needs --view window"));
    if (page && session.view != QLatin1String("positions"))
        throw WrongWords(CommandLine::tr("--page needs the view positions"));
    if (options.step && session.view != QLatin1String("playback"))
        throw WrongWords(CommandLine::tr("--step needs the view playback"));

    RenderReport report;
    if (demo) {
        report = renderDemo(options, pathOf(words.required("demo")));
    } else {
        options.file = pathOf(words.required("out"));
        if (formatOf(options.file) != FigureExporter::Format::Png && options.window)
            throw WrongWords(CommandLine::tr("--out: the window is drawn as .png only"));
        report = render(options);
    }
    for (const auto& notice : report.notices)
        err << remark(notice);
    for (const auto& file : report.files)
        out << printable(file) << '\n';
}

} // namespace

constinit const Command renderCommand{
    "render", QT_TRANSLATE_NOOP("headlight::CommandLine", "draws a view, or the window, into a file"), renderOptions,
    runRender, Surface::Offscreen};

} // namespace headlight
