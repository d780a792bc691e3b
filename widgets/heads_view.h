// Every head of the chosen kind of attention as a small map.
#pragma once

#include "widgets/derived.h"
#include "widgets/figure_view.h"

#include <memory>
#include <optional>
#include <vector>

class QCheckBox;
class QMenu;
class QToolButton;

namespace headlight {

class ComboBox;
class RunBox;

/// Layers down, heads across, all on one scale from 0 to 1, so that a pale
/// map is a broad head; or sorted by what they do, or only those of a kind. A click chooses one, a double click or
/// Return opens it, Ctrl and a click, or C,
/// collects it to be seen with others, X switches it off; where the model ran with heads off, beside a run in full,
/// maps can be what that changed.
class HeadsView : public FigureView {
    Q_OBJECT
public:
    explicit HeadsView(QWidget* parent = nullptr);

    void setSelection(Selection* selection) override;

protected:
    std::vector<Panel> build() override;
    bool clicked(const Panel& panel, const Lit& place, Qt::KeyboardModifiers modifiers) override;
    bool doubleClicked(const Panel& panel, const Lit& place) override;
    QString emptyText() const override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    /// What is drawn and said of each head, layer by layer.
    struct Heads {
        BlockKind kind = BlockKind::Encoder;
        bool change = false; ///< maps are differences
        std::shared_ptr<const Derived::Tiles> tiles;
        std::shared_ptr<const Derived::Measures> measures; ///< null while they are worked out
    };
    void followControls(const Heads& heads, const Trace& run);
    /// The heads that pass the filter, sorted: places in Heads.
    std::vector<int> listed(const Heads& heads, const Trace& run) const;
    static float valueOf(const Heads& heads, int head, int sorting);
    static QString captionOf(const Heads& heads, int head, int sorting);
    QString noteOf(const Trace& run, BlockKind kind) const;
    const TracePointer& run() const;
    /// The head that keys and menus are about: the one that is pointed at, otherwise the one on show.
    std::optional<HeadPlace> target() const;
    /// True when heads of this kind are on show and are A's: those are what the Selection switches.
    bool canSwitch(BlockKind kind) const;
    void switchHeads(BlockKind kind, const std::vector<HeadPlace>& heads, bool off);
    void fillMenu(QMenu& menu);

    RunBox* m_run;
    ComboBox* m_sorting;
    QToolButton* m_backwards;
    ComboBox* m_filter;
    QToolButton* m_off;
    QCheckBox* m_change = nullptr;
};

} // namespace headlight
