// Pictures without a window on screen: one view, or the whole window, drawn into a file.
#pragma once

#include "core/trace/trace.h"
#include "widgets/appearance.h"

#include <QSize>
#include <QString>
#include <QStringList>

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

namespace headlight {

/// What to draw, and where to. Models are names or folders, as ModelCatalog::resolve takes them.
struct RenderOptions {
    QString modelA;
    QString modelB; ///< empty: none
    QString source;
    std::filesystem::path trace; ///< a file with a run to draw instead of a model's; empty: none
    int beam = 1;
    std::vector<Intervention::HeadOff> off;
    bool words = false;            ///< words instead of tokens
    bool specials = true;          ///< special tokens, too
    bool ownRange = false;         ///< colours to what is strong in each map
    bool change = false;           ///< what the heads that are off changed, not the weights
    std::optional<QString> target; ///< absent: model A's own translation
    QString view = QStringLiteral("alignment");
    std::optional<BlockKind> kind;            ///< absent: cross-attention, else what the model has
    std::optional<int> layer;                 ///< absent: what the view shows unasked
    std::optional<std::pair<int, int>> point; ///< query and key to light, as a click on their cell does
    std::optional<int> page;                  ///< of Positions, counted as PositionsView::Page
    std::optional<int> step;                  ///< of Playback
    std::optional<int> head;                  ///< absent while `layer` is given: the mean of that layer's heads
    Theme theme = Theme::Light;
    std::optional<ColorMap> map; ///< absent: the theme's own
    std::optional<double> scale; ///< absent: 2, and 1 for the window
    QString tab;                 ///< of the window: the view on show; empty: comparing where there are two models
    bool evenNothing = false;    ///< draws a picture, too, that only says why it is empty
    QSize size;                  ///< logical pixels; empty: what suits the view
    std::filesystem::path file;  ///< .png, .svg, .pdf or .csv; the window: .png
};

/// What was done, for the command line to say.
struct RenderReport {
    QStringList files;
    QStringList notices; ///< of the runs: text cut and the like
};

/// The words of --view.
QStringList renderableViews();

/// Draws one picture. Needs a QApplication, on any platform.
/// @throws Error when a model cannot be run, has no such head, or the file cannot be written
RenderReport render(const RenderOptions& options);

/// Draws all that the program can draw of one sentence into a folder, which is made if need be. Empty parts of
/// `options` are the two bundled models and the first example.
RenderReport renderDemo(const RenderOptions& options, const std::filesystem::path& folder);

} // namespace headlight
