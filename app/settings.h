// What the program remembers from one start to the next.
#pragma once

#include "app/model_catalog.h"
#include "widgets/appearance.h"

#include <QByteArray>
#include <QString>
#include <QStringList>

#include <optional>

namespace headlight {

/// Plain values, each of which is in settings.json of the user's folder for configurations, each key once.
struct Settings {
    std::optional<Theme> theme;  ///< absent: as the desktop has it
    std::optional<ColorMap> map; ///< absent: the theme's own
    QString modelA;              ///< name or folder; empty: the first bundled one
    QString modelB;              ///< empty: none
    QString sourceText;          ///< what was typed last, so that nothing typed is lost
    QString secondText;          ///< of a model that reads pairs
    QString targetText;          ///< empty: the model's own translation
    QStringList recentFolders;   ///< newest first, at most 8
    QString exportFolder;        ///< of the last export
    QByteArray geometry;         ///< of the window
    bool fresh = true;           ///< no settings were there: the first start
    QString problem;             ///< why the settings that are there could not be read; empty when they were

    /// These ran, and are what the next start opens with; folders among them are recent. False: that was so already.
    bool remember(const Models& models);

    static Settings load();
    /// @throws Error when they cannot be written; those before are still there
    void save() const;
};

} // namespace headlight
