#include "app/model_outlook.h"

#include "core/families/known.h"
#include "core/runs/budget.h"

namespace headlight {

namespace {

constexpr qint64 bytesOfRunningNumber = 4;

/// Bytes of a number in the files, as the configuration has it.
qint64 bytesOfNumber(const ModelConfig& config) {
    for (const char* key : {"torch_dtype", "dtype"}) {
        if (!config.has(key))
            continue;
        const auto type = config.textOr(key, "");
        return type == "float16" || type == "bfloat16" ? 2 : type == "float64" ? 8 : 4;
    }
    return 4;
}

QString timeInWords(qint64 seconds) {
    if (seconds < 60)
        return HubText::tr("%1 s left").arg(seconds);
    if (seconds < 3600)
        return HubText::tr("%1 min left").arg((seconds + 30) / 60);
    return HubText::tr("%1 h %2 min left").arg(seconds / 3600).arg(seconds % 3600 / 60);
}

/// @param parameters what the hub counted: believed where that many numbers have room in the files
ModelOutlook outlookOf(const QByteArray& bytes, const QString& name, qint64 weights, qint64 parameters) {
    ModelOutlook outlook;
    try {
        const ModelConfig config(
            parseJson({bytes.constData(), static_cast<std::size_t>(bytes.size())}, name.toStdString() + "/config.json"),
            name.toStdString() + "/config.json");
        outlook.family = QString::fromStdString(config.modelType());
        if (parameters <= 0 || parameters > weights)
            parameters = weights / bytesOfNumber(config);
        outlook.memory = parameters * bytesOfRunningNumber;
        requireFamily(config);
        outlook.opens = true;
    } catch (const Error& error) {
        outlook.refusal = QString::fromUtf8(error.what());
    }
    return outlook;
}

} // namespace

QString ModelOutlook::familyLine() const {
    return opens ? family : HubText::tr("not one that Headlight opens");
}

QStringList ModelOutlook::lines() const {
    QStringList lines;
    lines << (opens ? HubText::tr("family: %1").arg(family)
                    : HubText::tr("family: none that is known: %1").arg(refusal))
          << (tokenizer ? HubText::tr("tokenizer: yes") : HubText::tr("tokenizer: none that is known"));
    const auto free = freeMemory();
    if (memory > 0)
        lines << (free ? HubText::tr("memory to run it: about %1, %2 are free")
                             .arg(bytesInWords(memory), bytesInWords(*free))
                       : HubText::tr("memory to run it: about %1").arg(bytesInWords(memory)));
    return lines;
}

ModelOutlook outlookOf(const HubPlan& plan) {
    auto outlook = outlookOf(plan.config, plan.name.id, plan.weightBytes, plan.parameters);
    const auto has = [&plan](const char* file) { return plan.has(QLatin1String(file)); };
    // As openTokenizer() chooses, by names alone.
    const bool twoVocabularies = has("source.spm") && has("target_vocab.json");
    outlook.tokenizer =
        !twoVocabularies
        && (has("tokenizer.json") || has("vocab.txt") || (has("vocab.json") && (has("source.spm") || has("merges.txt")))
            || has("sentencepiece.bpe.model") || has("spm.model") || has("spiece.model") || has("tokenizer.model"));
    if (twoVocabularies)
        outlook.warnings << HubText::tr(
                                "%1 has a vocabulary for each language, which Headlight cannot tokenize with: it "
                                "runs only from token ids.")
                                .arg(plan.name.text());
    else if (!outlook.tokenizer)
        outlook.warnings << HubText::tr("%1 has no tokenizer that Headlight knows: it runs only from token ids.")
                                .arg(plan.name.text());
    if (const auto free = freeMemory(); free && outlook.memory > *free)
        outlook.warnings << HubText::tr("To run it takes about %1 of memory, and %2 are free.")
                                .arg(bytesInWords(outlook.memory), bytesInWords(*free));
    return outlook;
}

ModelOutlook outlookOf(const QByteArray& config, const QString& name) {
    return outlookOf(config, name, 0, 0);
}

std::optional<HubProblem> requireOpening(const HubPlan& plan) {
    const auto outlook = outlookOf(plan);
    if (outlook.opens)
        return std::nullopt;
    return HubProblem{HubProblem::Kind::NotAModel,
                      HubText::tr("Headlight cannot open %1, so nothing of its %2 was fetched: %3")
                          .arg(plan.name.text(), bytesInWords(plan.bytes), outlook.refusal),
                      {}};
}

QString progressInWords(const HubProgress& progress) {
    QString words;
    if (progress.bytesPerSecond > 0)
        words += HubText::tr(" · %1/s").arg(bytesInWords(static_cast<qint64>(progress.bytesPerSecond)));
    if (progress.secondsLeft >= 0 && progress.done < progress.total)
        words += QStringLiteral(" · ") + timeInWords(progress.secondsLeft);
    return words;
}

} // namespace headlight
