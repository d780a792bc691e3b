#include "widgets/map_panel.h"

#include "core/analysis/comparison.h"
#include "core/analysis/head_metrics.h"
#include "core/analysis/thinning.h"
#include "core/analysis/words.h"
#include "widgets/names.h"

#include <QCoreApplication>

#include <algorithm>

namespace headlight {

namespace {

struct MapPanelTexts {
    Q_DECLARE_TR_FUNCTIONS(headlight::MapPanel)
};

QString rowAxisOf(BlockKind kind, RowTokens rows) {
    if (kind == BlockKind::Encoder)
        return MapPanelTexts::tr("query (looks)");
    if (kind == BlockKind::Decoder)
        return rows == RowTokens::Emitted ? MapPanelTexts::tr("query, word given out (looks)")
                                          : MapPanelTexts::tr("query, word taken in (looks)");
    return rows == RowTokens::Emitted ? MapPanelTexts::tr("target, word given out (looks)")
                                      : MapPanelTexts::tr("target, word taken in (looks)");
}

} // namespace

MapPanel mapPanelOf(const Trace& run, const ShownMap& shown, const Selection& selection, BlockKind kind) {
    const auto& keys = run.keyTokens(kind);
    auto made = reduced(run, kind, shown.rows, shown.map, selection.detail());
    QStringList said{shown.name};
    if (selection.byWords())
        said << MapPanelTexts::tr("by words");
    if (std::any_of(keys.begin(), keys.end(), [](const Token& key) { return key.special; }) && !selection.specials())
        said << MapPanelTexts::tr("without special tokens, rows rescaled");

    MapPanel panel;
    panel.kind = kind;
    panel.title = shownModel(run);
    panel.subtitle = said.join(QStringLiteral(" · "));
    panel.rowAxis = rowAxisOf(kind, shown.rows);
    panel.columnAxis =
        kind == BlockKind::Cross ? MapPanelTexts::tr("source (is looked at)") : MapPanelTexts::tr("key (is looked at)");
    panel.rows = shownTexts(made.rows);
    panel.columns = shownTexts(made.columns);
    panel.queryRows = placesOf(made.rows, shown.map.rows);
    panel.keyColumns = placesOf(made.columns, shown.map.columns);
    panel.map = std::move(made.map);
    panel.high = highOf(panel.map, selection);
    return panel;
}

std::optional<ShownMap> shownInFull(const Trace& full, const Trace& changed, const ShownMap& shown,
                                    const Selection& selection, BlockKind kind) {
    if (!readTheSame(full, changed, kind))
        return std::nullopt;
    if (!shown.place) {
        auto same = selection.shown(full, kind);
        if (same)
            same->rows = shown.rows;
        return same;
    }
    auto same = shown; // where the best one is asked for, it may be another in full
    same.map = headMap(*full.block(kind), shown.place->layer, shown.place->head);
    return same;
}

FullMap fullMapOf(const Trace& full, const Trace& changed, const ShownMap& shown, const MapPanel& panel,
                  const Selection& selection, BlockKind kind) {
    const auto same = shownInFull(full, changed, shown, selection, kind);
    if (!same)
        return {{}, MapPanelTexts::tr("the full run read other tokens, so no change can be drawn")};
    auto map = mapPanelOf(full, *same, selection, kind).map;
    if (map.rows != panel.map.rows || map.columns != panel.map.columns)
        return {{}, MapPanelTexts::tr("the full run has other words or special tokens, so no change can be drawn")};
    return {std::move(map), {}};
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
    return selection.ownRange() ? rangeOf(map.values) : 1;
}

} // namespace headlight
