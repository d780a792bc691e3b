// The panel on the right: the weight under the pointer, its row, what kind of head it is, what comes next.
#pragma once

#include "core/analysis/comparison.h"
#include "core/analysis/head_metrics.h"
#include "core/trace/trace.h"
#include "widgets/appearance.h"
#include "widgets/selection.h"

#include <QPointer>
#include <QWidget>

#include <optional>
#include <span>
#include <vector>

class QPainter;

namespace headlight {

/// With a second run it names both weights and what the whole sentence has in common; a run that something was changed
/// in is set against the same model's run in full.
class Inspector : public QWidget {
    Q_OBJECT
public:
    explicit Inspector(QWidget* parent = nullptr);

    void setTrace(TracePointer trace, TracePointer other);
    void setSelection(Selection* selection);
    void setAppearance(const Appearance& appearance);
    /// Line by line what is written: for tests and screen readers.
    QStringList describe() const;

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    struct Line {
        /// Pair: label → value. Big: one number, or two side by side. Figure and Bar: a name and its number.
        enum class Kind { Heading, Pair, Big, Figure, Bar, Note } kind = Kind::Note;
        QString label; ///< Big: what `value` is of, where there are two
        QString value;
        QString secondLabel; ///< Big
        QString secondValue; ///< Big and Bar: of the second run
        float share = 0;     ///< Bar
        bool lit = false;    ///< Bar: of what is pointed at
    };
    /// What one kind of attention is like whatever the pointer does; made when it is first asked for.
    struct Facts {
        std::optional<ShownMap> shown;
        WordMap drawn; ///< the same as views draw it: by words, without special tokens
        QStringList rows;
        QStringList columns;
        std::vector<int> queryRows;         ///< the row of each query, -1 where it was left out
        std::vector<int> keyColumns;        ///< likewise
        QString head;                       ///< name of what `metrics` are of
        std::optional<HeadMetrics> metrics; ///< of the run with more heads; absent for a mean of heads
        std::optional<double> aligns;       ///< alignmentScore of that head, where it looks across
        std::optional<double> errorRate;    ///< likewise, where people's links are known
        float entropy = 0;                  ///< bits, mean over the rows
        std::optional<Comparison> comparison;
    };
    /// What is pointed at, as far as the trace has it; -1 for what is not.
    struct Pointed {
        BlockKind kind = BlockKind::Cross;
        int query = -1;
        int key = -1;
    };

    /// Forgets what was derived from the traces and the head on show.
    void refresh();
    /// Model A's, unless only B has attention of this kind.
    const Trace& run(BlockKind kind) const;
    bool againstFull() const { return m_other && isFullRun(*m_other, *m_trace); }
    const Facts& facts(BlockKind kind);
    const std::vector<Token>& rowNames(BlockKind kind);
    Pointed pointed();
    BlockKind kindOnShow() const;
    const std::vector<Line>& lines();

    void addPointer(const Pointed& at);
    void addRow(const Pointed& at);
    void addSentence(BlockKind kind);
    /// What the heads that are off do for the output.
    void addOutputChange();
    void addHead(BlockKind kind);
    void addPredictions(const Pointed& at);
    void addEnergy(const Pointed& at);
    void addBars(std::span<const float> values, const QStringList& names, int lit);
    void add(Line::Kind kind, const QString& label, const QString& value = {});

    int heightOf(const Line& line, int width) const;
    void draw(QPainter& painter, const Line& line, const QRect& place) const;

    TracePointer m_trace;
    TracePointer m_other;
    QPointer<Selection> m_selection;
    Appearance m_appearance;
    std::optional<Facts> m_facts[3]; ///< of each BlockKind
    std::vector<Line> m_lines;
    bool m_stale = true; ///< m_lines are of another pair, head or trace
};

} // namespace headlight
