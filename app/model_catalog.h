// Which models there are: those that come with the program, and folders that the user opened.
#pragma once

#include <QList>
#include <QString>

#include <filesystem>

namespace headlight {

struct CatalogEntry {
    QString name; ///< "en-fr-additive": the folder's name
    std::filesystem::path folder;
    QString family; ///< model_type of config.json; empty when that cannot be read
    bool bundled = false;
};

class ModelCatalog {
public:
    /// Bundled models, by name: in $HEADLIGHT_MODELS where that is set, else in share/headlight/models beside the
    /// program's bin, else in the source tree that it was built from.
    static QList<CatalogEntry> bundled();
    /// The folder of a bundled model's name, or the word itself as a path.
    /// @throws Error NotFound when it is neither, naming the bundled models
    static std::filesystem::path resolve(const QString& nameOrFolder);
};

} // namespace headlight
