#include "widgets/compare_view.h"

#include "widgets/controls.h"
#include "widgets/map_panel.h"
#include "widgets/names.h"
#include "widgets/reading_controls.h"

#include <QCheckBox>

#include <algorithm>

namespace headlight {

namespace {

QStringList labels(const std::vector<std::string>& texts) {
    QStringList shown;
    for (const auto& text : texts)
        shown << shownText(text);
    return shown;
}

bool hasHeads(const AttentionBlock* block) {
    return block && block->layers > 0 && block->heads > 0;
}

FiguresPanel figuresOf(const Comparison& comparison, const QString& left, const QString& right) {
    const auto bits = [](float value) { return CompareView::tr("%1 bit").arg(numberText(value)); };
    return {{{CompareView::tr("Same strongest column"),
              CompareView::tr("%1 of %2 rows").arg(comparison.agreeing).arg(comparison.counted), comparison.agreement},
             {CompareView::tr("Mean divergence"), bits(comparison.meanDivergence), comparison.meanDivergence},
             {CompareView::tr("Entropy, %1").arg(left), bits(comparison.meanFirstEntropy), comparison.meanFirstEntropy},
             {CompareView::tr("Entropy, %1").arg(right), bits(comparison.meanSecondEntropy),
              comparison.meanSecondEntropy}}};
}

} // namespace

void CompareView::setSelection(Selection* selection) {
    const auto add = [this](std::optional<Choice>& chosen, const QString& label, const QString& help) {
        auto* control = new ComboBox;
        control->setToolTip(help);
        control->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        control->setMinimumContentsLength(11);
        connect(control, &QComboBox::activated, this, [this, &chosen](int index) {
            chosen = m_listed[static_cast<std::size_t>(index)].choice;
            rebuild();
        });
        addControl(control, label);
        return control;
    };
    m_leftControl = add(m_left, tr("Left"), tr("The map on the left, from which the right one is taken away"));
    m_rightControl = add(m_right, tr("Right"), tr("The map on the right"));
    addControl(makeWordsBox(*selection));
    addControl(makeSpecialsBox(*selection));
    addControl(makeRangeBox(*selection));
    FigureView::setSelection(selection);
}

QString CompareView::letterOf(bool ofB) const {
    return runName(*trace(), other(), ofB);
}

BlockKind CompareView::kind() const {
    for (const auto kind : {BlockKind::Cross, selection()->kind(), BlockKind::Encoder, BlockKind::Decoder})
        if (hasHeads(trace()->block(kind)) || (other() && hasHeads(other()->block(kind))))
            return kind;
    return BlockKind::Cross;
}

const AttentionBlock* CompareView::block(bool ofB) const {
    const auto* found = run(ofB) ? run(ofB)->block(kind()) : nullptr;
    return hasHeads(found) ? found : nullptr;
}

std::vector<CompareView::Named> CompareView::choices() const {
    std::vector<Named> all;
    for (const bool ofB : {false, true}) {
        const auto* heads = block(ofB);
        if (!heads)
            continue;
        const auto add = [&](std::optional<HeadMode> mode, const QString& name, HeadPlace place = {}) {
            all.push_back({{ofB, mode, place}, other() ? tr("%1: %2").arg(letterOf(ofB), name) : name});
        };
        const auto headName = [](const HeadPlace& place) {
            return tr("layer %1, head %2").arg(place.layer.value).arg(place.head.value);
        };
        const bool additive = !run(ofB)->encoder && !run(ofB)->decoder && heads->layers * heads->heads == 1;
        add(std::nullopt, additive ? tr("additive") : tr("map on show"));
        if (additive)
            continue;
        if (heads->layers * heads->heads > 1) {
            if (kind() == BlockKind::Cross)
                add(HeadMode::BestAligning, tr("best aligning head"));
            add(HeadMode::MeanOfAll, tr("mean of all heads"));
        }
        add(HeadMode::Rollout, tr("rollout"));
        if (selection()->kind() == kind())
            for (const auto& place : selection()->collected())
                if (place.layer.value < heads->layers && place.head.value < heads->heads)
                    add(HeadMode::One, tr("%1, collected").arg(headName(place)), place);
        for (int layer = 0; layer < heads->layers && heads->heads > 1; ++layer)
            add(HeadMode::MeanOfLayer, tr("mean of layer %1").arg(layer), {Layer(layer), Head(0)});
        for (int layer = 0; layer < heads->layers; ++layer)
            for (int head = 0; head < heads->heads; ++head)
                add(HeadMode::One, headName({Layer(layer), Head(head)}), {Layer(layer), Head(head)});
    }
    return all;
}

std::optional<CompareView::Choice> CompareView::defaultChoice(bool left) const {
    const bool onlyB = !block(false);
    if (left || (block(false) && block(true)))
        return Choice{.ofB = onlyB || !left, .mode = {}, .place = {}};
    // Within one model there are two maps where there are two heads; a model B that has none is not to be passed over.
    if (other() || block(onlyB)->layers * block(onlyB)->heads == 1)
        return std::nullopt;
    const bool mean = selection()->headMode() == HeadMode::MeanOfAll;
    return Choice{.ofB = false, .mode = mean ? HeadMode::Rollout : HeadMode::MeanOfAll, .place = {}};
}

void CompareView::fill(QComboBox& control, const std::optional<Choice>& chosen) {
    QStringList names;
    for (const auto& one : m_listed)
        names << one.name;
    control.setEnabled(m_listed.size() > 1); // with one there is nothing to choose
    const auto found = std::find_if(m_listed.begin(), m_listed.end(),
                                    [&](const Named& one) { return chosen && one.choice == *chosen; });
    fillChoice(control, names, found == m_listed.end() ? -1 : static_cast<int>(found - m_listed.begin()));
}

std::optional<CompareView::Side> CompareView::side(const std::optional<Choice>& choice) const {
    if (!choice)
        return std::nullopt;
    const auto& of = *run(choice->ofB);
    auto shown = choice->mode ? shownMap(of, kind(), *choice->mode, choice->place, selection()->reading())
                              : selection()->shown(of, kind());
    if (!shown)
        return std::nullopt;
    return Side{*choice, of, std::move(*shown)};
}

MapPanel CompareView::mapOf(const Side& side, const MapPanel& common, Map map, std::vector<int> marks) const {
    auto panel = common;
    const auto model = shownModel(side.run);
    panel.title = other() ? tr("%1 · %2").arg(letterOf(side.choice.ofB), model) : model;
    panel.subtitle = side.shown.name;
    panel.marks = std::move(marks);
    panel.map = std::move(map);
    panel.high = highOf(panel.map, *selection());
    return panel;
}

std::vector<Panel> CompareView::build() {
    m_reason.clear();
    m_listed = choices();
    const auto taken = [this](const std::optional<Choice>& chosen, bool left) {
        const bool listed = chosen && std::any_of(m_listed.begin(), m_listed.end(), [&](const Named& one) {
                                return one.choice == *chosen;
                            });
        return listed ? chosen : m_listed.empty() ? std::nullopt : defaultChoice(left);
    };
    const auto leftChoice = taken(m_left, true), rightChoice = taken(m_right, false);
    fill(*m_leftControl, leftChoice);
    fill(*m_rightControl, rightChoice);
    const auto left = side(leftChoice), right = side(rightChoice);
    if (!left || !right)
        return {};
    auto comparison = compare({left->run, left->shown.map, left->shown.rows},
                              {right->run, right->shown.map, right->shown.rows}, kind(), selection()->detail());
    if (!comparison.comparable()) {
        m_reason = reasonText(comparison);
        if (left->choice.ofB != right->choice.ofB && trace()->sourceText == other()->sourceText
            && !trace()->targetForced)
            m_reason += QLatin1Char('\n') + tr("Type a target, and both are made to say it.");
        return {};
    }

    MapPanel common;
    common.kind = kind();
    common.legend = true;
    common.rows = labels(comparison.rows);
    common.columns = labels(comparison.columns);
    // The pair that all views share counts A's tokens.
    const bool rightIsA = left->choice.ofB && !right->choice.ofB;
    common.queryRows = rightIsA ? comparison.secondQueryRows : comparison.queryRows;
    common.keyColumns = rightIsA ? comparison.secondKeyColumns : comparison.keyColumns;

    const bool ofTwo = left->choice.ofB != right->choice.ofB;
    const auto leftName = ofTwo ? letterOf(left->choice.ofB) : tr("left");
    const auto rightName = ofTwo ? letterOf(right->choice.ofB) : tr("right");
    auto figures = figuresOf(comparison, leftName, rightName);

    auto difference = common;
    difference.title = tr("%1 − %2").arg(leftName, rightName);
    QStringList notes;
    if (comparison.byWords)
        notes << tr("by words");
    if (comparison.specialColumnsLeftOut)
        notes << tr("without special tokens, rows rescaled");
    else if (comparison.specialRowsLeftOut)
        notes << tr("without rows of special tokens");
    difference.subtitle = notes.join(QStringLiteral(", "));
    difference.map = std::move(comparison.difference);
    difference.differs = true;
    difference.high = highOf(difference.map, *selection());

    BarPanel bars;
    bars.title = tr("How far apart each row is");
    bars.note = tr("Jensen–Shannon divergence in bits: 0 is the same");
    bars.kind = kind();
    bars.labels = common.rows;
    bars.queryRows = common.queryRows;
    bars.values = std::move(comparison.divergence);

    auto first = mapOf(*left, common, std::move(comparison.first), std::move(comparison.firstAlignment));
    auto second = mapOf(*right, common, std::move(comparison.second), std::move(comparison.secondAlignment));
    return {{QRectF(0, 0, 0.48, 0.44), std::move(first)},
            {QRectF(0.52, 0, 0.48, 0.44), std::move(second)},
            {QRectF(0, 0.46, 0.48, 0.44), std::move(difference)},
            {QRectF(0.52, 0.46, 0.48, 0.44), std::move(bars)},
            {QRectF(0, 0.92, 1, 0.08), std::move(figures)}};
}

QString CompareView::emptyText() const {
    if (!trace())
        return tr("Type a sentence to see what attends to what.");
    if (!m_reason.isEmpty())
        return m_reason;
    if (!other())
        return tr("Choose a model B above to compare two models on this sentence.");
    for (const auto* run : {trace(), other()})
        if (!run->fixedContext.empty())
            return missingText(*run, BlockKind::Cross);
    return m_listed.size() > 1 ? tr("One of the two models has no attention of this kind. Two maps of the other can be "
                                    "chosen above.")
                               : tr("One of the two models has no attention from a target to a source.");
}

} // namespace headlight
