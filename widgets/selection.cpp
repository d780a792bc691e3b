#include "widgets/selection.h"

#include <algorithm>

namespace headlight {

void Selection::setKind(BlockKind kind) {
    if (kind == m_kind)
        return;
    m_kind = kind;
    Q_EMIT headChanged();
}

void Selection::setHead(BlockKind kind, Layer layer, Head head) {
    if (kind == m_kind && layer == m_layer && head == m_head && m_mode == HeadMode::One)
        return;
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
    const auto* block = trace.block(kind);
    if (!block || block->layers < 1 || block->heads < 1)
        return std::nullopt;
    // A Transformer attends within its stacks too, however small it is; a recurrent model only across.
    const bool additive = block->layers * block->heads == 1 && !trace.encoder && !trace.decoder;
    ShownMap shown;
    const Layer layer(std::clamp(m_layer.value, 0, block->layers - 1));
    const Head head(std::clamp(m_head.value, 0, block->heads - 1));
    if (block->layers * block->heads == 1) {
        shown.map = headMap(*block, Layer(0), Head(0));
        shown.name = additive ? tr("additive") : tr("layer 0, head 0");
        shown.place = HeadPlace{};
    } else if (m_mode == HeadMode::MeanOfLayer) {
        shown.map = meanOverHeads(*block, layer);
        shown.name = tr("layer %1, mean").arg(layer.value);
    } else if (m_mode == HeadMode::BestAligning && kind == BlockKind::Cross) {
        const auto best = bestAligningHead(*block, trace.keyTokens(kind));
        shown.map = headMap(*block, best.layer, best.head);
        shown.name = tr("layer %1, head %2 (best)").arg(best.layer.value).arg(best.head.value);
        shown.place = best;
    } else {
        shown.map = headMap(*block, layer, head);
        shown.name = tr("layer %1, head %2").arg(layer.value).arg(head.value);
        shown.place = HeadPlace{layer, head};
    }
    if (kind == BlockKind::Cross && m_reading == Reading::Automatic)
        shown.rows = additive ? RowTokens::Emitted : likelyRowTokens(shown.map, trace.keyTokens(kind));
    else if (kind != BlockKind::Encoder && m_reading == Reading::Emitted)
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

QString shownText(std::string_view token) {
    auto text = QString::fromUtf8(token.data(), static_cast<qsizetype>(token.size()));
    if (text.startsWith(QChar(0x2581)) && text.size() > 1)
        text.remove(0, 1);
    return text;
}

QStringList shownTexts(const std::vector<Token>& tokens) {
    QStringList texts;
    for (const auto& token : tokens)
        texts << shownText(token.text);
    return texts;
}

} // namespace headlight
