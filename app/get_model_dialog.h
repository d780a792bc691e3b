// Model → Get a model…: a name or words, what the hub has of them, and what is on its way.
#pragma once

#include "app/downloads.h"
#include "app/model_outlook.h"

#include <QDialog>
#include <QHash>
#include <QTimer>

#include <memory>
#include <optional>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QTreeWidget;
class QTreeWidgetItem;
class QVBoxLayout;

namespace headlight {

class FetchRow;

/// Stays beside the window. What is fetched goes on when it is closed.
class GetModelDialog : public QDialog {
    Q_OBJECT
public:
    /// @param downloads must outlive it
    explicit GetModelDialog(Downloads& downloads, QWidget* parent = nullptr);
    ~GetModelDialog() override;

    /// As if it were typed.
    void lookFor(const QString& text);

Q_SIGNALS:
    void managementWanted();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    /// What is known of a model by its configuration, or why it is not.
    struct Known {
        std::optional<HubPlan> plan;
        ModelOutlook outlook;
        std::optional<HubProblem> problem;
    };

    QWidget* buildSearch();
    QWidget* buildChoice();
    QWidget* buildFoot();
    void listFirst();
    void search();
    void list(const QList<HubListing>& models);
    QTreeWidgetItem* addRow(const HubName& name, const QString& task, const QString& downloads, const QString& size);
    void lookInto();
    void learn(const QString& text, Known known);
    void showKnown(QTreeWidgetItem& item);
    void showChoice();
    void get();
    void listFetches();
    void askForToken();
    void showFoot();
    void tell(const QString& text);

    Downloads& m_downloads;
    std::unique_ptr<HubClient> m_search;
    std::unique_ptr<HubClient> m_look; ///< into one model after another
    QString m_looking;                 ///< the model that it looks into; empty: none
    QHash<QString, Known> m_known;
    QTimer m_typed;
    QLineEdit* m_field;
    QTreeWidget* m_list;
    QLabel* m_heading;
    QLabel* m_message;
    QLabel* m_choice;
    QComboBox* m_opens;
    QPushButton* m_get;
    QWidget* m_fetches;
    QVBoxLayout* m_rows;
    QHash<int, FetchRow*> m_rowOf;
    QLabel* m_where;
    QPushButton* m_token;
};

} // namespace headlight
