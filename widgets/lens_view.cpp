#include "widgets/lens_view.h"

#include "widgets/names.h"
#include "widgets/run_box.h"

#include <algorithm>
#include <cmath>

namespace headlight {

LensView::LensView(QWidget* parent) : FigureView(parent), m_run(new RunBox), m_ranks(new QCheckBox(tr("final word"))) {
    addControl(m_run);
    connect(m_run, &QComboBox::activated, this, &LensView::rebuild);
    m_ranks->setToolTip(tr("Colours tell how far down a layer has the word that is said in the end: strongest where it "
                           "is the first, half where nine are before it, and so on by tens. Otherwise they are the "
                           "probability of the word in the cell."));
    addControl(m_ranks);
    connect(m_ranks, &QCheckBox::toggled, this, &LensView::rebuild);
    keepChoice(QStringLiteral("run"), m_run);
    keepChoice(QStringLiteral("ranks"), m_ranks);
}

std::vector<Panel> LensView::build() {
    m_run->offer(trace(), other());
    const auto& run = m_run->chosen(trace(), other());
    if (!run->lens)
        return {};
    const auto& lens = *run->lens;
    const bool ranks = m_ranks->isChecked();
    MapPanel panel;
    panel.title = titleOf(*run);
    panel.subtitle = ranks ? tr("what each layer would say · colour: 1 / (1 + log10 of the final word’s place)")
                           : tr("what each layer would say · colour: its probability");
    panel.rowAxis = tr("layer");
    panel.columnAxis = run->target.empty() ? tr("token that is read") : tr("token that is taken in");
    panel.kind = run->target.empty() ? BlockKind::Encoder : BlockKind::Decoder;
    panel.columns = shownTexts(run->queryTokens(panel.kind));
    panel.map = {lens.layers, lens.rows, {}};
    const auto layerOf = [layers = lens.layers](int row) { return layers - 1 - row; }; // the last on top
    for (int row = 0; row < lens.layers; ++row) {
        const int layer = layerOf(row);
        panel.rows << (layer == lens.layers - 1 ? tr("output")
                       : layer == 0             ? tr("input")
                                                : tr("behind layer %1").arg(layer - 1));
        for (int token = 0; token < lens.rows; ++token) {
            const auto cell = lens.cell(layer, token);
            const auto place = static_cast<float>(lens.finalRanks[cell] + 1);
            const auto& candidates = lens.predictions[cell].candidates;
            panel.map.values.push_back(ranks                ? 1 / (1 + std::log10(place))
                                       : candidates.empty() ? 0
                                                            : candidates.front().probability);
        }
    }
    panel.texts = [run, layerOf](int row, int token) {
        const auto& candidates = run->lens->predictions[run->lens->cell(layerOf(row), token)].candidates;
        return candidates.empty() ? QString() : shownText(candidates.front().letters);
    };
    panel.words = [run, layerOf, rows = panel.rows, columns = panel.columns](int row, int token) {
        const auto cell = run->lens->cell(layerOf(row), token);
        QStringList lines{tr("%1, at %2").arg(rows[row], columns.value(token))};
        for (const auto& candidate : run->lens->predictions[cell].candidates)
            lines << tr("%1: %2").arg(shownText(candidate.letters), numberText(candidate.probability, 3));
        const auto& last = run->lens->predictions[run->lens->cell(run->lens->layers - 1, token)].candidates;
        if (const int before = run->lens->finalRanks[cell]; !last.empty())
            lines << (before == 0 ? tr("It is what the model says in the end.")
                                  : tr("%n word(s) come before “%1”, which it says in the end.", nullptr, before)
                                        .arg(shownText(last.front().letters)));
        return lines;
    };
    panel.linked = false; // its rows are layers
    panel.square = false;
    panel.legend = true;
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

QString LensView::emptyText() const {
    if (!trace())
        return tr("Type a sentence to see what each layer would say.");
    const auto& run = m_run->chosen(trace(), other());
    const auto model = shownModel(*run);
    if (!run->encoder && !run->decoder)
        return tr("%1 has no layers of a Transformer that could be asked.").arg(model);
    return tr("%1 was not asked what its layers would say, or it says no words.").arg(model);
}

} // namespace headlight
