// Which models there are: those that come with the program, the hub's cache, and folders that the user opened.
#pragma once

#include <QList>
#include <QString>
#include <QStringList>

#include <filesystem>

namespace headlight {

struct CatalogEntry {
    enum class Origin { Bundled, Cache, Opened };
    QString name; ///< "en-fr-additive", "org/name": how lists call it
    std::filesystem::path folder;
    QString family; ///< model_type of config.json; empty when that cannot be read
    Origin origin = Origin::Bundled;
};

/// The two models that are chosen, each by a name or folder as ModelCatalog::resolve takes it; empty: none.
struct Models {
    QString a;
    QString b;
    friend bool operator==(const Models&, const Models&) = default;
};

class ModelCatalog {
public:
    /// Bundled models, by name: in $HEADLIGHT_MODELS where that is set, else in share/headlight/models beside the
    /// program's bin, else in the source tree that it was built from.
    static QList<CatalogEntry> bundled();
    static QStringList bundledNames();
    /// Those of a first start, two mechanisms side by side: that is what the program is for.
    static Models usual();
    /// What the HuggingFace hub's cache holds, by name.
    static QList<CatalogEntry> cached();
    /// Folders that were opened before, those that are still there, in the order given.
    static QList<CatalogEntry> opened(const QStringList& folders);
    /// The folder of a bundled or cached model's name, or of the word itself as a path: to the folder, to what the hub
    /// keeps around it, or to a file in it.
    /// @throws Error NotFound when it is neither, naming the bundled models
    static std::filesystem::path resolve(const QString& nameOrPath);
    /// What resolve() leads to the same folder here and on other machines, as far as there is such a word: of a folder
    /// in the hub's cache, its name and revision.
    static QString portable(const QString& nameOrPath);
};

} // namespace headlight
