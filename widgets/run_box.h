// Of two runs, the one that a view of single heads or tables shows.
#pragma once

#include "core/trace/trace.h"
#include "widgets/controls.h"

#include <QStringList>

#include <optional>

namespace headlight {

/// "A · en-fr-additive", "B · en-fr-transformer"; gone while there is but one run. Until the user chooses, the view
/// does; his choice is forgotten when the runs are of other models, or one is the other in full.
class RunBox : public ComboBox {
    Q_OBJECT
public:
    explicit RunBox(QWidget* parent = nullptr);

    /// The run that the user asked for; null when he did not, or there is no such run.
    const Trace* asked(const Trace* trace, const Trace* other) const;
    /// Names the runs, without a signal, and forgets a choice between others. @param shown the one on show
    void offer(const Trace* trace, const Trace* other, const Trace* shown);

private:
    std::optional<int> m_asked; ///< 0 or 1
    QStringList m_askedOf;      ///< names of the runs that it was a choice between
};

} // namespace headlight
