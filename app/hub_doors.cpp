#include "app/hub_doors.h"

#include "app/doors.h"
#include "app/get_model_dialog.h"
#include "app/manage_models_dialog.h"

#include <QWidget>

namespace headlight {

namespace {

void comeForward(QDialog* dialog) {
    dialog->show();
    dialog->raise();
    dialog->activateWindow();
}

} // namespace

HubDoors::HubDoors(QWidget& window) : QObject(&window), m_window(window) {}

bool HubDoors::prepare() {
    if (m_downloads)
        return true;
    try {
        m_downloads = std::make_unique<Downloads>(HubSettings::fromEnvironment());
    } catch (const HubFailure& failure) {
        Q_EMIT failed(failure.problem().text);
        return false;
    }
    connect(m_downloads.get(), &Downloads::done, this, [this](const Fetch& fetch) {
        if (m_manage)
            m_manage->refresh();
        if (fetch.opens == Fetch::Opens::No)
            Q_EMIT remarked(tr("%1 is there").arg(fetch.name.text()));
        else
            Q_EMIT modelWanted(fetch.folder, fetch.opens == Fetch::Opens::AsA);
    });
    connect(m_downloads.get(), &Downloads::changed, this, [this] {
        for (const auto& fetch : m_downloads->all())
            if (fetch.state == Fetch::State::Failed && !m_get)
                Q_EMIT remarked(tr("%1 was not fetched: Model, Get a model says why").arg(fetch.name.text()));
    });
    return true;
}

void HubDoors::getModel(const QString& name) {
    if (!prepare())
        return;
    if (!m_get) {
        m_get = new GetModelDialog(*m_downloads, &m_window);
        connect(m_get, &GetModelDialog::managementWanted, this, &HubDoors::manageModels);
        present(m_get);
    }
    if (!name.isEmpty())
        m_get->lookFor(name);
    comeForward(m_get);
}

void HubDoors::manageModels() {
    if (!prepare())
        return;
    if (!m_manage) {
        m_manage = new ManageModelsDialog(m_downloads->settings().cache, &m_window);
        connect(m_manage, &ManageModelsDialog::modelWanted, this, &HubDoors::modelWanted);
        connect(m_manage, &ManageModelsDialog::fetchWanted, this, &HubDoors::getModel);
        present(m_manage);
    }
    comeForward(m_manage);
}

} // namespace headlight
