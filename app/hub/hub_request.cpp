#include "app/hub/hub_request.h"

#include "core/error.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkProxyFactory>
#include <QNetworkProxyQuery>
#include <QSslSocket>

#include <algorithm>
#include <utility>
#include <vector>

namespace headlight {

namespace {

using namespace std::chrono_literals;
using Kind = HubProblem::Kind;

constexpr int mostRedirects = 8;
constexpr qint64 bufferBytes = 4 << 20; ///< what waits to be written, so that memory stays flat
constexpr int tooManyRequests = 429;

bool isRedirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool isPassing(int status) {
    return status == 408 || status == tooManyRequests || status >= 500;
}

QString hostOf(const QUrl& address) {
    return address.port() < 0 ? address.host() : address.host() + QLatin1Char(':') + QString::number(address.port());
}

/// When the hub says that it may be asked again.
std::optional<std::chrono::milliseconds> wishOf(const HubAnswer& answer) {
    const auto after = answer.header("Retry-After").trimmed();
    bool isNumber = false;
    const auto seconds = after.toInt(&isNumber);
    if (isNumber && seconds >= 0)
        return std::chrono::seconds(seconds);
    if (const auto date = QDateTime::fromString(QString::fromLatin1(after), Qt::RFC2822Date); date.isValid())
        return std::chrono::milliseconds(std::max<qint64>(0, QDateTime::currentDateTimeUtc().msecsTo(date)));
    for (const auto& part : answer.header("ratelimit").split(';')) {
        const auto word = part.trimmed();
        if (!word.startsWith("t="))
            continue;
        const auto left = word.mid(2).toInt(&isNumber);
        if (isNumber && left >= 0)
            return std::chrono::seconds(left);
    }
    return std::nullopt;
}

class SystemProxies : public QNetworkProxyFactory {
public:
    QList<QNetworkProxy> queryProxy(const QNetworkProxyQuery& query) override { return systemProxyForQuery(query); }
};

} // namespace

HubConnection::HubConnection(HubSettings hubSettings, const HubPatience& hubPatience)
    : settings(std::move(hubSettings)), patience(hubPatience) {
    network.setProxyFactory(new SystemProxies);
    network.setRedirectPolicy(QNetworkRequest::ManualRedirectPolicy);
}

QByteArray HubAnswer::header(const char* name) const {
    for (const auto& [key, value] : headers)
        if (key.compare(name, Qt::CaseInsensitive) == 0)
            return value;
    return {};
}

HubRequest::HubRequest(HubConnection& connection, Question question, QObject* parent)
    : QObject(parent), m_connection(connection), m_question(std::move(question)) {
    m_second.setSingleShot(true);
    connect(&m_second, &QTimer::timeout, this, [this] {
        if (m_left > 0ms)
            pause();
        else
            ask(m_question.address);
    });
    // Queued, so that whoever made it can connect first.
    QMetaObject::invokeMethod(
        this, [this] { ask(m_question.address); }, Qt::QueuedConnection);
}

HubRequest::~HubRequest() {
    if (m_reply) {
        m_reply->disconnect(this);
        m_reply->deleteLater();
    }
}

void HubRequest::ask(const QUrl& address) {
    if (address.scheme() == QLatin1String("https") && !QSslSocket::supportsSsl())
        return fail({Kind::NotSecure,
                     HubText::tr("Qt has no TLS here, which %1 needs: install OpenSSL, or Qt's plugin for it.")
                         .arg(hostOf(address)),
                     {}});
    QNetworkRequest request(address);
    request.setAttribute(QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    request.setAttribute(QNetworkRequest::Http2AllowedAttribute, false); // one connection each is as fast, and simpler
    request.setAttribute(QNetworkRequest::CookieLoadControlAttribute, QNetworkRequest::Manual);
    request.setAttribute(QNetworkRequest::CookieSaveControlAttribute, QNetworkRequest::Manual);
    request.setAttribute(QNetworkRequest::AuthenticationReuseAttribute, QNetworkRequest::Manual);
    request.setTransferTimeout(static_cast<int>(m_connection.patience.silence.count()));
    request.setHeader(QNetworkRequest::UserAgentHeader,
                      QStringLiteral("headlight; Qt/%1").arg(QLatin1String(qVersion())));
    request.setRawHeader("Accept-Encoding", "identity");
    const auto& settings = m_connection.settings;
    if (!settings.token.isEmpty() && settings.ownsToken(address))
        request.setRawHeader("Authorization", "Bearer " + settings.token);
    const auto begin = m_question.stream ? m_question.stream->begin() : 0;
    if (begin > 0)
        request.setRawHeader("Range", "bytes=" + QByteArray::number(begin) + '-');
    m_body.clear();
    m_opened = false;
    m_reply = m_question.head ? m_connection.network.head(request) : m_connection.network.get(request);
    m_reply->setReadBufferSize(bufferBytes);
    connect(m_reply, &QNetworkReply::readyRead, this, [this] { attempt([this] { take(); }); });
    connect(m_reply, &QNetworkReply::finished, this, [this] { attempt([this] { finish(); }); });
}

void HubRequest::attempt(const std::function<void()>& step) {
    try {
        step();
    } catch (const HubFailure& failure) {
        fail(failure.problem());
    } catch (const Error& error) {
        fail({Kind::Disk, QString::fromUtf8(error.what()), {}});
    } catch (const std::bad_alloc&) {
        fail({Kind::Other, HubText::tr("There is not enough memory: close other programs."), {}});
    }
}

HubAnswer HubRequest::answer() const {
    return {.status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(),
            .address = m_reply->url(),
            .body = m_body,
            .headers = m_reply->rawHeaderPairs()};
}

void HubRequest::take() {
    const auto status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const bool streams = m_question.stream && (status == 200 || status == 206);
    if (streams && !std::exchange(m_opened, true))
        m_question.stream->opened(answer());
    std::vector<char> chunk(static_cast<std::size_t>(std::min(bufferBytes, m_reply->bytesAvailable())));
    while (!chunk.empty()) {
        const auto count = m_reply->read(chunk.data(), static_cast<qint64>(chunk.size()));
        if (count <= 0)
            break;
        m_tries = 0;
        if (streams) {
            m_question.stream->take({chunk.data(), count});
        } else {
            m_body.append(chunk.data(), count);
            if (m_body.size() > m_question.mostBytes)
                throw HubFailure({Kind::WrongBytes,
                                  HubText::tr("%1 answers with more than %2, which no answer of this kind has.")
                                      .arg(hostOf(m_reply->url()), bytesInWords(m_question.mostBytes)),
                                  {}});
        }
    }
}

void HubRequest::finish() {
    take();
    const auto reply = std::exchange(m_reply, nullptr);
    reply->deleteLater();
    HubAnswer found{.status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt(),
                    .address = reply->url(),
                    .body = m_body,
                    .headers = reply->rawHeaderPairs()};
    if (found.status == 0) {
        const auto problem = networkProblem(reply->error(), reply->errorString(), reply->url());
        return problem.kind == Kind::NotSecure ? fail(problem) : askAgain(problem);
    }
    m_connection.reached = true;
    if (isRedirect(found.status))
        return follow(found);
    if (found.status == 416 && m_question.stream && !std::exchange(m_began, true)) {
        m_question.stream->beginAnew();
        return ask(m_question.address);
    }
    if (isPassing(found.status)) {
        const auto host = hostOf(found.address);
        return askAgain({Kind::Busy,
                         found.status == tooManyRequests
                             ? HubText::tr("%1 is asked too often from here").arg(host)
                             : HubText::tr("%1 is busy or out of order (%2)").arg(host).arg(found.status),
                         {}},
                        wishOf(found));
    }
    if (found.status < 200 || found.status >= 300)
        return refuse(found);
    const bool whole =
        m_question.stream ? m_opened && m_question.stream->complete() : reply->error() == QNetworkReply::NoError;
    // An empty body is never read, and opens nothing.
    if (m_question.stream && !m_opened) {
        m_opened = true;
        m_question.stream->opened(found);
        if (m_question.stream->complete())
            return Q_EMIT answered(found);
    }
    if (!whole)
        return askAgain(
            {Kind::NoNetwork, HubText::tr("The connection to %1 broke off").arg(hostOf(found.address)), {}});
    Q_EMIT answered(found);
}

void HubRequest::follow(const HubAnswer& found) {
    const auto place = QUrl::fromEncoded(found.header("Location"));
    if (m_question.head && !place.isRelative())
        return Q_EMIT answered(found);
    const auto target = found.address.resolved(place);
    const auto scheme = target.scheme();
    if (!target.isValid() || (scheme != QLatin1String("https") && scheme != QLatin1String("http")))
        return fail(
            {Kind::NotTheHub, HubText::tr("%1 sends on to an address that is none.").arg(hostOf(found.address)), {}});
    if (found.address.scheme() == QLatin1String("https") && scheme == QLatin1String("http"))
        return fail({Kind::NotSecure,
                     HubText::tr("%1 sends on from a secure address to one that is not, %2: a proxy or a captive page "
                                 "may be between. Nothing was fetched from there.")
                         .arg(hostOf(found.address), hostOf(target)),
                     {}});
    if (++m_redirects > mostRedirects)
        return fail({Kind::NotTheHub, HubText::tr("%1 sends on in a circle.").arg(hostOf(found.address)), {}});
    ask(target);
}

void HubRequest::askAgain(const HubProblem& problem, std::optional<std::chrono::milliseconds> wish) {
    const auto& patience = m_connection.patience;
    const bool unreached = problem.kind == Kind::NoNetwork && !m_connection.reached;
    auto told = problem;
    if (++m_tries >= (unreached ? patience.triesUnreached : patience.tries)) {
        told.text = unreached ? problem.text + QLatin1Char('.')
                              : HubText::tr("%1, %2 times in a row. Try again later; what is there is kept.")
                                    .arg(problem.text)
                                    .arg(m_tries);
        return fail(told);
    }
    auto pause = std::min(patience.longestPause, patience.firstPause * (1 << std::min(m_tries - 1, 16)));
    if (wish)
        pause = std::max(*wish, 100ms); // whoever says 0 is not asked without a breath
    if (pause > patience.longestWish) {
        told.text = HubText::tr("%1, and wants to be asked again in %2 min. What is there is kept.")
                        .arg(problem.text)
                        .arg(std::chrono::ceil<std::chrono::minutes>(pause).count());
        return fail(told);
    }
    m_redirects = 0;
    m_why = problem.text;
    m_left = pause;
    this->pause();
}

void HubRequest::pause() {
    Q_EMIT waits(m_why, static_cast<int>(std::chrono::ceil<std::chrono::seconds>(m_left).count()));
    const auto step = std::min(m_left, 1000ms);
    m_left -= step;
    m_second.start(step);
}

void HubRequest::refuse(const HubAnswer& found) {
    const auto& settings = m_connection.settings;
    const auto& what = m_connection.what;
    const auto code = found.header("X-Error-Code");
    const auto host = hostOf(found.address);
    const bool named = !settings.token.isEmpty();
    auto tokens = settings.endpoint;
    tokens.setPath(tokens.path() + QStringLiteral("/settings/tokens"));
    const auto tokensPage = tokens.toString();
    auto message = QString::fromUtf8(found.header("X-Error-Message"));
    if (message.isEmpty() && found.body.startsWith('{'))
        message = QJsonDocument::fromJson(found.body).object()[QStringLiteral("error")].toString();
    message = message.simplified().left(300);

    if (!settings.ownsToken(found.address))
        return fail({Kind::Other,
                     HubText::tr("%1, where the hub keeps the bytes, refuses them (%2). Try again later.")
                         .arg(host)
                         .arg(found.status),
                     {}});
    if (code == "GatedRepo") {
        if (!named)
            return fail({Kind::TermsToAccept,
                         HubText::tr("The terms of %1 must be accepted on its page, %2, and a token of that account "
                                     "given (from %3, in HF_TOKEN).")
                             .arg(what, m_connection.page.toString(), tokensPage),
                         m_connection.page});
        return fail(
            {Kind::TokenNotAllowed,
             HubText::tr("The token is not allowed to read %1: its account must accept the terms on %2, and the "
                         "token have the right to read gated models.")
                 .arg(what, m_connection.page.toString()),
             m_connection.page});
    }
    if (code == "RevisionNotFound")
        return fail(
            {Kind::NoSuchRevision,
             HubText::tr("There is no branch, tag or commit %1: see %2.").arg(what, m_connection.page.toString()),
             m_connection.page});
    if (code == "EntryNotFound")
        return fail(
            {Kind::NotAModel,
             HubText::tr("A file of %1 that was there a moment ago is not there any more: try again.").arg(what),
             m_connection.page});
    const bool aboutToken = message.contains(QLatin1String("token"), Qt::CaseInsensitive)
                            || message.contains(QLatin1String("credentials"), Qt::CaseInsensitive);
    if (found.status == 401 && named && (code.isEmpty() || aboutToken))
        return fail(
            {Kind::TokenWrong,
             HubText::tr("%1 does not know the token: it is wrong or has expired. Make a new one on %2, or unset "
                         "HF_TOKEN and remove the file of the old one.")
                 .arg(host, tokensPage),
             tokens});
    if (found.status == 403)
        return fail(
            {Kind::TokenNotAllowed,
             named ? HubText::tr("The token is not allowed to read %1: see its rights on %2.").arg(what, tokensPage)
                   : HubText::tr("%1 does not give %2 to everyone: a token may help, from %3.")
                         .arg(host, what, tokensPage),
             tokens});
    if (code == "RepoNotFound" || found.status == 401 || found.status == 404) {
        if (found.isPage() && code.isEmpty() && found.status != 404)
            return fail(notTheHub(host));
        return fail({Kind::NoSuchModel,
                     named
                         ? HubText::tr("There is no model %1 on %2, or it is private and the token's account may not "
                                       "see it. Is it spelled so?")
                               .arg(what, host)
                         : HubText::tr("There is no model %1 on %2, or it is private. Is it spelled so? A private one "
                                       "needs a token, from %3.")
                               .arg(what, host, tokensPage),
                     {}});
    }
    fail({Kind::Other,
          message.isEmpty() ? HubText::tr("%1 refuses (%2).").arg(host).arg(found.status)
                            : HubText::tr("%1 refuses (%2): %3").arg(host).arg(found.status).arg(message),
          {}});
}

HubProblem notTheHub(const QString& host) {
    return {Kind::NotTheHub,
            HubText::tr("Not the hub but a page answers for %1: a proxy, or the page of a network that wants a login. "
                        "Open a browser, log in, and try again.")
                .arg(host),
            {}};
}

HubProblem HubRequest::networkProblem(QNetworkReply::NetworkError error, const QString& reason,
                                      const QUrl& address) const {
    const auto host = hostOf(address);
    switch (error) {
    case QNetworkReply::SslHandshakeFailedError:
        return {Kind::NotSecure,
                HubText::tr("No secure connection to %1: %2. Where a proxy reads along, its certificate must be among "
                            "the system's.")
                    .arg(host, reason),
                {}};
    case QNetworkReply::HostNotFoundError:
        return {Kind::NoNetwork,
                HubText::tr("%1 is not found: there is no network, or the address is wrong (HF_ENDPOINT names another "
                            "hub)")
                    .arg(host),
                {}};
    case QNetworkReply::ConnectionRefusedError:
        return {Kind::NoNetwork, HubText::tr("%1 takes no connection: no hub is there").arg(host), {}};
    case QNetworkReply::ProxyConnectionRefusedError:
    case QNetworkReply::ProxyConnectionClosedError:
    case QNetworkReply::ProxyNotFoundError:
    case QNetworkReply::ProxyTimeoutError:
    case QNetworkReply::ProxyAuthenticationRequiredError:
        return {Kind::NoNetwork,
                HubText::tr("The proxy does not let through to %1: %2 (https_proxy names it)").arg(host, reason),
                {}};
    case QNetworkReply::OperationCanceledError:
    case QNetworkReply::TimeoutError:
        return {Kind::NoNetwork, HubText::tr("%1 is silent").arg(host), {}};
    default:
        return {Kind::NoNetwork, HubText::tr("No connection to %1: %2").arg(host, reason), {}};
    }
}

void HubRequest::fail(HubProblem problem) {
    if (m_reply) {
        m_reply->disconnect(this);
        m_reply->deleteLater(); // which ends the connection
        m_reply = nullptr;
    }
    // Whatever the hub or the system says: the token stands nowhere.
    const auto& token = m_connection.settings.token;
    if (!token.isEmpty())
        problem.text.replace(QString::fromLatin1(token), QStringLiteral("…"));
    Q_EMIT failed(problem);
}

} // namespace headlight
