#include "app/doors.h"

#include "app/help_text.h"
#include "app/session.h"
#include "app/workbench.h"
#include "core/trace/trace_file.h"
#include "widgets/figure_exporter.h"

#include <QDialog>
#include <QDialogButtonBox>
#include <QDropEvent>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QMimeData>
#include <QUrl>
#include <QVBoxLayout>

#include <exception>

namespace headlight {

namespace {

/// The file or folder that was dropped; empty when it is nothing on this disk.
QString dropped(const QMimeData& data) {
    const auto urls = data.urls();
    if (urls.size() != 1 || !urls.front().isLocalFile())
        return {};
    const QFileInfo file(urls.front().toLocalFile());
    return file.exists() ? file.absoluteFilePath() : QString();
}

} // namespace

Doors::Doors(QWidget& window, Workbench& workbench) : QObject(&window), m_window(window), m_workbench(workbench) {
    window.setAcceptDrops(true);
    window.installEventFilter(this);
}

QString Doors::attempt(const QString& path, const std::function<void()>& deed) {
    try {
        deed();
        return {};
    } catch (const Error& error) {
        return QString::fromUtf8(error.what());
    } catch (const std::exception& error) { // which knows no file
        return tr("%1: %2").arg(path, QString::fromUtf8(error.what()));
    }
}

void Doors::open(const QString& path, bool first) {
    const auto problem = attempt(path, [&] {
        const std::filesystem::path file(QFile::encodeName(path).toStdString());
        if (Session::isIn(path)) {
            Q_EMIT sessionOpened(Session::load(file), path);
            return;
        }
        for (const auto* ending : {".png", ".svg"}) {
            if (path.endsWith(QLatin1String(ending), Qt::CaseInsensitive)) {
                const auto kept = FigureExporter::sessionIn(file).toStdString();
                Q_EMIT sessionOpened(Session::read(kept, file.string()), path);
                return;
            }
        }
        if (isTraceFile(file))
            return m_workbench.openTrace(path);
        for (const auto* ending : {".tsv", ".txt"}) {
            if (path.endsWith(QLatin1String(ending), Qt::CaseInsensitive)) {
                Q_EMIT goldOpened(readGoldAlignments(file), path);
                return;
            }
        }
        const auto folder = QFile::decodeName(ModelCatalog::resolve(path).c_str());
        const auto& models = m_workbench.models();
        m_workbench.choose(first ? Models{folder, models.b} : Models{models.a, folder});
    });
    if (!problem.isEmpty())
        Q_EMIT failed(problem);
}

void Doors::askForFolder(bool first, const QString& from) {
    auto* dialog = new QFileDialog(&m_window, tr("Open a model folder"), from);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QFileDialog::fileSelected, this, [this, first](const QString& folder) { open(folder, first); });
    present(dialog);
}

void Doors::askForSession(const QString& from) {
    askForFile(tr("Open a session"), tr("Sessions and pictures that hold one (*.headlight *.png *.svg);;All files (*)"),
               from);
}

void Doors::askForTrace(const QString& from) {
    askForFile(tr("Open a trace"), tr("Traces (*.safetensors);;All files (*)"), from);
}

void Doors::askForGold(const QString& from) {
    askForFile(tr("Open gold alignments"), tr("Gold alignments (*.tsv *.txt);;All files (*)"), from);
}

void Doors::askForFile(const QString& title, const QString& kinds, const QString& from) {
    auto* dialog = new QFileDialog(&m_window, title, from, kinds);
    dialog->setFileMode(QFileDialog::ExistingFile);
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) { open(file, true); });
    present(dialog);
}

bool Doors::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() != QEvent::DragEnter && event->type() != QEvent::Drop)
        return QObject::eventFilter(watched, event);
    auto& drop = *static_cast<QDropEvent*>(event); // who takes one that enters gets it when it is let go
    const auto path = dropped(*drop.mimeData());
    if (path.isEmpty())
        return false;
    drop.acceptProposedAction();
    if (event->type() == QEvent::Drop)
        open(path, true);
    return true;
}

void present(QDialog* dialog) {
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setStyleSheet(QStringLiteral("QToolButton { padding: 3px; }")); // a file dialog's are icons
    dialog->show();
    // Which a window of its own does not inherit, nor keep before it is styled.
    dialog->setPalette(dialog->parentWidget()->palette());
}

void presentPage(QWidget& window, const QString& title, const QString& richText) {
    auto* dialog = new QDialog(&window);
    dialog->setWindowTitle(title);
    auto* page = new HelpPage(richText);
    page->setFrameShape(QFrame::NoFrame);
    page->setAccessibleName(title);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::close);
    auto* column = new QVBoxLayout(dialog);
    column->addWidget(page);
    column->addWidget(buttons);
    dialog->resize(QSize(620, 640).boundedTo(window.size()));
    present(dialog);
}

} // namespace headlight
