#include "widgets/run_box.h"

#include <QSignalBlocker>

namespace headlight {

RunBox::RunBox(QWidget* parent) : ComboBox(parent) {
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
    setToolTip(tr("Of two models, the one to show"));
    setAccessibleName(tr("Model"));
    hide();
    connect(this, &QComboBox::activated, this, [this](int run) { m_asked = run; });
}

const Trace* RunBox::asked(const Trace* trace, const Trace* other) const {
    return !m_asked || !other ? nullptr : *m_asked == 0 ? trace : other;
}

void RunBox::offer(const Trace* trace, const Trace* other, const Trace* shown) {
    const QSignalBlocker quiet(this);
    setVisible(trace && other);
    if (!trace || !other)
        return;
    const QString names[] = {QStringLiteral("A · %1").arg(QString::fromStdString(trace->model)),
                             QStringLiteral("B · %1").arg(QString::fromStdString(other->model))};
    if (itemText(0) != names[0] || itemText(1) != names[1]) {
        clear();
        addItems({names[0], names[1]});
    }
    setCurrentIndex(shown == other ? 1 : 0);
}

} // namespace headlight
