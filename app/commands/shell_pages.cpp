#include "app/commands/shell_pages.h"

#include <QTextStream>

namespace headlight {

namespace {

using Commands = std::span<const Command* const>;
using Options = std::span<const Option>;

/// What can stand after an option, as far as a shell can help with it.
enum class Value { None, Model, File, Other };

Value valueOf(const Option& option) {
    const auto value = QString::fromUtf8(option.value);
    if (value.isEmpty())
        return Value::None;
    if (value == QLatin1String("MODEL"))
        return Value::Model;
    return value == QLatin1String("FILE") || value == QLatin1String("DIR") ? Value::File : Value::Other;
}

QString flag(const Option& option) {
    return QStringLiteral("--") + QLatin1String(option.name);
}

QString helpOf(const Option& option) {
    return CommandLine::tr(option.help);
}

/// Between the shell's single quotes.
QString quoted(QString text) {
    return QStringLiteral("'%1'").arg(text.replace(QLatin1Char('\''), QStringLiteral("'\\''")));
}

/// The flags of all options whose values are of this kind, each once.
QStringList flagsOf(Value kind, Commands commands, Options windowOptions) {
    QStringList flags;
    const auto add = [&](Options options) {
        for (const auto& option : options)
            if (valueOf(option) == kind && !flags.contains(flag(option)))
                flags << flag(option);
    };
    add(windowOptions);
    for (const auto* command : commands)
        add(command->options);
    return flags;
}

QStringList flagsOf(Options options) {
    QStringList flags;
    for (const auto& option : options)
        flags << flag(option);
    return flags;
}

/// Prints the names of the models that there are.
const auto modelNames = QStringLiteral("headlight models 2>/dev/null | cut -d' ' -f1");

void printBash(Commands commands, Options windowOptions, QTextStream& out) {
    QStringList names;
    for (const auto* command : commands)
        names << QLatin1String(command->name);
    const auto patterns = [&](Value kind) { return flagsOf(kind, commands, windowOptions).join(QLatin1Char('|')); };
    out << "_headlight() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} words\n"
           "    case ${COMP_WORDS[COMP_CWORD-1]} in\n"
        << "        " << patterns(Value::Model) << ")\n"
        << "            mapfile -t COMPREPLY < <(compgen -W \"$(" << modelNames
        << ")\" -- \"$current\"; compgen -d -- \"$current\")\n"
           "            return ;;\n"
        << "        " << patterns(Value::File) << ")\n"
        << "            mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
           "            return ;;\n"
        << "        " << patterns(Value::Other) << ")\n"
        << "            return ;;\n"
           "    esac\n"
           "    case ${COMP_WORDS[1]} in\n";
    for (const auto* command : commands)
        out << "        " << command->name << ") words='" << flagsOf(command->options).join(QLatin1Char(' '))
            << " --help' ;;\n";
    out << "        *) words=\"" << names.join(QLatin1Char(' ')) << ' ' << flagsOf(windowOptions).join(QLatin1Char(' '))
        << " --version --help $(" << modelNames << ")\" ;;\n"
        << "    esac\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "    if [ ${#COMPREPLY[@]} -eq 0 ]; then mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); fi\n"
           "}\n"
           "complete -o filenames -F _headlight headlight\n";
}

void printZsh(Commands commands, Options windowOptions, QTextStream& out) {
    const auto specification = [](const Option& option) {
        // Within the brackets of _arguments some signs have a meaning of their own.
        auto help = helpOf(option);
        for (const auto sign : {QLatin1Char('\\'), QLatin1Char('['), QLatin1Char(']'), QLatin1Char(':')})
            help.replace(sign, QLatin1Char('\\') + QString(sign));
        const auto kind = valueOf(option);
        const auto action = kind == Value::Model  ? QStringLiteral(":model:_headlight_models")
                            : kind == Value::File ? QStringLiteral(":file:_files")
                            : kind == Value::None ? QString()
                                                  : QStringLiteral(":value:");
        return quoted(QStringLiteral("%1[%2]%3").arg(flag(option), help, action));
    };
    out << "#compdef headlight\n"
           "_headlight_models() {\n"
        << "    compadd -- ${(f)\"$(" << modelNames << ")\"}\n"
        << "    _files -/\n"
           "}\n"
           "_headlight() {\n"
           "    local -a commands=(\n";
    for (const auto* command : commands)
        out << "        "
            << quoted(QStringLiteral("%1:%2").arg(QLatin1String(command->name), CommandLine::tr(command->help)))
            << '\n';
    out << "    )\n"
           "    case $words[2] in\n";
    for (const auto* command : commands) {
        out << "        " << command->name << ") shift words; (( CURRENT-- )); _arguments";
        for (const auto& option : command->options)
            out << " \\\n            " << specification(option);
        out << " ;;\n";
    }
    out << "        *) (( CURRENT == 2 )) && _describe command commands; _arguments";
    for (const auto& option : windowOptions)
        out << " \\\n            " << specification(option);
    out << " \\\n            '*:model or file:_headlight_models' ;;\n"
           "    esac\n"
           "}\n"
           "_headlight \"$@\"\n";
}

void printFish(Commands commands, Options windowOptions, QTextStream& out) {
    const auto add = [&](const QString& condition, const Option& option) {
        const auto kind = valueOf(option);
        out << "complete -c headlight -n " << quoted(condition) << " -l " << option.name
            << (kind == Value::None   ? ""
                : kind == Value::File ? " -r -F"
                                      : " -x");
        if (kind == Value::Model)
            out << " -a " << quoted(QStringLiteral("(%1) (__fish_complete_directories)").arg(modelNames));
        out << " -d " << quoted(helpOf(option)) << '\n';
    };
    for (const auto* command : commands)
        out << "complete -c headlight -n __fish_use_subcommand -a " << command->name << " -d "
            << quoted(CommandLine::tr(command->help)) << '\n';
    for (const auto& option : windowOptions)
        add(QStringLiteral("__fish_use_subcommand"), option);
    for (const auto* command : commands)
        for (const auto& option : command->options)
            add(QStringLiteral("__fish_seen_subcommand_from ") + QLatin1String(command->name), option);
}

/// Text in roff: a hyphen is no dash, and no line begins with a request.
QString roff(QString text) {
    text.replace(QLatin1Char('\\'), QStringLiteral("\\e")).replace(QLatin1Char('-'), QStringLiteral("\\-"));
    return text.startsWith(QLatin1Char('.')) || text.startsWith(QLatin1Char('\'')) ? QStringLiteral("\\&") + text
                                                                                   : text;
}

void printManual(Commands commands, Options windowOptions, QTextStream& out) {
    const auto printOptions = [&](Options options) {
        for (const auto& option : options) {
            out << ".TP\n\\fB" << roff(flag(option)) << "\\fR";
            if (option.value)
                out << " \\fI" << roff(QString::fromUtf8(option.value)) << "\\fR";
            out << '\n' << roff(helpOf(option)) << '\n';
        }
    };
    const auto paragraph = [&](const QString& text) { out << ".PP\n" << roff(text) << '\n'; };
    out << ".TH HEADLIGHT 1 \"\" \"Headlight " << HEADLIGHT_VERSION << "\" \"User Commands\"\n"
        << ".SH NAME\nheadlight \\- " << roff(CommandLine::tr("shows where attention looks while you type")) << '\n'
        << ".SH SYNOPSIS\n\\fBheadlight\\fR [\\fIMODEL\\fR | \\fISESSION.headlight\\fR | \\fITRACE.safetensors\\fR] "
           "[\\fIoptions\\fR]\n";
    for (const auto* command : commands)
        out << ".br\n\\fBheadlight " << command->name << "\\fR [\\fIoptions\\fR]\n";
    out << ".SH DESCRIPTION\n"
        << roff(CommandLine::tr("Without a command a window opens. A model is a bundled model's name, a name in the "
                                "HuggingFace cache, or a folder."))
        << '\n';
    printOptions(windowOptions);
    out << ".SH COMMANDS\n";
    for (const auto* command : commands) {
        out << ".SS " << command->name << '\n' << roff(CommandLine::tr(command->help)) << '\n';
        printOptions(command->options);
    }
    out << ".SH EXIT STATUS\n"
        << roff(CommandLine::tr("0: it is done. 1: it could not be done; one line on standard error says why. 2: the "
                                "words of the command are wrong."))
        << "\n.SH ENVIRONMENT\n.TP\nHEADLIGHT_THREADS\n"
        << roff(CommandLine::tr("How many threads models run on.")) << "\n.TP\nHEADLIGHT_MODELS\n"
        << roff(CommandLine::tr("The folder of the bundled models, where it is not the installed one."))
        << "\n.TP\nHF_HUB_CACHE, HF_HOME\n"
        << roff(CommandLine::tr("Where the HuggingFace cache lies, as its own client takes them."))
        << "\n.SH FILES\n.TP\n~/.config/headlight/settings.json\n"
        << roff(CommandLine::tr("What was typed and chosen last.")) << '\n';
    paragraph(CommandLine::tr("Layers, heads and positions count from 0."));
}

} // namespace

QStringList shellPages() {
    return {QStringLiteral("man"), QStringLiteral("bash"), QStringLiteral("zsh"), QStringLiteral("fish")};
}

void printShellPage(const QString& kind, Commands commands, Options windowOptions, QTextStream& out) {
    constexpr decltype(&printManual) printers[] = {printManual, printBash, printZsh, printFish};
    const auto index = shellPages().indexOf(kind);
    if (index < 0)
        throw WrongWords(
            CommandLine::tr("--print: \"%1\" is none of %2").arg(kind, shellPages().join(QStringLiteral(", "))));
    printers[index](commands, windowOptions, out);
}

} // namespace headlight
