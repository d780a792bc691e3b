#include "widgets/positions_input.h"

#include "core/analysis/positions.h"
#include "widgets/names.h"
#include "widgets/positions_view.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace headlight {

namespace {

std::size_t asSize(int number) {
    return static_cast<std::size_t>(number);
}

std::vector<float> rowOf(const std::vector<float>& values, int row, int size) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(row) * size;
    return {first, first + size};
}

float lengthOf(const std::vector<float>& vector) {
    double sum = 0;
    for (const float value : vector)
        sum += static_cast<double>(value) * static_cast<double>(value);
    return static_cast<float>(std::sqrt(sum));
}

StripPanel::Column stripsOf(const QString& name, std::vector<std::vector<float>> rows, int size) {
    StripPanel::Column column;
    column.name = name;
    column.size = size;
    column.high = 0;
    for (const auto& row : rows)
        column.high = largestOf(row, column.high);
    column.meaning = QStringLiteral("±%1").arg(QString::number(static_cast<double>(column.high), 'g', 3));
    column.rows = std::move(rows);
    return column;
}

} // namespace

StripPanel inputOfToken(const Trace& run, const ShownInput& shown) {
    const auto& input = *shown.input;
    const int size = input.dimensions;
    const bool added = !input.positions.empty();
    const int row = shown.row.value;
    const auto name = shown.tokens.value(row);
    const auto other = otherInput(input, row);

    StripPanel one;
    one.title = shownModel(run);
    one.subtitle =
        PositionsView::tr("input of the %1 · token %2 “%3”")
            .arg(shown.kind == BlockKind::Encoder ? PositionsView::tr("encoder") : PositionsView::tr("decoder"))
            .arg(row)
            .arg(name);
    one.formula =
        added ? PositionsView::tr("token's vector + position's vector = input      Vaswani et al. 2017, 3.4 and 3.5")
              : PositionsView::tr("token's vector = input: positions are not added here, but count in the scores");
    std::vector<std::vector<float>> parts{rowOf(input.tokens, row, size)};
    one.rows << PositionsView::tr("token “%1”").arg(name);
    if (added) {
        one.rows << PositionsView::tr("+ position %1").arg(row);
        parts.push_back(rowOf(input.positions, row, size));
    }
    if (!other.empty()) {
        one.rows << PositionsView::tr("+ other");
        one.note = PositionsView::tr("other: what else is added there, such as the vector of the text's segment");
        parts.push_back(other);
    }
    one.rows << PositionsView::tr("= input");
    one.below = 1;
    parts.push_back(rowOf(input.sums, row, size));
    StripPanel::Column lengths;
    lengths.name = PositionsView::tr("length");
    lengths.meaning = PositionsView::tr("√ Σ x²");
    lengths.differs = false;
    for (const auto& part : parts)
        lengths.rows.push_back({lengthOf(part)});
    for (const auto& length : lengths.rows)
        lengths.high = std::max(lengths.high, length.front());
    one.columns = {stripsOf(PositionsView::tr("dimensions 0 to %1").arg(size - 1), parts, size), lengths};
    const auto names = one.rows;
    one.words = [parts, names](int part, int column, int place) -> QStringList {
        if (column != 0)
            return {PositionsView::tr("%1: length %2")
                        .arg(names.value(part), numberText(lengthOf(parts[asSize(part)]), 4))};
        QStringList terms;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i)
            terms << numberText(parts[i][asSize(place)], 4);
        return {PositionsView::tr("dimension %1").arg(place),
                PositionsView::tr("%1 = %2").arg(terms.join(QStringLiteral(" + ")),
                                                 numberText(parts.back()[asSize(place)], 4))};
    };
    return one;
}

StripPanel inputOfAllTokens(const ShownInput& shown) {
    const auto& input = *shown.input;
    const int size = input.dimensions;
    const bool added = !input.positions.empty();
    StripPanel all;
    all.title = PositionsView::tr("All tokens");
    all.kind = shown.kind;
    all.rowsLook = true;
    all.linked = shown.linked;
    all.rows = shown.tokens.mid(0, input.rows);
    std::vector<std::vector<float>> tokens, positions, others, sums;
    bool hasOthers = false;
    for (int i = 0; i < input.rows; ++i) {
        tokens.push_back(rowOf(input.tokens, i, size));
        sums.push_back(rowOf(input.sums, i, size));
        if (added)
            positions.push_back(rowOf(input.positions, i, size));
        others.push_back(otherInput(input, i));
        hasOthers = hasOthers || !others.back().empty();
    }
    all.columns.push_back(stripsOf(PositionsView::tr("token"), std::move(tokens), size));
    if (added)
        all.columns.push_back(stripsOf(PositionsView::tr("+ position"), std::move(positions), size));
    if (hasOthers)
        all.columns.push_back(stripsOf(PositionsView::tr("+ other"), std::move(others), size));
    all.columns.push_back(stripsOf(PositionsView::tr("= input"), std::move(sums), size));
    std::vector<std::vector<std::vector<float>>> kept;
    QStringList columnNames;
    for (const auto& column : all.columns) {
        kept.push_back(column.rows);
        columnNames << column.name;
    }
    all.words = [kept, columnNames, rowNames = all.rows](int token, int column, int place) -> QStringList {
        QStringList words{PositionsView::tr("token %1 “%2”").arg(token).arg(rowNames.value(token))};
        if (column >= 0 && !kept[asSize(column)][asSize(token)].empty())
            words << PositionsView::tr("%1[%2] = %3")
                         .arg(columnNames.value(column))
                         .arg(place)
                         .arg(numberText(kept[asSize(column)][asSize(token)][asSize(place)], 4));
        return words;
    };
    return all;
}

} // namespace headlight
