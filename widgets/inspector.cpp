// What is derived from a whole map is kept until the trace or the head changes; the pointer only picks from it.
#include "widgets/inspector.h"

#include "core/analysis/gold_alignment.h"
#include "core/analysis/words.h"
#include "widgets/names.h"
#include "widgets/plain_text.h"

#include <QAccessible>
#include <QPaintEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

constexpr int margin = 15;
constexpr int columnGap = 10;
constexpr int sectionGap = 18;
constexpr std::size_t mostBars = 6;
constexpr std::size_t mostCandidates = 5;

QFont headingFont(const Appearance& appearance) {
    auto font = sized(appearance, 0.82, QFont::DemiBold);
    font.setLetterSpacing(QFont::PercentageSpacing, 107);
    return font;
}

QString number(float value) {
    if (!std::isfinite(value))
        return QStringLiteral("–");
    return QString::number(static_cast<double>(value), 'f', 2).replace(QLatin1Char('-'), QChar(0x2212));
}

QString bits(float value) {
    return std::isfinite(value) ? Inspector::tr("%1 bit").arg(number(value)) : number(value);
}

QString nameOf(const std::vector<Token>& tokens, int index) {
    return index >= 0 && static_cast<std::size_t>(index) < tokens.size()
               ? shownText(tokens[static_cast<std::size_t>(index)].letters)
               : QString::number(index);
}

float meanEntropy(const Map& map) {
    double sum = 0;
    int rows = 0;
    for (int row = 0; row < map.rows; ++row) {
        const float entropy = entropyBits(map.row(row));
        if (std::isfinite(entropy)) {
            sum += static_cast<double>(entropy);
            ++rows;
        }
    }
    return rows > 0 ? static_cast<float>(sum / rows) : std::nanf("");
}

QString signedNumber(float value) {
    return value > 0 ? QLatin1Char('+') + number(value) : number(value);
}

/// The row or column that holds this query or key; -1 when it was left out.
int placeIn(const std::vector<int>& places, int token) {
    return static_cast<std::size_t>(token) < places.size() ? places[static_cast<std::size_t>(token)] : -1;
}

void drawText(QPainter& painter, const QRect& place, Qt::Alignment alignment, const QString& text, const QFont& font,
              const QColor& color) {
    const QFontMetrics metrics(font);
    painter.setFont(font);
    painter.setPen(color);
    painter.drawText(place, static_cast<int>(alignment | Qt::AlignVCenter) | Qt::TextSingleLine | Qt::TextDontClip,
                     metrics.horizontalAdvance(text) <= place.width()
                         ? text
                         : metrics.elidedText(text, Qt::ElideRight, place.width()));
}

} // namespace

Inspector::Inspector(QWidget* parent)
    : QWidget(parent), m_appearance(makeAppearance(Theme::Light, ColorMap::Blue, font())) {
    setAccessibleName(tr("Inspector"));
    setMinimumWidth(200);
}

void Inspector::setTrace(TracePointer trace, TracePointer other) {
    m_trace = std::move(trace);
    m_other = std::move(other);
    refresh();
}

void Inspector::setSelection(Selection* selection) {
    if (m_selection)
        m_selection->disconnect(this);
    m_selection = selection;
    if (selection) {
        connect(selection, &Selection::headChanged, this, &Inspector::refresh);
        connect(selection, &Selection::pairChanged, this, [this] {
            m_stale = true;
            if (QAccessible::isActive())
                setAccessibleDescription(describe().join(QLatin1Char('\n')));
            update();
        });
    }
    refresh();
}

void Inspector::setAppearance(const Appearance& appearance) {
    m_appearance = appearance;
    update();
}

void Inspector::refresh() {
    for (auto& facts : m_facts)
        facts.reset();
    m_stale = true;
    update();
}

QSize Inspector::sizeHint() const {
    return {280, 720};
}

const Trace& Inspector::run(BlockKind kind) const {
    return !m_trace->block(kind) && m_other && m_other->block(kind) ? *m_other : *m_trace;
}

const Inspector::Facts& Inspector::facts(BlockKind kind) {
    auto& kept = m_facts[static_cast<std::size_t>(kind)];
    if (kept)
        return *kept;
    kept.emplace();
    const auto& measured = run(kind);
    kept->shown = m_selection->shown(measured, kind);
    if (!kept->shown)
        return *kept;
    const auto detail = m_selection->detail();
    kept->drawn = reduced(measured, kind, kept->shown->rows, kept->shown->map, detail);
    kept->rows = shownTexts(kept->drawn.rows);
    kept->columns = shownTexts(kept->drawn.columns);
    kept->queryRows = placesOf(kept->drawn.rows, kept->shown->map.rows);
    kept->keyColumns = placesOf(kept->drawn.columns, kept->shown->map.columns);
    kept->entropy = meanEntropy(kept->drawn.map);
    if (const auto second = m_other && &measured == m_trace.get() ? m_selection->shown(*m_other, kind) : std::nullopt)
        kept->comparison = compare({*m_trace, kept->shown->map, kept->shown->rows},
                                   {*m_other, second->map, second->rows}, kind, detail);

    const auto& heads = *runWithHeads(m_trace.get(), m_other.get(), kind);
    const auto ofHeads = m_selection->shown(heads, kind);
    kept->head = ofHeads->name;
    if (!ofHeads->place)
        return *kept;
    kept->metrics = headMetrics(*heads.block(kind), ofHeads->place->layer, ofHeads->place->head, heads.keyTokens(kind));
    if (kind != BlockKind::Cross)
        return *kept;
    kept->aligns = alignmentScore(ofHeads->map, heads.source);
    if (const auto gold = m_selection->gold() ? placedGold(*m_selection->gold(), heads) : std::nullopt)
        kept->errorRate = errorRate(*gold, heads, ofHeads->map, ofHeads->rows);
    return *kept;
}

const std::vector<Token>& Inspector::rowNames(BlockKind kind) {
    const auto& shown = facts(kind).shown;
    const bool given = shown ? shown->rows == RowTokens::Emitted : !m_trace->emitted.empty();
    return rowTokens(run(kind), kind, given ? RowTokens::Emitted : RowTokens::TakenIn);
}

BlockKind Inspector::kindOnShow() const {
    for (const auto kind : {m_selection->kind(), BlockKind::Cross, BlockKind::Encoder, BlockKind::Decoder})
        if (run(kind).block(kind))
            return kind;
    return m_selection->kind();
}

Inspector::Pointed Inspector::pointed() {
    const auto& pair = m_selection->pair();
    if (!pair.query && !pair.key)
        return {pair.kind, -1, -1}; // so that nothing is computed of a kind that nobody looks at
    // A pair may outlive the text that it was chosen in.
    const auto within = [](const auto& index, const std::vector<Token>& tokens) {
        return index && index->value >= 0 && static_cast<std::size_t>(index->value) < tokens.size() ? index->value : -1;
    };
    return {pair.kind, within(pair.query, rowNames(pair.kind)), within(pair.key, run(pair.kind).keyTokens(pair.kind))};
}

void Inspector::add(Line::Kind kind, const QString& label, const QString& value) {
    Line line;
    line.kind = kind;
    line.label = brief(label);
    line.value = brief(value);
    m_lines.push_back(std::move(line));
}

const std::vector<Inspector::Line>& Inspector::lines() {
    if (!m_stale)
        return m_lines;
    m_stale = false;
    m_lines.clear();
    if (!m_trace || !m_selection) {
        add(Line::Kind::Heading, tr("UNDER THE POINTER"));
        add(Line::Kind::Note, tr("Type a sentence to see its numbers here."));
        return m_lines;
    }
    const auto at = pointed();
    const auto kind = at.query >= 0 || at.key >= 0 ? at.kind : kindOnShow();
    addPointer(at);
    addRow(at);
    addSentence(kind);
    addOutputChange();
    addHead(kind);
    // Last what only a pair has: so nothing above moves when the pointer enters or leaves.
    addPredictions(at);
    addEnergy(at);
    return m_lines;
}

void Inspector::addPointer(const Pointed& at) {
    const bool any = at.query >= 0 || at.key >= 0;
    add(Line::Kind::Heading, any && m_selection->locked() ? tr("LOCKED · ESC LETS GO") : tr("UNDER THE POINTER"));
    if (!any) {
        add(Line::Kind::Note, tr("Point at a cell or a token to see its numbers. A click keeps them."));
        return;
    }
    auto query = at.query >= 0 ? nameOf(rowNames(at.kind), at.query) : QString();
    auto key = at.key >= 0 ? nameOf(run(at.kind).keyTokens(at.kind), at.key) : QString();
    const auto& known = facts(at.kind);
    if (!known.shown)
        return add(Line::Kind::Pair, query, key);
    int row = placeIn(known.queryRows, at.query), column = placeIn(known.keyColumns, at.key);
    if ((at.query >= 0 && row < 0) || (at.key >= 0 && column < 0)) {
        add(Line::Kind::Pair, query, key);
        return add(Line::Kind::Note, tr("Special tokens are left out."));
    }
    query = known.rows.value(row);
    key = known.columns.value(column);
    if (row < 0 || column < 0)
        return add(Line::Kind::Pair, query, key);

    Line big;
    big.kind = Line::Kind::Big;
    big.value = number(known.drawn.map.at(row, column));
    QString note;
    float change = std::nanf("");
    if (m_other && &run(at.kind) == m_trace.get()) {
        big.label = runName(*m_trace, m_other.get(), false);
        big.secondLabel = runName(*m_trace, m_other.get(), true);
        big.secondValue = number(std::nanf(""));
        const auto* both = known.comparison && known.comparison->comparable() ? &*known.comparison : nullptr;
        row = both ? placeIn(both->queryRows, at.query) : -1;
        column = both ? placeIn(both->keyColumns, at.key) : -1;
        if (row >= 0 && column >= 0) {
            // What is compared is what is named: words where the vocabularies differ.
            query = shownText(both->rows[static_cast<std::size_t>(row)]);
            key = shownText(both->columns[static_cast<std::size_t>(column)]);
            big.value = number(both->first.at(row, column));
            big.secondValue = number(both->second.at(row, column));
            change = both->difference.at(row, column);
            if (both->specialColumnsLeftOut && m_selection->specials())
                note = tr("Without special tokens, which differ.");
        }
    }
    add(Line::Kind::Pair, query, key);
    m_lines.push_back(std::move(big));
    if (againstFull() && std::isfinite(change))
        add(Line::Kind::Figure, tr("Change"), signedNumber(change));
    if (!note.isEmpty())
        add(Line::Kind::Note, note);
}

void Inspector::addBars(std::span<const float> values, const QStringList& names, int lit) {
    std::vector<int> order;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (std::isfinite(values[i]))
            order.push_back(static_cast<int>(i));
    if (order.empty())
        return add(Line::Kind::Note, tr("The model gave no numbers here."));
    const auto shown = std::min(order.size(), mostBars);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                      [values](int left, int right) {
                          const auto a = values[static_cast<std::size_t>(left)];
                          const auto b = values[static_cast<std::size_t>(right)];
                          return a != b ? a > b : left < right;
                      });
    for (std::size_t i = 0; i < shown; ++i) {
        const float value = values[static_cast<std::size_t>(order[i])];
        add(Line::Kind::Bar, names.value(order[i]), number(value));
        m_lines.back().share = value;
        m_lines.back().lit = order[i] == lit;
    }
}

void Inspector::addRow(const Pointed& at) {
    if (at.query < 0 && at.key < 0)
        return;
    const auto& known = facts(at.kind);
    if (!known.shown)
        return;
    const int row = placeIn(known.queryRows, at.query), column = placeIn(known.keyColumns, at.key);
    // The map on show may be B's, whose numbers are others.
    const bool ofTwo = m_other && !againstFull() && &run(at.kind) == m_trace.get() && m_other->block(at.kind);
    if (row >= 0) {
        add(Line::Kind::Heading, (ofTwo ? tr("A’S ROW “%1”") : tr("ROW “%1”")).arg(known.rows[row]));
        addBars(known.drawn.map.row(row), known.columns, column);
    } else if (at.query < 0 && column >= 0) {
        add(Line::Kind::Heading, (ofTwo ? tr("A’S COLUMN “%1”") : tr("COLUMN “%1”")).arg(known.columns[column]));
        std::vector<float> weights;
        for (int query = 0; query < known.drawn.map.rows; ++query)
            weights.push_back(known.drawn.map.at(query, column));
        addBars(weights, known.rows, -1);
    }
}

void Inspector::addOutputChange() {
    if (!againstFull())
        return;
    const auto change = outputChange(*m_trace, *m_other);
    if (change.steps == 0)
        return;
    add(Line::Kind::Heading, tr("OUTPUT, NOW AGAINST FULL"));
    add(Line::Kind::Figure, tr("Same choice"), QStringLiteral("%1 / %2").arg(change.sameChoice).arg(change.steps));
    add(Line::Kind::Figure, tr("Its probability"), tr("%1, in full %2").arg(number(change.now), number(change.inFull)));
}

void Inspector::addSentence(BlockKind kind) {
    const auto& known = facts(kind);
    if (!known.shown) {
        add(Line::Kind::Heading, tr("WHOLE SENTENCE"));
        add(Line::Kind::Note, tr("%1 has no attention to measure.").arg(shownModel(*m_trace)));
    } else if (known.comparison && known.comparison->comparable()) {
        const auto& both = *known.comparison;
        add(Line::Kind::Heading, tr("WHOLE SENTENCE"));
        add(Line::Kind::Figure, tr("Same strongest word"),
            QStringLiteral("%1 / %2").arg(both.agreeing).arg(both.counted));
        add(Line::Kind::Figure, tr("Mean divergence"), bits(both.meanDivergence));
        add(Line::Kind::Figure, againstFull() ? tr("Entropy now") : tr("Entropy A"), bits(both.meanFirstEntropy));
        add(Line::Kind::Figure, againstFull() ? tr("Entropy in full") : tr("Entropy B"), bits(both.meanSecondEntropy));
    } else if (known.comparison) {
        add(Line::Kind::Heading, tr("WHOLE SENTENCE"));
        add(Line::Kind::Note, reasonText(*known.comparison));
    } else if (!known.metrics) {
        add(Line::Kind::Heading, tr("WHOLE SENTENCE"));
        add(Line::Kind::Note, known.shown->name);
        add(Line::Kind::Figure, tr("Entropy"), bits(known.entropy));
    }
}

void Inspector::addHead(BlockKind kind) {
    const auto& known = facts(kind);
    if (!known.metrics)
        return;
    const bool compared = known.comparison && known.comparison->comparable(); // which has named A's entropy
    const auto* measured = runWithHeads(m_trace.get(), m_other.get(), kind);
    add(Line::Kind::Heading, !m_other || againstFull()   ? tr("HEAD")
                             : measured == m_trace.get() ? tr("HEAD OF A")
                                                         : tr("HEAD OF B"));
    add(Line::Kind::Note, QStringLiteral("%1 · %2").arg(kindName(kind), known.head));
    const auto& metrics = *known.metrics;
    if (metrics.queries == 0)
        return add(Line::Kind::Note, tr("No row has a choice to measure."));
    const auto figure = [this](const QString& name, const QString& value) { add(Line::Kind::Figure, name, value); };
    const auto percent = [](float share) { return tr("%1 %").arg(qRound(share * 100)); };
    figure(tr("Kind"), kindName(metrics.kind));
    if (!compared)
        figure(tr("Entropy"), bits(metrics.entropy));
    figure(tr("Largest weight"), number(metrics.confidence));
    if (const auto& relative = metrics.relative) {
        figure(tr("Mean distance"), tr("%1 tokens").arg(static_cast<double>(relative->distance), 0, 'f', 1));
        figure(tr("On the token before"), percent(relative->previous));
        figure(tr("On the token behind"), percent(relative->next));
        figure(tr("On the token itself"), percent(relative->self));
    }
    figure(tr("On the first token"), percent(metrics.first));
    figure(tr("On special tokens"), percent(metrics.special));
    if (known.aligns)
        figure(tr("Aligns, 0 to 1"), number(static_cast<float>(*known.aligns)));
    if (known.errorRate)
        figure(tr("Alignment error rate"), number(static_cast<float>(*known.errorRate)));
}

void Inspector::addPredictions(const Pointed& at) {
    const bool predicts = at.kind != BlockKind::Encoder || m_trace->target.empty();
    const auto* found = predicts && at.query >= 0 ? predictionAt(*m_trace, at.query) : nullptr;
    if (!found || found->candidates.empty())
        return;
    const auto step = static_cast<std::size_t>(at.query);
    const auto* full = againstFull() ? predictionAt(*m_other, at.query) : nullptr;
    add(Line::Kind::Heading, (full ? tr("STEP %1: NOW · IN FULL") : tr("PREDICTIONS AT STEP %1")).arg(at.query));
    for (std::size_t i = 0; i < std::min(found->candidates.size(), mostCandidates); ++i) {
        const auto& candidate = found->candidates[i];
        add(Line::Kind::Bar, shownText(candidate.letters), number(candidate.probability));
        auto& line = m_lines.back();
        line.share = candidate.probability;
        line.lit = step < m_trace->emitted.size() && m_trace->emitted[step].id == candidate.id;
        if (full)
            line.secondValue = number(probabilityOf(*full, candidate.id));
    }
    const auto& now = m_trace->target;
    const auto& then = full ? m_other->target : now;
    const auto read = std::min({step + 1, now.size(), then.size()});
    if (!std::equal(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(read), then.begin(),
                    [](const Token& a, const Token& b) { return a.id == b.id; }))
        add(Line::Kind::Note, tr("In full other words came before."));
}

void Inspector::addEnergy(const Pointed& at) {
    const auto& additive = m_trace->additive;
    if (!additive || at.kind != BlockKind::Cross || at.query < 0 || at.key < 0)
        return;
    const auto place = static_cast<std::size_t>(at.query) * static_cast<std::size_t>(additive->keys)
                       + static_cast<std::size_t>(at.key);
    add(Line::Kind::Heading, tr("HOW THIS WEIGHT CAME TO BE"));
    add(Line::Kind::Note, tr("e = v·tanh(W s + U h), then softmax over the row: Bahdanau et al. 2015, A.1.2"));
    if (at.query >= additive->queries || at.key >= additive->keys || place >= additive->energies.size())
        return;
    const auto row = std::span(additive->energies)
                         .subspan(static_cast<std::size_t>(at.query) * static_cast<std::size_t>(additive->keys),
                                  static_cast<std::size_t>(additive->keys));
    add(Line::Kind::Figure, tr("Energy e"), number(additive->energies[place]));
    add(Line::Kind::Figure, tr("Largest e of the row"), number(*std::max_element(row.begin(), row.end())));
    if (const auto& shown = facts(at.kind).shown)
        add(Line::Kind::Figure, tr("After softmax"), number(shown->map.at(at.query, at.key)));
}

QStringList Inspector::describe() const {
    QStringList texts;
    for (const auto& line : const_cast<Inspector*>(this)->lines()) {
        switch (line.kind) {
        case Line::Kind::Heading:
        case Line::Kind::Note:
            texts << line.label;
            break;
        case Line::Kind::Pair:
            texts << QStringLiteral("%1 → %2").arg(line.label, line.value).trimmed();
            break;
        case Line::Kind::Big:
            texts << (line.secondValue.isEmpty()
                          ? line.value
                          : tr("%1 %2, %3 %4").arg(line.label, line.value, line.secondLabel, line.secondValue));
            break;
        case Line::Kind::Figure:
        case Line::Kind::Bar:
            texts << (line.secondValue.isEmpty()
                          ? tr("%1: %2").arg(line.label, line.value)
                          : tr("%1: %2, in full %3").arg(line.label, line.value, line.secondValue));
            break;
        }
    }
    return texts;
}

int Inspector::heightOf(const Line& line, int width) const {
    const int text = QFontMetrics(sized(m_appearance, 1)).height();
    switch (line.kind) {
    case Line::Kind::Heading:
        return text + 6;
    case Line::Kind::Pair:
        return text + 8;
    case Line::Kind::Big:
        return QFontMetrics(sized(m_appearance, 1.9)).height() + (line.secondValue.isEmpty() ? 0 : text + 2);
    case Line::Kind::Figure:
        return text + 5;
    case Line::Kind::Bar:
        return text + 7;
    case Line::Kind::Note:
        return QFontMetrics(sized(m_appearance, 0.93))
                   .boundingRect(QRect(0, 0, width, 10'000), Qt::TextWordWrap, line.label)
                   .height()
               + 5;
    }
    return 0;
}

void Inspector::draw(QPainter& painter, const Line& line, const QRect& place) const {
    const auto& look = m_appearance;
    const auto plain = sized(look, 1), bold = sized(look, 1, QFont::Bold), small = sized(look, 0.93);
    switch (line.kind) {
    case Line::Kind::Heading:
        drawText(painter, place.adjusted(0, 0, 0, -6), Qt::AlignLeft, line.label, headingFont(look), look.muted);
        break;
    case Line::Kind::Pair: {
        // Each gets what it needs, and both a half when they need more than there is.
        const QFontMetrics plainMetrics(plain), boldMetrics(bold);
        const auto arrow = line.label.isEmpty() || line.value.isEmpty() ? QString() : QStringLiteral(" → ");
        const int room = place.width() - plainMetrics.horizontalAdvance(arrow);
        const int value = boldMetrics.horizontalAdvance(line.value);
        const auto label = plainMetrics.elidedText(line.label, Qt::ElideRight, std::max(room - value, room / 2));
        QRect rest = place.adjusted(0, 0, 0, -6);
        for (const auto& [text, color] : {std::pair(label, look.text), std::pair(arrow, look.muted)}) {
            drawText(painter, rest, Qt::AlignLeft, text, plain, color);
            rest.setLeft(rest.left() + plainMetrics.horizontalAdvance(text));
        }
        drawText(painter, rest, Qt::AlignLeft, line.value, bold, look.text);
        break;
    }
    case Line::Kind::Big: {
        const auto large = sized(look, 1.9, QFont::Bold);
        const int column = std::min(place.width() / 2, 96);
        auto numbers = place;
        if (!line.secondValue.isEmpty()) {
            const int names = QFontMetrics(plain).height();
            numbers.setTop(place.top() + names + 2);
            drawText(painter, QRect(place.left(), place.top(), column, names), Qt::AlignLeft, line.label, small,
                     look.muted);
            drawText(painter, QRect(place.left() + column, place.top(), column, names), Qt::AlignLeft, line.secondLabel,
                     small, look.muted);
        }
        drawText(painter, numbers, Qt::AlignLeft, line.value, large, look.text);
        drawText(painter, numbers.adjusted(column, 0, 0, 0), Qt::AlignLeft, line.secondValue, large, look.text);
        break;
    }
    case Line::Kind::Figure: {
        const int value = std::min(QFontMetrics(bold).horizontalAdvance(line.value) + 1, place.width() * 2 / 3);
        drawText(painter, place.adjusted(0, 0, -value - columnGap, 0), Qt::AlignLeft, line.label, plain, look.text);
        drawText(painter, QRect(place.right() + 1 - value, place.top(), value, place.height()), Qt::AlignRight,
                 line.value, bold, look.text);
        break;
    }
    case Line::Kind::Bar: {
        const auto font = line.lit ? sized(look, 0.93, QFont::Bold) : small;
        // The same columns in each section, whatever its words.
        const int label = place.width() * 36 / 100;
        const int value = QFontMetrics(sized(look, 0.93, QFont::Bold)).horizontalAdvance(QStringLiteral("0.00"));
        drawText(painter, QRect(place.left(), place.top(), label, place.height()), Qt::AlignLeft, line.label, font,
                 look.text);
        const int both = line.secondValue.isEmpty() ? value : 2 * value + columnGap;
        drawText(painter, QRect(place.right() + 1 - both, place.top(), value, place.height()), Qt::AlignRight,
                 line.value, font, line.lit ? look.text : look.muted);
        if (!line.secondValue.isEmpty())
            drawText(painter, QRect(place.right() + 1 - value, place.top(), value, place.height()), Qt::AlignRight,
                     line.secondValue, small, look.muted);
        const double longest = place.width() - label - both - 2 * columnGap;
        const double length = longest * std::clamp(static_cast<double>(line.share), 0.0, 1.0);
        painter.setPen(Qt::NoPen);
        painter.setBrush(line.lit ? look.accent : look.accentSoft);
        painter.drawRoundedRect(
            QRectF(place.left() + label + columnGap, place.center().y() - 3, std::max(2.0, length), 8), 2, 2);
        break;
    }
    case Line::Kind::Note:
        painter.setFont(small);
        painter.setPen(look.muted);
        painter.drawText(place, Qt::TextWordWrap, line.label);
        break;
    }
}

void Inspector::paintEvent(QPaintEvent* event) {
    QPainter painter(this);
    painter.fillRect(event->rect(), m_appearance.panel);
    painter.setRenderHint(QPainter::Antialiasing);
    const auto& all = lines();
    const int width = this->width() - 2 * margin;
    int top = margin;
    for (std::size_t from = 0, to = 0; from < all.size(); from = to) {
        int height = 0;
        do
            height += heightOf(all[to++], width);
        while (to < all.size() && all[to].kind != Line::Kind::Heading);
        // A section is written whole or not at all; a shorter one behind it may still find room.
        if (top + height > this->height() && from > 0)
            continue;
        for (std::size_t i = from; i < to; ++i) {
            const int tall = heightOf(all[i], width);
            draw(painter, all[i], QRect(margin, top, width, tall));
            top += tall;
        }
        top += sectionGap;
    }
}

} // namespace headlight
