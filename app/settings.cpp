#include "app/settings.h"

#include "core/error.h"
#include "core/files/json.h"
#include "core/files/whole_file.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QStandardPaths>

#include <algorithm>
#include <span>
#include <utility>

namespace headlight {

namespace {

constexpr qsizetype mostRecent = 8;
constexpr std::uintmax_t largestFile = 16U << 20;
constexpr auto storeName = "settings.json";
constexpr auto lastName = "last.headlight";

/// The words that stand for the values of an enum, in their order.
QStringList wordsFor(const Theme&) {
    return {QStringLiteral("light"), QStringLiteral("dark")};
}
QStringList wordsFor(const ColorMap&) {
    return colorMapNames();
}

/// What is of another kind than it should be counts as absent, as a word that is not known does.
class Loader {
public:
    explicit Loader(const JsonPart& store) : m_store(store) {}

    void operator()(const char* key, int& value) const {
        if (m_store.has(key) && m_store.at(key).value().is_number())
            value = static_cast<int>(std::clamp(m_store.at(key).value().get<double>(), -1e9, 1e9));
    }
    void operator()(const char* key, QString& value) const {
        if (m_store.has(key) && m_store.at(key).isText())
            value = QString::fromStdString(m_store.at(key).text());
    }
    void operator()(const char* key, QStringList& value) const {
        if (!m_store.has(key) || !m_store.at(key).isList())
            return;
        for (const auto& part : m_store.at(key).elements())
            if (part.isText())
                value.append(QString::fromStdString(part.text()));
    }
    void operator()(const char* key, QByteArray& value) const {
        QString text;
        (*this)(key, text);
        value = QByteArray::fromBase64(text.toLatin1());
    }
    template <class Enum>
    void operator()(const char* key, std::optional<Enum>& value) const {
        QString word;
        (*this)(key, word);
        const auto index = wordsFor(Enum{}).indexOf(word);
        value = index < 0 ? std::nullopt : std::optional(static_cast<Enum>(index));
    }

private:
    const JsonPart& m_store;
};

class Saver {
public:
    explicit Saver(nlohmann::ordered_json& store) : m_store(store) {}

    void operator()(const char* key, int value) const { m_store[key] = value; }
    void operator()(const char* key, const QString& value) const { m_store[key] = value.toStdString(); }
    void operator()(const char* key, const QStringList& value) const {
        auto& list = m_store[key] = nlohmann::ordered_json::array();
        for (const auto& text : value)
            list.push_back(text.toStdString());
    }
    void operator()(const char* key, const QByteArray& value) const { m_store[key] = value.toBase64().toStdString(); }
    template <class Enum>
    void operator()(const char* key, const std::optional<Enum>& value) const {
        if (value)
            (*this)(key, wordsFor(*value).value(static_cast<int>(*value)));
    }

private:
    nlohmann::ordered_json& m_store;
};

/// Every key once: loading and saving both go through this list.
template <class SettingsType, class Visitor>
void visitKeys(SettingsType& settings, const Visitor& visit) {
    visit("theme", settings.theme);
    visit("colors", settings.map);
    visit("recent_folders", settings.recentFolders);
    visit("recent_sessions", settings.recentSessions);
    visit("session", settings.session);
    visit("export_folder", settings.exportFolder);
    visit("text_size", settings.textSize);
    visit("geometry", settings.geometry);
}

std::filesystem::path storeFile(const char* name) {
    const auto folder = QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation);
    return std::filesystem::path(QFile::encodeName(folder).toStdString()) / "headlight" / name;
}

} // namespace

bool Settings::remember(const Models& models) {
    auto recent = recentFolders;
    for (const auto& model : {models.b, models.a}) {
        if (!QDir::isAbsolutePath(model))
            continue;
        recent.removeAll(model);
        recent.prepend(model);
    }
    recent = recent.mid(0, mostRecent);
    return std::exchange(recentFolders, recent) != recent;
}

void Settings::rememberSession(const QString& file) {
    recentSessions.removeAll(file);
    recentSessions.prepend(file);
    recentSessions = recentSessions.mid(0, mostRecent);
}

Settings Settings::load() {
    Settings settings;
    try {
        visitKeys(settings, Loader(readJsonFile(storeFile(storeName), largestFile)));
        settings.recentFolders = settings.recentFolders.mid(0, mostRecent);
        settings.recentSessions = settings.recentSessions.mid(0, mostRecent);
        settings.fresh = false;
    } catch (const Error& error) { // the next save replaces them
        settings.fresh = error.kind() == Error::Kind::NotFound;
        if (!settings.fresh)
            settings.problem = QCoreApplication::translate("headlight::Settings", "Settings begin anew: %1")
                                   .arg(QString::fromUtf8(error.what()));
    }
    try {
        settings.last = Session::load(storeFile(lastName));
    } catch (const Error& error) {
        if (error.kind() != Error::Kind::NotFound)
            settings.problem =
                QCoreApplication::translate("headlight::Settings", "What was on show before could not be read: %1")
                    .arg(QString::fromUtf8(error.what()));
    }
    return settings;
}

void Settings::save() const {
    nlohmann::ordered_json store;
    visitKeys(*this, Saver(store));
    const auto text = store.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    const auto file = storeFile(storeName);
    makeFolders(file.parent_path());
    const auto shown = last.value_or(Session()).written();
    const FileToWrite files[] = {{file, std::as_bytes(std::span(text))},
                                 {storeFile(lastName), std::as_bytes(std::span(shown))}};
    writeFilesAtomically(files);
}

} // namespace headlight
