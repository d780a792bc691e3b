// The models that are being fetched while the window goes on: one at a time, the others in a queue.
#pragma once

#include "app/hub/hub_client.h"

#include <QObject>
#include <QThread>

#include <optional>
#include <vector>

namespace headlight {

/// One model on its way.
struct Fetch {
    enum class State { Queued, Asking, Fetching, Stopped, Failed, Done };
    enum class Opens { AsA, AsB, No };

    int id = 0;
    HubName name;
    Opens opens = Opens::AsA; ///< what happens to it when it is there
    State state = State::Queued;
    HubProgress progress = {};
    QString note = {};       ///< what it waits for, or what was odd; may be empty
    HubProblem problem = {}; ///< of one that failed
    QString folder = {};     ///< of one that is done

    bool runs() const { return state == State::Asking || state == State::Fetching; }
};

/// Fetches in a thread of its own, for a disk may be slow. What is there when it is stopped, or the program ends,
/// stays.
class Downloads : public QObject {
    Q_OBJECT
public:
    explicit Downloads(HubSettings settings, QObject* parent = nullptr);
    ~Downloads() override;

    const HubSettings& settings() const { return m_settings; }
    /// For what is fetched from now on.
    void setToken(const QByteArray& token) { m_settings.token = token; }

    const std::vector<Fetch>& all() const { return m_fetches; }
    /// Null when there is none of that id.
    const Fetch* find(int id) const;
    /// Fetches a model, or goes on with it where it is among these already.
    void add(const HubName& name, Fetch::Opens opens);
    void stop(int id);
    void goOn(int id);
    /// Takes it off the list; what was fetched stays in the cache.
    void drop(int id);

Q_SIGNALS:
    /// Some are more, fewer, or in another state.
    void changed();
    void progressed(int id);
    void done(const headlight::Fetch& fetch);

private:
    Fetch* at(int id);
    void startNext();
    void start(Fetch& fetch);
    void endRun();

    HubSettings m_settings;
    std::vector<Fetch> m_fetches;
    int m_last = 0;
    int m_run = 0; ///< what a client says of an earlier run is not heard
    QPointer<HubClient> m_client;
    QThread m_thread;
};

} // namespace headlight
