#include "app/get_model_dialog.h"

#include "app/dialog_sheet.h"
#include "app/doors.h"
#include "app/fetch_row.h"
#include "core/error.h"
#include "core/files/hub.h"
#include "core/files/hub_cache.h"
#include "core/runs/budget.h"
#include "widgets/controls.h"
#include "widgets/plain_text.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QDialogButtonBox>
#include <QFile>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QScrollArea>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <chrono>
#include <utility>

namespace headlight {

namespace {

using namespace std::chrono_literals;

constexpr auto untilSearched = 500ms; ///< after the last letter
constexpr int mostLookedInto = 12;    ///< of a list; others when they are chosen: the hub counts questions

enum Column { ModelColumn, TaskColumn, DownloadsColumn, SizeColumn, OpensColumn };

/// Small ones, one or two of each family. Sizes are about what is fetched of them.
struct FirstModel {
    const char* id;
    const char* task;
    int megabytes;
    const char* family;
};
constexpr FirstModel firstModels[] = {
    {"google-bert/bert-base-uncased", "fill-mask", 441, "bert"},
    {"distilbert/distilbert-base-uncased", "fill-mask", 268, "distilbert"},
    {"distilbert/distilbert-base-uncased-finetuned-sst-2-english", "text-classification", 268, "distilbert"},
    {"FacebookAI/roberta-base", "fill-mask", 501, "roberta"},
    {"almanach/camembert-base", "fill-mask", 447, "camembert"},
    {"FacebookAI/xlm-roberta-base", "fill-mask", 1130, "xlm-roberta"},
    {"google/bigbird-roberta-base", "fill-mask", 514, "bigbird"},
    {"openai-community/gpt2", "text-generation", 551, "gpt2"},
    {"openai-community/openai-gpt", "text-generation", 481, "openai-gpt"},
    {"HuggingFaceTB/SmolLM2-135M", "text-generation", 272, "llama"},
    {"Qwen/Qwen2-0.5B", "text-generation", 999, "qwen2"},
    {"Helsinki-NLP/opus-mt-en-fr", "translation", 304, "marian"},
    {"Helsinki-NLP/opus-mt-en-zh", "translation", 316, "marian"},
    {"google-t5/t5-small", "translation", 244, "t5"},
    {"google/mt5-small", "text2text-generation", 1230, "mt5"},
    {"facebook/bart-base", "text2text-generation", 560, "bart"},
    {"facebook/mbart-large-50-many-to-many-mmt", "translation", 2450, "mbart"},
};

QLabel* plainLabel(const char* property) {
    auto* label = new QLabel;
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setProperty(property, true);
    return label;
}

QString textOf(const QTreeWidgetItem& item) {
    return item.data(ModelColumn, Qt::UserRole).toString();
}

QString countInWords(qint64 count) {
    constexpr std::pair<qint64, const char*> units[] = {{1'000'000, "M"}, {1'000, "k"}};
    for (const auto& [size, letter] : units)
        if (count >= size)
            return QString::number(static_cast<double>(count) / static_cast<double>(size), 'f',
                                   count < 10 * size ? 1 : 0)
                   + QLatin1String(letter);
    return QString::number(count);
}

/// Asks for a token, in letters that nobody reads over a shoulder.
class TokenDialog : public QDialog {
public:
    TokenDialog(const HubSettings& settings, QWidget* parent)
        : QDialog(parent), m_token(new QLineEdit), m_keep(new QCheckBox) {
        setWindowTitle(GetModelDialog::tr("Token for %1").arg(settings.endpoint.host()));
        auto* words = plainLabel("note");
        words->setText(GetModelDialog::tr("Models that are gated or private need a token of an account that may read "
                                          "them. Make one with the right to read on %1/settings/tokens.")
                           .arg(settings.endpoint.toString()));
        m_token->setEchoMode(QLineEdit::Password);
        m_token->setPlaceholderText(QStringLiteral("hf_…"));
        m_token->setAccessibleName(GetModelDialog::tr("Token"));
        m_keep->setText(GetModelDialog::tr("Keep it for the next time"));
        m_keep->setToolTip(toolTipOf({GetModelDialog::tr("In %1, where Python's client keeps it, readable to you alone")
                                          .arg(QFile::decodeName(settings.tokenFile.c_str()))}));
        auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
        connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
        connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
        auto* column = new QVBoxLayout(this);
        column->setSpacing(10);
        column->addWidget(words);
        column->addWidget(m_token);
        column->addWidget(m_keep);
        column->addWidget(buttons);
        setMinimumWidth(420);
    }
    QByteArray token() const { return m_token->text().toUtf8(); }
    bool keeps() const { return m_keep->isChecked(); }

private:
    QLineEdit* m_token;
    QCheckBox* m_keep;
};

} // namespace

GetModelDialog::GetModelDialog(Downloads& downloads, QWidget* parent) : QDialog(parent), m_downloads(downloads) {
    setWindowTitle(tr("Get a model"));
    // A sheet of its own: the dialog's is set by whoever shows it.
    auto* body = new QWidget;
    body->setStyleSheet(dialogSheet(parent ? parent->palette() : palette()));
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(16, 14, 16, 12);
    column->setSpacing(8);
    column->addWidget(buildSearch());
    column->addWidget(m_heading);
    column->addWidget(m_message);
    column->addWidget(m_list, 1);
    column->addWidget(buildChoice());
    m_fetches = new QScrollArea;
    m_fetches->setAccessibleName(tr("Models on their way"));
    auto* rows = new QWidget;
    m_rows = new QVBoxLayout(rows);
    m_rows->setContentsMargins(0, 0, 4, 0);
    m_rows->setSpacing(2);
    m_rows->addStretch(1);
    auto* area = static_cast<QScrollArea*>(m_fetches);
    area->setWidget(rows);
    area->setWidgetResizable(true);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setFrameShape(QFrame::NoFrame);
    column->addWidget(m_fetches);
    column->addWidget(buildFoot());
    auto* whole = new QVBoxLayout(this);
    whole->setContentsMargins(0, 0, 0, 0);
    whole->addWidget(body);
    resize(QSize(760, 620).boundedTo(parent ? parent->size() : QSize(760, 620)));

    m_typed.setSingleShot(true);
    m_typed.setInterval(untilSearched);
    connect(&m_typed, &QTimer::timeout, this, &GetModelDialog::search);
    connect(&m_downloads, &Downloads::changed, this, &GetModelDialog::listFetches);
    connect(&m_downloads, &Downloads::progressed, this, [this](int id) {
        if (auto* row = m_rowOf.value(id))
            row->update();
    });
    // What is there now need not be fetched.
    connect(&m_downloads, &Downloads::done, this, [this](const Fetch& fetch) {
        m_known.remove(fetch.name.text());
        lookInto();
    });
    listFirst();
    listFetches();
    showFoot();
    m_field->setFocus();
}

GetModelDialog::~GetModelDialog() = default;

QWidget* GetModelDialog::buildSearch() {
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    m_field = new QLineEdit;
    m_field->setObjectName(QStringLiteral("modelName"));
    m_field->setPlaceholderText(tr("A model's name, the address of its page, or words to search for"));
    m_field->setAccessibleName(m_field->placeholderText());
    m_field->setClearButtonEnabled(true);
    m_field->installEventFilter(this);
    layout->addWidget(m_field, 1);
    connect(m_field, &QLineEdit::textEdited, this, [this] { m_typed.start(); });
    connect(m_field, &QLineEdit::textChanged, this, [this](const QString& text) {
        if (text.trimmed().isEmpty())
            listFirst();
    });

    m_heading = plainLabel("heading");
    m_message = plainLabel("note");
    m_message->setObjectName(QStringLiteral("searchMessage"));
    m_message->hide();
    m_list = new QTreeWidget;
    m_list->setObjectName(QStringLiteral("models"));
    m_list->setAccessibleName(tr("Models"));
    m_list->setHeaderLabels({tr("Model"), tr("Task"), tr("Downloads"), tr("Size"), tr("Opens")});
    m_list->setRootIsDecorated(false);
    m_list->setUniformRowHeights(true);
    m_list->setAllColumnsShowFocus(true);
    m_list->header()->setStretchLastSection(false);
    m_list->header()->setSectionResizeMode(ModelColumn, QHeaderView::Stretch);
    for (const auto& [section, width] : {std::pair{TaskColumn, 150}, std::pair{DownloadsColumn, 84},
                                         std::pair{SizeColumn, 112}, std::pair{OpensColumn, 150}}) {
        m_list->header()->setSectionResizeMode(section, QHeaderView::Fixed);
        m_list->header()->resizeSection(section, width);
    }
    for (const auto section : {DownloadsColumn, SizeColumn})
        m_list->headerItem()->setTextAlignment(section, Qt::AlignRight | Qt::AlignVCenter);
    connect(m_list, &QTreeWidget::currentItemChanged, this, [this] {
        showChoice();
        lookInto();
    });
    connect(m_list, &QTreeWidget::itemActivated, this, &GetModelDialog::get);
    return row;
}

QWidget* GetModelDialog::buildChoice() {
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    m_choice = plainLabel("note");
    m_choice->setObjectName(QStringLiteral("choice"));
    m_choice->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_opens = new ComboBox;
    m_opens->setAccessibleName(tr("When it is there"));
    m_opens->addItem(tr("open as A"), static_cast<int>(Fetch::Opens::AsA));
    m_opens->addItem(tr("open as B"), static_cast<int>(Fetch::Opens::AsB));
    m_opens->addItem(tr("only get it"), static_cast<int>(Fetch::Opens::No));
    m_get = new QPushButton(tr("Get"));
    m_get->setObjectName(QStringLiteral("get"));
    m_get->setProperty("primary", true);
    m_get->setDefault(false);
    m_get->setAutoDefault(false);
    layout->addWidget(m_choice, 1);
    layout->addWidget(m_opens, 0, Qt::AlignTop);
    layout->addWidget(m_get, 0, Qt::AlignTop);
    connect(m_get, &QPushButton::clicked, this, &GetModelDialog::get);
    return row;
}

QWidget* GetModelDialog::buildFoot() {
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    m_where = plainLabel("note");
    m_token = new QPushButton;
    auto* manage = new QPushButton(tr("Manage models…"));
    auto* close = new QPushButton(tr("Close"));
    for (auto* button : {m_token, manage, close})
        button->setAutoDefault(false);
    m_token->setProperty("link", true);
    manage->setProperty("link", true);
    layout->addWidget(m_where, 1);
    layout->addWidget(m_token);
    layout->addWidget(manage);
    layout->addWidget(close);
    connect(m_token, &QPushButton::clicked, this, &GetModelDialog::askForToken);
    connect(manage, &QPushButton::clicked, this, &GetModelDialog::managementWanted);
    connect(close, &QPushButton::clicked, this, &QDialog::close);
    return row;
}

void GetModelDialog::lookFor(const QString& text) {
    m_field->setText(text);
    search();
}

void GetModelDialog::tell(const QString& text) {
    m_message->setText(text);
    m_message->setVisible(!text.isEmpty());
}

void GetModelDialog::listFirst() {
    m_typed.stop();
    m_search.reset();
    tell({});
    m_heading->setText(tr("GOOD FIRST MODELS"));
    m_list->clear();
    for (const auto& model : firstModels) {
        auto* item = addRow({QString::fromLatin1(model.id), QStringLiteral("main")}, QString::fromLatin1(model.task),
                            {}, tr("about %1").arg(bytesInWords(model.megabytes * qint64(1'000'000))));
        item->setText(OpensColumn, tr("yes: %1").arg(QString::fromLatin1(model.family)));
        showKnown(*item);
    }
    showChoice();
}

QTreeWidgetItem* GetModelDialog::addRow(const HubName& name, const QString& task, const QString& downloads,
                                        const QString& size) {
    auto* item = new QTreeWidgetItem(m_list);
    item->setText(ModelColumn, brief(name.text(), mostOfName));
    item->setToolTip(ModelColumn, toolTipOf({name.text()}));
    item->setData(ModelColumn, Qt::UserRole, name.text());
    item->setText(TaskColumn, brief(task, mostOfName));
    item->setText(DownloadsColumn, downloads);
    item->setText(SizeColumn, size);
    for (const auto column : {DownloadsColumn, SizeColumn})
        item->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);
    return item;
}

void GetModelDialog::search() {
    m_typed.stop();
    const auto text = m_field->text().trimmed();
    if (text.isEmpty())
        return listFirst();
    m_heading->setText(tr("ON %1").arg(m_downloads.settings().endpoint.host().toUpper()));
    // A whole name is looked into at once, and need not be among the most downloaded.
    const auto name = HubName::parse(text);
    const bool whole = name && (text.contains(QLatin1Char('/')) || name->text() != name->id);
    m_list->clear();
    if (whole) {
        addRow(*name, {}, {}, {});
        m_list->setCurrentItem(m_list->topLevelItem(0));
    }
    tell(tr("Searching…"));
    showChoice();
    m_search = std::make_unique<HubClient>(m_downloads.settings());
    connect(m_search.get(), &HubClient::found, this, &GetModelDialog::list);
    connect(m_search.get(), &HubClient::failed, this, [this, whole](const HubProblem& problem) {
        tell(whole ? QString() : problem.text); // a whole name's row says what became of it
    });
    connect(m_search.get(), &HubClient::waits, this,
            [this](const QString& why, int seconds) { tell(tr("%1; again in %2 s").arg(why).arg(seconds)); });
    m_search->search(whole ? name->id : text);
    lookInto();
}

void GetModelDialog::list(const QList<HubListing>& models) {
    for (const auto& model : models) {
        const HubName name{model.id, QStringLiteral("main")};
        bool there = false;
        for (int i = 0; i < m_list->topLevelItemCount(); ++i) {
            auto* item = m_list->topLevelItem(i);
            if (textOf(*item) != name.text())
                continue;
            there = true;
            item->setText(TaskColumn, brief(model.task, mostOfName));
            item->setText(DownloadsColumn, countInWords(model.downloads));
        }
        if (there)
            continue;
        auto* item = addRow(name, model.task, countInWords(model.downloads), {});
        if (model.gated)
            item->setText(OpensColumn, tr("has terms to accept"));
        showKnown(*item);
    }
    tell(m_list->topLevelItemCount() > 0 ? QString()
                                         : tr("The hub has no model of these words. A name is spelled to the letter."));
    if (!m_list->currentItem() && m_list->topLevelItemCount() > 0)
        m_list->setCurrentItem(m_list->topLevelItem(0));
    lookInto();
}

void GetModelDialog::lookInto() {
    if (!m_looking.isEmpty())
        return;
    const auto unknown = [this](QTreeWidgetItem* item) { return item && !m_known.contains(textOf(*item)); };
    auto* next = unknown(m_list->currentItem()) ? m_list->currentItem() : nullptr;
    const bool found = !m_field->text().trimmed().isEmpty(); // the first models are known well enough
    for (int i = 0; found && !next && i < std::min(mostLookedInto, m_list->topLevelItemCount()); ++i)
        if (unknown(m_list->topLevelItem(i)))
            next = m_list->topLevelItem(i);
    if (!next)
        return;
    m_looking = textOf(*next);
    if (found)
        next->setText(OpensColumn, tr("looking…"));
    m_look = std::make_unique<HubClient>(m_downloads.settings());
    connect(m_look.get(), &HubClient::planned, this, [this](const HubPlan& plan) {
        learn(std::exchange(m_looking, {}), {.plan = plan, .outlook = outlookOf(plan), .problem = {}});
    });
    connect(m_look.get(), &HubClient::failed, this, [this](const HubProblem& problem) {
        learn(std::exchange(m_looking, {}), {.plan = {}, .outlook = {}, .problem = problem});
    });
    m_look->plan(HubName::parse(m_looking).value());
    showChoice();
}

void GetModelDialog::learn(const QString& text, Known known) {
    m_known.insert(text, std::move(known));
    for (int i = 0; i < m_list->topLevelItemCount(); ++i)
        if (textOf(*m_list->topLevelItem(i)) == text)
            showKnown(*m_list->topLevelItem(i));
    showChoice();
    // Queued: it is the client that is to be replaced which says so.
    QMetaObject::invokeMethod(this, &GetModelDialog::lookInto, Qt::QueuedConnection);
}

void GetModelDialog::showKnown(QTreeWidgetItem& item) {
    const auto known = m_known.constFind(textOf(item));
    if (known == m_known.constEnd())
        return;
    if (known->plan) {
        item.setText(SizeColumn, bytesInWords(known->plan->bytes));
        item.setText(OpensColumn, !known->outlook.opens       ? tr("no: %1").arg(brief(known->outlook.family, 40))
                                  : known->plan->missing == 0 ? tr("is there: %1").arg(known->outlook.family)
                                                              : tr("yes: %1").arg(known->outlook.family));
        return;
    }
    const auto kind = known->problem->kind;
    item.setText(OpensColumn, kind == HubProblem::Kind::TermsToAccept     ? tr("has terms to accept")
                              : kind == HubProblem::Kind::TokenNotAllowed ? tr("not with this token")
                              : kind == HubProblem::Kind::NotAModel       ? tr("no")
                              : kind == HubProblem::Kind::NoSuchModel     ? tr("none of that name")
                                                                          : tr("not known"));
}

void GetModelDialog::showChoice() {
    const auto* item = m_list->currentItem();
    m_get->setText(tr("Get"));
    if (!item) {
        m_choice->setText(tr("Choose one to see what it needs."));
        m_get->setEnabled(false);
        return;
    }
    const auto text = textOf(*item);
    const auto known = m_known.constFind(text);
    bool possible = true;
    if (known == m_known.constEnd()) {
        m_choice->setText(m_looking == text ? tr("%1: asking the hub what it needs…").arg(text) : text);
    } else if (known->problem) {
        m_choice->setText(known->problem->text);
        // What may be otherwise at the next try can be tried.
        possible =
            known->problem->kind == HubProblem::Kind::NoNetwork || known->problem->kind == HubProblem::Kind::Busy;
    } else if (!known->outlook.opens) {
        m_choice->setText(tr("Headlight cannot open %1: %2").arg(text, known->outlook.refusal));
        possible = false;
    } else {
        const auto& plan = *known->plan;
        const auto free = freeSpace(m_downloads.settings().cache);
        const auto memory = freeMemory();
        QStringList parts;
        if (plan.missing == 0) {
            parts << tr("%1 is in the cache, with all of its %2.").arg(text, bytesInWords(plan.bytes));
            m_get->setText(tr("Open"));
        } else {
            parts << (free ? tr("%1 to fetch, %2 are free on the disk.")
                                 .arg(bytesInWords(plan.missing), bytesInWords(static_cast<qint64>(*free)))
                           : tr("%1 to fetch.").arg(bytesInWords(plan.missing)));
            m_get->setText(tr("Get %1").arg(bytesInWords(plan.missing)));
        }
        parts << (memory ? tr("To run it takes about %1 of memory, %2 are free.")
                               .arg(bytesInWords(known->outlook.memory), bytesInWords(*memory))
                         : tr("To run it takes about %1 of memory.").arg(bytesInWords(known->outlook.memory)));
        if (!known->outlook.tokenizer)
            parts << tr("It has no tokenizer that Headlight knows, so it runs only from ids.");
        m_choice->setText(parts.join(QLatin1Char(' ')));
    }
    m_get->setEnabled(possible);
}

void GetModelDialog::get() {
    const auto* item = m_list->currentItem();
    if (!item || !m_get->isEnabled())
        return;
    if (const auto name = HubName::parse(textOf(*item)))
        m_downloads.add(*name, static_cast<Fetch::Opens>(m_opens->currentData().toInt()));
}

void GetModelDialog::listFetches() {
    for (const auto& fetch : m_downloads.all()) {
        if (m_rowOf.contains(fetch.id))
            continue;
        auto* row = new FetchRow(m_downloads, fetch.id);
        m_rows->insertWidget(m_rows->count() - 1, row);
        m_rowOf.insert(fetch.id, row);
    }
    for (const auto id : m_rowOf.keys()) {
        if (m_downloads.find(id))
            m_rowOf.value(id)->update();
        else
            m_rowOf.take(id)->deleteLater();
    }
    constexpr int tallest = 200;
    m_fetches->setVisible(!m_rowOf.isEmpty());
    m_fetches->setFixedHeight(std::min(m_rows->sizeHint().height(), tallest));
}

void GetModelDialog::showFoot() {
    const auto& settings = m_downloads.settings();
    m_where->setText(tr("Into %1").arg(brief(QFile::decodeName(settings.cache.c_str()), 60)));
    m_where->setToolTip(toolTipOf({QFile::decodeName(settings.cache.c_str())}));
    m_token->setText(settings.token.isEmpty() ? tr("Give a token…") : tr("Change the token…"));
}

void GetModelDialog::askForToken() {
    auto* dialog = new TokenDialog(m_downloads.settings(), this);
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QDialog::accepted, this, [this, dialog] {
        try {
            auto settings = m_downloads.settings();
            settings.token = checkedToken(dialog->token());
            if (dialog->keeps())
                settings.keepToken();
            m_downloads.setToken(settings.token);
            tell({});
        } catch (const HubFailure& failure) {
            tell(failure.problem().text);
        } catch (const Error& error) {
            tell(QString::fromUtf8(error.what()));
        }
        // What was refused may be given now.
        m_known.removeIf([](const auto& known) { return known->problem.has_value(); });
        showFoot();
        lookInto();
    });
    present(dialog);
}

bool GetModelDialog::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_field && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        if (key == Qt::Key_Down || key == Qt::Key_Up || key == Qt::Key_PageDown || key == Qt::Key_PageUp) {
            if (!m_list->currentItem() && m_list->topLevelItemCount() > 0)
                m_list->setCurrentItem(m_list->topLevelItem(0));
            else
                QCoreApplication::sendEvent(m_list, event);
            return true;
        }
        if (key == Qt::Key_Return || key == Qt::Key_Enter) {
            if (m_typed.isActive())
                search();
            else
                get();
            return true;
        }
    }
    return QDialog::eventFilter(watched, event);
}

} // namespace headlight
