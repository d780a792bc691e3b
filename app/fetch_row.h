// One model on its way, as a row: how far it is, and what can be done about it.
#pragma once

#include "app/downloads.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace headlight {

class FetchRow : public QWidget {
    Q_OBJECT
public:
    /// @param downloads must outlive it
    FetchRow(Downloads& downloads, int id, QWidget* parent = nullptr);

    /// What the row shows is what `downloads` has of it now.
    void update();
    /// All that is written in it, for tests and readers.
    QString text() const;

private:
    Downloads& m_downloads;
    const int m_id;
    QLabel* m_name;
    QLabel* m_state;
    QLabel* m_note;
    QProgressBar* m_bar;
    QPushButton* m_toggle; ///< stops, or goes on
    QPushButton* m_visit;
    QPushButton* m_drop;
};

} // namespace headlight
