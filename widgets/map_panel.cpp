#include "widgets/map_panel.h"

#include "core/analysis/comparison.h"
#include "core/analysis/head_metrics.h"
#include "core/analysis/thinning.h"
#include "core/analysis/words.h"
#include "widgets/derived.h"
#include "widgets/names.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace headlight {

namespace {

struct MapPanelTexts {
    Q_DECLARE_TR_FUNCTIONS(headlight::MapPanel)
};

/// What rows sum to where that is not 1, as in block-sparse attention.
QString sumsText(const Map& map) {
    double least = 1, most = 1;
    for (int row = 0; row < map.rows; ++row) {
        const auto weights = map.row(row);
        const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
        least = std::isfinite(sum) ? std::min(least, sum) : least;
        most = std::isfinite(sum) ? std::max(most, sum) : most;
    }
    if (least > 0.99 && most < 1.01)
        return {};
    return MapPanelTexts::tr("rows sum to %1 to %2; entropies are of their shares")
        .arg(least, 0, 'f', 2)
        .arg(most, 0, 'f', 2);
}

} // namespace

QString rowAxisOf(BlockKind kind, RowTokens rows) {
    if (kind == BlockKind::Encoder)
        return MapPanelTexts::tr("query (looks)");
    if (kind == BlockKind::Decoder)
        return rows == RowTokens::Emitted ? MapPanelTexts::tr("query, word given out (looks)")
                                          : MapPanelTexts::tr("query, word taken in (looks)");
    return rows == RowTokens::Emitted ? MapPanelTexts::tr("target, word given out (looks)")
                                      : MapPanelTexts::tr("target, word taken in (looks)");
}

QString columnAxisOf(BlockKind kind) {
    return kind == BlockKind::Cross ? MapPanelTexts::tr("source (is looked at)")
                                    : MapPanelTexts::tr("key (is looked at)");
}

MapPanel mapPanelOf(const Trace& run, const ShownMap& shown, const Selection& selection, BlockKind kind) {
    const auto& keys = run.keyTokens(kind);
    auto made = reduced(run, kind, shown.rows, shown.map, selection.detail());
    QStringList said{mapName(shown)};
    const bool ofHeads =
        shown.mode != HeadMode::Rollout && shown.mode != HeadMode::Alti && shown.mode != HeadMode::AltiRollout;
    if (selection.cells() == Cells::Norms && shown.cells != Cells::Norms && ofHeads)
        said << MapPanelTexts::tr("weights, for there are no norms of this run");
    if (selection.byWords())
        said << MapPanelTexts::tr("by words");
    if (std::any_of(keys.begin(), keys.end(), [](const Token& key) { return key.special; }) && !selection.specials())
        said << MapPanelTexts::tr("without special tokens, rows rescaled");
    else if (const auto sums = sumsText(made.map); !sums.isEmpty())
        said << sums;

    MapPanel panel;
    panel.kind = kind;
    panel.title = shownModel(run);
    panel.subtitle = said.join(QStringLiteral(" · "));
    panel.rowAxis = rowAxisOf(kind, shown.rows);
    panel.columnAxis = columnAxisOf(kind);
    panel.rows = shownTexts(made.rows);
    panel.columns = shownTexts(made.columns);
    panel.queryRows = placesOf(made.rows, shown.map.rows);
    panel.keyColumns = placesOf(made.columns, shown.map.columns);
    panel.map = std::move(made.map);
    panel.high = highOf(panel.map, selection);
    return panel;
}

std::shared_ptr<const ShownMap> shownInFull(const TracePointer& full, const ShownMap& shown, const Selection& selection,
                                            BlockKind kind) {
    auto choice = selection.choice();
    if (shown.place) // where the best one is asked for, it may be another in full
        choice = {HeadMode::One, *shown.place, choice.reading, choice.cells};
    const auto found = Derived::instance().map(full, kind, choice);
    if (!found || found->rows == shown.rows)
        return found;
    auto same = *found;
    same.rows = shown.rows;
    return std::make_shared<const ShownMap>(std::move(same));
}

std::optional<FullMap> fullMapOf(const TracePointer& full, const Trace& changed, const ShownMap& shown,
                                 const MapPanel& panel, const Selection& selection, BlockKind kind) {
    if (!readTheSame(*full, changed, kind))
        return FullMap{{}, MapPanelTexts::tr("the full run read other tokens, so no change can be drawn")};
    const auto same = shownInFull(full, shown, selection, kind);
    if (!same)
        return std::nullopt;
    auto map = mapPanelOf(*full, *same, selection, kind).map;
    if (map.rows != panel.map.rows || map.columns != panel.map.columns)
        return FullMap{{},
                       MapPanelTexts::tr("the full run has other words or special tokens, so no change can be drawn")};
    return FullMap{std::move(map), {}};
}

void showChange(MapPanel& panel, const Map& full) {
    panel.map = differenceOf(panel.map, full);
    panel.differs = true;
    panel.high = largestOf(panel.map.values, leastChange);
    panel.subtitle = MapPanelTexts::tr("%1 · %2").arg(panel.subtitle, changeText(largestOf(panel.map.values)));
}

QString changeText(float largest) {
    return largest < leastChange ? MapPanelTexts::tr("this run minus the full one: no weight changed by %1")
                                       .arg(static_cast<double>(leastChange))
                                 : MapPanelTexts::tr("this run minus the full one");
}

float highOf(const Map& map, const Selection& selection) {
    return selection.ownRange() ? rangeOf(map) : 1;
}

} // namespace headlight
