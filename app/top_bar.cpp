#include "app/top_bar.h"

#include "core/files/hub.h"
#include "widgets/controls.h"
#include "widgets/derived.h"
#include "widgets/names.h"
#include "widgets/plain_text.h"
#include "widgets/reading_controls.h"

#include <QFile>
#include <QHBoxLayout>
#include <QLabel>
#include <QResizeEvent>
#include <QSignalBlocker>
#include <QStandardItemModel>

#include <algorithm>
#include <utility>

namespace headlight {

namespace {

/// Data of the entry that is no model but opens the dialog for one.
const QString otherFolder = QStringLiteral("\n");

constexpr int lettersOfModel = 13; ///< wide ones, as Qt counts: more in fact
constexpr int lettersOfChoice = 10;

void select(QComboBox* combo, const QVariant& data) {
    const QSignalBlocker quiet(combo);
    combo->setCurrentIndex(data.isValid() ? combo->findData(data) : -1); // a separator has none, too
}

} // namespace

QString modelTitle(const QString& nameOrFolder) {
    const bool named = !nameOrFolder.contains(QLatin1Char('/'));
    return brief(named ? nameOrFolder
                       : QString::fromStdString(modelName(QFile::encodeName(nameOrFolder).toStdString())),
                 mostOfName);
}

TopBar::TopBar(Selection* selection, QWidget* parent)
    : QWidget(parent), m_selection(selection), m_layout(new QHBoxLayout(this)) {
    setObjectName(QStringLiteral("topBar"));
    setAttribute(Qt::WA_StyledBackground); // a plain QWidget's background is drawn from the style sheet only so
    m_layout->setContentsMargins(14, 8, 14, 8);
    m_layout->setSpacing(8);

    m_modelA = addCombo(tr("Model A"), tr("The model whose attention is on show"), lettersOfModel);
    m_labels.removeOne(addLabel(tr("A"), m_modelA));
    m_modelB = addCombo(tr("Model B"), tr("A second model on the same text, for Compare"), lettersOfModel);
    m_labels.removeOne(addLabel(tr("vs B"), m_modelB));
    m_layout->addSpacing(8);
    m_kind = addCombo(tr("Kind of attention"),
                      tr("Within the encoder, within the decoder, or across from one to the other"), lettersOfChoice);
    addLabel(tr("Attention"), m_kind);
    m_mode = addCombo(tr("Choice of the head"), tr("Which head is drawn, or what of several"), lettersOfChoice);
    m_layer = addSpin(tr("Layer"), tr("layer "));
    m_layer->setToolTip(tr("Layer, counted from 0 (Alt+Up, Alt+Down)"));
    m_head = addSpin(tr("Head"), tr("head "));
    m_head->setToolTip(tr("Head, counted from 0 (Alt+Left, Alt+Right)"));
    m_reading = makeReadingChoice(*selection);
    addCombo(m_reading, tr("Reading of the rows"), lettersOfChoice);
    addLabel(tr("Rows"), m_reading);
    m_layout->addStretch(1);

    m_mode->addItem(tr("best aligning"), static_cast<int>(HeadMode::BestAligning));
    m_mode->addItem(tr("mean of layer"), static_cast<int>(HeadMode::MeanOfLayer));
    m_mode->addItem(tr("one head"), static_cast<int>(HeadMode::One));
    m_mode->addItem(tr("mean of all"), static_cast<int>(HeadMode::MeanOfAll));
    m_mode->addItem(tr("rollout"), static_cast<int>(HeadMode::Rollout));
    m_mode->addItem(tr("ALTI of layer"), static_cast<int>(HeadMode::Alti));
    m_mode->addItem(tr("ALTI rollout"), static_cast<int>(HeadMode::AltiRollout));
    m_mode->setToolTip(tr("Which map is drawn. ALTI: how much of what a layer's attention gives out at a row, its "
                          "residual connection and norm included, came from each token (Ferrando et al. 2022); it is "
                          "of whole layers and leaves out what their feed-forward parts do."));

    connect(m_modelA, &QComboBox::activated, this, &TopBar::chooseModels);
    connect(m_modelB, &QComboBox::activated, this, &TopBar::chooseModels);
    connect(m_kind, &QComboBox::activated, this,
            [this] { m_selection->setKind(static_cast<BlockKind>(m_kind->currentData().toInt())); });
    connect(m_mode, &QComboBox::activated, this, [this] {
        const auto mode = static_cast<HeadMode>(m_mode->currentData().toInt());
        const auto place = placeOnShow(); // one goes on from where one is
        m_selection->setHead(m_selection->kind(), place.layer, place.head);
        m_selection->setHeadMode(mode);
    });
    connect(m_layer, &QSpinBox::valueChanged, this, [this](int layer) { goTo(layer, m_head->value()); });
    connect(m_head, &QSpinBox::valueChanged, this, [this](int head) { goTo(m_layer->value(), head); });
    connect(m_selection, &Selection::headChanged, this, &TopBar::showHead);
    connect(&Derived::instance(), &Derived::ready, this, &TopBar::showHead);
    fillModels();
    showHead();
}

QLabel* TopBar::addLabel(const QString& text, QWidget* buddy) {
    auto* label = new QLabel(text, this);
    label->setProperty("note", true);
    label->setBuddy(buddy);
    m_layout->insertWidget(m_layout->indexOf(buddy), label);
    m_labels.append(label);
    return label;
}

QComboBox* TopBar::addCombo(const QString& name, const QString& help, int letters) {
    auto* combo = new ComboBox(this);
    combo->setToolTip(help);
    addCombo(combo, name, letters);
    return combo;
}

void TopBar::addCombo(QComboBox* combo, const QString& name, int letters) {
    combo->setAccessibleName(name);
    combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    combo->setMinimumContentsLength(letters);
    m_layout->addWidget(combo);
}

QSpinBox* TopBar::addSpin(const QString& name, const QString& prefix) {
    auto* spin = new SpinBox(this);
    spin->setAccessibleName(name);
    spin->setPrefix(prefix);
    spin->setKeyboardTracking(false);
    m_layout->addWidget(spin);
    return spin;
}

void TopBar::addAtEnd(QWidget* widget) {
    m_layout->addWidget(widget);
    setTabOrder(m_reading, widget);
}

void TopBar::setKnownModels(const QStringList& models) {
    m_known = models;
    fillModels();
}

void TopBar::setModels(const Models& models) {
    m_models = models;
    fillModels();
}

void TopBar::fillModels() {
    for (auto* combo : {m_modelA, m_modelB}) {
        const QSignalBlocker quiet(combo);
        combo->clear();
        if (combo == m_modelB)
            combo->addItem(tr("none"), QString());
        auto listed = m_known;
        for (const auto& model : {m_models.a, m_models.b})
            if (!model.isEmpty() && !listed.contains(model))
                listed.append(model);
        for (const auto& model : std::as_const(listed)) {
            combo->addItem(modelTitle(model), model);
            combo->setItemData(combo->count() - 1, toolTipOf({model}), Qt::ToolTipRole);
        }
        if (combo->count() > 0)
            combo->insertSeparator(combo->count());
        combo->addItem(tr("Open a folder…"), otherFolder);
        combo->setPlaceholderText(m_file.isEmpty() ? tr("no model") : combo == m_modelA ? m_file : tr("none"));
    }
    select(m_modelA, m_file.isEmpty() ? m_models.a : QVariant());
    select(m_modelB, m_file.isEmpty() ? m_models.b : QVariant());
}

void TopBar::showFile(const QString& name) {
    m_file = brief(name, mostOfName);
    fillModels();
}

void TopBar::chooseModels() {
    const auto chosenIn = [](const QComboBox* combo, const QString& before) {
        return combo->currentIndex() < 0 ? before : combo->currentData().toString(); // beside a file one is left open
    };
    const Models chosen{chosenIn(m_modelA, m_models.a), chosenIn(m_modelB, m_models.b)};
    if (chosen.a == otherFolder || chosen.b == otherFolder) {
        fillModels();
        Q_EMIT folderWanted(chosen.a == otherFolder);
    } else if (chosen != m_models || !m_file.isEmpty()) {
        Q_EMIT modelsChosen(chosen);
    }
}

void TopBar::setTrace(TracePointer trace, TracePointer other) {
    m_trace = std::move(trace);
    m_other = std::move(other);
    QList<BlockKind> kinds;
    for (const auto kind : {BlockKind::Cross, BlockKind::Encoder, BlockKind::Decoder}) {
        if (m_trace && m_trace->block(kind))
            kinds.append(kind);
    }
    QList<BlockKind> listed;
    for (int i = 0; i < m_kind->count(); ++i)
        listed.append(static_cast<BlockKind>(m_kind->itemData(i).toInt()));
    if (kinds != listed) {
        const QSignalBlocker quiet(m_kind);
        m_kind->clear();
        for (const auto kind : kinds)
            m_kind->addItem(kindName(kind), static_cast<int>(kind));
    }
    if (!kinds.isEmpty() && !kinds.contains(m_selection->kind()))
        m_selection->setKind(kinds.front());
    showHead();
}

void TopBar::setNeeds(const ViewNeeds& needs) {
    m_needs = needs;
    showHead();
}

BlockKind TopBar::kindOnShow() const {
    return m_needs.cross && m_trace && m_trace->cross ? BlockKind::Cross : m_selection->kind();
}

const TracePointer& TopBar::countedRun() const {
    const auto heads = [kind = kindOnShow()](const TracePointer& run) {
        const auto* block = run ? run->block(kind) : nullptr;
        return block ? block->layers * block->heads : 0;
    };
    return m_needs.second && heads(m_other) > heads(m_trace) ? m_other : m_trace;
}

HeadPlace TopBar::placeOnShow() const {
    const auto kind = kindOnShow();
    const auto& run = countedRun();
    const bool best = kind == BlockKind::Cross && m_selection->headMode() == HeadMode::BestAligning;
    const auto shown =
        best && run && hasHeads(*run, kind) ? Derived::instance().map(run, kind, m_selection->choice()) : nullptr;
    return shown ? *shown->place : m_selection->choice().place;
}

void TopBar::showHead() {
    const auto kind = kindOnShow();
    const auto& run = countedRun();
    const auto* block = run ? run->block(kind) : nullptr;
    const int layers = block ? block->layers : 0;
    const int heads = block ? block->heads : 0;
    const bool choice = layers * heads > 1;
    // Only cross-attention aligns; in the other kinds Selection takes this as the chosen head.
    const bool aligns = kind == BlockKind::Cross;
    auto mode = m_selection->headMode();
    if (mode == HeadMode::BestAligning && !aligns)
        mode = HeadMode::One;

    select(m_kind, static_cast<int>(kind));
    m_kind->setEnabled(m_kind->count() > 1 && !(m_needs.cross && kind == BlockKind::Cross));
    select(m_mode, static_cast<int>(mode));
    m_mode->setEnabled(choice);
    if (auto* items = qobject_cast<QStandardItemModel*>(m_mode->model()))
        items->item(m_mode->findData(static_cast<int>(HeadMode::BestAligning)))->setEnabled(aligns);
    m_reading->setEnabled(kind != BlockKind::Encoder);

    const auto place = placeOnShow();
    const auto show = [](QSpinBox* spin, int count, int value, bool enabled) {
        const QSignalBlocker quiet(spin);
        spin->setRange(0, std::max(0, count - 1));
        spin->setValue(value);
        spin->setEnabled(enabled && count > 1);
    };
    const bool all = mode == HeadMode::MeanOfAll || mode == HeadMode::Rollout || mode == HeadMode::AltiRollout;
    const bool ofLayer = mode == HeadMode::MeanOfLayer || mode == HeadMode::Alti;
    show(m_layer, layers, place.layer.value, !all);
    show(m_head, heads, place.head.value, !all && !ofLayer);
}

void TopBar::goTo(int layer, int head) {
    const auto mode = m_selection->headMode();
    m_selection->setHead(m_selection->kind(), Layer(layer), Head(head));
    if (mode == HeadMode::MeanOfLayer || mode == HeadMode::Alti)
        m_selection->setHeadMode(mode);
}

void TopBar::stepLayer(int step) {
    if (m_layer->isEnabled())
        m_layer->setValue(m_layer->value() + step);
}

void TopBar::stepHead(int step) {
    if (m_head->isEnabled())
        m_head->setValue(m_head->value() + step);
}

QSize TopBar::minimumSizeHint() const {
    return {0, QWidget::minimumSizeHint().height()};
}

void TopBar::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    fitLabels();
}

void TopBar::fitLabels() {
    const auto setRoomy = [this](bool labels, bool words) {
        for (auto* label : std::as_const(m_labels))
            label->setVisible(labels);
        for (auto* combo : {m_kind, m_mode, m_reading}) // the names of the models are worth more
            combo->setMinimumContentsLength(labels ? lettersOfChoice : lettersOfChoice - 3);
        m_layer->setPrefix(words ? tr("layer ") : tr("L"));
        m_head->setPrefix(words ? tr("head ") : tr("H"));
        return m_layout->sizeHint().width() <= width();
    };
    if (!setRoomy(true, true) && !setRoomy(true, false))
        setRoomy(false, false);
}

} // namespace headlight
