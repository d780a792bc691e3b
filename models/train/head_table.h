// What each head of a model attends to, over many texts.
#pragma once

#include "core/analysis/head_metrics.h"
#include "core/engine.h"

#include <vector>

namespace headlight {

struct HeadRow {
    BlockKind kind = BlockKind::Encoder;
    Layer layer;
    Head head;
    HeadMetrics metrics;
};

/// All heads in order: the encoder's, the decoder's, those between them. Empty of a model without attention.
std::vector<HeadRow> headTable(Engine& engine, const std::vector<Request>& requests);

} // namespace headlight
