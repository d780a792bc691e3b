#include "widgets/query_key_view.h"

#include "core/analysis/query_key.h"
#include "widgets/controls.h"
#include "widgets/names.h"
#include "widgets/plain_text.h"
#include "widgets/run_box.h"

#include <QKeyEvent>
#include <QLabel>

#include <algorithm>
#include <cmath>
#include <limits>

namespace headlight {

namespace {

using Column = StripPanel::Column;

std::size_t asSize(int number) {
    return static_cast<std::size_t>(number);
}

QString four(float value) {
    return std::isinf(value) ? QStringLiteral("−∞") : numberText(value, 4);
}

/// "±1.83"
QString rangeText(float high) {
    return QStringLiteral("±%1").arg(QString::number(static_cast<double>(high), 'g', 3));
}

/// A column of strips, a row for each key, under what stands above them and over what stands below: numbers that are
/// added or compared, and so of one range.
Column stripColumn(const QString& name, const QString& meaning, int space, const std::vector<float>& rows, int size,
                   const std::vector<std::vector<float>>& above, const std::vector<float>& below) {
    Column column;
    column.name = name;
    column.size = size;
    column.space = space;
    column.high = largestOf(below, largestOf(rows));
    for (const auto& strip : above)
        column.high = largestOf(strip, column.high);
    column.meaning =
        meaning.isEmpty() ? rangeText(column.high) : QStringLiteral("%1, %2").arg(meaning, rangeText(column.high));
    column.rows = above;
    for (std::size_t first = 0; first < rows.size(); first += asSize(size))
        column.rows.emplace_back(rows.begin() + static_cast<std::ptrdiff_t>(first),
                                 rows.begin() + static_cast<std::ptrdiff_t>(first) + size);
    column.rows.push_back(below);
    return column;
}

/// A column of single numbers.
Column numberColumn(const QString& name, const QString& meaning, const std::vector<float>& rows, int above,
                    std::vector<float> below = {}) {
    Column column;
    column.name = name;
    column.meaning = meaning;
    column.high = std::max(1e-6f, largestOf(rows));
    column.rows.resize(asSize(above));
    for (const float value : rows)
        column.rows.push_back({value});
    column.rows.push_back(std::move(below));
    return column;
}

Column weightColumn(const std::vector<float>& rows, int above, float sum) {
    auto column = numberColumn(QueryKeyView::tr("softmax"), QueryKeyView::tr("weight"), rows, above, {sum});
    column.differs = false;
    column.high = 1;
    return column;
}

/// "exp(0.4013 − 2.1000) / 3.4210 = 0.0535"
QString softmaxText(const std::vector<float>& scores, int key, float sum, float weight) {
    const float most = *std::max_element(scores.begin(), scores.end());
    double all = 0;
    for (const float score : scores)
        all += std::exp(static_cast<double>(score) - static_cast<double>(most));
    const auto divided = QueryKeyView::tr("exp(%1 − %2) / %3")
                             .arg(four(scores[asSize(key)]), four(most), numberText(static_cast<float>(all), 4));
    return QueryKeyView::tr("%1%2 = %3")
        .arg(divided, sum < 1 ? QStringLiteral(" × %1").arg(four(sum)) : QString(), four(weight));
}

QString differenceNote(float difference) {
    if (std::isnan(difference))
        return QueryKeyView::tr("Some of these are not numbers.");
    return difference > 1e-5f
               ? QueryKeyView::tr("The trace's own weights differ from these by up to %1.").arg(four(difference))
               : QString();
}

QStringList inLines(QStringList names) {
    std::transform(names.begin(), names.end(), names.begin(), inLine);
    return names;
}

} // namespace

QueryKeyView::QueryKeyView(QWidget* parent)
    : FigureView(parent), m_run(new RunBox(this)), m_queries(new ComboBox(this)) {
    m_queries->setToolTip(tr("The token that looks (← and → in the picture)"));
    m_queries->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_queries->setMaximumWidth(220);
    addControl(m_queries, tr("Query"));
    addControl(m_run);
    auto* keys = new QLabel(tr("←→ query   ↑↓ key   Shift ←→ dimension"), this);
    keys->setProperty("note", true);
    keys->setToolTip(tr("Point at a cell to see what it was computed from. Ctrl+Shift ←→: from strip to strip."));
    addControl(keys);
    connect(m_run, &QComboBox::activated, this, [this] { rebuild(); });
    connect(m_queries, &QComboBox::activated, this, [this](int query) {
        if (const auto what = trace() ? shown() : std::nullopt; what && what->query != Query(query))
            goTo(*what, Query(query));
    });
    keepChoice(QStringLiteral("run"), m_run);
    keepChoice(
        QStringLiteral("query"),
        [this] {
            return m_query ? QVariantList{static_cast<int>(m_kind), m_query->value} : QVariantList();
        },
        [this](const QVariant& wanted) {
            const auto numbers = wanted.toList();
            m_query.reset();
            if (numbers.size() == 2 && numbers[1].toInt() >= 0) {
                m_kind = static_cast<BlockKind>(std::clamp(numbers[0].toInt(), 0, 2));
                m_query = Query(numbers[1].toInt());
            }
            rebuild();
        });
}

void QueryKeyView::setSelection(Selection* selection) {
    // Before the base class, which then draws what is asked for here.
    connect(selection, &Selection::pairChanged, this, [this, selection] {
        const auto& pair = selection->pair();
        if (pair.kind != selection->kind() || !pair.query || (pair.query == m_query && pair.kind == m_kind))
            return;
        m_query = pair.query;
        m_kind = pair.kind;
        rebuild();
    });
    FigureView::setSelection(selection);
}

std::optional<QueryKeyView::Shown> QueryKeyView::shown() const {
    Shown shown;
    shown.kind = selection()->kind();
    shown.run = m_run->chosen(trace(), other());
    if (!hasHeads(*shown.run, shown.kind))
        return std::nullopt;
    const auto& block = *shown.run->block(shown.kind);
    const auto map = shownHead(shown.run, shown.kind);
    if (!map || block.queries < 1 || block.keys < 1)
        return std::nullopt;
    shown.place = *map->place;
    shown.head = mapName(*map);
    const auto& tokens = rowTokens(*shown.run, shown.kind, map->rows);
    shown.queries = shownTexts(tokens);
    shown.keys = shownTexts(shown.run->keyTokens(shown.kind));
    const auto& pair = selection()->pair();
    shown.linked = sharesTokens(*shown.run, shown.kind);
    const auto own = m_own && m_own->first == shown.kind ? std::optional(m_own->second) : std::nullopt;
    const auto last = m_kind == shown.kind ? m_query : std::nullopt;
    if (shown.linked && pair.kind == shown.kind && pair.query && pair.query->value < block.queries) {
        shown.query = *pair.query;
    } else if (const auto& kept = shown.linked ? last : own; kept && kept->value < block.queries) {
        shown.query = *kept;
    } else {
        const auto ordinary =
            std::find_if(tokens.rbegin(), tokens.rend(), [](const auto& token) { return !token.special; });
        const auto place = std::distance(ordinary, tokens.rend()) - 1;
        shown.query = Query(std::clamp(static_cast<int>(place), 0, block.queries - 1));
        shown.how = tr("the last word, until another is pointed at");
    }
    return shown;
}

std::vector<Panel> QueryKeyView::build() {
    const auto what = shown();
    m_run->offer(trace(), other());
    m_queries->setEnabled(false);
    if (!what)
        return {};
    fillControls(*what);
    const auto& block = *what->run->block(what->kind);
    const bool isAdditive = what->kind == BlockKind::Cross && what->run->additive;
    const bool vectors = block.headSize > 0 && !block.queryRows.empty() && !block.keyRows.empty();
    if (!isAdditive && !vectors && block.scores.empty())
        return {};
    m_queries->setEnabled(true);
    auto panel = isAdditive ? additive(*what) : dotProduct(*what);
    panel.kind = what->kind;
    panel.query = what->query;
    panel.linked = what->linked;
    panel.title = titleOf(*what->run);
    const auto place = isAdditive ? tr("additive") : what->head;
    panel.subtitle = tr("%1 · %2 · query %3 “%4”")
                         .arg(kindName(what->kind), place)
                         .arg(what->query.value)
                         .arg(what->queries.value(what->query.value));
    if (!what->how.isEmpty())
        panel.subtitle += QStringLiteral(" (%1)").arg(what->how);
    const auto& intervention = what->run->intervention;
    const Intervention::HeadOff own{what->kind, what->place.layer, what->place.head};
    if (std::find(intervention.off.begin(), intervention.off.end(), own) != intervention.off.end())
        panel.note = tr("This head is switched off: its output is taken as 0. ") + panel.note;
    for (const auto& forced : intervention.forced)
        if (what->kind == BlockKind::Cross && forced.query == what->query)
            panel.note = tr("Attention was forced onto “%1” here: the weights in use are not these. ")
                             .arg(what->keys.value(forced.key.value))
                         + panel.note;
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

StripPanel QueryKeyView::dotProduct(const Shown& shown) const {
    const auto steps = dotProductSteps(*shown.run->block(shown.kind), shown.place.layer, shown.place.head, shown.query);
    const bool vectors = steps.size > 0;
    const int above = vectors ? 1 : 0;
    StripPanel panel;
    const auto scale = QString::number(static_cast<double>(steps.scale), 'g', 4);
    const bool usual = // 1 / √d
        std::abs(static_cast<double>(steps.scale) * std::sqrt(static_cast<double>(steps.size)) - 1) < 1e-4;
    panel.formula = tr("weight = softmax(score)");
    if (vectors)
        panel.formula =
            tr("softmax(q · kⱼ %1%2) v      Vaswani et al. 2017, Eq. 1: Attention(Q, K, V) = softmax(Q Kᵀ / "
               "√dₖ) V%3")
                .arg(usual ? QStringLiteral("/ √d") : QStringLiteral("× %1").arg(scale),
                     steps.added ? tr(" + bias") : QString(),
                     steps.added ? tr("; biases: Raffel et al. 2020, 2.1") : QString());
    panel.above = above;
    panel.below = 1;
    if (vectors)
        panel.rows << tr("q of “%1”").arg(shown.queries.value(shown.query.value));
    panel.rows << shown.keys.mid(0, steps.keys) << tr("sum");

    enum Kind { KeyStrip, Products, Sum, Scaled, Added, Score, Weight, Values };
    std::vector<Kind> kinds;
    const auto add = [&](Kind kind, Column column) {
        kinds.push_back(kind);
        panel.columns.push_back(std::move(column));
    };
    const bool masked = std::find(steps.masked.begin(), steps.masked.end(), true) != steps.masked.end();
    if (vectors) {
        auto keys = stripColumn(QStringLiteral("q, kⱼ"), {}, 0, steps.keyRows, steps.size, {{}}, {});
        keys.rows.front() = steps.query; // multiplied with them: its range is its own
        keys.highAbove = std::max(1e-6f, largestOf(steps.query));
        keys.meaning = tr("%1, %2").arg(rangeText(keys.highAbove), rangeText(keys.high));
        add(KeyStrip, std::move(keys));
        add(Products, stripColumn(QStringLiteral("q ∘ kⱼ"), {}, 0, steps.products, steps.size, {{}}, {}));
        add(Sum, numberColumn(QStringLiteral("q · kⱼ"), tr("sum"), steps.sums, above));
        add(Scaled, numberColumn(QStringLiteral("× %1").arg(scale),
                                 usual ? QStringLiteral("1/√%1").arg(steps.size) : tr("scaled"), steps.scaled, above));
    }
    if (steps.added) {
        auto additions = steps.additions;
        for (std::size_t key = 0; key < additions.size(); ++key)
            if (steps.masked[key])
                additions[key] = std::numeric_limits<float>::quiet_NaN(); // nothing to add there
        add(Added, numberColumn(tr("+ bias"), tr("added"), additions, above));
    }
    if (steps.added || masked || !vectors)
        add(Score, numberColumn(tr("score"),
                                masked    ? tr("−∞: masked")
                                : vectors ? tr("their sum")
                                          : QString(),
                                steps.scores, above));
    add(Weight, weightColumn(steps.weights, above, steps.sum));
    if (steps.valueSize > 0)
        add(Values, stripColumn(tr("weight · vⱼ"), {}, 1, steps.weighted, steps.valueSize,
                                std::vector<std::vector<float>>(asSize(above)), steps.output));

    QStringList notes;
    if (!vectors)
        notes << tr("This trace holds no query and key vectors.");
    else if (!steps.scaleKnown)
        notes << tr("The trace holds no scale: 1/√d is taken.");
    if (!steps.scoresKnown)
        notes << tr("It holds no scores: what else was added to them cannot be told, and a weight of 0 is read as "
                    "masked.");
    if (steps.valueSize == 0)
        notes << tr("It holds no value vectors.");
    if (steps.sum < 1)
        notes << tr("Some keys count several times (blocks that are looked at twice): single shares sum to %1.")
                     .arg(four(steps.sum));
    notes << differenceNote(steps.largestDifference);
    notes.removeAll(QString());
    panel.note = notes.join(QLatin1Char(' '));

    const auto names = inLines(shown.keys);
    const auto queryName = inLine(shown.queries.value(shown.query.value));
    const auto query = shown.query.value;
    panel.words = [steps, kinds, names, queryName, query, above](int row, int column, int place) -> QStringList {
        const int key = row - above;
        const auto number = [](const std::vector<float>& values, int index) { return four(values[asSize(index)]); };
        const auto cell = [&](const std::vector<float>& rows, int size) { return number(rows, key * size + place); };
        if (key < 0) {
            if (column == 0)
                return {tr("q[%1] of “%2” = %3").arg(place).arg(queryName, number(steps.query, place))};
            return column < 0 ? QStringList{tr("q: the query vector of “%1” (query %2)")
                                                .arg(queryName, QString::number(query))}
                              : QStringList();
        }
        if (key >= steps.keys) {
            if (column >= 0 && kinds[asSize(column)] == Values)
                return {tr("output[%1] = Σ weight · vⱼ[%1] = %2").arg(place).arg(number(steps.output, place))};
            return {tr("Σ weight = %1").arg(four(steps.sum))};
        }
        QStringList words{tr("%1 → %2 (key %3)").arg(queryName, names.value(key), QString::number(key))};
        switch (column < 0 ? Weight : kinds[asSize(column)]) {
        case KeyStrip:
            words << tr("k[%1] = %2").arg(place).arg(cell(steps.keyRows, steps.size));
            break;
        case Products:
            words << tr("q[%1] · k[%1] = %2 · %3 = %4")
                         .arg(place)
                         .arg(number(steps.query, place), cell(steps.keyRows, steps.size),
                              cell(steps.products, steps.size));
            break;
        case Sum:
            words << tr("q · k = %1, the sum of %2 products").arg(number(steps.sums, key)).arg(steps.size);
            break;
        case Scaled:
            words << tr("%1 × %2 = %3")
                         .arg(number(steps.sums, key))
                         .arg(static_cast<double>(steps.scale), 0, 'g', 6)
                         .arg(number(steps.scaled, key));
            break;
        case Added:
            if (steps.masked[asSize(key)])
                words << tr("masked: nothing to add");
            else
                words << tr("score − scaled = %1 − %2 = %3")
                             .arg(number(steps.scores, key), number(steps.scaled, key), number(steps.additions, key));
            break;
        case Score:
            if (steps.masked[asSize(key)])
                words << tr("masked: this query may not look there");
            else if (steps.size > 0)
                words << tr("%1 + %2 = %3")
                             .arg(number(steps.scaled, key), number(steps.additions, key), number(steps.scores, key));
            else
                words << tr("score %1").arg(number(steps.scores, key));
            break;
        case Weight:
            if (column < 0 && steps.size > 0)
                words << tr("q · k = %1, scaled %2").arg(number(steps.sums, key), number(steps.scaled, key));
            if (steps.masked[asSize(key)])
                words << tr("masked: weight 0");
            else
                words << tr("weight = %1").arg(softmaxText(steps.scores, key, steps.sum, steps.weights[asSize(key)]));
            break;
        case Values:
            words << tr("weight · v[%1] = %2 · %3 = %4")
                         .arg(place)
                         .arg(number(steps.weights, key), cell(steps.valueRows, steps.valueSize),
                              cell(steps.weighted, steps.valueSize));
            break;
        }
        return words;
    };
    return panel;
}

StripPanel QueryKeyView::additive(const Shown& shown) const {
    const auto steps = additiveSteps(*shown.run->additive, *shown.run->block(shown.kind), shown.query);
    StripPanel panel;
    const bool knowsLast = shown.run->additive->knowsLastToken;
    panel.formula =
        knowsLast ? tr(
            "eᵢⱼ = vᵀ tanh(W s′ᵢ + U hⱼ), weights: softmax over j      Sennrich et al. 2017: s′ᵢ knows token i − 1")
                  : tr("eᵢⱼ = vᵀ tanh(W sᵢ₋₁ + U hⱼ), weights: softmax over j      Bahdanau et al. 2015, A.1.2");
    panel.above = 2;
    panel.below = 1;
    panel.rows << tr("W s for “%1”").arg(shown.queries.value(shown.query.value)) << QStringLiteral("v")
               << shown.keys.mid(0, steps.keys) << tr("sum");

    enum Kind { KeyStrip, Hidden, Products, Energy, Weight, Values };
    const std::vector<Kind> kinds{KeyStrip, Hidden, Products, Energy, Weight, Values};
    const std::vector<std::vector<float>> nothing(2);
    panel.columns = {
        stripColumn(QStringLiteral("W s, U hⱼ"), {}, 0, steps.keyRows, steps.size, {steps.query, {}}, {}),
        stripColumn(QStringLiteral("tanh(W s + U hⱼ)"), {}, 0, steps.hidden, steps.size, nothing, {}),
        stripColumn(QStringLiteral("v ∘ tanh(…)"), {}, 0, steps.products, steps.size, {{}, steps.v}, {}),
        numberColumn(QStringLiteral("eᵢⱼ"), tr("energy, sum"), steps.energies, 2),
        weightColumn(steps.weights, 2, 1),
    };
    if (steps.valueSize > 0)
        panel.columns.push_back(
            stripColumn(tr("weight · hⱼ"), {}, 1, steps.weighted, steps.valueSize, nothing, steps.context));
    panel.note = differenceNote(steps.largestDifference);
    if (steps.valueSize == 0)
        panel.note = QStringList{tr("The run was kept without the annotations hⱼ that the weights sum up."), panel.note}
                         .join(QLatin1Char(' '))
                         .trimmed();

    const auto names = inLines(shown.keys);
    const auto queryName = inLine(shown.queries.value(shown.query.value));
    const auto asked = knowsLast ? tr("W s: the state that has taken in the token before “%1”, times W").arg(queryName)
                                 : tr("W s: the decoder's state before “%1”, times W").arg(queryName);
    panel.words = [steps, kinds, names, queryName, asked](int row, int column, int place) -> QStringList {
        const int key = row - 2;
        const auto number = [](const std::vector<float>& values, int index) { return four(values[asSize(index)]); };
        const auto cell = [&](const std::vector<float>& rows, int size) { return number(rows, key * size + place); };
        if (row == 0)
            return column == 0  ? QStringList{tr("(W s)[%1] = %2").arg(place).arg(number(steps.query, place))}
                   : column < 0 ? QStringList{asked}
                                : QStringList();
        if (row == 1)
            return column == 2  ? QStringList{tr("v[%1] = %2").arg(place).arg(number(steps.v, place))}
                   : column < 0 ? QStringList{tr("v: how much each dimension of the tanh counts")}
                                : QStringList();
        if (key >= steps.keys) {
            if (column >= 0 && kinds[asSize(column)] == Values)
                return {tr("context[%1] = Σ weight · hⱼ[%1] = %2").arg(place).arg(number(steps.context, place))};
            return {tr("Σ weight = %1").arg(four(1))};
        }
        QStringList words{tr("%1 → %2 (key %3)").arg(queryName, names.value(key), QString::number(key))};
        switch (column < 0 ? Weight : kinds[asSize(column)]) {
        case KeyStrip:
            words << tr("(U h)[%1] = %2").arg(place).arg(cell(steps.keyRows, steps.size));
            break;
        case Hidden:
            words << tr("tanh((W s)[%1] + (U h)[%1]) = tanh(%2 + %3) = %4")
                         .arg(place)
                         .arg(number(steps.query, place), cell(steps.keyRows, steps.size),
                              cell(steps.hidden, steps.size));
            break;
        case Products:
            words << tr("v[%1] · tanh[%1] = %2 · %3 = %4")
                         .arg(place)
                         .arg(number(steps.v, place), cell(steps.hidden, steps.size), cell(steps.products, steps.size));
            break;
        case Energy:
            words << (steps.masked[asSize(key)]
                          ? tr("masked: no energy")
                          : tr("e = %1, the sum of %2 products").arg(number(steps.energies, key)).arg(steps.size));
            break;
        case Weight:
            if (column < 0)
                words << tr("e = %1").arg(number(steps.energies, key));
            words << (steps.masked[asSize(key)]
                          ? tr("masked: weight 0")
                          : tr("weight = %1").arg(softmaxText(steps.energies, key, 1, steps.weights[asSize(key)])));
            break;
        case Values:
            words << tr("weight · h[%1] = %2 · %3 = %4")
                         .arg(place)
                         .arg(number(steps.weights, key), cell(steps.valueRows, steps.valueSize),
                              cell(steps.weighted, steps.valueSize));
            break;
        }
        return words;
    };
    return panel;
}

QString QueryKeyView::emptyText() const {
    if (!trace())
        return tr("Type a sentence to see what attends to what.");
    const auto what = selection() ? shown() : std::nullopt;
    if (!what)
        return missingText(*m_run->chosen(trace(), other()), selection() ? selection()->kind() : BlockKind::Encoder,
                           m_run->unchosen(trace(), other()).get());
    return tr("This trace holds no query and key vectors.\nThey are recorded when a model runs in this window; a trace "
              "from elsewhere may lack them.");
}

void QueryKeyView::fillControls(const Shown& shown) {
    QStringList names;
    for (int query = 0; query < shown.queries.size(); ++query)
        names << QStringLiteral("%1  %2").arg(query).arg(shown.queries[query]);
    fillChoice(*m_queries, names, shown.query.value);
}

void QueryKeyView::goTo(const Shown& from, Query query) {
    if (!from.linked) {
        m_own = {from.kind, query};
        return rebuild();
    }
    auto pair = selection()->pair();
    if (pair.kind != selection()->kind())
        pair = {selection()->kind(), {}, {}};
    pair.query = query;
    if (selection()->locked()) {
        selection()->toggleLock(pair); // which locks another pair, and frees the same
        return;
    }
    selection()->hover(pair);
}

void QueryKeyView::keyPressEvent(QKeyEvent* event) {
    const int right = (event->key() == Qt::Key_Right) - (event->key() == Qt::Key_Left);
    if (right == 0 || (event->modifiers() != Qt::NoModifier && event->modifiers() != Qt::ShiftModifier) || !selection())
        return FigureView::keyPressEvent(event);
    if (event->modifiers() == Qt::ShiftModifier) {
        QKeyEvent plain(event->type(), event->key(), Qt::NoModifier);
        return FigureView::keyPressEvent(&plain);
    }
    const auto what = trace() ? shown() : std::nullopt;
    if (!what)
        return;
    const int queries = what->run->block(what->kind)->queries;
    if (const Query next(std::clamp(what->query.value + right, 0, queries - 1)); next != what->query)
        goTo(*what, next);
}

} // namespace headlight
