// Model → Manage models…: what the hub's cache holds, where it lies and how large it is, and removing it.
#pragma once

#include "core/files/hub_cache.h"

#include <QDialog>
#include <QThreadPool>

#include <filesystem>
#include <functional>
#include <vector>

class QLabel;
class QPushButton;
class QTreeWidget;

namespace headlight {

/// Stays beside the window. The disk is read and changed in another thread.
class ManageModelsDialog : public QDialog {
    Q_OBJECT
public:
    explicit ManageModelsDialog(std::filesystem::path cache, QWidget* parent = nullptr);
    ~ManageModelsDialog() override;

    /// Reads the cache anew.
    void refresh();

Q_SIGNALS:
    void modelWanted(const QString& folder, bool first);
    /// To fetch what is missing of this one; empty: any.
    void fetchWanted(const QString& name);

private:
    void show(std::vector<HubRevision> revisions);
    void showChoice();
    void askBeforeRemoval();
    void remove(const HubRevision& revision);
    const HubRevision* chosen() const;
    void inBackground(const std::function<std::function<void()>()>& work);

    const std::filesystem::path m_cache;
    std::vector<HubRevision> m_revisions;
    QLabel* m_summary;
    QTreeWidget* m_list;
    QLabel* m_message;
    QLabel* m_folder;
    QPushButton* m_openA;
    QPushButton* m_openB;
    QPushButton* m_reveal;
    QPushButton* m_remove;
    QThreadPool m_pool; ///< last: it waits for those that would tell the rest
};

} // namespace headlight
