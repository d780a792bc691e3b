#include "widgets/names.h"

#include "core/analysis/comparison.h"

#include <QCoreApplication>

#include <algorithm>
#include <optional>

namespace headlight {

namespace {

struct Names {
    Q_DECLARE_TR_FUNCTIONS(headlight::Names)
};

/// Byte-level vocabularies (Radford et al. 2019) write bytes that are no visible sign of Latin-1 as these letters.
constexpr char16_t firstByteSign = 0x100;
constexpr char16_t lastByteSign = 0x143;

bool isByteSign(QChar letter) {
    return letter.unicode() >= firstByteSign && letter.unicode() <= lastByteSign;
}

/// The bytes that a byte-level piece stands for; nothing for a piece that no such vocabulary has.
std::optional<QByteArray> bytesOfPiece(const QString& piece) {
    static const auto hidden = [] { // bytes by their sign
        std::vector<char> bytes;
        for (int byte = 0; byte < 256; ++byte)
            if (byte < 0x21 || (byte > 0x7e && byte < 0xa1) || byte == 0xad)
                bytes.push_back(static_cast<char>(byte));
        return bytes;
    }();
    QByteArray bytes;
    for (const auto letter : piece) {
        const auto code = letter.unicode();
        if (isByteSign(letter))
            bytes += hidden[static_cast<std::size_t>(code - firstByteSign)];
        else if (code > 0xff || code < 0x21 || (code > 0x7e && code < 0xa1) || code == 0xad)
            return std::nullopt;
        else
            bytes += static_cast<char>(code);
    }
    return bytes;
}

/// True when these are pieces of a byte-level vocabulary: some begin with its sign of a space or a new line.
bool areOfBytes(const std::vector<Token>& tokens) {
    return std::any_of(tokens.begin(), tokens.end(), [](const Token& token) {
        return token.text.starts_with("\u0120") || token.text.starts_with("\u010a");
    });
}

} // namespace

QString runName(const Trace& trace, const Trace* other, bool ofOther) {
    if (other && isFullRun(*other, trace))
        return ofOther ? Names::tr("in full") : Names::tr("now");
    return ofOther ? Names::tr("B") : Names::tr("A");
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

QString missingText(const Trace& trace, BlockKind kind) {
    const auto model = QString::fromStdString(trace.model);
    if (!trace.fixedContext.empty())
        return Names::tr("%1 has no attention: all that its decoder knows of the source is one vector of %2 numbers, "
                         "which Playback shows.")
            .arg(model)
            .arg(trace.fixedContext.size());
    return Names::tr("%1 has no attention of this kind (%2).").arg(model, kindName(kind));
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

QString shownText(std::string_view token, bool ofBytes) {
    auto text = QString::fromUtf8(token.data(), static_cast<qsizetype>(token.size()));
    if (const auto bytes = bytesOfPiece(text)) {
        const auto letters = QString::fromUtf8(*bytes);
        const bool whole = !letters.contains(QChar::ReplacementCharacter);
        const bool surely = ofBytes || std::any_of(text.cbegin(), text.cend(), isByteSign);
        if ((whole && letters.size() < text.size()) || surely)
            text = letters;
    }
    if (text.endsWith(QLatin1String("</w>")) && text.size() > 4)
        text.chop(4);
    if ((text.startsWith(QChar(0x2581)) || text.startsWith(QLatin1Char(' '))) && text.size() > 1)
        text.remove(0, 1);
    text.replace(QLatin1Char('\n'), QChar(0x23ce)); // the signs of the keys
    text.replace(QLatin1Char('\t'), QChar(0x21e5));
    return text.trimmed().isEmpty() ? QString(QChar(0x2423)) : text;
}

QStringList shownTexts(const Trace& trace, const std::vector<Token>& tokens) {
    const bool ofBytes = areOfBytes(tokens);
    QStringList texts;
    for (const auto& token : tokens) {
        auto shown = shownText(token.text, ofBytes && !token.special);
        const auto& typed = &tokens != &trace.source ? trace.targetText
                            : token.segment == 0     ? trace.sourceText
                                                     : trace.secondText;
        if (shown.contains(QChar::ReplacementCharacter) && !token.bytes.empty() && token.bytes.end <= typed.size())
            shown = QString::fromUtf8(typed.data() + token.bytes.begin,
                                      static_cast<qsizetype>(token.bytes.end - token.bytes.begin))
                        .trimmed();
        texts << shown;
    }
    return texts;
}

QStringList shownTexts(const Trace& trace, const std::vector<Token>& tokens, const std::vector<Word>& words) {
    const auto ofTokens = shownTexts(trace, tokens);
    const bool ofBytes = areOfBytes(tokens);
    QStringList texts;
    for (const auto& word : words) {
        const auto& first = tokens[static_cast<std::size_t>(word.firstToken)];
        texts << (word.tokenCount == 1 && word.text == first.text
                      ? ofTokens[word.firstToken]
                      : shownText(word.text, ofBytes && !word.special && word.bytes.empty()));
    }
    return texts;
}

} // namespace headlight
