#include "widgets/heads_view.h"

#include "core/analysis/head_metrics.h"

namespace headlight {

std::vector<Panel> HeadsView::build() {
    const auto kind = selection()->kind();
    const auto* run = runWithHeads(trace(), other(), kind);
    if (!run)
        return {};
    const auto* block = run->block(kind);
    const auto metrics = blockMetrics(*block, run->keyTokens(kind));
    const auto chosen = selection()->shown(*run, kind)->place;

    TilePanel panel;
    panel.kind = kind;
    panel.title = QString::fromStdString(run->model);
    panel.subtitle =
        tr("%1 attention, %2 × %3 heads; colours from 0 to 1").arg(kindName(kind)).arg(block->layers).arg(block->heads);
    panel.columns = block->heads;
    for (int head = 0; head < block->heads; ++head)
        panel.columnNames << tr("head %1").arg(head);
    for (int layer = 0; layer < block->layers; ++layer) {
        panel.rowNames << tr("layer %1").arg(layer);
        for (int head = 0; head < block->heads; ++head) {
            const auto& metric = metrics[static_cast<std::size_t>(layer)][static_cast<std::size_t>(head)];
            const HeadPlace place{Layer(layer), Head(head)};
            auto map = headMap(*block, place.layer, place.head);
            const auto word = headKindName(metric.kind);
            // What there is to know of a cross head is how well it aligns; its kinds are those of self-attention.
            const auto known =
                kind == BlockKind::Cross
                    ? tr("aligns %1").arg(static_cast<double>(alignmentScore(map, run->source)), 0, 'f', 2)
                    : QString::fromUtf8(word.data(), static_cast<qsizetype>(word.size()));
            panel.tiles.push_back(
                {.map = std::move(map),
                 .layer = place.layer,
                 .head = place.head,
                 .name = QStringLiteral("L%1 H%2").arg(layer).arg(head),
                 .caption = tr("%1, %2 bit").arg(known).arg(static_cast<double>(metric.entropy), 0, 'f', 1),
                 .chosen = chosen == place});
        }
    }
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

bool HeadsView::clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers) {
    const auto& tiles = std::get<TilePanel>(panel.content);
    const auto& tile = tiles.tiles[static_cast<std::size_t>(place.row)];
    const HeadPlace head{tile.layer, tile.head}; // the tile itself goes when the selection changes
    selection()->setHead(tiles.kind, head.layer, head.head);
    Q_EMIT headOpened();
    return true;
}

QString HeadsView::emptyText() const {
    return trace() ? tr("%1 has no heads of this kind (%2).")
                         .arg(QString::fromStdString(trace()->model),
                              selection() ? kindName(selection()->kind()) : QString())
                   : tr("Type a sentence to see what attends to what.");
}

} // namespace headlight
