#include "app/status_line.h"

#include "app/workbench.h"
#include "widgets/plain_text.h"

#include <QLabel>

#include <algorithm>

namespace headlight {

namespace {

constexpr int longEnough = 8000; ///< milliseconds to read a line in

QString milliseconds(double time) {
    return StatusLine::tr("%1 ms").arg(time, 0, 'f', 1);
}

QString blasName(const ComputeInfo& compute) {
    const auto file = QString::fromStdString(compute.blas);
    // Debian's libblas.so.3 may be any; only OpenBLAS says which kernels it took.
    if (file.contains(QLatin1String("openblas"), Qt::CaseInsensitive) || file.endsWith(QLatin1Char(')')))
        return QStringLiteral("OpenBLAS");
    if (file.contains(QLatin1String("mkl"), Qt::CaseInsensitive))
        return QStringLiteral("MKL");
    return file.isEmpty() ? StatusLine::tr("no BLAS found") : file;
}

QLabel* machineLabel() {
    auto* label = new QLabel;
    label->setTextFormat(Qt::PlainText);
    const auto compute = Engine::compute();
    QStringList parts{StatusLine::tr("CPU"),
                      compute.threads == 1 ? StatusLine::tr("1 thread")
                                           : StatusLine::tr("%1 threads").arg(compute.threads),
                      blasName(compute)};
    const auto blas = QString::fromStdString(compute.blas);
    label->setToolTip(toolTipOf({blas}));
    if (compute.slowBlas) {
        parts << StatusLine::tr("⚠ slow");
        label->setToolTip(toolTipOf(
            {StatusLine::tr("%1: models run many times slower than with OpenBLAS (package libopenblas0-openmp)")
                 .arg(blas)}));
    }
    label->setText(parts.join(QStringLiteral(" · ")));
    return label;
}

} // namespace

StatusLine::StatusLine(const Workbench& workbench, QWidget* parent)
    : QStatusBar(parent), m_workbench(workbench), m_timings(new QLabel) {
    m_timings->setTextFormat(Qt::PlainText);
    m_timings->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred); // never what makes the window wide
    m_timings->setAccessibleName(tr("Timings"));
    m_timings->setObjectName(QStringLiteral("timings"));
    setSizeGripEnabled(false);
    setContentsMargins(10, 0, 10, 0);
    addWidget(m_timings, 1);
    addPermanentWidget(machineLabel());
}

void StatusLine::tell(double drawMilliseconds) {
    const auto& first = m_workbench.first();
    const auto draw = tr("draw %1").arg(milliseconds(drawMilliseconds));
    QStringList parts;
    if (m_workbench.failed()) {
        parts << (first ? tr("not run  (the picture is of before)") : tr("not run"));
    } else if (!first) {
        if (m_workbench.busy())
            parts << tr("opening the models…");
    } else if (m_workbench.stale()) {
        parts << tr("running…  (the picture is of the text before)");
    } else if (!m_workbench.traceFile().isEmpty()) {
        parts << tr("from a file") << draw;
    } else {
        const auto rows = first->emitted.size();
        parts << (rows == 0 || first->source.empty()
                      ? tr("%1 tokens").arg(std::max(first->source.size(), rows))
                      : tr("%1 source · %2 target tokens").arg(first->source.size()).arg(rows))
              << tr("tokenize %1").arg(milliseconds(first->timings.tokenize))
              << tr("A %1").arg(milliseconds(first->timings.model));
        if (const auto& second = m_workbench.second())
            parts << tr("B %1").arg(milliseconds(second->timings.model));
        else if (m_workbench.secondPending())
            parts << tr("B is running…");
        parts << draw;
    }
    m_timings->setText(parts.join(QStringLiteral("  ·  ")));
}

void StatusLine::remark(const QString& text) {
    showMessage(text, longEnough);
}

} // namespace headlight
