// Token to token: who looks at whom, as lines.
#pragma once

#include "widgets/figure_view.h"

#include <QSet>
#include <QStringList>

#include <memory>
#include <vector>

class QCheckBox;
class QComboBox;
class QSpinBox;

namespace headlight {

class RunBox;

/// Tokens that look on the left, tokens that are looked at on the right, a colour for each head: of those that were
/// collected, otherwise of the chosen layer; or the chosen one alone. A token under the pointer shows its own lines, a
/// click keeps them. A click on a head's name hides or shows it, a double click shows it alone.
class LinesView : public FigureView {
    Q_OBJECT
public:
    explicit LinesView(QWidget* parent = nullptr);

    void setSelection(Selection* selection) override;

protected:
    std::vector<Panel> build() override;
    bool clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers modifiers) override;
    bool doubleClicked(const Panel& panel, const Lit& place) override;
    QString emptyText() const override;

private:
    /// Which heads are to have lines, with their names; a mean or a rollout counts as one.
    struct Source {
        struct Named {
            QString name;
            std::shared_ptr<const ShownMap> shown;
        };
        QString name;
        std::vector<Named> heads; ///< empty while they are worked out
    };
    Source headsOf(const TracePointer& run, BlockKind kind) const;
    /// Takes over what the Selection and the trace say, so that controls show what is drawn.
    void followControls(const Trace& run, BlockKind kind, const Source& source);
    /// True when of those listed this one alone is shown.
    bool isAlone(const QString& head) const;
    void toggle(const QString& head);
    void isolate(const QString& head);

    RunBox* m_run;
    QComboBox* m_which;
    QSpinBox* m_share;
    QComboBox* m_texts;
    QCheckBox* m_change = nullptr;
    QStringList m_listed;   ///< names of the heads on show, hidden or not
    QSet<QString> m_hidden; ///< names; those of a layer's heads are the same in each
};

} // namespace headlight
