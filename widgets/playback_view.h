// The decoder, step by step: what it gives out, where it looks meanwhile, and what would come of another choice.
#pragma once

#include "widgets/figure_view.h"

#include <QTimer>

class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSlider;
class QToolButton;

namespace headlight {

/// Plays what model A's decoder did. Left and Right step, Space plays, Up and Down walk over candidates, source tokens
/// and hypotheses (Ctrl+Up and Down from one list to the next), Return chooses.
class PlaybackView : public FigureView {
    Q_OBJECT
public:
    explicit PlaybackView(QWidget* parent = nullptr);

    void setTrace(TracePointer trace, TracePointer other) override;

    int frames() const override;
    void showFrame(int frame) override;

    int step() const { return m_step; }
    int steps() const;
    /// Shows this step, as near as there is one.
    void goTo(int step);
    bool playing() const { return m_clock.isActive(); }
    void togglePlaying();

Q_SIGNALS:
    /// At a step another token is to be given out: decoding goes on from there.
    void candidateChosen(int step, qint64 id);
    /// A step's attention is to rest on a source token, or on none in particular (-1).
    void attentionForced(int step, int key);
    /// A hypothesis of the beam is to be seen: the tokens that it gave out.
    void hypothesisChosen(const QList<qint64>& emitted, bool finished);
    /// Everything is to be as the model does it.
    void ownRunWanted();

protected:
    std::vector<Panel> build() override;
    QString emptyText() const override;
    bool clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers modifiers) override;
    void keyPressEvent(QKeyEvent* event) override;
    bool takesFromControls(const QKeyEvent& event) const override;
    void hideEvent(QHideEvent* event) override;

private:
    void showState();
    StepPanel stepPanel() const;
    /// What the model in full predicts at this step, where it has taken in the same tokens; else null.
    const Prediction* predictionInFull() const;
    BarPanel candidatesPanel() const;
    TreePanel treePanel() const;
    BlockKind kind() const;
    int firstStep() const;

    int m_step = 0;
    std::vector<BeamNode> m_beam; ///< of the search whose hypotheses are looked at, which a forced run does not have
    QTimer m_clock;
    QToolButton* m_play;
    QSlider* m_slider;
    QDoubleSpinBox* m_speed;
    QLabel* m_count;
    QPushButton* m_own;
};

} // namespace headlight
