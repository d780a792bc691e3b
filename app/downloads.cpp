#include "app/downloads.h"

#include "app/model_outlook.h"

#include <algorithm>
#include <utility>

namespace headlight {

Downloads::Downloads(HubSettings settings, QObject* parent) : QObject(parent), m_settings(std::move(settings)) {
    m_thread.start();
}

Downloads::~Downloads() {
    endRun();
    m_thread.quit();
    m_thread.wait();
}

Fetch* Downloads::at(int id) {
    const auto found =
        std::find_if(m_fetches.begin(), m_fetches.end(), [id](const Fetch& fetch) { return fetch.id == id; });
    return found == m_fetches.end() ? nullptr : &*found;
}

const Fetch* Downloads::find(int id) const {
    return const_cast<Downloads*>(this)->at(id);
}

void Downloads::add(const HubName& name, Fetch::Opens opens) {
    auto found =
        std::find_if(m_fetches.begin(), m_fetches.end(), [&](const Fetch& fetch) { return fetch.name == name; });
    if (found == m_fetches.end()) {
        m_fetches.push_back({.id = ++m_last, .name = name});
        found = m_fetches.end() - 1;
    }
    found->opens = opens;
    if (!found->runs())
        found->state = Fetch::State::Queued;
    startNext();
    Q_EMIT changed();
}

void Downloads::stop(int id) {
    auto* fetch = at(id);
    if (!fetch)
        return;
    if (fetch->runs())
        endRun();
    if (fetch->runs() || fetch->state == Fetch::State::Queued)
        fetch->state = Fetch::State::Stopped;
    startNext();
    Q_EMIT changed();
}

void Downloads::goOn(int id) {
    if (auto* fetch = at(id); fetch && !fetch->runs())
        fetch->state = Fetch::State::Queued;
    startNext();
    Q_EMIT changed();
}

void Downloads::drop(int id) {
    if (const auto* fetch = at(id); fetch && fetch->runs())
        endRun();
    std::erase_if(m_fetches, [id](const Fetch& fetch) { return fetch.id == id; });
    startNext();
    Q_EMIT changed();
}

void Downloads::endRun() {
    ++m_run;
    if (m_client)
        m_client->deleteLater();
    m_client.clear();
}

void Downloads::startNext() {
    if (std::any_of(m_fetches.begin(), m_fetches.end(), [](const Fetch& fetch) { return fetch.runs(); }))
        return;
    const auto next = std::find_if(m_fetches.begin(), m_fetches.end(),
                                   [](const Fetch& fetch) { return fetch.state == Fetch::State::Queued; });
    if (next != m_fetches.end())
        start(*next);
}

void Downloads::start(Fetch& fetch) {
    endRun();
    fetch.state = Fetch::State::Asking;
    fetch.note.clear();
    fetch.progress = {};
    fetch.problem = {};
    m_client = new HubClient(m_settings);
    m_client->moveToThread(&m_thread);
    // Each comes by an event, and may come after that run's end.
    const auto hears = [this, id = fetch.id, run = m_run](auto deed) {
        return [this, id, run, deed](const auto&... values) {
            if (auto* heard = run == m_run ? at(id) : nullptr)
                deed(*heard, values...);
        };
    };
    connect(m_client, &HubClient::planned, this, hears([this](Fetch& of, const HubPlan& plan) {
                of.state = Fetch::State::Fetching;
                of.progress.total = plan.bytes;
                of.progress.done = plan.bytes - plan.missing;
                of.note = plan.remark;
                Q_EMIT changed();
            }));
    connect(m_client, &HubClient::progressed, this, hears([this](Fetch& of, const HubProgress& progress) {
                of.progress = progress;
                of.note.clear();
                Q_EMIT progressed(of.id);
            }));
    connect(m_client, &HubClient::waits, this, hears([this](Fetch& of, const QString& why, int seconds) {
                of.note = seconds > 0 ? tr("%1; again in %2 s").arg(why).arg(seconds) : why;
                Q_EMIT progressed(of.id);
            }));
    connect(m_client, &HubClient::remarked, this, hears([this](Fetch& of, const QString& text) {
                of.note = text;
                Q_EMIT progressed(of.id);
            }));
    connect(m_client, &HubClient::failed, this, hears([this](Fetch& of, const HubProblem& problem) {
                of.state = Fetch::State::Failed;
                of.problem = problem;
                endRun();
                startNext();
                Q_EMIT changed();
            }));
    connect(m_client, &HubClient::fetched, this, hears([this](Fetch& of, const QString& folder) {
                of.state = Fetch::State::Done;
                of.folder = folder;
                of.progress.done = of.progress.total;
                const auto finished = of;
                endRun();
                startNext();
                Q_EMIT changed();
                Q_EMIT done(finished);
            }));
    QMetaObject::invokeMethod(m_client,
                              [client = m_client.data(), name = fetch.name] { client->fetch(name, requireOpening); });
}

} // namespace headlight
