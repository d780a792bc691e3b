#include "app/export_menu.h"

#include "app/doors.h"
#include "widgets/figure_exporter.h"
#include "widgets/trace_view.h"

#include <QActionGroup>
#include <QClipboard>
#include <QDir>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMimeData>

#include <utility>

namespace headlight {

ExportMenu::ExportMenu(std::function<Subject()> subject, QWidget* parent)
    : QMenu(tr("Export"), parent), m_subject(std::move(subject)) {
    addAction(tr("Save &picture…"), QKeySequence(Qt::CTRL | Qt::Key_E), this, [this] { ask(false); });
    addAction(tr("Save &numbers…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_E), this, [this] { ask(true); });
    addAction(tr("&Copy picture"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C), this, &ExportMenu::copy);
    addSeparator();
    auto* scales = new QActionGroup(this);
    for (const int scale : {1, 2, 4}) {
        auto* action = addAction(tr("PNG at %1×").arg(scale), this, [this, scale] { m_scale = scale; });
        action->setCheckable(true);
        action->setChecked(scale == static_cast<int>(m_scale));
        scales->addAction(action);
    }
}

void ExportMenu::ask(bool numbers) {
    auto* dialog = new QFileDialog(parentWidget(), numbers ? tr("Save the numbers") : tr("Save the picture"),
                                   m_folder.isEmpty() ? QDir::homePath() : m_folder);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    const QList<std::pair<QString, QString>> kinds{{tr("PNG picture (*.png)"), QStringLiteral("png")},
                                                   {tr("SVG drawing (*.svg)"), QStringLiteral("svg")},
                                                   {tr("PDF page (*.pdf)"), QStringLiteral("pdf")},
                                                   {tr("CSV numbers (*.csv)"), QStringLiteral("csv")}};
    QStringList filters;
    for (const auto& kind : kinds)
        filters << kind.first;
    const auto setKind = [dialog, kinds](const QString& filter) {
        for (const auto& [name, ending] : kinds) {
            if (name == filter)
                dialog->setDefaultSuffix(ending);
        }
    };
    dialog->setNameFilters(filters);
    dialog->selectNameFilter(numbers ? filters.back() : filters.front());
    setKind(dialog->selectedNameFilter());
    dialog->selectFile(m_subject().view->objectName() + QLatin1Char('.') + dialog->defaultSuffix());
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QFileDialog::filterSelected, dialog, setKind);
    connect(dialog, &QFileDialog::fileSelected, this, &ExportMenu::save);
    Q_EMIT asks(dialog);
}

void ExportMenu::save(const QString& file) {
    m_folder = QFileInfo(file).absolutePath();
    const auto subject = m_subject();
    const auto problem = Doors::attempt(file, [&] {
        FigureExporter::save(*subject.view, std::filesystem::path(QFile::encodeName(file).toStdString()),
                             {.size = subject.view->figureArea().size(), .scale = m_scale, .title = subject.title});
    });
    if (!problem.isEmpty())
        return Q_EMIT failed(problem);
    Q_EMIT done(tr("Saved as %1").arg(QDir::toNativeSeparators(file)));
}

void ExportMenu::copy() {
    const auto subject = m_subject();
    const auto problem = Doors::attempt(tr("clipboard"), [&] {
        QGuiApplication::clipboard()->setMimeData(FigureExporter::mimeData(
            *subject.view, {.size = subject.view->figureArea().size(), .scale = m_scale, .title = subject.title}));
    });
    if (!problem.isEmpty())
        return Q_EMIT failed(problem);
    Q_EMIT done(tr("The picture is on the clipboard"));
}

} // namespace headlight
