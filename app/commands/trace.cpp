// `headlight trace`: one run of a model, in a file.
#include "app/commands/commands.h"
#include "app/model_catalog.h"
#include "core/engine.h"
#include "core/trace/trace_file.h"

#include <QTextStream>

#include <limits>

namespace headlight {

namespace {

constexpr Option traceOptions[] = {
    {"model", "MODEL", QT_TRANSLATE_NOOP("headlight::CommandLine", "a bundled model's name, or a folder")},
    {"text", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the source")},
    {"ids", "1,2,3",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "the source as ids, specials included; needs no tokenizer")},
    {"segment-ids", "0,0,1",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "the segment of each token, for models that have them")},
    {"second", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "a second text, for models that read pairs")},
    {"prefix", "TEXT",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "words read before the text, such as those that name a task to T5")},
    {"global", "0,5,…",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "tokens that see all and are seen by all, for models whose others have windows")},
    {"no-special-tokens-in-text", nullptr,
     QT_TRANSLATE_NOOP("headlight::CommandLine", "read a typed [MASK] and the like as any other text")},
    {"from-language", "CODE",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "the language of the text, for translators that know several")},
    {"to-language", "CODE", QT_TRANSLATE_NOOP("headlight::CommandLine", "the language to translate into")},
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
    request.intervention.off = words.heads("off");
    request.segmentIds = words.wholes("segment-ids");
    if (!request.segmentIds.empty() && request.sourceIds.empty())
        throw WrongWords(CommandLine::tr("--segment-ids goes with --ids alone"));
    if (words.has("second"))
        request.second = words.value("second").toStdString();
    request.prefix = words.value("prefix").toStdString();
    request.globalTokens = words.wholes("global");
    request.specialsInText = !words.has("no-special-tokens-in-text");
    request.sourceLanguage = words.value("from-language").toStdString();
    request.targetLanguage = words.value("to-language").toStdString();
    request.beam = words.whole("beam", 1, mostHypotheses).value_or(1);
    request.skip = words.whole("skip", 0, std::numeric_limits<int>::max());

    const auto engine = Engine::open(ModelCatalog::resolve(model));
    const auto trace = engine->run(request);
    writeTrace(*trace, pathOf(folder));
    for (const auto& notice : trace->notices)
        err << remark(QString::fromStdString(notice));
    for (const char* name : {"trace.safetensors", "trace.json"})
        out << printable(nameOf(pathOf(folder) / name)) << '\n';
}

} // namespace

constinit const Command traceCommand{
    "trace",
    QT_TRANSLATE_NOOP("headlight::CommandLine", "runs a model and writes its attention as safetensors and JSON"),
    traceOptions, runTrace, Surface::None};

} // namespace headlight
