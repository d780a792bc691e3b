#include "widgets/selection.h"

#include "core/analysis/rollout.h"

#include <algorithm>
#include <bit>

namespace headlight {

namespace {

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

void Selection::setChange(bool shown) {
    if (shown == m_change)
        return;
    m_change = shown;
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

} // namespace headlight
