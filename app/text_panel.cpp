#include "app/text_panel.h"

#include "app/answer_panel.h"
#include "app/editors.h"
#include "app/examples.h"
#include "app/language_box.h"
#include "widgets/plain_text.h"
#include "widgets/selection.h"
#include "widgets/token_strip.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QTextCursor>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

namespace headlight {

TextPanel::TextPanel(QWidget* parent)
    : QWidget(parent), m_source(new Editor), m_second(new Editor), m_secondGroup(new QWidget),
      m_targetGroup(new QWidget), m_answers(new AnswerPanel), m_mask(new QPushButton), m_task(new LanguageBox),
      m_sourceLanguage(new LanguageBox), m_targetLanguage(new LanguageBox), m_window(new QWidget),
      m_windowText(makeNote()), m_target(new Editor), m_sourceTokens(new TokenStrip(TokenStrip::Side::Source)),
      m_targetTokens(new TokenStrip(TokenStrip::Side::Target)), m_targetNote(makeNote()),
      m_ownTranslation(new QPushButton(tr("Use A's own translation"))), m_beam(new QSpinBox), m_invitation(makeNote()),
      m_examples(new ExampleList) {
    m_source->setObjectName(QStringLiteral("source"));
    m_source->setAccessibleName(tr("Source"));
    m_source->setPlaceholderText(tr("Type a sentence"));
    m_target->setObjectName(QStringLiteral("target"));
    m_target->setAccessibleName(tr("Target"));
    m_target->setPlaceholderText(tr("Type here to align your own target"));
    m_targetNote->setAccessibleName(tr("Where the target comes from"));
    m_ownTranslation->setProperty("link", true);
    m_ownTranslation->setStyleSheet(QStringLiteral("padding-left: 0;")); // flush with what is above
    m_ownTranslation->setObjectName(QStringLiteral("ownTranslation"));
    m_ownTranslation->setCursor(Qt::PointingHandCursor);
    m_beam->setRange(1, 16);
    m_beam->setPrefix(tr("beam "));
    m_beam->setObjectName(QStringLiteral("beam"));
    m_beam->setAccessibleName(tr("Beam"));
    m_beam->setToolTip(tr("Hypotheses kept while a translation is searched; 1 is greedy"));
    m_beam->setButtonSymbols(QAbstractSpinBox::NoButtons);
    m_beam->setKeyboardTracking(false);
    m_invitation->setText(tr("Edit it to align yours."));
    m_invitation->setMinimumHeight(m_ownTranslation->sizeHint().height());
    m_beam->setStyleSheet(QStringLiteral("padding: 1px 6px; min-height: 17px;"));
    m_second->setObjectName(QStringLiteral("second"));
    m_second->setAccessibleName(tr("Second text"));
    m_second->setPlaceholderText(tr("A second text, if there is one"));
    m_mask->setProperty("link", true);
    m_mask->setObjectName(QStringLiteral("mask"));
    m_mask->setStyleSheet(QStringLiteral("padding-left: 0;"));
    m_mask->setCursor(Qt::PointingHandCursor);
    m_mask->setToolTip(tr("Put it where a word is to be guessed (Ctrl+M)"));
    m_task->setObjectName(QStringLiteral("task"));
    m_task->setAccessibleName(tr("Task"));
    m_task->setToolTip(tr("What the model is asked to do with the text: words that are read before it"));
    m_sourceLanguage->setObjectName(QStringLiteral("sourceLanguage"));
    m_sourceLanguage->setAccessibleName(tr("Language of the source"));
    m_sourceLanguage->setToolTip(m_sourceLanguage->accessibleName());
    m_targetLanguage->setObjectName(QStringLiteral("targetLanguage"));
    m_targetLanguage->setAccessibleName(tr("Language of the target"));
    m_targetLanguage->setToolTip(tr("Language that the model translates into"));
    for (auto* editor : {m_source, m_second, m_target}) {
        editor->setTabChangesFocus(true);
        auto font = editor->font();
        font.setPointSizeF(font.pointSizeF() * 1.1);
        editor->setFont(font);
        editor->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    }

    auto* sourceShelf = new Shelf(m_sourceTokens);
    auto* targetShelf = new Shelf(m_targetTokens);
    auto* targetLine = new QHBoxLayout;
    targetLine->setSpacing(8);
    targetLine->addWidget(makeHeading(tr("Target")));
    targetLine->addWidget(m_targetNote);
    targetLine->addStretch(1);
    targetLine->addWidget(m_targetLanguage);
    auto* belowTarget = new QHBoxLayout; // one of the two, so that nothing moves when they change
    belowTarget->addWidget(m_ownTranslation);
    belowTarget->addWidget(m_invitation);
    belowTarget->addStretch(1);
    belowTarget->addWidget(m_beam);
    auto* target = new QVBoxLayout(m_targetGroup);
    target->setContentsMargins(0, 0, 0, 0);
    target->setSpacing(8);
    target->addLayout(targetLine);
    target->addWidget(m_target);
    target->addWidget(targetShelf);
    target->addLayout(belowTarget);
    auto* second = new QVBoxLayout(m_secondGroup);
    second->setContentsMargins(0, 0, 0, 0);
    second->setSpacing(8);
    second->addWidget(makeHeading(tr("Second text")));
    second->addWidget(m_second);
    m_second->setMaximumHeight(3 * m_second->fontMetrics().lineSpacing() + 22);
    auto* windowLine = new QHBoxLayout(m_window);
    windowLine->setContentsMargins(0, 0, 0, 0);
    windowLine->setSpacing(4);
    windowLine->addWidget(m_windowText);
    windowLine->addStretch(1);
    for (const int direction : {-1, 1}) {
        auto* button = new QPushButton(direction < 0 ? QStringLiteral("‹") : QStringLiteral("›"));
        button->setProperty("flat", true);
        button->setAccessibleName(direction < 0 ? tr("Earlier tokens") : tr("Later tokens"));
        button->setToolTip(button->accessibleName());
        button->setObjectName(direction < 0 ? QStringLiteral("earlier") : QStringLiteral("later"));
        windowLine->addWidget(button);
        connect(button, &QPushButton::clicked, this, [this, direction] { moveWindow(direction); });
    }
    auto* sourceLine = new QHBoxLayout;
    sourceLine->addWidget(makeHeading(tr("Source")));
    sourceLine->addStretch(1);
    sourceLine->addWidget(m_task);
    sourceLine->addWidget(m_sourceLanguage);
    sourceLine->addWidget(m_mask);
    auto* texts = new QVBoxLayout;
    texts->setContentsMargins(7, 0, 7, 0);
    texts->setSpacing(8);
    texts->addLayout(sourceLine);
    texts->addWidget(m_source);
    texts->addWidget(m_secondGroup);
    texts->addWidget(sourceShelf);
    texts->addWidget(m_window);
    texts->addSpacing(6);
    texts->addWidget(m_targetGroup);
    texts->addWidget(m_answers, 1);
    texts->addSpacing(6);
    texts->addWidget(makeHeading(tr("Try")));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(7, 14, 7, 10);
    column->setSpacing(4);
    column->addLayout(texts);
    column->addWidget(m_examples, 1); // wider, so that its text is flush with the rest, not what lights up behind it

    connect(m_source, &QPlainTextEdit::textChanged, this, &TextPanel::sourceEdited);
    connect(m_second, &QPlainTextEdit::textChanged, this, &TextPanel::sourceEdited);
    connect(m_target, &QPlainTextEdit::textChanged, this, &TextPanel::targetEdited);
    connect(m_beam, &QSpinBox::valueChanged, this, &TextPanel::tellEdited);
    for (auto* box : {m_task, m_sourceLanguage, m_targetLanguage})
        connect(box, &LanguageBox::changed, this, &TextPanel::tellEdited);
    connect(m_mask, &QPushButton::clicked, this, &TextPanel::insertMask);
    connect(m_answers, &AnswerPanel::changed, this, &TextPanel::tellEdited);
    connect(m_answers, &AnswerPanel::wordChosen, this, &TextPanel::putWord);
    connect(m_ownTranslation, &QPushButton::clicked, this, &TextPanel::useOwnTranslation);
    connect(m_examples, &ExampleList::chosen, this, &TextPanel::chooseExample);
    setForced(false);
    ModelInfo unknown;
    unknown.hasEncoder = unknown.hasDecoder = true;
    takeModel(unknown);
    m_examples->setModel(unknown);
    showWindow();
}

Request TextPanel::request() const {
    auto request = typed().request(m_model);
    request.maxLength = m_answers->continuing() ? 1 : 0;
    return request;
}

void TextPanel::tellEdited() {
    Q_EMIT textEdited(request());
}

void TextPanel::setModel(const ModelInfo& model) {
    const auto before = request();
    takeModel(model);
    // What the model before did not read may be there already.
    if (const auto now = request(); now.target != before.target || now.second != before.second
                                    || now.targetIds != before.targetIds || now.sourceLanguage != before.sourceLanguage
                                    || now.targetLanguage != before.targetLanguage || now.prefix != before.prefix
                                    || now.record.candidates != before.record.candidates)
        tellEdited();
}

void TextPanel::takeModel(const ModelInfo& model) {
    const bool another =
        model.name != m_model.name || purposeOf(model) != purposeOf(m_model) || model.mask != m_model.mask;
    m_model = model;
    m_answers->setModel(model);
    m_targetGroup->setVisible(!AnswerPanel::serves(model));
    m_answers->setVisible(AnswerPanel::serves(model));
    m_secondGroup->setVisible(model.readsPairs);
    m_task->setTasks(model.tasks);
    m_sourceLanguage->setLanguages(model.sourceLanguages, model.sourceLanguage);
    m_targetLanguage->setLanguages(model.targetLanguages, model.targetLanguage);
    const auto mask = QString::fromStdString(model.mask);
    m_mask->setVisible(!mask.isEmpty());
    m_mask->setText(tr("Insert %1").arg(withoutAccelerators(brief(mask, mostOfName))));
    if (another)
        m_examples->setModel(model);
}

void TextPanel::focusSource() {
    m_source->setFocus(Qt::ShortcutFocusReason);
}

void TextPanel::useOwnTranslation() {
    if (!m_forced)
        return;
    setForced(false);
    showTranslation();
    tellEdited();
}

void TextPanel::insertMask() {
    if (m_model.mask.empty())
        return;
    auto* editor = m_second->hasFocus() ? m_second : m_source;
    editor->insertPlainText(QString::fromStdString(m_model.mask));
    editor->setFocus(Qt::OtherFocusReason);
}

/// Replaces the token at this position of the source, as one edit. Spaces are as the letters say:
/// a piece that goes on with a word stands at it, and one that begins a word is parted from it.
void TextPanel::putWord(int position, const QString& letters) {
    const auto at = static_cast<std::size_t>(position);
    if (!m_trace || position < 0 || at >= m_trace->source.size())
        return;
    const auto& token = m_trace->source[at];
    auto* editor = token.segment == 0 || m_trace->secondText.empty() ? m_source : m_second;
    const auto& text = editor == m_source ? m_trace->sourceText : m_trace->secondText;
    if (token.bytes.empty() || token.bytes.end > text.size() || editor->toPlainText().toStdString() != text)
        return; // what is typed has moved on since
    // The space before a mask may be a part of its token or not.
    const auto typed = text.find_first_not_of(" \n", token.bytes.begin);
    const auto last = text.find_last_not_of(' ', typed - 1);
    const auto begin = typed == 0 || last == std::string::npos ? 0 : last + 1;
    const bool beginsLine = begin == 0 || text[begin - 1] == '\n';
    const auto lettersBefore = [&text](std::size_t byte) {
        return static_cast<int>(QString::fromStdString(text.substr(0, byte)).size());
    };
    QTextCursor cursor(editor->document());
    cursor.setPosition(lettersBefore(begin));
    cursor.setPosition(lettersBefore(token.bytes.end), QTextCursor::KeepAnchor);
    cursor.insertText(beginsLine && !m_model.readsSpaces && letters.startsWith(QLatin1Char(' ')) ? letters.mid(1)
                                                                                                 : letters);
}

void TextPanel::showWindow() {
    const bool cut = m_trace && m_trace->window;
    m_window->setVisible(cut);
    if (!cut)
        return;
    const auto& window = *m_trace->window;
    m_windowText->setText(tr("tokens %1–%2 of %3")
                              .arg(window.begin)
                              .arg(std::max(window.begin, window.begin + window.length - 1))
                              .arg(window.total));
}

void TextPanel::moveWindow(int direction) {
    if (!m_trace || !m_trace->window)
        return;
    const auto& window = *m_trace->window;
    const int step = std::max(1, window.length / 2); // so that what stood at an edge is seen with both its sides
    m_skip = std::clamp(window.begin + direction * step, 0, window.total - window.length);
    tellEdited();
}

void TextPanel::setSelection(Selection* selection) {
    m_sourceTokens->setSelection(selection);
    m_targetTokens->setSelection(selection);
}

void TextPanel::setAppearance(const Appearance& appearance) {
    m_sourceTokens->setAppearance(appearance);
    m_targetTokens->setAppearance(appearance);
    m_answers->setAppearance(appearance);
}

void TextPanel::setTrace(TracePointer trace, bool newest) {
    if (trace == m_trace)
        return; // B's run has come
    m_trace = std::move(trace);
    m_sourceTokens->setTrace(m_trace);
    m_targetTokens->setTrace(m_trace);
    for (auto* strip : {m_sourceTokens, m_targetTokens})
        static_cast<Shelf*>(strip->parentWidget()->parentWidget())->contentChanged();
    showTranslation();
    showWindow();
    if (newest || !m_answers->continuing()) // which goes on from the newest alone
        m_answers->setTrace(m_trace);
}

Session::Typed TextPanel::typed() const {
    Session::Typed typed{.source = m_lastSource,
                         .second = m_lastSecond,
                         .target = m_forced ? std::optional(m_lastTarget) : std::nullopt,
                         .beam = m_beam->value(),
                         .skip = m_skip,
                         .sourceLanguage = m_sourceLanguage->chosen(),
                         .targetLanguage = m_targetLanguage->chosen(),
                         .task = m_task->chosen()};
    m_answers->tell(typed);
    return typed;
}

void TextPanel::show(const Session::Typed& typed) {
    const QSignalBlocker quietSource(m_source), quietSecond(m_second), quietTarget(m_target), quietBeam(m_beam);
    m_source->show(typed.source);
    m_second->show(typed.second);
    m_lastSource = m_source->toPlainText();
    m_lastSecond = m_second->toPlainText();
    if (typed.target)
        m_target->show(*typed.target);
    m_lastTarget = m_target->toPlainText();
    m_beam->setValue(typed.beam);
    m_skip = typed.skip;
    m_sourceLanguage->show(typed.sourceLanguage);
    m_targetLanguage->show(typed.targetLanguage);
    m_task->show(typed.task);
    m_answers->show(typed);
    setForced(typed.target.has_value());
    showTranslation();
    m_examples->setTyped(m_lastSource);
}

void TextPanel::setShownTexts(const Trace& trace) {
    ModelInfo model;
    model.hasEncoder = trace.encoder || trace.cross;
    model.hasDecoder = trace.decoder || trace.cross;
    const QSignalBlocker quietAnswers(m_answers);
    takeModel(model);
    m_answers->forgetContinuation();
    const QSignalBlocker quietSource(m_source), quietTarget(m_target);
    m_source->show(QString::fromStdString(trace.source.empty() ? trace.targetText : trace.sourceText));
    m_lastSource = m_source->toPlainText();
    if (model.hasEncoder && model.hasDecoder)
        m_target->show(QString::fromStdString(trace.targetText));
    m_lastTarget = m_target->toPlainText();
    m_skip.reset();
    setForced(false);
    m_examples->setTyped(m_lastSource);
}

void TextPanel::forceTexts(const QString& source, const QString& target) {
    {
        const QSignalBlocker quietSource(m_source), quietTarget(m_target);
        m_source->show(source);
        m_target->show(target);
    }
    m_lastSource = m_source->toPlainText();
    m_lastTarget = m_target->toPlainText();
    m_skip.reset();
    setForced(true);
    m_examples->setTyped(m_lastSource);
    tellEdited();
}

void TextPanel::sourceEdited() {
    auto text = m_source->toPlainText();
    auto second = m_second->toPlainText();
    if (text == m_lastSource && second == m_lastSecond) // the signal comes for changes of format too
        return;
    m_lastSource = std::move(text);
    m_lastSecond = std::move(second);
    m_skip.reset();
    m_answers->forgetContinuation();
    m_examples->setTyped(m_lastSource);
    tellEdited();
}

void TextPanel::targetEdited() {
    auto text = m_target->toPlainText();
    if (text == m_lastTarget)
        return;
    m_lastTarget = std::move(text);
    setForced(true);
    tellEdited();
}

void TextPanel::showTranslation() {
    // A run with a forced target has no translation of the model's own; the next one will.
    if (m_forced || !m_trace || m_trace->targetForced || m_trace->source.empty())
        return;
    auto text = QString::fromStdString(m_trace->targetText);
    if (text == m_lastTarget)
        return;
    const QSignalBlocker quiet(m_target);
    m_target->show(text);
    m_lastTarget = m_target->toPlainText();
}

void TextPanel::setForced(bool forced) {
    m_forced = forced;
    m_targetNote->setText(forced ? tr("yours (forced)") : tr("A's translation"));
    m_ownTranslation->setVisible(forced);
    m_invitation->setVisible(!forced);
    m_beam->setVisible(!forced); // what is given is not searched
}

void TextPanel::chooseExample(const QString& text) {
    if (text == m_lastSource && !m_forced)
        return;
    {
        const QSignalBlocker quiet(m_source);
        m_source->show(text);
        m_lastSource = text;
    }
    m_skip.reset();
    m_answers->forgetContinuation();
    setForced(false); // a target of another sentence says nothing about this one
    m_examples->setTyped(m_lastSource);
    tellEdited();
}

} // namespace headlight
