#include "widgets/positions_view.h"

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

/// Six dimensions from the fastest wave to the slowest: in a sinusoidal table they differ most there.
std::vector<int> shownDimensions(int dimensions) {
    std::vector<int> shown;
    for (int i = 0; i < 6; ++i) {
        const int dimension = (dimensions - 1) * i / 5;
        if (shown.empty() || shown.back() != dimension)
            shown.push_back(dimension);
    }
    return shown;
}

QString kindText(PositionTable::Kind kind) {
    switch (kind) {
    case PositionTable::Kind::Sinusoidal:
        return PositionsView::tr("sinusoidal, Vaswani et al. 2017, 3.5");
    case PositionTable::Kind::Learned:
        return PositionsView::tr("learned");
    case PositionTable::Kind::Rotary:
        return PositionsView::tr("rotary, cosine and sine of each pair's angle, Su et al. 2021");
    case PositionTable::Kind::Relative:
        return PositionsView::tr("relative, what each head adds to a score, Raffel et al. 2020");
    }
    return {};
}

} // namespace

std::vector<Panel> PositionsView::build() {
    const auto* run = trace()->positions || !other() ? trace() : other();
    const auto& table = run->positions;
    if (!table || table->positions < 1 || table->dimensions < 1)
        return {};
    MapPanel matrix;
    matrix.title = tr("Position × dimension");
    matrix.subtitle = QStringLiteral("%1: %2").arg(QString::fromStdString(run->model), kindText(table->kind));
    matrix.rowAxis = tr("position");
    matrix.columnAxis = tr("dimension");
    int firstRow = 0;
    if (table->kind == PositionTable::Kind::Relative) {
        matrix.title = tr("Distance × head");
        matrix.rowAxis = tr("distance of the key from its query");
        matrix.columnAxis = tr("head");
        firstRow = -(table->positions - 1) / 2;
    }
    matrix.map = {table->positions, table->dimensions, table->values};
    for (int position = 0; position < table->positions; ++position)
        matrix.rows << QString::number(firstRow + position);
    for (int dimension = 0; dimension < table->dimensions; ++dimension)
        matrix.columns << QString::number(dimension);
    float largest = 1e-6f;
    for (const float value : table->values)
        if (std::isfinite(value))
            largest = std::max(largest, std::abs(value));
    matrix.high = largest;
    matrix.differs = true;
    matrix.legend = true;
    matrix.pointsAtTokens = false;
    matrix.square = false;

    CurvePanel curves;
    const bool relative = table->kind == PositionTable::Kind::Relative;
    curves.title = relative ? tr("Single heads") : tr("Single dimensions");
    curves.xAxis = matrix.rowAxis;
    curves.first = firstRow;
    for (const int dimension : shownDimensions(table->dimensions)) {
        CurvePanel::Curve curve{relative ? tr("head %1").arg(dimension) : tr("dimension %1").arg(dimension), {}};
        for (int position = 0; position < table->positions; ++position)
            curve.values.push_back(table->at(position, dimension));
        curves.curves.push_back(std::move(curve));
    }
    return {{QRectF(0, 0, 1, 0.6), std::move(matrix)}, {QRectF(0, 0.63, 1, 0.37), std::move(curves)}};
}

QString PositionsView::emptyText() const {
    return trace() ? tr("%1 has no positions to show: it reads its text word by word, in order.")
                         .arg(QString::fromStdString(trace()->model))
                   : tr("Type a sentence to see what attends to what.");
}

} // namespace headlight
