// What the user points at and has chosen: one object that every view shares, so that hover in one lights all.
#pragma once

#include "core/analysis/gold_alignment.h"
#include "core/analysis/shown_map.h"
#include "core/analysis/words.h"
#include "core/trace/trace.h"

#include <QObject>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace headlight {

/// The attention kind, layer and head on show, and the query and key under the pointer. Hover previews; a click
/// locks the pair until it is freed (Escape or a second click).
class Selection : public QObject {
    Q_OBJECT
public:
    /// A query (row) and a key (column) of a kind of attention; either may be absent.
    struct Pair {
        BlockKind kind = BlockKind::Cross;
        std::optional<Query> query;
        std::optional<Key> key;
        friend bool operator==(const Pair&, const Pair&) = default;
    };

    /// What was chosen, and stays until it is changed.
    struct Chosen {
        BlockKind kind = BlockKind::Cross;
        MapChoice map; ///< which map of that kind, see shown_map.h
        /// True: tokens of one word are drawn as one row or column, see words.h.
        bool byWords = false;
        /// False: special tokens are left out, and rows scaled to sum to 1 again.
        bool specials = true;
        /// True: a map's last colour is as strong as it gets, see rangeOf(), so that a long text's small weights are
        /// seen. False: it is 1, so that maps can be compared.
        bool ownRange = false;
        /// True: where a run was changed and its model in full stands beside it, maps are the one minus the other.
        bool change = false;
        /// Heads of `kind` that were collected to be seen together, in the order of collecting.
        std::vector<HeadPlace> collected;
        /// Heads that are switched off, of any kind, in order.
        std::vector<Intervention::HeadOff> off;
        /// The alignment that people made of the sentence that was opened; null when there is none. Views show it where
        /// `placedGold` finds its words in the run.
        std::shared_ptr<const GoldAlignment> gold;
        std::optional<Pair> locked;
        friend bool operator==(const Chosen&, const Chosen&) = default;
    };

    using QObject::QObject;

    const Chosen& chosen() const { return m_chosen; }
    BlockKind kind() const { return m_chosen.kind; }
    const MapChoice& choice() const { return m_chosen.map; }
    HeadMode headMode() const { return m_chosen.map.mode; }
    Layer layer() const { return m_chosen.map.place.layer; }
    Head head() const { return m_chosen.map.place.head; }
    Reading reading() const { return m_chosen.map.reading; }
    Cells cells() const { return m_chosen.map.cells; }
    bool byWords() const { return m_chosen.byWords; }
    bool specials() const { return m_chosen.specials; }
    Detail detail() const { return {byWords(), specials()}; }
    bool ownRange() const { return m_chosen.ownRange; }
    bool change() const { return m_chosen.change; }
    const std::vector<HeadPlace>& collected() const { return m_chosen.collected; }
    const std::vector<Intervention::HeadOff>& off() const { return m_chosen.off; }
    const std::shared_ptr<const GoldAlignment>& gold() const { return m_chosen.gold; }
    const Pair& pair() const { return m_pair; }
    bool locked() const { return m_chosen.locked.has_value(); }

    void setChosen(const Chosen& chosen);

    void setKind(BlockKind kind);
    /// Shows one head: of this kind, layer and place.
    void setHead(BlockKind kind, Layer layer, Head head);
    void setHeadMode(HeadMode mode);
    void setReading(Reading reading);
    void setCells(Cells cells);
    void setByWords(bool byWords);
    void setSpecials(bool shown);
    void setOwnRange(bool own);
    void setChange(bool shown);
    /// Adds the head to those collected, or takes it away. Another kind begins anew.
    void toggleCollected(BlockKind kind, const HeadPlace& head);
    void setCollected(BlockKind kind, std::vector<HeadPlace> heads);
    void setOff(std::vector<Intervention::HeadOff> heads);
    void setGold(std::shared_ptr<const GoldAlignment> gold);
    /// Does nothing while a pair is locked.
    void hover(const Pair& pair);
    /// Locks the pair, or frees it when it is the one that is locked.
    void toggleLock(const Pair& pair);
    void freeLock();

Q_SIGNALS:
    /// Another kind, layer, head, mode or reading; words, specials, range, change, collected heads or gold alignment.
    void headChanged();
    void pairChanged();
    /// Other heads are switched off: the model is to run again.
    void offChanged();

private:
    Chosen m_chosen;
    Pair m_pair;
};

} // namespace headlight
