#include "app/manage_models_dialog.h"

#include "app/dialog_sheet.h"
#include "app/doors.h"
#include "app/hub/hub_problem.h"
#include "widgets/plain_text.h"

#include <QDesktopServices>
#include <QFile>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QMessageBox>
#include <QPointer>
#include <QPushButton>
#include <QTreeWidget>
#include <QUrl>
#include <QVBoxLayout>

#include <algorithm>
#include <memory>
#include <utility>

namespace headlight {

namespace {

enum Column { ModelColumn, RevisionColumn, SizeColumn, StateColumn };

QString pathText(const std::filesystem::path& path) {
    return QFile::decodeName(path.c_str());
}

QString revisionText(const HubRevision& revision) {
    constexpr std::size_t shortCommit = 7;
    QStringList names;
    for (const auto& reference : revision.references)
        names << QString::fromStdString(reference);
    const auto commit = QString::fromStdString(revision.commit.substr(0, shortCommit));
    return names.isEmpty() ? commit : ManageModelsDialog::tr("%1 (%2)").arg(names.join(QStringLiteral(", ")), commit);
}

} // namespace

ManageModelsDialog::ManageModelsDialog(std::filesystem::path cache, QWidget* parent)
    : QDialog(parent), m_cache(std::move(cache)), m_summary(new QLabel), m_list(new QTreeWidget), m_message(new QLabel),
      m_folder(new QLabel), m_openA(new QPushButton(tr("Open as A"))), m_openB(new QPushButton(tr("Open as B"))),
      m_reveal(new QPushButton(tr("Open its folder"))), m_remove(new QPushButton(tr("Remove…"))) {
    setWindowTitle(tr("Manage models"));
    auto* body = new QWidget;
    body->setStyleSheet(dialogSheet(parent ? parent->palette() : palette()));
    for (auto* label : {m_summary, m_message, m_folder}) {
        label->setTextFormat(Qt::PlainText);
        label->setWordWrap(true);
        label->setProperty("note", true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    }
    m_summary->setObjectName(QStringLiteral("summary"));
    m_folder->setObjectName(QStringLiteral("folder"));
    m_message->setObjectName(QStringLiteral("message"));
    m_message->hide();
    m_list->setObjectName(QStringLiteral("cachedModels"));
    m_list->setAccessibleName(tr("Models in the cache"));
    m_list->setHeaderLabels({tr("Model"), tr("Revision"), tr("Size"), tr("State")});
    m_list->setRootIsDecorated(false);
    m_list->setUniformRowHeights(true);
    m_list->setAllColumnsShowFocus(true);
    m_list->header()->setStretchLastSection(false);
    m_list->header()->setSectionResizeMode(ModelColumn, QHeaderView::Stretch);
    for (const auto& [section, width] :
         {std::pair{RevisionColumn, 150}, std::pair{SizeColumn, 84}, std::pair{StateColumn, 140}}) {
        m_list->header()->setSectionResizeMode(section, QHeaderView::Fixed);
        m_list->header()->resizeSection(section, width);
    }
    m_list->headerItem()->setTextAlignment(SizeColumn, Qt::AlignRight | Qt::AlignVCenter);

    auto* deeds = new QHBoxLayout;
    for (auto* button : {m_openA, m_openB, m_reveal, m_remove}) {
        button->setAutoDefault(false);
        deeds->addWidget(button);
    }
    deeds->addStretch(1);
    auto* more = new QPushButton(tr("Get a model…"));
    auto* close = new QPushButton(tr("Close"));
    more->setProperty("link", true);
    for (auto* button : {more, close}) {
        button->setAutoDefault(false);
        deeds->addWidget(button);
    }
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(16, 14, 16, 12);
    column->setSpacing(8);
    column->addWidget(m_summary);
    column->addWidget(m_list, 1);
    column->addWidget(m_folder);
    column->addWidget(m_message);
    column->addLayout(deeds);
    auto* whole = new QVBoxLayout(this);
    whole->setContentsMargins(0, 0, 0, 0);
    whole->addWidget(body);
    resize(QSize(720, 460).boundedTo(parent ? parent->size() : QSize(720, 460)));

    connect(m_list, &QTreeWidget::currentItemChanged, this, &ManageModelsDialog::showChoice);
    const auto open = [this](bool first) {
        const auto* revision = chosen();
        if (revision && revision->complete)
            Q_EMIT modelWanted(pathText(revision->folder), first);
        else if (revision)
            Q_EMIT fetchWanted(QString::fromStdString(revision->name));
    };
    connect(m_openA, &QPushButton::clicked, this, [open] { open(true); });
    connect(m_openB, &QPushButton::clicked, this, [open] { open(false); });
    connect(m_list, &QTreeWidget::itemActivated, this, [open] { open(true); });
    connect(m_reveal, &QPushButton::clicked, this, [this] {
        if (const auto* revision = chosen())
            QDesktopServices::openUrl(QUrl::fromLocalFile(pathText(revision->folder)));
    });
    connect(m_remove, &QPushButton::clicked, this, &ManageModelsDialog::askBeforeRemoval);
    connect(more, &QPushButton::clicked, this, [this] { Q_EMIT fetchWanted({}); });
    connect(close, &QPushButton::clicked, this, &QDialog::close);
    m_summary->setText(tr("Looking through %1…").arg(pathText(m_cache)));
    showChoice();
    refresh();
}

ManageModelsDialog::~ManageModelsDialog() = default;

void ManageModelsDialog::inBackground(const std::function<std::function<void()>()>& work) {
    m_pool.start([this, work] {
        auto then = work();
        QMetaObject::invokeMethod(this, std::move(then), Qt::QueuedConnection);
    });
}

void ManageModelsDialog::refresh() {
    inBackground([this]() -> std::function<void()> {
        auto revisions = std::make_shared<std::vector<HubRevision>>();
        const auto problem = Doors::attempt(pathText(m_cache), [&] { *revisions = hubRevisions(m_cache); });
        return [this, revisions, problem] {
            show(std::move(*revisions));
            if (!problem.isEmpty())
                m_message->setText(problem);
            m_message->setVisible(!m_message->text().isEmpty());
        };
    });
}

void ManageModelsDialog::show(std::vector<HubRevision> revisions) {
    const auto* before = chosen();
    const auto folder = before ? before->folder : std::filesystem::path();
    m_list->clear();
    m_revisions = std::move(revisions);
    std::uintmax_t bytes = 0;
    for (const auto& revision : m_revisions) {
        auto* item = new QTreeWidgetItem(m_list);
        const auto name = QString::fromStdString(revision.name);
        item->setText(ModelColumn, brief(name, mostOfName));
        item->setToolTip(ModelColumn, toolTipOf({name}));
        item->setText(RevisionColumn, brief(revisionText(revision), mostOfName));
        item->setToolTip(RevisionColumn, toolTipOf({QString::fromStdString(revision.commit)}));
        item->setText(SizeColumn, bytesInWords(static_cast<qint64>(revision.bytes)));
        item->setTextAlignment(SizeColumn, Qt::AlignRight | Qt::AlignVCenter);
        item->setText(StateColumn, revision.complete         ? tr("whole")
                                   : revision.commit.empty() ? tr("not fetched to its end")
                                                             : tr("without weights"));
        bytes += revision.bytes;
        if (revision.folder == folder)
            m_list->setCurrentItem(item);
    }
    const auto free = freeSpace(m_cache);
    const auto all = tr("%1 of models in %2").arg(bytesInWords(static_cast<qint64>(bytes)), pathText(m_cache));
    m_summary->setText(m_revisions.empty() ? tr("There are no models in %1 yet.").arg(pathText(m_cache))
                       : free ? tr("%1; %2 are free there").arg(all, bytesInWords(static_cast<qint64>(*free)))
                              : all);
    showChoice();
}

const HubRevision* ManageModelsDialog::chosen() const {
    const auto index = m_list->indexOfTopLevelItem(m_list->currentItem());
    return index >= 0 && static_cast<std::size_t>(index) < m_revisions.size()
               ? &m_revisions[static_cast<std::size_t>(index)]
               : nullptr;
}

void ManageModelsDialog::showChoice() {
    const auto* revision = chosen();
    const bool whole = revision && revision->complete;
    m_openA->setText(revision && !whole ? tr("Fetch the rest…") : tr("Open as A"));
    m_openA->setEnabled(revision);
    m_openB->setEnabled(whole);
    m_reveal->setEnabled(revision);
    m_remove->setEnabled(revision);
    m_folder->setText(revision ? pathText(revision->folder)
                               : tr("Choose a model to see its folder, open it, or remove it."));
}

void ManageModelsDialog::askBeforeRemoval() {
    const auto* revision = chosen();
    if (!revision)
        return;
    auto* question = new QMessageBox(QMessageBox::NoIcon, tr("Remove a model"),
                                     tr("Remove %1, %2, from this disk?")
                                         .arg(brief(QString::fromStdString(revision->name), mostOfName),
                                              bytesInWords(static_cast<qint64>(revision->bytes))),
                                     QMessageBox::Cancel, this);
    question->setTextFormat(Qt::PlainText);
    question->setInformativeText(tr("Python's programs use the same files. It can be fetched again."));
    auto* yes = question->addButton(tr("Remove"), QMessageBox::AcceptRole);
    question->setDefaultButton(QMessageBox::Cancel); // Enter alone must not remove anything
    question->setWindowModality(Qt::WindowModal);
    connect(yes, &QAbstractButton::clicked, this, [this, removed = *revision] { remove(removed); });
    present(question);
}

void ManageModelsDialog::remove(const HubRevision& revision) {
    m_message->setText(tr("Removing %1…").arg(QString::fromStdString(revision.name)));
    m_message->show();
    inBackground([this, revision]() -> std::function<void()> {
        std::uintmax_t freed = 0;
        const auto problem =
            Doors::attempt(pathText(revision.folder), [&] { freed = removeRevision(m_cache, revision); });
        const auto said = !problem.isEmpty() ? problem
                                             : tr("%1 is removed; %2 are free now.")
                                                   .arg(QString::fromStdString(revision.name),
                                                        bytesInWords(static_cast<qint64>(freed)));
        return [this, said] {
            m_message->setText(said);
            refresh();
        };
    });
}

} // namespace headlight
