// One question for each thing that is derived, and one way to keep and to wait for their answers.
#include "widgets/derived.h"

#include "core/analysis/gold_alignment.h"
#include "core/analysis/thinning.h"

#include <QCoreApplication>
#include <QPointer>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <stop_token>
#include <utility>

namespace headlight {

namespace {

/// What is expected to take longer is worked out by the other thread.
constexpr double mostNanoseconds = 5e6;
/// Of large runs a map is a few megabytes.
constexpr std::size_t mostKept = 24;
/// Cells that all small maps together may have: more than screens have pixels.
constexpr double mostCells = 6e6;

double cellsOf(const AttentionBlock* block) {
    return block ? static_cast<double>(block->layers) * block->heads * block->queries * block->keys : 0;
}

/// The heads of a block in order, until it is asked to stop.
template <class Each>
void forHeads(const AttentionBlock& block, const std::stop_token& stop, Each each) {
    for (int layer = 0; layer < block.layers; ++layer)
        for (int head = 0; head < block.heads && !stop.stop_requested(); ++head)
            each(Layer(layer), Head(head));
}

struct MapQuestion {
    using Answer = ShownMap;
    BlockKind kind;
    MapChoice choice;

    double nanoseconds(const Trace& run) const {
        if (choice.mode == HeadMode::Rollout || choice.mode == HeadMode::AltiRollout) {
            double all = 0;
            for (const auto stack : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross})
                if (const auto* block = stack == kind || kind == BlockKind::Cross ? run.block(stack) : nullptr)
                    all += 2 * cellsOf(block) + 0.3 * block->layers * std::pow(block->keys, 2) * block->queries;
            return all;
        }
        const bool all = choice.mode == HeadMode::MeanOfAll || choice.mode == HeadMode::BestAligning;
        return (all ? 2 : 0.1) * cellsOf(run.block(kind));
    }
    Answer answer(const Trace& run, const Trace*, const std::stop_token& stop) const {
        return *shownMap(run, kind, choice, stop);
    }
    bool operator==(const MapQuestion&) const = default;
};

struct MeasuresQuestion {
    using Answer = Derived::Measures;
    BlockKind kind;

    double nanoseconds(const Trace& run) const { return 12 * cellsOf(run.block(kind)); }
    Answer answer(const Trace& run, const Trace*, const std::stop_token& stop) const {
        Answer made;
        const auto& block = *run.block(kind);
        forHeads(block, stop, [&](Layer layer, Head head) {
            made.metrics.push_back(headMetrics(block, layer, head, run.keyTokens(kind)));
            if (kind == BlockKind::Cross)
                made.alignments.push_back(
                    static_cast<float>(alignmentScore(headMap(block, layer, head), run.keyTokens(kind))));
        });
        return made;
    }
    bool operator==(const MeasuresQuestion&) const = default;
};

struct TilesQuestion {
    using Answer = Derived::Tiles;
    BlockKind kind;
    Cells cells;
    bool changes;

    double nanoseconds(const Trace& run) const { return (changes ? 15 : 1.5) * cellsOf(run.block(kind)); }
    Answer answer(const Trace& run, const Trace* full, const std::stop_token& stop) const {
        Answer made;
        const auto& block = shownBlock(run, kind, cells);
        const int side = std::max(24, static_cast<int>(std::sqrt(mostCells / (block.layers * block.heads))));
        const auto pooled = [&](std::span<const float> values) {
            return std::make_shared<const Map>(pooledMap(values, block.queries, block.keys, side, side));
        };
        forHeads(block, stop, [&](Layer layer, Head head) {
            if (!full)
                return made.maps.push_back(pooled(block.map(layer, head)));
            const auto& before = shownBlock(*full, kind, cells);
            made.maps.push_back(pooled(differenceOf(headMap(block, layer, head), headMap(before, layer, head)).values));
            made.changes.push_back(headChange(block, before, layer, head));
        });
        return made;
    }
    bool operator==(const TilesQuestion&) const = default;
};

struct RankingQuestion {
    using Answer = std::vector<RankedHead>;
    Reading reading;
    std::shared_ptr<const GoldAlignment> gold;

    double nanoseconds(const Trace& run) const { return 10 * cellsOf(run.block(BlockKind::Cross)); }
    Answer answer(const Trace& run, const Trace*, const std::stop_token&) const {
        const auto placed = gold ? placedGold(*gold, run) : std::nullopt;
        return rankedHeads(run, rowsOf(reading), placed ? &*placed : nullptr);
    }
    bool operator==(const RankingQuestion&) const = default;
};

struct ComparisonQuestion {
    using Answer = Comparison;
    BlockKind kind;
    std::shared_ptr<const ShownMap> first;
    std::shared_ptr<const ShownMap> second;
    bool byWords;
    bool specials;

    double nanoseconds(const Trace&) const { return 60 * static_cast<double>(first->map.values.size()); }
    Answer answer(const Trace& run, const Trace* other, const std::stop_token&) const {
        return compare({run, first->map, first->rows}, {other ? *other : run, second->map, second->rows}, kind,
                       {.byWords = byWords, .specials = specials});
    }
    bool operator==(const ComparisonQuestion&) const = default;
};

struct ChangeQuestion {
    using Answer = std::optional<ChangedHead>;

    double nanoseconds(const Trace& run) const {
        return 15
               * (cellsOf(run.block(BlockKind::Encoder)) + cellsOf(run.block(BlockKind::Decoder))
                  + cellsOf(run.block(BlockKind::Cross)));
    }
    Answer answer(const Trace& run, const Trace* full, const std::stop_token&) const {
        return mostChangedHead(run, *full);
    }
    bool operator==(const ChangeQuestion&) const = default;
};

/// The same run, or both none: an address may be that of another by now.
bool sameRun(const std::weak_ptr<const Trace>& kept, const TracePointer& run) {
    return !kept.owner_before(run) && !run.owner_before(kept);
}

} // namespace

/// An answer, or the work that it will come from.
struct Derived::Kept {
    std::weak_ptr<const Trace> run;
    std::weak_ptr<const Trace> other; ///< empty: none
    bool ofTwo = false;
    std::stop_source stop;

    virtual ~Kept() = default;
    virtual bool done() const = 0;
    bool isOf(const TracePointer& one, const TracePointer& two) const {
        return sameRun(run, one) && sameRun(other, two);
    }
    /// @param holders of a run that is still of use, at least
    bool isUnwanted(long holders) const { return run.use_count() < holders || (ofTwo && other.use_count() < holders); }
};

template <class Question>
struct Derived::KeptAnswer final : Kept {
    using Pointer = std::shared_ptr<const typename Question::Answer>;
    explicit KeptAnswer(Question asked) : question(std::move(asked)) {}

    bool done() const override { return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

    Question question;
    std::shared_future<Pointer> answer;
};

Derived& Derived::instance() {
    static QPointer<Derived> one;
    if (!one)
        one = new Derived(QCoreApplication::instance());
    return *one;
}

Derived::Derived(QObject* parent) : QObject(parent) {
    m_worker.setMaxThreadCount(1);
}

Derived::~Derived() {
    for (const auto& kept : m_kept)
        kept->stop.request_stop();
    m_worker.waitForDone();
}

Derived::Patience::Patience() {
    ++instance().m_patient;
}

Derived::Patience::~Patience() {
    --instance().m_patient;
}

template <class Question>
std::shared_ptr<const typename Question::Answer> Derived::ask(const TracePointer& run, const TracePointer& other,
                                                              Question question) {
    using Answer = typename Question::Answer;
    for (auto at = m_kept.begin(); at != m_kept.end(); ++at) {
        const auto* found = dynamic_cast<const KeptAnswer<Question>*>(at->get());
        if (!found || !found->isOf(run, other) || found->question != question)
            continue;
        m_kept.splice(m_kept.end(), m_kept, at);
        return patient() || found->done() ? found->answer.get() : nullptr;
    }
    stopUnwanted();

    auto made = std::make_unique<KeptAnswer<Question>>(question);
    made->run = run;
    made->other = other;
    made->ofTwo = other != nullptr;
    const bool now = patient() || question.nanoseconds(*run) < mostNanoseconds;
    // No packaged_task, whose future would hold the runs.
    const auto promise = std::make_shared<std::promise<std::shared_ptr<const Answer>>>();
    const auto answer = made->answer = promise->get_future().share();
    auto work = [run, other, promise, question = std::move(question), stop = made->stop.get_token()] {
        try {
            promise->set_value(std::make_shared<const Answer>(question.answer(*run, other.get(), stop)));
        } catch (...) { // such as no memory: for whoever asks
            promise->set_exception(std::current_exception());
        }
    };
    m_kept.push_back(std::move(made));
    if (now) {
        work();
        return answer.get();
    }
    m_worker.start([this, work = std::move(work)] {
        work();
        QMetaObject::invokeMethod(this, &Derived::ready, Qt::QueuedConnection);
    });
    // Once every view has the run that this is of, work on the one before is of no use.
    QMetaObject::invokeMethod(this, &Derived::stopUnwanted, Qt::QueuedConnection);
    return nullptr;
}

void Derived::stopUnwanted() {
    m_kept.remove_if([](const auto& kept) {
        const bool unwanted = kept->isUnwanted(kept->done() ? 1 : 2); // its work holds the runs
        if (unwanted)
            kept->stop.request_stop();
        return unwanted;
    });
    while (m_kept.size() >= mostKept && m_kept.front()->done())
        m_kept.pop_front();
}

std::shared_ptr<const ShownMap> Derived::map(const TracePointer& run, BlockKind kind, const MapChoice& choice) {
    return ask(run, nullptr, MapQuestion{kind, choice});
}

std::shared_ptr<const Derived::Measures> Derived::measures(const TracePointer& run, BlockKind kind) {
    return ask(run, nullptr, MeasuresQuestion{kind});
}

std::shared_ptr<const Derived::Tiles> Derived::tiles(const TracePointer& run, BlockKind kind, Cells cells,
                                                     const TracePointer& full) {
    return ask(run, full, TilesQuestion{kind, cells, full != nullptr});
}

std::shared_ptr<const std::vector<RankedHead>> Derived::ranking(const TracePointer& run, Reading reading,
                                                                std::shared_ptr<const GoldAlignment> gold) {
    return ask(run, nullptr, RankingQuestion{reading, std::move(gold)});
}

std::shared_ptr<const Comparison> Derived::comparison(const Side& first, const Side& second, BlockKind kind,
                                                      const Detail& detail) {
    return ask(first.run, second.run == first.run ? nullptr : second.run,
               ComparisonQuestion{kind, first.shown, second.shown, detail.byWords, detail.specials});
}

std::shared_ptr<const std::optional<ChangedHead>> Derived::mostChanged(const TracePointer& run,
                                                                       const TracePointer& full) {
    return ask(run, full, ChangeQuestion{});
}

} // namespace headlight
