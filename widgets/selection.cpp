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
    if (kind == m_kind)
        return;
    m_kind = kind;
    m_collected.clear(); // which are heads of the kind before
    Q_EMIT headChanged();
}

void Selection::setHead(BlockKind kind, Layer layer, Head head) {
    if (kind == m_kind && m_choice.place == HeadPlace{layer, head} && m_choice.mode == HeadMode::One)
        return;
    if (kind != m_kind)
        m_collected.clear();
    m_kind = kind;
    m_choice.place = {layer, head};
    m_choice.mode = HeadMode::One;
    Q_EMIT headChanged();
}

void Selection::setHeadMode(HeadMode mode) {
    if (replaces(m_choice.mode, mode))
        Q_EMIT headChanged();
}

void Selection::setReading(Reading reading) {
    if (replaces(m_choice.reading, reading))
        Q_EMIT headChanged();
}

void Selection::setByWords(bool byWords) {
    if (replaces(m_byWords, byWords))
        Q_EMIT headChanged();
}

void Selection::setSpecials(bool shown) {
    if (replaces(m_specials, shown))
        Q_EMIT headChanged();
}

void Selection::setOwnRange(bool own) {
    if (replaces(m_ownRange, own))
        Q_EMIT headChanged();
}

void Selection::setChange(bool shown) {
    if (replaces(m_change, shown))
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
    if (replaces(m_gold, std::move(gold)))
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

} // namespace headlight
