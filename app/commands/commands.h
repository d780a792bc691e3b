// The commands, each of which is a file beside this.
#pragma once

#include "app/commands/words.h"

class QTextStream;

namespace headlight {

/// What has to be there before a command runs, or the window.
enum class Surface {
    None,      ///< a QCoreApplication
    Offscreen, ///< a QApplication, on Qt's offscreen platform
    Window,    ///< a display: no command, the window is to open
};

struct Command {
    const char* name;
    const char* help;
    std::span<const Option> options;
    /// @throws WrongWords, and Error where it cannot be done
    void (*run)(const Words& words, QTextStream& out, QTextStream& err);
    Surface surface;
    qsizetype mostPlain = 0; ///< words without dashes that it takes
};

extern const Command fetchCommand;
extern const Command modelsCommand;
extern const Command traceCommand;
extern const Command analyseCommand;
extern const Command tokenizeCommand;
extern const Command renderCommand;

} // namespace headlight
