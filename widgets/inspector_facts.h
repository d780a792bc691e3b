// What there is to tell of the runs on show, whatever the pointer does: derived when it is first asked for, and kept.
#pragma once

#include "core/analysis/comparison.h"
#include "core/analysis/head_metrics.h"
#include "core/analysis/words.h"
#include "core/trace/trace.h"
#include "widgets/selection.h"

#include <QPointer>
#include <QStringList>

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace headlight {

/// Of a run, perhaps a second one beside it, and the head that the Selection shows of both.
class InspectorFacts {
public:
    /// What one kind of attention is like.
    struct OfKind {
        bool pending = false;                  ///< some of this is being worked out
        std::shared_ptr<const ShownMap> shown; ///< null where there is none, or it is pending
        WordMap drawn;                         ///< the same as views draw it: by words, without special tokens
        QStringList rows;
        QStringList columns;
        std::vector<int> queryRows;         ///< the row of each query, -1 where it was left out
        std::vector<int> keyColumns;        ///< likewise
        QString head;                       ///< name of what `metrics` are of
        std::optional<HeadMetrics> metrics; ///< absent for a mean of heads
        std::optional<double> aligns;       ///< alignmentScore of that head, where it looks across
        std::optional<double> errorRate;    ///< likewise, where people's links are known
        float entropy = 0;                  ///< bits, mean over the rows
        std::shared_ptr<const Comparison> comparison;
    };
    /// What is pointed at, as far as the trace has it; -1 for what is not.
    struct Pointed {
        BlockKind kind = BlockKind::Cross;
        int query = -1;
        int key = -1;

        bool any() const { return query >= 0 || key >= 0; }
    };

    void setTrace(TracePointer trace, TracePointer other);
    void setSelection(Selection* selection);
    /// Makes cross-attention the kind on show where there is any.
    void preferCross(bool preferred) { m_crossPreferred = preferred; }
    /// Forgets what was derived.
    void forget();
    /// True while something that was asked for is being worked out.
    bool pending() const;
    /// False before there are a run and a Selection: then nothing else may be asked for.
    bool known() const { return m_trace && m_selection; }

    const Trace& trace() const { return *m_trace; }
    const Trace* other() const { return m_other.get(); }
    const Selection& selection() const { return *m_selection; }
    /// The second run is the same model's in full.
    bool againstFull() const;
    /// Model A's, unless only B has attention of this kind.
    const Trace& run(BlockKind kind) const;
    const OfKind& of(BlockKind kind);
    const std::vector<Token>& rowTokens(BlockKind kind);
    Pointed pointed();
    BlockKind kindOnShow() const;

private:
    TracePointer m_trace;
    TracePointer m_other;
    QPointer<Selection> m_selection;
    bool m_crossPreferred = false;
    std::array<std::optional<OfKind>, 3> m_kinds; ///< of each BlockKind
};

} // namespace headlight
