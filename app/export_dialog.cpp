#include "app/export_dialog.h"

#include "app/doors.h"
#include "app/views.h"
#include "core/error.h"
#include "widgets/controls.h"

#include <QCheckBox>
#include <QClipboard>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QGuiApplication>
#include <QImage>
#include <QLabel>
#include <QMimeData>
#include <QPushButton>
#include <QSignalBlocker>

#include <algorithm>
#include <cmath>
#include <utility>

namespace headlight {

namespace {

constexpr QSize previewSize(460, 400);
constexpr double pixelsPerMillimetre = 96 / 25.4;
constexpr auto untilPreview = std::chrono::milliseconds(120);

bool isPicture(const QString& format) {
    return format == QLatin1String("png") || format == QLatin1String("svg") || format == QLatin1String("pdf")
           || format == QLatin1String("html") || format == QLatin1String("gif")
           || format == ExportedView::framesFormat();
}

const ViewType& typeOnShow(const OnShow& shown) {
    const auto types = viewTypes();
    const auto found = std::find_if(types.begin(), types.end(), [&](const ViewType& type) {
        return shown.session.view == QLatin1String(type.name);
    });
    return found == types.end() ? types.front() : *found;
}

} // namespace

ExportDialog::ExportDialog(std::function<OnShow()> onShow, QString folder, QWidget* parent)
    : QDialog(parent), m_onShow(std::move(onShow)), m_folder(std::move(folder)), m_format(new ComboBox),
      m_width(new SpinBox), m_height(new SpinBox), m_unit(new ComboBox), m_dots(new SpinBox),
      m_labels(new DoubleSpinBox), m_look(new ComboBox), m_colors(new ComboBox),
      m_highlights(new QCheckBox(tr("what is locked"))), m_caption(new QCheckBox(tr("caption"))),
      m_legends(new QCheckBox(tr("colour bars"))), m_session(new QCheckBox(tr("session"))), m_preview(new QLabel),
      m_note(new QLabel) {
    setWindowTitle(tr("Export"));
    setObjectName(QStringLiteral("export"));
    const std::pair<QString, const char*> formats[] = {{tr("PNG picture"), "png"},
                                                       {tr("SVG drawing"), "svg"},
                                                       {tr("PDF page"), "pdf"},
                                                       {tr("GIF, of Playback all steps"), "gif"},
                                                       {tr("PNG of each step"), "frames"},
                                                       {tr("HTML page"), "html"},
                                                       {tr("CSV numbers"), "csv"},
                                                       {tr("JSON numbers"), "json"},
                                                       {tr("NumPy array"), "npy"},
                                                       {tr("LaTeX, pgfplots"), "tex"}};
    for (const auto& [name, ending] : formats)
        m_format->addItem(name, QLatin1String(ending));
    m_format->setObjectName(QStringLiteral("format"));
    for (auto* side : {m_width, m_height}) {
        side->setRange(0, 30'000);
        side->setKeyboardTracking(false);
        side->setSpecialValueText(tr("as on screen"));
    }
    m_width->setObjectName(QStringLiteral("width"));
    m_height->setObjectName(QStringLiteral("height"));
    m_unit->addItems({tr("pixels"), tr("millimetres")});
    m_unit->setToolTip(tr("A pixel of a drawing is 1/96 inch"));
    m_dots->setRange(24, 768);
    m_dots->setSuffix(tr(" dots per inch"));
    m_dots->setKeyboardTracking(false);
    m_dots->setObjectName(QStringLiteral("dots"));
    m_labels->setRange(1, 2);
    m_labels->setSingleStep(0.1);
    m_labels->setDecimals(1);
    m_labels->setSuffix(QStringLiteral("×"));
    m_look->addItems({tr("as on screen"), tr("light, on white"), tr("dark"), tr("transparent")});
    m_look->setObjectName(QStringLiteral("look"));
    m_colors->addItem(tr("as on screen"), QString());
    for (const auto& name : colorMapNames())
        m_colors->addItem(name == QLatin1String("grey") ? tr("grey, as in Bahdanau et al.") : name, name);
    m_caption->setToolTip(tr("Model, layer and head, and the sentence, below the picture"));
    m_highlights->setToolTip(tr("The query and key that were clicked on"));
    m_session->setToolTip(tr("Kept in a PNG or SVG: dropped on the window, it brings back what was on show, "
                             "texts, notes and paths of models included"));
    m_preview->setMinimumSize(previewSize);
    m_preview->setAlignment(Qt::AlignCenter);
    m_preview->setAccessibleName(tr("Preview"));
    m_preview->setObjectName(QStringLiteral("preview"));
    m_note->setTextFormat(Qt::PlainText);
    m_note->setProperty("note", true);
    m_note->setWordWrap(true);

    auto* size = new QHBoxLayout;
    size->addWidget(m_width);
    size->addWidget(new QLabel(QStringLiteral("×")));
    size->addWidget(m_height);
    auto* parts = new QVBoxLayout;
    for (auto* box : {m_highlights, m_legends, m_caption, m_session})
        parts->addWidget(box);
    auto* form = new QFormLayout;
    form->addRow(tr("&Format"), m_format);
    form->addRow(tr("Si&ze"), size);
    form->addRow(tr("&Unit"), m_unit);
    form->addRow(tr("&Resolution"), m_dots);
    form->addRow(tr("&Labels"), m_labels);
    form->addRow(tr("Loo&k"), m_look);
    form->addRow(tr("&Colours"), m_colors);
    form->addRow(tr("With"), parts);
    auto* left = new QVBoxLayout;
    left->addLayout(form);
    left->addStretch(1);
    auto* right = new QVBoxLayout;
    right->addWidget(m_preview, 1);
    right->addWidget(m_note);
    auto* upper = new QHBoxLayout;
    upper->addLayout(left);
    upper->addSpacing(12);
    upper->addLayout(right, 1);
    auto* buttons = new QHBoxLayout;
    const auto add = [&](const QString& text, const char* name, auto deed) {
        auto* button = new QPushButton(text);
        button->setObjectName(QLatin1String(name));
        button->setAutoDefault(false);
        connect(button, &QPushButton::clicked, this, deed);
        buttons->addWidget(button);
        return button;
    };
    add(tr("Export &all views…"), "all", &ExportDialog::askForFolder);
    buttons->addStretch(1);
    add(tr("Cop&y"), "copy", [this] {
        const auto problem = Doors::attempt(tr("clipboard"), [this] { copy(m_onShow()); });
        problem.isEmpty() ? done(tr("The picture is on the clipboard"), m_folder) : failed(problem);
    });
    add(tr("Close"), "close", &QDialog::close);
    auto* save = add(tr("&Save…"), "save", &ExportDialog::askForFile);
    save->setProperty("primary", true);
    save->setDefault(true);
    auto* column = new QVBoxLayout(this);
    column->addLayout(upper, 1);
    column->addLayout(buttons);

    for (auto* box : {m_format, m_look, m_colors})
        connect(box, &QComboBox::currentIndexChanged, this, &ExportDialog::choose);
    connect(m_unit, &QComboBox::currentIndexChanged, this, &ExportDialog::follow); // the same size in another
    for (auto* box : {m_width, m_height, m_dots})
        connect(box, &QSpinBox::valueChanged, this, &ExportDialog::choose);
    connect(m_labels, &QDoubleSpinBox::valueChanged, this, &ExportDialog::choose);
    for (auto* box : {m_highlights, m_caption, m_legends, m_session})
        connect(box, &QCheckBox::toggled, this, &ExportDialog::choose);
    m_previewSoon.setSingleShot(true);
    m_previewSoon.setInterval(untilPreview);
    connect(&m_previewSoon, &QTimer::timeout, this, &ExportDialog::showPreview);
    follow();
}

void ExportDialog::follow() {
    const auto choices = m_onShow().session.exported;
    std::vector<QSignalBlocker> quiet;
    for (auto* control : findChildren<QWidget*>())
        quiet.emplace_back(control);
    const double unit = m_unit->currentIndex() == 1 ? pixelsPerMillimetre : 1;
    m_format->setCurrentIndex(std::max(0, m_format->findData(choices.format)));
    m_width->setValue(static_cast<int>(std::lround(choices.width / unit)));
    m_height->setValue(static_cast<int>(std::lround(choices.height / unit)));
    m_dots->setValue(choices.dotsPerInch);
    m_labels->setValue(choices.labels);
    m_look->setCurrentIndex(static_cast<int>(choices.look));
    m_colors->setCurrentIndex(std::max(0, m_colors->findData(choices.colors)));
    m_highlights->setChecked(choices.highlights);
    m_caption->setChecked(choices.caption);
    m_legends->setChecked(choices.legends);
    m_session->setChecked(choices.session);
    const bool picture = isPicture(choices.format);
    for (QWidget* control : std::initializer_list<QWidget*>{m_width, m_height, m_unit, m_labels, m_look, m_colors,
                                                            m_highlights, m_caption, m_legends})
        control->setEnabled(picture);
    const bool frames = choices.format == ExportedView::framesFormat();
    m_dots->setEnabled(frames || choices.format == QLatin1String("png") || choices.format == QLatin1String("gif"));
    m_session->setEnabled(frames || choices.format == QLatin1String("png") || choices.format == QLatin1String("svg"));
    m_previewSoon.start();
}

void ExportDialog::choose() {
    const double unit = m_unit->currentIndex() == 1 ? pixelsPerMillimetre : 1;
    ExportChoices choices;
    choices.format = m_format->currentData().toString();
    choices.width = static_cast<int>(std::lround(m_width->value() * unit));
    choices.height = static_cast<int>(std::lround(m_height->value() * unit));
    choices.dotsPerInch = m_dots->value();
    choices.labels = m_labels->value();
    choices.look = static_cast<ExportChoices::Look>(m_look->currentIndex());
    choices.colors = m_colors->currentData().toString();
    choices.highlights = m_highlights->isChecked();
    choices.caption = m_caption->isChecked();
    choices.legends = m_legends->isChecked();
    choices.session = m_session->isChecked();
    Q_EMIT chosen(choices);
}

void ExportDialog::showPreview() {
    const auto shown = m_onShow();
    if (!shown.first)
        return m_preview->clear();
    ExportedView exported(shown, typeOnShow(shown));
    const auto size = exported.options().size;
    const auto problem = Doors::attempt({}, [&] {
        auto options = exported.options();
        options.session.clear();
        const double fit =
            std::min(previewSize.width() * 1.0 / size.width(), previewSize.height() * 1.0 / size.height());
        options.scale = std::clamp(fit * devicePixelRatioF(), 0.25, 8.0);
        auto picture = FigureExporter::image(exported.view(), options);
        picture = picture.scaled(previewSize * devicePixelRatioF(), Qt::KeepAspectRatio, Qt::SmoothTransformation);
        picture.setDevicePixelRatio(devicePixelRatioF());
        m_preview->setPixmap(QPixmap::fromImage(picture));
    });
    const double scale = exported.options().scale;
    const auto pixels =
        shown.session.exported.format == QLatin1String("png")
            ? tr(", %1 × %2 pixels").arg(std::lround(size.width() * scale)).arg(std::lround(size.height() * scale))
            : QString();
    m_note->setText(problem.isEmpty() ? tr("%1: %2 × %3 mm%4")
                                            .arg(exported.fileName())
                                            .arg(size.width() / pixelsPerMillimetre, 0, 'f', 0)
                                            .arg(size.height() / pixelsPerMillimetre, 0, 'f', 0)
                                            .arg(pixels)
                                      : problem);
}

void ExportDialog::askForFile() {
    const auto shown = m_onShow();
    if (!shown.first)
        return Q_EMIT failed(tr("There is nothing to save yet."));
    const ExportedView exported(shown, typeOnShow(shown));
    auto* dialog = new QFileDialog(parentWidget(), tr("Save as"), m_folder.isEmpty() ? QDir::homePath() : m_folder,
                                   QStringLiteral("*.%1").arg(QFileInfo(exported.fileName()).suffix()));
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QFileInfo(exported.fileName()).suffix());
    dialog->selectFile(exported.fileName());
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QFileDialog::fileSelected, this, &ExportDialog::save);
    Q_EMIT asks(dialog);
}

void ExportDialog::askForFolder() {
    auto* dialog =
        new QFileDialog(parentWidget(), tr("Save all views in"), m_folder.isEmpty() ? QDir::homePath() : m_folder);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    dialog->setWindowModality(Qt::WindowModal);
    connect(dialog, &QFileDialog::fileSelected, this, &ExportDialog::saveAll);
    Q_EMIT asks(dialog);
}

void ExportDialog::save(const QString& file) {
    const auto shown = m_onShow();
    const auto problem = Doors::attempt(file, [&] { ExportedView(shown, typeOnShow(shown)).save(file); });
    if (!problem.isEmpty())
        return Q_EMIT failed(problem);
    m_folder = QFileInfo(file).absolutePath();
    Q_EMIT done(tr("Saved as %1").arg(QDir::toNativeSeparators(file)), m_folder);
}

void ExportDialog::saveAll(const QString& folder) {
    const auto shown = m_onShow();
    if (!shown.first)
        return Q_EMIT failed(tr("There is nothing to save yet."));
    const bool picture = isPicture(shown.session.exported.format);
    int saved = 0;
    QStringList problems;
    for (const auto& type : viewTypes()) {
        ExportedView exported(shown, type);
        if (!exported.hasPicture() || (!picture && exported.view().numbers().rows.isEmpty()))
            continue; // such as a comparison of one model
        const auto file = QDir(folder).filePath(exported.fileName());
        const auto problem = Doors::attempt(file, [&] { exported.save(file); });
        problem.isEmpty() ? static_cast<void>(++saved) : problems.append(problem);
    }
    m_folder = folder;
    Q_EMIT done(tr("Saved %n view(s) in %1", nullptr, saved).arg(QDir::toNativeSeparators(folder)), m_folder);
    if (!problems.isEmpty())
        Q_EMIT failed(problems.join(QLatin1Char('\n')));
}

void ExportDialog::copy(const OnShow& shown) {
    if (!shown.first)
        throw Error(Error::Kind::Invalid, tr("clipboard").toStdString(),
                    tr("there is nothing to copy yet").toStdString());
    ExportedView exported(shown, typeOnShow(shown));
    QGuiApplication::clipboard()->setMimeData(FigureExporter::mimeData(exported.view(), exported.options()));
}

} // namespace headlight
