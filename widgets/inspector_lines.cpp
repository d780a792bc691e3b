#include "widgets/inspector_lines.h"

#include "widgets/inspector_facts.h"
#include "widgets/names.h"
#include "widgets/plain_text.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

namespace headlight {

namespace {

using Line = InspectorLine;

constexpr std::size_t mostBars = 6;
constexpr std::size_t mostCandidates = 5;

QString number(float value) {
    if (!std::isfinite(value))
        return QStringLiteral("–");
    return QString::number(static_cast<double>(value), 'f', 2).replace(QLatin1Char('-'), QChar(0x2212));
}

QString signedNumber(float value) {
    return value > 0 ? QLatin1Char('+') + number(value) : number(value);
}

QString nameOf(const std::vector<Token>& tokens, int index) {
    return index >= 0 && static_cast<std::size_t>(index) < tokens.size()
               ? shownText(tokens[static_cast<std::size_t>(index)].letters)
               : QString::number(index);
}

/// The row or column that holds this query or key; -1 when it was left out.
int placeIn(const std::vector<int>& places, int token) {
    return static_cast<std::size_t>(token) < places.size() ? places[static_cast<std::size_t>(token)] : -1;
}

/// Writes the sections one below the other.
class Writer {
    Q_DECLARE_TR_FUNCTIONS(headlight::Inspector)
public:
    explicit Writer(InspectorFacts& facts) : m_facts(facts) {}

    std::vector<Line> written();

private:
    static QString bits(float value) { return std::isfinite(value) ? tr("%1 bit").arg(number(value)) : number(value); }
    void addPointer(const InspectorFacts::Pointed& at);
    void addRow(const InspectorFacts::Pointed& at);
    void addSentence(BlockKind kind);
    /// What the heads that are off do for the output.
    void addOutputChange();
    void addHead(BlockKind kind);
    void addPredictions(const InspectorFacts::Pointed& at);
    void addEnergy(const InspectorFacts::Pointed& at);
    void addBars(std::span<const float> values, const QStringList& names, int lit);
    void add(Line::Kind kind, const QString& label, const QString& value = {});

    InspectorFacts& m_facts;
    std::vector<Line> m_lines;
};

std::vector<Line> Writer::written() {
    if (!m_facts.known()) {
        add(Line::Kind::Heading, tr("UNDER THE POINTER"));
        add(Line::Kind::Note, tr("Type a sentence to see its numbers here."));
        return std::move(m_lines);
    }
    const auto at = m_facts.pointed();
    const auto kind = at.any() ? at.kind : m_facts.kindOnShow();
    addPointer(at);
    addRow(at);
    addSentence(kind);
    addOutputChange();
    addHead(kind);
    // Last what only a pair has: so nothing above moves when the pointer enters or leaves.
    addPredictions(at);
    addEnergy(at);
    return std::move(m_lines);
}

void Writer::add(Line::Kind kind, const QString& label, const QString& value) {
    Line line;
    line.kind = kind;
    line.label = brief(label);
    line.value = brief(value);
    m_lines.push_back(std::move(line));
}

void Writer::addPointer(const InspectorFacts::Pointed& at) {
    const bool any = at.any();
    add(Line::Kind::Heading,
        any && m_facts.selection().locked() ? tr("LOCKED · ESC LETS GO") : tr("UNDER THE POINTER"));
    if (!any) {
        add(Line::Kind::Note, tr("Point at a cell or a token to see its numbers. A click keeps them."));
        return;
    }
    auto query = at.query >= 0 ? nameOf(m_facts.rowTokens(at.kind), at.query) : QString();
    auto key = at.key >= 0 ? nameOf(m_facts.run(at.kind).keyTokens(at.kind), at.key) : QString();
    const auto& known = m_facts.of(at.kind);
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
    if (m_facts.other() && &m_facts.run(at.kind) == &m_facts.trace()) {
        big.label = runName(m_facts.trace(), m_facts.other(), false);
        big.secondLabel = runName(m_facts.trace(), m_facts.other(), true);
        big.secondValue = number(std::nanf(""));
        const auto* both = known.comparison && known.comparison->comparable() ? known.comparison.get() : nullptr;
        row = both ? placeIn(both->queryRows, at.query) : -1;
        column = both ? placeIn(both->keyColumns, at.key) : -1;
        if (row >= 0 && column >= 0) {
            // What is compared is what is named: words where the vocabularies differ.
            query = shownText(both->rows[static_cast<std::size_t>(row)]);
            key = shownText(both->columns[static_cast<std::size_t>(column)]);
            big.value = number(both->first.at(row, column));
            big.secondValue = number(both->second.at(row, column));
            change = both->difference.at(row, column);
            if (both->specialColumnsLeftOut && m_facts.selection().specials())
                note = tr("Without special tokens, which differ.");
        }
    }
    add(Line::Kind::Pair, query, key);
    m_lines.push_back(std::move(big));
    if (m_facts.againstFull() && std::isfinite(change))
        add(Line::Kind::Figure, tr("Change"), signedNumber(change));
    if (!note.isEmpty())
        add(Line::Kind::Note, note);
}

void Writer::addBars(std::span<const float> values, const QStringList& names, int lit) {
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

void Writer::addRow(const InspectorFacts::Pointed& at) {
    if (!at.any())
        return;
    const auto& known = m_facts.of(at.kind);
    if (!known.shown)
        return;
    const int row = placeIn(known.queryRows, at.query), column = placeIn(known.keyColumns, at.key);
    // The map on show may be B's, whose numbers are others.
    const bool ofTwo = m_facts.other() && !m_facts.againstFull() && &m_facts.run(at.kind) == &m_facts.trace()
                       && m_facts.other()->block(at.kind);
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

void Writer::addOutputChange() {
    if (!m_facts.againstFull())
        return;
    const auto change = outputChange(m_facts.trace(), *m_facts.other());
    if (change.steps == 0)
        return;
    add(Line::Kind::Heading, tr("OUTPUT, NOW AGAINST FULL"));
    add(Line::Kind::Figure, tr("Same choice"), QStringLiteral("%1 / %2").arg(change.sameChoice).arg(change.steps));
    add(Line::Kind::Figure, tr("Its probability"), tr("%1, in full %2").arg(number(change.now), number(change.inFull)));
}

void Writer::addSentence(BlockKind kind) {
    const auto& known = m_facts.of(kind);
    if (known.pending) {
        add(Line::Kind::Heading, tr("WHOLE SENTENCE"));
        add(Line::Kind::Note, tr("Being worked out…"));
    } else if (!known.shown) {
        add(Line::Kind::Heading, tr("WHOLE SENTENCE"));
        add(Line::Kind::Note, tr("%1 has no attention to measure.").arg(shownModel(m_facts.trace())));
    } else if (known.comparison && known.comparison->comparable()) {
        const auto& both = *known.comparison;
        add(Line::Kind::Heading, tr("WHOLE SENTENCE"));
        add(Line::Kind::Figure, tr("Same strongest word"),
            QStringLiteral("%1 / %2").arg(both.agreeing).arg(both.counted));
        add(Line::Kind::Figure, tr("Mean divergence"), bits(both.meanDivergence));
        add(Line::Kind::Figure, m_facts.againstFull() ? tr("Mean entropy now") : tr("Mean entropy A"),
            bits(both.meanFirstEntropy));
        add(Line::Kind::Figure, m_facts.againstFull() ? tr("Mean entropy in full") : tr("Mean entropy B"),
            bits(both.meanSecondEntropy));
    } else if (known.comparison) {
        add(Line::Kind::Heading, tr("WHOLE SENTENCE"));
        add(Line::Kind::Note, reasonText(*known.comparison));
    } else if (!known.metrics) {
        add(Line::Kind::Heading, tr("WHOLE SENTENCE"));
        add(Line::Kind::Note, mapName(*known.shown));
        add(Line::Kind::Figure, tr("Mean entropy"), bits(known.entropy));
    }
}

void Writer::addHead(BlockKind kind) {
    const auto& known = m_facts.of(kind);
    if (!known.metrics)
        return;
    const bool compared = known.comparison && known.comparison->comparable(); // which has named A's entropy
    const bool ofA = &m_facts.run(kind) == &m_facts.trace();
    add(Line::Kind::Heading, !m_facts.other() || m_facts.againstFull() ? tr("HEAD")
                             : ofA                                     ? tr("HEAD OF A")
                                                                       : tr("HEAD OF B"));
    add(Line::Kind::Note, QStringLiteral("%1 · %2").arg(kindName(kind), known.head));
    const auto& metrics = *known.metrics;
    if (metrics.queries == 0)
        return add(Line::Kind::Note, tr("No row has a choice to measure."));
    const auto figure = [this](const QString& name, const QString& value) { add(Line::Kind::Figure, name, value); };
    const auto percent = [](float share) { return tr("%1 %").arg(qRound(share * 100)); };
    figure(tr("Kind"), kindName(metrics.kind));
    if (!compared)
        figure(tr("Mean entropy"), bits(metrics.entropy));
    figure(tr("Mean largest weight"), number(metrics.confidence));
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

void Writer::addPredictions(const InspectorFacts::Pointed& at) {
    const bool predicts = at.kind != BlockKind::Encoder || m_facts.trace().target.empty();
    const auto* found = predicts && at.query >= 0 ? predictionAt(m_facts.trace(), at.query) : nullptr;
    if (!found || found->candidates.empty())
        return;
    const auto step = static_cast<std::size_t>(at.query);
    const auto* full = m_facts.againstFull() ? predictionAt(*m_facts.other(), at.query) : nullptr;
    add(Line::Kind::Heading, (full ? tr("STEP %1: NOW · IN FULL") : tr("PREDICTIONS AT STEP %1")).arg(at.query));
    for (std::size_t i = 0; i < std::min(found->candidates.size(), mostCandidates); ++i) {
        const auto& candidate = found->candidates[i];
        add(Line::Kind::Bar, shownText(candidate.letters), number(candidate.probability));
        auto& line = m_lines.back();
        line.share = candidate.probability;
        line.lit = step < m_facts.trace().emitted.size() && m_facts.trace().emitted[step].id == candidate.id;
        if (full)
            line.secondValue = number(probabilityOf(*full, candidate.id));
    }
    const auto& now = m_facts.trace().target;
    const auto& then = full ? m_facts.other()->target : now;
    const auto read = std::min({step + 1, now.size(), then.size()});
    if (!std::equal(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(read), then.begin(),
                    [](const Token& a, const Token& b) { return a.id == b.id; }))
        add(Line::Kind::Note, tr("In full other words came before."));
}

void Writer::addEnergy(const InspectorFacts::Pointed& at) {
    const auto& additive = m_facts.trace().additive;
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
    if (const auto& shown = m_facts.of(at.kind).shown)
        add(Line::Kind::Figure, tr("After softmax"), number(shown->map.at(at.query, at.key)));
}

} // namespace

std::vector<InspectorLine> inspectorLines(InspectorFacts& facts) {
    return Writer(facts).written();
}

QStringList wordsOf(const std::vector<InspectorLine>& lines) {
    QStringList texts;
    for (const auto& line : lines) {
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
                          : Writer::tr("%1 %2, %3 %4").arg(line.label, line.value, line.secondLabel, line.secondValue));
            break;
        case Line::Kind::Figure:
        case Line::Kind::Bar:
            texts << (line.secondValue.isEmpty()
                          ? Writer::tr("%1: %2").arg(line.label, line.value)
                          : Writer::tr("%1: %2, in full %3").arg(line.label, line.value, line.secondValue));
            break;
        }
    }
    return texts;
}

} // namespace headlight
