#include "app/model_catalog.h"

#include "app/hub/hub_name.h"
#include "core/error.h"
#include "core/files/hub.h"
#include "core/files/hub_cache.h"
#include "core/files/model_config.h"

#include <QDir>
#include <QFile>

#include <exception>
#include <optional>

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

/// Empty when there is no configuration that can be read; whoever opens the model is told why.
QString familyOf(const std::filesystem::path& folder) {
    try {
        return QString::fromStdString(ModelConfig::open(folder).modelType());
    } catch (const std::exception&) {
        return {};
    }
}

/// The snapshot that the cache has of a model and a revision; without one of its own, `main` is what there is.
std::optional<std::filesystem::path> inCache(const HubName& name) {
    const HubRepository repository(hubCache(), name.id.toStdString());
    const auto revision = name.revision.toStdString();
    std::error_code ignored;
    for (const auto& commit : {repository.commitOf(revision), std::optional(revision)})
        if (commit && std::filesystem::exists(repository.snapshot(*commit) / "config.json", ignored))
            return repository.snapshot(*commit);
    if (revision != "main" || !std::filesystem::is_directory(repository.folder(), ignored))
        return std::nullopt;
    try {
        return modelFolder(repository.folder());
    } catch (const Error&) { // nothing but parts of it
        return std::nullopt;
    }
}

} // namespace

QList<CatalogEntry> ModelCatalog::bundled() {
    QList<CatalogEntry> entries;
    const QDir models(bundledFolder());
    for (const auto& name : models.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
        const std::filesystem::path folder(QFile::encodeName(models.filePath(name)).toStdString());
        if (QFile::exists(models.filePath(name + QStringLiteral("/config.json"))))
            entries.append(
                {.name = name, .folder = folder, .family = familyOf(folder), .origin = CatalogEntry::Origin::Bundled});
    }
    return entries;
}

QStringList ModelCatalog::bundledNames() {
    QStringList names;
    for (const auto& entry : bundled())
        names << entry.name;
    return names;
}

Models ModelCatalog::usual() {
    const auto names = bundledNames();
    const auto orElse = [&names](const QString& name, qsizetype otherwise) {
        return names.contains(name) ? name : names.value(otherwise);
    };
    return {orElse(QStringLiteral("en-fr-additive"), 0), orElse(QStringLiteral("en-fr-transformer"), 1)};
}

QList<CatalogEntry> ModelCatalog::cached() {
    QList<CatalogEntry> entries;
    for (const auto& model : hubModels())
        if (model.whole)
            entries.append({.name = QString::fromStdString(model.name),
                            .folder = model.folder,
                            .family = QString::fromStdString(model.modelType),
                            .origin = CatalogEntry::Origin::Cache});
    return entries;
}

QList<CatalogEntry> ModelCatalog::opened(const QStringList& folders) {
    QList<CatalogEntry> entries;
    for (const auto& folder : folders) {
        const std::filesystem::path path(QFile::encodeName(folder).toStdString());
        if (QFile::exists(QDir(folder).filePath(QStringLiteral("config.json"))))
            entries.append({.name = QString::fromStdString(modelName(path)),
                            .folder = path,
                            .family = familyOf(path),
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
    const auto name = HubName::parse(nameOrPath);
    const auto fetch = name ? "headlight fetch " + name->text().toStdString() : std::string();
    if (name) {
        if (const auto folder = inCache(*name)) {
            if (!isWholeModel(*folder))
                throw Error(Error::Kind::NotFound, nameOrPath.toStdString(),
                            "is in the HuggingFace cache without its weights", "fetch them: " + fetch);
            return *folder;
        }
    }
    throw Error(Error::Kind::NotFound, nameOrPath.isEmpty() ? "\"\"" : nameOrPath.toStdString(),
                "is neither a bundled model, nor a folder, nor in the HuggingFace cache",
                (names.isEmpty() ? "there are no bundled models in " + bundledFolder().toStdString()
                                 : "bundled: " + names.join(QStringLiteral(", ")).toStdString())
                    + (name ? "; a model of the hub is fetched by: " + fetch : ""));
}

QString ModelCatalog::portable(const QString& nameOrPath) {
    const std::filesystem::path folder(QFile::encodeName(nameOrPath).toStdString());
    const auto name = modelName(folder);
    if (folder.parent_path().filename() != "snapshots" || name == folder.filename())
        return nameOrPath;
    const HubName known{QString::fromStdString(name), QFile::decodeName(folder.filename().c_str())};
    return inCache(known) == folder ? known.text() : nameOrPath;
}

} // namespace headlight
