// The bar on top: which models, and which of their attention is on show.
#pragma once

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
    /// A name or folder as ModelCatalog::resolve takes it; empty: none.
    struct Models {
        QString a;
        QString b;
        friend bool operator==(const Models&, const Models&) = default;
    };

    /// @param selection must outlive the bar
    explicit TopBar(Selection* selection, QWidget* parent = nullptr);

    /// Appends a widget at the right end.
    void addAtEnd(QWidget* widget);

    /// The models to choose from, by name or folder, in this order.
    void setKnownModels(const QStringList& models);
    const QStringList& knownModels() const { return m_known; }
    /// Adds them to those known where they are not; says nothing.
    void setModels(const Models& models);
    const Models& models() const { return m_models; }
    /// Names a file whose run is on show in place of the models; empty: none is. Any choice of a model says so.
    void showFile(const QString& name);

    void setTrace(TracePointer trace, TracePointer other);
    /// While the view on show draws cross-attention alone, that is the kind; afterwards again the one before.
    void setCrossOnly(bool only);
    /// To the layers or heads before (-1) and after (+1) those on show.
    void stepLayer(int step);
    void stepHead(int step);

    QSize minimumSizeHint() const override;

Q_SIGNALS:
    /// The user chose other models.
    void modelsChosen();
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

    Selection* m_selection;
    TracePointer m_trace;
    TracePointer m_other;
    QStringList m_known;
    Models m_models;
    QString m_file; ///< on show; empty: none
    bool m_crossOnly = false;
    BlockKind m_kindElsewhere = BlockKind::Cross; ///< in views of any kind
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
