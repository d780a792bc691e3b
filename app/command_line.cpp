#include "app/command_line.h"

#include "app/commands/commands.h"
#include "app/commands/shell_pages.h"
#include "app/hub/hub_problem.h"
#include "core/engine.h"
#include "core/trace/trace_file.h"

#include <QDir>
#include <QTextStream>

#include <algorithm>
#include <span>

namespace headlight {

namespace {

void printVersion(QTextStream& out) {
    const auto compute = Engine::compute();
    out << "headlight " << HEADLIGHT_VERSION << '\n'
        << "Qt " << qVersion() << CommandLine::tr(" (built with %1)").arg(QLatin1String(QT_VERSION_STR)) << '\n'
        << "LibTorch " << QString::fromStdString(compute.libtorch) << '\n'
        << "BLAS " << (compute.blas.empty() ? CommandLine::tr("not found") : QString::fromStdString(compute.blas));
    if (compute.slowBlas)
        out << CommandLine::tr(": slow; with OpenBLAS (package libopenblas0-openmp) models run many times faster");
    out << '\n'
        << CommandLine::tr("threads %1").arg(compute.threads) << '\n'
        << CommandLine::tr("kept of a model's last texts, at most %1").arg(bytesInWords(mostKeptBytes)) << '\n';
}

constexpr const Command* commands[] = {&modelsCommand,  &fetchCommand,    &traceCommand,
                                       &analyseCommand, &tokenizeCommand, &renderCommand};

constexpr Option windowOptions[] = {
    {"compare", "MODEL", QT_TRANSLATE_NOOP("headlight::CommandLine", "a second model, on the same text")},
    {"text", "TEXT", QT_TRANSLATE_NOOP("headlight::CommandLine", "the source to open with")},
};

void printOptions(std::span<const Option> options, QTextStream& out) {
    for (const auto& option : options) {
        auto left = QStringLiteral("  --") + QLatin1String(option.name);
        if (option.value)
            left += QLatin1Char(' ') + QString::fromUtf8(option.value);
        out << left.leftJustified(22) << ' ' << CommandLine::tr(option.help) << '\n';
    }
}

void printHelp(const Command& command, QTextStream& out) {
    out << "headlight " << command.name << ": " << CommandLine::tr(command.help) << '\n';
    printOptions(command.options, out);
}

void printHelp(QTextStream& out) {
    out << CommandLine::tr("headlight shows where attention looks while you type.") << "\n\n"
        << "headlight [MODEL | SESSION.headlight | TRACE.safetensors]: "
        << CommandLine::tr("opens the window; MODEL is a bundled model's name, or a folder") << '\n';
    printOptions(windowOptions, out);
    for (const auto* command : commands) {
        out << '\n';
        printHelp(*command, out);
    }
    out << "\nheadlight --version: " << CommandLine::tr("versions, BLAS and threads in use") << '\n'
        << "headlight --print " << shellPages().join(QLatin1Char('|')) << ": "
        << CommandLine::tr("the manual page, or what a shell completes") << "\n\n"
        << CommandLine::tr("Exit codes: 0 done, 1 it could not be done, 2 the words of the command are wrong.") << '\n';
}

const Command* findCommand(const QStringList& words) {
    for (const auto* command : commands) {
        if (words.value(0) == QLatin1String(command->name))
            return command;
    }
    return nullptr;
}

bool asksForHelp(const QString& word) {
    return word == QLatin1String("--help") || word == QLatin1String("-h");
}

void run(const QStringList& words, QTextStream& out, QTextStream& err) {
    if (const auto* command = findCommand(words)) {
        const auto rest = words.mid(1);
        if (std::any_of(rest.begin(), rest.end(), asksForHelp))
            printHelp(*command, out);
        else
            command->run(Words(rest, command->options, command->mostPlain), out, err);
        return;
    }
    if (words.value(0) == QLatin1String("--print") && words.size() == 2)
        return printShellPage(words[1], commands, windowOptions, out);
    if (words.size() > 1)
        throw WrongWords(CommandLine::tr("\"%1\" is one word too many").arg(words[1]));
    if (words.value(0) == QLatin1String("--version")) {
        printVersion(out);
    } else if (asksForHelp(words.value(0))) {
        printHelp(out);
    } else {
        QStringList names;
        for (const auto* command : commands)
            names.append(QLatin1String(command->name));
        throw WrongWords(CommandLine::tr("\"%1\" is no command; known are %2, --version, --help")
                             .arg(words.value(0), names.join(QStringLiteral(", "))));
    }
}

} // namespace

Surface surfaceFor(const QStringList& words) {
    if (const auto* command = findCommand(words))
        return command->surface;
    const auto first = words.value(0);
    const bool printed = first == QLatin1String("--version") || first == QLatin1String("--print");
    return printed || asksForHelp(first) ? Surface::None : Surface::Window;
}

int runCommand(const QStringList& words, QTextStream& out, QTextStream& err) {
    try {
        run(words, out, err);
        return Done;
    } catch (const WrongWords& error) {
        err << remark(QString::fromUtf8(error.what()));
        return WrongCommand;
    } catch (const std::exception& error) { // Error, and what libraries throw
        err << remark(QString::fromUtf8(error.what()));
        return NotDone;
    }
}

MainWindow::Opening openingOf(const QStringList& words) {
    const Words found(words, windowOptions, 1);
    const auto what = found.plain().value(0);
    const bool isTrace = isTraceFile(pathOf(what)), isSession = Session::isIn(what);
    return {.modelA = isTrace || isSession ? QString() : what,
            .modelB = found.value("compare"),
            .source = found.value("text"),
            .target = {},
            .view = {},
            .beam = 1,
            .trace = isTrace ? what : QString(),
            .session = {},
            .file = isSession ? QDir::current().absoluteFilePath(what) : QString()};
}

} // namespace headlight
