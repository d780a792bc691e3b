// The words after the program's name: commands that work without a display, and what the window is to open with.
#pragma once

#include "app/commands/commands.h"
#include "app/main_window.h"

#include <QString>
#include <QStringList>

class QTextStream;

namespace headlight {

enum ExitCode { Done = 0, NotDone = 1, WrongCommand = 2 };

/// @param words what follows the program's name
Surface surfaceFor(const QStringList& words);

/// Runs a command: models, trace, tokenize, render, --version, --help. Never throws.
/// @returns an ExitCode; unless it is Done, one line on `err` says why
int runCommand(const QStringList& words, QTextStream& out, QTextStream& err);

/// [MODEL] [--compare MODEL] [--text TEXT]
/// @throws WrongWords
MainWindow::Opening openingOf(const QStringList& words);

} // namespace headlight
