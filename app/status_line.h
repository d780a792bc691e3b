// The line below: how long what is on show took, whether it is of what is typed, and on what machine.
#pragma once

#include <QStatusBar>

class QLabel;

namespace headlight {

class Workbench;

class StatusLine : public QStatusBar {
    Q_OBJECT
public:
    /// @param workbench must outlive it
    explicit StatusLine(const Workbench& workbench, QWidget* parent = nullptr);

    /// @param drawMilliseconds of the view on show
    void tell(double drawMilliseconds);
    /// Says something for as long as it takes to read it.
    void remark(const QString& text);

private:
    const Workbench& m_workbench;
    QLabel* m_timings;
};

} // namespace headlight
