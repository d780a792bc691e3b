// What is worked out of runs: kept while they live, so that every view shares it, and what takes long on a thread of
// its own.
#pragma once

#include "core/analysis/comparison.h"
#include "core/analysis/head_metrics.h"
#include "core/analysis/head_ranking.h"
#include "core/analysis/shown_map.h"
#include "core/trace/trace.h"

#include <QObject>
#include <QThreadPool>

#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace headlight {

/// The one place where a view asks for what it does not read off a Trace. All functions are of the window's thread and
/// give null for what is still being worked out: ready() tells when to ask again. What nobody can ask for any more,
/// for its run is gone, is stopped and forgotten.
class Derived : public QObject {
    Q_OBJECT
public:
    /// The program's, which lives as long as the application.
    static Derived& instance();
    ~Derived() override;

    /// While one lives, everything is there at once: for pictures that leave the program, and words about them.
    class Patience {
    public:
        Patience();
        ~Patience();
        Patience(const Patience&) = delete;
        Patience& operator=(const Patience&) = delete;
    };
    bool patient() const { return m_patient > 0; }

    /// A run's heads of one kind, layer by layer.
    struct Measures {
        std::vector<HeadMetrics> metrics;
        std::vector<float> alignments; ///< alignmentScore; of cross heads
    };
    /// Their maps, small enough to be drawn all at once.
    struct Tiles {
        std::vector<std::shared_ptr<const Map>> maps;
        std::vector<float> changes; ///< where maps are differences: headChange, in bits
    };
    /// Two maps over the same source and target.
    struct Side {
        TracePointer run;
        std::shared_ptr<const ShownMap> shown;
    };

    /// The run must have heads of this kind, as everywhere below.
    std::shared_ptr<const ShownMap> map(const TracePointer& run, BlockKind kind, const MapChoice& choice);
    std::shared_ptr<const Measures> measures(const TracePointer& run, BlockKind kind);
    /// @param full unless null, the run that each map is a difference against; it must have read the same
    std::shared_ptr<const Tiles> tiles(const TracePointer& run, BlockKind kind, Cells cells = Cells::Weights,
                                       const TracePointer& full = nullptr);
    /// @param gold may be null
    std::shared_ptr<const std::vector<RankedHead>> ranking(const TracePointer& run, Reading reading,
                                                           std::shared_ptr<const GoldAlignment> gold);
    std::shared_ptr<const Comparison> comparison(const Side& first, const Side& second, BlockKind kind,
                                                 const Detail& detail);
    /// The head, of any kind, that attends most otherwise than in the full run; none where nothing changed.
    std::shared_ptr<const std::optional<ChangedHead>> mostChanged(const TracePointer& run, const TracePointer& full);

Q_SIGNALS:
    /// Something that was being worked out is there.
    void ready();

private:
    struct Kept;
    template <class Question>
    struct KeptAnswer;

    explicit Derived(QObject* parent);
    template <class Question>
    std::shared_ptr<const typename Question::Answer> ask(const TracePointer& run, const TracePointer& other,
                                                         Question question);
    void stopUnwanted();

    std::list<std::unique_ptr<Kept>> m_kept; ///< what was asked for last behind
    int m_patient = 0;
    QThreadPool m_worker; ///< of one thread
};

} // namespace headlight
