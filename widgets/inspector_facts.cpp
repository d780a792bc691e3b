#include "widgets/inspector_facts.h"

#include "core/analysis/gold_alignment.h"
#include "widgets/derived.h"
#include "widgets/names.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace headlight {

namespace {

float meanEntropy(const Map& map) {
    double sum = 0;
    int rows = 0;
    for (int row = 0; row < map.rows; ++row) {
        const float entropy = entropyBits(map.row(row));
        if (std::isfinite(entropy)) {
            sum += static_cast<double>(entropy);
            ++rows;
        }
    }
    return rows > 0 ? static_cast<float>(sum / rows) : std::nanf("");
}

} // namespace

void InspectorFacts::setTrace(TracePointer trace, TracePointer other) {
    m_trace = std::move(trace);
    m_other = std::move(other);
    forget();
}

void InspectorFacts::setSelection(Selection* selection) {
    m_selection = selection;
    forget();
}

void InspectorFacts::forget() {
    m_kinds = {};
}

bool InspectorFacts::pending() const {
    return std::any_of(m_kinds.begin(), m_kinds.end(), [](const auto& kind) { return kind && kind->pending; });
}

bool InspectorFacts::againstFull() const {
    return m_other && isFullRun(*m_other, *m_trace);
}

const Trace& InspectorFacts::run(BlockKind kind) const {
    return !m_trace->block(kind) && m_other && m_other->block(kind) ? *m_other : *m_trace;
}

const InspectorFacts::OfKind& InspectorFacts::of(BlockKind kind) {
    auto& kept = m_kinds[static_cast<std::size_t>(kind)];
    if (kept)
        return *kept;
    kept.emplace(OfKind{});
    const auto& measured = run(kind);
    if (!hasHeads(measured, kind))
        return *kept;
    auto& derived = Derived::instance();
    const auto& pointer = &measured == m_trace.get() ? m_trace : m_other;
    const auto shown = derived.map(pointer, kind, m_selection->choice());
    kept->pending = !shown;
    if (!shown)
        return *kept;
    kept->shown = shown;
    const auto detail = m_selection->detail();
    kept->drawn = reduced(measured, kind, kept->shown->rows, kept->shown->map, detail);
    kept->rows = shownTexts(kept->drawn.rows);
    kept->columns = shownTexts(kept->drawn.columns);
    kept->queryRows = placesOf(kept->drawn.rows, kept->shown->map.rows);
    kept->keyColumns = placesOf(kept->drawn.columns, kept->shown->map.columns);
    kept->entropy = meanEntropy(kept->drawn.map);
    if (m_other && pointer == m_trace && hasHeads(*m_other, kind)) {
        auto choice = m_selection->choice();
        if (m_other->model == m_trace->model) // a row is to be the same step on both sides
            choice.reading = shown->rows == RowTokens::Emitted ? Reading::Emitted : Reading::TakenIn;
        if (const auto second = derived.map(m_other, kind, choice))
            kept->comparison = derived.comparison({m_trace, shown}, {m_other, second}, kind, detail);
        kept->pending = !kept->comparison;
    }
    kept->head = mapName(*shown);
    if (!shown->place)
        return *kept;
    kept->metrics =
        headMetrics(*measured.block(kind), shown->place->layer, shown->place->head, measured.keyTokens(kind));
    if (kind != BlockKind::Cross)
        return *kept;
    kept->aligns = alignmentScore(shown->map, measured.source);
    if (const auto gold = m_selection->gold() ? placedGold(*m_selection->gold(), measured) : std::nullopt)
        kept->errorRate = errorRate(*gold, measured, shown->map, shown->rows);
    return *kept;
}

const std::vector<Token>& InspectorFacts::rowTokens(BlockKind kind) {
    const auto& shown = of(kind).shown;
    const bool given = shown ? shown->rows == RowTokens::Emitted : !m_trace->emitted.empty();
    return headlight::rowTokens(run(kind), kind, given ? RowTokens::Emitted : RowTokens::TakenIn);
}

BlockKind InspectorFacts::kindOnShow() const {
    const auto preferred = m_crossPreferred && m_trace->cross ? BlockKind::Cross : m_selection->kind();
    for (const auto kind : {preferred, BlockKind::Cross, BlockKind::Encoder, BlockKind::Decoder})
        if (run(kind).block(kind))
            return kind;
    return m_selection->kind();
}

InspectorFacts::Pointed InspectorFacts::pointed() {
    const auto& pair = m_selection->pair();
    if (!pair.query && !pair.key)
        return {pair.kind, -1, -1}; // so that nothing is computed of a kind that nobody looks at
    // A pair may outlive the text that it was chosen in.
    const auto within = [](const auto& index, const std::vector<Token>& tokens) {
        return index && index->value >= 0 && static_cast<std::size_t>(index->value) < tokens.size() ? index->value : -1;
    };
    return {pair.kind, within(pair.query, rowTokens(pair.kind)), within(pair.key, run(pair.kind).keyTokens(pair.kind))};
}

} // namespace headlight
