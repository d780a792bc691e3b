// What the user points at and has chosen: one object that every view shares, so that hover in one lights all.
#pragma once

#include "core/analysis/alignment.h"
#include "core/analysis/gold_alignment.h"
#include "core/analysis/words.h"
#include "core/trace/trace.h"

#include <QObject>
#include <QString>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace headlight {

/// What of a block is drawn as one map.
enum class HeadMode {
    One,          ///< the chosen layer and head
    MeanOfLayer,  ///< the mean over the heads of the chosen layer
    MeanOfAll,    ///< the mean over all heads of all layers
    BestAligning, ///< of a cross block the head that reads best as a word alignment; otherwise the chosen one
    Rollout,      ///< attention followed down through all layers, see rollout.h
};

/// How the rows of a decoder are labelled, see RowTokens.
enum class Reading { Automatic, TakenIn, Emitted };

/// One map out of a Trace, token by token, as the Selection asks for it.
struct ShownMap {
    Map map;
    QString name;                        ///< "layer 2, head 1"; "additive" for a recurrent model
    std::optional<HeadPlace> place;      ///< absent for a mean
    RowTokens rows = RowTokens::TakenIn; ///< how its rows are to be labelled
};

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

    using QObject::QObject;

    BlockKind kind() const { return m_kind; }
    HeadMode headMode() const { return m_mode; }
    Layer layer() const { return m_layer; }
    Head head() const { return m_head; }
    Reading reading() const { return m_reading; }
    /// True: tokens of one word are drawn as one row or column, see words.h.
    bool byWords() const { return m_byWords; }
    /// False: special tokens are left out, and rows scaled to sum to 1 again.
    bool specials() const { return m_specials; }
    Detail detail() const { return {m_byWords, m_specials}; }
    /// True: a map's last colour is as strong as it gets, see rangeOf(), so that a long text's small weights are seen.
    /// False: it is 1, so that maps can be compared.
    bool ownRange() const { return m_ownRange; }
    /// True: where a run was changed and its model in full stands beside it, maps are the one minus the other.
    bool change() const { return m_change; }
    /// Heads of `kind()` that were collected to be seen together, in the order of collecting.
    const std::vector<HeadPlace>& collected() const { return m_collected; }
    /// Heads that are switched off, of any kind, in order.
    const std::vector<Intervention::HeadOff>& off() const { return m_off; }
    /// The alignment that people made of the sentence that was opened; null when there is none. Views show it where
    /// `placedGold` finds its words in the run.
    const std::shared_ptr<const GoldAlignment>& gold() const { return m_gold; }
    const Pair& pair() const { return m_pair; }
    bool locked() const { return m_locked; }

    void setKind(BlockKind kind);
    /// Shows one head: of this kind, layer and place.
    void setHead(BlockKind kind, Layer layer, Head head);
    void setHeadMode(HeadMode mode);
    void setReading(Reading reading);
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

    /// The map to draw of this kind. Layer and head beyond what the trace has are taken as the last that it has.
    /// Empty when the trace has no such block. Of a model with one map of the kind, that one whatever the mode.
    std::optional<ShownMap> shown(const Trace& trace, BlockKind kind) const;

Q_SIGNALS:
    /// Another kind, layer, head, mode or reading; words, specials, range, change, collected heads or gold alignment.
    void headChanged();
    void pairChanged();
    /// Other heads are switched off: the model is to run again.
    void offChanged();

private:
    /// What a map is known by.
    struct MapKey {
        const Trace* trace = nullptr;
        std::uint64_t sample = 0; ///< of the trace's numbers
        BlockKind kind = BlockKind::Cross;
        HeadMode mode = HeadMode::One;
        HeadPlace place;
        Reading reading = Reading::Automatic;
        friend bool operator==(const MapKey&, const MapKey&) = default;
    };

    BlockKind m_kind = BlockKind::Cross;
    HeadMode m_mode = HeadMode::BestAligning;
    Layer m_layer;
    Head m_head;
    Reading m_reading = Reading::Automatic;
    bool m_byWords = false;
    bool m_ownRange = false;
    bool m_change = false;
    bool m_specials = true;
    std::vector<HeadPlace> m_collected;
    std::vector<Intervention::HeadOff> m_off;
    std::shared_ptr<const GoldAlignment> m_gold;
    Pair m_pair;
    bool m_locked = false;
    /// The maps shown last: each view asks for the same ones, and a rollout of 512 tokens takes half a second.
    mutable std::vector<std::pair<MapKey, ShownMap>> m_kept;
};

/// One map of a trace whatever the Selection says. Empty when the trace has no such block. Where layers do not fit each
/// other the mean of all heads stands for rollout, and its name says so.
/// @param place for One and MeanOfLayer; taken as the last that the block has when it is beyond
std::optional<ShownMap> shownMap(const Trace& trace, BlockKind kind, HeadMode mode, const HeadPlace& place,
                                 Reading reading);
/// Of two runs the one with more heads of this kind, the first of equals: what the views of single heads show. Null
/// when neither has any.
const Trace* runWithHeads(const Trace* first, const Trace* other, BlockKind kind);
} // namespace headlight
