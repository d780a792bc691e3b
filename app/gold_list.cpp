#include "app/gold_list.h"

#include "widgets/plain_text.h"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QVBoxLayout>

namespace headlight {

namespace {

QString textOf(const WrittenWords& written) {
    return brief(QString::fromStdString(written.text));
}

} // namespace

GoldList::GoldList(std::vector<GoldAlignment> sentences, const QString& name, QWidget* parent)
    : QDialog(parent), m_filter(new QLineEdit), m_list(new QListWidget) {
    setWindowTitle(tr("%1: gold alignments").arg(brief(name, mostOfName)));
    m_filter->setPlaceholderText(tr("Words to look for"));
    m_filter->setAccessibleName(m_filter->placeholderText());
    m_filter->setClearButtonEnabled(true);
    m_filter->installEventFilter(this);
    m_list->setAccessibleName(tr("Sentences"));
    m_list->setWordWrap(true);
    m_list->setObjectName(QStringLiteral("sentences"));
    for (auto& sentence : sentences) {
        auto* item = new QListWidgetItem(
            QStringLiteral("%1\n%2").arg(textOf(writtenSource(sentence)), textOf(writtenTarget(sentence))));
        item->setToolTip(toolTipOf({QString::fromStdString(sentence.id)}));
        item->setData(Qt::UserRole, static_cast<qulonglong>(m_sentences.size()));
        m_list->addItem(item);
        m_sentences.push_back(std::make_shared<const GoldAlignment>(std::move(sentence)));
    }
    auto* column = new QVBoxLayout(this);
    column->addWidget(m_filter);
    column->addWidget(m_list, 1);
    column->addWidget(new QLabel(tr("%n sentence(s). Solid frames: sure links; dashed: possible ones.", nullptr,
                                    static_cast<int>(m_sentences.size()))));
    resize(460, 560);
    connect(m_filter, &QLineEdit::textChanged, this, &GoldList::filter);
    const auto choose = [this](const QListWidgetItem* item) {
        if (item)
            Q_EMIT chosen(m_sentences[static_cast<std::size_t>(item->data(Qt::UserRole).toULongLong())]);
    };
    connect(m_list, &QListWidget::currentItemChanged, this, choose);
    // One that is current already may be wanted again, after another text.
    connect(m_list, &QListWidget::itemActivated, this, choose);
    connect(m_list, &QListWidget::itemClicked, this, choose);
}

void GoldList::filter(const QString& words) {
    for (int row = 0; row < m_list->count(); ++row)
        m_list->item(row)->setHidden(!m_list->item(row)->text().contains(words, Qt::CaseInsensitive));
}

bool GoldList::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_filter && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Down || key == Qt::Key_Up || key == Qt::Key_PageDown || key == Qt::Key_PageUp) {
            QCoreApplication::sendEvent(m_list, event);
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

} // namespace headlight
