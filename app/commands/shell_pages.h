// What a package tells shells and `man` of the command line, made of the same tables as --help.
#pragma once

#include "app/commands/commands.h"

namespace headlight {

/// The kinds of pages: a manual page in roff, completion for bash, zsh and fish.
QStringList shellPages();

/// Writes the page of this kind, one of shellPages().
/// @param windowOptions those of the window, which opens where there is no command
void printShellPage(const QString& kind, std::span<const Command* const> commands,
                    std::span<const Option> windowOptions, QTextStream& out);

} // namespace headlight
