#include "app/settings.h"

#include <QDir>
#include <QSettings>

namespace headlight {

namespace {

constexpr qsizetype mostRecentFolders = 8;

/// The words that stand for the values of an enum, in their order.
QStringList wordsFor(const Theme&) {
    return {QStringLiteral("light"), QStringLiteral("dark")};
}
QStringList wordsFor(const ColorMap&) {
    return colorMapNames();
}

class Loader {
public:
    explicit Loader(const QSettings& store) : m_store(store) {}

    void operator()(const QString& key, QString& value) const { value = m_store.value(key, value).toString(); }
    void operator()(const QString& key, QStringList& value) const { value = m_store.value(key).toStringList(); }
    void operator()(const QString& key, QByteArray& value) const { value = m_store.value(key).toByteArray(); }
    /// A word that is not known counts as absent.
    template <class Enum>
    void operator()(const QString& key, std::optional<Enum>& value) const {
        const auto index = wordsFor(Enum{}).indexOf(m_store.value(key).toString());
        value = index < 0 ? std::nullopt : std::optional(static_cast<Enum>(index));
    }

private:
    const QSettings& m_store;
};

class Saver {
public:
    explicit Saver(QSettings& store) : m_store(store) {}

    template <class Value>
    void operator()(const QString& key, const Value& value) const {
        m_store.setValue(key, value);
    }
    template <class Enum>
    void operator()(const QString& key, const std::optional<Enum>& value) const {
        if (value)
            m_store.setValue(key, wordsFor(*value).value(static_cast<int>(*value)));
        else
            m_store.remove(key);
    }

private:
    QSettings& m_store;
};

/// Every key once: loading and saving both go through this list.
template <class SettingsType, class Visitor>
void visitKeys(SettingsType& settings, const Visitor& visit) {
    visit(QStringLiteral("appearance/theme"), settings.theme);
    visit(QStringLiteral("appearance/colors"), settings.map);
    visit(QStringLiteral("models/a"), settings.modelA);
    visit(QStringLiteral("models/b"), settings.modelB);
    visit(QStringLiteral("models/recent"), settings.recentFolders);
    visit(QStringLiteral("text/source"), settings.sourceText);
    visit(QStringLiteral("text/second"), settings.secondText);
    visit(QStringLiteral("text/target"), settings.targetText);
    visit(QStringLiteral("window/export"), settings.exportFolder);
    visit(QStringLiteral("window/geometry"), settings.geometry);
}

/// Named here and not by the application, so that tests and commands find the same file whatever they call themselves.
QSettings openStore() {
    return QSettings(QSettings::NativeFormat, QSettings::UserScope, QStringLiteral("headlight"),
                     QStringLiteral("headlight"));
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
    recent = recent.mid(0, mostRecentFolders);
    if (models == Models{modelA, modelB} && recent == recentFolders)
        return false;
    modelA = models.a;
    modelB = models.b;
    recentFolders = recent;
    return true;
}

Settings Settings::load() {
    const auto store = openStore();
    Settings settings;
    visitKeys(settings, Loader(store));
    settings.recentFolders = settings.recentFolders.mid(0, mostRecentFolders);
    settings.fresh = store.allKeys().isEmpty();
    return settings;
}

void Settings::save() const {
    auto store = openStore();
    visitKeys(*this, Saver(store));
}

} // namespace headlight
