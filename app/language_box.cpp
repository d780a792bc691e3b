#include "app/language_box.h"

#include "widgets/plain_text.h"

#include <QCompleter>
#include <QFocusEvent>
#include <QLineEdit>
#include <QLocale>
#include <QMap>
#include <QSignalBlocker>
#include <QTimer>

#include <algorithm>

namespace headlight {

LanguageBox::LanguageBox() {
    setStyleSheet(QStringLiteral("padding: 1px 6px; min-height: 17px;"));
    setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    constexpr int lettersShown = 9;
    setMinimumContentsLength(lettersShown);
    setInsertPolicy(QComboBox::NoInsert);
    connect(this, &QComboBox::activated, this, [this](int index) {
        m_chosen = itemData(index).toString();
        Q_EMIT changed();
    });
    hide();
}

void LanguageBox::setLanguages(const std::vector<std::string>& codes, const std::string& usual) {
    std::vector<Entry> entries;
    QMap<QString, int> alike; // such as Chinese, in two scripts
    for (const auto& code : codes)
        ++alike[nameOf(QString::fromStdString(code))];
    const auto named = [&alike](const QString& code) {
        const auto name = nameOf(code);
        return alike.value(name) > 1 ? QStringLiteral("%1 · %2").arg(name, code) : name;
    };
    for (const auto& code : codes)
        entries.push_back({named(QString::fromStdString(code)), QString::fromStdString(code)});
    std::sort(entries.begin(), entries.end(),
              [](const Entry& left, const Entry& right) { return left.name.localeAwareCompare(right.name) < 0; });
    if (!entries.empty())
        entries.insert(entries.begin(), {usual.empty() ? tr("any") : named(QString::fromStdString(usual)), {}});
    fill(entries);
}

void LanguageBox::setTasks(const std::vector<Task>& tasks) {
    std::vector<Entry> entries;
    for (const auto& task : tasks)
        entries.push_back({QString::fromStdString(task.name), QString::fromStdString(task.name)});
    if (!entries.empty())
        entries.insert(entries.begin(), {tr("no task"), {}});
    fill(entries);
}

void LanguageBox::fill(const std::vector<Entry>& entries) {
    setVisible(!entries.empty());
    const auto same = [](const Entry& left, const Entry& right) {
        return left.name == right.name && left.key == right.key;
    };
    if (!std::equal(entries.begin(), entries.end(), m_entries.begin(), m_entries.end(), same)) {
        m_entries = entries;
        const QSignalBlocker quiet(this);
        clear();
        for (const auto& entry : entries)
            addItem(brief(entry.name, mostOfName), entry.key);
        for (int i = 0; i < count(); ++i)
            setItemData(i, itemData(i).toString(), Qt::ToolTipRole);
        // Of many one is found by typing a part of its name.
        constexpr std::size_t few = 12;
        setEditable(entries.size() > few);
        if (isEditable()) {
            completer()->setFilterMode(Qt::MatchContains);
            completer()->setCompletionMode(QCompleter::PopupCompletion);
            // Queued, for the completer chooses after the line is done with.
            connect(
                lineEdit(), &QLineEdit::editingFinished, this, [this] { show(m_chosen); }, Qt::QueuedConnection);
        }
    }
    show(m_chosen);
}

void LanguageBox::focusInEvent(QFocusEvent* event) {
    ComboBox::focusInEvent(event);
    if (isEditable()) // once the click has set the cursor
        QTimer::singleShot(0, lineEdit(), &QLineEdit::selectAll);
}

void LanguageBox::show(const QString& chosen) {
    m_chosen = chosen;
    const QSignalBlocker quiet(this);
    setCurrentIndex(std::max(0, findData(chosen)));
    if (isEditable())
        setEditText(itemText(currentIndex()));
}

QString LanguageBox::nameOf(const QString& code) {
    const auto language = QLocale::codeToLanguage(code.section(QLatin1Char('_'), 0, 0));
    return language == QLocale::AnyLanguage || language == QLocale::C ? code : QLocale::languageToString(language);
}

} // namespace headlight
