#include "widgets/inspector_facts.h"

#include "core/analysis/gold_alignment.h"
#include "widgets/names.h"

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
    kept.emplace();
    const auto& measured = run(kind);
    kept->shown = m_selection->shown(measured, kind);
    if (!kept->shown)
        return *kept;
    const auto detail = m_selection->detail();
    kept->drawn = reduced(measured, kind, kept->shown->rows, kept->shown->map, detail);
    kept->rows = shownTexts(kept->drawn.rows);
    kept->columns = shownTexts(kept->drawn.columns);
    kept->queryRows = placesOf(kept->drawn.rows, kept->shown->map.rows);
    kept->keyColumns = placesOf(kept->drawn.columns, kept->shown->map.columns);
    kept->entropy = meanEntropy(kept->drawn.map);
    if (const auto second = m_other && &measured == m_trace.get() ? m_selection->shown(*m_other, kind) : std::nullopt)
        kept->comparison = compare({*m_trace, kept->shown->map, kept->shown->rows},
                                   {*m_other, second->map, second->rows}, kind, detail);

    const auto& heads = *runWithHeads(m_trace.get(), m_other.get(), kind);
    const auto ofHeads = m_selection->shown(heads, kind);
    kept->head = ofHeads->name;
    if (!ofHeads->place)
        return *kept;
    kept->metrics = headMetrics(*heads.block(kind), ofHeads->place->layer, ofHeads->place->head, heads.keyTokens(kind));
    if (kind != BlockKind::Cross)
        return *kept;
    kept->aligns = alignmentScore(ofHeads->map, heads.source);
    if (const auto gold = m_selection->gold() ? placedGold(*m_selection->gold(), heads) : std::nullopt)
        kept->errorRate = errorRate(*gold, heads, ofHeads->map, ofHeads->rows);
    return *kept;
}

const std::vector<Token>& InspectorFacts::rowTokens(BlockKind kind) {
    const auto& shown = of(kind).shown;
    const bool given = shown ? shown->rows == RowTokens::Emitted : !m_trace->emitted.empty();
    return headlight::rowTokens(run(kind), kind, given ? RowTokens::Emitted : RowTokens::TakenIn);
}

BlockKind InspectorFacts::kindOnShow() const {
    for (const auto kind : {m_selection->kind(), BlockKind::Cross, BlockKind::Encoder, BlockKind::Decoder})
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
