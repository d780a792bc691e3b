// What the user points at and has chosen: one object that every view shares, so that hover in one lights all.
#pragma once

#include "core/trace/trace.h"

#include <QObject>

#include <optional>

namespace headlight {

/// The attention kind, layer and head on show, and the query and key under the pointer. Hover previews; a click
/// locks the pair until it is freed (Escape or a second click).
class Selection : public QObject {
    Q_OBJECT
public:
    /// A query (row) and a key (column) of the kind on show; either may be absent.
    struct Pair {
        std::optional<Query> query;
        std::optional<Key> key;
        friend bool operator==(const Pair&, const Pair&) = default;
    };

    explicit Selection(QObject* parent = nullptr) : QObject(parent) {}

    BlockKind kind() const { return m_kind; }
    Layer layer() const { return m_layer; }
    Head head() const { return m_head; }
    /// True when views that can should show the mean over the heads of the layer instead of one head.
    bool meanOfHeads() const { return m_mean; }
    const Pair& pair() const { return m_pair; }
    bool locked() const { return m_locked; }

    void setHead(BlockKind kind, Layer layer, Head head);
    void setMeanOfHeads(bool mean);
    /// Does nothing while a pair is locked.
    void hover(const Pair& pair);
    /// Locks the pair, or frees it when it is the one that is locked.
    void toggleLock(const Pair& pair);
    void freeLock();

Q_SIGNALS:
    void headChanged();
    void pairChanged();

private:
    BlockKind m_kind = BlockKind::Cross;
    Layer m_layer;
    Head m_head;
    bool m_mean = false;
    Pair m_pair;
    bool m_locked = false;
};

} // namespace headlight
