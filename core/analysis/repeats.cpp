#include "core/analysis/repeats.h"

namespace headlight {

namespace {

struct Mean {
    double sum = 0;
    int count = 0;

    void add(float value) {
        sum += static_cast<double>(value);
        ++count;
    }
    float value() const { return count > 0 ? static_cast<float>(sum / count) : 0.0F; }
};

} // namespace

RepeatScores repeatScores(const AttentionBlock& block, Layer layer, Head head, const Repeats& text) {
    const auto weight = [&](int query, int key) { return block.at(layer, head, Query(query), Key(key)); };
    Mean induction, duplicate, mass, cell, diagonal;
    for (int query = text.start + text.length; query < text.start + text.times * text.length; ++query) {
        const int same = query - text.length;
        induction.add(weight(query, same + 1));
        duplicate.add(weight(query, same));
        float all = 0;
        for (int earlier = same; earlier >= text.start; earlier -= text.length) {
            all += weight(query, earlier + 1);
            cell.add(weight(query, earlier + 1));
        }
        mass.add(all);
    }
    for (int query = text.length - 1; query < block.queries; ++query)
        diagonal.add(weight(query, query - text.length + 1));
    return {induction.value(), duplicate.value(), mass.value(), cell.value(), diagonal.value()};
}

} // namespace headlight
