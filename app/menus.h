// The menus of the window: they say what is wanted, and do none of it.
#pragma once

#include "app/model_catalog.h"
#include "widgets/appearance.h"

#include <QList>
#include <QObject>
#include <QString>
#include <QStringList>
#include <QThreadPool>

#include <optional>

class QMenu;
class QMenuBar;

namespace headlight {

class Document;
class Selection;
class TextPanel;
class TopBar;

/// Fills a menu bar. The parts that it is about do what the entries say of themselves; the rest comes as signals.
class Menus : public QObject {
    Q_OBJECT
public:
    /// What entries are about; all must outlive the menus.
    struct Parts {
        TextPanel& texts;
        TopBar& topBar;
        Selection& selection;
        const Document& document;
        const QStringList& recentSessions; ///< files
        QStringList views;                 ///< titles, in the order of the tabs
    };
    struct Colors {
        std::optional<Theme> theme;  ///< absent: as the desktop has it
        std::optional<ColorMap> map; ///< absent: the theme's own
    };

    Menus(QMenuBar& bar, const Parts& parts, const Colors& colors, QObject* parent);

Q_SIGNALS:
    void newWanted();
    void sessionWanted();
    /// One that was opened before.
    void fileWanted(const QString& file);
    void saveWanted();
    void saveAsWanted();
    void undoWanted();
    void redoWanted();
    void notesWanted();
    void findWanted();
    /// Out of what was looked into last.
    void escapeWanted();
    void panelsWanted(bool shown);
    void fullScreenWanted(bool full);
    /// Larger (1), smaller (-1), or as usual (0).
    void textSizeWanted(int step);
    void exportWanted();
    void copyWanted();
    void traceSaveWanted();
    void folderWanted(bool first);
    void traceWanted();
    void goldWanted();
    void quitWanted();
    void viewWanted(int index);
    void colorsChosen(const headlight::Menus::Colors& colors);
    /// As model A, or as B: one of those known, none, or the folder of one in the cache.
    void modelChosen(const QString& model, bool first);
    void swapWanted();
    /// A model of the hub; and what there is of such models on this disk.
    void hubWanted();
    void managementWanted();
    void pageWanted(const QString& title, const QString& richText);
    /// The cache could not be looked through.
    void failed(const QString& why);

private:
    void buildFile(QMenuBar& bar);
    void buildEdit(QMenuBar& bar);
    void buildView(QMenuBar& bar);
    void buildModel(QMenuBar& bar);
    void buildHelp(QMenuBar& bar);
    void addColors(QMenu* menu);
    void fillRecent(QMenu& menu);
    void fillModels(QMenu* menu, bool first);
    void listCached(QMenu& menu, const QList<CatalogEntry>& entries, bool first);

    Parts m_parts;
    Colors m_colors;
    QThreadPool m_scans; ///< last: it waits for those that would tell the rest
};

} // namespace headlight
