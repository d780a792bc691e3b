// Where models of the hub come in and go: the two dialogs, and what is on its way behind them.
#pragma once

#include "app/downloads.h"

#include <QObject>
#include <QPointer>

#include <memory>

class QWidget;

namespace headlight {

class GetModelDialog;
class ManageModelsDialog;

class HubDoors : public QObject {
    Q_OBJECT
public:
    /// @param window that the dialogs belong to; it must outlive the doors
    explicit HubDoors(QWidget& window);

    /// @param name to look for; empty: none yet
    void getModel(const QString& name = {});
    void manageModels();

Q_SIGNALS:
    /// A folder to open, as A or as B.
    void modelWanted(const QString& folder, bool first);
    void remarked(const QString& text);
    void failed(const QString& why);

private:
    /// False where the environment's words about the hub are wrong.
    bool prepare();

    QWidget& m_window;
    std::unique_ptr<Downloads> m_downloads; ///< since the hub was first asked for
    QPointer<GetModelDialog> m_get;
    QPointer<ManageModelsDialog> m_manage;
};

} // namespace headlight
