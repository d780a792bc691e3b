#include "widgets/selection.h"

#include <algorithm>
#include <utility>

namespace headlight {

namespace {

/// Takes the new one; false when it is the same.
template <class Choice>
bool replaces(Choice& kept, Choice wanted) {
    const bool other = wanted != kept;
    kept = std::move(wanted);
    return other;
}

} // namespace

void Selection::setKind(BlockKind kind) {
    if (kind == m_chosen.kind)
        return;
    m_chosen.kind = kind;
    m_chosen.collected.clear(); // which are heads of the kind before
    Q_EMIT headChanged();
}

void Selection::setHead(BlockKind kind, Layer layer, Head head) {
    if (kind == m_chosen.kind && m_chosen.map.place == HeadPlace{layer, head} && m_chosen.map.mode == HeadMode::One)
        return;
    if (kind != m_chosen.kind)
        m_chosen.collected.clear();
    m_chosen.kind = kind;
    m_chosen.map.place = {layer, head};
    m_chosen.map.mode = HeadMode::One;
    Q_EMIT headChanged();
}

void Selection::setHeadMode(HeadMode mode) {
    if (replaces(m_chosen.map.mode, mode))
        Q_EMIT headChanged();
}

void Selection::setReading(Reading reading) {
    if (replaces(m_chosen.map.reading, reading))
        Q_EMIT headChanged();
}

void Selection::setCells(Cells cells) {
    if (replaces(m_chosen.map.cells, cells))
        Q_EMIT headChanged();
}

void Selection::setByWords(bool byWords) {
    if (replaces(m_chosen.byWords, byWords))
        Q_EMIT headChanged();
}

void Selection::setSpecials(bool shown) {
    if (replaces(m_chosen.specials, shown))
        Q_EMIT headChanged();
}

void Selection::setOwnRange(bool own) {
    if (replaces(m_chosen.ownRange, own))
        Q_EMIT headChanged();
}

void Selection::setChange(bool shown) {
    if (replaces(m_chosen.change, shown))
        Q_EMIT headChanged();
}

void Selection::toggleCollected(BlockKind kind, const HeadPlace& head) {
    auto heads = kind == m_chosen.kind ? m_chosen.collected : std::vector<HeadPlace>();
    if (const auto found = std::find(heads.begin(), heads.end(), head); found != heads.end())
        heads.erase(found);
    else
        heads.push_back(head);
    setCollected(kind, std::move(heads));
}

void Selection::setCollected(BlockKind kind, std::vector<HeadPlace> heads) {
    if (kind == m_chosen.kind && heads == m_chosen.collected)
        return;
    m_chosen.kind = kind;
    m_chosen.collected = std::move(heads);
    Q_EMIT headChanged();
}

void Selection::setOff(std::vector<Intervention::HeadOff> heads) {
    auto chosen = m_chosen;
    chosen.off = std::move(heads);
    setChosen(chosen);
}

void Selection::setGold(std::shared_ptr<const GoldAlignment> gold) {
    if (replaces(m_chosen.gold, std::move(gold)))
        Q_EMIT headChanged();
}

void Selection::hover(const Pair& pair) {
    if (locked() || pair == m_pair)
        return;
    m_pair = pair;
    Q_EMIT pairChanged();
}

void Selection::toggleLock(const Pair& pair) {
    m_chosen.locked = m_chosen.locked == pair ? std::nullopt : std::optional(pair);
    m_pair = pair;
    Q_EMIT pairChanged();
}

void Selection::freeLock() {
    if (!locked() && m_pair == Pair{})
        return;
    m_chosen.locked.reset();
    m_pair = {};
    Q_EMIT pairChanged();
}

void Selection::setChosen(const Chosen& chosen) {
    const auto before = std::exchange(m_chosen, chosen);
    auto& now = m_chosen;
    std::sort(now.off.begin(), now.off.end());
    now.off.erase(std::unique(now.off.begin(), now.off.end()), now.off.end());
    if (now.locked != before.locked) {
        m_pair = now.locked.value_or(Pair{});
        Q_EMIT pairChanged();
    }
    if (now.off != before.off)
        Q_EMIT offChanged();
    auto heads = before; // all else
    heads.off = now.off;
    heads.locked = now.locked;
    if (heads != now)
        Q_EMIT headChanged();
}

} // namespace headlight
