#include "widgets/selection.h"

#include "core/analysis/comparison.h"
#include "core/analysis/rollout.h"

#include <algorithm>
#include <bit>

namespace headlight {

namespace {

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

/// A number by which a trace is known from another that comes to lie where it lay: traces never change, but they go.
std::uint64_t sampleOf(const Trace& trace) {
    constexpr std::size_t mostWeights = 512; // of each block
    std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a
    const auto add = [&hash](auto number) { hash = (hash ^ static_cast<std::uint64_t>(number)) * 0x100000001b3; };
    for (const auto* tokens : {&trace.source, &trace.target, &trace.emitted})
        for (const auto& token : *tokens)
            add(token.id);
    for (const auto& [query, key] : trace.intervention.forced)
        add((query.offset() << 32) + key.offset());
    for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross}) {
        const auto* block = trace.block(kind);
        const auto size = block ? block->weights.size() : 0;
        for (std::size_t i = 0; i < size; i += size / mostWeights + 1)
            add(std::bit_cast<std::uint32_t>(block->weights[i]));
    }
    return hash;
}

/// True when these are pieces of a byte-level vocabulary: some begin with its sign of a space or a new line.
bool areOfBytes(const std::vector<Token>& tokens) {
    return std::any_of(tokens.begin(), tokens.end(), [](const Token& token) {
        return token.text.starts_with("\u0120") || token.text.starts_with("\u010a");
    });
}

} // namespace

void Selection::setKind(BlockKind kind) {
    if (kind == m_kind)
        return;
    m_kind = kind;
    m_collected.clear(); // which are heads of the kind before
    Q_EMIT headChanged();
}

void Selection::setHead(BlockKind kind, Layer layer, Head head) {
    if (kind == m_kind && layer == m_layer && head == m_head && m_mode == HeadMode::One)
        return;
    if (kind != m_kind)
        m_collected.clear();
    m_kind = kind;
    m_layer = layer;
    m_head = head;
    m_mode = HeadMode::One;
    Q_EMIT headChanged();
}

void Selection::setHeadMode(HeadMode mode) {
    if (mode == m_mode)
        return;
    m_mode = mode;
    Q_EMIT headChanged();
}

void Selection::setReading(Reading reading) {
    if (reading == m_reading)
        return;
    m_reading = reading;
    Q_EMIT headChanged();
}

void Selection::setByWords(bool byWords) {
    if (byWords == m_byWords)
        return;
    m_byWords = byWords;
    Q_EMIT headChanged();
}

void Selection::setSpecials(bool shown) {
    if (shown == m_specials)
        return;
    m_specials = shown;
    Q_EMIT headChanged();
}

void Selection::setOwnRange(bool own) {
    if (own == m_ownRange)
        return;
    m_ownRange = own;
    Q_EMIT headChanged();
}

void Selection::toggleCollected(BlockKind kind, const HeadPlace& head) {
    auto heads = kind == m_kind ? m_collected : std::vector<HeadPlace>();
    if (const auto found = std::find(heads.begin(), heads.end(), head); found != heads.end())
        heads.erase(found);
    else
        heads.push_back(head);
    setCollected(kind, std::move(heads));
}

void Selection::setCollected(BlockKind kind, std::vector<HeadPlace> heads) {
    if (kind == m_kind && heads == m_collected)
        return;
    m_kind = kind;
    m_collected = std::move(heads);
    Q_EMIT headChanged();
}

void Selection::setOff(std::vector<Intervention::HeadOff> heads) {
    std::sort(heads.begin(), heads.end());
    heads.erase(std::unique(heads.begin(), heads.end()), heads.end());
    if (heads == m_off)
        return;
    m_off = std::move(heads);
    Q_EMIT offChanged();
}

void Selection::setGold(std::shared_ptr<const GoldAlignment> gold) {
    if (gold == m_gold)
        return;
    m_gold = std::move(gold);
    Q_EMIT headChanged();
}

void Selection::hover(const Pair& pair) {
    if (m_locked || pair == m_pair)
        return;
    m_pair = pair;
    Q_EMIT pairChanged();
}

void Selection::toggleLock(const Pair& pair) {
    m_locked = !(m_locked && pair == m_pair);
    m_pair = pair;
    Q_EMIT pairChanged();
}

void Selection::freeLock() {
    if (!m_locked && m_pair == Pair{})
        return;
    m_locked = false;
    m_pair = {};
    Q_EMIT pairChanged();
}

std::optional<ShownMap> Selection::shown(const Trace& trace, BlockKind kind) const {
    if (!trace.block(kind))
        return std::nullopt;
    constexpr std::size_t mostKept = 6;
    const MapKey key{&trace, sampleOf(trace), kind, m_mode, {m_layer, m_head}, m_reading};
    const auto found = std::find_if(m_kept.begin(), m_kept.end(), [&](const auto& kept) { return kept.first == key; });
    if (found != m_kept.end())
        return found->second;
    auto made = shownMap(trace, kind, m_mode, {m_layer, m_head}, m_reading);
    if (made) {
        if (m_kept.size() == mostKept)
            m_kept.erase(m_kept.begin());
        m_kept.emplace_back(key, *made);
    }
    return made;
}

std::optional<ShownMap> shownMap(const Trace& trace, BlockKind kind, HeadMode mode, const HeadPlace& place,
                                 Reading reading) {
    const auto* block = trace.block(kind);
    if (!block || block->layers < 1 || block->heads < 1)
        return std::nullopt;
    // A Transformer attends within its stacks too, however small it is; a recurrent model only across.
    const bool one = block->layers * block->heads == 1;
    const bool additive = one && !trace.encoder && !trace.decoder;
    ShownMap shown;
    const Layer layer(std::clamp(place.layer.value, 0, block->layers - 1));
    const Head head(std::clamp(place.head.value, 0, block->heads - 1));
    if (mode == HeadMode::Rollout && !additive) {
        auto rolled = rollout(trace, kind);
        shown.name =
            rolled ? Selection::tr("rollout") : Selection::tr("mean of all heads, whose layers have no rollout");
        shown.map = rolled ? std::move(*rolled) : meanOverBlock(*block);
    } else if (one) {
        shown.map = headMap(*block, Layer(0), Head(0));
        shown.name = additive ? Selection::tr("additive") : Selection::tr("layer 0, head 0");
        shown.place = HeadPlace{};
    } else if (mode == HeadMode::MeanOfLayer) {
        shown.map = meanOverHeads(*block, layer);
        shown.name = Selection::tr("layer %1, mean").arg(layer.value);
    } else if (mode == HeadMode::MeanOfAll) {
        shown.map = meanOverBlock(*block);
        shown.name = Selection::tr("mean of all heads");
    } else if (mode == HeadMode::BestAligning && kind == BlockKind::Cross) {
        const auto best = bestAligningHead(*block, trace.keyTokens(kind));
        shown.map = headMap(*block, best.layer, best.head);
        shown.name = Selection::tr("layer %1, head %2 (best)").arg(best.layer.value).arg(best.head.value);
        shown.place = best;
    } else {
        shown.map = headMap(*block, layer, head);
        shown.name = Selection::tr("layer %1, head %2").arg(layer.value).arg(head.value);
        shown.place = HeadPlace{layer, head};
    }
    if (kind == BlockKind::Cross && reading == Reading::Automatic)
        shown.rows = additive ? RowTokens::Emitted : likelyRowTokens(shown.map, trace.keyTokens(kind));
    else if (kind != BlockKind::Encoder && reading == Reading::Emitted)
        shown.rows = RowTokens::Emitted;
    return shown;
}

const Trace* runWithHeads(const Trace* first, const Trace* other, BlockKind kind) {
    const auto heads = [kind](const Trace* run) {
        const auto* block = run ? run->block(kind) : nullptr;
        return block ? block->layers * block->heads : 0;
    };
    if (heads(other) > heads(first))
        return other;
    return heads(first) > 0 ? first : nullptr;
}

QString runName(const Trace& trace, const Trace* other, bool ofOther) {
    if (other && isFullRun(*other, trace))
        return ofOther ? Selection::tr("in full") : Selection::tr("now");
    return ofOther ? Selection::tr("B") : Selection::tr("A");
}

QString kindName(BlockKind kind) {
    switch (kind) {
    case BlockKind::Encoder:
        return Selection::tr("encoder, self");
    case BlockKind::Decoder:
        return Selection::tr("decoder, self");
    case BlockKind::Cross:
        return Selection::tr("cross");
    }
    return {};
}

QString kindName(HeadKind kind) {
    switch (kind) {
    case HeadKind::Previous:
        return Selection::tr("previous token");
    case HeadKind::Next:
        return Selection::tr("next token");
    case HeadKind::Self:
        return Selection::tr("same token");
    case HeadKind::First:
        return Selection::tr("first token");
    case HeadKind::Delimiter:
        return Selection::tr("special tokens");
    case HeadKind::Broad:
        return Selection::tr("broad");
    case HeadKind::Mixed:
        return Selection::tr("mixed");
    }
    return {};
}

QString headName(const HeadPlace& head) {
    return QStringLiteral("L%1 H%2").arg(head.layer.value).arg(head.head.value);
}

QString reasonText(const Comparison& comparison) {
    const auto quoted = [](const std::string& word) {
        return word.empty() ? Selection::tr("missing") : Selection::tr("“%1”").arg(shownText(word));
    };
    const auto word = QString::number(comparison.word + 1);
    const auto first = quoted(comparison.firstWord), second = quoted(comparison.secondWord);
    switch (comparison.reason) {
    case Comparison::Reason::None:
        return {};
    case Comparison::Reason::NoAttention:
        return Selection::tr("One of the two models has no attention of this kind.");
    case Comparison::Reason::SourcesDiffer:
        return Selection::tr("The source texts of the two models differ: word %1 is %2 in the one and %3 in the other.")
            .arg(word, first, second);
    case Comparison::Reason::TargetsDiffer:
        return Selection::tr("The target texts of the two models differ: word %1 is %2 in the one and %3 in the other.")
            .arg(word, first, second);
    case Comparison::Reason::NothingLeft:
        return Selection::tr("Without special tokens there is nothing to compare.");
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
