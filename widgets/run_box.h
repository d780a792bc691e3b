// Of two runs, the one that a view of single heads or tables shows.
#pragma once

#include "core/trace/trace.h"
#include "widgets/controls.h"

#include <QStringList>

#include <optional>

namespace headlight {

/// "A · en-fr-additive", "B · en-fr-transformer"; gone while there is but one run. Until the user chooses it is A, for
/// B is never drawn unasked; his choice is forgotten when the runs are of other models, or one is the other in full.
class RunBox : public ComboBox {
    Q_OBJECT
public:
    explicit RunBox(QWidget* parent = nullptr);

    /// The run that the user asked for, otherwise A's; null without one.
    const TracePointer& chosen(const TracePointer& trace, const TracePointer& other) const;
    /// The one that is not.
    const TracePointer& unchosen(const TracePointer& trace, const TracePointer& other) const;
    /// Names the runs, without a signal, and forgets a choice between others.
    void offer(const TracePointer& trace, const TracePointer& other);
    /// 0 or 1, what the user asked for.
    int asked() const { return m_asked.value_or(0); }
    /// As if the user had, of the next two runs that are offered.
    void ask(int run);

private:
    std::optional<int> m_asked; ///< 0 or 1
    QStringList m_askedOf;      ///< names of the runs that it was a choice between
};

} // namespace headlight
