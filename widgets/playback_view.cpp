#include "widgets/playback_view.h"

#include "core/analysis/head_metrics.h"
#include "widgets/controls.h"
#include "widgets/map_panel.h"
#include "widgets/names.h"

#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QSlider>
#include <QToolButton>

#include <algorithm>

namespace headlight {

namespace {

QToolButton* button(const QString& sign, const QString& name) {
    auto* made = new QToolButton;
    made->setText(sign);
    made->setToolTip(name);
    made->setAccessibleName(name);
    return made;
}

/// What the decoder attends with at its steps: across if it can, else within.
BlockKind kindOf(const Trace* trace) {
    return trace && trace->decoder && !trace->cross && trace->source.empty() ? BlockKind::Decoder : BlockKind::Cross;
}

/// Of a decoder alone the first tokens are given: its own steps begin with the last of them.
int firstStepOf(const Trace* trace) {
    return trace && kindOf(trace) == BlockKind::Decoder ? std::max(0, trace->prompt - 1) : 0;
}

int stepsOf(const Trace* trace) {
    return trace ? static_cast<int>(trace->emitted.size()) : 0;
}

} // namespace

PlaybackView::PlaybackView(QWidget* parent)
    : FigureView(parent), m_slider(new QSlider(Qt::Horizontal)), m_speed(new DoubleSpinBox), m_count(new QLabel) {
    auto* before = button(QStringLiteral("◀"), tr("Step before (Left)"));
    m_play = button(QStringLiteral("▶"), tr("Play (Space)"));
    auto* after = button(QStringLiteral("▶|"), tr("Step after (Right)"));
    before->setText(QStringLiteral("|◀"));
    addControl(before);
    addControl(m_play);
    addControl(after);
    m_slider->setMinimumWidth(90);
    m_slider->setMaximumWidth(260);
    m_slider->setPageStep(1);
    m_slider->setToolTip(tr("Step of the decoder"));
    m_slider->setAccessibleName(m_slider->toolTip());
    addControl(m_slider);
    addControl(m_count);
    m_speed->setRange(0.25, 20);
    m_speed->setValue(2);
    m_speed->setSingleStep(0.5);
    m_speed->setDecimals(2);
    m_speed->setSuffix(tr(" steps/s"));
    m_speed->setToolTip(tr("How fast it plays"));
    m_speed->setAccessibleName(m_speed->toolTip());
    addControl(m_speed);
    m_own = new QPushButton(tr("Back to the model's own"));
    m_own->setToolTip(tr("Undo the choices that were made for the model"));
    addControl(m_own);

    connect(before, &QToolButton::clicked, this, [this] { goTo(m_step - 1); });
    connect(after, &QToolButton::clicked, this, [this] { goTo(m_step + 1); });
    connect(m_play, &QToolButton::clicked, this, &PlaybackView::togglePlaying);
    connect(m_slider, &QSlider::valueChanged, this, [this](int value) { goTo(firstStep() + value); });
    connect(m_own, &QPushButton::clicked, this, &PlaybackView::ownRunWanted);
    connect(m_speed, qOverload<double>(&QDoubleSpinBox::valueChanged), this,
            [this](double speed) { m_clock.setInterval(static_cast<int>(1000 / speed)); });
    keepChoice(
        QStringLiteral("step"), [this] { return m_step + 1 < steps() ? m_step : -1; },
        [this](const QVariant& wanted) {
            const int step = wanted.toInt();
            goTo(step < 0 ? steps() - 1 : step);
        });
    keepChoice(
        QStringLiteral("speed"), [this] { return m_speed->value(); },
        [this](const QVariant& wanted) { m_speed->setValue(wanted.toDouble()); });
    connect(m_speed, &QDoubleSpinBox::valueChanged, this, &PlaybackView::chosen);
    m_clock.setInterval(500);
    connect(&m_clock, &QTimer::timeout, this, [this] {
        if (m_step + 1 >= steps())
            m_clock.stop();
        goTo(m_step + 1);
    });
    showState();
}

BlockKind PlaybackView::kind() const {
    return kindOf(trace().get());
}

int PlaybackView::firstStep() const {
    return firstStepOf(trace().get());
}

int PlaybackView::steps() const {
    return stepsOf(trace().get());
}

void PlaybackView::setTrace(TracePointer newTrace, TracePointer newOther) {
    const bool sameBefore =
        trace() && newTrace && trace()->model == newTrace->model && trace()->sourceText == newTrace->sourceText;
    if (newTrace && !newTrace->beam.empty())
        m_beam = newTrace->beam;
    else if (!sameBefore || !newTrace->targetForced)
        m_beam.clear();
    // A picture that opens with the end says what there is; one that was played to a step stays there.
    const int first = firstStepOf(newTrace.get()), last = stepsOf(newTrace.get()) - 1;
    m_step = std::clamp(sameBefore ? m_step : last, first, std::max(first, last));
    FigureView::setTrace(std::move(newTrace), std::move(newOther));
    showState();
}

void PlaybackView::goTo(int step) {
    const int wanted = std::clamp(step, firstStep(), std::max(firstStep(), steps() - 1));
    if (wanted != m_step) {
        m_step = wanted;
        rebuild();
        if (!playing()) // else it is not the user who goes on
            Q_EMIT chosen();
        if (selection() && steps() > 0)
            selection()->hover({kind(), Query(m_step), {}});
    }
    showState();
}

int PlaybackView::frames() const {
    return std::max(1, steps() - firstStep());
}

void PlaybackView::showFrame(int frame) {
    goTo(firstStep() + frame);
}

void PlaybackView::togglePlaying() {
    if (m_clock.isActive()) {
        m_clock.stop();
    } else if (steps() > 0) {
        if (m_step + 1 >= steps())
            goTo(firstStep());
        m_clock.start();
    }
    showState();
}

void PlaybackView::hideEvent(QHideEvent* event) {
    m_clock.stop();
    showState();
    FigureView::hideEvent(event);
}

void PlaybackView::showState() {
    m_play->setText(m_clock.isActive() ? QStringLiteral("❚❚") : QStringLiteral("▶"));
    m_play->setToolTip(m_clock.isActive() ? tr("Pause (Space)") : tr("Play (Space)"));
    m_play->setAccessibleName(m_play->toolTip());
    const QSignalBlocker quiet(m_slider);
    m_slider->setRange(0, std::max(0, steps() - 1 - firstStep()));
    m_slider->setValue(m_step - firstStep());
    m_count->setText(steps() > 0 ? tr("step %1 of %2").arg(m_step).arg(steps() - 1) : QString());
    m_own->setVisible(trace() && kind() == BlockKind::Cross
                      && (!trace()->intervention.forced.empty() || trace()->targetForced));
}

StepPanel PlaybackView::stepPanel() const {
    const auto* block = trace()->block(kind());
    const auto shown = hasHeads(*trace(), kind()) ? this->shown(trace(), kind()) : nullptr;
    StepPanel panel;
    panel.kind = kind();
    panel.step = m_step;
    panel.title = shownModel(*trace());
    QStringList notes;
    if (shown)
        notes << mapName(*shown);
    auto keys = shownTexts(trace()->keyTokens(kind()));
    if (kind() == BlockKind::Decoder)
        keys = keys.mid(0, m_step + 1);
    panel.source = keys;
    panel.target = shownTexts(trace()->emitted).mid(firstStep(), m_step + 1 - firstStep());
    if (block && shown && m_step < shown->map.rows) {
        const auto row = shown->map.row(m_step);
        panel.weights.assign(row.begin(), row.begin() + std::min<std::ptrdiff_t>(std::ssize(row), keys.size()));
    }
    const auto full = panel.weights.empty() ? nullptr : fullRunOf(trace());
    if (const auto before = full && readTheSame(*full, *trace(), kind())
                                ? needed(shownInFull(full, *shown, *selection(), kind()))
                                : nullptr) {
        const auto row = before->map.row(m_step);
        panel.before.assign(row.begin(), row.begin() + std::ssize(panel.weights));
        notes << tr("dashed: in full");
    }
    panel.fixedContext = trace()->fixedContext;
    for (const auto& forced : trace()->intervention.forced)
        if (forced.query.value == m_step)
            panel.forced = forced.key.value;
    if (panel.forced >= 0)
        notes << tr("attention forced at this step");
    panel.subtitle = notes.join(QStringLiteral(", "));
    return panel;
}

const Prediction* PlaybackView::predictionInFull() const {
    const auto full = fullRunOf(trace());
    const auto read = static_cast<std::ptrdiff_t>(m_step) + 1;
    const auto same = [](const Token& a, const Token& b) { return a.id == b.id; };
    if (!full || std::ssize(full->target) < read || std::ssize(trace()->target) < read
        || !std::equal(full->target.begin(), full->target.begin() + read, trace()->target.begin(), same))
        return nullptr;
    return predictionAt(*full, m_step);
}

BarPanel PlaybackView::candidatesPanel() const {
    BarPanel bars;
    bars.pointsAtQueries = false;
    bars.title = tr("Step %1: candidates").arg(m_step);
    const auto* inFull = predictionInFull();
    if (kind() != BlockKind::Cross)
        bars.note = inFull ? tr("probability; upright: in full") : tr("probability");
    else
        bars.note = inFull ? tr("choose one; upright: in full") : tr("choose one to go on from it");
    const auto* prediction = predictionAt(*trace(), m_step);
    for (const auto& candidate : prediction ? prediction->candidates : std::vector<Candidate>()) {
        if (inFull)
            bars.before.push_back(probabilityOf(*inFull, candidate.id));
        const auto text = shownText(candidate.letters);
        const bool given = candidate.id == trace()->emitted[static_cast<std::size_t>(m_step)].id;
        bars.labels << (given ? tr("%1 ✓").arg(text) : text);
        bars.values.push_back(candidate.probability);
    }
    return bars;
}

TreePanel PlaybackView::treePanel() const {
    TreePanel tree;
    tree.title = tr("Hypotheses");
    tree.note = tr("a column for each step; the line in colour leads to the translation; ∎ ends a hypothesis");
    tree.step = m_step;
    for (const auto& node : m_beam)
        tree.nodes.push_back({node.parent, node.step, shownText(node.token.letters), node.token.probability,
                              node.chosen, node.finished});
    return tree;
}

std::vector<Panel> PlaybackView::build() {
    if (steps() == 0 || m_step >= steps())
        return {};
    auto bars = candidatesPanel();
    const bool tree = !m_beam.empty();
    if (tree)
        return {{QRectF(0, 0, 0.64, 0.5), stepPanel()},
                {QRectF(0.68, 0, 0.32, 0.5), std::move(bars)},
                {QRectF(0, 0.54, 1, 0.46), treePanel()}};
    return {{QRectF(0, 0, 0.64, 1), stepPanel()}, {QRectF(0.68, 0, 0.32, 1), std::move(bars)}};
}

bool PlaybackView::clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers) {
    if (std::holds_alternative<BarPanel>(panel.content)) {
        const auto* prediction = predictionAt(*trace(), m_step);
        if (prediction && static_cast<std::size_t>(place.row) < prediction->candidates.size()
            && kind() == BlockKind::Cross)
            Q_EMIT candidateChosen(m_step, prediction->candidates[static_cast<std::size_t>(place.row)].id);
        return true;
    }
    if (const auto* step = std::get_if<StepPanel>(&panel.content)) {
        if (step->kind == BlockKind::Cross && !step->weights.empty())
            Q_EMIT attentionForced(m_step, place.row == step->forced ? -1 : place.row);
        return true;
    }
    if (std::holds_alternative<TreePanel>(panel.content)) {
        QList<qint64> emitted;
        for (int at = place.row; at >= 0; at = m_beam[static_cast<std::size_t>(at)].parent)
            emitted.prepend(m_beam[static_cast<std::size_t>(at)].token.id);
        Q_EMIT hypothesisChosen(emitted, m_beam[static_cast<std::size_t>(place.row)].finished);
        return true;
    }
    return false;
}

/// Space plays from the slider too, which has no use for it.
bool PlaybackView::takesFromControls(const QKeyEvent& event) const {
    return event.key() == Qt::Key_Space || FigureView::takesFromControls(event);
}

void PlaybackView::keyPressEvent(QKeyEvent* event) {
    if (event->modifiers() == Qt::NoModifier && steps() > 0) {
        switch (event->key()) {
        case Qt::Key_Left:
            return goTo(m_step - 1);
        case Qt::Key_Right:
            return goTo(m_step + 1);
        case Qt::Key_Home:
            return goTo(firstStep());
        case Qt::Key_End:
            return goTo(steps() - 1);
        case Qt::Key_Space:
            return togglePlaying();
        default:
            break;
        }
    }
    FigureView::keyPressEvent(event);
}

QString PlaybackView::emptyText() const {
    return trace() ? tr("%1 has no decoder: it gives nothing out step by step.").arg(shownModel(*trace()))
                   : tr("Type a sentence to see what attends to what.");
}

} // namespace headlight
