#include "app/hub/hub_settings.h"

#include "app/hub/hub_problem.h"
#include "core/error.h"
#include "core/files/hub.h"
#include "core/files/whole_file.h"

#include <QFile>

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace headlight {

namespace {

constexpr std::uintmax_t longestToken = 4096;

QByteArray firstSet(std::initializer_list<const char*> names) {
    for (const auto* name : names)
        if (const auto value = qgetenv(name).trimmed(); !value.isEmpty())
            return value;
    return {};
}

bool isYes(const char* name) {
    const auto value = qgetenv(name).trimmed().toUpper();
    return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

std::filesystem::path pathFrom(const QByteArray& value) {
    auto path = value;
    if (path == "~" || path.startsWith("~/"))
        path = qgetenv("HOME") + path.mid(1);
    return path.toStdString();
}

/// Beside the cache's own default, whatever that is.
std::filesystem::path tokenPlace() {
    if (const auto chosen = firstSet({"HF_TOKEN_PATH"}); !chosen.isEmpty())
        return pathFrom(chosen);
    if (const auto home = firstSet({"HF_HOME"}); !home.isEmpty())
        return pathFrom(home) / "token";
    if (const auto caches = firstSet({"XDG_CACHE_HOME"}); !caches.isEmpty())
        return pathFrom(caches) / "huggingface" / "token";
    return pathFrom("~/.cache") / "huggingface" / "token";
}

QByteArray tokenIn(const std::filesystem::path& file) {
    try {
        return QByteArray::fromStdString(readWholeFile(file, longestToken));
    } catch (const Error&) { // as if there were none; the hub says when one is needed
        return {};
    }
}

} // namespace

HubSettings HubSettings::fromEnvironment() {
    HubSettings settings;
    const auto endpoint = firstSet({"HF_ENDPOINT"});
    settings.setEndpoint(endpoint.isEmpty() ? QStringLiteral("https://huggingface.co") : QString::fromUtf8(endpoint));
    settings.cache = hubCache();
    settings.tokenFile = tokenPlace();
    const auto token = firstSet({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"});
    settings.token = checkedToken(token.isEmpty() ? tokenIn(settings.tokenFile) : token);
    settings.offline = isYes("HF_HUB_OFFLINE") || isYes("TRANSFORMERS_OFFLINE");
    return settings;
}

void HubSettings::setEndpoint(const QString& address) {
    auto text = address.trimmed();
    while (text.endsWith(QLatin1Char('/')))
        text.chop(1);
    endpoint = QUrl(text, QUrl::StrictMode);
    const auto scheme = endpoint.scheme();
    if (!endpoint.isValid() || endpoint.host().isEmpty() || endpoint.hasQuery() || endpoint.hasFragment()
        || (scheme != QLatin1String("https") && scheme != QLatin1String("http")))
        throw HubFailure({HubProblem::Kind::Other,
                          HubText::tr("\"%1\" is no address of a hub; give one such as https://huggingface.co, with "
                                      "--endpoint or HF_ENDPOINT.")
                              .arg(text.left(200)),
                          {}});
}

bool HubSettings::ownsToken(const QUrl& address) const {
    const auto port = [](const QUrl& url) { return url.port(url.scheme() == QLatin1String("https") ? 443 : 80); };
    return address.scheme() == endpoint.scheme() && address.host() == endpoint.host()
           && port(address) == port(endpoint);
}

void HubSettings::keepToken() const {
    makeFolders(tokenFile.parent_path());
    const auto beside = tokenFile.parent_path() / (".headlight-token-" + std::to_string(::getpid()));
    const auto fail = [&](int number) {
        ::unlink(beside.c_str());
        throw Error(Error::Kind::Unreadable, tokenFile.string(),
                    "cannot be written: " + std::generic_category().message(number));
    };
    ::unlink(beside.c_str());
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0)
        fail(errno);
    const auto size = static_cast<std::size_t>(token.size());
    const bool written = ::write(file, token.constData(), size) == static_cast<ssize_t>(size) && ::fsync(file) == 0;
    const int number = errno;
    ::close(file);
    if (!written)
        fail(number);
    if (::rename(beside.c_str(), tokenFile.c_str()) != 0)
        fail(errno);
}

QByteArray checkedToken(const QByteArray& token) {
    const auto trimmed = token.trimmed();
    if (std::any_of(trimmed.begin(), trimmed.end(), [](char sign) { return sign <= ' ' || sign > '~'; }))
        throw HubFailure({HubProblem::Kind::TokenWrong,
                          HubText::tr("The token has signs that no token has; copy it once more, or unset HF_TOKEN."),
                          {}});
    return trimmed;
}

} // namespace headlight
