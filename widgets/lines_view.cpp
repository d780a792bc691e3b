#include "widgets/lines_view.h"

#include "core/analysis/comparison.h"
#include "core/analysis/thinning.h"
#include "widgets/controls.h"
#include "widgets/map_panel.h"
#include "widgets/names.h"
#include "widgets/reading_controls.h"
#include "widgets/run_box.h"

#include <QCheckBox>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace headlight {

namespace {

/// What the control of texts offers besides all: from which segment to which.
constexpr std::pair<int, int> textPairs[] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};

/// The rows (or columns) of one text, -1 for all, and `places`, which says where each token is, made to point at them.
std::vector<int> ofText(const std::vector<Token>& tokens, int text, std::vector<int>& places, int rows) {
    if (places.empty()) { // each has its own
        places.resize(static_cast<std::size_t>(rows));
        std::iota(places.begin(), places.end(), 0);
    }
    std::vector<char> wanted(static_cast<std::size_t>(rows), text < 0);
    for (std::size_t token = 0; token < places.size() && token < tokens.size(); ++token)
        if (places[token] >= 0 && tokens[token].segment == text)
            wanted[static_cast<std::size_t>(places[token])] = 1;
    std::vector<int> kept, now(wanted.size(), -1);
    for (std::size_t row = 0; row < wanted.size(); ++row)
        if (wanted[row]) {
            now[row] = static_cast<int>(kept.size());
            kept.push_back(static_cast<int>(row));
        }
    for (auto& place : places)
        place = place < 0 ? -1 : now[static_cast<std::size_t>(place)];
    return kept;
}

QStringList namesOf(const std::vector<int>& rows, const QStringList& names) {
    QStringList kept;
    for (const int row : rows)
        kept << names.value(row);
    return kept;
}

/// Weights without their signs, which changes have.
Map sizesOf(Map map) {
    for (auto& value : map.values)
        value = std::abs(value);
    return map;
}

} // namespace

LinesView::LinesView(QWidget* parent)
    : FigureView(parent), m_run(new RunBox), m_which(new ComboBox), m_share(new SpinBox), m_texts(new ComboBox) {
    m_which->addItems({tr("of the layer"), tr("the selected head")});
    m_which->setToolTip(
        tr("Which heads have lines: those that were collected in Heads, or all of the selected layer; or "
           "only the selected one."));
    m_share->setRange(5, 100);
    m_share->setSingleStep(5);
    m_share->setValue(70);
    m_share->setSuffix(tr(" %"));
    m_share->setToolTip(
        tr("Of each row the strongest weights have a line, until together they hold this share of it."));
    m_texts->addItem(tr("both texts"));
    for (const auto& [from, to] : textPairs)
        m_texts->addItem(tr("%1 → %2").arg(QChar(u'A' + from)).arg(QChar(u'A' + to)));
    m_texts->setToolTip(tr("Of two texts: from which to which lines lead. Weights stay as they are."));
    m_texts->setAccessibleName(tr("Texts"));

    addControl(m_run);
    connect(m_run, &QComboBox::activated, this, &LinesView::rebuild);
    addControl(m_which, tr("Heads"));
    addControl(m_share, tr("Lines"));
    addControl(m_texts);
    for (auto* box : {m_which, m_texts})
        connect(box, &QComboBox::currentIndexChanged, this, &LinesView::rebuild);
    connect(m_share, &QSpinBox::valueChanged, this, &LinesView::rebuild);
    keepChoice(QStringLiteral("run"), m_run);
    keepChoice(QStringLiteral("heads"), m_which);
    keepChoice(QStringLiteral("share"), m_share);
    keepChoice(QStringLiteral("texts"), m_texts);
    keepChoice(
        QStringLiteral("hidden"),
        [this] {
            QStringList names(m_hidden.begin(), m_hidden.end());
            names.sort();
            return names;
        },
        [this](const QVariant& wanted) {
            const auto names = wanted.toStringList();
            m_hidden = {names.begin(), names.end()};
            rebuild();
        });
}

void LinesView::setSelection(Selection* selection) {
    addControl(makeCellsChoice(*selection), tr("What a cell shows"));
    addControl(makeWordsBox(*selection));
    addControl(makeSpecialsBox(*selection));
    addControl(m_change = makeChangeBox(*selection));
    FigureView::setSelection(selection);
}

LinesView::Source LinesView::headsOf(const TracePointer& run, BlockKind kind) const {
    const auto& block = *run->block(kind);
    const bool one = m_which->currentIndex() == 1 || block.layers * block.heads == 1;
    const auto chosen = one ? shown(run, kind) : shownHead(run, kind);
    if (!chosen)
        return {};
    if (one)
        return {mapName(*chosen), {{mapName(*chosen), chosen}}};

    Source source;
    const auto add = [&](const HeadPlace& place, const QString& name) {
        auto choice = selection()->choice();
        choice.mode = HeadMode::One;
        choice.place = place;
        auto head = *shownMap(*run, kind, choice);
        head.rows = chosen->rows; // one list of names for all
        const bool off = head.off > 0;
        source.heads.push_back(
            {off ? tr("%1 off").arg(name) : name, std::make_shared<const ShownMap>(std::move(head))});
    };
    if (kind == selection()->kind())
        for (const auto& place : selection()->collected())
            if (place.layer.value < block.layers && place.head.value < block.heads)
                add(place, headName(place));
    if (!source.heads.empty()) {
        source.name = tr("%n collected head(s)", nullptr, static_cast<int>(source.heads.size()));
        return source;
    }
    const Layer layer = chosen->place->layer;
    for (int head = 0; head < block.heads; ++head)
        add({layer, Head(head)}, QStringLiteral("H%1").arg(head));
    source.name = tr("layer %1").arg(layer.value);
    return source;
}

void LinesView::followControls(const Trace& run, BlockKind kind, const Source& source) {
    const bool collected = kind == selection()->kind() && !selection()->collected().empty();
    m_which->setItemText(0, collected ? tr("collected") : tr("of the layer"));
    const auto& keys = run.keyTokens(kind);
    const bool twoTexts = kind != BlockKind::Cross
                          && std::any_of(keys.begin(), keys.end(), [](const Token& key) { return key.segment == 1; });
    m_texts->setVisible(twoTexts);
    m_listed.clear();
    for (const auto& head : source.heads)
        m_listed << head.name;
    if (std::all_of(m_listed.begin(), m_listed.end(), [this](const auto& name) { return m_hidden.contains(name); }))
        m_hidden.clear(); // lines of no head would say nothing
}

std::vector<Panel> LinesView::build() {
    const auto kind = selection()->kind();
    m_run->offer(trace(), other());
    const auto& run = m_run->chosen(trace(), other());
    const auto full = fullRunOf(run);
    m_change->setVisible(full != nullptr);
    if (!hasHeads(*run, kind))
        return {};
    const auto source = headsOf(run, kind);
    if (source.heads.empty())
        return {};
    followControls(*run, kind, source);
    QString problem; // why no change can be drawn
    const auto texts = m_texts->isHidden() || m_texts->currentIndex() < 1
                           ? std::pair(-1, -1)
                           : textPairs[static_cast<std::size_t>(m_texts->currentIndex() - 1)];

    LinesPanel panel;
    panel.kind = kind;
    panel.linked = sharesTokens(*run, kind);
    std::vector<int> rows, columns; // of the text that is asked for
    bool named = false;
    for (std::size_t head = 0; head < source.heads.size(); ++head) {
        const auto& one = source.heads[head];
        LinesPanel::HeadLines lines{.name = one.name, .map = {}, .lines = {}, .shown = !m_hidden.contains(one.name)};
        if (lines.shown) {
            auto whole = mapPanelOf(*run, *one.shown, *selection(), kind);
            if (full && selection()->change()) {
                const auto before = needed(fullMapOf(full, *run, *one.shown, whole, *selection(), kind));
                if (!before)
                    return {};
                problem = before->problem;
                if (panel.differs = !before->map.values.empty(); panel.differs)
                    whole.map = differenceOf(whole.map, before->map);
            }
            if (!std::exchange(named, true)) {
                panel.title = titleOf(*run);
                panel.leftTitle = whole.rowAxis;
                panel.rightTitle = whole.columnAxis;
                rows = ofText(rowTokens(*run, kind, one.shown->rows), texts.first, whole.queryRows, whole.map.rows);
                columns = ofText(run->keyTokens(kind), texts.second, whole.keyColumns, whole.map.columns);
                panel.left = namesOf(rows, whole.rows);
                panel.right = namesOf(columns, whole.columns);
                panel.queryRows = std::move(whole.queryRows);
                panel.keyColumns = std::move(whole.keyColumns);
            }
            lines.map = partOf(whole.map, rows, columns);
            lines.lines = strongestOfRows(panel.differs ? sizesOf(lines.map) : lines.map, m_share->value() / 100.0);
            for (auto& line : lines.lines)
                line.weight = lines.map.at(line.row, line.column);
        }
        panel.heads.push_back(std::move(lines));
    }
    if (panel.left.isEmpty() || panel.right.isEmpty())
        return {};
    QStringList said{kindName(kind), source.name};
    if (source.heads.front().shown->cells == Cells::Norms && m_which->currentIndex() == 0)
        said << tr("norms, as shares of the row");
    if (selection()->byWords())
        said << tr("by words");
    if (panel.differs) {
        panel.high = 0;
        for (const auto& head : panel.heads)
            panel.high = largestOf(head.map.values, panel.high);
        said << changeText(panel.high);
        panel.high = std::max(panel.high, leastChange);
    } else if (!problem.isEmpty()) {
        said << problem;
    }
    panel.subtitle = said.join(QStringLiteral(" · "));
    const int share = m_share->value();
    QStringList notes{panel.differs  ? share == 100
                                           ? tr("all changes; less is dashed")
                                           : tr("the largest changes, %1 % of each row's; less is dashed").arg(share)
                       : share == 100 ? tr("all weights")
                                     : tr("the strongest weights that hold %1 % of each row").arg(share)};
    if (!selection()->specials())
        notes << tr("without special tokens, rows rescaled");
    if (texts.first >= 0)
        notes << tr("only %1").arg(m_texts->currentText());
    panel.note = notes.join(QStringLiteral("; "));
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

bool LinesView::clicked(const Panel&, const Lit& place, Qt::KeyboardModifiers modifiers) {
    if (place.item < 0)
        return false;
    modifiers.testFlag(Qt::ShiftModifier) ? isolate(m_listed.value(place.item)) : toggle(m_listed.value(place.item));
    return true;
}

bool LinesView::doubleClicked(const Panel&, const Lit& place) {
    if (place.item >= 0)
        isolate(m_listed.value(place.item));
    return true;
}

bool LinesView::isAlone(const QString& head) const {
    return std::all_of(m_listed.begin(), m_listed.end(),
                       [&](const auto& name) { return m_hidden.contains(name) != (name == head); });
}

void LinesView::toggle(const QString& head) {
    if (isAlone(head))
        return; // lines of no head would say nothing
    if (!m_hidden.remove(head))
        m_hidden.insert(head);
    rebuild();
    Q_EMIT chosen();
}

void LinesView::isolate(const QString& head) {
    const bool alone = isAlone(head);
    for (const auto& name : m_listed)
        m_hidden.remove(name);
    for (const auto& name : m_listed)
        if (!alone && name != head)
            m_hidden.insert(name);
    rebuild();
    Q_EMIT chosen();
}

QString LinesView::emptyText() const {
    if (!trace())
        return tr("Type a sentence to see what attends to what.");
    if (selection() && hasHeads(*m_run->chosen(trace(), other()), selection()->kind())) {
        if (!selection()->specials())
            return tr("Without special tokens there is nothing to show.");
        if (!m_texts->isHidden() && m_texts->currentIndex() > 0)
            return tr("%1: one of the two texts is empty.").arg(m_texts->currentText());
    }
    return missingText(*m_run->chosen(trace(), other()), selection() ? selection()->kind() : BlockKind::Encoder,
                       m_run->unchosen(trace(), other()).get());
}

} // namespace headlight
