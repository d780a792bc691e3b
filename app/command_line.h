// The words after the program's name: commands that work without a display, and what the window is to open with.
#pragma once

#include "app/main_window.h"

#include <QString>
#include <QStringList>

#include <stdexcept>

class QTextStream;

namespace headlight {

/// The words of the command are wrong; what() names the word and says what is known. Exit code 2.
class WrongWords : public std::runtime_error {
public:
    explicit WrongWords(const QString& message) : std::runtime_error(message.toStdString()) {}
};

enum ExitCode { Done = 0, NotDone = 1, WrongCommand = 2 };

/// What has to be there before runCommand() or the window.
enum class Surface {
    None,      ///< a QCoreApplication
    Offscreen, ///< a QApplication, on Qt's offscreen platform
    Window,    ///< a display: no command, the window is to open
};

/// @param words what follows the program's name
Surface surfaceFor(const QStringList& words);

/// Runs a command: models, trace, tokenize, render, --version, --help. Never throws.
/// @returns an ExitCode; unless it is Done, one line on `err` says why
int runCommand(const QStringList& words, QTextStream& out, QTextStream& err);

/// [MODEL] [--compare MODEL] [--text TEXT]
/// @throws WrongWords
MainWindow::Opening openingOf(const QStringList& words);

} // namespace headlight
