// The bar on top: which models, and which of their attention is on show.
#pragma once

#include "app/model_catalog.h"
#include "app/view_needs.h"
#include "widgets/selection.h"

#include <QList>
#include <QString>
#include <QStringList>
#include <QWidget>

class QComboBox;
class QHBoxLayout;
class QLabel;
class QSpinBox;

namespace headlight {

/// Says what was chosen; the shared Selection holds what of the attention is on show. Its ranges follow the runs.
class TopBar : public QWidget {
    Q_OBJECT
public:
    /// @param selection must outlive the bar
    explicit TopBar(Selection* selection, QWidget* parent = nullptr);

    /// Appends a widget at the right end.
    void addAtEnd(QWidget* widget);

    /// The models to choose from, by name or folder, in this order.
    void setKnownModels(const QStringList& models);
    const QStringList& knownModels() const { return m_known; }
    /// Lists them behind those known where they are not; says nothing.
    void setModels(const Models& models);
    const Models& models() const { return m_models; }
    /// Names a file whose run is on show in place of the models; empty: none is. Any choice of a model says so.
    void showFile(const QString& name);

    /// Where A's run has none of the kind on show, the kind becomes one that it has.
    void setTrace(TracePointer trace, TracePointer other);
    /// Of the view on show. While it draws cross-attention whatever kind is chosen, the choice is not open, and layer
    /// and head count those of cross-attention. What is chosen stays.
    void setNeeds(const ViewNeeds& needs);
    /// To the layers or heads before (-1) and after (+1) those on show.
    void stepLayer(int step);
    void stepHead(int step);

    QSize minimumSizeHint() const override;

Q_SIGNALS:
    /// The user chose these models.
    void modelsChosen(const headlight::Models& models);
    /// The user wants a folder that is not in the list, as model A or as B.
    void folderWanted(bool first);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    QLabel* addLabel(const QString& text, QWidget* buddy);
    QComboBox* addCombo(const QString& name, const QString& help, int letters);
    void addCombo(QComboBox* combo, const QString& name, int letters);
    QSpinBox* addSpin(const QString& name, const QString& prefix);
    void fillModels();
    void chooseModels();
    void showHead();
    void fitLabels();
    void goTo(int layer, int head);
    HeadPlace placeOnShow() const;
    /// That the view on show draws.
    BlockKind kindOnShow() const;
    /// The run whose heads are counted: A's, or B's where the view on show draws it and it has more.
    const TracePointer& countedRun() const;

    Selection* m_selection;
    TracePointer m_trace;
    TracePointer m_other;
    QStringList m_known;
    Models m_models;
    QString m_file;    ///< on show; empty: none
    ViewNeeds m_needs; ///< of the view on show
    QHBoxLayout* m_layout;
    QList<QLabel*> m_labels; ///< that go where there is no room
    QComboBox* m_modelA;
    QComboBox* m_modelB;
    QComboBox* m_kind;
    QComboBox* m_mode;
    QSpinBox* m_layer;
    QSpinBox* m_head;
    QComboBox* m_reading;
};

/// How a model is called in lists: a bundled one by its name, a folder by its last part.
QString modelTitle(const QString& nameOrFolder);

} // namespace headlight
