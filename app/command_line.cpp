#include "app/command_line.h"

#include "app/model_catalog.h"
#include "app/render.h"
#include "app/settings.h"
#include "core/engine.h"
#include "core/error.h"
#include "core/text/tokenizer.h"
#include "core/trace/trace_file.h"
#include "widgets/figure_exporter.h"

#include <nlohmann/json.hpp>

#include <QCoreApplication>
#include <QFile>
#include <QHash>
#include <QTextStream>

#include <algorithm>
#include <limits>
#include <span>

namespace headlight {

namespace {

using Json = nlohmann::ordered_json;

/// For lupdate, and so that every text below can be translated.
struct CommandLine {
    Q_DECLARE_TR_FUNCTIONS(headlight::CommandLine)
};

QString tr(const char* text) {
    return CommandLine::tr(text);
}

struct Option {
    const char* name;  ///< without its dashes
    const char* value; ///< as it stands in the help; null: a flag
    const char* help;
};

QStringList namesOf(std::span<const Option> options) {
    QStringList names;
    for (const auto& option : options)
        names.append(QStringLiteral("--") + QLatin1String(option.name));
    return names;
}

/// Options and their values, checked against what is known.
class Words {
public:
    Words(const QStringList& words, std::span<const Option> known, qsizetype mostPlain = 0) {
        for (qsizetype i = 0; i < words.size(); ++i) {
            const auto& word = words[i];
            if (!word.startsWith(QLatin1Char('-')) || word == QLatin1String("-")) {
                if (m_plain.size() == mostPlain)
                    throw WrongWords(tr("\"%1\" is one word too many; known are %2").arg(word, list(known)));
                m_plain.append(word);
                continue;
            }
            const auto name = word.section(QLatin1Char('='), 0, 0);
            const auto option = std::find_if(known.begin(), known.end(), [&name](const Option& candidate) {
                return name == QStringLiteral("--") + QLatin1String(candidate.name);
            });
            if (option == known.end())
                throw WrongWords(tr("%1 is not known; known are %2").arg(name, list(known)));
            if (m_values.contains(name))
                throw WrongWords(tr("%1 is given twice").arg(name));
            const bool joined = word.size() > name.size();
            if (!option->value) {
                if (joined)
                    throw WrongWords(tr("%1 takes no value").arg(name));
                m_values.insert(name, {});
            } else if (joined) {
                m_values.insert(name, word.mid(name.size() + 1));
            } else if (i + 1 < words.size() && !namesOf(known).contains(words[i + 1])) {
                m_values.insert(name, words[++i]);
            } else {
                throw WrongWords(tr("%1 needs a value: %2").arg(name, QLatin1String(option->value)));
            }
        }
    }

    const QStringList& plain() const { return m_plain; }
    bool has(const char* name) const { return m_values.contains(dashed(name)); }
    QString value(const char* name) const { return m_values.value(dashed(name)); }

    QString required(const char* name) const {
        if (value(name).isEmpty())
            throw WrongWords(tr("%1 is missing").arg(dashed(name)));
        return value(name);
    }
    /// Exactly one of the two.
    void requireOneOf(const char* first, const char* second) const {
        if (!has(first) && !has(second))
            throw WrongWords(tr("either %1 or %2 must be given").arg(dashed(first), dashed(second)));
        refuseBoth(first, second);
    }
    void refuseBoth(const char* first, const char* second) const {
        if (has(first) && has(second))
            throw WrongWords(tr("%1 and %2 exclude each other").arg(dashed(first), dashed(second)));
    }

    std::optional<int> whole(const char* name, int least, int most) const {
        if (!has(name))
            return std::nullopt;
        bool ok = false;
        const int number = value(name).toInt(&ok);
        if (!ok || number < least || number > most)
            throw WrongWords(
                most == std::numeric_limits<int>::max()
                    ? tr("%1: \"%2\" is not a whole number from %3 on").arg(dashed(name), value(name)).arg(least)
                    : tr("%1: \"%2\" is not a whole number from %3 to %4")
                          .arg(dashed(name), value(name))
                          .arg(least)
                          .arg(most));
        return number;
    }
    std::optional<double> number(const char* name, double least, double most) const {
        if (!has(name))
            return std::nullopt;
        bool ok = false;
        const double found = value(name).toDouble(&ok);
        if (!ok || !(found >= least && found <= most))
            throw WrongWords(
                tr("%1: \"%2\" is not a number from %3 to %4").arg(dashed(name), value(name)).arg(least).arg(most));
        return found;
    }
    /// Whole numbers, separated by commas; empty when the option is not there.
    std::vector<std::int64_t> wholes(const char* name) const {
        std::vector<std::int64_t> numbers;
        if (!has(name))
            return numbers;
        for (const auto& part : value(name).split(QLatin1Char(','))) {
            bool ok = false;
            numbers.push_back(part.trimmed().toLongLong(&ok));
            if (!ok || numbers.back() < 0)
                throw WrongWords(tr("%1: \"%2\" is not a whole number; give them as 1,2,3").arg(dashed(name), part));
        }
        return numbers;
    }
    /// The place of the value among those that are known; empty when the option is not there.
    std::optional<int> oneOf(const char* name, const QStringList& known) const {
        if (!has(name))
            return std::nullopt;
        const auto index = known.indexOf(value(name));
        if (index < 0)
            throw WrongWords(tr("%1: \"%2\" is not known; known are %3")
                                 .arg(dashed(name), value(name), known.join(QStringLiteral(", "))));
        return static_cast<int>(index);
    }

private:
    static QString dashed(const char* name) { return QStringLiteral("--") + QLatin1String(name); }
    static QString list(std::span<const Option> known) { return namesOf(known).join(QStringLiteral(", ")); }

    QHash<QString, QString> m_values;
    QStringList m_plain;
};

std::filesystem::path pathOf(const QString& name) {
    return QFile::encodeName(name).toStdString();
}

QString jsonText(const Json& json, int indent) {
    return QString::fromStdString(json.dump(indent, ' ', false, Json::error_handler_t::replace));
}

// ---- models

constexpr Option modelsOptions[] = {{"json", nullptr, QT_TRANSLATE_NOOP("headlight::CommandLine", "as JSON")}};

void runModels(const Words& words, QTextStream& out, QTextStream&) {
    constexpr const char* origins[] = {"bundled", "cache", "opened"}; // in the order of Origin
    const auto entries =
        ModelCatalog::bundled() + ModelCatalog::cached() + ModelCatalog::opened(Settings::load().recentFolders);
    if (words.has("json")) {
        auto list = Json::array();
        for (const auto& entry : entries)
            list.push_back({{"name", entry.name.toStdString()},
                            {"family", entry.family.toStdString()},
                            {"folder", entry.folder.string()},
                            {"origin", origins[static_cast<std::size_t>(entry.origin)]}});
        out << jsonText(list, 2) << '\n';
        return;
    }
    qsizetype nameWidth = 0;
    qsizetype familyWidth = 0;
    for (const auto& entry : entries) {
        nameWidth = std::max(nameWidth, entry.name.size());
        familyWidth = std::max(familyWidth, entry.family.size());
    }
    for (const auto& entry : entries)
        out << entry.name.leftJustified(nameWidth) << "  " << entry.family.leftJustified(familyWidth) << "  "
            << QString::fromLatin1(origins[static_cast<std::size_t>(entry.origin)]).leftJustified(8) << "  "
            << QFile::decodeName(entry.folder.c_str()) << '\n';
}

constexpr int mostHypotheses = 64;
constexpr auto beamHelp = QT_TRANSLATE_NOOP("headlight::CommandLine", "hypotheses kept while decoding; 1 is greedy");
constexpr auto headsOffHelp =
    QT_TRANSLATE_NOOP("headlight::CommandLine", "heads to switch off, such as cross.1.3,encoder.0.2");

/// Heads as `--off` names them.
std::vector<Intervention::HeadOff> headsOff(const Words& words) {
    std::vector<Intervention::HeadOff> heads;
    const QStringList kinds{QStringLiteral("encoder"), QStringLiteral("decoder"),
                            QStringLiteral("cross")}; // in the order of BlockKind
    if (!words.has("off"))
        return heads;
    for (const auto& word : words.value("off").split(QLatin1Char(','))) {
        const auto parts = word.split(QLatin1Char('.'));
        bool isLayer = false, isHead = false;
        const int layer = parts.value(1).toInt(&isLayer), head = parts.value(2).toInt(&isHead);
        const auto kind = kinds.indexOf(parts.value(0));
        if (parts.size() != 3 || kind < 0 || !isLayer || !isHead || layer < 0 || head < 0)
            throw WrongWords(tr("--off: \"%1\" is not as cross.1.3: a kind, a layer and a head").arg(word));
        heads.push_back({static_cast<BlockKind>(kind), Layer(layer), Head(head)});
    }
    return heads;
}

// ---- trace

constexpr Option traceOptions[] = {
    {"model", "MODEL", QT_TRANSLATE_NOOP("headlight::CommandLine", "a bundled model's name, or a folder")},
    {"text", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the source")},
    {"ids", "1,2,3",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "the source as ids, specials included; needs no tokenizer")},
    {"segment-ids", "0,0,1",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "the segment of each token, for models that have them")},
    {"second", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "a second text, for models that read pairs")},
    {"target", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the target; without it the model decodes its own")},
    {"target-ids", "1,2,3",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "the target as ids, as the decoder takes them in, start token first; after the text where there "
                       "is no encoder")},
    {"max-length", "N",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "most tokens to decode; without an encoder none unless this is given")},
    {"beam", "N", beamHelp},
    {"skip", "N",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "of a text longer than the model reads, tokens to leave out in front")},
    {"logits", nullptr, QT_TRANSLATE_NOOP("headlight::CommandLine", "record the logits too")},
    {"scores", nullptr, QT_TRANSLATE_NOOP("headlight::CommandLine", "record the scores before softmax too")},
    {"vectors", nullptr,
     QT_TRANSLATE_NOOP("headlight::CommandLine", "record queries, keys, values and inputs, or W s, U h and v, too")},
    {"off", "KIND.L.H,…", headsOffHelp},
    {"out", "DIR", QT_TRANSLATE_NOOP("headlight::CommandLine", "where trace.safetensors and trace.json are written")},
};

void runTrace(const Words& words, QTextStream& out, QTextStream& err) {
    const auto model = words.required("model");
    words.requireOneOf("text", "ids");
    words.refuseBoth("target", "target-ids");
    const auto folder = words.required("out");
    Request request;
    request.source = words.value("text").toStdString();
    request.sourceIds = words.wholes("ids");
    if (words.has("target"))
        request.target = words.value("target").toStdString();
    request.targetIds = words.wholes("target-ids");
    request.maxLength = words.whole("max-length", 1, std::numeric_limits<int>::max()).value_or(0);
    request.record.logits = words.has("logits");
    request.record.scores = words.has("scores");
    request.record.vectors = words.has("vectors");
    request.intervention.off = headsOff(words);
    request.segmentIds = words.wholes("segment-ids");
    if (!request.segmentIds.empty() && request.sourceIds.empty())
        throw WrongWords(tr("--segment-ids goes with --ids alone"));
    if (words.has("second"))
        request.second = words.value("second").toStdString();
    request.beam = words.whole("beam", 1, mostHypotheses).value_or(1);
    request.skip = words.whole("skip", 0, std::numeric_limits<int>::max());

    const auto engine = Engine::open(ModelCatalog::resolve(model));
    const auto trace = engine->run(request);
    writeTrace(*trace, pathOf(folder));
    for (const auto& notice : trace->notices)
        err << "headlight: " << QString::fromStdString(notice) << '\n';
    for (const char* name : {"trace.safetensors", "trace.json"})
        out << QFile::decodeName((pathOf(folder) / name).c_str()) << '\n';
}

// ---- tokenize

constexpr Option tokenizeOptions[] = {
    {"model", "MODEL",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "a bundled model's name, or a folder with a tokenizer's files")},
    {"text", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the text")},
    {"input", "FILE", QT_TRANSLATE_NOOP("headlight::CommandLine", "texts, one in each line")},
    {"json", nullptr,
     QT_TRANSLATE_NOOP("headlight::CommandLine", "one JSON object for each text, in a line of its own")},
};

/// Byte ranges count in `text` as it was given.
void printTokens(const std::string& text, const std::vector<Token>& tokens, bool asJson, QTextStream& out) {
    if (asJson) {
        auto list = Json::array();
        for (const auto& token : tokens)
            list.push_back({{"id", token.id},
                            {"text", token.text},
                            {"bytes", {token.bytes.begin, token.bytes.end}},
                            {"word", token.word},
                            {"special", token.special}});
        out << jsonText({{"text", text}, {"tokens", std::move(list)}}, -1) << '\n';
        return;
    }
    for (const auto& token : tokens)
        out << token.id << '\t' << QString::fromStdString(token.text) << '\t' << token.bytes.begin << '-'
            << token.bytes.end << '\n';
}

void runTokenize(const Words& words, QTextStream& out, QTextStream&) {
    const auto model = words.required("model");
    words.requireOneOf("text", "input");
    const bool asJson = words.has("json");
    if (words.has("text")) {
        const auto text = words.value("text").toStdString();
        printTokens(text, openTokenizer(ModelCatalog::resolve(model))->encode(text), asJson, out);
        return;
    }
    const auto name = words.required("input");
    const auto tokenizer = openTokenizer(ModelCatalog::resolve(model));
    QFile file(name);
    if (!file.open(QIODevice::ReadOnly))
        throw Error(file.exists() ? Error::Kind::Unreadable : Error::Kind::NotFound, name.toStdString(),
                    file.errorString().toStdString());
    for (bool first = true; !file.atEnd(); first = false) {
        auto line = file.readLine();
        if (file.error() != QFileDevice::NoError)
            throw Error(Error::Kind::Unreadable, name.toStdString(), file.errorString().toStdString());
        if (line.endsWith('\n'))
            line.chop(1);
        if (line.endsWith('\r'))
            line.chop(1);
        if (!first && !asJson)
            out << '\n';
        const auto text = line.toStdString();
        printTokens(text, tokenizer->encode(text), asJson, out);
    }
}

// ---- render

constexpr Option renderOptions[] = {
    {"model", "MODEL", QT_TRANSLATE_NOOP("headlight::CommandLine", "a bundled model's name, or a folder")},
    {"text", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the source")},
    {"target", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the target; without it the model decodes its own")},
    {"compare", "MODEL", QT_TRANSLATE_NOOP("headlight::CommandLine", "a second model, on the same text")},
    {"beam", "N", beamHelp},
    {"view", "VIEW",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "alignment, compare, heads, lines, matrix, positions, query, playback or window")},
    {"tab", "VIEW", QT_TRANSLATE_NOOP("headlight::CommandLine", "of the window: the view on show")},
    {"kind", "KIND", QT_TRANSLATE_NOOP("headlight::CommandLine", "encoder, decoder or cross")},
    {"layer", "L", QT_TRANSLATE_NOOP("headlight::CommandLine", "counted from 0; without --head the mean of its heads")},
    {"head", "H", QT_TRANSLATE_NOOP("headlight::CommandLine", "counted from 0")},
    {"off", "KIND.L.H,…", headsOffHelp},
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
        throw WrongWords(
            tr("--size: \"%1\" is not as 1280x800, each from %2 to %3").arg(words.value("size")).arg(least).arg(most));
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
    for (const char* name : {"model", "text", "target", "compare", "off", "demo"})
        words.refuseBoth("trace", name);
    words.refuseBoth("off", "compare"); // beside a run with heads off stands the same model's in full
    const bool fromFile = words.has("trace");
    if (fromFile)
        options.trace = pathOf(words.required("trace"));
    options.modelA = demo || fromFile ? words.value("model") : words.required("model");
    options.modelB = words.value("compare");
    if (!demo && !fromFile && !words.has("text"))
        throw WrongWords(tr("--text is missing"));
    options.off = headsOff(words);
    options.beam = words.whole("beam", 1, mostHypotheses).value_or(1);
    options.words = words.has("words");
    options.specials = !words.has("no-specials");
    options.ownRange = words.has("own-range");
    options.change = words.has("change");
    if (options.change && options.off.empty())
        throw WrongWords(tr("--change needs --off"));
    options.source = words.value("text");
    if (words.has("target"))
        options.target = words.value("target");
    const auto views = renderableViews();
    if (const auto view = words.oneOf("view", views))
        options.view = views[*view];
    if (const auto tab = words.oneOf("tab", views.mid(0, views.size() - 1)))
        options.tab = views[*tab];
    if (const auto kind = words.oneOf("kind", {QStringLiteral("encoder"), QStringLiteral("decoder"),
                                               QStringLiteral("cross")})) // in the order of BlockKind
        options.kind = static_cast<BlockKind>(*kind);
    options.page = words.oneOf("page", {QStringLiteral("table"), QStringLiteral("similarity"), QStringLiteral("input"),
                                        QStringLiteral("pattern")}); // in the order of Page
    options.step = words.whole("step", 0, std::numeric_limits<int>::max());
    options.layer = words.whole("layer", 0, std::numeric_limits<int>::max());
    options.head = words.whole("head", 0, std::numeric_limits<int>::max());
    if (words.has("point")) {
        const auto parts = words.value("point").split(QLatin1Char(','));
        bool query = false;
        bool key = false;
        const std::pair point(parts.value(0).toInt(&query), parts.value(1).toInt(&key));
        if (parts.size() != 2 || !query || !key || point.first < 0 || point.second < 0)
            throw WrongWords(tr("--point: \"%1\" is not as 2,0: a query and a key").arg(words.value("point")));
        options.point = point;
    }
    if (options.head && !options.layer)
        throw WrongWords(tr("--head needs --layer"));
    if (const auto map = words.oneOf("colors", colorMapNames()))
        options.map = static_cast<ColorMap>(*map);
    if (words.oneOf("theme", {QStringLiteral("light"), QStringLiteral("dark")}) == 1)
        options.theme = Theme::Dark;
    options.scale = words.number("scale", 0.25, 8);
    options.size = sizeOf(words);
    if (words.has("tab") && options.view != QLatin1String("window"))
        throw WrongWords(tr("--tab needs --view window"));
    const auto& shown = options.view == QLatin1String("window") ? options.tab : options.view;
    if (options.page && shown != QLatin1String("positions"))
        throw WrongWords(tr("--page needs the view positions"));
    if (options.step && shown != QLatin1String("playback"))
        throw WrongWords(tr("--step needs the view playback"));

    RenderReport report;
    if (demo) {
        report = renderDemo(options, pathOf(words.required("demo")));
    } else {
        options.file = pathOf(words.required("out"));
        if (formatOf(options.file) != FigureExporter::Format::Png && options.view == QLatin1String("window"))
            throw WrongWords(tr("--out: the window is drawn as .png only"));
        report = render(options);
    }
    for (const auto& notice : report.notices)
        err << "headlight: " << notice << '\n';
    for (const auto& file : report.files)
        out << file << '\n';
}

// ---- --version, --help

void printVersion(QTextStream& out) {
    const auto compute = Engine::compute();
    out << "headlight " << HEADLIGHT_VERSION << '\n'
        << "Qt " << qVersion() << tr(" (built with %1)").arg(QLatin1String(QT_VERSION_STR)) << '\n'
        << "LibTorch " << QString::fromStdString(compute.libtorch) << '\n'
        << "BLAS " << (compute.blas.empty() ? tr("not found") : QString::fromStdString(compute.blas));
    if (compute.slowBlas)
        out << tr(": slow; with OpenBLAS (package libopenblas0-openmp) models run many times faster");
    out << '\n' << tr("threads %1").arg(compute.threads) << '\n';
}

struct Command {
    const char* name;
    const char* help;
    std::span<const Option> options;
    void (*run)(const Words& words, QTextStream& out, QTextStream& err);
    Surface surface;
};

constexpr Command commands[] = {
    {"models", QT_TRANSLATE_NOOP("headlight::CommandLine", "lists the models that come with the program"),
     modelsOptions, runModels, Surface::None},
    {"trace",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "runs a model and writes its attention as safetensors and JSON"),
     traceOptions, runTrace, Surface::None},
    {"tokenize", QT_TRANSLATE_NOOP("headlight::CommandLine", "prints ids, tokens and byte ranges"), tokenizeOptions,
     runTokenize, Surface::None},
    {"render", QT_TRANSLATE_NOOP("headlight::CommandLine", "draws a view, or the window, into a file"), renderOptions,
     runRender, Surface::Offscreen},
};

constexpr Option windowOptions[] = {
    {"compare", "MODEL", QT_TRANSLATE_NOOP("headlight::CommandLine", "a second model, on the same text")},
    {"text", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the source to open with")},
};

void printOptions(std::span<const Option> options, QTextStream& out) {
    for (const auto& option : options) {
        auto left = QStringLiteral("  --") + QLatin1String(option.name);
        if (option.value)
            left += QLatin1Char(' ') + QLatin1String(option.value);
        out << left.leftJustified(22) << ' ' << tr(option.help) << '\n';
    }
}

void printHelp(const Command& command, QTextStream& out) {
    out << "headlight " << command.name << ": " << tr(command.help) << '\n';
    printOptions(command.options, out);
}

void printHelp(QTextStream& out) {
    out << tr("headlight shows where attention looks while you type.") << "\n\n"
        << "headlight [MODEL | TRACE.safetensors]: "
        << tr("opens the window; MODEL is a bundled model's name, or a folder") << '\n';
    printOptions(windowOptions, out);
    for (const auto& command : commands) {
        out << '\n';
        printHelp(command, out);
    }
    out << "\nheadlight --version: " << tr("versions, BLAS and threads in use") << "\n\n"
        << tr("Exit codes: 0 done, 1 it could not be done, 2 the words of the command are wrong.") << '\n';
}

const Command* findCommand(const QStringList& words) {
    for (const auto& command : commands) {
        if (words.value(0) == QLatin1String(command.name))
            return &command;
    }
    return nullptr;
}

bool asksForHelp(const QString& word) {
    return word == QLatin1String("--help") || word == QLatin1String("-h");
}

void run(const QStringList& words, QTextStream& out, QTextStream& err) {
    if (const auto* command = findCommand(words)) {
        const auto rest = words.mid(1);
        if (std::any_of(rest.begin(), rest.end(), asksForHelp))
            printHelp(*command, out);
        else
            command->run(Words(rest, command->options), out, err);
        return;
    }
    if (words.size() > 1)
        throw WrongWords(tr("\"%1\" is one word too many").arg(words[1]));
    if (words.value(0) == QLatin1String("--version")) {
        printVersion(out);
    } else if (asksForHelp(words.value(0))) {
        printHelp(out);
    } else {
        QStringList names;
        for (const auto& command : commands)
            names.append(QLatin1String(command.name));
        throw WrongWords(tr("\"%1\" is no command; known are %2, --version, --help")
                             .arg(words.value(0), names.join(QStringLiteral(", "))));
    }
}

/// All of a message in one line, as scripts expect it.
QString oneLine(const char* message) {
    return QStringLiteral("headlight: ") + QString::fromUtf8(message).replace(QLatin1Char('\n'), QLatin1Char(' '))
           + QLatin1Char('\n');
}

} // namespace

Surface surfaceFor(const QStringList& words) {
    if (const auto* command = findCommand(words))
        return command->surface;
    const auto first = words.value(0);
    return first == QLatin1String("--version") || asksForHelp(first) ? Surface::None : Surface::Window;
}

int runCommand(const QStringList& words, QTextStream& out, QTextStream& err) {
    try {
        run(words, out, err);
        return Done;
    } catch (const WrongWords& error) {
        err << oneLine(error.what());
        return WrongCommand;
    } catch (const std::exception& error) { // Error, and what libraries throw
        err << oneLine(error.what());
        return NotDone;
    }
}

MainWindow::Opening openingOf(const QStringList& words) {
    const Words found(words, windowOptions, 1);
    const auto what = found.plain().value(0);
    const bool isTrace = isTraceFile(pathOf(what));
    return {.modelA = isTrace ? QString() : what,
            .modelB = found.value("compare"),
            .source = found.value("text"),
            .target = {},
            .view = {},
            .beam = 1,
            .trace = isTrace ? what : QString()};
}

} // namespace headlight
