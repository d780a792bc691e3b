// The system's wish that the program end, as an event like others.
#pragma once

#include <QObject>

#include <csignal>
#include <utility>
#include <vector>

namespace headlight {

/// Catches SIGTERM, SIGINT and SIGHUP while it lives, those that were not ignored before. A second one ends the program
/// at once. There is one at a time.
class QuitSignals : public QObject {
    Q_OBJECT
public:
    explicit QuitSignals(QObject* parent = nullptr);
    ~QuitSignals() override;
    QuitSignals(const QuitSignals&) = delete;
    QuitSignals& operator=(const QuitSignals&) = delete;

Q_SIGNALS:
    void caught();

private:
    std::vector<std::pair<int, struct sigaction>> m_before;
};

} // namespace headlight
