// Pictures without a window on screen: one view, or the whole window, drawn into a file.
#pragma once

#include "app/session.h"
#include "widgets/appearance.h"

#include <QSize>
#include <QString>
#include <QStringList>

#include <filesystem>
#include <optional>
#include <utility>

namespace headlight {

/// What to draw, and where to.
struct RenderOptions {
    Session session;     ///< of which what follows says more
    bool window = false; ///< the window around it, too
    // What must be there, or it is an error.
    std::optional<BlockKind> kind;            ///< absent: the session's, else what the model has
    std::optional<int> layer;                 ///< absent: as the session says
    std::optional<int> head;                  ///< absent while `layer` is given: the mean of that layer's heads
    std::optional<HeadMode> mode;             ///< of what is drawn as one map, `layer` being its layer
    std::optional<std::pair<int, int>> point; ///< query and key to light, as a click on their cell does
    std::optional<int> step;                  ///< of Playback
    Theme theme = Theme::Light;
    std::optional<ColorMap> map; ///< absent: the theme's own
    std::optional<double> scale; ///< absent: 2, and 1 for the window
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

/// Draws all that the program can draw of one sentence into a folder, which is made if need be. Empty parts of the
/// session are the two bundled models and the first example.
RenderReport renderDemo(const RenderOptions& options, const std::filesystem::path& folder);

} // namespace headlight
