#include "app/answer_panel.h"

#include "widgets/plain_text.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QVBoxLayout>

#include <utility>

namespace headlight {

namespace {

constexpr int mostTopK = 100;

bool goesOn(const ModelInfo& model) {
    return model.hasDecoder && !model.hasEncoder && model.labels.empty(); // one that labels does not
}

} // namespace

AnswerPanel::AnswerPanel(QWidget* parent)
    : QWidget(parent), m_heading(new QLabel), m_hint(new QLabel), m_text(new QLabel), m_list(new AnswerList),
      m_controls(new QWidget), m_accept(new QPushButton(tr("Accept"))), m_continue(new QPushButton),
      m_clear(new QPushButton(tr("Clear"))), m_temperature(new QDoubleSpinBox), m_topK(new QSpinBox),
      m_draw(new QPushButton(tr("Sample"))) {
    m_heading->setProperty("heading", true);
    auto small = m_heading->font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    m_heading->setFont(small);
    m_hint->setProperty("note", true);
    m_hint->setWordWrap(true);
    m_hint->setTextFormat(Qt::PlainText);
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_text->setObjectName(QStringLiteral("continuation"));
    m_text->setAccessibleName(tr("Continuation"));
    m_list->setObjectName(QStringLiteral("answers"));
    m_list->setMinimumHeight(90);

    m_accept->setToolTip(tr("Add the candidate to the text (Ctrl+Return)"));
    m_accept->setObjectName(QStringLiteral("accept"));
    m_continue->setToolTip(tr("Go on token by token until stopped (Ctrl+Shift+Return)"));
    m_continue->setObjectName(QStringLiteral("continue"));
    m_clear->setToolTip(tr("Back to the text as typed"));
    m_clear->setObjectName(QStringLiteral("clear"));
    m_temperature->setRange(0.05, 10);
    m_temperature->setSingleStep(0.1);
    m_temperature->setDecimals(2);
    m_temperature->setValue(1);
    m_temperature->setPrefix(tr("T "));
    m_temperature->setAccessibleName(tr("Temperature"));
    m_temperature->setToolTip(tr("Temperature: the logits are divided by it. Below 1 the likely gets likelier"));
    m_topK->setRange(1, mostTopK);
    m_topK->setValue(Session::Typed::usualTopK);
    m_topK->setPrefix(tr("top "));
    m_topK->setAccessibleName(tr("Number of candidates"));
    m_topK->setToolTip(tr("How many candidates are listed, and drawn from"));
    m_draw->setCheckable(true);
    m_draw->setToolTip(tr("Go on with a token drawn by its probability, instead of the most probable"));
    m_draw->setAccessibleName(tr("Sample the next token"));
    m_temperature->setButtonSymbols(QAbstractSpinBox::NoButtons);
    m_topK->setButtonSymbols(QAbstractSpinBox::NoButtons);

    auto* buttons = new QHBoxLayout;
    buttons->setContentsMargins(0, 0, 0, 0);
    buttons->setSpacing(6);
    for (auto* button : {m_accept, m_continue, m_clear})
        buttons->addWidget(button);
    buttons->addStretch(1);
    auto* numbers = new QHBoxLayout;
    numbers->setContentsMargins(0, 0, 0, 0);
    numbers->setSpacing(6);
    numbers->addWidget(m_temperature);
    numbers->addWidget(m_topK);
    numbers->addWidget(m_draw);
    numbers->addStretch(1);
    m_controls->setProperty("compact", true);
    auto* controls = new QVBoxLayout(m_controls);
    controls->setContentsMargins(0, 0, 0, 0);
    controls->setSpacing(6);
    controls->addLayout(buttons);
    controls->addLayout(numbers);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    column->addWidget(m_heading);
    column->addWidget(m_text);
    column->addWidget(m_hint);
    column->addWidget(m_list, 1);
    column->addWidget(m_controls);

    connect(m_list, &AnswerList::chosen, this, &AnswerPanel::choose);
    connect(m_accept, &QPushButton::clicked, this, &AnswerPanel::accept);
    connect(m_continue, &QPushButton::clicked, this, &AnswerPanel::toggleContinuing);
    connect(m_clear, &QPushButton::clicked, this, [this] {
        forgetContinuation();
        Q_EMIT changed();
    });
    connect(m_temperature, &QDoubleSpinBox::valueChanged, this, &AnswerPanel::changed);
    connect(m_topK, &QSpinBox::valueChanged, this, &AnswerPanel::changed);
    connect(m_draw, &QPushButton::toggled, this, &AnswerPanel::changed);
    showState();
}

bool AnswerPanel::serves(const ModelInfo& model) {
    return !(model.hasEncoder && model.hasDecoder);
}

void AnswerPanel::setModel(const ModelInfo& model) {
    const bool another = model.name != m_model.name || model.family != m_model.family;
    m_model = model;
    if (another && !std::exchange(m_addedByNext, false))
        forgetContinuation(); // ids of another vocabulary
    showState();
    if (another && goesOn(model))
        Q_EMIT changed(); // the run that told what the model is knew nothing of temperature and candidates
}

void AnswerPanel::setTrace(TracePointer trace) {
    m_trace = std::move(trace);
    m_list->setTrace(m_trace, QString::fromStdString(m_model.mask));
    if (m_continuing && m_trace) {
        const auto prompt = static_cast<std::size_t>(m_trace->prompt);
        const auto before = m_added.size();
        m_added.clear();
        for (std::size_t i = prompt; i < m_trace->target.size(); ++i)
            m_added.append(m_trace->target[i].id);
        const bool ended = !m_trace->target.empty() && m_trace->target.back().special;
        if (m_added.size() == before || ended)
            stop();
        else
            Q_EMIT changed();
    }
    showState();
}

void AnswerPanel::setAppearance(const Appearance& appearance) {
    m_list->setAppearance(appearance);
}

void AnswerPanel::tell(Session::Typed& typed) const {
    typed.added = m_added;
    typed.random = m_draw->isChecked();
    typed.temperature = m_temperature->value();
    typed.candidates = m_topK->value();
}

void AnswerPanel::show(const Session::Typed& typed) {
    const QSignalBlocker quiet(this);
    m_added = typed.added;
    m_addedByNext = true;
    m_draw->setChecked(typed.random);
    m_temperature->setValue(typed.temperature);
    m_topK->setValue(typed.candidates);
    stop();
}

void AnswerPanel::forgetContinuation() {
    m_added.clear();
    stop();
}

void AnswerPanel::accept() {
    m_list->chooseCurrent();
}

void AnswerPanel::toggleContinuing() {
    if (!goesOn(m_model))
        return;
    m_continuing = !m_continuing;
    showState();
    if (m_continuing)
        Q_EMIT changed();
}

QStringList AnswerPanel::describe() const {
    return QStringList{m_heading->text(), m_text->text(), m_hint->text()} + m_list->describe();
}

void AnswerPanel::choose(int position, const Candidate& candidate) {
    if (goesOn(m_model)) {
        stop();
        m_added.append(candidate.id);
        Q_EMIT changed();
    } else if (!m_model.mask.empty()) {
        Q_EMIT wordChosen(position, QString::fromStdString(candidate.letters));
    }
}

void AnswerPanel::stop() {
    m_continuing = false;
    showState();
}

void AnswerPanel::showState() {
    const bool decoder = goesOn(m_model);
    const bool masked = !m_model.mask.empty();
    const bool classifies = !m_model.labels.empty() || m_model.answersQuestions || m_model.scoresChoices;
    m_heading->setText((decoder                    ? tr("Next token")
                        : m_model.answersQuestions ? tr("Answer")
                        : classifies               ? tr("Label")
                        : masked                   ? tr("Hidden words")
                                                   : tr("Output"))
                           .toUpper());
    m_controls->setVisible(decoder);
    m_continue->setText(m_continuing ? tr("Stop") : tr("Continue"));
    m_clear->setEnabled(!m_added.isEmpty());
    m_accept->setEnabled(m_list->count() > 0);
    const auto added =
        decoder && m_trace
            ? QString::fromStdString(m_trace->targetText).mid(QString::fromStdString(m_trace->sourceText).size())
            : QString();
    m_text->setText(added.isEmpty() ? QString() : QStringLiteral("… ") + added.trimmed());
    m_text->setVisible(!added.isEmpty());
    QString hint;
    if (masked && m_list->count() == 0)
        hint = tr("Type %1 where a word is to be guessed (Ctrl+M).")
                   .arg(brief(QString::fromStdString(m_model.mask), mostOfName));
    else if (masked)
        hint = tr("Return puts the word into the text.");
    else if (!decoder && !classifies && m_list->count() == 0)
        hint = tr("This model has no head: it says nothing, it only attends.");
    m_hint->setText(hint);
    m_hint->setVisible(!hint.isEmpty());
    m_list->setVisible(decoder || m_list->count() > 0);
    updateGeometry(); // as high as the list has lines
}

} // namespace headlight
