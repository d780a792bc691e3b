#include "widgets/run_box.h"

#include "widgets/names.h"

#include <QSignalBlocker>

namespace headlight {

namespace {

QStringList namesOf(const Trace& trace, const Trace& other) {
    return {QStringLiteral("%1 · %2").arg(runName(trace, &other, false), shownModel(trace)),
            QStringLiteral("%1 · %2").arg(runName(trace, &other, true), shownModel(other))};
}

} // namespace

RunBox::RunBox(QWidget* parent) : ComboBox(parent) {
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
    setToolTip(tr("Of two runs, the one to show"));
    setAccessibleName(tr("Run"));
    hide();
    connect(this, &QComboBox::activated, this, [this](int run) {
        m_asked = run;
        m_askedOf = {itemText(0), itemText(1)};
    });
}

const TracePointer& RunBox::chosen(const TracePointer& trace, const TracePointer& other) const {
    return m_asked == 1 && trace && other && namesOf(*trace, *other) == m_askedOf ? other : trace;
}

const TracePointer& RunBox::unchosen(const TracePointer& trace, const TracePointer& other) const {
    return &chosen(trace, other) == &trace ? other : trace;
}

void RunBox::offer(const TracePointer& trace, const TracePointer& other) {
    const QSignalBlocker quiet(this);
    setVisible(trace && other);
    const auto names = trace && other ? namesOf(*trace, *other) : QStringList();
    if (m_askedOf.isEmpty() && m_asked)
        m_askedOf = names;
    else if (names != m_askedOf)
        m_asked.reset();
    if (names.isEmpty())
        return;
    if (itemText(0) != names[0] || itemText(1) != names[1]) {
        clear();
        addItems(names);
    }
    setCurrentIndex(m_asked.value_or(0));
}

void RunBox::ask(int run) {
    m_asked = run == 1 ? std::optional(1) : std::nullopt;
    m_askedOf.clear();
}

} // namespace headlight
