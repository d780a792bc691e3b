#include "app/banners.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStyle>

namespace headlight {

namespace {

QLabel* lineOfText(const QString& name) {
    auto* label = new QLabel;
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setAccessibleName(name);
    return label;
}

QHBoxLayout* rowOf(QFrame* frame) {
    auto* row = new QHBoxLayout(frame);
    row->setContentsMargins(14, 4, 10, 4);
    return row;
}

} // namespace

Banner::Banner(QWidget* parent) : QFrame(parent), m_text(lineOfText(tr("Problem"))), m_remedy(new QPushButton) {
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_text->setObjectName(QStringLiteral("problem"));
    m_remedy->setObjectName(QStringLiteral("remedy"));
    auto* close = new QPushButton(QStringLiteral("✕"));
    close->setProperty("flat", true);
    close->setObjectName(QStringLiteral("closeProblem"));
    close->setAccessibleName(tr("Close the message"));
    close->setToolTip(close->accessibleName());
    auto* row = rowOf(this);
    row->addWidget(m_text, 1, Qt::AlignVCenter);
    row->addWidget(m_remedy, 0, Qt::AlignTop);
    row->addWidget(close, 0, Qt::AlignTop);
    connect(close, &QPushButton::clicked, this, [this] {
        hide();
        Q_EMIT closed();
    });
    connect(m_remedy, &QPushButton::clicked, this, [this] { Q_EMIT remedyWanted(m_told.remedy); });
    hide();
}

void Banner::tell(const Workbench::Message& message) {
    using Remedy = Workbench::Message::Remedy;
    if (message.text == m_told.text && message.remedy == m_told.remedy && !message.anew)
        return;
    m_told = message;
    constexpr qsizetype most = 600; // a path can be of any length, the window cannot
    m_text->setText(message.text.size() > most ? message.text.left(most) + QStringLiteral("…") : message.text);
    m_remedy->setText(message.remedy == Remedy::Reload ? tr("Reload") : tr("Choose another…"));
    m_remedy->setVisible(message.remedy != Remedy::None);
    setProperty("banner", message.problem ? QStringLiteral("problem") : QStringLiteral("remark"));
    style()->unpolish(this); // a property alone gives no other colours
    style()->polish(this);
    setVisible(!message.text.isEmpty());
}

Notice::Notice(QWidget* parent) : QFrame(parent), m_text(lineOfText(tr("What was changed"))), m_back(new QPushButton) {
    setProperty("banner", QStringLiteral("remark"));
    setObjectName(QStringLiteral("changes"));
    auto* row = rowOf(this);
    row->addWidget(m_text, 1, Qt::AlignVCenter);
    row->addWidget(m_back, 0, Qt::AlignTop);
    connect(m_back, &QPushButton::clicked, this, &Notice::backWanted);
    hide();
}

void Notice::tell(const Workbench::Changes& changes) {
    m_text->setText(changes.text);
    m_back->setText(changes.back);
    setVisible(!changes.text.isEmpty());
}

} // namespace headlight
