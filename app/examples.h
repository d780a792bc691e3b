// Sentences to try, for the model that is open.
#pragma once

#include "core/request.h"

#include <QList>
#include <QString>
#include <QStringList>
#include <QWidget>

class QLabel;
class QListWidget;

namespace headlight {

struct Example {
    QString text;
    QString look;       ///< what there is to see in it
    QString purpose;    ///< "translation", "masked", "causal", "classification" or "encoder": of what kind of model
    QStringList models; ///< names of the models that `look` speaks of; empty: of any of that kind
};

/// Those that come with the program.
QList<Example> examples();
/// Those for a model: that speak of it, or where none does, of its kind.
QList<Example> examplesFor(const ModelInfo& model);
/// Of what kind a model is, in the words of Example::purpose.
QString purposeOf(const ModelInfo& model);

/// The list of them, and what there is to see in the one that is typed.
class ExampleList : public QWidget {
    Q_OBJECT
public:
    explicit ExampleList(QWidget* parent = nullptr);

    void setModel(const ModelInfo& model);
    /// What is typed, which may be one of them.
    void setTyped(const QString& text);

Q_SIGNALS:
    void chosen(const QString& text);

private:
    QList<Example> m_examples; ///< for the model that A is
    QString m_typed;
    QListWidget* m_list;
    QLabel* m_look;
};

} // namespace headlight
