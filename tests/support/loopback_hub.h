// A model hub on loopback for tests: it speaks the hub's protocol over folders in memory, and misbehaves as the names
// of its models say. Files of `largeFrom` bytes and more lie on a second server, which must never see a token.
#pragma once

#include <QByteArray>
#include <QCryptographicHash>
#include <QFile>
#include <QHash>
#include <QHostAddress>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QList>
#include <QMap>
#include <QPointer>
#include <QSslConfiguration>
#include <QSslKey>
#include <QSslServer>
#include <QString>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTimer>
#include <QUrl>

#include <algorithm>
#include <functional>
#include <memory>

namespace headlight {

/// Misbehaviours, each a word that may stand in a model's name:
///   gated    401 GatedRepo without the token, 403 with another       private   401 RepoNotFound without it, 404 with
///   another expired  401 to any token                                         teapot    418, with the token in its
///   message flaky    a transfer breaks off after 40 % the first two times    short     the body always ends after 40 %
///   slow     little at a time                                         norange   Range is ignored
///   limited  429 with Retry-After: 1, the first time                 patient   429 with Retry-After: 7200, always
///   rated    429 with a ratelimit header alone, the first time       down      503, always
///   away     500, the first time                                      liar      a byte of large files is wrong
///   slip     the same, the first time                                 longer    a body is longer than it was announced
///   other    Content-Length is another than it was announced         huge      a file of 2^60 bytes is announced
///   vast     one of 2^62                                              moving    the commit changes with each question
///   moved    the same, the first time                                 renamed   307 to the same name without
///   "-renamed" circle   307 to itself                                            abroad    302 from the api to an
///   address without TLS login    a page of HTML answers                                   loginlate the same for bytes
///   alone nosum    etags that are no checksums                              nosize    no size and no etag weak etags
///   are weak                                           garbled   JSON that is none offset   206 with bytes from
///   elsewhere                            refused   403 from the second server
class LoopbackHub {
public:
    static constexpr qsizetype largeFrom = 1000;
    static constexpr auto token = "hf_secret";

    struct Request {
        QByteArray method;
        QByteArray path;
        QByteArray range;
        QByteArray authorization;
        bool abroad = false; ///< to the second server
    };

    explicit LoopbackHub(bool secure = false) : m_secure(secure), m_hub(make(false)), m_abroad(make(true)) {
        m_plain = std::make_unique<QTcpServer>();
        m_plain->listen(QHostAddress::LocalHost);
    }

    QString endpoint() const { return addressOf(*m_hub); }
    QString abroad() const { return addressOf(*m_abroad); }
    void add(const QString& model, const QMap<QString, QByteArray>& files) { m_models.insert(model, files); }
    void remove(const QString& model) { m_models.remove(model); }
    /// Forgets how often something was asked for.
    void forget() {
        m_times.clear();
        requests.clear();
    }
    qsizetype count(const QByteArray& method, const QByteArray& part) const {
        return std::count_if(requests.begin(), requests.end(), [&](const Request& request) {
            return request.method == method && request.path.contains(part);
        });
    }
    static QString etagOf(const QByteArray& bytes) {
        if (bytes.size() >= largeFrom)
            return QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
        return QString::fromLatin1(QCryptographicHash::hash("blob " + QByteArray::number(bytes.size()) + '\0' + bytes,
                                                            QCryptographicHash::Sha1)
                                       .toHex());
    }
    QString commitOf(const QString& model) const {
        auto text = model;
        const auto& files = m_models[model];
        for (auto file = files.begin(); file != files.end(); ++file)
            text += file.key() + etagOf(file.value());
        if (model.contains(QLatin1String("moving")) || (model.contains(QLatin1String("moved")) && m_asked == 0))
            text += QString::number(m_asked);
        return QString::fromLatin1(QCryptographicHash::hash(text.toUtf8(), QCryptographicHash::Sha1).toHex());
    }

    QList<Request> requests;
    int slowBytes = 4096; ///< of a slow model, each millisecond

private:
    struct Answer {
        int status = 200;
        QByteArray body = {};
        QList<std::pair<QByteArray, QByteArray>> headers = {};
        qsizetype stop = -1; ///< bytes of the body after which the connection is closed; -1: never
        bool slow = false;
        bool withoutLength = false; ///< the body is chunked
    };

    std::unique_ptr<QTcpServer> make(bool abroad) {
        std::unique_ptr<QTcpServer> server;
        if (m_secure) {
            auto secure = std::make_unique<QSslServer>();
            QFile file(QStringLiteral(HEADLIGHT_FIXTURES "/loopback.pem"));
            if (!file.open(QIODevice::ReadOnly))
                qFatal("%s", qPrintable(file.fileName()));
            const auto pem = file.readAll();
            auto configuration = QSslConfiguration::defaultConfiguration();
            configuration.setLocalCertificate(QSslCertificate(pem));
            configuration.setPrivateKey(QSslKey(pem, QSsl::Ec));
            configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
            secure->setSslConfiguration(configuration);
            server = std::move(secure);
        } else {
            server = std::make_unique<QTcpServer>();
        }
        if (!server->listen(QHostAddress::LocalHost))
            qFatal("%s", qPrintable(server->errorString()));
        QObject::connect(server.get(), &QTcpServer::pendingConnectionAvailable, server.get(),
                         [this, made = server.get(), abroad] {
                             while (auto* socket = made->nextPendingConnection())
                                 serve(socket, abroad);
                         });
        return server;
    }
    QString addressOf(const QTcpServer& server) const {
        return QStringLiteral("%1://127.0.0.1:%2")
            .arg(m_secure ? QStringLiteral("https") : QStringLiteral("http"))
            .arg(server.serverPort());
    }

    void serve(QTcpSocket* socket, bool abroad) {
        QObject::connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        const auto received = std::make_shared<QByteArray>();
        const auto read = [this, socket, abroad, received] {
            received->append(socket->readAll());
            for (auto end = received->indexOf("\r\n\r\n"); end >= 0; end = received->indexOf("\r\n\r\n")) {
                const auto head = received->left(end).split('\n');
                received->remove(0, end + 4);
                const auto words = head.front().trimmed().split(' ');
                Request request{words.value(0), words.value(1), {}, {}, abroad};
                for (const auto& line : head) {
                    const auto value = line.mid(line.indexOf(':') + 1).trimmed();
                    if (line.toLower().startsWith("range:"))
                        request.range = value;
                    if (line.toLower().startsWith("authorization:"))
                        request.authorization = value;
                }
                requests.append(request);
                send(socket, answerTo(request), request.method == "HEAD");
            }
        };
        QObject::connect(socket, &QTcpSocket::readyRead, socket, read);
        read();
    }

    void send(QTcpSocket* socket, const Answer& answer, bool headOnly) {
        QByteArray head = "HTTP/1.1 " + QByteArray::number(answer.status) + " so\r\n";
        bool hasLength = false;
        for (const auto& [name, value] : answer.headers) {
            head += name + ": " + value + "\r\n";
            hasLength = hasLength || name == "Content-Length";
        }
        if (answer.withoutLength)
            head += "Transfer-Encoding: chunked\r\n";
        else if (!hasLength)
            head += "Content-Length: " + QByteArray::number(answer.body.size()) + "\r\n";
        socket->write(head + "\r\n");
        if (headOnly)
            return;
        if (answer.slow)
            return sendSlowly(socket, answer.body);
        socket->write(answer.stop < 0 ? answer.body : answer.body.left(answer.stop));
        if (answer.stop >= 0)
            socket->disconnectFromHost();
    }
    void sendSlowly(QTcpSocket* socket, const QByteArray& body) {
        auto* timer = new QTimer(socket);
        timer->setInterval(1);
        QObject::connect(timer, &QTimer::timeout, socket, [this, socket, timer, body, sent = qsizetype(0)]() mutable {
            sent += socket->write(body.mid(sent, slowBytes));
            if (sent >= body.size())
                timer->deleteLater();
        });
        timer->start();
    }

    /// How often this was asked for, this time included.
    int times(const QString& what) { return ++m_times[what]; }

    static Answer refusal(int status, const QByteArray& code, const QByteArray& message) {
        Answer answer{.status = status, .body = "{\"error\": \"" + message + "\"}"};
        if (!code.isEmpty())
            answer.headers = {{"X-Error-Code", code}, {"X-Error-Message", message}};
        return answer;
    }
    static Answer page() {
        return {.body = "<html>log in</html>", .headers = {{"Content-Type", "text/html; charset=utf-8"}}};
    }

    Answer answerTo(const Request& request) {
        const auto path = QUrl::fromPercentEncoding(request.path.split('?').front());
        if (request.abroad)
            return request.authorization.isEmpty() ? bytesOf(path.mid(1), request, {})
                                                   : Answer{400, "the token went to another host"};
        auto parts = path.split(QLatin1Char('/'), Qt::SkipEmptyParts);
        const bool api = parts.value(0) == QLatin1String("api");
        if (api)
            parts = parts.mid(2);
        if (api && parts.isEmpty())
            return search(request);
        const auto split = m_models.contains(parts.value(0)) ? 1 : 2;
        const auto model = parts.mid(0, split).join(QLatin1Char('/'));
        const auto rest = parts.mid(split);
        const auto is = [&model](const char* word) {
            return model.split(QLatin1Char('/')).last().split(QLatin1Char('-')).contains(QLatin1String(word));
        };
        const bool named = !request.authorization.isEmpty();
        const bool known = request.authorization == QByteArray("Bearer ") + token;
        if (is("renamed"))
            return {307, {}, {{"Location", QByteArray(request.path).replace("-renamed", "")}}};
        if (is("circle"))
            return {307, {}, {{"Location", request.path}}};
        if (is("abroad"))
            return {302,
                    {},
                    {{"Location", "http://127.0.0.1:" + QByteArray::number(m_plain->serverPort()) + request.path}}};
        if (is("login"))
            return page();
        if (is("down"))
            return {503};
        if (is("away") && times(model) == 1)
            return {500};
        if (is("limited") && times(model) == 1)
            return {429, {}, {{"Retry-After", "1"}}};
        if (is("rated") && times(model) == 1)
            return {429, {}, {{"ratelimit", "\"api\";r=0;t=1"}}};
        if (is("patient"))
            return {429, {}, {{"Retry-After", "7200"}}};
        if (is("teapot"))
            return refusal(418, "Teapot", "no coffee for " + request.authorization);
        if (is("expired") && named)
            return refusal(401, {}, "Invalid credentials in Authorization header");
        if (is("gated") && !known && !api)
            return refusal(named ? 403 : 401, "GatedRepo", "Access to this model is restricted.");
        if (!m_models.contains(model) || (is("private") && !known))
            return refusal(named ? 404 : 401, "RepoNotFound", "Invalid username or password.");
        if (api && rest.value(0) == QLatin1String("revision")) {
            const auto revision = rest.mid(1).join(QLatin1Char('/'));
            const auto commit = commitOf(model);
            if (is("garbled"))
                return {200, "{\"sha\": "};
            if (revision != QLatin1String("main") && revision != QLatin1String("v1") && revision != commit)
                return refusal(404, "RevisionNotFound", "Invalid rev id");
            QJsonArray siblings;
            for (const auto& file : m_models[model].keys())
                siblings.append(QJsonObject{{QStringLiteral("rfilename"), file}});
            QJsonObject answer{
                {QStringLiteral("id"), model}, {QStringLiteral("sha"), commit}, {QStringLiteral("siblings"), siblings}};
            if (is("counted"))
                answer[QStringLiteral("safetensors")] = QJsonObject{{QStringLiteral("total"), 9'900}};
            if (is("moved") || is("moving"))
                ++m_asked;
            return {200, QJsonDocument(answer).toJson(), {{"Content-Type", "application/json"}}};
        }
        if (rest.value(0) != QLatin1String("resolve"))
            return {404};
        const auto name = rest.mid(2).join(QLatin1Char('/'));
        if (!m_models[model].contains(name))
            return refusal(404, "EntryNotFound", "Entry not found");
        const auto bytes = m_models[model][name];
        const auto etag = is("nosum") ? QByteArray("abc-2") : etagOf(bytes).toLatin1();
        const auto quoted = (is("weak") ? "W/\"" : "\"") + etag + '"';
        QList<std::pair<QByteArray, QByteArray>> headers{{"X-Repo-Commit", commitOf(model).toLatin1()}};
        if (bytes.size() < largeFrom) {
            headers.append({"ETag", quoted});
            return bytesOf(model + QLatin1Char('/') + name, request, headers);
        }
        const auto announced = is("huge")   ? QByteArray::number(qint64(1) << 60)
                               : is("vast") ? QByteArray::number(qint64(1) << 62)
                                            : QByteArray::number(bytes.size());
        if (!is("nosize"))
            headers << std::pair<QByteArray, QByteArray>{"X-Linked-Etag", quoted}
                    << std::pair<QByteArray, QByteArray>{"X-Linked-Size", announced};
        headers << std::pair<QByteArray, QByteArray>{
            "Location", (abroad() + QLatin1Char('/') + model + QLatin1Char('/') + name).toLatin1()};
        return {302, {}, headers};
    }

    Answer search(const Request& request) const {
        const auto query = QUrl(QString::fromLatin1(request.path)).query();
        const auto words = QUrl::fromPercentEncoding(
            query.section(QLatin1String("search="), 1).section(QLatin1Char('&'), 0, 0).toUtf8());
        if (words == QLatin1String("login"))
            return page();
        QJsonArray found;
        for (const auto& model : m_models.keys())
            if (model.contains(words))
                found.append(QJsonObject{{QStringLiteral("id"), model},
                                         {QStringLiteral("downloads"), 1234567},
                                         {QStringLiteral("pipeline_tag"), QStringLiteral("fill-mask")},
                                         {QStringLiteral("gated"), model.contains(QLatin1String("gated"))
                                                                       ? QJsonValue(QStringLiteral("auto"))
                                                                       : QJsonValue(false)}});
        found.append(QJsonObject{{QStringLiteral("id"), QStringLiteral("../../evil")}});
        return {200, QJsonDocument(found).toJson(), {{"Content-Type", "application/json"}}};
    }

    Answer bytesOf(const QString& place, const Request& request, QList<std::pair<QByteArray, QByteArray>> headers) {
        const auto parts = place.split(QLatin1Char('/'));
        const auto split = m_models.contains(parts.value(0)) ? 1 : 2;
        const auto model = parts.mid(0, split).join(QLatin1Char('/'));
        const auto words = model.split(QLatin1Char('/')).last().split(QLatin1Char('-'));
        auto body = m_models[model][parts.mid(split).join(QLatin1Char('/'))];
        const auto is = [&](const char* word) {
            return body.size() >= largeFrom && words.contains(QLatin1String(word));
        };
        const auto whole = body.size();
        if (request.method == "GET" && (is("liar") || (is("slip") && times(place) == 1)))
            body[whole / 2] = static_cast<char>(~body[whole / 2]);
        if (is("loginlate"))
            return page();
        if (is("refused"))
            return {403, "<Error/>"};
        Answer answer{.status = 200, .body = body, .headers = std::move(headers)};
        if (request.range.startsWith("bytes=") && !is("norange")) {
            const auto begin = request.range.mid(6).split('-').front().toLongLong();
            if (begin >= whole)
                return {416};
            answer.status = 206;
            answer.body = body.mid(begin);
            answer.headers.append({"Content-Range", "bytes " + QByteArray::number(is("offset") ? 0 : begin) + '-'
                                                        + QByteArray::number(whole - 1) + '/'
                                                        + QByteArray::number(whole)});
        }
        if (is("other"))
            answer.body.chop(1);
        if ((is("flaky") && times(place) <= 2) || is("short")) {
            answer.headers.append({"Content-Length", QByteArray::number(answer.body.size())});
            answer.stop = std::max<qsizetype>(1, answer.body.size() * 2 / 5);
        }
        answer.slow = is("slow");
        if (is("longer")) { // which only a body without a length can be
            answer.body += "more";
            answer.body = QByteArray::number(answer.body.size(), 16) + "\r\n" + answer.body + "\r\n0\r\n\r\n";
            answer.withoutLength = true;
        }
        return answer;
    }

    const bool m_secure;
    QMap<QString, QMap<QString, QByteArray>> m_models;
    QHash<QString, int> m_times;
    int m_asked = 0;
    std::unique_ptr<QTcpServer> m_hub;
    std::unique_ptr<QTcpServer> m_abroad;
    std::unique_ptr<QTcpServer> m_plain; ///< takes connections and answers none
};

} // namespace headlight
