// What a model is called on the hub.
#pragma once

#include <QString>

#include <optional>

namespace headlight {

struct HubName {
    QString id;       ///< `org/name`, or `name`
    QString revision; ///< a branch, tag or commit

    /// From `name`, `org/name`, either with `@revision`, or the address of a page of the model, as people copy it.
    /// @param why when it is none, gets the reason
    static std::optional<HubName> parse(const QString& text, QString* why = nullptr);
    /// As parse() takes it; `@main` is left out.
    QString text() const;

    friend bool operator==(const HubName&, const HubName&) = default;
};

} // namespace headlight
