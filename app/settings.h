// What the program remembers from one start to the next.
#pragma once

#include "app/session.h"
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
    QStringList recentFolders;   ///< newest first, at most 8
    QStringList recentSessions;  ///< files, likewise
    std::optional<Session> last; ///< what was on show, so that nothing typed is lost; in a file of its own beside this
    QString session;             ///< the file that it is of; empty: none
    QString exportFolder;        ///< of the last export
    int textSize = 100;          ///< of the window, in percent of the desktop's
    QByteArray geometry;         ///< of the window
    bool fresh = true;           ///< no settings were there: the first start
    QString problem;             ///< why the settings that are there could not be read; empty when they were

    /// These ran: folders among them are recent. False: they were already.
    bool remember(const Models& models);
    /// This file was opened or saved.
    void rememberSession(const QString& file);

    static Settings load();
    /// @throws Error when they cannot be written; those before are still there
    void save() const;
};

} // namespace headlight
