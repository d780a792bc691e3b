// What is on show, into a file or several: how large, in which colours, with what around it; and how that will look.
#pragma once

#include "app/exported_view.h"

#include <QDialog>
#include <QTimer>

#include <functional>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSpinBox;

namespace headlight {

/// Shows no messages; it says what came of it. What it draws is asked for when it draws.
class ExportDialog : public QDialog {
    Q_OBJECT
public:
    ExportDialog(std::function<OnShow()> onShow, QString folder, QWidget* parent);

    /// What is on show, or how it is to be saved, is another now.
    void follow();

    /// Puts what is on show on the clipboard.
    /// @throws Error
    static void copy(const OnShow& shown);

Q_SIGNALS:
    /// The user wants it so.
    void chosen(const headlight::ExportChoices& choices);
    /// A dialog to be shown; it needs no further care.
    void asks(QDialog* dialog);
    void done(const QString& message, const QString& folder);
    void failed(const QString& why);

private:
    void choose();
    void showPreview();
    void askForFile();
    void askForFolder();
    void save(const QString& file);
    void saveAll(const QString& folder);

    std::function<OnShow()> m_onShow;
    QString m_folder;
    QComboBox* m_format;
    QSpinBox* m_width;
    QSpinBox* m_height;
    QComboBox* m_unit;
    QSpinBox* m_dots;
    QDoubleSpinBox* m_labels;
    QComboBox* m_look;
    QComboBox* m_colors;
    QCheckBox* m_highlights;
    QCheckBox* m_caption;
    QCheckBox* m_legends;
    QCheckBox* m_session;
    QLabel* m_preview;
    QLabel* m_note;
    QTimer m_previewSoon;
};

} // namespace headlight
