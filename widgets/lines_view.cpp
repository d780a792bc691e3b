#include "widgets/lines_view.h"

#include "core/analysis/thinning.h"

#include <QCheckBox>
#include <QComboBox>
#include <QSignalBlocker>
#include <QSpinBox>

#include <algorithm>

namespace headlight {

namespace {

/// What the control of texts offers besides all: from which segment to which.
constexpr std::pair<int, int> textPairs[] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};

/// Rows as if special keys were not there.
void withoutSpecials(Map& map, const std::vector<Token>& keys) {
    for (std::size_t cell = 0; cell < map.values.size(); ++cell)
        if (keys[cell % static_cast<std::size_t>(map.columns)].special)
            map.values[cell] = 0;
    scaleRows(map);
}

} // namespace

LinesView::LinesView(QWidget* parent)
    : FigureView(parent), m_which(new QComboBox), m_share(new QSpinBox),
      m_specials(new QCheckBox(tr("Special tokens"))), m_texts(new QComboBox) {
    m_which->addItems({tr("of the layer"), tr("the selected head")});
    m_which->setToolTip(
        tr("Which heads have lines: those that were collected in Heads, or all of the selected layer; or "
           "only the selected one."));
    m_share->setRange(5, 100);
    m_share->setSingleStep(5);
    m_share->setValue(70);
    m_share->setSuffix(tr(" % of each row"));
    m_share->setToolTip(
        tr("Of each row the strongest weights have a line, until together they hold this share of it."));
    m_specials->setChecked(true);
    m_specials->setToolTip(tr("Show special tokens. Without them, each row is scaled to sum to 1 again."));
    m_texts->addItem(tr("both texts"));
    for (const auto& [from, to] : textPairs)
        m_texts->addItem(tr("%1 → %2").arg(QChar(u'A' + from)).arg(QChar(u'A' + to)));
    m_texts->setToolTip(tr("Of two texts: from which to which lines lead. Weights stay as they are."));
    m_texts->setAccessibleName(tr("Texts"));

    addControl(m_which, tr("Heads"));
    addControl(m_share, tr("Lines"));
    addControl(m_specials);
    addControl(m_texts);
    for (auto* box : {m_which, m_texts})
        connect(box, &QComboBox::currentIndexChanged, this, &LinesView::rebuild);
    connect(m_share, &QSpinBox::valueChanged, this, &LinesView::rebuild);
    connect(m_specials, &QCheckBox::toggled, this, [this](bool shown) {
        if (selection())
            selection()->setSpecials(shown);
    });
}

LinesView::Source LinesView::headsOf(const Trace& run, BlockKind kind) const {
    const auto& block = *run.block(kind);
    const auto chosen = *selection()->shown(run, kind);
    if (m_which->currentIndex() == 1 || block.layers * block.heads == 1)
        return {chosen.name, {chosen}};

    Source source;
    const auto add = [&](const HeadPlace& place, const QString& name) {
        source.heads.push_back({headMap(block, place.layer, place.head), name, place, chosen.rows});
    };
    if (kind == selection()->kind())
        for (const auto& place : selection()->collected())
            if (place.layer.value < block.layers && place.head.value < block.heads)
                add(place, QStringLiteral("L%1 H%2").arg(place.layer.value).arg(place.head.value));
    if (!source.heads.empty()) {
        source.name = tr("%n collected head(s)", nullptr, static_cast<int>(source.heads.size()));
        return source;
    }
    const Layer layer =
        chosen.place ? chosen.place->layer : Layer(std::clamp(selection()->layer().value, 0, block.layers - 1));
    for (int head = 0; head < block.heads; ++head)
        add({layer, Head(head)}, QStringLiteral("H%1").arg(head));
    source.name = tr("layer %1").arg(layer.value);
    return source;
}

void LinesView::followControls(const Trace& run, BlockKind kind, const Source& source) {
    const bool collected = kind == selection()->kind() && !selection()->collected().empty();
    const QSignalBlocker quiet(m_specials);
    m_specials->setChecked(selection()->specials());
    m_which->setItemText(0, collected ? tr("collected") : tr("of the layer"));
    const auto& keys = run.keyTokens(kind);
    const bool twoTexts = kind != BlockKind::Cross
                          && std::any_of(keys.begin(), keys.end(), [](const Token& key) { return key.segment == 1; });
    m_texts->setVisible(twoTexts);
    const int list = m_which->currentIndex() * 2 + (collected ? 1 : 0);
    if (list != m_shownOf || m_shown.size() != source.heads.size()) {
        m_shown.assign(source.heads.size(), true);
        m_shownOf = list;
    }
}

std::vector<Panel> LinesView::build() {
    const auto kind = selection()->kind();
    const auto* run = runWithHeads(trace(), other(), kind);
    if (!run)
        return {};
    auto source = headsOf(*run, kind);
    followControls(*run, kind, source);
    const auto& queries = rowTokens(*run, kind, source.heads.front().rows);
    const auto& keys = run->keyTokens(kind);
    const auto texts = m_texts->isHidden() || m_texts->currentIndex() < 1
                           ? std::pair(-1, -1)
                           : textPairs[static_cast<std::size_t>(m_texts->currentIndex() - 1)];

    LinesPanel panel;
    panel.kind = kind;
    panel.title = QString::fromStdString(run->model);
    panel.subtitle = tr("%1 · %2").arg(kindName(kind), source.name);
    const bool across = kind == BlockKind::Cross;
    panel.leftTitle = across ? tr("target (looks)") : tr("query (looks)");
    panel.rightTitle = across ? tr("source (is looked at)") : tr("key (is looked at)");
    // Which tokens are shown, and where.
    const auto pick = [&](const std::vector<Token>& tokens, int text, QStringList& names, std::vector<int>& places) {
        const auto all = shownTexts(*run, tokens);
        std::vector<int> kept;
        for (int token = 0; token < all.size(); ++token) {
            const auto& one = tokens[static_cast<std::size_t>(token)];
            const bool shown = (selection()->specials() || !one.special) && (text < 0 || one.segment == text);
            places.push_back(shown ? static_cast<int>(kept.size()) : -1);
            if (!shown)
                continue;
            kept.push_back(token);
            names << all[token];
        }
        return kept;
    };
    const auto rows = pick(queries, texts.first, panel.left, panel.queryRows);
    const auto columns = pick(keys, texts.second, panel.right, panel.keyColumns);

    for (std::size_t head = 0; head < source.heads.size(); ++head) {
        auto& one = source.heads[head];
        LinesPanel::HeadLines lines{.name = one.name, .map = {}, .lines = {}, .shown = m_shown[head]};
        if (lines.shown) {
            if (!selection()->specials())
                withoutSpecials(one.map, keys);
            lines.map = partOf(one.map, rows, columns);
            lines.lines = strongestOfRows(lines.map, m_share->value() / 100.0);
        }
        panel.heads.push_back(std::move(lines));
    }
    QStringList notes{m_share->value() == 100
                          ? tr("all weights")
                          : tr("the strongest weights that hold %1 % of each row").arg(m_share->value())};
    if (!selection()->specials())
        notes << tr("special tokens left out, rows scaled to sum to 1");
    if (texts.first >= 0)
        notes << tr("only %1").arg(m_texts->currentText());
    panel.note = notes.join(QStringLiteral("; "));
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

bool LinesView::clicked(const Panel&, const Lit& place, Qt::KeyboardModifiers modifiers) {
    if (place.item < 0)
        return false;
    const auto head = static_cast<std::size_t>(place.item);
    modifiers.testFlag(Qt::ShiftModifier) ? isolate(head) : toggle(head);
    return true;
}

bool LinesView::doubleClicked(const Panel&, const Lit& place) {
    if (place.item >= 0)
        isolate(static_cast<std::size_t>(place.item));
    return true;
}

void LinesView::toggle(std::size_t head) {
    if (m_shown[head] && std::count(m_shown.begin(), m_shown.end(), true) == 1)
        return; // lines of no head would say nothing
    m_shown[head] = !m_shown[head];
    rebuild();
}

void LinesView::isolate(std::size_t head) {
    const bool alone = m_shown[head] && std::count(m_shown.begin(), m_shown.end(), true) == 1;
    m_shown.assign(m_shown.size(), alone);
    m_shown[head] = true;
    rebuild();
}

QString LinesView::emptyText() const {
    return trace() ? tr("%1 has no attention of this kind (%2).")
                         .arg(QString::fromStdString(trace()->model),
                              selection() ? kindName(selection()->kind()) : QString())
                   : tr("Type a sentence to see what attends to what.");
}

} // namespace headlight
