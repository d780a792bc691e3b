// Where the hub is, where its cache is, and who asks: the environment of huggingface_hub.
#pragma once

#include <QByteArray>
#include <QUrl>

#include <filesystem>

namespace headlight {

struct HubSettings {
    QUrl endpoint; ///< without a slash at its end
    std::filesystem::path cache;
    std::filesystem::path tokenFile; ///< where a token is kept
    QByteArray token;                ///< empty: nobody is named. It is shown nowhere.
    bool offline = false;            ///< ask nothing

    /// HF_ENDPOINT, HF_HUB_CACHE and the like, HF_HUB_OFFLINE, HF_TOKEN else the file that HF_TOKEN_PATH names.
    /// @throws HubFailure for an endpoint or a token that cannot be one
    static HubSettings fromEnvironment();

    /// @throws HubFailure when it is no address of http or https
    void setEndpoint(const QString& address);
    /// True for addresses that the token may be sent to: the endpoint's scheme, host and port.
    bool ownsToken(const QUrl& address) const;
    /// Keeps the token where huggingface_hub keeps it, readable to its owner alone.
    /// @throws Error when it cannot be written
    void keepToken() const;
};

/// A token as it was typed or read, without space around it.
/// @throws HubFailure when it has signs that none has
QByteArray checkedToken(const QByteArray& token);

} // namespace headlight
