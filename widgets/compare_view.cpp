#include "widgets/compare_view.h"

#include "widgets/controls.h"
#include "widgets/derived.h"
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

FiguresPanel figuresOf(const Comparison& comparison, const QString& left, const QString& right) {
    const auto bits = [](float value) { return CompareView::tr("%1 bit").arg(numberText(value)); };
    return {{{CompareView::tr("Same strongest column"),
              CompareView::tr("%1 of %2 rows").arg(comparison.agreeing).arg(comparison.counted), comparison.agreement},
             {CompareView::tr("Mean divergence"), bits(comparison.meanDivergence), comparison.meanDivergence},
             {CompareView::tr("Mean entropy, %1").arg(left), bits(comparison.meanFirstEntropy),
              comparison.meanFirstEntropy},
             {CompareView::tr("Mean entropy, %1").arg(right), bits(comparison.meanSecondEntropy),
              comparison.meanSecondEntropy}}};
}

} // namespace

void CompareView::setSelection(Selection* selection) {
    const auto add = [this](std::optional<Choice>& chosen, const QString& name, const QString& label,
                            const QString& help) {
        auto* control = new ComboBox;
        control->setToolTip(help);
        control->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        control->setMinimumContentsLength(11);
        connect(control, &QComboBox::activated, this, [this, &chosen](int index) {
            chosen = m_listed[static_cast<std::size_t>(index)].choice;
            rebuild();
            Q_EMIT this->chosen();
        });
        addControl(control, label);
        // Of which run, in which mode (-1 for the map on show), which layer and head, and whether weights at any rate.
        keepChoice(
            name,
            [&chosen]() -> QVariant {
                if (!chosen)
                    return {};
                const auto& place = chosen->place;
                return QVariantList{chosen->ofB ? 1 : 0, chosen->mode ? static_cast<int>(*chosen->mode) : -1,
                                    place.layer.value, place.head.value, chosen->weights ? 1 : 0};
            },
            [this, &chosen](const QVariant& wanted) {
                chosen.reset();
                const auto numbers = wanted.toList();
                if (numbers.size() == 4 || numbers.size() == 5)
                    chosen = Choice{numbers[0].toInt() == 1,
                                    numbers[1].toInt() < 0 ? std::nullopt
                                                           : std::optional(static_cast<HeadMode>(numbers[1].toInt())),
                                    {Layer(numbers[2].toInt()), Head(numbers[3].toInt())},
                                    numbers.value(4).toInt() == 1};
                rebuild(); // where it is not listed, the usual one is taken
            });
        return control;
    };
    m_leftControl = add(m_left, QStringLiteral("left"), tr("Left"),
                        tr("The map on the left, from which the right one is taken away"));
    m_rightControl = add(m_right, QStringLiteral("right"), tr("Right"), tr("The map on the right"));
    addControl(makeCellsChoice(*selection), tr("Cells"));
    addControl(makeWordsBox(*selection));
    addControl(makeSpecialsBox(*selection));
    addControl(makeRangeBox(*selection));
    FigureView::setSelection(selection);
}

QString CompareView::letterOf(bool ofB) const {
    return runName(*trace(), other().get(), ofB);
}

BlockKind CompareView::kind() const {
    const auto kinds = {BlockKind::Cross, selection()->kind(), BlockKind::Encoder, BlockKind::Decoder};
    for (const auto kind : kinds)
        if (other() && hasHeads(*trace(), kind) && hasHeads(*other(), kind))
            return kind;
    for (const auto& run : {trace(), other()})
        for (const auto kind : kinds)
            if (run && hasHeads(*run, kind))
                return kind;
    return selection()->kind();
}

const AttentionBlock* CompareView::block(bool ofB) const {
    return run(ofB) && hasHeads(*run(ofB), kind()) ? run(ofB)->block(kind()) : nullptr;
}

bool CompareView::showsNorms(bool ofB) const {
    return selection()->cells() == Cells::Norms && run(ofB)->block(kind(), Cells::Norms);
}

std::vector<CompareView::Named> CompareView::listed() const {
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
        const bool additive = isAdditive(*run(ofB), kind());
        add(std::nullopt, additive ? tr("additive") : tr("map on show"));
        if (showsNorms(ofB)) {
            add(std::nullopt, tr("map on show, weights"));
            all.back().choice.weights = true;
        }
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
    if (showsNorms(onlyB)) // beside the weights
        return Choice{.ofB = onlyB, .mode = {}, .place = {}, .weights = true};
    // Within one model there are two maps where there are two heads.
    if (onlyB || block(false)->layers * block(false)->heads == 1)
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

std::optional<CompareView::Side> CompareView::side(const std::optional<Choice>& choice, Reading reading) const {
    if (!choice)
        return std::nullopt;
    auto map = selection()->choice();
    if (choice->mode)
        map = {*choice->mode, choice->place, {}, map.cells};
    if (choice->weights)
        map.cells = Cells::Weights;
    map.reading = reading;
    return Side{*choice, run(choice->ofB), needed(Derived::instance().map(run(choice->ofB), kind(), map))};
}

QString CompareView::noteOf(const Side& left, const Side& right) const {
    QStringList notes;
    if (kind() != BlockKind::Cross && kind() != selection()->kind())
        notes << tr("%1: not both have %2").arg(kindName(kind()), kindName(selection()->kind()));
    if (other() && !block(true) && left.run == right.run)
        notes << tr("two maps of %1, for %2 has none of this kind").arg(shownModel(*trace()), shownModel(*other()));
    return notes.join(QStringLiteral(", "));
}

MapPanel CompareView::mapOf(const Side& side, const MapPanel& common, Map map, std::vector<int> marks) const {
    auto panel = common;
    panel.title = titleOf(*side.run);
    panel.subtitle = mapName(*side.shown);
    panel.rowAxis = rowAxisOf(kind(), side.shown->rows);
    panel.marks = std::move(marks);
    panel.map = std::move(map);
    panel.high = highOf(panel.map, *selection());
    return panel;
}

std::vector<Panel> CompareView::build() {
    m_reason.clear();
    m_listed = listed();
    const auto taken = [this](const std::optional<Choice>& chosen, bool left) {
        const bool listed = chosen && std::any_of(m_listed.begin(), m_listed.end(), [&](const Named& one) {
                                return one.choice == *chosen;
                            });
        return listed ? chosen : m_listed.empty() ? std::nullopt : defaultChoice(left);
    };
    const auto leftChoice = taken(m_left, true), rightChoice = taken(m_right, false);
    fill(*m_leftControl, leftChoice);
    fill(*m_rightControl, rightChoice);
    const auto left = side(leftChoice, selection()->reading());
    if (!left || !rightChoice || !left->shown)
        return {};
    // Of one model a row is to be the same step on both sides.
    const bool alike = run(rightChoice->ofB)->model == left->run->model;
    const auto right = side(rightChoice, !alike                                    ? selection()->reading()
                                         : left->shown->rows == RowTokens::Emitted ? Reading::Emitted
                                                                                   : Reading::TakenIn);
    const auto found = right->shown ? needed(Derived::instance().comparison(
                           {left->run, left->shown}, {right->run, right->shown}, kind(), selection()->detail()))
                                    : nullptr;
    if (!found)
        return {};
    const auto& comparison = *found;
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
    common.columnAxis = columnAxisOf(kind());
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
    const auto leftRows = rowAxisOf(kind(), left->shown->rows), rightRows = rowAxisOf(kind(), right->shown->rows);
    difference.rowAxis =
        leftRows == rightRows ? leftRows : tr("%1: %2, %3: %4").arg(leftName, leftRows, rightName, rightRows);
    QStringList notes{noteOf(*left, *right)};
    if (comparison.byWords)
        notes << tr("by words");
    if (comparison.specialColumnsLeftOut)
        notes << tr("without special tokens, rows rescaled");
    else if (comparison.specialRowsLeftOut)
        notes << tr("without rows of special tokens");
    notes.removeAll(QString());
    difference.subtitle = notes.join(QStringLiteral(", "));
    difference.map = comparison.difference;
    difference.differs = true;
    difference.high = highOf(difference.map, *selection());

    BarPanel bars;
    bars.title = tr("How far apart each row is");
    bars.note = tr("Jensen–Shannon divergence in bits: 0 is the same");
    bars.kind = kind();
    bars.labels = common.rows;
    bars.queryRows = common.queryRows;
    bars.values = comparison.divergence;

    auto first = mapOf(*left, common, comparison.first, comparison.firstAlignment);
    auto second = mapOf(*right, common, comparison.second, comparison.secondAlignment);
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
    const auto missing = [&](const Trace& run) { return missingText(run, kind()); };
    const auto chosen = tr("Two maps of the other can be chosen above.");
    for (const bool ofB : {false, true})
        if (!block(ofB))
            return m_listed.size() > 1 ? QStringLiteral("%1 %2").arg(missing(*run(ofB)), chosen) : missing(*run(ofB));
    return tr("There are no two maps to compare.");
}

} // namespace headlight
