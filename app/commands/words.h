// The words after a command: options and their values, checked against what is known, and what they mean.
#pragma once

#include "core/trace/trace.h"

#include <QCoreApplication>
#include <QHash>
#include <QString>
#include <QStringList>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

namespace headlight {

/// Where the command line's texts are translated.
struct CommandLine {
    Q_DECLARE_TR_FUNCTIONS(headlight::CommandLine)
};

/// The words of the command are wrong; what() names the word and says what is known. Exit code 2.
class WrongWords : public std::runtime_error {
public:
    explicit WrongWords(const QString& message) : std::runtime_error(message.toStdString()) {}
};

struct Option {
    const char* name;  ///< without its dashes
    const char* value; ///< as it stands in the help, UTF-8; null: a flag
    const char* help;
};

/// Options and their values. All of it throws WrongWords.
class Words {
public:
    /// @param mostPlain how many words without dashes there may be
    Words(const QStringList& words, std::span<const Option> known, qsizetype mostPlain = 0);

    const QStringList& plain() const { return m_plain; }
    bool has(const char* name) const;
    QString value(const char* name) const;

    QString required(const char* name) const;
    /// Exactly one of the two.
    void requireOneOf(const char* first, const char* second) const;
    void refuseBoth(const char* first, const char* second) const;

    std::optional<int> whole(const char* name, int least, int most) const;
    std::optional<double> number(const char* name, double least, double most) const;
    /// Whole numbers, separated by commas; empty when the option is not there.
    std::vector<std::int64_t> wholes(const char* name) const;
    /// The place of the value among those that are known; empty when the option is not there.
    std::optional<int> oneOf(const char* name, const QStringList& known) const;
    /// Heads such as cross.1.3, separated by commas; empty when the option is not there.
    std::vector<Intervention::HeadOff> heads(const char* name) const;

private:
    QHash<QString, QString> m_values;
    QStringList m_plain;
};

/// As --kind and --off have them, in the order of BlockKind.
QStringList kindNames();

// What options of several commands have in common.
inline constexpr int mostHypotheses = 64;
inline constexpr auto beamHelp =
    QT_TRANSLATE_NOOP("headlight::CommandLine", "hypotheses kept while decoding; 1 is greedy");
inline constexpr auto headsOffHelp =
    QT_TRANSLATE_NOOP("headlight::CommandLine", "heads to switch off, such as cross.1.3,encoder.0.2");

std::filesystem::path pathOf(const QString& name);
QString nameOf(const std::filesystem::path& file);

/// A text for a line of a terminal: control characters, which might do anything there, as \n or \x1b.
QString printable(const QString& text);
/// What the program says beside its output: "headlight: …", all in one line, as scripts expect it.
QString remark(const QString& text);

} // namespace headlight
