#include "app/fetch_row.h"

#include "app/model_outlook.h"
#include "widgets/plain_text.h"

#include <QDesktopServices>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace headlight {

namespace {

constexpr int steps = 1000;

QLabel* plainLabel() {
    auto* label = new QLabel;
    label->setTextFormat(Qt::PlainText);
    return label;
}

QString stateInWords(const Fetch& fetch) {
    const auto share =
        FetchRow::tr("%1 of %2").arg(bytesInWords(fetch.progress.done), bytesInWords(fetch.progress.total));
    switch (fetch.state) {
    case Fetch::State::Queued:
        return FetchRow::tr("waits for its turn");
    case Fetch::State::Asking:
        return FetchRow::tr("asking the hub…");
    case Fetch::State::Fetching:
        return share + progressInWords(fetch.progress);
    case Fetch::State::Stopped:
        return fetch.progress.total > 0 ? FetchRow::tr("stopped at %1").arg(share) : FetchRow::tr("stopped");
    case Fetch::State::Failed:
        return FetchRow::tr("not fetched");
    case Fetch::State::Done:
        return fetch.opens == Fetch::Opens::AsA   ? FetchRow::tr("there, and open as A")
               : fetch.opens == Fetch::Opens::AsB ? FetchRow::tr("there, and open as B")
                                                  : FetchRow::tr("there");
    }
    return {};
}

} // namespace

FetchRow::FetchRow(Downloads& downloads, int id, QWidget* parent)
    : QWidget(parent), m_downloads(downloads), m_id(id), m_name(plainLabel()), m_state(plainLabel()),
      m_note(plainLabel()), m_bar(new QProgressBar), m_toggle(new QPushButton), m_visit(new QPushButton),
      m_drop(new QPushButton(QStringLiteral("✕"))) {
    m_name->setMinimumWidth(1);
    m_state->setProperty("note", true);
    m_note->setWordWrap(true);
    m_note->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_bar->setRange(0, steps);
    m_bar->setTextVisible(false);
    m_drop->setProperty("flat", true);
    m_drop->setToolTip(tr("Take it off this list; what was fetched stays"));
    for (auto* button : {m_toggle, m_visit})
        button->setProperty("link", true);
    auto* first = new QHBoxLayout;
    first->setSpacing(10);
    first->addWidget(m_name);
    first->addWidget(m_state, 1);
    first->addWidget(m_visit);
    first->addWidget(m_toggle);
    first->addWidget(m_drop);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 2, 0, 4);
    column->setSpacing(3);
    column->addLayout(first);
    column->addWidget(m_bar);
    column->addWidget(m_note);
    connect(m_drop, &QPushButton::clicked, this, [this] { m_downloads.drop(m_id); });
    connect(m_toggle, &QPushButton::clicked, this, [this] {
        const auto* fetch = m_downloads.find(m_id);
        if (fetch && (fetch->runs() || fetch->state == Fetch::State::Queued))
            m_downloads.stop(m_id);
        else
            m_downloads.goOn(m_id);
    });
    connect(m_visit, &QPushButton::clicked, this, [this] {
        if (const auto* fetch = m_downloads.find(m_id))
            QDesktopServices::openUrl(fetch->problem.visit);
    });
    update();
}

void FetchRow::update() {
    const auto* fetch = m_downloads.find(m_id);
    if (!fetch)
        return;
    using State = Fetch::State;
    constexpr qsizetype mostOfRow = 44;
    m_name->setText(brief(fetch->name.text(), mostOfRow));
    m_name->setToolTip(toolTipOf({fetch->name.text()}));
    m_state->setText(stateInWords(*fetch));
    const bool failed = fetch->state == State::Failed;
    m_note->setText(failed ? fetch->problem.text : fetch->note);
    m_note->setVisible(!m_note->text().isEmpty() && (failed || fetch->runs()));
    const auto& progress = fetch->progress;
    m_bar->setValue(progress.total > 0 ? static_cast<int>(static_cast<double>(progress.done) * steps
                                                          / static_cast<double>(progress.total))
                                       : 0);
    m_bar->setVisible(!failed && fetch->state != State::Done);
    const bool active = fetch->runs() || fetch->state == State::Queued;
    m_toggle->setText(active ? tr("Stop") : failed ? tr("Try again") : tr("Go on"));
    m_toggle->setVisible(fetch->state != State::Done);
    m_visit->setText(tr("Open its page"));
    m_visit->setToolTip(toolTipOf({fetch->problem.visit.toString()}));
    m_visit->setVisible(failed && !fetch->problem.visit.isEmpty());
    const auto name = fetch->name.text();
    m_toggle->setAccessibleName(m_toggle->text() + QLatin1Char(' ') + name);
    m_drop->setAccessibleName(tr("Take %1 off this list").arg(name));
    m_bar->setAccessibleName(name);
}

QString FetchRow::text() const {
    return QStringList{m_name->text(), m_state->text(), m_note->isVisibleTo(this) ? m_note->text() : QString()}.join(
        QLatin1Char('\n'));
}

} // namespace headlight
