// What can be said of a model on the hub before it is fetched: whether it opens, and what it takes to run.
#pragma once

#include "app/hub/hub_client.h"

#include <QString>
#include <QStringList>

#include <optional>

namespace headlight {

struct ModelOutlook {
    QString family;     ///< model_type of config.json
    bool opens = false; ///< there is a family for it
    QString refusal;    ///< why it does not
    bool tokenizer = false;
    qint64 memory = 0;    ///< bytes that its weights take when it runs, about
    QStringList warnings; ///< what may be in the way

    QString familyLine() const;
    /// All of it, a line for each.
    QStringList lines() const;
};

ModelOutlook outlookOf(const HubPlan& plan);
/// Of a configuration alone: family, opens and refusal.
ModelOutlook outlookOf(const QByteArray& config, const QString& name);
/// As HubClient::Check: keeps from fetching what would not open.
std::optional<HubProblem> requireOpening(const HubPlan& plan);

/// " · 12 MB/s · 3 min left", as far as it is known.
QString progressInWords(const HubProgress& progress);

} // namespace headlight
