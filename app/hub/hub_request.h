// One question to the hub until it is answered: redirects, pauses, broken connections, refusals.
#pragma once

#include "app/hub/hub_problem.h"
#include "app/hub/hub_settings.h"

#include <QByteArray>
#include <QList>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QObject>
#include <QPointer>
#include <QTimer>
#include <QUrl>

#include <chrono>
#include <functional>
#include <optional>

namespace headlight {

/// How long the hub's troubles are borne.
struct HubPatience {
    std::chrono::milliseconds firstPause{1000}; ///< doubled each time that nothing comes
    std::chrono::milliseconds longestPause{60'000};
    std::chrono::milliseconds longestWish{900'000}; ///< of a hub that says when to come again
    std::chrono::milliseconds silence{30'000};      ///< after which a connection counts as broken
    int tries = 6;                                  ///< in a row without a byte
    int triesUnreached = 1;                         ///< while the hub was never reached
};

/// What all requests of one client share.
struct HubConnection {
    HubConnection(HubSettings hubSettings, const HubPatience& hubPatience);

    HubSettings settings;
    HubPatience patience;
    QNetworkAccessManager network;
    QString what;         ///< the model that is asked for, as messages name it
    QUrl page;            ///< its page
    bool reached = false; ///< something answered
};

struct HubAnswer {
    int status = 0;
    QUrl address;    ///< the last one, after redirects
    QByteArray body; ///< empty where it was taken as it came
    QList<QNetworkReply::RawHeaderPair> headers;

    /// Empty when there is none of that name.
    QByteArray header(const char* name) const;
    bool isPage() const { return header("Content-Type").contains("text/html"); }
};

class HubRequest : public QObject {
    Q_OBJECT
public:
    /// Bytes that are taken as they come. What these throw, Error or HubFailure, is the request's failure.
    struct Stream {
        std::function<qint64()> begin;                ///< asked for at each try: the first byte that is wanted
        std::function<void(const HubAnswer&)> opened; ///< 200: from the first byte on; 206: from `begin`
        std::function<void(QByteArrayView)> take;
        std::function<void()> beginAnew; ///< the hub does not know the byte to begin with
        std::function<bool()> complete;  ///< false: more should have come
    };
    struct Question {
        QUrl address;
        bool head = false;                 ///< only the headers, of the hub itself and not of where the bytes are
        qint64 mostBytes = 32 << 20;       ///< of an answer that is kept
        std::optional<Stream> stream = {}; ///< absent: the answer is kept
    };

    HubRequest(HubConnection& connection, Question question, QObject* parent);
    ~HubRequest() override;

Q_SIGNALS:
    void answered(const headlight::HubAnswer& answer);
    void failed(const headlight::HubProblem& problem);
    /// The hub is asked again in so many seconds; each second, and 0 when it is.
    void waits(const QString& why, int seconds);

private:
    void ask(const QUrl& address);
    void take();
    void finish();
    void follow(const HubAnswer& answer);
    /// Asks again after a pause, unless it was asked often enough. @param wish of the hub, if it has one
    void askAgain(const HubProblem& problem, std::optional<std::chrono::milliseconds> wish = {});
    void pause();
    void refuse(const HubAnswer& answer);
    void fail(HubProblem problem);
    void attempt(const std::function<void()>& step);
    HubAnswer answer() const;
    HubProblem networkProblem(QNetworkReply::NetworkError error, const QString& reason, const QUrl& address) const;

    HubConnection& m_connection;
    Question m_question;
    QPointer<QNetworkReply> m_reply;
    QByteArray m_body;
    QTimer m_second;
    std::chrono::milliseconds m_left{}; ///< of the pause
    QString m_why;
    int m_redirects = 0;
    int m_tries = 0;
    bool m_began = false; ///< anew, since the hub did not know the byte
    bool m_opened = false;
};

/// A proxy or a captive page answered where the hub should have.
HubProblem notTheHub(const QString& host);

} // namespace headlight
