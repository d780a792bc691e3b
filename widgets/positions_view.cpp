#include "widgets/positions_view.h"

#include "core/analysis/positions.h"
#include "widgets/controls.h"
#include "widgets/names.h"
#include "widgets/positions_input.h"
#include "widgets/run_box.h"

#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QRegularExpression>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace headlight {

namespace {

using Kind = PositionTable::Kind;

/// As many as there are colours for.
constexpr std::size_t mostCurves = 20;

/// "19.9", "6.28", "62832"
QString lengthText(double positions) {
    const int digits = positions < 10 ? 2 : positions < 1000 ? 1 : 0;
    return std::isinf(positions) ? QStringLiteral("∞") : QString::number(positions, 'f', digits);
}

QString kindText(const PositionTable& table, const std::optional<SinusoidLayout>& layout) {
    switch (table.kind) {
    case Kind::Sinusoidal:
        if (!layout)
            return PositionsView::tr("sinusoidal");
        return PositionsView::tr("sinusoidal (Vaswani et al. 2017, 3.5)");
    case Kind::Learned:
        return PositionsView::tr("learned: found in training, by no formula");
    case Kind::Rotary:
        return PositionsView::tr("rotary, cosine and sine of each pair's angle, Su et al. 2021");
    case Kind::Relative:
        return PositionsView::tr("relative, what each head adds to a score, Raffel et al. 2020");
    case Kind::RelativeVectors:
        return PositionsView::tr("relative, a vector for each distance, which queries and keys are multiplied with");
    }
    return {};
}

/// The paper's formula as this table has it.
QString formulaText(const std::optional<SinusoidLayout>& layout) {
    if (!layout)
        return PositionsView::tr("not of the formula of Vaswani et al. 2017, 3.5");
    if (*layout == SinusoidLayout::Interleaved)
        return PositionsView::tr("PE(pos, 2i) = sin(pos / 10000^(2i/d)),  PE(pos, 2i+1) = cos(pos / 10000^(2i/d)); "
                                 "wavelength λ = 2π · 10000^(2i/d)");
    return PositionsView::tr("PE(pos, i) = sin(pos / 10000^(2i/d)),  PE(pos, d/2 + i) = cos(pos / 10000^(2i/d)); "
                             "wavelength λ = 2π · 10000^(2i/d). The paper's waves, all sines first");
}

/// How fast each pair of a rotary table turns.
QString turnsText(const PositionTable& table) {
    const auto turns = rotaryTurns(table);
    if (!turns)
        return PositionsView::tr(
            "slow pairs are slowed down more than fast ones, for texts longer than in training: no "
            "pos / base^(2i/d) for all");
    const double unit = std::pow(10, std::floor(std::log10(turns->base)) - 3); // as well as it can be read off
    const auto base = QString::number(std::round(turns->base / unit) * unit, 'f', 0);
    if (turns->factor == 1)
        return PositionsView::tr("pair i turns by pos / %1^(2i/d)").arg(base);
    return PositionsView::tr("pair i turns by pos / (%1 · %2^(2i/d)): slowed down, for texts longer than in training")
        .arg(QString::number(turns->factor, 'g', 3), base);
}

/// The distances that share a bucket, told once where both sides are alike.
QString bucketText(const std::vector<DistanceBucket>& buckets) {
    const auto side = [&](int sign) {
        QStringList shared;
        for (const auto& bucket : buckets) {
            const int near = std::min(std::abs(bucket.first), std::abs(bucket.last));
            const int far = std::max(std::abs(bucket.first), std::abs(bucket.last));
            if (bucket.first != bucket.last && bucket.first * sign >= 0 && bucket.last * sign >= 0)
                shared << QStringLiteral("%1…%2").arg(near).arg(far);
        }
        if (sign < 0) // nearest first
            std::reverse(shared.begin(), shared.end());
        return shared.join(QStringLiteral(", "));
    };
    const auto before = side(-1), after = side(1);
    if (before.isEmpty() && after.isEmpty())
        return PositionsView::tr("every distance here has a bucket of its own");
    if (before == after)
        return PositionsView::tr("distances that share a bucket: %1").arg(before);
    return PositionsView::tr("distances that share a bucket: before the query %1; after it %2")
        .arg(before.isEmpty() ? QStringLiteral("–") : before, after.isEmpty() ? QStringLiteral("–") : after);
}

/// The row of a relative table says which others have its number.
QString distanceName(int distance, const std::vector<DistanceBucket>& buckets) {
    for (const auto& bucket : buckets)
        if (bucket.first != bucket.last && bucket.first <= distance && distance <= bucket.last)
            return QStringLiteral("%1 (%2…%3)").arg(distance).arg(bucket.first).arg(bucket.last);
    return QString::number(distance);
}

QStringList counted(int count) {
    QStringList names;
    for (int i = 0; i < count; ++i)
        names << QString::number(i);
    return names;
}

/// A control with the words before it.
void showControl(QWidget* control, bool shown) {
    control->setVisible(shown);
    for (auto* label : control->parentWidget()->findChildren<QLabel*>())
        if (label->buddy() == control)
            label->setVisible(shown);
}

} // namespace

PositionsView::PositionsView(QWidget* parent)
    : FigureView(parent), m_pages(new ComboBox(this)), m_dimensions(new QLineEdit(this)),
      m_similarity(new ComboBox(this)), m_tokens(new ComboBox(this)), m_run(new RunBox(this)),
      m_keys(new QLabel(tr("←→ token   ↑↓ part   Shift ←→ dimension"), this)) {
    m_pages->addItems({tr("table and curves"), tr("similarity"), tr("token + position"), tr("who may look where")});
    m_pages->setToolTip(tr("Which side of the positions to show"));
    m_dimensions->setToolTip(tr("Columns to draw as curves: numbers such as 0, 7, 16 or 8-12. A click on a column of "
                                "the table adds or removes it; nothing written draws six of them."));
    m_dimensions->setClearButtonEnabled(true);
    m_dimensions->setMinimumWidth(190);
    m_similarity->addItems({tr("cosine"), tr("dot product")});
    m_similarity->setToolTip(tr("How two positions' vectors are compared"));
    m_tokens->setToolTip(tr("The token whose input is taken apart (← and → in the picture)"));
    m_tokens->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_tokens->setMaximumWidth(220);
    addControl(m_pages, tr("Show"));
    addControl(m_dimensions, tr("Curves"));
    addControl(m_similarity, tr("by"));
    addControl(m_tokens, tr("Token"));
    addControl(m_run);
    m_keys->setProperty("note", true);
    m_keys->setToolTip(tr("Point at a dimension to see what it is the sum of, at a token to take its input apart."));
    addControl(m_keys);
    connect(m_pages, &QComboBox::currentIndexChanged, this, [this] { rebuild(); });
    connect(m_similarity, &QComboBox::currentIndexChanged, this, [this] { rebuild(); });
    connect(m_run, &QComboBox::activated, this, [this] { rebuild(); });
    connect(m_tokens, &QComboBox::activated, this, [this](int row) {
        if (const auto shown = trace() ? shownInput() : std::nullopt; shown && shown->row != Query(row))
            goTo(Query(row));
    });
    connect(m_dimensions, &QLineEdit::textEdited, this, [this](const QString& text) {
        static const QRegularExpression part(QStringLiteral("(\\d+)(?:\\s*[-–]\\s*(\\d+))?"));
        std::vector<int> asked;
        for (auto found = part.globalMatch(text); found.hasNext();) {
            const auto match = found.next();
            const int first = match.captured(1).toInt();
            const int last = match.captured(2).isEmpty() ? first : match.captured(2).toInt();
            for (int dimension = first; dimension <= last && asked.size() < mostCurves; ++dimension)
                if (std::find(asked.begin(), asked.end(), dimension) == asked.end())
                    asked.push_back(dimension);
        }
        setDimensions(std::move(asked));
    });
    connect(m_dimensions, &QLineEdit::editingFinished, this, [this] { fillControls(); });
    keepChoice(QStringLiteral("page"), m_pages);
    keepChoice(QStringLiteral("run"), m_run);
    keepChoice(QStringLiteral("similarity"), m_similarity);
    keepChoice(
        QStringLiteral("token"),
        [this] {
            return m_last.query ? QVariantList{static_cast<int>(m_last.kind), m_last.query->value} : QVariantList();
        },
        [this](const QVariant& wanted) {
            const auto numbers = wanted.toList();
            m_last = {};
            if (numbers.size() == 2 && numbers[1].toInt() >= 0)
                m_last = {static_cast<BlockKind>(std::clamp(numbers[0].toInt(), 0, 2)), Query(numbers[1].toInt()), {}};
            rebuild();
        });
    keepChoice(
        QStringLiteral("curves"), [this] { return QVariantList(m_asked.begin(), m_asked.end()); },
        [this](const QVariant& wanted) {
            std::vector<int> asked;
            for (const auto& dimension : wanted.toList())
                if (const int number = dimension.toInt(); number >= 0 && asked.size() < mostCurves)
                    asked.push_back(number);
            setDimensions(std::move(asked));
        });
}

void PositionsView::setTrace(TracePointer trace, TracePointer other) {
    m_allOf.reset();
    FigureView::setTrace(std::move(trace), std::move(other));
}

void PositionsView::setSelection(Selection* selection) {
    connect(selection, &Selection::pairChanged, this, [this, selection] {
        if (!selection->pair().query || selection->pair() == m_last)
            return;
        m_last = selection->pair();
        if (m_pages->currentIndex() == static_cast<int>(Page::Input))
            rebuild();
    });
    FigureView::setSelection(selection);
}

void PositionsView::setPage(Page page) {
    m_pages->setCurrentIndex(static_cast<int>(page));
}

const TracePointer& PositionsView::run() const {
    return m_run->chosen(trace(), other());
}

BlockKind PositionsView::stack() const {
    const auto& model = *run();
    const bool encoder =
        model.encoderPositions && (selection()->kind() == BlockKind::Encoder || !model.decoderPositions);
    return encoder ? BlockKind::Encoder : BlockKind::Decoder;
}

const PositionTable* PositionsView::table() const {
    return run()->positions(stack());
}

QString PositionsView::ownerText() const {
    const auto model = shownModel(*run());
    if (!run()->encoderPositions || !run()->decoderPositions)
        return model;
    return stack() == BlockKind::Encoder ? tr("%1, encoder").arg(model) : tr("%1, decoder").arg(model);
}

std::vector<int> PositionsView::dimensions() const {
    const int count = table() ? table()->dimensions : 0;
    std::vector<int> shown;
    for (const int dimension : m_asked)
        if (dimension < count)
            shown.push_back(dimension);
    for (int i = 0; m_asked.empty() && i < 6 && count > 0; ++i) {
        // In a sinusoidal table dimensions differ most from the fastest wave to the slowest.
        const int dimension = (count - 1) * i / 5;
        if (shown.empty() || shown.back() != dimension)
            shown.push_back(dimension);
    }
    return shown;
}

void PositionsView::setDimensions(std::vector<int> dimensions) {
    m_asked = std::move(dimensions);
    rebuild();
    Q_EMIT chosen();
}

std::vector<Panel> PositionsView::build() {
    fillControls();
    const auto page = static_cast<Page>(m_pages->currentIndex());
    if (page == Page::Input)
        return inputPage();
    m_allOf.reset();
    if (page == Page::Pattern)
        return patternPage();
    if (!table() || table()->positions < 1 || table()->dimensions < 1)
        return {};
    return page == Page::Similarity ? similarityPage() : tablePage();
}

std::vector<Panel> PositionsView::tablePage() const {
    const auto& table = *this->table();
    const bool relative = table.kind == Kind::Relative;
    bool ofTheFormula = false;
    SinusoidLayout layout{};
    std::optional<SinusoidLayout> told; // for the words alone: kept apart, the compiler sees that `layout` is set
    if (table.kind == Kind::Sinusoidal)
        told = sinusoidLayout(table);
    if (told) {
        ofTheFormula = true;
        layout = *told;
    }
    const auto buckets = relative ? distanceBuckets(table) : std::vector<DistanceBucket>();
    const int firstRow = relative ? -(table.positions - 1) / 2 : 0;
    const auto shown = dimensions();

    MapPanel matrix;
    matrix.title = relative ? tr("Distance × head") : tr("Position × dimension");
    matrix.subtitle = QStringLiteral("%1: %2").arg(ownerText(), kindText(table, told));
    matrix.rowAxis = relative ? tr("distance of the key from its query") : tr("position");
    matrix.columnAxis = relative ? tr("head (a click draws its curve)") : tr("dimension (a click draws its curve)");
    matrix.map = {table.positions, table.dimensions, table.values};
    for (int row = 0; row < table.positions; ++row)
        matrix.rows << distanceName(firstRow + row, buckets);
    matrix.columns = counted(table.dimensions);
    matrix.high = largestOf(table.values, 1e-6f);
    matrix.differs = true;
    matrix.legend = true;
    matrix.pointsAtTokens = false;
    matrix.square = false;
    matrix.curves = shown;
    matrix.origin = -firstRow;

    CurvePanel curves;
    curves.xAxis = matrix.rowAxis;
    curves.first = firstRow;
    if (table.kind == Kind::Rotary) {
        curves.title = tr("Angles");
        curves.note = turnsText(table);
        curves.yAxis = tr("angle (radians)");
        curves.period = static_cast<float>(2 * std::numbers::pi);
        const auto angles = rotaryAngles(table);
        std::vector<int> pairs;
        matrix.curves.clear(); // both dimensions of a pair are one curve
        for (const int dimension : shown) {
            const int pair = dimension / 2;
            if (pair >= angles.columns || std::find(pairs.begin(), pairs.end(), pair) != pairs.end())
                continue;
            pairs.push_back(pair);
            matrix.curves.push_back(dimension);
            CurvePanel::Curve curve;
            curve.name = tr("dimensions %1, %2").arg(2 * pair).arg(2 * pair + 1);
            curve.about = tr("a full turn in %1").arg(lengthText(rotaryWavelength(table, pair)));
            for (int row = 0; row < angles.rows; ++row)
                curve.values.push_back(angles.at(row, pair));
            curves.curves.push_back(std::move(curve));
        }
        return {{QRectF(0, 0, 1, 0.53), std::move(matrix)}, {QRectF(0, 0.55, 1, 0.45), std::move(curves)}};
    }
    curves.title = relative ? tr("Single heads") : tr("Single dimensions");
    curves.note = relative ? bucketText(buckets) : table.kind == Kind::Sinusoidal ? formulaText(told) : QString();
    for (const int dimension : shown) {
        CurvePanel::Curve curve;
        curve.name = relative ? tr("head %1").arg(dimension) : tr("dimension %1").arg(dimension);
        if (ofTheFormula) {
            const auto wave = waveOf(dimension, table.dimensions, layout);
            curve.about =
                tr("%1, λ = %2")
                    .arg(wave.cosine ? QStringLiteral("cos") : QStringLiteral("sin"), lengthText(wave.wavelength));
        }
        for (int row = 0; row < table.positions; ++row)
            curve.values.push_back(table.at(row, dimension));
        curves.curves.push_back(std::move(curve));
    }
    return {{QRectF(0, 0, 1, 0.53), std::move(matrix)}, {QRectF(0, 0.55, 1, 0.45), std::move(curves)}};
}

std::vector<Panel> PositionsView::similarityPage() const {
    const auto& table = *this->table();
    if (table.kind == Kind::Relative)
        return {};
    const bool cosine = m_similarity->currentIndex() == 0;
    MapPanel panel;
    panel.map = positionSimilarity(table, cosine ? Similarity::Cosine : Similarity::DotProduct);
    panel.title = tr("Position × position");
    panel.subtitle = tr("%1: %2 of their vectors").arg(ownerText(), cosine ? tr("cosine") : tr("dot product"));
    if (table.kind == Kind::Rotary)
        panel.subtitle += tr("; of one vector turned to both places, averaged over its pairs");
    panel.rowAxis = panel.columnAxis = tr("position");
    panel.rows = panel.columns = counted(table.positions);
    panel.differs =
        std::any_of(panel.map.values.begin(), panel.map.values.end(), [](float value) { return value < 0; });
    panel.high = cosine ? 1 : largestOf(panel.map.values, 1e-6f);
    panel.pointsAtTokens = false;
    panel.legend = true;
    panel.zooms = true;
    panel.valuesInCells = true;
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

std::optional<ShownInput> PositionsView::shownInput() const {
    const auto& model = *run();
    ShownInput shown;
    const bool encoder = model.encoderInput && (selection()->kind() == BlockKind::Encoder || !model.decoderInput);
    shown.input = encoder ? &*model.encoderInput : model.input(BlockKind::Decoder);
    if (!shown.input || shown.input->rows < 1 || shown.input->dimensions < 1)
        return std::nullopt;
    shown.kind = encoder                                                  ? BlockKind::Encoder
                 : model.cross && selection()->kind() == BlockKind::Cross ? BlockKind::Cross
                                                                          : BlockKind::Decoder;
    const auto& tokens = encoder ? model.source : model.target;
    shown.linked = sharesTokens(model, encoder ? BlockKind::Encoder : BlockKind::Decoder);
    shown.tokens = shownTexts(tokens);
    // A cross pair's query is a token of the decoder, as a pair's within it is.
    const auto isOfStack = [&](const Selection::Pair& pair) {
        return shown.linked && pair.query && pair.query->value < shown.input->rows
               && (pair.kind == BlockKind::Encoder) == (shown.kind == BlockKind::Encoder);
    };
    if (!shown.linked && m_own && m_own->first == shown.kind && m_own->second.value < shown.input->rows) {
        shown.row = m_own->second;
    } else if (isOfStack(selection()->pair())) {
        shown.row = *selection()->pair().query;
    } else if (isOfStack(m_last)) {
        shown.row = *m_last.query;
    } else {
        const auto ordinary =
            std::find_if(tokens.begin(), tokens.end(), [](const auto& token) { return !token.special; });
        const auto first = ordinary == tokens.end() ? 0 : static_cast<int>(ordinary - tokens.begin());
        shown.row = Query(std::min(first, shown.input->rows - 1));
    }
    return shown;
}

std::vector<Panel> PositionsView::inputPage() {
    const auto allOf = std::exchange(m_allOf, std::nullopt);
    const auto shown = shownInput();
    if (!shown)
        return {};
    m_allOf = {run() == other(), shown->kind};
    Panel all{QRectF(0, 0.49, 1, 0.51), {}};
    if (auto* before = panelBefore(1); before && allOf == m_allOf)
        all = std::move(*before);
    else
        all.content = inputOfAllTokens(*shown);
    std::vector<Panel> panels{{QRectF(0, 0, 1, 0.46), inputOfToken(*run(), *shown)}};
    panels.push_back(std::move(all));
    return panels;
}

std::vector<Panel> PositionsView::patternPage() const {
    const auto& model = *run();
    const auto* block = model.block(selection()->kind());
    for (const auto kind : {BlockKind::Encoder, BlockKind::Decoder, BlockKind::Cross})
        if (!block)
            block = model.block(kind);
    if (!block || block->queries < 1 || block->keys < 1)
        return {};
    const auto pattern = attentionPattern(*block);
    const bool blocks = pattern.blockSize > 1 && block->queries == block->keys;
    MapPanel panel;
    panel.kind = block->kind;
    panel.linked = sharesTokens(model, block->kind);
    panel.title = shownModel(model);
    panel.rowAxis = tr("query (looks)");
    panel.columnAxis = tr("key (may be looked at)");
    panel.rows = shownTexts(model.queryTokens(block->kind));
    panel.columns = shownTexts(model.keyTokens(block->kind));
    panel.legend = true;
    panel.zooms = true;
    QString what;
    if (pattern.blockSize == 0)
        what = model.family == "big_bird"
                   ? tr("every query may look at every key: so short a text BigBird reads in full")
                   : tr("every query may look at every key");
    else if (blocks)
        what = tr("all heads together: blocks of %1 tokens, Zaheer et al. 2020, Fig. 1").arg(pattern.blockSize);
    else
        what = tr("never: a weight of exactly 0 in all layers and heads");
    panel.subtitle = tr("%1 · %2").arg(kindName(block->kind), what);
    panel.levels = blocks ? QStringList{tr("never"), tr("random"), tr("window"), tr("global")}
                          : QStringList{tr("never"), tr("may look")};
    panel.high = static_cast<float>(panel.levels.size() - 1);
    panel.map = {block->queries, block->keys, {}};
    for (const auto looks : pattern.looks) {
        const int level = looks == Looks::Never    ? 0
                          : looks == Looks::Random ? 1
                          : looks == Looks::Window ? 2
                          : blocks                 ? 3
                                                   : 1;
        panel.map.values.push_back(static_cast<float>(level));
    }
    return {{QRectF(0, 0, 1, 1), std::move(panel)}};
}

bool PositionsView::clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers) {
    const auto* strips = std::get_if<StripPanel>(&panel.content);
    if (strips && strips->rowsLook && !strips->linked) {
        goTo(Query(place.row));
        return true;
    }
    if (m_pages->currentIndex() != static_cast<int>(Page::Table))
        return false;
    if (std::holds_alternative<MapPanel>(panel.content) && place.column >= 0) {
        auto shown = dimensions();
        if (const auto found = std::find(shown.begin(), shown.end(), place.column); found != shown.end())
            shown.erase(found);
        else if (shown.size() < mostCurves)
            shown.push_back(place.column);
        setDimensions(std::move(shown));
    }
    return true;
}

QString PositionsView::emptyText() const {
    if (!trace())
        return tr("Type a sentence to see what attends to what.");
    const auto model = shownModel(*run());
    switch (static_cast<Page>(m_pages->currentIndex())) {
    case Page::Input:
        return tr("This trace holds no vectors of the input of %1.").arg(model);
    case Page::Pattern:
        return tr("%1 has no attention.").arg(model);
    case Page::Similarity:
        if (table())
            return tr("%1 has no vectors of positions to compare: it adds a number for each distance to the scores. "
                      "The table shows them.")
                .arg(model);
        break;
    case Page::Table:
        break;
    }
    return run()->encoder || run()->decoder
               ? tr("This run holds no positions of %1.").arg(model)
               : tr("%1 has no positions to show: it reads its text word by word, in order.").arg(model);
}

void PositionsView::fillControls() {
    if (!trace() || !selection())
        return;
    const auto page = static_cast<Page>(m_pages->currentIndex());
    m_run->offer(trace(), other());
    const auto* table = this->table();
    const auto input = page == Page::Input ? shownInput() : std::nullopt;
    showControl(m_dimensions, page == Page::Table && table);
    showControl(m_similarity, page == Page::Similarity && table && table->kind != Kind::Relative);
    showControl(m_tokens, input.has_value());
    m_keys->setVisible(input.has_value());
    if (!m_dimensions->hasFocus()) {
        QStringList numbers;
        for (const int dimension : dimensions())
            numbers << QString::number(dimension);
        m_dimensions->setText(numbers.join(QStringLiteral(", ")));
        m_dimensions->setCursorPosition(0);
    }
    if (!input)
        return;
    QStringList names;
    for (int row = 0; row < input->input->rows; ++row)
        names << QStringLiteral("%1  %2").arg(row).arg(input->tokens.value(row));
    fillChoice(*m_tokens, names, input->row.value);
}

void PositionsView::goTo(Query row) {
    const auto shown = shownInput();
    if (!shown)
        return;
    if (!shown->linked) {
        m_own = {shown->kind, row};
        return rebuild();
    }
    const Selection::Pair pair{shown->kind, row, {}};
    selection()->locked() ? selection()->toggleLock(pair) : selection()->hover(pair);
}

void PositionsView::keyPressEvent(QKeyEvent* event) {
    const int right = (event->key() == Qt::Key_Right) - (event->key() == Qt::Key_Left);
    const bool plain = event->modifiers() == Qt::NoModifier;
    const auto shown = right != 0 && trace() && selection() && m_pages->currentIndex() == static_cast<int>(Page::Input)
                           ? shownInput()
                           : std::nullopt;
    if (!shown || (!plain && event->modifiers() != Qt::ShiftModifier))
        return FigureView::keyPressEvent(event);
    if (!plain) {
        QKeyEvent unshifted(event->type(), event->key(), Qt::NoModifier);
        return FigureView::keyPressEvent(&unshifted);
    }
    if (const Query next(std::clamp(shown->row.value + right, 0, shown->input->rows - 1)); next != shown->row)
        goTo(next);
}

} // namespace headlight
