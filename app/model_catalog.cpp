#include "app/model_catalog.h"

#include "core/error.h"
#include "core/files/hub.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>

namespace headlight {

namespace {

QString bundledFolder() {
    const auto chosen = qEnvironmentVariable("HEADLIGHT_MODELS");
    if (!chosen.isEmpty())
        return chosen;
    std::error_code error; // of a system without /proc: then there is no telling where the program is
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    const auto installed = program.parent_path().parent_path() / "share" / "headlight" / "models";
    return !error && std::filesystem::is_directory(installed, error) ? QFile::decodeName(installed.c_str())
                                                                     : QStringLiteral(HEADLIGHT_SOURCE_MODELS);
}

/// Empty when the file cannot be read as a configuration; whoever opens the model is told why.
QString familyOf(const QString& configFile) {
    QFile file(configFile);
    constexpr qint64 mostBytes = 1 << 20;
    if (!file.open(QIODevice::ReadOnly) || file.size() > mostBytes)
        return {};
    return QJsonDocument::fromJson(file.readAll()).object().value(QLatin1String("model_type")).toString();
}

} // namespace

QList<CatalogEntry> ModelCatalog::bundled() {
    QList<CatalogEntry> entries;
    const QDir models(bundledFolder());
    for (const auto& name : models.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
        const auto config = models.filePath(name + QStringLiteral("/config.json"));
        if (QFile::exists(config))
            entries.append({.name = name,
                            .folder = std::filesystem::path(QFile::encodeName(models.filePath(name)).toStdString()),
                            .family = familyOf(config),
                            .origin = CatalogEntry::Origin::Bundled});
    }
    return entries;
}

QList<CatalogEntry> ModelCatalog::cached() {
    QList<CatalogEntry> entries;
    for (const auto& model : hubModels())
        entries.append({.name = QString::fromStdString(model.name),
                        .folder = model.folder,
                        .family = QString::fromStdString(model.modelType),
                        .origin = CatalogEntry::Origin::Cache});
    return entries;
}

QList<CatalogEntry> ModelCatalog::opened(const QStringList& folders) {
    QList<CatalogEntry> entries;
    for (const auto& folder : folders) {
        const auto config = QDir(folder).filePath(QStringLiteral("config.json"));
        const std::filesystem::path path(QFile::encodeName(folder).toStdString());
        if (QFile::exists(config))
            entries.append({.name = QString::fromStdString(modelName(path)),
                            .folder = path,
                            .family = familyOf(config),
                            .origin = CatalogEntry::Origin::Opened});
    }
    return entries;
}

std::filesystem::path ModelCatalog::resolve(const QString& nameOrPath) {
    const auto entries = bundled();
    QStringList names;
    for (const auto& entry : entries) {
        if (entry.name == nameOrPath)
            return entry.folder;
        names.append(entry.name);
    }
    if (!nameOrPath.isEmpty() && QFile::exists(nameOrPath))
        return modelFolder(QFile::encodeName(nameOrPath).toStdString());
    for (const auto& entry : cached())
        if (entry.name == nameOrPath)
            return entry.folder;
    throw Error(Error::Kind::NotFound, nameOrPath.isEmpty() ? "\"\"" : nameOrPath.toStdString(),
                "is neither a bundled model, nor a folder, nor in the HuggingFace cache",
                names.isEmpty() ? "there are no bundled models in " + bundledFolder().toStdString()
                                : "bundled: " + names.join(QStringLiteral(", ")).toStdString());
}

} // namespace headlight
