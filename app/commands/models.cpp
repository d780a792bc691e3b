// `headlight models`: what there is to run.
#include "app/commands/commands.h"
#include "app/model_catalog.h"
#include "app/settings.h"

#include <nlohmann/json.hpp>

#include <QTextStream>

#include <algorithm>

namespace headlight {

namespace {

using Json = nlohmann::ordered_json;

constexpr Option modelsOptions[] = {{"json", nullptr, QT_TRANSLATE_NOOP("headlight::CommandLine", "as JSON")}};

void runModels(const Words& words, QTextStream& out, QTextStream&) {
    constexpr const char* origins[] = {"bundled", "cache", "opened"}; // in the order of Origin
    const auto entries =
        ModelCatalog::bundled() + ModelCatalog::cached() + ModelCatalog::opened(Settings::load().recentFolders);
    if (words.has("json")) {
        auto list = Json::array();
        for (const auto& entry : entries)
            list.push_back({{"name", entry.name.toStdString()},
                            {"family", entry.family.toStdString()},
                            {"folder", entry.folder.string()},
                            {"origin", origins[static_cast<std::size_t>(entry.origin)]}});
        out << QString::fromStdString(list.dump(2, ' ', false, Json::error_handler_t::replace)) << '\n';
        return;
    }
    qsizetype nameWidth = 0;
    qsizetype familyWidth = 0;
    for (const auto& entry : entries) {
        nameWidth = std::max(nameWidth, entry.name.size());
        familyWidth = std::max(familyWidth, entry.family.size());
    }
    for (const auto& entry : entries)
        out << printable(entry.name.leftJustified(nameWidth) + QStringLiteral("  ")
                         + entry.family.leftJustified(familyWidth) + QStringLiteral("  ")
                         + QString::fromLatin1(origins[static_cast<std::size_t>(entry.origin)]).leftJustified(8)
                         + QStringLiteral("  ") + nameOf(entry.folder))
            << '\n';
}

} // namespace

constinit const Command modelsCommand{
    "models", QT_TRANSLATE_NOOP("headlight::CommandLine", "lists the models that come with the program"), modelsOptions,
    runModels, Surface::None};

} // namespace headlight
