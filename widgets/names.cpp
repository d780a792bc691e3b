#include "widgets/names.h"

#include "core/analysis/comparison.h"
#include "widgets/plain_text.h"

#include <QCoreApplication>

namespace headlight {

namespace {

struct Names {
    Q_DECLARE_TR_FUNCTIONS(headlight::Names)
};

} // namespace

QString runName(const Trace& trace, const Trace* other, bool ofOther) {
    if (other && isFullRun(*other, trace))
        return ofOther ? Names::tr("in full") : Names::tr("now");
    return ofOther ? Names::tr("B") : Names::tr("A");
}

QString shownModel(const Trace& trace) {
    return brief(QString::fromStdString(trace.model), mostOfName);
}

QString kindName(BlockKind kind) {
    switch (kind) {
    case BlockKind::Encoder:
        return Names::tr("encoder, self");
    case BlockKind::Decoder:
        return Names::tr("decoder, self");
    case BlockKind::Cross:
        return Names::tr("cross");
    }
    return {};
}

QString missingText(const Trace& trace, BlockKind kind, const Trace* other) {
    const auto model = shownModel(trace);
    if (!trace.fixedContext.empty())
        return Names::tr("%1 has no attention: all that its decoder knows of the source is one vector of %2 numbers, "
                         "which Playback shows.")
            .arg(model)
            .arg(trace.fixedContext.size());
    const auto missing = Names::tr("%1 has no attention of this kind (%2).").arg(model, kindName(kind));
    return other && hasHeads(*other, kind)
               ? Names::tr("%1 %2 has: choose it above the picture, or swap the models (Ctrl+Shift+X).")
                     .arg(missing, shownModel(*other))
               : missing;
}

QString kindName(HeadKind kind) {
    switch (kind) {
    case HeadKind::Previous:
        return Names::tr("previous token");
    case HeadKind::Next:
        return Names::tr("next token");
    case HeadKind::Self:
        return Names::tr("same token");
    case HeadKind::First:
        return Names::tr("first token");
    case HeadKind::Delimiter:
        return Names::tr("special tokens");
    case HeadKind::Broad:
        return Names::tr("broad");
    case HeadKind::Mixed:
        return Names::tr("mixed");
    }
    return {};
}

QString headName(const HeadPlace& head) {
    return QStringLiteral("L%1 H%2").arg(head.layer.value).arg(head.head.value);
}

QString mapName(const ShownMap& shown) {
    if (shown.additive)
        return Names::tr("additive");
    if (shown.cells == Cells::Norms) {
        auto weights = shown;
        weights.cells = Cells::Weights;
        return Names::tr("%1 · norms, as shares of the row").arg(mapName(weights));
    }
    if (shown.place) {
        auto name = Names::tr("layer %1, head %2").arg(shown.place->layer.value).arg(shown.place->head.value);
        if (shown.mode == HeadMode::BestAligning)
            name = Names::tr("%1 (best)").arg(name);
        return shown.off > 0 ? Names::tr("%1, switched off").arg(name) : name;
    }
    const bool noAlti =
        shown.mode != shown.asked && (shown.asked == HeadMode::Alti || shown.asked == HeadMode::AltiRollout);
    const auto name = shown.mode == HeadMode::Rollout       ? Names::tr("rollout")
                      : shown.mode == HeadMode::Alti        ? Names::tr("layer %1, ALTI").arg(shown.layer.value)
                      : shown.mode == HeadMode::AltiRollout ? Names::tr("ALTI, rolled out")
                      : noAlti ? Names::tr("mean of all heads: there is no ALTI of this run")
                      : shown.mode == HeadMode::MeanOfLayer ? Names::tr("layer %1, mean").arg(shown.layer.value)
                      : shown.asked == HeadMode::Rollout ? Names::tr("mean of all heads, whose layers have no rollout")
                                                         : Names::tr("mean of all heads");
    return shown.off > 0 ? Names::tr("%1, %n of them switched off", nullptr, shown.off).arg(name) : name;
}

QString reasonText(const Comparison& comparison) {
    const auto quoted = [](const std::string& word) {
        return word.empty() ? Names::tr("missing") : Names::tr("“%1”").arg(shownText(word));
    };
    const auto word = QString::number(comparison.word + 1);
    const auto first = quoted(comparison.firstWord), second = quoted(comparison.secondWord);
    switch (comparison.reason) {
    case Comparison::Reason::None:
        return {};
    case Comparison::Reason::NoAttention:
        return Names::tr("One of the two models has no attention of this kind.");
    case Comparison::Reason::SourcesDiffer:
        return Names::tr("The source texts of the two models differ: word %1 is %2 in the one and %3 in the other.")
            .arg(word, first, second);
    case Comparison::Reason::TargetsDiffer:
        return Names::tr("The target texts of the two models differ: word %1 is %2 in the one and %3 in the other.")
            .arg(word, first, second);
    case Comparison::Reason::NothingLeft:
        return Names::tr("Without special tokens there is nothing to compare.");
    }
    return {};
}

QString shownText(std::string_view letters) {
    constexpr std::size_t mostBytes = 8 * mostOfName; // of which no label shows more
    letters = letters.substr(0, mostBytes);
    auto text = QString::fromUtf8(letters.data(), static_cast<qsizetype>(letters.size()));
    if (text.trimmed().isEmpty() && !text.contains(QLatin1Char('\n')) && !text.contains(QLatin1Char('\t')))
        return QString(QChar(0x2423));
    if (text.startsWith(QLatin1Char(' ')))
        text.remove(0, 1);
    if (text.endsWith(QLatin1Char(' ')))
        text.chop(1);
    text.replace(QLatin1Char('\n'), QChar(0x23ce)); // the signs of the keys
    text.replace(QLatin1Char('\t'), QChar(0x21e5));
    return brief(text, mostOfName);
}

QStringList shownTexts(const std::vector<Token>& tokens) {
    QStringList texts;
    for (const auto& token : tokens)
        texts << shownText(token.letters);
    return texts;
}

QStringList shownTexts(const std::vector<Word>& words) {
    QStringList texts;
    for (const auto& word : words)
        texts << shownText(word.text);
    return texts;
}

} // namespace headlight
