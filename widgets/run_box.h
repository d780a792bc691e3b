// Of two runs, the one that a view of single heads or tables shows.
#pragma once

#include "core/trace/trace.h"
#include "widgets/controls.h"

#include <optional>

namespace headlight {

/// "A · en-fr-additive", "B · en-fr-transformer"; gone while there is but one run. Until the user chooses, the view
/// does.
class RunBox : public ComboBox {
    Q_OBJECT
public:
    explicit RunBox(QWidget* parent = nullptr);

    /// The run that the user asked for; null when he did not, or there is no such run.
    const Trace* asked(const Trace* trace, const Trace* other) const;
    /// Names the runs, without a signal. @param shown the one on show
    void offer(const Trace* trace, const Trace* other, const Trace* shown);

private:
    std::optional<int> m_asked; ///< 0 or 1
};

} // namespace headlight
