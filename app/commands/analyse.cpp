// `headlight analyse`: what a run's weights do not say, in a file.
#include "app/commands/commands.h"
#include "app/model_catalog.h"
#include "core/analysis/analyses.h"
#include "core/engine.h"

#include <QTextStream>

#include <limits>

namespace headlight {

namespace {

constexpr Option analyseOptions[] = {
    {"model", "MODEL", QT_TRANSLATE_NOOP("headlight::CommandLine", "a bundled model's name, or a folder")},
    {"text", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the source")},
    {"ids", "1,2,3",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "the source as ids, specials included; needs no tokenizer")},
    {"segment-ids", "0,0,1",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "the segment of each token, for models that have them")},
    {"target", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the target; without it the model decodes its own")},
    {"target-ids", "1,2,3",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "the target as ids, as the decoder takes them in, start token first; after the text where there "
                       "is no encoder")},
    {"what", "LIST",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "of norms, alti, rollout, flow, lens, direct, gradient, integrated, importance, patterns, "
                       "circuits, patching, ablation, separated by commas; without it all that apply to the model")},
    {"position", "P",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "the row whose output is looked at; without it a masked word's, or the last")},
    {"token", "ID",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "what is said there; without it what the model finds most probable")},
    {"against", "TEXT",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "the text that patching puts the other one's activations into; as many tokens")},
    {"against-ids", "1,2,3", QT_TRANSLATE_NOOP("headlight::CommandLine", "the same as ids")},
    {"pair", "ID,ID",
     QT_TRANSLATE_NOOP("headlight::CommandLine",
                       "whose logits' difference patching looks at; without it those that rise and fall most")},
    {"off", "KIND.L.H,…", headsOffHelp},
    {"out", "DIR",
     QT_TRANSLATE_NOOP("headlight::CommandLine", "where analysis.safetensors and analysis.json are written")},
};

std::vector<Analysis> asked(const Words& words) {
    std::vector<Analysis> what;
    for (const auto& part : words.value("what").split(QLatin1Char(','))) {
        const auto found = analysisNamed(part.trimmed().toStdString());
        if (!found) {
            QStringList known;
            for (const auto analysis : allAnalyses)
                known.append(QString::fromUtf8(analysisName(analysis).data()));
            throw WrongWords(CommandLine::tr("%1: \"%2\" is not known; known are %3")
                                 .arg(QStringLiteral("--what"), part, known.join(QStringLiteral(", "))));
        }
        what.push_back(*found);
    }
    return what;
}

void runAnalyse(const Words& words, QTextStream& out, QTextStream& err) {
    const auto model = words.required("model");
    words.requireOneOf("text", "ids");
    words.refuseBoth("target", "target-ids");
    words.refuseBoth("against", "against-ids");
    const auto folder = words.required("out");
    AnalysisRequest request;
    request.leaveOut = !words.has("what");
    if (request.leaveOut)
        request.what.assign(allAnalyses.begin(), allAnalyses.end());
    else
        request.what = asked(words);
    constexpr int any = std::numeric_limits<int>::max();
    request.position = words.whole("position", 0, any);
    request.token = words.whole("token", 0, any);
    if (const auto pair = words.wholes("pair"); pair.size() == 2)
        request.pair = std::pair(pair[0], pair[1]);
    else if (words.has("pair"))
        throw WrongWords(CommandLine::tr("--pair: \"%1\" is not two ids").arg(words.value("pair")));
    const bool against = words.has("against") || words.has("against-ids");
    if (words.has("pair") && !against)
        throw WrongWords(CommandLine::tr("--pair goes with --against or --against-ids alone"));

    Request run;
    run.source = words.value("text").toStdString();
    run.sourceIds = words.wholes("ids");
    run.segmentIds = words.wholes("segment-ids");
    if (!run.segmentIds.empty() && run.sourceIds.empty())
        throw WrongWords(CommandLine::tr("--segment-ids goes with --ids alone"));
    if (words.has("target"))
        run.target = words.value("target").toStdString();
    run.targetIds = words.wholes("target-ids");
    run.intervention.off = words.heads("off");
    const auto engine = Engine::open(ModelCatalog::resolve(model));
    const auto trace = engine->run(run);
    if (against) {
        auto other = run;
        other.source = words.value("against").toStdString();
        other.sourceIds = words.wholes("against-ids");
        if (!words.has("against-ids"))
            other.segmentIds.clear();
        request.against = engine->run(other);
    }
    const auto found = engine->analyse(*trace, request);
    writeAnalyses(*found, pathOf(folder));
    for (const auto* const notices : {&trace->notices, &found->leftOut})
        for (const auto& notice : *notices)
            err << remark(QString::fromStdString(notice));
    for (const char* name : {"analysis.safetensors", "analysis.json"})
        out << printable(nameOf(pathOf(folder) / name)) << '\n';
}

} // namespace

constinit const Command analyseCommand{
    "analyse",
    QT_TRANSLATE_NOOP("headlight::CommandLine",
                      "writes what a run's weights do not say: norms, logit lens, gradients, patching and more"),
    analyseOptions, runAnalyse, Surface::None};

} // namespace headlight
